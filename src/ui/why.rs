//! Why: the decision ladder of the selected call, the service's own words, and the statements that were evaluated.

use ratatui::text::{Line, Span};
use serde_json::{Map, Value};

use crate::lab::insight::documents::request_id;
use crate::lab::insight::ladder::{self, Evidence, Ladder, Lock, Rung, Word};
use crate::lab::insight::{Known, covers_action, trail};
use crate::lab::model::experiment::ExtraTable;
use crate::lab::policy_diff::in_words;
use crate::lab::{Call, Exchange, Operation, State, Verdict};

use super::sheet::Sheet;
use super::theme::{Theme, VerdictStyle};
use super::{summary, verdict};

/// Columns of a rung's question, and of its answer's word.
const QUESTION: usize = 24;
const WORD: usize = 9;

/// The page's lines.
pub fn lines(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, columns);
    match state.focused_exchange() {
        Some(exchange) => sheet.call(state, exchange),
        None => sheet.text("There is no answered call in this pane: send one, or choose one with [ and ].", theme.base),
    }
    sheet.lines
}

impl Sheet<'_> {
    fn call(&mut self, state: &State, exchange: &Exchange) {
        let what = format!("  {} as {}", exchange.operation.action(), exchange.identity.name());
        let badge = verdict::badge(&Call::Answered(exchange), state, self.theme);
        self.put(badge, vec![Span::styled(what, self.theme.strong)], 2);
        if matches!(exchange.verdict, Verdict::Failed(_)) {
            self.text("It failed for another reason than permission; its own words say which.", self.theme.base);
        }
        if state.is_replay() {
            self.text("It was recorded earlier: of its decision nothing is known here.", self.theme.base);
            return self.own_words(state, exchange);
        }
        match state.known() {
            None => self.text("Finding out …", self.theme.dim),
            Some(Known::Failed(reason)) => {
                self.text(&format!("Why could not be found out: {reason}"), self.theme.failed.text);
            }
            Some(Known::Decisions { all, unread }) => {
                let ladders = self.decisions(state, exchange, all, unread.as_deref());
                self.own_words(state, exchange);
                return self.looked_at(&ladders);
            }
            Some(_) => self.text("This backend tells nothing of its decisions.", self.theme.base),
        }
        self.own_words(state, exchange);
    }

    /// Draws the ladders of a call and returns them with their titles.
    fn decisions(
        &mut self,
        state: &State,
        exchange: &Exchange,
        all: &[ladder::Decided],
        unread: Option<&[String]>,
    ) -> Vec<(String, Ladder)> {
        let id = request_id(exchange);
        let mut ladders = ladder::ladders(all, id);
        let mut earlier = None;
        if let Operation::Scan { .. } | Operation::PutItem { .. } = exchange.operation
            && exchange.is_allowed()
            && !ladders.iter().any(|ladder| ladder.lock == Lock::Key)
        {
            earlier = ladder::earlier_decrypt(all, id, |earlier| state.use_same_table(earlier, id));
            ladders.extend(earlier.map(Ladder::of));
            if exchange.operation.subject() == ExtraTable::AwsOwned.name(state.shown_names()) {
                let text = "There is one lock only: the table is on an AWS owned key, for which nobody is asked.";
                self.text(text, self.theme.base);
            }
        }
        let caller = state.shown_caller(exchange.identity);
        if caller.is_some_and(|caller| caller.arn.ends_with(":root")) {
            let text = "This is the account's root user: IAM's policies don't bind it, a key's policy does.";
            self.text(text, self.theme.base);
        }
        if let Some(unread) = unread {
            self.computed(exchange, &ladders, unread);
        }
        if ladders.is_empty() {
            self.text(no_decision(exchange, unread), self.theme.base);
        }
        let earlier = earlier.map(|earlier| from_memory(state, &earlier.request_id));
        let titles = titles(&ladders);
        let mut principal = None;
        for (at, (ladder, title)) in ladders.iter().zip(&titles).enumerate() {
            let is_last = at + 1 == ladders.len();
            let incomplete = unread.is_some_and(|unread| !unread.is_empty());
            let standing = Standing::of(ladder, incomplete, exchange.is_allowed());
            if at > 0 {
                self.blank();
            }
            self.head(ladder, standing, title, principal.replace(&ladder.principal) != Some(&ladder.principal));
            self.ladder(ladder, standing, earlier.as_deref().filter(|_| is_last), is_last);
        }
        titles.into_iter().zip(ladders).collect()
    }

    /// Draws the rungs of a ladder and, unless a later ladder decides, its verdict.
    fn ladder(&mut self, ladder: &Ladder, standing: Standing, earlier: Option<&str>, is_last: bool) {
        if let Some(text) = earlier {
            self.put(vec![Span::raw("  ")], vec![Span::styled(text.to_owned(), self.theme.base)], 2);
        }
        for (number, rung) in ladder.rungs.iter().enumerate() {
            self.rung(number + 1, rung, standing, is_last);
        }
        if is_last || standing != Standing::Allowed {
            let looks = standing.looks(self.theme);
            let verdict = match standing {
                Standing::Open => "incomplete: what is not known here may decide otherwise.".to_owned(),
                _ => ladder.verdict.clone(),
            };
            self.put(vec![Span::styled("  → ", looks.text)], vec![Span::styled(verdict, looks.text)], 4);
        }
    }

    /// What a ladder from documents is worth.
    fn computed(&mut self, exchange: &Exchange, ladders: &[Ladder], unread: &[String]) {
        if !ladders.is_empty() {
            let text = "Worked out from the policies as they are now; permissions boundaries and service control \
                        policies are not looked at.";
            self.text(text, self.theme.dim);
        }
        for reason in unread {
            self.text(&format!("! incomplete: {reason}"), self.theme.failed.text);
        }
        let allowed = ladders.iter().all(|ladder| ladder.allowed);
        if !unread.is_empty() {
            if allowed && !ladders.is_empty() && matches!(exchange.verdict, Verdict::Denied(_)) {
                self.text("! What denied it is not among what is known here.", self.theme.failed.text);
            }
            return;
        }
        let other = match &exchange.verdict {
            Verdict::Allowed if !allowed => "DENIED",
            Verdict::Denied(_) if allowed && !ladders.is_empty() => "ALLOWED",
            _ => return,
        };
        let text =
            format!("! By these policies it would be {other} now: they have changed since, or something else decided.");
        self.text(&text, self.theme.failed.text);
    }

    fn head(&mut self, ladder: &Ladder, standing: Standing, title: &str, with_who: bool) {
        self.put(
            vec![Span::styled(format!("{title}  "), self.theme.strong)],
            vec![Span::styled(standing.text(), standing.looks(self.theme).text)],
            2,
        );
        let who = ("WHO", trail::short(&ladder.principal));
        let parts = [who, ("ACTION", ladder.action.as_str()), ("RESOURCE", trail::short(&ladder.resource))];
        let mut content: Vec<Span<'static>> = Vec::new();
        for (label, value) in parts.into_iter().skip(usize::from(!with_who)) {
            // A label and its value stay on one line.
            let gap = if content.is_empty() { "" } else { "   " };
            content.push(Span::styled(format!("{gap}{label}\u{a0}"), self.theme.dim));
            content.push(Span::styled(value.to_owned(), self.theme.strong));
        }
        self.put(vec![Span::raw("  ")], content, 2);
    }

    /// In words, too, where it decides the call.
    fn rung(&mut self, number: usize, rung: &Rung, standing: Standing, is_last: bool) {
        let (sign, looks) = match rung.decides {
            true => (standing.sign(), standing.looks(self.theme).text),
            false => (" ", self.theme.strong),
        };
        let lead = vec![
            Span::styled(format!("{sign} "), looks),
            Span::styled(format!("{number} {:<QUESTION$}", rung.question), self.theme.base),
            Span::styled(format!("{:<WORD$}", rung.word.text()), looks),
        ];
        let sentence = match (standing, rung.decides) {
            // More may be there than what was read.
            (Standing::Open, true) => format!("of what is known here: {}", rung.sentence),
            _ => rung.sentence.clone(),
        };
        let mut content = vec![Span::styled(sentence, self.theme.base)];
        if rung.decides && (is_last || standing != Standing::Allowed) {
            // It stays on one line.
            let mark = match (standing, rung.word) {
                (Standing::Allowed, _) => "ALLOWED\u{a0}here",
                (Standing::Denied, Word::Yes) => "DENIED\u{a0}here",
                (Standing::Denied, _) => "MISSING\u{a0}here",
                (Standing::Open, _) => "not\u{a0}known",
            };
            content.push(Span::styled(format!("  ◀\u{a0}{mark}"), looks));
        }
        self.put(lead, content, 4 + QUESTION + WORD);
    }

    /// What the service said, unchanged but for what is masked.
    fn own_words(&mut self, state: &State, exchange: &Exchange) {
        let (message, looks) = match &exchange.verdict {
            Verdict::Allowed => return,
            Verdict::Denied(denied) => (&denied.message, self.theme.denied),
            Verdict::Failed(failure) => (&failure.message, self.theme.failed),
        };
        self.blank();
        let code = exchange.error_code().unwrap_or("no code");
        let how = if state.has_pseudonyms() { "with pseudonyms" } else { "unchanged" };
        self.text(&format!("what came back, {how}: {code}"), looks.text);
        self.text(message, self.theme.base);
    }

    fn looked_at(&mut self, ladders: &[(String, Ladder)]) {
        let mut shown: Vec<&Evidence> = Vec::new();
        // The lock that decided comes first.
        for (title, ladder) in ladders.iter().rev() {
            for (number, rung) in ladder.rungs.iter().enumerate().filter(|(_, rung)| !rung.looked_at.is_empty()) {
                self.blank();
                self.text(&format!("looked at: {title}, {} {}", number + 1, rung.question), self.theme.strong);
                for evidence in &rung.looked_at {
                    let is_same = |other: &&Evidence| other.policy == evidence.policy && other.name == evidence.name;
                    let is_known = shown.iter().any(is_same);
                    self.evidence(evidence, &ladder.action, is_known);
                    shown.push(evidence);
                }
            }
        }
    }

    /// Draws a statement or grant, matched against `action`. One that is above already is only named.
    fn evidence(&mut self, evidence: &Evidence, action: &str, is_known: bool) {
        let above = if is_known { " It stands above." } else { "" };
        self.put(
            vec![Span::styled("• ", self.theme.dim)],
            vec![
                Span::styled(format!("{}, {}: ", evidence.policy, evidence.name), self.theme.strong),
                Span::styled(format!("{}{above}", evidence.result), self.theme.base),
            ],
            2,
        );
        let Value::Object(members) = evidence.json.as_ref() else { return };
        if is_known {
            return;
        }
        if members.contains_key("GranteePrincipal") {
            return self.grant(members);
        }
        for (name, value) in members {
            let lead = vec![
                Span::raw("    "),
                Span::styled(Value::from(name.as_str()).to_string(), self.theme.key),
                Span::styled(": ", self.theme.punctuation),
            ];
            let (value, more) = match value {
                Value::Array(elements) if elements.len() > ELEMENTS && name.ends_with("Action") => {
                    of_interest(elements, action)
                }
                // Between two elements a line may break.
                Value::Array(elements) => (listed(elements), String::new()),
                other => (other.to_string(), String::new()),
            };
            self.put(lead, vec![Span::styled(value, self.theme.string), Span::styled(more, self.theme.base)], 6);
        }
    }

    /// A grant in words.
    fn grant(&mut self, members: &Map<String, Value>) {
        let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let operations = members.get("Operations").and_then(Value::as_array);
        let may: Vec<String> =
            operations.into_iter().flatten().filter_map(Value::as_str).map(|name| format!("kms:{name}")).collect();
        let may: Vec<&str> = may.iter().map(|action| in_words(action)).collect();
        let made = members.get("CreationDate").and_then(Value::as_f64).and_then(summary::utc).unwrap_or_default();
        for (label, value) in [
            ("to", text("GranteePrincipal")),
            ("may", may.join(", ")),
            ("only if", members.get("Constraints").map(constraint).unwrap_or_default()),
            ("name", text("Name")),
            ("retired by", text("RetiringPrincipal")),
            ("made", made),
        ] {
            if !value.is_empty() {
                let lead = vec![Span::raw("    "), Span::styled(format!("{label:<11}"), self.theme.dim)];
                self.put(lead, vec![Span::styled(value, self.theme.base)], 15);
            }
        }
    }
}

