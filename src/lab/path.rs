//! The path of a read: the services that it passes, and what each of them said. One grammar on every screen:
//! `test-user ─▸ DynamoDB ✔ ─▸ KMS ✘ ─┤ no items`.
//!
//! A mark needs evidence: a response, the action that a denial names, or the sandbox's trail. Without evidence it is
//! [`Mark::Unknown`].

use super::lesson::interface::Interface;
use super::model::exchange::{Denied, Exchange, Verdict};
use super::model::inspection::Traced;
use super::model::operation::Operation;

/// The columns of the longest name of the lab's two callers. Paths in both panes leave as much room, so that their nodes
/// stand in the same columns.
pub const CALLER: usize = 9;

/// What is known of a service's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It said yes.
    Yes,
    /// It said no.
    No,
    /// It failed for another reason than permission.
    Failed,
    /// Nobody asked it.
    NotAsked,
    /// Its answer is on the way.
    Waiting,
    /// Nothing proves an answer.
    Unknown,
    /// Nothing has been sent yet.
    Unsent,
}

impl Mark {
    /// The sign. [`Mark::Unsent`] leaves room for one.
    pub const fn sign(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Mark::Yes, false) => "✔",
            (Mark::No, false) => "✘",
            (Mark::Failed, false) => "!",
            (Mark::NotAsked, false) => "○",
            (Mark::Waiting, false) => "◐",
            (Mark::Unknown, false) => "?",
            (Mark::Unsent, false) => " ",
            (Mark::Yes, true) => "[OK]",
            (Mark::No, true) => "[NO]",
            (Mark::Failed, true) => "[!!]",
            (Mark::NotAsked, true) => "[--]",
            (Mark::Waiting, true) => "[..]",
            (Mark::Unknown, true) => "[??]",
            (Mark::Unsent, true) => "    ",
        }
    }

    /// Whether the call stops here.
    pub const fn stops(self) -> bool {
        matches!(self, Mark::No | Mark::Failed)
    }

    const fn is_open(self) -> bool {
        matches!(self, Mark::Waiting | Mark::Unsent)
    }

    const fn role(self) -> Role {
        match self {
            Mark::Yes => Role::Yes,
            Mark::No => Role::No,
            Mark::Failed => Role::Failed,
            Mark::Waiting => Role::Strong,
            Mark::NotAsked | Mark::Unknown | Mark::Unsent => Role::Dim,
        }
    }
}

/// The result at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The items arrive; how many is known once they have.
    Items(Option<usize>),
    /// No item arrives.
    Nothing,
    /// Nobody knows yet.
    Open,
}

/// Something to say about a path in a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// KMS was not asked, because DynamoDB still had the table key.
    FromMemory,
    /// KMS was not asked, because DynamoDB owns the key.
    OwnedKey,
    /// The key is disabled.
    Disabled,
    /// The key is pending deletion.
    PendingDeletion,
}

impl Note {
    /// The note in a sentence part.
    pub fn text(self, words: Interface<'_>) -> &str {
        words.say(match self {
            Note::FromMemory => "not asked: DynamoDB still had the table key",
            Note::OwnedKey => "not asked: DynamoDB owns the key",
            Note::Disabled => "failed: the key is disabled",
            Note::PendingDeletion => "failed: the key is pending deletion",
        })
    }

    /// The mark that the note explains.
    pub const fn mark(self) -> Mark {
        match self {
            Note::FromMemory | Note::OwnedKey => Mark::NotAsked,
            Note::Disabled | Note::PendingDeletion => Mark::Failed,
        }
    }
}

/// How a piece of a path looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A name.
    Base,
    /// An arrow.
    Rule,
    /// The sign of a yes.
    Yes,
    /// The sign of a no.
    No,
    /// The sign of a failure.
    Failed,
    /// A sign that moves.
    Strong,
    /// What the call has not reached.
    Dim,
}

/// A piece of a path's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Its looks.
    pub role: Role,
}

/// The path of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Who sends the call.
    pub caller: String,
    /// DynamoDB, which guards the table.
    pub table: Mark,
    /// KMS, which guards the key.
    pub key: Mark,
    /// What arrives.
    pub end: End,
    /// What explains a mark.
    pub note: Option<Note>,
}

