//! What the lab has learnt from the answers: names and states that later calls and checks need.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adoption::{Added, Adopted};
use super::backend::Backend;
use super::certainty::{Certainty, certainty};
use super::exchange::{Exchange, Verdict, is_already_there};
use super::experiment::ExtraTable;
use super::mechanism::ATTEMPT;
use super::operation::{Identity, Operation, Service, Tags};
use super::own_way::OwnWay;
use super::stage::Stage;
use super::test_user::{self, UserPolicy};

/// The resources of one run. Every name carries the prefix and the run's id, so that two runs never meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The run's id.
    pub run: String,
    /// The key's alias, with `alias/`.
    pub alias: String,
    /// The table.
    pub table: String,
    /// The IAM user that the lab makes.
    pub user: String,
    /// When the run began, RFC 3339 in UTC to the second. It comes from outside: the lesson has no clock.
    pub created: Option<String>,
}

impl Names {
    /// The names of the run `run` (lower-case letters and digits).
    pub fn new(run: &str) -> Names {
        Names {
            run: run.to_owned(),
            alias: format!("alias/kmslab-key-{run}"),
            table: format!("kmslab-table-{run}"),
            user: format!("kmslab-user-{run}"),
            created: None,
        }
    }

    /// All tables of the run: the lab's, and those of experiments.
    pub fn tables(&self) -> Vec<String> {
        let extra = ExtraTable::ALL.map(|table| table.name(self));
        std::iter::once(self.table.clone()).chain(extra).collect()
    }

    /// The same names, of a run that began at `created` (RFC 3339).
    pub fn created(self, created: String) -> Names {
        Names { created: Some(created), ..self }
    }

    /// The description of the run's key: a key has no name of its own.
    pub fn key_description(&self) -> String {
        format!("kmslab {}", self.run)
    }

    /// The tags of what this run makes.
    pub fn tags(&self) -> Tags {
        Tags { run: self.run.clone(), created: self.created.clone() }
    }
}

/// A principal, as STS names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// `arn:aws:iam::111122223333:user/alice`
    pub arn: String,
    /// Twelve digits.
    pub account: String,
}

impl Caller {
    /// Whether this is the account's root user.
    pub fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }

    /// The partition: `aws` in most regions, `aws-us-gov` or `aws-cn` in some.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws")
    }

    /// What a policy that names `principals` may call the caller: its ARN and, for a session of a role, the role's,
    /// which may have a path that the session's ARN doesn't tell.
    pub fn names<'a>(&self, principals: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut names = vec![self.arn.clone()];
        let session = self.arn.split_once(":assumed-role/").and_then(|(_, session)| session.split_once('/'));
        if let Some((role, _)) = session {
            let prefix = format!("arn:{}:iam::{}:role/", self.partition(), self.account);
            let named = principals.into_iter().filter(|principal| {
                let path = principal.strip_prefix(&prefix);
                path.is_some_and(|path| path.rsplit('/').next() == Some(role))
            });
            names.extend(named.map(str::to_owned));
        }
        names
    }

    /// The name of the role whose session this is.
    pub fn role_name(&self) -> Option<&str> {
        self.arn.split_once(":assumed-role/")?.1.split('/').next()
    }

    /// The user or role behind a caller, as IAM names it: a role's sessions are all the same principal. A role's path is
    /// not in a session's ARN, so for a role with a path this ARN is not quite its own.
    pub fn principal(&self) -> String {
        let parts: Vec<&str> = self.arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, "sts", _, account, session] => match session.strip_prefix("assumed-role/") {
                Some(role) => {
                    let role = role.split('/').next().unwrap_or(role);
                    format!("arn:{partition}:iam::{account}:role/{role}")
                }
                None => self.arn.clone(),
            },
            _ => self.arn.clone(),
        }
    }
}

/// Facts, each taken from an answer and from nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Who signs the admin's calls.
    pub admin: Option<Caller>,
    /// Who signs test-user's calls.
    pub test_user: Option<Caller>,
    /// The ARNs of the roles whose sessions they are, by name.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// `KeyMetadata` of the newest answer that had it.
    pub key: Option<Value>,
    /// When CreateKey was last sent, with the run's tags: unix time of its answer, in seconds.
    #[serde(default)]
    pub key_tagged_at: u64,
    /// The key policy as it was when the grant stage began.
    pub policy_before: Option<String>,
    /// The key policy that GetKeyPolicy gave last.
    pub policy: Option<String>,
    /// What lets test-user use the key, where the learner has written it; `None` on the usual way.
    #[serde(default, rename = "own_way", skip_serializing_if = "Option::is_none")]
    pub way: Option<OwnWay>,
    /// `Table` or `TableDescription` of the newest answer.
    pub table: Option<Value>,
    /// Whether this run's CreateTable has succeeded, whatever became of the table.
    pub table_was_made: bool,
    /// What exists because of this run, and is not known to be gone.
    pub made: Made,
    /// The names that the person chose for what the lab would have made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub adopted: Adopted,
    /// Whether another client has written items, so that they are not the lab's samples.
    #[serde(default, skip_serializing_if = "is_default")]
    pub own_items: bool,
    /// Keys that clean-up looks at for one whose CreateKey got no answer, and the description of that one.
    pub looked_at: Option<(String, Vec<String>)>,
}

