//! PromQL: lexer, parser with positions, printer, engine, functions and test scripts.
//!
//! Reads `model::Source`, never a store.

pub mod ast;
pub mod signatures;
