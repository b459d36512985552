//! `kmslab doctor`: asks both identities, and writes what was found. Nothing is created.

use std::io::{self, Write};

use time::OffsetDateTime;

use super::config::Config;
use crate::aws::{Clients, ConfigError};
use crate::cli::UsageError;
use crate::lab::Identity;
use crate::lab::doctor::{self, Finding, Mark, Question, Request, Terminal};
use crate::lab::facts::Caller;
use crate::lab::mask::{self, Masker};

/// What the checks came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The lab can be started.
    Fine,
    /// Something must be fixed first.
    ToFix,
    /// The backend can't be reached or refuses the credentials.
    Unreachable,
}

/// What the lab would be started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// AWS itself, not an endpoint that was named.
    pub aws: bool,
    /// test-user is a profile of the person's own.
    pub given_user: bool,
    /// Pseudonyms are written instead of ids and names.
    pub mask: bool,
}

/// Checks the terminal, then the backend with the credentials that were found for it, and writes a line for each check
/// as soon as it is done.
///
/// # Errors
/// When the lines can't be written.
pub async fn run(
    terminal: &Terminal,
    config: Result<Config, UsageError>,
    clients: Result<&Clients, &ConfigError>,
    wanted: &Wanted,
    out: &mut impl Write,
) -> io::Result<Outcome> {
    let mut report = Report { out, masker: wanted.mask.then(Masker::default), marks: Vec::new() };
    report.write(doctor::terminal(terminal))?;
    if let Some(finding) = configuration(config) {
        report.write(finding)?;
    }
    let unreachable = match clients {
        Ok(clients) => backend(clients, wanted, &mut report).await?,
        Err(error) => {
            let (cause, fix) = error.cause_and_fix();
            report.write(Finding::stop("credentials", cause, fix))?;
            error.is_unreachable()
        }
    };
    let count = |mark: Mark| report.marks.iter().filter(|other| **other == mark).count();
    let (warnings, stops) = (count(Mark::Warning), count(Mark::Stop));
    writeln!(report.out, "\n{} ok, {warnings} to know, {stops} to fix; nothing was created", count(Mark::Ok))?;
    Ok(match (unreachable, stops) {
        (true, _) => Outcome::Unreachable,
        (false, 0) => Outcome::Fine,
        (false, _) => Outcome::ToFix,
    })
}

/// What there is to say of a person's own configuration, if there is one.
fn configuration(config: Result<Config, UsageError>) -> Option<Finding> {
    match config {
        Err(wrong) => Some(Finding::stop(
            "configuration",
            wrong.to_string().replace('\n', "; "),
            "correct that line, or remove it",
        )),
        Ok(config) if config == Config::default() => None,
        Ok(config) => {
            Some(Finding::ok("configuration", format!("is fine; actions with own keys: {}", config.keys.len())))
        }
    }
}

struct Report<'a, W> {
    out: &'a mut W,
    masker: Option<Masker>,
    marks: Vec<Mark>,
}

impl<W: Write> Report<'_, W> {
    fn write(&mut self, finding: Finding) -> io::Result<()> {
        // Texts of servers and programs may have line breaks. A finding is one line, and its fix another.
        let mut line = |text: &str| {
            let text = mask::written(&mut self.masker, text);
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
        };
        let (says, fix) = (line(&finding.says), finding.fix.as_deref().map(&mut line));
        writeln!(self.out, "{:<8} {:<18} {says}", finding.mark, finding.what)?;
        if let Some(fix) = fix {
            writeln!(self.out, "{:<27} fix: {fix}", "")?;
        }
        self.marks.push(finding.mark);
        self.out.flush()
    }
}

/// The caller as a simulation wants it named: with the role's path, which its session's ARN lacks. The roles of AWS's
/// single sign-on have one.
async fn as_iam_knows(clients: &Clients, caller: &Caller) -> Caller {
    match caller.role_name() {
        Some(name) => {
            let question = Question::Role { name: name.to_owned() };
            doctor::with_role(caller, &clients.ask(Identity::Admin, &question).await)
        }
        None => caller.clone(),
    }
}

/// Reports the admin's permissions where the server doesn't simulate: what harmless calls say.
async fn without_simulation(
    clients: &Clients,
    has_session: bool,
    report: &mut Report<'_, impl Write>,
) -> io::Result<()> {
    let mut findings = Vec::new();
    for (question, action) in Question::HARMLESS {
        findings.push(doctor::may_list(action, &clients.ask(Identity::Admin, &question).await));
    }
    if findings.iter().all(|finding| finding.mark != Mark::Ok) {
        let answer = clients.ask(Identity::Admin, &Question::DescribeTable).await;
        if let Some(finding) = doctor::denies_everything(&answer, has_session) {
            return report.write(finding);
        }
    }
    findings.into_iter().try_for_each(|finding| report.write(finding))
}

/// Whether the backend can't be used at all.
async fn backend(clients: &Clients, wanted: &Wanted, report: &mut Report<'_, impl Write>) -> io::Result<bool> {
    let given_user = wanted.given_user;
    if let Some(elsewhere) = clients.endpoint().filter(|_| wanted.aws) {
        report.write(doctor::elsewhere(elsewhere, clients.services()))?;
    }
    let region = clients.region_of(Identity::Admin);
    let user_region = given_user.then(|| clients.region_of(Identity::TestUser));
    report.write(doctor::region(&region, user_region.as_deref()))?;
    let answer = clients.ask(Identity::Admin, &Question::Identity).await;
    let now = OffsetDateTime::now_utc();
    if answer.response.is_ok() {
        // Before the identity: a clock that is off is why a signature is refused.
        report.write(doctor::clock(&answer, now))?;
    }
    let admin = match doctor::identity("admin", &answer) {
        Ok(caller) => caller,
        Err((finding, unreachable)) => {
            report.write(finding)?;
            return Ok(unreachable);
        }
    };
    report.write(doctor::admin(&admin))?;
    let has_session = doctor::has_session(&answer);
    let known = as_iam_knows(clients, &admin).await;
    let request = Request { caller: &known, region: &region, is_aws: wanted.aws, now };
    for asked in doctor::admin_permissions(&request, given_user) {
        let answer = clients.ask(Identity::Admin, &asked.question).await;
        let Some(finding) = doctor::may_all(asked.what, &answer, has_session) else {
            without_simulation(clients, has_session, report).await?;
            break;
        };
        report.write(finding)?;
    }
    if !given_user {
        return Ok(false);
    }
    let answer = clients.ask(Identity::TestUser, &Question::Identity).await;
    let user = match doctor::identity("test-user", &answer) {
        Ok(caller) => caller,
        Err((finding, unreachable)) => {
            report.write(finding)?;
            return Ok(unreachable);
        }
    };
    let finding = doctor::test_user(&admin, &user);
    let is_second = finding.mark == Mark::Ok;
    report.write(finding)?;
    if is_second {
        let known = as_iam_knows(clients, &user).await;
        let [table, key] = doctor::user_permissions(&Request { caller: &known, ..request });
        let simulated = clients.ask(Identity::Admin, &table.question).await;
        let listed = clients.ask(Identity::TestUser, &Question::ListTables).await;
        report.write(doctor::user_has_table(&simulated, &listed))?;
        let simulated = clients.ask(Identity::Admin, &key.question).await;
        report.write(doctor::user_lacks_key(&simulated))?;
    }
    Ok(false)
}
