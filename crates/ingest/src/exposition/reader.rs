//! Reads an exposition in any format, sample after sample, as a scraper wants it.
//!
//! What the formats leave open is done here: `_created` lines and created timestamps become the start of the samples
//! that they belong to, classic histograms become native ones where that is wanted, and type and unit become
//! labels where that is wanted. Reading text without any of that costs nothing above the parser.

use super::created::CreatedTimes;
use super::protobuf::ProtobufParser;
use super::to_native::Converter;
use super::{Entry, Format, ParseError, Parser, SeriesEntry};
use model::{Exemplar, Labels, MetricKind, TYPE_LABEL, Timestamp, UNIT_LABEL, Value};
use std::borrow::Cow;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Text.
    Text(Format),
    /// Protocol buffers.
    Protobuf,
}

impl Encoding {
    /// The encoding that a `Content-Type` names; `None` for anything else.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/vnd.google.protobuf") {
            return Some(Self::Protobuf);
        }
        Format::from_content_type(content_type).map(Self::Text)
    }
}

/// What is wanted of an exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Native histograms are taken; otherwise their classic series are.
    pub native_histograms: bool,
    /// Classic series are kept where there is a native histogram, too.
    pub keep_classic: bool,
    /// Classic histograms are turned into native ones with custom buckets.
    pub convert_classic: bool,
    /// `_created` lines of OpenMetrics are no series but say since when their metric counts.
    pub created_lines: bool,
    /// Type and unit are labels, `__type__` and `__unit__`.
    pub type_and_unit: bool,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// A sample; the reader's accessors belong to it until the next item is read.
    Sample,
    /// Something else.
    Metadata(Entry<'a>),
}

enum Source<'a> {
    Text {
        parser: Parser<'a>,
        series: Option<SeriesEntry<'a>>,
        created: Option<CreatedTimes>,
        is_openmetrics: bool,
    },
    Protobuf(ProtobufParser<'a>),
}

/// Walks over one body.
pub struct Reader<'a> {
    source: Source<'a>,
    options: Options,
    kind: MetricKind,
    unit: String,
    /// Makes native histograms of classic ones.
    converter: Option<Converter>,
    /// What was read while a converted histogram had to be handed out first; `Some(None)` is the end.
    held: Option<Option<Item<'a>>>,
    /// Whether the present sample is the converter's.
    is_converted: bool,
}

impl<'a> Reader<'a> {
    /// Begins at the start of a body.
    #[must_use]
    pub fn new(body: &'a [u8], encoding: Encoding, options: Options) -> Self {
        let source = match encoding {
            Encoding::Text(format) => Source::Text {
                parser: Parser::new(body, format),
                series: None,
                created: None,
                is_openmetrics: format == Format::OpenMetrics,
            },
            Encoding::Protobuf => Source::Protobuf(ProtobufParser::new(body, options)),
        };
        Self {
            source,
            options,
            kind: MetricKind::Unknown,
            unit: String::new(),
            converter: options.convert_classic.then(Converter::default),
            held: None,
            is_converted: false,
        }
    }

