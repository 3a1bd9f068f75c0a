//! Reads a query into a tree.
//!
//! Recursive descent with precedence climbing over the lexer's words. Key decision: messages and the
//! part of the text they point at are upstream's, so the parser keeps what upstream's error recovery
//! would fall back to: inside the parentheses of an aggregation, an unexpected word is "unexpected …
//! in aggregation".
//!
//! Types are not looked at here (see `check`). Depth is bounded: a tree that later code cannot walk on
//! an ordinary stack is refused.

mod duration;
mod modifiers;
mod primary;
mod selector;

use crate::ast::{Binary, Cardinality, Expr, ExprKind, Span, VectorMatching};
use crate::check;
use crate::lexer;
use crate::parse_error::ParseError;
use crate::token::{Keyword, Token, TokenKind};
use model::{Labels, Matcher};

/// How deep parentheses, calls and signs may be nested: generated queries have tens.
const NESTING_MAX: usize = 150;

/// How high a tree may become, chains of operators included: those of generated queries have a few
/// hundred links.
const HEIGHT_MAX: usize = 500;

/// Reads and checks a query.
///
/// All experimental parts of the language are understood; whether they are allowed is decided elsewhere.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    let mut parser = Parser::new(text);
    if parser.kind() == &TokenKind::End {
        return Err(ParseError::new(
            text,
            Span::default(),
            "no expression found in input",
        ));
    }
    let mut expr = parser.expression()?;
    parser.expect_end()?;
    check::check(text, &mut expr)?;
    Ok(expr)
}

/// Reads a selector without modifiers, as `match[]` and alert filters take it: its matchers.
///
/// Whether all of them match the empty text is the caller's to judge.
pub fn parse_metric_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let mut parser = Parser::new(text);
    let selector = parser.vector_selector()?;
    parser.expect_end()?;
    check::check_name_once(text, &selector)?;
    match selector.kind {
        ExprKind::Vector(selector) => Ok(selector.matchers),
        _ => Ok(Vec::new()),
    }
}

/// Reads the labels of a series, `name{label="value"}`, at the start of a text; also the byte after them.
pub(crate) fn parse_labels_prefix(text: &str) -> Result<(Labels, usize), ParseError> {
    let mut parser = Parser::new(text);
    let labels = parser.label_set()?;
    Ok((labels, parser.last_end))
}

