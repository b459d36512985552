//! The whole lab as a script of AWS CLI commands. Its calls are those of [`crate::lab::stages`]: they are made with
//! marks in the place of what only a run knows, and each mark becomes a variable of the shell.

use serde_json::{Value, json};

use crate::lab::key_policy::key_user_statements;
use crate::lab::model::batch::Next;
use crate::lab::model::command_line::{cli_command, shell_quote};
use crate::lab::model::mechanism::ATTEMPT;
use crate::lab::model::until::Until;
use crate::lab::stages::{self, Kind, Scans, Sources, items};
use crate::lab::{
    Answer, Backend, BackendKind, CallId, Exchange, Facts, Identity, Lesson, Names, Operation, Response, Stage,
    Verdict, Wire,
};

const PROLOGUE: &str = include_str!("../../assets/export/prologue.sh");

/// What stands in a command for what only a run knows, and the variable that has it.
const MARKS: [(&str, &str); 12] = [
    ("__RUN__", "run"),
    ("__CREATED__", "created"),
    ("__PARTITION__", "partition"),
    ("__REGION__", "AWS_DEFAULT_REGION"),
    ("__ACCOUNT__", "account"),
    ("__ADMIN_ARN__", "admin_arn"),
    ("__GRANT__", "grant_id"),
    ("__KEY_ARN__", "key_arn"),
    ("__KEY__", "key_id"),
    ("__USER_ARN__", "user_arn"),
    ("__USER_KEY__", "user_key"),
    ("__POLICY__", "policy"),
];

/// The script, with the stages' titles in the words of `lesson`. `own` is the call of stage 7, with marks, where the
/// learner took a way of her own.
pub fn script(lesson: &Lesson, own: Option<&Operation>) -> String {
    let mut out = PROLOGUE.replace("    # OWN WAY\n", &own.map(consent_to).unwrap_or_default());
    let mut writer = Writer { facts: Facts::default(), names: names(), backend: backend(false) };
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::CleanUp) {
        out.push_str(&heading(stage, lesson));
        if stage == Stage::CreateUser {
            let mut given = Writer { backend: backend(true), facts: writer.facts.clone(), names: names() };
            out.push_str("if [[ -n $USER_PROFILE ]]; then\n");
            out.push_str(&indented(&given.stage(stage)));
            out.push_str("else\n");
            out.push_str(&indented(&writer.stage(stage)));
            out.push_str("fi\n");
        } else if let Some(own) = own.filter(|_| stage == Stage::Grant) {
            out.push_str(&writer.own_way(own));
        } else {
            out.push_str(&writer.stage(stage));
        }
    }
    out.push_str("\n# The end: clean_up removes what was made, as it does wherever this script ends.\n");
    let clean_up = heading(Stage::CleanUp, lesson).trim_start().to_owned() + &writer.stage(Stage::CleanUp);
    let out = out.replace("    # CLEAN-UP\n", &indented(&clean_up));
    out.lines().map(|line| folded(line) + "\n").collect()
}

/// A long command with its options in lines of their own.
fn folded(line: &str) -> String {
    const COLUMNS: usize = 110;
    if line.len() <= COLUMNS || line.trim_start().starts_with('#') {
        return line.to_owned();
    }
    let indent = " ".repeat(line.len() - line.trim_start().len() + 4);
    let mut folded = String::with_capacity(line.len());
    let mut quoted = false;
    let mut columns = 0;
    for part in line.split_inclusive(' ') {
        // The option's own quotation marks come after its name.
        if part.starts_with("--") && !quoted && columns > COLUMNS / 2 {
            folded.push_str("\\\n");
            folded.push_str(&indent);
            columns = indent.len();
        }
        folded.push_str(part);
        columns += part.len();
        quoted ^= part.matches('\'').count() % 2 == 1;
    }
    folded
}

/// Any server: the script may run on the sandbox, and on AWS.
fn backend(given_user: bool) -> Backend {
    Backend { kind: BackendKind::Endpoint, region: "__REGION__".to_owned(), endpoint: None, given_user }
}

fn names() -> Names {
    Names::new("__RUN__").created("__CREATED__".to_owned())
}

