//! A small HTTP client over a plain socket, and a signer that can be made to sign wrongly.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use kmslab::sandbox::{Config, Sandbox};
use serde_json::Value;

/// A sandbox on a free port with a temporary folder.
pub fn sandbox() -> Sandbox {
    Sandbox::start(Config::default()).unwrap()
}

/// Where a sandbox listens.
pub fn address(sandbox: &Sandbox) -> SocketAddr {
    sandbox.url().strip_prefix("http://").unwrap().parse().unwrap()
}

/// A keep-alive connection.
pub struct Connection(BufReader<TcpStream>);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The error's code, whatever the protocol.
    pub fn error_code(&self) -> String {
        let text = self.text();
        if let Some((_, rest)) = text.split_once("<Code>") {
            return rest.split('<').next().unwrap().to_owned();
        }
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        json["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap().to_owned()
    }
}

impl Connection {
    pub fn to(sandbox: &Sandbox) -> Self {
        Self::at(address(sandbox))
    }

    pub fn at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    pub fn read(&mut self) -> Answer {
        self.try_read().unwrap()
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.write(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        self.read()
    }

    /// For requests that may be cut off before they are sent to the end.
    pub fn try_exchange(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        self.0.get_mut().write_all(bytes)?;
        self.try_read()
    }

    fn try_read(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        let mut next = || -> io::Result<String> {
            line.clear();
            self.0.read_line(&mut line)?;
            Ok(line.trim_end().to_owned())
        };
        let first = next()?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no status line: {first:?}")))?;
        let mut headers = Vec::new();
        loop {
            let header = next()?;
            let Some((name, value)) = header.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body.resize(length, 0);
        self.0.read_exact(&mut answer.body)?;
        if let Some(checksum) = answer.header("x-amz-crc32") {
            assert_eq!(checksum, crc32fast::hash(&answer.body).to_string());
        }
        Ok(answer)
    }
}

/// Signs and sends requests. Each field is something that can be got wrong.
pub struct Signer {
    pub access_key_id: String,
    pub secret: String,
    pub region: String,
    pub service: &'static str,
    /// The service to sign for, when not `service`.
    pub signing_name: Option<&'static str>,
    pub time: SystemTime,
    /// Headers to add, signed.
    pub extra: Vec<(&'static str, String)>,
    /// Changes the finished `Authorization` header; an empty one is not sent.
    pub edit: fn(String) -> String,
    /// A header that is not sent though it is signed.
    pub drop: Option<&'static str>,
    /// A header that is sent but not signed.
    pub unsigned: Option<&'static str>,
    /// Comes after the body that was signed.
    pub appended: &'static str,
    /// Sends `x-amz-content-sha256`.
    pub checksum: bool,
    /// Sends the body in chunks.
    pub chunked: bool,
}

impl Signer {
    /// The administrator, calling STS rightly.
    pub fn admin(sandbox: &Sandbox) -> Self {
        Self {
            access_key_id: sandbox.admin().access_key_id.clone(),
            secret: sandbox.admin().secret_access_key.to_string(),
            region: sandbox.region().to_owned(),
            service: "sts",
            signing_name: None,
            time: SystemTime::now(),
            extra: Vec::new(),
            edit: |authorization| authorization,
            drop: None,
            unsigned: None,
            appended: "",
            checksum: false,
            chunked: false,
        }
    }

    pub fn service(self, service: &'static str) -> Self {
        Self { service, ..self }
    }

    pub fn caller_identity(&self, connection: &mut Connection) -> Answer {
        self.form(connection, b"Action=GetCallerIdentity&Version=2011-06-15")
    }

    pub fn form(&self, connection: &mut Connection, body: &[u8]) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(connection, "POST", "/", &headers, body)
    }

    pub fn json(&self, connection: &mut Connection, target: &str, body: &[u8]) -> Answer {
        let version = if self.service == "dynamodb" { "1.0" } else { "1.1" };
        let content_type = format!("application/x-amz-json-{version}");
        self.send(connection, "POST", "/", &[("content-type", &content_type), ("x-amz-target", target)], body)
    }

    pub fn send(
        &self,
        connection: &mut Connection,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let host = "localhost:4599";
        let mut all: Vec<(&str, &str)> = vec![("host", host)];
        all.extend(headers);
        all.extend(self.extra.iter().map(|(name, value)| (*name, value.as_str())));
        let signed = self.sign(method, path, &all, body);
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let sent = all.iter().map(|(name, value)| (*name, (*value).to_owned()));
        for (name, value) in sent.chain(signed.iter().map(|(name, value)| (name.as_str(), value.clone()))) {
            let value = if name == "authorization" { (self.edit)(value) } else { value };
            if self.drop != Some(name) && !value.is_empty() {
                head += &format!("{name}: {value}\r\n");
            }
        }
        let body = [body, self.appended.as_bytes()].concat();
        let mut request = head.into_bytes();
        if self.chunked {
            request.extend(b"transfer-encoding: chunked\r\n\r\n");
            for chunk in body.chunks(body.len().div_ceil(3).max(1)) {
                request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                request.extend(chunk);
                request.extend(b"\r\n");
            }
            request.extend(b"0\r\n\r\n");
        } else {
            request.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
            request.extend(body);
        }
        connection.write(&request);
        connection.read()
    }

    /// The headers that signing adds.
    fn sign(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<(String, String)> {
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        if self.checksum {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = Credentials::new(&self.access_key_id, &self.secret, None, None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.signing_name.unwrap_or(self.service))
            .time(self.time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let signable = headers.iter().copied().filter(|(name, _)| self.unsigned != Some(name));
        let request = SignableRequest::new(method, path, signable, SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
