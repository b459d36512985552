//! What there is at a backend with the lab's names and tags: what `kmslab cleanup` looks through. Only reading calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::clients::Clients;
use super::failure;
use crate::lab::exchange::{is_credential_error, is_not_found};
use crate::lab::model::backoff::backoff;
use crate::lab::operation::{CREATED_TAG, RUN_TAG};
use crate::lab::{Names, redact};

/// The number of tries to read a key's tags when KMS throttles: a busy account has hundreds of keys, and KMS
/// answers a few such questions a second. Some 30 s in all, besides the SDK's own tries.
const MAX_THROTTLED: u32 = 8;

/// The run that a resource belongs to, by its tag [`RUN_TAG`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// This run's.
    Run(String),
    /// It has no such tag.
    None,
    /// Its tags can't be read, for this reason.
    Unknown(String),
}

/// A table whose name has the prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own member names")]
pub struct Table {
    pub name: String,
    pub arn: String,
    pub mark: Mark,
}

/// An IAM user whose name has the prefix, with what must go before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own member names")]
pub struct User {
    pub name: String,
    pub arn: String,
    pub mark: Mark,
    pub access_keys: Vec<String>,
    pub attached_policies: Vec<String>,
    pub inline_policies: Vec<String>,
}

/// A customer managed key with the tag, or of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own member names")]
pub struct Key {
    pub id: String,
    pub arn: String,
    pub mark: Mark,
    pub description: String,
    /// Its deletion is scheduled: it costs nothing any more.
    pub pending_deletion: bool,
}

/// An alias whose name has the prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own member names")]
pub struct Alias {
    pub name: String,
    pub arn: String,
    /// The key's id; `None` if the key is gone.
    pub target: Option<String>,
}

/// The resources found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "four kinds of resources")]
pub struct Inventory {
    pub tables: Vec<Table>,
    pub users: Vec<User>,
    pub keys: Vec<Key>,
    pub aliases: Vec<Alias>,
    /// When runs began, by their tags [`CREATED_TAG`]: by run, the values.
    pub created: BTreeMap<String, BTreeSet<String>>,
    /// Lists and tags that could not be read, with the reason: there may be more of ours than was found.
    pub unseen: Vec<String>,
}

impl Inventory {
    /// Forgets what is tagged with another run than those that `is_wanted` names.
    pub fn retain_runs(&mut self, is_wanted: impl Fn(&str) -> bool) {
        let is_of = |mark: &Mark| match mark {
            Mark::Run(run) => is_wanted(run),
            Mark::None | Mark::Unknown(_) => true,
        };
        self.tables.retain(|table| is_of(&table.mark));
        self.users.retain(|user| is_of(&user.mark));
        self.keys.retain(|key| is_of(&key.mark));
        let lead = Names::new("").alias;
        // One of a person's own naming is a run's by its key.
        self.aliases.retain(|alias| alias.name.strip_prefix(&lead).is_none_or(&is_wanted));
    }

    /// Runs of which a user is here and nothing else. IAM knows no regions, and a lab's key is there before its user and
    /// stays pending for a week: the rest of such a run is most likely in another region.
    pub fn runs_with_a_user_alone(&self) -> BTreeSet<String> {
        let lead = Names::new("").alias;
        let has_more = |mark: &Mark| {
            let Mark::Run(run) = mark else { return true };
            self.tables.iter().any(|table| table.mark == *mark)
                || self.keys.iter().any(|key| key.mark == *mark)
                || self.aliases.iter().any(|alias| alias.name.strip_prefix(&lead) == Some(run))
        };
        let alone = self.users.iter().map(|user| &user.mark).filter(|mark| !has_more(mark));
        let runs = alone.filter_map(|mark| match mark {
            Mark::Run(run) => Some(run.clone()),
            Mark::None | Mark::Unknown(_) => None,
        });
        runs.collect()
    }

