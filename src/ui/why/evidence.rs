//! The statements and grants that were evaluated.

use ratatui::text::Span;
use serde_json::{Map, Value};

use crate::lab::insight::covers_action;
use crate::lab::insight::ladder::Evidence;
use crate::lab::policy_diff::in_words;
use crate::ui::sheet::Sheet;
use crate::ui::summary;

impl Sheet<'_> {
    /// Draws a statement or grant, matched against `action`.
    pub(super) fn evidence(&mut self, evidence: &Evidence, action: &str) {
        self.put(
            vec![Span::styled("• ", self.theme.dim)],
            vec![
                Span::styled(
                    self.words.sentence(&format!("{}, {}", evidence.policy, evidence.name)) + ": ",
                    self.theme.strong,
                ),
                Span::styled(self.words.sentence(&evidence.result), self.theme.base),
            ],
            2,
        );
        let Value::Object(members) = evidence.json.as_ref() else { return };
        if members.contains_key("GranteePrincipal") {
            return self.grant(members);
        }
        for (name, value) in members {
            let lead = vec![
                Span::raw("    "),
                Span::styled(Value::from(name.as_str()).to_string(), self.theme.key),
                Span::styled(": ", self.theme.punctuation),
            ];
            let (value, more) = match value {
                Value::Array(elements) if elements.len() > ELEMENTS && name.ends_with("Action") => {
                    of_interest(elements, action)
                }
                // Between two elements a line may break.
                Value::Array(elements) => (listed(elements), String::new()),
                other => (other.to_string(), String::new()),
            };
            self.put(
                lead,
                vec![Span::styled(value, self.theme.string), Span::styled(self.words.sentence(&more), self.theme.base)],
                6,
            );
        }
    }

    /// A grant in words.
    fn grant(&mut self, members: &Map<String, Value>) {
        let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let operations = members.get("Operations").and_then(Value::as_array);
        let may: Vec<String> =
            operations.into_iter().flatten().filter_map(Value::as_str).map(|name| format!("kms:{name}")).collect();
        let may: Vec<String> = may.iter().map(|action| self.words.sentence(in_words(action))).collect();
        let made = members.get("CreationDate").and_then(Value::as_f64).and_then(summary::utc).unwrap_or_default();
        for (label, value) in [
            ("to", text("GranteePrincipal")),
            ("may", may.join(", ")),
            ("only if", members.get("Constraints").map(|it| self.words.sentence(&constraint(it))).unwrap_or_default()),
            ("name", text("Name")),
            ("retired by", text("RetiringPrincipal")),
            ("made", made),
        ] {
            if !value.is_empty() {
                let label = self.words.sentence(label);
                let lead = vec![Span::raw("    "), Span::styled(format!("{label:<11}"), self.theme.dim)];
                self.put(lead, vec![Span::styled(value, self.theme.base)], 15);
            }
        }
    }
}

/// How many actions a statement may have to be shown in full, and how many of a longer list are.
const ELEMENTS: usize = 6;
const NAMED: usize = 3;

fn listed(elements: &[Value]) -> String {
    format!("[{}]", elements.iter().map(Value::to_string).collect::<Vec<_>>().join(", "))
}

/// Of a long list of actions those that cover the one that is asked, else the first few; and what is left out.
fn of_interest(elements: &[Value], action: &str) -> (String, String) {
    let covers = |element: &&Value| element.as_str().is_some_and(|pattern| covers_action(pattern, action));
    let covering: Vec<Value> = elements.iter().filter(covers).cloned().collect();
    let left = |shown: usize| elements.len().saturating_sub(shown);
    match covering.len() {
        0 => {
            let first = elements.get(..NAMED).unwrap_or(elements);
            (listed(first), format!(" … and {} more, none of them {action}", left(first.len())))
        }
        count => (listed(&covering), format!(" … and {} more", left(count))),
    }
}

/// What the encryption context must be.
fn constraint(constraints: &Value) -> String {
    let pairs = |pairs: &Value| {
        let pairs = pairs.as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        pairs.map(|(name, value)| format!("{name} = {}", text(value))).collect::<Vec<_>>().join(", ")
    };
    let told = constraints.as_object().into_iter().flatten().map(|(kind, wanted)| match kind.as_str() {
        "EncryptionContextEquals" => format!("the encryption context is {}", pairs(wanted)),
        _ => format!("the encryption context has {}", pairs(wanted)),
    });
    told.collect::<Vec<_>>().join(" and ")
}
