//! The pages that explain, on the real sandbox: the ladder from its trace and the one from the documents are the same.

use kmslab::aws::{Clients, Timing};
use kmslab::lab::insight::at_rest::{SQL, Seen, command};
use kmslab::lab::insight::documents::{decide_again, request_id};
use kmslab::lab::insight::ladder::{Decided, Ladder, Lock, Word, earlier_decrypt, ladders};
use kmslab::lab::insight::{Finding, Inquiry};
use kmslab::lab::{
    Backend, BackendKind, CallId, Effect, Event, Exchange, Identity, Intent, Names, Operation, Stage, State,
};
use kmslab::run::inspect::find_out;
use kmslab::sandbox::{Config, Sandbox};
use tokio::runtime::Runtime;

use crate::support::fake::{Fake, response};

fn lab(sandbox: &Sandbox, kind: BackendKind) -> (State, Clients) {
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let backend = Backend {
        kind,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    (State::new(backend, Names::new("q7k2m9x4")), clients)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Goes through the whole lab, one call after the other, and hands each to `each`: the exchange, the state after it, and
/// the caller's documents as they were before it.
fn walk(sandbox: &Sandbox, mut each: impl FnMut(&Exchange, &State, &kmslab::lab::insight::documents::Documents)) {
    let (mut state, clients) = lab(sandbox, BackendKind::Sandbox);
    let runtime = runtime();
    while !state.is_finished() {
        let mut waiting = vec![Event::Intent(Intent::Advance)];
        while let Some(event) = waiting.pop() {
            for effect in state.update(event) {
                let Effect::Call { id, identity, operation } = effect else { continue };
                let caller = match identity {
                    Identity::Admin => &state.shown_facts().admin,
                    Identity::TestUser => &state.shown_facts().test_user,
                };
                let arn = caller.as_ref().map(|caller| caller.arn.clone());
                let key = state.shown_facts().key_arn().map(str::to_owned);
                let documents = runtime.block_on(clients.documents(arn.as_deref(), key.as_deref()));
                let answer = Box::new(runtime.block_on(clients.call(identity, &operation)));
                let verdict = answer.verdict();
                let stage = state.current();
                let exchange =
                    Exchange { id, stage, identity, operation, attempt: 1, answer: *answer.clone(), verdict };
                each(&exchange, &state, &documents);
                waiting.push(Event::CallFinished { id, answer });
            }
        }
    }
    assert_eq!(state.met(), Stage::ALL.len());
}

/// The sandbox's decisions, as its page gives them.
fn decisions(sandbox: &Sandbox) -> Vec<Decided> {
    serde_json::from_value(serde_json::to_value(sandbox.decisions()).unwrap()).unwrap()
}

#[test]
fn the_ladder_from_the_documents_is_the_one_from_the_trace() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (mut compared, mut denied) = (0, 0);
    walk(&sandbox, |exchange, state, documents| {
        let all = decisions(&sandbox);
        let caller = match exchange.identity {
            Identity::Admin => &state.shown_facts().admin,
            Identity::TestUser => &state.shown_facts().test_user,
        };
        let Some(caller) = caller else { return };
        let mut traced = ladders(&all, request_id(exchange));
        // What DynamoDB decides for itself is not the caller's.
        traced.retain(|ladder| ladder.principal == caller.arn);
        let reads = matches!(exchange.operation, Operation::Scan { .. } | Operation::PutItem { .. });
        if reads && traced.len() == 1 {
            traced.extend(earlier_decrypt(&all, request_id(exchange), |_| true).map(Ladder::of));
        }
        // The key is known from its own answer on.
        let mut facts = state.shown_facts().clone();
        facts.learn(exchange);
        let (decided, unread) = decide_again(exchange, caller, &facts, sandbox.region(), documents);
        let computed: Vec<Ladder> = decided.iter().map(Ladder::of).collect();
        assert_eq!(computed, traced, "{} as {}", exchange.operation.name(), exchange.identity.name());
        // The sandbox has no groups of users, and says so.
        assert!(unread.iter().all(|reason| reason.contains("the groups of user")), "{unread:?}");
        let is_denied = exchange.verdict.key() == "denied";
        if !computed.is_empty() {
            assert_eq!(computed.iter().all(|ladder| ladder.allowed), !is_denied, "{}", exchange.operation.name());
        }
        compared += computed.len();
        denied += usize::from(is_denied);
    });
    assert!(compared > 30 && denied == 1, "{compared} ladders, {denied} denied calls");
}

#[test]
fn the_denied_scans_second_lock_lacks_an_allow() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let mut seen = Vec::new();
    walk(&sandbox, |exchange, _, _| {
        if exchange.identity == Identity::TestUser && matches!(exchange.operation, Operation::Scan { .. }) {
            seen.push(ladders(&decisions(&sandbox), request_id(exchange)));
        }
    });
    let words = |ladder: &Ladder| ladder.rungs.iter().map(|rung| (rung.word, rung.decides)).collect::<Vec<_>>();
    let (no, yes, but) = (Word::No, Word::Yes, Word::YesBut);
    for ladders in &seen {
        assert_eq!((ladders[0].lock, ladders[0].action.as_str()), (Lock::Table, "dynamodb:Scan"));
        assert_eq!(words(&ladders[0]), [(no, false), (yes, true)]);
        assert_eq!((ladders[1].lock, ladders[1].action.as_str()), (Lock::Key, "kms:Decrypt"));
    }
    let before = &seen[0][1];
    assert_eq!(words(before), [(no, false), (no, false), (but, true), (no, false)]);
    let own = before.rungs[2].looked_at.first().unwrap();
    assert_eq!(own.policy, "the managed policy AmazonDynamoDBFullAccess");
    assert!(own.result.contains("kms:DescribeKey, kms:ListAliases or"), "{}", own.result);
    assert!(own.json["Action"].as_array().unwrap().iter().any(|action| action == "kms:ListAliases"), "{}", own.json);
    let after = &seen[1][1];
    assert_eq!(words(after), [(no, false), (yes, true), (but, false), (no, false)]);
    assert_eq!(after.rungs[1].looked_at[0].name, "\"Allow use of the key\"");
}

