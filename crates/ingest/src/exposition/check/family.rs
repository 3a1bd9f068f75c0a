//! One metric family: which samples it may have, in which order, with which values.

use super::histogram::HistogramGroup;
use crate::exposition::{Format, SeriesEntry};
use model::{Labels, METRIC_NAME, MetricKind, Timestamp};
use std::collections::BTreeSet;

/// What has been read of a family.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) kind: MetricKind,
    pub(super) has_help: bool,
    pub(super) has_type: bool,
    pub(super) has_unit: bool,
    /// Whether the unit is more than an empty text.
    pub(super) unit_given: bool,
    pub(super) has_samples: bool,
    format: Format,
    group: Option<Group>,
    groups_seen: BTreeSet<Labels>,
}

/// Samples that belong to one metric of the family: equal labels but for `le`, `quantile` or the state.
#[derive(Debug)]
struct Group {
    labels: Labels,
    timestamp: Option<Timestamp>,
    /// Series seen at this time.
    series: BTreeSet<Labels>,
    histogram: HistogramGroup,
}

impl Family {
    pub(super) fn new(name: &str, format: Format) -> Self {
        Self {
            name: name.to_owned(),
            kind: MetricKind::Unknown,
            has_help: false,
            has_type: false,
            has_unit: false,
            unit_given: false,
            has_samples: false,
            format,
            group: None,
            groups_seen: BTreeSet::new(),
        }
    }

