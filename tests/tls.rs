//! HTTPS: nothing is sent in clear text, certificates are verified, and a company's own authority can be named.
//!
//! The server's name exists nowhere. The client reaches it through `HTTPS_PROXY`, which is a proxy of this test that ends
//! the TLS connection itself with a certificate made here, and hands the requests on to a sandbox.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]
#![cfg(unix)]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use kmslab::sandbox::{Config, Sandbox};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

const NAME: &str = "aws.kmslab.test";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a server needs to be `name` by the word of `authority`.
fn server_config(authority: &Authority, name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
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

/// One HTTP message, read to its end.
fn message(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes).unwrap_or(0) == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(bytes)
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

/// A proxy that is also the server, in front of a sandbox.
struct Proxy {
    url: String,
    sandbox: Sandbox,
    /// The first line of each connection.
    asked: Arc<Mutex<Vec<String>>>,
    /// Everything that came after it, as it was on the wire.
    wire: Arc<Mutex<Vec<u8>>>,
    /// The requests that were inside.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn new(config: Arc<ServerConfig>) -> Proxy {
        let sandbox = Sandbox::start(Config::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy {
            url: format!("http://{}", listener.local_addr().unwrap()),
            sandbox,
            asked: Arc::default(),
            wire: Arc::default(),
            requests: Arc::default(),
        };
        let inside = proxy.sandbox.url().strip_prefix("http://").unwrap().to_owned();
        let (asked, wire, requests) = (proxy.asked.clone(), proxy.wire.clone(), proxy.requests.clone());
        std::thread::spawn(move || {
            for mut outer in listener.incoming().map_while(Result::ok) {
                let (config, inside) = (config.clone(), inside.clone());
                let (asked, wire, requests) = (asked.clone(), wire.clone(), requests.clone());
                std::thread::spawn(move || {
                    let line = connect_line(&mut outer);
                    asked.lock().unwrap().push(line);
                    outer.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
                    let outer = Watched { stream: outer, read: wire };
                    let mut outer = BufReader::new(StreamOwned::new(ServerConnection::new(config).unwrap(), outer));
                    let mut inner = BufReader::new(TcpStream::connect(inside).unwrap());
                    while let Some(request) = message(&mut outer) {
                        requests.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                        inner.get_mut().write_all(&request).unwrap();
                        let Some(answer) = message(&mut inner) else { return };
                        if outer.get_mut().write_all(&answer).and_then(|()| outer.get_mut().flush()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        proxy
    }
}

/// A home with the certificates of two authorities: the one that signed for the server, and another.
struct Home {
    folder: TempDir,
    ours: PathBuf,
    another: PathBuf,
}

impl Home {
    fn new(ours: &Authority) -> Home {
        let folder = tempfile::tempdir().unwrap();
        let [at, other_at] = ["ours.pem", "another.pem"].map(|name| folder.path().join(name));
        std::fs::write(&at, ours.pem()).unwrap();
        std::fs::write(&other_at, authority("another").pem()).unwrap();
        Home { ours: at, another: other_at, folder }
    }

    /// `kmslab` with `arguments`; the machine trusts another authority than the server's.
    fn kmslab(&self, proxy: &Proxy, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let admin = proxy.sandbox.admin();
        let url = format!("https://{NAME}");
        let output = Command::new(env!("CARGO_BIN_EXE_kmslab"))
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_ACCESS_KEY_ID", &admin.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.as_str())
            .env("HTTPS_PROXY", &proxy.url)
            .env("SSL_CERT_FILE", &self.another)
            .envs(variables.iter().copied())
            .args(arguments)
            .args(["--region", "us-east-1", "--endpoint-url", &url])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), stdout + &stderr)
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

#[test]
fn with_the_right_authority_the_whole_lab_goes_through_and_nothing_in_clear_text() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, NAME));
    let bundle = home.ours.to_str().unwrap();
    let (status, printed) = home.kmslab(&proxy, &["run"], &[("AWS_CA_BUNDLE", bundle)]);
    assert_eq!(status, Some(0), "{printed}");

    let asked = proxy.asked.lock().unwrap();
    assert!(!asked.is_empty());
    for line in asked.iter() {
        assert_eq!(line, &format!("CONNECT {NAME}:443 HTTP/1.1"), "the name is looked up by the proxy");
    }
    // Inside, there is what must not be seen outside.
    let requests = proxy.requests.lock().unwrap().concat();
    let wire = proxy.wire.lock().unwrap();
    let id = proxy.sandbox.admin().access_key_id.clone();
    for secret in ["authorization: ", "AWS4-HMAC-SHA256", "Action=CreateUser", "x-amz-target", "kmslab-table-", &id] {
        assert!(contains(requests.as_bytes(), secret), "{secret} was not sent at all");
        assert!(!contains(&wire, secret), "{secret} was sent in clear text");
    }
    assert_eq!(wire.first(), Some(&22), "the first byte is that of a TLS handshake");
    assert!(!contains(requests.as_bytes(), proxy.sandbox.admin().secret_access_key.as_str()));
}

#[test]
fn the_authority_of_the_profile_will_do_too() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, NAME));
    std::fs::create_dir(home.folder.path().join(".aws")).unwrap();
    let admin = proxy.sandbox.admin();
    let profile = format!(
        "[profile lab]\nca_bundle = {}\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        home.ours.display(),
        admin.access_key_id,
        admin.secret_access_key.as_str()
    );
    std::fs::write(home.folder.path().join(".aws/config"), profile).unwrap();
    let (status, printed) = home.kmslab(&proxy, &["doctor", "--admin-profile", "lab"], &[]);
    assert_eq!(status, Some(0), "{printed}");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_and_nothing_is_sent() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, NAME));
    for variables in [&[][..], &[("AWS_CA_BUNDLE", home.another.to_str().unwrap())]] {
        let (status, printed) = home.kmslab(&proxy, &["doctor"], variables);
        assert_eq!(status, Some(4), "{printed}");
        assert!(printed.contains("UnknownIssuer"), "{printed}");
        assert!(printed.contains("the server's certificate is not trusted"), "{printed}");
        assert!(printed.contains("AWS_CA_BUNDLE"), "{printed}");
    }
    assert_eq!(*proxy.requests.lock().unwrap(), [""; 0]);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, "somebody-else.test"));
    let (status, printed) = home.kmslab(&proxy, &["doctor"], &[("AWS_CA_BUNDLE", home.ours.to_str().unwrap())]);
    assert_eq!(status, Some(4), "{printed}");
    assert!(printed.contains("not valid for name"), "{printed}");
    assert!(printed.contains("the server's certificate is not trusted"), "{printed}");
    assert_eq!(*proxy.requests.lock().unwrap(), [""; 0]);
}

#[test]
fn a_bundle_that_is_none_is_told_before_anything_is_sent() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, NAME));
    let (status, printed) = home.kmslab(&proxy, &["doctor"], &[("AWS_CA_BUNDLE", "/nowhere/ca.pem")]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("the certificates in /nowhere/ca.pem"), "{printed}");
    assert_eq!(*proxy.asked.lock().unwrap(), [""; 0]);
}

#[test]
fn no_proxy_is_honoured() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, NAME));
    let (status, printed) = home.kmslab(&proxy, &["doctor"], &[("NO_PROXY", "kmslab.test")]);
    assert_eq!(status, Some(4), "the name exists nowhere: {printed}");
    assert_eq!(*proxy.asked.lock().unwrap(), [""; 0]);
}
