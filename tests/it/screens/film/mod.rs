//! Files of a recording: what is in them when they are read again.

mod pixels;
mod text;

use std::path::Path;
use std::time::Duration;

use kmslab::lab::{Intent, Stage};
use kmslab::record::{
    AddedFonts, Cancel, Film, FilmOptions, Palette, Picture, Pixels, RecordError, Rows, Saved, Target, write,
};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Style};

use crate::support::lab::Session;

const SIZE: Size = Size::new(100, 28);

/// The whole lab: each stage before, while and after its calls.
fn lab(name: ThemeName, size: Size) -> Film {
    let theme = Theme::choose(name, ColorLevel::True);
    let (mut rows, mut pictures) = (Rows::default(), Vec::new());
    let mut session = Session::sandbox();
    let mut add = |session: &Session, stage: Stage, seconds: f64, chapter: Option<String>| {
        pictures.push(Picture {
            at: Duration::from_secs_f64(seconds),
            rows: rows.of(&render(&session.state, &theme, size)),
            chapter,
            stage: stage.key(),
        });
    };
    for (index, stage) in Stage::ALL.into_iter().enumerate() {
        session = session.before(stage);
        let start = 10.0 * index as f64;
        add(&session, stage, start, Some(format!("{} {}", stage.number(), stage.key())));
        session.intent(Intent::Advance);
        add(&session, stage, start + 4.0, None);
        session.answer_all();
        add(&session, stage, start + 4.0417, Some(verdict(stage)));
    }
    let palette = if name == ThemeName::Light { Palette::LIGHT } else { Palette::DARK };
    Film { title: "kmslab: the whole lab".into(), size, palette, pictures, end: Duration::from_secs(93) }
}

fn verdict(stage: Stage) -> String {
    format!("{} {}", stage.number(), if stage == Stage::ViewDenied { "DENIED" } else { "MET" })
}

/// One picture of 80×24 that `paint` has made.
fn painted(paint: impl FnOnce(&mut Buffer)) -> Film {
    let size = Size::new(80, 24);
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
    paint(&mut buffer);
    let rows = Rows::default().of(&buffer);
    let picture = Picture { at: Duration::ZERO, rows, chapter: None, stage: "" };
    Film { title: "t".into(), size, palette: Palette::DARK, pictures: vec![picture], end: Duration::from_secs(1) }
}

/// Options for pictures of this width in pixels.
fn wide(width: u32) -> FilmOptions {
    FilmOptions { pixels: Pixels::new(width, None), ..FilmOptions::default() }
}

/// Writes `film` to a new file.
fn save(film: &Film, path: &Path, options: &FilmOptions) -> Result<Saved, RecordError> {
    write(film, &Target::new(path, false)?, options, &Cancel::default())
}

/// What `write` has written to a file of that name.
fn written(film: &Film, name: &str, options: &FilmOptions) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let told = save(film, &path, options).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(told.bytes, bytes.len() as u64);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else stays");
    if let Some(folder) = std::env::var_os("KMSLAB_LOOK") {
        std::fs::write(Path::new(&folder).join(name), &bytes).unwrap();
    }
    bytes
}

#[test]
fn a_file_that_exists_is_only_replaced_with_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svg");
    std::fs::write(&path, "mine").unwrap();
    let film = painted(|buffer| buffer.set_string(0, 0, "text", Style::new()));
    let refused = save(&film, &path, &FilmOptions::default()).unwrap_err();
    assert!(matches!(refused, RecordError::Exists(_)) && refused.to_string().contains("--force"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    write(&film, &Target::new(&path, true).unwrap(), &FilmOptions::default(), &Cancel::default()).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().contains("<svg"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

#[test]
fn a_failed_write_is_reported_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let film = painted(|_| {});
    let error = |name: &str, film: &Film, options: &FilmOptions| {
        save(film, &folder.path().join(name), options).unwrap_err().to_string()
    };
    let plain = FilmOptions::default();
    assert!(error("a.avi", &film, &plain).contains(".gif"));
    assert!(error("a", &film, &plain).contains(".gif"));
    assert!(error("no/such/folder.gif", &film, &plain).contains("no/such/folder.gif can't be written"));
    let narrow = wide(100);
    assert!(error("a.gif", &film, &narrow).contains("80×24 characters are too many for 100 pixels"));
    assert!(error("a.gif", &Film { pictures: vec![], ..film.clone() }, &plain).contains("nothing was recorded"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_film_of_one_picture_is_a_still_that_says_what_it_shows() {
    let mut film = lab(ThemeName::Dark, SIZE);
    film.pictures.retain(|picture| picture.chapter.as_deref() == Some("6 DENIED"));
    let denied = String::from_utf8(written(&film, "denied.svg", &FilmOptions::default())).unwrap();
    let document = roxmltree::Document::parse(&denied).unwrap();
    let text = |name: &str| document.descendants().find(|node| node.has_tag_name(name)).and_then(|node| node.text());
    assert_eq!(text("title"), Some("kmslab: the whole lab"));
    let description = text("desc").unwrap();
    assert!(description.contains("DENIED") && description.contains("kms:Decrypt"), "{description}");
    assert_eq!(text("style"), None);
}