/// The page of a table and the database itself say the same; neither holds a word of the items.
#[test]
fn what_lies_in_the_database_is_what_the_page_shows() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (mut state, clients) = lab(&sandbox, BackendKind::Sandbox);
    let runtime = runtime();
    while state.check(Stage::ViewAdmin).is_none() {
        let mut waiting = vec![Event::Intent(Intent::Advance)];
        while let Some(event) = waiting.pop() {
            for effect in state.update(event) {
                let Effect::Call { id, identity, operation } = effect else { continue };
                let answer = Box::new(runtime.block_on(clients.call(identity, &operation)));
                waiting.push(Event::CallFinished { id, answer });
            }
        }
    }
    let table = state.names().table.clone();
    let look = || {
        let inquiry = Inquiry::AtRest { table: table.clone() };
        match runtime.block_on(find_out(&clients, &inquiry)) {
            Finding::AtRest(at_rest) => *at_rest,
            other => panic!("{other:?}"),
        }
    };
    let at_rest = look();
    assert_eq!((at_rest.items, at_rest.records.len()), (3, 3));
    assert_eq!(at_rest.key_arn.as_deref(), state.shown_facts().key_arn());
    assert_eq!(at_rest.database, sandbox.database().display().to_string());
    assert!(command(&at_rest).contains(SQL) && command(&at_rest).starts_with("sqlite3 -readonly "));

    // The line that the page says to run.
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = rusqlite::Connection::open_with_flags(&at_rest.database, flags).unwrap();
    let mut statement = database.prepare(SQL).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok([row.get::<_, String>(0)?, row.get(1)?, row.get(2)?]);
    let rows: Vec<[String; 3]> = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    for (row, stored) in rows.iter().zip(&at_rest.records) {
        assert_eq!([&row[0], &row[1]], [&table, &stored.nonce.to_uppercase()]);
        assert!(row[2].starts_with(&stored.ciphertext.to_uppercase()) && row[2].ends_with(&stored.tag.to_uppercase()));
        assert_eq!(row[2].len(), 2 * (stored.bytes + 16));
        assert_eq!((stored.nonce.len(), stored.tag.len()), (24, 32));
    }
    let page = serde_json::to_string(&at_rest).unwrap();
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for word in ["Ada", "migraine", "p-001"] {
        assert!(!page.contains(word) && !page.contains(&hex(word)), "{word}");
        assert!(rows.iter().all(|row| !row[2].contains(&hex(word).to_uppercase())), "{word}");
    }

    // The rows stand in the order of the Scan: another text for the second item changes the second row.
    let Seen::Items(items) = state.seen(Identity::Admin) else { panic!("admin has scanned") };
    let mut second = items[1].clone();
    second.insert("note".to_owned(), serde_json::json!({"S": "longer"}));
    let put = Operation::PutItem { table: table.clone(), item: second };
    assert_eq!(runtime.block_on(clients.call(Identity::Admin, &put)).verdict().key(), "allowed");
    let after = look();
    let changed: Vec<bool> =
        after.records.iter().zip(&at_rest.records).map(|(after, before)| after != before).collect();
    assert_eq!(changed, [false, true, false]);
}

