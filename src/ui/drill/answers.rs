//! Under the panes: lock, rung and fix, the documents to look at, and what is to be said.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::lab::drills::{Current, Fix, Part, Task, Undone};
use crate::lab::model::prose::capital;
use crate::lab::{Level, Lock, Look, Operation, Rung, State};
use crate::ui::brief;
use crate::ui::keys::names;
use crate::ui::text::{width, wrap};
use crate::ui::theme::Theme;

use super::pane::look_name;
use super::signed;

/// Columns of the labels, with cursor and gap.
fn label_columns(state: &State) -> usize {
    let words = &state.lesson().drills;
    let longest = ["lock", "rung", "fix", "look"].map(|id| width(words.word(id))).into_iter().max();
    longest.unwrap_or(0) + 6
}

/// The name of a rung.
pub fn rung_name(state: &State, rung: Rung) -> &str {
    let words = &state.lesson().drills;
    words.word(match rung {
        Rung::Deny => "a_deny",
        Rung::KeyPolicy => "key_policy",
        Rung::IamPolicy => "iam_policy",
        Rung::Grant => "a_grant",
        Rung::KeyState => "key_state",
    })
}

/// The name of a lock.
pub fn lock_name(state: &State, lock: Lock) -> &str {
    state.lesson().drills.word(if lock == Lock::Table { "the_table" } else { "the_key" })
}

/// The points of a solved drill, in words.
pub fn sum(state: &State) -> String {
    let Some(it) = state.drills().current() else { return String::new() };
    let (words, score) = (&state.lesson().drills, it.score());
    let [lock, rung, fix] = score.gained.unwrap_or_default();
    let plus = |points: i32| if points > 0 { format!("+{points}") } else { points.to_string() };
    let mut parts = vec![words.fill("sum", &[&plus(lock), &plus(rung), &plus(fix)])];
    parts.extend((score.hints > 0).then(|| words.fill("sum_hints", &[&score.hints])));
    parts.extend(score.saw_why.then(|| words.word("sum_why").to_owned()));
    let wrong = score.wrong_answers();
    parts.extend((wrong > 0).then(|| words.fill("sum_wrong", &[&wrong])));
    format!("{} ({}).", points(state, score.total()), parts.join(", "))
}

/// A number of points, in words.
pub fn points(state: &State, points: i32) -> String {
    state.lesson().drills.fill(if points == 1 { "sum_point" } else { "sum_points" }, &[&signed(points)])
}

/// What is shown beside an answer.
#[derive(Clone, Copy)]
enum Mark {
    None,
    /// Level 1 rules it out beforehand.
    Fine,
    /// It was given, and is wrong.
    Wrong,
}

struct Block<'a> {
    state: &'a State,
    it: &'a Current,
    theme: &'a Theme,
    columns: usize,
    /// Whether only what is asked now has room.
    is_brief: bool,
    lines: Vec<Line<'static>>,
}

/// The lines, at most `most` of them if possible: the empty ones go first, then all but the question that is asked now.
pub fn lines(state: &State, theme: &Theme, columns: usize, most: usize) -> Vec<Line<'static>> {
    let lines = |is_brief| lines_of(state, theme, columns, most, is_brief);
    let all = lines(false);
    if all.len() > most { lines(true) } else { all }
}

fn lines_of(state: &State, theme: &Theme, columns: usize, most: usize, is_brief: bool) -> Vec<Line<'static>> {
    let Some(it) = state.drills().current() else { return Vec::new() };
    let mut block = Block { state, it, theme, columns, is_brief, lines: Vec::new() };
    match it.task() {
        Task::Impossible => block.impossible(),
        Task::Solved => block.solved(),
        Task::Wait => block.busy(),
        Task::Lock | Task::Rung | Task::Fix => block.open(),
    }
    let mut lines = block.lines;
    while lines.len() > most {
        let Some(empty) = lines.iter().rposition(|line| line.spans.is_empty()) else { break };
        lines.remove(empty);
    }
    lines
}

