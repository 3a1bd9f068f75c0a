//! Reads what scrape targets serve: Prometheus' text format (0.0.4, and 1.0.0 with quoted UTF-8 names),
//! OpenMetrics 1.0, and protocol buffers.
//!
//! As lenient as Prometheus' own scraper, with its words for what is wrong; `check` is the
//! strict judge. The parser walks over the body and hands out one entry after the other. It
//! allocates nothing for a line: labels are made only when asked for, since a scraper that sees the
//! same raw text again already knows its series. `Reader` stands above it and reads every format, with native
//! histograms and start times.
//!
//! What it does not do: group samples into families.

mod check;
mod created;
mod error;
mod lexer;
mod number;
mod protobuf;
mod reader;
mod to_native;
mod unescape;

pub use check::check;
pub use error::ParseError;
pub use number::{NORMAL_NAN, format_openmetrics};
pub use reader::{Encoding, Item, Options, Reader};

use lexer::{Lexer, Token};
use model::{Exemplar, Labels, METRIC_NAME, MetricKind, Timestamp};
use std::borrow::Cow;
use unescape::unescape;

/// The two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format.
    Text,
    /// OpenMetrics; must end with `# EOF`.
    OpenMetrics,
}

impl Format {
    /// The format that a `Content-Type` names; `None` for anything else.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "text/plain" => Some(Self::Text),
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            _ => None,
        }
    }
}

/// One line of an exposition.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// A sample; the parser's `labels` and `exemplar` belong to it until the next entry is read.
    Series(SeriesEntry<'a>),
    /// `# TYPE`
    Type {
        /// The metric's name.
        name: Cow<'a, str>,
        /// Its type.
        kind: MetricKind,
    },
    /// `# HELP`
    Help {
        /// The metric's name.
        name: Cow<'a, str>,
        /// The text, unescaped.
        text: Cow<'a, str>,
    },
    /// `# UNIT`
    Unit {
        /// The metric's name.
        name: Cow<'a, str>,
        /// Its unit.
        unit: Cow<'a, str>,
    },
    /// Any other line that begins with `#`, whole.
    Comment(&'a [u8]),
}

/// A sample as it stands on its line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesEntry<'a> {
    /// Name and labels as written: equal text is the same series.
    pub raw: &'a [u8],
    /// The value; every NaN has the same bits, none is the staleness marker.
    pub value: f64,
    /// The time the line gives, if it does.
    pub timestamp: Option<Timestamp>,
    /// Whether the line has an exemplar.
    pub has_exemplar: bool,
}

/// Where something stands in the body.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug)]
struct LabelPlace {
    name: Place,
    value: Place,
}

/// Walks over one body.
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    lexer: Lexer<'a>,
    /// Where the present entry begins.
    entry_start: usize,
    /// The type that the last `# TYPE` gave; decides whether `le` and `quantile` are numbers.
    kind: MetricKind,
    name: Option<Place>,
    labels: Vec<LabelPlace>,
    exemplar_labels: Vec<LabelPlace>,
    exemplar: Option<(f64, Option<Timestamp>)>,
    /// The value of the sample just read.
    value: Option<f64>,
}

impl<'a> Parser<'a> {
    /// Begins at the start of a body.
    #[must_use]
    pub const fn new(body: &'a [u8], format: Format) -> Self {
        Self {
            lexer: Lexer::new(body, format),
            entry_start: 0,
            kind: MetricKind::Unknown,
            name: None,
            labels: Vec::new(),
            exemplar_labels: Vec::new(),
            exemplar: None,
            value: None,
        }
    }

