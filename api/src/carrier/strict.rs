//! What the OpenAPI document says of requests, held before an endpoint sees them: query parameters there are none of,
//! members of a body that are missing, mistyped or unknown, all at once, and the one header that must not be overlooked.

use super::conditional;
use crate::{
    fields::Fields,
    once::Key,
    problem::{FieldError, Refusal},
};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Result,
    http::{Method, StatusCode},
};
use poem_openapi::{
    registry::Registry,
    types::{ParseFromJSON, Type},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The header whose key makes a request act once.
const KEY: &str = "Idempotency-Key";
/// Most things that are wrong that are told at once.
const TOLD: usize = 50;
/// Longest name, in bytes, that is compared with those that are known.
const COMPARED: usize = 64;
/// How like a known name an unknown one must be for it to be meant (Jaro-Winkler).
const LIKE: f64 = 0.8;

/// Every operation of the document.
struct Rules {
    operations: Vec<Operation>,
    schemas: Value,
}

struct Operation {
    path: String,
    method: Method,
    parameters: Vec<String>,
    /// Whether it acts once for a key.
    takes_key: bool,
    /// Whether it makes something that was not there.
    creates: bool,
    body: Option<Value>,
}

/// `endpoint`, asked only what the document says that it takes.
pub(crate) fn strict<E: Endpoint + 'static>(
    endpoint: E,
    document: &Value,
) -> impl Endpoint<Output = Response> + use<E> {
    let rules = Arc::new(Rules::of(document));
    endpoint.around(move |endpoint, request| {
        let rules = rules.clone();
        async move { Ok(endpoint.call(rules.checked(request).await?).await?.into_response()) }
    })
}

/// A body outside of the document, judged as those in it are.
///
/// # Errors
/// 422 with everything that is missing, mistyped or unknown.
pub(crate) fn shaped<T: Type + ParseFromJSON>(body: Value) -> Result<T, Refusal> {
    let mut registry = Registry::new();
    T::register(&mut registry);
    let mut schemas = serde_json::to_value(&registry.schemas).unwrap_or_default();
    // Those of the document are closed when it is written.
    let members = schemas.as_object_mut().into_iter().flat_map(|schemas| schemas.values_mut());
    members.filter_map(Value::as_object_mut).for_each(|schema| {
        schema.insert("additionalProperties".into(), Value::Bool(false));
    });
    let mut faults = Vec::new();
    let schema = json!({ "$ref": format!("#/components/schemas/{}", T::name()) });
    Rules { operations: Vec::new(), schemas }.check("", &schema, &body, false, &mut faults);
    faults.truncate(TOLD);
    if !faults.is_empty() {
        return Err(Refusal::invalid(faults));
    }
    T::parse_from_json(Some(body)).map_err(|error| Refusal::field("body", error.into_message()))
}

/// The key a request is to act once for, if it has one.
///
/// # Errors
/// 400, see [`Key::of`].
pub(super) fn idempotency_key(request: &Request) -> Result<Option<Key>, Refusal> {
    Key::of(request, &[KEY])
}

