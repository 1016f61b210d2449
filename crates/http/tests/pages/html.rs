//! As much of HTML as is needed to fill in our own forms.

/// A tag with its attributes, and where its content begins.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

impl Tag {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// All tags of a page in order; closing ones have a slash in front of their name.
pub(crate) fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(begin) = html[at..].find('<').map(|offset| at + offset) {
        let Some((tag, end)) = tag(html, begin) else { break };
        at = end;
        tags.push(tag);
    }
    tags
}

fn tag(html: &str, begin: usize) -> Option<(Tag, usize)> {
    let name: String =
        html[begin + 1..].chars().take_while(|c| !c.is_whitespace() && !matches!(c, '>')).collect();
    let mut at = begin + 1 + name.len();
    let mut attributes = Vec::new();
    loop {
        let rest = html.get(at..)?;
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        let rest = html.get(at..)?;
        if rest.starts_with('>') {
            let tag = Tag { name: name.trim_end_matches('/').to_owned(), attributes, begin, end: at + 1 };
            return Some((tag, at + 1));
        }
        let key: String =
            rest.chars().take_while(|c| !c.is_whitespace() && !matches!(c, '=' | '>')).collect();
        if key.is_empty() {
            return None;
        }
        at += key.len();
        if html[at..].starts_with("=\"") {
            let length = html[at + 2..].find('"')?;
            attributes.push((key, text(&html[at + 2..at + 2 + length])));
            at += length + 3;
        } else {
            attributes.push((key, String::new()));
        }
    }
}

/// Text without references.
pub(crate) fn text(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((name, after)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            continue;
        };
        let number = name.strip_prefix('#').and_then(|digits| digits.parse().ok()).and_then(char::from_u32);
        out.push(number.unwrap_or(match name {
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            _ => '&',
        }));
        rest = after;
    }
    out + rest
}

/// What a person reads: the text without tags, blanks drawn together.
pub(crate) fn words(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        out.push(' ');
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    text(&out).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fields that a browser would send with the form whose action is `action`, or begins with it, and that action.
pub(crate) fn form(html: &str, action: &str) -> (String, Vec<(String, String)>) {
    let tags = tags(html);
    let of = |fits: &dyn Fn(&str) -> bool| {
        tags.iter().position(|tag| tag.name == "form" && tag.get("action").is_some_and(fits))
    };
    let begin = of(&|found| found == action)
        .or_else(|| of(&|found| found.starts_with(action)))
        .unwrap_or_else(|| panic!("there is no form for {action} in: {}", words(html)));
    let id = tags[begin].get("id").unwrap_or("-").to_owned();
    let end = tags[begin..].iter().position(|tag| tag.name == "/form").expect("forms are closed") + begin;
    let mut fields = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        let ours = tag.get("form").map_or((begin..end).contains(&index), |form| form == id);
        let (true, Some(name)) = (ours, tag.get("name")) else { continue };
        if tag.has("disabled") {
            continue;
        }
        if let Some(value) = value(html, &tags, index) {
            fields.push((name.to_owned(), value));
        }
    }
    (tags[begin].get("action").expect("it was found by it").to_owned(), fields)
}

/// What a control sends; none for boxes that are not ticked, and for buttons.
fn value(html: &str, tags: &[Tag], index: usize) -> Option<String> {
    let tag = &tags[index];
    match (tag.name.as_str(), tag.get("type")) {
        ("input", Some("checkbox" | "radio")) => {
            tag.has("checked").then(|| tag.get("value").unwrap_or("on").to_owned())
        }
        ("input", Some("file")) => None,
        ("input", _) => Some(tag.get("value").unwrap_or_default().to_owned()),
        ("textarea", _) => {
            let close = tags[index..].iter().find(|tag| tag.name == "/textarea")?;
            Some(text(&html[tag.end..close.begin]))
        }
        ("select", _) => {
            let options = tags[index..].iter().take_while(|tag| tag.name != "/select");
            let options: Vec<_> = options.filter(|tag| tag.name == "option").collect();
            let chosen = options.iter().find(|option| option.has("selected")).or(options.first())?;
            chosen.get("value").map(str::to_owned)
        }
        _ => None,
    }
}

#[test]
fn a_form_is_read_as_a_browser_would_send_it() {
    let html = r#"<form id="f" action="/x/1" method="post"><input type="hidden" name="a" value="1&#38;2">
        <input type="checkbox" name="b" value="2"><input type="checkbox" name="b" value="3" checked>
        <select name="c"><option value="4"></option><option value="5" selected></option></select>
        <textarea name="d">six
&#60;</textarea><button name="e" value="7">Go</button></form><input name="g" value="8" form="f">"#;
    let (action, fields) = form(html, "/x/");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(action, "/x/1");
    assert_eq!(fields, [("a", "1&2"), ("b", "3"), ("c", "5"), ("d", "six\n<"), ("g", "8")]);
    assert_eq!(words(html), "six <Go".replace("<G", "< G"));
}
