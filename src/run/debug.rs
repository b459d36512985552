//! `--debug FILE`: what the lab does, line by line, to send with a report.
//!
//! The subscriber is our own. Every line passes the filters of secrets and pseudonyms, so that tracing-subscriber would
//! save little and bring five more crates. Lines of other crates are left out: the SDK's may quote signed requests.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::disk;
use crate::lab::{REPORT_IT, redact};
use crate::run::pseudonyms::Masking;

/// The targets of this crate's lines.
const OWN: &str = "kmslab";

static PATH: OnceLock<PathBuf> = OnceLock::new();

thread_local! {
    /// How many spans this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Writes lines to the file at `path` from now on. An existing file is continued; only its owner can read it.
///
/// # Errors
/// If the file can't be written.
pub fn start(path: &Path) -> io::Result<()> {
    let file = disk::append_private(path)?;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // One command a process; a second one changes nothing.
    if PATH.set(path).is_ok() {
        let _ = tracing::subscriber::set_global_default(DebugLog::new(file));
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            tracing::error!("panic: {info}");
            previous(info);
        }));
    }
    Ok(())
}

/// Where the lines go.
pub fn path() -> Option<&'static Path> {
    PATH.get().map(PathBuf::as_path)
}

/// Says what to send with a report of a bug.
pub fn what_to_send() -> String {
    match path() {
        Some(path) => format!("please report it, with this text and the file {}", path.display()),
        None => REPORT_IT.to_owned(),
    }
}

/// What follows the message of a panic.
#[derive(Debug)]
pub struct BugReport;

impl fmt::Display for BugReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "This is a bug in kmslab {}: {}.", crate::cli::VERSION, what_to_send())
    }
}

struct DebugLog {
    began: Instant,
    last_span: AtomicU64,
    sink: Mutex<Sink>,
}

struct Sink {
    file: File,
    /// When each span began.
    spans: HashMap<u64, Instant>,
}

impl DebugLog {
    fn new(file: File) -> DebugLog {
        let sink = Sink { file, spans: HashMap::new() };
        DebugLog { began: Instant::now(), last_span: AtomicU64::new(0), sink: Mutex::new(sink) }
    }

    fn with_sink<T>(&self, with: impl FnOnce(&mut Sink) -> T) -> T {
        with(&mut self.sink.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn line(&self, target: &str, text: &str) {
        let Some(masking) = Masking::begin() else { return };
        let seconds = self.began.elapsed().as_secs_f64();
        let indent = "  ".repeat(DEPTH.get());
        let module = target.trim_start_matches(OWN).trim_start_matches("::");
        let text = redact::clean(&redact::redact_text(text)).replace('\n', "\\n");
        let text = masking.written(&text);
        // A full disk ends no lab.
        let line = format!("{seconds:>12.6} {indent}{module} {text}\n");
        self.with_sink(|sink| drop(sink.file.write_all(line.as_bytes())));
    }
}

impl Subscriber for DebugLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().split("::").next() == Some(OWN)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        self.line(span.metadata().target(), &fields.0);
        let id = self.last_span.fetch_add(1, Ordering::Relaxed) + 1;
        self.with_sink(|sink| sink.spans.insert(id, Instant::now()));
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.line(event.metadata().target(), fields.0.trim_start());
    }

    fn enter(&self, _: &Id) {
        DEPTH.set(DEPTH.get() + 1);
    }

    fn exit(&self, _: &Id) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }

    fn try_close(&self, id: Id) -> bool {
        if let Some(began) = self.with_sink(|sink| sink.spans.remove(&id.into_u64())) {
            self.line("", &format!("took {:.3} ms", began.elapsed().as_secs_f64() * 1_000.0));
        }
        true
    }
}

/// Fields as `message name=value`.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::pseudonyms;

    #[test]
    fn a_panic_in_the_masker_does_not_wait_for_itself() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = DebugLog::new(file.reopen().unwrap());
        let masking = Masking::begin();
        log.line("kmslab", "left out");
        drop(masking);
        log.line("kmslab", "written");
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains("written") && !text.contains("left out"), "{text}");
    }

    #[test]
    fn only_own_lines_without_secrets() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = DebugLog::new(file.reopen().unwrap());
        pseudonyms::begin();
        tracing::subscriber::with_default(log, || {
            let span = tracing::debug_span!("event", what = "Scan");
            let _entered = span.enter();
            tracing::debug!(key = "arn:aws:kms:us-east-1:111122223333:key/1", "called\n\u{1b}[31m");
            tracing::debug!(body = %r#"{"SecretAccessKey":"wJalrXUtnFEMI"}"#, "received");
            tracing::debug!(target: "aws_sigv4", signature = "0f1e2d3c", "signed");
            tracing::trace!("details");
        });
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<&str> = text.lines().map(|line| line[12..].trim_end()).collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].ends_with("event what=\"Scan\""), "{text}");
        assert!(lines[1].contains("called\\n\\u{1b}[31m") && !text.contains("111122223333"), "{text}");
        assert!(lines[2].contains("[redacted]") && !text.contains("wJalr"), "{text}");
        assert!(lines[3].contains("took "), "{text}");
        assert!(!text.contains("0f1e2d3c"), "{text}");
    }
}