/// What this run has made and not removed yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The key, by ARN, until its deletion is scheduled.
    pub key: Option<String>,
    /// The key's alias.
    pub alias: bool,
    /// The table.
    pub table: bool,
    /// The IAM user.
    pub user: bool,
    /// The managed policy on that user.
    pub policy_attached: Option<String>,
    /// Whether the inline policy is on it.
    #[serde(default)]
    pub inline_policy: bool,
    /// Whether the inline policy of an attempt is on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attempt_policy: bool,
    /// The grant of an attempt: its id, which is empty where no response has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_grant: Option<String>,
    /// That user's access key id.
    pub access_key: Option<String>,
    /// The description of a key that may exist: the response to CreateKey doesn't say.
    pub maybe_key: Option<String>,
    /// Keys of that kind that were found, by id.
    pub stray_keys: Vec<String>,
    /// Whether there may be an access key: the response to CreateAccessKey doesn't say.
    pub maybe_access_key: bool,
    /// Access keys of that kind that were found.
    pub stray_access_keys: Vec<String>,
    /// What other clients have added.
    #[serde(default, skip_serializing_if = "is_default")]
    pub added: Added,
}

impl Made {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        *self == Made { added: self.added.clone(), ..Made::default() }
    }

    /// Whether the table, the user, the alias and the key are gone.
    pub fn is_gone(&self) -> bool {
        !self.table && !self.user && !self.alias && self.key.is_none()
    }

    /// What is left, for a person.
    pub fn list(&self, names: &Names) -> Vec<String> {
        let mut left = Vec::new();
        left.extend(self.table.then(|| format!("table {}", names.table)));
        left.extend(self.access_key.as_ref().map(|id| format!("access key {id} of {}", names.user)));
        left.extend(self.attempt_policy.then(|| format!("policy {ATTEMPT} of {}", names.user)));
        left.extend(self.attempt_grant.iter().map(|_| format!("grant {ATTEMPT} on the KMS key")));
        left.extend(self.user.then(|| format!("IAM user {}", names.user)));
        left.extend(self.alias.then(|| names.alias.clone()));
        left.extend(self.key.as_ref().map(|arn| format!("KMS key {arn}")));
        left.extend(self.stray_keys.iter().map(|id| format!("KMS key {id}")));
        left.extend(self.maybe_key.as_ref().map(|text| {
            format!("perhaps a KMS key with the description {text:?}: the response to CreateKey doesn't say")
        }));
        left.extend(self.stray_access_keys.iter().map(|id| format!("access key {id} of {}", names.user)));
        left.extend(
            self.maybe_access_key.then(|| {
                format!("perhaps an access key of {}: the response to CreateAccessKey doesn't say", names.user)
            }),
        );
        left
    }
}

impl Facts {
    /// Who signs as `identity`, if that is known.
    pub fn caller(&self, identity: Identity) -> Option<&Caller> {
        match identity {
            Identity::Admin => self.admin.as_ref(),
            Identity::TestUser => self.test_user.as_ref(),
        }
    }

    /// The key's ARN.
    pub fn key_arn(&self) -> Option<&str> {
        self.key.as_ref()?.get("Arn")?.as_str()
    }

    /// The key's id.
    pub fn key_id(&self) -> Option<&str> {
        self.key.as_ref()?.get("KeyId")?.as_str()
    }

    /// `TableStatus` of the newest answer about the table.
    pub fn table_status(&self) -> Option<&str> {
        self.table.as_ref()?.get("TableStatus")?.as_str()
    }

