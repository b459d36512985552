//! AWS-shaped answers for every operation, and a driver that feeds them to the state.

use serde_json::{Value, json};

use crate::lab::insight::{Inquiry, Traced};
use crate::lab::*;

pub const ACCOUNT: &str = "111122223333";
pub const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
pub const KEY_ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

pub fn backend() -> Backend {
    Backend {
        kind: BackendKind::Sandbox,
        region: "us-east-1".into(),
        endpoint: Some("http://127.0.0.1:1".into()),
        given_user: false,
    }
}

pub fn sandbox() -> Lab {
    Lab::new(backend(), Cloud::default())
}

pub fn endpoint(given_user: bool) -> Backend {
    Backend { kind: BackendKind::Endpoint, given_user, ..backend() }
}

pub fn names() -> Names {
    Names::new("t1")
}

/// How the fake cloud behaves; each test bends one thing.
pub struct Cloud {
    pub key_policy: String,
    pub key_state: &'static str,
    pub key_spec: &'static str,
    pub table_exists: bool,
    /// How many more times DescribeTable says CREATING.
    pub creating: u32,
    /// How many more times the new access key is unknown.
    pub unknown_key: u32,
    /// Whether the key is asked at all.
    pub enforces_kms: bool,
    /// Errors to give instead, by operation name: status, body. Used once each.
    pub faults: Vec<(&'static str, u16, Value)>,
    pub items: Vec<Value>,
    pub admin_arn: String,
    pub user_arn: String,
    /// How long each call takes, in microseconds.
    pub takes_us: u64,
    /// What GetRole gives.
    pub role_arn: String,
    /// What SimulatePrincipalPolicy gives.
    pub simulated: Value,
}

impl Default for Cloud {
    fn default() -> Self {
        Cloud {
            key_policy: json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
                "Sid": "Enable IAM User Permissions", "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]})
            .to_string(),
            key_state: "Enabled",
            key_spec: "SYMMETRIC_DEFAULT",
            table_exists: false,
            creating: 0,
            unknown_key: 0,
            enforces_kms: true,
            faults: Vec::new(),
            items: Vec::new(),
            admin_arn: format!("arn:aws:iam::{ACCOUNT}:user/kmslab-admin"),
            user_arn: format!("arn:aws:iam::{ACCOUNT}:user/{}", names().user),
            takes_us: 1_500,
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/team/reader"),
            simulated: json!([]),
        }
    }
}

pub fn answer(status: u16, body: Value) -> Box<Answer> {
    Box::new(Answer {
        request: json!({}),
        response: Ok(Response { status, request_id: Some("r-1".into()), body }),
        wire: Wire::default(),
        duration_us: 1_500,
        at: 0,
        tries: 1,
    })
}

pub fn silence() -> Box<Answer> {
    let mut answer = answer(0, Value::Null);
    answer.response = Err(CallError { message: "connection refused".into(), remedy: "start the server".into() });
    answer
}

impl Cloud {
    /// What the trail says: where the key is asked at all, nothing is in memory.
    pub fn trace(&self, requests: Vec<String>) -> Vec<(String, Traced)> {
        let asked = if self.enforces_kms { Traced::Allowed } else { Traced::Nothing };
        requests.into_iter().map(|request| (request, asked)).collect()
    }