    /// Reads the next entry; `None` at the end of a whole body. After an error there is nothing more to
    /// read.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'a>>, ParseError> {
        self.name = None;
        self.labels.clear();
        self.exemplar_labels.clear();
        self.exemplar = None;
        self.value = None;
        let mut token = self.lexer.next();
        while token == Token::LineBreak {
            token = self.lexer.next();
        }
        self.entry_start = self.lexer.start;
        match token {
            Token::End if self.lexer.format == Format::OpenMetrics => Err(self.no_end()),
            Token::End => Ok(None),
            Token::EndWord => match self.lexer.next() {
                Token::End => Ok(None),
                _ => Err(self.error("unexpected data after # EOF".to_owned())),
            },
            Token::Help | Token::Type | Token::Unit => self.metadata(token).map(Some),
            Token::Comment => {
                let text = self.lexer.token_bytes();
                Ok(Some(Entry::Comment(text)))
            }
            Token::BraceOpen => {
                self.label_list(LabelOwner::Series)?;
                let end = self.lexer.at;
                let token = self.lexer.next();
                self.sample(token, end).map(Some)
            }
            Token::MetricName => {
                self.name = Some(self.place());
                let mut end = self.lexer.at;
                let mut token = self.lexer.next();
                if token == Token::BraceOpen {
                    self.label_list(LabelOwner::Series)?;
                    end = self.lexer.at;
                    token = self.lexer.next();
                }
                self.sample(token, end).map(Some)
            }
            other => Err(self.unexpected("expected a valid start token", other)),
        }
    }

    /// The labels of the sample just read, the metric's name among them.
    ///
    /// Bounds of classic histograms and quantiles are written the one way Prometheus stores them (`1` as
    /// `1.0`). Fails where a label stands twice or a quoted name is not UTF-8.
    pub fn labels(&self) -> Result<Labels, ParseError> {
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> =
            Vec::with_capacity(self.labels.len() + 1);
        if let Some(name) = self.name {
            pairs.push((Cow::Borrowed(METRIC_NAME), self.text_at(name)?));
        }
        for label in &self.labels {
            let name = self.text_at(label.name)?;
            let value = self.text_at(label.value)?;
            let is_number = match self.kind {
                MetricKind::Histogram => name == "le",
                MetricKind::Summary => name == "quantile",
                _ => false,
            };
            let value = if is_number {
                number::normalise_label(value)
            } else {
                value
            };
            pairs.push((name, value));
        }
        self.unique(pairs)
    }

    /// The exemplar of the sample just read, `None` where it has none.
    pub fn exemplar(&self) -> Result<Option<Exemplar>, ParseError> {
        let Some((value, timestamp)) = self.exemplar else {
            return Ok(None);
        };
        let mut pairs = Vec::with_capacity(self.exemplar_labels.len());
        for label in &self.exemplar_labels {
            pairs.push((self.text_at(label.name)?, self.text_at(label.value)?));
        }
        Ok(Some(Exemplar {
            labels: self.unique(pairs)?,
            value,
            timestamp,
        }))
    }

    /// The names of labels of the sample just read that have no value.
    #[must_use]
    pub fn names_of_empty_labels(&self) -> Vec<Cow<'a, str>> {
        let empty = self.labels.iter().filter(|l| l.value.start == l.value.end);
        empty.filter_map(|l| self.text_at(l.name).ok()).collect()
    }

    /// The name of the sample just read, as it is written.
    fn name_bytes(&self) -> &'a [u8] {
        self.name
            .map_or(&[], |name| self.lexer.bytes(name.start, name.end))
    }

    /// The value of the sample just read.
    const fn present_value(&self) -> Option<f64> {
        self.value
    }

    /// The line, counted from 1, on which the present entry begins.
    #[must_use]
    pub fn line(&self) -> usize {
        let before = self.lexer.bytes(0, self.entry_start);
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    fn unique(&self, mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Result<Labels, ParseError> {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let twice = pairs.windows(2).find_map(|pair| match pair {
            [(first, _), (second, _)] if first == second => Some(first),
            _ => None,
        });
        if let Some(name) = twice {
            return Err(self.error(format!("label name {name:?} is not unique: invalid sample")));
        }
        Ok(Labels::from_pairs(pairs))
    }

    fn place(&self) -> Place {
        Place {
            start: self.lexer.start,
            end: self.lexer.at,
        }
    }

    /// The place between the quotes, where the token has quotes.
    fn place_without_quotes(&self) -> Place {
        let place = self.place();
        if self.lexer.byte(place.start) == Some(b'"') {
            return Place {
                start: place.start + 1,
                end: place.end - 1,
            };
        }
        place
    }

    fn text_at(&self, place: Place) -> Result<Cow<'a, str>, ParseError> {
        let bytes = self.lexer.bytes(place.start, place.end);
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(unescape(text)),
            Err(_invalid) => {
                Err(self.error(format!("invalid UTF-8 name: {}", error::quote(bytes))))
            }
        }
    }

    /// Reads the rest of `# HELP`, `# TYPE` and `# UNIT` lines.
    fn metadata(&mut self, keyword: Token) -> Result<Entry<'a>, ParseError> {
        let token = self.lexer.next();
        if token != Token::MetricName {
            let expected = format!("expected metric name after {}", keyword.name());
            return Err(self.unexpected(&expected, token));
        }
        let name = self.text_at(self.place_without_quotes())?;
        let token = self.lexer.next();
        if token != Token::Text {
            return Err(self.error(format!("expected text in {}", keyword.name())));
        }
        let text = self.metadata_text();
        let entry = match keyword {
            Token::Type => self.type_entry(name, text)?,
            Token::Unit => self.unit_entry(name, text)?,
            _ => self.help_entry(name, text)?,
        };
        if self.lexer.format == Format::Text {
            let token = self.lexer.next();
            if token != Token::LineBreak {
                return Err(self.unexpected("linebreak expected after metadata", token));
            }
        }
        Ok(entry)
    }

    /// The text without the blank before it and the line break after it.
    fn metadata_text(&self) -> &'a [u8] {
        let bytes = self.lexer.token_bytes();
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        bytes.split_first().map_or(bytes, |(_blank, text)| text)
    }

    fn type_entry(&mut self, name: Cow<'a, str>, text: &[u8]) -> Result<Entry<'a>, ParseError> {
        let openmetrics = self.lexer.format == Format::OpenMetrics;
        self.kind = match text {
            b"counter" => MetricKind::Counter,
            b"gauge" => MetricKind::Gauge,
            b"histogram" => MetricKind::Histogram,
            b"summary" => MetricKind::Summary,
            b"untyped" if !openmetrics => MetricKind::Unknown,
            b"unknown" if openmetrics => MetricKind::Unknown,
            b"gaugehistogram" if openmetrics => MetricKind::GaugeHistogram,
            b"info" if openmetrics => MetricKind::Info,
            b"stateset" if openmetrics => MetricKind::StateSet,
            _ => {
                return Err(self.error(format!("invalid metric type {}", error::quote(text))));
            }
        };
        Ok(Entry::Type {
            name,
            kind: self.kind,
        })
    }

    fn unit_entry(&self, name: Cow<'a, str>, text: &'a [u8]) -> Result<Entry<'a>, ParseError> {
        let unit = String::from_utf8_lossy(text);
        let is_suffix = name
            .strip_suffix(unit.as_ref())
            .is_some_and(|head| head.ends_with('_'));
        if !unit.is_empty() && !is_suffix {
            return Err(self.error(format!("unit {unit:?} not a suffix of metric {name:?}")));
        }
        Ok(Entry::Unit { name, unit })
    }

    fn help_entry(&self, name: Cow<'a, str>, text: &'a [u8]) -> Result<Entry<'a>, ParseError> {
        let Ok(text) = std::str::from_utf8(text) else {
            return Err(self.error(format!(
                "help text {} is not a valid utf8 string",
                error::quote(text)
            )));
        };
        let text = match self.lexer.format {
            Format::Text => unescape::unescape_help(text),
            Format::OpenMetrics => unescape(text),
        };
        Ok(Entry::Help { name, text })
    }

    /// Reads what stands in braces, up to the closing one.
    fn label_list(&mut self, owner: LabelOwner) -> Result<(), ParseError> {
        let mut token = self.lexer.next();
        loop {
            match token {
                Token::BraceClose => return Ok(()),
                Token::LabelName | Token::Quoted => {}
                other => return Err(self.unexpected("expected label name", other)),
            }
            let is_quoted = token == Token::Quoted;
            let name = self.place_without_quotes();
            token = self.lexer.next();
            if is_quoted && matches!(token, Token::Comma | Token::BraceClose) {
                // A quoted text on its own is the metric's name.
                self.set_quoted_name(name, owner, token)?;
                if token == Token::Comma {
                    token = self.lexer.next();
                }
                continue;
            }
            if token != Token::Equal {
                return Err(self.unexpected("expected equal", token));
            }
            self.label_value(name, owner)?;
            token = self.lexer.next();
            if token == Token::Comma {
                token = self.lexer.next();
            } else if self.lexer.format == Format::OpenMetrics && token != Token::BraceClose {
                return Err(self.unexpected("expected comma or brace close", token));
            }
        }
    }

    fn set_quoted_name(
        &mut self,
        name: Place,
        owner: LabelOwner,
        token: Token,
    ) -> Result<(), ParseError> {
        if owner == LabelOwner::Exemplar {
            return Err(self.unexpected("expected label name", token));
        }
        if self.name.is_some() {
            return Err(self.error_while_parsing("metric name already set"));
        }
        self.name = Some(name);
        Ok(())
    }

    fn label_value(&mut self, name: Place, owner: LabelOwner) -> Result<(), ParseError> {
        let token = self.lexer.next();
        if token != Token::LabelValue {
            return Err(self.unexpected("expected label value", token));
        }
        let bytes = self.lexer.token_bytes();
        if !bytes.is_ascii() && std::str::from_utf8(bytes).is_err() {
            let quoted = error::quote(bytes);
            return Err(self.error(format!("invalid UTF-8 label value: {quoted}")));
        }
        let value = self.place_without_quotes();
        match owner {
            LabelOwner::Series => self.labels.push(LabelPlace { name, value }),
            LabelOwner::Exemplar => self.exemplar_labels.push(LabelPlace { name, value }),
        }
        Ok(())
    }

    /// Reads value, timestamp and exemplar; `series_end` is where name and labels end.
    fn sample(&mut self, token: Token, series_end: usize) -> Result<Entry<'a>, ParseError> {
        if self.name.is_none() {
            return Err(self.error_while_parsing("metric name not set"));
        }
        let value = self.value(token, "metric")?;
        self.value = Some(value);
        let timestamp = match self.lexer.format {
            Format::Text => self.text_sample_end()?,
            Format::OpenMetrics => self.openmetrics_sample_end()?,
        };
        Ok(Entry::Series(SeriesEntry {
            raw: self.lexer.bytes(self.entry_start, series_end),
            value,
            timestamp,
            has_exemplar: self.exemplar.is_some(),
        }))
    }

    fn value(&self, token: Token, after: &str) -> Result<f64, ParseError> {
        if token != Token::Value {
            return Err(self.unexpected(&format!("expected value after {after}"), token));
        }
        self.float()
    }

    /// The number that the present token spells.
    fn float(&self) -> Result<f64, ParseError> {
        let bytes = self.lexer.token_bytes();
        let bytes = bytes.strip_prefix(b" ").unwrap_or(bytes);
        number::parse(bytes).map_err(|message| self.error_while_parsing(&message))
    }

    fn text_sample_end(&mut self) -> Result<Option<Timestamp>, ParseError> {
        match self.lexer.next() {
            Token::LineBreak => Ok(None),
            Token::Timestamp => {
                let millis = number::parse_millis(self.lexer.token_bytes())
                    .map_err(|message| self.error_while_parsing(&message))?;
                match self.lexer.next() {
                    Token::LineBreak => Ok(Some(Timestamp::from_millis(millis))),
                    other => Err(self.unexpected("expected next entry after timestamp", other)),
                }
            }
            other => Err(self.unexpected("expected timestamp or new record", other)),
        }
    }

    fn openmetrics_sample_end(&mut self) -> Result<Option<Timestamp>, ParseError> {
        match self.lexer.next() {
            Token::End => Err(self.no_end()),
            Token::LineBreak => Ok(None),
            Token::Comment => self.read_exemplar().map(|()| None),
            Token::Timestamp => {
                let timestamp = self.seconds("timestamp")?;
                match self.lexer.next() {
                    Token::LineBreak => {}
                    Token::Comment => self.read_exemplar()?,
                    other => {
                        return Err(self.unexpected("expected next entry after timestamp", other));
                    }
                }
                Ok(Some(timestamp))
            }
            other => Err(self.unexpected("expected timestamp or # symbol", other)),
        }
    }

    fn read_exemplar(&mut self) -> Result<(), ParseError> {
        self.label_list(LabelOwner::Exemplar)?;
        let token = self.lexer.next();
        let value = self.value(token, "exemplar labels")?;
        let mut timestamp = None;
        match self.lexer.next() {
            Token::End => return Err(self.no_end()),
            Token::LineBreak => {}
            Token::Timestamp => {
                timestamp = Some(self.seconds("exemplar timestamp")?);
                let token = self.lexer.next();
                if token != Token::LineBreak {
                    let expected = "expected next entry after exemplar timestamp";
                    return Err(self.unexpected(expected, token));
                }
            }
            other => return Err(self.unexpected("expected timestamp or comment", other)),
        }
        self.exemplar = Some((value, timestamp));
        Ok(())
    }

    /// A time in seconds, cut (not rounded) to milliseconds, as upstream does.
    fn seconds(&self, what: &str) -> Result<Timestamp, ParseError> {
        let seconds = self.float()?;
        if !seconds.is_finite() {
            let shown = model::format_float(seconds);
            return Err(self.error(format!("invalid {what} {shown}")));
        }
        let millis = model::number::float_to_i64(seconds * 1000.0);
        Ok(Timestamp::from_millis(millis))
    }
}

/// Whose labels stand in braces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LabelOwner {
    Series,
    Exemplar,
}

#[cfg(test)]
mod tests;