impl Block<'_> {
    fn word(&self, id: &str) -> &str {
        self.state.lesson().drills.word(id)
    }

    /// The gap between two answers.
    fn gap(&self) -> &'static str {
        if self.columns < 90 { "  " } else { "   " }
    }

    fn blank(&mut self) {
        self.lines.push(Line::default());
    }

    /// A row: a cursor where it is to be answered, its label, and its content.
    fn row(&mut self, label: &str, is_here: bool, content: Vec<Span<'static>>) {
        let cursor = if is_here { " ▸ " } else { "   " };
        let label_columns = label_columns(self.state);
        let room = label_columns - 3;
        let label = format!("{label:<room$}");
        let looks = if is_here { self.theme.focus } else { self.theme.dim };
        let gap = " ".repeat(room.saturating_sub(width(label.trim_end())));
        let lead = vec![
            Span::styled(cursor, self.theme.strong),
            Span::styled(label.trim_end().to_owned(), looks),
            Span::raw(gap),
        ];
        self.lines.extend(wrap(lead, content, self.columns, label_columns));
    }

    fn named(&self, text: &str) -> Vec<Span<'static>> {
        let sign = Span::styled(format!("{}  ", self.theme.signs.allowed), self.theme.allowed.text);
        vec![sign, Span::styled(text.to_owned(), self.theme.base)]
    }

    /// The answers of a row. Words with spaces stay in one piece.
    fn choices(&self, answers: &[(&str, Mark)], is_here: bool) -> Vec<Span<'static>> {
        let keymap = &self.state.view().keys;
        let mut content = Vec::new();
        for (at, (text, mark)) in answers.iter().enumerate() {
            let key = names::first(KEYS.get(at).copied().unwrap_or(""), keymap);
            let looks: (Style, Style) = match mark {
                Mark::None if is_here => (self.theme.hint, self.theme.base),
                _ => (self.theme.dim, self.theme.dim),
            };
            let text = match mark {
                Mark::Fine => format!("{text} ({})", self.word("fine")),
                _ => (*text).to_owned(),
            };
            content.push(Span::styled(key, looks.0));
            content.push(Span::styled(format!("  {text}").replace(' ', "\u{a0}"), looks.1));
            if matches!(mark, Mark::Wrong) {
                content.push(Span::styled(format!("\u{a0}{}", self.theme.signs.denied), self.theme.denied.text));
            }
            content.push(Span::raw(self.gap()));
        }
        content
    }

    fn open(&mut self) {
        let task = self.it.task();
        let shows = |asked| !self.is_brief || task == asked;
        let [lock, rung, fix] = [Task::Lock, Task::Rung, Task::Fix].map(shows);
        if lock {
            self.lock();
        }
        if rung {
            self.rung();
        }
        if fix {
            self.fix();
        }
        self.blank();
        self.looks();
        self.said();
    }

    fn lock(&mut self) {
        let (state, it) = (self.state, self.it);
        match it.has_lock() {
            true => self.lock_named(),
            false => {
                let wrong = &it.score().wrong_locks;
                let mark = |lock| if wrong.contains(&lock) { Mark::Wrong } else { Mark::None };
                let content = self.choices(&Lock::ALL.map(|lock| (lock_name(state, lock), mark(lock))), true);
                self.row(state.lesson().drills.word("lock"), true, content);
            }
        }
    }

    fn rung(&mut self) {
        let (state, it) = (self.state, self.it);
        match it.has_rung() {
            true => self.rung_named(),
            false => {
                let (fine, wrong) = (state.drills().fine(), &it.score().wrong_rungs);
                let mark = |rung| match rung {
                    rung if wrong.contains(&rung) => Mark::Wrong,
                    rung if fine.contains(&rung) => Mark::Fine,
                    _ => Mark::None,
                };
                let answers = state.drills().rungs().map(|rung| (rung_name(state, rung), mark(rung)));
                let is_here = it.task() == Task::Rung;
                let content = self.choices(&answers, is_here);
                self.row(state.lesson().drills.word("rung"), is_here, content);
            }
        }
    }

    fn lock_named(&mut self) {
        let right = crate::lab::drills::catalog::of(self.it.drill()).lock;
        let content = self.named(lock_name(self.state, right));
        self.row(self.state.lesson().drills.word("lock"), false, content);
    }

    fn rung_named(&mut self) {
        let content = self.named(rung_name(self.state, self.it.named_rung()));
        self.row(self.state.lesson().drills.word("rung"), false, content);
    }

    fn fix(&mut self) {
        let (state, it) = (self.state, self.it);
        let label = state.lesson().drills.word("fix");
        if it.task() != Task::Fix {
            let text = self.word("then_rung").to_owned();
            let content = vec![Span::styled(format!("○  {text}"), self.theme.dim)];
            return self.row(label, false, content);
        }
        if let Part::Fix(_) | Part::Own | Part::Check = it.part()
            && state.is_running()
        {
            return self.busy();
        }
        if state.drills().level() == Level::Three {
            let [writes, shell, scans] =
                ["drill_write", "shell", "advance"].map(|name| names::first(name, &state.view().keys));
            let can_write = it.editable(state.backend().given_user).is_some();
            let words = &state.lesson().drills;
            let text = match can_write {
                true => words.fill("write_it", &[&writes, &shell, &scans]),
                false => words.fill("send_it", &[&shell, &scans]),
            };
            return self.row(label, true, vec![Span::styled(text, self.theme.base)]);
        }
        for (at, (fix, _)) in state.drills().fixes(state.backend().given_user).into_iter().enumerate() {
            let key = names::first(KEYS.get(at).copied().unwrap_or(""), &state.view().keys);
            let was_tried = it.score().wrong_fixes.contains(&fix);
            let looks = if was_tried { self.theme.dim } else { self.theme.base };
            let mut content = vec![
                Span::styled(key, self.theme.hint),
                Span::styled(format!("  {}", state.lesson().drills.fix(fix.id())), looks),
            ];
            if was_tried {
                content.push(Span::styled(format!(" {}", self.theme.signs.denied), self.theme.denied.text));
            }
            self.row(if at == 0 { label } else { "" }, at == 0, content);
        }
    }

    /// The documents to look at.
    fn looks(&mut self) {
        let state = self.state;
        let mut content = Vec::new();
        for (at, look) in Look::ALL.into_iter().enumerate() {
            let is_open = self.it.look() == Some(look);
            let key = names::first(LOOKS.get(at).copied().unwrap_or(""), &state.view().keys);
            let looks = if is_open { self.theme.focus } else { self.theme.base };
            content.push(Span::styled(key, self.theme.hint));
            let name = look_name(state, look).replace(' ', "\u{a0}");
            content.push(Span::styled(format!("\u{a0}\u{a0}{name}"), looks));
            content.push(Span::raw(self.gap()));
        }
        content.push(Span::styled(self.word("free").to_owned(), self.theme.dim));
        self.row(state.lesson().drills.word("look"), false, content);
    }

    /// The newest remark, or the newest hint.
    fn said(&mut self) {
        let words = &self.state.lesson().drills;
        let hint = self.it.hints().checked_sub(1).and_then(|at| words.text(self.it.drill())?.hints.get(at));
        let (lead, text) = match (self.it.remark(), hint) {
            (Some(remark), _) if remark.costs() => (words.word("price"), words.remark(remark.id())),
            (Some(remark), _) => ("", words.remark(remark.id())),
            (None, Some(hint)) => (words.word("hint"), hint.as_str()),
            (None, None) => return self.explained(),
        };
        let lead = if lead.is_empty() { " ".to_owned() } else { format!(" {lead}  ") };
        let hang = width(&lead);
        let lead = vec![Span::styled(lead, self.theme.hint)];
        self.blank();
        let said = wrap(lead, vec![Span::styled(text.to_owned(), self.theme.strong)], self.columns, hang);
        self.lines.extend(said);
    }

    /// What a newcomer has to know, in the first drill.
    fn explained(&mut self) {
        let (number, _) = self.state.drills().number();
        let text = match self.it.task() {
            Task::Lock | Task::Rung if number == 1 && !self.is_brief => {
                self.word(if self.it.has_lock() { "rung_is" } else { "costs" })
            }
            _ => return,
        };
        let said = wrap(vec![Span::raw("   ")], vec![Span::styled(text.to_owned(), self.theme.dim)], self.columns, 3);
        self.blank();
        self.lines.extend(said);
    }

    /// What is under way.
    fn busy(&mut self) {
        let word = match self.it.part() {
            Part::SetUp => "setting_up",
            Part::Fix(_) | Part::Own => "applying",
            Part::Check => "checking",
            Part::Look(_) => "looking",
            Part::Undo => "undoing",
        };
        let sign = Span::styled(format!("   {}  ", brief::spinner(self.state.ticks())), self.theme.strong);
        let text = Span::styled(self.word(word).to_owned(), self.theme.base);
        self.lines.push(Line::from(vec![sign, text]));
    }

    fn impossible(&mut self) {
        let text = self.state.lesson().drills.fill("impossible", &[&self.it.trouble().unwrap_or_default()]);
        let lead = vec![Span::styled(format!("   {}  ", self.theme.signs.failed), self.theme.failed.text)];
        self.lines.extend(wrap(lead, vec![Span::styled(text, self.theme.base)], self.columns, 6));
        self.undone();
    }

    fn solved(&mut self) {
        let (state, it) = (self.state, self.it);
        let words = &state.lesson().drills;
        self.lock_named();
        self.rung_named();
        let (text, by) = match it.part_solved() {
            Part::Fix(fix) => (words.fix(fix.id()), calls_of(state)),
            _ => (words.word("your_own"), String::new()),
        };
        let mut content = self.named(text);
        if !by.is_empty() {
            content.push(Span::styled(format!("   {by}"), self.theme.dim));
        }
        self.row(words.word("fix"), false, content);
        self.blank();
        let teaches = words.text(it.drill()).map_or("", |text| text.teaches.as_str());
        let lead = || vec![Span::raw("   ")];
        self.lines.extend(wrap(lead(), vec![Span::styled(teaches.to_owned(), self.theme.strong)], self.columns, 3));
        let others = also_right(state);
        if let Some((first, rest)) = others.split_first() {
            self.blank();
            let mut text = words.fill("also_right", &[first]);
            for other in rest {
                text.push_str(&format!("   {}.", capital(&words.fill("or", &[other]))));
            }
            self.lines.extend(wrap(lead(), vec![Span::styled(text, self.theme.base)], self.columns, 3));
        }
        self.blank();
        self.undone();
    }

    fn undone(&mut self) {
        let words = &self.state.lesson().drills;
        let (sign, looks, text) = match self.it.undone() {
            Undone::No => return self.busy(),
            Undone::Yes => (self.theme.signs.allowed, self.theme.allowed.text, words.word("undone").to_owned()),
            Undone::Failed(left) => {
                let key = names::first("undo", &self.state.view().keys);
                let text = words.fill("not_undone", &[&left.join(", "), &key]);
                (self.theme.signs.failed, self.theme.failed.text, text)
            }
        };
        let lead = vec![Span::styled(format!("   {sign} "), looks)];
        self.lines.extend(wrap(lead, vec![Span::styled(text, looks)], self.columns, 5));
    }
}

