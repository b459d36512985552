//! The fronts of the driver: ways to show a lab and to control it.

pub mod film;
pub mod headless;
pub mod plain;
pub mod playback;
pub mod screen;
