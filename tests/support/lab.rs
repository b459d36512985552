//! States as the lab makes them, from answers as AWS gives them; ids and times are fixed.

mod states;

use kmslab::lab::insight::{Inquiry, Traced};
use kmslab::lab::{
    Answer, Backend, BackendKind, CallError, CallId, Effect, Event, Experiment, Identity, Intent, Names, Operation,
    Place, Quiz, RecordedStage, Response, SavedSession, Stage, State, Wire,
};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use serde_json::{Value, json};
pub use states::every_state;

pub const ACCOUNT: &str = "111122223333";
pub const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

pub fn key_arn() -> String {
    format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}")
}

/// A stand-in for the services: it knows how far the lab is and answers accordingly.
pub struct Services {
    /// The key policy.
    pub policy: String,
    pub table: Option<&'static str>,
    user_may_decrypt: bool,
    deletion: bool,
    disabled: bool,
    /// Whether nobody may enable the key again.
    pub stays_disabled: bool,
    answered: u32,
    /// Whether a Scan asks KMS: not every server does.
    pub enforces_kms: bool,
    /// Whether a table stays CREATING.
    pub is_slow: bool,
    /// How often a table has been described.
    pub described: u32,
    /// How often the SDK sends each call.
    pub tries: u32,
}

impl Services {
    fn new() -> Services {
        let policy = json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
            "Sid": "Enable IAM User Permissions", "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"}]});
        Services {
            policy: serde_json::to_string_pretty(&policy).unwrap(),
            table: None,
            user_may_decrypt: false,
            deletion: false,
            disabled: false,
            stays_disabled: false,
            answered: 0,
            enforces_kms: true,
            is_slow: false,
            described: 0,
            tries: 1,
        }
    }

    fn key(&self) -> Value {
        let mut key = json!({
            "AWSAccountId": ACCOUNT, "KeyId": KEY_ID, "Arn": key_arn(), "CreationDate": 1_767_225_601.0,
            "Enabled": true, "Description": "kmslab 4f2a", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
            "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": false,
        });
        if self.deletion {
            key["KeyState"] = json!("PendingDeletion");
            key["Enabled"] = json!(false);
            key["DeletionDate"] = json!(1_767_830_401.0);
        }
        json!({ "KeyMetadata": key })
    }

    fn table(&self, name: &str, status: &str) -> Value {
        json!({
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "TableName": name,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "TableStatus": status,
            "CreationDateTime": 1_767_225_605.125, "TableSizeBytes": 0, "ItemCount": 0,
            "TableArn": format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}"),
            "TableId": "0f0e0d0c-0b0a-4908-8706-050403020100",
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key_arn()},
            "DeletionProtectionEnabled": false,
        })
    }

    fn user_arn(name: &str) -> String {
        format!("arn:aws:iam::{ACCOUNT}:user/{name}")
    }

    /// Status and body.
    fn respond(&mut self, identity: Identity, operation: &Operation, names: &Names) -> (u16, Value) {
        use Operation as O;
        let ok = |body: Value| (200, body);
        match operation {
            O::GetCallerIdentity => {
                let (user, id) = match identity {
                    Identity::Admin => ("kmslab-admin", "AIDAADMINADMINADMINAD"),
                    Identity::TestUser => (names.user.as_str(), "AIDAUSERUSERUSERUSERU"),
                };
                ok(json!({"Arn": Services::user_arn(user), "UserId": id, "Account": ACCOUNT}))
            }
            O::CreateKey { .. } | O::DescribeKey { .. } => ok(self.key()),
            O::ListKeys => ok(json!({"Keys": [{"KeyId": KEY_ID, "KeyArn": key_arn()}], "Truncated": false})),
            O::ListAccessKeys { .. } => ok(json!({"AccessKeyMetadata": [{"AccessKeyId": "AKIAUSERUSERUSERUSER"}]})),
            O::GetKeyPolicy { .. } => ok(json!({"Policy": self.policy, "PolicyName": "default"})),
            O::PutKeyPolicy { policy, .. } => {
                self.policy.clone_from(policy);
                self.user_may_decrypt = policy.contains("Allow use of the key") && !policy.contains("Deny");
                ok(json!({}))
            }
            O::DisableKey { .. } => {
                self.disabled = true;
                ok(json!({}))
            }
            O::EnableKey { .. } if self.stays_disabled => (
                400,
                json!({"__type": "AccessDeniedException", "Message": format!(
                    "User: {} is not authorized to perform: kms:EnableKey on resource: {} because no identity-based \
                     policy allows the kms:EnableKey action",
                    Services::user_arn("kmslab-admin"), key_arn())}),
            ),
            O::EnableKey { .. } => {
                self.disabled = false;
                ok(json!({}))
            }
            O::CreateAlias { .. } | O::DeleteAlias { .. } | O::PutItem { .. } => ok(json!({})),
            O::ScheduleKeyDeletion { days, .. } => {
                self.deletion = true;
                ok(json!({"KeyId": key_arn(), "DeletionDate": 1_767_830_401.0, "KeyState": "PendingDeletion",
                    "PendingWindowInDays": days}))
            }
            O::CreateTable { table, .. } => {
                self.table = Some("ACTIVE");
                ok(json!({"TableDescription": self.table(table, "CREATING")}))
            }
            O::DescribeTable { table } => match self.table {
                Some(_) if self.is_slow => ok(json!({"Table": self.table(table, "CREATING")})),
                Some(status) => ok(json!({"Table": self.table(table, status)})),
                None => (
                    400,
                    json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
                        "message": format!("Requested resource not found: Table: {table} not found")}),
                ),
            },
            O::DeleteTable { table } => {
                self.table = None;
                ok(json!({"TableDescription": self.table(table, "DELETING")}))
            }
            O::Scan { .. } if self.disabled => {
                let message = format!(
                    "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: {} is disabled. \
                     (Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: \
                     0b1c2d3e-4f50-4162-8374-95a6b7c8d9ea; Proxy: null)",
                    key_arn()
                );
                (400, json!({"__type": "com.amazon.coral.validate#ValidationException", "message": message}))
            }
            O::Scan { .. } if identity == Identity::TestUser && self.enforces_kms && !self.user_may_decrypt => {
                let reason = match self.policy.contains("Deny") {
                    true => "with an explicit deny in a resource-based policy",
                    false => "because no identity-based policy allows the kms:Decrypt action",
                };
                let message = format!(
                    "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: {} is not \
                     authorized to perform: kms:Decrypt on resource: {} {reason} (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; \
                     Request ID: 0b1c2d3e-4f50-4162-8374-95a6b7c8d9ea; Proxy: null)",
                    Services::user_arn(&names.user),
                    key_arn()
                );
                (400, json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": message}))
            }
            O::Scan { .. } => {
                let items = kmslab::lab::stages::items();
                ok(json!({"Count": items.len(), "Items": items, "ScannedCount": items.len()}))
            }
            O::CreateUser { user, .. } => ok(json!({"User": {"Path": "/", "UserName": user,
                "UserId": "AIDAUSERUSERUSERUSERU", "Arn": Services::user_arn(user),
                "CreateDate": "2026-01-01T00:00:11Z"}})),
            O::CreateAccessKey { user } => ok(json!({"AccessKey": {"UserName": user,
                "AccessKeyId": "AKIAUSERUSERUSERUSER", "Status": "Active", "SecretAccessKey": "[redacted]",
                "CreateDate": "2026-01-01T00:00:13Z"}})),
            O::GetRole { role } => ok(json!({"Role": {"Arn": format!("arn:aws:iam::111122223333:role/{role}")}})),
            O::SimulatePrincipalPolicy { .. } => ok(json!({"EvaluationResults": []})),
            O::AttachUserPolicy { .. }
            | O::PutUserPolicy { .. }
            | O::DeleteUserPolicy { .. }
            | O::DetachUserPolicy { .. }
            | O::DeleteAccessKey { .. }
            | O::DeleteUser { .. } => ok(Value::Null),
            other => panic!("no screen shows {other:?}"),
        }
    }

    pub fn answer(&mut self, identity: Identity, operation: &Operation, names: &Names) -> Answer {
        let (status, body) = self.respond(identity, operation, names);
        self.answered += 1;
        self.described += u32::from(operation.name() == "DescribeTable");
        let number = self.answered;
        let request_id = match operation.service().prefix() {
            "dynamodb" => format!(
                "{:0>52}",
                format!("{}VV4KQNSO5AEMVJF66Q9ASUAAJG", "ABCDEFGHJK".repeat(2) + &number.to_string())
            ),
            _ => format!("7a8b9c0d-1e2f-4a3b-8c4d-5e6f708192{number:02x}"),
        };
        let request = match operation {
            Operation::Scan { table } | Operation::DeleteTable { table } => json!({"TableName": table}),
            Operation::PutItem { table, item } => json!({"TableName": table, "Item": item}),
            Operation::CreateAlias { alias, key } => json!({"AliasName": alias, "TargetKeyId": key}),
            Operation::PutKeyPolicy { key, policy } => json!({"KeyId": key, "PolicyName": "default", "Policy": policy}),
            Operation::AttachUserPolicy { user, policy_arn } => json!({"UserName": user, "PolicyArn": policy_arn}),
            _ => json!({}),
        };
        Answer {
            wire: Wire {
                request: format!(
                    "POST / HTTP/1.1\nhost: 127.0.0.1:4599\nx-amz-target: DynamoDB_20120810.{}\nx-amz-date: \
                     20260101T000020Z\nauthorization: [redacted]\n\n{request}",
                    operation.name()
                ),
                response: format!(
                    "HTTP/1.1 {status} OK\ncontent-type: application/x-amz-json-1.0\nx-amzn-requestid: \
                     {request_id}\n\n{body}"
                ),
            },
            request,
            response: Ok(Response { status, request_id: Some(request_id), body }),
            duration_us: 900 + u64::from(number) * 137,
            at: 1_767_227_400 + 60 * u64::from(number),
            tries: self.tries,
        }
    }
}

