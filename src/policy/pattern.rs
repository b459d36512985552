//! Wildcards, ARN segments and policy variables.

use std::borrow::Cow;

use super::context::ConditionContext;

/// How the text of a pattern is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `*` and `?` mean themselves.
    Literal,
    /// `*` any characters, `?` one.
    Glob,
    /// A `Resource` element: wildcards stay within an ARN segment, except that a `*` at the end of a segment may go
    /// past the colon; missing segments are completed with `*` (IAM guide).
    Resource,
    /// An `Arn…` condition value: each of the six segments is compared for itself (IAM guide).
    Arn,
}

/// A string of a policy, compiled once when the document is parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    glyphs: Vec<Glyph>,
    fold_case: bool,
    has_variables: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Glyph {
    Char(char),
    /// One character; not a colon when `within_segment`.
    One {
        within_segment: bool,
    },
    /// Any number of characters; no colon among them when `within_segment`.
    Many {
        within_segment: bool,
    },
    /// What is left of a short ARN: nothing, or a colon and any characters.
    Rest,
    /// `${key}` or `${key, 'default'}`.
    Variable {
        key: String,
        default: Option<String>,
    },
}

impl Pattern {
    /// Compiles `text`. `variables`: whether `${…}` is special (policy version 2012-10-17 only (IAM guide)).
    pub(super) fn compile(text: &str, syntax: Syntax, variables: bool) -> Self {
        let mut glyphs = scan(text, syntax != Syntax::Literal, variables);
        if matches!(syntax, Syntax::Resource | Syntax::Arn) && text != "*" {
            bind_to_segments(&mut glyphs, syntax == Syntax::Resource);
        }
        let has_variables = glyphs.iter().any(|glyph| matches!(glyph, Glyph::Variable { .. }));
        Self { text: text.to_owned(), glyphs, fold_case: false, has_variables }
    }

    /// Compiles an action: wildcards, no variables, upper and lower case are the same (IAM guide).
    pub(super) fn action(text: &str) -> Self {
        Self { fold_case: true, ..Self::compile(text, Syntax::Glob, false) }
    }

    /// The same pattern, upper and lower case being the same.
    pub(super) fn ignoring_case(self) -> Self {
        Self { fold_case: true, ..self }
    }

    /// As the document has it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `subject` fits. A variable's value is taken literally, so a `*` in it is no wildcard; a variable that
    /// the request doesn't carry, or that has several values, fits nothing.
    pub fn matches(&self, subject: &str, context: &ConditionContext) -> bool {
        let glyphs = if self.has_variables {
            match substitute(&self.glyphs, context) {
                Some(glyphs) => Cow::Owned(glyphs),
                None => return false,
            }
        } else {
            Cow::Borrowed(self.glyphs.as_slice())
        };
        if self.fold_case {
            fits(&glyphs, subject, same_letter)
        } else {
            fits(&glyphs, subject, |one, other| one == other)
        }
    }
}

/// Whether the action of a statement, `kms:*`, covers `action`.
pub fn covers_action(pattern: &str, action: &str) -> bool {
    Pattern::action(pattern).matches(action, &ConditionContext::default())
}

fn same_letter(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
}

fn scan(text: &str, wildcards: bool, variables: bool) -> Vec<Glyph> {
    let mut glyphs = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if variables && let Some((glyph, after)) = scan_variable(rest) {
            glyphs.push(glyph);
            rest = after;
            continue;
        }
        glyphs.push(match next {
            '*' if wildcards => Glyph::Many { within_segment: false },
            '?' if wildcards => Glyph::One { within_segment: false },
            other => Glyph::Char(other),
        });
        rest = &rest[next.len_utf8()..];
    }
    glyphs
}

/// `${*}`, `${?}` and `${$}` stand for the character itself (IAM guide).
fn scan_variable(text: &str) -> Option<(Glyph, &str)> {
    let (inside, after) = text.strip_prefix("${")?.split_once('}')?;
    let glyph = match inside {
        "*" => Glyph::Char('*'),
        "?" => Glyph::Char('?'),
        "$" => Glyph::Char('$'),
        _ => {
            let (key, default) = match inside.split_once(',') {
                Some((key, default)) => {
                    let default = default.trim();
                    (key, Some(default.strip_prefix('\'')?.strip_suffix('\'')?.to_owned()))
                }
                None => (inside, None),
            };
            Glyph::Variable { key: key.trim().to_lowercase(), default }
        }
    };
    Some((glyph, after))
}

