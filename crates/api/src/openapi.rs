//! `/api/v1/openapi.yaml` and `.json`: what this API answers, for programs. OpenAPI 3.1.
//!
//! The document is made from two tables: paths, and the shapes of answers in a small language (see `shape`). A test of
//! the program asks every path and compares the answers with them.

mod own_shapes;
mod paths;
mod shape;

use crate::answer;
use axum::response::Response;
use paths::{Content, PATHS, Path};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The document as YAML.
pub(crate) async fn yaml() -> Response {
    let mut text = String::new();
    print(&mut text, &document(), 0);
    answer::text("application/yaml", text)
}

/// The document as JSON.
pub(crate) async fn as_json() -> Response {
    answer::plain_json(&document())
}

fn document() -> Value {
    let mut all = Map::new();
    for path in PATHS {
        let operations: Map<String, Value> = path
            .methods
            .iter()
            .map(|method| ((*method).to_owned(), operation(path, method)))
            .collect();
        let others = all.entry(path.path).or_insert_with(|| json!({}));
        if let Value::Object(others) = others {
            others.extend(operations);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Binnacle",
            "description": "Prometheus' HTTP API and Binnacle's own. Version numbers of the API are in its paths.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": "/"}],
        "paths": all,
        "components": {"schemas": shape::components()},
    })
}

fn operation(path: &Path, method: &str) -> Value {
    let content = match path.content {
        Content::Envelope(data) => json!({"application/json": {"schema": envelope(data)}}),
        Content::Json(data) => json!({"application/json": {"schema": shape::schema(data)}}),
        Content::Lines(line) => {
            json!({"application/x-ndjson; charset=utf-8": {"schema": shape::schema(line)}})
        }
        Content::Events(event) => json!({"text/event-stream": {"schema": shape::schema(event)}}),
        Content::Page => json!({"text/html; charset=utf-8": {"schema": shape::schema("string")}}),
        Content::Nothing | Content::Empty => Value::Null,
    };
    let success = match path.content {
        Content::Nothing => json!({"204": {"description": "Done."}}),
        Content::Empty => json!({"200": {"description": "Done."}}),
        _ => json!({"200": {"description": "The answer.", "content": content}}),
    };
    let mut responses = match success {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    responses.insert(
        "default".to_owned(),
        json!({
            "description": "What went wrong.",
            "content": {"application/json": {"schema": shape::schema("Failure")}},
        }),
    );
    let name = path.path.replace(['/', '{', '}'], " ");
    let words: Vec<&str> = name.split_whitespace().chain([method]).collect();
    let mut operation = json!({
        "operationId": words.join("-"),
        "summary": path.summary,
        "parameters": path.parameters.iter().map(parameter).collect::<Vec<Value>>(),
        "responses": responses,
    });
    if let (Some(body), Value::Object(fields)) = (path.body, &mut operation) {
        let example: Value = serde_json::from_str(body).unwrap_or_default();
        let content =
            json!({"application/json": {"schema": {"type": "object"}, "example": example}});
        fields.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": content}),
        );
    }
    operation
}

/// `name` may be left out, `name!` not, `{name}` stands in the path.
fn parameter((name, example): &(&str, &str)) -> Value {
    let in_path = name.starts_with('{');
    let plain = name.trim_matches(['{', '}', '!']);
    json!({
        "name": plain,
        "in": if in_path { "path" } else { "query" },
        "required": in_path || name.ends_with('!'),
        "schema": {"type": "string"},
        "example": example,
    })
}

fn envelope(data: &str) -> Value {
    let texts = shape::schema("[string]");
    json!({
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["success"]},
            "data": shape::schema(data),
            "warnings": texts,
            "infos": texts,
        },
        "required": ["status", "data"],
        "additionalProperties": false,
    })
}

