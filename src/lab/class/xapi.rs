//! A lab's progress as xAPI statements, for a course's learning record store (xAPI 1.0.3, part two, "Statements").
//!
//! They say what a [`Report`] says and no more: no items, ids, ARNs or policies.

use serde_json::{Value, json};

use super::report::{Doing, Report};
use crate::lab::model::stage::Stage;

/// The version of the specification, as requests name it.
pub const VERSION: &str = "1.0.3";

/// A verb of the ADL vocabulary, and how it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Initialized,
    Answered,
    Completed,
    Failed,
    Terminated,
}

impl Verb {
    const fn name(self) -> &'static str {
        match self {
            Verb::Initialized => "initialized",
            Verb::Answered => "answered",
            Verb::Completed => "completed",
            Verb::Failed => "failed",
            Verb::Terminated => "terminated",
        }
    }

    fn json(self) -> Value {
        json!({"id": format!("http://adlnet.gov/expapi/verbs/{}", self.name()), "display": {"en": self.name()}})
    }
}

/// What goes into each statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Where the learner's name is an account: the address of the store.
    pub home: String,
    /// The titles of the stages, in English.
    pub titles: Vec<String>,
}

/// What has happened between two reports of one lab, at `at` (RFC 3339). `number` is that of the first statement: with the
/// lab's own number it makes ids, so that what is sent twice is stored once.
pub fn statements(before: Option<&Report>, now: &Report, course: &Course, number: u64, at: &str) -> Vec<Value> {
    let mut happened: Vec<(Verb, Option<Stage>, Option<Value>)> = Vec::new();
    if before.is_none() {
        happened.push((Verb::Initialized, None, None));
    }
    for (stage, told) in Stage::ALL.into_iter().zip(&now.stages) {
        let earlier = before.and_then(|before| before.stages.get(stage.index())).copied().unwrap_or_default();
        if let Some(answer) = told.answer.filter(|_| told.answer != earlier.answer) {
            let result = json!({"response": answer.letter.to_string(), "success": answer.right});
            happened.push((Verb::Answered, Some(stage), Some(result)));
        }
        if let Some(met) = told.met.filter(|_| told.met != earlier.met) {
            let verb = if met { Verb::Completed } else { Verb::Failed };
            let result = json!({"success": met, "completion": met, "duration": format!("PT{}S", told.seconds)});
            happened.push((verb, Some(stage), Some(result)));
        }
    }
    let all = |report: &Report| report.met() == Stage::ALL.len();
    let score = || {
        let (right, answered) = now.answers();
        json!({"raw": right, "min": 0, "max": answered.max(right)})
    };
    if all(now) && !before.is_some_and(all) {
        let result = json!({"completion": true, "duration": format!("PT{}S", now.seconds), "score": score()});
        happened.push((Verb::Completed, None, Some(result)));
    }
    if now.doing == Doing::Left {
        let result = json!({"completion": all(now), "duration": format!("PT{}S", now.seconds)});
        happened.push((Verb::Terminated, None, Some(result)));
    }
    let happened = (number..).zip(happened);
    happened.map(|(number, (verb, stage, result))| statement(now, course, number, at, verb, stage, result)).collect()
}

fn statement(
    report: &Report,
    course: &Course,
    number: u64,
    at: &str,
    verb: Verb,
    stage: Option<Stage>,
    result: Option<Value>,
) -> Value {
    let (activity, name) = match (stage, verb) {
        (Some(stage), Verb::Answered) => (format!("{}/question", stage.key()), "question of the stage".to_owned()),
        (Some(stage), _) => (stage.key().to_owned(), course.titles.get(stage.index()).cloned().unwrap_or_default()),
        (None, _) => ("lab".to_owned(), "Encrypt data with AWS KMS".to_owned()),
    };
    let mut statement = json!({
        "id": id(&report.lab, number),
        "actor": {"objectType": "Agent", "name": report.name, "account": {"homePage": course.home, "name": report.name}},
        "verb": verb.json(),
        "object": {
            "objectType": "Activity",
            "id": format!("tag:kmslab,2026:{activity}"),
            "definition": {"name": {"en": name}},
        },
        "timestamp": at,
    });
    if let Some(result) = result {
        statement["result"] = result;
    }
    statement
}

/// A UUID of version 8 (RFC 9562): the lab's number, and that of the statement.
fn id(lab: &str, number: u64) -> String {
    let lab = u128::from_str_radix(lab, 16).unwrap_or_default();
    let bits = (lab ^ u128::from(number)) & !(0xf << 76) & !(0x3 << 62) | (0x8 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::super::report::Answer;
    use super::super::roster::tests::report;
    use super::*;

    fn course() -> Course {
        let titles = Stage::ALL.map(|stage| stage.key().to_uppercase()).to_vec();
        Course { home: "https://lrs.example".into(), titles }
    }

    fn verbs(statements: &[Value]) -> Vec<String> {
        let last = |id: &Value| id.as_str().unwrap().rsplit(['/', ':']).next().unwrap().to_owned();
        statements.iter().map(|it| format!("{} {}", last(&it["verb"]["id"]), last(&it["object"]["id"]))).collect()
    }

    #[test]
    fn each_change_is_a_statement_and_told_once() {
        let (course, at) = (course(), "2026-12-01T10:00:00Z");
        let first = report("Ada", 1, Stage::Who, Doing::Question);
        assert_eq!(verbs(&statements(None, &first, &course, 0, at)), ["initialized lab"]);
        let mut met = report("Ada", 1, Stage::Who, Doing::Met);
        met.stages[0].answer = Some(Answer { letter: 'c', right: true });
        met.stages[0].seconds = 41;
        let told = statements(Some(&first), &met, &course, 1, at);
        assert_eq!(verbs(&told), ["answered question", "completed who"]);
        assert_eq!(told[0]["result"], json!({"response": "c", "success": true}));
        assert_eq!((&told[1]["result"]["duration"], &told[1]["timestamp"]), (&json!("PT41S"), &json!(at)));
        assert_eq!(told[1]["object"]["definition"]["name"]["en"], "WHO");
        assert_eq!(statements(Some(&met), &met, &course, 3, at), Vec::<Value>::new());
        let mut failed = met.clone();
        failed.stages[1].met = Some(false);
        assert_eq!(verbs(&statements(Some(&met), &failed, &course, 3, at)), ["failed create_key"]);
    }

    #[test]
    fn the_whole_lab_is_completed_once_and_leaving_terminates_it() {
        let (course, at) = (course(), "2026-12-01T10:00:00Z");
        let before = report("Ada", 1, Stage::CleanUp, Doing::Waiting);
        let done = report("Ada", 1, Stage::CleanUp, Doing::Met);
        assert_eq!(verbs(&statements(Some(&before), &done, &course, 0, at)), ["completed clean_up", "completed lab"]);
        let left = Report { doing: Doing::Left, ..done.clone() };
        let told = statements(Some(&done), &left, &course, 2, at);
        assert_eq!(verbs(&told), ["terminated lab"]);
        assert_eq!(told[0]["result"]["completion"], true);
    }

    #[test]
    fn ids_are_uuids_that_repeat_only_for_the_same_statement() {
        let (one, other) = (id(&format!("{:032x}", u128::MAX), 7), id(&format!("{:032x}", u128::MAX), 8));
        assert_ne!(one, other);
        assert_eq!(one, id(&format!("{:032x}", u128::MAX), 7));
        let parts: Vec<&str> = one.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('8') && parts[3].starts_with(['8', '9', 'a', 'b']), "{one}");
    }
}
