//! The functions' names and types: what the parser checks. What they compute is in `functions`.

use crate::ast::ValueType;

/// A function's type.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    /// As written.
    pub name: &'static str,
    /// Types of the arguments; the last may repeat or be left out as `variadic` says.
    pub arguments: &'static [ValueType],
    /// 0: exactly `arguments`; n > 0: up to n of the last ones may be left out; −1: the last may repeat, or be
    /// left out.
    pub variadic: i32,
    /// What it gives.
    pub returns: ValueType,
    /// Whether upstream calls it experimental.
    pub experimental: bool,
}
