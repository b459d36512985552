//! A server on a port of its own that stands in for AWS, alone or in front of another one.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::message::message;

/// What a request is answered with.
pub enum Reply {
    /// These bytes; the connection stays open.
    Keep(Vec<u8>),
    /// These bytes, and the end of the connection.
    Close(Vec<u8>),
    /// The response of the server behind it.
    PassOn,
}

/// Each connection is served on a thread of its own, until the test ends.
pub struct Fake {
    pub address: SocketAddr,
    /// The requests so far, heads and bodies.
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// A server that closes the connection after each response, which is what `answer` returns for a request.
    pub fn new(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Fake {
        Fake::start(None, move |request, _| Reply::Close(answer(request)))
    }

    /// A server in front of the one at `url`.
    pub fn before(url: &str, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Fake {
        let inside = url.strip_prefix("http://").unwrap().to_owned();
        Fake::start(Some(inside), move |request, _| answer(request))
    }

    /// A server that may also write to the connection itself, for as long as it likes.
    pub fn writing(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Fake {
        Fake::start(None, move |request, stream| {
            answer(request, stream);
            Reply::Close(Vec::new())
        })
    }

    fn start(inside: Option<String>, answer: impl Fn(&str, &mut TcpStream) -> Reply + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = Arc::new(Server { inside, answer, seen: seen.clone() });
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        Fake { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

struct Server<F> {
    inside: Option<String>,
    answer: F,
    seen: Arc<Mutex<Vec<String>>>,
}

impl<F: Fn(&str, &mut TcpStream) -> Reply> Server<F> {
    fn serve(&self, stream: TcpStream) {
        let mut outer = BufReader::new(stream);
        let mut inner = self.inside.as_ref().map(|address| BufReader::new(TcpStream::connect(address).unwrap()));
        while let Some(request) = message(&mut outer) {
            let words = String::from_utf8_lossy(&request).into_owned();
            self.seen.lock().unwrap().push(words.clone());
            let (bytes, is_last) = match (self.answer)(&words, outer.get_mut()) {
                Reply::Keep(bytes) => (bytes, false),
                Reply::Close(bytes) => (bytes, true),
                Reply::PassOn => {
                    let inner = inner.as_mut().expect("a server behind it");
                    inner.get_mut().write_all(&request).unwrap();
                    let Some(bytes) = message(inner) else { return };
                    (bytes, false)
                }
            };
            if outer.get_mut().write_all(&bytes).is_err() || is_last {
                return;
            }
        }
    }
}

/// A response with these headers, which end in `\r\n` if there are any.
pub fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
