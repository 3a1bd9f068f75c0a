//! Selectors and label sets.

use super::Parser;
use crate::ast::{BinaryOperator, Expr, ExprKind, Modifiers, RangeBorders, Span, VectorSelector};
use crate::literal;
use crate::parse_error::ParseError;
use crate::token::TokenKind;
use model::{Labels, METRIC_NAME, MatchOperator, Matcher};

/// Regular expressions in one query; compiled, each may take some megabytes.
const EXPRESSIONS_MAX: usize = 100;

impl Parser<'_> {
    /// `name{label="value"}`; name or braces may be missing, but not both.
    pub(super) fn vector_selector(&mut self) -> Result<Expr, ParseError> {
        let start = self.span().start;
        let name = self.metric_name();
        let mut matchers = Vec::new();
        if self.kind() == &TokenKind::LeftBrace {
            self.advance();
            matchers = self.matchers()?;
        } else if name.is_none() {
            return Err(self.unexpected_anything());
        }
        // The condition on the name comes last, as in upstream's tree.
        matchers.extend(name.as_ref().map(|name| Matcher::equal(METRIC_NAME, name)));
        self.height = 1;
        Ok(Expr {
            kind: ExprKind::Vector(VectorSelector {
                name,
                matchers,
                modifiers: Modifiers::default(),
                borders: RangeBorders::Plain,
            }),
            span: Span {
                start,
                end: self.last_end,
            },
        })
    }

    fn metric_name(&mut self) -> Option<String> {
        if !self.kind().names_metric() {
            return None;
        }
        let span = self.advance();
        Some(self.text_of(span).to_owned())
    }

    /// The conditions after the opening brace, the closing one included.
    fn matchers(&mut self) -> Result<Vec<Matcher>, ParseError> {
        let mut matchers = Vec::new();
        if self.accept(&TokenKind::RightBrace).is_some() {
            return Ok(matchers);
        }
        loop {
            matchers.push(self.matcher()?);
            if self.accept(&TokenKind::RightBrace).is_some() {
                return Ok(matchers);
            }
            if self.accept(&TokenKind::Comma).is_none() {
                return Err(self.unexpected("label matching", "\",\" or \"}\""));
            }
            if self.accept(&TokenKind::RightBrace).is_some() {
                return Ok(matchers);
            }
        }
    }

    /// `label="value"`, `"label"="value"` or `"metric name"`.
    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let start = self.span();
        let (label, may_be_metric) = match self.kind() {
            TokenKind::Identifier => (self.text_of(start).to_owned(), false),
            TokenKind::String => (literal::unquote(self.text_of(start)), true),
            _ => return Err(self.unexpected("label matching", "identifier or \"}\"")),
        };
        self.advance();
        let operator = match self.kind() {
            TokenKind::Equal => MatchOperator::Equal,
            TokenKind::Binary(BinaryOperator::NotEqual) => MatchOperator::NotEqual,
            TokenKind::EqualRegex => MatchOperator::Regex,
            TokenKind::NotRegex => MatchOperator::NotRegex,
            _ if may_be_metric => return Ok(Matcher::equal(METRIC_NAME, label)),
            _ => return Err(self.unexpected("label matching", "label matching operator")),
        };
        self.advance();
        let value = self.span();
        if self.kind() != &TokenKind::String {
            return Err(self.unexpected("label matching", "string"));
        }
        self.advance();
        let span = Span {
            start: start.start,
            end: value.end,
        };
        if matches!(operator, MatchOperator::Regex | MatchOperator::NotRegex) {
            self.expressions += 1;
            if self.expressions > EXPRESSIONS_MAX {
                let text = format!("more than {EXPRESSIONS_MAX} regular expressions in a query");
                return Err(self.error(span, text));
            }
        }
        Matcher::new(label, operator, literal::unquote(self.text_of(value)))
            .map_err(|message| self.error(span, message))
    }

    /// `name{label="value"}` as the labels of one series; both parts may be missing.
    pub(super) fn label_set(&mut self) -> Result<Labels, ParseError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        if let Some(name) = self.metric_name() {
            pairs.push((METRIC_NAME.to_owned(), name));
            // Braces after a blank open a histogram: they belong to the values.
            if self.span().start > self.last_end {
                return Ok(Labels::from_pairs(pairs));
            }
        }
        if self.accept(&TokenKind::LeftBrace).is_none() {
            return Ok(Labels::from_pairs(pairs));
        }
        while self.accept(&TokenKind::RightBrace).is_none() {
            pairs.push(self.label_set_item()?);
            if self.accept(&TokenKind::Comma).is_none() && self.kind() != &TokenKind::RightBrace {
                return Err(self.unexpected("label set", "\",\" or \"}\""));
            }
        }
        Ok(Labels::from_pairs(pairs))
    }

    fn label_set_item(&mut self) -> Result<(String, String), ParseError> {
        let span = self.span();
        let (name, may_be_metric) = match self.kind() {
            TokenKind::Identifier => (self.text_of(span).to_owned(), false),
            TokenKind::String => (literal::unquote(self.text_of(span)), true),
            _ => return Err(self.unexpected("label set", "identifier or \"}\"")),
        };
        self.advance();
        if self.accept(&TokenKind::Equal).is_none() {
            if may_be_metric {
                return Ok((METRIC_NAME.to_owned(), name));
            }
            return Err(self.unexpected("label set", "\"=\""));
        }
        let value = self.span();
        if self.accept(&TokenKind::String).is_none() {
            return Err(self.unexpected("label set", "string"));
        }
        Ok((name, literal::unquote(self.text_of(value))))
    }
}