impl Rules {
    fn of(document: &Value) -> Rules {
        let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.filter_map(move |(method, operation)| Operation::of(path, method, operation))
        });
        let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
        Rules { operations: operations.collect(), schemas }
    }

    async fn checked(&self, mut request: Request) -> Result<Request> {
        let Some(operation) = self.operation(&request) else { return Ok(request) };
        operation.check_query(request.uri().query().unwrap_or_default())?;
        operation.check_key(&request)?;
        if let Some(schema) = &operation.body {
            let bytes = request.take_body().into_bytes().await?;
            // What is no JSON at all is told by whoever parses it.
            let body = serde_json::from_slice::<Value>(&bytes);
            request.set_body(bytes);
            if let Ok(body) = body {
                let mut faults = Vec::new();
                self.check("", schema, &body, false, &mut faults);
                faults.truncate(TOLD);
                if !faults.is_empty() {
                    return Err(Refusal::invalid(faults).into());
                }
            }
        }
        if operation.creates {
            conditional::of_what_is_new(request.headers())?;
        }
        Ok(request)
    }

    fn operation(&self, request: &Request) -> Option<&Operation> {
        let path = request.uri().path().trim_end_matches('/');
        let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let own = |operation: &&Operation| operation.method == *method && operation.path == path;
        let like = |operation: &&Operation| operation.method == *method && matches(&operation.path, path);
        let mut operations = self.operations.iter();
        self.operations.iter().find(own).or_else(|| operations.find(like))
    }

    /// Notes what is wrong with the shape of `value`. In a merge patch (`patch`) null clears, or is wrong; elsewhere a
    /// member that may be left out may be null.
    fn check(&self, at: &str, schema: &Value, value: &Value, patch: bool, faults: &mut Vec<FieldError>) {
        if faults.len() >= TOLD {
            return;
        }
        let (schema, patch) = self.resolved(schema, patch);
        let wrong = |message: &str| FieldError { field: shown(at), message: message.into() };
        let choice = schema.get("enum").and_then(Value::as_array);
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        match (kind, value) {
            ("object", Value::Object(members)) => self.check_members(at, schema, members, patch, faults),
            ("array", Value::Array(items)) => {
                let of = schema.get("items").unwrap_or(&Value::Null);
                items.iter().enumerate().for_each(|(nth, item)| {
                    self.check(&joined(at, &nth.to_string()), of, item, patch, faults);
                });
            }
            (_, value) if choice.is_some_and(|choice| !choice.contains(value)) => {
                let words = choice.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
                faults.push(wrong(&format!("Give one of {}.", words.join(", "))));
            }
            ("string", Value::String(_)) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => {}
            ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => {}
            ("object", _) => faults.push(wrong("Give an object: { … }.")),
            ("array", _) => faults.push(wrong("Give a list: [ … ].")),
            ("string", _) => faults.push(wrong("Give a text in quotes.")),
            ("boolean", _) => faults.push(wrong("Give true or false.")),
            ("integer", _) => faults.push(wrong("Give a whole number.")),
            ("number", _) => faults.push(wrong("Give a number.")),
            _ => {}
        }
    }

    fn check_members(
        &self,
        at: &str,
        schema: &Value,
        members: &Map<String, Value>,
        patch: bool,
        faults: &mut Vec<FieldError>,
    ) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        let field = |name: &str, message: String| FieldError { field: joined(at, name), message };
        let absent = required.iter().filter(|name| members.get(**name).is_none_or(Value::is_null));
        faults.extend(absent.map(|name| field(name, "This is needed.".into())));
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, value) in members {
            if faults.len() >= TOLD {
                return;
            }
            match known.get(name) {
                None if closed => {
                    let names: Vec<&str> = known.keys().map(String::as_str).collect();
                    faults.push(field(name, unknown("field", name, &names)));
                }
                None => {}
                Some(schema) if value.is_null() => {
                    let clears = schema.get("nullable") == Some(&Value::Bool(true));
                    if patch && !clears && !required.contains(&name.as_str()) {
                        faults
                            .push(field(name, "It can't be null: leave it out to keep it as it is.".into()));
                    }
                }
                Some(schema) => self.check(&joined(at, name), schema, value, patch, faults),
            }
        }
    }

    /// The schema behind references; those named …Update are merge patches.
    fn resolved<'s>(&'s self, mut schema: &'s Value, mut patch: bool) -> (&'s Value, bool) {
        loop {
            if let Some(only) = schema.get("allOf").and_then(Value::as_array).and_then(|all| all.first()) {
                schema = only;
                continue;
            }
            let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            let Some(target) = name.and_then(|name| self.schemas.get(name)) else { return (schema, patch) };
            patch = name.is_some_and(|name| name.ends_with("Update"));
            schema = target;
        }
    }
}

