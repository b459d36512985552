//! The pages that explain: why, trail, at rest.

use std::sync::Arc;

use kmslab::lab::insight::documents::{Documents, decide_again, request_id};
use kmslab::lab::insight::{Finding, at_rest::AtRest, trail};
use kmslab::lab::{Event, Exchange, Identity, Intent, Operation, Page, Stage};
use kmslab::policy::{Grant, GrantConstraints, PolicySource};
use kmslab::record::{Palette, svg};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use serde_json::{Value, json};

use super::album::{album, assert_album};
use super::{SIZES, dark};
use crate::support::lab::{ACCOUNT, Session, key_arn, styled_dump, text_dump};

fn grants(table: &str) -> Vec<Grant> {
    vec![Grant {
        grant_id: "0c237476b39f8bc44e45212e08498fbe3151305030726c0590dd8d3e9f3d6a60".into(),
        grant_token: String::new(),
        key_id: key_arn(),
        grantee_principal: "dynamodb.us-east-1.amazonaws.com".into(),
        retiring_principal: Some("dynamodb.us-east-1.amazonaws.com".into()),
        issuing_account: format!("arn:aws:iam::{ACCOUNT}:root"),
        name: None,
        operations: vec!["Decrypt".into(), "GenerateDataKey".into()],
        constraints: Some(GrantConstraints::EncryptionContextSubset(
            [("aws:dynamodb:tableName".to_owned(), table.to_owned())].into(),
        )),
        creation_date: 1_767_225_605.0,
    }]
}

/// The documents behind a call, as they are at the end of the session.
fn documents(session: &Session, identity: Identity) -> Documents {
    let (name, text) = match identity {
        Identity::Admin => ("AdministratorAccess", include_str!("../../../assets/policies/AdministratorAccess.json")),
        Identity::TestUser => {
            ("AmazonDynamoDBFullAccess", include_str!("../../../assets/policies/AmazonDynamoDBFullAccess.json"))
        }
    };
    let source = PolicySource::Managed { name: name.to_owned(), arn: format!("arn:aws:iam::aws:policy/{name}") };
    Documents {
        key_policy: Some(session.services.policy.clone()),
        grants: grants(&session.state.names().table),
        identity: vec![(source, text.to_owned())],
        unique_id: None,
        unread: Vec::new(),
    }
}

fn all(session: &Session) -> Vec<Exchange> {
    let stages = Stage::ALL.iter().flat_map(|stage| session.state.record(*stage).exchanges());
    stages.map(Exchange::clone).collect()
}

/// As the sandbox would decide: admin's Scan finds the table key in memory.
pub(super) fn decisions(session: &Session) -> Finding {
    let facts = session.state.shown_facts();
    let mut decisions = Vec::new();
    let mut has_key = false;
    for exchange in all(session) {
        let caller = match exchange.identity {
            Identity::Admin => &facts.admin,
            Identity::TestUser => &facts.test_user,
        };
        let Some(caller) = caller else { continue };
        let (mut decided, _) =
            decide_again(&exchange, caller, facts, "us-east-1", &documents(session, exchange.identity));
        if has_key && exchange.identity == Identity::Admin {
            decided.retain(|decided| decided.action != "kms:Decrypt");
        }
        has_key |= matches!(exchange.operation, Operation::PutItem { .. });
        decisions.extend(decided);
    }
    Finding::Decisions(decisions)
}

