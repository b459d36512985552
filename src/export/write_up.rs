//! What a write-up says, whatever its format.

use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;

use super::own_way::Own;
use crate::cli::SERVE_ADDRESS;
use crate::lab::Experiment;
use crate::lab::insight::spoken;
use crate::lab::lesson::interface::Interface;
use crate::lab::lesson::{ExportWords, Reply};
use crate::lab::mask::{self, Masker};
use crate::lab::quiz::Asked;
use crate::lab::saving::SavedStage;
use crate::lab::{Exchange, Lesson, Profiles, SavedSession, Stage, Verdict, cli_line};

/// A part of a write-up. All text is plain: the formats escape it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading, from level 1.
    Heading(u8, String),
    /// A paragraph, perhaps with a label before it.
    Text {
        /// A few words, or none.
        label: String,
        /// The paragraph.
        text: String,
    },
    /// Lines that are shown as they are.
    Code {
        /// What they are.
        label: String,
        /// The lines.
        text: String,
    },
    /// A table; the first cell of each row names it.
    Table {
        /// What it shows.
        caption: String,
        /// One for each column.
        head: Vec<String>,
        /// As many cells as `head`.
        rows: Vec<Vec<String>>,
    },
    /// Publications: titles and addresses.
    Links {
        /// What they are.
        label: String,
        /// Title and address.
        links: Vec<(String, String)>,
    },
}

/// The width of the card in a write-up.
const CARD_COLUMNS: usize = 96;

/// The write-up of `kept` in the words of `lesson`, with pseudonyms where `masked`.
pub fn document(kept: &SavedSession, lesson: &Lesson, masked: bool) -> Vec<Block> {
    let mut masker = masked.then(|| Masker::new(&kept.run).of_sandbox(kept.place.is_sandbox()));
    let mut show = |exchange: &Arc<Exchange>| match &mut masker {
        Some(masker) => masker.exchange(exchange),
        None => (**exchange).clone(),
    };
    // All calls first: what they name is replaced in the other texts, too.
    let calls: Vec<Vec<Exchange>> =
        kept.stages.iter().map(|kept| kept.exchanges.iter().map(&mut show).collect()).collect();
    let mut writer = Writer {
        kept,
        lesson,
        words: &lesson.frame.export,
        masker,
        given_user: kept.place.user_profile.is_some(),
        own: Own::of(kept),
        blocks: Vec::new(),
    };
    writer.overview();
    for (stage, calls) in kept.stages.iter().zip(&calls).filter(|(stage, _)| stage.check.is_some()) {
        writer.stage(stage, calls);
    }
    writer.experiments();
    writer.debrief();
    writer.blocks
}

struct Writer<'a> {
    kept: &'a SavedSession,
    lesson: &'a Lesson,
    words: &'a ExportWords,
    masker: Option<Masker>,
    given_user: bool,
    own: Own<'a>,
    blocks: Vec<Block>,
}

impl<'a> Writer<'a> {
    fn heading(&mut self, level: u8, text: impl Into<String>) {
        self.blocks.push(Block::Heading(level, text.into()));
    }

    fn text(&mut self, label: &str, text: impl Into<String>) {
        self.blocks.push(Block::Text { label: label.to_owned(), text: text.into() });
    }

    fn links(&mut self, ids: &[&str]) {
        let mut links: Vec<(String, String)> = Vec::new();
        for source in ids.iter().filter_map(|id| self.lesson.sources.get(*id)) {
            if !links.iter().any(|(_, url)| *url == source.url) {
                links.push((source.title.clone(), source.url.clone()));
            }
        }
        if !links.is_empty() {
            self.blocks.push(Block::Links { label: self.lesson.words().sources.clone(), links });
        }
    }