impl Operation {
    fn of(path: &str, method: &str, operation: &Value) -> Option<Operation> {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let named = |place: &str| -> Vec<String> {
            let there = |parameter: &&Value| parameter.get("in").and_then(Value::as_str) == Some(place);
            let parameters = parameters.into_iter().flatten().filter(there);
            parameters.filter_map(|parameter| parameter.get("name")?.as_str().map(str::to_owned)).collect()
        };
        let content = operation.pointer("/requestBody/content/application~1json/schema");
        Some(Operation {
            path: path.trim_end_matches('/').to_owned(),
            method: method.to_uppercase().parse().ok()?,
            parameters: named("query"),
            takes_key: named("header").iter().any(|name| name == KEY),
            creates: operation.pointer("/responses/201").is_some(),
            body: content.cloned(),
        })
    }

    /// A key that has no effect is refused: whoever gives one counts on it.
    fn check_key(&self, request: &Request) -> Result<(), Refusal> {
        if idempotency_key(request)?.is_none() || self.takes_key || self.method.is_safe() {
            return Ok(());
        }
        let detail = "This takes no Idempotency-Key: where the document names none, a repeat acts again or is refused; where \
            there is an ETag, If-Match keeps it from acting on something newer.";
        Err(Refusal::new(StatusCode::BAD_REQUEST, "bad_request", detail))
    }

    fn check_query(&self, query: &str) -> Result<(), Refusal> {
        let given = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned());
        let known: Vec<&str> = self.parameters.iter().map(String::as_str).collect();
        let mut fields = Fields::default();
        for name in given.filter(|name| !known.contains(&name.as_str())).take(TOLD) {
            let message = unknown("parameter", &name, &known);
            fields.wrong(short(&name), message);
        }
        fields.done().map_err(|refusal| Refusal {
            status: StatusCode::BAD_REQUEST,
            code: "bad_request",
            detail: "There are parameters here that this address does not take; see errors.".into(),
            ..refusal
        })
    }
}

/// What is said of a name nobody knows: the one that was meant, where one is like it. To compare takes as long as both
/// names are long, for each that is known.
fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let known = if name.len() > COMPARED { &[][..] } else { known };
    let like = known.iter().map(|other| (strsim::jaro_winkler(other, name), other));
    match like.max_by(|one, other| one.0.total_cmp(&other.0)).filter(|(like, _)| *like > LIKE) {
        Some((_, meant)) => format!("There is no such {what}; did you mean {meant}?"),
        None => format!("There is no such {what}."),
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let like =
        |(segment, given): (&&str, &&str)| segment.starts_with('{') && !given.is_empty() || segment == given;
    pattern.len() == path.len() && pattern.iter().zip(&path).all(like)
}

fn joined(at: &str, name: &str) -> String {
    let name = short(name);
    if at.is_empty() { name } else { format!("{at}.{name}") }
}

