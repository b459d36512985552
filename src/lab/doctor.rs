//! `kmslab doctor`: what to ask before anything is created, and what the answers mean. Pure; `run::doctor` asks.

mod context;

use std::fmt;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::model::backend::{ServicePlace, in_words};
use super::model::exchange::{Answer, Verdict, error_code, is_credential_error};
use super::model::facts::Caller;
use super::model::operation::{CREATED_TAG, RUN_TAG};
pub use context::{Request, has_session};

/// The smallest terminal that the lab is drawn in whole.
const SMALLEST: (u16, u16) = (80, 24);
/// How far this machine's clock may be off, in seconds: AWS refuses what is signed beyond it (IAM guide).
const REFUSED_SKEW: i64 = 300;
/// From here on the clock is worth a word, in seconds: it drifts, and five minutes are soon there.
const NOTABLE_SKEW: i64 = 60;

/// A condition key with its values.
pub type Fact = (&'static str, Vec<String>);

/// A call that tells something and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// `sts:GetCallerIdentity`
    Identity,
    /// `iam:SimulatePrincipalPolicy`
    Simulate {
        /// The ARN of a user or role.
        principal: String,
        /// For example `kms:CreateKey`.
        actions: &'static [&'static str],
        /// What they are done to: an ARN or `*`.
        resource: String,
        /// What conditions will see: a simulation knows only what its request contains (IAM guide).
        context: Vec<Fact>,
    },
    /// `iam:GetRole`
    Role {
        /// The role's name.
        name: String,
    },
    /// `kms:ListKeys`
    ListKeys,
    /// `dynamodb:ListTables`
    ListTables,
    /// `iam:ListUsers`
    ListUsers,
    /// `dynamodb:DescribeTable` of a table named like the lab's, which isn't there
    DescribeTable,
}

/// A table named like the lab's own.
pub const TABLE: &str = "kmslab-table-doctor";

impl Question {
    /// The harmless calls that stand in for a simulation, with the action that each needs.
    pub const HARMLESS: [(Question, &'static str); 3] = [
        (Question::ListKeys, "kms:ListKeys"),
        (Question::ListTables, "dynamodb:ListTables"),
        (Question::ListUsers, "iam:ListUsers"),
    ];
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// As it should be.
    Ok,
    /// The lab will run, but something is worth knowing.
    Warning,
    /// The lab must not be started before this is fixed.
    Stop,
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Mark::Ok => "ok",
            Mark::Warning => "warning",
            Mark::Stop => "stop",
        })
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it came out.
    pub mark: Mark,
    /// What was checked, in a word or two.
    pub what: &'static str,
    /// What was seen.
    pub says: String,
    /// What to do, unless it is as it should be.
    pub fix: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(what: &'static str, says: impl Into<String>) -> Finding {
        Finding { mark: Mark::Ok, what, says: says.into(), fix: None }
    }

    fn warning(what: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { mark: Mark::Warning, what, says: says.into(), fix: Some(fix.into()) }
    }

    /// A check that stops.
    pub fn stop(what: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { mark: Mark::Stop, what, says: says.into(), fix: Some(fix.into()) }
    }
}

/// What there is to know of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Whether both input and output are a terminal.
    pub is_terminal: bool,
    /// `TERM=dumb`: it can't be drawn on.
    pub is_dumb: bool,
    /// Columns and rows, where known.
    pub size: Option<(u16, u16)>,
    /// The colors it shows, in words; `None` when it shows none.
    pub colors: Option<&'static str>,
}

/// Whether the interactive lab can be drawn.
pub fn terminal(terminal: &Terminal) -> Finding {
    const WHAT: &str = "terminal";
    if !terminal.is_terminal {
        return Finding::warning(
            WHAT,
            "there is none here",
            "run kmslab in a terminal, or use `kmslab --plain` or `kmslab run`",
        );
    }
    if terminal.is_dumb {
        return Finding::warning(
            WHAT,
            "TERM=dumb shows no screen",
            "kmslab talks in lines there, as with --plain; for the screen set TERM as your terminal wants it",
        );
    }
    let Some((width, height)) = terminal.size else {
        return Finding::warning(WHAT, "its size is unknown", "use another terminal, or `kmslab run`");
    };
    let says = format!("{width} columns, {height} rows, {}", terminal.colors.unwrap_or("no colors"));
    if width < SMALLEST.0 || height < SMALLEST.1 {
        let fix = format!("enlarge it to {} columns and {} rows, or use a smaller font", SMALLEST.0, SMALLEST.1);
        return Finding::warning(WHAT, says, fix);
    }
    Finding::ok(WHAT, says)
}

