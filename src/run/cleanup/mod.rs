//! `kmslab cleanup`: finds what earlier runs have left at a backend, and removes it.
//!
//! Of itself it removes only the runs of this machine's journals. [`Scope::All`] covers everyone's, which it finds by
//! names and tags; then it shows a list first ([`mod@list`]) and asks. [`mod@plan`] decides, this file performs.

pub mod list;
pub mod plan;
mod remove;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::aws::Clients;
use crate::aws::inventory::{Candidates, Inventory, Key, Mark};
use crate::lab::Names;
use crate::lab::mask::{self, Masker};
use crate::lab::redact;
use crate::run::journal::{self, Head, Left};
use list::{Begun, is_older, list, newest};
use plan::{ITS_TABLE_STAYS, Item, Kind, Plan, Untouched, console_link, plan};

/// How long after a run's begin a key that is not listed is not taken for gone.
const LISTED_AFTER: Duration = Duration::from_secs(15 * 60);

/// Where to clean up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The endpoint; `None` is AWS itself.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The admin's profile; `None` is the SDK's default chain.
    pub admin_profile: Option<String>,
}

impl From<&Head> for Target {
    fn from(head: &Head) -> Target {
        Target {
            endpoint: head.endpoint.clone(),
            region: head.region.clone(),
            admin_profile: head.admin_profile.clone(),
        }
    }
}

/// How it ended; the later ones weigh more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing is left.
    Clean,
    /// Something is left, or it is not known.
    Survivors,
    /// Nobody has said yes to removing everyone's runs.
    Refused,
    /// The backend can't be reached or refuses the credentials.
    Unreachable,
}

/// Whose runs are removed.
#[derive(Clone, Copy)]
pub enum Scope<'a> {
    /// Those of the journals.
    Own,
    /// This run, no matter which machine made it.
    Run(&'a str),
    /// Everyone's in the account and region, after a yes.
    All(&'a Consent<'a>),
}

/// How a yes to removing everyone's runs is given.
pub struct Consent<'a> {
    /// The account in which that was said to be well before.
    pub accepted: Option<&'a str>,
    /// Shows a question and gives what was typed; `None` where there is nobody to type.
    pub ask: &'a dyn Fn(&str) -> io::Result<Option<String>>,
}

/// What to clean up with.
pub struct Work<'a> {
    /// The backend.
    pub clients: &'a Clients,
    /// Where it is.
    pub target: &'a Target,
    /// The journals' folder, for the journals of living labs.
    pub folder: Option<&'a Path>,
    /// Whose runs.
    pub scope: Scope<'a>,
    /// Only runs that began longer ago than this.
    pub older_than: Option<Duration>,
    /// Only tell what would be done.
    pub dry_run: bool,
}

/// Removes what is left at the target, and those of `journals` of whose run nothing is left. Each thing done is a line on
/// `out`, masked where there is a masker.
///
/// Gives how it ended, and whether `out` took every line. The work is done to its end all the same.
pub async fn clean(
    work: &Work<'_>,
    journals: Vec<Left>,
    masker: &mut Option<Masker>,
    out: &mut impl Write,
) -> (Outcome, io::Result<()>) {
    let mut lines = Lines { out, masker, failed: None };
    let outcome = work.clean(journals, &mut lines).await;
    (outcome, lines.failed.map_or(Ok(()), Err))
}

/// Lines that go on being taken when they can't be written any more.
struct Lines<'a, W> {
    out: &'a mut W,
    masker: &'a mut Option<Masker>,
    failed: Option<io::Error>,
}

impl<W: Write> Lines<'_, W> {
    fn line(&mut self, line: &str) {
        if self.failed.is_none() {
            // Names, tags and errors are the server's, the rest may be a journal's.
            let line = redact::clean(&mask::written(self.masker, line));
            self.failed = writeln!(self.out, "{line}").and_then(|()| self.out.flush()).err();
        }
    }

    /// What was found has names that nothing but its list tells.
    fn learn(&mut self, found: &Inventory) {
        let Some(masker) = self.masker else { return };
        let marks = found.tables.iter().map(|table| &table.mark).chain(found.users.iter().map(|user| &user.mark));
        for mark in marks.chain(found.keys.iter().map(|key| &key.mark)) {
            match mark {
                // What is no run's id may be anything.
                Mark::Run(run) if run.bytes().all(|byte| byte.is_ascii_alphanumeric()) => masker.add_run(run),
                Mark::Run(other) => masker.add_name(other),
                Mark::None | Mark::Unknown(_) => {}
            }
        }
        let names = found.tables.iter().map(|table| &table.name).chain(found.users.iter().map(|user| &user.name));
        for name in names.chain(found.aliases.iter().map(|alias| &alias.name)) {
            masker.add_name(name.strip_prefix("alias/").unwrap_or(name));
        }
    }

    fn thing(&mut self, word: &str, item: &Item) {
        self.line(&format!("  {word:<12} {} {}", item.kind.word(), item.arn));
    }
}

