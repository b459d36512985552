//! The real loop with keys, against the real sandbox; the screen is a terminal emulator in memory.

#[cfg(unix)]
mod presenting;
mod studio;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use futures_util::{StreamExt, stream};
use kmslab::aws::Clients;
use kmslab::lab::{Backend, BackendKind, Lesson, Names, Stage, State};
use kmslab::run::effects::EffectHandler;
use kmslab::run::notes::Place;
use kmslab::run::presentation::Presentation;
use kmslab::run::{self, Ended};
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui::terminal::Screen;
use kmslab::ui::theme::{ColorLevel, Theme, ThemeName};
use ratatui::layout::Size;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, LocalSet};

use crate::support::port::ended;

/// What the loop writes, as a terminal shows it. Every write is announced.
#[derive(Clone)]
struct Emulator {
    parser: Arc<Mutex<vt100::Parser>>,
    writes: watch::Sender<usize>,
    /// Is shown each picture before anything goes on.
    witness: Option<Witness>,
}

type Witness = Arc<Mutex<dyn FnMut(&str) + Send>>;

impl Write for Emulator {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.parser.lock().unwrap().process(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(witness) = &self.witness {
            witness.lock().unwrap()(&self.parser.lock().unwrap().screen().contents());
        }
        self.writes.send_modify(|writes| *writes += 1);
        Ok(())
    }
}

/// A running lab and its keyboard.
struct Lab {
    keys: Option<mpsc::UnboundedSender<io::Result<Input>>>,
    emulator: Emulator,
    stop: Option<oneshot::Sender<u8>>,
    loop_: JoinHandle<io::Result<(State, Ended)>>,
    sandbox: Option<Sandbox>,
}

impl Lab {
    fn start(columns: u16, rows: u16) -> Lab {
        Lab::followed(columns, rows, None, None)
    }

