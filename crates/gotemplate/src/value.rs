//! The values that templates work on: Go's types as far as template authors can see them.
//!
//! A Go value has a type, and the type has methods. Here a value that is more than a plain number
//! or string carries a [`Class`]: the name that messages and `%T` show, the element type that a
//! missing key yields, and a table of methods. Classes are plain `static` data, so adding a method
//! is adding a line. A method `String` is the value's own text form, as in Go.
//!
//! Strings are UTF-8 text; Go's are bytes. Where Go would cut a character in half the result here
//! has the replacement character.

mod class;
mod collection;
mod duration;
mod time;
mod time_format;
mod time_parse;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use class::{Class, Function, FunctionMap, Method, Signature, Type, no_methods};
pub(crate) use class::{call_method, find_method};
pub use collection::{ANY_LIST, ANY_MAP, List, Map, Record, STRING_LIST, STRING_MAP};
pub use duration::{DURATION, duration_text};
pub use time::{TIME, Time};

/// A value in a template.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Nothing; printed as `<no value>` by an action and as `<nil>` by printf.
    #[default]
    Nil,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float64.
    Float(f64),
    /// A string.
    Str(Arc<str>),
    /// A list with its class.
    List(List),
    /// A map with its class; keys are strings.
    Map(Map),
    /// A struct.
    Record(Record),
    /// A point in time with a zone.
    Time(Time),
    /// A function that `call` can call.
    Func(Function),
    /// A number of a type with methods, such as time.Duration or time.Month.
    NamedInt(&'static Class, i64),
    /// A string of a type of its own, such as html/template's HTML.
    NamedStr(&'static Class, Arc<str>),
}

/// Text that is already HTML: html/template passes it unchanged.
pub static HTML: Class = Class::named_string("template.HTML");
/// Text that is already a safe URL.
pub static URL: Class = Class::named_string("template.URL");
/// Text that is already CSS.
pub static CSS: Class = Class::named_string("template.CSS");
/// Text that is already a JavaScript expression.
pub static JS: Class = Class::named_string("template.JS");
/// Text that is already the inside of a JavaScript string.
pub static JS_STR: Class = Class::named_string("template.JSStr");
/// Text that is already an HTML attribute, name and value.
pub static HTML_ATTR: Class = Class::named_string("template.HTMLAttr");
/// Text that is already a srcset attribute's value.
pub static SRCSET: Class = Class::named_string("template.Srcset");

impl Value {
    /// Returns a string value.
    pub fn str(text: impl AsRef<str>) -> Self {
        Self::Str(Arc::from(text.as_ref()))
    }

    /// Returns a `[]string`.
    pub fn strings<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(List::new(
            &STRING_LIST,
            items.into_iter().map(Self::str).collect(),
        ))
    }

    /// Returns a `[]any`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(&ANY_LIST, items))
    }

    /// Returns a `map[string]string`: a missing key is the empty string.
    pub fn string_map<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::Map(Map::from_strings(&STRING_MAP, pairs))
    }

    /// Returns a `map[string]any`.
    pub fn map(entries: BTreeMap<Arc<str>, Self>) -> Self {
        Self::Map(Map::new(&ANY_MAP, entries))
    }

    /// Returns a struct of class `class` with these fields in order.
    pub fn record(class: &'static Class, fields: Vec<(&'static str, Self)>) -> Self {
        Self::Record(Record::new(class, fields))
    }

    /// Returns a time.Duration of so many nanoseconds.
    pub fn duration(nanoseconds: i64) -> Self {
        Self::NamedInt(&DURATION, nanoseconds)
    }

    /// Returns text that html/template does not escape.
    pub fn html(text: impl AsRef<str>) -> Self {
        Self::NamedStr(&HTML, Arc::from(text.as_ref()))
    }

    /// Returns a URL that html/template does not filter.
    pub fn url(text: impl AsRef<str>) -> Self {
        Self::NamedStr(&URL, Arc::from(text.as_ref()))
    }

    /// Returns the text of a string of any type.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::NamedStr(_, text) => Some(text),
            _ => None,
        }
    }

    /// Returns the class of a value that has one.
    pub fn class(&self) -> Option<&'static Class> {
        match self {
            Self::List(list) => Some(list.class()),
            Self::Map(map) => Some(map.class()),
            Self::Record(record) => Some(record.class()),
            Self::Time(_) => Some(&TIME),
            Self::NamedInt(class, _) | Self::NamedStr(class, _) => Some(class),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Str(_)
            | Self::Func(_) => None,
        }
    }

    /// Returns the name of the Go type, as `%T` prints it.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Func(_) => "func",
            _ => self.class().map_or("", |class| class.name),
        }
    }

    /// Reports whether `if` takes the value as true: it is not the zero or empty value of its type.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::NamedInt(_, value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) | Self::NamedStr(_, text) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Map(map) => !map.entries().is_empty(),
            Self::Record(_) | Self::Time(_) | Self::Func(_) => true,
        }
    }

    /// Levels of collections inside each other.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth(),
            Self::Map(map) => map.depth(),
            Self::Record(record) => record.depth(),
            _ => 0,
        }
    }

    /// Bytes or elements that making this value took, not counting what it shares.
    pub(crate) fn shallow_size(&self) -> usize {
        match self {
            Self::Str(text) | Self::NamedStr(_, text) => text.len(),
            Self::List(list) => size_of_val(list.items()),
            Self::Map(map) => map.entries().len() * 2 * size_of::<Self>(),
            _ => 0,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(Arc::from(text))
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Time(time)
    }
}

#[cfg(test)]
mod tests;