/// As the sandbox would remember it.
pub(super) fn events(session: &Session) -> Finding {
    let mut events = Vec::new();
    let mut seconds = 0;
    let mut has_key = false;
    let mut push = |name: &str, identity: Value, context: bool, id: &str, cause: Option<&str>, verdict: &str| {
        let pairs =
            json!({"aws:dynamodb:tableName": session.state.names().table, "aws:dynamodb:subscriberId": ACCOUNT});
        seconds += 1;
        let mut event = json!({
            "eventTime": format!("2026-01-01T00:00:{seconds:02}Z"), "eventName": name, "userIdentity": identity,
            "requestParameters": if context { json!({"encryptionContext": pairs}) } else { json!({}) },
            "requestID": id, "verdict": verdict,
        });
        if let Some(cause) = cause {
            event["causedBy"] = json!(cause);
        }
        events.push(serde_json::from_value::<trail::Event>(event).unwrap());
    };
    for exchange in all(session) {
        let user = match exchange.identity {
            Identity::Admin => "kmslab-admin",
            Identity::TestUser => session.state.names().user.as_str(),
        };
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{user}");
        let own = json!({ "arn": arn });
        let asked = json!({"arn": arn, "invokedBy": "dynamodb.amazonaws.com"});
        let (id, verdict) = (request_id(&exchange), exchange.verdict.key());
        match &exchange.operation {
            operation if operation.service().prefix() == "kms" => push(operation.name(), own, false, id, None, verdict),
            Operation::CreateTable { .. } => {
                push("DescribeKey", asked.clone(), false, "a", Some(id), verdict);
                push("CreateGrant", asked, false, "b", Some(id), verdict);
                push("GenerateDataKey", json!({"invokedBy": "dynamodb.amazonaws.com"}), true, "c", Some(id), verdict);
            }
            Operation::PutItem { .. } if !has_key => {
                has_key = true;
                push("Decrypt", asked, true, "d", Some(id), verdict);
            }
            Operation::Scan { .. } if exchange.identity == Identity::TestUser => {
                push("Decrypt", asked, true, "e", Some(id), verdict);
            }
            _ => {}
        }
    }
    Finding::Trail(events)
}

pub(super) fn table(session: &Session) -> Finding {
    let record = |byte: u8, bytes: usize| {
        let hex = |seed: u8, count: usize| -> String {
            (0..count)
                .map(|at| format!("{:02x}", seed.wrapping_mul(37).wrapping_add((at as u8).wrapping_mul(101))))
                .collect()
        };
        json!({"nonce": hex(byte + 1, 12), "ciphertext": hex(byte + 2, bytes.min(64)),
            "bytes": bytes, "tag": hex(byte + 3, 16)})
    };
    let name = &session.state.names().table;
    let at_rest: AtRest = serde_json::from_value(json!({
        "database": "/tmp/kmslab-Zx81Kq/kmslab.db", "table": name, "keyArn": key_arn(),
        "encryptionContext": {"aws:dynamodb:tableName": name, "aws:dynamodb:subscriberId": ACCOUNT},
        "tableKey": {"bytes": 109}, "dataKey": {"bytes": 32}, "items": 3,
        "records": [record(1, 71), record(9, 69), record(17, 78)],
    }))
    .unwrap();
    Finding::AtRest(Box::new(at_rest))
}

/// Opens `page` and answers what it asks.
pub(super) fn open(session: &mut Session, page: Page, finding: impl Fn(&Session) -> Finding) {
    session.intent(Intent::TogglePage(page));
    for (serial, _) in std::mem::take(&mut session.inspections) {
        let finding = finding(session);
        session.event(Event::Inspected { serial, finding });
    }
}

/// All lines of the page, on a screen that has room for them.
fn page_text(state: &kmslab::lab::State) -> Vec<String> {
    let text = text_dump(&render(state, &dark(), ratatui::layout::Size::new(116, 160)));
    text.lines()
        .filter_map(|line| line.strip_prefix('│'))
        .map(|line| line.trim_matches(['│', ' ']).to_owned())
        .collect()
}

fn opened(mut session: Session, page: Page, finding: impl Fn(&Session) -> Finding) -> Session {
    open(&mut session, page, finding);
    session
}

fn denied() -> Session {
    Session::named("0123abcd").after(Stage::ViewDenied)
}

#[test]
fn why() {
    let mut allowed = Session::named("0123abcd").after(Stage::ViewDenied);
    allowed.intent(Intent::FocusOther);
    let again = {
        let mut session = Session::named("0123abcd").after(Stage::ViewAgain);
        session.intent(Intent::FocusOther);
        session
    };
    let denied = opened(denied(), Page::Why, decisions);
    let allowed = opened(allowed, Page::Why, decisions);
    let again = opened(again, Page::Why, decisions);
    let direct = opened(Session::named("0123abcd").after(Stage::Grant), Page::Why, decisions);
    assert_album(
        "why",
        album([
            ("denied".to_owned(), &denied.state, SIZES[0]),
            ("denied".to_owned(), &denied.state, SIZES[1]),
            ("denied".to_owned(), &denied.state, SIZES[2]),
            ("allowed, from memory".to_owned(), &allowed.state, SIZES[0]),
            ("allowed by the key policy".to_owned(), &again.state, SIZES[0]),
            ("a call to KMS itself".to_owned(), &direct.state, SIZES[0]),
        ]),
    );
}