    /// Learns from a response. Errors teach something, too: what clean-up doesn't find is gone. (In other stages it may
    /// only not be visible yet: DescribeTable is eventually consistent.)
    pub fn learn(&mut self, exchange: &Exchange) {
        let operation = &exchange.operation;
        if let Operation::CreateKey { .. } = operation {
            self.key_tagged_at = exchange.answer.at;
        }
        // What is there already at the first try belongs to somebody else.
        let is_foreign = exchange.error_code().is_some_and(is_already_there) && exchange.answer.tries <= 1;
        if certainty(operation, &exchange.answer) == Certainty::Unknown && !is_foreign {
            self.suspect(operation);
        }
        let Some(body) = exchange.body() else { return };
        if !exchange.is_allowed() {
            // A key that can't be described now may still be the one that is looked for.
            if matches!(exchange.verdict, Verdict::Failed(_)) && self.is_looked_at(operation) {
                self.made.maybe_key = self.looked_at.as_ref().map(|(description, _)| description.clone());
            }
            if exchange.is_wanted_absence() || exchange.says_deletion_is_scheduled() {
                self.forget(operation);
            }
            return;
        }
        let id = body.get("GrantId").and_then(Value::as_str);
        if self.made.added.learn(operation, id) {
            return;
        }
        match operation.service() {
            Service::Sts => self.learn_caller(exchange.identity, body),
            Service::Kms => self.learn_key(exchange, body),
            Service::DynamoDb => self.learn_table(operation, body),
            Service::Iam => self.learn_user(operation, body),
        }
    }

    fn learn_caller(&mut self, identity: Identity, body: &Value) {
        let caller = text(body, "/Arn").zip(text(body, "/Account")).map(|(arn, account)| Caller { arn, account });
        match identity {
            Identity::Admin => self.admin = caller,
            Identity::TestUser => self.test_user = caller,
        }
    }

    fn learn_key(&mut self, exchange: &Exchange, body: &Value) {
        use Operation as O;
        match &exchange.operation {
            O::CreateKey { .. } => {
                self.key = body.get("KeyMetadata").cloned();
                // A key that was made before, and can't be used any more, is still to be removed.
                if let Some(old) = std::mem::replace(&mut self.made.key, text(body, "/KeyMetadata/Arn")) {
                    self.made.stray_keys.extend(old.rsplit('/').next().map(str::to_owned));
                }
            }
            O::ListKeys => self.look_at(body),
            O::DescribeKey { key } => {
                let is_going = text(body, "/KeyMetadata/KeyState").as_deref() == Some("PendingDeletion");
                if self.is_looked_at(&exchange.operation) {
                    let description = text(body, "/KeyMetadata/Description");
                    let wanted = self.looked_at.as_ref().map(|(text, _)| text.clone());
                    let is_it = description.is_some() && description == wanted;
                    if is_it && !is_going && !self.made.stray_keys.contains(key) {
                        self.made.stray_keys.push(key.clone());
                    }
                    return;
                }
                self.key = body.get("KeyMetadata").cloned();
                if is_going {
                    self.made.key = None;
                }
            }
            O::CreateAlias { .. } => self.made.alias = true,
            O::CreateGrant { name, .. } if name == ATTEMPT => self.made.attempt_grant = text(body, "/GrantId"),
            O::ListGrants { .. } => self.find_grant(body),
            O::GetKeyPolicy { .. } => {
                self.policy = text(body, "/Policy");
                if exchange.stage == Stage::Grant && self.policy_before.is_none() {
                    self.policy_before.clone_from(&self.policy);
                }
            }
            // Of the rest only deletions are sent by a stage. An experiment leaves everything as it was.
            operation => self.forget(operation),
        }
    }

    fn learn_table(&mut self, operation: &Operation, body: &Value) {
        match operation {
            Operation::CreateTable { .. } => {
                self.table = body.get("TableDescription").cloned();
                self.made.table = true;
                self.table_was_made = true;
            }
            Operation::DescribeTable { .. } => self.table = body.get("Table").cloned(),
            operation => self.forget(operation),
        }
    }

    fn learn_user(&mut self, operation: &Operation, body: &Value) {
        use Operation as O;
        match operation {
            O::GetRole { role } => {
                if let Some(arn) = text(body, "/Role/Arn") {
                    self.roles.insert(role.clone(), arn);
                }
            }
            O::CreateUser { .. } => self.made.user = true,
            O::AttachUserPolicy { policy_arn, .. } => self.made.policy_attached = Some(policy_arn.clone()),
            O::PutUserPolicy { name, .. } if name == test_user::POLICY => self.made.inline_policy = true,
            O::PutUserPolicy { name, .. } if name == ATTEMPT => self.made.attempt_policy = true,
            O::CreateAccessKey { .. } => {
                let old = std::mem::replace(&mut self.made.access_key, text(body, "/AccessKey/AccessKeyId"));
                self.made.stray_access_keys.extend(old);
            }
            O::ListAccessKeys { .. } => {
                let ids = body.pointer("/AccessKeyMetadata").map(access_key_ids).unwrap_or_default();
                self.made.stray_access_keys = ids;
                self.made.stray_access_keys.retain(|id| self.made.access_key.as_ref() != Some(id));
                self.made.maybe_access_key = false;
            }
            operation => self.forget(operation),
        }
    }

