//! Checks what the grammar alone cannot say: types, arguments, matching.
//!
//! Reports the first mistake in the order in which upstream finds them. It also settles what depends
//! on types: matching is kept only between vectors, and set operators match many to many.

use crate::ast::{
    Aggregate, AggregateOperator, Binary, Call, Cardinality, Expr, ExprKind, Span, ValueType,
    VectorMatching, VectorSelector,
};
use crate::parse_error::ParseError;
use model::METRIC_NAME;
use model::labels::Quoted;

impl ValueType {
    /// As upstream's documentation and messages call it.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        }
    }

    /// As upstream's API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::String => "string",
        }
    }
}

impl Expr {
    /// What it evaluates to.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number { .. } => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Vector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Call(call) => call.function.returns,
            ExprKind::Binary(binary) => {
                let are_scalars = binary.left.value_type() == ValueType::Scalar
                    && binary.right.value_type() == ValueType::Scalar;
                if are_scalars {
                    ValueType::Scalar
                } else {
                    ValueType::Vector
                }
            }
            ExprKind::Unary { operand, .. } => operand.value_type(),
            ExprKind::Paren(inner) => inner.value_type(),
        }
    }
}

/// Checks a tree and settles its matching; `text` is where its spans point into.
pub(crate) fn check(text: &str, expr: &mut Expr) -> Result<(), ParseError> {
    Checker { text }.expr(expr).map(|_type| ())
}

/// Checks that a selector names its metric once.
pub(crate) fn check_name_once(text: &str, expr: &Expr) -> Result<(), ParseError> {
    match &expr.kind {
        ExprKind::Vector(selector) => Checker { text }.name_once(selector, expr.span),
        _ => Ok(()),
    }
}

struct Checker<'a> {
    text: &'a str,
}

