//! Whether one JSON value has the keys and types of another.

use serde_json::{Value, json};

/// Every place where `ours` lacks what `theirs` has, or has another type there. Lists by their first entries.
pub(crate) fn missing_shape(path: &str, theirs: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    missing(path, &shape(theirs), &shape(ours), &mut found);
    found
}

/// The keys of a JSON value with the types of what they hold; lists by their first entry.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(list) => list
            .first()
            .map_or(json!([]), |first| json!([shape(first)])),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => json!("null"),
    }
}

/// What `theirs` has and `ours` lacks or has otherwise.
fn missing(path: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
                missing(
                    &format!("{path}.{name}"),
                    value,
                    ours.get(name).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let Some(theirs) = theirs.first() {
                let ours = ours.first().unwrap_or(&Value::Null);
                missing(&format!("{path}[]"), theirs, ours, found);
            }
        }
        _ if theirs == ours => {}
        _ => found.push(format!("{path}: theirs {theirs}, ours {ours}")),
    }
}
