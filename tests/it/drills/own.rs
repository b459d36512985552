//! A fix of the learner's own: written in the editor, or sent from a shell.

use kmslab::lab::drills::{Part, Remark, Task, Undone, catalog};
use kmslab::lab::model::mechanism::Mechanism;
use kmslab::lab::{Drill, DrillAction, Event, Identity, Intent, Level, Look, Mode, Operation, Permit, Rung};
use rstest::rstest;
use serde_json::json;

use super::{Lab, compare, plan, sandbox};

const WRITE: Intent = Intent::Drill(DrillAction::Write);

impl Lab {
    /// Writes `text` in place of everything in the editor, and sends it.
    fn write(&mut self, text: &str) {
        assert_eq!(self.state.mode(), Mode::Writing);
        let edit = self.state.draft().unwrap().edit_to(text, (0, 0));
        self.take(Event::Edited(edit));
        assert_eq!(self.state.draft().unwrap().text(), text);
        assert_eq!(self.state.permit(Intent::Send), Permit::Yes);
        self.press(Intent::Send);
    }

    fn is_solved(&self) -> bool {
        let it = self.state.drills().current().unwrap();
        it.task() == Task::Solved && *it.undone() == Undone::Yes
    }

    fn user_arn(&self) -> String {
        self.state.shown_facts().principal(Identity::TestUser).unwrap()
    }

    fn key_arn(&self) -> String {
        self.state.shown_facts().key_arn().unwrap().to_owned()
    }

    /// What lets test-user read, whatever the fault is.
    fn right(&self, drill: Drill, mechanism: Mechanism) -> String {
        let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
        match mechanism {
            Mechanism::KeyPolicy => self.state.shown_facts().policy.clone().unwrap(),
            Mechanism::IamPolicy if catalog::of(drill).lock == kmslab::lab::Lock::Table => {
                allow("dynamodb:Scan", "*").to_string()
            }
            Mechanism::IamPolicy => {
                let statement = allow("kms:Decrypt", &self.key_arn());
                json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
            }
            Mechanism::Grant => json!({"GranteePrincipal": self.user_arn(), "Operations": ["Decrypt"]}).to_string(),
        }
    }

    /// A shell in which `calls` are sent.
    fn in_shell(&mut self, calls: &[Operation]) {
        assert_eq!(self.state.permit(Intent::OpenShell), Permit::Yes);
        self.press(Intent::OpenShell);
        assert_eq!(self.state.permit(Intent::OpenShell), Permit::No, "one at a time");
        calls.iter().for_each(|call| drop(self.ask(call)));
        self.take(Event::ShellClosed);
        self.settle();
    }
}

/// Level 3 without leaving the lab.
#[rstest]
fn each_document_can_be_written_in_the_editor(#[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)] at: usize) {
    for drill in [Drill::ALL[at], Drill::ALL[at + 11]] {
        let sandbox = sandbox();
        let mut lab = Lab::new(&sandbox, plan(Some(drill), Level::Three));
        assert_eq!(lab.state.permit(WRITE), Permit::No, "nobody has said which document");
        lab.diagnose();
        if catalog::of(drill).rung == Rung::KeyState {
            assert_eq!(lab.state.permit(WRITE), Permit::No, "no document says it");
            continue;
        }
        lab.press(WRITE);
        let mechanism = lab.state.draft_way().unwrap();
        let before = lab.state.draft().unwrap().text().to_owned();
        let is_there = match mechanism {
            Mechanism::KeyPolicy => before.contains("\"Statement\": ["),
            // Where there is none yet, a template.
            Mechanism::IamPolicy => {
                let has_none = drill == Drill::NoDynamodb || catalog::of(drill).nothing_allows;
                before.contains("\"Statement\": [") || has_none
            }
            Mechanism::Grant => before.contains("________"),
        };
        assert!(is_there && lab.state.forecast().is_none(), "{drill:?}: {before}");
        let text = lab.right(drill, mechanism);
        lab.write(&text);
        assert!(lab.is_solved(), "{drill:?}: {:?}", lab.state.drills().current());
        assert_eq!(lab.state.drills().current().unwrap().part_solved(), Part::Own);
        assert_eq!(lab.state.drills().points(), 3, "{drill:?}");
        assert_eq!(lab.state.experiments().changes(), []);
        assert_eq!(lab.replayed().drills(), lab.state.drills(), "{drill:?}");
    }
}

