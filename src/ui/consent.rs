//! The consent dialog: what the lab creates in the person's account, where, and at what cost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::lab::State;
use crate::lab::backend::in_words;
use crate::lab::consent::{self, Digits};

use super::dialog::{self, FRAME_COLUMNS, rows_of};
use super::keys::names;
use super::size::Class;
use super::text::{labeled, wrap, wrap_plain};
use super::theme::Theme;

/// Columns of the dialog's text.
fn columns_of(area: Rect) -> u16 {
    area.width.saturating_sub(FRAME_COLUMNS).min(86)
}

/// Columns of its labels.
const LABEL: usize = 11;

fn lines_of(state: &State, typed: Digits, wrong: bool, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let (columns, words) = (usize::from(columns), state.interface());
    let say = |text: &str| words.sentence(text);
    let row = |label: &str, text: String| {
        let label = words.sentence(label);
        labeled((format!("{label:<LABEL$}"), theme.dim), (words.sentence(&text), theme.base), columns, LABEL)
    };
    let account = state.shown_facts().admin.as_ref().map(|admin| admin.account.clone()).unwrap_or_default();
    let mut lines = wrap_plain(&say("From here on, the lab creates things in your account."), theme.strong, columns);
    lines.extend(row("account", format!("{account}, region {}", state.backend().region)));
    if !state.services().is_empty() {
        lines.extend(row("calls go", in_words(state.services())));
    }
    lines.extend(row("admin", state.shown_facts().admin.as_ref().map(|admin| admin.arn.clone()).unwrap_or_default()));
    let made = || "a user that the lab creates".to_owned();
    lines.extend(row("test-user", state.shown_facts().test_user.as_ref().map_or_else(made, |user| user.arn.clone())));
    lines.push(Line::default());
    for (at, (what, name)) in state.will_make().into_iter().enumerate() {
        lines.extend(row(if at == 0 { "creates" } else { "" }, format!("{what} {name}")));
    }
    for (at, cost) in consent::COSTS.into_iter().enumerate() {
        lines.extend(row(if at == 0 { "costs" } else { "" }, cost.to_owned()));
    }
    for (at, more) in consent::EXPERIMENTS.into_iter().enumerate() {
        lines.extend(row(if at == 0 { "extras" } else { "" }, more.to_owned()));
    }
    lines.extend(row("removal", consent::REMOVAL.to_owned()));
    lines.push(Line::default());
    match state.accepted_account() {
        Some(_) if state.is_masked() => {
            lines.extend(wrap_plain(&say("--yes-account names another account."), theme.failed.text, columns));
        }
        Some(accepted) => {
            lines.extend(wrap_plain(
                &say(&format!("--yes-account names another account: {accepted}")),
                theme.failed.text,
                columns,
            ));
        }
        None => {}
    }
    // A person who may consent knows the number; the screen does not show it now.
    let of = if state.is_masked() { "the real account" } else { "the account" };
    let typed = if state.is_masked() { typed.hidden() } else { typed.shown() };
    let mut question = vec![
        Span::styled(say(&format!("Type the last four digits of {of} to say yes:")) + "  ", theme.strong),
        Span::styled(format!(" {typed} "), theme.focus),
    ];
    if wrong {
        question.push(Span::styled(format!("  {}", say("not those")), theme.failed.text));
    }
    lines.extend(wrap(Vec::new(), question, columns, 0));
    lines
}

/// Whether the whole question fits: nobody consents to what is cut off.
pub fn fits(state: &State, area: Rect) -> bool {
    let lines = lines_of(state, Digits::default(), true, &Theme::plain(), columns_of(area));
    rows_of(&lines) + 2 <= area.height && Class::of(area) != Class::TooSmall
}

/// Draws the dialog.
pub fn draw(state: &State, typed: Digits, wrong: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = columns_of(area);
    let lines = lines_of(state, typed, wrong, theme, columns);
    let back = names::first("back", &state.view().keys);
    let way_out = if fits(state, area) {
        format!("{back} says no")
    } else {
        format!("enlarge the window to answer · {back} says no")
    };
    let words = state.interface();
    dialog::draw(&words.sentence("your account"), &words.sentence(&way_out), columns, lines, theme, area, buffer);
}
