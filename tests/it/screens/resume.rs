//! The question whether to go on with a kept session.

use kmslab::lab::{Intent, Stage};
use ratatui::layout::Size;

use super::album::{album, assert_album};
use crate::support::lab::Session;

#[test]
fn a_kept_session_is_offered_with_what_was_found() {
    let looking = Session::offered(true, Stage::CreateUser);
    let mut found = Session::offered(true, Stage::CreateUser);
    found.answer_all();
    let mut silent = Session::offered(true, Stage::CreateUser);
    silent.fail_all();
    let mut verified = Session::offered(true, Stage::CreateUser);
    verified.answer_all().intent(Intent::Advance).answer_all();
    let mut gone = Session::offered(true, Stage::CreateUser);
    gone.services.table = None;
    gone.answer_all().intent(Intent::Advance).answer_all();
    let sandbox = Session::offered(false, Stage::ViewAdmin);
    let small = Size::new(60, 18);
    let full = Size::new(80, 24);
    let album = album([
        ("looking".to_owned(), &looking.state, full),
        ("found".to_owned(), &found.state, full),
        ("found".to_owned(), &found.state, small),
        ("no answer".to_owned(), &silent.state, full),
        ("verified".to_owned(), &verified.state, full),
        ("the table is gone".to_owned(), &gone.state, full),
        ("sandbox".to_owned(), &sandbox.state, full),
    ]);
    assert_album("a_kept_session_is_offered_with_what_was_found", album);
}
