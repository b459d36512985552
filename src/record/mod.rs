//! Pictures and recordings of the real screen.

mod film;
mod looks;
mod svg;

pub use film::{Film, Picture};
pub use looks::Palette;
pub use svg::svg;