    /// Notes that `operation` may have been done: its answer doesn't say. What has a name with the run's id in it is
    /// removed under that name, and if it isn't there, that is known then. What the service names must be looked for.
    pub fn suspect(&mut self, operation: &Operation) {
        use Operation as O;
        match operation {
            O::CreateKey { description, .. } => self.made.maybe_key = Some(description.clone()),
            O::CreateAlias { .. } => self.made.alias = true,
            O::CreateTable { .. } => {
                self.made.table = true;
                self.table_was_made = true;
            }
            O::CreateUser { .. } => self.made.user = true,
            O::AttachUserPolicy { policy_arn, .. } => self.made.policy_attached = Some(policy_arn.clone()),
            O::PutUserPolicy { name, .. } if name == test_user::POLICY => self.made.inline_policy = true,
            O::PutUserPolicy { name, .. } if name == ATTEMPT => self.made.attempt_policy = true,
            O::CreateGrant { name, .. } if name == ATTEMPT => {
                self.made.attempt_grant.get_or_insert_default();
            }
            O::CreateAccessKey { .. } => self.made.maybe_access_key = true,
            O::DescribeKey { .. } if self.is_looked_at(operation) => {
                self.made.maybe_key = self.looked_at.as_ref().map(|(description, _)| description.clone());
            }
            _ => {}
        }
    }

    /// Notes that what `operation` was about is not there any more, where nothing has just been made.
    pub fn is_absent(&mut self, operation: &Operation) {
        use Operation as O;
        match operation {
            O::DescribeKey { .. } => self.made.key = None,
            O::DescribeTable { .. } => self.made.table = false,
            O::ListAccessKeys { .. } => {
                let Made { user, policy_attached, inline_policy, access_key, maybe_access_key, .. } = &mut self.made;
                (*user, *policy_attached, *access_key, *maybe_access_key) = (false, None, None, false);
                *inline_policy = false;
                self.made.attempt_policy = false;
            }
            _ => {}
        }
    }

    /// Whether `exchange` says that a thing is there already, and an earlier try of this run has made it.
    pub fn is_own_already(&self, exchange: &Exchange) -> bool {
        use Operation as O;
        exchange.error_code().is_some_and(is_already_there)
            && match &exchange.operation {
                O::CreateAlias { .. } => self.made.alias,
                O::CreateTable { .. } => self.made.table,
                O::CreateUser { .. } => self.made.user,
                _ => false,
            }
    }

    /// Whether clean-up describes this key only to see whether it is one whose CreateKey got no answer.
    pub fn is_looked_at(&self, operation: &Operation) -> bool {
        match (operation, &self.looked_at) {
            (Operation::DescribeKey { key }, Some((_, keys))) => keys.contains(key),
            _ => false,
        }
    }

