//! Somebody with a browser: keeps cookies, reads pages, fills in forms.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::multipart::{Form as Multipart, Part};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};

use crate::html;
use crate::support::Server;

/// A browser with its cookies.
pub(crate) struct Person<'a> {
    pub(crate) server: &'a Server,
    client: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// A page that was answered.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) html: String,
    pub(crate) url: String,
}

impl Shown {
    pub(crate) fn words(&self) -> String {
        html::words(&self.html)
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.words().contains(text), "{text:?} is not in: {}", self.words());
        self
    }

    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.words().contains(text), "{text:?} is in: {}", self.words());
        self
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.words());
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where a redirect leads.
    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The addresses of all links.
    pub(crate) fn links(&self) -> Vec<String> {
        let links = html::tags(&self.html).into_iter().filter(|tag| tag.name == "a");
        links.filter_map(|tag| tag.get("href").map(str::to_owned)).collect()
    }

    /// The address of the link whose label for screen readers begins with `label`.
    #[track_caller]
    pub(crate) fn link_labelled(&self, label: &str) -> String {
        let tags = html::tags(&self.html);
        let found = tags.iter().find(|tag| {
            tag.name == "a" && tag.get("aria-label").is_some_and(|found| found.starts_with(label))
        });
        found.unwrap_or_else(|| panic!("no link is labelled {label}")).get("href").unwrap().to_owned()
    }

    /// The value of the box whose label for screen readers begins with `label`; none if it cannot be ticked.
    #[track_caller]
    pub(crate) fn box_labelled(&self, label: &str) -> Option<String> {
        let tags = html::tags(&self.html);
        let found = tags.iter().find(|tag| {
            tag.name == "input" && tag.get("aria-label").is_some_and(|found| found.starts_with(label))
        });
        let found = found.unwrap_or_else(|| panic!("no box is labelled {label}"));
        (!found.has("disabled")).then(|| found.get("value").unwrap().to_owned())
    }

    /// A form of the page, as it stands.
    pub(crate) fn form(&self, action: &str) -> Filled {
        let (action, fields) = html::form(&self.html, action);
        Filled { action, fields, file: None }
    }
}

/// A form that is being filled in.
#[derive(Clone, Debug)]
pub(crate) struct Filled {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
    file: Option<(String, Vec<u8>)>,
}

impl Filled {
    /// Writes into a field, in the place of what was there.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(found, _)| found != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ticks a box, beside others of that name.
    pub(crate) fn tick(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Chooses a file.
    pub(crate) fn file(mut self, name: &str, content: Vec<u8>) -> Self {
        self.file = Some((name.to_owned(), content));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }
}

impl<'a> Person<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { server, client, cookies: Mutex::default() }
    }

    /// Somebody who is signed in with this key.
    pub(crate) async fn signed_in(server: &'a Server, key: &str) -> Self {
        let person = Self::new(server);
        let page = person.get("/admin/sign-in").await;
        let answer = person.send_once(page.form("/admin/sign-in").set("key", key)).await;
        assert_eq!(answer.location(), "/admin", "{}", answer.words());
        person
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn send(&self, form: Filled) -> Shown {
        let answer = self.send_once(form).await;
        self.follow(answer).await
    }

    /// Sends a form, and stays at the answer.
    pub(crate) async fn send_once(&self, form: Filled) -> Shown {
        self.ask(self.request(&form)).await
    }

    /// A form as a request.
    pub(crate) fn request(&self, form: &Filled) -> RequestBuilder {
        let request = self.client.post(format!("{}{}", self.server.url, form.action));
        match &form.file {
            Some((name, content)) => {
                let texts = form
                    .fields
                    .iter()
                    .fold(Multipart::new(), |parts, (name, value)| parts.text(name.clone(), value.clone()));
                let part = Part::bytes(content.clone()).file_name("file");
                request.multipart(texts.part(name.clone(), part))
            }
            None => request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form_urlencoded(&form.fields)),
        }
    }

    /// Opens an address, through redirects.
    pub(crate) async fn get(&self, path: &str) -> Shown {
        let answer = self.get_once(path).await;
        self.follow(answer).await
    }

    /// Opens an address, and stays at the answer.
    pub(crate) async fn get_once(&self, path: &str) -> Shown {
        let path = path.split('#').next().unwrap();
        self.ask(self.client.get(format!("{}{path}", self.server.url))).await
    }

    async fn follow(&self, mut answer: Shown) -> Shown {
        for _ in 0..5 {
            if !answer.status.is_redirection() {
                break;
            }
            answer = self.get_once(answer.location()).await;
        }
        answer
    }

    pub(crate) async fn ask(&self, request: RequestBuilder) -> Shown {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("accept", "text/html");
        let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        let (status, headers, url) = (answer.status(), answer.headers().clone(), answer.url().to_string());
        for cookie in headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            let mut jar = self.cookies.lock().unwrap();
            if text.contains("Max-Age=0") {
                jar.remove(name)
            } else {
                jar.insert(name.into(), value.into())
            };
        }
        Shown { status, headers, html: answer.text().await.unwrap(), url }
    }
}

fn form_urlencoded(fields: &[(String, String)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}
