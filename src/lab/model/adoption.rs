//! What other clients have made, changed or removed: the lab takes it over as its own where it would have made the same.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::facts::{Facts, Made, Names};
use super::mechanism::Mechanism;
use super::noticed::NoticedCall;
use super::operation::{Identity, Operation};
use super::own_way;
use super::statement::{statements, texts};
use super::test_user;

/// The names that the person chose for what the lab would have made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Adopted {
    /// The key's alias, with `alias/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The IAM user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

impl Names {
    /// The same names, of which the person has chosen some.
    #[must_use]
    pub fn adopting(self, adopted: &Adopted) -> Names {
        Names {
            alias: adopted.alias.clone().unwrap_or(self.alias),
            table: adopted.table.clone().unwrap_or(self.table),
            user: adopted.user.clone().unwrap_or(self.user),
            ..self
        }
    }
}

/// Something that another client has made and the lab has taken over as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The operation that made it.
    pub operation: &'static str,
    /// Its name; a key's ARN.
    pub name: String,
}

impl Taken {
    /// What there is now and was not there before.
    pub fn between(before: &Made, now: &Made, names: &Names) -> Vec<Taken> {
        let key = now.key.clone().filter(|key| before.key.as_ref() != Some(key));
        let named = |is_new: bool, name: &String| is_new.then(|| name.clone());
        let all = [
            ("CreateKey", key),
            ("CreateAlias", named(now.alias && !before.alias, &names.alias)),
            ("CreateTable", named(now.table && !before.table, &names.table)),
            ("CreateUser", named(now.user && !before.user, &names.user)),
        ];
        all.into_iter().filter_map(|(operation, name)| Some(Taken { operation, name: name? })).collect()
    }
}

/// What other clients have added, beside what the lab would have made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Added {
    /// Managed policies on test-user, by ARN. Clean-up detaches them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<String>,
    /// Inline policies on test-user. Clean-up deletes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inline: Vec<String>,
    /// Resources of the person's own, in words. Clean-up leaves and lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// What may let test-user use the key, beside the key policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<Opening>,
    /// What the lab has taken back while the console's statements stand in for it, to be put there again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lent: Vec<Opening>,
}

/// What another client has added that may let test-user use the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    /// A grant, by id, whose parameters aren't known.
    Grant(String),
    /// A grant: its id, and the call that made it.
    MadeGrant(String, Operation),
    /// A key policy that lets test-user in without its name. Only the lab's own key policy takes its place.
    KeyPolicy(String),
    /// An inline policy of test-user: its name and its text.
    Inline(String, String),
    /// A managed policy on test-user, by ARN.
    Attached(String),
}

impl Opening {
    /// The call that takes it back. What an inline policy allows in other services stays.
    pub fn take_back(&self, user: &str, key: &str) -> Option<Operation> {
        let user = user.to_owned();
        match self {
            Opening::Grant(id) | Opening::MadeGrant(id, _) => {
                Some(Operation::RevokeGrant { key: key.to_owned(), grant_id: id.clone() })
            }
            Opening::KeyPolicy(_) => None,
            Opening::Attached(arn) => Some(Operation::DetachUserPolicy { user, policy_arn: arn.clone() }),
            Opening::Inline(name, text) => Some(match without_kms(text) {
                Some(policy) => Operation::PutUserPolicy { user, name: name.clone(), policy },
                None => Operation::DeleteUserPolicy { user, name: name.clone() },
            }),
        }
    }

    /// The call that puts it there again; `None` where too little is known of it.
    pub fn put_again(&self, user: &str, key: &str) -> Option<Operation> {
        let user = user.to_owned();
        match self {
            Opening::Grant(_) => None,
            Opening::MadeGrant(_, call) => Some(call.clone()),
            Opening::KeyPolicy(policy) => Some(Operation::PutKeyPolicy { key: key.to_owned(), policy: policy.clone() }),
            Opening::Inline(name, policy) => {
                Some(Operation::PutUserPolicy { user, name: name.clone(), policy: policy.clone() })
            }
            Opening::Attached(arn) => Some(Operation::AttachUserPolicy { user, policy_arn: arn.clone() }),
        }
    }

