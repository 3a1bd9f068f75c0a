//! The strict judge: whether an exposition is exactly what its specification allows.
//!
//! A scraper forgives much; whoever writes an exporter wants to know. The parser refuses what is no
//! exposition at all; this page adds what the specifications demand beyond: families in one piece with their
//! metadata first, names that do not clash, the samples that each type may have, groups in one piece
//! with time going forward, values and exemplars that make sense, whole histograms (`histogram`).
//! Stops at the first mistake.
//!
//! Specifications: OpenMetrics 1.0.0; Prometheus, "Exposition formats".

mod family;
mod histogram;

use super::{Entry, Format, ParseError, Parser, SeriesEntry};
use family::Family;
use model::labels::is_legacy_label_name;
use model::{Labels, MetricKind};
use std::collections::BTreeSet;

/// Characters that the labels of an exemplar may have together, names included (OpenMetrics).
const EXEMPLAR_CHARACTERS_MAX: usize = 128;

/// Judges a whole body. The error names the first line that is wrong, and why.
pub fn check(body: &[u8], format: Format) -> Result<(), ParseError> {
    let mut judge = Judge {
        parser: Parser::new(body, format),
        format,
        family: None,
        names: BTreeSet::new(),
    };
    while let Some(entry) = judge.parser.next_entry()? {
        let outcome = judge.entry(&entry);
        outcome.map_err(|reason| judge.parser.error(reason))?;
    }
    let end = judge.end_family();
    end.map_err(|reason| judge.parser.error(reason))?;
    // Only the last line can lack its end; after `# EOF` it may.
    if format == Format::Text && body.last().is_some_and(|byte| *byte != b'\n') {
        let reason = "the last line must end with a line feed".to_owned();
        return Err(judge.parser.error(reason));
    }
    Ok(())
}

struct Judge<'a> {
    parser: Parser<'a>,
    format: Format,
    /// The family that is being read.
    family: Option<Family>,
    /// Names that families before it have taken, with their suffixes.
    names: BTreeSet<String>,
}

impl Judge<'_> {
    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        match entry {
            Entry::Comment(_) => Ok(()),
            Entry::Help { name, .. } => {
                let family = self.declared_family(name)?;
                once(&mut family.has_help, "HELP", name)
            }
            Entry::Type { name, kind } => {
                let family = self.declared_family(name)?;
                once(&mut family.has_type, "TYPE", name)?;
                family.kind = *kind;
                Ok(())
            }
            Entry::Unit { name, unit } => {
                let family = self.declared_family(name)?;
                once(&mut family.has_unit, "UNIT", name)?;
                family.unit_given = !unit.is_empty();
                Ok(())
            }
            Entry::Series(series) => self.sample(series),
        }
    }

    /// The family that a line of metadata is about.
    fn declared_family(&mut self, name: &str) -> Result<&mut Family, String> {
        match &self.family {
            Some(family) if family.name == name => {
                if family.has_samples {
                    return Err(format!("metadata of {name:?} stands after its samples"));
                }
            }
            _ => self.begin_family(name)?,
        }
        let fresh = || Family::new(name, self.format);
        Ok(self.family.get_or_insert_with(fresh))
    }

    fn begin_family(&mut self, name: &str) -> Result<(), String> {
        self.end_family()?;
        if self.names.contains(name) {
            return Err(taken(name));
        }
        self.family = Some(Family::new(name, self.format));
        Ok(())
    }

    /// Judges what can only be seen at the end of a family, and takes its names.
    fn end_family(&mut self) -> Result<(), String> {
        let Some(mut family) = self.family.take() else {
            return Ok(());
        };
        family.end()?;
        for suffix in family.suffixes_taken() {
            let name = format!("{}{suffix}", family.name);
            if self.names.contains(&name) {
                return Err(taken(&name));
            }
            self.names.insert(name);
        }
        Ok(())
    }

    fn sample(&mut self, series: &SeriesEntry<'_>) -> Result<(), String> {
        let labels = self.parser.labels().map_err(|error| error.message)?;
        if self.format == Format::OpenMetrics {
            check_spelling(series.raw, &labels)?;
        }
        let belongs = self
            .family
            .as_ref()
            .is_some_and(|family| family.suffix_of(labels.metric_name()).is_some());
        if !belongs {
            self.begin_family(labels.metric_name())?;
        }
        let fresh = || Family::new(labels.metric_name(), self.format);
        let family = self.family.get_or_insert_with(fresh);
        family.sample(&labels, series)?;
        self.exemplar(&labels)
    }

    fn exemplar(&self, labels: &Labels) -> Result<(), String> {
        let exemplar = self.parser.exemplar().map_err(|error| error.message)?;
        let Some(exemplar) = exemplar else {
            return Ok(());
        };
        let name = labels.metric_name();
        let kind = self
            .family
            .as_ref()
            .map_or(MetricKind::Unknown, |family| family.kind);
        let is_allowed = match kind {
            MetricKind::Histogram | MetricKind::GaugeHistogram => name.ends_with("_bucket"),
            MetricKind::Counter => name.ends_with("_total"),
            _ => false,
        };
        if !is_allowed {
            return Err(format!(
                "{name:?} may not have an exemplar: only buckets and counters may"
            ));
        }
        let count = |(name, value): (&str, &str)| name.chars().count() + value.chars().count();
        let characters: usize = exemplar.labels.iter().map(count).sum();
        if characters > EXEMPLAR_CHARACTERS_MAX {
            return Err(format!(
                "the labels of the exemplar have {characters} characters, more than {EXEMPLAR_CHARACTERS_MAX}"
            ));
        }
        Ok(())
    }
}

fn taken(name: &str) -> String {
    format!("the name {name:?} is taken by another metric, or its lines are apart")
}

fn once(seen: &mut bool, keyword: &str, name: &str) -> Result<(), String> {
    if *seen {
        return Err(format!("a second {keyword} of {name:?}"));
    }
    *seen = true;
    Ok(())
}

/// What scrapers forgive and OpenMetrics 1.0 does not: a comma before the brace, quoted names.
fn check_spelling(raw: &[u8], labels: &Labels) -> Result<(), String> {
    if raw.ends_with(b",}") {
        return Err("a comma before the closing brace".to_owned());
    }
    let quoted = labels.iter().find(|(name, _)| !is_legacy_label_name(name));
    if let Some((name, _)) = quoted {
        return Err(format!("{name:?} is no label name"));
    }
    if raw.starts_with(b"{") {
        return Err("the metric name must stand before the braces".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
