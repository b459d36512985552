//! The documents of a case, ready to be decided by: as read, at their best, and at their worst.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Case;
use super::evidence::{Evidence, Part, Who};
use crate::lab::feature::insight::documents::{Seen, conditions};
use crate::lab::model::facts::Caller;
use crate::policy::{
    AccessRequest, ConditionContext, Decision, Grant, NamedPolicy, PolicyDocument, PolicyKind, PolicySource, Principal,
    account_of, context_keys, decide, decide_for_key,
};

/// How what is not known is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaning {
    /// As if there were nothing but what was read.
    AsRead,
    /// For the caller.
    Best,
    /// Against the caller.
    Worst,
}

/// A question of permission.
#[derive(Debug, Clone)]
pub struct Question {
    /// `kms:Decrypt`
    pub action: String,
    /// The ARN.
    pub resource: String,
    /// The table's name, where one is known.
    pub table: Option<String>,
    /// Whether DynamoDB asks for its caller.
    pub by_dynamodb: bool,
}

/// What decides, and about whom.
pub struct Policies<'a> {
    /// The caller, as policies name it.
    pub principal: Principal,
    case: &'a Case,
    evidence: &'a Evidence,
    /// `name` of a session, where the caller was named as one.
    session: Option<String>,
    who: Option<&'a Who>,
}

