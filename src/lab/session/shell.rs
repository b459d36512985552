//! What a shell for the lab says and knows: its first lines, its variables, and a stage's commands.

use super::notice;
use super::state::State;
use crate::lab::feature::noticing::goal::Step;
use crate::lab::feature::noticing::look::{self, Look};
use crate::lab::feature::noticing::why::{self, Mismatch};
use crate::lab::feature::noticing::{LedTo, Note};
use crate::lab::glyphs::width;
use crate::lab::model::backend::BackendKind;
use crate::lab::model::command_line::cli_command;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::operation::Identity;
use crate::lab::model::redact::clean;
use crate::lab::model::stage::Stage;

impl Note {
    /// The note in one line.
    pub fn text(&self, state: &State) -> String {
        let words = state.interface();
        let call = &self.call.operation;
        match &self.led_to {
            LedTo::Reached(stage) => reached(state, *stage, call),
            LedTo::LockedOut(true) => words.fill(
                "You ran {}: test-user can read, but admin is locked out of the key. test-user can still change the policy.",
                &[call],
            ),
            LedTo::LockedOut(false) => {
                let start_over = state.view.keys.first("start_over", "X");
                let text = "You ran {}: test-user can read, but admin is locked out of the key. {} starts over with a \
                            new key; on AWS only AWS Support could help.";
                words.fill(text, &[call, &start_over])
            }
            LedTo::Step(_, Step::Items) => words.fill("You ran {}. Next, put three items into the table.", &[call]),
            LedTo::Step(_, Step::Policy) => {
                words.fill("You ran {}. Next, give the user a policy for DynamoDB.", &[call])
            }
            LedTo::Step(_, Step::Rest) => {
                let left = state.shown_facts().made.list(state.shown_names()).join(", ");
                words.fill("You ran {}. Still there: {}.", &[call, &clean(&left)])
            }
            LedTo::Rejected(_) => {
                words.fill("You ran {}, but {} rejected it. Nothing has changed.", &[call, &service(&self.call)])
            }
            LedTo::Missed(Stage::Grant, observed) => {
                let why = why(state, &self.call, observed);
                words.fill("You ran {}, but test-user is still refused: {}.", &[call, &why])
            }
            LedTo::Missed(stage, observed) => {
                words.fill("You ran {}. The goal of stage {} isn't reached: {}.", &[call, &stage.number(), observed])
            }
            LedTo::NewAccessKey => words
                .say(
                    "You deleted test-user's access key. The lab made a new one, so that it can still check this stage.",
                )
                .to_owned(),
            LedTo::Early(stage) => {
                words.fill("You ran {}. The lab keeps it; stage {} comes first.", &[call, &stage.number()])
            }
            LedTo::Broken(Stage::CreateKey) => {
                words.fill("You ran {}. Until the key is enabled again, every Scan fails.", &[call])
            }
            LedTo::Broken(stage) => words.fill("You ran {}. Stage {} has to be done again.", &[call, &stage.number()]),
        }
    }
}

fn reached(state: &State, stage: Stage, call: &str) -> String {
    let (words, number) = (state.interface(), stage.number());
    match stage {
        Stage::CreateKey => {
            words.fill("You ran {}. The lab uses your key from now on. Stage {} is done.", &[&call, &number])
        }
        Stage::CreateTable => {
            words.fill("You ran {}, and the table has its items. Stage {} is done.", &[&call, &number])
        }
        Stage::CreateUser => words.fill(
            "You ran {}. The lab made an access key for {}. Stage {} is done.",
            &[&call, &clean(&state.shown_names().user), &number],
        ),
        Stage::ViewDenied => {
            words.fill("You ran {} as test-user, and KMS refused it. Stage {} is done.", &[&call, &number])
        }
        Stage::Grant => words.fill("You ran {}, and test-user can read. Stage {} is done.", &[&call, &number]),
        Stage::CleanUp => words.fill("You ran {}, and nothing is left. Stage {} is done.", &[&call, &number]),
        Stage::Who | Stage::ViewAdmin | Stage::ViewAgain => {
            words.fill("You ran {}. Stage {} is done.", &[&call, &number])
        }
    }
}

