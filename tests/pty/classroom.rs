//! A class in real terminals: the teacher's dashboard, and a learner who joins it.

use super::Terminal;

/// What a learner types to join the class that `dashboard` shows.
fn join(dashboard: &mut Terminal) -> String {
    dashboard.wait_for(&["no learners yet", "kmslab --join KMS-", " --name YOUR-NAME"]);
    let picture = dashboard.picture();
    let (_, rest) = picture.split_once("kmslab --join ").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_learner_joins_asks_for_help_and_leaves() {
    let mut class = Terminal::start(100, 28, &[], &["class", "--listen", "127.0.0.1:0"]);
    let code = join(&mut class);
    let mut learner = Terminal::start(80, 24, &[], &["--join", &code, "--name", "Ada"]);
    learner.wait_for(&["Join the class", "It sends no items, ids, ARNs, policies or secrets.", "Type yes to join:"]);
    learner.press("yes\r");
    learner.wait_for(&["1/9", "class: you have joined as Ada"]);
    class.wait_for(&["▸ Ada", "… QUESTION", "1 learner"]);
    learner.press("H");
    learner.wait_for(&["your teacher sees that you need help; H takes it back"]);
    class.wait_for(&["asked for help 0:0", "1 asks for help"]);
    learner.do_stages(1);
    class.wait_for(&["2/9", "▸ Ada"]);
    class.press("\r");
    class.wait_for(&["▸ 2  Create the KMS key", "✔ MET", "connected"]);
    learner.leave_mid_lab();
    assert_eq!(learner.ends_in_order().0, 0);
    class.press("\x1b");
    class.wait_for(&["○ LEFT"]);
    class.press("q");
    assert_eq!(class.ends_in_order().0, 0);
}

#[test]
fn a_learner_who_does_not_agree_sends_nothing() {
    let mut class = Terminal::start(100, 28, &[], &["class", "--listen", "127.0.0.1:0"]);
    let code = join(&mut class);
    let mut learner = Terminal::start(80, 24, &[], &["--join", &code, "--name", "Ada"]);
    learner.wait_for(&["Type yes to join:"]);
    learner.press("no\r");
    learner.wait_for(&["you haven't joined, and nothing was sent"]);
    assert_eq!(learner.ends_in_order().0, 2);
    class.press("?");
    class.wait_for(&["everyone has to join again", "no learners yet"]);
    class.press("q");
    assert_eq!(class.ends_in_order().0, 0);
}
