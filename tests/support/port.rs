//! A port where nobody answers any more.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kmslab::sandbox::Sandbox;
use tokio::net::TcpSocket;

/// Ends `sandbox`. While the result lives no other test gets its port.
pub fn ended(sandbox: Sandbox) -> TcpSocket {
    let address: SocketAddr = sandbox.url().strip_prefix("http://").unwrap().parse().unwrap();
    drop(sandbox);
    let port = TcpSocket::new_v4().unwrap();
    port.set_reuseaddr(true).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    // A program that another test is just starting has what is open here until it runs.
    while let Err(error) = port.bind(address) {
        assert!(Instant::now() < end, "{error}");
        std::thread::sleep(Duration::from_millis(1));
    }
    port
}
