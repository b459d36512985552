//! Why: the decision ladder of the selected call, which hangs from the node of its path that refused, with the statement
//! of the rung under the cursor and the service's own message.

use ratatui::text::{Line, Span};

use crate::lab::insight::ladder::{Ladder, Lock, Rung, Word};
use crate::lab::insight::{Explained, Known};
use crate::lab::lesson::interface::Interface;
use crate::lab::model::experiment::ExtraTable;
use crate::lab::model::prose::capital;
use crate::lab::path::{Note, Path};
use crate::lab::{Call, Exchange, Operation, State, Verdict};

use super::sheet::Sheet;
use super::text::{spans_width, width};
use super::theme::{Theme, VerdictStyle};
use super::{denial, path, verdict};

mod evidence;

/// The column of the trunk, and of what hangs from it.
const TRUNK: usize = 2;

/// What a newcomer can't know of a call that makes something with tags.
const TAGS: &str = "the call also sets tags, and they need a permission of their own";

const TEXT: usize = 8;

/// The fewest columns of a rung's name, and those of its sign.
const NAME: usize = 15;
const SIGN: usize = 2;

/// The page's lines.
pub fn lines(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, state.interface(), columns);
    match state.focused_exchange() {
        Some(exchange) => sheet.call(state, exchange),
        None => {
            sheet.text("No call in this pane has a response yet. Send one, or choose one with [ and ].", theme.base)
        }
    }
    sheet.lines
}

/// The name of a rung.
fn name_of(rung: &Rung) -> &'static str {
    match rung.question {
        "explicit deny?" => "explicit Deny",
        "key policy allows it?" => "key policy",
        "a grant?" => "grants",
        _ => "IAM policies",
    }
}

/// What a lock guards.
const fn guarded(lock: Lock) -> &'static str {
    match lock {
        Lock::Table => "the table",
        Lock::Key => "the key",
        Lock::Other => "the permission",
    }
}

/// What would change the outcome; `None` if nothing has to.
fn remedy(ladder: &Ladder, path: Option<&Path>, words: Interface<'_>) -> Option<String> {
    match path.and_then(|path| path.note) {
        Some(Note::Disabled) => return Some(words.sentence("The key is disabled. No policy helps.")),
        Some(Note::PendingDeletion) => return Some(words.sentence("The key is pending deletion. No policy helps.")),
        _ => {}
    }
    if !ladder.allowed && ladder.denied_expressly() {
        return Some(words.sentence("Remove the Deny. No allow overrides it."));
    }
    let numbers: Vec<String> = ladder.enough().iter().map(usize::to_string).collect();
    let (last, others) = numbers.split_last()?;
    let others = others.join(", ");
    let rungs = if others.is_empty() { last.clone() } else { format!("{others} or {last}") };
    Some(words.sentence(&format!("An allow at {rungs} would be enough.")))
}

/// A ladder in its place.
#[derive(Clone, Copy)]
struct Hanging<'a> {
    /// Its place among the others.
    at: usize,
    /// Who sent the call.
    caller: &'static str,
    ladder: &'a Ladder,
    standing: Standing,
    /// Whether it decides the call.
    is_last: bool,
    /// Whether its lock is shown in one line.
    is_brief: bool,
    /// The rung under the cursor.
    cursor: Option<usize>,
}

