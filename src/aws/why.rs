//! Reads what `kmslab why` judges by. Only reading calls; what can't be read is noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum};
use aws_smithy_runtime_api::client::http::HttpConnector;

use super::clients::Clients;
use super::documents::{Read, owner_of, unread};
use super::inventory::{Failed, Unusable, send};
use super::layer::layered;
use super::service_clients::ServiceClients;
use crate::lab::redact;
use crate::lab::why::{Evidence, Found, Key, Part, Query, Table, Unread};
use crate::policy::account_of;

impl Clients {
    /// Reads what decides about `query`, with the admin's credentials. Changes nothing.
    ///
    /// # Errors
    /// When the backend can't be reached or refuses the credentials. What a policy refuses is in [`Evidence::unread`].
    pub async fn evidence(&self, query: &Query) -> Result<Evidence, Unusable> {
        let (counting, calls) = self.counting();
        let mut evidence = Evidence { region: self.region().to_owned(), ..Evidence::default() };
        evidence.account = counting.account().await?;
        let (of_table, of_caller) = tokio::join!(counting.read_table(query), counting.read_caller(query, &evidence));
        let (table, key, key_unread) = of_table?;
        let key_arn = key.get().map(|key| key.arn.clone());
        let of_key = counting.read_key(key_arn.as_deref()).await;
        (evidence.table, evidence.key, evidence.unread) = (table, key, key_unread);
        (evidence.key_policy, evidence.grants) = (of_key.key_policy, of_key.grants);
        evidence.unread.extend(of_key.unread);
        evidence.principal = match (of_caller.who, of_caller.is_missing) {
            (Some(who), _) => Found::Is(who),
            (None, true) => Found::Missing,
            (None, false) => Found::Unread,
        };
        (evidence.identity, evidence.boundary) = (of_caller.identity, of_caller.boundary);
        evidence.unread.extend(of_caller.unread);
        evidence.names = of_caller.names;
        let is_named = [":user/", ":role/"].iter().any(|kind| query.principal.contains(kind));
        let arn = match &evidence.principal {
            Found::Is(who) => Some(who.arn.clone()),
            Found::Unread if is_named && account_of(&query.principal) == evidence.account.as_deref() => {
                Some(query.principal.clone())
            }
            _ => None,
        };
        if let Some(arn) = arn {
            counting.simulate(&arn, query, &mut evidence).await;
        }
        evidence.calls = calls.load(Ordering::Relaxed);
        Ok(evidence)
    }

    /// The same admin, whose requests are counted.
    fn counting(&self) -> (Clients, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let config = &self.admin.config;
        let config = match config.http_client() {
            Some(client) => {
                let count = count.clone();
                let counted = layered(client, move |connector, request| {
                    count.fetch_add(1, Ordering::Relaxed);
                    connector.call(request)
                });
                config.to_builder().http_client(counted).build()
            }
            None => config.clone(),
        };
        (self.with_admin(ServiceClients::new(config)), count)
    }

    async fn read_table(&self, query: &Query) -> Result<(Found<Table>, Found<Key>, Vec<Unread>), Unusable> {
        let mut all = Vec::new();
        let client = self.admin.dynamodb();
        let table = match &query.table {
            None => Found::NotAsked,
            Some(name) => match send!("dynamodb:DescribeTable", client.describe_table().table_name(name)) {
                Ok(output) => {
                    let table = output.table.map(table_of).unwrap_or_default();
                    let has_policy = self.has_policy(&table.arn, &mut all).await;
                    Found::Is(Table { has_policy, ..table })
                }
                Err(failed) if failed.is_absence() => Found::Missing,
                Err(failed) => {
                    all.push(unread(Part::Table, "the table", &failed));
                    // Nothing else would be answered either.
                    failed.refusal()?;
                    Found::Unread
                }
            },
        };
        let key = match table.get() {
            Some(table) => table.key.clone(),
            None => query.key.clone(),
        };
        let key = match key {
            Some(arn) => self.read_metadata(&arn, &mut all).await,
            None => Found::NotAsked,
        };
        Ok((table, key, all))
    }

