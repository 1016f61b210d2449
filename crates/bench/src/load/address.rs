//! Where a server listens, from its URL.

use std::net::SocketAddr;

use http::Uri;

use super::LoadError;

/// The port of plain HTTP.
const HTTP_PORT: u16 = 80;

/// A server that is about to be loaded.
#[derive(Clone, Debug)]
pub struct Address {
    base: String,
    host: String,
    prefix: String,
    socket: SocketAddr,
}

impl Address {
    /// Reads `http://HOST[:PORT][/PREFIX]` and looks the host up.
    ///
    /// # Errors
    /// [`LoadError::Url`] if it is no such URL or the host is unknown. TLS is not spoken: load is measured beside the
    /// server, not through the proxy in front of it.
    pub async fn resolve(url: &str) -> Result<Self, LoadError> {
        let refuse = |why: String| LoadError::Url { url: url.to_owned(), why };
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| refuse(error.to_string()))?;
        if uri.scheme_str() != Some("http") {
            return Err(refuse("it must begin with http://, this load generator speaks no TLS".to_owned()));
        }
        let authority = uri.authority().ok_or_else(|| refuse("it names no host".to_owned()))?;
        let prefix = uri.path().trim_end_matches('/').to_owned();
        let host = authority.as_str().to_owned();
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let socket = tokio::net::lookup_host((name, authority.port_u16().unwrap_or(HTTP_PORT)))
            .await
            .map_err(|error| refuse(error.to_string()))?
            .next()
            .ok_or_else(|| refuse("the host has no address".to_owned()))?;
        Ok(Self { base: format!("http://{host}{prefix}"), host, prefix, socket })
    }

    /// `http://HOST[:PORT][/PREFIX]`, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What the `Host` header says.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What stands before every path; often nothing.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where to connect.
    #[must_use]
    pub const fn socket(&self) -> SocketAddr {
        self.socket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_gives_host_prefix_and_socket() {
        let address = Address::resolve("http://127.0.0.1:8080/shop/").await.unwrap();
        assert_eq!(address.host(), "127.0.0.1:8080");
        assert_eq!(address.prefix(), "/shop");
        assert_eq!(address.base(), "http://127.0.0.1:8080/shop");
        assert_eq!(address.socket().port(), 8080);
        assert_eq!(Address::resolve("http://[::1]").await.unwrap().socket().port(), 80);
    }

    #[tokio::test]
    async fn what_cannot_be_loaded_is_refused_with_a_reason() {
        for url in ["https://127.0.0.1", "127.0.0.1:8080", "http://", "ftp://x", "http://a b"] {
            let error = Address::resolve(url).await.unwrap_err();
            assert!(matches!(error, LoadError::Url { .. }), "{url}: {error}");
        }
    }
}
