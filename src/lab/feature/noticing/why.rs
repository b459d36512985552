//! Why a call that was to allow test-user the key doesn't.

use serde_json::Value;

use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::statement::{statements, texts};
use crate::policy::covers_action;

/// What test-user lacks.
const DECRYPT: &str = "kms:Decrypt";

/// What a call has that doesn't match the Decrypt that DynamoDB asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// No statement names the user.
    Principal,
    /// Nothing allows Decrypt.
    Action,
    /// Decrypt is allowed on this resource instead.
    Resource(String),
    /// The grant is for this principal instead.
    Grantee(String),
    /// A condition, or a Deny.
    Other,
}

/// What in `call` doesn't match a Decrypt by `user` on the key `key`, both ARNs.
pub fn mismatch(call: &NoticedCall, user: &str, key: &str) -> Mismatch {
    if call.operation == "CreateGrant" {
        return of_grant(call, user);
    }
    let is_key_policy = call.operation == "PutKeyPolicy";
    let text = call.parameter("Policy").or_else(|| call.parameter("PolicyDocument")).unwrap_or_default();
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let allows: Vec<&Value> = statements(&document).into_iter().filter(|s| s["Effect"] == "Allow").collect();
    let named: Vec<&Value> = allows.into_iter().filter(|s| !is_key_policy || names(&s["Principal"], user)).collect();
    if is_key_policy && named.is_empty() {
        return Mismatch::Principal;
    }
    let decrypts = |s: &&Value| texts(&s["Action"]).iter().any(|action| covers_action(action, DECRYPT));
    let allowing: Vec<&Value> = named.into_iter().filter(decrypts).collect();
    let Some(first) = allowing.first() else { return Mismatch::Action };
    let matches = |s: &&Value| texts(&s["Resource"]).iter().any(|resource| is_like(resource, key));
    match allowing.iter().any(matches) {
        true => Mismatch::Other,
        false => Mismatch::Resource(texts(&first["Resource"]).first().cloned().unwrap_or_default()),
    }
}

fn of_grant(call: &NoticedCall, user: &str) -> Mismatch {
    match call.parameter("GranteePrincipal") {
        Some(grantee) if grantee != user => Mismatch::Grantee(grantee.to_owned()),
        _ if !call.parameters.get("Operations").is_some_and(|all| texts(all).iter().any(|one| one == "Decrypt")) => {
            Mismatch::Action
        }
        _ => Mismatch::Other,
    }
}

/// Whether a statement's principals include `user`.
fn names(principal: &Value, user: &str) -> bool {
    let all = principal.get("AWS").unwrap_or(principal);
    texts(all).iter().any(|name| name == "*" || name == user)
}

/// Whether `pattern` with its stars matches `text`.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = None;
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
        last = Some(part);
    }
    last.map_or(rest.is_empty(), |part| part.is_empty() || text.ends_with(part))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Map, json};

    use super::*;

    const USER: &str = "arn:aws:iam::111122223333:user/alice";
    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";
    const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/t";

    fn call(operation: &str, parameters: Value) -> NoticedCall {
        let parameters: Map<String, Value> = serde_json::from_value(parameters).unwrap();
        NoticedCall { operation: operation.to_owned(), parameters, ..NoticedCall::default() }
    }

    #[rstest]
    #[case::another("arn:aws:iam::111122223333:user/bob", "kms:Decrypt", "*", Mismatch::Principal)]
    #[case::encrypt(USER, "kms:Encrypt", "*", Mismatch::Action)]
    #[case::a_table(USER, "kms:*", TABLE, Mismatch::Resource(TABLE.to_owned()))]
    #[case::all_keys(USER, "kms:Decrypt", "arn:aws:kms:*:key/*", Mismatch::Other)]
    fn a_key_policy_says_what_it_lacks(
        #[case] principal: &str,
        #[case] action: &str,
        #[case] resource: &str,
        #[case] expected: Mismatch,
    ) {
        let statement =
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": resource});
        let policy = json!({"Statement": [statement]}).to_string();
        assert_eq!(mismatch(&call("PutKeyPolicy", json!({"Policy": policy})), USER, KEY), expected);
    }

    #[rstest]
    #[case("kms:Decrypt", KEY, Mismatch::Other)]
    #[case("kms:decr*", "arn:aws:kms:us-east-1:111122223333:alias/a", Mismatch::Resource("arn:aws:kms:us-east-1:111122223333:alias/a".to_owned()))]
    #[case("dynamodb:*", "*", Mismatch::Action)]
    fn an_iam_policy_says_what_it_lacks(#[case] action: &str, #[case] resource: &str, #[case] expected: Mismatch) {
        let policy = json!({"Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}).to_string();
        assert_eq!(mismatch(&call("PutUserPolicy", json!({"PolicyDocument": policy})), USER, KEY), expected);
    }

    #[rstest]
    #[case(USER, json!(["Decrypt"]), Mismatch::Other)]
    #[case(USER, json!(["Encrypt"]), Mismatch::Action)]
    #[case("bob", json!(["Decrypt"]), Mismatch::Grantee("bob".to_owned()))]
    fn a_grant_says_what_it_lacks(#[case] grantee: &str, #[case] operations: Value, #[case] expected: Mismatch) {
        let grant = json!({"GranteePrincipal": grantee, "Operations": operations});
        assert_eq!(mismatch(&call("CreateGrant", grant), USER, KEY), expected);
    }

    #[rstest]
    #[case("*", "abc", true)]
    #[case("a*c", "abc", true)]
    #[case("a*b", "abc", false)]
    #[case("abc", "abc", true)]
    #[case("ab", "abc", false)]
    fn stars_match_anything(#[case] pattern: &str, #[case] text: &str, #[case] matches: bool) {
        assert_eq!(is_like(pattern, text), matches);
    }
}
