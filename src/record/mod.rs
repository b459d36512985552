//! Pictures and recordings of the real screen.
//!
//! A [`Recorder`] takes pictures as they come. It writes an asciicast or a log of events line by line; of all else it
//! keeps a [`Film`] in memory, of which [`write()`] makes a file at the end. Who draws the pictures, and when, is not
//! its business (`run/live.rs` for a screen, `run/studio.rs` without one). It writes what it is given: what must not
//! be published is masked before, and looked for afterwards ([`verify`]).

pub mod cast;
pub mod chapters;
mod file;
mod film;
mod font;
mod html;
mod inks;
mod looks;
mod motion;
mod mp4;
mod pixels;
mod raster;
pub mod recorder;
mod svg;
mod text;
pub mod verify;
mod write;

pub use film::{Film, Picture, Row, Rows};
pub use font::AddedFonts;
pub use looks::Palette;
pub use recorder::{Kind, Recorded, Recorder};
pub(crate) use svg::escape;
pub use svg::svg;
pub use write::{
    FilmError, FilmOptions, Saved, Stop, can_be_written, is_pixels, missing_folder, write, write_elsewhere,
};
