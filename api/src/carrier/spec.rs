//! The OpenAPI document: what poem-openapi renders, polished until generators make good clients of it.

use super::service;
use serde_json::{Map, Value, json};

/// What answers without a key or session, below the prefix.
pub(crate) const ALLOWED_WITHOUT_KEY: [&str; 3] = ["/openapi.json", "/docs", "/docs/scalar.js"];

/// What clients read first.
const ABOUT: &str = "Automates everything a carrier does at its dashboard: accounts, SIP trunks, phone numbers, calls.

Sign in with an API key as Bearer token. Lists come in pages, newest first: give `next_cursor` as `cursor` to go on. \
A POST that has an `Idempotency-Key` below takes one of any visible characters and acts once for it in seven days; the \
answer is 410 when what it made has been removed since. Elsewhere the key is refused. PATCH is a JSON merge patch (RFC \
7396): null clears what can be empty. What can be changed has an `ETag`; `If-Match` with it changes or removes only what \
has not changed since (412 says what has), and a GET of one thing with `If-None-Match` answers 304 while you have what is \
shown. Parameters and members that are not in this document are refused. Errors are \
problem+json (RFC 9457) with a stable `code` and, for fields, everything that is wrong at once. 429 says in \
`Retry-After` when to come back; a 429 was never acted on.";

/// The document, ready to be published.
///
/// # Panics
/// Never in a process that started: a test renders it.
#[must_use]
pub fn document() -> Value {
    let mut document: Value = serde_json::from_str(&service(None).spec()).unwrap_or_default();
    walk(&mut document);
    require_authentication(&mut document);
    close_request_bodies(&mut document);
    bound_parameters(&mut document);
    document
}

/// Every path and method of the document, below the prefix.
pub(crate) fn routes_of(document: &Value) -> Vec<(String, String)> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flat_map(Map::keys);
        methods.map(move |method| (path.clone(), method.clone()))
    });
    operations.collect()
}

/// Small repairs, everywhere in the document.
fn walk(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(object) => {
            repair(object);
            object.values_mut().for_each(walk);
        }
        _ => {}
    }
}

/// A reference with annotations beside it (`allOf: [{$ref}, {description}]`) keeps them on the outside: generators read
/// two schemas to be joined otherwise.
fn annotate_outside(object: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = object.get_mut("allOf") else { return };
    let annotation = |part: &Value| {
        part.as_object().is_some_and(|part| part.keys().all(|key| ANNOTATIONS.contains(&key.as_str())))
    };
    let (annotations, schemas): (Vec<Value>, Vec<Value>) =
        std::mem::take(parts).into_iter().partition(annotation);
    *parts = schemas;
    for annotations in annotations {
        for (name, value) in annotations.as_object().into_iter().flatten() {
            object.entry(name).or_insert_with(|| value.clone());
        }
    }
}

/// Members of a schema that describe and do not restrict.
const ANNOTATIONS: [&str; 5] = ["description", "title", "example", "default", "nullable"];

fn repair(object: &mut Map<String, Value>) {
    annotate_outside(object);
    if object.get("deprecated") == Some(&Value::Bool(false)) {
        object.remove("deprecated");
    }
    if object.get("in").and_then(Value::as_str) == Some("path") {
        object.remove("explode");
        object.entry("description").or_insert(json!("The resource's SID."));
    }
    if object.get("explode") == Some(&Value::Bool(true)) {
        object.remove("explode");
    }
    if let Some(Value::Array(parts)) = object.get_mut("allOf") {
        // A reference with a description beside it: the description stands outside already.
        parts.retain(|part| part.get("$ref").is_some());
    }
    for bound in ["minimum", "maximum"] {
        if let Some(whole) = object.get(bound).and_then(Value::as_f64).filter(|bound| bound.fract() == 0.0) {
            object.insert(bound.into(), json!(whole as i64));
        }
    }
    if let Some(Value::Object(content)) = object.get_mut("content") {
        for kind in ["application/json", "application/problem+json"] {
            if let Some(media) = content.remove(&format!("{kind}; charset=utf-8")) {
                content.insert(kind.into(), media);
            }
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, schema) in properties {
            let moment = name == "at" || name.ends_with("_at");
            if let Some(schema) =
                schema.as_object_mut().filter(|schema| moment && schema.get("type") == Some(&json!("string")))
            {
                schema.insert("format".into(), json!("date-time"));
            }
        }
    }
}

