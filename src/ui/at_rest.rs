//! At rest: the keys above an item, and each item as it is stored beside what the callers see.

use ratatui::text::{Line, Span};
use serde_json::{Map, Value};

use crate::lab::insight::Known;
use crate::lab::insight::at_rest::{AtRest, Seen, Stored, command};
use crate::lab::{BackendKind, Identity, State};

use super::sheet::Sheet;
use super::text::{cut, spans_width};
use super::theme::Theme;

/// From here on the bytes and the item stand side by side.
pub(super) const WIDE: usize = 140;

/// The page's lines.
pub fn lines(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, state.interface(), columns);
    let facts = state.shown_facts();
    if !facts.made.table {
        let text = match facts.table_was_made {
            true => "The table has been deleted, with all its rows.",
            false => "There is no table yet: stage 3 creates it.",
        };
        sheet.text(text, theme.base);
        return sheet.lines;
    }
    let told = match state.known() {
        Some(Known::AtRest(at_rest)) => Some(at_rest.as_ref()),
        Some(Known::Failed(reason)) => {
            sheet.text(&format!("The database can't be read: {reason}"), theme.failed.text);
            None
        }
        None => {
            sheet.text("Looking it up …", theme.dim);
            None
        }
        Some(_) => {
            let text = match state.backend().kind {
                BackendKind::Aws => {
                    "DynamoDB stores the bytes inside AWS, where nobody can see them. What AWS shows of the keys \
                     (DescribeTable, DescribeKey):"
                }
                _ => "This server doesn't show how it stores a table. What it shows of the keys:",
            };
            sheet.text(text, theme.base);
            sheet.blank();
            None
        }
    };
    sheet.hierarchy(state, told);
    if let Some(at_rest) = told {
        sheet.records(state, at_rest);
        sheet.look_yourself(at_rest);
    }
    sheet.lines
}

