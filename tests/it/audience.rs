//! The audience's server, through its sockets: what phones can do, and that nobody can do more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use kmslab::lab::presenting::phones::Turnout;
use kmslab::lab::{Event, Intent, PresenterAction, Stage};
use kmslab::run::audience::Audience;

use crate::support::lab::Session;

mod browser;

/// A lab at the question of a stage, with an audience.
struct Room {
    lab: Session,
    audience: Audience,
    events: UnboundedReceiver<Event>,
    address: SocketAddr,
    code: String,
    secret: String,
}

impl Room {
    fn open() -> Room {
        Room::at(Session::sandbox())
    }

    fn at(lab: Session) -> Room {
        let mut audience = Audience::open("127.0.0.1:0".parse().unwrap(), &lab.state).unwrap();
        let (sender, events) = unbounded_channel();
        audience.report_to(sender);
        audience.tell(&lab.state);
        let (address, code) = audience.invitation().address.split_once('/').unwrap();
        let secret = audience.invitation().teacher.rsplit('/').next().unwrap().to_owned();
        Room { address: address.parse().unwrap(), code: code.to_owned(), secret, lab, audience, events }
    }

    /// Does what `intent` wants, and tells phones.
    fn wish(&mut self, intent: Intent) {
        self.happen(Event::Intent(intent));
    }

    /// Lets `event` happen, with the calls that come of it, and tells phones.
    fn happen(&mut self, event: Event) {
        self.lab.event(event);
        self.lab.answer_all();
        self.audience.tell(&self.lab.state);
    }