/// Why test-user is still refused.
fn why(state: &State, call: &NoticedCall, observed: &str) -> String {
    let facts = state.shown_facts();
    let (Some(user), Some(key)) = (facts.principal(Identity::TestUser), facts.key_arn()) else {
        return observed.to_owned();
    };
    let words = state.interface();
    match why::mismatch(call, &user, key) {
        Mismatch::Principal => words.say("no statement names test-user").to_owned(),
        Mismatch::Action => words.say("it doesn't allow kms:Decrypt").to_owned(),
        Mismatch::Resource(resource) => {
            words.fill("it allows kms:Decrypt on {}, and the call is on {}", &[&short(&resource), &short(key)])
        }
        Mismatch::Grantee(grantee) => words.fill("the grant is for {}", &[&short(&grantee)]),
        Mismatch::Other => words.say("a condition or a Deny stops it").to_owned(),
    }
}

/// The end of an ARN.
fn short(arn: &str) -> String {
    clean(arn.rsplit(':').next().unwrap_or(arn))
}

/// The name of the service that was called.
pub fn service(call: &NoticedCall) -> &'static str {
    match call.service.as_str() {
        "kms" => "KMS",
        "dynamodb" => "DynamoDB",
        "iam" => "IAM",
        "sts" => "STS",
        _ => "the service",
    }
}

/// The variables of a shell: names and ids, and no secret.
pub fn variables(state: &State) -> Vec<(&'static str, String)> {
    let (names, facts) = (&state.names, state.kernel.facts());
    let arn = || facts.principal(Identity::TestUser).or_else(|| facts.user_arn(names));
    vec![
        ("KMSLAB_TABLE", names.table.clone()),
        ("KMSLAB_ALIAS", names.alias.clone()),
        ("KMSLAB_KEY_ID", facts.key_id().unwrap_or_default().to_owned()),
        ("KMSLAB_KEY_ARN", facts.key_arn().unwrap_or_default().to_owned()),
        ("KMSLAB_USER", names.user.clone()),
        ("KMSLAB_USER_ARN", arn().unwrap_or_default()),
        ("KMSLAB_RUN", names.run.clone()),
    ]
}

/// The stage whose goal is next, as long as there is one.
fn goal(state: &State) -> Stage {
    let current = state.kernel.current();
    if state.kernel.is_met(current) { current.next().unwrap_or(current) } else { current }
}

/// Moves the focus, as the person wants.
pub(super) fn move_focus(state: &mut State) {
    state.view.focus_moved_in = Some(goal(state));
    state.view.focus_other();
}

/// Who makes a shell's calls by default: the identity that the next goal needs, or the one on whom the person
/// has focused in that stage. The lab moves the focus, too, to what there is to read.
pub fn default_identity(state: &State) -> Identity {
    let stage = goal(state);
    let is_elsewhere = state.is_drilling() || state.view.experiment.is_some();
    if is_elsewhere || state.view.focus_moved_in == Some(stage) {
        return state.view.focus();
    }
    match stage {
        Stage::ViewDenied | Stage::ViewAgain => Identity::TestUser,
        Stage::CreateUser if state.backend.given_user => Identity::TestUser,
        Stage::Who | Stage::CreateKey | Stage::CreateTable | Stage::ViewAdmin | Stage::CreateUser | Stage::Grant => {
            Identity::Admin
        }
        Stage::CleanUp => Identity::Admin,
    }
}

