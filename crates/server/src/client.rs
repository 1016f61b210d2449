//! Talking to a running server, for the verbs that need one.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use crate::failure::Failure;
use crate::options::ClientOptions;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// Entries of a list that are asked for at a time; the server's maximum.
const PAGE: &str = "200";

/// A server, and a key to it.
pub(crate) struct Client {
    base: Url,
    key: Option<String>,
    http: reqwest::Client,
}

impl Client {
    /// A client for the server that the flags name.
    ///
    /// # Errors
    /// `Usage` if the address is none.
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, Failure> {
        let wrong = || {
            let url = &options.url;
            Failure::usage(format_args!(
                "--url: `{url}` is no server's address; give it like http://127.0.0.1:8080"
            ))
        };
        let mut base: Url = options.url.parse().map_err(|_| wrong())?;
        if base.scheme() == "https" {
            return Err(Failure::usage(
                "--url: this version of lastseat speaks no TLS; run it on the server's machine, or through a tunnel \
                 (`ssh -L 8080:127.0.0.1:8080 HOST`)",
            ));
        }
        if base.scheme() != "http" || base.host_str().is_none() {
            return Err(wrong());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // No TLS is spoken here: a system without authorities must do.
            .tls_certs_only([])
            .user_agent(concat!("lastseat/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(anyhow::Error::from)?;
        Ok(Self { base, key: options.key.clone(), http })
    }

    /// A request for a path below the server's address, without a slash at its beginning.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let url = self.base.join(path).map_err(|_| Failure::usage(format_args!("`{path}` is no path")))?;
        let request = self.http.request(method, url);
        Ok(match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        })
    }

    /// Sends a request, and makes a refusal a failure.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.unwrap_or_default();
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        Err(refusal(status, &problem, self.key.is_some()))
    }

    /// Sends a request, and reads the JSON of its answer.
    pub(crate) async fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = self.send(request).await?;
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body).map_err(|_| {
            Failure::unable(format_args!("{} answers no JSON; is it a lastseat server?", self.base))
        })
    }

    /// What is at a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.json(self.request(Method::GET, path)?).await
    }

    /// Posts a body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.json(self.request(Method::POST, path)?.json(body)).await
    }

    /// All entries of a list, page after page, but at most `limit`.
    pub(crate) async fn list(
        &self,
        path: &str,
        query: &[(&str, String)],
        limit: usize,
    ) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut request = self.request(Method::GET, path)?.query(query).query(&[("limit", PAGE)]);
            if let Some(cursor) = &cursor {
                request = request.query(&[("cursor", cursor)]);
            }
            let mut page = self.json(request).await?;
            match page.get_mut("items").map(Value::take) {
                Some(Value::Array(more)) => items.extend(more),
                _ => return Err(Failure::unable("the server's answer is no list")),
            }
            cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() || items.len() >= limit {
                items.truncate(limit);
                return Ok(items);
            }
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let hint = if error.is_connect() {
            "; is the server running, and is --url right?"
        } else if error.is_timeout() {
            "; it took too long"
        } else {
            ""
        };
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Failure::unable(format_args!("cannot talk to {}: {cause}{hint}", self.base))
    }
}

/// What a refusal means for the shell: 409 is "it does not hold now" (1); what the caller has to change is
/// wrong use (2); the rest could not be done (3).
fn refusal(status: StatusCode, problem: &Value, with_key: bool) -> Failure {
    let text = |field: &str| problem.get(field).and_then(Value::as_str);
    let said = match (text("detail"), text("title")) {
        (Some(detail), _) => detail.to_owned(),
        (None, Some(title)) => title.to_owned(),
        (None, None) => format!("the server answers {status}"),
    };
    let mut message = match text("code") {
        Some(code) => format!("{said} ({code})"),
        None => said,
    };
    let errors = problem.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if errors.len() > 1 {
        for error in errors {
            let text = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or("?");
            message.push_str(&format!("\n  {}: {}", text("field"), text("message")));
        }
    }
    match status {
        StatusCode::UNAUTHORIZED if with_key => {
            message.push_str("\nThe server does not know this key: check --key or LASTSEAT_KEY.");
        }
        StatusCode::UNAUTHORIZED => message
            .push_str("\nGive an API key in LASTSEAT_KEY; the first one is in admin.key in the server's data directory."),
        _ => {}
    }
    match status {
        StatusCode::CONFLICT => Failure::NotSo(message),
        StatusCode::TOO_MANY_REQUESTS => Failure::unable(message),
        status if status.is_client_error() => Failure::Usage(message),
        _ => Failure::unable(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(status: u16, problem: &Value) -> (String, String) {
        let failure = refusal(StatusCode::from_u16(status).unwrap(), problem, true);
        (failure.to_string(), format!("{:?}", failure.code()))
    }

    #[test]
    fn refusals_keep_the_servers_words_and_get_a_code_by_kind() {
        let code = |number: u8| format!("{:?}", std::process::ExitCode::from(number));
        let problem = json!({"code": "sold_out", "title": "Sold out", "detail": "All 10 are taken."});
        assert_eq!(refused(409, &problem), ("All 10 are taken. (sold_out)".to_owned(), code(1)));
        assert_eq!(
            refused(404, &json!({"title": "There is nothing here"})),
            ("There is nothing here".to_owned(), code(2))
        );
        assert_eq!(refused(503, &Value::Null).1, code(3));
        assert_eq!(refused(429, &Value::Null).1, code(3));
    }

    #[test]
    fn all_wrong_fields_are_named_and_one_is_not_said_twice() {
        let errors = json!([{"field": "a", "message": "is wrong"}, {"field": "b", "message": "is worse"}]);
        let problem = json!({"code": "invalid", "detail": "a is wrong (and 1 more).", "errors": errors});
        assert_eq!(
            refused(422, &problem).0,
            "a is wrong (and 1 more). (invalid)\n  a: is wrong\n  b: is worse"
        );
        let problem = json!({"code": "invalid", "detail": "a is wrong.", "errors": [errors[0]]});
        assert_eq!(refused(422, &problem).0, "a is wrong. (invalid)");
    }
}
