//! What a user's policies would decide, without doing it.

use super::{Answer, Call, Iam, end_list, input, no_such_entity, xml};
use crate::policy::{self, ConditionContext, Outcome, PolicySource};
use crate::sandbox::Xml;
use crate::sandbox::error::ApiError;

/// AWS answers at most a thousand results in a page; the sandbox has one page.
const MOST: usize = 1000;

impl Call<'_> {
    /// `SimulatePrincipalPolicy`, by the evaluator that also enforces. As on AWS only the caller's identity policies
    /// count, and nothing is known of a request but what the call gives (IAM guide).
    pub(super) fn simulate_principal_policy(&mut self) -> Answer {
        let arn = input::required(self.input, "PolicySourceArn")?;
        let actions: Vec<&str> = self.input.members("ActionNames").collect();
        let resources: Vec<&str> = self.input.members("ResourceArns").collect();
        let resources = if resources.is_empty() { vec!["*"] } else { resources };
        if actions.is_empty() {
            return Err(input::invalid("ActionNames must have at least one member"));
        }
        if let Some(action) = actions.iter().find(|action| !action.contains(':')) {
            return Err(input::invalid(format!("Invalid ActionName: {action}")));
        }
        if actions.len() * resources.len() > MOST {
            return Err(input::invalid(format!("More than {MOST} results are not simulated at once")));
        }
        for unknown in ["PolicyInputList", "PermissionsBoundaryPolicyInputList"] {
            if self.input.members(unknown).next().is_some() {
                return Err(input::invalid(format!("The sandbox simulates without {unknown}")));
            }
        }
        self.allow("iam:SimulatePrincipalPolicy", arn, &ConditionContext::default())?;
        let principal = self.iam.find_principal(arn).filter(|principal| principal.user_name.is_some());
        let principal = principal.ok_or_else(|| no_such_entity(format!("The user with ARN {arn} cannot be found.")))?;
        let context = self.context(&principal)?;
        let policies = Iam::policies_of(self.iam, &principal);
        let mut out = Xml::new();
        let questions = actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, *resource)));
        xml::list(&mut out, "EvaluationResults", questions, |out, (action, resource)| {
            let call = policy::Call { principal: &principal, action, resource, context: &context };
            let decision = policy::decide(&call, &policies);
            let (word, by) = match &decision.outcome {
                Outcome::Allowed { by, .. } => ("allowed", Some(by)),
                Outcome::ExplicitDeny { by, .. } => ("explicitDeny", Some(by)),
                Outcome::ImplicitDeny { .. } => ("implicitDeny", None),
            };
            xml::leaf(out, "EvalActionName", action);
            xml::leaf(out, "EvalResourceName", resource);
            xml::leaf(out, "EvalDecision", word);
            xml::list(out, "MatchedStatements", by, |out, source| {
                let (id, kind) = name_of(source);
                xml::leaf(out, "SourcePolicyId", id);
                xml::leaf(out, "SourcePolicyType", kind);
            });
            xml::list(out, "MissingContextValues", std::iter::empty::<&str>(), Xml::push_str);
        });
        end_list(&mut out, None);
        Ok(out)
    }

    /// What the conditions can see: who asks, and the `ContextEntries`.
    fn context(&self, principal: &policy::Principal) -> Result<ConditionContext, ApiError> {
        let mut context = ConditionContext::default();
        context.set("aws:PrincipalArn", &principal.arn).set("aws:PrincipalAccount", &principal.account);
        if let Some(name) = &principal.user_name {
            context.set("aws:username", name).set("aws:userid", &principal.unique_id);
        }
        for (key, value) in &principal.tags {
            context.set(&format!("aws:PrincipalTag/{key}"), value);
        }
        for n in 1.. {
            let entry = format!("ContextEntries.member.{n}");
            let Some(key) = self.input.get(&format!("{entry}.ContextKeyName")) else { break };
            for value in self.input.members(&format!("{entry}.ContextKeyValues")) {
                context.add(key, value);
            }
        }
        Ok(context)
    }
}

/// A policy's name and AWS's word for its kind.
fn name_of(source: &PolicySource) -> (&str, &'static str) {
    match source {
        PolicySource::Managed { name, .. } => (name, "IAM Policy"),
        PolicySource::Inline { name, .. } => (name, "user"),
        PolicySource::KeyPolicy { key_arn } => (key_arn, "resource"),
        PolicySource::Grant { grant_id } => (grant_id, "resource"),
    }
}