/// A stage's title and what it does, as a comment and as a line that is printed.
fn heading(stage: Stage, lesson: &Lesson) -> String {
    let text = lesson.text(stage, false);
    let printed = shell_quote(&format!("{}/{} {}", stage.number(), Stage::ALL.len(), text.title));
    format!("\n# {}. {}\nsay {printed}\n", stage.number(), text.objective)
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

struct Writer {
    facts: Facts,
    names: Names,
    backend: Backend,
}

impl Writer {
    /// The lines of a stage.
    fn stage(&mut self, stage: Stage) -> String {
        let mut lines = String::new();
        for index in 0.. {
            let sources = Sources { names: &self.names, facts: &self.facts, backend: &self.backend };
            let batch = match stages::next(stage.def().steps, index, sources) {
                Next::Send(batch) => batch,
                Next::Wait | Next::End | Next::Blocked(_) => break,
            };
            for (identity, operation) in batch.calls.into_iter().map(with_policy_mark) {
                if matches!(operation, Operation::PutKeyPolicy { .. }) {
                    lines.push_str(&add_statements());
                }
                let is_repeated = matches!(&operation, Operation::GetKeyPolicy { .. } if index > 0);
                lines.push_str(&call(stage, identity, &operation, batch.until, is_repeated));
                self.facts.learn(&exchange(stage, identity, operation));
            }
        }
        lines
    }

    /// The lines of stage 7 in a way of the learner's own.
    fn own_way(&mut self, own: &Operation) -> String {
        let mut lines = String::new();
        if let Operation::PutKeyPolicy { policy, .. } = own {
            lines = format!(
                "# PutKeyPolicy replaces the whole policy: these are the old statements, and yours.\npolicy={}\n",
                with_variables(&shell_quote(policy))
            );
        }
        let (_, operation) = with_policy_mark((Identity::Admin, own.clone()));
        lines.push_str(&call(Stage::Grant, Identity::Admin, &operation, Until::PrincipalsKnown, false));
        self.facts.learn(&exchange(Stage::Grant, Identity::Admin, operation));
        lines
    }
}

/// What a way of the learner's own makes, for the question before anything is created. A user that the script didn't
/// create gets no policy.
fn consent_to(own: &Operation) -> String {
    let line = match own {
        Operation::PutUserPolicy { .. } | Operation::AttachUserPolicy { .. } => {
            "    [[ -z $USER_PROFILE ]] || fail 'your IAM policy is for the user that this script makes: leave \
             USER_PROFILE empty'\n    printf '           your IAM policy on that user\\n'\n"
        }
        Operation::CreateGrant { .. } => "    printf '           your grant on that key\\n'\n",
        _ => "    printf '           your policy on that key\\n'\n",
    };
    line.to_owned()
}

/// Whether a call may fail until an earlier change is known everywhere.
fn is_retried(until: Until, identity: Identity) -> bool {
    match until {
        Until::Found
        | Until::CredentialsKnown
        | Until::KeyKnown
        | Until::PrincipalsKnown
        | Until::TagKnown(_)
        | Until::UserFree => true,
        // The new key policy concerns only test-user.
        Until::NothingDenied => identity == Identity::TestUser,
        _ => false,
    }
}

/// Returns the lines for one call: the command, and what becomes of its response.
fn call(stage: Stage, identity: Identity, operation: &Operation, until: Until, is_repeated: bool) -> String {
    use Operation as O;
    let who = if identity == Identity::Admin { "admin" } else { "user" };
    let again = if is_retried(until, identity) { "eventually " } else { "" };
    let command = format!("{again}{who} {}", with_variables(&cli_command(operation)));
    let quiet = format!("{command} >/dev/null\n");
    match operation {
        // It has asked before: nothing is created without a yes.
        O::GetCallerIdentity if identity == Identity::Admin => "printf 'admin is %s\\n' \"$admin_arn\"\n".to_owned(),
        O::GetCallerIdentity => format!(
            "user_arn=$({command} --query Arn --output text)\nprintf 'test-user is %s\\n' \"$user_arn\"\n\
             user_arn=$(principal_of \"$user_arn\")\n"
        ),
        O::CreateKey { .. } => format!(
            "answer=$({command} --query 'KeyMetadata.[KeyId,Arn]' --output text)\n\
             read -r key_id key_arn <<<\"$answer\"\n"
        ),
        O::CreateAlias { .. } => format!("{quiet}made_alias=yes\n"),
        O::CreateTable { .. } => format!("{quiet}made_table=yes\n"),
        O::CreateUser { .. } => format!("{quiet}made_user=yes\n"),
        O::PutUserPolicy { name, .. } if name == ATTEMPT => format!("{quiet}made_way=yes\n"),
        O::AttachUserPolicy { .. } => format!("{quiet}made_way=yes\n"),
        O::CreateGrant { .. } => format!("grant_id=$({command} --query GrantId --output text)\n"),
        O::PutUserPolicy { .. } => format!("{quiet}made_policy=yes\n"),
        O::CreateAccessKey { .. } => format!(
            "answer=$({command} --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)\n\
             read -r user_key user_secret <<<\"$answer\"\nunset answer\n"
        ),
        O::DescribeKey { .. } if stage.def().kind == Kind::Removes => {
            guarded("key_id", &format!("{command} --query KeyMetadata.KeyState --output text\n"))
        }
        O::DescribeKey { .. } => {
            format!("{command} --query 'KeyMetadata.[KeyState,KeySpec,KeyManager]' --output text\n")
        }
        O::GetKeyPolicy { .. } if stage == Stage::Grant && !is_repeated => {
            format!("policy=$({command} --query Policy --output text)\n")
        }
        O::GetKeyPolicy { .. } => format!("{command} --query Policy --output text\n"),
        O::PutKeyPolicy { .. } => quiet,
        O::DescribeTable { .. } if until == Until::TableGone => {
            let wait = command.replace("describe-table", "wait table-not-exists");
            guarded("made_table", &format!("undo {wait}\n"))
        }
        O::DescribeTable { .. } => {
            let wait = command.replace("describe-table", "wait table-exists");
            let shown = "--query 'Table.[TableStatus,SSEDescription.KMSMasterKeyArn]' --output text";
            format!("{wait}\n{command} {shown}\n")
        }
        O::Scan { .. } if stage.def().scans == Scans::TestUserDenied && identity == Identity::TestUser => {
            format!("denied_on kms:Decrypt {command}\n")
        }
        O::Scan { .. } => format!("expect_items {} {} {command}\n", items().len(), identity.name()),
        _ => removal(operation, &command).unwrap_or(quiet),
    }
}

/// The line of the clean-up that removes something; `None` for a call that removes nothing.
fn removal(operation: &Operation, command: &str) -> Option<String> {
    use Operation as O;
    let undo = |variable: &str| guarded(variable, &format!("undo {command}\n"));
    Some(match operation {
        O::DeleteTable { .. } => guarded("made_table", &format!("undo eventually {command}\n")),
        O::DeleteUserPolicy { name, .. } if name == ATTEMPT => undo("made_way"),
        O::DetachUserPolicy { .. } => undo("made_way"),
        O::RevokeGrant { .. } => undo("grant_id"),
        O::DeleteUserPolicy { .. } => undo("made_policy"),
        O::DeleteAccessKey { .. } => undo("user_key"),
        O::DeleteUser { .. } => undo("made_user"),
        O::DeleteAlias { .. } => undo("made_alias"),
        O::ScheduleKeyDeletion { .. } => undo("key_id"),
        _ => return None,
    })
}

/// Returns the lines that add the key user's statements to `$policy`.
fn add_statements() -> String {
    let statements: Vec<String> = key_user_statements("__USER_ARN__").iter().map(Value::to_string).collect();
    format!(
        "# PutKeyPolicy replaces the whole policy, so the new statements go to the end of the old ones.\n\
         statements={}\npolicy=\"${{policy%\\]*}}, $statements ]${{policy##*\\]}}\"\n",
        with_variables(&shell_quote(&statements.join(",")))
    )
}

/// A key policy is known to the run alone.
fn with_policy_mark((identity, operation): (Identity, Operation)) -> (Identity, Operation) {
    match operation {
        Operation::PutKeyPolicy { key, .. } => {
            (identity, Operation::PutKeyPolicy { key, policy: "__POLICY__".to_owned() })
        }
        other => (identity, other),
    }
}

/// A line of the clean-up, for what was made.
fn guarded(variable: &str, line: &str) -> String {
    format!("[[ -z ${variable} ]] || {line}")
}

/// `command` with the shell's variables in the place of the marks. A quotation is closed around each.
fn with_variables(command: &str) -> String {
    let mut line = String::with_capacity(command.len());
    let mut quoted = false;
    let mut rest = command;
    while let Some(c) = rest.chars().next() {
        if let Some((mark, variable)) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark)) {
            rest = &rest[mark.len()..];
            let before = if quoted { "'" } else { "" };
            // Where the quotation ends here it need not begin again.
            let ends = quoted && rest.starts_with('\'') && !rest.starts_with(r"'\''");
            let after = if quoted && !ends { "'" } else { "" };
            line.push_str(&format!("{before}\"${variable}\"{after}"));
            if ends {
                quoted = false;
                rest = &rest[1..];
            }
            continue;
        }
        // An apostrophe in a quotation is written `'\''`.
        let length = if quoted && rest.starts_with(r"'\''") { 4 } else { c.len_utf8() };
        quoted ^= c == '\'' && length == 1;
        line.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    line
}

