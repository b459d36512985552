//! `SimulatePrincipalPolicy`: what the policies of a user or role would decide.

use std::collections::BTreeMap;

use super::holder::no_such_entity;
use super::members::{Page, invalid};
use super::state::Iam;
use super::user::InlinePolicy;
use crate::policy::{
    AccessRequest, ConditionContext, Decision, Effect, MatchResult, NamedPolicy, Outcome, PolicySource, Position,
    Principal, StatementTrace, context_keys, statement_positions,
};
use crate::sandbox::authorize::{Resource, simulate};
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml, escape};

/// AWS returns at most a thousand results in a page.
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

/// `SimulatePrincipalPolicy`, by the evaluator that also enforces. As on AWS only the principal's identity policies count,
/// and nothing is known of a request but what the call gives (IAM guide).
pub struct SimulatePrincipalPolicy {
    principal_arn: String,
    actions: Vec<String>,
    resources: Vec<String>,
    owner: Option<String>,
    entries: ConditionContext,
    page: Later<Page>,
}

impl Request for SimulatePrincipalPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let principal_arn = members.str("PolicySourceArn", 0..=usize::MAX)?.to_owned();
        let actions = parse_actions(members)?;
        let mut resources: Vec<String> = members.texts("ResourceArns")?.into_iter().map(str::to_owned).collect();
        if resources.is_empty() {
            resources.push("*".to_owned());
        }
        if actions.len() * resources.len() > MOST {
            return Err(invalid(format!("More than {MOST} results are not simulated at once")));
        }
        if let Some(name) = UNSUPPORTED.into_iter().find(|name| members.has(name)) {
            return Err(unsupported(name));
        }
        if members.text("CallerArn")?.is_some_and(|caller| caller != principal_arn) {
            return Err(unsupported("CallerArn"));
        }
        let owner = members.text("ResourceOwner")?.map(str::to_owned);
        let entries = parse_entries(members)?;
        Ok(Self { principal_arn, actions, resources, owner, entries, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = &self.principal_arn;
        // An owner that AWS assumes anyway is fine.
        let known = [cx.account.id.clone(), Principal::root(&cx.account.id).arn];
        if self.owner.is_some_and(|owner| !known.contains(&owner)) {
            return Err(unsupported("ResourceOwner"));
        }
        cx.authorize("iam:SimulatePrincipalPolicy", Resource::Arn(arn), &ConditionContext::default())?;
        let iam = &cx.account.state.iam;
        // A session is no source of policies: its role is.
        let principal =
            iam.find_principal(arn).filter(|principal| !arn.contains(":assumed-role/") && !principal.is_root());
        let found = principal.and_then(|principal| Some((iam.inline_of(&principal)?, principal)));
        let kind = if arn.contains(":role/") { "role" } else { "user" };
        let (inline, principal) =
            found.ok_or_else(|| no_such_entity(format!("The {kind} with ARN {arn} cannot be found.")))?;
        let mut context = of_principal(&principal);
        context.merge(&self.entries);
        let policies = iam.policies_of(&principal);
        let texts = Texts { iam, inline };
        let missing = missing_keys(&policies, &context);
        let mut out = Xml::new();
        let write = |out: &mut Xml, action: &String| {
            let simulated = |resource| {
                let call = AccessRequest { principal: &principal, action, resource, context: &context };
                Simulated { resource, decision: simulate(&call, &policies) }
            };
            let results: Vec<Simulated> = self.resources.iter().map(|resource| simulated(resource)).collect();
            write_result(out, action, &results, &texts, &missing);
        };
        self.page?.write(&mut out, "EvaluationResults", &self.actions, |action| action, write);
        Ok(out.into())
    }
}

/// A parameter that is ignored would make the result wrong.
fn unsupported(name: &str) -> Fault {
    invalid(format!("The sandbox simulates without {name}"))
}

