//! `len`, `index` and `slice`.

use crate::value::{List, Value};

fn length_of(value: &Value) -> Option<usize> {
    match value {
        Value::Str(text) | Value::NamedStr(_, text) => Some(text.len()),
        Value::List(list) => Some(list.items().len()),
        Value::Map(map) => Some(map.entries().len()),
        _ => None,
    }
}

pub(super) fn length(values: &[Value]) -> Result<Value, String> {
    match values.first() {
        None | Some(Value::Nil) => Err("len of nil pointer".into()),
        Some(value) => match length_of(value) {
            Some(length) => Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))),
            None => Err(format!("len of type {}", value.type_name())),
        },
    }
}

/// Checks an index into something of `length` elements.
fn position(index: &Value, length: usize) -> Result<usize, String> {
    match index {
        Value::Int(index) | Value::NamedInt(_, index) => usize::try_from(*index)
            .ok()
            .filter(|position| *position <= length)
            .ok_or_else(|| format!("index out of range: {index}")),
        Value::Nil => Err("cannot index slice/array with nil".into()),
        other => Err(format!(
            "cannot index slice/array with type {}",
            other.type_name()
        )),
    }
}

pub(super) fn index(values: &[Value]) -> Result<Value, String> {
    let (first, indexes) = values.split_first().unwrap_or((&Value::Nil, &[]));
    let mut item = first.clone();
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".into());
    }
    for index in indexes {
        item = match &item {
            Value::Str(text) | Value::NamedStr(_, text) => {
                let at = position(index, text.len())?;
                let byte = text.as_bytes().get(at).copied();
                byte.map(|byte| Value::Int(byte.into()))
                    .ok_or_else(|| out_of_range("string"))?
            }
            Value::List(list) => {
                let at = position(index, list.items().len())?;
                list.items()
                    .get(at)
                    .cloned()
                    .ok_or_else(|| out_of_range("slice"))?
            }
            Value::Map(map) => {
                let key = match index {
                    Value::Str(key) => key,
                    Value::Nil => return Err("value is nil; should be of type string".into()),
                    other => {
                        return Err(format!(
                            "value has type {}; should be string",
                            other.type_name()
                        ));
                    }
                };
                map.entries()
                    .get(key)
                    .cloned()
                    .unwrap_or_else(|| map.class().element.zero())
            }
            Value::Nil => return Err("index of nil pointer".into()),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

/// Go checks against the capacity and then panics at the length; the panic's text is the error.
fn out_of_range(what: &str) -> String {
    format!("reflect: {what} index out of range")
}

pub(super) fn slice(values: &[Value]) -> Result<Value, String> {
    let (item, indexes) = values.split_first().unwrap_or((&Value::Nil, &[]));
    if matches!(item, Value::Nil) {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match item {
        Value::Str(_) | Value::NamedStr(..) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".into());
        }
        Value::Str(text) | Value::NamedStr(_, text) => text.len(),
        Value::List(list) => list.items().len(),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let positions = indexes
        .iter()
        .map(|index| position(index, length))
        .collect::<Result<Vec<_>, _>>()?;
    let from = positions.first().copied().unwrap_or(0);
    let to = positions.get(1).copied().unwrap_or(length);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    if let Some(end) = positions.get(2).filter(|end| to > **end) {
        return Err(format!("invalid slice index: {to} > {end}"));
    }
    Ok(match item {
        Value::Str(text) => Value::from(bytes(text, from, to)),
        Value::NamedStr(class, text) => Value::NamedStr(class, bytes(text, from, to).into()),
        Value::List(list) => Value::List(List::new(
            list.class(),
            list.items().get(from..to).unwrap_or(&[]).to_vec(),
        )),
        other => other.clone(),
    })
}

fn bytes(text: &str, from: usize, to: usize) -> String {
    String::from_utf8_lossy(text.as_bytes().get(from..to).unwrap_or(&[])).into_owned()
}
