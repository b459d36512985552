//! Pictures and recordings of the real screen.

mod svg;

pub use svg::{Palette, svg};
