//! The screen. [`view`] draws the state and changes nothing; [`keys`] makes intents from keys; [`terminal`] is the only
//! part that writes.
//!
//! ```text
//!  kmslab   6/9  The same Scan, twice         ✔✔✔✔✔✔●○○   SANDBOX  us-east-1      header
//!
//!  Send one Scan as admin and as test-user, at the same time.                     brief: what this stage does,
//!  look at    Denied on kms:Decrypt, not dynamodb:Scan; …                         what to look at,
//!  expected   admin allowed, test-user denied on kms:Decrypt                      what must come,
//!  observed   ✔ MET  admin ALLOWED (3 items), test-user DENIED on kms:Decrypt     what came
//!
//! ━━ admin ━ user/kmslab-admin ━━━━━━━━━┭── test-user ─ user/kmslab-user-4f2a ─   panes
//!  dynamodb:Scan kmslab-table-4f2a      │ dynamodb:Scan kmslab-table-4f2a
//!   ✔ ALLOWED   HTTP 200 · 1.7 ms       │  ✘ DENIED   HTTP 400 · 2.1 ms
//!  request id 7R2K…                     │ request id 9QX0…
//!                                       │
//!  Count: 3  ScannedCount: 3            │ action    kms:Decrypt
//!  …                                    │ …
//! ── summary ───────────────────────────┴── summary ──────── ▼ 9 more lines ──
//!                                                                                 message
//!  enter next   r again   n/p stage   tab pane   …   ? help   q quit        footer
//! ```
//! Under 80×24 one pane is shown at a time, under 60×18 only a line that says what is needed; see [`layout`].

mod answer;
mod at_rest;
mod billboard;
mod block_letters;
mod brief;
pub mod card;
pub mod class;
mod cli;
mod consent;
mod debrief;
mod denial;
pub mod desk;
mod dialog;
mod diff;
mod drill;
mod experiments;
mod extent;
pub mod film;
mod hands;
mod join;
mod json;
pub mod key_cast;
pub mod keys;
pub mod layout;
mod lesson;
pub mod mouse;
pub mod notes;
mod noticed;
pub mod opening;
mod overlay;
mod page;
mod pane;
mod path;
pub mod plain;
mod resume;
mod score;
mod screen;
mod search;
mod sheet;
mod signs;
mod size;
mod summary;
pub mod terminal;
mod text;
pub mod theme;
mod trail;
mod verdict;
mod why;

pub use key_cast::KeyCast;
pub use screen::{render, render_with, view};
pub use signs::spelt;
pub use size::Class;
pub use text::{clean, contents, shortened};
pub use theme::{ColorLevel, Theme, ThemeName};