    pub fn call(&mut self, identity: Identity, operation: &Operation) -> Box<Answer> {
        use Operation as O;
        if let Some(at) = self.faults.iter().position(|(name, ..)| *name == operation.name()) {
            let (_, status, body) = self.faults.remove(at);
            return if status == 0 { silence() } else { answer(status, body) };
        }
        let metadata = json!({"KeyId": KEY_ID, "Arn": KEY_ARN, "KeyState": self.key_state, "KeySpec": self.key_spec,
            "KeyManager": "CUSTOMER"});
        let body = match operation {
            O::GetCallerIdentity => {
                if identity == Identity::TestUser && self.unknown_key > 0 {
                    self.unknown_key -= 1;
                    return answer(403, json!({"Error": {"Code": "InvalidClientTokenId", "Message": "unknown"}}));
                }
                let arn = if identity == Identity::Admin { &self.admin_arn } else { &self.user_arn };
                json!({"Arn": arn, "Account": arn.split(':').nth(4), "UserId": "AIDA"})
            }
            O::CreateKey { .. } | O::DescribeKey { .. } => json!({"KeyMetadata": metadata}),
            O::GetKeyPolicy { .. } => json!({"Policy": self.key_policy, "PolicyName": "default"}),
            O::PutKeyPolicy { policy, .. } => {
                self.key_policy.clone_from(policy);
                json!({})
            }
            O::ScheduleKeyDeletion { .. } => {
                self.key_state = "PendingDeletion";
                json!({"KeyId": KEY_ARN, "DeletionDate": 1.0})
            }
            O::DisableKey { .. } | O::CancelKeyDeletion { .. } => {
                self.key_state = "Disabled";
                json!({})
            }
            O::EnableKey { .. } => {
                self.key_state = "Enabled";
                json!({})
            }
            O::CreateTable { .. } => {
                self.table_exists = true;
                json!({"TableDescription": {"TableStatus": "CREATING"}})
            }
            O::DescribeTable { .. } if !self.table_exists => {
                return answer(
                    400,
                    json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
                    "message": "Requested resource not found: Table: t not found"}),
                );
            }
            O::DescribeTable { .. } => {
                let status = if self.creating > 0 { "CREATING" } else { "ACTIVE" };
                self.creating = self.creating.saturating_sub(1);
                json!({"Table": {"TableStatus": status, "SSEDescription": {"SSEType": "KMS", "Status": "ENABLED",
                    "KMSMasterKeyArn": KEY_ARN}}})
            }
            O::PutItem { item, .. } => {
                self.items.retain(|there| there["id"] != item["id"]);
                self.items.push(Value::Object(item.clone()));
                json!({})
            }
            O::Scan { .. } => {
                let named = [&self.user_arn, &self.role_arn].iter().any(|arn| self.key_policy.contains(arn.as_str()));
                if identity == Identity::TestUser && self.enforces_kms && !named {
                    let message = format!(
                        "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: {} is not \
                         authorized to perform: kms:Decrypt on resource: {KEY_ARN} because no identity-based policy \
                         allows the kms:Decrypt action (Service: AWSKMS; Status Code: 400; Error Code: \
                         AccessDeniedException; Request ID: 0; Proxy: null)",
                        self.user_arn
                    );
                    return answer(
                        400,
                        json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException",
                        "message": message}),
                    );
                }
                // Another order than they were put in: a Scan promises none.
                let items: Vec<_> = self.items.iter().rev().collect();
                json!({"Items": items, "Count": items.len(), "ScannedCount": items.len()})
            }
            O::DeleteTable { .. } => {
                self.table_exists = false;
                json!({"TableDescription": {"TableStatus": "DELETING"}})
            }
            O::GetRole { .. } => json!({"Role": {"Arn": self.role_arn}}),
            O::SimulatePrincipalPolicy { .. } => json!({"EvaluationResults": self.simulated}),
            O::CreateUser { user, .. } => json!({"User": {"UserName": user}}),
            O::CreateAccessKey { .. } => json!({"AccessKey": {"AccessKeyId": "AKIAEXAMPLE"}}),
            O::ListKeys => json!({"Keys": [{"KeyId": KEY_ID, "KeyArn": KEY_ARN}], "Truncated": false}),
            O::ListUserPolicies { .. } => json!({"PolicyNames": []}),
            O::GetUserPolicy { .. } => json!({"PolicyDocument": "{}"}),
            O::ListAttachedUserPolicies { .. } => json!({"AttachedPolicies": []}),
            O::ListAccessKeys { .. } => json!({"AccessKeyMetadata": [{"AccessKeyId": "AKIAEXAMPLE"}]}),
            O::CreateAlias { .. }
            | O::DeleteAlias { .. }
            | O::AttachUserPolicy { .. }
            | O::DetachUserPolicy { .. }
            | O::DeleteAccessKey { .. }
            | O::DeleteUser { .. }
            | O::RotateKeyOnDemand { .. }
            | O::PutUserPolicy { .. }
            | O::DeleteUserPolicy { .. }
            | O::RevokeGrant { .. }
            | O::ListGrants { .. }
            | O::Encrypt { .. }
            | O::Decrypt { .. } => json!({}),
            O::CreateGrant { .. } => json!({"GrantId": "grant-1"}),
        };
        answer(200, body)
    }
}

