//! A sandbox behind a door, at which one request can be stopped: the lab that sent it may be killed there.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kmslab::sandbox::{Config, Sandbox};

use super::message::message;
use super::program::{program, text};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// The request has arrived and is not let through.
    Before,
    /// The server has done it; the answer is not let through.
    After,
}

/// A sandbox behind a door that stops one request, once, and lets all others through.
pub struct Door {
    pub url: String,
    pub sandbox: Sandbox,
    pub arrived: Receiver<()>,
    /// What becomes of the stopped message: let through, or dropped with its connection.
    pub open: Sender<bool>,
    /// Secrets that IAM has answered.
    pub secrets: Arc<Mutex<Vec<String>>>,
    pub tmp: tempfile::TempDir,
    /// Whether the next fitting request is stopped.
    pub closed: Arc<AtomicBool>,
}

impl Door {
    pub fn new(stops: &'static str, when: When) -> Door {
        let sandbox = Sandbox::start(Config::default()).unwrap();
        let inside = sandbox.url().strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (knock, arrived) = channel();
        let (open, opened) = channel();
        let opened = Arc::new(Mutex::new(opened));
        let closed = Arc::new(AtomicBool::new(true));
        let secrets = Arc::new(Mutex::new(Vec::new()));
        let (seen, shut) = (secrets.clone(), closed.clone());
        std::thread::spawn(move || {
            for outer in listener.incoming().map_while(Result::ok) {
                let (inside, knock, opened, closed, seen) =
                    (inside.clone(), knock.clone(), opened.clone(), shut.clone(), seen.clone());
                std::thread::spawn(move || {
                    let mut outer = BufReader::new(outer);
                    let mut inner = BufReader::new(TcpStream::connect(inside).unwrap());
                    let stop = || knock.send(()).is_ok() && opened.lock().unwrap().recv().unwrap_or(false);
                    while let Some(request) = message(&mut outer) {
                        let stopped = text(&request).contains(stops) && closed.swap(false, Ordering::SeqCst);
                        if stopped && when == When::Before && !stop() {
                            return;
                        }
                        inner.get_mut().write_all(&request).unwrap();
                        let Some(answer) = message(&mut inner) else { return };
                        if let Some((_, rest)) = text(&answer).split_once("<SecretAccessKey>") {
                            seen.lock().unwrap().push(rest.split('<').next().unwrap().to_owned());
                        }
                        if stopped && when == When::After && !stop() {
                            return;
                        }
                        if outer.get_mut().write_all(&answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Door { url, sandbox, arrived, open, secrets, tmp: tempfile::tempdir().unwrap(), closed }
    }

    /// `kmslab` with the admin's keys, and nothing else in the environment.
    pub fn kmslab(&self, arguments: &[&str]) -> Command {
        let admin = self.sandbox.admin();
        let mut command = program(self.tmp.path(), &admin.access_key_id, &admin.secret_access_key);
        command.args(arguments);
        command
    }

    pub fn wait_for_the_request(&self) {
        self.arrived.recv_timeout(Duration::from_secs(120)).unwrap();
    }
}