/// Who an answer to [`Question::Identity`] says it is, or the finding that it is nobody. The second value says whether
/// the backend is at fault: it can't be reached, or it refuses the credentials.
pub fn identity(what: &'static str, answer: &Answer) -> Result<Caller, (Finding, bool)> {
    let response = match &answer.response {
        Ok(response) => response,
        Err(none) => return Err((Finding::stop(what, none.message.clone(), none.remedy.clone()), true)),
    };
    match answer.verdict() {
        Verdict::Allowed => {
            let text = |member: &str| response.body.get(member).and_then(Value::as_str).map(str::to_owned);
            match (text("Arn"), text("Account")) {
                (Some(arn), Some(account)) => Ok(Caller { arn, account }),
                _ => {
                    let fix = "check what answers at this endpoint";
                    Err((Finding::stop(what, "the answer names nobody, so it is not AWS's", fix), true))
                }
            }
        }
        Verdict::Denied(denied) => {
            // AWS answers this call for everybody; only a policy of the organisation or a session can deny it.
            let fix = "use credentials that may call sts:GetCallerIdentity";
            Err((Finding::stop(what, denied.message, fix), false))
        }
        Verdict::Failed(failure) => {
            let refused = response.status >= 500 || error_code(&response.body).is_none_or(is_credential_error);
            let code = failure.code.map(|code| format!("{code}: ")).unwrap_or_default();
            let fix = failure.remedy.unwrap_or_else(|| "check the profile, then try again".to_owned());
            Err((Finding::stop(what, format!("{code}{}", failure.message), fix), refused))
        }
    }
}

/// Whether the admin is somebody to run the lab as.
pub fn admin(caller: &Caller) -> Finding {
    const WHAT: &str = "admin";
    if is_root(caller) {
        let says = format!("{} is the root user, whom no policy limits", caller.arn);
        return Finding::stop(WHAT, says, "use an IAM user or a role, with --admin-profile");
    }
    Finding::ok(WHAT, caller.arn.clone())
}

/// Whether test-user is a second principal of the admin's account.
pub fn test_user(admin: &Caller, user: &Caller) -> Finding {
    const WHAT: &str = "test-user";
    let another = "give another profile with --user-profile, or none: then the lab makes the user";
    if is_root(user) {
        let says = format!("{} is the root user, whom no policy limits", user.arn);
        return Finding::stop(WHAT, says, another);
    }
    if user.account != admin.account {
        let says = format!("{} is of another account than the admin, {}", user.arn, admin.account);
        return Finding::stop(WHAT, says, another);
    }
    if user.principal() == admin.principal() {
        return Finding::stop(WHAT, format!("{} is the admin itself", user.arn), another);
    }
    Finding::ok(WHAT, user.arn.clone())
}

/// Whether both identities' calls go to the same region.
pub fn region(admin: &str, user: Option<&str>) -> Finding {
    const WHAT: &str = "region";
    match user {
        Some(user) if user != admin => Finding::stop(
            WHAT,
            format!("{admin} for the admin, but {user} for test-user, who would look for the table there"),
            format!("give one for both: --region {admin}"),
        ),
        _ => Finding::ok(WHAT, admin),
    }
}

/// That calls for AWS itself go to `endpoint`, or those of `services` to several places: set up on purpose, or
/// forgotten.
pub fn elsewhere(endpoint: &str, services: &[ServicePlace]) -> Finding {
    let says = match services {
        [] => format!("AWS_ENDPOINT_URL or the profile leads to {endpoint} instead of AWS"),
        services => format!("AWS_ENDPOINT_URL_… or the profile leads {}", in_words(services)),
    };
    Finding::warning(
        "endpoint",
        says,
        "if AWS itself is meant: unset it, or set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
    )
}