    /// What kind of permission it is.
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Opening::Grant(_) | Opening::MadeGrant(..) => Mechanism::Grant,
            Opening::KeyPolicy(_) => Mechanism::KeyPolicy,
            Opening::Inline(..) | Opening::Attached(_) => Mechanism::IamPolicy,
        }
    }

    /// Whether `operation` puts it there again.
    fn is_put_by(&self, operation: &Operation) -> bool {
        match (self, operation) {
            (Opening::MadeGrant(_, call), operation) => call == operation,
            (Opening::KeyPolicy(text), Operation::PutKeyPolicy { policy, .. }) => text == policy,
            (Opening::Inline(own, text), Operation::PutUserPolicy { name, policy, .. }) => {
                own == name && text == policy
            }
            (Opening::Attached(arn), Operation::AttachUserPolicy { policy_arn, .. }) => arn == policy_arn,
            _ => false,
        }
    }

    /// Whether `operation` is the one that takes it back.
    fn is_taken_back_by(&self, operation: &Operation) -> bool {
        match operation {
            Operation::DeleteUserPolicy { user, .. } | Operation::PutUserPolicy { user, .. } => {
                self.take_back(user, "").as_ref() == Some(operation)
            }
            operation => self.is_closed_by(operation),
        }
    }

    /// Whether `operation` takes it back, or replaces it.
    fn is_closed_by(&self, operation: &Operation) -> bool {
        match (self, operation) {
            (Opening::Grant(id) | Opening::MadeGrant(id, _), Operation::RevokeGrant { grant_id, .. }) => id == grant_id,
            (Opening::Attached(arn), Operation::DetachUserPolicy { policy_arn, .. }) => arn == policy_arn,
            (
                Opening::Inline(own, _),
                Operation::DeleteUserPolicy { name, .. } | Operation::PutUserPolicy { name, .. },
            ) => own == name,
            _ => false,
        }
    }
}

/// A policy without what it allows in KMS; `None` where nothing else is allowed, or that can't be told.
fn without_kms(policy: &str) -> Option<String> {
    let mut document: Value = serde_json::from_str(policy).ok()?;
    let is_allow = |statement: &&Value| statement["Effect"] == "Allow";
    let kept: Vec<Value> = statements(&document)
        .into_iter()
        .filter_map(|statement| {
            if !is_allow(&statement) {
                return Some(statement.clone());
            }
            let actions = texts(statement.get("Action")?).into_iter().filter_map(|action| match action.as_str() {
                "*" => Some("dynamodb:*".to_owned()),
                _ => action.to_ascii_lowercase().starts_with("dynamodb:").then_some(action),
            });
            let actions: Vec<String> = actions.collect();
            let mut statement = statement.clone();
            statement["Action"] = json!(actions);
            (!actions.is_empty()).then_some(statement)
        })
        .collect();
    if !kept.iter().any(|statement| is_allow(&statement)) {
        return None;
    }
    document["Statement"] = Value::Array(kept);
    Some(document.to_string())
}

impl Added {
    /// Forgets what was on a user that is gone.
    pub fn forget_user(&mut self) {
        self.attached.clear();
        self.inline.clear();
        let is_users = |opening: &Opening| opening.mechanism() == Mechanism::IamPolicy;
        self.openings.retain(|opening| !is_users(opening));
        self.lent.retain(|opening| !is_users(opening));
    }

    /// Notes that a call of the lab's own has been done; `id` is the grant that it made. Returns whether the call has put
    /// there again what another client had added, so that nothing new is the lab's own.
    pub(super) fn learn(&mut self, operation: &Operation, id: Option<&str>) -> bool {
        if let Some(place) = self.lent.iter().position(|opening| opening.is_put_by(operation)) {
            match self.lent.remove(place) {
                Opening::KeyPolicy(_) => return true,
                Opening::MadeGrant(old, call) => {
                    self.openings.push(Opening::MadeGrant(id.map_or(old, str::to_owned), call));
                }
                opening => self.openings.push(opening),
            }
            match operation {
                Operation::PutUserPolicy { name, .. } if !self.inline.contains(name) => self.inline.push(name.clone()),
                Operation::AttachUserPolicy { policy_arn, .. } if !self.attached.contains(policy_arn) => {
                    self.attached.push(policy_arn.clone());
                }
                _ => {}
            }
            return true;
        }
        let all = std::mem::take(&mut self.openings).into_iter();
        let (closed, open): (Vec<_>, Vec<_>) = all.partition(|opening| opening.is_closed_by(operation));
        self.openings = open;
        // What is only replaced, by an attempt of the same name, is not put there again.
        self.lent.extend(closed.into_iter().filter(|opening| opening.is_taken_back_by(operation)));
        false
    }

