//! Was the stage's expectation met? Judged from what really came back, and said in words either way.

use serde_json::Value;

use super::exchange::{Exchange, Verdict};
use super::facts::{Caller, Facts};
use super::key_policy;
use super::operation::Identity;
use super::outcome::Check;
use super::policy_diff::{PolicyDiff, Statement};
use super::script;
use super::stage::Stage;
use super::test_user;

/// Judges `stage` by its exchanges, the newest of each call, and the facts.
pub fn check(stage: Stage, exchanges: &[&Exchange], facts: &Facts, given_user: bool) -> Check {
    let outcome = match stage {
        Stage::Who => who(exchanges, facts, given_user),
        Stage::CreateKey => create_key(facts),
        Stage::CreateTable => create_table(exchanges, facts),
        Stage::ViewAdmin => view_admin(exchanges),
        Stage::CreateUser => create_user(facts, given_user),
        Stage::ViewDenied => view_denied(exchanges, given_user),
        Stage::Grant => grant(facts),
        Stage::ViewAgain => view_again(exchanges),
        Stage::CleanUp => clean_up(exchanges, facts),
    };
    match outcome {
        Ok(observed) => Check { met: true, observed },
        Err(observed) => Check { met: false, observed },
    }
}

/// `Ok` with what was observed when that is what was expected, `Err` with it when not.
type Observed = Result<String, String>;

fn newest<'a>(exchanges: &[&'a Exchange], identity: Identity, operation: &str) -> Option<&'a Exchange> {
    exchanges.iter().rev().find(|e| e.identity == identity && e.operation.name() == operation).copied()
}

/// What a call came to, for an observation.
pub fn describe(exchange: &Exchange) -> String {
    let name = exchange.identity.name();
    match &exchange.verdict {
        Verdict::Allowed => format!("{name} ALLOWED"),
        Verdict::Denied(denied) => match &denied.action {
            Some(action) => format!("{name} DENIED on {action}"),
            None => format!("{name} DENIED: {}", denied.message),
        },
        Verdict::Failed(failure) => {
            let code = failure.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            format!("{name} {} FAILED: {code}{}", exchange.operation.name(), failure.message)
        }
    }
}

/// The end of an ARN, `user/alice`: what differs within an account.
fn short(caller: &Caller) -> &str {
    caller.arn.rsplit(':').next().unwrap_or(&caller.arn)
}

fn is_root(caller: &Caller) -> bool {
    caller.arn.ends_with(":root")
}

fn who(exchanges: &[&Exchange], facts: &Facts, given_user: bool) -> Observed {
    // The stage's other calls only look ahead.
    let mut asked = exchanges.iter().filter(|exchange| exchange.operation.name() == "GetCallerIdentity");
    if let Some(failed) = asked.find(|exchange| !exchange.is_allowed()) {
        return Err(describe(failed));
    }
    let admin = facts.admin.as_ref().ok_or("GetCallerIdentity's answer names no principal")?;
    if is_root(admin) {
        return Err(format!("admin is the account root, {}: use an IAM principal", admin.arn));
    }
    if !given_user {
        let simulated = newest(exchanges, Identity::Admin, "SimulatePrincipalPolicy");
        return match simulated.and_then(test_user::why_not_created) {
            Some(why_not) => Err(why_not),
            None => Ok(format!("admin is {}", admin.arn)),
        };
    }
    let user = facts.test_user.as_ref().ok_or("GetCallerIdentity's answer for test-user names no principal")?;
    two_principals(admin, user)
}

fn two_principals(admin: &Caller, user: &Caller) -> Observed {
    // Two sessions of one role are one principal: its policies decide about both.
    if user.principal() == admin.principal() {
        return Err(format!("both profiles are {}: give test-user a profile of its own", user.principal()));
    }
    if user.account != admin.account {
        return Err(format!("two accounts, {} and {}: both profiles must be of one", admin.account, user.account));
    }
    if is_root(user) {
        return Err(format!("test-user is the account root, {}: use an IAM user", user.arn));
    }
    Ok(format!("test-user is {}, of the same account {}", short(user), user.account))
}

fn create_key(facts: &Facts) -> Observed {
    let key = facts.key.as_ref().ok_or("no KeyMetadata came back")?;
    let member = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("missing");
    let observed =
        format!("KeyState {}, KeySpec {}, KeyManager {}", member("KeyState"), member("KeySpec"), member("KeyManager"));
    let met = member("KeyState") == "Enabled"
        && member("KeySpec") == "SYMMETRIC_DEFAULT"
        && member("KeyManager") == "CUSTOMER";
    if met { Ok(observed) } else { Err(observed) }
}

