//! Whom a request comes from where others pass it on: what they say in `X-Forwarded-For`, as far as they are trusted.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// Where each that passes a request on adds whom it had it from.
pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Networks of those who pass requests on: proxies, and the other processes of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    /// Of networks such as `10.0.0.0/8` or `fd00::/8`, and single addresses.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let network = |text: &String| {
            let address = IpAddr::from_str(text).map(IpNet::from);
            address.or_else(|_| IpNet::from_str(text)).map_err(|_| text.clone())
        };
        texts.iter().map(network).collect::<Result<Vec<_>, _>>().map(|networks| Proxies(networks.into()))
    }

    /// The client behind the other end of a connection: of those named, the last one who is not trusted. What stands before
    /// it anybody could have written. A port is not passed on, and is 0.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.trusts(peer.ip()) {
            return peer;
        }
        let named = headers.get_all(FORWARDED_FOR).iter().rev().filter_map(|value| value.to_str().ok());
        let mut client = peer;
        for name in named.flat_map(|value| value.rsplit(',')) {
            let Some(address) = address(name.trim()) else { break };
            client = SocketAddr::new(address, 0);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }

    /// Whether it is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// With a port or without: some proxies add it.
fn address(name: &str) -> Option<IpAddr> {
    let address = name.parse().or_else(|_| name.parse::<SocketAddr>().map(|it| it.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies::parse(&["10.0.0.0/8".to_owned(), "192.0.2.7".to_owned()]).expect("networks");
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().expect("a value"));
        }
        proxies.client(SocketAddr::new(peer.parse().expect("an address"), 4000), &headers).to_string()
    }

    #[test]
    fn the_last_who_is_not_trusted_is_the_client() {
        for (peer, forwarded, expected) in [
            ("203.0.113.1", &["198.51.100.1"][..], "203.0.113.1:4000"),
            ("10.0.0.1", &[], "10.0.0.1:4000"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1:0"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1:0"),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1, 192.0.2.7"], "198.51.100.1:0"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1,10.2.0.1"], "198.51.100.1:0"),
            ("10.0.0.1", &["10.3.0.1, 10.2.0.1"], "10.3.0.1:0"),
            ("10.0.0.1", &["198.51.100.1, nonsense, 10.2.0.1"], "10.2.0.1:0"),
            ("10.0.0.1", &["198.51.100.1:99"], "198.51.100.1:0"),
            ("10.0.0.1", &["[2001:db8::1]:99"], "[2001:db8::1]:0"),
        ] {
            assert_eq!(client(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        let texts = ["10.0.0.0/8", "10.0.0.0/33"].map(str::to_owned);
        assert_eq!(Proxies::parse(&texts), Err("10.0.0.0/33".to_owned()));
        assert!(Proxies::default().client(SocketAddr::from(([127, 0, 0, 1], 1)), &HeaderMap::new()).port() == 1);
    }
}
