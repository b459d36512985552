//! Features. Each owns its data and imports the kernel and the model, never another feature and never `session`.

pub mod masking;
pub mod presenting;
