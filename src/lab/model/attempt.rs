//! What a learner writes in stage 7: the templates, and the call that a text becomes.

use serde_json::Value;

use super::draft::Draft;
use super::facts::{Facts, Names};
use super::mechanism::{ATTEMPT, Mechanism};
use super::operation::{Identity, Operation};
use super::own_way::constraints;

/// A statement of a key policy.
const KEY_STATEMENT: &str = r#"{
  "Sid": "LetTestUserRead",
  "Effect": "Allow",
  "Principal": { "AWS": "________" },
  "Action": "kms:________",
  "Resource": "________"
}"#;

/// A statement of an IAM policy. It has no principal: that is the user it is attached to.
const USER_STATEMENT: &str = r#"{
  "Sid": "LetTestUserRead",
  "Effect": "Allow",
  "Action": "kms:________",
  "Resource": "________"
}"#;

/// The parameters of CreateGrant.
const GRANT: &str = r#"{
  "GranteePrincipal": "________",
  "Operations": ["________"],
  "Constraints": {
    "EncryptionContextSubset": {
      "aws:dynamodb:tableName": "________"
    }
  }
}"#;

/// Stands for the written statement until the rest of the document is written.
const PLACE: &str = "\"kmslab: the new statement\"";

/// The question beside a blank, by the JSON member on its line.
const QUESTIONS: [(&str, &str, &str); 6] = [
    ("\"GranteePrincipal\"", "who gets it?", "the grant is incomplete: line {} names no grantee"),
    ("\"Operations\"", "which operations?", "the grant is incomplete: line {} names no operation"),
    ("\"aws:dynamodb:tableName\"", "for which table?", "the grant is incomplete: line {} names no table"),
    ("\"Principal\"", "whose ARN?", "no statement matches: line {} names nobody"),
    ("\"Action\"", "which action?", "no statement matches: line {} names no action"),
    ("\"Resource\"", "which resource?", "no statement matches: line {} names no resource"),
];

/// Why a text can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// It isn't JSON; the line, counted from 1, where that shows.
    #[error("not JSON yet: line {0}")]
    NotJson(usize),
    /// It is JSON, but no statement.
    #[error("a statement is a JSON object")]
    NotAStatement,
    /// CreateGrant has no such parameter, or it isn't of this kind.
    #[error("CreateGrant has no such parameter: {0}")]
    NoParameter(String),
    /// The policy that it is to be added to has not been read.
    #[error("the key policy was not read")]
    NoPolicy,
}

/// The text that a learner starts from.
pub fn template(mechanism: Mechanism) -> Draft {
    Draft::new(match mechanism {
        Mechanism::KeyPolicy => KEY_STATEMENT,
        Mechanism::IamPolicy => USER_STATEMENT,
        Mechanism::Grant => GRANT,
    })
}

/// The question beside a blank on this line.
pub fn question(line: &str) -> &'static str {
    QUESTIONS.iter().find(|(member, ..)| line.contains(member)).map_or("what?", |(_, question, _)| question)
}

/// What a blank on this line means for the statement, with `{}` for the line's number.
pub fn lack(line: &str) -> &'static str {
    QUESTIONS.iter().find(|(member, ..)| line.contains(member)).map_or("line {} has a blank", |(.., lack)| lack)
}

/// A name that can be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertable {
    /// What it names.
    pub label: &'static str,
    /// The text.
    pub text: String,
}

/// The names that can be inserted. They help to type, and don't tell which one is right.
pub fn insertables(mechanism: Mechanism, facts: &Facts, names: &Names, region: &str) -> Vec<Insertable> {
    let key = facts.key_arn();
    // `arn:aws:kms:us-east-1:111122223333:key/…`, up to the account.
    let alias = key.and_then(|arn| arn.rsplit_once(':')).map(|(place, _)| format!("{place}:{}", names.alias));
    let all = [
        ("test-user", facts.principal(Identity::TestUser)),
        ("admin", facts.principal(Identity::Admin)),
        ("key", key.map(str::to_owned)),
        ("alias", alias),
        ("table", Some(facts.table_arn(&names.table, region))),
        ("table's name", Some(names.table.clone()).filter(|_| mechanism == Mechanism::Grant)),
    ];
    all.into_iter().filter_map(|(label, text)| Some(Insertable { label, text: text? })).collect()
}

/// Where an attempt goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The key's id.
    pub key: &'a str,
    /// The user's name.
    pub user: &'a str,
    /// The key policy without the attempt.
    pub policy: Option<&'a str>,
}

/// The call that puts `text` in place, as it is written.
///
/// # Errors
/// The text can't be part of a call.
pub fn operation(mechanism: Mechanism, text: &str, target: &Target<'_>) -> Result<Operation, Unsendable> {
    let key = target.key.to_owned();
    match mechanism {
        Mechanism::KeyPolicy => {
            let policy = with_statements(target.policy.ok_or(Unsendable::NoPolicy)?, text)?;
            Ok(Operation::PutKeyPolicy { key, policy })
        }
        Mechanism::IamPolicy => {
            let policy = user_policy(text)?;
            Ok(Operation::PutUserPolicy { user: target.user.to_owned(), name: ATTEMPT.to_owned(), policy })
        }
        Mechanism::Grant => grant(text, key),
    }
}

