//! A class: the real server, real reporters and labs, and the dashboard's screens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use kmslab::lab::class::report::{Answer, Doing, Member, StageReport};
use kmslab::lab::class::{Join, Report, Roster};
use kmslab::lab::{Event, Intent, Lesson, Stage, State};
use kmslab::run::class::Class;
use kmslab::run::class::reporter::Reporter;
use kmslab::run::class::store::Store;
use kmslab::ui::class::{Asked, Dashboard, Page, draw};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::audience::{JSON, ask};
use crate::screens::album::{assert_album, sized};
use crate::screens::dark;
use crate::support::lab::{Session, styled_dump, text_dump};

/// As long as anything may take here.
const PATIENCE: Duration = Duration::from_secs(20);

fn class() -> Class {
    Class::open("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn join(class: &Class) -> Join {
    format!("{}@{}", class.code(), class.address()).parse().unwrap()
}

/// A learner's lab that reports to a class.
struct Learner {
    lab: Session,
    reporter: Reporter,
    said: UnboundedReceiver<Event>,
}

impl Learner {
    fn join(at: Join, name: &str) -> Learner {
        let mut lab = Session::sandbox();
        lab.state.join_class();
        let reporter = Reporter::start(Some(at), None, name).unwrap();
        let (events, said) = unbounded_channel();
        reporter.report_to(events);
        reporter.tell(&lab.state);
        Learner { lab, reporter, said }
    }

    fn wish(&mut self, intent: Intent) {
        self.lab.event(Event::Intent(intent));
        self.lab.answer_all();
        self.reporter.tell(&self.lab.state);
    }

    /// The next message for the lab.
    fn told(&mut self) -> String {
        let told = runtime().block_on(async { tokio::time::timeout(PATIENCE, self.said.recv()).await });
        let Some(Event::Say(text)) = told.expect("nothing is told") else { panic!("something else is told") };
        text
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Waits until the roster is as `is` says.
fn wait_for(class: &Class, is: impl Fn(&Roster) -> bool) {
    let waits = async {
        while !is(&class.roster()) {
            class.changed().await;
        }
    };
    let waited = runtime().block_on(async { tokio::time::timeout(PATIENCE, waits).await });
    waited.unwrap_or_else(|_| panic!("{:?}", class.roster()));
}

#[test]
fn a_lab_reports_its_progress_until_it_is_left() {
    let class = class();
    let mut ada = Learner::join(join(&class), "Ada");
    assert_eq!(ada.told(), "class: you have joined as Ada");
    wait_for(&class, |roster| roster.learners()[0].report.doing == Doing::Question);
    ada.wish(Intent::Choose(1));
    ada.wish(Intent::Advance);
    wait_for(&class, |roster| roster.learners()[0].report.doing == Doing::Met);
    let roster = class.roster();
    let report = &roster.learners()[0].report;
    let asked = ada.lab.state.question(Stage::Who).unwrap();
    let right = asked.reply().unwrap().1.right;
    let told =
        StageReport { met: Some(true), answer: Some(Answer { letter: 'b', right }), hints: 0, tries: 1, seconds: 0 };
    assert_eq!((report.stages[0], report.met(), report.at), (told, 1, Stage::Who));
    ada.wish(Intent::AskForHelp);
    wait_for(&class, |roster| roster.learners()[0].asked.is_some());
    ada.reporter.leave(&ada.lab.state);
    wait_for(&class, |roster| roster.learners()[0].report.doing == Doing::Left);
    assert!(class.roster().learners()[0].asked.is_none());
}

#[test]
fn a_second_lab_of_one_name_is_told_its_number() {
    let class = class();
    let mut one = Learner::join(join(&class), "Emre");
    assert_eq!(one.told(), "class: you have joined as Emre");
    let mut other = Learner::join(join(&class), "Emre");
    assert_eq!(other.told(), "class: you have joined as Emre 2");
}

/// Accepts one request after the other and gives each the next response.
fn answers(listener: TcpListener, responses: Vec<&'static str>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(response.as_bytes()).unwrap();
        }
    })
}

