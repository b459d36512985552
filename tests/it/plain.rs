//! `--plain`: the whole lab as a dialogue in lines, driven by a pipe and, where something is created for real, in this
//! process.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use futures_util::stream;
use kmslab::aws::Clients;
use kmslab::lab::lesson::Files;
use kmslab::lab::{Backend, BackendKind, Lesson, Names, Quiz, Stage, State};
use kmslab::run::Ended;
use kmslab::run::effects::EffectHandler;
use kmslab::run::front::plain::{self, Out};
use kmslab::sandbox::{Config, Sandbox};
use rstest::rstest;
use serde_json::{Value, json};

use crate::screens::german::english;
use crate::support::program::{program, text};

/// What `kmslab --plain --seed 1` says to these lines, and its exit status.
fn dialogue(typed: &str, options: &[&str]) -> (String, Option<i32>) {
    dialogue_at(tempfile::tempdir().unwrap().path(), typed, options)
}

/// The same with a home, where the session is saved.
fn dialogue_at(home: &Path, typed: &str, options: &[&str]) -> (String, Option<i32>) {
    let mut command = program(home, "", "");
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let mut child =
        command.current_dir(home).args(["--plain", "--seed", "1"]).args(options).stdin(Stdio::piped()).spawn().unwrap();
    // What is not read any more when the lab ends is lost, as it should be.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(!output.stdout.contains(&0x1b), "an escape byte");
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

/// Answers every question, does every stage, and hears the debrief.
fn whole_lab() -> String {
    let stages = ["2", "1", "s", "3", "4", "1", "h\nh\n2\n", "2", "1"];
    stages.map(|answer| format!("{answer}\n\n\n")).concat()
}

fn headings(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("Stage ") || line.starts_with("Stufe ")).collect()
}

