//! What a user's policies would decide, without doing it.

use super::user::User;
use super::{Answer, Call, end_list, input, managed, no_such_entity};
use crate::policy::{
    self, ConditionContext, Decision, Effect, MatchResult, NamedPolicy, Outcome, PolicySource, Position, Principal,
    StatementTrace, context_keys, statement_positions,
};
use crate::sandbox::Xml;
use crate::sandbox::error::Fault;
use crate::sandbox::form::Form;
use crate::sandbox::xml;
use crate::sandbox::xml::escape;

/// AWS answers at most a thousand results in a page.
const MOST: usize = 1000;
/// Parameters of AWS's operation that would change the result and that the sandbox can't follow.
const UNSUPPORTED: [&str; 5] = [
    "PolicyInputList",
    "PermissionsBoundaryPolicyInputList",
    "PolicyExclusionList",
    "ResourcePolicy",
    "ResourceHandlingOption",
];
const CONTEXT_KEY_TYPES: [&str; 12] = [
    "string",
    "stringList",
    "numeric",
    "numericList",
    "boolean",
    "booleanList",
    "ip",
    "ipList",
    "binary",
    "binaryList",
    "date",
    "dateList",
];

/// A decision for one resource.
struct Simulated<'a> {
    resource: &'a str,
    decision: Decision,
}

impl Simulated<'_> {
    fn word(&self) -> &'static str {
        match self.decision.outcome {
            Outcome::Allowed { .. } => "allowed",
            Outcome::ImplicitDeny { .. } => "implicitDeny",
            Outcome::ExplicitDeny { .. } => "explicitDeny",
        }
    }

    /// From the most to the least restrictive.
    fn rank(&self) -> usize {
        ["explicitDeny", "implicitDeny", "allowed"].iter().position(|word| *word == self.word()).unwrap_or_default()
    }

    /// The statements that decided: every one that allows, or every one that denies.
    fn matched(&self) -> impl Iterator<Item = &StatementTrace> {
        let effect = match self.decision.outcome {
            Outcome::Allowed { .. } => Some(Effect::Allow),
            Outcome::ExplicitDeny { .. } => Some(Effect::Deny),
            Outcome::ImplicitDeny { .. } => None,
        };
        let all = self.decision.trace.iter();
        all.filter(move |one| one.result == MatchResult::Matched && Some(one.effect) == effect)
    }
}

impl Call<'_> {
    /// `SimulatePrincipalPolicy`, by the evaluator that also enforces. As on AWS only the caller's identity policies
    /// count, and nothing is known of a request but what the call gives (IAM guide).
    pub(super) fn simulate_principal_policy(&mut self) -> Answer {
        let arn = input::required(self.input, "PolicySourceArn")?;
        let actions = simulated_actions(self.input)?;
        let resources: Vec<&str> = self.input.members("ResourceArns").collect();
        let resources = if resources.is_empty() { vec!["*"] } else { resources };
        if actions.len() * resources.len() > MOST {
            return Err(input::invalid(format!("More than {MOST} results are not simulated at once")));
        }
        self.refuse_unsupported(arn)?;
        let entries = self.context_entries()?;
        self.allow("iam:SimulatePrincipalPolicy", arn, &ConditionContext::default())?;
        let principal = self.iam.find_principal(arn).filter(|principal| principal.user_name.is_some());
        let found = principal.and_then(|principal| Some((self.iam.user_of(&principal)?.clone(), principal)));
        let (user, principal) =
            found.ok_or_else(|| no_such_entity(format!("The user with ARN {arn} cannot be found.")))?;
        let mut context = of_caller(&principal);
        context.merge(&entries);
        let policies = user.policies();
        let missing = missing_keys(&policies, &context);
        let page = input::page(self.input, actions, |action| action)?;
        let mut out = Xml::new();
        xml::list(&mut out, "EvaluationResults", page.items, |out, action| {
            let results: Vec<Simulated> = resources
                .iter()
                .map(|resource| {
                    let call = policy::AccessRequest { principal: &principal, action, resource, context: &context };
                    Simulated { resource, decision: policy::decide(&call, &policies) }
                })
                .collect();
            write_result(out, action, &results, &user, &missing);
        });
        end_list(&mut out, page.next.as_deref());
        Ok(out)
    }

    /// A parameter that is ignored would make the result wrong. A caller or owner that AWS assumes anyway is fine.
    fn refuse_unsupported(&self, source: &str) -> Result<(), Fault> {
        let account = self.iam.account.as_str();
        let root = Principal::root(account).arn;
        let given = |name: &str| self.input.has(name);
        let other = |name: &'static str, known: &[&str]| {
            self.input.get(name).filter(|value| !known.contains(value)).map(|_| name)
        };
        let refused = UNSUPPORTED.into_iter().find(|name| given(name));
        let refused = refused.or_else(|| other("CallerArn", &[source]));
        match refused.or_else(|| other("ResourceOwner", &[account, &root])) {
            None => Ok(()),
            Some(name) => Err(input::invalid(format!("The sandbox simulates without {name}"))),
        }
    }

    /// The `ContextEntries`.
    fn context_entries(&self) -> Result<ConditionContext, Fault> {
        let mut context = ConditionContext::default();
        for n in 1.. {
            let entry = format!("ContextEntries.member.{n}");
            let Some(key) = self.input.get(&format!("{entry}.ContextKeyName")) else { break };
            if let Some(kind) = self.input.get(&format!("{entry}.ContextKeyType"))
                && !CONTEXT_KEY_TYPES.contains(&kind)
            {
                return Err(input::invalid(format!(
                    "1 validation error detected: Value '{kind}' at 'contextEntries.{n}.member.contextKeyType' failed to \
                     satisfy constraint: Member must satisfy enum value set: [{}]",
                    CONTEXT_KEY_TYPES.join(", ")
                )));
            }
            // The first entry of a key replaces what is known of the caller, and further values join it.
            for value in self.input.members(&format!("{entry}.ContextKeyValues")) {
                context.add(key, value);
            }
        }
        Ok(context)
    }
}