/// Each document once, of a long list what concerns the call, and a grant in words.
#[test]
fn why_is_no_dump() {
    let session = opened(denied(), Page::Why, decisions);
    let text = page_text(&session.state);
    let all = text.join(" ");
    assert!(text.len() < 40, "{} lines:\n{all}", text.len());
    assert_eq!(all.matches("\"Sid\": \"Enable IAM User Permissions\"").count(), 1, "{all}");
    // One rung up, and two down from there.
    let at = |rows: i8| {
        let mut session = opened(denied(), Page::Why, decisions);
        session.intent(Intent::MoveCursor(rows));
        page_text(&session.state).join(" ")
    };
    assert!(at(i8::MIN).contains("\"dynamodb:*\""), "{}", at(i8::MIN));
    assert!(at(1).contains("more, none of them kms:Decrypt"), "{}", at(1));
    let all = at(2);
    assert!(all.contains("• the key's grants, the grant 0c237476…: "), "{all}");
    assert!(all.contains("to         dynamodb.us-east-1.amazonaws.com"), "{all}");
    assert!(all.contains("made       2026-01-01 00:00:05 UTC"), "{all}");
    assert!(!all.contains("CreationDate") && !all.contains("\"Name\""), "{all}");
    assert!(all.contains("the service's message, unchanged"), "{all}");
}

#[test]
fn what_is_masked_is_not_called_unchanged() {
    let mut session = Session::named("0123abcd");
    session.state.mask();
    let session = opened(session.after(Stage::ViewDenied), Page::Why, |_| Finding::NotTold);
    let text = text_dump(&render(&session.state, &dark(), SIZES[1]));
    assert!(text.contains("the service's message, with pseudonyms"), "{text}");
}

/// On AWS the ladder comes from the documents, and says what it lacks.
#[test]
fn why_without_a_trace() {
    let on_aws = || Session::aws().after(Stage::ViewDenied);
    let read = opened(on_aws(), Page::Why, |s| Finding::Documents(documents(s, Identity::TestUser)));
    let partly = opened(on_aws(), Page::Why, |s| {
        let unread = vec![format!(
            "the policies attached to user {} could not be read: AccessDenied (iam:ListAttachedUserPolicies)",
            s.state.names().user
        )];
        Finding::Documents(Documents { identity: Vec::new(), unread, ..documents(s, Identity::TestUser) })
    });
    let mut changed = Session::aws().after(Stage::ViewAgain);
    changed.intent(Intent::ShowPrevious).intent(Intent::ShowPrevious).intent(Intent::FocusOther);
    let changed = opened(changed, Page::Why, |s| Finding::Documents(documents(s, Identity::TestUser)));
    let late = opened(on_aws(), Page::Why, |_| Finding::Failed("no answer within 30 s".into()));
    assert_album(
        "why_without_a_trace",
        album([
            ("all documents".to_owned(), &read.state, SIZES[1]),
            ("some can't be read".to_owned(), &partly.state, SIZES[1]),
            ("they have changed since".to_owned(), &changed.state, SIZES[1]),
            ("nothing came".to_owned(), &late.state, SIZES[0]),
        ]),
    );
}

/// What could not be read, and what binds nobody, is no verdict.
#[test]
fn what_is_not_known_is_never_taken_for_a_verdict() {
    let picture = |session: &Session| styled_dump(&render(&session.state, &dark(), SIZES[1]));
    let on_aws = |identity| {
        let mut session = Session::aws().after(Stage::ViewDenied);
        if identity == Identity::Admin {
            session.intent(Intent::FocusOther);
        }
        session
    };
    let keyless = picture(&opened(on_aws(Identity::TestUser), Page::Why, |s| {
        let unread = vec!["the key policy could not be read: AccessDenied (kms:GetKeyPolicy)".to_owned()];
        Finding::Documents(Documents { key_policy: None, unread, ..documents(s, Identity::TestUser) })
    }));
    assert!(keyless.contains("! Something that isn't known here denied it."), "{keyless}");
    let with_mfa = picture(&opened(on_aws(Identity::Admin), Page::Why, |s| {
        let mut all = documents(s, Identity::Admin);
        let deny = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}"#;
        let source = PolicySource::Inline { user: "kmslab-admin".into(), name: "mfa".into() };
        all.identity.push((source, deny.to_owned()));
        Finding::Documents(all)
    }));
    assert!(with_mfa.contains("└─ ?  incomplete: something that isn't known"), "{with_mfa}");
    assert!(with_mfa.contains("aws:MultiFactorAuthPresent, which isn't known here"), "{with_mfa}");
    // A lab refuses root in its first stage. A kept session may name it, if that stage was not met: it is not verified.
    let mut root = Session::aws().offering(Session::aws().after(Stage::ViewDenied), |kept| {
        kept.facts.admin.as_mut().unwrap().arn = format!("arn:aws:iam::{ACCOUNT}:root");
        kept.stages[0].check.as_mut().unwrap().met = false;
        // The ids of new calls begin at 1 again.
        let exchanges = kept.stages.iter_mut().flat_map(|stage| &mut stage.exchanges);
        exchanges.for_each(|exchange| Arc::make_mut(exchange).id.0 += 1000);
    });
    root.answer_all().intent(Intent::Advance).answer_all();
    root.intent(Intent::ShowPrevious);
    assert_eq!(root.state.view().shown, Stage::ViewDenied);
    let root = picture(&opened(root, Page::Why, |s| {
        Finding::Documents(Documents { identity: Vec::new(), ..documents(s, Identity::Admin) })
    }));
    assert!(root.contains("IAM policies don't limit it") && root.contains("the lock, the key"), "{root}");
}