/// How many actions a statement may have to be shown in full, and how many of a longer list are.
const ELEMENTS: usize = 6;
const NAMED: usize = 3;

fn listed(elements: &[Value]) -> String {
    format!("[{}]", elements.iter().map(Value::to_string).collect::<Vec<_>>().join(", "))
}

/// Of a long list of actions those that cover the one that is asked, else the first few; and what is left out.
fn of_interest(elements: &[Value], action: &str) -> (String, String) {
    let covers = |element: &&Value| element.as_str().is_some_and(|pattern| covers_action(pattern, action));
    let covering: Vec<Value> = elements.iter().filter(covers).cloned().collect();
    let left = |shown: usize| elements.len().saturating_sub(shown);
    match covering.len() {
        0 => {
            let first = elements.get(..NAMED).unwrap_or(elements);
            (listed(first), format!(" … and {} more, none of them {action}", left(first.len())))
        }
        count => (listed(&covering), format!(" … and {} more", left(count))),
    }
}

/// What the encryption context must be.
fn constraint(constraints: &Value) -> String {
    let pairs = |pairs: &Value| {
        let pairs = pairs.as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        pairs.map(|(name, value)| format!("{name} = {}", text(value))).collect::<Vec<_>>().join(", ")
    };
    let told = constraints.as_object().into_iter().flatten().map(|(kind, wanted)| match kind.as_str() {
        "EncryptionContextEquals" => format!("the encryption context is {}", pairs(wanted)),
        _ => format!("the encryption context has {}", pairs(wanted)),
    });
    told.collect::<Vec<_>>().join(" and ")
}