    /// Reads the next sample or line of metadata; `None` at the end of a whole body. After an error there is
    /// nothing more to read.
    pub fn next_item(&mut self) -> Result<Option<Item<'a>>, ParseError> {
        self.is_converted = false;
        if let Some(held) = self.held.take() {
            return Ok(held);
        }
        loop {
            let item = self.read_source()?;
            let Some(mut converter) = self.converter.take() else {
                return Ok(item);
            };
            let is_swallowed = self.convert(&mut converter, item.as_ref());
            let has_finished = converter.has_finished();
            self.converter = Some(converter);
            let is_swallowed = is_swallowed?;
            if has_finished {
                self.is_converted = true;
                self.held = (!is_swallowed).then_some(item);
                return Ok(Some(Item::Sample));
            }
            if !is_swallowed {
                return Ok(item);
            }
        }
    }

    /// Shows an item to the converter. Answers whether it is to be left out.
    fn convert(
        &self,
        converter: &mut Converter,
        item: Option<&Item<'a>>,
    ) -> Result<bool, ParseError> {
        if !matches!(item, Some(Item::Sample)) {
            converter.finish();
            return Ok(false);
        }
        match self.source_value() {
            Value::Histogram(_) => {
                converter.finish();
                converter.see_native(self.labels_with(self.source_labels()?));
                Ok(false)
            }
            Value::Float(value) if self.kind == MetricKind::Histogram => {
                let labels = self.source_labels()?;
                let Some(part) = converter.part(&labels) else {
                    converter.finish();
                    return Ok(false);
                };
                let part = part.map_labels(|labels| self.labels_with(labels));
                if converter.has_native(&part) {
                    return Ok(false);
                }
                converter.add(part, value, (self.source_timestamp(), self.source_start()));
                self.source_exemplars(converter.exemplars());
                Ok(!self.options.keep_classic)
            }
            Value::Float(_) => {
                converter.finish();
                Ok(false)
            }
        }
    }

    /// Reads on in the body, `_created` lines left out where they are not series.
    fn read_source(&mut self) -> Result<Option<Item<'a>>, ParseError> {
        let uses_created = self.options.created_lines;
        let entry = match &mut self.source {
            Source::Protobuf(parser) => match parser.next_entry()? {
                None => return Ok(None),
                Some(None) => return Ok(Some(Item::Sample)),
                Some(Some(entry)) => entry,
            },
            Source::Text {
                parser,
                series,
                created,
                is_openmetrics,
            } => loop {
                match parser.next_entry()? {
                    None => return Ok(None),
                    Some(Entry::Series(found)) => {
                        if uses_created && *is_openmetrics && CreatedTimes::has(self.kind) {
                            if created.is_none() {
                                *created = Some(CreatedTimes::ahead(parser));
                            }
                            if CreatedTimes::is_created_line(parser) {
                                continue;
                            }
                        }
                        *series = Some(found);
                        return Ok(Some(Item::Sample));
                    }
                    Some(other) => {
                        *created = None;
                        break other;
                    }
                }
            },
        };
        match &entry {
            Entry::Type { kind, .. } => {
                self.kind = *kind;
                self.unit.clear();
            }
            Entry::Unit { unit, .. } => self.unit = unit.to_string(),
            Entry::Help { .. } | Entry::Series(_) | Entry::Comment(_) => {}
        }
        Ok(Some(Item::Metadata(entry)))
    }

    /// Equal bytes are the same series.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        match (&self.source, &self.converter) {
            (_, Some(converter)) if self.is_converted => converter.raw(),
            (Source::Text { series, .. }, _) => series.map_or(&[], |series| series.raw),
            (Source::Protobuf(parser), _) => parser.raw(),
        }
    }

    /// The value. Every NaN has the same bits, none is the staleness marker.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.converter {
            Some(converter) if self.is_converted => converter.value(),
            _ => self.source_value(),
        }
    }

    /// The time that the exposition gives, if it does.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        match &self.converter {
            Some(converter) if self.is_converted => converter.timestamp(),
            _ => self.source_timestamp(),
        }
    }

    /// Since when it has been counting, if the exposition says so.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        match &self.converter {
            Some(converter) if self.is_converted => converter.start(),
            _ => self.source_start(),
        }
    }

    /// The labels, the metric's name among them. Fails where a label stands twice or a name is not UTF-8.
    pub fn labels(&self) -> Result<Labels, ParseError> {
        match &self.converter {
            Some(converter) if self.is_converted => Ok(converter.labels()),
            _ => Ok(self.labels_with(self.source_labels()?)),
        }
    }

    /// Adds the exemplars to a list. Those whose labels make no sense are left out.
    pub fn exemplars(&self, to: &mut Vec<Exemplar>) {
        match &self.converter {
            Some(converter) if self.is_converted => {
                to.extend_from_slice(converter.finished_exemplars())
            }
            _ => self.source_exemplars(to),
        }
    }

    /// The names of labels that are given with no value: no labels, but said on purpose.
    #[must_use]
    pub fn names_of_empty_labels(&self) -> Vec<Cow<'a, str>> {
        match &self.source {
            Source::Text { parser, .. } => parser.names_of_empty_labels(),
            Source::Protobuf(parser) => parser.names_of_empty_labels(),
        }
    }

    fn labels_with(&self, labels: Labels) -> Labels {
        if !self.options.type_and_unit {
            return labels;
        }
        labels
            .with(TYPE_LABEL, self.kind.label_value())
            .with(UNIT_LABEL, &self.unit)
    }

    fn source_value(&self) -> Value {
        match &self.source {
            Source::Text { series, .. } => {
                Value::Float(series.map_or(super::NORMAL_NAN, |series| series.value))
            }
            Source::Protobuf(parser) => parser.value(),
        }
    }

    fn source_timestamp(&self) -> Option<Timestamp> {
        match &self.source {
            Source::Text { series, .. } => series.and_then(|series| series.timestamp),
            Source::Protobuf(parser) => parser.timestamp(),
        }
    }

    fn source_start(&self) -> Option<Timestamp> {
        match &self.source {
            Source::Text {
                parser,
                created: Some(created),
                ..
            } => created.of(parser),
            Source::Text { .. } => None,
            Source::Protobuf(parser) => parser.start(),
        }
    }

    fn source_labels(&self) -> Result<Labels, ParseError> {
        match &self.source {
            Source::Text { parser, .. } => parser.labels(),
            Source::Protobuf(parser) => parser.labels(),
        }
    }

    fn source_exemplars(&self, to: &mut Vec<Exemplar>) {
        match &self.source {
            Source::Text { parser, series, .. } => {
                if series.is_some_and(|series| series.has_exemplar) {
                    to.extend(parser.exemplar().ok().flatten());
                }
            }
            Source::Protobuf(parser) => to.extend_from_slice(parser.exemplars()),
        }
    }
}

#[cfg(test)]
mod tests;
