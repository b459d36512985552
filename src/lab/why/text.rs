//! A report for people: at most some thirty lines, whose signs and words need no color.

use serde_json::Value;

use super::evidence::{Found, Part};
use super::fixes::{Fix, Way};
use super::judge::{Lock, Rung};
use super::logged::{Fault, Reason, Type};
use super::{Failure, Report, Verdict, short};
use crate::lab::lesson::interface::Interface;
use crate::lab::model::glyphs::{shown, width};
use crate::lab::path::{Mark, Path};
use crate::policy::Outcome;

/// The columns of prose.
const COLUMNS: usize = 96;
/// The lock of the key.
const SECOND: &str = "lock 2, the key";
/// The columns of what stands before a rung's sentence.
const LABEL: usize = 18;

/// The lines of a report.
pub fn lines(report: &Report, ascii: bool) -> Vec<String> {
    let mut page = Page { report, ascii, lines: Vec::new() };
    page.head();
    match &report.evidence {
        Some(_) => page.locks(),
        None => page.of_text(),
    }
    page.fixes();
    page.rest();
    page.lines
}

struct Page<'a> {
    report: &'a Report,
    ascii: bool,
    lines: Vec<String>,
}

impl Page<'_> {
    /// Adds one line, whatever a name in it contains.
    fn line(&mut self, text: impl Into<String>) {
        self.lines.push(shown(&text.into()).trim_end().to_owned());
    }

    /// Prose, broken at spaces.
    fn prose(&mut self, text: &str) {
        self.hanging("", text);
    }

    /// Prose after `first`, broken at spaces. Its other lines stand below its beginning.
    fn hanging(&mut self, first: &str, text: &str) {
        let (mut line, indent) = (first.to_owned(), " ".repeat(width(first)));
        let mut is_empty = true;
        for word in text.split_whitespace() {
            if !is_empty && width(&line) + 1 + width(word) > COLUMNS {
                self.line(std::mem::replace(&mut line, indent.clone()));
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(line);
    }

    fn head(&mut self) {
        let report = self.report;
        let case = &report.case;
        let word = match report.verdict {
            Verdict::Allowed => "ALLOWED",
            Verdict::Denied => "DENIED",
            Verdict::Failed => "FAILED",
            Verdict::Unknown => "UNKNOWN",
        };
        let of_table = case.table.as_deref().map(|table| short(table).trim_start_matches("table/").to_owned());
        let (action, resource) = match (&case.table_action, &case.key_action) {
            (Some(action), _) => (action.as_str(), of_table),
            (None, Some(action)) => {
                let key = report.key.as_ref().map(|lock| lock.resource.as_str()).or(case.key.as_deref());
                (action.as_str(), key.map(|key| short(key).to_owned()))
            }
            (None, None) => ("the call", None),
        };
        let on = resource.map(|resource| format!(" on {resource}")).unwrap_or_default();
        let who = if case.principal.is_empty() { String::new() } else { format!(", as {}", report.caller()) };
        self.line(format!("{word:<8} {action}{on}{who}"));
        if let Some(path) = self.path() {
            self.line("");
            self.line(format!("  {path}"));
        }
        self.line("");
        if let Some(failure) = &report.failure {
            let says = self.says_failure(failure);
            let is_too = report.verdict == Verdict::Denied;
            self.prose(&if is_too { format!("Besides: {says}") } else { says });
        }
    }

    /// The path of the call; `None` where DynamoDB has no part in it.
    fn path(&self) -> Option<String> {
        let report = self.report;
        if !report.case.by_dynamodb && report.case.table_action.is_none() {
            return None;
        }
        let (table, key) = (self.table_mark(), self.key_mark());
        let key = if table.stops() { Mark::NotAsked } else { key };
        let caller = if report.case.principal.is_empty() { "caller".to_owned() } else { report.caller() };
        let names = caller.chars().count();
        let pieces = Path::new(caller, table, key).line(Interface::ENGLISH, COLUMNS, names, self.ascii);
        Some(pieces.into_iter().map(|piece| piece.text).collect())
    }

    fn sign(&self, mark: Mark) -> &'static str {
        mark.sign(self.ascii)
    }

    fn so(&self) -> &'static str {
        if self.ascii { "->" } else { "→" }
    }

    fn table_mark(&self) -> Mark {
        let report = self.report;
        match (&report.table, &report.failure) {
            (_, Some(Failure::NoTable | Failure::NoCaller)) => Mark::Failed,
            (Some(lock), _) => mark(lock.verdict),
            (None, _) if report.evidence.as_ref().is_some_and(|evidence| evidence.table == Found::Unread) => {
                Mark::Unknown
            }
            // DynamoDB asks KMS only for a call that it lets in.
            (None, _) if report.case.is_about_key() && report.case.by_dynamodb => Mark::Yes,
            (None, _) if report.evidence.is_none() && report.verdict == Verdict::Denied => Mark::No,
            (None, _) => Mark::Unknown,
        }
    }

    fn key_mark(&self) -> Mark {
        let report = self.report;
        match (&report.key, &report.failure) {
            (Some(Lock { verdict: Verdict::Denied, .. }), _) => Mark::No,
            (_, Some(failure)) if failure.is_of_key() => Mark::Failed,
            _ if report.is_owned_key() => Mark::NotAsked,
            (Some(lock), _) => mark(lock.verdict),
            (None, _) if report.evidence.is_none() && report.case.is_about_key() => Mark::No,
            (None, _) if report.case.key_action.is_none() => Mark::NotAsked,
            (None, _) => Mark::Unknown,
        }
    }

    fn says_failure(&self, failure: &Failure) -> String {
        let report = self.report;
        let region = report.evidence.as_ref().map(|evidence| evidence.region.as_str()).unwrap_or_default();
        let account = report.evidence.as_ref().and_then(|evidence| evidence.account.as_deref());
        let at = match (region, account) {
            ("", _) => String::new(),
            (region, Some(account)) => format!(" in {region} of account {account}"),
            (region, None) => format!(" in {region}"),
        };
        let table = report.case.table.as_deref().map(short).unwrap_or("of this name").trim_start_matches("table/");
        match failure {
            Failure::NoTable => format!("There is no table {table}{at}. Check the name, the region and the profile."),
            Failure::TableStatus(status) => format!("The table's status is {status}: it can't be read."),
            Failure::NoCaller => {
                format!("There is no {}{at}: nobody can act as it.", report.caller().replace('/', " "))
            }
            Failure::NoKey => format!("There is no such key{at}: nobody can read what it encrypted."),
            Failure::Disabled => "The key is disabled. No policy helps: EnableKey does.".to_owned(),
            Failure::PendingDeletion => {
                "The key is pending deletion. No policy helps: CancelKeyDeletion does, and then EnableKey.".to_owned()
            }
            Failure::KeyState(state) => format!("The key's state is {state}: KMS can't use it now."),
        }
    }

    fn locks(&mut self) {
        let report = self.report;
        if matches!(report.failure, Some(Failure::NoTable | Failure::NoCaller)) {
            return;
        }
        match &report.table {
            Some(lock) => self.lock("lock 1, the table", lock),
            None if report.table_mark_is_given() => {
                let says = "DynamoDB let the call in: the text shows that it asked KMS";
                self.line(format!("{:<LABEL$}  {}  {says}", "lock 1, the table", self.sign(Mark::Yes)));
            }
            None if report.case.table_action.is_some() => {
                self.line(format!("{:<LABEL$}  {}  could not be read", "lock 1, the table", self.sign(Mark::Unknown)));
            }
            None => {}
        }
        match &report.key {
            Some(lock) => self.lock(SECOND, lock),
            None if report.is_owned_key() => {
                let says = "DynamoDB owns the key: nobody needs a KMS permission";
                self.line(format!("{:<LABEL$}  {}  {says}", SECOND, self.sign(Mark::NotAsked)));
            }
            None if report.failure.is_none() && report.case.key_action.is_some() => {
                self.line(format!("{:<LABEL$}  {}  the key isn't known", SECOND, self.sign(Mark::Unknown)));
            }
            None => {}
        }
    }

    fn lock(&mut self, name: &str, lock: &Lock) {
        let sign = self.sign(mark(lock.verdict));
        let first = format!("{name:<LABEL$}  {sign}  ");
        if lock.verdict == Verdict::Allowed {
            let says = self.allows(lock);
            self.hanging(&first, &says);
            return;
        }
        let rungs = self.rungs(lock);
        if name == SECOND && self.report.table.as_ref().is_some_and(|table| table.verdict == Verdict::Denied) {
            // KMS is not asked: one line is enough.
            let refusing = rungs.into_iter().find(|(_, rung, _)| lock.refused == Some(*rung));
            let says =
                refusing.map_or_else(|| "unknown".to_owned(), |(_, _, says)| format!("it would refuse, too: {says}"));
            self.hanging(&first, &says);
            return;
        }
        self.line(format!("{first}{} on {}", lock.action, short(&lock.resource)));
        for (number, (label, rung, says)) in rungs.into_iter().enumerate() {
            let sign = if lock.refused == Some(rung) { self.sign(Mark::No) } else { "" };
            let label = format!("  {} {label}", number + 1);
            let gap = width(self.sign(Mark::No));
            self.hanging(&format!("{label:<LABEL$}  {sign:<gap$}  "), &says);
        }
        let first = format!("  {} ", self.so());
        match lock.verdict {
            Verdict::Denied => self.hanging(&first, so_denied(lock)),
            _ => {
                let why = lock.open.first().map_or("not enough could be read", String::as_str);
                self.hanging(&first, &format!("unknown: {why}"));
            }
        }
    }

    /// Who lets the call in.
    fn allows(&self, lock: &Lock) -> String {
        let is_root = lock.ladder.principal.ends_with(":root");
        if is_root && !lock.action.starts_with("kms:") {
            return "the root user needs no policy".to_owned();
        }
        let rung = lock.ladder.rungs.iter().find(|rung| rung.decides);
        match &lock.decision.outcome {
            Outcome::Allowed { by, .. } if rung.is_none() => format!("{by} allows {}", lock.action),
            _ => rung.map(|rung| rung.sentence.clone()).unwrap_or_default(),
        }
    }

    /// The rungs with their labels and sentences.
    fn rungs(&self, lock: &Lock) -> Vec<(&'static str, Rung, String)> {
        let of_key = [
            ("explicit Deny", Rung::ExplicitDeny),
            ("key policy", Rung::KeyPolicy),
            ("IAM policies", Rung::IamPolicies),
            ("grants", Rung::Grants),
        ];
        let of_table = [of_key[0], of_key[2]];
        let labels: &[_] = if lock.ladder.rungs.len() > 2 { &of_key } else { &of_table };
        let near = lock.near.as_ref().map(|near| (lock.refused, near.says.clone()));
        let mut rungs = Vec::new();
        for ((label, rung), read) in labels.iter().zip(&lock.ladder.rungs) {
            let says = match &near {
                Some((Some(refused), says)) if refused == rung => says.clone(),
                _ => self.unread(*rung).unwrap_or_else(|| read.sentence.clone()),
            };
            rungs.push((*label, *rung, says));
        }
        if let Some(evidence) = &self.report.evidence {
            if let Some((source, _)) = evidence.boundary.as_ref().filter(|_| lock.refused == Some(Rung::Boundary)) {
                rungs.push(("boundary", Rung::Boundary, format!("{source} doesn't allow it")));
            }
            if lock.refused == Some(Rung::Organization) {
                let says = "SimulatePrincipalPolicy says that the organization doesn't allow it".to_owned();
                rungs.push(("organization", Rung::Organization, says));
            }
            if lock.refused == Some(Rung::TablePolicy) {
                let says = "none, and the caller is of another account".to_owned();
                rungs.push(("table policy", Rung::TablePolicy, says));
            }
        }
        rungs
    }

    /// What stands at a rung that could not be read at all.
    fn unread(&self, rung: Rung) -> Option<String> {
        let evidence = self.report.evidence.as_ref()?;
        let part = match rung {
            Rung::KeyPolicy => Part::KeyPolicy,
            Rung::Grants => Part::Grants,
            Rung::IamPolicies if evidence.identity.is_empty() => Part::Identity,
            _ => return None,
        };
        let is_unread = evidence.unread.iter().any(|unread| unread.part == part);
        is_unread.then(|| "could not be read".to_owned())
    }

    fn of_text(&mut self) {
        let report = self.report;
        let Some(logged) = &report.case.logged else { return };
        let caller = if report.case.principal.is_empty() { "the caller".to_owned() } else { report.caller() };
        if let Fault::Denied { action, reason, .. } = &logged.fault {
            let is_key = report.case.is_about_key();
            let lock = if is_key { SECOND } else { "lock 1, the table" };
            let action = action.as_deref().unwrap_or("the action, which the text doesn't name");
            let says = denial(*reason, is_key, &caller);
            self.prose(&format!("The text names {lock}: {action} was refused. {says}"));
        }
    }

    fn fixes(&mut self) {
        let report = self.report;
        let fixes: Vec<&Fix> = report.fixes.iter().filter(|fix| fix.way != Way::KeyState).collect();
        if fixes.is_empty() {
            return;
        }
        self.line("");
        let says = self.introduction(&fixes);
        self.prose(&says);
        for (letter, fix) in ('A'..='Z').zip(fixes.iter().copied()) {
            let is_single = fixes.len() == 1;
            let label = if is_single { String::new() } else { format!("{letter}  ") };
            let indent = " ".repeat(label.len().max(3));
            let first = fix.command.first().map(|first| format!(" {first}")).unwrap_or_default();
            let more = if fix.command.len() > 1 { " \\" } else { "" };
            if fix.command.is_empty() {
                self.hanging(&label, &fix.says);
            } else {
                self.line(format!("{label}{}{first}{more}", fix.says));
            }
            for (at, part) in fix.command.iter().enumerate().skip(1) {
                let more = if at + 1 < fix.command.len() { " \\" } else { "" };
                self.line(format!("{indent}  {part}{more}"));
            }
            for line in fix.statement.iter().flat_map(|statement| broken(statement, COLUMNS - indent.len())) {
                self.line(format!("{indent}{line}"));
            }
        }
        let is_short = !report.case.all_permissions
            && fixes
                .iter()
                .any(|fix| fix.lock == "key" && matches!(fix.way, Way::IamPolicy | Way::KeyPolicy | Way::Grant));
        if is_short {
            self.line("DynamoDB's guide lists six KMS permissions for callers: --all-permissions prints those.");
        }
    }

    /// What the fixes have in common.
    fn introduction(&self, fixes: &[&Fix]) -> String {
        let report = self.report;
        if report.evidence.is_none() {
            return "If nothing denies it, any one of these should allow it. Nothing was read to check that."
                .to_owned();
        }
        let is_both = fixes.iter().any(|fix| fix.lock == "table") && fixes.iter().any(|fix| fix.lock == "key");
        if is_both {
            return "Both locks refuse. You need A for the table, and one of the others for the key.".to_owned();
        }
        if fixes.len() == 1 {
            return match fixes[0].way {
                Way::IamPolicy | Way::KeyPolicy | Way::Grant => "This allows the refused action.".to_owned(),
                _ => "What helps:".to_owned(),
            };
        }
        let is_foreign = report.key.as_ref().is_some_and(|lock| {
            crate::policy::account_of(&lock.resource) != crate::policy::account_of(&report.case.principal)
        });
        if is_foreign {
            return "The key belongs to another account. You need the IAM policy, and one of the others.".to_owned();
        }
        let near = report.key.as_ref().and_then(|lock| lock.near.as_ref().and(lock.refused));
        let nearest = match near {
            Some(Rung::KeyPolicy) => " A is nearest: rung 2 almost matched.",
            Some(Rung::IamPolicies) => " A is nearest: rung 3 almost matched.",
            Some(Rung::Grants) => " A is nearest: rung 4 almost matched.",
            _ => "",
        };
        format!("Any one of these allows the refused action.{nearest}")
    }

    /// What was not read, and how many calls were made.
    fn rest(&mut self) {
        let report = self.report;
        self.line("");
        let status = format!("Exit status {}: {}.", report.verdict.status(), report.verdict.key());
        let Some(evidence) = &report.evidence else {
            let why = report.not_read.as_deref().map(|why| format!("Nothing was read: {why}. ")).unwrap_or_default();
            self.prose(&format!("{why}This is what the text says, and no more."));
            self.line(status);
            return;
        };
        let says = not_read(report);
        let calls = evidence.calls;
        if !says.is_empty() {
            self.prose(&says);
        }
        self.line(format!("{calls} read-only calls, nothing changed. {status}"));
    }
}

