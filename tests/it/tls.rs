//! HTTPS: nothing is sent in clear text, certificates are verified, and a company's own authority can be named.
//!
//! The server's name exists nowhere: see `support/https.rs`.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::https::{Authority, Proxy, authority, contains, server_config};
use crate::support::program::{program, text};

const NAME: &str = "aws.kmslab.test";

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
        let output = program(self.folder.path(), &admin.access_key_id, admin.secret_access_key.as_str())
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("HTTPS_PROXY", &proxy.url)
            .env("SSL_CERT_FILE", &self.another)
            .envs(variables.iter().copied())
            .args(arguments)
            .args(["--region", "us-east-1", "--endpoint-url", &url])
            .output()
            .unwrap();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    }
}

#[test]
fn the_whole_lab_runs_over_tls() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, &[NAME]), None);
    let bundle = home.ours.to_str().unwrap();
    let (status, printed) = home.kmslab(&proxy, &["run"], &[("AWS_CA_BUNDLE", bundle)]);
    assert_eq!(status, Some(0), "{printed}");

    let asked = proxy.seen.asked.lock().unwrap();
    assert!(!asked.is_empty());
    for line in asked.iter() {
        assert_eq!(line, &format!("CONNECT {NAME}:443 HTTP/1.1"), "the name is looked up by the proxy");
    }
    // Inside, there is what must not be seen outside.
    let requests: String = proxy.seen.messages.lock().unwrap().iter().map(|(request, _)| request.as_str()).collect();
    let wire = proxy.seen.wire.lock().unwrap();
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
    let proxy = Proxy::new(server_config(&ours, &[NAME]), None);
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
fn an_unknown_authoritys_certificate_is_refused() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, &[NAME]), None);
    for variables in [&[][..], &[("AWS_CA_BUNDLE", home.another.to_str().unwrap())]] {
        let (status, printed) = home.kmslab(&proxy, &["doctor"], variables);
        assert_eq!(status, Some(4), "{printed}");
        assert!(printed.contains("UnknownIssuer"), "{printed}");
        assert!(printed.contains("the server's certificate is not trusted"), "{printed}");
        assert!(printed.contains("AWS_CA_BUNDLE"), "{printed}");
    }
    assert!(proxy.seen.messages.lock().unwrap().is_empty());
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, &["somebody-else.test"]), None);
    let (status, printed) = home.kmslab(&proxy, &["doctor"], &[("AWS_CA_BUNDLE", home.ours.to_str().unwrap())]);
    assert_eq!(status, Some(4), "{printed}");
    assert!(printed.contains("not valid for name"), "{printed}");
    assert!(printed.contains("the server's certificate is not trusted"), "{printed}");
    assert!(proxy.seen.messages.lock().unwrap().is_empty());
}

#[test]
fn an_invalid_ca_bundle_is_refused_at_the_start() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, &[NAME]), None);
    let (status, printed) = home.kmslab(&proxy, &["doctor"], &[("AWS_CA_BUNDLE", "/nowhere/ca.pem")]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("the certificates in /nowhere/ca.pem"), "{printed}");
    assert_eq!(*proxy.seen.asked.lock().unwrap(), [""; 0]);
}

#[test]
fn no_proxy_is_honoured() {
    let ours = authority("ours");
    let home = Home::new(&ours);
    let proxy = Proxy::new(server_config(&ours, &[NAME]), None);
    let (status, printed) = home.kmslab(&proxy, &["doctor"], &[("NO_PROXY", "kmslab.test")]);
    assert_eq!(status, Some(4), "the name exists nowhere: {printed}");
    assert_eq!(*proxy.seen.asked.lock().unwrap(), [""; 0]);
}