/// Whether this machine's clock agrees with the server's, by the `Date` of a response. `now` is the time of the response.
/// A server that accepts the request all the same doesn't stop the lab.
pub fn clock(answer: &Answer, now: OffsetDateTime) -> Finding {
    const WHAT: &str = "clock";
    let lines = answer.wire.response.lines().skip(1).take_while(|line| !line.is_empty());
    let date = lines.filter_map(|line| line.split_once(": ")).find(|(name, _)| name.eq_ignore_ascii_case("date"));
    let Some(there) = date.and_then(|(_, date)| OffsetDateTime::parse(date, &Rfc2822).ok()) else {
        let fix = "compare it with another one; AWS refuses requests that are more than five minutes off";
        return Finding::warning(WHAT, "can't be told: the server does not say what time it is", fix);
    };
    let seconds = (now - there).whole_seconds();
    let off = match seconds.abs() {
        // The server's time has no fractions.
        0..=1 => return Finding::ok(WHAT, "agrees with the server's"),
        off @ 2..120 => format!("{off} s"),
        off => format!("{} min", off / 60),
    };
    let says = format!("{off} {} the server's", if seconds > 0 { "ahead of" } else { "behind" });
    let fix = "let the system set the clock by the network (on Linux: timedatectl set-ntp true)";
    match seconds.abs() {
        off if off > REFUSED_SKEW && answer.verdict() != Verdict::Allowed => {
            Finding::stop(WHAT, format!("{says}; AWS refuses more than 5 min"), fix)
        }
        off if off > NOTABLE_SKEW => Finding::warning(WHAT, says, fix),
        _ => Finding::ok(WHAT, says),
    }
}

fn is_root(caller: &Caller) -> bool {
    caller.arn.ends_with(":root")
}

/// The caller as IAM knows it, from an answer to [`Question::Role`] about its role; without one, as [`Caller::principal`] has it.
pub fn with_role(caller: &Caller, answer: &Answer) -> Caller {
    let response = answer.response.as_ref().ok().filter(|response| response.status < 300);
    let arn = response.and_then(|response| response.body.pointer("/Role/Arn")?.as_str());
    Caller { arn: arn.map_or_else(|| caller.principal(), str::to_owned), account: caller.account.clone() }
}

/// What of an identity's permissions is asked about together: the same kind of resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// The check.
    pub what: &'static str,
    /// How to ask.
    pub question: Question,
}

const KEY_ACTIONS: &[&str] = &[
    "kms:CreateAlias",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:PutKeyPolicy",
    "kms:DeleteAlias",
    "kms:ScheduleKeyDeletion",
];

/// What DynamoDB asks of KMS on behalf of the admin (DynamoDB guide).
const TABLE_KEY_ACTIONS: &[&str] =
    &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"];

const TABLE_ACTIONS: &[&str] = &[
    "dynamodb:CreateTable",
    "dynamodb:DescribeTable",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "dynamodb:TagResource",
    "dynamodb:DeleteTable",
];

const USER_ACTIONS: &[&str] = &[
    "iam:CreateUser",
    "iam:TagUser",
    "iam:PutUserPolicy",
    "iam:CreateAccessKey",
    "iam:DeleteUserPolicy",
    "iam:DeleteAccessKey",
    "iam:DeleteUser",
];

/// Returns the admin's permissions for every stage, on resources named as the lab names its own. With a given user the
/// lab touches no user.
pub fn admin_permissions(request: &Request<'_>, given_user: bool) -> Vec<Permissions> {
    let admin = request.caller;
    let Places { key, table, user, via } = places(admin, request.region);
    let ask = |what, actions, resource, context| Permissions {
        what,
        question: Question::Simulate { principal: admin.principal(), actions, resource, context },
    };
    // Any values of the lab's tags: a policy may require the tags.
    let run = || vec!["doctor".to_owned()];
    let new_key = [
        ("aws:RequestTag/kmslab:run", run()),
        ("aws:RequestTag/kmslab:created", run()),
        ("aws:TagKeys", vec![RUN_TAG.to_owned(), CREATED_TAG.to_owned()]),
    ];
    let of_run = || ("aws:ResourceTag/kmslab:run", run());
    let of_table = with(request.through_dynamodb(TABLE), [of_run(), via]);
    let mut asked = vec![
        ask("admin: new key", &["kms:CreateKey", "kms:TagResource"], "*".to_owned(), with(request.of_kms(), new_key)),
        ask("admin: key", KEY_ACTIONS, key.clone(), with(request.of_kms(), [of_run()])),
        ask("admin: table's key", TABLE_KEY_ACTIONS, key, of_table),
        ask("admin: table", TABLE_ACTIONS, table, request.direct()),
    ];
    if !given_user {
        asked.push(ask("admin: user", USER_ACTIONS, user, request.of_iam()));
    }
    asked
}

