//! Whether a key policy would lock admin out of the key.

use super::facts::Caller;
use crate::policy::{
    AccessRequest, ConditionContext, NamedPolicy, Outcome, PolicyDocument, PolicyKind, PolicySource, Principal,
    account_of, decide_for_key,
};

/// Anyone who may call this can repair every other permission on the key.
const PUT_KEY_POLICY: &str = "kms:PutKeyPolicy";

/// Why `policy` would lock `admin` out of the key: neither may admin replace the policy, nor does it let the IAM of
/// admin's account decide that. `None` where it would not. Grants don't count: none can give `kms:PutKeyPolicy`.
pub(in crate::lab) fn lock_out(policy: &str, admin: &Caller, key_arn: &str) -> Option<String> {
    let document = match PolicyDocument::parse(PolicyKind::Key, policy) {
        Ok(document) => document,
        Err(error) => return Some(format!("this policy can't be checked for locking admin out of the key: {error}")),
    };
    let names = admin.names(document.principals());
    let source = PolicySource::KeyPolicy { key_arn: key_arn.to_owned() };
    let policy = NamedPolicy { source, document: document.into() };
    let mut is_let = false;
    for arn in &names {
        let principal = principal(arn, admin);
        let owner = account_of(key_arn).unwrap_or(&admin.account);
        let mut context = ConditionContext::of_request(&principal, owner, None);
        context.set("kms:CallerAccount", &admin.account).set("kms:BypassPolicyLockoutSafetyCheck", "false");
        let call =
            AccessRequest { principal: &principal, action: PUT_KEY_POLICY, resource: key_arn, context: &context };
        let decision = decide_for_key(&call, &policy, &admin.account, &[], &[], &Default::default());
        if let Outcome::ExplicitDeny { sid, .. } = &decision.outcome {
            let statement = sid.as_ref().map_or("a statement without Sid".to_owned(), |sid| format!("\"{sid}\""));
            return Some(format!("this policy would lock admin out of the key: {statement} denies {PUT_KEY_POLICY}"));
        }
        let to_account = decision.trace.iter().any(|e| e.result == crate::policy::MatchResult::DelegatesToAccount);
        is_let |= decision.is_allowed() || to_account;
    }
    (!is_let).then(|| {
        format!(
            "this policy would lock admin out of the key: no statement gives {PUT_KEY_POLICY} to admin or to account \
             {}",
            admin.account
        )
    })
}

fn principal(arn: &str, admin: &Caller) -> Principal {
    let user_name = arn.split_once(":user/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path).to_owned());
    // STS tells a unique id, too; KMS stores ARNs as long as they name somebody.
    let (account, unique_id) = (admin.account.clone(), String::new());
    Principal { arn: arn.to_owned(), account, unique_id, user_name, tags: vec![], role: None, token_issued: None }
}