fn create_table(exchanges: &[&Exchange], facts: &Facts) -> Observed {
    let table = facts.table.as_ref().ok_or("no table description came back")?;
    let status = facts.table_status().unwrap_or("missing");
    let key = table.pointer("/SSEDescription/KMSMasterKeyArn").and_then(Value::as_str);
    let put = exchanges.iter().filter(|e| e.operation.name() == "PutItem" && e.is_allowed()).count();
    let items = script::items().len();
    let names_key = key.is_some() && key == facts.key_arn();
    let encryption = match key {
        Some(_) if names_key => "SSEDescription names the key".to_owned(),
        Some(other) => format!("SSEDescription names another key, {other}"),
        None => "there is no SSEDescription with a key".to_owned(),
    };
    let observed = format!("table {status}, {encryption}, {put} of {items} items put");
    if status == "ACTIVE" && names_key && put == items { Ok(observed) } else { Err(observed) }
}

/// The items of a Scan's answer, in an order that does not depend on the server's.
fn scanned(exchange: &Exchange) -> Vec<String> {
    let items = exchange.body().and_then(|body| body.get("Items")?.as_array()).map(Vec::as_slice).unwrap_or_default();
    sorted(items)
}

fn sorted(items: &[Value]) -> Vec<String> {
    let mut items: Vec<String> = items.iter().map(canonical).collect();
    items.sort();
    items
}

/// JSON with members in order of their names.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, member)| (name, canonical(member))).collect();
            members.sort();
            format!("{members:?}")
        }
        other => other.to_string(),
    }
}

/// The identity's Scan with all sample items, or what came instead.
fn complete_scan(exchanges: &[&Exchange], identity: Identity) -> Observed {
    let scan = newest(exchanges, identity, "Scan").ok_or_else(|| format!("{} sent no Scan", identity.name()))?;
    if !scan.is_allowed() {
        return Err(describe(scan));
    }
    let put: Vec<Value> = script::items().into_iter().map(Value::Object).collect();
    let found = scanned(scan);
    let items = if found.len() == 1 { "item" } else { "items" };
    let observed = format!("{} ({} {items})", describe(scan), found.len());
    if found == sorted(&put) { Ok(observed) } else { Err(format!("{observed}, not the ones that were put")) }
}

fn view_admin(exchanges: &[&Exchange]) -> Observed {
    complete_scan(exchanges, Identity::Admin)
}

fn create_user(facts: &Facts, given_user: bool) -> Observed {
    let admin = facts.admin.as_ref().ok_or("admin's principal is not known: the stage who did not succeed")?;
    let user = facts.test_user.as_ref().ok_or("GetCallerIdentity's answer for test-user names no principal")?;
    let principals = two_principals(admin, user)?;
    if given_user {
        // What its policies allow shows in the next stage; the profile's owner may not let us read them.
        return Ok(principals);
    }
    match &facts.made.policy_attached {
        Some(arn) => Ok(format!("{principals}, with {}", arn.rsplit('/').next().unwrap_or(arn))),
        None if facts.made.inline_policy => Ok(format!("{principals}, with dynamodb:* on the lab's table alone")),
        None => Err(format!("{principals}, but no policy is attached")),
    }
}

fn view_denied(exchanges: &[&Exchange], given_user: bool) -> Observed {
    let admin = complete_scan(exchanges, Identity::Admin);
    let user = newest(exchanges, Identity::TestUser, "Scan").ok_or("test-user sent no Scan")?;
    let denied = match &user.verdict {
        // The wording of 2020–22 names no action; that it is KMS who refuses, it says (issue threads).
        Verdict::Denied(denied) => match denied.action.as_deref() {
            Some(action) => action == "kms:Decrypt",
            None => denied.message.starts_with("KMS key access denied"),
        },
        _ => false,
    };
    let explanation = match (user.is_allowed(), given_user) {
        (false, _) => "",
        (true, true) => {
            ": expected DENIED, got ALLOWED. Either test-user may use the key, or this server does not enforce KMS"
        }
        (true, false) => {
            ": expected DENIED, got ALLOWED. The lab let test-user use no key, so this server does not enforce KMS"
        }
    };
    match (admin, denied) {
        (Ok(admin), true) => Ok(format!("{admin}, {}", describe(user))),
        (Ok(admin) | Err(admin), _) => Err(format!("{admin}, {}{explanation}", describe(user))),
    }
}