/// The call with an answer in which marks stand for what only a run knows.
fn exchange(stage: Stage, identity: Identity, operation: Operation) -> Exchange {
    use Operation as O;
    let arn =
        if identity == Identity::Admin { "arn:__PARTITION__:iam::__ACCOUNT__:user/admin" } else { "__USER_ARN__" };
    let body = match &operation {
        O::GetCallerIdentity => json!({"Arn": arn, "Account": "__ACCOUNT__"}),
        O::CreateKey { .. } | O::DescribeKey { .. } => {
            json!({"KeyMetadata": {"KeyId": "__KEY__", "Arn": "__KEY_ARN__"}})
        }
        O::GetKeyPolicy { .. } => json!({"Policy": r#"{"Statement": [{}]}"#}),
        O::CreateGrant { .. } => json!({"GrantId": "__GRANT__"}),
        O::CreateTable { .. } => json!({"TableDescription": {}}),
        O::DescribeTable { .. } => json!({"Table": {}}),
        O::CreateAccessKey { .. } => json!({"AccessKey": {"AccessKeyId": "__USER_KEY__"}}),
        _ => json!({}),
    };
    let response = Ok(Response { status: 200, request_id: None, body });
    let answer = Answer { request: Value::Null, response, wire: Wire::default(), duration_us: 0, at: 0, tries: 1 };
    Exchange { id: CallId(0), stage, identity, operation, attempt: 1, answer, verdict: Verdict::Allowed }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a-__RUN__ b", "a-\"$run\" b")]
    #[case("'two __RUN__' c", "'two '\"$run\" c")]
    #[case("'__RUN__ it'\\''s __KEY__ x'", "''\"$run\"' it'\\''s '\"$key_id\"' x'")]
    #[case("__KEY_ARN__ __KEY__", "\"$key_arn\" \"$key_id\"")]
    fn marks_become_variables_outside_of_quotations(#[case] command: &str, #[case] line: &str) {
        assert_eq!(with_variables(command), line);
    }

    #[test]
    fn every_mark_is_replaced_and_every_call_of_the_lab_is_there() {
        let script = script(&Lesson::english(), None);
        assert!(!script.contains("__"), "{script}");
        for stage in Stage::ALL {
            for (identity, action) in stage.outline(&backend(false)) {
                let name = action.split(':').nth(1).unwrap_or_default().trim_end_matches(" ×3");
                let dashed: String = name
                    .chars()
                    .enumerate()
                    .map(|(at, c)| match c.is_ascii_uppercase() && at > 0 {
                        true => format!("-{}", c.to_ascii_lowercase()),
                        false => c.to_ascii_lowercase().to_string(),
                    })
                    .collect();
                let who = if identity == Identity::Admin { "admin" } else { "user" };
                let is_there = script.lines().any(|line| line.contains(who) && line.contains(&dashed));
                assert!(
                    is_there || dashed == "describe-table" || action == "sts:GetCallerIdentity",
                    "{who} {dashed} is not in {script}"
                );
            }
        }
        let is_document = |line: &str| line.starts_with("statements=") || line.contains("--policy-document");
        assert!(script.lines().all(|line| line.len() <= 200 || is_document(line)), "{script}");
    }

    fn own_ways() -> [(Operation, [&'static str; 3]); 3] {
        let policy =
            r#"{"Statement":[{"Sid":"it's mine","Principal":{"AWS":"__USER_ARN__"},"Resource":"__KEY_ARN__"}]}"#;
        let (user, name) = (names().user, ATTEMPT.to_owned());
        [
            (
                Operation::PutKeyPolicy { key: "__KEY__".into(), policy: policy.into() },
                [r#"policy='{"Statement":[{"Sid":"it'\''s mine","#, "kms put-key-policy", "your policy on that key"],
            ),
            (
                Operation::PutUserPolicy { user, name: name.clone(), policy: policy.into() },
                ["made_way=yes", "[[ -z $made_way ]] || undo admin iam delete-user-policy", "|| fail 'your IAM policy"],
            ),
            (
                Operation::CreateGrant {
                    key: "__KEY__".into(),
                    grantee: "__USER_ARN__".into(),
                    operations: vec!["Decrypt".into()],
                    constraints: None,
                    name,
                },
                [
                    "grant_id=$(eventually admin kms create-grant",
                    "[[ -z $grant_id ]] || undo admin kms revoke-grant",
                    "--grantee-principal \"$user_arn\"",
                ],
            ),
        ]
    }

    #[test]
    fn a_way_of_ones_own_takes_the_place_of_the_usual_one() {
        for (own, parts) in own_ways() {
            let script = script(&Lesson::english(), Some(&own));
            assert!(!script.contains("__") && !script.contains("Allow use of the key"), "{script}");
            let is_key_policy = matches!(own, Operation::PutKeyPolicy { .. });
            assert_eq!(script.contains("put-key-policy"), is_key_policy, "{script}");
            assert!(parts.iter().all(|part| script.contains(part)), "{parts:?} {script}");
        }
    }

    #[cfg(unix)]
    #[rstest]
    #[case(None)]
    #[case(Some(0))]
    #[case(Some(1))]
    #[case(Some(2))]
    fn the_shell_can_read_it(#[case] own: Option<usize>) {
        let own = own.map(|at| own_ways()[at].0.clone());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.sh");
        std::fs::write(&file, script(&Lesson::english(), own.as_ref())).unwrap();
        let output = std::process::Command::new("bash").arg("-n").arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
