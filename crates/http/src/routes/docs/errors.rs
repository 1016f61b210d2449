//! `GET /errors` and `GET /errors/{code}`: what each refusal means and what to do. Problem details lead here.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use lastseat_core::refusal::Code;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, html as markdown};
use rust_embed::Embed;

use crate::pages::shell::{Caching, Shell, html};
use crate::problem::Problem;
use crate::routes::Id;

/// The texts, one per code.
#[derive(Embed)]
#[folder = "../../docs/errors/"]
struct Texts;

#[derive(Template)]
#[template(path = "refusal.html")]
struct View {
    shell: Shell,
    /// HTML, made from our own texts.
    text: String,
}

#[derive(Template)]
#[template(path = "refusals.html")]
struct ListView {
    shell: Shell,
    codes: &'static [Code],
}

pub(crate) async fn list() -> Response {
    let view = ListView { shell: Shell::bare("Refusals"), codes: Code::ALL };
    html(StatusCode::OK, Caching::Checked, view.render())
}

pub(crate) async fn page(Id(name): Id) -> Response {
    let known = Code::ALL.iter().find(|code| code.as_str() == name);
    let text = known.and_then(|code| Texts::get(&format!("{code}.md")));
    let Some(text) = text else { return Problem::not_found("code of a refusal").into_response() };
    let text = String::from_utf8_lossy(&text.data);
    let view = View { shell: Shell::bare(name), text: rendered(&text) };
    html(StatusCode::OK, Caching::Checked, view.render())
}

/// Markdown as HTML. The texts link to each other by file names.
fn rendered(text: &str) -> String {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).map(|event| match event {
        Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title, id }) => {
            let dest_url = match dest_url.strip_suffix(".md") {
                Some(code) if !code.contains('/') => format!("/errors/{code}").into(),
                _ => dest_url,
            };
            Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title, id })
        }
        other => other,
    });
    let mut out = String::new();
    markdown::push_html(&mut out, events);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_text() {
        for code in Code::ALL {
            let text = Texts::get(&format!("{code}.md")).unwrap_or_else(|| panic!("{code} has no text"));
            let html = rendered(std::str::from_utf8(&text.data).unwrap());
            assert!(html.contains(&format!("<h1>{code} ({})</h1>", code.status())), "{html}");
        }
    }

    #[test]
    fn links_between_texts_lead_to_their_pages() {
        assert_eq!(
            rendered("[a](sold_out.md) [b](https://example.org/x.md)"),
            "<p><a href=\"/errors/sold_out\">a</a> <a href=\"https://example.org/x.md\">b</a></p>\n"
        );
    }
}