    /// What kind of permission the lab has taken back for a while.
    pub fn lent_mechanism(&self) -> Option<Mechanism> {
        self.lent.first().map(Opening::mechanism)
    }
}

impl Facts {
    /// Learns from a call that another client made. Failed calls have changed nothing. Returns whether the person's call
    /// removed test-user's own access key.
    pub fn adopt(&mut self, call: &NoticedCall, names: &Names) -> bool {
        if !call.is_allowed() {
            return false;
        }
        match call.service.as_str() {
            "kms" => self.adopt_key(call, names),
            "dynamodb" => self.adopt_table(call, names),
            "iam" => return self.adopt_user(call, names),
            _ => {}
        }
        false
    }

    /// Notes a call after which test-user may be allowed to use the key, beside the key policy, or no longer.
    pub fn note_opening(&mut self, call: &NoticedCall, names: &Names) {
        let text = |name| call.parameter(name).map(str::to_owned);
        let is_users = call.parameter("UserName") == Some(&names.user);
        let opening = match call.operation.as_str() {
            "CreateGrant" if self.is_key(call.parameter("KeyId")) => {
                call.resulting("GrantId").map(|id| match own_way::grant(call) {
                    Some(grant) => Opening::MadeGrant(id.to_owned(), grant),
                    None => Opening::Grant(id.to_owned()),
                })
            }
            "AttachUserPolicy" if is_users => text("PolicyArn").map(Opening::Attached),
            "PutUserPolicy" if is_users => {
                text("PolicyName").zip(text("PolicyDocument")).map(|(name, policy)| Opening::Inline(name, policy))
            }
            _ => None,
        };
        let (name, arn, id) = (text("PolicyName"), text("PolicyArn"), text("GrantId"));
        let openings = &mut self.made.added.openings;
        match call.operation.as_str() {
            "PutUserPolicy" | "DeleteUserPolicy" if is_users => {
                openings.retain(|known| !matches!(known, Opening::Inline(own, _) if Some(own) == name.as_ref()));
            }
            "AttachUserPolicy" | "DetachUserPolicy" if is_users => {
                openings.retain(|known| !matches!(known, Opening::Attached(own) if Some(own) == arn.as_ref()));
            }
            "RevokeGrant" => openings.retain(|known| match known {
                Opening::Grant(own) | Opening::MadeGrant(own, _) => Some(own) != id.as_ref(),
                _ => true,
            }),
            _ => {}
        }
        openings.extend(opening);
    }

    /// Whether the key policy names test-user.
    pub fn names_user(&self) -> bool {
        let user = self.principal(Identity::TestUser);
        self.policy.as_deref().zip(user).is_some_and(|(policy, user)| policy.contains(&format!("\"{user}\"")))
    }

    /// The ARN that the user of the lab has, or will have.
    pub fn user_arn(&self, names: &Names) -> Option<String> {
        let admin = self.admin.as_ref()?;
        Some(format!("arn:{}:iam::{}:user/{}", admin.partition(), admin.account, names.user))
    }

    /// Whether a text names the lab's key: by id or by ARN.
    pub fn is_key(&self, text: Option<&str>) -> bool {
        let (id, arn) = (self.key_id(), self.key_arn());
        text.is_some() && (text == id || text == arn)
    }

