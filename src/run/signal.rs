//! Signals that end the program in order: the terminal restored, the temporary folder removed.

use futures_util::Stream;

/// The number of SIGHUP: the terminal is gone.
pub const HANGUP: u8 = 1;

/// Listens from now on, and gives the numbers of the signals that ask the program to end, as they arrive. Call it
/// before anything that a signal must not leave half done, inside a runtime.
#[cfg(unix)]
pub fn stop() -> impl Stream<Item = u8> + Unpin {
    use std::task::Poll;
    use tokio::signal::unix::{SignalKind, signal};
    // Where a handler can't be set, the signal ends the program at once, as it does by default.
    let mut signals = [(SignalKind::hangup(), HANGUP), (SignalKind::interrupt(), 2), (SignalKind::terminate(), 15)]
        .map(|(kind, number)| (signal(kind).ok(), number));
    futures_util::stream::poll_fn(move |context| {
        for (signal, number) in &mut signals {
            if signal.as_mut().is_some_and(|signal| signal.poll_recv(context).is_ready()) {
                return Poll::Ready(Some(*number));
            }
        }
        Poll::Pending
    })
}

/// The numbers of the signals that ask the program to end, as they arrive.
#[cfg(not(unix))]
pub fn stop() -> impl Stream<Item = u8> + Unpin {
    Box::pin(futures_util::stream::unfold((), |()| async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Some((2, ())),
            Err(_) => None,
        }
    }))
}
