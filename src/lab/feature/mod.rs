//! Features. Each owns its data and imports the kernel and the model, never another feature and never `session`.

pub mod attempts;
pub mod consent;
pub mod copy;
pub mod debrief;
pub mod drills;
pub mod experiments;
pub mod insight;
pub mod masking;
pub mod noticing;
pub mod presenting;
pub mod quiz;
pub mod replay;
pub mod review;
pub mod search;