    fn overview(&mut self) {
        let (kept, words) = (self.kept, self.words);
        self.heading(1, words.title.clone());
        self.text("", words.about.clone());
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let mut rows = vec![
            row(&words.date, kept.begun().and_then(date).unwrap_or_default()),
            row(&words.place, kept.place.name()),
            row(&words.region, kept.place.region.clone()),
            row(&words.stages_met, format!("{}/{}", kept.met(), Stage::ALL.len())),
        ];
        if kept.quiz.asks() {
            let score = kept.quiz.score(self.lesson);
            let of = self.lesson.words();
            let answered = (score.answered > 0).then(|| format!("{}/{} {}", score.right, score.answered, of.score));
            let skipped = (score.skipped > 0).then(|| format!("{} {}", score.skipped, of.score_skipped));
            let parts: Vec<String> = answered.into_iter().chain(skipped).collect();
            if !parts.is_empty() {
                rows.push(row(&words.answers, parts.join(", ")));
            }
        }
        let head = vec![words.what.clone(), words.value.clone()];
        self.blocks.push(Block::Table { caption: words.session.clone(), head, rows });
        if kept.ended() < Stage::ALL.len() {
            self.text("", words.incomplete.replace("{}", &kept.ended().to_string()));
        }
        if self.masker.is_some() {
            self.text("", words.masked.clone());
        }
        let rows = kept.stages.iter().map(|kept| self.overview_row(kept)).collect();
        let head = [&words.stage, &words.title_of_stage, &words.outcome].map(Clone::clone).into();
        self.blocks.push(Block::Table { caption: words.stages.clone(), head, rows });
    }

    fn overview_row(&self, kept: &SavedStage) -> Vec<String> {
        let words = self.lesson.words();
        let outcome = match &kept.check {
            Some(check) if check.met => words.met.clone(),
            Some(_) => words.not_met.clone(),
            None => self.words.not_done.clone(),
        };
        let title = self.own.text(self.lesson, kept.stage, self.given_user).title.to_owned();
        vec![kept.stage.number().to_string(), title, outcome]
    }

    fn stage(&mut self, kept: &SavedStage, calls: &[Exchange]) {
        let (stage, lesson) = (kept.stage, self.lesson);
        let (text, all, words) = (self.own.text(lesson, stage, self.given_user), lesson.stage(stage), lesson.words());
        self.heading(2, format!("{}. {}", stage.number(), text.title));
        self.text("", text.objective);
        self.text("", text.intro);
        all.more.iter().for_each(|paragraph| self.text("", paragraph.trim()));
        let mut ids: Vec<&str> = all.sources.iter().map(String::as_str).collect();
        if self.kept.quiz.asks() && (stage != Stage::Grant || self.own.asks_about_key_policy()) {
            let order = self.kept.quiz.order(stage, &all.question);
            self.heading(3, self.words.question.clone());
            ids.extend(self.question(&Asked::new(&all.question, &order, self.kept.quiz.choice(stage))));
        }
        if !calls.is_empty() {
            self.heading(3, self.words.calls.clone());
            calls.iter().for_each(|exchange| self.call(exchange));
        }
        if stage == Stage::ViewDenied {
            self.why(kept);
        }
        if stage == Stage::Grant {
            self.own_way();
        }
        if let Some(check) = &kept.check {
            let verdict = if check.met { &words.met } else { &words.not_met };
            let observed = self.said().sentence(&check.observed);
            let observed = mask::written(&mut self.masker, &observed);
            self.heading(3, self.words.outcome.clone());
            self.text(&format!("{}:", words.expected), text.expected);
            self.text(&format!("{}: {verdict}.", words.observed), observed);
        }
        self.heading(3, words.misconception.clone());
        self.text("", all.misconception.claim.trim());
        self.text(&format!("{}:", words.correction), all.misconception.correction.trim());
        ids.extend(all.misconception.sources.iter().map(String::as_str));
        self.links(&ids);
    }