/// A server that is no sandbox of kmslab, or is gone, is never waited for.
#[test]
fn unknown_facts_are_reported_as_unknown() {
    let runtime = runtime();
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (_, clients) = lab(&sandbox, BackendKind::Endpoint);
    let why = Inquiry::Why { call: CallId(1), caller: Some("arn:aws:iam::111122223333:user/nobody".into()), key: None };
    let none = Inquiry::AtRest { table: "none".into() };
    let told = runtime.block_on(find_out(&clients, &none));
    assert_eq!(told, Finding::Failed("there is no table of this name".into()));
    assert!(matches!(runtime.block_on(find_out(&clients, &why)), Finding::Decisions(_)));
    drop(sandbox);
    let timing = Timing { attempts: Some(1), ..Timing::default() };
    let gone = Clients::with_keys("http://127.0.0.1:1", "us-east-1", "AKIAEXAMPLE", "secret", timing);
    let Finding::Failed(reason) = runtime.block_on(find_out(&gone, &Inquiry::Trail)) else { panic!("nobody is there") };
    assert!(reason.contains("can't be reached"), "{reason}");
}

/// Another server: it answers, and is no sandbox of kmslab.
#[test]
fn other_servers_documents_are_read_and_gaps_reported() {
    let runtime = runtime();
    let refuse = r#"{"__type":"AccessDeniedException","message":"no"}"#;
    let url = Fake::new(|_| response(400, "Connection: close\r\n", refuse)).url();
    let timing = Timing { attempts: Some(1), ..Timing::default() };
    let clients = Clients::with_keys(&url, "us-east-1", "AKIAEXAMPLE", "secret", timing);
    assert_eq!(runtime.block_on(find_out(&clients, &Inquiry::Trail)), Finding::NotTold);
    assert_eq!(runtime.block_on(find_out(&clients, &Inquiry::AtRest { table: "t".into() })), Finding::NotTold);
    let arn = "arn:aws:iam::111122223333:user/alice";
    let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let why = Inquiry::Why { call: CallId(1), caller: Some(arn.into()), key: Some(key.into()) };
    let Finding::Documents(documents) = runtime.block_on(find_out(&clients, &why)) else { panic!("documents") };
    let said = |what: &str| documents.unread.iter().any(|reason| reason.starts_with(what));
    assert!(documents.unread[0].contains("AccessDeniedException (kms:GetKeyPolicy)"), "{:?}", documents.unread);
    for what in ["the key policy", "the grants of the key", "the policies attached to user alice", "the groups of user"]
    {
        assert!(said(what), "{what}: {:?}", documents.unread);
    }
}
