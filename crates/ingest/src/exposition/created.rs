//! `_created` lines of OpenMetrics: since when each metric of a family has been counting.
//!
//! They stand behind the samples that they belong to, so the family is read ahead once when its first sample comes.

use super::{Entry, Parser};
use model::{Labels, METRIC_NAME, MetricKind, Timestamp};
use std::collections::BTreeMap;

const SUFFIX: &str = "_created";

/// The times of one family, by the labels of the metric.
#[derive(Debug, Default)]
pub(super) struct CreatedTimes(BTreeMap<Labels, Timestamp>);

impl CreatedTimes {
    /// Whether metrics of this kind count from a moment on.
    pub(super) const fn has(kind: MetricKind) -> bool {
        matches!(
            kind,
            MetricKind::Counter | MetricKind::Histogram | MetricKind::Summary
        )
    }

    /// Reads the rest of the family, the parser's present line included; the parser stays where it is.
    pub(super) fn ahead(parser: &Parser<'_>) -> Self {
        let mut found = Self::default();
        let mut ahead = parser.clone();
        let mut value = ahead.present_value();
        while let Some(seconds) = value {
            if Self::is_created_line(&ahead)
                && let Ok(labels) = ahead.labels()
            {
                let millis = model::number::float_to_i64(seconds * 1000.0);
                found.0.insert(key(&labels), Timestamp::from_millis(millis));
            }
            value = match ahead.next_entry() {
                Ok(Some(Entry::Series(series))) => Some(series.value),
                _ => None,
            };
        }
        found
    }

    /// Whether the parser's present line is one of those.
    pub(super) fn is_created_line(parser: &Parser<'_>) -> bool {
        let name = parser.name_bytes();
        name.len() > SUFFIX.len() && name.ends_with(SUFFIX.as_bytes())
    }

    /// The time of the metric that the parser's present line belongs to.
    pub(super) fn of(&self, parser: &Parser<'_>) -> Option<Timestamp> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&key(&parser.labels().ok()?)).copied()
    }
}

/// What all lines of a metric have in common.
fn key(labels: &Labels) -> Labels {
    let name = labels.metric_name();
    let suffixes = [SUFFIX, "_total", "_bucket", "_count", "_sum"];
    let base = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
    labels
        .without(&["le", "quantile"])
        .with(METRIC_NAME, base.unwrap_or(name))
}