    /// What may follow the family's name in the name of a sample.
    fn suffixes(&self) -> &'static [&'static str] {
        match (self.kind, self.format) {
            (MetricKind::Counter, Format::OpenMetrics) => &["_total", "_created"],
            (MetricKind::Summary, Format::OpenMetrics) => &["", "_count", "_sum", "_created"],
            (MetricKind::Histogram, Format::OpenMetrics) => {
                &["_bucket", "_count", "_sum", "_created"]
            }
            (MetricKind::GaugeHistogram, _) => &["_bucket", "_gcount", "_gsum"],
            (MetricKind::Info, _) => &["_info"],
            (MetricKind::Summary, Format::Text) => &["", "_count", "_sum"],
            (MetricKind::Histogram, Format::Text) => &["_bucket", "_count", "_sum"],
            _ => &[""],
        }
    }

    /// The suffixes of names that no other family may use; its own name is always one.
    pub(super) fn suffixes_taken(&self) -> impl Iterator<Item = &'static str> {
        let own = self.suffixes();
        let bare = (!own.contains(&"")).then_some("");
        own.iter().copied().chain(bare)
    }

    /// The suffix that makes this a sample of the family.
    pub(super) fn suffix_of(&self, sample_name: &str) -> Option<&'static str> {
        let suffix = sample_name.strip_prefix(self.name.as_str())?;
        self.suffixes().iter().copied().find(|own| *own == suffix)
    }

    /// Judges a sample of this family.
    pub(super) fn sample(
        &mut self,
        labels: &Labels,
        series: &SeriesEntry<'_>,
    ) -> Result<(), String> {
        let suffix = self.suffix_of(labels.metric_name()).unwrap_or_default();
        self.has_samples = true;
        self.check_labels(labels, suffix)?;
        self.check_value(labels.metric_name(), suffix, series.value)?;
        self.enter_group(labels, suffix, series.timestamp)?;
        let Some(group) = &mut self.group else {
            return Ok(());
        };
        match self.kind {
            MetricKind::Histogram | MetricKind::GaugeHistogram => {
                group
                    .histogram
                    .sample(suffix, labels.value("le"), series.value)
            }
            _ => Ok(()),
        }
    }

    fn check_labels(&self, labels: &Labels, suffix: &str) -> Result<(), String> {
        let name = labels.metric_name();
        match self.kind {
            MetricKind::Summary if suffix.is_empty() => {
                let quantile = model::number::parse_float(labels.value("quantile"));
                if !quantile.is_some_and(|quantile| (0.0..=1.0).contains(&quantile)) {
                    return Err(format!("{name:?} needs a label quantile between 0 and 1"));
                }
            }
            MetricKind::Histogram | MetricKind::GaugeHistogram if suffix == "_bucket" => {
                let bound = model::number::parse_float(labels.value("le"));
                if bound.is_none_or(f64::is_nan) {
                    return Err(format!("{name:?} needs a label le that is a number"));
                }
            }
            MetricKind::StateSet if labels.get(&self.name).is_none() => {
                return Err(format!("{name:?} needs a label of its own name, the state"));
            }
            _ => {}
        }
        Ok(())
    }

    fn check_value(&self, name: &str, suffix: &str, value: f64) -> Result<(), String> {
        let shown = || model::format_float(value);
        let is_flag = value == 0.0 || value == 1.0;
        match self.kind {
            MetricKind::StateSet if !is_flag => {
                return Err(format!("{name:?} is {}, a state is 0 or 1", shown()));
            }
            MetricKind::Info if value != 1.0 => {
                return Err(format!("{name:?} is {}, an info is 1", shown()));
            }
            _ => {}
        }
        // The text format allows any value.
        if self.format == Format::Text {
            return Ok(());
        }
        if self.kind == MetricKind::Summary && suffix.is_empty() && value < 0.0 {
            return Err(format!(
                "{name:?} is {}, a quantile is not negative",
                shown()
            ));
        }
        let counts = ["_total", "_sum", "_count", "_bucket", "_gcount", "_gsum"];
        if counts.contains(&suffix) && value.is_nan() {
            return Err(format!("{name:?} is NaN, but it counts"));
        }
        if counts.contains(&suffix) && suffix != "_gsum" && value < 0.0 {
            return Err(format!("{name:?} is {}, but it counts", shown()));
        }
        Ok(())
    }

    /// Goes to the group of a sample: groups must not be taken apart, and time goes forward in each.
    fn enter_group(
        &mut self,
        labels: &Labels,
        suffix: &str,
        timestamp: Option<Timestamp>,
    ) -> Result<(), String> {
        let key = self.group_labels(labels, suffix);
        if self.group.as_ref().is_none_or(|group| group.labels != key) {
            self.end_group()?;
            if !self.groups_seen.insert(key.clone()) && self.format == Format::OpenMetrics {
                return Err(format!(
                    "the samples of {:?} with {key} are not together",
                    self.name
                ));
            }
            self.group = Some(Group {
                labels: key,
                timestamp,
                series: BTreeSet::new(),
                histogram: HistogramGroup::default(),
            });
        }
        let Some(group) = &mut self.group else {
            return Ok(());
        };
        if self.format == Format::OpenMetrics {
            if timestamp.is_none() != group.timestamp.is_none() {
                return Err(
                    "some samples of a metric have timestamps and some have none".to_owned(),
                );
            }
            if timestamp < group.timestamp && self.kind != MetricKind::Info {
                return Err("timestamps of a metric go backwards".to_owned());
            }
        }
        if timestamp != group.timestamp {
            group.timestamp = timestamp;
            group.series.clear();
            group.histogram = HistogramGroup::default();
        }
        // With timestamps, equal ones may come from cutting them to milliseconds.
        if !group.series.insert(labels.clone()) && timestamp.is_none() {
            return Err(format!("{labels} stands twice"));
        }
        Ok(())
    }

    fn group_labels(&self, labels: &Labels, suffix: &str) -> Labels {
        let own = match self.kind {
            MetricKind::Info => return Labels::default(),
            MetricKind::StateSet => self.name.as_str(),
            MetricKind::Summary if suffix.is_empty() => "quantile",
            MetricKind::Histogram | MetricKind::GaugeHistogram if suffix == "_bucket" => "le",
            _ => "",
        };
        labels.without(&[METRIC_NAME, own])
    }

    fn end_group(&mut self) -> Result<(), String> {
        let Some(group) = self.group.take() else {
            return Ok(());
        };
        match self.kind {
            MetricKind::Histogram | MetricKind::GaugeHistogram => {
                let outcome = group.histogram.end(self.format);
                outcome.map_err(|reason| format!("{:?} with {}: {reason}", self.name, group.labels))
            }
            _ => Ok(()),
        }
    }

    /// Judges what can only be seen at the end.
    pub(super) fn end(&mut self) -> Result<(), String> {
        if self.unit_given && matches!(self.kind, MetricKind::Info | MetricKind::StateSet) {
            return Err(format!(
                "{:?} may not have a unit: it is a {}",
                self.name, self.kind
            ));
        }
        self.end_group()
    }
}
