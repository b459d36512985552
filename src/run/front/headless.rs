//! The lab without a screen, from stage to stage, as lines.

use std::io::{self, Write};

use futures_util::Stream;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::lab::glyphs::shown;
use crate::lab::lesson::Chosen;
use crate::lab::{Check, Event, Exchange, Intent, Lesson, Report, Stage, State, Verdict};
use crate::run::driver::{self, Arrival, Ended, Front};
use crate::run::effects::EffectHandler;
use crate::run::inputs::{Came, Inputs, Wanted};

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Jsonl,
}

/// Runs all stages and writes them to `out` as they end. A signal, whose number comes from `stop`, ends the run early,
/// and so does a failure of `out`: after a clean-up if something would be left behind. A second signal ends it at once.
///
/// Returns the final state, and how the run ended: an error is that of `out`.
pub async fn run(
    mut state: State,
    effects: EffectHandler,
    events: UnboundedReceiver<Event>,
    format: Format,
    out: &mut impl Write,
    stop: impl Stream<Item = u8> + Unpin,
) -> (State, io::Result<Ended>) {
    let (lesson, given_user) = (state.lesson().clone(), state.backend().given_user);
    let mut lines = Lines { format, out, failed: None, lesson, given_user, waiting: None };
    let ended = driver::run(&mut state, Some(&effects), &mut lines, Inputs::unattended(events, stop)).await;
    let ended = lines.failed.map_or(ended, Err);
    (state, ended)
}

impl<W: Write> Front for Lines<'_, W> {
    type Input = ();

    const CLEANS_UP: bool = true;

    async fn show(&mut self, state: &State) -> io::Result<()> {
        self.waiting(state.long_wait());
        Ok(())
    }

    async fn next(&mut self, state: &State, inputs: &mut Inputs<'_, ()>) -> io::Result<Arrival> {
        if state.is_asking_for_consent() {
            return Ok(Arrival::End(Ended::Refused));
        }
        if !state.is_running() {
            if state.is_finished() || state.backend_is_unusable().is_some() {
                self.summary(state);
                return Ok(Arrival::End(Ended::Finished));
            }
            return Ok(Arrival::Event(Event::Intent(Intent::Advance)));
        }
        Ok(match inputs.next(state, Wanted::default()).await {
            Came::Signal(signal) => Arrival::Signal(signal),
            Came::Event(event) => Arrival::Event(event),
            _ => Arrival::Redraw,
        })
    }

    fn report(&mut self, _: &State, report: &Report) -> io::Result<()> {
        self.attempt(|lines| match (lines.format, report) {
            (Format::Text, report) => lines.text(report),
            (Format::Jsonl, Report::Started(_)) => Ok(()),
            (Format::Jsonl, Report::Call(exchange)) => lines.json(&call(exchange)),
            (Format::Jsonl, Report::Stage(stage, check)) => {
                let english = Lesson::english();
                lines.json(&stage_ended(*stage, english.text(*stage, lines.given_user).expected, check))
            }
        });
        Ok(())
    }

    /// A finished run ends by itself: its clean-up isn't repeated.
    fn has_failed(&self, state: &State) -> bool {
        self.failed.is_some() && !state.is_finished()
    }

    /// Tells a person why the program doesn't end at once.
    fn leaving(&mut self) {
        self.attempt(|lines| match lines.format {
            Format::Text => writeln!(lines.out, "    stopped: cleaning up first; once more to leave at once\n"),
            Format::Jsonl => Ok(()),
        });
    }
}

struct Lines<'a, W> {
    format: Format,
    out: &'a mut W,
    /// Nothing is written any more after the first failure.
    failed: Option<io::Error>,
    lesson: Chosen,
    /// Whether test-user is a given profile.
    given_user: bool,
    /// The wait that was told last.
    waiting: Option<String>,
}

