//! Pictures and recordings of the real screen.
//!
//! A [`Recorder`] receives pictures. It writes an asciicast or a log of events line by line; for all other formats it
//! collects a [`Film`] in memory, which [`write()`] turns into a file at the end. `run/live.rs` and `run/studio.rs`
//! draw the pictures and decide when. Secrets are masked before they get here and searched for afterwards ([`verify`]).

mod adapt;
pub mod captions;
pub mod cast;
mod cast_reader;
pub mod chapters;
mod color_table;
mod error;
mod film;
mod font;
mod format;
mod frame;
mod glyph;
mod html;
mod line_file;
mod motion;
mod options;
mod palette;
mod partial;
mod pixels;
mod raster;
mod recorder;
mod shapes;
mod style;
mod svg;
mod text;
pub mod verify;
mod video;
mod write;

pub use captions::Caption;
pub use cast_reader::{CastError, read};
pub use chapters::clock;
pub use error::RecordError;
pub use film::{Film, Picture, Row, Rows};
pub use font::AddedFonts;
pub use format::{Format, Target};
pub use options::{Cancel, FilmOptions, OtherColors, Pixels};
pub use palette::Palette;
pub use partial::PartialCast;
pub use recorder::{Finished, Recorder, RecorderOptions, Recording};
pub(crate) use svg::escape;
pub use svg::svg;
pub use write::{Saved, can_be_written, missing_glyphs, write, write_or_rescue};