    /// The interface's words, for what the lab has said in English.
    fn said(&self) -> Interface<'a> {
        Interface::new(&self.lesson.frame.interface)
    }

    /// What the learner sent in a way of her own, from the editor or with another client.
    fn own_way(&mut self) {
        let Some((call, document)) = self.own.sent(&mut self.masker) else { return };
        self.heading(3, self.words.own_way.clone());
        self.blocks.push(Block::Code { label: call.to_owned(), text: document });
    }

    /// The ladder of the denied call: why nothing allowed it.
    fn why(&mut self, kept: &SavedStage) {
        let denied = kept.exchanges.iter().rev().find(|exchange| matches!(exchange.verdict, Verdict::Denied(_)));
        let Some(denied) = denied.filter(|_| !self.given_user) else { return };
        let calls = self.kept.stages.iter().flat_map(|stage| &stage.exchanges).map(AsRef::as_ref);
        let earlier = calls.take_while(|call| call.id != denied.id);
        let lines = spoken::denied_after(earlier, denied, &self.kept.facts, &self.kept.place.region, self.said());
        let Some(lines) = lines else { return };
        let lines: Vec<String> = lines.iter().map(|line| mask::written(&mut self.masker, line)).collect();
        self.heading(3, self.words.why.clone());
        lines.into_iter().for_each(|line| self.text("", line));
    }

    /// A question, what was said to it, and what is so; gives the sources of that.
    fn question(&mut self, asked: &Asked<'a>) -> Vec<&'a str> {
        let words = self.lesson.words();
        self.text("", asked.question.text.trim());
        let rows = asked.answers.iter().enumerate().map(|(place, (letter, reply))| {
            let mut marks = Vec::new();
            marks.extend((asked.chosen == Some(place)).then(|| words.your_answer.clone()));
            marks.extend(reply.right.then(|| words.the_answer_was.clone()));
            vec![letter.to_string(), reply.text.clone(), marks.join(", ")]
        });
        let head = vec![self.words.letter.clone(), self.words.answer.clone(), self.words.mark.clone()];
        self.blocks.push(Block::Table { caption: self.words.choices.clone(), head, rows: rows.collect() });
        let (chosen, right) = (asked.reply(), asked.right());
        let mut explained: Vec<&Reply> = Vec::new();
        match chosen {
            Some((letter, reply)) => {
                let word = if reply.right { &words.right } else { &words.not_quite };
                self.text(&format!("{}: {letter}. {word}", words.your_answer), reply.explanation.trim());
                explained.push(reply);
            }
            None => self.text("", words.skipped.clone()),
        }
        if let Some((letter, reply)) = right.filter(|(_, reply)| !chosen.is_some_and(|(_, chosen)| chosen == *reply)) {
            self.text(&format!("{}: {letter}.", words.the_answer_was), reply.explanation.trim());
            explained.push(reply);
        }
        explained.into_iter().flat_map(|reply| reply.sources.iter().map(String::as_str)).collect()
    }

    /// The experiments whose question was answered.
    fn experiments(&mut self) {
        let mut is_first = true;
        for which in Experiment::ALL {
            let Some(choice) = self.kept.experiments.choice(which) else { continue };
            if std::mem::take(&mut is_first) {
                self.heading(2, self.words.experiments.clone());
            }
            let told = &self.lesson.frame.experiments[which.index()];
            let order = self.kept.quiz.shuffled(which.question_number(), told.question.answers.len());
            self.heading(3, format!("{}. {}", which.index() + 1, told.title));
            self.text("", told.setup.trim());
            let mut ids = self.question(&Asked::new(&told.question, &order, Some(choice)));
            self.text("", told.lesson.trim());
            ids.extend(told.sources.iter().map(String::as_str));
            self.links(&ids);
        }
    }

    fn call(&mut self, exchange: &Exchange) {
        let words = self.words;
        self.heading(4, format!("{}: {}", exchange.identity.name(), exchange.operation.action()));
        let status = exchange.answer.response.as_ref().map_or("–".to_owned(), |response| response.status.to_string());
        self.text(&words.verdict, format!("{}, HTTP {status}", verdict(exchange)));
        let place = &self.kept.place;
        // A sandbox that has ended is nowhere; `kmslab serve` begins one here.
        let endpoint = place.endpoint.clone().or_else(|| place.is_sandbox().then(|| format!("http://{SERVE_ADDRESS}")));
        let profiles = match &self.masker {
            Some(_) => Profiles::default(),
            None => Profiles { admin: place.admin_profile.clone(), test_user: place.user_profile.clone() },
        };
        let profile = profiles.name(exchange.identity);
        let line = cli_line(&exchange.operation, profile, &place.region, endpoint.as_deref());
        self.blocks.push(Block::Code { label: words.command.clone(), text: line });
        let body = match &exchange.answer.response {
            Ok(response) if response.body != Value::Null => {
                serde_json::to_string_pretty(&response.body).unwrap_or_default()
            }
            Ok(_) => String::new(),
            Err(none) => none.message.clone(),
        };
        if !body.is_empty() {
            self.blocks.push(Block::Code { label: words.response.clone(), text: body });
        }
    }

    fn debrief(&mut self) {
        let lesson = self.lesson;
        self.heading(2, lesson.words().debrief.clone());
        let card = lesson.card(self.own.mechanism());
        self.heading(3, card.title.clone());
        let text = card.lines(CARD_COLUMNS).into_iter().map(|line| format!("{}{}{}", line.name, line.sign, line.text));
        let text: Vec<String> = text.map(|line| line.trim_end().to_owned()).collect();
        self.blocks.push(Block::Code { label: String::new(), text: text.join("\n") });
        self.text("", card.footnote.trim());
        let mut ids = Vec::new();
        for card in &lesson.frame.debrief {
            let sign = if card.is_true { &self.words.true_claim } else { &self.words.false_claim };
            self.text(&format!("{sign}: {}", card.claim), card.explanation.trim());
            ids.extend(card.sources.iter().map(String::as_str));
        }
        self.links(&ids);
    }
}

