//! The functions that every template has.
//!
//! `and`, `or` and `call` are executed by the evaluator; their entries here only make them known.

mod collection;
mod comparison;
pub(crate) mod escape;

use std::sync::LazyLock;

use crate::format;
use crate::value::{FunctionMap, Signature, Type, Value};

const ANY_NUMBER: Signature = Signature::variadic(&[], Type::Any);
const ONE_OR_MORE: Signature = Signature::variadic(&[Type::Any], Type::Any);
const TWO: Signature = Signature::of(&[Type::Any, Type::Any]);

/// The built-in functions.
pub(crate) static TABLE: LazyLock<FunctionMap> = LazyLock::new(|| {
    let mut table = FunctionMap::new();
    table.insert("and", ONE_OR_MORE, |_| Ok(Value::Nil));
    table.insert("or", ONE_OR_MORE, |_| Ok(Value::Nil));
    table.insert("call", ONE_OR_MORE, |_| Ok(Value::Nil));
    table.insert("not", Signature::of(&[Type::Any]), |values| {
        Ok(Value::Bool(!values.iter().any(Value::is_true)))
    });
    table.insert("eq", ONE_OR_MORE, comparison::equal);
    table.insert("ne", TWO, comparison::not_equal);
    table.insert("lt", TWO, comparison::less);
    table.insert("le", TWO, comparison::less_or_equal);
    table.insert("gt", TWO, comparison::greater);
    table.insert("ge", TWO, comparison::greater_or_equal);
    table.insert("len", Signature::of(&[Type::Any]), collection::length);
    table.insert("index", ONE_OR_MORE, collection::index);
    table.insert("slice", ONE_OR_MORE, collection::slice);
    table.insert("print", ANY_NUMBER, |values| {
        format::print(values).map(Value::from)
    });
    table.insert("println", ANY_NUMBER, |values| {
        format::println(values).map(Value::from)
    });
    table.insert(
        "printf",
        Signature::variadic(&[Type::String], Type::Any),
        |values| {
            let (pattern, arguments) = values.split_first().unwrap_or((&Value::Nil, &[]));
            format::printf(pattern.as_str().unwrap_or(""), arguments).map(Value::from)
        },
    );
    table.insert("html", ANY_NUMBER, |values| {
        Ok(escape::html(&text(values)?).into())
    });
    table.insert("js", ANY_NUMBER, |values| {
        Ok(escape::js(&text(values)?).into())
    });
    table.insert("urlquery", ANY_NUMBER, |values| {
        Ok(escape::url_query(&text(values)?).into())
    });
    table
});

/// The text form that the escaping functions work on.
fn text(values: &[Value]) -> Result<String, String> {
    match values {
        [Value::Str(text)] => Ok(text.to_string()),
        [Value::Nil] => Ok("<no value>".into()),
        [one] => format::display(one),
        values => format::print(values),
    }
}