    fn look_at(&mut self, body: &Value) {
        let Some(description) = self.made.maybe_key.clone() else { return };
        let keys = body.get("Keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let ids = keys.iter().filter_map(|key| key.get("KeyId")?.as_str());
        let others = ids.filter(|id| self.key_id() != Some(id)).map(str::to_owned).collect();
        self.looked_at = Some((description, others));
        // Of more keys than are listed at once the rest has not been seen.
        if body.get("Truncated").and_then(Value::as_bool) != Some(true) {
            self.made.maybe_key = None;
        }
    }

    /// Notes that what `operation` is about is gone, or was never there.
    fn forget(&mut self, operation: &Operation) {
        use Operation as O;
        match operation {
            // A table that is being deleted is still found for a while; it is gone when DescribeTable says so. It
            // costs nothing any more from here on, though.
            O::DeleteTable { .. } | O::DescribeTable { .. } => {
                self.made.table = false;
                self.table = None;
            }
            O::DeleteAlias { .. } => self.made.alias = false,
            O::ScheduleKeyDeletion { key, .. } if self.key_id() == Some(key) => {
                self.made.key = None;
                self.made.attempt_grant = None;
            }
            O::RevokeGrant { grant_id, .. } => drop(self.made.attempt_grant.take_if(|id| id == grant_id)),
            O::ScheduleKeyDeletion { key, .. } => self.made.stray_keys.retain(|stray| stray != key),
            O::DetachUserPolicy { policy_arn, .. } if self.made.added.attached.contains(policy_arn) => {
                self.made.added.attached.retain(|arn| arn != policy_arn);
            }
            O::DetachUserPolicy { .. } => self.made.policy_attached = None,
            O::DeleteUserPolicy { name, .. } if name == ATTEMPT => self.made.attempt_policy = false,
            O::DeleteUserPolicy { name, .. } if name != test_user::POLICY => {
                self.made.added.inline.retain(|added| added != name);
            }
            O::DeleteUserPolicy { .. } => self.made.inline_policy = false,
            O::DeleteAccessKey { access_key_id, .. } => {
                self.made.access_key.take_if(|id| id == access_key_id);
                self.made.stray_access_keys.retain(|id| id != access_key_id);
            }
            // A user that is gone has no access keys.
            O::DeleteUser { .. } => {
                self.made.user = false;
                self.made.maybe_access_key = false;
                self.made.added.forget_user();
                self.made.attempt_policy = false;
            }
            _ => {}
        }
    }

    /// Looks for the grant of an attempt in a list of grants, where no response has named it.
    fn find_grant(&mut self, body: &Value) {
        if self.made.attempt_grant.as_deref() != Some("") {
            return;
        }
        let grants = body.get("Grants").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let own = grants.iter().find(|grant| grant.get("Name").and_then(Value::as_str) == Some(ATTEMPT));
        let is_whole = body.get("Truncated").and_then(Value::as_bool) != Some(true);
        match own.and_then(|grant| text(grant, "/GrantId")) {
            Some(id) => self.made.attempt_grant = Some(id),
            None if is_whole => self.made.attempt_grant = None,
            None => {}
        }
    }

    /// The admin's partition: `aws`, `aws-cn` or `aws-us-gov`.
    fn partition(&self) -> &str {
        self.admin.as_ref().and_then(|admin| admin.arn.split(':').nth(1)).unwrap_or("aws")
    }

    /// The ARN of a table of the admin's account.
    pub fn table_arn(&self, table: &str, region: &str) -> String {
        let account = self.admin.as_ref().map_or("", |admin| &admin.account);
        format!("arn:{}:dynamodb:{region}:{account}:table/{table}", self.partition())
    }

    /// The policy that test-user has, or is to get.
    pub fn user_policy(&self, names: &Names, backend: &Backend) -> UserPolicy {
        match &self.made.policy_attached {
            Some(arn) => UserPolicy::Managed(arn.clone()),
            None if backend.has_managed_policy() => {
                UserPolicy::Managed(format!("arn:{}:iam::aws:policy/{}", self.partition(), test_user::MANAGED))
            }
            None => UserPolicy::Inline(test_user::table_policy(&self.table_arn(&names.table, &backend.region))),
        }
    }

    /// The roles, by name, whose sessions the callers are.
    pub fn role_names(&self) -> Vec<String> {
        let callers = [&self.admin, &self.test_user].into_iter().flatten();
        let mut names: Vec<String> = callers.filter_map(Caller::role_name).map(str::to_owned).collect();
        names.dedup();
        names
    }

    /// The user or role behind `identity`, as a policy names it. A session ends, and a policy that names it is then of
    /// no use. Where GetRole was refused, a role's path is not known and is left out.
    pub fn principal(&self, identity: Identity) -> Option<String> {
        let caller = self.caller(identity)?;
        let known = caller.role_name().and_then(|name| self.roles.get(name));
        Some(known.cloned().unwrap_or_else(|| caller.principal()))
    }

    /// The call that asks whether admin can create test-user. `None` where admin is not known, or is the root user.
    pub fn simulation(&self, names: &Names) -> Option<Operation> {
        let principal = self.principal(Identity::Admin).filter(|arn| !arn.ends_with(":root"))?;
        let account = &self.admin.as_ref()?.account;
        Some(Operation::SimulatePrincipalPolicy {
            principal,
            actions: test_user::CREATING.map(str::to_owned).to_vec(),
            resource: format!("arn:{}:iam::{account}:user/{}", self.partition(), names.user),
            tags: names.tags(),
        })
    }
}

fn text(body: &Value, path: &str) -> Option<String> {
    body.pointer(path).and_then(Value::as_str).map(str::to_owned)
}

/// The ids in a list of access keys, whether the list came as JSON or as XML: one `member`, or several.
fn access_key_ids(list: &Value) -> Vec<String> {
    let own = list.get("AccessKeyId").and_then(Value::as_str).map(str::to_owned);
    let inner = match list {
        Value::Array(items) => items.iter().flat_map(access_key_ids).collect(),
        Value::Object(members) => members.get("member").map(access_key_ids).unwrap_or_default(),
        _ => Vec::new(),
    };
    own.into_iter().chain(inner).collect()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