impl Report {
    /// Whether only the text says that the table let the call in.
    fn table_mark_is_given(&self) -> bool {
        let was_asked = self.evidence.as_ref().is_some_and(|evidence| evidence.table != Found::NotAsked);
        !was_asked && self.case.by_dynamodb && self.case.is_about_key()
    }
}

fn mark(verdict: Verdict) -> Mark {
    match verdict {
        Verdict::Allowed => Mark::Yes,
        Verdict::Denied => Mark::No,
        Verdict::Failed => Mark::Failed,
        Verdict::Unknown => Mark::Unknown,
    }
}

fn so_denied(lock: &Lock) -> &'static str {
    match lock.refused {
        Some(Rung::ExplicitDeny) => "explicit deny: no allow overrides it",
        Some(Rung::Boundary) => "denied: policies allow it, the boundary doesn't",
        Some(Rung::Organization) => "denied: policies allow it, the organization doesn't",
        Some(Rung::TablePolicy) => "denied: another account needs the table's own policy",
        _ => "implicit deny: nothing allows it",
    }
}

/// What AWS's reason means.
fn denial(reason: Reason, is_key: bool, caller: &str) -> String {
    match reason {
        Reason::NoAllow(Type::Identity) if is_key => format!(
            "AWS names the identity-based policy: the key policy leaves the decision to IAM, and no IAM policy of {caller} \
             allows it. A statement in the key policy or a grant would do as well."
        ),
        Reason::NoAllow(Type::Identity) => format!("No IAM policy of {caller} allows it."),
        Reason::NoAllow(Type::Resource) if is_key => {
            format!("The key policy neither names {caller} nor leaves the decision to IAM. A grant would do as well.")
        }
        Reason::NoAllow(of) => format!("No {} allows it.", of.name()),
        Reason::Deny(of) => {
            format!("A Deny in a {} fits. No allow overrides it: change that Deny.", of.name())
        }
        Reason::Absent => format!(
            "The key doesn't exist in this Region, or its policy refuses {caller}: AWS doesn't say which. Check the key's \
             account and Region first."
        ),
        Reason::NotSaid => "This wording gives no reason.".to_owned(),
    }
}