impl<'a> Policies<'a> {
    /// The policies of a case.
    pub fn new(case: &'a Case, evidence: &'a Evidence) -> Policies<'a> {
        let account = account_of(&case.principal).unwrap_or_default().to_owned();
        let caller = Caller { arn: case.principal.clone(), account: account.clone() };
        let who = evidence.principal.get();
        let arn = who.map_or_else(|| caller.principal(), |who| who.arn.clone());
        let session = caller.role_name().and_then(|_| case.principal.rsplit('/').next()).map(str::to_owned);
        let user_name = arn.split_once(":user/").and_then(|(_, path)| path.rsplit('/').next()).map(str::to_owned);
        let unique_id = match who {
            Some(who) => who.unique_id.clone(),
            None if arn.ends_with(":root") => account.clone(),
            None => String::new(),
        };
        let tags = who.filter(|_| user_name.is_some()).map(|who| who.tags.clone()).unwrap_or_default();
        let principal = Principal { arn, account, unique_id, user_name, tags, role: None, token_issued: None };
        Policies { principal, case, evidence, session, who }
    }

    /// Decides about a table. `has_policy`: it has a policy of its own, which is not read.
    pub fn of_table(&self, question: &Question, leaning: Leaning, has_policy: bool) -> Decision {
        let facts = self.facts(question);
        let mut identity = self.identity(&facts, leaning);
        if has_policy {
            identity.extend(unread_policy(leaning));
        }
        decide(&self.request(question, &facts.context), &identity)
    }

    /// Decides about a key.
    pub fn of_key(&self, question: &Question, leaning: Leaning) -> Decision {
        let facts = self.facts(question);
        let identity = self.identity(&facts, leaning);
        let source = PolicySource::KeyPolicy { key_arn: question.resource.clone() };
        let text = self.evidence.key_policy.as_deref().map(|text| self.by_role(text));
        let parsed = text.as_deref().and_then(|text| self.parse(PolicyKind::Key, text, &facts, leaning));
        let document = match parsed {
            Some(document) => document,
            None => self.missing_key_policy(leaning),
        };
        let key = NamedPolicy { source, document: Arc::new(document) };
        let owner = account_of(&question.resource).unwrap_or_default();
        let grants = self.grants(question, &facts, leaning);
        let request = self.request(question, &facts.context);
        decide_for_key(&request, &key, owner, &identity, &grants, &facts.encryption_context)
    }

    /// Decides about the permissions boundary; `None` if no boundary was read.
    pub fn of_boundary(&self, question: &Question, leaning: Leaning) -> Option<Decision> {
        let (source, text) = self.evidence.boundary.as_ref()?;
        let facts = self.facts(question);
        let document = self.parse(PolicyKind::Identity, text, &facts, leaning);
        let mut policies: Vec<NamedPolicy> = Vec::new();
        policies.extend(document.map(|document| NamedPolicy { source: source.clone(), document: Arc::new(document) }));
        if !is_understood(PolicyKind::Identity, text) {
            policies.extend(unread_policy(leaning));
        }
        Some(decide(&self.request(question, &facts.context), &policies))
    }

    /// AWS's message for a refusal.
    pub fn message(&self, question: &Question, decision: &Decision) -> Option<String> {
        let facts = self.facts(question);
        decision.message(&self.request(question, &facts.context))
    }

    /// What the documents ask about and nobody knows here.
    pub fn unknown(&self, question: &Question) -> Vec<String> {
        let facts = self.facts(question);
        let key = self.evidence.key_policy.as_deref().filter(|_| question.action.starts_with("kms:"));
        let key = key.map(|text| ("the key policy".to_owned(), PolicyKind::Key, self.by_role(text)));
        let own = self.evidence.identity.iter().chain(&self.evidence.boundary);
        let own = own.map(|(source, text)| (source.to_string(), PolicyKind::Identity, text.clone()));
        let mut says = Vec::new();
        for (name, kind, text) in key.into_iter().chain(own) {
            match PolicyDocument::parse(kind, &text) {
                Err(error) => says.push(format!("{name} could not be understood: {error}")),
                Ok(document) => says.extend(self.unknown_parts(&document, &facts, &name)),
            }
        }
        says.dedup();
        says
    }

    fn unknown_parts(&self, document: &PolicyDocument, facts: &Facts, name: &str) -> Vec<String> {
        let mut says = Vec::new();
        for statement in &document.statements {
            let one = PolicyDocument { statements: vec![statement.clone()], ..document.clone() };
            let keys = context_keys(&one).into_iter().filter(|key| !self.knows(key, facts));
            says.extend(keys.map(|key| format!("{name} asks about {key}, of which nothing is known here")));
            if self.is_unsure_of(&statement.json) {
                says.push(format!("{name} names a single session or an id, of which nothing is known here"));
            }
        }
        says
    }

    fn request<'r>(&'r self, question: &'r Question, context: &'r ConditionContext) -> AccessRequest<'r> {
        let Question { action, resource, .. } = question;
        AccessRequest { principal: &self.principal, action, resource, context }
    }

    /// The conditions of a call, and its encryption context.
    fn facts(&self, question: &Question) -> Facts {
        let seen = Seen {
            action: &question.action,
            resource: &question.resource,
            by_dynamodb: question.by_dynamodb,
            table: question.table.as_deref(),
        };
        let (mut context, encryption_context) = conditions(&seen, &self.principal, &self.evidence.region);
        if self.principal.arn.contains(":role/") {
            context.set("aws:PrincipalType", "AssumedRole").remove("aws:userid");
            if let (Some(session), Some(who)) = (&self.session, self.who) {
                context.set("aws:userid", format!("{}:{session}", who.unique_id));
            }
        }
        let is_whole = question.by_dynamodb && question.table.is_some();
        let of_kms = question.action.starts_with("kms:");
        Facts { context, encryption_context, is_whole, of_kms, by_dynamodb: question.by_dynamodb }
    }

    /// Whether a condition key's value, or its absence, is known.
    fn knows(&self, key: &str, facts: &Facts) -> bool {
        let key = key.to_ascii_lowercase();
        let is_user = self.principal.user_name.is_some();
        facts.context.get(&key).is_some()
            || match key.as_str() {
                // Requests carry the condition keys of the service that is asked, and global ones.
                _ if key.starts_with("kms:") && !facts.of_kms => true,
                _ if key.starts_with("dynamodb:") && facts.of_kms => true,
                "kms:grantisforawsresource" => true,
                "kms:viaservice" => !facts.by_dynamodb,
                "kms:encryptioncontextkeys" => facts.is_whole,
                "aws:username" => true,
                _ if key.starts_with("kms:encryptioncontext:") => facts.is_whole,
                _ if key.starts_with("aws:principaltag/") => is_user && self.who.is_some(),
                _ => false,
            }
    }

    /// A document with the session's name replaced by its role's: they are one caller here.
    fn by_role(&self, text: &str) -> String {
        match &self.session {
            Some(_) => PolicyDocument::rename_principal(text, &self.case.principal, &self.principal.arn),
            None => text.to_owned(),
        }
    }

    /// The caller's policies, and what stands for those that could not be read.
    fn identity(&self, facts: &Facts, leaning: Leaning) -> Vec<NamedPolicy> {
        let mut policies = Vec::new();
        for (source, text) in &self.evidence.identity {
            let document = self.parse(PolicyKind::Identity, text, facts, leaning);
            let named = document.map(|document| NamedPolicy { source: source.clone(), document: Arc::new(document) });
            policies.extend(named);
            if !is_understood(PolicyKind::Identity, text) {
                policies.extend(unread_policy(leaning));
            }
        }
        if self.is_unread(Part::Identity) {
            policies.extend(unread_policy(leaning));
        }
        policies
    }

    fn is_unread(&self, part: Part) -> bool {
        self.evidence.unread.iter().any(|unread| unread.part == part)
    }

    /// What stands for a key policy that could not be read, or has no statement left.
    fn missing_key_policy(&self, leaning: Leaning) -> PolicyDocument {
        let is_read = self.evidence.key_policy.as_deref().is_some_and(|text| is_understood(PolicyKind::Key, text));
        let effect = match leaning {
            Leaning::Best if !is_read => "Allow",
            Leaning::Worst if !is_read => "Deny",
            _ => return PolicyDocument { version: "2012-10-17".to_owned(), id: None, statements: Vec::new() },
        };
        let text = json!({"Version": "2012-10-17", "Statement":
            {"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"}});
        let parsed = PolicyDocument::parse(PolicyKind::Key, &text.to_string());
        parsed.unwrap_or(PolicyDocument { version: String::new(), id: None, statements: Vec::new() })
    }

    fn grants(&self, question: &Question, facts: &Facts, leaning: Leaning) -> Vec<Grant> {
        let is_session = |grant: &Grant| self.session.is_some() && grant.grantee_principal == self.case.principal;
        let mut grants: Vec<Grant> = self.evidence.grants.clone();
        for grant in &mut grants {
            if is_session(grant) {
                grant.grantee_principal.clone_from(&self.principal.arn);
            }
            // What a constraint wants may be there where the encryption context is not known.
            if !facts.is_whole && leaning == Leaning::Best {
                grant.constraints = None;
            }
        }
        if leaning == Leaning::Worst && !facts.is_whole {
            grants.retain(|grant| grant.constraints.is_none());
        }
        if leaning == Leaning::Best && self.is_unread(Part::Grants) {
            grants.push(Grant {
                grant_id: String::new(),
                grant_token: String::new(),
                key_id: question.resource.clone(),
                grantee_principal: self.principal.arn.clone(),
                retiring_principal: None,
                issuing_account: String::new(),
                name: None,
                operations: vec![question.action.trim_start_matches("kms:").to_owned()],
                constraints: None,
                creation_date: 0.0,
            });
        }
        grants
    }

    /// Reads a document, with what is not known in it taken as `leaning` says; `None` where nothing of it is left.
    fn parse(&self, kind: PolicyKind, text: &str, facts: &Facts, leaning: Leaning) -> Option<PolicyDocument> {
        let document = PolicyDocument::parse(kind, text).ok()?;
        if leaning == Leaning::AsRead {
            return Some(document);
        }
        let mut statements = Vec::new();
        for statement in &document.statements {
            let one = PolicyDocument { statements: vec![statement.clone()], ..document.clone() };
            let keys = context_keys(&one).into_iter().filter(|key| !self.knows(key, facts)).collect::<Vec<_>>();
            if keys.is_empty() && !self.is_unsure_of(&statement.json) {
                statements.push((*statement.json).clone());
            } else if (statement.effect == crate::policy::Effect::Allow) == (leaning == Leaning::Best) {
                statements.push(self.widened(&statement.json, &keys));
            }
        }
        if statements.is_empty() {
            return None;
        }
        let widened = json!({"Version": document.version, "Statement": statements});
        PolicyDocument::parse(kind, &widened.to_string()).ok()
    }

    /// A statement without what is not known in it.
    fn widened(&self, statement: &Value, unknown: &[String]) -> Value {
        let mut wide = statement.clone();
        let mentions = |value: &Value| {
            let text = value.to_string().to_ascii_lowercase();
            unknown.iter().any(|key| text.contains(&format!("${{{}", key.to_ascii_lowercase())))
        };
        if let Some(operators) = wide.get_mut("Condition").and_then(Value::as_object_mut) {
            for (_, tests) in operators.iter_mut() {
                let Some(tests) = tests.as_object_mut() else { continue };
                tests.retain(|key, values| {
                    !unknown.iter().any(|other| other.eq_ignore_ascii_case(key)) && !mentions(values)
                });
            }
            operators.retain(|_, tests| tests.as_object().is_some_and(|tests| !tests.is_empty()));
        }
        for name in ["Resource", "NotResource"] {
            if wide.get(name).is_some_and(mentions)
                && let Some(members) = wide.as_object_mut()
            {
                members.remove(name);
                members.insert("Resource".to_owned(), json!("*"));
            }
        }
        if self.is_unsure_of(&wide)
            && let Some(members) = wide.as_object_mut()
        {
            members.remove("NotPrincipal");
            members.insert("Principal".to_owned(), json!("*"));
        }
        wide
    }

    /// Whether a statement may name the caller in a way that is not known here: one session of the role, or an id. A
    /// `NotPrincipal` must name a role and its session.
    fn is_unsure_of(&self, statement: &Value) -> bool {
        let principal = statement.get("Principal").or_else(|| statement.get("NotPrincipal"));
        let Some(text) = principal.map(Value::to_string) else { return false };
        let arn = &self.principal.arn;
        let is_excepted = statement.get("NotPrincipal").is_some() && arn.contains(":role/");
        if is_excepted && text.contains(&Value::from(arn.as_str()).to_string()) {
            return true;
        }
        let role = arn.split_once(":role/").and_then(|(_, path)| path.rsplit('/').next());
        let names_session =
            role.is_some_and(|role| text.contains(&format!(":{}:assumed-role/{role}/", self.principal.account)));
        let names_id =
            self.who.is_none() && !arn.ends_with(":root") && ["\"AIDA", "\"AROA"].iter().any(|id| text.contains(id));
        // Without GetRole the role's path is not known.
        let names_path = self.who.is_none()
            && self.session.is_some()
            && role
                .is_some_and(|role| text.contains(&format!("/{role}\"")) && !text.contains(&format!(":role/{role}\"")));
        names_session || names_id || names_path
    }
}

/// What is known of a call.
struct Facts {
    context: ConditionContext,
    encryption_context: BTreeMap<String, String>,
    /// Whether the encryption context is known.
    is_whole: bool,
    /// Whether KMS is asked.
    of_kms: bool,
    by_dynamodb: bool,
}

fn is_understood(kind: PolicyKind, text: &str) -> bool {
    PolicyDocument::parse(kind, text).is_ok()
}

/// What stands for a policy that could not be read.
fn unread_policy(leaning: Leaning) -> Option<NamedPolicy> {
    let effect = match leaning {
        Leaning::AsRead => return None,
        Leaning::Best => "Allow",
        Leaning::Worst => "Deny",
    };
    let text = json!({"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": "*", "Resource": "*"}});
    let document = PolicyDocument::parse(PolicyKind::Identity, &text.to_string()).ok()?;
    let source = PolicySource::Managed { name: "a policy that could not be read".to_owned(), arn: String::new() };
    Some(NamedPolicy { source, document: Arc::new(document) })
}
