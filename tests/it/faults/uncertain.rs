//! Creating calls that the server carried out though its answer doesn't say so: nothing of theirs stays.

use super::*;

/// What stands before a service says so in its own words.
const PAGE: &str = "<html><body><h1>Gateway</h1></body></html>";

const UNCERTAIN: [Fault; 10] = [
    Fault::Gateway(500, PAGE),
    Fault::Gateway(502, PAGE),
    Fault::Gateway(503, ""),
    Fault::Gateway(504, PAGE),
    Fault::ErrorAfterwards(SLOW_DOWN),
    Fault::Gateway(200, ""),
    Fault::Gateway(200, "{}"),
    Fault::Gateway(200, PAGE),
    Fault::Gateway(404, PAGE),
    Fault::ResetAfterBody,
];

/// Whether this answer is what AWS itself says of that call: nothing.
fn is_plausible(fault: Fault, call: &str) -> bool {
    let is_empty = matches!(fault, Fault::Gateway(200, "" | "{}"));
    is_empty && matches!(call, "CreateAlias" | "PutUserPolicy" | "PutKeyPolicy")
}

fn is_after(other: &str, call: &str) -> bool {
    let place = |wanted: &str| CREATING.iter().position(|(_, call)| *call == wanted);
    place(other) > place(call)
}

/// One lab meets the fault at each of its creating calls, and goes on every time.
#[test]
fn a_lab_goes_on_after_each_and_its_clean_up_leaves_nothing() {
    for fault in UNCERTAIN {
        let mut lab = Lab::new(timing(None, 3));
        for (stage, call) in CREATING.into_iter().filter(|(_, call)| !is_plausible(fault, call)) {
            let context = format!("{call}, {fault:?}");
            lab.run_to(stage.previous().unwrap());
            if lab.state.view().shown < stage {
                lab.press(Intent::Advance);
            }
            lab.break_call(fault, (stage, call), usize::MAX);
            lab.press(if lab.state.check(stage).is_none() { Intent::Advance } else { Intent::Retry });
            let is_repeatable = matches!(call, "PutUserPolicy" | "PutKeyPolicy");
            assert!(lab.proxy.struck() == 1 || is_repeatable, "{context}: sent {} times", lab.proxy.struck());
            let answered = lab.answered.iter().rfind(|exchange| exchange.operation.name() == call);
            assert!(!answered.unwrap().is_allowed() && !lab.observed(stage).0, "{context}");
            lab.proxy.set(None);
            // The last one of its stage.
            if !CREATING
                .iter()
                .any(|other| other.0 == stage && !is_plausible(fault, other.1) && is_after(other.1, call))
            {
                lab.press(Intent::Retry);
                assert!(lab.observed(stage).0, "{context}, again: {:?}", lab.observed(stage));
            }
        }
        lab.run_to(Stage::CleanUp);
        assert!(lab.observed(Stage::CleanUp).0, "{fault:?}: {:?}", lab.observed(Stage::CleanUp));
        lab.assert_nothing_is_left(&format!("{fault:?}"));
    }
}

#[test]
fn leaving_after_a_key_that_no_answer_names_removes_it() {
    for fault in UNCERTAIN {
        let mut lab = Lab::new(timing(None, 3));
        lab.run_to(Stage::Who);
        lab.press(Intent::Advance);
        lab.break_call(fault, (Stage::CreateKey, "CreateKey"), usize::MAX);
        lab.press(Intent::Advance);
        lab.proxy.set(None);
        let left = lab.state.leftovers();
        assert!(left.iter().any(|left| left.contains("the response to CreateKey doesn't say")), "{fault:?}: {left:?}");
        lab.press(Intent::CleanUpAndQuit);
        let (met, observed) = lab.observed(Stage::CleanUp);
        assert!(met && observed == "the deletion of the key is scheduled", "{fault:?}: {observed}");
        lab.assert_nothing_is_left(&format!("{fault:?}"));
    }
}

#[test]
fn a_killed_labs_journal_finds_everything() {
    for (stage, call) in CREATING {
        // A lab for each: of gateways one stands for all.
        for fault in [Fault::Gateway(503, PAGE), Fault::Gateway(200, "{}"), Fault::ResetAfterBody] {
            let context = format!("{call}, {fault:?}");
            let mut lab = Lab::new(timing(None, 1));
            if let Some(before) = stage.previous() {
                lab.run_to(before);
                lab.press(Intent::Advance);
            }
            lab.break_call(fault, (stage, call), usize::MAX);
            lab.press(Intent::Advance);
            assert!(lab.proxy.struck() > 0, "{context}");
            lab.proxy.set(None);
            let dead = lab.die();
            dead.assert_clean_up_leaves_nothing(&context);
        }
    }
}

/// What was done already is not done twice, and is no failure.
#[test]
fn a_deletion_with_a_lost_response_counts_as_done() {
    for fault in [Fault::Gateway(503, PAGE), Fault::Gateway(200, ""), Fault::ResetAfterBody] {
        let mut dead = dead();
        dead.proxy.set(Some(Plan { fault, operation: "ScheduleKeyDeletion", as_admin: true, times: 1 }));
        let (_, printed) = dead.clean_up(true, false);
        assert_eq!(dead.proxy.struck(), 1, "{printed}");
        dead.proxy.set(None);
        let (outcome, again) = dead.clean_up(true, false);
        assert_eq!(outcome, Outcome::Clean, "{printed}{again}");
        assert_eq!(dead.journal(), None);
        assert_nothing_is_left(&dead.proxy, &dead.names, &printed);
    }
}