#[test]
fn the_lab_goes_on_without_the_class_and_says_so_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at: SocketAddr = listener.local_addr().unwrap();
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"name\":\"Ada\"}";
    let served = answers(listener, vec![ok]);
    let mut ada = Learner::join(format!("7KQ2@{at}").parse().unwrap(), "Ada");
    assert_eq!(ada.told(), "class: you have joined as Ada");
    served.join().unwrap();
    // Nobody listens any more.
    ada.wish(Intent::Skip);
    assert_eq!(ada.told(), "class: no connection, your lab goes on");
    ada.wish(Intent::Advance);
    assert_eq!(ada.lab.state.met(), 1, "the lab has gone on");
    let listener = TcpListener::bind(at).unwrap();
    let served = answers(listener, vec![ok]);
    ada.wish(Intent::ShowNext);
    assert_eq!(ada.told(), "class: connected again", "and of the failures between nothing was said");
    served.join().unwrap();
}

#[test]
fn a_wrong_code_is_told() {
    let class = class();
    let wrong = if class.code().short() == "2222" { "3333" } else { "2222" };
    let mut ada = Learner::join(format!("{wrong}@{}", class.address()).parse().unwrap(), "Ada");
    assert_eq!(ada.told(), "class: this code is not valid any more; ask for the new one");
    assert!(class.roster().learners().is_empty());
}

fn report(state: &State, name: &str, lab: u128) -> Report {
    Report::of(state, &Member { name: name.into(), lab: format!("{lab:032x}") })
}

#[test]
fn two_hundred_learners_report_at_once() {
    let class = class();
    let (address, code) = (class.address(), class.code());
    let state = Session::sandbox().after(Stage::ViewDenied).state;
    let send = |lab: u128| {
        let body = serde_json::to_string(&report(&state, "Lena", lab)).unwrap();
        let head = format!("POST /{} HTTP/1.1\r\nHost: {address}\r\n{JSON}", code.short());
        ask(address, &head, &body)
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20_u128)
            .map(|thread| scope.spawn(move || (0..20).map(|n| send(thread * 10 + n % 10).0).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.len() == 400 && statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let roster = class.roster();
    assert_eq!(roster.learners().len(), 200, "two reports of a lab are one row");
    assert_eq!(roster.at_stages()[Stage::ViewDenied.index()], 200);
    assert!(serde_json::to_string(&report(&state, "Lena", 1)).unwrap().len() < 1_500);
}

#[test]
fn a_report_has_no_ids_and_nothing_of_a_policy() {
    let text = serde_json::to_string(&report(&Session::sandbox().after(Stage::ViewAgain).state, "Ada", 1)).unwrap();
    for secret in ["arn:", "111122223333", "kmslab-", "Statement", "Ada Kowalska", "migraine", "AKIA"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn nobody_reads_the_roster_or_writes_what_is_no_report() {
    let class = class();
    let (address, code) = (class.address(), class.code().short().to_owned());
    let good = serde_json::to_string(&report(&Session::sandbox().state, "Ada", 1)).unwrap();
    let post =
        |code: &str, headers: &str, body: &str| ask(address, &format!("POST /{code} HTTP/1.1\r\n{headers}"), body).0;
    let own = format!("Host: {address}\r\n{JSON}");
    assert_eq!(post("2223", &own, &good), 404);
    assert_eq!(post(&code, &format!("Host: evil.example\r\n{JSON}"), &good), 403, "rebinding");
    assert_eq!(post(&code, &format!("{own}Origin: http://evil.example\r\n"), &good), 403);
    assert_eq!(post(&code, &format!("Host: {address}\r\nContent-Type: text/plain\r\n"), &good), 400);
    for body in ["", "[]", "{}", &json!({"version": 1}).to_string(), &good.replace("\"version\":1", "\"version\":9")] {
        assert_eq!(post(&code, &own, body), 400, "{body}");
    }
    assert_eq!(post(&code, &own, &format!("{good}{}", " ".repeat(10_000))), 413);
    for path in ["/", &format!("/{code}"), &format!("/{code}/roster")] {
        let (status, text) = ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n"), "");
        assert!(matches!(status, 404 | 405) && !text.contains("Ada"), "{path}: {status} {text}");
    }
    assert!(class.roster().learners().is_empty());
    assert_eq!(post(&code, &own, &good), 200);
    drop(class);
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_ok() && Instant::now() < until {}
    assert!(TcpStream::connect(address).is_err(), "it ends with its owner");
}

/// A learning record store that gives these statuses one after the other. Returns the requests: heads and statements.
fn store(statuses: Vec<u16>) -> (SocketAddr, std::sync::mpsc::Receiver<(String, Vec<Value>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (heard, requests) = std::sync::mpsc::channel();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for status in statuses {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).unwrap();
            }
            let length = head.to_lowercase().split("content-length: ").nth(1).unwrap().to_owned();
            let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            let response = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.get_mut().write_all(response.as_bytes()).unwrap();
            heard.send((head, serde_json::from_slice(&body).unwrap())).unwrap();
        }
    });
    (address, requests)
}

fn verbs(statements: &[Value]) -> Vec<&str> {
    statements.iter().map(|statement| statement["verb"]["display"]["en"].as_str().unwrap()).collect()
}

#[test]
fn a_store_gets_what_happened_in_order_and_signed() {
    let (address, requests) = store(vec![200, 200, 200, 200, 200]);
    let course = Store::new(&format!("http://{address}/xapi"), Some("ada:s3cret")).unwrap();
    let mut lab = Session::sandbox();
    let reporter = Reporter::start(None, Some(course), "Ada").unwrap();
    assert_eq!(reporter.seed(), None);
    reporter.tell(&lab.state);
    let (head, first) = requests.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("POST /xapi/statements ") && head.contains("x-experience-api-version: 1.0.3"), "{head}");
    assert!(head.contains("authorization: Basic YWRhOnMzY3JldA=="), "{head}");
    assert_eq!(verbs(&first), ["initialized"]);
    lab.event(Event::Intent(Intent::Choose(0)));
    lab.event(Event::Intent(Intent::Advance));
    lab.answer_all();
    reporter.tell(&lab.state);
    let (_, then) = requests.recv_timeout(PATIENCE).unwrap();
    assert_eq!(verbs(&then), ["answered", "completed"]);
    assert_eq!((&then[0]["actor"]["name"], &then[1]["object"]["id"]), (&json!("Ada"), &json!("tag:kmslab,2026:who")));
    reporter.leave(&lab.state);
    let (_, last) = requests.recv_timeout(PATIENCE).unwrap();
    assert_eq!(verbs(&last), ["terminated"]);
    let all = json!([first, then, last]).to_string();
    assert!(!all.contains("arn:") && !all.contains("111122223333") && !all.contains("s3cret"), "{all}");
}

