//! Pictures and recordings of the real screen.

pub mod cast;
pub mod chapters;
mod file;
mod film;
pub mod recorder;
mod svg;
pub mod verify;
mod write;

pub use film::{Film, Picture};
pub use recorder::{Kind, Recorded, Recorder};
pub use svg::{Palette, svg};
pub use write::{FilmOptions, write};