fn candidates(journals: &[Left], scope: Scope<'_>) -> Candidates {
    let only = match scope {
        Scope::Own => Some(journals.iter().map(|left| left.head.run.clone()).collect()),
        Scope::Run(run) => Some([run.to_owned()].into()),
        Scope::All(_) => None,
    };
    let mut candidates = Candidates { only, ..Candidates::default() };
    for left in journals {
        let names = Names::new(&left.head.run);
        candidates.tables.extend(names.tables());
        candidates.users.insert(names.user);
        candidates.keys.extend(left.keys.iter().cloned());
        for (operation, name) in &left.adopted {
            candidates.tables.extend((operation == "CreateTable").then(|| name.clone()));
            candidates.users.extend((operation == "CreateUser").then(|| name.clone()));
            candidates.adopted.insert(name.clone());
        }
    }
    candidates
}

impl Work<'_> {
    async fn clean<W: Write>(&self, journals: Vec<Left>, lines: &mut Lines<'_, W>) -> Outcome {
        let Target { endpoint, region, admin_profile } = self.target;
        lines.line(&format!(
            "looking at {} in {region}{}",
            endpoint.as_deref().unwrap_or("AWS"),
            admin_profile.as_ref().map(|profile| format!(" as profile {profile}")).unwrap_or_default()
        ));
        let account = match self.clients.account().await {
            Ok(account) => account,
            Err(unusable) => {
                lines.line(&format!("  can't look: {unusable}"));
                return Outcome::Unreachable;
            }
        };
        let (journals, outcome) = of_this_account(journals, account.as_deref(), lines);
        if journals.is_empty() && matches!(self.scope, Scope::Own) {
            return outcome;
        }
        let mut found = match self.clients.inventory(&candidates(&journals, self.scope)).await {
            Ok(found) => found,
            Err(unusable) => {
                lines.line(&format!("  can't look: {unusable}"));
                return Outcome::Unreachable;
            }
        };
        lines.learn(&found);
        let begun = begun(&found, &journals);
        let journals = self.keep_old(&mut found, &begun, journals, lines);
        let ours: BTreeSet<&str> = journals.iter().map(|left| left.head.run.as_str()).collect();
        self.keep_users_of_other_regions(&mut found, &ours, lines);
        // Asked only now: the journal of a run whose things were found was there before them.
        let is_living =
            |run: &str| !ours.contains(run) && self.folder.is_some_and(|folder| journal::is_living(folder, run));
        let plan = plan(&found, &is_living, adopted(&journals));
        self.tell(&found, &plan, lines);
        if let Scope::All(consent) = self.scope {
            list(&plan, &begun, &ours, OffsetDateTime::now_utc()).iter().for_each(|row| lines.line(row));
            if !self.dry_run && !plan.items.is_empty() && !agreed(consent, account.as_deref(), lines) {
                return Outcome::Refused;
            }
        }
        let survivors = if self.dry_run {
            for item in &plan.items {
                lines.thing("would remove", item);
            }
            for (item, reason) in &plan.kept {
                lines.line(&format!("  would keep   {} {}: {reason}", item.kind.word(), item.arn));
            }
            let kept = plan.kept.iter().map(|(item, _)| item);
            plan.items.iter().chain(kept).map(|item| (item, String::new())).collect()
        } else {
            self.perform(&plan, lines).await
        };
        outcome.max(self.end(&found, &plan, &survivors, journals, lines))
    }

    /// Leaves out the runs that are too young, with their journals.
    fn keep_old<W: Write>(
        &self,
        found: &mut Inventory,
        begun: &Begun,
        journals: Vec<Left>,
        lines: &mut Lines<'_, W>,
    ) -> Vec<Left> {
        if self.older_than.is_none() {
            return journals;
        }
        let now = OffsetDateTime::now_utc();
        let is_old = |run: &str| is_older(begun.get(run).copied(), self.older_than, now);
        let marks = found.tables.iter().map(|table| &table.mark).chain(found.users.iter().map(|user| &user.mark));
        let runs = marks.chain(found.keys.iter().map(|key| &key.mark)).filter_map(|mark| match mark {
            Mark::Run(run) => Some(run.as_str()),
            Mark::None | Mark::Unknown(_) => None,
        });
        let runs: BTreeSet<&str> = runs.chain(journals.iter().map(|left| left.head.run.as_str())).collect();
        for run in runs.into_iter().filter(|run| !is_old(run)) {
            lines.line(&format!("  left alone   run {run}: it is younger than --older-than, or its age is unknown"));
        }
        found.retain_runs(is_old);
        journals.into_iter().filter(|left| is_old(&left.head.run)).collect()
    }

    /// Leaves out other people's runs that have nothing but a user here, unless an age was asked for: their labs may be at
    /// work in another region.
    fn keep_users_of_other_regions<W: Write>(
        &self,
        found: &mut Inventory,
        ours: &BTreeSet<&str>,
        lines: &mut Lines<'_, W>,
    ) {
        if self.older_than.is_some() || !matches!(self.scope, Scope::All(_)) {
            return;
        }
        let alone = found.runs_with_a_user_alone();
        let theirs: BTreeSet<&String> = alone.iter().filter(|run| !ours.contains(run.as_str())).collect();
        for run in &theirs {
            lines.line(&format!(
                "  left alone   run {run}: only its user is here, and its lab may be at work in another region\n    \
                 --run {run} removes it, and so does --older-than"
            ));
        }
        found.retain_runs(|run| !theirs.iter().any(|other| *other == run));
    }

    fn tell<W: Write>(&self, found: &Inventory, plan: &Plan, lines: &mut Lines<'_, W>) {
        for run in &plan.skipped {
            lines.line(&format!("  skipped      run {run}: its lab is at work right now"));
        }
        for arn in &plan.pending {
            lines.line(&format!("  done before  key {arn}: its deletion is scheduled"));
        }
        for Untouched { kind, name, reason } in &plan.untouched {
            lines.line(&format!("  not touched  {} {name}: {reason}", kind.word()));
        }
        for unseen in &found.unseen {
            lines.line(&format!("  not seen     {unseen}"));
        }
    }

    /// Gives what survives, with the reason.
    async fn perform<'p, W: Write>(&self, plan: &'p Plan, lines: &mut Lines<'_, W>) -> Vec<(&'p Item, String)> {
        let mut survivors: Vec<(&Item, String)> = Vec::new();
        for item in &plan.items {
            let mut stay = survivors.iter().map(|(other, _)| (other.kind, other.name.as_str()));
            if item.kind == Kind::Key && stay.any(|(kind, name)| plan.is_table_of(&item.run, kind, name)) {
                survivors.push((item, ITS_TABLE_STAYS.to_owned()));
                continue;
            }
            match self.remove(item, lines).await {
                Ok(()) => lines.thing(if item.kind == Kind::Key { "scheduled" } else { "deleted" }, item),
                Err(reason) => {
                    lines.line(&format!("  FAILED       {} {}: {reason}", item.kind.word(), item.arn));
                    survivors.push((item, reason.to_string()));
                }
            }
        }
        survivors.extend(plan.kept.iter().map(|(item, reason)| (item, (*reason).to_owned())));
        survivors
    }

    /// Whether a key that AWS does not list may be there all the same: KMS is eventually consistent, and a key that is
    /// overlooked costs money for ever.
    fn may_come_to_light(&self, left: &Left, found: &Inventory) -> bool {
        let is_its = |key: &Key| key.mark == Mark::Run(left.head.run.clone()) || left.keys.contains(&key.arn);
        let started = OffsetDateTime::parse(&left.head.started, &Rfc3339);
        let is_young = started.is_ok_and(|started| OffsetDateTime::now_utc() - started < LISTED_AFTER);
        self.target.endpoint.is_none() && left.may_have_key && is_young && !found.keys.iter().any(is_its)
    }

    fn end<W: Write>(
        &self,
        found: &Inventory,
        plan: &Plan,
        survivors: &[(&Item, String)],
        journals: Vec<Left>,
        lines: &mut Lines<'_, W>,
    ) -> Outcome {
        for (item, reason) in survivors {
            // A dry run has told of it already.
            if !self.dry_run {
                lines.line(&format!("left: {} {}\n    {reason}", item.kind.word(), item.arn));
            }
            if self.target.endpoint.is_none() {
                lines.line(&format!("    {}", console_link(item.kind, &item.name, &self.target.region)));
            }
        }
        let all_seen = found.unseen.is_empty();
        let mut claimed = false;
        for left in journals {
            let claims = claims(&left, &plan.untouched);
            for Untouched { kind, name, .. } in &claims {
                lines.line(&format!("left: {} {name}\n    the journal of run {} names it", kind.word(), left.head.run));
            }
            claimed |= !claims.is_empty();
            if self.may_come_to_light(&left, found) {
                let run = &left.head.run;
                lines.line(&format!(
                    "left: perhaps a key of run {run}\n    KMS may not list it yet: clean up again later"
                ));
                claimed = true;
                continue;
            }
            let survives = survivors.iter().any(|(item, _)| item.run == left.head.run) || !claims.is_empty();
            if !self.dry_run && all_seen && !survives {
                // A file that stays is read again next time, and nothing is found.
                let _ = left.remove();
            }
        }
        match (survivors.is_empty() && !claimed, all_seen) {
            (true, true) => {
                lines.line(match (self.older_than, self.scope) {
                    (Some(_), _) => "no older run is left",
                    (None, Scope::Own) => "nothing is left of this machine's runs",
                    (None, Scope::Run(_) | Scope::All(_)) => "nothing is left",
                });
                Outcome::Clean
            }
            (true, false) => {
                lines.line("nothing that could be seen is left; use a profile that may see the rest");
                Outcome::Survivors
            }
            (false, _) => {
                if self.dry_run {
                    lines.line("a dry run: nothing has been removed");
                }
                Outcome::Survivors
            }
        }
    }
}