/// A session under test.
pub struct Session {
    pub state: State,
    pub services: Services,
    pub waiting: Vec<(CallId, Identity, Operation)>,
    /// Timers are not fired: somebody looks at the clock.
    pub holds_timers: bool,
    /// What pages have asked for.
    pub inspections: Vec<(u64, Inquiry)>,
    /// What was kept of stages that were met.
    pub kept: Vec<RecordedStage>,
}

impl Session {
    pub fn new(backend: Backend) -> Session {
        let state = State::new(backend, Names::new("4f2a")).with_quiz(Quiz::new(1));
        let (kept, inspections) = Default::default();
        Session { state, services: Services::new(), waiting: Vec::new(), holds_timers: false, kept, inspections }
    }

    pub fn sandbox() -> Session {
        Session::named("4f2a")
    }

    /// On the sandbox, with `run` in all names.
    pub fn named(run: &str) -> Session {
        let mut session = Session::new(Backend {
            kind: BackendKind::Sandbox,
            region: "us-east-1".into(),
            endpoint: Some("http://127.0.0.1:4599".into()),
            given_user: false,
        });
        session.state.set_names(Names::new(run));
        session
    }

    /// On the sandbox, with a person who sees what PutKeyPolicy would change.
    pub fn reviewing() -> Session {
        let mut session = Session::sandbox();
        session.state = session.state.with_review();
        session.after(Stage::Grant)
    }