    /// Returns the run that a resource with these tags belongs to. Notes tags that can't be read: the resource may be
    /// anybody's.
    fn mark(&mut self, tags: Result<Vec<(String, String)>, Failed>) -> Result<Mark, Unusable> {
        match tags {
            Ok(tags) => Ok(self.mark_read(tags)),
            Err(failed) => {
                let refusal = failed.refusal()?;
                self.unseen.push(refusal.clone());
                Ok(Mark::Unknown(refusal))
            }
        }
    }

    fn mark_read(&mut self, tags: Vec<(String, String)>) -> Mark {
        let value = |tag: &str| tags.iter().find(|(key, _)| key == tag).map(|(_, value)| redact::clean(value));
        let Some(run) = value(RUN_TAG) else { return Mark::None };
        if let Some(created) = value(CREATED_TAG) {
            self.created.entry(run.clone()).or_default().insert(created);
        }
        Mark::Run(run)
    }
}

/// Whose things are looked for, and the names to ask for beside the listed ones: lists are eventually consistent, and
/// may be refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "three kinds of resources")]
pub struct Candidates {
    pub tables: BTreeSet<String>,
    pub users: BTreeSet<String>,
    /// Ids or ARNs.
    pub keys: BTreeSet<String>,
    /// Names that people gave to what labs have taken over.
    pub adopted: BTreeSet<String>,
    /// Nothing but these runs' things; `None` is everyone's.
    pub only: Option<BTreeSet<String>>,
}

impl Candidates {
    /// Returns whether a resource of this name is examined, which `is_own` knows as a run's.
    fn includes(&self, name: &str, is_own: impl Fn(Names) -> bool) -> bool {
        let is_of = |runs: &BTreeSet<String>| runs.iter().any(|run| is_own(Names::new(run)));
        self.adopted.contains(name) || self.only.as_ref().is_none_or(is_of)
    }
}

/// Why the backend could not be looked through at all: it can't be reached, or refuses the credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {message}")]
pub struct Unusable {
    /// The call that found out.
    pub call: &'static str,
    /// The problem and the remedy.
    pub message: String,
}

/// A call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {message}")]
pub struct Failed {
    pub(super) call: &'static str,
    /// The service's error code, where it answered.
    pub(super) code: Option<String>,
    pub(super) message: String,
}

impl Failed {
    pub(super) fn new<E, R>(call: &'static str, error: SdkError<E, R>) -> Failed
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        match error.as_service_error().and_then(|service| service.code().map(|code| (code, service.message()))) {
            Some((code, message)) => Failed {
                call,
                code: Some(redact::clean(code)),
                message: redact::clean(&format!("{code}: {}", message.unwrap_or_default())),
            },
            None => {
                let none = failure::describe(&error);
                Failed { call, code: None, message: format!("{} ({})", none.message, none.remedy) }
            }
        }
    }

    pub(super) fn is_denial(&self) -> bool {
        matches!(self.code.as_deref(), Some("AccessDenied" | "AccessDeniedException"))
    }