impl Sheet<'_> {
    /// Draws a step of the hierarchy: a name, `indent` levels down, and what it is.
    fn step(&mut self, indent: usize, name: &str, rest: &str) {
        let branch = if indent == 0 { String::new() } else { format!("{}└ ", "   ".repeat(indent - 1)) };
        let hang = 3 * indent + 2;
        let name = Span::styled(format!("{}  ", self.words.sentence(name)), self.theme.strong);
        let lead = vec![Span::styled(branch, self.theme.rule), name];
        self.put(lead, vec![Span::styled(self.words.sentence(rest), self.theme.base)], hang);
    }

    fn hierarchy(&mut self, state: &State, told: Option<&AtRest>) {
        let facts = state.shown_facts();
        let text = |value: Option<&Value>, path: &str| {
            value.and_then(|value| value.pointer(path)?.as_str()).map(str::to_owned)
        };
        let of_table = text(facts.table.as_ref(), "/SSEDescription/KMSMasterKeyArn");
        let key = told.and_then(|at_rest| at_rest.key_arn.clone()).or(of_table);
        let id = key.as_deref().and_then(|arn| arn.rsplit('/').next());
        let is_now = text(facts.key.as_ref(), "/KeyState").map(|state| format!(", {state}")).unwrap_or_default();
        self.step(0, "KMS key", &format!("{}{is_now}; never leaves KMS", id.unwrap_or("an AWS owned key")));
        let wrapped = match told {
            Some(at_rest) => {
                format!("{} bytes here, encrypted by KMS; only KMS can decrypt it", at_rest.table_key.bytes)
            }
            None => "stored encrypted; to decrypt it, DynamoDB asks KMS on the reader's behalf".to_owned(),
        };
        self.step(1, "table key", &wrapped);
        if let Some(context) = context(state, told) {
            let label = format!("      {}  ", self.words.sentence("context"));
            let lead = vec![Span::styled(label, self.theme.dim)];
            self.put(lead, vec![Span::styled(context, self.theme.string)], 15);
        }
        let data_key = match told {
            Some(at_rest) => format!("{} bytes, encrypted under the table key", at_rest.data_key.bytes),
            None => "encrypted under the table key".to_owned(),
        };
        self.step(2, "data key", &data_key);
        match told {
            Some(at_rest) => {
                let items = format!("{} here: nonce 12 B + ciphertext + tag 16 B (AES-256-GCM)", at_rest.items);
                self.step(3, "items", &items);
            }
            None => self.step(3, "items", "encrypted under data keys, with AES-256"),
        }
    }

    fn records(&mut self, state: &State, at_rest: &AtRest) {
        let items = match (state.seen(Identity::Admin), state.seen(Identity::TestUser)) {
            (Seen::Items(items), _) | (_, Seen::Items(items)) => items,
            _ => Vec::new(),
        };
        if items.is_empty() && !at_rest.records.is_empty() {
            self.blank();
            self.text("What the items contain appears here once somebody has scanned the table.", self.theme.dim);
        }
        for (at, stored) in at_rest.records.iter().enumerate() {
            if at == 0 || self.columns >= WIDE {
                self.blank();
            }
            let bytes = self.bytes(at + 1, stored);
            let views = self.views(state, at, &items);
            if self.columns < WIDE {
                self.lines.extend(bytes);
                self.lines.extend(views);
                continue;
            }
            // Side by side.
            let half = self.left();
            let rows = bytes.len().max(views.len());
            let mut right = views.into_iter();
            let mut left = bytes.into_iter();
            for _ in 0..rows {
                let mut spans = left.next().map(|line| line.spans).unwrap_or_default();
                spans.push(Span::raw(" ".repeat(half.saturating_sub(spans_width(&spans)))));
                spans.extend(right.next().map(|line| line.spans).unwrap_or_default());
                self.lines.push(cut(spans, self.columns));
            }
        }
    }

    /// Columns of what is stored, where the items stand beside it.
    fn left(&self) -> usize {
        self.columns * 3 / 7
    }

    /// Draws what is stored.
    fn bytes(&self, number: usize, stored: &Stored) -> Vec<Line<'static>> {
        let theme = self.theme;
        let columns = if self.columns < WIDE { self.columns } else { self.left() - 2 };
        let head = vec![
            Span::styled(self.words.sentence(&format!("item {number}")) + "  ", theme.strong),
            Span::styled(format!("nonce {}  tag {}", stored.nonce, stored.tag), theme.number),
        ];
        let mut lines = vec![cut(head, columns)];
        // The ciphertext in one row, as much as there is room for, then its length and its end.
        let tail = format!(" {}", self.words.sentence(&format!("{} bytes", stored.bytes)));
        let room = columns.saturating_sub(2 + tail.len() + 1);
        let is_whole = stored.ciphertext.len() <= room && stored.ciphertext.len() == 2 * stored.bytes;
        let shown: String = stored.ciphertext.chars().take(room & !1).collect();
        let content = vec![
            Span::styled(format!("  {shown}{}", if is_whole { "" } else { "…" }), theme.base),
            Span::styled(tail, theme.dim),
        ];
        lines.push(cut(content, columns));
        lines
    }

    /// Draws what the callers see of it.
    fn views(&self, state: &State, at: usize, items: &[&Map<String, Value>]) -> Vec<Line<'static>> {
        let theme = self.theme;
        let columns = if self.columns < WIDE { self.columns } else { self.columns - self.left() };
        let mut lines = Vec::new();
        for identity in Identity::BOTH {
            let name = Span::styled(format!("  {:<11}", format!("{}:", identity.name())), theme.dim);
            let say = |text: &str, style| Span::styled(self.words.sentence(text), style);
            let content = match state.seen(identity) {
                Seen::Denied => say("✘ DENIED: sees nothing", theme.denied.text),
                Seen::Failed => say("! FAILED: sees nothing", theme.failed.text),
                Seen::Nothing => say("hasn't looked", theme.dim),
                Seen::Items(_) => match items.get(at) {
                    Some(item) => Span::styled(plain(item), theme.string),
                    None => say("no such item", theme.dim),
                },
            };
            lines.push(cut(vec![name, content], columns));
        }
        lines
    }

    fn look_yourself(&mut self, at_rest: &AtRest) {
        self.blank();
        let lead = vec![Span::styled(self.words.sentence("see for yourself:") + "  ", self.theme.dim)];
        self.put(lead, vec![Span::styled(command(at_rest), self.theme.base)], 0);
    }
}

/// The encryption context that goes to KMS with the table key.
fn context(state: &State, told: Option<&AtRest>) -> Option<String> {
    let pairs: Vec<String> = match told {
        Some(at_rest) => {
            at_rest.encryption_context.as_ref()?.iter().map(|(name, value)| format!("{name}={value}")).collect()
        }
        None => {
            let account = &state.shown_facts().admin.as_ref()?.account;
            vec![
                format!("aws:dynamodb:subscriberId={account}"),
                format!("aws:dynamodb:tableName={}", state.shown_names().table),
            ]
        }
    };
    Some(pairs.join("  "))
}

/// An item in one line: its key first, DynamoDB's types unwrapped.
fn plain(item: &Map<String, Value>) -> String {
    let is_key = |name: &str| name == "id";
    let key = item.iter().filter(|(name, _)| is_key(name));
    let pairs = key.chain(item.iter().filter(|(name, _)| !is_key(name)));
    let pairs = pairs.map(|(name, value)| match value.as_object().and_then(|typed| typed.values().next()) {
        Some(Value::String(text)) => format!("{name} {text}"),
        Some(other) => format!("{name} {other}"),
        None => format!("{name} {value}"),
    });
    pairs.collect::<Vec<_>>().join(" · ")
}
