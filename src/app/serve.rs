//! `kmslab serve`.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use color_eyre::eyre::{Report, WrapErr};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use super::setup::sandbox_config;
use crate::cli::{Exit, Options, out, tell};
use crate::run::debug::what_to_send;
use crate::run::signal;
use crate::sandbox::{self, Sandbox};

/// Runs the sandbox alone, until a signal ends it.
///
/// # Errors
/// When it can't start, or its credentials can't be printed.
pub fn run(runtime: &Runtime, options: &Options, listen: SocketAddr) -> Result<Exit, Report> {
    let _in_runtime = runtime.enter();
    let mut stop = signal::stop(sandbox::abandon);
    let sandbox = Sandbox::start(sandbox_config(options, listen))?;
    let admin = sandbox.admin();
    let url = url(sandbox.url(), listen.ip(), own_address);
    // The AWS CLI and boto3 read the second name of the region, the SDKs the first.
    let lines = format!(
        "export AWS_ENDPOINT_URL={url}\nexport AWS_REGION={region}\nexport AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
        admin.access_key_id,
        admin.secret_access_key.as_str(),
        region = sandbox.region(),
    );
    let mut out = out();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).wrap_err("the credentials could not be printed")?;
    drop(out);
    tell(format_args!("the sandbox listens at {url}; its database is {}", sandbox.database().display()));
    if !listen.ip().is_loopback() {
        tell(
            "warning: other machines can reach this sandbox, and its credentials and table data cross the network \
             unencrypted; use only made-up data, on a network you trust",
        );
    }
    tell(format_args!(
        "DynamoDB caches a table's key for each connection until it is idle for five minutes, so a key you take away \
         may still work; \
         `curl -X POST '{url}/_kmslab/advance?seconds=300'` moves the clock forward"
    ));
    tell("paste the lines above into another shell; Ctrl-C ends the sandbox");
    let ended = sandbox.ended();
    runtime.block_on(async {
        tokio::select! {
            _ = stop.next() => Ok(Exit::Met),
            () = ended => {
                let send = what_to_send();
                Err(Report::msg(format!("the sandbox's server has ended; this is a bug in kmslab: {send}")))
            },
        }
    })
}

/// The URL that clients use. A sandbox that listens on all addresses of this machine has one that others can reach, too.
fn url(sandbox: &str, listen: IpAddr, own_address: impl Fn(bool) -> Option<IpAddr>) -> String {
    let port = sandbox.rsplit(':').next().and_then(|port| port.parse().ok());
    // On most systems, who listens on all IPv6 addresses listens on those of IPv4, too.
    let own = || own_address(listen.is_ipv6()).or_else(|| own_address(false));
    match (listen.is_unspecified(), port) {
        (true, Some(port)) => own().map(|own| format!("http://{}", SocketAddr::new(own, port))),
        _ => None,
    }
    .unwrap_or_else(|| sandbox.to_owned())
}

/// The address by which this machine reaches others. Nothing is sent: to connect a UDP socket only chooses a route.
fn own_address(v6: bool) -> Option<IpAddr> {
    // Addresses of the documentation: no machine has them.
    let (any, other): (IpAddr, IpAddr) = match v6 {
        true => (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
        false => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((other, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_unspecified() && !own.is_loopback()).then_some(own)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::loopback("http://127.0.0.1:4599", "127.0.0.1", &["10.1.2.3"], "http://127.0.0.1:4599")]
    #[case::all("http://127.0.0.1:4599", "0.0.0.0", &["10.1.2.3"], "http://10.1.2.3:4599")]
    #[case::no_network("http://127.0.0.1:4599", "0.0.0.0", &[], "http://127.0.0.1:4599")]
    #[case::all_of_v6("http://[::1]:4599", "::", &["10.1.2.3", "fd00::7"], "http://[fd00::7]:4599")]
    #[case::only_v4("http://[::1]:4599", "::", &["10.1.2.3"], "http://10.1.2.3:4599")]
    #[case::one("http://10.1.2.3:80", "10.1.2.3", &["10.9.9.9"], "http://10.1.2.3:80")]
    fn others_can_use_the_url(#[case] url: &str, #[case] listen: &str, #[case] own: &[&str], #[case] expected: &str) {
        let own: Vec<IpAddr> = own.iter().map(|own| own.parse().unwrap()).collect();
        let own_address = |v6: bool| own.iter().copied().find(|own| own.is_ipv6() == v6);
        assert_eq!(super::url(url, listen.parse().unwrap(), own_address), expected);
    }
}