fn grant(facts: &Facts) -> Observed {
    let before = facts.policy_before.as_deref().ok_or("the policy before the change was not read")?;
    let after = facts.policy.as_deref().ok_or("the policy after the change was not read")?;
    let user = facts.principal(Identity::TestUser).ok_or("test-user's principal is not known")?;
    let diff = PolicyDiff::between(before, after);
    let wanted: Vec<Statement> = key_policy::key_user_statements(&user).iter().map(Statement::read).collect();
    let name = |statement: &Statement| match &statement.sid {
        Some(sid) => format!("\"{sid}\""),
        None => statement.name().to_owned(),
    };
    let list = |statements: &[Statement]| match statements {
        [] => "nothing".to_owned(),
        some => some.iter().map(name).collect::<Vec<_>>().join(" and "),
    };
    let as_wanted = diff.added.len() == wanted.len() && wanted.iter().all(|statement| diff.added.contains(statement));
    let only_added = diff.removed.is_empty() && diff.changed.is_empty();
    if !as_wanted && only_added && diff.added.is_empty() {
        return Err("the policy is as it was before".to_owned());
    }
    let mut observed = format!("added {}, removed {}", list(&diff.added), list(&diff.removed));
    if !diff.changed.is_empty() {
        let changed: Vec<Statement> = diff.changed.into_iter().map(|changed| changed.after).collect();
        observed.push_str(&format!(", changed {}", list(&changed)));
    }
    if as_wanted && only_added { Ok(observed) } else { Err(observed) }
}

fn view_again(exchanges: &[&Exchange]) -> Observed {
    let both = Identity::BOTH.map(|identity| complete_scan(exchanges, identity));
    let met = both.iter().all(Result::is_ok);
    if met {
        return Ok(format!("admin and test-user ALLOWED, the same {} items", script::items().len()));
    }
    let [admin, user] = both.map(|observed| observed.unwrap_or_else(|other| other));
    Err(format!("{admin}, {user}"))
}

fn clean_up(exchanges: &[&Exchange], facts: &Facts) -> Observed {
    let failed: Vec<String> = exchanges
        .iter()
        .filter(|exchange| !exchange.is_allowed() && !exchange.is_wanted_absence())
        // Of others' keys nothing is wanted; that a deletion is scheduled twice, after an answer that was lost, is well.
        .filter(|exchange| !facts.is_looked_at(&exchange.operation))
        .filter(|exchange| exchange.operation.name() != "ScheduleKeyDeletion" || !facts.made.is_empty())
        .map(|exchange| describe(exchange))
        .collect();
    if !facts.made.is_empty() || !failed.is_empty() {
        let left = if facts.made.is_empty() { "nothing known is left" } else { "something is left" };
        return Err(match failed.is_empty() {
            true => "something may be left: not all keys could be looked at".to_owned(),
            false => format!("{left}; {}", failed.join("; ")),
        });
    }
    if facts.table_was_made && facts.table.is_some() {
        return Err("the table is still being deleted".to_owned());
    }
    let deleted: Vec<&str> = exchanges
        .iter()
        .filter(|exchange| exchange.is_allowed())
        .filter_map(|exchange| match exchange.operation.name() {
            "DeleteTable" => Some("table"),
            "DeleteAccessKey" => Some("access key"),
            "DeleteUser" => Some("user"),
            "DeleteAlias" => Some("alias"),
            _ => None,
        })
        .collect();
    let deleted = if deleted.is_empty() { String::new() } else { format!("{} deleted, ", deleted.join(", ")) };
    let Some(key) = &facts.key else {
        // One whose CreateKey was not answered has been found.
        let found = exchanges.iter().any(|e| e.operation.name() == "ScheduleKeyDeletion" && e.is_allowed());
        let key = if found { "the deletion of the key is scheduled" } else { "no key had been made" };
        return Ok(format!("{deleted}{key}"));
    };
    match key.get("KeyState").and_then(Value::as_str) {
        Some("PendingDeletion") => Ok(format!("{deleted}key PendingDeletion")),
        state => Err(format!("{deleted}but the key's state is {}", state.unwrap_or("unknown"))),
    }
}