#[test]
fn a_pipe_goes_through_all_nine_stages() {
    let (said, status) = dialogue(&whole_lab(), &[]);
    assert_eq!(status, Some(0), "{said}");
    let english = Lesson::english();
    let expected =
        Stage::ALL.map(|stage| format!("Stage {} of 9: {}", stage.number(), english.text(stage, false).title));
    assert_eq!(headings(&said), expected);
    assert_eq!(said.lines().filter(|line| line.starts_with("As expected: ")).count(), 9, "{said}");
    for sentence in [
        "admin: Scan ALLOWED. Path: DynamoDB yes, KMS yes, 3 items.",
        "test-user: Scan ALLOWED. Path: DynamoDB yes, KMS yes, 3 items.",
        "test-user: Scan DENIED. Path: DynamoDB yes, KMS no, no items.\nAWS says: AccessDeniedException. ",
        "is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111122223333:key/",
        "because no identity-based policy allows the kms:Decrypt action",
        "Not quite.",
        "Right.",
        "kmslab: 9 of 9 stages met",
    ] {
        assert!(said.contains(sentence), "{sentence}\n{said}");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_told_needs_no_box_and_no_picture() {
    let (said, _) = dialogue(&whole_lab(), &[]);
    let drawn = |c: &char| ('\u{2190}'..='\u{2bff}').contains(c) && *c != '−';
    assert_eq!(said.chars().filter(drawn).collect::<String>(), "", "arrows, boxes or signs");
    assert!(said.lines().all(|line| !line.contains("   ")), "columns");
}

#[rstest]
#[case::an_answer_that_is_none("5\n", "\"5\" does nothing here. Type ? for the commands.")]
#[case::nothing("\n", "Answer first, or type s to skip.")]
#[case::an_escape("\x1b[31m\n", "\"\\u{1b}[31m\" does nothing here. Type ? for the commands.")]
#[case::not_utf_8(&"é".repeat(400), "éé\" does nothing here. Type ? for the commands.")]
#[case::too_long(&("x".repeat(3_000_000) + "\n"), "That line has more than 1000 characters. Nothing was done.")]
#[case::what_cannot_be_done_yet("r\n", "\"r\" does nothing here. Type ? for the commands.")]
fn a_wrong_line_is_reported_and_asked_again(#[case] typed: &str, #[case] told: &str) {
    let (said, status) = dialogue(typed, &[]);
    assert_eq!(status, Some(0));
    let after = &said[said.find(told).unwrap_or_else(|| panic!("{told} is not in {said}"))..];
    assert!(after.contains("Type 1 to 4, s to skip, h for a hint, ? for help, q to quit."), "{said}");
    assert!(!said.contains("GetCallerIdentity"), "nothing is sent\n{said}");
    assert!(said.len() < 10_000, "what is typed is not repeated in full");
}

#[rstest]
#[case::at_once("", 0)]
#[case::in_a_stage("1\n\n\ns\n", 1)]
#[case::within_a_line("1\n\n\n1\n\n\n1", 2)]
#[case::by_a_word("1\n\nq\n1\n", 1)]
fn the_end_of_the_input_leaves_the_lab(#[case] typed: &str, #[case] met: usize) {
    let (said, status) = dialogue(typed, &[]);
    assert_eq!(status, Some(0));
    let resumes = if met > 0 { "; `kmslab --plain` resumes here, `kmslab --plain --fresh` starts over" } else { "" };
    assert!(said.ends_with(&format!("kmslab: {met} of 9 stages met{resumes}\n")), "{said}");
}

#[test]
fn it_speaks_the_lessons_language() {
    let (said, status) = dialogue(&format!("{}card\nback\nlesson\n", whole_lab()), &["--lang", "de"]);
    assert_eq!(status, Some(0));
    assert_eq!(headings(&said).len(), 9);
    for words in [
        "Wie erwartet: ",
        "Pfad: DynamoDB ja, KMS nein, keine Einträge.",
        "Achte auf: ",
        "Du sagst: 2. ",
        "Nicht ganz.",
        "Nachbesprechung 1 von",
        "Tippe 1 bis 4, s zum Überspringen, h für einen Hinweis, ? für Hilfe, q zum Beenden.",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

/// The dialogue in German, with every command: no line has an English sentence of the lab's own.
#[test]
fn it_is_german_throughout() {
    let german = std::sync::Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap());
    let help = "?\nlesson\nstages\npath\nshell\ny\nv\nx\ndrills\nexport\nfoo\n";
    let pages = "why\nwhy admin\nwhy all\nitems\ntrail\ncalls\npath\nlesson\ncompare\nn\np\nagain\n";
    let stages = "s\n\nlesson\nwhy\n\n".repeat(5) + "h\nh\n2\n\n" + pages + "\ns\n\nno\n\n\n\n1\n\n" + pages;
    let broken = "break\n2\n3\n\nwhy\nlesson\nbreak\nback\n";
    let drill = "drills\n1\nh\n1\nlook 1\nw\n2\nq\n";
    let rest = "n\n\n1\n\n\n1\n\ncard\nanswers\nback\nq\n";
    let typed = [help, &stages, broken, drill, rest].concat();
    let lines: Vec<&str> = typed.lines().collect();
    let sandbox = Sandbox::start(Config { seed: Some(1), ..Config::default() }).unwrap();
    let backend = Backend {
        kind: BackendKind::Sandbox,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    let state = State::new(backend, Names::new("4f2a")).with_quiz(Quiz::new(1)).with_lesson(german.clone());
    let (said, state, _) = talk(&sandbox, state, &lines);
    assert!(state.ended() >= 8 && said.lines().count() > 300, "{said}");
    let (on_aws, _, _) = {
        let backend = Backend { kind: BackendKind::Aws, endpoint: None, ..state.backend().clone() };
        let aws = State::new(backend, Names::new("4f2a")).with_quiz(Quiz::new(1)).with_lesson(german);
        talk(&sandbox, aws, &["1", "", "", "1", "", "", "1234", "no", "q", "s", "q"])
    };
    // Publications have English titles.
    let is_own = |line: &&str| !line.contains(", https://");
    let found: Vec<String> =
        [said, on_aws].iter().flat_map(|said| english(said.lines().filter(is_own), &state)).collect();
    assert!(found.is_empty(), "{} lines are English:\n{}", found.len(), found.join("\n"));
}

/// Why, at rest, trail and the review of a new key policy: what the screen shows on pages of its own.
#[test]
fn pages_are_spoken_and_a_new_policy_needs_a_yes() {
    let to_the_denial = "s\n\n\n".repeat(5) + "s\n\n";
    let (said, _) = dialogue(&(to_the_denial + "w\nw admin\ne\nt\ny\n\ns\n\nno\n\n\nq\n"), &[]);
    for words in [
        "\nDENIED dynamodb:Scan as test-user.\n",
        "\nALLOWED dynamodb:Scan as admin.\n",
        "table key 109 bytes here, encrypted by KMS; only KMS can decrypt it",
        "DynamoDB for kmslab-user-3c6ef372: kms:Decrypt DENIED for Scan, stage 6",
        "aws dynamodb scan --table-name kmslab-table-3c6ef372",
        "Added: Allow use of the key",
        "Nothing sent: the key policy is unchanged.",
        "admin: PutKeyPolicy ALLOWED.",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert_eq!(said.matches("PutKeyPolicy is not sent yet").count(), 2, "{said}");
    assert!(said.find("Nothing sent").unwrap() < said.find("admin: PutKeyPolicy ALLOWED.").unwrap());
}

#[test]
fn in_ascii_it_is_all_ascii() {
    let (said, status) = dialogue(&whole_lab(), &["--lang", "de", "--ascii"]);
    assert_eq!(status, Some(0));
    assert!(said.is_ascii(), "{:?}", said.chars().filter(|c| !c.is_ascii()).collect::<String>());
    assert!(said.contains("Wie erwartet: ") && said.contains("Schluessel"), "{said}");
}

#[test]
fn everything_can_be_asked_for() {
    let (said, _) = dialogue("?\ni\no\nl\nv\n1\n\nv\nn\no\np\nagain\nr\nv all\nq\n", &[]);
    for words in [
        "Enter alone: do this stage's action",
        "Sources:",
        "1. Who is asking? (next, you are here)",
        "There is no response yet.",
        "admin: GetCallerIdentity, response with HTTP status 200:",
        "\"Arn\": \"arn:aws:iam::111122223333:user/kmslab-admin\"",
        "2. Asymmetric",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert_eq!(said.matches("admin: GetCallerIdentity ALLOWED").count(), 4, "sent, back, again, sent again\n{said}");
}

#[test]
fn why_is_told_lock_by_lock() {
    let to_the_denial = "s\n\n\n".repeat(5) + "s\n\n";
    let (said, _) = dialogue(&(to_the_denial + "why\nwhy admin\npath\nwhy all\nstages\n"), &[]);
    for words in [
        "\nLock 1, the table: yes. AmazonDynamoDBFullAccess allows it.\n",
        "\nLock 2, the key: no. DynamoDB asked KMS for kms:Decrypt, on behalf of user/kmslab-user-3c6ef372.\n",
        "\nRung 1, ",
        "\nRung 4, ",
        " This is what's missing.\n",
        "\nResult: DENIED: ",
        "\nLock 2, the key: yes. DynamoDB asked KMS for kms:Decrypt, on behalf of user/kmslab-admin.\n",
        "\nadmin: DynamoDB yes, KMS yes, 3 items.\ntest-user: DynamoDB yes, KMS no, no items.\n",
        // Only the whole page has the statements.
        "\n\"Principal\": {\"AWS\":\"arn:aws:iam::111122223333:root\"}\n",
        "Type why, or press Enter for the next stage",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn experiments_are_tried_in_lines() {
    let to_the_last_scan = "s\n\n\n".repeat(6) + "s\n\n\n\n";
    let early = "break\n".to_owned();
    let tries = "s\n\nbreak\n2\n3\n\nwhy\nbreak\n99\n3\ns\n\nlesson\nbreak\nback\n";
    let (said, status) = dialogue(&(early + &to_the_last_scan + tries), &[]);
    assert_eq!(status, Some(0));
    let mut rest = said.as_str();
    for words in [
        "The experiments come after stage 8",
        ", break for the experiments",
        "\n14 experiments. ",
        "\n2. Add an explicit Deny. An Allow and a Deny: which wins?\n",
        "\nExperiment 2 of 14: Add an explicit Deny\n",
        "\nadmin: PutKeyPolicy ALLOWED.\n",
        "\nAfter the wait. test-user: Scan DENIED. Path: DynamoDB yes, KMS no, no items.\n",
        "\nUndo. admin: PutKeyPolicy ALLOWED.\n",
        "\nAs expected: ",
        "\nYou said: 3. ",
        "\nDENIED dynamodb:Scan as test-user.\n",
        " This denies it.\n",
        "\n2. Add an explicit Deny, tried\n",
        "\"99\" does nothing here.",
        "\nExperiment 3 of 14: Allow in IAM instead\n",
        "\nUndo. admin: DeleteUserPolicy ALLOWED.\n",
        "\nSources:\n",
        "\n3. Allow in IAM instead, tried\n",
        "\nStage 8 of 9: ",
    ] {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words} is not in its place\n{said}"));
        rest = &rest[at + words.len() - 1..];
    }
}

#[test]
fn a_statement_is_written_in_lines() {
    let six = ["2", "1", "s", "3", "4", "1"].map(|answer| format!("{answer}\n\n\n")).concat();
    let text = |action: &str| {
        format!("{{\n  \"Effect\": \"Allow\",\n  \"Action\": \"kms:{action}\",\n  \"Resource\": \"*\"\n}}\n.\n")
    };
    let wrong = format!("compare\nwrite iam policy\n{}send\n", text("Encrypt"));
    let right = format!("\n{}send\n\n2\n\n\n", text("Decrypt"));
    let (said, _) = dialogue(&format!("{six}{wrong}{right}"), &[]);
    let mut rest = said.as_str();
    for part in [
        "Any one of these three can allow test-user to use the key.",
        "The call: PutUserPolicy.",
        "Here is the IAM policy as it is now.",
        "\"Action\": \"kms:________\",",
        "Forecast, nothing is sent yet: DynamoDB yes, KMS no.",
        "Type send to send it as it is",
        "Not yet. IAM stored your policy, and test-user is still refused.",
        "Rung 3 moved, IAM policies:",
        "Press Enter to write it again, undo to undo it",
        "\"Action\": \"kms:Encrypt\",",
        "Forecast, nothing is sent yet: DynamoDB yes, KMS yes.",
        "As you wrote it, test-user can read. Stage 7 is done.",
        "Kept while: test-user has your policy",
        "Stage 8 of 9",
        "Only your IAM policy is new.",
        "test-user: Scan ALLOWED.",
    ] {
        let found = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not in\n{rest}"));
        rest = &rest[found..];
    }
}

#[test]
fn what_is_written_need_not_be_sent() {
    let six = ["2", "1", "s", "3", "4", "1"].map(|answer| format!("{answer}\n\n\n")).concat();
    let (said, _) = dialogue(&format!("{six}write grant\n.\ndrop\ns\n\n\n\n"), &[]);
    assert!(said.contains("The grant is incomplete: line 2") && said.contains("Stage 8 of 9"), "{said}");
}

#[test]
fn a_drill_is_solved_in_lines() {
    let (said, status) = dialogue("look 1\nhint\n1\n2\nq\n", &["drill", "alias_arn"]);
    assert_eq!(status, Some(0), "{said}");
    for words in [
        "\nDrill 1 of 1, level 1.\n",
        "\ntest-user: Scan DENIED. ",
        "\nLock? 1: the table. 2: the key.\n",
        "\nKey policy:\n",
        "\nHint −1: ",
        "\nRung? 1: ",
        "\nkmslab: drills solved: 0 of 1, -2 points",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn a_drill_has_help_and_prompts_of_its_own() {
    let (said, status) = dialogue("?\n2\n3\n2\nw\nagain\n\nq\n", &["drill", "alias_arn"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("1, 2 and so on: name the lock, the rung, then the fix."), "{said}");
    assert!(!said.contains("stages or l"), "the stages' commands do nothing here: {said}");
    assert!(said.contains("Type 1 or 2, h for a hint"), "{said}");
    // It is the only one.
    assert!(said.contains("Press Enter for the result, r for the drill again"), "{said}");
    assert!(said.contains("There is no denial to explain now."), "{said}");
    let ticket = "I was given an IAM policy for the key this morning.";
    assert_eq!(said.matches(ticket).count(), 2, "again tells the whole drill: {said}");
}

#[test]
fn the_results_of_drills_are_exported() {
    let home = tempfile::tempdir().unwrap();
    for (round, typed) in [(1, "h\nq\n"), (2, "h\nh\nq\n")] {
        let (said, status) = dialogue_at(home.path(), typed, &["drill", "alias_arn"]);
        assert_eq!(status, Some(0), "{said}");
        let file = home.path().join(format!("{round}.json"));
        let export = program(home.path(), "", "").arg("export").arg(&file).output().unwrap();
        assert!(export.status.success(), "{}", text(&export.stderr));
        let result: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let drills = result["drills"].as_array().unwrap();
        assert_eq!(drills.len(), round, "{result:#}");
        assert_eq!((&drills[0]["drill"], &drills[0]["hints"]), (&json!("alias_arn"), &json!(1)), "the best");
        assert_eq!(drills[round - 1]["hints"], json!(round), "the latest");
    }
    // A new session takes them over.
    dialogue_at(home.path(), "2\n\n\nq\n", &["--fresh"]);
    let file = home.path().join("later.json");
    let export = program(home.path(), "", "").arg("export").arg(&file).output().unwrap();
    assert!(export.status.success(), "{}", text(&export.stderr));
    let result: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(result["drills"].as_array().unwrap().len(), 2, "{result:#}");
    assert!(result["stages_met"].as_u64().unwrap() > 0, "{result:#}");
}

#[test]
fn a_session_resumes_and_can_be_exported() {
    let home = tempfile::tempdir().unwrap();
    let (said, _) = dialogue_at(home.path(), "2\n\n\n1\n\nexport\nq\n", &[]);
    let written = "written in this folder: kmslab-3c6ef372.html, and your result, kmslab-3c6ef372.json";
    assert!(said.to_lowercase().contains(written), "{said}");
    let (said, status) = dialogue_at(home.path(), "what\n\n\nq\n", &[]);
    assert_eq!(status, Some(0));
    for words in [
        ": 2 of 9 stages met.\nIt resumes at stage 3: ",
        "\"what\" does nothing here.",
        "Press Enter to resume, or type fresh to start over, q to quit.",
        "\nStage 1. As expected: ",
        "\nStage 2. As expected: ",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert_eq!(headings(&said).iter().filter(|line| line.starts_with("Stage 3 of 9")).count(), 1, "{said}");
    let export = program(home.path(), "", "").arg("export").arg(home.path().join("lab.md")).output().unwrap();
    assert!(export.status.success(), "{}", text(&export.stderr));
    let (said, _) = dialogue_at(home.path(), "fresh\nq\n", &[]);
    assert!(said.contains("\nStage 1 of 9: "), "{said}");
}

#[test]
fn a_stage_can_be_named() {
    let (said, status) = dialogue("stage 4\nstage 1\nstage 12\n", &[]);
    assert_eq!(status, Some(0));
    let headings: Vec<&str> = headings(&said).into_iter().map(|line| &line[..7]).collect();
    assert_eq!(headings, ["Stage 1", "Stage 2", "Stage 3", "Stage 4", "Stage 1"], "{said}");
    assert!(said.contains("\"stage 12\" does nothing here."), "{said}");
}

/// A dialogue with a lab that believes itself on AWS: there it asks for consent, and something can be left behind.
fn on_aws(typed: &[&str]) -> (String, State, Ended) {
    let sandbox = Sandbox::start(Config { seed: Some(1), ..Config::default() }).unwrap();
    let backend =
        Backend { kind: BackendKind::Aws, region: sandbox.region().to_owned(), endpoint: None, given_user: false };
    talk(&sandbox, State::new(backend, Names::new("4f2a")).with_quiz(Quiz::new(1)), typed)
}

/// A dialogue in this process.
fn talk(sandbox: &Sandbox, mut state: State, typed: &[&str]) -> (String, State, Ended) {
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let lines: Vec<_> = typed.iter().map(|line| Ok((*line).to_owned())).collect();
    let mut out = Out { to: Vec::new(), ascii: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ended = runtime.block_on(async {
        let (world, events) = EffectHandler::new(clients);
        plain::run(&mut state, &world, events, stream::iter(lines), &mut out, stream::pending()).await
    });
    (text(&out.to), state, ended.unwrap())
}

#[test]
fn nothing_is_created_on_aws_without_four_digits() {
    let first = ["1", "", "", "1", ""];
    let (said, state, _) = on_aws(&[&first[..], &["", "1234", "333", "no"]].concat());
    assert!(said.contains("Account: 111122223333, region us-east-1."), "{said}");
    assert!(said.contains("Makes: KMS key alias/kmslab-key-4f2a") && said.contains("key: 1 USD a month"), "{said}");
    assert_eq!(said.matches("Type the last four digits of the account to say yes, or no.").count(), 4, "{said}");
    for once in ["Please answer first.", "Those are not its last four digits.", "From here on, the lab creates things"]
    {
        assert_eq!(said.matches(once).count(), 1, "{once}\n{said}");
    }
    assert_eq!(state.ended(), 1, "{said}");

    let (said, state, ended) = on_aws(&[&first[..], &["3333"]].concat());
    assert!(said.contains("admin: CreateKey ALLOWED"), "{said}");
    assert_eq!(ended, Ended::Finished);
    assert!(!state.leftovers().is_empty(), "the end of the input cleans nothing up; the end reports what stays");
}

#[test]
fn leaving_offers_to_clean_up_first() {
    let there = ["1", "", "", "1", "", "3333", "q"];
    let (said, state, ended) = on_aws(&[&there[..], &["", "s", "q", "c"]].concat());
    assert!(said.contains("If you leave now, this stays until `kmslab cleanup`"), "{said}");
    assert_eq!(said.matches("Type c to clean up and then leave, q to leave everything, or s to stay.").count(), 3);
    assert!(said.contains("Stage 9 of 9: Clean up") && said.contains("ScheduleKeyDeletion ALLOWED"), "{said}");
    assert_eq!((state.leftovers(), ended), (Vec::<String>::new(), Ended::Finished));

    let (_, state, _) = on_aws(&[&there[..], &["q"]].concat());
    assert!(!state.leftovers().is_empty());
}
