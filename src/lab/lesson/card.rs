//! The claims of the debrief, and the card to keep: four steps from "access denied" to the fix.

use serde::Deserialize;

use crate::lab::model::glyphs::width;
use crate::lab::model::mechanism::Mechanism;

/// The card to keep.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The question it answers.
    pub title: String,
    /// What to do, in order.
    pub steps: Vec<CardStep>,
    /// What follows the title: the way that the learner took, `{}`.
    #[serde(default)]
    pub your_way: String,
    /// A note that exports print below it.
    pub footnote: String,
}

/// A step of the card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardStep {
    /// Two words.
    pub name: String,
    /// A sentence or two.
    pub text: Option<String>,
    /// A choice a row: what you see, and what it means.
    #[serde(default)]
    pub rows: Vec<[String; 2]>,
    /// Whether the rows are the three ways to allow a principal to use a key, in their order.
    #[serde(default)]
    pub ways: bool,
}

/// A claim, true or false.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim.
    pub claim: String,
    /// Whether it is true.
    #[serde(rename = "true")]
    pub is_true: bool,
    /// Why.
    pub explanation: String,
    /// Ids of its sources.
    pub sources: Vec<String>,
}

/// The columns between a step's name and its text, and between the two cells of a row.
const GAP: usize = 3;

/// The narrowest text beside a name. Below it, names stand on lines of their own.
const NARROWEST: usize = 44;

/// A line of the card, in parts that may be drawn differently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardLine {
    /// The step's name with its number, padded; spaces on its other lines.
    pub name: String,
    /// The first cell of a row, padded.
    pub sign: String,
    /// A sentence, or the second cell.
    pub text: String,
}

impl Card {
    /// Lays the steps out in `columns`, with an empty line after each.
    pub fn lines(&self, columns: usize) -> Vec<CardLine> {
        let names = self.steps.iter().map(|step| width(&step.name) + 3).max().unwrap_or(0) + GAP;
        let beside = columns.saturating_sub(names) >= NARROWEST;
        let indent = if beside { names } else { 3 };
        let mut lines = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let name = format!("{}  {}", index + 1, step.name.to_uppercase());
            let mut body = step.body(columns.saturating_sub(indent));
            if beside {
                body.iter_mut().for_each(|line| line.name = " ".repeat(indent));
                if let Some(first) = body.first_mut() {
                    first.name = format!("{name}{}", " ".repeat(indent.saturating_sub(width(&name))));
                }
            } else {
                lines.push(CardLine { name, ..CardLine::default() });
                body.iter_mut().for_each(|line| line.name = " ".repeat(indent));
            }
            lines.extend(body);
            lines.push(CardLine::default());
        }
        lines.pop();
        lines
    }

    /// The card as plain text, `columns` wide.
    pub fn text(&self, columns: usize) -> String {
        let mut text = format!("{}\n\n", self.title);
        for CardLine { name, sign, text: rest } in self.lines(columns) {
            text.push_str(format!("{name}{sign}{rest}").trim_end());
            text.push('\n');
        }
        text
    }
}

impl Card {
    /// The card with the way that the learner took in its title.
    pub(super) fn marking(&self, way: Option<Mechanism>) -> Card {
        let row = |way: Mechanism| self.steps.iter().find(|step| step.ways)?.rows.get(way.index());
        let Some([name, _]) = way.and_then(row).filter(|_| !self.your_way.is_empty()) else { return self.clone() };
        Card { title: format!("{} ({})", self.title, self.your_way.replace("{}", name)), ..self.clone() }
    }

    /// The card with its footnote, as exports print it.
    pub fn whole(&self, columns: usize) -> String {
        format!("{}\n{}\n", self.text(columns), wrap(&self.footnote, columns).join("\n"))
    }
}

impl CardStep {
    fn body(&self, columns: usize) -> Vec<CardLine> {
        let mut lines: Vec<CardLine> = Vec::new();
        let sentence = self.text.iter().flat_map(|text| wrap(text.trim(), columns));
        lines.extend(sentence.map(|text| CardLine { text, ..CardLine::default() }));
        let signs = self.rows.iter().map(|[sign, _]| width(sign)).max().unwrap_or(0) + GAP;
        for [sign, meaning] in &self.rows {
            let room = columns.saturating_sub(signs);
            // Too narrow for two cells: the meaning goes below.
            let (indent, room) = if room < 20 { (2, columns.saturating_sub(2)) } else { (signs, room) };
            if indent != signs {
                lines.push(CardLine { sign: sign.clone(), ..CardLine::default() });
            }
            for (index, text) in wrap(meaning, room).into_iter().enumerate() {
                let first = index == 0 && indent == signs;
                let pad = indent.saturating_sub(if first { width(sign) } else { 0 });
                let sign = if first { sign.as_str() } else { "" };
                lines.push(CardLine { name: String::new(), sign: format!("{sign}{}", " ".repeat(pad)), text });
            }
        }
        lines
    }
}

/// Breaks `text` at spaces into lines of at most `columns`; a longer word has a line of its own.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::{Files, Lesson};
    use super::*;

    #[rstest]
    fn no_line_is_wider_than_asked(
        #[values("en", "de")] language: &str,
        #[values(34, 50, 72, 76, 96, 200)] columns: usize,
    ) {
        let card = Lesson::parse(&Files::embedded(), language).unwrap().frame.card;
        let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        let text = card.text(columns);
        let widest = text.lines().skip(2).map(width).max();
        assert!(widest.is_some_and(|widest| widest <= columns), "{text}");
        for step in &card.steps {
            for part in step.text.iter().chain(step.rows.iter().flatten()) {
                assert!(words(part).iter().all(|word| words(&text).contains(word)), "{part} is missing in\n{text}");
            }
        }
    }

    #[rstest]
    fn the_card_fits_80_by_24(
        #[values("en", "de")] language: &str,
        #[values(None, Some(Mechanism::KeyPolicy), Some(Mechanism::IamPolicy), Some(Mechanism::Grant))] way: Option<
            Mechanism,
        >,
    ) {
        let lesson = Lesson::parse(&Files::embedded(), language).unwrap();
        let card = lesson.card(way);
        // 80×24 without frame and empty lines: header, title, message line and footer take the other four rows.
        let lines = card.lines(76).into_iter().filter(|line| *line != CardLine::default());
        assert!(lines.count() <= 20, "{}", card.text(76));
        assert_eq!(card.title == lesson.frame.card.title, way.is_none(), "{}", card.title);
        assert!(!card.title.contains("{}") && width(&card.title) <= 76, "{}", card.title);
    }
}
