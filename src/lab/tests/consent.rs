use rstest::rstest;
use serde_json::json;

use super::fake::*;
use crate::lab::*;

fn aws() -> Lab {
    let mut lab = Lab::new(Backend { kind: BackendKind::Aws, endpoint: None, ..backend() }, Cloud::default());
    lab.press(Intent::Advance);
    lab.press(Intent::ShowNext);
    lab
}

fn type_in(lab: &mut Lab, digits: &str) {
    digits.bytes().for_each(|digit| lab.press(Intent::TypeDigit(digit - b'0')));
}

const ASKED: [&str; 2] = ["admin sts:GetCallerIdentity", "admin iam:SimulatePrincipalPolicy"];

#[test]
fn nothing_is_created_on_aws_before_four_digits_are_typed() {
    let mut lab = aws();
    lab.press(Intent::Advance);
    assert!(lab.state.is_asking_for_consent());
    type_in(&mut lab, "333");
    assert_eq!(lab.sent, ASKED);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
    type_in(&mut lab, "3");
    assert!(!lab.state.is_asking_for_consent());
    assert!(lab.state.check(Stage::CreateKey).unwrap().met);
    lab.run_to(Stage::CleanUp);
    assert!(lab.state.is_finished(), "one consent is enough");
    assert_eq!(lab.state.met(), 9);
}

#[test]
fn the_lab_announces_everything_it_will_create() {
    let told = |given_user| {
        let lab = Lab::new(Backend { kind: BackendKind::Aws, given_user, ..backend() }, Cloud::default());
        lab.state.will_make().into_iter().map(|(what, name)| format!("{what} {name}\n")).collect::<String>()
    };
    for name in [
        "alias/kmslab-key-t1",
        "kmslab-table-t1",
        "kmslab-user-t1",
        "access key",
        "dynamodb:* on kmslab-table-t1 for it, nothing else",
    ] {
        assert!(told(false).contains(name), "{}", told(false));
    }
    assert!(!told(true).contains("IAM user") && told(true).contains("key policy"), "{}", told(true));
}

#[test]
fn wrong_digits_say_so_and_a_digit_can_be_taken_back() {
    let mut lab = aws();
    lab.press(Intent::Advance);
    type_in(&mut lab, "3334");
    assert!(matches!(lab.state.view().overlay, Some(Overlay::Consent { wrong: true, .. })));
    type_in(&mut lab, "32");
    lab.press(Intent::EraseDigit);
    let Some(Overlay::Consent { typed, wrong, .. }) = lab.state.view().overlay else { panic!("closed") };
    assert_eq!((typed.shown().as_str(), wrong), ("3___", false));
    assert_eq!(lab.sent, ASKED);
    type_in(&mut lab, "333");
    assert!(lab.sent.len() > 1);
}

#[rstest]
#[case(&[Intent::Close])]
#[case(&[Intent::Advance])]
#[case(&[Intent::TogglePage(Page::Help)])]
#[case(&[Intent::ToggleStages])]
#[case(&[Intent::Close, Intent::TypeDigit(3), Intent::TypeDigit(3), Intent::TypeDigit(3), Intent::TypeDigit(3)])]
#[case(&[Intent::Close, Intent::Retry, Intent::ShowNext])]
#[case(&[Intent::CleanUpAndQuit])]
#[case(&[Intent::Quit])]
fn nothing_else_consents(#[case] intents: &[Intent]) {
    let mut lab = aws();
    lab.press(Intent::Advance);
    intents.iter().for_each(|intent| lab.press(*intent));
    assert_eq!(lab.sent, ASKED);
    assert!(lab.state.kernel().facts().made.is_empty());
}

#[test]
fn only_the_named_account_needs_no_question() {
    let mut lab = aws();
    lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
    lab.press(Intent::Advance);
    assert!(lab.state.check(Stage::CreateKey).unwrap().met);
    let mut lab = aws();
    lab.state.set_accepted_account(Some("999988887777".to_owned()));
    lab.press(Intent::Advance);
    assert_eq!(lab.sent, ASKED);
    let refusal = lab.state.refusal().unwrap();
    assert!(refusal.contains("999988887777") && refusal.contains(ACCOUNT), "{refusal}");
}

#[test]
fn nothing_is_created_where_it_is_not_known_who_asks() {
    for cloud in [
        Cloud { admin_arn: format!("arn:aws:iam::{ACCOUNT}:root"), ..Cloud::default() },
        Cloud {
            faults: vec![("GetCallerIdentity", 403, json!({"Error": {"Code": "AccessDenied"}}))],
            ..Cloud::default()
        },
    ] {
        let mut lab = Lab::new(Backend { kind: BackendKind::Aws, ..backend() }, cloud);
        lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
        lab.run_to(Stage::CleanUp);
        assert_eq!(lab.sent, ASKED[..1]);
        assert!(lab.observed(Stage::CreateKey).1.contains("not attempted"));
    }
}

#[test]
fn another_account_needs_another_yes() {
    let mut lab = aws();
    lab.cloud.faults.push(("CreateKey", 500, json!({})));
    lab.press(Intent::Advance);
    type_in(&mut lab, "3333");
    assert!(!lab.state.check(Stage::CreateKey).unwrap().met);
    lab.state.kernel_mut().facts_mut().admin.as_mut().unwrap().account = "444455556666".to_owned();
    let sent = lab.sent.len();
    lab.press(Intent::Retry);
    assert!(lab.state.is_asking_for_consent());
    assert_eq!(lab.sent.len(), sent);
    type_in(&mut lab, "6666");
    assert!(lab.sent.len() > sent);
}

#[test]
fn the_key_costs_by_the_hour_until_its_deletion_is_scheduled() {
    let mut lab = aws();
    lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
    assert_eq!(lab.state.cost_line(), None);
    lab.run_to(Stage::ViewAdmin);
    lab.state.kernel_mut().facts_mut().key.as_mut().unwrap()["CreationDate"] = json!(1_000.0);
    lab.state.kernel_mut().set_now(1_000 + 36_000);
    assert_eq!(lab.state.cost_line().unwrap(), "key 10.0 h, 0.0137 USD");
    assert_eq!(lab.state.cost_line_at(1_000 + 72_000).unwrap(), "key 20.0 h, 0.0274 USD", "while nobody calls");
    lab.run_to(Stage::CleanUp);
    lab.state.kernel_mut().facts_mut().key.as_mut().unwrap()["CreationDate"] = json!(1_000.0);
    let later = lab.state.now() + 36_000;
    lab.state.kernel_mut().set_now(later);
    assert_eq!(lab.state.cost_line().unwrap(), "key 10.0 h, 0.0137 USD");
    assert_eq!(lab.state.cost_line_at(i64::MAX), lab.state.cost_line());
    let sandbox = Backend { kind: BackendKind::Sandbox, ..lab.state.backend().clone() };
    lab.state.set_backend(sandbox);
    assert_eq!(lab.state.cost_line(), None);
}
