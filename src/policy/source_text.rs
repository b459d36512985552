//! What a policy simulator says of a document's text: where its statements stand, and which condition keys it uses.

use serde_json::Value;

use super::document::{PolicyDocument, Statement};

/// A place in a text, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// Where each statement of a document begins and ends, in their order.
///
/// As AWS counts (AWS CLI reference, examples of `simulate-custom-policy` and `simulate-principal-policy`): a statement
/// ends behind its brace. In a list it begins behind the list's bracket or the statement before, and alone behind its
/// own brace.
pub fn statement_positions(text: &str) -> Vec<(Position, Position)> {
    let mut scanner = Scanner { at: Position { line: 1, column: 1 }, ..Scanner::default() };
    text.chars().for_each(|character| scanner.read(character));
    scanner.found
}

#[derive(Default)]
struct Scanner {
    at: Position,
    /// How many objects and lists are open.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The string read last, for the names of members.
    string: String,
    /// Whether the member `Statement` of the document is being read.
    in_statements: bool,
    /// The depth at which a statement's object is open: 2 alone, 3 in a list.
    statement_depth: usize,
    begins: Position,
    found: Vec<(Position, Position)>,
}

impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl Scanner {
    fn read(&mut self, character: char) {
        match character {
            '\n' => self.at = Position { line: self.at.line + 1, column: 1 },
            _ => self.at.column += 1,
        }
        if self.in_string {
            match character {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '"' => self.in_string = false,
                _ => self.string.push(character),
            }
            return;
        }
        match character {
            '"' => {
                self.in_string = true;
                self.string.clear();
            }
            ':' if self.depth == 1 => self.in_statements = self.string == "Statement",
            '{' | '[' => self.open(character == '['),
            '}' | ']' => self.close(),
            _ => {}
        }
    }

    fn open(&mut self, list: bool) {
        self.depth += 1;
        if self.in_statements && self.depth == 2 {
            self.begins = self.at;
            self.statement_depth = if list { 3 } else { 2 };
        }
    }

    fn close(&mut self) {
        if self.in_statements && self.depth == self.statement_depth {
            self.found.push((self.begins, self.at));
            self.begins = self.at;
        }
        self.depth = self.depth.saturating_sub(1);
    }
}

/// The condition keys that a document uses, in conditions and as policy variables: each once, as first written.
pub fn context_keys(document: &PolicyDocument) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut add = |key: &str| {
        if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            keys.push(key.to_owned());
        }
    };
    for statement in &document.statements {
        statement.conditions.iter().for_each(|condition| add(condition.key()));
        texts(statement).for_each(|text| variables(text).for_each(&mut add));
    }
    keys
}

/// The texts of a statement that may have variables.
fn texts(statement: &Statement) -> impl Iterator<Item = &str> {
    let resources = ["Resource", "NotResource"].iter().filter_map(|name| statement.json.get(name)).flat_map(strings);
    resources.chain(statement.conditions.iter().flat_map(|condition| condition.values()).map(String::as_str))
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value.as_str().into_iter().chain(list.iter().filter_map(Value::as_str))
}

/// The keys of `${…}` in a text.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let insides = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside);
    insides.map(|inside| inside.split(',').next().unwrap_or_default().trim()).filter(|key| key.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PolicyKind;

    fn at(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn positions_as_in_the_examples_of_the_cli_reference() {
        let alone = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
        assert_eq!(statement_positions(alone), [(at(1, 38), at(1, 167))]);
        let lines = "{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        {\n            \"Effect\": \"Allow\",\n            \"Action\": [\n                \"codecommit:ListRepositories\"\n            ], \"Resource\": \"*\"\n        }\n    ]\n}";
        assert_eq!(statement_positions(lines), [(at(3, 19), at(9, 10))]);
    }

    #[test]
    fn strings_with_braces_and_other_members_are_passed_over() {
        let text =
            r#"{"Id":"Statement{[","Statement":[{"Sid":"}\"]"},{"Condition":{"Bool":{"a:b":[]}}}],"Version":"{}"}"#;
        assert_eq!(statement_positions(text), [(at(1, 34), at(1, 48)), (at(1, 48), at(1, 82))]);
        for odd in ["", "}}]]", "{\"Statement\":[[[", "\"Statement"] {
            assert!(statement_positions(odd).is_empty(), "{odd}");
        }
    }

    #[test]
    fn keys_of_conditions_and_variables() {
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"a:b","Resource":["arn:aws:s3:::${aws:username}/*","arn:aws:s3:::${*}"],
             "Condition":{"StringEquals":{"aws:RequestedRegion":"x"},"StringLike":{"AWS:requestedregion":"${aws:PrincipalTag/team, 'none'}"}}},
            {"Effect":"Deny","Action":"a:b","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"true"}}}]}"#;
        let document = PolicyDocument::parse(PolicyKind::Identity, text).unwrap();
        assert_eq!(
            context_keys(&document),
            ["aws:RequestedRegion", "aws:username", "aws:PrincipalTag/team", "aws:TokenIssueTime"]
        );
    }
}
