//! The OpenAPI document: every path in it is asked, with and without what may be left out, and every answer must have the
//! shape that the document promises.

use crate::http::{self, Message, Request};
use crate::program::{Program, Start};
use crate::story::{self, Receivers};
use crate::target::Target;
use crate::waiting::until;
use serde_json::Value;

const RECURRING: &str = "/api/binnacle/v1/silences/recurring";

#[test]
fn answers_are_what_the_document_says() {
    let mut target = Target::healthy();
    let receivers = Receivers::start();
    let place = story::place(&target, &receivers, "0s");
    let start = Start {
        with_config: true,
        arguments: vec!["--web.enable-admin-api".to_owned()],
        ..Start::default()
    };
    let program = Program::start_as(&place, &start);
    program.wait_for_value("up{job=\"app\"}", "1");
    target.die();
    let incident = until("an incident", || {
        let list = program.json("/api/binnacle/v1/incidents", &[]);
        list[0]["id"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| list.to_string())
    });
    let alerts = program.json("/api/v2/alerts", &[("filter", "alertname=AppDown")]);
    let fingerprint = alerts[0]["fingerprint"].as_str().expect("an alert");
    let explain = format!("/api/binnacle/v1/alerts/{fingerprint}/explain");
    let explained = program.json(&explain, &[]);
    assert_eq!(explained["state"], "active", "{explained}");
    // External labels are added on the way; the rule is found all the same.
    assert_eq!(explained["labels"]["region"], "north");
    assert_eq!(explained["rule"]["name"], "AppDown", "{explained}");
    assert_eq!(explained["receivers"], serde_json::json!(["everyone"]));
    let yaml = program.get("/api/v1/openapi.yaml", &[]);
    assert_eq!(yaml.header("content-type"), "application/yaml");
    assert!(yaml.text().contains("\"openapi\": \"3.1.0\""));
    let document = program.json("/api/v1/openapi.json", &[]);
    let known = Known {
        recurrence: made_recurrence(&program, &document),
        incident,
        fingerprint: fingerprint.to_owned(),
    };
    let mut problems = Vec::new();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let parameters = operation["parameters"].as_array().expect("parameters");
            // What changes something is asked once where there is nothing to leave out.
            let is_asked_twice = method == "get"
                || parameters
                    .iter()
                    .any(|parameter| parameter["required"] == false);
            for all in [false, true] {
                if all && !is_asked_twice {
                    continue;
                }
                let answer = ask(&program, (path, method), operation, (all, &known));
                let Some(answer) = answer else { continue };
                asked += 1;
                let found = judge(&document, operation, &answer);
                problems.extend(
                    found
                        .iter()
                        .map(|found| format!("{method} {path}: {found}")),
                );
            }
        }
    }
    assert_eq!(problems, Vec::<String>::new());
    assert!(asked > 80, "{asked}");
}

/// What exists, in place of the examples of the document.
struct Known {
    incident: String,
    fingerprint: String,
    recurrence: String,
}

/// Makes what the document's example of a recurring silence changes and ends; answers its id.
fn made_recurrence(program: &Program, document: &Value) -> String {
    let operation = &document["paths"][RECURRING]["post"];
    let mut example = operation["requestBody"]["content"]["application/json"]["example"].clone();
    example["id"] = Value::from("");
    let made = program.post(
        RECURRING,
        "application/json",
        example.to_string().as_bytes(),
    );
    let made: Value = serde_json::from_str(&made.text()).expect("JSON");
    made["id"].as_str().expect("an id").to_owned()
}