/// What to look for, where the server may report no calls; `None` while nothing could be done with what is found, and
/// where the next goal is a read, which leaves no trace.
pub fn look(state: &State) -> Option<Look> {
    let backend = &state.backend;
    if backend.kind == BackendKind::Sandbox || notice::is_busy(state) || state.view.experiment.is_some() {
        return None;
    }
    let stage = notice::goal_of(state).filter(|stage| !look::is_read(*stage, backend.given_user))?;
    // For a user that somebody has made the lab makes an access key: on AWS only after a yes.
    let needs_yes = backend.kind == BackendKind::Aws && stage == Stage::CreateUser;
    let is_free = !needs_yes || state.consent.account().is_some() || state.accepted_account.is_some();
    is_free.then(|| Look { stage, names: state.names.clone(), facts: state.kernel.facts().clone() })
}

/// The columns before a shell's first texts: their labels stand there.
const LABELS: usize = 12;

/// The variables that a shell shows first.
const NAMES: &str = "$KMSLAB_TABLE  $KMSLAB_KEY_ID  $KMSLAB_USER  $KMSLAB_USER_ARN";

/// What a shell shows first, in which calls are made as `who` by default.
pub fn welcome(state: &State, who: Identity) -> Vec<String> {
    let words = state.interface();
    let label = |name: &'static str, text: String| format!("  {:<10}{text}", words.say(name));
    let safe = match state.backend.kind {
        BackendKind::Aws => {
            let account = state.shown_facts().admin.as_ref().map(|admin| admin.account.clone()).unwrap_or_default();
            let end = account.get(account.len().saturating_sub(4)..).unwrap_or_default();
            words.fill("Both profiles are set in this shell only. These are real calls in account …{}.", &[&end])
        }
        BackendKind::Sandbox => words
            .say("Endpoint, region and both profiles work in this shell only. They are not real AWS keys.")
            .to_owned(),
        BackendKind::Endpoint => words.say("Endpoint, region and both profiles work in this shell only.").to_owned(),
    };
    let (first, wanted) = purpose(state);
    let mut lines = vec![first, String::new(), label("Goal", wanted)];
    lines.extend(Identity::BOTH.map(|identity| {
        let is_default = if identity == who { words.say("(the default here)") } else { "" };
        let command = format!("aws ... --profile {}", identity.profile());
        format!("{:LABELS$}{command:<36}{is_default}", "").trim_end().to_owned()
    }));
    let is_read = !state.is_drilling() && look::is_read(goal(state), state.backend.given_user);
    if state.backend.kind != BackendKind::Sandbox && is_read && state.view.experiment.is_none() {
        let enter = state.view.keys.first("advance", "enter");
        let text = "A read leaves no trace. If the lab doesn't notice yours, come back and press {}.";
        lines.push(label("Note", words.fill(text, &[&enter])));
    }
    lines.extend([label("Names", NAMES.to_owned()), label("Safe", safe)]);
    if !state.is_drilling() {
        lines.push(label("Stuck?", words.say("kmslab hint shows commands for this stage.").to_owned()));
    }
    lines.push(String::new());
    lines
}

/// What a shell is for: its first line and the goal.
fn purpose(state: &State) -> (String, String) {
    let words = state.interface();
    let as_either = |goal: &str| words.fill("{} Use any call you like, as either person:", &[&goal.trim()]);
    if let Some(drill) = state.drills.current().filter(|_| state.is_drilling()) {
        let ticket = state.lesson.drills.text(drill.drill()).map_or("", |text| text.ticket.as_str());
        let first = "kmslab: a shell for this drill. The lab keeps running. Type exit to go back: both scan then.";
        return (words.say(first).to_owned(), format!("\"{ticket}\""));
    }
    if let Some(which) = state.view.experiment {
        let first = "kmslab: a shell for this experiment. The lab keeps running. Type exit to go back.";
        return (words.say(first).to_owned(), as_either(&state.experiment(which).question.text));
    }
    let stage = goal(state);
    let first = words.fill(
        "kmslab: a shell for this lab, stage {} of {}. The lab keeps running. Type exit to go back.",
        &[&stage.number(), &Stage::ALL.len()],
    );
    (first, as_either(state.text(stage).objective))
}