    /// Whether a table has a policy of its own.
    async fn has_policy(&self, arn: &str, all: &mut Vec<Unread>) -> Option<bool> {
        match send!("dynamodb:GetResourcePolicy", self.admin.dynamodb().get_resource_policy().resource_arn(arn)) {
            Ok(_) => {
                let says = "the table's own policy could not be read: kmslab doesn't evaluate it".to_owned();
                all.push(Unread { part: Part::TablePolicy, says });
                Some(true)
            }
            Err(failed) if failed.code.as_deref() == Some("PolicyNotFoundException") => Some(false),
            // Such a server has no such policies.
            Err(failed) if failed.is_unknown_call() => Some(false),
            Err(failed) => {
                all.push(unread(Part::TablePolicy, "the table's own policy", &failed));
                None
            }
        }
    }

    async fn read_metadata(&self, arn: &str, all: &mut Vec<Unread>) -> Found<Key> {
        match send!("kms:DescribeKey", self.admin.kms().describe_key().key_id(arn)) {
            Ok(output) => {
                let key = output.key_metadata;
                Found::Is(Key {
                    arn: key.as_ref().and_then(|key| key.arn.clone()).unwrap_or_else(|| arn.to_owned()),
                    state: key
                        .as_ref()
                        .and_then(|key| Some(key.key_state.as_ref()?.as_str().to_owned()))
                        .unwrap_or_default(),
                    is_aws_managed: key.and_then(|key| key.key_manager).is_some_and(|by| by.as_str() == "AWS"),
                })
            }
            Err(failed) if failed.is_absence() => Found::Missing,
            Err(failed) => {
                all.push(unread(Part::Key, "the state of the key", &failed));
                // Its policy may be readable all the same.
                Found::Is(Key { arn: arn.to_owned(), ..Key::default() })
            }
        }
    }

    /// Reads the caller, if the credentials are of its account: another one has other users of the same names.
    async fn read_caller(&self, query: &Query, evidence: &Evidence) -> Read {
        let arn = query.principal.as_str();
        let none = |says: String| Read { unread: vec![Unread { part: Part::Identity, says }], ..Read::default() };
        if let (Some(theirs), Some(ours)) = (account_of(arn), evidence.account.as_deref())
            && theirs != ours
        {
            return none(format!(
                "the policies of {arn} could not be read: it is of account {theirs}, and these credentials are of {ours}"
            ));
        }
        match owner_of(Some(arn)) {
            Ok(Some(owner)) => self.read_owner(&owner).await,
            Ok(None) => Read::default(),
            Err(unread) => Read { unread: vec![unread], ..Read::default() },
        }
    }

    /// Asks a simulation what the organization allows. Nothing else that it says is used.
    async fn simulate(&self, arn: &str, query: &Query, evidence: &mut Evidence) {
        let table = evidence.table.get().map(|table| table.arn.clone());
        let key = evidence.key.get().map(|key| key.arn.clone());
        let questions = [(&query.table_action, table), (&query.key_action, key)];
        for (action, resource) in questions {
            let (Some(action), Some(resource)) = (action, resource) else { continue };
            let context = ContextEntry::builder()
                .context_key_name("aws:RequestedRegion")
                .context_key_type(ContextKeyTypeEnum::String)
                .context_key_values(self.region())
                .build();
            let call = self.admin.iam().simulate_principal_policy().policy_source_arn(arn);
            let call = call.action_names(action).resource_arns(resource).context_entries(context);
            match send!("iam:SimulatePrincipalPolicy", call) {
                Ok(output) => {
                    let results = output.evaluation_results.unwrap_or_default();
                    let says = results.iter().filter_map(|result| result.organizations_decision_detail.as_ref());
                    let allowed: Vec<bool> = says.map(|detail| detail.allowed_by_organizations).collect();
                    if !allowed.is_empty() {
                        evidence.organization.push((action.clone(), allowed.iter().all(|allowed| *allowed)));
                    }
                }
                Err(failed) => {
                    evidence.unread.push(unread(Part::Organization, "what the organization allows", &failed));
                    return;
                }
            }
        }
    }
}

fn table_of(table: aws_sdk_dynamodb::types::TableDescription) -> Table {
    // Without a description of encryption, or with AES256, DynamoDB owns the key.
    let key = table.sse_description.and_then(|sse| sse.kms_master_key_arn);
    Table {
        name: redact::clean(&table.table_name.unwrap_or_default()),
        arn: redact::clean(&table.table_arn.unwrap_or_default()),
        status: table.table_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        key: key.map(|arn| redact::clean(&arn)),
        has_policy: None,
    }
}
