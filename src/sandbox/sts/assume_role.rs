//! `AssumeRole`.

use super::credentials::issue;
use super::session_token::refuse_mfa;
use crate::policy::{ConditionContext, account_of};
use crate::sandbox::authorize::Resource;
use crate::sandbox::error::Denial;
use crate::sandbox::iam::members as shared;
use crate::sandbox::iam::role::Role;
use crate::sandbox::iam::session::Bearer;
use crate::sandbox::iam::user::InlinePolicy;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// One hour, in seconds: a session's default, and its limit in a chain of roles (IAM guide).
const HOUR: i64 = 3600;
/// The most characters of a session policy (STS reference). AWS's limit for policy and tags in their packed form is not
/// public; `PackedPolicySize` is a share of this.
const MAX_POLICY: usize = 2048;
/// Parameters of AWS's operation that would change the result and that the sandbox can't follow.
const UNSUPPORTED: [&str; 3] = ["PolicyArns", "SourceIdentity", "ProvidedContexts"];

/// `AssumeRole`
pub struct AssumeRole {
    role_arn: String,
    session: String,
    seconds: Option<i64>,
    external_id: Option<String>,
    policy: Option<InlinePolicy>,
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
}

/// A session's tags, and the keys of those that the next role inherits.
type SessionTags = (Vec<(String, String)>, Vec<String>);

impl Request for AssumeRole {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let role_arn = members.str("RoleArn", 20..=2048)?.to_owned();
        let session = members.str("RoleSessionName", 2..=64)?.to_owned();
        check_characters(members, "RoleSessionName", &session, "+=,.@-", "[\\w+=,.@-]*");
        let seconds = members.integer("DurationSeconds", 900..=43_200)?;
        let external_id = members.optional_str("ExternalId", 2..=1224)?.map(str::to_owned);
        if let Some(id) = &external_id {
            check_characters(members, "ExternalId", id, "+=,.@:/-", "[\\w+=,.@:\\/-]*");
        }
        let policy = members.optional_str("Policy", 1..=MAX_POLICY)?.map(str::to_owned);
        let policy = policy.map(InlinePolicy::new).transpose();
        let policy = policy.map_err(|error| Fault::service(400, "MalformedPolicyDocument", error.to_string()))?;
        let tags = shared::tags(members)?;
        let transitive = members.texts("TransitiveTagKeys")?.into_iter().map(str::to_owned).collect();
        refuse_mfa(members)?;
        if let Some(name) = UNSUPPORTED.into_iter().find(|name| members.has(name)) {
            return Err(shared::invalid(format!("The sandbox assumes roles without {name}")));
        }
        Ok(Self { role_arn, session, seconds, external_id, policy, tags, transitive })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        if cx.caller.principal.is_root() {
            return Err(Denial("Roles may not be assumed by root accounts.".to_owned()).into());
        }
        if account_of(&self.role_arn).is_none() {
            return Err(shared::invalid(format!("{} is invalid", self.role_arn)));
        }
        let (tags, transitive) = self.session_tags(cx)?;
        let role = cx.assumable(&self, &transitive)?;
        let seconds = self.checked_seconds(cx, &role)?;
        let Self { session, policy, .. } = self;
        let principal = role.session(&cx.account.id, &session, &tags);
        let mut out = Xml::new();
        let packed = policy.as_ref().map_or(0, |policy| policy.text.chars().count())
            + self.tags.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum::<usize>();
        xml::nest(&mut out, "AssumedRoleUser", |out| {
            xml::leaf(out, "AssumedRoleId", &principal.unique_id);
            xml::leaf(out, "Arn", &principal.arn);
        });
        let bearer = Bearer::Role { name: role.name, id: role.id, session, policy, tags, transitive };
        issue(cx, bearer, seconds, &mut out)?;
        if packed > 0 {
            xml::leaf(&mut out, "PackedPolicySize", &(packed * 100).div_ceil(MAX_POLICY).min(100).to_string());
        }
        Ok(out.into())
    }
}

impl AssumeRole {
    /// The tags of the new session: the transitive ones of the calling session, then those of the request.
    fn session_tags(&self, cx: &Context<'_>) -> Result<SessionTags, Fault> {
        let (mut tags, mut transitive) = (Vec::new(), Vec::new());
        let calling = cx.account.state.iam.session(&cx.caller.access_key_id).map(|session| &session.bearer);
        if let Some(Bearer::Role { tags: known, transitive: inherited, .. }) = calling {
            let is_inherited = |key: &String| inherited.iter().any(|name| name.eq_ignore_ascii_case(key));
            if self.tags.iter().any(|(key, _)| is_inherited(key)) {
                // The rule is the IAM guide's, the sentence is not proven.
                let message = "One of the specified transitive tag keys can't be set because it conflicts with a \
                               transitive tag key from the calling session.";
                return Err(Fault::service(400, "InvalidParameterValue", message));
            }
            tags.extend(known.iter().filter(|(key, _)| is_inherited(key)).cloned());
            transitive.clone_from(inherited);
        }
        for key in &self.transitive {
            if !self.tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
                let message = "The specified transitive tag key must be included in the requested tags.";
                return Err(Fault::service(400, "InvalidParameterValue", message));
            }
            transitive.push(key.clone());
        }
        tags.extend(self.tags.iter().cloned());
        if tags.len() > shared::MAX_TAGS { Err(shared::too_many_tags()) } else { Ok((tags, transitive)) }
    }

    /// For how long the session lasts.
    fn checked_seconds(&self, cx: &Context<'_>, role: &Role) -> Result<i64, Fault> {
        let seconds = self.seconds.unwrap_or(HOUR);
        if cx.caller.principal.role.is_some() && seconds > HOUR {
            let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role \
                           chaining.";
            return Err(shared::invalid(message));
        }
        if seconds > role.max_session {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(shared::invalid(message));
        }
        Ok(seconds)
    }
}

impl Context<'_> {
    /// The role that the request names, if the caller may assume it with these parameters.
    fn assumable(&mut self, request: &AssumeRole, transitive: &[String]) -> Result<Role, Fault> {
        let role = self.account.state.iam.role_at(&request.role_arn).cloned();
        let mut facts = ConditionContext::default();
        facts.set("sts:RoleSessionName", &request.session);
        if let Some(id) = &request.external_id {
            facts.set("sts:ExternalId", id);
        }
        for (key, value) in &request.tags {
            facts.set(&format!("aws:RequestTag/{key}"), value).add("aws:TagKeys", key);
        }
        for key in transitive {
            facts.add("sts:TransitiveTagKeys", key);
        }
        for (key, value) in role.iter().flat_map(|role| &role.tags) {
            facts.set(&format!("aws:ResourceTag/{key}"), value).set(&format!("iam:ResourceTag/{key}"), value);
        }
        let trust = role.as_ref().map(|role| role.named_trust(&self.account.id));
        let resource = Resource::Role { arn: &request.role_arn, trust: trust.as_ref() };
        self.authorize("sts:AssumeRole", resource, &facts)?;
        if !request.tags.is_empty() {
            self.authorize("sts:TagSession", resource, &facts)?;
        }
        role.ok_or_else(|| Fault::Internal(format!("{} is allowed and does not exist", request.role_arn)))
    }
}

/// Records a violation unless `text` has letters, digits, `_` and the characters of `others` only.
fn check_characters(members: &Members<'_>, name: &str, text: &str, others: &str, pattern: &str) {
    if !text.chars().all(|one| one.is_ascii_alphanumeric() || one == '_' || others.contains(one)) {
        members.violation(name, text, format!("Member must satisfy regular expression pattern: {pattern}"));
    }
}