/// A shell's first lines in at most `columns` columns. A line with a label goes on below its text.
pub fn wrapped(text: &str, columns: usize) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let indent = if line.starts_with("  ") { LABELS } else { 0 };
        let (label, rest) = line.split_at_checked(indent).unwrap_or(("", line));
        if width(line) <= columns || columns <= 2 * LABELS {
            whole.push_str(line);
        } else {
            let (mut used, mut gap) = (width(label), "");
            whole.push_str(label);
            for word in rest.split_whitespace() {
                if !gap.is_empty() && used + 1 + width(word) > columns {
                    whole.push_str(&format!("\n{:indent$}", ""));
                    (used, gap) = (indent, "");
                }
                whole.push_str(gap);
                whole.push_str(word);
                used += gap.len() + width(word);
                gap = " ";
            }
        }
        whole.push('\n');
    }
    whole
}

/// The goal of the stage that is next, and commands that reach it.
pub fn hint(state: &State) -> Vec<String> {
    if let Some(which) = state.view.experiment {
        let heading = state.experiment(which).question.text.clone();
        let scans = commands(state, Stage::ViewAgain).into_iter().chain(["kmslab why".to_owned()]);
        return [heading, String::new()].into_iter().chain(scans.map(|line| format!("  {line}"))).collect();
    }
    if state.is_drilling() {
        return commands(state, Stage::ViewAgain);
    }
    let stage = goal(state);
    let heading = format!("stage {}: {}", stage.number(), state.text(stage).objective);
    let mut lines = vec![heading, String::new()];
    lines.extend(commands(state, stage).into_iter().map(|line| format!("  {line}")));
    lines
}

fn commands(state: &State, stage: Stage) -> Vec<String> {
    let own = |command: &str| format!("aws {command} --profile {}", Identity::Admin.profile());
    let theirs = |command: &str| format!("aws {command} --profile {}", Identity::TestUser.profile());
    let scan = "dynamodb scan --table-name $KMSLAB_TABLE";
    let given_user = state.backend.given_user;
    match stage {
        Stage::Who => vec![own("sts get-caller-identity")],
        Stage::CreateKey => vec![
            own(&format!("kms create-key --description \"kmslab $KMSLAB_RUN\"{}", tags(state, "TagKey", "TagValue"))),
            own("kms create-alias --alias-name $KMSLAB_ALIAS --target-key-id KEY_ID"),
        ],
        Stage::CreateTable => {
            let create = "dynamodb create-table --table-name $KMSLAB_TABLE --billing-mode PAY_PER_REQUEST \
                          --attribute-definitions AttributeName=id,AttributeType=S \
                          --key-schema AttributeName=id,KeyType=HASH \
                          --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=$KMSLAB_KEY_ID";
            let put = |number| {
                let command = "dynamodb put-item --table-name $KMSLAB_TABLE --item file://$KMSLAB_HOME";
                own(&format!("{command}/item-{number}.json"))
            };
            [own(&format!("{create}{}", tags(state, "Key", "Value")))].into_iter().chain((1..=3).map(put)).collect()
        }
        Stage::ViewAdmin => vec![own(scan)],
        Stage::CreateUser if given_user => vec![theirs("sts get-caller-identity")],
        Stage::CreateUser => {
            let create = format!("iam create-user --user-name $KMSLAB_USER{}", tags(state, "Key", "Value"));
            let policy = state.kernel.facts().user_policy(&state.names, &state.backend);
            vec![own(&create), own(&cli_command(&policy.put(state.names.user.clone())))]
        }
        Stage::ViewDenied | Stage::ViewAgain => vec![own(scan), theirs(scan)],
        Stage::Grant => granting(given_user),
        Stage::CleanUp => removing(state).iter().map(|command| own(command)).collect(),
    }
}

