//! The calls of a run by boto3 to moto, where both are on the path.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running moto.
pub struct Boto3 {
    moto: Child,
    url: String,
    home: tempfile::TempDir,
}

impl Boto3 {
    /// `None` if boto3 or moto isn't there.
    pub fn start() -> Option<Boto3> {
        let has_boto3 = Command::new("python3").args(["-c", "import boto3"]).stderr(Stdio::null()).status();
        if !has_boto3.is_ok_and(|status| status.success()) {
            return None;
        }
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut moto = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("HOME", home.path())
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(moto.stderr.take()?).lines().map_while(Result::ok);
        let Some(url) = lines.find_map(|line| line.split_once("Running on ").map(|(_, url)| url.to_owned())) else {
            moto.wait().expect("moto ends");
            return None;
        };
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let url = url.trim().split('\u{1b}').next().unwrap_or_default().to_owned();
        Some(Boto3 { moto, url, home })
    }

    /// How long the calls in `recording` took, and boto3's peak memory in KB.
    pub fn calls(&self, recording: &Path) -> (Duration, u64) {
        let output = Command::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/speed/calls.py"))
            .arg(recording)
            .env("HOME", self.home.path())
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .stderr(Stdio::null()) // moto refuses a few
            .output()
            .expect("python3 starts");
        let printed = String::from_utf8_lossy(&output.stdout);
        let words: Vec<&str> = printed.split_whitespace().collect();
        let [seconds, memory, _] = words[..] else { panic!("calls.py failed: {printed}") };
        (Duration::from_secs_f64(seconds.parse().expect("seconds")), memory.parse().expect("KB"))
    }
}

impl Drop for Boto3 {
    fn drop(&mut self) {
        // If it has ended already, there is nothing to do.
        let _ = self.moto.kill();
        let _ = self.moto.wait();
    }
}
