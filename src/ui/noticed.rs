//! What other clients did, the call that mattered, and what the lab has checked.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use serde_json::Value;

use crate::lab::insight::trail::short;
use crate::lab::key_policy::statements;
use crate::lab::model::noticed::{Became, NoticedCall};
use crate::lab::noticing::{LedTo, Note};
use crate::lab::{Denied, Identity, Stage, State};

use super::extent;
use super::sheet::Sheet;
use super::text::{clean, width};
use super::theme::Theme;

/// Reads that are listed one by one; of more the oldest are counted.
const READS: usize = 4;

/// Columns of a label.
const COLUMN: usize = 17;

/// The page's lines.
pub fn lines(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, state.interface(), columns);
    let (words, noticing) = (state.interface(), state.noticing());
    noticing.earlier().iter().chain(noticing.note()).for_each(|note| sheet.headline(note, &note.text(state)));
    if noticing.note().is_some() {
        sheet.blank();
    }
    let marked = noticing.note().map(|note| note.call.serial);
    let (folded, rows) = fold(noticing.calls(), marked);
    if folded > 0 {
        sheet.text(&format!("   {}", words.fill("+ {} reads", &[&folded])), theme.dim);
    }
    rows.iter().for_each(|call| sheet.noticed(state, call, marked == Some(call.serial)));
    if let Some(note) = noticing.note() {
        sheet.rejected(state, note);
    }
    sheet.blank();
    sheet.text(words.say("checked by the lab"), theme.dim);
    match noticing.checking() {
        Some(stage) => sheet.text(&format!("   {}", words.fill("checking stage {} …", &[&stage.number()])), theme.dim),
        None => sheet.checked(state),
    }
    sheet.lines
}

/// The calls that are listed, and how many reads are not.
fn fold(calls: &[NoticedCall], marked: Option<u64>) -> (usize, Vec<&NoticedCall>) {
    let is_mere_read = |call: &&NoticedCall| call.is_read() && marked != Some(call.serial);
    let reads = calls.iter().filter(is_mere_read).count();
    let folded = reads.saturating_sub(READS);
    let mut left = folded;
    let listed = calls.iter().filter(|call| {
        let drops = left > 0 && is_mere_read(call);
        left -= usize::from(drops);
        !drops
    });
    (folded, listed.collect())
}

