//! Signs, literals, parentheses, calls and aggregations.

use super::Parser;
use crate::ast::{Aggregate, AggregateOperator, BinaryOperator, Call, Expr, ExprKind, Span};
use crate::literal;
use crate::parse_error::ParseError;
use crate::signatures;
use crate::token::{Keyword, TokenKind};

impl Parser<'_> {
    /// An operand with its signs. A sign binds as tightly as `*`: `-2 ^ 2` is −4.
    pub(super) fn unary(&mut self) -> Result<Expr, ParseError> {
        let Some(negative) = self.sign() else {
            let operand = self.primary()?;
            return self.modified(operand);
        };
        let start = self.advance().start;
        let operand = self.nested(|parser| parser.binary(BinaryOperator::Multiply.precedence()))?;
        let span = Span {
            start,
            end: operand.span.end,
        };
        // A signed number is a number.
        if let ExprKind::Number { value, is_duration } = operand.kind {
            let value = if negative { -value } else { value };
            return Ok(Expr {
                kind: ExprKind::Number { value, is_duration },
                span,
            });
        }
        self.grow(self.height, span)?;
        Ok(Expr {
            kind: ExprKind::Unary {
                negative,
                operand: Box::new(operand),
            },
            span,
        })
    }

    /// Whether the next word is a sign, and if so, minus.
    pub(super) fn sign(&self) -> Option<bool> {
        match self.kind() {
            TokenKind::Binary(BinaryOperator::Add) => Some(false),
            TokenKind::Binary(BinaryOperator::Subtract) => Some(true),
            _ => None,
        }
    }

    fn primary(&mut self) -> Result<Expr, ParseError> {
        self.height = 1;
        let span = self.span();
        match *self.kind() {
            TokenKind::Number | TokenKind::Duration => self.number_literal(),
            TokenKind::String => {
                self.advance();
                let kind = ExprKind::String(literal::unquote(self.text_of(span)));
                Ok(Expr { kind, span })
            }
            TokenKind::LeftParen => self.parenthesised(),
            TokenKind::Aggregate(operator) => self.aggregate_or_selector(operator),
            TokenKind::Identifier if self.is_followed_by_paren() => self.call(),
            TokenKind::Keyword(keyword)
                if keyword.is_preprocessor() && self.is_followed_by_paren() =>
            {
                self.call()
            }
            TokenKind::LeftBrace => self.vector_selector(),
            ref kind if kind.names_metric() => self.vector_selector(),
            _ => Err(self.unexpected_anything()),
        }
    }

    fn is_followed_by_paren(&self) -> bool {
        self.kind_after(1) == Some(&TokenKind::LeftParen)
    }

    fn number_literal(&mut self) -> Result<Expr, ParseError> {
        let is_duration = self.kind() == &TokenKind::Duration;
        let span = self.span();
        let value = self.number()?;
        let kind = ExprKind::Number { value, is_duration };
        Ok(Expr { kind, span })
    }

    /// A number or a duration (in seconds) without a sign.
    pub(super) fn number(&mut self) -> Result<f64, ParseError> {
        let span = self.span();
        let text = self.text_of(span);
        let value = match self.kind() {
            TokenKind::Number => literal::number(text),
            TokenKind::Duration => literal::duration_seconds(text),
            _ => return Err(self.unexpected_anything()),
        };
        let value = value.map_err(|message| self.error(span, message))?;
        self.advance();
        Ok(value)
    }

    /// A number or a duration with or without a sign.
    pub(super) fn signed_number(&mut self) -> Result<f64, ParseError> {
        let sign = self.sign();
        if sign.is_some() {
            self.advance();
        }
        let value = self.number()?;
        Ok(if sign == Some(true) { -value } else { value })
    }

    fn parenthesised(&mut self) -> Result<Expr, ParseError> {
        let start = self.advance().start;
        let inner = self.expression()?;
        let Some(closing) = self.accept(&TokenKind::RightParen) else {
            return Err(self.unexpected_anything());
        };
        let span = Span {
            start,
            end: closing.end,
        };
        self.grow(self.height, span)?;
        let kind = ExprKind::Paren(Box::new(inner));
        Ok(Expr { kind, span })
    }

    fn call(&mut self) -> Result<Expr, ParseError> {
        let name = self.advance();
        let arguments = self.arguments()?;
        let span = Span {
            start: name.start,
            end: self.last_end,
        };
        let written = self.text_of(name);
        let function = signatures::find(written).ok_or_else(|| {
            let quoted = model::labels::Quoted(written);
            self.error(name, format!("unknown function with name {quoted}"))
        })?;
        self.grow(self.height, span)?;
        let kind = ExprKind::Call(Call {
            function,
            arguments,
        });
        Ok(Expr { kind, span })
    }

    /// `(a, b)`, the parentheses included. Leaves the height of the highest.
    fn arguments(&mut self) -> Result<Vec<Expr>, ParseError> {
        let mut arguments = Vec::new();
        let mut height = 0;
        if self.accept(&TokenKind::LeftParen).is_none() {
            return Err(self.unexpected_anything());
        }
        if self.accept(&TokenKind::RightParen).is_some() {
            self.height = 0;
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            height = height.max(self.height);
            if self.accept(&TokenKind::RightParen).is_some() {
                self.height = height;
                return Ok(arguments);
            }
            let Some(comma) = self.accept(&TokenKind::Comma) else {
                return Err(self.unexpected_anything());
            };
            if !self.starts_expression() {
                return Err(self.error(comma, "trailing commas not allowed in function call args"));
            }
        }
    }

    /// Whether the next word may start an expression; an error of the lexer is left for later.
    fn starts_expression(&self) -> bool {
        match self.kind() {
            TokenKind::Number
            | TokenKind::Duration
            | TokenKind::String
            | TokenKind::LeftParen
            | TokenKind::LeftBrace
            | TokenKind::Error(_) => true,
            kind => kind.names_metric() || self.sign().is_some(),
        }
    }

    /// `sum by (a) (b)`, or a metric whose name is that of an aggregation.
    fn aggregate_or_selector(&mut self, operator: AggregateOperator) -> Result<Expr, ParseError> {
        match self.kind_after(1) {
            Some(TokenKind::LeftParen | TokenKind::Keyword(Keyword::By | Keyword::Without)) => {
                self.aggregate(operator)
            }
            _ => self.vector_selector(),
        }
    }

    fn aggregate(&mut self, operator: AggregateOperator) -> Result<Expr, ParseError> {
        let start = self.advance().start;
        let mut grouping = self.grouping()?;
        self.open_aggregations += 1;
        let arguments = self.arguments();
        self.open_aggregations -= 1;
        let arguments = arguments?;
        let height = self.height;
        if grouping.is_none() {
            // Upstream has read the next word by now, and what is wrong with that comes first.
            if let TokenKind::Error(_) = self.kind() {
                return Err(self.unexpected_anything());
            }
            grouping = self.grouping()?;
        }
        let (without, grouping) = grouping.unwrap_or_default();
        let span = Span {
            start,
            end: self.last_end,
        };
        self.grow(height, span)?;
        let wanted = 1 + usize::from(operator.has_parameter());
        let given = arguments.len();
        if given == 0 {
            return Err(self.error(span, "no arguments for aggregate expression provided"));
        }
        let mut arguments = arguments.into_iter();
        let first = arguments.next();
        let (parameter, operand) = if operator.has_parameter() {
            (first, arguments.next())
        } else {
            (None, first)
        };
        let (Some(operand), true) = (operand, given == wanted) else {
            return Err(self.error(
                span,
                format!(
                    "wrong number of arguments for aggregate expression provided, expected {wanted}, got {given}"
                ),
            ));
        };
        let kind = ExprKind::Aggregate(Aggregate {
            operator,
            parameter: parameter.map(Box::new),
            operand: Box::new(operand),
            without,
            grouping,
        });
        Ok(Expr { kind, span })
    }

    /// `by (…)` or `without (…)`: whether the latter, and the labels.
    fn grouping(&mut self) -> Result<Option<(bool, Vec<String>)>, ParseError> {
        let without = match self.kind() {
            TokenKind::Keyword(Keyword::By) => false,
            TokenKind::Keyword(Keyword::Without) => true,
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some((without, self.grouping_labels()?)))
    }
}
