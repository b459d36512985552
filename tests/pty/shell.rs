//! A shell for the lab, and a learner who never touches the lab's screen.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use super::{PATIENCE, Terminal};

/// The folder of the clients that `.ci/run` installs; `None` where they are missing and not needed.
fn clients() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| folder.join("aws").is_file());
    if found.is_none() {
        assert!(std::env::var_os("KMSLAB_NEEDS_CLIENTS").is_none(), "no aws command in PATH");
        println!("skipped: no aws command");
    }
    found
}

fn path() -> String {
    std::env::var("PATH").unwrap()
}

/// The lab's private folders.
fn folders(runtime: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runtime.join("kmslab")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "aws")).collect()
}

/// What `kmslab env` prints, run beside the lab.
fn env(terminal: &Terminal, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmslab"));
    command.args(arguments).env_clear().env("HOME", terminal.tmp.path()).env("SHELL", "/bin/sh");
    // What would lead to somebody's own account.
    command.env("AWS_PROFILE", "mine").env("AWS_ACCESS_KEY_ID", "AKIAMINE").env("AWS_ENDPOINT_URL_KMS", "http://mine");
    command.env("XDG_RUNTIME_DIR", terminal.runtime.path()).output().unwrap()
}

/// Runs `script` as a learner does in another terminal, after `eval "$(kmslab env)"`.
fn learner(terminal: &Terminal, script: &str) -> Output {
    let script = format!("eval \"$('{}' env)\"\n{script}", env!("CARGO_BIN_EXE_kmslab"));
    let mut command = Command::new("sh");
    // Her home folder is not the lab's: the CLI keeps a cache there.
    command.args(["-c", &script]).env_clear().env("HOME", terminal.home.path()).env("PATH", path());
    command.env("AWS_ACCESS_KEY_ID", "AKIAMINE").env("AWS_PROFILE", "mine");
    command.env("XDG_RUNTIME_DIR", terminal.runtime.path()).output().unwrap()
}