    /// On AWS, with a yes that was given before.
    pub fn aws() -> Session {
        let mut session = Session::unasked();
        session.state.set_accepted_account(Some(ACCOUNT.to_owned()));
        session
    }

    /// On AWS, and nobody has said yes.
    pub fn unasked() -> Session {
        Session::new(Backend {
            kind: BackendKind::Aws,
            region: "eu-central-1".into(),
            endpoint: None,
            given_user: false,
        })
    }

    /// Sends an event and keeps the calls that come of it.
    pub fn event(&mut self, event: Event) {
        for effect in self.state.update(event) {
            match effect {
                Effect::Call { id, identity, operation } => self.waiting.push((id, identity, operation)),
                Effect::After { .. } if self.holds_timers => {}
                Effect::After { timer, .. } => self.event(Event::TimerFired(timer)),
                Effect::Advance { timer, .. } => self.event(Event::Advanced { timer, moved: true }),
                Effect::Trace(requests) => {
                    let asked = requests.into_iter().map(|request| (request, Traced::Allowed)).collect();
                    self.event(Event::Traced(asked));
                }
                Effect::Inspect { serial, inquiry } => self.inspections.push((serial, inquiry)),
                Effect::CacheResponses(verified) => self.kept.push(*verified),
                Effect::LoadResponses { stage, .. } => {
                    let found = self.kept.iter().find(|kept| kept.stage == stage).cloned().map(Box::new);
                    self.event(Event::ResponsesLoaded { stage, found: Ok(found) });
                }
                Effect::Save(_)
                | Effect::TakeOver { .. }
                | Effect::Adopt(_)
                | Effect::Reconnect
                | Effect::OpenShell => {}
                Effect::Report(_) | Effect::Copy(_) | Effect::Export(_) => {}
                Effect::Edit(_) | Effect::Exit | Effect::StartOver => {}
            }
        }
    }

    /// Answers the open question with the right answer, or with a wrong one.
    pub fn predict(&mut self, right: bool) -> &mut Self {
        let asked = self.state.open_question().expect("a question is open");
        let place = asked.answers.iter().position(|(_, reply)| reply.right == right).unwrap();
        self.event(Event::Intent(Intent::Choose(place.try_into().unwrap())));
        self
    }

    /// What a person does; before Enter, the question is answered.
    pub fn intent(&mut self, intent: Intent) -> &mut Self {
        if intent == Intent::Advance && self.state.waits_for_answer() {
            self.predict(true);
        }
        self.event(Event::Intent(intent));
        self
    }

    /// Answers what waits, and what comes of that.
    pub fn answer_all(&mut self) -> &mut Self {
        while !self.waiting.is_empty() {
            self.answer_one();
        }
        self
    }

    pub fn answer_one(&mut self) {
        let (id, identity, operation) = self.waiting.remove(0);
        let answer = self.services.answer(identity, &operation, self.state.names());
        self.event(Event::CallFinished { id, answer: Box::new(answer) });
    }

