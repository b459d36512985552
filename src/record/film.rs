//! A recording in memory: pictures with their times and chapters. What writers of files work from.
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use std::time::Duration;

/// One picture of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// When it appears, counted from the film's beginning.
    pub at: Duration,
    /// What the screen shows.
    pub buffer: Buffer,
    /// The chapter that begins with it, such as `6 view_denied` or `6 DENIED`.
    pub chapter: Option<String>,
    /// The stage it shows, by its key; empty for the title and the end card.
    pub stage: &'static str,
}

/// A recording: pictures in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// A title for headers and alternative texts.
    pub title: String,
    /// Columns and rows of every picture.
    pub size: Size,
    /// The theme's name and colours, as `record::svg` takes them (`Palette`).
    pub palette: super::Palette,
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// When it ends: the last picture stays until then.
    pub end: Duration,
}
