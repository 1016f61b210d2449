//! The description of the API as a page shows it.

use serde_json::Value;

/// Methods in the order in which they are shown.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// How references to schemas begin.
const SCHEMAS: &str = "#/components/schemas/";

/// Everything.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) about: String,
    pub(super) version: String,
    pub(super) groups: Vec<Group>,
    pub(super) schemas: Vec<Schema>,
}

/// Operations about one thing.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) operations: Vec<Operation>,
}

/// What can be done.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) anchor: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) who: &'static str,
    pub(super) parameters: Vec<Field>,
    pub(super) bodies: Vec<Content>,
    pub(super) answers: Vec<Answer>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) about: String,
    pub(super) contents: Vec<Content>,
}

/// A body of one media type.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) media_type: String,
    pub(super) of: Type,
}

/// An object, or a list of names.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) of: Type,
    pub(super) fields: Vec<Field>,
}

/// A field or a parameter.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Where it stands: `path`, `query`, `header`; empty for fields.
    pub(super) place: String,
    pub(super) of: Type,
    pub(super) required: bool,
    pub(super) about: String,
}

/// What a value is: words, with the schema that some of them lead to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Type {
    pub(super) before: String,
    pub(super) schema: Option<String>,
    pub(super) after: String,
}

impl Model {
    /// The model of a description.
    pub(super) fn new(api: &Value) -> Self {
        let groups = list(&api["tags"]).map(|tag| {
            let name = text(&tag["name"]);
            let operations = operations(api, &name);
            Group { about: text(&tag["description"]), operations, name }
        });
        let schemas = entries(&api["components"]["schemas"]).map(|(name, schema)| schema_of(name, schema));
        let info = &api["info"];
        Self {
            about: text(&info["description"]),
            version: text(&info["version"]),
            groups: groups.collect(),
            schemas: schemas.collect(),
        }
    }
}

fn operations(api: &Value, tag: &str) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in entries(&api["paths"]) {
        for method in METHODS {
            let operation = &item[method];
            if list(&operation["tags"]).any(|name| name == tag) {
                all.push(operation_of(method, path, operation));
            }
        }
    }
    all
}

fn operation_of(method: &str, path: &str, operation: &Value) -> Operation {
    let parameters = list(&operation["parameters"]).map(|parameter| Field {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        of: type_of(&parameter["schema"]),
        required: parameter["required"] == true,
        about: text(&parameter["description"]),
    });
    let answers = entries(&operation["responses"]).map(|(status, answer)| Answer {
        status: status.clone(),
        about: text(&answer["description"]),
        contents: contents(&answer["content"]),
    });
    let anchor: String =
        format!("{method}{path}").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Operation {
        anchor,
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        who: who(&operation["security"]),
        parameters: parameters.collect(),
        bodies: contents(&operation["requestBody"]["content"]),
        answers: answers.collect(),
    }
}

fn who(security: &Value) -> &'static str {
    let needs = |name: &str| list(security).any(|one| one.get(name).is_some());
    let open = list(security).any(|one| one.as_object().is_some_and(serde_json::Map::is_empty));
    match (open, needs("booking_token"), needs("api_key")) {
        (true, ..) => "anybody",
        (false, true, _) => "the booking's token, or an API key",
        _ => "an API key",
    }
}

fn contents(content: &Value) -> Vec<Content> {
    let content = entries(content);
    content
        .map(|(media_type, content)| Content {
            media_type: media_type.clone(),
            of: type_of(&content["schema"]),
        })
        .collect()
}

fn schema_of(name: &str, schema: &Value) -> Schema {
    let required: Vec<&Value> = list(&schema["required"]).collect();
    // What is composed of several objects shows the fields of all of them.
    let parts = list(&schema["allOf"]).chain([schema]);
    let fields = parts.flat_map(|part| entries(&part["properties"])).map(|(name, field)| Field {
        name: name.clone(),
        place: String::new(),
        of: type_of(field),
        required: required.iter().any(|one| *one == name),
        about: text(&field["description"]),
    });
    let fields: Vec<Field> = fields.collect();
    let of = if fields.is_empty() { type_of(schema) } else { Type::default() };
    Schema { name: name.to_owned(), about: text(&schema["description"]), of, fields }
}

