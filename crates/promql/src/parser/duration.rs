//! Durations: literals, and arithmetic on them.

use super::Parser;
use crate::ast::{BinaryOperator, DurationExpr, DurationKind, DurationNode, Span};
use crate::parse_error::ParseError;
use crate::token::{Keyword, TokenKind};
use model::number::float_to_i64;

/// The longest duration in seconds: upstream counts nanoseconds in 63 bits.
const SECONDS_MAX: f64 = 9_223_372_036.854_776;

const WANTED: &str = "number, duration, step(), or range()";

impl Parser<'_> {
    /// A duration in brackets, which must be positive where it is known.
    ///
    /// Mistakes in it are reported as those of the bracket, as upstream does; `expected` says what may
    /// stand here.
    pub(super) fn positive_duration(
        &mut self,
        context: &str,
        expected: &str,
    ) -> Result<DurationExpr, ParseError> {
        self.duration_operators = 0;
        let node = self
            .duration_binary(0)
            .map_err(|problem| self.duration_error(problem, context, expected))?;
        if let DurationKind::Number { value, .. } = node.kind
            && value <= 0.0
        {
            return Err(self.error(node.span, "duration must be greater than 0"));
        }
        Ok(settled(node))
    }

    /// What follows `offset`: one operand; arithmetic only in parentheses.
    pub(super) fn offset_duration(&mut self) -> Result<DurationExpr, ParseError> {
        self.duration_operators = 0;
        self.duration_sign_or_operand(true)
            .map(settled)
            .map_err(|problem| self.duration_error(problem, "offset", WANTED))
    }

    fn duration_error(&self, problem: Problem, context: &str, expected: &str) -> ParseError {
        match problem {
            Problem::Unexpected => self.unexpected(context, expected),
            Problem::Error(error) => error,
        }
    }

    fn duration_binary(&mut self, precedence: u8) -> Result<DurationNode, Problem> {
        let mut left = self.duration_sign_or_operand(false)?;
        while let TokenKind::Binary(operator) = *self.kind() {
            let binds = operator.precedence();
            let is_arithmetic =
                binds >= BinaryOperator::Add.precedence() && operator != BinaryOperator::Atan2;
            if !is_arithmetic || binds <= precedence {
                break;
            }
            self.advance();
            self.duration_operators += 1;
            if self.duration_operators > super::NESTING_MAX {
                return Err(Problem::Error(self.error(
                    self.span(),
                    format!("duration has more than {} operators", super::NESTING_MAX),
                )));
            }
            let is_right = operator == BinaryOperator::Power;
            let right =
                self.duration_nested(|parser| parser.duration_binary(binds - u8::from(is_right)))?;
            self.check_divisor(operator, &right)?;
            let span = Span {
                start: left.span.start,
                end: right.span.end,
            };
            left = DurationNode {
                kind: DurationKind::Binary {
                    operator,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                span,
            };
        }
        Ok(left)
    }

    fn check_divisor(&self, operator: BinaryOperator, right: &DurationNode) -> Result<(), Problem> {
        let message = match operator {
            BinaryOperator::Divide => "division by zero",
            BinaryOperator::Modulo => "modulo by zero",
            _ => return Ok(()),
        };
        if let DurationKind::Number { value, .. } = right.kind
            && value == 0.0
        {
            return Err(Problem::Error(self.error(right.span, message)));
        }
        Ok(())
    }

    fn duration_nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut problem = None;
        let result =
            self.nested(|parser| Ok(read(parser).map_err(|error| problem = Some(error)).ok()));
        match (result, problem) {
            (Err(error), _) => Err(Problem::Error(error)),
            (Ok(Some(value)), _) => Ok(value),
            (Ok(None), problem) => Err(problem.unwrap_or(Problem::Unexpected)),
        }
    }

    /// An operand with its signs; `is_offset` keeps `^` out: `offset -2 ^ 2` squares the selector.
    fn duration_sign_or_operand(&mut self, is_offset: bool) -> Result<DurationNode, Problem> {
        let Some(negative) = self.sign() else {
            return self.duration_operand();
        };
        let start = self.advance().start;
        let operand = self.duration_nested(|parser| {
            if is_offset {
                parser.duration_operand()
            } else {
                parser.duration_binary(BinaryOperator::Multiply.precedence())
            }
        })?;
        let span = Span {
            start,
            end: operand.span.end,
        };
        let kind = match operand.kind {
            DurationKind::Number { value, is_duration } => DurationKind::Number {
                value: if negative { -value } else { value },
                is_duration,
            },
            // Plus changes nothing and is not kept.
            kind if !negative => kind,
            _ => DurationKind::Sign {
                negative,
                operand: Box::new(operand),
            },
        };
        Ok(DurationNode { kind, span })
    }

    fn duration_operand(&mut self) -> Result<DurationNode, Problem> {
        let span = self.span();
        match *self.kind() {
            TokenKind::Number | TokenKind::Duration => self.duration_number(),
            TokenKind::LeftParen => {
                self.advance();
                let inner = self.duration_nested(|parser| parser.duration_binary(0))?;
                let end = self.duration_expect(&TokenKind::RightParen)?.end;
                Ok(DurationNode {
                    kind: DurationKind::Paren(Box::new(inner)),
                    span: Span {
                        start: span.start,
                        end,
                    },
                })
            }
            _ => self.duration_function(),
        }
    }

    fn duration_number(&mut self) -> Result<DurationNode, Problem> {
        let is_duration = self.kind() == &TokenKind::Duration;
        let span = self.span();
        let value = self.number().map_err(Problem::Error)?;
        if value.abs() > SECONDS_MAX || value.is_nan() {
            return Err(Problem::Error(self.error(span, "duration out of range")));
        }
        Ok(DurationNode {
            kind: DurationKind::Number { value, is_duration },
            span,
        })
    }

    /// `step()`, `range()`, `min(a, b)`, `max(a, b)`
    fn duration_function(&mut self) -> Result<DurationNode, Problem> {
        let name = self.span();
        let kind = match self.kind() {
            TokenKind::Keyword(Keyword::Step) => Some(DurationKind::Step),
            TokenKind::Keyword(Keyword::Range) => Some(DurationKind::Range),
            _ => None,
        };
        let word = self.text_of(name).to_ascii_lowercase();
        let is_min = matches!(word.as_str(), "min" | "min_of");
        if kind.is_none() && !is_min && !matches!(word.as_str(), "max" | "max_of") {
            return Err(Problem::Unexpected);
        }
        self.advance();
        self.duration_expect(&TokenKind::LeftParen)?;
        let kind = match kind {
            Some(kind) => kind,
            None => {
                let first = self.duration_nested(|parser| parser.duration_binary(0))?;
                self.duration_expect(&TokenKind::Comma)?;
                let second = self.duration_nested(|parser| parser.duration_binary(0))?;
                let (first, second) = (Box::new(first), Box::new(second));
                if is_min {
                    DurationKind::Min(first, second)
                } else {
                    DurationKind::Max(first, second)
                }
            }
        };
        let end = self.duration_expect(&TokenKind::RightParen)?.end;
        let span = Span {
            start: name.start,
            end,
        };
        Ok(DurationNode { kind, span })
    }

    fn duration_expect(&mut self, kind: &TokenKind) -> Result<Span, Problem> {
        self.accept(kind).ok_or(Problem::Unexpected)
    }
}

/// What went wrong inside a duration; an unexpected word is named by whoever knows the context.
pub(super) enum Problem {
    Unexpected,
    Error(ParseError),
}

/// A plain number needs no computing: whole milliseconds, the rest cut off.
fn settled(node: DurationNode) -> DurationExpr {
    match node.kind {
        DurationKind::Number { value, .. } => {
            DurationExpr::Millis(float_to_i64((value * 1e9).round()) / 1_000_000)
        }
        _ => DurationExpr::Computed(Box::new(node)),
    }
}