/// The same, which must succeed.
fn does(terminal: &Terminal, script: &str) -> String {
    let output = learner(terminal, &format!("set -e\n{script}"));
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Without a question, the key that sends a stage's calls stands below the stage's introduction.
const UNSENT: &str = "\n  enter   ";

/// Each stage by commands alone, under names of her own. `A` and `U` are the two profiles.
const STAGES: [(&str, &str); 9] = [
    ("aws sts get-caller-identity $A", "You ran GetCallerIdentity. Stage 1 is done."),
    (
        "KEY=$(aws kms create-key --query KeyMetadata.KeyId --output text $A)
         aws kms create-alias --alias-name alias/mine --target-key-id $KEY $A",
        "You ran CreateKey. The lab uses your key from now on. Stage 2 is done.",
    ),
    (
        "aws dynamodb create-table --table-name records --billing-mode PAY_PER_REQUEST \
         --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \
         --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=alias/mine $A
         for id in 1 2 3; do
           aws dynamodb put-item --table-name records --item '{\"id\":{\"S\":\"'$id'\"}}' $A
         done",
        "You ran PutItem, and the table has its items. Stage 3 is done.",
    ),
    ("aws dynamodb scan --table-name records $A", "You ran Scan. Stage 4 is done."),
    (
        "aws iam create-user --user-name alice $A
         aws iam attach-user-policy --user-name alice \
         --policy-arn arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess $A",
        "The lab made an access key for alice. Stage 5 is done.",
    ),
    ("! aws dynamodb scan --table-name records $U", "You ran Scan as test-user, and KMS refused it. Stage 6 is done."),
    (
        "aws kms create-grant --key-id $KMSLAB_KEY_ID --grantee-principal $KMSLAB_USER_ARN --operations Decrypt $A",
        "You ran CreateGrant, and test-user can read. Stage 7 is done.",
    ),
    ("aws dynamodb scan --table-name records $U", "You ran Scan. Stage 8 is done."),
    (
        "aws dynamodb delete-table --table-name records $A
         aws iam detach-user-policy --user-name alice \
         --policy-arn arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess $A
         for id in $(aws iam list-access-keys --user-name alice --query AccessKeyMetadata[].AccessKeyId \
           --output text $A); do aws iam delete-access-key --user-name alice --access-key-id $id $A; done
         aws iam delete-user --user-name alice $A
         aws kms delete-alias --alias-name alias/mine $A
         aws kms schedule-key-deletion --key-id $KMSLAB_KEY_ID --pending-window-in-days 7 $A",
        "You ran ScheduleKeyDeletion, and nothing is left. Stage 9 is done.",
    ),
];

#[test]
fn a_learner_with_the_aws_cli_alone_finishes_9_of_9() {
    if clients().is_none() {
        return;
    }
    let mut terminal = Terminal::start(120, 34, &[], &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    for (number, (script, says)) in (1..).zip(STAGES) {
        does(&terminal, &format!("A='--profile kmslab-admin' U='--profile kmslab-test-user'\n{script}"));
        terminal.wait_for(&[says, &format!("{number}/9")]);
    }
    terminal.press("q");
    let (code, picture) = terminal.ends_in_order();
    assert_eq!(code, 0);
    assert!(picture.contains("9 of 9 stages met"), "{picture}");
}

#[test]
fn wrong_attempts_are_noticed() {
    if clients().is_none() {
        return;
    }
    let mut terminal = Terminal::start(120, 34, &[], &["--seed", "1", "--no-questions"]);
    for stage in 1..=6 {
        terminal.wait_for(&[&format!("{stage}/9"), UNSENT]);
        terminal.press("\r");
        terminal.wait_for(&["✔ As expected"]);
        terminal.press("\r");
    }
    terminal.wait_for(&["7/9", "the usual way"]);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Mine","Effect":"Allow","Action":"kms:Decrypt","Resource":"RESOURCE"}]}"#;
    let put = |resource: &str| {
        let policy = policy.replace("RESOURCE", resource);
        format!(
            "aws iam put-user-policy --user-name $KMSLAB_USER --policy-name mine --policy-document '{policy}' --profile kmslab-admin"
        )
    };
    // Without the root statement nobody could change the policy any more.
    let lockout = policy.replace("\"Action\"", "\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\"");
    let lockout = lockout.replace("RESOURCE", "*");
    let output = learner(
        &terminal,
        &format!(
            "aws kms put-key-policy --key-id $KMSLAB_KEY_ID --policy-name default --policy '{lockout}' --profile kmslab-admin"
        ),
    );
    assert!(!output.status.success());
    terminal.wait_for(&["You ran PutKeyPolicy, but KMS rejected it. Nothing has changed."]);
    does(&terminal, &put("arn:aws:dynamodb:us-east-1:111122223333:table/records"));
    terminal
        .wait_for(&["You ran PutUserPolicy, but test-user is still refused: it allows kms:Decrypt on table/records"]);
    does(
        &terminal,
        "for id in $(aws iam list-access-keys --user-name $KMSLAB_USER --query AccessKeyMetadata[].AccessKeyId --output text --profile kmslab-admin); do aws iam delete-access-key --user-name $KMSLAB_USER --access-key-id $id --profile kmslab-admin; done",
    );
    terminal.wait_for(&["You deleted test-user's access key. The lab made a new one"]);
    does(&terminal, &put("*"));
    terminal.wait_for(&["You ran PutUserPolicy, and test-user can read. Stage 7 is done."]);
    terminal.press("m");
    terminal.wait_for(&["what you did", "▸", "iam:PutUserPolicy", "checked by the lab", "KMS ✔ ─▸ 3 items"]);
    terminal.press("\x1b\r");
    terminal.wait_for(&["8/9", UNSENT]);
    terminal.press("\r");
    terminal.wait_for(&["✔ As expected"]);
    terminal.press("\r");
    // Clean-up removes her policy, too: else the user would stay.
    terminal.wait_for(&["9/9", UNSENT]);
    terminal.press("\r");
    terminal.wait_for(&["9/9", "✔ As expected"]);
    terminal.press("q");
    terminal.ends();
    let picture = terminal.picture();
    assert!(picture.contains("9 of 9 stages met"), "{picture}");
}

#[test]
fn env_names_this_lab_and_drops_what_is_the_persons_own() {
    let mut terminal = Terminal::start(100, 28, &[], &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    let output = env(&terminal, &["env", "--as", "test-user"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["unset AWS_ACCESS_KEY_ID\n", "unset AWS_ENDPOINT_URL_KMS\n", "export AWS_PROFILE='kmslab-test-user'\n"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.contains("export AWS_ENDPOINT_URL='http://127.0.0.1:") && !text.contains("AKIA"), "{text}");
    let hint = String::from_utf8(env(&terminal, &["hint"]).stdout).unwrap();
    assert!(hint.contains("aws sts get-caller-identity --profile kmslab-admin"), "{hint}");
    let [folder] = &folders(terminal.runtime.path())[..] else { panic!("one folder") };
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(["credentials", "config", "variables"].map(mode), [0o600; 3]);
    terminal.press("q");
    terminal.ends_in_order();
}

#[test]
fn without_a_lab_there_is_no_shell() {
    let mut terminal = Terminal::start(100, 28, &[], &[]);
    terminal.wait_for(&["1/9"]);
    terminal.press("q");
    terminal.exit();
    let output = env(&terminal, &["shell"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no lab is running here"), "{output:?}");
}

#[test]
fn a_killed_labs_credentials_are_swept() {
    let mut terminal = Terminal::start(100, 28, &[], &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    // The folder is there soon after the first frame.
    let end = Instant::now() + PATIENCE;
    while !env(&terminal, &["env"]).status.success() {
        assert!(Instant::now() < end);
    }
    let [folder] = &folders(terminal.runtime.path())[..] else { panic!("one folder") };
    terminal.send("-KILL");
    terminal.exit();
    assert!(folder.join("credentials").exists());
    let runtime = terminal.runtime.path().to_str().unwrap().to_owned();
    let mut next = Terminal::start(100, 28, &[("XDG_RUNTIME_DIR", &runtime)], &["--seed", "1"]);
    next.wait_for(&["1/9"]);
    assert!(!folder.exists());
    next.press("q");
    next.exit();
    assert_eq!(folders(terminal.runtime.path()), [] as [PathBuf; 0]);
}

/// The secrets that the lab's shell could give away.
fn secrets(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("credentials")).unwrap();
    text.lines().filter_map(|line| line.split_once("secret_access_key = ")).map(|(_, key)| key.to_owned()).collect()
}

#[test]
fn a_shell_in_the_lab_gives_the_terminal_back() {
    let files = tempfile::tempdir().unwrap();
    let [cast, session, debug] = ["lab.cast", "lab.kmslab", "debug.log"].map(|name| files.path().join(name));
    let path = path();
    // Bash keeps no history.
    let environment = [("SHELL", "/bin/bash"), ("PATH", path.as_str()), ("HISTFILE", "")];
    for record in [cast, session] {
        let (record, debug) = (record.to_str().unwrap(), debug.to_str().unwrap());
        let _ = std::fs::remove_file(debug);
        let mut terminal =
            Terminal::start(100, 28, &environment, &["--seed", "1", "--record", record, "--debug", debug]);
        terminal.wait_for(&["1/9"]);
        terminal.press("!");
        terminal.wait_for(&["a shell for this lab, stage 1 of 9", "kmslab-test-user", "(kmslab) $"]);
        // Ctrl-C is the shell's. The sleeper itself says so: it has the terminal then.
        terminal.press("sh -c 'echo asleep; exec sleep 60'\r");
        terminal.wait_for(&["\nasleep"]);
        terminal.press("\x03");
        terminal.wait_for(&["^C"]);
        terminal.press("echo \"$KMSLAB_TABLE\" has; kmslab hint\r");
        terminal.wait_for(&["kmslab-table-", "aws sts get-caller-identity --profile kmslab-admin"]);
        let [folder] = &folders(terminal.runtime.path())[..] else { panic!("one folder") };
        let secrets = secrets(folder);
        assert_eq!(secrets.len(), 1);
        terminal.press("exit\r");
        terminal.wait_for(&["1/9", "nothing was sent from the shell"]);
        // A shell that is killed, in whatever modes.
        terminal.press("!");
        terminal.wait_for(&["a shell for this lab", "(kmslab) $"]);
        terminal.press("stty raw -echo; kill -9 $$\r");
        terminal.wait_for(&["1/9"]);
        terminal.press("a\r");
        terminal.wait_for(&["✔ As expected"]);
        terminal.leave_mid_lab();
        terminal.ends_in_order();
        for file in [record, debug] {
            let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
            assert!(!secrets.iter().any(|secret| text.contains(secret.as_str())), "{file}");
        }
    }
}

#[test]
fn after_the_shell_the_lab_shows_what_was_done() {
    if clients().is_none() {
        return;
    }
    let path = path();
    let mut terminal = Terminal::start(100, 28, &[("SHELL", "/bin/bash"), ("PATH", &path)], &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    terminal.press("!");
    terminal.wait_for(&["(kmslab) $"]);
    terminal.press("aws sts get-caller-identity --profile kmslab-admin --query Arn\r");
    terminal.wait_for(&["user/kmslab-admin\"\n(kmslab) $"]);
    terminal.press("exit\r");
    terminal.wait_for(&["✔ You ran GetCallerIdentity. Stage 1 is done.", "▸", "sts:GetCallerIdentity", "✔ ALLOWED"]);
    // The panes answer the question already.
    terminal.press("\x1b");
    terminal.wait_for(&["No answer given. The answer:", "enter next"]);
    terminal.press("\r");
    terminal.wait_for(&["2/9"]);
    terminal.leave_mid_lab();
    // The CLI keeps a cache of its own in the home folder.
    assert_eq!(terminal.ends(), 0);
    assert_eq!(folders(terminal.runtime.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_signal_ends_the_lab_with_its_shell() {
    let path = path();
    let mut terminal = Terminal::start(100, 28, &[("SHELL", "/bin/bash"), ("PATH", &path)], &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    terminal.press("!");
    terminal.wait_for(&["(kmslab) $"]);
    terminal.send("-TERM");
    assert_eq!(terminal.ends_in_order().0, 143);
}

/// The statement in an editor of one's own, and back.
#[test]
fn a_statement_is_edited_in_the_learners_own_editor() {
    let editor = [("EDITOR", "sed -i s/kms:_*/kms:Decrypt/")];
    let mut terminal = Terminal::start(100, 28, &editor, &["--seed", "1"]);
    terminal.do_stages(6);
    terminal.wait_for(&["7/9", "the usual way"]);
    terminal.press("1");
    terminal.wait_for(&["7/9", "a–d answer"]);
    terminal.press("s\r");
    terminal.wait_for(&["\"Effect\": \"Allow\""]);
    terminal.press("\x05");
    terminal.wait_for(&["\"kms:Decrypt\""]);
    terminal.press("\x1b");
    terminal.wait_for(&["the usual way"]);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends_in_order().0, 0);
}

/// The terminal as the shell finds it when the lab has been left.
fn is_tidy(terminal: &Terminal) -> bool {
    let screen = terminal.parser.screen();
    !screen.alternate_screen()
        && !screen.bracketed_paste()
        && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        && !screen.application_cursor()
        && !screen.application_keypad()
}

#[test]
fn a_shell_that_is_stopped_goes_on() {
    let path = path();
    let environment = [("SHELL", "/bin/bash"), ("PATH", path.as_str()), ("HISTFILE", "")];
    let mut terminal = Terminal::start(100, 28, &environment, &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    for stops in ["suspend", "kill -STOP $$"] {
        terminal.press("!");
        terminal.wait_for(&["(kmslab) $"]);
        terminal.press(&format!("kept=still; {stops}\r"));
        terminal.wait_for(&["1/9", "your shell is stopped: ! goes back to it"]);
        // The lab has its keys meanwhile.
        terminal.press("?");
        terminal.wait_for(&["answer the question, before enter"]);
        terminal.press("\x1b");
        terminal.wait_for(&["a–d answer"]);
        terminal.press("!");
        terminal.wait_for(&["kept=still"]);
        terminal.press("echo \"$kept there\"\r");
        terminal.wait_for(&["\nstill there"]);
        terminal.press("exit\r");
        terminal.wait_for(&["1/9", "nothing was sent from the shell"]);
    }
    // One that is stopped when the lab ends goes with it.
    terminal.press("!");
    terminal.wait_for(&["(kmslab) $"]);
    terminal.press("suspend\r");
    terminal.wait_for(&["your shell is stopped"]);
    terminal.press("q");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn what_a_shell_leaves_switched_on_is_switched_off() {
    let path = path();
    let environment = [("SHELL", "/bin/bash"), ("PATH", path.as_str()), ("HISTFILE", "")];
    let mut terminal = Terminal::start(100, 28, &environment, &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    terminal.press("!");
    terminal.wait_for(&["(kmslab) $"]);
    terminal.press("printf '\\e[?1002h\\e[?1006h\\e[?1h\\e=\\e[?1049h\\e[5;9r\\e[5 q'; exit\r");
    terminal.wait_for(&["1/9", "nothing was sent from the shell", "a–d answer"]);
    let screen = terminal.parser.screen();
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert!(screen.alternate_screen() && !screen.application_cursor() && !screen.application_keypad());
    let tidied = b"\x1b[0 q";
    assert!(terminal.bytes.windows(tidied.len()).any(|bytes| bytes == tidied));
    terminal.press("q");
    assert_eq!(terminal.ends(), 0);
    assert!(is_tidy(&terminal));
}

/// The lines of the terminal's own screen that have these texts, from the top.
fn rows_with(terminal: &Terminal, text: &str) -> Vec<usize> {
    let contents = terminal.parser.screen().contents();
    (0..).zip(contents.lines()).filter(|(_, line)| line.contains(text)).map(|(row, _)| row).collect()
}

#[test]
fn nothing_is_written_over_what_a_shell_has_shown() {
    let path = path();
    let environment = [("SHELL", "/bin/bash"), ("PATH", path.as_str()), ("HISTFILE", "")];
    let mut terminal = Terminal::start(100, 40, &environment, &["--seed", "1"]);
    terminal.wait_for(&["1/9"]);
    for number in ["first", "second"] {
        terminal.press("!");
        terminal.wait_for(&["(kmslab) $"]);
        terminal.press(&format!("printf '%s shell\\n' {number}\r"));
        terminal.wait_for(&[&format!("\n{number} shell")]);
        if number == "second" {
            let [banners, first] = ["Type exit to go back", "first shell"].map(|text| rows_with(&terminal, text));
            assert!(banners.len() == 2 && banners[1] > first[0], "{}", terminal.parser.screen().contents());
        }
        terminal.press("exit\r");
        terminal.wait_for(&["1/9", "nothing was sent from the shell", "a–d answer"]);
    }
    terminal.press("q");
    assert_eq!(terminal.ends(), 0);
    let [met, second] = ["0 of 9 stages met", "second shell"].map(|text| rows_with(&terminal, text));
    assert!(met.first() > second.first(), "{}", terminal.parser.screen().contents());
}

#[test]
fn an_editor_that_is_stopped_goes_on() {
    let files = tempfile::tempdir().unwrap();
    let editor = files.path().join("editor");
    // What Ctrl-Z does to the program in the foreground.
    std::fs::write(&editor, "#!/bin/sh\nkill -TSTP 0\nsed -i s/kms:_*/kms:Decrypt/ \"$1\"\n").unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let environment = [("EDITOR", editor.to_str().unwrap())];
    let mut terminal = Terminal::start(100, 28, &environment, &["--seed", "1"]);
    terminal.do_stages(6);
    terminal.wait_for(&["7/9", "the usual way"]);
    terminal.press("1");
    terminal.wait_for(&["7/9", "a–d answer"]);
    terminal.press("s\r");
    terminal.wait_for(&["\"Effect\": \"Allow\""]);
    terminal.press("\x05");
    terminal.wait_for(&["\"kms:Decrypt\""]);
    terminal.press("\x1b");
    terminal.wait_for(&["the usual way"]);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn lines_open_the_same_shell_in_place() {
    let path = path();
    let environment = [("SHELL", "/bin/bash"), ("PATH", path.as_str()), ("HISTFILE", "")];
    let mut terminal = Terminal::start(100, 40, &environment, &["--plain", "--seed", "1", "--no-questions"]);
    terminal.wait_for(&["Stage 1"]);
    terminal.press("shell\r");
    terminal.wait_for(&["(kmslab) $"]);
    terminal.press("echo $KMSLAB_RUN $AWS_PROFILE; exit\r");
    terminal.wait_for(&[" kmslab-admin\n", "othing was sent from the shell"]);
    terminal.press("\r");
    terminal.wait_for(&["As expected"]);
    terminal.press("q\r");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn why_knows_the_lab_of_its_shell() {
    let mut terminal = Terminal::start(100, 28, &[], &["--seed", "1", "--no-questions"]);
    for stage in 1..=5 {
        terminal.wait_for(&[&format!("{stage}/9"), UNSENT]);
        terminal.press("\r");
        terminal.wait_for(&["✔ As expected"]);
        terminal.press("\r");
    }
    terminal.wait_for(&["6/9", UNSENT]);
    let output = learner(&terminal, &format!("'{}' why", env!("CARGO_BIN_EXE_kmslab")));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        text.starts_with("DENIED   dynamodb:Scan on kmslab-table-") && text.contains("as user/kmslab-user-"),
        "{text}"
    );
    terminal.leave_mid_lab();
    terminal.ends_in_order();
}

#[test]
fn why_is_no_call_of_the_learners() {
    let path = format!("{}:{}", Path::new(env!("CARGO_BIN_EXE_kmslab")).parent().unwrap().display(), path());
    let environment = [("SHELL", "/bin/bash"), ("PATH", path.as_str()), ("HISTFILE", "")];
    let mut terminal = Terminal::start(100, 60, &environment, &["--seed", "1", "--no-questions"]);
    for stage in 1..=5 {
        terminal.wait_for(&[&format!("{stage}/9"), UNSENT]);
        terminal.press("\r");
        terminal.wait_for(&["✔ As expected"]);
        terminal.press("\r");
    }
    terminal.wait_for(&["6/9", UNSENT]);
    terminal.press("!");
    terminal.wait_for(&["(kmslab) $"]);
    terminal.press("kmslab why\r");
    terminal.wait_for(&["DENIED   dynamodb:Scan"]);
    terminal.press("exit\r");
    terminal.wait_for(&["6/9", "nothing was sent from the shell"]);
    terminal.leave_mid_lab();
    terminal.ends_in_order();
}

/// The commands of a way in a hint, without the sign before the next.
fn commands_of(hint: &str, way: usize) -> String {
    let marks = [format!("# {way} "), format!("# {} ", way + 1)];
    let start = hint.find(&marks[0]).unwrap();
    let end = hint.find(&marks[1]).unwrap_or(hint.len());
    hint[start..end].to_owned()
}

#[test]
fn each_way_of_the_hint_works_as_it_is_printed() {
    if clients().is_none() {
        return;
    }
    for way in 1..=3 {
        let mut terminal = Terminal::start(100, 28, &[], &["--seed", "1"]);
        terminal.do_stages(6);
        terminal.wait_for(&["7/9", "the usual way"]);
        let hint = does(&terminal, &format!("'{}' hint", env!("CARGO_BIN_EXE_kmslab")));
        // The editor is one that adds what was printed.
        let script = "EDITOR=$KMSLAB_HOME/editor; export EDITOR\n\
            printf '%s\\n' '#!/usr/bin/env python3' 'import json, os, sys' 'd = json.load(open(sys.argv[1]))' \
            's = {\"Effect\": \"Allow\", \"Action\": \"kms:Decrypt\", \"Resource\": \"*\"}' \
            's[\"Principal\"] = {\"AWS\": os.environ[\"KMSLAB_USER_ARN\"]}' 'd[\"Statement\"].append(s)' \
            'json.dump(d, open(sys.argv[1], \"w\"))' > $EDITOR; chmod +x $EDITOR\n";
        does(&terminal, &format!("set -e\n{script}{}", commands_of(&hint, way)));
        terminal.wait_for(&["Stage 7 is done."]);
        terminal.leave_mid_lab();
        terminal.ends_in_order();
    }
}
