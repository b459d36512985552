//! The dashboard's loop: it draws when a report has come, when a key was pressed, and once a second for the times.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use super::{Class, new_code, now};
use crate::lab::Lesson;
use crate::lab::class::table;
use crate::run::Ended;
use crate::run::input::{Input, attend};
use crate::run::inputs::{AT_ONCE, at_hand};
use crate::run::looks::Looks;
use crate::ui::class::{Asked, Dashboard};
use crate::ui::terminal::Screen;

/// How many names are tried for a table.
const FILES: usize = 100;

/// Shows `class` on `screen` until the teacher closes it.
///
/// # Errors
/// When the terminal can't be read or written.
pub async fn run<W: Write, I: Into<Input>>(
    class: &Class,
    lesson: &Lesson,
    mut input: impl Stream<Item = io::Result<I>> + Unpin,
    screen: &mut Screen<W>,
    mut looks: Looks,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let mut dashboard =
        Dashboard { code: class.code().to_string(), address: class.address().to_string(), ..Dashboard::default() };
    let mut next_second = Instant::now() + Duration::from_secs(1);
    loop {
        dashboard.now = now();
        // A copy, so that no report waits for the terminal.
        let roster = class.roster();
        screen.paint(|frame| {
            let area = frame.area();
            crate::ui::class::draw(&dashboard, &roster, lesson, &looks.theme, area, frame.buffer_mut());
        })?;
        looks.ask(screen)?;
        tokio::select! {
            biased;
            Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
            first = input.next() => {
                let Some(mut next) = first else { return Ok(Ended::InputClosed) };
                for _ in 0..AT_ONCE {
                    let came = attend(next?.into(), screen)?;
                    if let Some(Input::Background { light }) = came {
                        looks.told(light);
                    }
                    let key = came.and_then(|input| input.key());
                    let asked = key.and_then(|key| dashboard.press(key, &class.shared.roster(), lesson));
                    if let Some(asked) = asked && perform(asked, class, &mut dashboard) {
                        return Ok(Ended::Finished);
                    }
                    let Some(another) = at_hand(&mut input) else { break };
                    next = another;
                }
            },
            () = class.changed() => {}
            // Nobody is there whose time goes on.
            () = tokio::time::sleep_until(next_second), if !roster.learners().is_empty() => {
                next_second = Instant::now() + Duration::from_secs(1);
            }
        }
    }
}

/// Does what a key asks for. Returns whether the class is closed.
fn perform(asked: Asked, class: &Class, dashboard: &mut Dashboard) -> bool {
    match asked {
        Asked::Leave => return true,
        Asked::Mark(lab) => class.shared.roster().mark(&lab, now()),
        Asked::Remove(lab) => {
            let before = class.shared.roster().learners().len();
            class.shared.roster().remove(&lab, now());
            if class.shared.roster().learners().len() == before {
                dashboard.message = Some("only a learner who is lost or has left can be removed".to_owned());
            } else {
                dashboard.page = crate::ui::class::Page::List;
            }
        }
        Asked::NewCode => match new_code() {
            Ok(code) => {
                dashboard.code = code.to_string();
                class.shared.renew(code);
                dashboard.message = Some("the old code is void: everyone has to join again".to_owned());
            }
            Err(error) => dashboard.message = Some(format!("no new code: {error}")),
        },
        Asked::Export => {
            dashboard.message = Some(match export(class) {
                Ok(file) => format!("written: {file}"),
                Err(error) => format!("the table can't be written here: {error}"),
            });
        }
    }
    false
}

/// Writes the table as CSV into the current folder. Returns the file's name.
///
/// # Errors
/// If it can't be written.
fn export(class: &Class) -> io::Result<String> {
    let mut rows: Vec<table::Row> = class.shared.roster().learners().iter().map(table::Row::of).collect();
    table::sort(&mut rows);
    let names = (1..=FILES).map(|number| match number {
        1 => "kmslab-class.csv".to_owned(),
        number => format!("kmslab-class-{number}.csv"),
    });
    for name in names {
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(mut file) => return file.write_all(table::as_csv(&rows).as_bytes()).map(|()| name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are too many already"))
}
