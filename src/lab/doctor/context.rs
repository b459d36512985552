//! The condition keys of the lab's own calls, as far as they are known before them. A simulation knows nothing of a
//! request except what it is given; anything missing leaves its decision open.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Answer, Caller, Fact};

/// Whether a condition key is about MFA: without a session both are known to be absent.
pub(super) fn is_mfa(key: &str) -> bool {
    ["aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"].iter().any(|mfa| mfa.eq_ignore_ascii_case(key))
}

/// Whether a call was signed with a session's credentials, which may have MFA; a user's own keys never have it.
pub fn has_session(answer: &Answer) -> bool {
    let lines = answer.wire.request.lines().skip(1).take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.split_once(':')).any(|(name, _)| name.eq_ignore_ascii_case("x-amz-security-token"))
}

/// The condition keys that a simulation's result for `action` lacks. AWS lists those of all policies, whatever the
/// action is; the keys of another service can't count for this one.
pub(super) fn missing<'a>(action: &str, result: &'a Value) -> Vec<&'a str> {
    let of_resources = result.get("ResourceSpecificResults").and_then(Value::as_array).into_iter().flatten();
    let lists =
        std::iter::once(result).chain(of_resources).filter_map(|part| part.get("MissingContextValues")?.as_array());
    let counts = |key: &&str| {
        let of = |text: &str| text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        of(key) == "aws" || of(key) == of(action)
    };
    let mut keys: Vec<&str> = lists.flatten().filter_map(Value::as_str).filter(counts).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Who calls, where to and when.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// The region of the table and the key.
    pub region: &'a str,
    /// Calls go to AWS itself, where IAM has a region of its own.
    pub is_aws: bool,
    /// When.
    pub now: OffsetDateTime,
}

impl Request<'_> {
    fn common(&self, region: &str) -> Vec<Fact> {
        let caller = self.caller;
        let principal = caller.principal();
        let (kind, user) = match principal.split_once(":user/") {
            Some((_, path)) => ("User", path.rsplit('/').next()),
            None => ("AssumedRole", None),
        };
        let one = |key: &'static str, value: &str| (key, vec![value.to_owned()]);
        let mut facts = vec![
            one("aws:PrincipalArn", &principal),
            one("aws:PrincipalAccount", &caller.account),
            one("aws:PrincipalType", kind),
            one("aws:ResourceAccount", &caller.account),
            one("aws:RequestedRegion", region),
            one("aws:SecureTransport", "true"),
            one("aws:PrincipalIsAWSService", "false"),
        ];
        facts.extend(user.map(|name| one("aws:username", name)));
        if let Ok(now) = self.now.replace_nanosecond(0).unwrap_or(self.now).format(&Rfc3339) {
            facts.push(one("aws:CurrentTime", &now));
        }
        facts
    }

    /// Of a call that the lab sends itself.
    pub(super) fn direct(&self) -> Vec<Fact> {
        let mut facts = self.common(self.region);
        facts.push(("aws:ViaAWSService", vec!["false".to_owned()]));
        facts
    }

    /// Of a direct call to KMS.
    pub(super) fn of_kms(&self) -> Vec<Fact> {
        let mut facts = self.direct();
        facts.push(("kms:CallerAccount", vec![self.caller.account.clone()]));
        facts
    }

    /// Of a call to IAM, which is in one region of its partition.
    pub(super) fn of_iam(&self) -> Vec<Fact> {
        let region = match (self.is_aws, self.caller.arn.split(':').nth(1)) {
            (false, _) => self.region,
            (true, Some("aws-cn")) => "cn-north-1",
            (true, Some("aws-us-gov")) => "us-gov-west-1",
            (true, _) => "us-east-1",
        };
        let mut facts = self.common(region);
        facts.push(("aws:ViaAWSService", vec!["false".to_owned()]));
        facts
    }

    /// Of DynamoDB's call to KMS on the caller's behalf, for the table `table` (DynamoDB guide).
    pub(super) fn through_dynamodb(&self, table: &str) -> Vec<Fact> {
        const DYNAMODB: &str = "dynamodb.amazonaws.com";
        let one = |key: &'static str, value: &str| (key, vec![value.to_owned()]);
        let mut facts = self.common(self.region);
        facts.extend([
            one("aws:ViaAWSService", "true"),
            one("aws:CalledVia", DYNAMODB),
            one("aws:CalledViaFirst", DYNAMODB),
            one("aws:CalledViaLast", DYNAMODB),
            one("kms:CallerAccount", &self.caller.account),
            one("kms:GrantIsForAWSResource", "true"),
            one("kms:EncryptionContext:aws:dynamodb:tableName", table),
            one("kms:EncryptionContext:aws:dynamodb:subscriberId", &self.caller.account),
        ]);
        facts
    }
}
