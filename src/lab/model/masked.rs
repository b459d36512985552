//! One value, two views: as it arrived, and as it is shown.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::exchange::Exchange;

/// A value with its shown form. Only the lab reads the raw one, to decide with; everything else sees the shown one, which
/// is the same where nothing is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked<T> {
    raw: T,
    shown: T,
}

/// A call with its response. Where nothing is masked both views share one allocation.
pub type Answered = Masked<Arc<Exchange>>;

impl<T> Masked<T> {
    pub(in crate::lab) fn new(raw: T, shown: T) -> Masked<T> {
        Masked { raw, shown }
    }

    /// The value as it is shown.
    pub fn shown(&self) -> &T {
        &self.shown
    }

    pub(in crate::lab) fn raw(&self) -> &T {
        &self.raw
    }

    /// Changes the shown form alone.
    pub(in crate::lab) fn shown_mut(&mut self) -> &mut T {
        &mut self.shown
    }

    pub(in crate::lab) fn into_raw(self) -> T {
        self.raw
    }
}

impl<T> Deref for Masked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shown
    }
}

/// Shows the shown form: a debug print must not give away what is masked.
impl<T: fmt::Debug> fmt::Debug for Masked<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(out)
    }
}