    fn is_throttling(&self) -> bool {
        let codes = ["Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "SlowDown"];
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    pub(super) fn is_absence(&self) -> bool {
        self.code.as_deref().is_some_and(is_not_found)
    }

    /// Whether the server does not know the call. AWS knows all of them.
    pub(super) fn is_unknown_call(&self) -> bool {
        matches!(self.code.as_deref(), Some("InvalidAction" | "UnknownOperationException"))
    }

    /// The text of a refusal; anything that no other call will fare better with is an error.
    pub(super) fn refusal(self) -> Result<String, Unusable> {
        match &self.code {
            Some(code) if !is_credential_error(code) => Ok(self.to_string()),
            _ => Err(Unusable { call: self.call, message: self.message }),
        }
    }
}

macro_rules! send {
    ($call:literal, $builder:expr) => {
        $builder.send().await.map_err(|error| Failed::new($call, error))
    };
}

/// Collects all pages of a list, each turned into items.
macro_rules! pages {
    ($call:literal, $builder:expr, |$page:ident| $items:expr) => {{
        let mut pages = $builder.into_paginator().send();
        let mut items = Vec::new();
        loop {
            match pages.next().await {
                Some(Ok($page)) => items.extend($items),
                Some(Err(error)) => break Err(Failed::new($call, error)),
                None => break Ok(items),
            }
        }
    }};
}

pub(super) use {pages, send};

impl Clients {
    /// Lists the resources whose names begin with `kmslab-`, the tagged keys, and the `candidates` that exist.
    ///
    /// # Errors
    /// If the backend can't be reached or refuses the credentials. What a policy refuses is in [`Inventory::unseen`].
    pub async fn inventory(&self, candidates: &Candidates) -> Result<Inventory, Unusable> {
        let mut found = Inventory::default();
        self.find_tables(candidates, &mut found).await?;
        self.find_users(candidates, &mut found).await?;
        self.find_keys(candidates, &mut found).await?;
        self.find_aliases(candidates, &mut found).await?;
        Ok(found)
    }

    async fn find_tables(&self, candidates: &Candidates, found: &mut Inventory) -> Result<(), Unusable> {
        let client = self.admin.dynamodb();
        let listed = pages!("dynamodb:ListTables", client.list_tables(), |page| page.table_names.unwrap_or_default());
        let names = listed_and(listed, &candidates.tables, "kmslab-table-", &mut found.unseen)?;
        for name in names.into_iter().filter(|name| candidates.includes(name, |own| own.tables().contains(name))) {
            let description = match send!("dynamodb:DescribeTable", client.describe_table().table_name(&name)) {
                Ok(output) => output.table,
                Err(failed) if failed.is_absence() => continue,
                Err(failed) => {
                    found.unseen.push(failed.refusal()?);
                    continue;
                }
            };
            let Some(description) = description else { continue };
            let is_going = description.table_status == Some(aws_sdk_dynamodb::types::TableStatus::Deleting);
            let arn = description.table_arn.unwrap_or_default();
            match self.tags_of_table(&arn).await {
                // A table that is being deleted has lost its tags before itself. Of one that has just been made they may
                // not be known yet: that is no reason to take it for gone.
                Err(failed) if failed.is_absence() && is_going => {}
                tags => {
                    let mark = found.mark(tags)?;
                    found.tables.push(Table { name, arn, mark });
                }
            }
        }
        Ok(())
    }

    pub(super) async fn tags_of_table(&self, arn: &str) -> Result<Vec<(String, String)>, Failed> {
        let call = self.admin.dynamodb().list_tags_of_resource().resource_arn(arn);
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let page = send!("dynamodb:ListTagsOfResource", call.clone().set_next_token(next))?;
            all.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
            next = page.next_token;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    async fn find_users(&self, candidates: &Candidates, found: &mut Inventory) -> Result<(), Unusable> {
        let client = self.admin.iam();
        let listed =
            pages!("iam:ListUsers", client.list_users(), |page| page.users.into_iter().map(|user| user.user_name));
        let names = listed_and(listed, &candidates.users, "kmslab-user-", &mut found.unseen)?;
        for name in names.into_iter().filter(|name| candidates.includes(name, |own| own.user == *name)) {
            let arn = match send!("iam:GetUser", client.get_user().user_name(&name)) {
                Ok(output) => output.user.map(|user| user.arn).unwrap_or_default(),
                Err(failed) if failed.is_absence() => continue,
                Err(failed) => {
                    found.unseen.push(failed.refusal()?);
                    continue;
                }
            };
            let tags = pages!("iam:ListUserTags", client.list_user_tags().user_name(&name), |page| page
                .tags
                .into_iter()
                .map(|tag| (tag.key, tag.value)));
            let mark = found.mark(tags)?;
            let mut user = User {
                name,
                arn,
                mark,
                access_keys: Vec::new(),
                attached_policies: Vec::new(),
                inline_policies: Vec::new(),
            };
            if matches!(user.mark, Mark::Run(_)) {
                self.look_into(&mut user, &mut found.unseen).await?;
            }
            found.users.push(user);
        }
        Ok(())
    }

    /// Lists what must be removed before the user.
    async fn look_into(&self, user: &mut User, unseen: &mut Vec<String>) -> Result<(), Unusable> {
        let client = self.admin.iam();
        let name = &user.name;
        let keys = pages!("iam:ListAccessKeys", client.list_access_keys().user_name(name), |page| page
            .access_key_metadata
            .into_iter()
            .filter_map(|key| key.access_key_id));
        let (attached, inline) = (self.attached_policies(name).await, self.inline_policies(name).await);
        let into = [&mut user.access_keys, &mut user.attached_policies, &mut user.inline_policies];
        for (list, listed) in into.into_iter().zip([keys, attached, inline]) {
            match listed {
                Ok(items) => *list = items,
                // Gone since it was found.
                Err(failed) if failed.is_absence() => {}
                Err(failed) => unseen.push(failed.refusal()?),
            }
        }
        Ok(())
    }

    async fn find_keys(&self, candidates: &Candidates, found: &mut Inventory) -> Result<(), Unusable> {
        let client = self.admin.kms();
        let listed = pages!("kms:ListKeys", client.list_keys(), |page| page
            .keys
            .unwrap_or_default()
            .into_iter()
            .filter_map(|key| key.key_id));
        // By id, as everywhere.
        let known: BTreeSet<String> =
            candidates.keys.iter().map(|key| key.rsplit('/').next().unwrap_or(key).to_owned()).collect();
        // Most keys of an account are somebody else's, and some don't let their tags be read. Where no key does, it is
        // the admin who may not read them, and ours may be among them.
        let (mut are_read, mut denied) = (false, None);
        for id in listed_and(listed, &known, "", &mut found.unseen)? {
            let is_known = known.contains(&id);
            let tags = match self.tags_of_key(&id).await {
                Ok(tags) => {
                    are_read = true;
                    let run = tags.iter().find(|(key, _)| key == RUN_TAG).map(|(_, run)| run);
                    let is_wanted =
                        run.is_some_and(|run| candidates.only.as_ref().is_none_or(|only| only.contains(run)));
                    if !is_wanted && !is_known {
                        continue;
                    }
                    Ok(tags)
                }
                Err(failed) if failed.is_absence() => continue,
                Err(failed) if failed.is_denial() && !is_known => {
                    denied = Some(failed);
                    continue;
                }
                Err(failed) if !is_known => {
                    found.mark(Err(failed))?;
                    continue;
                }
                Err(failed) => Err(failed),
            };
            match send!("kms:DescribeKey", client.describe_key().key_id(&id)) {
                Ok(output) => {
                    let Some(key) = output.key_metadata else { continue };
                    let pending_deletion = key.key_state.is_some_and(|state| state.as_str() == "PendingDeletion");
                    let mark = match tags {
                        // Nothing needs to be done about it, no matter which run made it.
                        Err(failed) if pending_deletion => Mark::Unknown(failed.refusal()?),
                        tags => found.mark(tags)?,
                    };
                    let (arn, description) = (key.arn.unwrap_or_default(), key.description.unwrap_or_default());
                    found.keys.push(Key { id, arn, mark, description, pending_deletion });
                }
                Err(failed) if failed.is_absence() => {}
                Err(failed) => found.unseen.push(failed.refusal()?),
            }
        }
        if let Some(failed) = denied.filter(|_| !are_read) {
            found.unseen.push(failed.refusal()?);
        }
        Ok(())
    }

    pub(super) async fn tags_of_key(&self, id: &str) -> Result<Vec<(String, String)>, Failed> {
        for attempt in 0.. {
            let tags = pages!("kms:ListResourceTags", self.admin.kms().list_resource_tags().key_id(id), |page| page
                .tags
                .unwrap_or_default()
                .into_iter()
                .map(|tag| (tag.tag_key, tag.tag_value)));
            match tags {
                Err(failed) if failed.is_throttling() && attempt < MAX_THROTTLED => {
                    tokio::time::sleep(Duration::from_millis(backoff(125, attempt, 8_000))).await;
                }
                tags => return tags,
            }
        }
        Ok(Vec::new())
    }

    async fn find_aliases(&self, candidates: &Candidates, found: &mut Inventory) -> Result<(), Unusable> {
        let client = self.admin.kms();
        let listed = pages!("kms:ListAliases", client.list_aliases(), |page| page.aliases.unwrap_or_default());
        let listed = match listed {
            Ok(listed) => listed,
            Err(failed) => {
                found.unseen.push(failed.refusal()?);
                return Ok(());
            }
        };
        for alias in listed {
            let (Some(name), Some(arn)) = (alias.alias_name, alias.alias_arn) else { continue };
            let is_named = name.starts_with("alias/kmslab-key-") || candidates.adopted.contains(&name);
            if !is_named || !candidates.includes(&name, |own| own.alias == name) {
                continue;
            }
            let target = match alias.target_key_id {
                None => None,
                Some(id) => match send!("kms:DescribeKey", client.describe_key().key_id(&id)) {
                    Err(failed) if failed.is_absence() => None,
                    // Whose key it is, is decided by its tags.
                    Ok(_) | Err(Failed { code: Some(_), .. }) => Some(id),
                    Err(failed) => {
                        found.unseen.push(failed.refusal()?);
                        Some(id)
                    }
                },
            };
            found.aliases.push(Alias { name, arn, target });
        }
        Ok(())
    }
}

/// The listed names that begin with `prefix` and those that are known, each once. A refused list is noted in `unseen`.
fn listed_and(
    listed: Result<Vec<String>, Failed>,
    known: &BTreeSet<String>,
    prefix: &str,
    unseen: &mut Vec<String>,
) -> Result<BTreeSet<String>, Unusable> {
    let mut names = known.clone();
    match listed {
        Ok(listed) => names.extend(listed.into_iter().filter(|name| name.starts_with(prefix))),
        Err(failed) => unseen.push(failed.refusal()?),
    }
    Ok(names)
}

impl Clients {
    /// The account of the admin's credentials; `None` where the server does not say.
    ///
    /// # Errors
    /// If the backend can't be reached or refuses the credentials.
    pub async fn account(&self) -> Result<Option<String>, Unusable> {
        match send!("sts:GetCallerIdentity", self.admin.sts().get_caller_identity()) {
            Ok(caller) => Ok(caller.account.map(|account| redact::clean(&account))),
            Err(failed) => failed.refusal().map(|_| None),
        }
    }
}

impl Clients {
    /// Lists the ARNs of the managed policies attached to a user.
    ///
    /// # Errors
    /// If the service or the SDK refuses the call.
    pub(super) async fn attached_policies(&self, user: &str) -> Result<Vec<String>, Failed> {
        let call = self.admin.iam().list_attached_user_policies().user_name(user);
        pages!("iam:ListAttachedUserPolicies", call, |page| {
            page.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn)
        })
    }

    /// Lists the names of a user's inline policies.
    ///
    /// # Errors
    /// If the service or the SDK refuses the call.
    pub(super) async fn inline_policies(&self, user: &str) -> Result<Vec<String>, Failed> {
        let call = self.admin.iam().list_user_policies().user_name(user);
        pages!("iam:ListUserPolicies", call, |page| page.policy_names)
    }

    /// Removes an inline policy from a user. One that doesn't exist counts as removed.
    ///
    /// # Errors
    /// If the service or the SDK refuses the call.
    pub async fn delete_user_policy(&self, user: &str, policy: &str) -> Result<(), Failed> {
        let call = self.admin.iam().delete_user_policy().user_name(user).policy_name(policy);
        match send!("iam:DeleteUserPolicy", call) {
            Ok(_) => Ok(()),
            Err(failed) if failed.is_absence() => Ok(()),
            Err(failed) => Err(failed),
        }
    }
}
