//! What is written beside the loop, and waited for at the end: a runtime that ends drops what has not begun.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a disk may take for what is still being written at the end; one that hangs does not keep the person.
pub const LAST_WRITES: Duration = Duration::from_secs(2);

/// Writes that are under way. Dropped, it waits until there are none, for [`LAST_WRITES`] at most.
#[derive(Debug, Default)]
pub struct Writes(Arc<Count>);

/// A write that is under way until it is dropped.
#[derive(Debug)]
pub struct UnderWay(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    under_way: Mutex<usize>,
    fewer: Condvar,
}

impl Writes {
    /// One more is under way.
    pub fn begin(&self) -> UnderWay {
        *self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        UnderWay(self.0.clone())
    }

    fn wait(&self, most: Duration) {
        let under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has waited for long enough goes on either way.
        let _ = self.0.fewer.wait_timeout_while(under_way, most, |under_way| *under_way > 0);
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        self.wait(LAST_WRITES);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.fewer.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn the_end_waits_for_what_is_being_written() {
        let (writes, done) = (Writes::default(), Arc::new(AtomicBool::new(false)));
        let (write, told) = (writes.begin(), done.clone());
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            told.store(true, Ordering::SeqCst);
            drop(write);
        });
        drop(writes);
        assert!(done.load(Ordering::SeqCst));
    }

    #[test]
    fn the_end_comes_with_the_last_write() {
        let writes = Writes::default();
        let (write, begun) = (writes.begin(), std::time::Instant::now());
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(write);
        });
        writes.wait(Duration::from_secs(120));
        assert!(begun.elapsed() < Duration::from_secs(60), "it slept on");
    }

    #[test]
    fn a_disk_that_hangs_is_not_waited_for() {
        let writes = Writes::default();
        let write = writes.begin();
        writes.wait(Duration::from_millis(1));
        assert_eq!(*writes.0.under_way.lock().unwrap(), 1, "given up, and still under way");
        drop(write);
    }
}