/// Asks with the examples of the document; `None` for a stream that does not end.
fn ask(
    program: &Program,
    (path, method): (&str, &str),
    operation: &Value,
    (all, known): (bool, &Known),
) -> Option<Message> {
    if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
        return None;
    }
    let mut path = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().expect("parameters") {
        let name = parameter["name"].as_str().expect("a name");
        let mut example = parameter["example"].as_str().expect("an example");
        if parameter["in"] == "path" {
            if name == "id" && path.contains("incidents") {
                example = &known.incident;
            }
            if name == "id" && path.starts_with(RECURRING) {
                example = &known.recurrence;
            }
            if name == "fingerprint" {
                example = &known.fingerprint;
            }
            path = path.replace(&format!("{{{name}}}"), example);
        } else if all || parameter["required"] == true {
            query.push((name, example));
        }
    }
    let encoded = http::path_with(&path, &query);
    if method == "get" {
        return Some(program.send(Request::get(&encoded)));
    }
    let mut example = operation["requestBody"]["content"]["application/json"]["example"].clone();
    if path == RECURRING {
        example["id"] = Value::from(known.recurrence.as_str());
    }
    if method == "delete" || method == "put" {
        return Some(program.send(Request {
            method: &method.to_uppercase(),
            ..Request::get(&encoded)
        }));
    }
    if example.is_object() {
        return Some(program.post(&encoded, "application/json", example.to_string().as_bytes()));
    }
    let form = encoded.split_once('?').map_or("", |(_, form)| form);
    Some(program.post(&path, "application/x-www-form-urlencoded", form.as_bytes()))
}

fn judge(document: &Value, operation: &Value, answer: &Message) -> Vec<String> {
    let promised = &operation["responses"][answer.status().to_string()];
    if !promised.is_object() {
        return vec![format!("{} {}", answer.status(), answer.text())];
    }
    let Some(content) = promised["content"].as_object() else {
        let empty = answer.body.is_empty();
        return if empty {
            Vec::new()
        } else {
            vec![format!("a body: {}", answer.text())]
        };
    };
    let Some(kind) = content.get(answer.header("content-type")) else {
        return vec![format!("content type {:?}", answer.header("content-type"))];
    };
    let mut problems = Vec::new();
    if answer
        .header("content-type")
        .starts_with("application/json")
    {
        check(
            document,
            &kind["schema"],
            ("", &answer.json()),
            &mut problems,
        );
    } else if !answer.header("content-type").starts_with("text/html") {
        for line in answer.text().lines() {
            let value = serde_json::from_str(line).expect("a line of JSON");
            check(document, &kind["schema"], ("", &value), &mut problems);
        }
    }
    problems
}

/// Compares a value with a schema: those parts of JSON Schema that the document uses.
fn check(
    document: &Value,
    schema: &Value,
    (at, value): (&str, &Value),
    problems: &mut Vec<String>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#'));
        return check(
            document,
            schema.expect("a shape that exists"),
            (at, value),
            problems,
        );
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice: &Value| {
            let mut found = Vec::new();
            check(document, choice, (at, value), &mut found);
            found.is_empty()
        };
        if !choices.iter().any(fits) {
            problems.push(format!("{at}: {value} is none of {choices:?}"));
        }
        return;
    }
    let has_type = match schema["type"].as_str() {
        None => return,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some(other) => panic!("the type {other} is unknown here"),
    };
    if !has_type {
        return problems.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if schema["format"] == "date-time"
        && !value
            .as_str()
            .is_some_and(|text| text.contains('T') && text.ends_with('Z'))
    {
        problems.push(format!("{at}: {value} is no time"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        problems.push(format!("{at}: {value} is none of {words:?}"));
    }
    for element in value.as_array().into_iter().flatten() {
        check(
            document,
            &schema["items"],
            (&format!("{at}[]"), element),
            problems,
        );
    }
    check_fields(document, schema, (at, value), problems);
}

fn check_fields(
    document: &Value,
    schema: &Value,
    (at, value): (&str, &Value),
    problems: &mut Vec<String>,
) {
    for (name, field) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match &schema["properties"][name] {
            Value::Null if schema["additionalProperties"] == false => {
                problems.push(format!("{at} is not promised"))
            }
            Value::Null => check(
                document,
                &schema["additionalProperties"],
                (&at, field),
                problems,
            ),
            promised => check(document, promised, (&at, field), problems),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        if value.get(name).is_none() {
            problems.push(format!("{at}.{name} is missing"));
        }
    }
}
