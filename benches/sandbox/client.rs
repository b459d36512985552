//! A client that costs as little as possible: each request is signed once, and then sent again and again.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use kmslab::sandbox::Sandbox;
use serde_json::Value;

/// The bytes of a signed call.
pub fn signed(sandbox: &Sandbox, service: &str, target: &str, body: &Value) -> Vec<u8> {
    let (host, admin) = (host(sandbox), sandbox.admin());
    let identity =
        Credentials::new(admin.access_key_id.as_str(), admin.secret_access_key.as_str(), None, None, "bench").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(sandbox.region())
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("signing parameters")
        .into();
    let body = body.to_string();
    let headers = [("content-type", "application/x-amz-json-1.0"), ("host", host), ("x-amz-target", target)];
    let request = SignableRequest::new("POST", "/", headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
    let (instructions, _) = sign(request.expect("a request"), &parameters).expect("a signature").into_parts();
    let signed: String = instructions.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let own: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST / HTTP/1.1\r\n{own}{signed}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The bytes of a request for a page that is always the same.
pub fn page(sandbox: &Sandbox) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", host(sandbox)).into_bytes()
}

fn host(sandbox: &Sandbox) -> &str {
    sandbox.url().strip_prefix("http://").expect("an address")
}

/// A connection to the sandbox.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn new(sandbox: &Sandbox) -> Connection {
        let stream = TcpStream::connect(host(sandbox)).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Connection { stream, buffer: vec![0; 1024 * 1024] }
    }

    /// Sends `request`, and reads the whole response. Returns its body.
    pub fn send(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).expect("a request");
        let mut filled = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[filled..]).expect("a response");
            assert!(count > 0, "the server hung up");
            filled += count;
            let Some(head) = self.buffer[..filled].windows(4).position(|end| end == b"\r\n\r\n") else { continue };
            let head = head + 4;
            let text = std::str::from_utf8(&self.buffer[..head]).expect("a head").to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
            let length: usize = length.expect("a length").parse().expect("a number");
            if filled == head + length {
                let body = &self.buffer[head..filled];
                assert!(text.starts_with("http/1.1 200"), "{text}{}", String::from_utf8_lossy(body));
                return body;
            }
        }
    }
}