fn require_authentication(document: &mut Value) {
    let schemes = json!({
        "apiKey": { "type": "http", "scheme": "bearer", "description": "A Carrier API key, `tlk_…`." },
        "session": { "type": "apiKey", "in": "cookie", "name": "__Host-session",
            "description": "The dashboard's session, after both factors." },
    });
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".into(), schemes);
    }
    if let Some(document) = document.as_object_mut() {
        document.insert("security".into(), json!([{ "apiKey": [] }, { "session": [] }]));
        if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
            info.insert("description".into(), json!(ABOUT));
            info.insert("license".into(), json!({ "name": "MIT OR Apache-2.0" }));
            info.insert("contact".into(), json!({ "name": "Trunkline" }));
        }
    }
}

/// Request bodies refuse members they do not know; the schemas say so.
fn close_request_bodies(document: &mut Value) {
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return;
    };
    let taken = |name: &str| ["Create", "Update", "Config", "Request"].iter().any(|end| name.ends_with(end));
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| taken(name)) {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("additionalProperties".into(), Value::Bool(false));
        }
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (name, property) in properties.into_iter().flatten() {
            bound(BODY, name, property);
        }
    }
}

/// What members of request bodies are like, by name. The rules themselves are the domain's.
const BODY: &[(&[&str], &str)] = &[
    (&["name", "friendly_name", "username"], r#"{"minLength":1,"maxLength":64}"#),
    (&["host"], r#"{"minLength":1,"maxLength":260}"#),
    (&["password"], r#"{"minLength":1,"maxLength":128}"#),
    (&["dial_string_prefix"], r#"{"pattern":"^[0-9*#]{0,16}$"}"#),
    (&["country"], r#"{"pattern":"^[A-Z]{2}$"}"#),
    (&["number"], r#"{"minLength":2,"maxLength":32}"#),
    (&["account_sid"], r#"{"pattern":"^AC[0-9a-f]{32}$"}"#),
    (&["sources"], r#"{"minItems":1,"maxItems":64}"#),
    (&["media_networks"], r#"{"maxItems":64}"#),
    (&["voice_url", "voice_fallback_url", "status_callback_url"], r#"{"maxLength":4000}"#),
];

/// What parameters are like, by name.
const PARAMETERS: &[(&[&str], &str)] = &[
    (&["cursor"], r#"{"minLength":1}"#),
    (&["account_sid"], r#"{"pattern":"^AC[0-9a-f]{32}$"}"#),
    (&["trunk_sid"], r#"{"pattern":"^TK[0-9a-f]{32}$"}"#),
    (&["phone_number_sid"], r#"{"pattern":"^PN[0-9a-f]{32}$"}"#),
    (&["parent_call_sid"], r#"{"pattern":"^CA[0-9a-f]{32}$"}"#),
    (&["stream_sid"], r#"{"pattern":"^(VC|AC|TK|PN|US)[0-9a-f]{32}$"}"#),
    (&["created_after", "created_before", "since", "until"], r#"{"format":"date-time"}"#),
    (&["Idempotency-Key"], r#"{"minLength":1,"maxLength":255}"#),
];

/// Adds what the table says about `name` to its schema.
fn bound(table: &[(&[&str], &str)], name: &str, schema: &mut Value) {
    let row = table.iter().find(|(names, _)| names.contains(&name));
    let more = row.and_then(|(_, more)| serde_json::from_str::<Map<String, Value>>(more).ok());
    if let (Some(more), Some(schema)) = (more, schema.as_object_mut()) {
        schema.extend(more);
    }
}

fn bound_parameters(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flatten().filter_map(|(_, item)| item.as_object_mut());
    let operations =
        items.flatten().filter_map(|(_, operation)| operation.get_mut("parameters")?.as_array_mut());
    for parameter in operations.flatten() {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(schema) = parameter.get_mut("schema") {
            bound(PARAMETERS, &name, schema);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn operations(document: &Value) -> Vec<(String, Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        let each = paths.flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (format!("{method} {path}"), operation.clone()))
        });
        each.collect()
    }

    #[test]
    fn every_operation_can_be_named_and_understood() {
        let operations = operations(&document());
        assert!(operations.len() >= 30, "{}", operations.len());
        let mut ids = HashSet::new();
        for (route, operation) in operations {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(id.starts_with(char::is_lowercase) && ids.insert(id), "{route}");
            assert!(operation["summary"].is_string() && operation["description"].is_string(), "{route}");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{route}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("4XX") && responses.contains_key("5XX"), "{route}");
        }
    }

    #[test]
    fn path_parameters_are_the_ones_in_the_path() {
        for (route, operation) in operations(&document()) {
            let named: Vec<&str> =
                route.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let given: Vec<_> =
                parameters.iter().filter(|p| p["in"] == "path").map(|p| p["name"].clone()).collect();
            assert_eq!(named, given, "{route}");
        }
    }

    #[test]
    fn the_document_has_no_traps_for_generators() {
        let text = document().to_string();
        for trap in ["charset", "int64", "uint", "\"default\"", "explode\":false"] {
            assert!(!text.contains(trap), "{trap}");
        }
    }
}