fn with<const N: usize>(mut facts: Vec<Fact>, more: [Fact; N]) -> Vec<Fact> {
    facts.extend(more);
    facts
}

/// What test-user must be able to do, and what it must not: neither by itself nor through DynamoDB.
pub fn user_permissions(request: &Request<'_>) -> [Permissions; 2] {
    let user = request.caller;
    let Places { key, table, via, .. } = places(user, request.region);
    let ask = |what, actions, resource, context| Permissions {
        what,
        question: Question::Simulate { principal: user.principal(), actions, resource, context },
    };
    [
        ask("test-user: table", &["dynamodb:Scan"], table, request.direct()),
        ask("test-user: key", &["kms:Decrypt"], key, with(request.through_dynamodb(TABLE), [via])),
    ]
}

/// ARNs of the kinds that the lab makes.
struct Places {
    key: String,
    table: String,
    user: String,
    /// That a call comes through DynamoDB.
    via: Fact,
}

fn places(caller: &Caller, region: &str) -> Places {
    let account = &caller.account;
    let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
    Places {
        key: format!("arn:{partition}:kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000"),
        table: format!("arn:{partition}:dynamodb:{region}:{account}:table/{TABLE}"),
        user: format!("arn:{partition}:iam::{account}:user/kmslab-user-doctor"),
        via: ("kms:ViaService", vec![format!("dynamodb.{region}.amazonaws.com")]),
    }
}

/// What a simulation says of each action; `None` when the answer is no simulation.
fn decisions(answer: &Answer) -> Option<Vec<Decided<'_>>> {
    let response = answer.response.as_ref().ok().filter(|response| response.status < 300)?;
    let results = response.body.get("EvaluationResults")?.as_array()?;
    results.iter().map(Decided::read).collect::<Option<Vec<_>>>().filter(|decided| !decided.is_empty())
}

struct Decided<'a> {
    action: &'a str,
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    decision: &'a str,
    /// The condition keys that the simulation was not given.
    missing: Vec<&'a str>,
}

impl Decided<'_> {
    fn read(result: &Value) -> Option<Decided<'_>> {
        let action = result.get("EvalActionName")?.as_str()?;
        Some(Decided {
            action,
            decision: result.get("EvalDecision")?.as_str()?,
            missing: context::missing(action, result),
        })
    }

    fn is_allowed(&self) -> bool {
        self.decision == "allowed"
    }

    /// The decision depends on something that the simulation doesn't know. Without a session a request has no MFA, so
    /// that is known.
    fn is_open(&self, has_session: bool) -> bool {
        self.missing.iter().any(|key| has_session || !context::is_mfa(key))
    }

    fn is_for_want_of_mfa(&self) -> bool {
        self.decision == "explicitDeny" && self.missing.iter().any(|key| context::is_mfa(key))
    }
}

/// What to do where a policy asks for MFA.
const USE_MFA: &str = "probably your account requires MFA: run aws sts get-session-token --serial-number MFA-DEVICE-ARN \
                       --token-code CODE, put the three values it returns into a profile, and use that";