impl Checker<'_> {
    fn error<T>(&self, span: Span, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError::new(self.text, span, message))
    }

    fn expr(&self, expr: &mut Expr) -> Result<ValueType, ParseError> {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Number { .. } => return Ok(ValueType::Scalar),
            ExprKind::String(_) => return Ok(ValueType::String),
            ExprKind::Vector(selector) => self.selector(selector, span)?,
            ExprKind::Matrix(matrix) => {
                self.selector(&matrix.selector, span)?;
                return Ok(ValueType::Matrix);
            }
            ExprKind::Subquery(subquery) => {
                let inner = self.expr(&mut subquery.expr)?;
                if inner != ValueType::Vector {
                    let name = inner.name();
                    return self.error(
                        span,
                        format!("subquery is only allowed on instant vector, got {name} instead"),
                    );
                }
                return Ok(ValueType::Matrix);
            }
            ExprKind::Call(call) => {
                self.call(call, span)?;
                return Ok(call.function.returns);
            }
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate)?,
            ExprKind::Binary(binary) => return self.binary(binary, span),
            ExprKind::Unary { operand, .. } => {
                let inner = self.expr(operand)?;
                if !matches!(inner, ValueType::Scalar | ValueType::Vector) {
                    return self.error(
                        span,
                        format!(
                            "unary expression only allowed on expressions of type scalar or instant vector, got {}",
                            Quoted(inner.description())
                        ),
                    );
                }
                return Ok(inner);
            }
            ExprKind::Paren(inner) => return self.expr(inner),
        }
        Ok(ValueType::Vector)
    }

    fn name_once(&self, selector: &VectorSelector, span: Span) -> Result<(), ParseError> {
        let Some(name) = &selector.name else {
            return Ok(());
        };
        // The last condition is the one on `name` itself.
        let others = selector.matchers.len().saturating_sub(1);
        let second = selector
            .matchers
            .iter()
            .take(others)
            .find(|matcher| matcher.name() == METRIC_NAME);
        match second {
            None => Ok(()),
            Some(matcher) => self.error(
                span,
                format!(
                    "metric name must not be set twice: {} or {}",
                    Quoted(name),
                    Quoted(matcher.value())
                ),
            ),
        }
    }

    fn selector(&self, selector: &VectorSelector, span: Span) -> Result<(), ParseError> {
        self.name_once(selector, span)?;
        // Keeps a slip of the pen from selecting everything.
        if selector.name.is_none() && selector.matchers.iter().all(model::Matcher::matches_empty) {
            return self.error(
                span,
                "vector selector must contain at least one non-empty matcher",
            );
        }
        Ok(())
    }

    fn expect_type(
        &self,
        expr: &mut Expr,
        wanted: ValueType,
        context: &str,
    ) -> Result<(), ParseError> {
        let found = self.expr(expr)?;
        if found == wanted {
            return Ok(());
        }
        self.error(expr.span, wrong_type(wanted, context, found))
    }

    fn aggregate(&self, aggregate: &mut Aggregate) -> Result<(), ParseError> {
        self.expect_type(
            &mut aggregate.operand,
            ValueType::Vector,
            "aggregation expression",
        )?;
        let Some(parameter) = &mut aggregate.parameter else {
            return Ok(());
        };
        let wanted = if aggregate.operator == AggregateOperator::CountValues {
            ValueType::String
        } else {
            ValueType::Scalar
        };
        self.expect_type(parameter, wanted, "aggregation parameter")
    }

    fn call(&self, call: &mut Call, span: Span) -> Result<(), ParseError> {
        self.argument_count(call, span)?;
        let (function, context) = (
            call.function,
            format!("call to function {}", Quoted(call.function.name)),
        );
        let is_info = function.name == "info";
        for (index, argument) in call.arguments.iter_mut().enumerate() {
            if is_info && index == 1 {
                self.info_labels(argument, span, &context)?;
                continue;
            }
            let Some(wanted) = function
                .arguments
                .get(index)
                .or_else(|| function.arguments.last())
            else {
                continue;
            };
            self.expect_type(argument, *wanted, &context)?;
        }
        Ok(())
    }

    fn argument_count(&self, call: &Call, span: Span) -> Result<(), ParseError> {
        let (function, given) = (call.function, call.arguments.len());
        let (min, max) = (function.arguments_min(), function.arguments_max());
        let limit = match max {
            Some(max) if max == min && given != min => format!("{min}"),
            _ if given < min => format!("at least {min}"),
            Some(max) if given > max => format!("at most {max}"),
            _ => return Ok(()),
        };
        let name = Quoted(function.name);
        self.error(
            span,
            format!("expected {limit} argument(s) in call to {name}, got {given}"),
        )
    }

    /// The second argument of `info` is a selector in form only: it names labels, not series.
    fn info_labels(&self, argument: &Expr, span: Span, context: &str) -> Result<(), ParseError> {
        let found = argument.value_type();
        if found != ValueType::Vector {
            return self.error(span, wrong_type(ValueType::Vector, context, found));
        }
        match &argument.kind {
            ExprKind::Vector(selector) if selector.name.is_none() => Ok(()),
            ExprKind::Vector(_) => self.error(
                argument.span,
                "expected label selectors only, got vector selector instead",
            ),
            _ => self.error(argument.span, "expected label selectors only"),
        }
    }

    fn binary(&self, binary: &mut Binary, span: Span) -> Result<ValueType, ParseError> {
        let left = self.expr(&mut binary.left)?;
        let right = self.expr(&mut binary.right)?;
        let operator = binary.operator;
        let are_scalars = left == ValueType::Scalar && right == ValueType::Scalar;
        if binary.returns_bool && !operator.is_comparison() {
            return self.error(
                self.operator_span(binary),
                "bool modifier can only be used on comparison operators",
            );
        }
        if operator.is_comparison() && !binary.returns_bool && are_scalars {
            return self.error(
                self.operator_span(binary),
                "comparisons between scalars must use BOOL modifier",
            );
        }
        let matching = binary.matching.take().unwrap_or_default();
        self.labels_used_once(binary, &matching)?;
        for (side, value_type) in [(&binary.left, left), (&binary.right, right)] {
            if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
                return self.error(
                    side.span,
                    "binary expression must contain only scalar and instant vector types",
                );
            }
        }
        if left == ValueType::Vector && right == ValueType::Vector {
            binary.matching = Some(self.matching_of_vectors(binary, matching, span)?);
        } else {
            self.no_matching(binary, &matching, span)?;
        }
        Ok(if are_scalars {
            ValueType::Scalar
        } else {
            ValueType::Vector
        })
    }

    fn labels_used_once(
        &self,
        binary: &Binary,
        matching: &VectorMatching,
    ) -> Result<(), ParseError> {
        let twice = matching
            .labels
            .iter()
            .find(|label| matching.include.contains(label));
        match twice {
            Some(label) if matching.on => self.error(
                self.operator_span(binary),
                format!(
                    "label {} must not occur in ON and GROUP clause at once",
                    Quoted(label)
                ),
            ),
            _ => Ok(()),
        }
    }

    fn matching_of_vectors(
        &self,
        binary: &Binary,
        mut matching: VectorMatching,
        span: Span,
    ) -> Result<VectorMatching, ParseError> {
        if !binary.operator.is_set() {
            return Ok(matching);
        }
        let symbol = Quoted(binary.operator.symbol());
        if matching.cardinality != Cardinality::OneToOne {
            return self.error(span, format!("no grouping allowed for {symbol} operation"));
        }
        if matching.fill_left.is_some() || matching.fill_right.is_some() {
            return self.error(
                span,
                "filling in missing series not allowed for set operators",
            );
        }
        matching.cardinality = Cardinality::ManyToMany;
        Ok(matching)
    }

    fn no_matching(
        &self,
        binary: &Binary,
        matching: &VectorMatching,
        span: Span,
    ) -> Result<(), ParseError> {
        if !matching.labels.is_empty() {
            return self.error(span, "vector matching only allowed between instant vectors");
        }
        if matching.fill_left.is_some() || matching.fill_right.is_some() {
            return self.error(
                span,
                "filling in missing series only allowed between instant vectors",
            );
        }
        if binary.operator.is_set() {
            let symbol = Quoted(binary.operator.symbol());
            return self.error(
                span,
                format!("set operator {symbol} not allowed in binary scalar expression"),
            );
        }
        Ok(())
    }

    /// From the operator to the last word before the right side.
    fn operator_span(&self, binary: &Binary) -> Span {
        let (start, end) = (binary.left.span.end, binary.right.span.start);
        let between = self.text.get(start..end).unwrap_or_default();
        Span {
            start: start + (between.len() - between.trim_start().len()),
            end: start + between.trim_end().len(),
        }
    }
}

fn wrong_type(wanted: ValueType, context: &str, found: ValueType) -> String {
    format!(
        "expected type {} in {context}, got {}",
        wanted.description(),
        found.description()
    )
}