fn shown(at: &str) -> String {
    if at.is_empty() { "body".into() } else { at.to_owned() }
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(schema: &str, body: &Value) -> Vec<(String, String)> {
        let rules = Rules::of(&super::super::document());
        let mut faults = Vec::new();
        rules.check(
            "",
            &json!({ "$ref": format!("#/components/schemas/{schema}") }),
            body,
            false,
            &mut faults,
        );
        faults.into_iter().map(|fault| (fault.field, fault.message)).collect()
    }

    #[test]
    fn all_that_is_missing_mistyped_and_unknown_is_told_at_once_in_words() {
        let body = json!({ "inbound": { "sources": ["203.0.113.7", 7], "contry": "KH" },
            "outbound": { "plus_prefix": "yes", "transport": "sctp" } });
        let told = faults("TrunkCreate", &body);
        for (field, message) in [
            ("name", "This is needed."),
            ("inbound.sources.1", "Give a text in quotes."),
            ("inbound.contry", "There is no such field; did you mean country?"),
            ("outbound.host", "This is needed."),
            ("outbound.plus_prefix", "Give true or false."),
            ("outbound.transport", "Give one of udp, tcp."),
        ] {
            assert!(told.contains(&(field.into(), message.into())), "{field}: {told:?}");
        }
        assert_eq!(told.len(), 6, "{told:?}");
        assert_eq!(
            faults("TrunkCreate", &json!([])),
            [("body".to_owned(), "Give an object: { … }.".to_owned())]
        );
    }

    #[test]
    fn a_body_of_nothing_but_faults_costs_no_more_than_those_that_are_told() {
        let long = |nth: usize| format!("nam{nth:05}{}", "e".repeat(100));
        let names: Map<String, Value> = (0..10_000).map(|nth| (long(nth), json!(1))).collect();
        let wrong = json!({ "name": "a", "inbound": { "sources": vec![7; 10_000] } });
        let many = faults("TrunkCreate", &wrong);
        assert_eq!((many.len(), many[0].0.as_str()), (TOLD, "inbound.sources.0"));
        let told = faults("TrunkCreate", &Value::Object(names));
        assert_eq!(told.len(), TOLD);
        assert!(told[1..].iter().all(|(_, message)| message == "There is no such field."), "{told:?}");
        let one = faults("TrunkCreate", &json!({ "name": "a", "x".repeat(1024 * 1024): 1 }));
        assert_eq!((one.len(), one[0].0.len()), (1, 64));
    }

    #[test]
    fn null_in_a_merge_patch_clears_or_is_wrong() {
        assert!(
            faults("PhoneNumberUpdate", &json!({ "friendly_name": null, "account_sid": null })).is_empty()
        );
        let kept =
            faults("PhoneNumberUpdate", &json!({ "enabled": null, "voice": { "voice_method": null } }));
        let fields: Vec<&str> = kept.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["enabled", "voice.voice_method"]);
        let whole = json!({ "inbound": { "sources": ["203.0.113.7"], "country": null } });
        assert!(faults("TrunkUpdate", &whole).is_empty(), "a side is replaced whole: null is left out");
    }

    #[test]
    fn a_key_is_refused_where_the_document_has_none_and_never_overlooked() {
        let rules = Rules::of(&super::super::document());
        let checked = |method: &str, path: &str| {
            let request = Request::builder().method(method.parse().unwrap()).uri_str(path);
            let request = request.header("idempotency-key", "again").finish();
            let checked = rules.operation(&request).unwrap().check_key(&request);
            checked.map_err(|refusal| refusal.status.as_u16())
        };
        for (method, path) in
            [("POST", "/accounts"), ("POST", "/phone-numbers/PN1/test-calls"), ("GET", "/calls")]
        {
            assert_eq!(checked(method, path), Ok(()), "{method} {path}");
        }
        for (method, path) in [
            ("POST", "/calls/CA1/hang-up"),
            ("POST", "/users/US1/reset-two-factor"),
            ("POST", "/trunks/dial-string"),
            ("PATCH", "/accounts/AC1"),
            ("DELETE", "/trunks/TK1"),
        ] {
            assert_eq!(checked(method, path), Err(400), "{method} {path}");
        }
    }

    #[test]
    fn a_parameter_nobody_knows_is_refused_with_the_one_that_was_meant() {
        let rules = Rules::of(&super::super::document());
        let list = rules
            .operations
            .iter()
            .find(|operation| operation.path.ends_with("/phone-numbers") && operation.method == Method::GET);
        let check = |query| list.unwrap().check_query(query).map_err(|refusal| refusal.errors);
        assert_eq!(check("account_sid=AC1&limit=5"), Ok(()));
        let errors = check("accountsid=AC1&x=1").unwrap_err();
        assert_eq!(errors[0].message, "There is no such parameter; did you mean account_sid?");
        assert_eq!((errors[1].field.as_str(), errors.len()), ("x", 2));
    }
}
