//! The bytes of a request, made once. What differs from one request to the next is a number, written over in place.

use super::Address;

/// Stands in bodies and header values where the number of the request is to go.
pub const PLACEHOLDER: &str = "################";

/// A request that is ready to be sent but for its number.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    /// Where [`PLACEHOLDER`] stood.
    marks: Vec<usize>,
}

impl Template {
    /// A POST of JSON with an idempotency key. `scope` sets the keys of this run apart from those of other runs.
    #[must_use]
    pub fn post(address: &Address, path: &str, api_key: Option<&str>, scope: &str, body: &str) -> Self {
        let (host, prefix, length) = (address.host(), address.prefix(), body.len());
        let key = api_key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        Self::new(&format!(
            "POST {prefix}{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{key}\
             idempotency-key: {scope}-{PLACEHOLDER}\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    /// A GET.
    #[must_use]
    pub fn get(address: &Address, path: &str) -> Self {
        let (host, prefix) = (address.host(), address.prefix());
        Self::new(&format!("GET {prefix}{path} HTTP/1.1\r\nhost: {host}\r\n\r\n"))
    }

    fn new(text: &str) -> Self {
        let marks = text.match_indices(PLACEHOLDER).map(|(at, _)| at).collect();
        Self { bytes: text.as_bytes().to_vec(), marks }
    }

    /// The request with this number, in 16 hexadecimal digits, wherever the placeholder stood.
    pub fn stamped(&mut self, number: u64) -> &[u8] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; PLACEHOLDER.len()];
        for (index, digit) in text.iter_mut().rev().enumerate() {
            *digit = DIGITS[((number >> (4 * index)) & 15) as usize];
        }
        for &mark in &self.marks {
            self.bytes[mark..mark + text.len()].copy_from_slice(&text);
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_request_has_its_own_number_wherever_one_belongs() {
        let address = Address::resolve("http://127.0.0.1:1").await.unwrap();
        let body = format!("{{\"name\":\"{PLACEHOLDER}\"}}");
        let mut template = Template::post(&address, "/v1/bookings", Some("secret"), "run", &body);
        let first = String::from_utf8(template.stamped(0xab).to_vec()).unwrap();
        assert_eq!(
            first,
            "POST /v1/bookings HTTP/1.1\r\nhost: 127.0.0.1:1\r\ncontent-type: application/json\r\n\
             authorization: Bearer secret\r\nidempotency-key: run-00000000000000ab\r\ncontent-length: 27\r\n\r\n\
             {\"name\":\"00000000000000ab\"}"
        );
        let second = String::from_utf8(template.stamped(u64::MAX).to_vec()).unwrap();
        assert_eq!(second, first.replace("00000000000000ab", "ffffffffffffffff"));
    }
}
