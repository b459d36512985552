//! A server in front of the sandbox that breaks chosen calls on purpose.
//!
//! It passes every request on as it came, the `Host` that was signed included, so that signatures stay valid.

use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use kmslab::sandbox::Sandbox;
use tokio::net::TcpSocket;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens at the address while it lasts.
    Refused,
    /// The call is done; then the connection breaks in the middle of the answer.
    ResetMidBody,
    /// The call is done, and no answer ever comes.
    Stall,
    /// The call is done, and its answer's document ends in the middle.
    Truncated,
    /// The call is done; the whole body arrives, and then the connection breaks where its end should be.
    ResetAfterBody,
    /// The call is done, and a gateway answers with this status and this body.
    Gateway(u16, &'static str),
    /// The answer has members that no SDK knows.
    UnknownFields,
    /// The call is done, and this error is said of it.
    ErrorAfterwards(Canned),
    /// This error instead of the call.
    Error(Canned),
    /// The effect is not seen yet: what was answered to this call when it last failed is answered again.
    AsBefore,
}

/// An error of a service: HTTP status, code of the JSON services, code of the query services, message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canned(pub u16, pub &'static str, pub &'static str, pub &'static str);

/// Which calls it strikes, and how often.
#[derive(Debug, Clone)]
pub struct Plan {
    pub fault: Fault,
    pub operation: &'static str,
    pub as_admin: bool,
    /// How many requests, counted as they come in.
    pub times: usize,
}

#[derive(Default)]
struct Shared {
    plan: Option<Plan>,
    /// The newest error answer of each call: what [`Fault::AsBefore`] repeats.
    refusals: HashMap<(String, bool), Vec<u8>>,
    struck: usize,
    /// Secret keys and signatures that went by.
    secrets: Vec<String>,
    stopping: bool,
}

/// A socket at `address`, which it shares with others of this process.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

fn listening(address: SocketAddr) -> TcpListener {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    let listener = bound(address).listen(128).unwrap().into_std().unwrap();
    listener.set_nonblocking(false).unwrap();
    listener
}

/// The proxy. It ends when it is dropped.
pub struct Proxy {
    pub sandbox: Sandbox,
    address: SocketAddr,
    /// Never listens: nobody else gets the port while connections are refused.
    _port: TcpSocket,
    shared: Arc<Mutex<Shared>>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    pub fn new() -> Proxy {
        let sandbox = Sandbox::start(kmslab::sandbox::Config::default()).unwrap();
        let port = bound("127.0.0.1:0".parse().unwrap());
        let address = port.local_addr().unwrap();
        let mut proxy = Proxy { sandbox, address, _port: port, shared: Arc::default(), accepting: None };
        proxy.accept(listening(address));
        proxy
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks calls from now on as `plan` says; `None` heals everything.
    pub fn set(&mut self, plan: Option<Plan>) {
        if plan.as_ref().is_some_and(|plan| plan.fault == Fault::Refused) {
            self.close();
        } else if self.accepting.is_none() {
            self.accept(listening(self.address));
        }
        let mut shared = self.shared.lock().unwrap();
        shared.struck = 0;
        shared.plan = plan;
    }

    /// Breaks nothing more; what has been struck stays counted.
    pub fn pass(&self) {
        self.shared.lock().unwrap().plan = None;
    }

    /// How many requests were struck since [`Proxy::set`].
    pub fn struck(&self) -> usize {
        self.shared.lock().unwrap().struck
    }

    /// Secret keys and signatures that have gone by.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.lock().unwrap().secrets.clone()
    }

    fn accept(&mut self, listener: TcpListener) {
        let (shared, inside) = (self.shared.clone(), self.sandbox.url().strip_prefix("http://").unwrap().to_owned());
        let admin = self.sandbox.admin().access_key_id.clone();
        shared.lock().unwrap().stopping = false;
        self.accepting = Some(std::thread::spawn(move || {
            for outer in listener.incoming().map_while(Result::ok) {
                if shared.lock().unwrap().stopping {
                    return;
                }
                let (shared, inside, admin) = (shared.clone(), inside.clone(), admin.clone());
                std::thread::spawn(move || serve(outer, &inside, &admin, &shared));
            }
        }));
    }

    fn close(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            self.shared.lock().unwrap().stopping = true;
            // Wakes it.
            drop(TcpStream::connect(self.address));
            accepting.join().unwrap();
            // A program that another test is just starting has the socket until it runs.
            while TcpStream::connect(self.address).is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.close();
    }
}

/// Head and body of one HTTP message.
fn message(from: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut bytes = super::message::message(from)?;
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let body = bytes.split_off(head);
    Some((String::from_utf8(bytes).ok()?, body))
}

