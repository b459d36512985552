//! Signals that end the program in order: the terminal restored, the temporary folder removed.

/// The number of SIGHUP: the terminal is gone.
pub const HANGUP: u8 = 1;

/// Listens from now on, and gives a future that completes with the number of the first signal that asks the program to
/// end. Call it before anything that a signal must not leave half done, inside a runtime.
#[cfg(unix)]
pub fn stop() -> impl Future<Output = u8> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn wait(signal: std::io::Result<Signal>) {
        match signal {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // Where a handler can't be set, the signal ends the program at once, as it does by default.
            Err(_) => std::future::pending().await,
        }
    }
    let [hangup, interrupt, terminate] =
        [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        tokio::select! {
            () = wait(hangup) => HANGUP,
            () = wait(interrupt) => 2,
            () = wait(terminate) => 15,
        }
    }
}

/// A future that completes with the number of the first signal that asks the program to end.
#[cfg(not(unix))]
pub fn stop() -> impl Future<Output = u8> {
    async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => 2,
            Err(_) => std::future::pending().await,
        }
    }
}
