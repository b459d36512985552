//! The trail: the requests to KMS, oldest first.

use ratatui::text::{Line, Span};

use crate::lab::insight::Known;
use crate::lab::insight::trail::{Cause, Entry, Outcome};
use crate::lab::{BackendKind, State};

use super::sheet::Sheet;
use super::theme::Theme;

/// Columns of the time, and of the caller. A longer caller wraps.
const TIME: usize = 10;

/// The page's lines.
pub fn lines(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, state.interface(), columns);
    let entries = match state.known() {
        None => {
            sheet.text("Looking it up …", theme.dim);
            return sheet.lines;
        }
        Some(Known::Failed(reason)) => {
            sheet.text(&format!("The trail can't be read: {reason}"), theme.failed.text);
            return sheet.lines;
        }
        Some(Known::Trail(events)) => {
            let text =
                "Requests to KMS, oldest first: from DynamoDB on its caller's behalf, and from the callers themselves.";
            sheet.text(text, theme.dim);
            state.trail(events)
        }
        Some(_) => {
            sheet.text(elsewhere(state), theme.base);
            sheet.blank();
            sheet.text("The lab's own requests to KMS:", theme.dim);
            state.own_trail()
        }
    };
    if entries.is_empty() {
        sheet.blank();
        sheet.text("KMS hasn't been asked for anything yet.", theme.base);
    }
    entries.iter().for_each(|entry| sheet.entry(entry));
    sheet.lines
}

/// Where no trail can be read: where to find it, in the words of CloudTrail's own records.
fn elsewhere(state: &State) -> &'static str {
    match state.backend().kind {
        BackendKind::Aws => {
            "AWS CloudTrail shows what DynamoDB asks KMS, a few minutes later. Search for eventSource kms.amazonaws.com \
             and eventName Decrypt. userIdentity is the caller, with invokedBy dynamodb.amazonaws.com. \
             requestParameters.encryptionContext names the table and the account. resources[0].ARN is the key."
        }
        _ => "kmslab can't read a trail on this server. The sandbox has one, and on AWS it is CloudTrail.",
    }
}

impl Sheet<'_> {
    fn entry(&mut self, entry: &Entry) {
        let theme = self.theme;
        let (sign, word, looks) = match entry.outcome {
            Outcome::Allowed => ("✔", "ALLOWED", theme.allowed),
            Outcome::Denied => ("✘", "DENIED", theme.denied),
            Outcome::Failed => ("!", "FAILED", theme.failed),
        };
        let cause = match entry.cause {
            Cause::Call(place, operation) if entry.by_dynamodb => {
                self.words.sentence(&format!("for {operation}, {place}")).replace(' ', "\u{a0}")
            }
            Cause::Call(place, _) => self.words.sentence(&place.to_string()),
            Cause::Lab => self.words.sentence("by the lab"),
            Cause::Another => self.words.sentence("for an earlier attempt or another client"),
        };
        let time = Span::styled(format!("{:<TIME$}", entry.time), theme.dim);
        // A sign and its word stay on one line.
        let verdict = Span::styled(format!("{sign}\u{a0}{word}"), looks.text);
        let operation = format!("kms:{}", entry.operation);
        if !entry.by_dynamodb {
            let content = vec![
                Span::styled(self.words.sentence(&format!("{} directly: ", entry.principal)), theme.base),
                Span::styled(format!("{operation}  "), theme.base),
                verdict,
                Span::styled(format!("  {cause}"), theme.dim),
            ];
            return self.put(vec![time], content, TIME);
        }
        let who = match entry.principal.strip_suffix(".amazonaws.com") {
            Some(_) => "DynamoDB for itself: ".to_owned(),
            None => format!("DynamoDB for {}: ", entry.principal),
        };
        let who = self.words.sentence(&who);
        let content = vec![
            Span::styled(who, theme.strong),
            Span::styled(operation, theme.strong),
            Span::raw("  "),
            verdict,
            Span::styled(format!("  {cause}"), theme.dim),
        ];
        self.put(vec![time], content, TIME);
        if !entry.context.is_empty() {
            let pairs: Vec<String> = entry.context.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let lead = vec![Span::styled(format!("{:TIME$}{} ", "", self.words.sentence("context")), theme.dim)];
            self.put(lead, vec![Span::styled(pairs.join("  "), theme.string)], TIME + 8);
        }
    }
}