impl Sheet<'_> {
    fn call(&mut self, state: &State, exchange: &Exchange) {
        let path = state.path_of(exchange);
        let nodes = self.head(state, exchange, path.as_ref());
        if matches!(exchange.verdict, Verdict::Failed(_)) {
            self.text("It failed, but not because of permissions. The service's message says why.", self.theme.base);
        }
        if state.is_replay() {
            self.text("This response is a recording. How it was decided isn't recorded.", self.theme.base);
            return self.own_words(state, exchange);
        }
        match state.known() {
            None => self.text("Looking it up …", self.theme.dim),
            Some(Known::Failed(reason)) => {
                self.text(&format!("The lab couldn't find out why: {reason}"), self.theme.failed.text);
            }
            Some(Known::Decisions { unread, .. }) => {
                let explained = state.explained();
                self.explained(state, exchange, &explained, unread.as_deref(), nodes);
                self.statement_of_rung(state, &explained);
            }
            Some(_) => self.text("This server doesn't show how it decides.", self.theme.base),
        }
        self.own_words(state, exchange);
    }

    /// The verdict with the path. Returns the columns of the path's nodes.
    fn head(&mut self, state: &State, exchange: &Exchange, path: Option<&Path>) -> [Option<usize>; 2] {
        let mut spans = verdict::badge(&Call::Answered(exchange), state, self.theme);
        let Some(path) = path else {
            let what = format!("{} as {}", exchange.operation.action(), exchange.identity.name());
            let what = format!("  {}", self.words.sentence(&what));
            self.put(spans, vec![Span::styled(what, self.theme.strong)], 2);
            return [None; 2];
        };
        spans.push(Span::raw("  "));
        let from = spans_width(&spans);
        let pieces = path.line(state.interface(), self.columns.saturating_sub(from), 0, self.theme.is_ascii());
        let column = |name: &str| {
            let at = pieces.iter().position(|piece| piece.text.starts_with(name))?;
            let before: usize = pieces[..at].iter().map(|piece| piece.text.chars().count()).sum();
            Some(from + before + name.len() / 2)
        };
        let nodes = [column("DynamoDB"), column("KMS")];
        spans.extend(path::spans(pieces, self.theme));
        self.lines.push(Line::from(spans));
        nodes
    }

    /// Draws the ladders, and what limits them.
    fn explained(
        &mut self,
        state: &State,
        exchange: &Exchange,
        explained: &Explained,
        unread: Option<&[String]>,
        nodes: [Option<usize>; 2],
    ) {
        let incomplete = unread.is_some_and(|unread| !unread.is_empty());
        let cursor = state.rung().and_then(|(at, _)| explained.stops().get(at).copied());
        let hanging: Vec<Hanging<'_>> = explained
            .ladders
            .iter()
            .enumerate()
            .map(|(at, ladder)| Hanging {
                at,
                caller: exchange.identity.name(),
                ladder,
                standing: Standing::of(ladder, incomplete, exchange.is_allowed()),
                is_last: at + 1 == explained.ladders.len(),
                is_brief: explained.is_brief(at),
                cursor: cursor.filter(|(of, _)| *of == at).map(|(_, rung)| rung),
            })
            .collect();
        let node = |lock: Lock| match lock {
            Lock::Table => nodes[0],
            Lock::Key => nodes[1],
            Lock::Other => None,
        };
        self.drop_from(&hanging.iter().filter_map(|one| node(one.ladder.lock)).collect::<Vec<_>>());
        for (at, one) in hanging.iter().enumerate() {
            let later = hanging.get(at + 1).and_then(|next| node(next.ladder.lock));
            self.corner(node(one.ladder.lock), later);
            let earlier = explained.earlier.as_deref().filter(|_| one.is_last);
            let sets_tags = one.ladder.action.ends_with(":TagResource") && hanging.len() > 1;
            let note = earlier.map(|earlier| from_memory(state, earlier)).or(sets_tags.then(|| TAGS.to_owned()));
            self.ladder(*one, note.as_deref(), hanging.len());
        }
        self.limits(state, exchange, &hanging, unread);
        if let Some(last) = hanging.last().filter(|one| one.standing != Standing::Allowed || !exchange.is_allowed())
            && let Some(remedy) = remedy(last.ladder, state.path_of(exchange).as_ref(), self.words)
        {
            self.blank();
            self.put(vec![Span::raw(" ".repeat(TRUNK))], vec![Span::styled(remedy, self.theme.strong)], TRUNK);
        }
    }

    /// The lines that drop from the nodes.
    fn drop_from(&mut self, columns: &[usize]) {
        let Some(last) = columns.iter().max() else { return };
        let drops = (0..=*last).map(|column| if columns.contains(&column) { '│' } else { ' ' });
        self.lines.push(Line::from(Span::styled(drops.collect::<String>(), self.theme.rule)));
    }

    /// The line that leads from a node to the trunk; `later`: the column of the next one, which still drops.
    fn corner(&mut self, node: Option<usize>, later: Option<usize>) {
        let Some(node) = node.filter(|node| *node > TRUNK) else { return };
        let mut line = format!("{:TRUNK$}┌{}┘", "", "─".repeat(node - TRUNK - 1));
        if let Some(later) = later.filter(|later| *later > node) {
            line.push_str(&format!("{:>width$}", "│", width = later - node));
        }
        self.lines.push(Line::from(Span::styled(line, self.theme.rule)));
    }

    /// Draws a ladder: its lock, its rungs and its verdict.
    fn ladder(&mut self, one: Hanging<'_>, note: Option<&str>, count: usize) {
        let Hanging { ladder, standing, .. } = one;
        let lock = match (ladder.lock, count) {
            (Lock::Other, _) => guarded(Lock::Other).to_owned(),
            (_, 1) => format!("the lock, {}", guarded(ladder.lock)),
            _ => format!("lock {}, {}", one.at + 1, guarded(ladder.lock)),
        };
        let mut asked = format!("{} on {}", ladder.action, short_resource(&ladder.resource));
        if ladder.lock == Lock::Key && count > 1 {
            asked.push_str(&format!(", asked by DynamoDB on {}'s behalf", one.caller));
        }
        let (lock, asked) = (self.words.sentence(&lock), self.words.sentence(&asked));
        let lock = format!("{lock}  ");
        let lead = vec![Span::styled("│ ", self.theme.rule), Span::styled(format!("{lock:<20}"), self.theme.strong)];
        self.hang(None, lead, vec![Span::styled(asked, self.theme.base)], TRUNK + 22);
        if let Some(text) = note {
            let lead = vec![Span::styled("│ ", self.theme.rule)];
            self.hang(None, lead, vec![Span::styled(self.words.sentence(text), self.theme.dim)], TRUNK + 2);
        }
        if !one.is_brief {
            for (at, rung) in ladder.rungs.iter().enumerate() {
                self.rung(one, at, rung);
            }
        }
        let looks = standing.looks(self.theme).text;
        let verdict = match standing {
            Standing::Open => "incomplete: something that isn't known here may decide otherwise.".to_owned(),
            _ => sentence_of(&ladder.verdict),
        };
        let lead = vec![Span::styled("└─ ", self.theme.rule), Span::styled(format!("{}  ", standing.sign()), looks)];
        let cursor = if one.is_brief { one.cursor.map(|_| ()) } else { None };
        self.hang(cursor, lead, vec![Span::styled(self.words.sentence(&verdict), looks)], TEXT);
    }

    fn rung(&mut self, one: Hanging<'_>, at: usize, rung: &Rung) {
        let standing = one.standing;
        let names = one.ladder.rungs.iter().map(|rung| width(&self.words.sentence(name_of(rung))) + 1);
        let name = names.max().unwrap_or(NAME).max(NAME);
        let is_moot = standing == Standing::Denied && one.ladder.denied_expressly() && !rung.decides;
        let looks = standing.looks(self.theme).text;
        let is_implicit = standing == Standing::Denied && rung.decides && rung.word != Word::Yes;
        // An implicit deny has no rung of its own: AWS only names one.
        let (sign, sign_looks) = match rung.decides && !is_implicit {
            true => (standing.sign(), looks),
            false => ("", self.theme.base),
        };
        let text_looks = if is_moot { self.theme.dim } else { self.theme.base };
        let lead = vec![
            Span::styled("├─ ", self.theme.rule),
            Span::styled(format!("{}  ", at + 1), text_looks),
            Span::styled(
                format!("{:<name$}", self.words.sentence(name_of(rung))),
                if is_moot { self.theme.dim } else { self.theme.strong },
            ),
            Span::styled(format!("{sign:<SIGN$}"), sign_looks),
        ];
        let sentence = match (standing, rung.decides) {
            _ if is_moot => "doesn't matter".to_owned(),
            // More may be there than what was read.
            (Standing::Open, true) => format!("as far as known here: {}", rung.sentence),
            _ => rung.sentence.clone(),
        };
        let mut content = vec![Span::styled(self.words.sentence(&sentence), text_looks)];
        if is_implicit && one.is_last {
            // It stays on one line.
            let text = format!("  ◀ {}", self.words.sentence("AWS's message names this one")).replace(' ', "\u{a0}");
            content.push(Span::styled(format!(" {text}"), self.theme.hint));
        }
        self.hang((one.cursor == Some(at)).then_some(()), lead, content, TRUNK + 6 + name + SIGN);
    }

    /// A line of the ladder. Lines that go on have the trunk, too; `cursor` marks the first one.
    fn hang(&mut self, cursor: Option<()>, lead: Vec<Span<'static>>, content: Vec<Span<'static>>, hang: usize) {
        let is_end = lead.first().is_some_and(|span| span.content.starts_with('└'));
        let margin = match cursor {
            Some(()) => Span::styled(format!("{:<TRUNK$}", "▸"), self.theme.strong),
            None => Span::raw(" ".repeat(TRUNK)),
        };
        let from = self.lines.len();
        self.put(std::iter::once(margin).chain(lead).collect(), content, hang);
        for line in self.lines.iter_mut().skip(from + 1).filter(|_| !is_end) {
            if let Some(first) = line.spans.first_mut().filter(|first| first.content.len() > TRUNK) {
                let rest = first.content.len() - TRUNK - 1;
                *first = Span::styled(format!("{:TRUNK$}│{:rest$}", "", ""), self.theme.rule);
            }
        }
    }

    /// What the ladders are worth.
    fn limits(&mut self, state: &State, exchange: &Exchange, hanging: &[Hanging<'_>], unread: Option<&[String]>) {
        let is_scan = matches!(exchange.operation, Operation::Scan { .. } | Operation::PutItem { .. });
        if is_scan && exchange.operation.subject() == ExtraTable::AwsOwned.name(state.shown_names()) {
            let text = "There is only one lock: the table uses an AWS owned key, which needs no permission.";
            self.text(text, self.theme.base);
        }
        if state.shown_caller(exchange.identity).is_some_and(|caller| caller.arn.ends_with(":root")) {
            let text = "This is the account's root user: IAM policies don't limit it, a key policy does.";
            self.text(text, self.theme.base);
        }
        if hanging.is_empty() {
            self.text(no_decision(exchange, unread), self.theme.base);
        }
        if let Some(unread) = unread {
            self.computed(exchange, hanging, unread);
        }
    }

    /// What a ladder from documents is worth.
    fn computed(&mut self, exchange: &Exchange, hanging: &[Hanging<'_>], unread: &[String]) {
        if !hanging.is_empty() {
            let text = "Worked out from the policies as they are now, without permissions boundaries and service \
                        control policies.";
            self.text(text, self.theme.dim);
        }
        for reason in unread {
            self.text(&format!("! incomplete: {reason}"), self.theme.failed.text);
        }
        let allowed = hanging.iter().all(|one| one.ladder.allowed);
        if !unread.is_empty() {
            if allowed && !hanging.is_empty() && matches!(exchange.verdict, Verdict::Denied(_)) {
                self.text("! Something that isn't known here denied it.", self.theme.failed.text);
            }
            return;
        }
        let other = match &exchange.verdict {
            Verdict::Allowed if !allowed => "DENIED",
            Verdict::Denied(_) if allowed && !hanging.is_empty() => "ALLOWED",
            _ => return,
        };
        let text =
            format!("! These policies would give {other} now. They have changed since, or something else decided.");
        self.text(&text, self.theme.failed.text);
    }

    /// The statements of the rung under the cursor.
    fn statement_of_rung(&mut self, state: &State, explained: &Explained) {
        let Some((at, _)) = state.rung() else { return };
        let Some((of, number)) = explained.stops().get(at).copied() else { return };
        let Some(ladder) = explained.ladders.get(of) else { return };
        let Some(rung) = ladder.rungs.get(number) else { return };
        let has_number = explained.ladders.len() > 1 && ladder.lock != Lock::Other;
        let lock = if has_number { format!("lock {}, ", of + 1) } else { String::new() };
        self.section(&format!("{lock}rung {}: {}", number + 1, name_of(rung)));
        if rung.looked_at.is_empty() {
            self.text("No statement.", self.theme.dim);
        }
        rung.looked_at.iter().for_each(|evidence| self.evidence(evidence, &ladder.action));
    }

    /// A line across the page with a title.
    fn section(&mut self, title: &str) {
        let title = format!("── {} ", self.words.sentence(title));
        let rest = self.columns.saturating_sub(title.chars().count());
        self.blank();
        self.lines.push(Line::from(vec![
            Span::styled(title, self.theme.dim),
            Span::styled("─".repeat(rest), self.theme.rule),
        ]));
    }

    /// What the service said, unchanged but for what is masked.
    fn own_words(&mut self, state: &State, exchange: &Exchange) {
        let (message, looks) = match &exchange.verdict {
            Verdict::Allowed => return,
            Verdict::Denied(denied) => (&denied.message, self.theme.denied),
            Verdict::Failed(failure) => (&failure.message, self.theme.failed),
        };
        let code = exchange.error_code().unwrap_or("no code");
        let how = if state.has_pseudonyms() { "with pseudonyms" } else { "unchanged" };
        self.section(&format!("the service's message, {how}"));
        self.quote(code, looks.text);
        self.quote(message, self.theme.base);
    }
}

/// A verdict without its word, which the sign says.
fn sentence_of(verdict: &str) -> String {
    let text = verdict.split_once(": ").map_or(verdict, |(_, text)| text);
    capital(text)
}

/// The end of an ARN; of a key's id the beginning.
fn short_resource(arn: &str) -> String {
    denial::short_arn(arn).trim_start_matches("…:").to_owned()
}

/// Why no decision of a call is known.
fn no_decision(exchange: &Exchange, unread: Option<&[String]>) -> &'static str {
    match (&exchange.operation, unread) {
        (Operation::GetCallerIdentity, _) => {
            "sts:GetCallerIdentity needs no permission. It works for anyone with valid credentials."
        }
        _ if exchange.answer.response.is_err() => "There was no response, so no decision is known.",
        (_, Some([])) => "This call has nothing to decide.",
        (_, Some(_)) => "Without these documents, the lab can't say why.",
        (_, None) => "The sandbox has no decision for this request: it failed before that, or is too old.",
    }
}

