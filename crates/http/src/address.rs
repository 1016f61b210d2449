//! From which address a request comes.

use std::net::{IpAddr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use lastseat_core::command::Actor;
use lastseat_core::secret::InstanceSecret;

use crate::config::HttpConfig;
use crate::state::AppState;

/// Under which name addresses are digested.
const PURPOSE: &[u8] = b"address\0";
/// Bits of an IPv6 address that name a network: whoever has one address of it has them all.
const IPV6_NETWORK_BITS: u32 = 64;

/// The address at the other end of the connection; a request's extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub IpAddr);

/// The client's address or, for IPv6, its network: what limits are counted by.
pub(crate) fn client(head: &Parts, config: &HttpConfig) -> Option<IpAddr> {
    let named = config.trusted_proxy_header.as_ref().and_then(|name| {
        let value = head.headers.get_all(name).iter().next_back()?.to_str().ok()?;
        // The last entry is the one that our proxy wrote.
        parse(value.rsplit(',').next()?.trim())
    });
    let peer = || head.extensions.get::<Peer>().map(|peer| peer.0);
    named.or_else(peer).map(network)
}

fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    text.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS;
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
    }
}

/// An address as it is kept with bookings: a keyed digest, so that the database does not tell who it was.
pub(crate) fn digest(secret: &InstanceSecret, address: IpAddr) -> String {
    let digest = match address {
        IpAddr::V4(v4) => secret.mac(PURPOSE, &v4.octets()),
        IpAddr::V6(v6) => secret.mac(PURPOSE, &v6.octets()),
    };
    URL_SAFE_NO_PAD.encode(digest)
}

/// The digest of the address that a request of the public comes from, with the most live holds it may have, where that
/// is limited.
pub(crate) fn limited(head: &Parts, state: &AppState, actor: &Actor) -> (Option<String>, Option<i64>) {
    let most = state.config.max_open_holds_per_address.filter(|_| *actor == Actor::Public);
    let address = most.and_then(|_| client(head, &state.config));
    (address.map(|address| digest(state.engine.secret(), address)), most)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn client_of(header: Option<&str>, trusted: bool) -> String {
        let mut request = http::Request::builder();
        if let Some(value) = header {
            request = request.header("x-forwarded-for", value);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        head.extensions.insert(Peer("192.0.2.9".parse().unwrap()));
        let trusted_proxy_header = trusted.then(|| HeaderName::from_static("x-forwarded-for"));
        let config = HttpConfig { trusted_proxy_header, ..HttpConfig::default() };
        client(&head, &config).unwrap().to_string()
    }

    #[test]
    fn a_header_is_believed_only_if_the_proxy_is_trusted() {
        assert_eq!(client_of(Some("198.51.100.1"), false), "192.0.2.9");
        assert_eq!(client_of(Some("198.51.100.1"), true), "198.51.100.1");
        assert_eq!(client_of(Some("made up, 203.0.113.7, 198.51.100.1"), true), "198.51.100.1");
        assert_eq!(client_of(Some("nonsense"), true), "192.0.2.9");
        assert_eq!(client_of(None, true), "192.0.2.9");
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        assert_eq!(client_of(Some("2001:db8:1:2:3:4:5:6"), true), "2001:db8:1:2::");
        assert_eq!(client_of(Some("[2001:db8:1:2:ffff::1]:443"), true), "2001:db8:1:2::");
        assert_eq!(client_of(Some("::ffff:192.0.2.7"), true), "192.0.2.7");
    }
}
