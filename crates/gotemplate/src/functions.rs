//! The function libraries of Prometheus' rule templates and Alertmanager's notification templates.
//!
//! Each is one table. What they share (numbers for people, RE2 patterns, title case, …) lies beside.

pub mod alertmanager;
mod base64;
mod json;
mod network;
mod number;
pub mod prometheus;
mod regex;
mod text;

pub(crate) use json::marshal as json_text;

use crate::value::{Signature, Time, Type, Value};

const NOTHING: Signature = Signature::of(&[]);
const ONE_ANY: Signature = Signature::of(&[Type::Any]);
const ONE_STRING: Signature = Signature::of(&[Type::String]);
const TWO_STRINGS: Signature = Signature::of(&[Type::String, Type::String]);
const THREE_STRINGS: Signature = Signature::of(&[Type::String, Type::String, Type::String]);

/// The string argument at `index`; the signature has been checked.
fn string(arguments: &[Value], index: usize) -> &str {
    arguments.get(index).and_then(Value::as_str).unwrap_or("")
}

/// The time argument at `index`; the signature has been checked.
fn time(arguments: &[Value], index: usize) -> Time {
    match arguments.get(index) {
        Some(Value::Time(time)) => time.clone(),
        _ => Time::zero(),
    }
}

#[cfg(test)]
mod tests;
