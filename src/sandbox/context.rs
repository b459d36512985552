//! What an operation works with: the caller, the account and the request's randomness.

use std::sync::Arc;

use super::account::Account;
use super::entropy::Entropy;
use super::validate::Params;
use crate::policy::{NamedPolicy, Principal};

/// Numbers the connections of one server. No two of them ever have the same one.
pub type ConnectionId = u64;

/// A principal that makes a call: a user, root, or a service, for itself or on behalf of one of these.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The principal.
    pub principal: Arc<Principal>,
    /// Its identity policies.
    pub permissions: Arc<Vec<NamedPolicy>>,
    /// The service that makes the call, if not the principal itself: `dynamodb.amazonaws.com`.
    pub via: Option<&'static str>,
    /// Where the request came from.
    pub origin: Arc<Origin>,
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The request's id as the caller sees it in `x-amzn-RequestId`: a UUID for most services, 52 characters for
    /// DynamoDB. Trail and decisions quote it, so that they can be matched with responses.
    pub request_id: String,
    /// The access key that signed the request.
    pub access_key_id: String,
    /// The caller's address.
    pub source_ip: String,
    /// The caller's `User-Agent`, cut off at 1 KB; empty when not given.
    pub user_agent: String,
    /// Whether `kmslab why` asks, which changes nothing: the feed and the trail tell it from the learner's own calls.
    pub explains: bool,
    /// The connection the request came over. DynamoDB caches table keys for each connection.
    pub connection: ConnectionId,
}

/// What an operation works with.
#[derive(Debug)]
pub struct Context<'a> {
    /// The account's state.
    pub account: &'a mut Account,
    /// The caller.
    pub caller: Caller,
    /// The randomness of this request.
    pub entropy: Entropy,
    /// The parameters of the request. An operation has parsed its own; only items, which may be large, are read from here
    /// instead of being copied.
    pub params: &'a Params,
}
