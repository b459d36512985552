//! A server for names that lead elsewhere, or nowhere: the client reaches it through `HTTPS_PROXY`. It is the proxy, ends
//! the TLS connection itself with a certificate made here, and hands the requests on to a sandbox as they are, the
//! signed `Host` included. (What comes with a session's token is signed again: `support/session.rs`.)

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use kmslab::sandbox::{Config, Sandbox};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::message::message;
use super::session;

pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a server needs to be all of `names` by the word of `authority`.
pub fn server_config(authority: &Authority, names: &[&str]) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, authority).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// A connection that keeps what was read from it.
struct Watched {
    stream: TcpStream,
    read: Arc<Mutex<Vec<u8>>>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.read.lock().unwrap().extend(&buffer[..read]);
        Ok(read)
    }
}

impl Write for Watched {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The first line of a `CONNECT`; its headers are read, and nothing after them.
fn connect_line(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned()
}

/// The first request with this text never arrives; a channel says that it was sent.
pub type Stop = (&'static str, Sender<()>);

/// What the proxy has seen.
#[derive(Clone, Default)]
pub struct Seen {
    /// The first line of each connection.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// Everything that came after it, as it was on the wire.
    pub wire: Arc<Mutex<Vec<u8>>>,
    /// The requests that were inside, and their answers.
    pub messages: Arc<Mutex<Vec<(String, String)>>>,
}

/// The proxy that is also the server.
pub struct Proxy {
    pub url: String,
    pub sandbox: Sandbox,
    pub seen: Seen,
}

impl Proxy {
    pub fn new(config: Arc<ServerConfig>, stop: Option<Stop>) -> Proxy {
        let sandbox = Sandbox::start(Config::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy { url: format!("http://{}", listener.local_addr().unwrap()), sandbox, seen: Seen::default() };
        let admin = proxy.sandbox.admin();
        let admin = (admin.access_key_id.clone(), admin.secret_access_key.to_string());
        let inside = proxy.sandbox.url().strip_prefix("http://").unwrap().to_owned();
        let (seen, stop) = (proxy.seen.clone(), Arc::new(Mutex::new(stop)));
        std::thread::spawn(move || {
            for outer in listener.incoming().map_while(Result::ok) {
                let (config, inside, admin) = (config.clone(), inside.clone(), admin.clone());
                let (seen, stop) = (seen.clone(), stop.clone());
                std::thread::spawn(move || serve(outer, config, (&inside, &admin), &seen, &stop));
            }
        });
        proxy
    }
}

/// One connection, to its end. Inside is the sandbox, with its admin's keys.
fn serve(
    mut outer: TcpStream,
    config: Arc<ServerConfig>,
    (inside, admin): (&str, &(String, String)),
    seen: &Seen,
    stop: &Mutex<Option<Stop>>,
) {
    let line = connect_line(&mut outer);
    seen.asked.lock().unwrap().push(line);
    outer.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
    let outer = Watched { stream: outer, read: seen.wire.clone() };
    let mut outer = BufReader::new(StreamOwned::new(ServerConnection::new(config).unwrap(), outer));
    let mut inner = BufReader::new(TcpStream::connect(inside).unwrap());
    while let Some(request) = message(&mut outer) {
        let request = String::from_utf8(request).unwrap();
        let stopped = stop.lock().unwrap().take_if(|(stops, _)| request.contains(*stops));
        if let Some((_, sent)) = stopped {
            sent.send(()).unwrap();
            // Until the client hangs up.
            let _ = outer.read(&mut [0]);
            return;
        }
        let answer = match session::assumed_role(&request) {
            Some(answer) => answer,
            None => {
                let request = session::as_admin(&request, &admin.0, &admin.1);
                inner.get_mut().write_all(request.as_bytes()).unwrap();
                let Some(answer) = message(&mut inner) else { return };
                String::from_utf8(answer).unwrap()
            }
        };
        seen.messages.lock().unwrap().push((request, answer.clone()));
        if outer.get_mut().write_all(answer.as_bytes()).and_then(|()| outer.get_mut().flush()).is_err() {
            return;
        }
    }
}

/// Whether `bytes` have `text` in them, in capitals or not.
pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}