/// `14:02:11`, in UTC.
fn clock(unix: u64) -> String {
    let of_day = unix % 86_400;
    format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// What more there is to say of a call in a few words.
fn detail(call: &NoticedCall) -> String {
    match call.became() {
        Became::Denied => {
            let message = call.error_message.as_deref().unwrap_or_default();
            Denied::parse(message).action.unwrap_or_default()
        }
        Became::Failed => call.error_code.clone().unwrap_or_default(),
        Became::Allowed => match call.result.get("Count").and_then(Value::as_u64) {
            Some(1) => "1 item".to_owned(),
            Some(count) => format!("{count} items"),
            None => ["TableName", "UserName", "AliasName", "KeyId"]
                .iter()
                .find_map(|name| call.parameter(name).or_else(|| call.resulting(name)))
                .unwrap_or_default()
                .to_owned(),
        },
    }
}

impl Sheet<'_> {
    fn headline(&mut self, note: &Note, text: &str) {
        let theme = self.theme;
        let (sign, looks) = match note.led_to {
            LedTo::Reached(_) => ("✔", theme.allowed),
            LedTo::Rejected(_) | LedTo::Missed(..) | LedTo::Broken(_) | LedTo::LockedOut(_) => ("✘", theme.failed),
            LedTo::Step(..) | LedTo::NewAccessKey | LedTo::Early(_) => ("○", theme.waiting),
        };
        let sign = vec![Span::styled(format!("{sign} "), looks.text)];
        self.put(sign, vec![Span::styled(text.to_owned(), theme.strong)], 2);
    }

    fn noticed(&mut self, state: &State, call: &NoticedCall, is_marked: bool) {
        let theme = self.theme;
        let (sign, word, looks) = match call.became() {
            Became::Allowed => ("✔", "ALLOWED", theme.allowed),
            Became::Denied => ("✘", "DENIED", theme.denied),
            Became::Failed => ("!", "FAILED", theme.failed),
        };
        let arn = clean(&call.principal);
        let who = Identity::BOTH.into_iter().find(|who| state.shown_caller(*who).is_some_and(|is| is.arn == arn));
        let who = who.map_or_else(|| short(&arn).to_owned(), |who| who.name().to_owned());
        let mark = if is_marked { " ▸ " } else { "   " };
        let mark_style = if is_marked { theme.hint } else { theme.base };
        let lead = vec![
            Span::styled(mark, mark_style),
            Span::styled(format!("{}  ", clock(call.at)), theme.dim),
            Span::styled(format!("{who:<10}  "), theme.base),
            Span::styled(format!("{:<24} ", clean(&call.action())), theme.base),
            Span::styled(format!("{:<10} ", format!("{sign} {word}")), looks.text),
        ];
        let hang = 13;
        self.put(lead, vec![Span::styled(clean(&detail(call)), theme.base)], hang);
    }

    /// A line with a label of its own.
    fn labeled(&mut self, label: &str, text: &str, style: Style) {
        self.put(self.lead(label), vec![Span::styled(text.to_owned(), style)], COLUMN + 3);
    }

    fn lead(&self, label: &str) -> Vec<Span<'static>> {
        let pad = " ".repeat(COLUMN - width(label).min(COLUMN - 1));
        vec![Span::styled(format!("   {label}{pad}"), self.theme.dim)]
    }

    /// Why the service rejected a call and, of a key policy, what it lacks.
    fn rejected(&mut self, state: &State, note: &Note) {
        let LedTo::Rejected(_) = note.led_to else { return };
        let (theme, words, call) = (self.theme, state.interface(), &note.call);
        self.blank();
        let says = call.error_message.as_deref().unwrap_or_default();
        self.labeled(words.say("AWS says"), &clean(says), theme.strong);
        let (Some(sent), Some(had)) = (call.parameter("Policy"), state.shown_facts().policy.as_deref()) else { return };
        let [sent, had] = [sent, had].map(sids);
        if sent.is_empty() {
            return;
        }
        self.blank();
        let count = |sids: &[String]| match sids.len() {
            1 => words.say("1 statement").to_owned(),
            many => words.fill("{} statements", &[&many]),
        };
        self.labeled(words.say("you sent"), &format!("{}   {}", count(&sent), sent.join(", ")), theme.base);
        self.labeled(words.say("the key had"), &format!("{}   {}", count(&had), had.join(", ")), theme.base);
        let missing: Vec<&str> = had.iter().filter(|sid| !sent.contains(sid)).map(String::as_str).collect();
        if !missing.is_empty() {
            self.labeled(words.say("not in yours"), &missing.join(", "), theme.strong);
            self.blank();
            let text = "PutKeyPolicy replaces the whole document. What you leave out is gone.";
            self.text(&format!("   {}", words.say(text)), theme.base);
        }
    }

    /// What the lab's own calls have shown.
    fn checked(&mut self, state: &State) {
        let stage = state.current();
        let check = state.record(stage).status.check();
        if let (Some(check), true) = (check, stage != Stage::Grant) {
            if stage == Stage::ViewAgain && state.noticing().has_reached(Stage::Grant) {
                self.way(state);
                self.blank();
            }
            let sign = if check.met { "✔" } else { "✘" };
            return self.labeled(
                &format!("{} {sign}", stage.number()),
                &self.words.sentence(&clean(&check.observed)),
                self.theme.base,
            );
        }
        self.way(state);
    }

    /// What the learner's own way has changed.
    fn way(&mut self, state: &State) {
        let words = state.interface();
        let columns = self.columns.saturating_sub(COLUMN + 3);
        let now = |identity: Identity| state.path_in(Stage::Grant, identity);
        for (label, path) in extent::paths(state, now, self.theme, columns) {
            self.put(self.lead(&label), path, COLUMN + 3);
        }
        let Some(opened) = state.extent() else { return };
        self.blank();
        if let Some((number, rung)) = extent::moved(state) {
            let text = format!("{number}  {}: {}", words.word(rung.label), words.sentence(&rung.now));
            self.labeled(words.say("rung that moved"), &text, self.theme.strong);
        }
        for (label, text) in extent::rows(&opened, words) {
            self.labeled(&label, &text, self.theme.base);
        }
    }
}

/// The names of a policy's statements.
fn sids(policy: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(policy).unwrap_or_default();
    let name = |statement: &&Value| clean(statement["Sid"].as_str().unwrap_or("(no Sid)"));
    statements(&document).iter().map(name).map(|sid| format!("\"{sid}\"")).collect()
}