/// What a call came to, as a sentence.
fn verdict(exchange: &Exchange) -> String {
    match &exchange.verdict {
        Verdict::Allowed => "ALLOWED".to_owned(),
        Verdict::Denied(denied) => match (&denied.action, &denied.resource) {
            (Some(action), Some(resource)) => format!("DENIED: {action} on {resource}"),
            (Some(action), None) => format!("DENIED: {action}"),
            _ => format!("DENIED: {}", denied.message),
        },
        Verdict::Failed(failure) if exchange.is_wanted_absence() => format!("GONE: {}", failure.message),
        Verdict::Failed(failure) => {
            let code = failure.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            format!("FAILED: {code}{}", failure.message)
        }
    }
}

/// `2026-11-24 10:02 UTC` of a unix time in seconds.
fn date(at: u64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(at).ok()?).ok()?;
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Choice;
    use crate::lab::{Backend, BackendKind, Names, Place, Quiz, State};

    #[test]
    fn the_experiments_that_were_answered_are_in_it() {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        let place = Place::new(&backend);
        let mut state = State::new(backend, Names::new("t1")).with_quiz(Quiz::new(3));
        state.save_at(place);
        let mut kept = serde_json::to_value(state.saved().unwrap()).unwrap();
        let lesson = Lesson::english();
        // The card has a heading of this level, too.
        let headings = |kept: &Value| -> Vec<String> {
            let kept = serde_json::from_value(kept.clone()).unwrap();
            let blocks = document(&kept, &lesson, true).into_iter();
            let heading = |block| if let Block::Heading(3, text) = block { Some(text) } else { None };
            blocks.filter_map(heading).filter(|text| *text != lesson.frame.card.title).collect()
        };
        assert_eq!(headings(&kept), [""; 0]);
        kept["bench"]["choices"][1] = serde_json::to_value(Choice::Answer(0)).unwrap();
        kept["bench"]["choices"][13] = serde_json::to_value(Choice::Skipped).unwrap();
        let told = [1, 13].map(|at| format!("{}. {}", at + 1, lesson.frame.experiments[at].title));
        assert_eq!(headings(&kept), told);
    }
}
