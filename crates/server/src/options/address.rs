//! Addresses to listen on.

use std::net::{SocketAddr, ToSocketAddrs};

/// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; port 0 stands for any free one.
///
/// # Errors
/// A sentence for people.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("`{text}` is no address to listen on; give ADDRESS:PORT, like 127.0.0.1:8080");
    match text.parse() {
        Ok(address) => Ok(address),
        Err(_) => text.to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port() {
        assert_eq!(listen_address("127.0.0.1:0").unwrap().port(), 0);
        assert!(listen_address("[::1]:8080").unwrap().is_ipv6());
        assert!(listen_address("localhost:8080").unwrap().ip().is_loopback());
        for wrong in ["", "127.0.0.1", ":::", "127.0.0.1:99999", "8080", "http://127.0.0.1:8080"] {
            assert!(listen_address(wrong).unwrap_err().contains("ADDRESS:PORT"), "{wrong}");
        }
    }
}
