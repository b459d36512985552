//! The keys: one table of data, from which dispatch, footer and help are made.
//!
//! [`KEYS`] says which keys ask for what. Whether that is allowed now is [`State::permit`](crate::lab::State::permit);
//! whether this screen has room for it is [`Fit`]. A key that isn't allowed isn't in the footer; it does nothing, or
//! says why. A person's own key map calls a binding by its name, [`remap()`].

pub mod chord;
pub mod fit;
pub mod hints;
mod labels;
pub mod names;
mod remap;
pub mod row;
mod table;

pub use chord::Chord;
pub use fit::{Fit, intent};
pub use hints::{footer, hints, named};
pub use names::{grouped, help, is};
pub use remap::{Problem, Wanted, remap};
pub use row::{Action, Binding, Group, KeyHint, Label, NEVER, Press, Row, Scroll};
pub use table::KEYS;
