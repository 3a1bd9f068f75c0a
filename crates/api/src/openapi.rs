//! `/api/v1/openapi.yaml` and `.json`: what this API answers, for programs. OpenAPI 3.1.
//!
//! The document is made from two tables: paths, and the shapes of answers in a small language (see `shape`). A test of
//! the program asks every path and compares the answers with them.

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
        all.insert(path.path.to_owned(), operations.into());
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
        Content::Nothing => Value::Null,
    };
    let success = if content.is_null() {
        json!({"204": {"description": "Done."}})
    } else {
        json!({"200": {"description": "The answer.", "content": content}})
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
    json!({
        "operationId": words.join("-"),
        "summary": path.summary,
        "parameters": path.parameters.iter().map(parameter).collect::<Vec<Value>>(),
        "responses": responses,
    })
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
    use super::{document, print};
    use config::{Problems, yaml};

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
