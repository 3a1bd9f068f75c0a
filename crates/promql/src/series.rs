//! Series descriptions of test scripts and rule unit tests: `name{a="b"} 1+2x3 _x2 stale {{count:5}}`.
//!
//! A language of its own beside queries: labels, then values with blanks between them. Hexadecimal
//! numbers are not part of it, because `x` repeats.

mod histogram;

use crate::ast::Span;
use crate::histogram::{added, subtracted};
use crate::parse_error::ParseError;
use crate::parser::parse_labels_prefix;
use model::{Histogram, Labels, STALE_MARKER};
use std::sync::Arc;

/// Values one item may stand for; beyond this a slip of the pen would fill the memory.
const REPEAT_MAX: u64 = 1_000_000;

/// A series with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDescription {
    /// The labels, name included.
    pub labels: Labels,
    /// One value for each interval.
    pub values: Vec<SequenceValue>,
}

/// One value of a series description.
#[derive(Clone, Debug, PartialEq)]
pub enum SequenceValue {
    /// `_`: no sample.
    Omitted,
    /// A number, or the staleness marker for `stale`.
    Float(f64),
    /// `{{…}}`
    Histogram {
        /// The histogram.
        histogram: Arc<Histogram>,
        /// Whether `counter_reset_hint` was written, so that an expected value demands it.
        is_hint_given: bool,
    },
}

/// Reads a series description.
pub fn parse_series_description(text: &str) -> Result<SeriesDescription, ParseError> {
    let (labels, end) = parse_labels_prefix(text)?;
    let mut cursor = Cursor {
        text,
        position: end,
    };
    let mut values = Vec::new();
    loop {
        let had_blank = cursor.skip_blanks();
        if cursor.peek().is_none() {
            return Ok(SeriesDescription { labels, values });
        }
        if !had_blank {
            return Err(cursor.unexpected("series values"));
        }
        cursor.item(&mut values)?;
    }
}

struct Cursor<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn accept(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.position += wanted.len();
        }
        found
    }

    /// Takes characters as long as they fit.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.position += length;
        rest.get(..length).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> bool {
        !self.take_while(|c| c.is_ascii_whitespace()).is_empty()
    }

    fn error(&self, start: usize, message: impl Into<String>) -> ParseError {
        let span = Span {
            start,
            end: self.position.max(start),
        };
        ParseError::new(self.text, span, message)
    }

    fn unexpected(&self, context: &str) -> ParseError {
        let word: String = self
            .rest()
            .chars()
            .take_while(|c| !c.is_ascii_whitespace())
            .take(10)
            .collect();
        let what = if word.is_empty() {
            "end of input".to_owned()
        } else {
            model::labels::Quoted(&word).to_string()
        };
        self.error(self.position, format!("unexpected {what} in {context}"))
    }

    fn item(&mut self, values: &mut Vec<SequenceValue>) -> Result<(), ParseError> {
        if self.accept("{{") {
            return self.histogram_item(values);
        }
        if self.accept("_") {
            let count = if self.accept("x") {
                self.repetition()?
            } else {
                1
            };
            values.extend((0..count).map(|_| SequenceValue::Omitted));
            return Ok(());
        }
        let start = self.position;
        let mut value = self.number()?;
        if !matches!(self.peek(), Some('+' | '-' | 'x')) {
            values.push(SequenceValue::Float(value));
            return Ok(());
        }
        let step = if self.peek() == Some('x') {
            0.0
        } else {
            self.number()?
        };
        if !self.accept("x") {
            return Err(self.unexpected("series values"));
        }
        if value.to_bits() == STALE_MARKER.to_bits() && step != 0.0 {
            return Err(self.error(start, "a stale marker cannot be counted up"));
        }
        let count = self.repetition()?;
        for index in 0..=count {
            values.push(SequenceValue::Float(value));
            if step != 0.0 && index < count {
                value += step;
            }
        }
        Ok(())
    }

    fn histogram_item(&mut self, values: &mut Vec<SequenceValue>) -> Result<(), ParseError> {
        let start = self.position;
        let (base, mut is_hint_given) = self.histogram_body()?;
        let mut histogram = Arc::new(base);
        let is_sum = self.rest().starts_with("+{{");
        let mut step = None;
        if is_sum || self.rest().starts_with("-{{") {
            self.position += 3;
            let (body, is_given) = self.histogram_body()?;
            step = Some(body);
            is_hint_given = is_given;
        }
        let count = if self.accept("x") {
            self.repetition()?
        } else if step.is_some() {
            return Err(self.unexpected("series values"));
        } else {
            0
        };
        for index in 0..=count {
            values.push(SequenceValue::Histogram {
                histogram: Arc::clone(&histogram),
                is_hint_given,
            });
            let Some(step) = step.as_ref().filter(|_| index < count) else {
                continue;
            };
            if histogram.schema > step.schema {
                return Err(self.error(
                    start,
                    format!(
                        "error combining histograms: cannot merge from schema {} to {}",
                        step.schema, histogram.schema
                    ),
                ));
            }
            let combine = if is_sum { added } else { subtracted };
            let combined = combine(&histogram, step).map_err(|_incompatible| {
                self.error(start, "error combining histograms: incompatible schemas")
            })?;
            histogram = Arc::new(combined.histogram);
        }
        Ok(())
    }

    /// The count after `x`.
    fn repetition(&mut self) -> Result<u64, ParseError> {
        let start = self.position;
        let digits = self.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        digits
            .parse()
            .ok()
            .filter(|count| *count <= REPEAT_MAX)
            .ok_or_else(|| {
                self.error(
                    start,
                    format!(
                        "invalid repetition in series values: {}",
                        model::labels::Quoted(digits)
                    ),
                )
            })
    }

    /// A number with or without a sign, `stale`, `Inf` or `NaN`.
    fn number(&mut self) -> Result<f64, ParseError> {
        let start = self.position;
        let is_negative = self.accept("-");
        let has_sign = is_negative || self.accept("+");
        let word_start = self.position;
        let word = match self.peek() {
            Some(c) if c.is_ascii_alphabetic() => self.named_number(),
            _ => self.digits(),
        };
        let value = match word {
            "stale" if !has_sign => return Ok(STALE_MARKER),
            "" => Err(String::new()),
            word => crate::literal::number(word),
        };
        match value {
            Ok(value) if is_negative => Ok(-value),
            Ok(value) => Ok(value),
            Err(message) if message.is_empty() => {
                self.position = start;
                Err(self.unexpected("series values, expected number or \"stale\""))
            }
            Err(message) => Err(self.error(word_start, message)),
        }
    }

    /// `Inf`, `NaN` or `stale`; nothing where another word stands.
    fn named_number(&mut self) -> &'a str {
        let rest = self.rest();
        for name in ["stale", "infinity", "inf", "nan"] {
            let Some(word) = rest.get(..name.len()) else {
                continue;
            };
            if word.eq_ignore_ascii_case(name) && (name != "stale" || word == name) {
                self.position += name.len();
                return word;
            }
        }
        ""
    }

    /// Digits with at most one dot and one exponent.
    fn digits(&mut self) -> &'a str {
        let start = self.position;
        self.take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
        if matches!(self.peek(), Some('e' | 'E')) {
            self.position += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.position += 1;
            }
            self.take_while(|c| c.is_ascii_digit());
        }
        self.text.get(start..self.position).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