/// The key policy `policy` with the written statement behind its own.
///
/// # Errors
/// One of them is no JSON, or no policy.
pub fn with_statements(policy: &str, text: &str) -> Result<String, Unsendable> {
    let written = statements(text)?;
    let mut document: Value = serde_json::from_str(policy).map_err(|_| Unsendable::NoPolicy)?;
    let members = document.as_object_mut().ok_or(Unsendable::NoPolicy)?;
    let mut all = match members.remove("Statement") {
        Some(Value::Array(all)) => all,
        one => one.into_iter().collect(),
    };
    all.push(Value::from(PLACE.trim_matches('"')));
    members.insert("Statement".to_owned(), Value::Array(all));
    let document = serde_json::to_string_pretty(&document).map_err(|_| Unsendable::NoPolicy)?;
    // The statement stays as it was written: a member that is named twice is for KMS to refuse.
    Ok(document.replacen(PLACE, &written, 1))
}

/// An inline policy of the written statement; a whole document is taken as it is.
fn user_policy(text: &str) -> Result<String, Unsendable> {
    if json(text)?.get("Statement").is_some() {
        return Ok(text.trim().to_owned());
    }
    Ok(format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{}]}}", statements(text)?))
}

/// The written statements, without brackets.
fn statements(text: &str) -> Result<String, Unsendable> {
    let inner = |list: &str| list.trim().trim_start_matches('[').trim_end_matches(']').trim().to_owned();
    match json(text)? {
        Value::Object(members) => Ok(match members.get("Statement") {
            Some(all @ Value::Array(_)) => inner(&all.to_string()),
            Some(one) => one.to_string(),
            None => text.trim().to_owned(),
        }),
        Value::Array(all) if !all.is_empty() => Ok(inner(text)),
        _ => Err(Unsendable::NotAStatement),
    }
}

fn json(text: &str) -> Result<Value, Unsendable> {
    serde_json::from_str(text).map_err(|error| Unsendable::NotJson(fault(text, &error)))
}

/// The line, counted from 1, where a person finds what is wrong. The parser notices some of it only on a later line: a
/// quote that is missing at a line's end, and a comma.
fn fault(text: &str, error: &serde_json::Error) -> usize {
    let noticed = error.line().max(1);
    let lacks_comma = error.to_string().starts_with("expected `,`");
    let before = text.lines().take(noticed - 1).enumerate();
    let open = before.clone().find(|(_, line)| ends_in_string(line)).map(|(row, _)| row + 1);
    let last = || before.filter(|(_, line)| !line.trim().is_empty()).last().map(|(row, _)| row + 1);
    let starts_line = || {
        let line = text.lines().nth(noticed - 1).unwrap_or_default();
        line.chars().take(error.column().saturating_sub(1)).all(char::is_whitespace)
    };
    open.or_else(|| last().filter(|_| lacks_comma && starts_line())).unwrap_or(noticed)
}

/// Whether a quote is open at the end of a line. No string of JSON goes on in the next one.
fn ends_in_string(line: &str) -> bool {
    let (mut is_open, mut is_escaped) = (false, false);
    for c in line.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_open => is_escaped = true,
            '"' => is_open = !is_open,
            _ => {}
        }
    }
    is_open
}