#[test]
fn a_store_that_is_down_loses_nothing() {
    let (address, requests) = store(vec![503, 503, 200]);
    let course = Store::new(&format!("http://{address}"), None).unwrap();
    let lab = Session::sandbox().after(Stage::Who);
    let reporter = Reporter::start(None, Some(course), "Ada").unwrap();
    let (events, mut said) = unbounded_channel();
    reporter.report_to(events);
    reporter.tell(&lab.state);
    let sent: Vec<Vec<Value>> = (0..3).map(|_| requests.recv_timeout(PATIENCE).unwrap().1).collect();
    assert_eq!(verbs(&sent[0])[0], "initialized");
    assert!(sent[1] == sent[0] && sent[2] == sent[0], "the same statements, with the same ids");
    let mut next = || runtime().block_on(async { tokio::time::timeout(PATIENCE, said.recv()).await }).unwrap();
    assert_eq!(next(), Some(Event::Say("xapi: no connection to the store, your lab goes on".into())));
    assert_eq!(next(), Some(Event::Say("xapi: connected again".into())), "of the second failure nothing is said");
}

#[test]
fn a_store_that_refuses_is_told_once_and_left_alone() {
    let (address, requests) = store(vec![401]);
    let course = Store::new(&format!("http://{address}"), Some("ada:wrong")).unwrap();
    let lab = Session::sandbox();
    let reporter = Reporter::start(None, Some(course), "Ada").unwrap();
    let (events, mut said) = unbounded_channel();
    reporter.report_to(events);
    reporter.tell(&lab.state);
    requests.recv_timeout(PATIENCE).unwrap();
    let told = runtime().block_on(async { tokio::time::timeout(PATIENCE, said.recv()).await }).unwrap();
    assert_eq!(told, Some(Event::Say("xapi: the store refuses your progress (401), your lab goes on".into())));
    reporter.leave(&lab.state);
}