/// What a value is, in words.
fn type_of(schema: &Value) -> Type {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(SCHEMAS)) {
        return Type { schema: Some(name.to_owned()), ..Type::default() };
    }
    let choices: Vec<&Value> =
        ["oneOf", "anyOf", "allOf"].iter().flat_map(|name| list(&schema[*name])).collect();
    if let Some(first) = choices.iter().find(|one| one["type"] != "null") {
        let mut of = type_of(first);
        if choices.iter().any(|one| one["type"] == "null") {
            of.after.push_str(" or null");
        }
        return of;
    }
    let kinds: Vec<String> = match &schema["type"] {
        Value::String(kind) => vec![kind.clone()],
        kinds => list(kinds).map(text).collect(),
    };
    let mut names: Vec<String> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
    let names_given: Vec<_> = list(&schema["enum"]).filter(|one| !one.is_null()).map(text).collect();
    if !names_given.is_empty() {
        names = vec![names_given.join(" | ")];
    }
    let null = if kinds.iter().any(|kind| kind == "null") { " or null" } else { "" };
    if names == ["array"] {
        let of = type_of(&schema["items"]);
        return Type { before: format!("list of {}", of.before), after: format!("{}{null}", of.after), ..of };
    }
    let limits = limits(schema);
    Type { before: format!("{}{limits}{null}", names.join(" or ")), ..Type::default() }
}

fn limits(schema: &Value) -> String {
    let number = |name: &str| schema[name].as_i64();
    let mut text = schema["format"].as_str().map_or_else(String::new, |format| format!(" ({format})"));
    let ranges = [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ];
    for (least, most, unit) in ranges {
        match (number(least), number(most)) {
            (Some(least), Some(most)) if least == most => text.push_str(&format!(", {least}{unit}")),
            (Some(least), Some(most)) => text.push_str(&format!(", {least} to {most}{unit}")),
            (Some(least), None) => text.push_str(&format!(", at least {least}{unit}")),
            (None, Some(most)) => text.push_str(&format!(", at most {most}{unit}")),
            (None, None) => {}
        }
    }
    text
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(schema: &Value) -> String {
        let of = type_of(schema);
        format!("{}{}{}", of.before, of.schema.map(|name| format!("<{name}>")).unwrap_or_default(), of.after)
    }

    #[test]
    fn types_are_told_in_words() {
        let line = json!({"$ref": "#/components/schemas/Line"});
        assert_eq!(words(&json!({"type": "array", "items": line})), "list of <Line>");
        assert_eq!(words(&json!({"oneOf": [{"type": "null"}, line]})), "<Line> or null");
        assert_eq!(
            words(&json!({"type": ["string", "null"], "maxLength": 9})),
            "string, at most 9 characters or null"
        );
        assert_eq!(words(&json!({"type": "string", "enum": ["a", "b"]})), "a | b");
        assert_eq!(
            words(&json!({"type": "integer", "format": "int64", "minimum": 1})),
            "integer (int64), at least 1"
        );
    }

    #[test]
    fn every_operation_stands_in_a_group() {
        let api = serde_json::to_value(crate::openapi()).unwrap();
        let model = Model::new(&api);
        let shown: usize = model.groups.iter().map(|group| group.operations.len()).sum();
        let described: usize = entries(&api["paths"])
            .map(|(_, item)| METHODS.iter().filter(|m| item.get(**m).is_some()).count())
            .sum();
        assert!(described > 30);
        assert_eq!(shown, described);
        let named: Vec<_> = model.schemas.iter().map(|schema| schema.name.as_str()).collect();
        for name in ["Booking", "Listing", "Availability", "Problem", "BookingRequest"] {
            assert!(named.contains(&name), "{name}");
        }
    }
}
