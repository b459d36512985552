//! Signals that end the program in order: the terminal restored, the temporary folder removed.

use futures_util::Stream;

/// The number of SIGHUP: the terminal is gone.
pub const HANGUP: u8 = 1;

/// Listens from now on, and gives the numbers of the signals that ask the program to end, as they arrive. Call it
/// before anything that a signal must not leave half done, inside a runtime.
///
/// A terminal that takes nothing can hold the program up anywhere it writes. Should it do so when a signal has come, a
/// thread of its own restores the terminal, calls `last_resort`, and ends the process.
#[cfg(unix)]
pub fn stop(last_resort: fn()) -> impl Stream<Item = u8> + Unpin {
    use futures_util::StreamExt;
    unix::watch(last_resort);
    unix::signals().inspect(|_| crate::ui::terminal::hurry())
}

/// The numbers of the signals that ask the program to end, as they arrive.
#[cfg(not(unix))]
pub fn stop(_: fn()) -> impl Stream<Item = u8> + Unpin {
    Box::pin(futures_util::stream::unfold((), |()| async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Some((2, ())),
            Err(_) => None,
        }
    }))
}

#[cfg(unix)]
mod unix {
    use std::task::Poll;
    use std::time::Duration;

    use futures_util::{Stream, StreamExt};
    use tokio::signal::unix::{SignalKind, signal};
    use tokio::time::Instant;

    use crate::ui::terminal;

    /// A terminal that takes nothing for so long after a signal holds the program up.
    const GRACE: Duration = Duration::from_millis(800);

    /// Between two looks at it.
    const LOOK: Duration = Duration::from_millis(50);

    /// All that end a process which does not care, and can be caught. (A defect has ended it with the others.)
    pub fn signals() -> impl Stream<Item = u8> + Unpin {
        let cpu = SignalKind::from_raw(rustix::process::Signal::XCPU.as_raw());
        let kinds = [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::quit(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
            SignalKind::alarm(),
            SignalKind::terminate(),
            cpu,
        ];
        // Where a handler can't be set, the signal ends the program at once, as it does by default.
        let mut signals = kinds.map(|kind| (signal(kind).ok(), u8::try_from(kind.as_raw_value()).unwrap_or(u8::MAX)));
        futures_util::stream::poll_fn(move |context| {
            for (signal, number) in &mut signals {
                if signal.as_mut().is_some_and(|signal| signal.poll_recv(context).is_ready()) {
                    return Poll::Ready(Some(*number));
                }
            }
            Poll::Pending
        })
    }

    /// Begins to watch, in a thread: the loop may be the one that is held up. Where there can be none, nobody watches.
    pub fn watch(last_resort: fn()) {
        let watching = std::thread::Builder::new().name("kmslab-signals".to_owned());
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let _ = watching.spawn(move || {
            runtime.block_on(async {
                let Some(number) = signals().next().await else { return };
                let mut since = Instant::now();
                while since.elapsed() < GRACE {
                    tokio::time::sleep(LOOK).await;
                    if !terminal::is_stuck() {
                        since = Instant::now();
                    }
                }
                let _ = terminal::restore();
                last_resort();
                std::process::exit(128 + i32::from(number));
            });
        });
    }
}
