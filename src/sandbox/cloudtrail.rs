//! CloudTrail's event history: `LookupEvents` over the calls to KMS that the sandbox records.
//!
//! An event is there at once; AWS takes up to 15 minutes. The sandbox keeps the newest thousand.

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::authorize::Resource;
use super::log::{TrailEvent, UserIdentity};
use super::operation::{Context, Fault, Members, Output, Request};
use crate::policy::ConditionContext;

const KEYS: [&str; 8] =
    ["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];
/// How long AWS keeps its event history, in seconds: 90 days.
const HISTORY: f64 = 90.0 * 86_400.0;
const LONGEST_TOKEN: usize = 1024;

/// `LookupEvents`
pub struct LookupEvents {
    /// A key of [`KEYS`] and its value.
    attribute: Option<(&'static str, String)>,
    /// Epoch seconds, both included.
    from: Option<f64>,
    until: Option<f64>,
    /// Insights events, of which the sandbox has none.
    insights: bool,
    limit: usize,
    token: Option<String>,
}

impl Request for LookupEvents {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let mut attributes = Vec::new();
        for attribute in members.structures("LookupAttributes", "AttributeKey")? {
            let key = attribute.required_choice("AttributeKey", &KEYS)?;
            attributes.push((key, attribute.str("AttributeValue", 1..=2000)?.to_owned()));
        }
        let (from, until) = (members.timestamp("StartTime")?, members.timestamp("EndTime")?);
        let insights = members.choice("EventCategory", &["insight"])?.is_some();
        let limit = members.integer("MaxResults", 1..=50)?.unwrap_or(50);
        let token = members.text("NextToken")?.map(str::to_owned);
        // The codes are AWS's (API reference). The sentences are not proven.
        if attributes.len() > 1 {
            let message = "You can use only one attribute key per lookup.";
            return Err(Fault::service(400, "InvalidLookupAttributesException", message));
        }
        if from.zip(until).is_some_and(|(from, until)| from > until) {
            let message = "The start time must be before the end time.";
            return Err(Fault::service(400, "InvalidTimeRangeException", message));
        }
        let limit = usize::try_from(limit).unwrap_or(1);
        Ok(Self { attribute: attributes.pop(), from, until, insights, limit, token })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("cloudtrail:LookupEvents", Resource::Arn("*"), &ConditionContext::default())?;
        let before = self.token.as_deref().map(|token| self.read_token(token)).transpose()?;
        if self.insights {
            return Ok(json!({ "Events": [] }).into());
        }
        let oldest = cx.account.state.clock.epoch_seconds() - HISTORY;
        let (from, until) = (self.from.unwrap_or(oldest).max(oldest), self.until.unwrap_or(f64::INFINITY));
        let numbered = cx.account.trail.numbered();
        let rest = numbered.filter(|(number, _)| before.is_none_or(|before| *number < before));
        let mut found = rest.filter(|(_, event)| {
            let time = epoch_seconds(event);
            time >= from && time <= until && self.selects(event)
        });
        let page: Vec<_> = found.by_ref().take(self.limit).collect();
        let mut output = json!({ "Events": page.iter().map(|(_, event)| describe(event)).collect::<Vec<_>>() });
        if let (Some((last, _)), Some(_)) = (page.last(), found.next()) {
            output["NextToken"] = Value::from(self.make_token(*last));
        }
        Ok(output.into())
    }
}

impl LookupEvents {
    fn selects(&self, event: &TrailEvent) -> bool {
        let Some((key, wanted)) = &self.attribute else { return true };
        let is = |value: &str| value == wanted;
        match *key {
            "EventId" => is(&event.event_id),
            "EventName" => is(&event.event_name),
            "ReadOnly" => is(&is_read_only(&event.event_name).to_string()),
            "Username" => user_name(event).is_some_and(is),
            "ResourceType" => event.resources.iter().any(|resource| is(&resource.kind)),
            "ResourceName" => event.resources.iter().any(|resource| is(&resource.arn)),
            "EventSource" => is(&event.event_source),
            _ => event.user_identity.access_key_id.as_deref().is_some_and(is),
        }
    }

    /// What a token belongs to: it counts only for the same question.
    fn fingerprint(&self) -> String {
        let Self { attribute, from, until, .. } = self;
        let question = format!("{attribute:?} {from:?} {until:?}");
        BASE64URL_NOPAD.encode(&digest::digest(&digest::SHA256, question.as_bytes()).as_ref()[..12])
    }

    /// The token of the page after the event with this number.
    fn make_token(&self, last: usize) -> String {
        BASE64URL_NOPAD.encode(format!("{last} {}", self.fingerprint()).as_bytes())
    }

    fn read_token(&self, token: &str) -> Result<usize, Fault> {
        let read = || {
            let bytes = BASE64URL_NOPAD.decode(Some(token).filter(|token| token.len() <= LONGEST_TOKEN)?.as_bytes());
            let text = String::from_utf8(bytes.ok()?).ok()?;
            let (number, question) = text.split_once(' ')?;
            number.parse().ok().filter(|_| question == self.fingerprint())
        };
        // The sentence is not proven.
        read().ok_or_else(|| Fault::service(400, "InvalidNextTokenException", "Invalid next token."))
    }
}

/// An item of `Events`.
fn describe(event: &TrailEvent) -> Value {
    let named = event.resources.iter();
    let resources = named.map(|resource| json!({ "ResourceType": resource.kind, "ResourceName": resource.arn }));
    let mut item = json!({
        "EventId": event.event_id,
        "EventName": event.event_name,
        "ReadOnly": is_read_only(&event.event_name).to_string(),
        "EventTime": epoch_seconds(event),
        "EventSource": event.event_source,
        "Resources": resources.collect::<Vec<_>>(),
        "CloudTrailEvent": record(event).to_string(),
    });
    if let Some(id) = &event.user_identity.access_key_id {
        item["AccessKeyId"] = json!(id);
    }
    if let Some(name) = user_name(event) {
        item["Username"] = json!(name);
    }
    item
}

/// `userIdentity`, with the access key id that the page of the trail leaves out.
fn identity(who: &UserIdentity) -> Value {
    let mut identity = json!(who);
    if let (Some(id), Some(members)) = (&who.access_key_id, identity.as_object_mut()) {
        // In CloudTrail's order: behind the account.
        let at = members.keys().position(|name| name == "accountId").map_or(members.len(), |at| at + 1);
        members.shift_insert(at, "accessKeyId".to_owned(), json!(id));
    }
    identity
}

/// The event as CloudTrail writes it into its files (CloudTrail guide, "record contents").
fn record(event: &TrailEvent) -> Value {
    let who = &event.user_identity;
    let account = event.resources.first().map(|resource| &resource.account_id).or(who.account_id.as_ref());
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": identity(who),
        "eventTime": event.event_time,
        "eventSource": event.event_source,
        "eventName": event.event_name,
        "awsRegion": event.aws_region,
        "sourceIPAddress": event.source_ip_address,
        "userAgent": event.user_agent,
    });
    if let Some(code) = &event.error_code {
        // CloudTrail's own name for a denial.
        record["errorCode"] = json!(if code == "AccessDeniedException" { "AccessDenied" } else { code });
    }
    if let Some(message) = &event.error_message {
        record["errorMessage"] = json!(message);
    }
    record["requestParameters"] =
        if event.request_parameters.is_empty() { Value::Null } else { json!(event.request_parameters) };
    record["responseElements"] = Value::Null;
    record["requestID"] = json!(event.request_id);
    record["eventID"] = json!(event.event_id);
    record["readOnly"] = json!(is_read_only(&event.event_name));
    record["resources"] = json!(event.resources);
    record["eventType"] = json!("AwsApiCall");
    record["managementEvent"] = json!(true);
    record["recipientAccountId"] = json!(account);
    record["eventCategory"] = json!("Management");
    record
}

fn user_name(event: &TrailEvent) -> Option<&str> {
    let who = &event.user_identity;
    who.user_name.as_deref().or((who.kind == "Root").then_some("root"))
}

/// CloudTrail counts KMS's cryptographic operations among the reads (KMS guide, "Logging AWS KMS API calls").
fn is_read_only(name: &str) -> bool {
    const READS: [&str; 9] =
        ["Decrypt", "Describe", "Encrypt", "Generate", "Get", "List", "ReEncrypt", "Sign", "Verify"];
    READS.iter().any(|read| name.starts_with(read))
}

fn epoch_seconds(event: &TrailEvent) -> f64 {
    // Seconds of any year before 9999 are far below 2^53.
    OffsetDateTime::parse(&event.event_time, &Rfc3339).map_or(0.0, |time| time.unix_timestamp() as f64)
}

#[cfg(test)]
mod tests;