/// What a ladder came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Allowed,
    Denied,
    /// What was read does not allow it, and not all could be read, or is known.
    Open,
}

impl Standing {
    /// `was_allowed` says what really came: then a denial that was read has a condition that did not hold.
    fn of(ladder: &Ladder, incomplete: bool, was_allowed: bool) -> Standing {
        match ladder.allowed {
            true => Standing::Allowed,
            false if incomplete && (was_allowed || !ladder.denied_expressly()) => Standing::Open,
            false => Standing::Denied,
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Standing::Allowed => "✔",
            Standing::Denied => "✘",
            Standing::Open => "?",
        }
    }

    const fn looks(self, theme: &Theme) -> VerdictStyle {
        match self {
            Standing::Allowed => theme.allowed,
            Standing::Denied => theme.denied,
            Standing::Open => theme.failed,
        }
    }
}

/// Why KMS was not asked.
fn from_memory(state: &State, request: &str) -> String {
    let call = state.use_of_request(request);
    let call =
        call.map_or_else(|| "an earlier call".to_owned(), |call| format!("{} in {}", call.operation, call.place));
    format!(
        "KMS wasn't asked this time. For this connection, DynamoDB still had the table key, decrypted for {call}. It \
         keeps the key until the connection closes or is idle for five minutes. The decision then:"
    )
}
