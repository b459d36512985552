//! Looks for what other clients have made for a run, where the server reports no calls. Only reading calls.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::Select;

use super::clients::Clients;
use super::inventory::{Failed, pages, send};
use crate::lab::noticing::look::{Look, Seen, SeenKey};
use crate::lab::operation::RUN_TAG;
use crate::lab::{Identity, Stage};

/// The most things whose tags are read in one look: most of an account's are somebody else's.
const MOST: usize = 25;

/// Things that have been found to be somebody else's: they are not looked at again.
#[derive(Debug, Default)]
pub struct Examined(BTreeSet<String>);

impl Examined {
    /// Those of `all` that are to be looked at now.
    fn rest(&self, all: impl IntoIterator<Item = String>) -> Vec<String> {
        all.into_iter().filter(|one| !self.0.contains(one)).take(MOST).collect()
    }
}

/// Whether tags name the run; `None` where they can't be read now.
fn is_of(run: &str, tags: Result<Vec<(String, String)>, Failed>) -> Option<bool> {
    match tags {
        Ok(tags) => Some(tags.iter().any(|(key, value)| key == RUN_TAG && value == run)),
        Err(failed) if failed.is_denial() || failed.is_absence() => Some(false),
        Err(_) => None,
    }
}

impl Clients {
    /// Reads what there is of what `look` asks for. What can't be read isn't there.
    pub async fn look(&self, look: &Look, examined: &mut Examined) -> Seen {
        let mut seen = Seen::default();
        match look.stage {
            Stage::CreateKey => seen.key = self.look_for_key(look, examined).await,
            Stage::CreateTable => seen.table = self.look_for_table(look, examined).await,
            Stage::CreateUser => {
                if let Some((name, arn)) = self.look_for_user(look, examined).await {
                    seen.documents = Some(self.documents(Some(&arn), None).await);
                    seen.user = Some(name);
                }
            }
            Stage::Grant => {
                let user = look.facts.principal(Identity::TestUser);
                seen.documents = Some(self.documents(user.as_deref(), look.facts.key_arn()).await);
            }
            Stage::CleanUp => seen.removed = self.look_for_gaps(look).await,
            Stage::Who | Stage::ViewAdmin | Stage::ViewDenied | Stage::ViewAgain => {}
        }
        seen
    }

    async fn look_for_key(&self, look: &Look, examined: &mut Examined) -> Option<SeenKey> {
        let id = match self.key_of(&look.names.alias).await {
            Some(id) => id,
            None => self.tagged_key(&look.names.run, examined).await?,
        };
        let client = self.admin.kms();
        let key = send!("kms:DescribeKey", client.describe_key().key_id(&id)).ok()?.key_metadata?;
        if key.key_state.is_some_and(|state| state.as_str() == "PendingDeletion") {
            return None;
        }
        let aliases = pages!("kms:ListAliases", client.list_aliases().key_id(&id), |page| page
            .aliases
            .unwrap_or_default()
            .into_iter()
            .filter_map(|alias| alias.alias_name));
        Some(SeenKey { id, arn: key.arn?, aliases: aliases.unwrap_or_default() })
    }

    /// The id of the key behind an alias.
    async fn key_of(&self, alias: &str) -> Option<String> {
        let described = send!("kms:DescribeKey", self.admin.kms().describe_key().key_id(alias)).ok()?;
        described.key_metadata.map(|key| key.key_id)
    }

    async fn tagged_key(&self, run: &str, examined: &mut Examined) -> Option<String> {
        let listed = pages!("kms:ListKeys", self.admin.kms().list_keys(), |page| page
            .keys
            .unwrap_or_default()
            .into_iter()
            .filter_map(|key| key.key_id));
        for id in examined.rest(listed.ok()?) {
            if is_of(run, self.tags_of_key(&id).await)? {
                return Some(id);
            }
            examined.0.insert(id);
        }
        None
    }

    async fn look_for_table(&self, look: &Look, examined: &mut Examined) -> Option<(String, u64)> {
        let is_there = self.has_table(&look.names.table).await?;
        let table = if is_there { look.names.table.clone() } else { self.tagged_table(look, examined).await? };
        // The count in a table's description is hours old.
        let scan = self.admin.dynamodb().scan().table_name(&table).select(Select::Count);
        let count = send!("dynamodb:Scan", scan).map_or(0, |output| output.count);
        Some((table, u64::try_from(count).unwrap_or_default()))
    }

    /// Whether there is a table of this name; `None` where that can't be told.
    async fn has_table(&self, table: &str) -> Option<bool> {
        match send!("dynamodb:DescribeTable", self.admin.dynamodb().describe_table().table_name(table)) {
            Ok(_) => Some(true),
            Err(failed) => failed.is_absence().then_some(false),
        }
    }

    async fn tagged_table(&self, look: &Look, examined: &mut Examined) -> Option<String> {
        let listed = pages!("dynamodb:ListTables", self.admin.dynamodb().list_tables(), |page| page
            .table_names
            .unwrap_or_default());
        for name in examined.rest(listed.ok()?) {
            let arn = look.facts.table_arn(&name, self.region());
            if is_of(&look.names.run, self.tags_of_table(&arn).await)? {
                return Some(name);
            }
            examined.0.insert(name);
        }
        None
    }

    /// The user's name and ARN.
    async fn look_for_user(&self, look: &Look, examined: &mut Examined) -> Option<(String, String)> {
        let client = self.admin.iam();
        match send!("iam:GetUser", client.get_user().user_name(&look.names.user)) {
            Ok(output) => return output.user.map(|user| (user.user_name, user.arn)),
            Err(failed) if failed.is_absence() => {}
            Err(_) => return None,
        }
        let listed = pages!("iam:ListUsers", client.list_users(), |page| page.users);
        let listed: Vec<_> = listed.ok()?;
        for name in examined.rest(listed.iter().map(|user| user.user_name.clone())) {
            let tags = pages!("iam:ListUserTags", client.list_user_tags().user_name(&name), |page| page
                .tags
                .into_iter()
                .map(|tag| (tag.key, tag.value)));
            if is_of(&look.names.run, tags)? {
                return listed.into_iter().find(|user| user.user_name == name).map(|user| (name, user.arn));
            }
            examined.0.insert(name);
        }
        None
    }

    /// The calls that have removed what the lab has made.
    async fn look_for_gaps(&self, look: &Look) -> Vec<&'static str> {
        let (made, names) = (&look.facts.made, &look.names);
        let (kms, iam) = (self.admin.kms(), self.admin.iam());
        let mut removed = Vec::new();
        if made.table && self.has_table(&names.table).await == Some(false) {
            removed.push("DeleteTable");
        }
        if made.user {
            let user = send!("iam:GetUser", iam.get_user().user_name(&names.user));
            removed.extend(user.is_err_and(|failed| failed.is_absence()).then_some("DeleteUser"));
        }
        if made.alias {
            let alias = send!("kms:DescribeKey", kms.describe_key().key_id(&names.alias));
            removed.extend(alias.is_err_and(|failed| failed.is_absence()).then_some("DeleteAlias"));
        }
        if let Some(key) = look.facts.key_id().filter(|_| made.key.is_some()) {
            let key =
                send!("kms:DescribeKey", kms.describe_key().key_id(key)).ok().and_then(|output| output.key_metadata);
            let state = key.and_then(|key| key.key_state);
            let is_going = state.is_some_and(|state| state.as_str() == "PendingDeletion");
            removed.extend(is_going.then_some("ScheduleKeyDeletion"));
        }
        removed
    }
}