    fn adopt_key(&mut self, call: &NoticedCall, names: &Names) {
        match call.operation.as_str() {
            "CreateKey" => {
                let (Some(id), Some(arn)) = (call.resulting("KeyId"), call.resulting("Arn")) else { return };
                if self.key_arn() == Some(arn) {
                    return;
                }
                if self.made.key.is_some() {
                    self.made.added.others.push(format!("KMS key {arn}"));
                } else {
                    self.made.key = Some(arn.to_owned());
                    self.key = Some(json!({"KeyId": id, "Arn": arn}));
                }
            }
            "CreateAlias" if self.is_key(call.parameter("TargetKeyId")) && !self.made.alias => {
                self.made.alias = true;
                self.adopted.alias = call.parameter("AliasName").map(str::to_owned);
            }
            "DeleteAlias" if call.parameter("AliasName") == Some(&names.alias) => self.made.alias = false,
            "ScheduleKeyDeletion" if self.is_key(call.parameter("KeyId")) => self.made.key = None,
            "CancelKeyDeletion" if self.is_key(call.parameter("KeyId")) => {
                self.made.key = self.key_arn().map(str::to_owned);
            }
            "PutKeyPolicy" if self.is_key(call.parameter("KeyId")) => {
                self.policy_before = self.policy_before.take().or_else(|| self.policy.clone());
                self.policy = call.parameter("Policy").map(str::to_owned);
            }
            _ => {}
        }
    }

    fn adopt_table(&mut self, call: &NoticedCall, names: &Names) {
        let Some(table) = call.parameter("TableName").map(table_name) else {
            // One request may write to several tables.
            self.own_items |= call.operation == "BatchWriteItem" || call.operation == "TransactWriteItems";
            return;
        };
        match call.operation.as_str() {
            "CreateTable" if self.made.table && table == names.table => {}
            "CreateTable" if self.made.table => self.made.added.others.push(format!("table {table}")),
            "CreateTable" => {
                self.made.table = true;
                self.table_was_made = true;
                self.adopted.table = (table != names.table).then(|| table.to_owned());
            }
            "DeleteTable" if table == names.table => {
                self.made.table = false;
                self.table = None;
            }
            "DeleteTable" => self.made.added.others.retain(|other| *other != format!("table {table}")),
            _ if table == names.table && !call.is_read() => self.own_items = true,
            _ => {}
        }
    }

    fn adopt_user(&mut self, call: &NoticedCall, names: &Names) -> bool {
        let Some(user) = call.parameter("UserName") else { return false };
        if user != names.user {
            match call.operation.as_str() {
                "CreateUser" if !self.made.user => {
                    self.made.user = true;
                    self.adopted.user = Some(user.to_owned());
                }
                "CreateUser" => self.made.added.others.push(format!("IAM user {user}")),
                "DeleteUser" => self.made.added.others.retain(|other| *other != format!("IAM user {user}")),
                _ => {}
            }
            return false;
        }
        self.adopt_change_of_user(call)
    }

    fn adopt_change_of_user(&mut self, call: &NoticedCall) -> bool {
        let text = |name| call.parameter(name).unwrap_or_default().to_owned();
        let made = &mut self.made;
        match call.operation.as_str() {
            "CreateUser" => made.user = true,
            "DeleteUser" => {
                made.user = false;
                made.access_key = None;
                made.added.forget_user();
            }
            "AttachUserPolicy" if made.policy_attached.is_none() && !made.inline_policy => {
                made.policy_attached = Some(text("PolicyArn"));
            }
            "AttachUserPolicy" if made.policy_attached.as_ref() != Some(&text("PolicyArn")) => {
                made.added.attached.push(text("PolicyArn"));
            }
            "DetachUserPolicy" => {
                made.policy_attached.take_if(|arn| *arn == text("PolicyArn"));
                made.added.attached.retain(|arn| *arn != text("PolicyArn"));
            }
            "PutUserPolicy" if text("PolicyName") == test_user::POLICY => made.inline_policy = true,
            "PutUserPolicy" if !made.added.inline.contains(&text("PolicyName")) => {
                made.added.inline.push(text("PolicyName"));
            }
            "DeleteUserPolicy" if text("PolicyName") == test_user::POLICY => made.inline_policy = false,
            "DeleteUserPolicy" => made.added.inline.retain(|name| *name != text("PolicyName")),
            "CreateAccessKey" => {
                made.stray_access_keys.extend(call.resulting("AccessKeyId").map(str::to_owned));
            }
            "DeleteAccessKey" => {
                let id = text("AccessKeyId");
                made.stray_access_keys.retain(|stray| *stray != id);
                return made.access_key.take_if(|own| *own == id).is_some();
            }
            _ => {}
        }
        false
    }
}

/// The name of a table that is given by name or by ARN.
pub fn table_name(table: &str) -> &str {
    table.rsplit_once(":table/").map_or(table, |(_, name)| name)
}
