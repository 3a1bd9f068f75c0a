//! PromQL: lexer, parser with positions, printer, engine, functions and test scripts.
//!
//! Reads `model::Source`, never a store.

pub mod ast;
mod check;
mod lexer;
mod literal;
mod parse_error;
mod parser;
mod printer;
pub mod signatures;
mod token;
mod visit;

pub use ast::Expr;
pub use parse_error::ParseError;
pub use parser::{parse, parse_metric_selector};
