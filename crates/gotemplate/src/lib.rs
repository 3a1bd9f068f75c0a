//! Go's text/template and html/template, as Prometheus' rules and Alertmanager's notifications use them.
//!
//! A [`Template`] is a set of parsed templates with the functions they may call; it is executed on a
//! [`Value`] within [`Limits`]. The grammar, the built-in functions, printf, the printing of values
//! and the error texts are Go's. [`functions`] holds the libraries of Prometheus and Alertmanager.
//!
//! What it deliberately does not do: read files, the clock or the network (functions that need them
//! are closures of the caller), other delimiters, complex numbers, channels.
//!
//! Key decision: values are our own enum with static tables of methods ([`Class`]) instead of
//! reflection. Whatever a template does it ends: steps, output, nesting and the size of every
//! string are limited, and an error, not a panic, is the answer.

mod builtins;
mod error;
mod execute;
mod format;
pub mod functions;
mod html;
mod parse;
mod template;
mod unicode;
mod value;

pub use error::Error;
pub use template::{DEPTH_MAX, Limits, MissingKey, Template};
pub use value::{
    ANY_LIST, ANY_MAP, CSS, Class, DURATION, Function, FunctionMap, HTML, HTML_ATTR, JS, JS_STR,
    List, Map, Method, Record, SRCSET, STRING_LIST, STRING_MAP, Signature, TIME, Time, Type, URL,
    Value, duration_text, no_methods,
};