/// `ContextEntries`.
fn parse_entries(members: &Members<'_>) -> Result<ConditionContext, Fault> {
    let mut context = ConditionContext::default();
    for entry in members.structures("ContextEntries", "ContextKeyName")? {
        entry.choice("ContextKeyType", &CONTEXT_KEY_TYPES)?;
        let key = entry.text("ContextKeyName")?.unwrap_or_default();
        // The first entry of a key replaces what is known of the principal, and further values join it.
        for value in entry.texts("ContextKeyValues")? {
            context.add(key, value);
        }
    }
    Ok(context)
}

/// `ActionNames`, each once.
fn parse_actions(members: &Members<'_>) -> Result<Vec<String>, Fault> {
    let mut actions: Vec<String> = Vec::new();
    for action in members.texts("ActionNames")? {
        if !action.contains(':') {
            return Err(invalid(format!("Invalid ActionName: {action}")));
        }
        if !actions.iter().any(|known| known == action) {
            actions.push(action.to_owned());
        }
        if actions.len() > MOST {
            break;
        }
    }
    if actions.is_empty() {
        return Err(invalid("ActionNames must have at least one member"));
    }
    Ok(actions)
}

/// The condition keys that a simulation knows of its principal.
fn of_principal(principal: &Principal) -> ConditionContext {
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
fn write_result(out: &mut Xml, action: &str, results: &[Simulated], texts: &Texts<'_>, missing: &[String]) {
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
    write_matched(out, decisive, texts);
    write_missing(out, missing);
    if results.iter().all(|result| result.resource == "*") {
        return;
    }
    xml::nest(out, "EvalDecisionDetails", |_| {});
    xml::list(out, "ResourceSpecificResults", results, |out, result| {
        xml::leaf(out, "EvalResourceName", result.resource);
        xml::leaf(out, "EvalResourceDecision", result.word());
        write_matched(out, result.matched(), texts);
        write_missing(out, missing);
    });
}

fn write_missing(out: &mut Xml, missing: &[String]) {
    xml::list(out, "MissingContextValues", missing, |out, key| out.push_str(&escape(key)));
}

fn write_matched<'a>(out: &mut Xml, matched: impl IntoIterator<Item = &'a StatementTrace>, texts: &Texts<'_>) {
    xml::list(out, "MatchedStatements", matched, |out, examined| {
        xml::leaf(out, "SourcePolicyId", &id_of(&examined.source));
        // AWS says so of managed and inline policies alike (Terraform's tests on AWS).
        xml::leaf(out, "SourcePolicyType", "IAM Policy");
        let positions = statement_positions(&texts.of(&examined.source));
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
        PolicySource::Inline { user, name } => match user.strip_prefix("role ") {
            Some(role) => format!("role_{role}_{name}"),
            None => format!("user_{user}_{name}"),
        },
        PolicySource::KeyPolicy { key_arn: arn }
        | PolicySource::Trust { role_arn: arn }
        | PolicySource::Boundary { arn } => arn.clone(),
        PolicySource::Session { index } => format!("session_{index}"),
        PolicySource::Grant { grant_id } => grant_id.clone(),
    }
}

/// Where the texts of a principal's policies are.
struct Texts<'a> {
    iam: &'a Iam,
    /// The principal's inline policies, by name.
    inline: &'a BTreeMap<String, InlinePolicy>,
}

impl Texts<'_> {
    fn of(&self, source: &PolicySource) -> String {
        match source {
            PolicySource::Managed { arn, .. } => {
                self.iam.managed(arn).map_or(String::new(), |one| one.text().to_owned())
            }
            PolicySource::Inline { name, .. } => self.inline.get(name).map_or(String::new(), |one| one.text.clone()),
            PolicySource::KeyPolicy { .. }
            | PolicySource::Trust { .. }
            | PolicySource::Boundary { .. }
            | PolicySource::Session { .. }
            | PolicySource::Grant { .. } => String::new(),
        }
    }
}
