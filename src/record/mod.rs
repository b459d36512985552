//! Pictures and recordings of the real screen.
//!
//! A recording is a [`Film`] in memory; [`write`] makes a file of it.

mod film;
mod html;
mod inks;
mod looks;
mod motion;
mod mp4;
mod pixels;
mod raster;
mod svg;
mod text;
mod write;

pub use film::{Film, Picture};
pub use looks::Palette;
pub use svg::svg;
pub use write::{FilmError, FilmOptions, write};