/// Whether the admin may do all that was asked about; `None` when the simulation itself was refused or is unknown to the
/// server.
pub fn may_all(what: &'static str, answer: &Answer, has_session: bool) -> Option<Finding> {
    let decided = decisions(answer)?;
    let list = |wanted: &dyn Fn(&Decided<'_>) -> bool| {
        let actions: Vec<&str> = decided.iter().filter(|one| wanted(one)).map(|one| one.action).collect();
        actions.join(", ")
    };
    let missing = list(&|one| !one.is_allowed() && !one.is_open(has_session));
    let open = list(&|one| !one.is_allowed() && one.is_open(has_session));
    Some(if !missing.is_empty() {
        let fix = match decided.iter().any(|one| !one.is_open(has_session) && one.is_for_want_of_mfa()) {
            true => USE_MFA.to_owned(),
            false => format!("allow it in a policy of the admin: {missing}"),
        };
        Finding::stop(what, format!("it may not {missing}"), fix)
    } else if !open.is_empty() {
        let mut keys: Vec<&str> = decided.iter().flat_map(|one| &one.missing).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let fix = "if the stage is denied, allow these without a condition";
        let says = format!("a condition decides about {open}, which a simulation can't know: {}", keys.join(", "));
        Finding::warning(what, says, fix)
    } else {
        let says = match decided.as_slice() {
            [one] => format!("{} is allowed", one.action),
            all => format!("all {} permissions", all.len()),
        };
        Finding::ok(what, says)
    })
}

/// What is said if even a harmless call that the lab needs meets an explicit deny, which no other policy overrides.
/// `answer` is of [`Question::DescribeTable`].
pub fn denies_everything(answer: &Answer, has_session: bool) -> Option<Finding> {
    let Verdict::Denied(denied) = answer.verdict() else { return None };
    let is_explicit = denied.message.contains("explicit deny");
    let fix = match has_session {
        false => USE_MFA,
        true => "a policy denies this session everything, whatever else allows it: use another profile",
    };
    is_explicit.then(|| Finding::stop("admin: permissions", denied.message, fix))
}

/// What a harmless call says where no simulation is to be had.
pub fn may_list(action: &'static str, answer: &Answer) -> Finding {
    const WHAT: &str = "admin: permissions";
    match answer.verdict() {
        Verdict::Allowed => Finding::ok(WHAT, format!("{action} is allowed")),
        Verdict::Denied(_) => Finding::warning(
            WHAT,
            format!("{action} is denied, and so may be what the lab needs"),
            "allow iam:SimulatePrincipalPolicy, so that this can be told, or use a profile that administers the account",
        ),
        Verdict::Failed(failure) => Finding::warning(
            WHAT,
            format!("{action}: {}", failure.message),
            failure.remedy.unwrap_or_else(|| "check what this server can do".to_owned()),
        ),
    }
}

/// Whether test-user may read the table, by simulation, or else by its own `dynamodb:ListTables`.
pub fn user_has_table(simulated: &Answer, listed: &Answer) -> Finding {
    const WHAT: &str = "test-user: table";
    const FIX: &str = "attach AmazonDynamoDBFullAccess to it, or let the lab make its own user";
    match decisions(simulated) {
        Some(decided) if decided.iter().all(Decided::is_allowed) => Finding::ok(WHAT, "may scan it"),
        // Whether test-user has a session isn't known here.
        Some(decided) if decided.iter().any(|one| one.is_open(true)) => {
            Finding::warning(WHAT, "a condition decides whether it may scan it, which a simulation can't know", FIX)
        }
        Some(_) => Finding::stop(WHAT, "it may not scan it, so the table itself would deny it and not the key", FIX),
        None => match listed.verdict() {
            Verdict::Allowed => Finding::ok(WHAT, "may list tables; whether it may scan is not told here"),
            Verdict::Denied(_) => Finding::warning(WHAT, "it may not even list tables", FIX),
            Verdict::Failed(failure) => Finding::warning(WHAT, failure.message, FIX),
        },
    }
}

/// Whether test-user lacks kms:Decrypt of its own, as the denied stage needs it.
pub fn user_lacks_key(simulated: &Answer) -> Finding {
    const WHAT: &str = "test-user: key";
    const FIX: &str = "use an identity without it, or let the lab make its own user";
    match decisions(simulated) {
        Some(decided) if decided.iter().any(|one| one.is_open(true)) => {
            Finding::warning(WHAT, "a condition decides whether it has kms:Decrypt, which a simulation can't know", FIX)
        }
        Some(decided) if !decided.iter().any(Decided::is_allowed) => Finding::ok(WHAT, "has no kms:Decrypt of its own"),
        Some(_) => Finding::stop(WHAT, "its own policies allow kms:Decrypt, so it would not be denied", FIX),
        None => Finding::warning(
            WHAT,
            "whether it has kms:Decrypt can't be told",
            "the denied stage will show it; allow the admin iam:SimulatePrincipalPolicy to know before",
        ),
    }
}
