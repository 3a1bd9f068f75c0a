//! What a query means, as a tree with the place of every part in the text.

use model::Matcher;

/// Bytes of the query text, `start` included, `end` not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `1`, `0x1F`, `5m` (a duration counts as seconds), `Inf`; `is_duration` remembers how to print it.
    Number {
        /// The value.
        value: f64,
        /// Whether it was written as a duration.
        is_duration: bool,
    },
    /// `"text"`
    String(String),
    /// `name{label="value"} offset 5m @ 12`
    Vector(VectorSelector),
    /// `name[5m]`
    Matrix(MatrixSelector),
    /// `expr[5m:1m]`
    Subquery(Subquery),
    /// `rate(…)`
    Call(Call),
    /// `sum by (job) (…)`
    Aggregate(Aggregate),
    /// `a + on (job) b`
    Binary(Binary),
    /// `-a`, `+a`
    Unary {
        /// Whether the sign is minus.
        negative: bool,
        /// What it applies to.
        operand: Box<Expr>,
    },
    /// `(a)`
    Paren(Box<Expr>),
}

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// One number for each step.
    Scalar,
    /// Series with one sample for each step.
    Vector,
    /// Series with a range of samples for each step.
    Matrix,
    /// A text.
    String,
}

/// A duration that may have to be computed (`[5m * 2]`, `offset step()`).
#[derive(Clone, Debug, PartialEq)]
pub enum DurationExpr {
    /// Milliseconds known when parsing.
    Millis(i64),
    /// A computed duration; its value in seconds is known once the query's step and range are.
    Computed(Box<DurationNode>),
}

/// A computed duration and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationNode {
    /// What it is.
    pub kind: DurationKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of computed durations; all values are seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationKind {
    /// A number or a duration literal.
    Number {
        /// Seconds.
        value: f64,
        /// Whether it was written as a duration.
        is_duration: bool,
    },
    /// `step()`: the query's step, 0 for an instant query.
    Step,
    /// `range()`: from the query's start to its end.
    Range,
    /// `min(a, b)`
    Min(Box<DurationNode>, Box<DurationNode>),
    /// `max(a, b)`
    Max(Box<DurationNode>, Box<DurationNode>),
    /// `-a`, `+a`
    Sign {
        /// Whether the sign is minus.
        negative: bool,
        /// What it applies to.
        operand: Box<DurationNode>,
    },
    /// `a + b` and so on; only `+ - * / % ^`.
    Binary {
        /// What is computed.
        operator: BinaryOperator,
        /// Left side.
        left: Box<DurationNode>,
        /// Right side.
        right: Box<DurationNode>,
    },
    /// `(a)`
    Paren(Box<DurationNode>),
}

/// The moment after `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtModifier {
    /// `@ 1234.5`, in milliseconds.
    Millis(i64),
    /// `@ start()`
    Start,
    /// `@ end()`
    End,
}

/// How the samples of a range are taken at its borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RangeBorders {
    /// Only what lies in the range.
    #[default]
    Plain,
    /// `anchored`
    Anchored,
    /// `smoothed`
    Smoothed,
}

/// `offset` and `@`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Modifiers {
    /// `offset`; may be negative.
    pub offset: Option<DurationExpr>,
    /// `@`
    pub at: Option<AtModifier>,
}

/// Selects the latest sample of each series.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSelector {
    /// The name as written before the braces, if it was.
    pub name: Option<String>,
    /// All conditions, that on the name included.
    pub matchers: Vec<Matcher>,
    /// `offset` and `@`.
    pub modifiers: Modifiers,
    /// `anchored` or `smoothed`.
    pub borders: RangeBorders,
}

/// Selects the samples of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSelector {
    /// Which series; its modifiers shift the range. Its span covers the selector alone.
    pub selector: VectorSelector,
    /// How long the range is.
    pub range: DurationExpr,
}

/// Evaluates an expression over a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Box<Expr>,
    /// How long the range is.
    pub range: DurationExpr,
    /// Between evaluations; the default step where absent.
    pub step: Option<DurationExpr>,
    /// `offset` and `@`.
    pub modifiers: Modifiers,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function, from the table in `functions`.
    pub function: &'static crate::signatures::Signature,
    /// Its arguments.
    pub arguments: Vec<Expr>,
}

/// An aggregation over label sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What is computed.
    pub operator: AggregateOperator,
    /// The parameter of `topk`, `quantile` and so on.
    pub parameter: Option<Box<Expr>>,
    /// What is aggregated.
    pub operand: Box<Expr>,
    /// `by` or `without`.
    pub without: bool,
    /// The labels named there.
    pub grouping: Vec<String>,
}

/// The aggregations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own")]
pub enum AggregateOperator {
    Avg,
    Bottomk,
    Count,
    CountValues,
    Group,
    Limitk,
    LimitRatio,
    Max,
    Min,
    Quantile,
    Stddev,
    Stdvar,
    Sum,
    Topk,
}

/// An operation on two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// What is computed.
    pub operator: BinaryOperator,
    /// Left side.
    pub left: Box<Expr>,
    /// Right side.
    pub right: Box<Expr>,
    /// `bool`
    pub returns_bool: bool,
    /// How series of the two sides find each other; `None` unless both sides are vectors.
    pub matching: Option<VectorMatching>,
}

/// The operators between two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own")]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Unless,
    /// `</`
    TrimUpper,
    /// `>/`
    TrimLower,
}

/// How many series of each side belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Cardinality {
    /// One of each side.
    #[default]
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// The set operators.
    ManyToMany,
}

/// `on`, `ignoring`, `group_left`, `group_right` and the fill modifiers.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct VectorMatching {
    /// How many belong together.
    pub cardinality: Cardinality,
    /// Whether `labels` are those to match on (`on`) or to leave out (`ignoring`, the default).
    pub on: bool,
    /// The labels named there.
    pub labels: Vec<String>,
    /// The labels named in `group_left (…)`.
    pub include: Vec<String>,
    /// `fill_left (…)` or `fill (…)`: the value of a missing left side.
    pub fill_left: Option<f64>,
    /// `fill_right (…)` or `fill (…)`: the value of a missing right side.
    pub fill_right: Option<f64>,
}