/// Any server may call itself a sandbox.
#[test]
fn what_a_server_tells_of_the_database_steers_nothing() {
    let session = opened(denied(), Page::AtRest, |s| {
        let Finding::AtRest(mut told) = table(s) else { unreachable!("it is a table") };
        told.records[0].ciphertext = "ab\u{1b}[31m\u{202e}cd".to_owned();
        Finding::AtRest(told)
    });
    let picture = styled_dump(&render(&session.state, &dark(), SIZES[1]));
    assert!(picture.contains("ab␛[31m\u{fffd}cd…") && !picture.contains(['\u{1b}', '\u{202e}']), "{picture}");
}

#[test]
fn trail_and_at_rest() {
    let trail = opened(denied(), Page::Trail, events);
    let at_rest = opened(denied(), Page::AtRest, table);
    let mut top = opened(denied(), Page::Trail, events);
    top.intent(Intent::ScrollTo(0));
    let aws = |page| opened(Session::aws().after(Stage::ViewDenied), page, |_| Finding::NotTold);
    let (aws_trail, aws_at_rest) = (aws(Page::Trail), aws(Page::AtRest));
    let early = opened(Session::sandbox(), Page::AtRest, table);
    assert_album(
        "trail_and_at_rest",
        album([
            ("trail".to_owned(), &trail.state, SIZES[0]),
            ("trail, from the top".to_owned(), &top.state, SIZES[1]),
            ("trail".to_owned(), &trail.state, SIZES[2]),
            ("trail on AWS".to_owned(), &aws_trail.state, SIZES[0]),
            ("at rest".to_owned(), &at_rest.state, SIZES[0]),
            ("at rest".to_owned(), &at_rest.state, SIZES[1]),
            ("at rest".to_owned(), &at_rest.state, SIZES[2]),
            ("at rest on AWS".to_owned(), &aws_at_rest.state, SIZES[0]),
            ("at rest before the table".to_owned(), &early.state, SIZES[0]),
        ]),
    );
}

/// A recorded answer was decided in another run: nobody is asked about it.
#[test]
fn why_of_a_recorded_answer_is_not_asked() {
    let mut session = super::replay::replayed();
    session.intent(Intent::FocusOther).intent(Intent::TogglePage(Page::Why));
    assert_eq!(session.inspections, []);
    for size in SIZES {
        let text = text_dump(&render(&session.state, &dark(), size));
        for words in ["⟳ REPLAY   ✘ DENIED   test-user ─▸", "recorded earlier", "KMS key access denied error"] {
            assert!(text.contains(words), "{words}:\n{text}");
        }
    }
}

/// Writes pictures for a person to look at: `cargo test --test it insight -- --ignored`.
#[test]
#[ignore = "for people: writes SVG files to target/pictures"]
fn pictures_of_the_pages() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, page, finding) in [
        ("why", Page::Why, decisions as fn(&Session) -> Finding),
        ("trail", Page::Trail, events),
        ("at-rest", Page::AtRest, table),
    ] {
        let session = opened(denied(), page, finding);
        for size in SIZES {
            let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
            let picture = svg(&render(&session.state, &theme, size), &Palette::DARK, name, name);
            std::fs::write(folder.join(format!("{name}-{}x{}.svg", size.width, size.height)), picture).unwrap();
        }
    }
    println!("{}", folder.display());
}