/// CreateGrant with the written parameters. The lab adds the key and the name.
fn grant(text: &str, key: String) -> Result<Operation, Unsendable> {
    let Value::Object(members) = json(text)? else { return Err(Unsendable::NotAStatement) };
    let wrong = |name: &str| Unsendable::NoParameter(name.to_owned());
    let known = ["GranteePrincipal", "Operations", "Constraints"];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(wrong(other));
    }
    let grantee = members.get("GranteePrincipal").and_then(Value::as_str).ok_or_else(|| wrong("GranteePrincipal"))?;
    let operations = members.get("Operations").and_then(Value::as_array).ok_or_else(|| wrong("Operations"))?;
    let operations = operations.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>();
    let constraints = match members.get("Constraints") {
        None => None,
        Some(given) => given.as_object().and_then(constraints).ok_or_else(|| wrong("Constraints")).map(Some)?,
    };
    Ok(Operation::CreateGrant {
        key,
        grantee: grantee.to_owned(),
        operations: operations.ok_or_else(|| wrong("Operations"))?,
        constraints,
        name: ATTEMPT.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "old"}]}"#;
    const TARGET: Target<'_> = Target { key: "k", user: "u", policy: Some(POLICY) };

    #[rstest]
    #[case(Mechanism::KeyPolicy, 3)]
    #[case(Mechanism::IamPolicy, 2)]
    #[case(Mechanism::Grant, 3)]
    fn a_template_is_json_with_a_question_per_blank(#[case] mechanism: Mechanism, #[case] blanks: usize) {
        let draft = template(mechanism);
        assert_eq!(draft.blanks().len(), blanks);
        let lines: Vec<&str> = draft.lines().collect();
        assert!(draft.blanks().iter().all(|spot| question(lines[spot.row]) != "what?"), "{lines:?}");
        assert!(operation(mechanism, draft.text(), &TARGET).is_ok());
    }

    #[rstest]
    #[case::one(r#"{"Sid": "a"}"#, &["old", "a"])]
    #[case::a_list(r#" [{"Sid": "a"}, {"Sid": "b"}] "#, &["old", "a", "b"])]
    #[case::a_document(r#"{"Version": "2012-10-17", "Statement": {"Sid": "a"}}"#, &["old", "a"])]
    #[case::a_document_with_a_list(r#"{"Statement": [{"Sid": "a"}, {"Sid": "b"}]}"#, &["old", "a", "b"])]
    fn the_old_statements_are_sent_along(#[case] text: &str, #[case] sids: &[&str]) {
        let policy = with_statements(POLICY, text).unwrap();
        let policy: Value = serde_json::from_str(&policy).unwrap();
        let sent: Vec<&str> =
            policy["Statement"].as_array().unwrap().iter().map(|s| s["Sid"].as_str().unwrap()).collect();
        assert_eq!(sent, sids);
    }

    #[test]
    fn a_statement_is_sent_as_it_is_written() {
        let text = "{\"Sid\":   \"a\", \"Sid\": \"b\"}";
        let Ok(Operation::PutKeyPolicy { policy, .. }) = operation(Mechanism::KeyPolicy, text, &TARGET) else {
            panic!()
        };
        assert!(policy.contains(text), "{policy}");
        let Ok(Operation::PutUserPolicy { policy, name, .. }) = operation(Mechanism::IamPolicy, text, &TARGET) else {
            panic!()
        };
        assert!(policy.contains(text) && name == ATTEMPT, "{policy}");
    }

    #[test]
    fn a_grant_has_the_parameters_that_are_written() {
        let text = json!({"GranteePrincipal": "arn", "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextEquals": {"a": "b"}}});
        let Ok(Operation::CreateGrant { grantee, operations, constraints, .. }) =
            operation(Mechanism::Grant, &text.to_string(), &TARGET)
        else {
            panic!()
        };
        assert_eq!((grantee.as_str(), operations), ("arn", vec!["Decrypt".to_owned()]));
        assert_eq!(constraints.unwrap().name(), "EncryptionContextEquals");
    }

    #[rstest]
    #[case(Mechanism::KeyPolicy, "{\n\"Sid\": \"a\"\n\n,}", Unsendable::NotJson(4))]
    #[case(Mechanism::KeyPolicy, "", Unsendable::NotJson(1))]
    #[case::no_end_quote(Mechanism::KeyPolicy, "{\n\"Sid\": \"a,\n\"Effect\": \"Allow\"\n}", Unsendable::NotJson(2))]
    #[case::no_first_quote(Mechanism::KeyPolicy, "{\n\"Sid\": a\",\n\"Effect\": \"Allow\"\n}", Unsendable::NotJson(2))]
    #[case::no_last_quote(Mechanism::KeyPolicy, "{\n\"Sid\": \"a\",\n\"Effect\": \"Allow\n}", Unsendable::NotJson(3))]
    #[case::no_comma(Mechanism::KeyPolicy, "{\n\"Sid\": \"a\"\n\n  \"Effect\": \"Allow\"\n}", Unsendable::NotJson(2))]
    #[case::no_colon(Mechanism::KeyPolicy, "{\n\"Sid\" \"a\"\n}", Unsendable::NotJson(2))]
    #[case(Mechanism::IamPolicy, "7", Unsendable::NotAStatement)]
    #[case(Mechanism::KeyPolicy, "[]", Unsendable::NotAStatement)]
    #[case(Mechanism::Grant, "[]", Unsendable::NotAStatement)]
    #[case(Mechanism::Grant, r#"{"Name": "x"}"#, Unsendable::NoParameter("Name".into()))]
    #[case(Mechanism::Grant, r#"{"GranteePrincipal": "a", "Operations": "Decrypt"}"#, Unsendable::NoParameter("Operations".into()))]
    #[case(
        Mechanism::Grant,
        r#"{"GranteePrincipal": "a", "Operations": [], "Constraints": {"x": {}}}"#,
        Unsendable::NoParameter("Constraints".into())
    )]
    fn what_is_no_call_is_not_sent(#[case] mechanism: Mechanism, #[case] text: &str, #[case] why: Unsendable) {
        assert_eq!(operation(mechanism, text, &TARGET), Err(why));
    }
}