/// The time of all pictures.
const NOW: u64 = 100_000;

/// A class in which each learner needs something else.
fn roster() -> Roster {
    let mut roster = Roster::default();
    let mut hear = |name: &str, at: Stage, doing: Doing, before: u64, change: &dyn Fn(&mut Report)| {
        let lab = roster.learners().len() as u128;
        let mut report = report(&Session::sandbox().state, name, lab);
        (report.at, report.doing, report.seconds) = (at, doing, 1_500);
        for (stage, told) in Stage::ALL.into_iter().zip(&mut report.stages) {
            if stage < at || (stage == at && doing == Doing::Met) {
                let answer = Some(Answer { letter: 'b', right: stage.index() % 3 != 0 });
                *told = StageReport { met: Some(true), answer, hints: 0, tries: 1, seconds: 95 };
            }
        }
        change(&mut report);
        roster.hear(report, NOW - before).unwrap();
    };
    hear("Lena", Stage::Grant, Doing::Met, 2, &|_| {});
    hear("Goran", Stage::CreateTable, Doing::Waiting, 5, &|_| {});
    hear("Emre", Stage::ViewDenied, Doing::Question, 200, &|_| {});
    hear("Chidi", Stage::Grant, Doing::NotMet, 1, &|report| {
        report.way = Some(kmslab::lab::class::report::Way::KeyPolicy);
        report.refused = true;
        report.stages[Stage::Grant.index()].tries = 3;
    });
    hear("Viktor", Stage::Grant, Doing::Waiting, 9, &|report| report.stages[Stage::Grant.index()].seconds = 860);
    hear("Rosa Luisa Fernández", Stage::Grant, Doing::Writing, 4, &|report| report.asks = true);
    hear("Xenia", Stage::CleanUp, Doing::Left, 60, &|report| report.drills = (2, 3));
    hear("表", Stage::ViewAgain, Doing::Drill, 3, &|report| report.drills = (1, 1));
    roster
}

fn picture(dashboard: &Dashboard, roster: &Roster, size: Size) -> Buffer {
    let area = Rect::from((Position::ORIGIN, size));
    let mut buffer = Buffer::empty(area);
    draw(dashboard, roster, &Lesson::english(), &dark(), area, &mut buffer);
    buffer
}

#[test]
fn the_dashboard_shows_who_needs_help_first() {
    let roster = roster();
    let list =
        Dashboard { code: "KMS-7KQ2".into(), address: "192.168.1.23:4190".into(), now: NOW, ..Dashboard::default() };
    let of = |name: &str| {
        let learner = roster.learners().iter().find(|learner| learner.name == name).unwrap();
        Dashboard { page: Page::Detail, cursor: Some(learner.report.lab.clone()), ..list.clone() }
    };
    let (empty, sizes) = (Roster::default(), [Size::new(120, 34), Size::new(80, 24), Size::new(60, 18)]);
    let mut screens: Vec<_> = sizes.map(|size| ("list", list.clone(), &roster, size)).into();
    screens.push(("list", list.clone(), &roster, Size::new(50, 11)));
    screens.extend(sizes.map(|size| ("nobody", list.clone(), &empty, size)));
    screens.push(("one of them", of("Chidi"), &roster, sizes[1]));
    screens.push(("one who is lost", of("Emre"), &roster, sizes[1]));
    screens.push(("join", Dashboard { page: Page::Join, ..list.clone() }, &roster, sizes[1]));
    screens.push(("help", Dashboard { page: Page::Help, ..list.clone() }, &roster, sizes[1]));
    let album = screens
        .iter()
        .map(|(name, dashboard, roster, size)| (sized(name, *size), styled_dump(&picture(dashboard, roster, *size))));
    assert_album("class", album.collect());
    // More learners than rows: the cursor stays on the screen, and what is below is counted.
    let mut crowd = Roster::default();
    for lab in 0..60 {
        crowd.hear(report(&Session::sandbox().state, "Lena", lab), NOW).unwrap();
    }
    let last = Dashboard { cursor: Some(format!("{:032x}", 50)), ..list };
    let text = text_dump(&picture(&last, &crowd, sizes[1]));
    assert!(text.contains("▸ Lena 51") && text.contains("▼ 9 more, none of them needs help"), "{text}");
}