/// The names of the keys that answer, and of those that look.
const KEYS: [&str; 4] = ["drill_1", "drill_2", "drill_3", "drill_4"];
const LOOKS: [&str; 4] = ["look_1", "look_2", "look_3", "look_4"];

/// The other right fixes of the drill at work.
pub fn also_right(state: &State) -> Vec<String> {
    let Some(it) = state.drills().current() else { return Vec::new() };
    let words = &state.lesson().drills;
    let others = Fix::of(it.drill(), state.backend().given_user).into_iter();
    let others = others.filter(|(fix, right)| *right && it.part_solved() != Part::Fix(*fix));
    others.map(|(fix, _)| words.fix(fix.id()).to_owned()).collect()
}

/// The calls of the fix, in the order of sending.
fn calls_of(state: &State) -> String {
    let changes = |operation: &Operation| {
        let name = operation.name();
        !["Scan", "Get", "List", "Describe"].iter().any(|reads| name.starts_with(reads))
    };
    let scans: Vec<usize> =
        state.shown().exchanges().enumerate().filter(|(_, e)| e.operation.name() == "Scan").map(|(at, _)| at).collect();
    let from = scans.iter().rev().nth(2).map_or(0, |at| at + 1);
    let last = scans.last().copied().unwrap_or(0);
    let sent = state.shown().exchanges().take(last).skip(from).filter(|exchange| changes(&exchange.operation));
    let names: Vec<&str> = sent.map(|exchange| exchange.operation.name()).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("{}, {}", names.join(", "), state.lesson().drills.word("sent")),
    }
}