/// Why no decision of a call is known.
fn no_decision(exchange: &Exchange, unread: Option<&[String]>) -> &'static str {
    match (&exchange.operation, unread) {
        (Operation::GetCallerIdentity, _) => {
            "sts:GetCallerIdentity needs no permission: whoever has valid credentials may ask who they are."
        }
        _ if exchange.answer.response.is_err() => "No answer came, so nothing is known of a decision.",
        (_, Some([])) => "Here is nothing to decide by.",
        (_, Some(_)) => "Without these documents nothing can be said.",
        (_, None) => "The sandbox has no decision of this request: it was refused before, or is forgotten.",
    }
}

/// `lock 1: the table`; numbered where there are several.
fn titles(ladders: &[Ladder]) -> Vec<String> {
    let title = |(at, ladder): (usize, &Ladder)| {
        let name = match ladder.lock {
            Lock::Table => "the table",
            Lock::Key => "the key",
            Lock::Other => "the permission",
        };
        if ladders.len() > 1 { format!("lock {}: {name}", at + 1) } else { format!("the lock: {name}") }
    };
    ladders.iter().enumerate().map(title).collect()
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

    const fn text(self) -> &'static str {
        match self {
            Standing::Allowed => "✔ ALLOWED",
            Standing::Denied => "✘ DENIED",
            Standing::Open => "? INCOMPLETE",
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
        "KMS was not asked this time: for this connection DynamoDB still held the table key, which KMS had decrypted for \
         {call}. It keeps the key until the connection closes or has not used it for five minutes. That decision was:"
    )
}