/// Prints block YAML; every text is quoted as JSON, which YAML reads as well.
fn print(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                // Writing to a String cannot fail.
                let _infallible = write!(out, "\n{indent}{}:", Value::from(name.as_str()));
                print(out, value, depth + 1);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                let _infallible = write!(out, "\n{indent}-");
                print(out, value, depth + 1);
            }
        }
        other => {
            let _infallible = write!(out, " {other}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PATHS, document, print};
    use config::{Problems, yaml};
    use std::collections::BTreeSet;

    /// What other documents describe: a method, or `*`, and a path, or its beginning where that ends in `/` or `.`.
    const ELSEWHERE: &[(&str, &str)] = &[
        // Alertmanager's own document; InfluxDB's door lies below the same path.
        ("*", "/api/v2/"),
        ("post", "/api/v1/alerts"),
        // Protocols of other projects: remote write and read, OTLP, expositions, lines, pushes.
        ("*", "/api/v1/write"),
        ("*", "/api/v1/read"),
        ("*", "/api/v1/otlp/"),
        ("*", "/v1/metrics"),
        ("*", "/opentelemetry."),
        ("*", "/federate"),
        ("*", "/metrics"),
        ("*", "/metrics/"),
        ("*", "/write"),
        ("*", "/ping"),
        ("*", "/health"),
        ("*", "/query"),
        ("*", "/api/v1/import"),
        ("*", "/api/v1/import/"),
        ("*", "/api/v1/export"),
        // What is asked of every program of Prometheus', and what only other ports answer.
        ("*", "/-/"),
        ("*", "/ready"),
        ("*", "/api/health"),
        ("get", "/api/v1/metrics"),
        ("get", "/api/v1/status"),
        ("put", "/api/v1/admin/wipe"),
        // The document itself, and what is refused in any case.
        ("get", "/api/v1/openapi."),
        ("delete", "/api/v1/series"),
    ];

    const METHODS: [&str; 5] = ["get", "post", "put", "delete", "any"];

    /// The text up to the parenthesis that closes the one before it.
    fn enclosed(text: &str) -> &str {
        let mut depth = 1;
        for (at, character) in text.char_indices() {
            depth += match character {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            if depth == 0 {
                return text.get(..at).unwrap_or_default();
            }
        }
        text
    }

    /// The methods and paths that the table of routes answers, read from its text: the router keeps its table to itself.
    fn served() -> BTreeSet<(&'static str, String)> {
        let mut found = BTreeSet::new();
        for route in include_str!("routes.rs").split(".route(").skip(1) {
            let route = enclosed(route);
            let path = route.split('"').nth(1).expect("a path").to_owned();
            let words: Vec<&str> = route
                .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '(')
                .collect();
            for method in METHODS {
                let call = format!("{method}(");
                if words.iter().any(|word| word.starts_with(&call)) {
                    found.insert((method, path.clone()));
                }
            }
        }
        found
    }

    fn is_elsewhere((method, path): (&str, &str)) -> bool {
        ELSEWHERE.iter().any(|(of, beginning)| {
            let fits = if beginning.ends_with(['/', '.']) {
                path.starts_with(beginning)
            } else {
                path == *beginning
            };
            fits && (*of == "*" || *of == method)
        })
    }

    #[test]
    fn the_document_lists_what_is_served() {
        let served = served();
        assert!(served.len() > 100, "{}", served.len());
        let documented: BTreeSet<(&str, String)> = PATHS
            .iter()
            .flat_map(|path| {
                path.methods
                    .iter()
                    .map(|method| (*method, path.path.to_owned()))
            })
            .collect();
        let missing: Vec<_> = served
            .iter()
            .filter(|(method, path)| !is_elsewhere((method, path)))
            .filter(|one| !documented.contains(*one))
            .collect();
        assert!(missing.is_empty(), "served, not documented: {missing:?}");
        let invented: Vec<_> = documented.difference(&served).collect();
        assert!(invented.is_empty(), "documented, not served: {invented:?}");
    }

    #[test]
    fn the_document_is_sound_as_yaml_and_names_only_shapes_that_exist() {
        let document = document();
        let mut text = String::new();
        print(&mut text, &document, 0);
        let mut problems = Problems::new("openapi.yaml");
        let root = yaml::parse_single(&text, &mut problems).expect("YAML");
        assert!(problems.is_empty(), "{problems}");
        assert!(
            root.get("paths")
                .is_some_and(|paths| paths.get("/api/v1/query").is_some())
        );
        let all = document.to_string();
        for reference in all.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            let found = &document["components"]["schemas"][name];
            assert!(found.is_object(), "{name}");
        }
    }
}