    /// The next event of the server.
    fn event(&mut self) -> Event {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Ok(event) = self.events.try_recv() {
                return event;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("the server says nothing");
    }

    /// Waits until the server counts these phones and votes.
    fn wait_for(&mut self, phones: u16, votes: [u16; 4]) {
        loop {
            if let Event::Turnout(turnout) = self.event()
                && turnout == (Turnout { stage: Stage::Who, phones, votes })
            {
                return;
            }
        }
    }

    fn ask(&self, head: &str, body: &str) -> (u16, String) {
        ask(self.address, head, body)
    }

    /// Posts `body` as a page of the lab would.
    fn post(&self, path: &str, body: &Value) -> u16 {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\n{JSON}", self.address);
        self.ask(&head, &body.to_string()).0
    }

    fn vote(&self, phone: u8, stage: Stage, answer: usize) -> u16 {
        self.post(&format!("/{}/vote", self.code), &json!({"phone": token(phone), "stage": stage, "answer": answer}))
    }

    fn phone(&self, phone: u8) -> Phone {
        Phone::connect(self.address, &format!("/{}/events?phone={}", self.code, token(phone)))
    }
}

pub const JSON: &str = "Content-Type: application/json\r\n";

fn token(phone: u8) -> String {
    format!("{phone:032x}")
}

/// Sends a request, and returns the status and the body.
pub fn ask(address: SocketAddr, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = write!(stream, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// A phone's stream.
struct Phone(BufReader<TcpStream>);

impl Phone {
    fn connect(address: SocketAddr, path: &str) -> Phone {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Phone(BufReader::new(stream))
    }

    /// The data of the next event called `name` for which `is_it` holds.
    fn next(&mut self, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut is_named = false;
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
            match line.trim().split_once(": ") {
                Some(("event", event)) => is_named = event == name,
                Some(("data", data)) if is_named => {
                    let data = serde_json::from_str(data).unwrap();
                    if is_it(&data) {
                        return data;
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_phone_sees_the_question_and_its_vote_reaches_the_lab() {
    let mut room = Room::open();
    let mut phone = room.phone(1);
    let poll = phone.next("poll", |poll| poll["view"] == "ask");
    assert_eq!((&poll["number"], &poll["open"], &poll["stage"]), (&json!(1), &json!(true), &json!("who")));
    assert_eq!(poll["answers"].as_array().unwrap().len(), room.lab.state.question(Stage::Who).unwrap().answers.len());
    room.wait_for(1, [0; 4]);
    assert_eq!(room.vote(1, Stage::Who, 2), 204);
    room.wait_for(1, [0, 0, 1, 0]);
    let counts = phone.next("turnout", |counts| counts["voted"] == 1);
    assert_eq!(counts, json!({"phones": 1, "voted": 1}), "not for what");
    drop(phone);
    room.wait_for(0, [0, 0, 1, 0]);
}

#[test]
fn before_the_verdict_nothing_tells_the_answer() {
    let room = Room::open();
    let mut phone = room.phone(1);
    let poll = phone.next("poll", |poll| poll["view"] == "ask").to_string();
    assert!(!poll.contains("right") && !poll.contains("votes"), "{poll}");
    for (_, reply) in room.lab.state.question(Stage::Who).unwrap().answers {
        assert!(!poll.contains(reply.explanation.trim()));
    }
}

#[test]
fn enter_closes_the_vote_and_counts_for_the_class() {
    let mut room = Room::open();
    let mut phone = room.phone(1);
    room.wait_for(1, [0; 4]);
    room.wish(Intent::Advance);
    assert!(room.lab.state.waits_for_answer(), "without votes the presenter answers first");
    assert_eq!(room.vote(1, Stage::Who, 0), 204);
    let turnout = room.event();
    room.happen(turnout);
    room.wish(Intent::Advance);
    assert!(!room.lab.state.waits_for_answer());
    assert_eq!(room.lab.state.hands(Stage::Who).map(|hands| (hands.total(), hands.get(0))), Some((1, Some(1))));
    let poll = phone.next("poll", |poll| poll["view"] == "reveal");
    assert_eq!(poll["votes"][0], 1);
    assert_eq!(room.vote(1, Stage::Who, 1), 409, "the vote is closed");
}

#[test]
fn a_blank_screen_hides_the_question_from_phones() {
    let mut room = Room::open();
    let mut phone = room.phone(1);
    phone.next("poll", |poll| poll["view"] == "ask");
    room.wish(Intent::Present(PresenterAction::Blank));
    phone.next("poll", |poll| poll["view"] == "wait");
    assert_eq!(room.vote(1, Stage::Who, 0), 409);
}

#[test]
fn a_phone_can_do_nothing_but_vote() {
    let room = Room::open();
    let _phone = room.phone(1);
    let code = &room.code;
    assert_eq!(room.post(&format!("/{code}/do"), &json!({"button": "next"})), 404);
    assert_eq!(room.vote(9, Stage::Who, 0), 403, "a phone that isn't connected");
    for body in [json!({}), json!({"phone": "x", "stage": "who", "answer": 0}), json!([1])] {
        assert_eq!(room.post(&format!("/{code}/vote"), &body), 400, "{body}");
    }
    assert_eq!(room.vote(1, Stage::Who, 4), 400, "no such answer");
    assert_eq!(room.vote(1, Stage::Grant, 0), 409, "another question");
    let huge = json!({"phone": token(1), "stage": "who", "answer": 0, "more": "x".repeat(10_000)});
    assert_eq!(room.post(&format!("/{code}/vote"), &huge), 413);
    for path in ["/", "/2222", "/2222/events", "/2222/vote", "/x/../../etc/passwd"] {
        assert!(matches!(room.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", room.address), "").0, 404 | 405));
    }
}

#[test]
fn other_origins_can_do_nothing() {
    let room = Room::open();
    let _phone = room.phone(1);
    let (address, code) = (room.address, &room.code);
    let vote = json!({"phone": token(1), "stage": "who", "answer": 0}).to_string();
    let post = |headers: &str| room.ask(&format!("POST /{code}/vote HTTP/1.1\r\n{headers}"), &vote).0;
    assert_eq!(post(&format!("Host: {address}\r\nOrigin: http://evil.example\r\n{JSON}")), 403);
    assert_eq!(post(&format!("Host: evil.example\r\nOrigin: http://evil.example\r\n{JSON}")), 403, "rebinding");
    assert_eq!(post(&format!("Host: {address}\r\nContent-Type: text/plain\r\n")), 400, "a form of another page");
    assert_eq!(post(&format!("Host: {address}\r\n{JSON}")), 204);
    let page = room.ask(&format!("GET /{code} HTTP/1.1\r\nHost: evil.example\r\n"), "");
    assert_eq!(page.0, 403);
}

#[test]
fn the_teacher_has_three_buttons() {
    let mut room = Room::open();
    let secret = room.secret.clone();
    let mut teacher = Phone::connect(room.address, &format!("/{secret}/events"));
    let lab = teacher.next("lab", |data| data["lab"].is_object());
    assert_eq!((&lab["lab"]["number"], &lab["lab"]["question"]["open"]), (&json!(1), &json!(true)));
    let buttons = [
        ("next", Intent::Present(PresenterAction::Next)),
        ("back", Intent::ShowPrevious),
        ("blank", Intent::Present(PresenterAction::Blank)),
    ];
    for (button, intent) in buttons {
        assert_eq!(room.post(&format!("/{secret}/do"), &json!({"button": button})), 204);
        while room.event() != Event::Intent(intent) {}
    }
    for button in ["quit", "start_over", "advance"] {
        assert_eq!(room.post(&format!("/{secret}/do"), &json!({"button": button})), 400);
    }
    assert!(secret.len() >= 26 && !room.audience.invitation().address.contains(&secret));
}

#[test]
fn codes_end_with_the_session() {
    let first = Room::open();
    let (address, codes) = (first.address, [first.code.clone(), first.secret.clone()]);
    let mut phone = first.phone(1);
    phone.next("poll", |_| true);
    drop(first);
    let mut rest = Vec::new();
    assert!(phone.0.read_to_end(&mut rest).is_ok(), "the stream ends");
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_ok() && Instant::now() < until {}
    let second = Room::open();
    assert!(codes.iter().all(|code| *code != second.code && *code != second.secret));
}

/// Four hundred phones from several addresses vote at once.
#[test]
fn a_full_hall_votes_and_every_vote_counts() {
    let mut room = Room::open();
    let (address, code) = (room.address, room.code.clone());
    let _hall: Vec<TcpStream> = (0..400u16)
        .map(|phone| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET /{code}/events?phone={phone:032x} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
            stream
        })
        .collect();
    room.wait_for(400, [0; 4]);
    let votes: Vec<u16> = (0..400u16)
        .map(|phone| {
            let vote = json!({"phone": format!("{phone:032x}"), "stage": "who", "answer": phone % 3}).to_string();
            let head = format!("POST /{code}/vote HTTP/1.1\r\nHost: {address}\r\n{JSON}");
            ask(address, &head, &vote).0
        })
        .collect();
    let (taken, refused): (Vec<u16>, Vec<u16>) = votes.into_iter().partition(|status| *status == 204);
    assert!(refused.iter().all(|status| *status == 429), "{refused:?}");
    assert!(taken.len() >= 200, "one address may send {} requests at once", 400 + taken.len());
    loop {
        if let Event::Turnout(turnout) = room.event()
            && usize::from(turnout.votes.iter().sum::<u16>()) == taken.len()
        {
            assert_eq!(turnout.phones, 400);
            break;
        }
    }
}