    /// No answer comes to what waits.
    pub fn fail_all(&mut self) -> &mut Self {
        self.fail_all_with("dispatch failure: io error: connection refused to http://127.0.0.1:4599")
    }

    pub fn fail_all_with(&mut self, message: &str) -> &mut Self {
        for (id, _, _) in std::mem::take(&mut self.waiting) {
            let mut answer = self.services.answer(Identity::Admin, &Operation::GetCallerIdentity, self.state.names());
            answer.response = Err(CallError {
                message: message.into(),
                remedy: "check that the endpoint is up, then press r".into(),
            });
            answer.wire.response = String::new();
            self.event(Event::CallFinished { id, answer: Box::new(answer) });
        }
        self
    }

    /// On AWS, at `stage` when nothing answers any more; an earlier run has met everything.
    pub fn cut_off(stage: Stage) -> Session {
        let kept = Session::aws().after(Stage::CleanUp).kept;
        let mut session = Session::aws().before(stage);
        session.kept = kept;
        session.intent(Intent::Advance);
        while !session.waiting.is_empty() {
            session.fail_all();
        }
        session
    }

    /// A session, on AWS or on the sandbox, that is offered to go on where one has ended after `stage`; nothing is
    /// looked at yet.
    pub fn offered(aws: bool, stage: Stage) -> Session {
        let start = || if aws { Session::aws() } else { Session::sandbox() };
        start().offering(start().after(stage), |_| ())
    }

    /// This session, which is offered to go on where `before` has ended, with `change` made to what was kept of it.
    pub fn offering(mut self, mut before: Session, change: impl FnOnce(&mut SavedSession)) -> Session {
        let names = Names { created: Some("2026-01-01T00:10:00Z".to_owned()), ..before.state.names().clone() };
        before.state.set_names(names);
        before.state.save_at(Place::new(before.state.backend()));
        let mut kept = before.state.saved().unwrap();
        change(&mut kept);
        self.services = before.services;
        for effect in self.state.offer_to_resume(kept) {
            if let Effect::Call { id, identity, operation } = effect {
                self.waiting.push((id, identity, operation));
            }
        }
        self
    }

    /// Goes to `stage` and stops before its calls are sent.
    pub fn before(mut self, stage: Stage) -> Session {
        while self.state.view().shown < stage {
            self.intent(Intent::Advance).answer_all();
            self.intent(Intent::ShowNext);
        }
        self
    }

    /// Opens the experiments, goes through the stages before it where that is still to be done, and shows `which`.
    pub fn at_the_experiments(self, which: Experiment) -> Session {
        let mut session =
            if self.state.check(Stage::ViewAgain).is_some() { self } else { self.after(Stage::ViewAgain) };
        session.intent(Intent::ToggleExperiments).intent(Intent::MoveCursor(i8::MIN));
        session.intent(Intent::MoveCursor(which.index().try_into().unwrap())).intent(Intent::Advance);
        session
    }

    /// Goes to `stage` and has its calls answered.
    pub fn after(self, stage: Stage) -> Session {
        let mut session = self.before(stage);
        session.intent(Intent::Advance).answer_all();
        session
    }
}

/// What a screen shows, and below it, row by row, the styles of its cells.
pub fn styled_dump(buffer: &Buffer) -> String {
    let rows = buffer.area.top()..buffer.area.bottom();
    let styles = rows.map(|y| (y, styles_of_row(buffer, y))).filter(|(_, styles)| !styles.is_empty());
    let styles: String = styles.map(|(y, styles)| format!("{y}: {styles}\n")).collect();
    format!("{}--\n{styles}", text_dump(buffer))
}

/// Each run of cells in this row that have the same style; none of those with the usual one.
fn styles_of_row(buffer: &Buffer, y: u16) -> String {
    let style = |x: u16| buffer[(x, y)].style();
    let color = |name: &str, color: Option<Color>| match color {
        Some(color) if color != Color::Reset => format!(" {name}={color}"),
        _ => String::new(),
    };
    let mut runs = Vec::new();
    let mut x = buffer.area.left();
    while x < buffer.area.right() {
        let (start, same) = (x, style(x));
        while x < buffer.area.right() && style(x) == same {
            x += 1;
        }
        if same != Cell::default().style() {
            let (fg, bg) = (color("fg", same.fg), color("bg", same.bg));
            let modifier = same.add_modifier;
            let modifier = if modifier.is_empty() { String::new() } else { format!(" {modifier:?}") };
            runs.push(format!("{start}-{}{fg}{bg}{modifier}", x - 1));
        }
    }
    runs.join("; ")
}

/// What a screen shows.
pub fn text_dump(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let row: String = (buffer.area.left()..buffer.area.right()).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}