    /// A lab that can be followed at `place`.
    fn followed(columns: u16, rows: u16, place: Option<Place>, witness: Option<Witness>) -> Lab {
        let sandbox = Sandbox::start(Config::default()).unwrap();
        let admin = sandbox.admin();
        let clients =
            Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
        let backend = Backend {
            kind: BackendKind::Sandbox,
            region: sandbox.region().to_owned(),
            endpoint: Some(sandbox.url().to_owned()),
            given_user: false,
        };
        let mut state = State::new(backend, Names::new("test"));
        let (keys, mut input) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let emulator = Emulator {
            parser: Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0))),
            writes: watch::Sender::new(0),
            witness,
        };
        let out = emulator.clone();
        let loop_ = tokio::task::spawn_local(async move {
            let (world, events) = EffectHandler::new(clients);
            let world = world.with_notes(place);
            let mut screen = Screen::over(out, Size { width: columns, height: rows });
            let mut manner = Presentation::new(Theme::choose(ThemeName::Dark, ColorLevel::Ansi16));
            let input = stream::poll_fn(move |context| input.poll_recv(context));
            let stop = Box::pin(stream::once(stopped).filter_map(async |signal| signal.ok()));
            let ended =
                run::front::screen::interactive(&mut state, &world, events, input, &mut screen, &mut manner, stop)
                    .await;
            ended.map(|ended| (state, ended))
        });
        Lab { keys: Some(keys), emulator, stop: Some(stop), loop_, sandbox: Some(sandbox) }
    }

    fn send(&self, input: Input) {
        self.keys.as_ref().unwrap().send(Ok(input)).unwrap();
    }

    /// At once, also in the middle of the lab.
    fn leave(&self) {
        self.send(Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
    }

    fn press(&self, key: KeyCode) {
        self.send(Input::Key(KeyEvent::new(key, KeyModifiers::NONE)));
    }

    fn picture(&self) -> String {
        self.emulator.parser.lock().unwrap().screen().contents().replace('\u{a0}', " ")
    }

    /// Waits until the picture has all of `texts`.
    async fn wait_for(&self, texts: &[&str]) {
        let mut writes = self.emulator.writes.subscribe();
        let seen = async {
            while !texts.iter().all(|text| self.picture().contains(text)) {
                writes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(std::time::Duration::from_secs(20), seen).await.is_err() {
            panic!("{texts:?} did not appear:\n{}", self.picture());
        }
    }

    /// Does the shown stage and waits for its end.
    async fn do_stage(&self, stage: Stage) {
        self.wait_for(&[&format!("{}/9", stage.number()), Lesson::english().text(stage, false).action]).await;
        self.press(KeyCode::Enter);
        self.wait_for(&["As expected"]).await;
    }

    /// Does all stages before `stage` and shows it.
    async fn go_to(&self, stage: Stage) {
        for earlier in Stage::ALL.into_iter().filter(|earlier| *earlier < stage) {
            self.do_stage(earlier).await;
            self.press(KeyCode::Enter);
        }
    }

    async fn ended(self) -> (State, Ended) {
        self.loop_.await.unwrap().unwrap()
    }
}

/// Runs `test` as the program runs: everything of the lab on one thread.
fn with_lab(test: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test());
}

#[test]
fn the_whole_lab_by_keys_alone() {
    with_lab(async || {
        let lab = Lab::start(100, 28);
        lab.go_to(Stage::ViewDenied).await;
        lab.do_stage(Stage::ViewDenied).await;
        lab.wait_for(&["✔ ALLOWED", "✘ DENIED", "Ada Kowalska", "kms:Decrypt", "no identity-based"]).await;
        lab.press(KeyCode::Enter);
        lab.do_stage(Stage::Grant).await;
        lab.press(KeyCode::Enter);
        lab.do_stage(Stage::ViewAgain).await;
        assert_eq!(lab.picture().matches("✔ ALLOWED").count(), 2, "{}", lab.picture());
        lab.press(KeyCode::Enter);
        lab.do_stage(Stage::CleanUp).await;

        let trail = lab.sandbox.as_ref().unwrap().trail();
        lab.leave();
        let (state, ended) = lab.ended().await;
        assert_eq!(ended, Ended::Finished);
        assert_eq!((state.met(), state.ended()), (9, 9));

        // The HTTP view shows what went over the wire, and neither a signature nor the new user's secret key.
        let wire: String = Stage::ALL
            .iter()
            .flat_map(|stage| state.record(*stage).exchanges())
            .map(|exchange| format!("{}\n{}\n", exchange.answer.wire.request, exchange.answer.wire.response))
            .collect();
        for (before, times) in [("Signature=", 30), ("<SecretAccessKey>", 1)] {
            let secrets: Vec<&str> = wire.split(before).skip(1).collect();
            assert_eq!(secrets.len(), times, "{before}");
            assert!(secrets.iter().all(|rest| rest.starts_with("[redacted]")), "{before}");
        }

        // What DynamoDB asked KMS, and on whose behalf: CloudTrail's view of the same lab.
        let trail = serde_json::to_value(trail).unwrap();
        let decrypts: Vec<(&str, bool)> = trail
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["eventName"] == "Decrypt")
            .map(|event| {
                assert_eq!(event["userIdentity"]["invokedBy"], "dynamodb.amazonaws.com", "{event}");
                let context = &event["requestParameters"]["encryptionContext"];
                assert_eq!(context["aws:dynamodb:tableName"], "kmslab-table-test", "{event}");
                let arn = event["userIdentity"]["arn"].as_str().unwrap();
                (arn.rsplit('/').next().unwrap(), event["errorCode"].is_null())
            })
            .collect();
        // Admin asked to put the first item: the others used the table key that DynamoDB then had. Each stage scans on new
        // connections, admin alone at first, then both at the same time.
        let [put, alone, scans @ ..] = &decrypts[..] else { panic!("{decrypts:?}") };
        let mut rest = scans.to_vec();
        rest.chunks_mut(2).for_each(|pair| pair.sort_unstable());
        let (admin, user) = ("kmslab-admin", "kmslab-user-test");
        assert_eq!([*put, *alone], [(admin, true); 2]);
        assert_eq!(rest, [(admin, true), (user, false), (admin, true), (user, true)]);
    });
}

#[test]
fn why_trail_and_at_rest_explain_the_denied_scan() {
    with_lab(async || {
        let lab = Lab::start(80, 24);
        lab.go_to(Stage::ViewDenied).await;
        lab.do_stage(Stage::ViewDenied).await;
        lab.press(KeyCode::Char('w'));
        let rungs = ["├─ 1  explicit Deny", "▸ ├─ 2  key policy", "├─ 3  IAM policies", "├─ 4  grants"];
        lab.wait_for(&rungs).await;
        lab.wait_for(&["lock 1, the table", "lock 2, the key", "An allow at 2, 3 or 4 would be enough."]).await;
        lab.press(KeyCode::Char('w'));
        lab.press(KeyCode::Char('t'));
        lab.wait_for(&["DynamoDB for kmslab-user-test: kms:Decrypt  ✘ DENIED", "tableName=kmslab-table-test"]).await;
        lab.press(KeyCode::Esc);
        lab.press(KeyCode::Char('e'));
        lab.wait_for(&["never leaves KMS", "item 3", "Ada Kowalska", "DENIED: sees nothing", "sqlite3 -readonly"])
            .await;
        lab.press(KeyCode::Esc);
        // The other pane's Scan was allowed. So was the first one, for which KMS was asked, too.
        lab.press(KeyCode::Tab);
        lab.press(KeyCode::Char('w'));
        lab.wait_for(&["✔ ALLOWED", "KMS ✔", "lock 2, the key"]).await;
        lab.press(KeyCode::Esc);
        lab.press(KeyCode::Char('p'));
        lab.press(KeyCode::Char('p'));
        lab.press(KeyCode::Char('w'));
        lab.wait_for(&["KMS ✔", "lock 2, the key", "on admin's behalf", "AdministratorAccess allows it"]).await;
        lab.leave();
        assert_eq!(lab.ended().await.1, Ended::Finished);
    });
}

