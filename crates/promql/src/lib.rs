//! PromQL: lexer, parser with positions, printer, engine, functions and test scripts.
//!
//! Reads `model::Source`, never a store.

pub mod ast;
mod check;
mod error;
mod lexer;
mod literal;
mod parser;
mod printer;
pub mod signatures;
mod token;

pub use ast::Expr;
pub use error::ParseError;
pub use parser::{parse, parse_metric_selector};