#[test]
fn keys_move_sort_and_ask() {
    use crossterm::event::{KeyCode, KeyEvent};
    let (roster, lesson) = (roster(), Lesson::english());
    let mut dashboard = Dashboard { now: NOW, ..Dashboard::default() };
    let mut press = |key: KeyCode| {
        let asked = dashboard.press(KeyEvent::from(key), &roster, &lesson);
        (asked, dashboard.page, dashboard.cursor.clone())
    };
    let lab = |name: &str| roster.learners().iter().find(|it| it.name == name).unwrap().report.lab.clone();
    assert_eq!(
        press(KeyCode::Char('v')).0,
        Some(Asked::Mark(lab("Rosa Luisa Fernández"))),
        "the first without a cursor"
    );
    assert_eq!(press(KeyCode::Down).2, Some(lab("Chidi")));
    assert_eq!(press(KeyCode::Enter).1, Page::Detail);
    assert_eq!(press(KeyCode::Char('n')).2, Some(lab("Viktor")));
    assert_eq!(press(KeyCode::Char('p')).2, Some(lab("Chidi")));
    assert_eq!(press(KeyCode::Char('D')).0, Some(Asked::Remove(lab("Chidi"))));
    assert_eq!(press(KeyCode::Esc).1, Page::List);
    press(KeyCode::Char('n'));
    assert_eq!(press(KeyCode::Char('v')).0, Some(Asked::Mark(lab("Chidi"))), "by name");
    assert_eq!(press(KeyCode::Char('E')).0, Some(Asked::Export));
    assert_eq!(press(KeyCode::Char('N')).0, Some(Asked::NewCode));
    assert_eq!(press(KeyCode::Char('?')).1, Page::Help);
    assert_eq!(press(KeyCode::Char('q')).0, Some(Asked::Leave));
}

/// For people: how long the dashboard takes from a report to its frame, with two hundred labs that report all the time.
#[test]
#[ignore = "for people: prints times"]
fn figures_of_two_hundred_learners() {
    let class = class();
    let (address, code) = (class.address(), class.code().short().to_owned());
    let state = Session::sandbox().after(Stage::ViewDenied).state;
    let send = move |lab: u128, at: Stage| {
        let body = serde_json::to_string(&Report { at, ..report(&state, "Lena", lab) }).unwrap();
        let head = format!("POST /{code} HTTP/1.1\r\nHost: {address}\r\n{JSON}");
        ask(address, &head, &body).0
    };
    (0..200).for_each(|lab| assert_eq!(send(lab, Stage::Who), 200));
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        for thread in 0..8_u128 {
            let (send, is_over) = (&send, &is_over);
            scope.spawn(move || {
                for lab in (0..25).cycle() {
                    if is_over.load(std::sync::atomic::Ordering::SeqCst) {
                        return;
                    }
                    send(thread * 25 + lab, Stage::ViewAdmin);
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
        }
        let list = Dashboard { now: NOW, ..Dashboard::default() };
        let times = (0..300).map(|turn| {
            let at = if turn % 2 == 0 { Stage::Grant } else { Stage::ViewAgain };
            let begun = Instant::now();
            send(0, at);
            runtime().block_on(class.changed());
            let roster = class.roster();
            assert!(roster.learners()[0].report.at != Stage::Who);
            picture(&list, &roster, Size::new(120, 34));
            begun.elapsed()
        });
        let times = times.collect();
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        times
    });
    took.sort();
    println!("report to frame, 200 learners: median {:?}, p99 {:?}, worst {:?}", took[150], took[297], took[299]);
}