/// A state with its cloud.
pub struct Lab {
    pub state: State,
    pub cloud: Cloud,
    /// Every call that was sent: `admin kms:CreateKey`.
    pub sent: Vec<String>,
    pub reports: Vec<Report>,
    pub exited: bool,
    pub started_over: bool,
    /// What pages have asked for.
    pub inspections: Vec<(u64, Inquiry)>,
    pub waited_ms: Vec<u64>,
    /// What the message line said at each pause.
    pub messages: Vec<String>,
    /// What was kept, the newest of each stage; it is found again whatever account is asked for.
    pub kept: Vec<RecordedStage>,
    /// Every account that was asked for, by stage.
    pub loads: Vec<(Stage, Option<String>)>,
    /// Unix time of the answers.
    pub at: u64,
    /// The session as it was kept last.
    pub saved: Option<SavedSession>,
    /// The runs whose journals were taken over.
    pub taken_over: Vec<String>,
    /// What was adopted, as the journal has it.
    pub adopted: Vec<String>,
    /// The program dies at this call, counted from 0: before it, or when it is done and not answered.
    pub dies_at: Option<(usize, bool)>,
}

impl Lab {
    pub fn new(backend: Backend, cloud: Cloud) -> Lab {
        Lab {
            state: State::new(backend, names()),
            cloud,
            sent: Vec::new(),
            reports: Vec::new(),
            exited: false,
            started_over: false,
            inspections: Vec::new(),
            waited_ms: Vec::new(),
            messages: Vec::new(),
            kept: Vec::new(),
            loads: Vec::new(),
            at: 0,
            saved: None,
            taken_over: Vec::new(),
            adopted: Vec::new(),
            dies_at: None,
        }
    }

    pub fn is_dead(&self) -> bool {
        self.dies_at.is_some_and(|(call, _)| self.sent.len() > call)
    }

    /// Takes `intent` in and answers everything that follows from it.
    pub fn press(&mut self, intent: Intent) {
        let effects = self.state.update(Event::Intent(intent));
        self.perform(effects);
    }

    pub fn perform(&mut self, effects: Vec<Effect>) {
        let mut effects = std::collections::VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            if self.is_dead() {
                return;
            }
            match effect {
                Effect::Call { id, identity, operation } => {
                    self.sent.push(format!("{} {}", identity.name(), operation.action()));
                    if self.is_dead() && self.dies_at.is_some_and(|(_, done)| !done) {
                        return;
                    }
                    let mut answer = self.cloud.call(identity, &operation);
                    if self.is_dead() {
                        return;
                    }
                    answer.at = self.at;
                    answer.duration_us = self.cloud.takes_us;
                    effects.extend(self.state.update(Event::CallFinished { id, answer }));
                }
                Effect::After { timer, millis } => {
                    self.waited_ms.push(millis);
                    self.messages.extend(self.state.view().message.clone());
                    effects.extend(self.state.update(Event::TimerFired(timer)));
                }
                Effect::Advance { timer, .. } => {
                    effects.extend(self.state.update(Event::Advanced { timer, moved: true }));
                }
                Effect::CacheResponses(verified) => {
                    self.kept.retain(|kept| kept.stage != verified.stage);
                    self.kept.push(*verified);
                }
                Effect::LoadResponses { stage, account } => {
                    self.loads.push((stage, account));
                    let found = Ok(self.kept.iter().find(|kept| kept.stage == stage).cloned().map(Box::new));
                    effects.extend(self.state.update(Event::ResponsesLoaded { stage, found }));
                }
                Effect::Save(kept) => {
                    let text = serde_json::to_string(&kept).unwrap();
                    self.saved = Some(serde_json::from_str(&text).unwrap());
                }
                Effect::TakeOver { run, .. } => self.taken_over.push(run),
                Effect::Adopt(taken) => self.adopted.push(format!("{} {}", taken.operation, taken.name)),
                Effect::Report(report) => self.reports.push(report),
                Effect::Copy(_) | Effect::Export(_) | Effect::Edit(_) => {}
                Effect::Trace(requests) => {
                    let asked = self.cloud.trace(requests);
                    effects.extend(self.state.update(Event::Traced(asked)));
                }
                Effect::Reconnect => {}
                Effect::Inspect { serial, inquiry } => self.inspections.push((serial, inquiry)),
                Effect::Exit => self.exited = true,
                Effect::OpenShell => {}
                Effect::StartOver => self.started_over = true,
            }
        }
    }

    /// Does the stages up to and including `last`.
    pub fn run_to(&mut self, last: Stage) {
        while self.state.check(last).is_none() && !self.is_dead() {
            self.press(Intent::Advance);
        }
    }

    pub fn observed(&self, stage: Stage) -> (bool, &str) {
        let check = self.state.check(stage).expect("the stage has ended");
        (check.met, &check.observed)
    }
}