/// What labs had taken over from other clients: the run, and the thing's name.
fn adopted(journals: &[Left]) -> BTreeSet<(String, String)> {
    let of_run = |left: &Left| {
        let run = left.head.run.clone();
        left.adopted.clone().into_iter().map(move |(_, name)| (run.clone(), name))
    };
    journals.iter().flat_map(of_run).collect()
}

/// The journals without those of another account. Nothing of their runs is found here: that must not be taken for the end.
fn of_this_account<W: Write>(
    journals: Vec<Left>,
    account: Option<&str>,
    lines: &mut Lines<'_, W>,
) -> (Vec<Left>, Outcome) {
    let is_of_another = |left: &Left| left.head.account.as_deref().zip(account).is_some_and(|(a, b)| a != b);
    let (elsewhere, here): (Vec<Left>, Vec<Left>) = journals.into_iter().partition(is_of_another);
    for Left { head, .. } in &elsewhere {
        let (run, theirs, here) = (&head.run, head.account.as_deref().unwrap_or_default(), account.unwrap_or_default());
        lines.line(&format!("left: what run {run} made is in account {theirs}; these credentials are of {here}"));
    }
    (here, if elsewhere.is_empty() { Outcome::Clean } else { Outcome::Survivors })
}

/// When the runs began, by their tags, or their journals where there are none.
fn begun(found: &Inventory, journals: &[Left]) -> Begun {
    let of_journals = journals.iter().map(|left| (&left.head.run, [left.head.started.clone()].into()));
    let of_journals = of_journals.filter_map(|(run, started)| Some((run.clone(), newest(&started)?)));
    let of_tags = found.created.iter().filter_map(|(run, values)| Some((run.clone(), newest(values)?)));
    of_journals.chain(of_tags).collect()
}

