//! Errors of the database.

use crate::sandbox::entropy::NoRandomness;

/// The database failed, or holds something that this program did not write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("SQLite: {0}")]
    Database(#[from] rusqlite::Error),
    /// A document does not open under the root key: it was changed from outside.
    #[error("a sealed {0} document does not open: the database was changed from outside")]
    Tampered(String),
    /// A document opens but has another shape than expected.
    #[error("a {kind} document can't be read or written: {source}")]
    Shape {
        /// The document's kind.
        kind: String,
        /// What serde said.
        source: serde_json::Error,
    },
    /// The check at the start found something.
    #[error("{0}")]
    Damaged(String),
    /// The operating system has no randomness to give.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}
