//! Under which addresses the audience's page can be reached.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// The address of this machine in its network: the one that packets to other networks leave from. Nothing is sent.
pub fn of_this_machine() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // A test network (RFC 5737): connecting a UDP socket only chooses a route.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

/// What others type to reach a server that listens on `bound`.
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    match bound.ip().is_unspecified() {
        true => SocketAddr::new(of_this_machine().unwrap_or(Ipv4Addr::LOCALHOST.into()), bound.port()),
        false => bound,
    }
}

/// Whether `host`, of a request, is an address and no name: a page of another origin can make its own name mean this
/// machine, but never an address.
pub fn is_address(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    name == "localhost" || name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("192.168.1.23:4180", true)]
    #[case("192.168.1.23", true)]
    #[case("[fe80::1]:4180", true)]
    #[case("localhost:4180", true)]
    #[case("kmslab.example:4180", false)]
    #[case("192.168.1.23.example", false)]
    #[case("", false)]
    fn a_name_is_no_address(#[case] host: &str, #[case] is: bool) {
        assert_eq!(is_address(host), is);
    }

    #[test]
    fn nobody_is_told_to_type_0_0_0_0() {
        let address = reachable("0.0.0.0:4180".parse().unwrap());
        assert!(!address.ip().is_unspecified());
        assert_eq!(address.port(), 4180);
        assert_eq!(reachable("127.0.0.1:7".parse().unwrap()).to_string(), "127.0.0.1:7");
    }
}
