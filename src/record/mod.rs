//! Pictures and recordings of the real screen.

pub mod cast;
mod film;
mod svg;

pub use film::{Film, Picture};
pub use svg::{Palette, svg};