pub(crate) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    index: usize,
    /// Where the last consumed word ended.
    last_end: usize,
    /// How many calls of `expression` and the like are open.
    nesting: usize,
    /// The height of the tree that was built last.
    height: usize,
    /// How many aggregations' arguments are open.
    open_aggregations: usize,
    /// How many operators the duration that is being read has so far.
    duration_operators: usize,
    /// How many regular expressions were compiled.
    expressions: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            tokens: lexer::tokens(text),
            index: 0,
            last_end: 0,
            nesting: 0,
            height: 0,
            open_aggregations: 0,
            duration_operators: 0,
            expressions: 0,
        }
    }

    fn token(&self) -> &Token {
        const END: &Token = &Token {
            kind: TokenKind::End,
            span: Span { start: 0, end: 0 },
        };
        self.tokens.get(self.index).unwrap_or(END)
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn kind_after(&self, count: usize) -> Option<&TokenKind> {
        self.tokens.get(self.index + count).map(|token| &token.kind)
    }

    fn span(&self) -> Span {
        self.token().span
    }

    fn text_of(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// Takes the next word; the last one stays.
    fn advance(&mut self) -> Span {
        let span = self.span();
        if self.index + 1 < self.tokens.len() {
            self.index += 1;
            self.last_end = span.end;
        }
        span
    }

    fn accept(&mut self, kind: &TokenKind) -> Option<Span> {
        (self.kind() == kind).then(|| self.advance())
    }

    fn accept_keyword(&mut self, keyword: Keyword) -> Option<Span> {
        self.accept(&TokenKind::Keyword(keyword))
    }

    fn error(&self, span: Span, message: impl Into<String>) -> ParseError {
        ParseError::new(self.text, span, message)
    }

    /// The next word does not belong here.
    fn unexpected(&self, context: &str, expected: &str) -> ParseError {
        let span = self.span();
        if let TokenKind::Error(message) = self.kind() {
            return self.error(span, message.clone());
        }
        let mut message = format!("unexpected {}", self.kind().describe(self.text_of(span)));
        if !context.is_empty() {
            message.push_str(" in ");
            message.push_str(context);
        }
        if !expected.is_empty() {
            message.push_str(", expected ");
            message.push_str(expected);
        }
        self.error(span, message)
    }

    /// The next word does not belong here, and no rule knows better what should stand there.
    fn unexpected_anything(&self) -> ParseError {
        let context = if self.open_aggregations > 0 {
            "aggregation"
        } else {
            ""
        };
        self.unexpected(context, "")
    }

    fn expect_end(&self) -> Result<(), ParseError> {
        if self.kind() == &TokenKind::End {
            return Ok(());
        }
        Err(self.unexpected("", ""))
    }

    fn expression(&mut self) -> Result<Expr, ParseError> {
        self.binary(0)
    }

    /// Runs `read` one level deeper; refuses to go deeper than the stack surely carries.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        if self.nesting >= NESTING_MAX {
            return Err(self.error(
                self.span(),
                format!("expression is nested more than {NESTING_MAX} levels deep"),
            ));
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    /// Notes that a tree was put on top of others, the highest of which has `height`.
    fn grow(&mut self, height: usize, span: Span) -> Result<(), ParseError> {
        self.height = height + 1;
        if self.height > HEIGHT_MAX {
            return Err(self.error(
                span,
                format!("expression has more than {HEIGHT_MAX} levels"),
            ));
        }
        Ok(())
    }

    /// Operands and operators that bind tighter than `precedence`.
    fn binary(&mut self, precedence: u8) -> Result<Expr, ParseError> {
        let mut left = self.nested(Self::unary)?;
        while let TokenKind::Binary(operator) = *self.kind() {
            if operator.precedence() <= precedence {
                break;
            }
            let height = self.height;
            let operator_span = self.advance();
            let (returns_bool, matching) = self.binary_modifiers()?;
            // `^` groups from the right: its right side may hold another of its kind.
            let is_right = operator == crate::ast::BinaryOperator::Power;
            let right =
                self.nested(|parser| parser.binary(operator.precedence() - u8::from(is_right)))?;
            self.grow(height.max(self.height), operator_span)?;
            let span = Span {
                start: left.span.start,
                end: right.span.end,
            };
            left = Expr {
                kind: ExprKind::Binary(Binary {
                    operator,
                    left: Box::new(left),
                    right: Box::new(right),
                    returns_bool,
                    matching: Some(matching),
                }),
                span,
            };
        }
        Ok(left)
    }

    /// `bool on (…) group_left (…) fill (…)`
    fn binary_modifiers(&mut self) -> Result<(bool, VectorMatching), ParseError> {
        let returns_bool = self.accept_keyword(Keyword::Bool).is_some();
        let mut matching = VectorMatching::default();
        let is_on = self.accept_keyword(Keyword::On).is_some();
        if is_on || self.accept_keyword(Keyword::Ignoring).is_some() {
            matching.on = is_on;
            matching.labels = self.grouping_labels()?;
            matching.cardinality = if self.accept_keyword(Keyword::GroupLeft).is_some() {
                Cardinality::ManyToOne
            } else if self.accept_keyword(Keyword::GroupRight).is_some() {
                Cardinality::OneToMany
            } else {
                Cardinality::OneToOne
            };
            if matching.cardinality != Cardinality::OneToOne && self.kind() == &TokenKind::LeftParen
            {
                matching.include = self.grouping_labels()?;
            }
        }
        self.fill_modifiers(&mut matching)?;
        Ok((returns_bool, matching))
    }

    fn fill_modifiers(&mut self, matching: &mut VectorMatching) -> Result<(), ParseError> {
        while let TokenKind::Keyword(
            keyword @ (Keyword::Fill | Keyword::FillLeft | Keyword::FillRight),
        ) = *self.kind()
        {
            self.advance();
            if self.accept(&TokenKind::LeftParen).is_none() {
                return Err(self.unexpected_anything());
            }
            let value = self.signed_number()?;
            if self.accept(&TokenKind::RightParen).is_none() {
                return Err(self.unexpected_anything());
            }
            if keyword != Keyword::FillRight {
                matching.fill_left = Some(value);
            }
            if keyword != Keyword::FillLeft {
                matching.fill_right = Some(value);
            }
        }
        Ok(())
    }

    /// `(a, "b.c", by)`: the labels of `by`, `on` and the like.
    fn grouping_labels(&mut self) -> Result<Vec<String>, ParseError> {
        let mut labels = Vec::new();
        if self.accept(&TokenKind::LeftParen).is_none() {
            return Err(self.unexpected("grouping opts", "\"(\""));
        }
        loop {
            if self.accept(&TokenKind::RightParen).is_some() {
                return Ok(labels);
            }
            labels.push(self.grouping_label()?);
            if self.accept(&TokenKind::Comma).is_none() && self.kind() != &TokenKind::RightParen {
                return Err(self.unexpected("grouping opts", "\",\" or \")\""));
            }
        }
    }

    fn grouping_label(&mut self) -> Result<String, ParseError> {
        let span = self.span();
        let label = match self.kind() {
            TokenKind::String => crate::literal::unquote(self.text_of(span)),
            kind if kind.names_label() => self.text_of(span).to_owned(),
            _ => return Err(self.unexpected("grouping opts", "label")),
        };
        if label.is_empty() {
            return Err(self.error(span, "invalid label name for grouping: \"\""));
        }
        self.advance();
        Ok(label)
    }
}

#[cfg(test)]
mod tests;
