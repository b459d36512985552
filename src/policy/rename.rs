//! Changing a principal in the text of a policy without touching the rest: order, spaces and spelling are the author's.

/// Replaces every string equal to `from` inside a statement's `Principal` or `NotPrincipal`. Text that is no JSON
/// comes back as it is.
pub(super) fn rename_principal(text: &str, from: &str, to: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    // The member names on the way down; `None` for a list, and for an object before its first member.
    let mut path: Vec<Option<String>> = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match next {
            '{' | '[' => path.push(None),
            '}' | ']' => drop(path.pop()),
            _ => {}
        }
        if next != '"' {
            out.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let (literal, after) = rest.split_at(end_of_string(rest));
        let value: String = serde_json::from_str(literal).unwrap_or_default();
        rest = after;
        if after.trim_start().starts_with(':') {
            out.push_str(literal);
            if let Some(top) = path.last_mut() {
                *top = Some(value);
            }
        } else if value == from && names_a_principal(&path) {
            out.push_str(&serde_json::Value::from(to).to_string());
        } else {
            out.push_str(literal);
        }
    }
    out
}

fn names_a_principal(path: &[Option<String>]) -> bool {
    let mut names = path.iter().flatten().map(String::as_str);
    names.next() == Some("Statement") && matches!(names.next(), Some("Principal" | "NotPrincipal"))
}

/// The length of the string literal that `text` begins with, quotes included.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

    #[test]
    fn only_principals_change() {
        let text = format!(
            r#"{{ "Id": "{ALICE}",
  "Statement" : [ {{"Sid": "Principal", "Principal" : {{"AWS": ["{ALICE}", "arn:aws:iam::111122223333:user/al\u0069ce",
     "arn:aws:iam::111122223333:user/alice2"]}},
     "Condition": {{"ArnEquals": {{"aws:PrincipalArn": "{ALICE}"}}}}, "Resource":"*" }},
   {{"NotPrincipal":{{"AWS":"{ALICE}"}}}} ] }}"#
        );
        let expected = format!(
            r#"{{ "Id": "{ALICE}",
  "Statement" : [ {{"Sid": "Principal", "Principal" : {{"AWS": ["AIDAX", "AIDAX",
     "arn:aws:iam::111122223333:user/alice2"]}},
     "Condition": {{"ArnEquals": {{"aws:PrincipalArn": "{ALICE}"}}}}, "Resource":"*" }},
   {{"NotPrincipal":{{"AWS":"AIDAX"}}}} ] }}"#
        );
        assert_eq!(rename_principal(&text, ALICE, "AIDAX"), expected);
    }

    #[test]
    fn a_single_statement_and_no_json() {
        let text = format!(r#"{{"Statement":{{"Principal":{{"AWS":"{ALICE}"}}}}}}"#);
        assert_eq!(rename_principal(&text, ALICE, "A\"B"), r#"{"Statement":{"Principal":{"AWS":"A\"B"}}}"#);
        assert_eq!(rename_principal("\"Principal\": {\"x", "x", "y"), "\"Principal\": {\"x");
    }
}
