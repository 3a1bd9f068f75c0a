//! PromQL: lexer, parser with positions, printer, engine, functions and test scripts.
//!
//! Reads `model::Source`, never a store.

pub mod annotations;
pub mod ast;
mod check;
pub mod engine;
mod error;
mod functions;
mod histogram;
mod lexer;
mod literal;
mod parse_error;
mod parser;
mod pretty;
mod printer;
pub mod script;
mod series;
pub mod signatures;
mod token;
mod visit;

pub use annotations::{Annotation, Severity};
pub use ast::Expr;
pub use engine::{
    DefaultStep, Engine, EngineOptions, InstantSample, Observed, Observer, PlanNode, Query,
    QueryDetail, QueryDetails, QueryResult, QueryStats, QueryTime, QueryValue, RangeSeries,
    ResultCache, RuleGroup, SUBQUERY_STEP_MS_DEFAULT, SharedParts, SharedValues,
};
pub use error::QueryError;
pub use histogram::buckets::{Bucket, all as histogram_buckets, text as histogram_text};
pub use parse_error::ParseError;
pub use parser::{parse, parse_metric_selector};
pub use series::{SequenceValue, SeriesDescription, parse_series_description};
