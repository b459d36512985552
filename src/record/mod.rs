//! Pictures and recordings of the real screen.

mod film;
mod svg;

pub use film::{Film, Picture};
pub use svg::{Palette, svg};