/// Three ways to let test-user use the key; of a user that the lab has not made it changes no policy. The files lie in the
/// lab's folder, and go with it.
fn granting(given_user: bool) -> Vec<String> {
    let own = |command: &str| format!("aws {command} --profile {}", Identity::Admin.profile());
    let (policy, user_policy) = ("$KMSLAB_HOME/key-policy.json", "$KMSLAB_HOME/user-policy.json");
    let get = own("kms get-key-policy --key-id $KMSLAB_KEY_ID --policy-name default --query Policy --output text");
    let put = format!("kms put-key-policy --key-id $KMSLAB_KEY_ID --policy-name default --policy file://{policy}");
    let key_policy = [
        "# 1  the key policy: fetch it, add a statement to \"Statement\" in an editor, and send the whole".to_owned(),
        format!("{get} > {policy}"),
        "echo '{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"'$KMSLAB_USER_ARN'\"},\"Action\":\"kms:Decrypt\",\"Resource\":\"*\"}'"
            .to_owned(),
        format!("${{EDITOR:-vi}} {policy}   # add what echo has printed, and a comma before it"),
        own(&put),
    ];
    let statement = "{\"Effect\":\"Allow\",\"Action\":\"kms:Decrypt\",\"Resource\":\"'$KMSLAB_KEY_ARN'\"}";
    let iam = "iam put-user-policy --user-name $KMSLAB_USER --policy-name decrypt --policy-document";
    let iam_policy = [
        "# 2  an IAM policy of test-user".to_owned(),
        format!("echo '{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}' > {user_policy}"),
        own(&format!("{iam} file://{user_policy}")),
    ];
    let grant = [
        format!("# {}  a grant", if given_user { 2 } else { 3 }),
        own("kms create-grant --key-id $KMSLAB_KEY_ID --grantee-principal $KMSLAB_USER_ARN --operations Decrypt"),
    ];
    let heading = format!("# one of {} ways; each is enough", if given_user { "two" } else { "three" });
    let iam_policy = iam_policy.into_iter().filter(|_| !given_user);
    [heading].into_iter().chain(key_policy).chain(iam_policy).chain(grant).collect()
}

/// The tags without which the lab takes nothing over where others have things, too.
fn tags(state: &State, key: &str, value: &str) -> String {
    match state.backend.kind {
        BackendKind::Sandbox => String::new(),
        _ => format!(" --tags {key}=kmslab:run,{value}=$KMSLAB_RUN"),
    }
}

/// Removes what is there.
fn removing(state: &State) -> Vec<String> {
    let made = &state.kernel.facts().made;
    let mut commands = Vec::new();
    if made.table {
        commands.push("dynamodb delete-table --table-name $KMSLAB_TABLE".to_owned());
    }
    if made.user && !state.backend.given_user {
        let attached = made.policy_attached.iter().chain(&made.added.attached);
        commands.extend(
            attached.map(|arn| format!("iam detach-user-policy --user-name $KMSLAB_USER --policy-arn {}", clean(arn))),
        );
        let inline = made.inline_policy.then_some(crate::lab::model::test_user::POLICY);
        let inline = inline.into_iter().chain(made.added.inline.iter().map(String::as_str));
        commands.extend(
            inline.map(|name| format!("iam delete-user-policy --user-name $KMSLAB_USER --policy-name {}", clean(name))),
        );
        let keys = made.access_key.iter().chain(&made.stray_access_keys);
        commands.extend(
            keys.map(|id| format!("iam delete-access-key --user-name $KMSLAB_USER --access-key-id {}", clean(id))),
        );
        commands.push("iam delete-user --user-name $KMSLAB_USER".to_owned());
    }
    if made.alias {
        commands.push("kms delete-alias --alias-name $KMSLAB_ALIAS".to_owned());
    }
    if made.key.is_some() {
        commands.push("kms schedule-key-deletion --key-id $KMSLAB_KEY_ID --pending-window-in-days 7".to_owned());
    }
    commands
}
