//! The commands of a script.

use super::load::Load;
use crate::ast::Expr;
use crate::series::SequenceValue;
use model::regex::Regex;
use model::{Labels, Timestamp};

/// One command.
pub(super) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
    /// An eval that cannot be understood: it counts as failed, and the script goes on.
    BadEval(String),
}

/// A query, when it is evaluated, and what is expected of it.
pub(super) struct Eval {
    pub(super) text: String,
    pub(super) expr: Expr,
    pub(super) time: EvalTime,
    /// The moments of the values of an expected matrix: of a range eval, or named by `expect range vector`.
    pub(super) steps: Option<EvalSteps>,
    pub(super) expectation: Expectation,
}

/// When an eval is evaluated.
#[derive(Clone, Copy)]
pub(super) enum EvalTime {
    Instant(Timestamp),
    Range(EvalSteps),
}

/// Moments at equal distances, both ends included.
#[derive(Clone, Copy)]
pub(super) struct EvalSteps {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) step_ms: i64,
}

/// What an eval should answer.
#[derive(Default)]
pub(super) struct Expectation {
    pub(super) value: ExpectedValue,
    pub(super) is_ordered: bool,
    /// Whether it must fail, and how.
    pub(super) fail: Option<Message>,
    pub(super) warnings: ExpectedAnnotations,
    pub(super) infos: ExpectedAnnotations,
}

/// The expected answer.
pub(super) enum ExpectedValue {
    Scalar(f64),
    String(String),
    /// Series in their order, with one value for each step.
    Series(Vec<ExpectedSeries>),
}

impl Default for ExpectedValue {
    fn default() -> Self {
        Self::Series(Vec::new())
    }
}

/// One expected series.
pub(super) struct ExpectedSeries {
    /// Its place among the lines, from 1.
    pub(super) position: usize,
    pub(super) labels: Labels,
    pub(super) values: Vec<SequenceValue>,
}

/// What is expected of the annotations of one kind.
#[derive(Default)]
pub(super) struct ExpectedAnnotations {
    /// There must be some, whatever they say (`eval_warn`).
    pub(super) is_some: bool,
    /// There must be none.
    pub(super) is_none: bool,
    /// Each of these must be there, and no other, unless this is empty.
    pub(super) messages: Vec<Message>,
}

/// A text that is expected.
pub(super) enum Message {
    Any,
    Exactly(String),
    Matching(Regex),
}

impl Message {
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(wanted) => wanted == text,
            Self::Matching(regex) => regex.is_match(text),
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Exactly(wanted) => format!("{wanted:?}"),
            Self::Matching(regex) => format!("something that matches {:?}", regex.source()),
        }
    }
}
