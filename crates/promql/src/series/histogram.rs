//! Histogram literals: `{{schema:0 sum:5 count:4 buckets:[1 2 1] offset:-1}}`.

use super::Cursor;
use crate::parse_error::ParseError;
use model::Histogram;
use model::histogram::{CounterResetHint, Span};
use std::sync::Arc;

/// Buckets before they are placed by their offset.
#[derive(Default)]
struct Buckets {
    counts: Vec<f64>,
    offset: i32,
}

impl Buckets {
    fn spans(&self) -> Vec<Span> {
        if self.counts.is_empty() {
            return Vec::new();
        }
        vec![Span {
            offset: self.offset,
            length: u32::try_from(self.counts.len()).unwrap_or(u32::MAX),
        }]
    }
}

impl Cursor<'_> {
    /// What follows `{{`, up to and with `}}`; also whether a counter reset hint was written.
    pub(super) fn histogram_body(&mut self) -> Result<(Histogram, bool), ParseError> {
        let mut histogram = Histogram::default();
        let (mut positive, mut negative) = (Buckets::default(), Buckets::default());
        let mut seen: Vec<&str> = Vec::new();
        loop {
            self.skip_blanks();
            if self.accept("}}") {
                break;
            }
            let start = self.position;
            let key = self.take_while(|c| c.is_ascii_alphabetic() || c == '_');
            if key.is_empty() {
                return Err(self.unexpected(
                    "histogram description, expected histogram description key, e.g. buckets:[5 10 7]",
                ));
            }
            if !self.accept(":") {
                return Err(self.error(start, "missing `:` for histogram descriptor"));
            }
            if seen.contains(&key) {
                return Err(self.error(start, format!("duplicate key \"{key}\" in histogram")));
            }
            seen.push(key);
            match key {
                "schema" => histogram.schema = self.integer()?,
                "sum" => histogram.sum = self.number()?,
                "count" => histogram.count = self.number()?,
                "z_bucket" => histogram.zero_count = self.number()?,
                "z_bucket_w" => histogram.zero_threshold = self.number()?,
                "custom_values" => histogram.custom_values = Some(Arc::from(self.list()?)),
                "buckets" => positive.counts = self.list()?,
                "offset" => positive.offset = self.integer()?,
                "n_buckets" => negative.counts = self.list()?,
                "n_offset" => negative.offset = self.integer()?,
                "counter_reset_hint" => histogram.counter_reset_hint = self.hint()?,
                _ => {
                    return Err(
                        self.error(start, format!("bad histogram descriptor found: \"{key}\""))
                    );
                }
            }
        }
        histogram.positive_spans = positive.spans();
        histogram.positive_buckets = positive.counts;
        histogram.negative_spans = negative.spans();
        histogram.negative_buckets = negative.counts;
        Ok((histogram, seen.contains(&"counter_reset_hint")))
    }

    fn integer(&mut self) -> Result<i32, ParseError> {
        let start = self.position;
        let digits = self.take_while(|c| c.is_ascii_digit() || c == '-');
        digits
            .parse()
            .map_err(|_error| self.error(start, format!("not a whole number: \"{digits}\"")))
    }

    /// `[1 2 3]`
    fn list(&mut self) -> Result<Vec<f64>, ParseError> {
        let mut numbers = Vec::new();
        if !self.accept("[") {
            return Err(self.unexpected("histogram description, expected \"[\""));
        }
        loop {
            self.skip_blanks();
            if self.accept("]") {
                return Ok(numbers);
            }
            numbers.push(self.number()?);
        }
    }

    fn hint(&mut self) -> Result<CounterResetHint, ParseError> {
        let start = self.position;
        let word = self.take_while(|c| c.is_ascii_alphabetic() || c == '_');
        match word {
            "unknown" => Ok(CounterResetHint::Unknown),
            "reset" => Ok(CounterResetHint::Reset),
            "not_reset" => Ok(CounterResetHint::NotReset),
            "gauge" => Ok(CounterResetHint::Gauge),
            _ => Err(self.error(
                start,
                format!("error parsing counter_reset_hint: unknown value \"{word}\""),
            )),
        }
    }
}