#[test]
fn what_is_written_wrong_is_sent_and_can_be_written_again() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(Some(Drill::ExplicitDeny), Level::Two));
    lab.drill(DrillAction::Look(Look::IamPolicies));
    assert_eq!(lab.state.permit(WRITE), Permit::Yes, "a document that is looked at can be changed");
    lab.drill(DrillAction::Look(Look::KeyPolicy));
    lab.press(WRITE);
    assert!(lab.state.draft().unwrap().text().contains("\"Deny test-user\""));
    compare(&lab, "editor");
    lab.write("{");
    assert_eq!((lab.state.mode(), lab.state.view().message.is_some()), (Mode::Writing, true));
    lab.press(Intent::Close);
    assert_eq!((lab.state.mode(), lab.task()), (Mode::Drill, Task::Lock));
    lab.diagnose();
    lab.press(WRITE);
    let faulty = lab.state.draft().unwrap().text().to_owned();
    lab.write(&faulty.replace("kmslab-user-drill1", "nobody"));
    assert!(lab.state.view().message.as_deref().unwrap().contains("MalformedPolicy"), "{:?}", lab.state.view().message);
    assert_eq!((lab.task(), lab.state.drills().current().unwrap().remark()), (Task::Fix, Some(Remark::StillRefused)));
    lab.press(WRITE);
    assert_eq!(lab.state.draft().unwrap().text(), faulty, "nothing has changed");
    let text = lab.right(Drill::ExplicitDeny, Mechanism::KeyPolicy);
    lab.write(&text);
    assert!(lab.is_solved());
    assert_eq!(lab.replayed().drills(), lab.state.drills());
}

#[test]
fn leaving_the_editor_leaves_the_drill_and_undoes_it() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(Some(Drill::AliasArn), Level::Three));
    lab.diagnose();
    lab.press(WRITE);
    lab.press(Intent::AskToQuit);
    assert_eq!(lab.state.view().message.as_deref(), Some("press ctrl-c again to stop the drills"), "a letter types");
    lab.press(Intent::AskToQuit);
    assert!(lab.exited && lab.state.experiments().changes().is_empty());
}

#[test]
fn after_a_shell_both_scan_again() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(Some(Drill::NothingAllows), Level::One));
    lab.in_shell(&[]);
    let it = lab.state.drills().current().unwrap();
    assert_eq!((it.task(), it.remark(), it.part()), (Task::Lock, None, Part::Check), "looking around is no mistake");
    lab.diagnose();
    lab.in_shell(&[]);
    assert_eq!(lab.state.drills().current().unwrap().remark(), Some(Remark::StillRefused));
    let grant = Operation::CreateGrant {
        key: lab.key_arn(),
        grantee: lab.user_arn(),
        operations: vec!["Decrypt".into()],
        constraints: None,
        name: "mine".into(),
    };
    lab.in_shell(std::slice::from_ref(&grant));
    assert!(lab.is_solved());
    assert_eq!(lab.state.drills().points(), 3);
    let grants = lab.snapshot().grants;
    assert!(grants.iter().all(|grant| grant["Name"] != "mine"), "{grants:?}");

    // Fixed before anything was named: one point.
    lab.press(Intent::Retry);
    lab.in_shell(&[grant]);
    assert!(lab.is_solved());
    assert_eq!(lab.state.drills().current().unwrap().score().gained, Some([0, 0, 1]));
    assert_eq!(lab.state.permit(Intent::OpenShell), Permit::No);
    assert_eq!(lab.replayed().drills(), lab.state.drills());
}