impl Path {
    /// A path with these marks. It ends with items if neither of the services stops it; for a forecast.
    pub fn new(caller: impl Into<String>, table: Mark, key: Mark) -> Path {
        let end = match [table, key] {
            marks if marks.iter().any(|mark| mark.stops()) => End::Nothing,
            marks if marks.iter().any(|mark| mark.is_open()) => End::Open,
            _ => End::Items(None),
        };
        Path { caller: caller.into(), table, key, end, note: None }
    }

    /// The path of a call that has not been sent.
    pub fn unsent(caller: impl Into<String>) -> Path {
        Path::new(caller, Mark::Unsent, Mark::Unsent)
    }

    /// The path of a call without a response.
    pub fn waiting(caller: impl Into<String>) -> Path {
        Path::new(caller, Mark::Waiting, Mark::Unsent)
    }

    /// The same path with its marks hidden, for a learner who names the lock.
    #[must_use]
    pub fn hidden(self) -> Path {
        Path { table: Mark::Unknown, key: Mark::Unknown, note: None, ..self }
    }

    /// The path of an exchange; `None` unless it is a Scan. `asked` is what the sandbox's trail says of it.
    pub fn of(exchange: &Exchange, caller: impl Into<String>, asked: Traced) -> Option<Path> {
        if !matches!(exchange.operation, Operation::Scan { .. }) {
            return None;
        }
        let (table, key, note) = match &exchange.verdict {
            Verdict::Allowed => (Mark::Yes, of_trail(asked), None),
            Verdict::Denied(denied) => {
                let (table, key) = of_denial(denied, asked);
                (table, key, None)
            }
            Verdict::Failed(failure) => match trouble(&failure.message) {
                Some(note) => (Mark::Yes, Mark::Failed, note),
                None => (Mark::Failed, of_trail(asked), None),
            },
        };
        let items = exchange.body().and_then(|body| body.get("Items")?.as_array()).map(Vec::len);
        let end = if exchange.is_allowed() { End::Items(items) } else { End::Nothing };
        let note = note.or((exchange.is_allowed() && key == Mark::NotAsked).then_some(Note::FromMemory));
        Some(Path { caller: caller.into(), table, key, end, note })
    }

    /// The same path of a table under the key that DynamoDB owns.
    #[must_use]
    pub fn of_owned_key(mut self) -> Path {
        if self.note == Some(Note::FromMemory) {
            self.note = Some(Note::OwnedKey);
        }
        self
    }

    /// The line in at most `columns` columns, its nodes at the same place for each caller whose name has at most `names`
    /// columns. The caller's name goes first where there is no room, then the number of items; never a mark.
    pub fn line(&self, words: Interface<'_>, columns: usize, names: usize, ascii: bool) -> Vec<Piece> {
        let choices = [(Some(names), true), (Some(names), false), (None, true), (None, false)];
        self.fitting(words, columns, &choices, ascii)
    }

    /// The same without the caller's name.
    pub fn nodes(&self, words: Interface<'_>, columns: usize, ascii: bool) -> Vec<Piece> {
        self.fitting(words, columns, &[(None, true), (None, false)], ascii)
    }