/// Keeps the wildcards of the first five segments inside their segment, and completes a short ARN with `*`.
fn bind_to_segments(glyphs: &mut Vec<Glyph>, last_may_cross: bool) {
    let mut segment = 0;
    for index in 0..glyphs.len() {
        let ends_segment = matches!(glyphs.get(index + 1), None | Some(Glyph::Char(':')));
        match &mut glyphs[index] {
            Glyph::Char(':') => segment += 1,
            Glyph::One { within_segment } => *within_segment = segment < 5,
            Glyph::Many { within_segment } => *within_segment = segment < 5 && !(last_may_cross && ends_segment),
            Glyph::Char(_) | Glyph::Rest | Glyph::Variable { .. } => {}
        }
    }
    if last_may_cross && segment < 5 {
        // `arn:aws:sqs` means `arn:aws:sqs:*:*:*`, and `arn:aws:kms:*:111122223333` any resource of that account.
        glyphs.push(Glyph::Rest);
    }
}

fn substitute(glyphs: &[Glyph], context: &ConditionContext) -> Option<Vec<Glyph>> {
    let mut out = Vec::with_capacity(glyphs.len() + 16);
    for glyph in glyphs {
        match glyph {
            Glyph::Variable { key, default } => {
                let value = match (context.get(key), default) {
                    (Some([value]), _) => value,
                    (None | Some([]), Some(default)) => default,
                    _ => return None,
                };
                out.extend(value.chars().map(Glyph::Char));
            }
            other => out.push(other.clone()),
        }
    }
    Some(out)
}