/// Whether everyone's runs in `account` may be removed: by `--yes-account`, or by a person who types its last digits.
fn agreed<W: Write>(consent: &Consent<'_>, account: Option<&str>, lines: &mut Lines<'_, W>) -> bool {
    let is_masked = lines.masker.is_some();
    // Less than a whole number would make an empty line a yes.
    let is_number = |text: &&str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(account) = account.filter(is_number) else {
        lines.line("refused: the server doesn't say which account this is; nothing was removed");
        return false;
    };
    let last = &account[8..];
    if let Some(accepted) = consent.accepted {
        if accepted != account {
            lines.line(&format!(
                "refused: --yes-account is {accepted}, and this is account {account}; nothing was removed"
            ));
        }
        return accepted == account;
    }
    lines.line("Some may be other people's running labs; cleanup can't tell from here.");
    let of = if is_masked { "the account".to_owned() } else { format!("account {account}") };
    match (consent.ask)(&format!("Type the last four digits of {of} to remove them all: ")) {
        Ok(Some(typed)) if typed.trim() == last || typed.trim() == account => return true,
        Ok(Some(_)) => lines.line("those are not its last four digits; nothing was removed"),
        Ok(None) if is_masked => {
            lines.line("refused: there is no terminal to ask on, and no --yes-account; nothing was removed")
        }
        Ok(None) => lines.line(&format!(
            "refused: there is no terminal to ask on; nothing was removed\n  to say yes: --yes-account {account}"
        )),
        Err(error) => lines.line(&format!("refused: the answer can't be read ({error}); nothing was removed")),
    }
    false
}

/// What was not touched for want of its tag though a journal has it: a server that ignores tags has one like that.
fn claims<'p>(left: &Left, untouched: &'p [Untouched]) -> Vec<&'p Untouched> {
    let names = Names::new(&left.head.run);
    let is_adopted = |other: &Untouched| left.adopted.iter().any(|(_, name)| *name == other.name);
    let is_claimed = |other: &&Untouched| match other.kind {
        _ if is_adopted(other) => true,
        Kind::Table => names.tables().contains(&other.name),
        Kind::User => other.name == names.user,
        Kind::Alias => other.name == names.alias,
        Kind::Key => left.keys.iter().any(|arn| arn.ends_with(&other.name)),
    };
    untouched.iter().filter(is_claimed).collect()
}
