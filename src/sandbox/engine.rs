//! The services and what they share, behind one synchronous function from request to response.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::Config;
use super::clock::Clock;
use super::dynamodb::DynamoDb;
use super::entropy::{Entropy, EntropySource};
use super::error::StartError;
use super::iam::Iam;
use super::kms::Kms;
use super::store::{Store, StoreError};
use super::trail::{Decisions, Trail};
use crate::policy::{ConditionContext, Principal};

/// The account everything lives in: the one AWS's own documentation uses for examples.
const ACCOUNT: &str = "111122223333";

/// The sandbox without its network.
#[derive(Debug)]
pub struct Engine {
    /// What the services share.
    pub host: Host,
    /// Users, access keys and policies.
    pub iam: Iam,
    /// Keys, aliases and grants.
    pub kms: Kms,
    /// Tables.
    pub dynamodb: DynamoDb,
    pub(super) sources: EntropySource,
}

/// What the services share.
#[derive(Debug)]
pub struct Host {
    /// The time.
    pub clock: Clock,
    /// The randomness of the request at hand.
    pub entropy: Entropy,
    /// The database.
    pub store: Store,
    /// The API calls of late.
    pub trail: Trail,
    /// The policy decisions of late.
    pub decisions: Decisions,
    /// Twelve digits.
    pub account: String,
    /// `us-east-1`
    pub region: String,
}

impl Host {
    /// The current time as CloudTrail and policies write it, `2026-01-01T00:00:00Z`.
    pub fn timestamp(&self) -> String {
        let now = self.clock.now();
        now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
    }
}

impl Engine {
    /// Opens the database that `config` names and the services on it.
    ///
    /// # Errors
    /// When the database can't be used; see [`StartError`].
    pub fn open(config: &Config) -> Result<Self, StartError> {
        let store = match &config.data {
            Some(folder) => Store::kept(folder)?,
            None => Store::temporary()?,
        };
        // One transaction for everything a new database needs.
        store.begin()?;
        let start = store.number("starts")?;
        store.set_number("starts", start + 1)?;
        let mut clock = if config.seed.is_some() { Clock::seeded() } else { Clock::wall() };
        clock.advance(Duration::from_secs(u64::try_from(store.number(clock.name())?).unwrap_or(0)));
        let mut sources = EntropySource::new(config.seed, start.unsigned_abs()).map_err(|_| StoreError::Randomness)?;
        let mut host = Host {
            clock,
            entropy: sources.stream("start"),
            store,
            trail: Trail::default(),
            decisions: Decisions::default(),
            account: ACCOUNT.to_owned(),
            region: config.region.clone(),
        };
        let iam = Iam::open(&mut host)?;
        let kms = Kms::open(&mut host)?;
        let dynamodb = DynamoDb::open(&mut host)?;
        host.store.commit()?;
        Ok(Self { host, iam, kms, dynamodb, sources })
    }
}

/// What a service sees of a request that has been authenticated.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Who calls.
    pub principal: Principal,
    /// With which access key.
    pub access_key_id: String,
    /// The request's own uuid.
    pub request_id: Uuid,
    /// The request's id as the caller sees it in `x-amzn-RequestId`: the uuid for most services, 52 characters for
    /// DynamoDB. Use this one in trail and decisions, so that they can be matched with answers.
    pub answer_id: String,
    /// The caller's address.
    pub source_ip: String,
    /// The caller's `User-Agent`, empty when not given.
    pub user_agent: String,
}

impl RequestContext {
    /// The global condition keys of this request.
    pub fn conditions(&self, host: &Host) -> ConditionContext {
        let mut context = ConditionContext::default();
        context.set("aws:PrincipalArn", &self.principal.arn);
        context.set("aws:PrincipalAccount", &self.principal.account);
        context.set("aws:PrincipalType", if self.principal.user_name.is_some() { "User" } else { "Account" });
        context.set("aws:userid", &self.principal.unique_id);
        if let Some(name) = &self.principal.user_name {
            context.set("aws:username", name);
        }
        context.set("aws:SourceIp", &self.source_ip);
        context.set("aws:UserAgent", &self.user_agent);
        context.set("aws:RequestedRegion", &host.region);
        context.set("aws:CurrentTime", host.timestamp());
        context.set("aws:EpochTime", host.clock.now().unix_timestamp().to_string());
        context.set("aws:SecureTransport", "false");
        context
    }
}