/// Walks the pattern with the set of positions of `subject` reached so far, so that no pattern, however many `*` it
/// has, takes longer than pattern × subject.
fn fits(glyphs: &[Glyph], subject: &str, same: impl Fn(char, char) -> bool) -> bool {
    let subject: Vec<char> = subject.chars().collect();
    let mut reached = vec![false; subject.len() + 1];
    reached[0] = true;
    for glyph in glyphs {
        match glyph {
            Glyph::Many { within_segment } => {
                for at in 0..subject.len() {
                    reached[at + 1] |= reached[at] && !(*within_segment && subject[at] == ':');
                }
            }
            Glyph::Rest => {
                // It is always the last one.
                let colon = |at: usize| subject.get(at) == Some(&':');
                return (0..=subject.len()).any(|at| reached[at] && (at == subject.len() || colon(at)));
            }
            one => {
                for at in (0..subject.len()).rev() {
                    let consumes = match one {
                        Glyph::Char(wanted) => same(*wanted, subject[at]),
                        Glyph::One { within_segment } => !(*within_segment && subject[at] == ':'),
                        Glyph::Many { .. } | Glyph::Rest | Glyph::Variable { .. } => false,
                    };
                    reached[at + 1] = reached[at] && consumes;
                }
                reached[0] = false;
            }
        }
        if !reached.contains(&true) {
            return false;
        }
    }
    reached[subject.len()]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn context() -> ConditionContext {
        let mut context = ConditionContext::default();
        context.set("aws:username", "ali*e").set("aws:PrincipalTag/team", "red");
        context.add("aws:TagKeys", "a").add("aws:TagKeys", "b");
        context
    }

    #[rstest]
    #[case("", "", true)]
    #[case("", "a", false)]
    #[case("*", "", true)]
    #[case("a*c", "abbbc", true)]
    #[case("a*c", "abbb", false)]
    #[case("a?c", "abc", true)]
    #[case("a?c", "ac", false)]
    #[case("*a*b*", "xxaxxbxx", true)]
    #[case("a*b*a", "aba", true)]
    #[case("a*b*a", "ab", false)]
    #[case("é?", "éü", true)]
    #[case("A", "a", false)]
    fn globs(#[case] pattern: &str, #[case] subject: &str, #[case] expected: bool) {
        assert_eq!(Pattern::compile(pattern, Syntax::Glob, true).matches(subject, &context()), expected);
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let pattern = Pattern::compile(&"a*".repeat(200), Syntax::Glob, true);
        assert!(!pattern.matches(&"a".repeat(199), &context()));
    }

    #[rstest]
    #[case("kms:decrypt", "kms:Decrypt", true)]
    #[case("KMS:D*", "kms:Decrypt", true)]
    #[case("kms:ReEncrypt*", "kms:ReEncryptFrom", true)]
    #[case("*", "kms:Decrypt", true)]
    #[case("kms:Decryp?", "kms:Decrypt", true)]
    #[case("kms:GenerateDataKey*", "kms:GenerateDataKey", true)]
    #[case("kms:Decrypt", "kms:DescribeKey", false)]
    #[case("${aws:username}", "x", false)]
    fn actions_ignore_case(#[case] pattern: &str, #[case] action: &str, #[case] expected: bool) {
        assert_eq!(Pattern::action(pattern).matches(action, &context()), expected);
    }

    #[test]
    fn behind_the_last_segment_colons_are_characters_like_others() {
        for pattern in ["arn:aws:iam::111122223333:role?lab", "arn:aws:iam::111122223333:r*lab"] {
            for syntax in [Syntax::Resource, Syntax::Arn] {
                let pattern = Pattern::compile(pattern, syntax, true);
                assert!(pattern.matches("arn:aws:iam::111122223333:role:lab", &context()), "{pattern:?}");
            }
        }
    }

    #[rstest]
    #[case("*", true)]
    #[case("arn:aws:dynamodb:us-east-1:111122223333:table/orders", true)]
    #[case("arn:aws:dynamodb:us-east-1:111122223333:table/Orders", false)]
    #[case("arn:aws:dynamodb:*:111122223333:table/*", true)]
    #[case("arn:aws:dynamodb:us-*:*:table/ord?rs", true)]
    #[case("arn:aws:dynamodb:*:*:*", true)]
    // a `*` at the end of a segment may go past the colon, one inside may not
    #[case("arn:aws:dynamodb*", true)]
    #[case("arn:aws:dynamodb:*", true)]
    #[case("arn:aws:dy*:table/orders", true)]
    #[case("arn:aws:dyn*3:table/orders", false)]
    #[case("arn:aws:dynamodb:us-east-1?111122223333:table/orders", false)]
    // missing segments are completed
    #[case("arn:aws:dynamodb", true)]
    #[case("arn:aws:sqs", false)]
    #[case("arn:aws:dynamodb:us-east-1:111122223333", true)]
    #[case("arn:aws:dynamodb:us-east-1:111122223333:table", false)]
    // also where a segment has a wildcard
    #[case("arn:aws:dynamodb:*:111122223333", true)]
    #[case("arn:aws:dynamodb:us-*-1:111122223333", true)]
    #[case("arn:aws:dynamodb:us-east-?:1111*3333", true)]
    #[case("arn:*:dynamodb:*:111122223333", true)]
    #[case("arn:aws:dynamodb:*:444455556666", false)]
    #[case("arn:aws:dynamodb:*:11112222", false)]
    #[case("arn:aws:sqs:*:111122223333", false)]
    fn resources(#[case] pattern: &str, #[case] expected: bool) {
        let subject = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";
        assert_eq!(Pattern::compile(pattern, Syntax::Resource, true).matches(subject, &context()), expected);
    }

    #[rstest]
    #[case("arn:aws:iam::*:user/*", true)]
    #[case("arn:aws:iam::111122223333:user/ali?e", true)]
    #[case("arn:*:iam:*:*:*", true)]
    #[case("arn:aws:iam:*", false)]
    #[case("arn:aws:iam*:user/alice", false)]
    #[case("*", true)]
    fn arn_conditions_compare_segment_by_segment(#[case] pattern: &str, #[case] expected: bool) {
        let subject = "arn:aws:iam::111122223333:user/alice";
        assert_eq!(Pattern::compile(pattern, Syntax::Arn, true).matches(subject, &context()), expected);
    }

    #[rstest]
    #[case("user/${aws:username}", "user/ali*e", true)]
    #[case("user/${AWS:UserName}", "user/ali*e", true)]
    #[case("user/${aws:username}", "user/alixxe", false)] // a value's `*` is no wildcard
    #[case("${aws:PrincipalTag/team, 'none'}", "red", true)]
    #[case("${aws:PrincipalTag/floor, 'none'}", "none", true)]
    #[case("${aws:PrincipalTag/floor}", "", false)]
    #[case("${aws:TagKeys}", "a", false)] // several values: not a single text
    #[case("${*}${?}${$}", "*?$", true)]
    #[case("${*}", "x", false)]
    #[case("${aws:username", "${aws:username", true)]
    fn variables(#[case] pattern: &str, #[case] subject: &str, #[case] expected: bool) {
        assert_eq!(Pattern::compile(pattern, Syntax::Glob, true).matches(subject, &context()), expected);
    }

    #[test]
    fn without_variables_the_braces_are_text() {
        assert!(Pattern::compile("${aws:username}", Syntax::Literal, false).matches("${aws:username}", &context()));
    }
}