    /// The first of the choices that fits: the room for names, and whether items are counted. The last one always does.
    fn fitting(
        &self,
        words: Interface<'_>,
        columns: usize,
        choices: &[(Option<usize>, bool)],
        ascii: bool,
    ) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (names, counted) in choices {
            // Both panes decide alike.
            let longest = |path: &Path| columns_of(&path.pieces(words, *names, *counted, ascii));
            pieces = self.pieces(words, *names, *counted, ascii);
            let other = Path { end: End::Nothing, ..self.clone() };
            let another = Path { end: End::Items(Some(3)), ..self.clone() };
            if columns_of(&pieces).max(longest(&other)).max(longest(&another)) <= columns {
                break;
            }
        }
        pieces
    }

    fn pieces(&self, words: Interface<'_>, names: Option<usize>, counted: bool, ascii: bool) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut put = |text: String, role: Role| pieces.push(Piece { text, role });
        if let Some(names) = names {
            let gap = names.saturating_sub(self.caller.chars().count());
            put(self.caller.clone(), Role::Base);
            put(format!(" {}", if ascii { "-" } else { "─" }.repeat(gap)), Role::Rule);
        }
        let (go, stop, rest) = if ascii { ("->", "-x", "--") } else { ("─▸", "─┤", "──") };
        let mut is_behind = self.table == Mark::Unsent;
        put(format!("{} ", if is_behind { rest } else { go }), Role::Rule);
        for (name, mark) in [("DynamoDB", self.table), ("KMS", self.key)] {
            let role = if is_behind || mark == Mark::Unsent { Role::Dim } else { Role::Base };
            put(format!("{name} "), role);
            put(mark.sign(ascii).to_owned(), if is_behind { Role::Dim } else { mark.role() });
            let is_last = name == "KMS";
            let stops = mark.stops() || (is_last && self.end == End::Nothing);
            let (arrow, role) = match () {
                () if is_behind || mark.is_open() => (rest, Role::Dim),
                () if stops => (stop, mark.role()),
                () => (go, Role::Rule),
            };
            put(format!(" {arrow} "), role);
            is_behind |= mark.stops() || mark.is_open();
        }
        put(self.end_text(words, counted), if matches!(self.end, End::Items(_)) { Role::Base } else { Role::Dim });
        pieces
    }

    fn end_text(&self, words: Interface<'_>, counted: bool) -> String {
        match self.end {
            End::Items(Some(1)) if counted => words.say("1 item").to_owned(),
            End::Items(Some(count)) if counted => words.fill("{} items", &[&count]),
            End::Nothing if counted => words.say("no items").to_owned(),
            // Never a word that reads as if items came.
            End::Nothing => "0".to_owned(),
            _ => words.say("items").to_owned(),
        }
    }

    /// The path for a reader of lines: `DynamoDB yes, KMS no, no items`.
    pub fn words(&self, words: Interface<'_>) -> String {
        let mut parts = Vec::new();
        for (service, mark) in [("DynamoDB", self.table), ("KMS", self.key)] {
            let note = self.note.filter(|note| service == "KMS" && note.mark() == mark);
            parts.push(match (mark, note) {
                (_, Some(note)) => format!("{service} {}", note.text(words)),
                (Mark::Yes, _) => words.fill("{} yes", &[&service]),
                (Mark::No, _) => words.fill("{} no", &[&service]),
                (Mark::Failed, _) => words.fill("{} failed", &[&service]),
                (Mark::NotAsked, _) => words.fill("{} not asked", &[&service]),
                (Mark::Waiting, _) => words.fill("waiting for {}", &[&service]),
                (Mark::Unknown, _) => words.fill("{} unknown", &[&service]),
                (Mark::Unsent, _) => continue,
            });
        }
        if self.end != End::Open {
            parts.push(self.end_text(words, true));
        }
        parts.join(", ")
    }
}

/// The columns of pieces, whose characters all have one.
fn columns_of(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.text.chars().count()).sum()
}

const fn of_trail(asked: Traced) -> Mark {
    match asked {
        Traced::Allowed => Mark::Yes,
        Traced::Denied => Mark::No,
        Traced::Failed => Mark::Failed,
        Traced::Nothing => Mark::NotAsked,
        Traced::Looking => Mark::Waiting,
        Traced::NotTold => Mark::Unknown,
    }
}

/// A denial names its action; DynamoDB asks KMS only for a caller that it lets in.
fn of_denial(denied: &Denied, asked: Traced) -> (Mark, Mark) {
    // The wording of 2020–22 names no action, but says that KMS refuses (issue threads).
    let by_kms = || denied.message.starts_with("KMS key access denied");
    match denied.action.as_deref().and_then(|action| action.split(':').next()) {
        Some("dynamodb") => (Mark::No, Mark::NotAsked),
        Some("kms") => (Mark::Yes, Mark::No),
        None if by_kms() => (Mark::Yes, Mark::No),
        _ => match asked {
            Traced::Denied => (Mark::Yes, Mark::No),
            Traced::Nothing => (Mark::No, Mark::NotAsked),
            _ => (Mark::Unknown, Mark::Unknown),
        },
    }
}

