//! A port where nobody answers any more.

use std::net::SocketAddr;

use kmslab::sandbox::Sandbox;
use tokio::net::TcpSocket;

/// Ends `sandbox`. While the result lives no other test gets its port.
pub fn ended(sandbox: Sandbox) -> TcpSocket {
    let address: SocketAddr = sandbox.url().strip_prefix("http://").unwrap().parse().unwrap();
    drop(sandbox);
    let port = TcpSocket::new_v4().unwrap();
    port.set_reuseaddr(true).unwrap();
    port.bind(address).unwrap();
    port
}