#[test]
fn a_page_whose_server_is_gone_says_so_and_the_lab_goes_on() {
    with_lab(async || {
        let mut lab = Lab::start(80, 24);
        lab.go_to(Stage::ViewDenied).await;
        lab.do_stage(Stage::ViewDenied).await;
        let _port = ended(lab.sandbox.take().unwrap());
        lab.press(KeyCode::Char('w'));
        lab.wait_for(&["✘ DENIED", "find out why: the server", "KMS key access denied error:"]).await;
        lab.press(KeyCode::Esc);
        lab.wait_for(&["6/9", "As expected"]).await;
        lab.leave();
        assert_eq!(lab.ended().await.1, Ended::Finished);
    });
}

#[test]
fn a_key_without_meaning_writes_nothing() {
    with_lab(async || {
        let lab = Lab::start(80, 24);
        lab.wait_for(&["ask STS"]).await;
        let writes = *lab.emulator.writes.borrow();
        for key in [KeyCode::Char('#'), KeyCode::F(7), KeyCode::Esc, KeyCode::Char('r')] {
            lab.press(key);
        }
        // A key that has a meaning shows that the others have been taken in.
        lab.press(KeyCode::Char('?'));
        lab.wait_for(&["esc closes"]).await;
        assert_eq!(*lab.emulator.writes.borrow(), writes + 1);
    });
}

#[test]
fn a_resize_is_drawn_for_the_new_size() {
    with_lab(async || {
        let lab = Lab::start(80, 24);
        lab.wait_for(&["ask STS"]).await;
        for (columns, rows, text) in [(40, 10, "60"), (70, 20, "ask STS"), (200, 50, "test-user"), (80, 24, "ask STS")]
        {
            lab.emulator.parser.lock().unwrap().screen_mut().set_size(rows, columns);
            lab.send(Input::Resize(columns, rows));
            lab.wait_for(&[text]).await;
        }
        lab.do_stage(Stage::Who).await;
    });
}

#[test]
fn a_server_that_dies_is_a_failed_call_with_a_remedy() {
    with_lab(async || {
        let mut lab = Lab::start(100, 28);
        lab.go_to(Stage::CreateKey).await;
        let _port = ended(lab.sandbox.take().unwrap());
        lab.wait_for(&["2/9", Lesson::english().text(Stage::CreateKey, false).action]).await;
        lab.press(KeyCode::Enter);
        lab.wait_for(&["Not as expected", "FAILED", "check that the server runs", "retry"]).await;
        lab.press(KeyCode::Char('p'));
        lab.wait_for(&["1/9"]).await;
        lab.leave();
        let (state, ended) = lab.ended().await;
        assert_eq!((state.met(), state.ended(), ended), (1, 2, Ended::Finished));
    });
}

#[test]
fn the_end_of_the_input_is_the_end_of_the_lab() {
    with_lab(async || {
        let mut lab = Lab::start(80, 24);
        lab.wait_for(&["ask STS"]).await;
        lab.keys = None;
        assert_eq!(lab.ended().await.1, Ended::InputClosed);
    });
}

#[test]
fn a_signal_ends_it_even_while_calls_are_under_way() {
    with_lab(async || {
        let mut lab = Lab::start(80, 24);
        lab.wait_for(&["ask STS"]).await;
        lab.press(KeyCode::Enter);
        lab.stop.take().unwrap().send(15).unwrap();
        assert_eq!(lab.ended().await.1, Ended::Signal(15));
    });
}

#[test]
fn ctrl_c_leaves() {
    with_lab(async || {
        let lab = Lab::start(80, 24);
        lab.wait_for(&["ask STS"]).await;
        lab.send(Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert_eq!(lab.ended().await.1, Ended::Finished);
    });
}
