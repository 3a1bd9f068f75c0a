//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: basic kinds only compare with their own kind.

use std::cmp::Ordering;

use crate::format;
use crate::value::Value;

#[derive(PartialEq)]
enum Kind {
    Bool,
    Int,
    Float,
    String,
    Other,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) | Value::NamedInt(..) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::Str(_) | Value::NamedStr(..) => Kind::String,
        Value::Nil
        | Value::List(_)
        | Value::Map(_)
        | Value::Record(_)
        | Value::Time(_)
        | Value::Func(_) => Kind::Other,
    }
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(int) | Value::NamedInt(_, int) => *int,
        _ => 0,
    }
}

fn float(value: &Value) -> f64 {
    if let Value::Float(float) = value {
        *float
    } else {
        0.0
    }
}

pub(super) fn equal(values: &[Value]) -> Result<Value, String> {
    let (first, others) = values.split_first().unwrap_or((&Value::Nil, &[]));
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if are_equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn are_equal(left: &Value, right: &Value) -> Result<bool, String> {
    if kind(left) != kind(right) {
        return match (left, right) {
            (Value::Nil, _) | (_, Value::Nil) => Ok(false),
            _ => Err(incompatible(left, right)),
        };
    }
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Time(left), Value::Time(right)) => Ok(left == right),
        _ if kind(left) == Kind::Int => Ok(int(left) == int(right)),
        _ if kind(left) == Kind::String => Ok(left.as_str() == right.as_str()),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::Record(left), Value::Record(right)) if left.class().name == right.class().name => {
            for ((_, left), (_, right)) in left.fields().iter().zip(right.fields()) {
                if !are_equal(left, right)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ if std::mem::discriminant(left) == std::mem::discriminant(right) => {
            let text = format::print(std::slice::from_ref(left))?;
            Err(format!("non-comparable type {text}: {}", right.type_name()))
        }
        _ => {
            let (shown_left, shown_right) = (
                format::print(std::slice::from_ref(left))?,
                format::print(std::slice::from_ref(right))?,
            );
            Err(format!(
                "non-comparable types {shown_left}: {}, {}: {shown_right}",
                left.type_name(),
                right.type_name()
            ))
        }
    }
}

fn incompatible(left: &Value, right: &Value) -> String {
    format!(
        "incompatible types for comparison: {} and {}",
        left.type_name(),
        right.type_name()
    )
}

pub(super) fn not_equal(values: &[Value]) -> Result<Value, String> {
    equal(values).map(|value| Value::Bool(!value.is_true()))
}

pub(super) fn less(values: &[Value]) -> Result<Value, String> {
    order(values).map(|order| Value::Bool(order == Some(Ordering::Less)))
}

pub(super) fn less_or_equal(values: &[Value]) -> Result<Value, String> {
    order(values).map(|order| Value::Bool(matches!(order, Some(Ordering::Less | Ordering::Equal))))
}

/// Go takes `gt` as not `le` and `ge` as not `lt`; with NaN both are true.
pub(super) fn greater(values: &[Value]) -> Result<Value, String> {
    less_or_equal(values).map(|value| Value::Bool(!value.is_true()))
}

pub(super) fn greater_or_equal(values: &[Value]) -> Result<Value, String> {
    less(values).map(|value| Value::Bool(!value.is_true()))
}

fn order(values: &[Value]) -> Result<Option<Ordering>, String> {
    const INVALID: &str = "invalid type for comparison";
    let [left, right] = values else {
        return Err(INVALID.into());
    };
    match (kind(left), kind(right)) {
        (Kind::Other, _) | (_, Kind::Other) => Err(INVALID.into()),
        (Kind::Bool, Kind::Bool) => Err(INVALID.into()),
        (Kind::Int, Kind::Int) => Ok(Some(int(left).cmp(&int(right)))),
        (Kind::Float, Kind::Float) => Ok(float(left).partial_cmp(&float(right))),
        (Kind::String, Kind::String) => Ok(Some(left.as_str().cmp(&right.as_str()))),
        _ => Err(incompatible(left, right)),
    }
}