/// One request: connections are not kept, so that closing the listener shuts everybody out.
fn serve(outer: TcpStream, inside: &str, admin: &str, shared: &Mutex<Shared>) {
    let mut outer = BufReader::new(outer);
    let Some((head, body)) = message(&mut outer) else { return };
    let is_json = head.to_ascii_lowercase().contains("x-amz-target");
    let call = (operation(&head, &body), head.contains(&format!("Credential={admin}/")));
    note_secret(&head, "Signature=", shared);
    let fault = strike(&call, shared);
    let answer = match fault {
        Some(Fault::Error(canned)) => error(canned, is_json),
        Some(Fault::AsBefore) => shared.lock().unwrap().refusals[&call].clone(),
        _ => {
            let mut inner = BufReader::new(TcpStream::connect(inside).unwrap());
            inner.get_mut().write_all(&[head.as_bytes(), &body].concat()).unwrap();
            let Some((head, body)) = message(&mut inner) else { return };
            note_secret(&String::from_utf8_lossy(&body), "<SecretAccessKey>", shared);
            if !head.starts_with("HTTP/1.1 2") {
                shared.lock().unwrap().refusals.insert(call, assembled(&head, &body));
            }
            match fault {
                Some(Fault::Stall) => {
                    // Until the client hangs up.
                    let _ = outer.read(&mut [0]);
                    return;
                }
                Some(Fault::ResetMidBody) => {
                    let whole = assembled(&head, &body);
                    // At least the end of the head, and a byte of the body where there is one, are missing.
                    whole[..whole.len() - body.len().div_ceil(2).max(2)].to_vec()
                }
                Some(Fault::Truncated) => assembled(&head, if body.len() > 1 { &body[..body.len() / 2] } else { b"{" }),
                Some(Fault::ResetAfterBody) => {
                    let whole = assembled(&head, &[&body[..], b" "].concat());
                    let _ = outer.get_mut().write_all(&whole[..whole.len() - 1]);
                    reset(outer.into_inner());
                    return;
                }
                Some(Fault::Gateway(status, body)) => {
                    assembled(&format!("HTTP/1.1 {status} Gateway\r\nContent-Type: text/html\r\n"), body.as_bytes())
                }
                Some(Fault::ErrorAfterwards(canned)) => error(canned, is_json),
                Some(Fault::UnknownFields) => assembled(&head, &with_unknown_fields(&body)),
                _ => assembled(&head, &body),
            }
        }
    };
    let _ = outer.get_mut().write_all(&answer);
}

/// Closes the connection with a reset, once the client has had time to read.
fn reset(outer: TcpStream) {
    std::thread::sleep(Duration::from_millis(5));
    outer.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    let outer = tokio::net::TcpStream::from_std(outer).unwrap();
    outer.set_zero_linger().unwrap();
}

/// Keeps what stands in `text` after `mark`.
fn note_secret(text: &str, mark: &str, shared: &Mutex<Shared>) {
    if let Some((_, rest)) = text.split_once(mark) {
        let secret = rest.split(['<', '\r']).next().unwrap();
        shared.lock().unwrap().secrets.push(secret.to_owned());
    }
}

/// The fault of this call, which is counted.
fn strike(call: &(String, bool), shared: &Mutex<Shared>) -> Option<Fault> {
    let mut shared = shared.lock().unwrap();
    let plan =
        shared.plan.as_mut().filter(|plan| plan.times > 0 && (plan.operation, plan.as_admin) == (&*call.0, call.1))?;
    plan.times -= 1;
    let fault = plan.fault;
    shared.struck += 1;
    Some(fault)
}

/// `Scan`, from `X-Amz-Target: DynamoDB_20120810.Scan` or `Action=Scan`.
fn operation(head: &str, body: &[u8]) -> String {
    let target = head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-amz-target:"));
    match target {
        Some(line) => line.rsplit('.').next().unwrap().trim().to_owned(),
        None => {
            let body = String::from_utf8_lossy(body);
            body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default().to_owned()
        }
    }
}

/// The message with the length of `body`, and without a promise to keep the connection.
fn assembled(head: &str, body: &[u8]) -> Vec<u8> {
    let lines = head.trim_end().lines().filter(|line| {
        let line = line.to_ascii_lowercase();
        // DynamoDB's checksum is of the whole body.
        !["content-length:", "connection:", "x-amz-crc32:"].iter().any(|name| line.starts_with(name))
    });
    let mut text: String = lines.map(|line| format!("{line}\r\n")).collect();
    text.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()));
    [text.as_bytes(), body].concat()
}

fn with_unknown_fields(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let unknown = match (text.strip_prefix('{'), text.find("Result>")) {
        (Some("}"), _) => r#"{"Unheard":{"Of":[1,null]}}"#.to_owned(),
        (Some(rest), _) => format!(r#"{{"Unheard":{{"Of":[1,null]}},{rest}"#),
        (None, Some(at)) => text[..at + 7].to_owned() + "<Unheard><Of>1</Of></Unheard>" + &text[at + 7..],
        (None, None) => text,
    };
    unknown.into_bytes()
}

fn error(Canned(status, json, query, message): Canned, is_json: bool) -> Vec<u8> {
    let body = if is_json {
        format!(r#"{{"__type":"com.amazonaws#{json}","message":"{message}"}}"#)
    } else {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{query}</Code><Message>{message}</Message></Error>\
             <RequestId>r-1</RequestId></ErrorResponse>"
        )
    };
    assembled(&format!("HTTP/1.1 {status} Error\r\nx-amzn-RequestId: r-1\r\n"), body.as_bytes())
}
