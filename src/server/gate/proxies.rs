//! Reverse proxies that stand in front of the gate: whose word about the client is taken, and who may speak without TLS.
//!
//! The administrator names them by address. A proxy that is not named is a client like any other, and what it says of
//! others is dropped with the head of its request.

use std::net::{IpAddr, SocketAddr};

/// The addresses of the proxies.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies(Vec<IpAddr>);

impl Proxies {
    pub fn new(addresses: &[IpAddr]) -> Self {
        Self(addresses.iter().map(IpAddr::to_canonical).collect())
    }

    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether a port without TLS is for this one: behind a proxy only the proxy and this machine itself may use it,
    /// because the way of everybody else is not protected.
    pub fn may_speak_plainly(&self, peer: IpAddr) -> bool {
        self.0.is_empty() || peer.to_canonical().is_loopback() || self.trusts(peer)
    }

    /// The client of a request that came from `peer`, by the members of its `X-Forwarded-For` fields.
    ///
    /// Each proxy appends whom it heard from, so the list is read from its end: the first address that is no proxy of
    /// ours is the client. What stands before it may be invented.
    pub fn client(&self, peer: IpAddr, forwarded_for: &[String]) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let told = forwarded_for.iter().rev().map_while(|text| address(text));
        told.into_iter().find(|address| !self.trusts(*address)).unwrap_or(peer)
    }
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_proxy_tells_the_client_and_nobody_else_does() {
        let proxies = Proxies::new(&[ip("192.0.2.1"), ip("192.0.2.2")]);
        let client = |peer: &str, told: &str| {
            let told: Vec<String> = told.split(',').map(str::to_owned).collect();
            proxies.client(ip(peer), &told).to_string()
        };
        for (peer, told, expected) in [
            ("192.0.2.1", "198.51.100.7", "198.51.100.7"),
            ("::ffff:192.0.2.1", "198.51.100.7", "198.51.100.7"),
            ("192.0.2.1", "203.0.113.9,198.51.100.7", "198.51.100.7"),
            ("192.0.2.1", "198.51.100.7,192.0.2.2", "198.51.100.7"),
            ("192.0.2.1", "198.51.100.7:4711", "198.51.100.7"),
            ("192.0.2.1", "[2001:db8::1]:4711", "2001:db8::1"),
            ("192.0.2.1", "[2001:db8::1]", "2001:db8::1"),
            ("192.0.2.1", "198.51.100.7,unknown", "192.0.2.1"),
            ("192.0.2.1", "", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.2", "192.0.2.1"),
            ("198.51.100.9", "198.51.100.7", "198.51.100.9"),
        ] {
            assert_eq!(client(peer, told), expected, "{peer} says {told}");
        }
    }

    #[test]
    fn behind_a_proxy_only_it_and_this_machine_speak_without_tls() {
        let proxies = Proxies::new(&[ip("192.0.2.1")]);
        let may = |peer: &str| proxies.may_speak_plainly(ip(peer));
        assert!(may("192.0.2.1") && may("127.0.0.1") && may("::1") && !may("198.51.100.7"));
        assert!(Proxies::default().may_speak_plainly(ip("198.51.100.7")));
    }
}
