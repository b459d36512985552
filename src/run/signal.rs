//! Signals that end the program in order: the terminal restored, the temporary folder removed.

/// The number of SIGHUP: the terminal is gone.
pub const HANGUP: u8 = 1;

/// Completes with the number of the first signal that asks the program to end.
#[cfg(unix)]
pub async fn stop() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    // Where a handler can't be set, the signal ends the program at once, as it does by default.
    let wait = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = wait(SignalKind::hangup()) => HANGUP,
        _ = wait(SignalKind::interrupt()) => 2,
        _ = wait(SignalKind::terminate()) => 15,
    }
}

/// Completes with the number of the first signal that asks the program to end.
#[cfg(not(unix))]
pub async fn stop() -> u8 {
    match tokio::signal::ctrl_c().await {
        Ok(()) => 2,
        Err(_) => std::future::pending().await,
    }
}
