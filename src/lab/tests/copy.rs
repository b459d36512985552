//! What is copied: what is shown, without secrets, and harmless to a terminal.

use serde_json::json;

use super::fake::*;
use crate::lab::*;

fn copied(lab: &mut Lab, what: Copied) -> String {
    let effects = lab.state.update(Event::Intent(Intent::Copy(what)));
    let [Effect::Copy(text)] = effects.as_slice() else { panic!("{effects:?}") };
    text.clone()
}

#[test]
fn the_command_line_is_the_one_of_the_selected_call() {
    let mut lab = Lab::new(backend(), Cloud::default());
    assert_eq!(lab.state.update(Event::Intent(Intent::Copy(Copied::Command))), [], "there is no call yet");
    lab.run_to(Stage::ViewDenied);
    let expected = "aws dynamodb scan --table-name kmslab-table-t1 --profile kmslab-test-user --region us-east-1 \
                    --endpoint-url http://127.0.0.1:1";
    assert_eq!(copied(&mut lab, Copied::Command), expected);
    assert_eq!(lab.state.view().message, Some(format!("copied: {expected}")));
    let answer: serde_json::Value = serde_json::from_str(&copied(&mut lab, Copied::Answer)).unwrap();
    assert!(answer["message"].as_str().unwrap().contains("kms:Decrypt"));
    assert_eq!(lab.state.view().message.as_deref(), Some("copied: the response of dynamodb:Scan"));
    copied(&mut lab, Copied::Command);
    assert_eq!(lab.state.copied().len(), 2, "each text once");
    assert_eq!(lab.state.copied().last().unwrap(), expected);
}

#[test]
fn elsewhere_the_command_line_names_the_server() {
    let elsewhere = Backend { kind: BackendKind::Endpoint, ..backend() };
    let mut lab = Lab::new(elsewhere, Cloud::default());
    lab.run_to(Stage::Who);
    let command = copied(&mut lab, Copied::Command);
    assert!(command.ends_with(" --region us-east-1 --endpoint-url http://127.0.0.1:1"), "{command}");
}

/// A pasted line is signed by a profile that was given, or by none that a person has for something else.
#[test]
fn a_copied_command_names_a_profile() {
    let profiles = Profiles { admin: Some("my $HOME; work".to_owned()), test_user: None };
    let at = |kind, endpoint: Option<&str>, profiles: Profiles| {
        let backend = Backend { kind, endpoint: endpoint.map(str::to_owned), ..backend() };
        State::new(backend, names()).with_profiles(profiles)
    };
    let command = |state: &State, identity| state.command(identity, &Operation::GetCallerIdentity);
    let lead = "aws sts get-caller-identity --profile";
    for (kind, endpoint, rest) in [
        (BackendKind::Sandbox, Some("http://127.0.0.1:9"), " --region us-east-1 --endpoint-url http://127.0.0.1:9"),
        (BackendKind::Endpoint, Some("http://127.0.0.1:9"), " --region us-east-1 --endpoint-url http://127.0.0.1:9"),
        (BackendKind::Aws, None, " --region us-east-1"),
    ] {
        let none = at(kind, endpoint, Profiles::default());
        assert_eq!(command(&none, Identity::Admin), format!("{lead} kmslab-admin{rest}"));
        assert_eq!(command(&none, Identity::TestUser), format!("{lead} kmslab-test-user{rest}"));
        let mut given = at(kind, endpoint, profiles.clone());
        assert_eq!(command(&given, Identity::Admin), format!("{lead} 'my $HOME; work'{rest}"));
        given.mask();
        assert!(!command(&given, Identity::Admin).contains("work"), "a recording doesn't show it");
    }
}

/// Secrets are gone before an answer gets here; should one slip through, it is not copied all the same.
#[test]
fn a_secret_is_not_copied() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::ViewAdmin);
    lab.press(Intent::Advance);
    let key = json!({"AccessKey": {"AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI\u{1b}]0;x\u{7}",
        "UserName": "\u{1b}]52;c;eA==\u{7}"}});
    lab.cloud.faults.push(("CreateAccessKey", 200, key));
    lab.run_to(Stage::CreateUser);
    while lab.state.selected_call(Identity::Admin).unwrap().operation().name() != "CreateAccessKey" {
        lab.press(Intent::SelectNext);
    }
    let text = copied(&mut lab, Copied::Answer);
    assert!(text.contains("\"SecretAccessKey\": \"[redacted]\"") && text.contains("AKIAEXAMPLE"), "{text}");
    assert!(!text.contains("wJalr") && !text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    let command = copied(&mut lab, Copied::Command);
    assert!(command.starts_with("aws iam create-access-key --user-name kmslab-user-t1"), "{command}");
}

#[test]
fn what_is_masked_is_copied_masked() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.state.mask();
    lab.state = lab.state.with_review();
    lab.run_to(Stage::ViewDenied);
    lab.press(Intent::Advance);
    lab.press(Intent::Advance);
    let draft = copied(&mut lab, Copied::Command);
    assert!(draft.starts_with("aws kms put-key-policy") && draft.contains("Allow use of the key"), "{draft}");
    lab.press(Intent::Advance);
    let answer = copied(&mut lab, Copied::Answer);
    for text in [draft, answer] {
        assert!(text.contains(":user/") && !text.contains(names().user.as_str()) && !text.contains(KEY_ID), "{text}");
    }
}

#[test]
fn without_a_clipboard_the_terminal_gets_nothing() {
    for (way, message, effects) in [
        (Way::Nowhere, "no clipboard here; printed when the lab ends: aws sts get-caller-identity", 0),
        (Way::Tmux, "copied, if tmux has `set -g set-clipboard on`: aws sts get-caller-identity", 1),
    ] {
        let mut lab = Lab::new(backend(), Cloud::default());
        lab.state = lab.state.with_clipboard(way);
        lab.run_to(Stage::Who);
        assert_eq!(lab.state.update(Event::Intent(Intent::Copy(Copied::Command))).len(), effects);
        assert!(lab.state.view().message.as_ref().unwrap().starts_with(message));
        assert_eq!(lab.state.copied().len(), 1);
    }
}