impl<W: Write> Lines<'_, W> {
    /// Writes with `write`, unless writing has failed before.
    fn attempt(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(self).and_then(|()| self.out.flush()).err();
        }
    }

    /// Tells a person, once, why nothing comes for a while.
    fn waiting(&mut self, wait: Option<String>) {
        if wait.is_some() && wait != self.waiting && self.format == Format::Text {
            self.attempt(|lines| writeln!(lines.out, "    {}", wait.as_deref().unwrap_or_default()));
        }
        self.waiting = wait.or(self.waiting.take());
    }

    fn summary(&mut self, state: &State) {
        let (met, stages) = (state.met(), Stage::ALL.len());
        self.attempt(|lines| match lines.format {
            Format::Jsonl => lines.json(
                &json!({"event": "summary", "stages": stages, "met": met, "backend": state.backend().kind.key()}),
            ),
            Format::Text => writeln!(lines.out, "{}", state.summary()),
        });
    }

    fn json(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{value}")
    }

    /// Lesson files and servers hold what they like: nothing of it is a command to the terminal.
    fn text(&mut self, report: &Report) -> io::Result<()> {
        match report {
            Report::Started(stage) => {
                let text = self.lesson.text(*stage, self.given_user);
                let (number, stages, title) = (stage.number(), Stage::ALL.len(), shown(text.title));
                writeln!(self.out, "{number}/{stages} {}: {title}", stage.key())?;
                writeln!(self.out, "    {}", shown(text.objective))
            }
            Report::Call(exchange) => self.call_lines(exchange),
            Report::Stage(stage, check) => {
                let verdict = if check.met { "met" } else { "NOT MET" };
                let expected = self.lesson.text(*stage, self.given_user).expected;
                writeln!(self.out, "    expected: {}", shown(expected))?;
                writeln!(self.out, "    observed: {}", shown(&check.observed))?;
                writeln!(self.out, "    {verdict}\n")
            }
        }
    }

    fn call_lines(&mut self, exchange: &Exchange) -> io::Result<()> {
        let (word, detail) = match &exchange.verdict {
            Verdict::Allowed => ("ALLOWED", None),
            Verdict::Denied(denied) => ("DENIED", Some(denied.message.clone())),
            Verdict::Failed(failure) if exchange.is_wanted_absence() => ("GONE", Some(failure.message.clone())),
            Verdict::Failed(failure) => {
                let code = failure.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
                let remedy = failure.remedy.as_ref().map(|remedy| format!(" ({remedy})")).unwrap_or_default();
                ("FAILED", Some(format!("{code}{}{remedy}", failure.message)))
            }
        };
        let status = exchange.answer.response.as_ref().map_or("-".to_owned(), |response| response.status.to_string());
        writeln!(
            self.out,
            "    {:<9} {:<27} {word:<7} {status:<3} {:>7.1} ms{}",
            exchange.identity.name(),
            exchange.operation.action(),
            milliseconds(exchange),
            if exchange.answer.tries > 1 { format!("  {} tries", exchange.answer.tries) } else { String::new() },
        )?;
        match detail {
            // A service's message is one line, whatever it holds.
            Some(detail) => writeln!(self.out, "              {}", shown(&detail.replace('\n', " "))),
            None => Ok(()),
        }
    }
}

fn milliseconds(exchange: &Exchange) -> f64 {
    // Tenths of a millisecond: 2^52 microseconds are 140 years.
    (exchange.answer.duration_us / 100) as f64 / 10.0
}

/// The line of a call.
fn call(exchange: &Exchange) -> Value {
    let mut line = json!({
        "event": "call",
        "stage": exchange.stage.key(),
        "identity": exchange.identity.name(),
        "service": exchange.operation.service().prefix(),
        "operation": exchange.operation.name(),
        "request": exchange.answer.request,
    });
    match &exchange.answer.response {
        Ok(response) => {
            line["response"] = json!({
                "status": response.status,
                "request_id": response.request_id,
                "body": response.body,
            });
        }
        Err(none) => {
            line["response"] = Value::Null;
            line["error"] = json!({"message": none.message, "remedy": none.remedy});
        }
    }
    line["verdict"] = json!(exchange.verdict.key());
    if let Verdict::Denied(denied) = &exchange.verdict {
        line["denied"] = json!({"principal": denied.principal, "action": denied.action, "resource": denied.resource});
    }
    if exchange.attempt > 1 {
        line["attempt"] = json!(exchange.attempt);
    }
    if exchange.answer.tries > 1 {
        line["sdk_attempts"] = json!(exchange.answer.tries);
    }
    line["duration_ms"] = json!(milliseconds(exchange));
    line
}

/// The line of a stage. The contract's words are English, whatever the language of the lesson.
fn stage_ended(stage: Stage, expected: &str, check: &Check) -> Value {
    json!({
        "event": "stage",
        "stage": stage.key(),
        "expected": expected,
        "observed": check.observed,
        "met": check.met,
    })
}
