//! The little that a load generator reads of an answer: its status, where it ends, and the code of a refusal.

use super::LoadError;

/// Largest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 1 << 20;

/// An answer, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
    /// Whether the server closes the connection after it.
    pub closes: bool,
}

impl<'a> Answer<'a> {
    /// The `code` of a problem document.
    #[must_use]
    pub fn code(&self) -> Option<&'a str> {
        const FIELD: &[u8] = b"\"code\":";
        let from = memchr::memmem::find(self.body, FIELD)? + FIELD.len();
        let rest = self.body[from..].trim_ascii_start().strip_prefix(b"\"")?;
        std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
    }
}

/// The head of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Bytes of head and body together.
    pub end: usize,
    /// Where the body begins.
    pub body: usize,
    /// Whether the server closes the connection after it.
    pub closes: bool,
}

/// Reads the head, if it is there as a whole.
///
/// # Errors
/// [`LoadError::Unreadable`] for what is not HTTP/1.1 with a `content-length`.
pub fn head(bytes: &[u8]) -> Result<Option<Head>, LoadError> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(blank) = memchr::memmem::find(bytes, END) else {
        if bytes.len() > MAX_ANSWER {
            return Err(LoadError::Unreadable("its head has no end"));
        }
        return Ok(None);
    };
    let status = status(bytes)?;
    let mut length = None;
    let mut closes = false;
    for line in bytes[..blank].split(|&byte| byte == b'\n').skip(1) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            length = std::str::from_utf8(value).ok().and_then(|text| text.parse::<usize>().ok());
        } else if name.eq_ignore_ascii_case(b"connection") {
            closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    let length = match length {
        Some(length) if length <= MAX_ANSWER => length,
        Some(_) => return Err(LoadError::Unreadable("it is too large")),
        None if matches!(status, 204 | 304) => 0,
        None => return Err(LoadError::Unreadable("it has no content-length")),
    };
    let body = blank + END.len();
    Ok(Some(Head { status, end: body + length, body, closes }))
}

fn status(bytes: &[u8]) -> Result<u16, LoadError> {
    const NOT_HTTP: LoadError = LoadError::Unreadable("it is not HTTP/1.1");
    let digits = bytes.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3)).ok_or(NOT_HTTP)?;
    std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or(NOT_HTTP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole_and_not_before() {
        let text = b"HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        for cut in 0..text.len() - 5 {
            assert_eq!(head(&text[..cut]).unwrap(), None);
        }
        let head = head(text).unwrap().unwrap();
        assert_eq!(head, Head { status: 409, end: text.len(), body: text.len() - 5, closes: true });
    }

    #[test]
    fn what_this_client_leaves_out_is_said_and_not_guessed() {
        for text in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\n\r\n",
        ] {
            assert!(matches!(head(text.as_bytes()), Err(LoadError::Unreadable(_))), "{text}");
        }
        assert_eq!(head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap().end, 27);
    }

    #[test]
    fn the_code_of_a_refusal_is_found() {
        let code = |body: &'static str| Answer { status: 409, body: body.as_bytes(), closes: false }.code();
        assert_eq!(code(r#"{"status":409,"code":"sold_out","pools":[]}"#), Some("sold_out"));
        assert_eq!(code(r#"{"code": "invalid"}"#), Some("invalid"));
        assert_eq!(code(r#"{"status":409}"#), None);
        assert_eq!(code(""), None);
    }
}