/// What could not be read, and what no call returns, in sentences.
fn not_read(report: &Report) -> String {
    let Some(evidence) = &report.evidence else { return String::new() };
    let mut parts: Vec<String> = Vec::new();
    let unread = evidence.unread.iter().filter(|unread| unread.part != Part::Nothing);
    parts.extend(unread.map(|unread| unread.says.replace(" could not be read", "")));
    if report.case.principal.contains("role/") {
        parts.push("session policies (no call returns them)".to_owned());
    }
    let mut says = if parts.is_empty() { String::new() } else { format!("Not read: {}. ", parts.join("; ")) };
    if !evidence.organization.is_empty() && evidence.organization.iter().all(|(_, allowed)| *allowed) {
        says.push_str("SimulatePrincipalPolicy reports no SCP that denies it. ");
    }
    let absent = evidence.unread.iter().filter(|unread| unread.part == Part::Nothing);
    let calls: Vec<&str> = absent.filter_map(|unread| unread.says.rsplit_once('(')?.1.strip_suffix(')')).collect();
    if !calls.is_empty() {
        says.push_str(&format!("This server has no {}, so nothing was missed there. ", calls.join(", ")));
    }
    says
}

/// A statement in its usual order, its members on lines of at most `columns` where they fit.
fn broken(statement: &Value, columns: usize) -> Vec<String> {
    const ORDER: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let Some(members) = statement.as_object() else { return vec![statement.to_string()] };
    let ordered = ORDER.iter().filter_map(|name| members.get_key_value(*name));
    let others = members.iter().filter(|(name, _)| !ORDER.contains(&name.as_str()));
    let parts: Vec<String> =
        ordered.chain(others).map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
    let mut lines = vec!["{".to_owned()];
    for (at, part) in parts.iter().enumerate() {
        let part = format!("{part}{}", if at + 1 < parts.len() { "," } else { "}" });
        let last = lines.last_mut();
        match last {
            Some(last) if last.len() == 1 || width(last) + width(&part) <= columns => last.push_str(&part),
            _ => lines.push(format!(" {part}")),
        }
    }
    lines
}