/// `ActionNames`, each once.
fn simulated_actions(form: &Form) -> Result<Vec<&str>, Fault> {
    let mut actions: Vec<&str> = Vec::new();
    for action in form.members("ActionNames") {
        if !action.contains(':') {
            return Err(input::invalid(format!("Invalid ActionName: {action}")));
        }
        if !actions.contains(&action) {
            actions.push(action);
        }
        if actions.len() > MOST {
            break;
        }
    }
    if actions.is_empty() {
        return Err(input::invalid("ActionNames must have at least one member"));
    }
    Ok(actions)
}

/// What a simulation knows of the caller.
fn of_caller(principal: &Principal) -> ConditionContext {
    let mut context = ConditionContext::default();
    context.set("aws:PrincipalArn", &principal.arn).set("aws:PrincipalAccount", &principal.account);
    if let Some(name) = &principal.user_name {
        context.set("aws:username", name).set("aws:userid", &principal.unique_id);
    }
    for (key, value) in &principal.tags {
        context.set(&format!("aws:PrincipalTag/{key}"), value);
    }
    context
}

/// The condition keys of all the policies, of which nothing is known. AWS lists them whatever the action is (observed,
/// boto3 issue 3111).
fn missing_keys(policies: &[NamedPolicy], context: &ConditionContext) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for key in policies.iter().flat_map(|policy| context_keys(&policy.document)) {
        if context.get(&key).is_none() && !missing.iter().any(|known| known.eq_ignore_ascii_case(&key)) {
            missing.push(key);
        }
    }
    missing
}

/// One `EvaluationResult`: the most restrictive decision, and below it one for each resource that was named.
fn write_result(out: &mut Xml, action: &str, results: &[Simulated], user: &User, missing: &[String]) {
    let Some(first) = results.iter().min_by_key(|result| result.rank()) else { return };
    let named = if let [one] = results { one.resource } else { "*" };
    xml::leaf(out, "EvalActionName", action);
    xml::leaf(out, "EvalResourceName", named);
    xml::leaf(out, "EvalDecision", first.word());
    let mut decisive: Vec<&StatementTrace> = Vec::new();
    for matched in results.iter().filter(|result| result.rank() == first.rank()).flat_map(Simulated::matched) {
        if !decisive.iter().any(|known| known.source == matched.source && known.statement == matched.statement) {
            decisive.push(matched);
        }
    }
    write_matched(out, decisive, user);
    write_missing(out, missing);
    if results.iter().all(|result| result.resource == "*") {
        return;
    }
    xml::nest(out, "EvalDecisionDetails", |_| {});
    xml::list(out, "ResourceSpecificResults", results, |out, result| {
        xml::leaf(out, "EvalResourceName", result.resource);
        xml::leaf(out, "EvalResourceDecision", result.word());
        write_matched(out, result.matched(), user);
        write_missing(out, missing);
    });
}

fn write_missing(out: &mut Xml, missing: &[String]) {
    xml::list(out, "MissingContextValues", missing, |out, key| out.push_str(&escape(key)));
}

fn write_matched<'a>(out: &mut Xml, matched: impl IntoIterator<Item = &'a StatementTrace>, user: &User) {
    xml::list(out, "MatchedStatements", matched, |out, examined| {
        xml::leaf(out, "SourcePolicyId", &id_of(&examined.source));
        // AWS says so of managed and inline policies alike (Terraform's tests on AWS).
        xml::leaf(out, "SourcePolicyType", "IAM Policy");
        let positions = statement_positions(text_of(&examined.source, user));
        if let Some((start, end)) = positions.get(examined.statement) {
            write_position(out, "StartPosition", *start);
            write_position(out, "EndPosition", *end);
        }
    });
}

fn write_position(out: &mut Xml, name: &str, position: Position) {
    xml::nest(out, name, |out| {
        xml::leaf(out, "Line", &position.line.to_string());
        xml::leaf(out, "Column", &position.column.to_string());
    });
}

/// A policy's name as a simulation gives it: for an inline policy with its user (Terraform's tests on AWS).
fn id_of(source: &PolicySource) -> String {
    match source {
        PolicySource::Managed { name, .. } => name.clone(),
        PolicySource::Inline { user, name } => format!("user_{user}_{name}"),
        PolicySource::KeyPolicy { key_arn } => key_arn.clone(),
        PolicySource::Grant { grant_id } => grant_id.clone(),
    }
}

fn text_of<'a>(source: &PolicySource, user: &'a User) -> &'a str {
    match source {
        PolicySource::Managed { arn, .. } => managed::find(arn).map_or("", |policy| policy.text),
        PolicySource::Inline { name, .. } => user.inline.get(name).map_or("", |policy| &policy.text),
        PolicySource::KeyPolicy { .. } | PolicySource::Grant { .. } => "",
    }
}
