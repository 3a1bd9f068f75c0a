//! What follows an expression: ranges, subqueries, `offset`, `@`, `anchored`, `smoothed`.

use super::Parser;
use crate::ast::{
    AtModifier, DurationExpr, Expr, ExprKind, MatrixSelector, Modifiers, RangeBorders, Span,
    Subquery,
};
use crate::parse_error::ParseError;
use crate::token::{Keyword, TokenKind};
use model::number::float_to_i64;

/// The first moment in seconds that is too far away; its negative is too far back.
const AT_SECONDS_END: f64 = 9_223_372_036_854_775_807.0;

impl Parser<'_> {
    /// Reads the modifiers that follow, in any order.
    pub(super) fn modified(&mut self, mut expr: Expr) -> Result<Expr, ParseError> {
        loop {
            match *self.kind() {
                TokenKind::LeftBracket => expr = self.range_or_subquery(expr)?,
                TokenKind::At => self.at(&mut expr)?,
                TokenKind::Keyword(Keyword::Offset) => self.offset(&mut expr)?,
                TokenKind::Keyword(Keyword::Anchored) => {
                    self.borders(&mut expr, RangeBorders::Anchored)?;
                }
                TokenKind::Keyword(Keyword::Smoothed) => {
                    self.borders(&mut expr, RangeBorders::Smoothed)?;
                }
                _ => return Ok(expr),
            }
        }
    }

    fn range_or_subquery(&mut self, expr: Expr) -> Result<Expr, ParseError> {
        let opening = self.advance();
        let range = self.positive_duration(
            "subquery or range selector",
            "number, duration, step(), or range()",
        )?;
        if let Some(closing) = self.accept(&TokenKind::RightBracket) {
            let brackets = Span {
                start: opening.start,
                end: closing.end,
            };
            return self.matrix(expr, range, brackets);
        }
        if self.accept(&TokenKind::Colon).is_none() {
            return Err(self.unexpected("subquery or range", "\":\" or \"]\""));
        }
        let mut step = None;
        if self.kind() != &TokenKind::RightBracket {
            step = Some(self.positive_duration(
                "subquery selector",
                "number, duration, step(), range(), or \"]\"",
            )?);
        }
        let Some(closing) = self.accept(&TokenKind::RightBracket) else {
            return Err(self.unexpected("subquery selector", "\"]\""));
        };
        let span = Span {
            start: expr.span.start,
            end: closing.end,
        };
        self.grow(self.height, span)?;
        let kind = ExprKind::Subquery(Subquery {
            expr: Box::new(expr),
            range,
            step,
            modifiers: Modifiers::default(),
        });
        Ok(Expr { kind, span })
    }

    fn matrix(
        &mut self,
        expr: Expr,
        range: DurationExpr,
        brackets: Span,
    ) -> Result<Expr, ParseError> {
        let span = Span {
            start: expr.span.start,
            end: brackets.end,
        };
        let ExprKind::Vector(selector) = expr.kind else {
            return Err(self.error(brackets, "ranges only allowed for vector selectors"));
        };
        if selector.modifiers.offset.is_some() {
            return Err(self.error(brackets, "no offset modifiers allowed before range"));
        }
        if selector.modifiers.at.is_some() {
            return Err(self.error(brackets, "no @ modifiers allowed before range"));
        }
        let kind = ExprKind::Matrix(MatrixSelector { selector, range });
        Ok(Expr { kind, span })
    }

    fn offset(&mut self, expr: &mut Expr) -> Result<(), ParseError> {
        self.advance();
        let offset = self.offset_duration()?;
        let span = expr.span;
        let Some(modifiers) = modifiers_of(expr) else {
            return Err(self.error(
                span,
                "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
            ));
        };
        if modifiers.offset.is_some() {
            return Err(self.error(span, "offset may not be set multiple times"));
        }
        // An offset of nothing is none.
        modifiers.offset = Some(offset).filter(|offset| offset != &DurationExpr::Millis(0));
        expr.span.end = self.last_end;
        Ok(())
    }

    fn at(&mut self, expr: &mut Expr) -> Result<(), ParseError> {
        self.advance();
        let at = self.moment(expr.span)?;
        let span = expr.span;
        let Some(modifiers) = modifiers_of(expr) else {
            return Err(self.error(
                span,
                "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
            ));
        };
        if modifiers.at.is_some() {
            return Err(self.error(span, "@ <timestamp> may not be set multiple times"));
        }
        modifiers.at = Some(at);
        expr.span.end = self.last_end;
        Ok(())
    }

    fn moment(&mut self, modified: Span) -> Result<AtModifier, ParseError> {
        let named = match self.kind() {
            TokenKind::Keyword(Keyword::Start) => Some(AtModifier::Start),
            TokenKind::Keyword(Keyword::End) => Some(AtModifier::End),
            _ => None,
        };
        if let Some(named) = named {
            self.advance();
            for paren in [TokenKind::LeftParen, TokenKind::RightParen] {
                if self.accept(&paren).is_none() {
                    return Err(self.unexpected("@", "timestamp"));
                }
            }
            return Ok(named);
        }
        let sign = self.sign();
        if sign.is_some() {
            self.advance();
        }
        if !matches!(self.kind(), TokenKind::Number | TokenKind::Duration) {
            return Err(self.unexpected("@", "timestamp"));
        }
        let number = self.number()?;
        let seconds = if sign == Some(true) { -number } else { number };
        if seconds.is_nan() || seconds.abs() >= AT_SECONDS_END {
            return Err(self.error(
                modified,
                format!(
                    "timestamp out of bounds for @ modifier: {}",
                    fixed_six(seconds)
                ),
            ));
        }
        Ok(AtModifier::Millis(float_to_i64((seconds * 1000.0).round())))
    }

    fn borders(&mut self, expr: &mut Expr, borders: RangeBorders) -> Result<(), ParseError> {
        let name = if borders == RangeBorders::Anchored {
            "anchored"
        } else {
            "smoothed"
        };
        self.advance();
        let selector = match &mut expr.kind {
            ExprKind::Vector(selector) => selector,
            ExprKind::Matrix(matrix) => &mut matrix.selector,
            ExprKind::Subquery(_) => {
                return Err(self.error(
                    expr.span,
                    format!("{name} modifier is not supported for subqueries"),
                ));
            }
            _ => return Err(self.error(expr.span, format!("{name} modifier not implemented"))),
        };
        if selector.borders != RangeBorders::Plain && selector.borders != borders {
            return Err(self.error(
                expr.span,
                "anchored and smoothed modifiers cannot be used together",
            ));
        }
        selector.borders = borders;
        expr.span.end = self.last_end;
        Ok(())
    }
}

fn modifiers_of(expr: &mut Expr) -> Option<&mut Modifiers> {
    match &mut expr.kind {
        ExprKind::Vector(selector) => Some(&mut selector.modifiers),
        ExprKind::Matrix(matrix) => Some(&mut matrix.selector.modifiers),
        ExprKind::Subquery(subquery) => Some(&mut subquery.modifiers),
        _ => None,
    }
}

/// As Go's `%f`.
fn fixed_six(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.6}")
    } else {
        model::format_float(value)
    }
}