/// Whether a failure is the key's, and what is known of it.
fn trouble(message: &str) -> Option<Option<Note>> {
    let has = |part: &str| message.contains(part);
    if has("pending deletion") {
        return Some(Some(Note::PendingDeletion));
    }
    if has("DisabledException") || has("is disabled") {
        return Some(Some(Note::Disabled));
    }
    has("services.kms.model.").then_some(None)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::lab::{Answer, CallId, Identity, Response, Stage, Wire};

    const EN: Interface<'static> = Interface::ENGLISH;

    fn scan(status: u16, body: Value) -> Exchange {
        let answer = Answer {
            request: Value::Null,
            response: Ok(Response { status, request_id: None, body }),
            wire: Wire::default(),
            duration_us: 0,
            at: 0,
            tries: 1,
        };
        Exchange {
            id: CallId(1),
            stage: Stage::ViewDenied,
            identity: Identity::TestUser,
            operation: Operation::Scan { table: "t".into() },
            attempt: 1,
            verdict: answer.verdict(),
            answer,
        }
    }

    fn items() -> Exchange {
        scan(200, json!({"Items": [{}, {}, {}], "Count": 3}))
    }

    fn denied(message: &str) -> Exchange {
        scan(400, json!({"__type": "x#AccessDeniedException", "message": message}))
    }

    fn failed(message: &str) -> Exchange {
        scan(400, json!({"__type": "x#ValidationException", "message": message}))
    }

    fn text(path: &Path, columns: usize, ascii: bool) -> String {
        path.line(EN, columns, CALLER, ascii).into_iter().map(|piece| piece.text).collect()
    }

    const KMS: &str = "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: u is not \
                       authorized to perform: kms:Decrypt on resource: k because no identity-based policy allows it";
    const TABLE: &str = "User: u is not authorized to perform: dynamodb:Scan on resource: t because no identity-based \
                         policy allows the dynamodb:Scan action";

    #[rstest]
    #[case::asked(items(), Traced::Allowed, "test-user ─▸ DynamoDB ✔ ─▸ KMS ✔ ─▸ 3 items")]
    #[case::from_memory(items(), Traced::Nothing, "test-user ─▸ DynamoDB ✔ ─▸ KMS ○ ─▸ 3 items")]
    #[case::being_looked_up(items(), Traced::Looking, "test-user ─▸ DynamoDB ✔ ─▸ KMS ◐ ── 3 items")]
    #[case::on_aws(items(), Traced::NotTold, "test-user ─▸ DynamoDB ✔ ─▸ KMS ? ─▸ 3 items")]
    #[case::by_the_key(denied(KMS), Traced::NotTold, "test-user ─▸ DynamoDB ✔ ─▸ KMS ✘ ─┤ no items")]
    #[case::by_the_key_in_2021(
        denied("KMS key access denied error: the ciphertext refers to a key that you may not access"),
        Traced::NotTold,
        "test-user ─▸ DynamoDB ✔ ─▸ KMS ✘ ─┤ no items"
    )]
    #[case::by_the_table(denied(TABLE), Traced::NotTold, "test-user ─▸ DynamoDB ✘ ─┤ KMS ○ ── no items")]
    #[case::by_somebody(denied("no"), Traced::NotTold, "test-user ─▸ DynamoDB ? ─▸ KMS ? ─┤ no items")]
    #[case::by_somebody_the_trail_knows(denied("no"), Traced::Denied, "test-user ─▸ DynamoDB ✔ ─▸ KMS ✘ ─┤ no items")]
    #[case::disabled(
        failed("KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: k is disabled."),
        Traced::NotTold,
        "test-user ─▸ DynamoDB ✔ ─▸ KMS ! ─┤ no items"
    )]
    #[case::invalid(failed("bad limit"), Traced::NotTold, "test-user ─▸ DynamoDB ! ─┤ KMS ? ── no items")]
    fn marks_need_evidence(#[case] exchange: Exchange, #[case] asked: Traced, #[case] line: &str) {
        assert_eq!(text(&Path::of(&exchange, "test-user", asked).unwrap(), 80, false), line);
    }

    #[test]
    fn only_a_scan_has_a_path() {
        let call = Exchange { operation: Operation::GetCallerIdentity, ..items() };
        assert_eq!(Path::of(&call, "admin", Traced::Allowed), None);
    }

    #[test]
    fn nodes_stand_in_the_same_columns_in_both_panes() {
        let column = |path: &Path, columns, ascii, node| {
            let text = text(path, columns, ascii);
            text.find(node).map(|at| text[..at].chars().count())
        };
        let admin = Path::of(&items(), "admin", Traced::Allowed).unwrap();
        let user = Path::of(&denied(KMS), "test-user", Traced::NotTold).unwrap();
        for (columns, ascii) in (20..60).flat_map(|columns| [(columns, false), (columns, true)]) {
            for node in ["DynamoDB", "KMS"] {
                assert_eq!(column(&admin, columns, ascii, node), column(&user, columns, ascii, node), "{columns}");
            }
        }
    }

    #[rstest]
    #[case(48, false, "admin ─────▸ DynamoDB ✔ ─▸ KMS ✔ ─▸ 3 items")]
    #[case(38, false, "─▸ DynamoDB ✔ ─▸ KMS ✔ ─▸ 3 items")]
    #[case(31, false, "─▸ DynamoDB ✔ ─▸ KMS ✔ ─▸ items")]
    #[case(60, true, "admin -----> DynamoDB [OK] -> KMS [OK] -> 3 items")]
    #[case(48, true, "admin -----> DynamoDB [OK] -> KMS [OK] -> items")]
    #[case(40, true, "-> DynamoDB [OK] -> KMS [OK] -> 3 items")]
    fn a_narrow_pane_drops_the_name_and_never_a_mark(#[case] columns: usize, #[case] ascii: bool, #[case] line: &str) {
        assert_eq!(text(&Path::of(&items(), "admin", Traced::Allowed).unwrap(), columns, ascii), line);
    }

    #[test]
    fn all_right_of_the_break_is_dim() {
        let path = Path::of(&denied(TABLE), "test-user", Traced::NotTold).unwrap();
        let line = path.line(EN, 80, CALLER, false);
        let at = line.iter().position(|piece| piece.text.contains('┤')).unwrap();
        assert!(line[at + 1..].iter().all(|piece| piece.role == Role::Dim), "{line:?}");
        assert_eq!(line[at].role, Role::No);
    }

    #[rstest]
    #[case(items(), Traced::Allowed, "DynamoDB yes, KMS yes, 3 items")]
    #[case(items(), Traced::Nothing, "DynamoDB yes, KMS not asked: DynamoDB still had the table key, 3 items")]
    #[case(items(), Traced::NotTold, "DynamoDB yes, KMS unknown, 3 items")]
    #[case(items(), Traced::Looking, "DynamoDB yes, waiting for KMS, 3 items")]
    #[case(denied(KMS), Traced::NotTold, "DynamoDB yes, KMS no, no items")]
    #[case(denied(TABLE), Traced::NotTold, "DynamoDB no, KMS not asked, no items")]
    #[case(failed("the key is disabled"), Traced::NotTold, "DynamoDB yes, KMS failed: the key is disabled, no items")]
    fn a_reader_of_lines_gets_words(#[case] exchange: Exchange, #[case] asked: Traced, #[case] said: &str) {
        assert_eq!(Path::of(&exchange, "test-user", asked).unwrap().words(EN), said);
    }

    #[rstest]
    #[case::unsent(Path::unsent("admin"), "admin ────── DynamoDB   ── KMS   ── items", "")]
    #[case::waiting(Path::waiting("admin"), "admin ─────▸ DynamoDB ◐ ── KMS   ── items", "waiting for DynamoDB")]
    #[case::forecast(
        Path::new("admin", Mark::Yes, Mark::Yes),
        "admin ─────▸ DynamoDB ✔ ─▸ KMS ✔ ─▸ items",
        "DynamoDB yes, KMS yes, items"
    )]
    fn what_has_no_response_has_a_path(#[case] path: Path, #[case] line: &str, #[case] said: &str) {
        assert_eq!((text(&path, 80, false).as_str(), path.words(EN).as_str()), (line, said));
    }

    #[test]
    fn a_drill_hides_the_marks() {
        let path = Path::of(&denied(KMS), "test-user", Traced::NotTold).unwrap().hidden();
        assert_eq!(text(&path, 80, false), "test-user ─▸ DynamoDB ? ─▸ KMS ? ─┤ no items");
    }
}
