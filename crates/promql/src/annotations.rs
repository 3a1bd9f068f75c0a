//! Remarks that accompany a result: warnings and infos with their place in the query.
//!
//! Texts are upstream's. Remarks of one text are kept once, the last place wins, as upstream's are
//! keyed by their text alone.

use crate::ast::Span;
use std::collections::BTreeMap;

/// Different remarks kept for one query; more are only counted.
const ANNOTATIONS_MAX: usize = 1000;

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The result is probably not what was meant.
    Warning,
    /// Something worth knowing.
    Info,
}

/// A remark and the place in the query that caused it.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// How much it matters.
    pub severity: Severity,
    /// What is remarked, without prefix and place.
    pub message: String,
    /// Where in the query.
    pub span: Span,
}

impl Annotation {
    /// The remark as upstream prints it: `PromQL info: … (1:6)`, line and byte column counted from 1.
    /// An empty query leaves the place out.
    #[must_use]
    pub fn text(&self, query: &str) -> String {
        let prefix = match self.severity {
            Severity::Warning => "PromQL warning",
            Severity::Info => "PromQL info",
        };
        let message = &self.message;
        if query.is_empty() {
            return format!("{prefix}: {message}");
        }
        let (line, column) = line_and_column(query, self.span.start);
        format!("{prefix}: {message} ({line}:{column})")
    }
}

fn line_and_column(query: &str, position: usize) -> (usize, usize) {
    let before = query.as_bytes().get(..position).unwrap_or(query.as_bytes());
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count()
        + 1;
    (line, column)
}

/// Prints remarks for an answer: at most `max` of them (0: all), then how many were left out.
#[must_use]
pub fn texts(annotations: &[Annotation], query: &str, max: usize) -> Vec<String> {
    let shown = if max == 0 { annotations.len() } else { max };
    let mut texts: Vec<String> = annotations
        .iter()
        .take(shown)
        .map(|annotation| annotation.text(query))
        .collect();
    let omitted = annotations.len().saturating_sub(shown);
    if let Some(first) = annotations.first().filter(|_| omitted > 0) {
        let kind = match first.severity {
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        texts.push(format!("{omitted} more {kind} annotations omitted"));
    }
    texts
}

/// The remarks gathered while a query is evaluated.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    found: BTreeMap<(Severity, String), Span>,
}

impl Annotations {
    /// Adds a warning.
    pub(crate) fn warn(&mut self, span: Span, message: String) {
        self.add(Severity::Warning, span, message);
    }

    /// Adds an info.
    pub(crate) fn info(&mut self, span: Span, message: String) {
        self.add(Severity::Info, span, message);
    }

    /// Adds those that were made elsewhere, after its own.
    pub(crate) fn append(&mut self, other: Self) {
        for ((severity, message), span) in other.found {
            self.add(severity, span, message);
        }
    }

    fn add(&mut self, severity: Severity, span: Span, message: String) {
        let full = self.found.len() >= ANNOTATIONS_MAX;
        let key = (severity, message);
        if !full || self.found.contains_key(&key) {
            self.found.insert(key, span);
        }
    }

    /// The remarks of one severity, sorted by text.
    pub(crate) fn of(&self, severity: Severity) -> Vec<Annotation> {
        self.found
            .iter()
            .filter(|((found, _), _)| *found == severity)
            .map(|((severity, message), span)| Annotation {
                severity: *severity,
                message: message.clone(),
                span: *span,
            })
            .collect()
    }
}

/// The texts of the remarks that several parts of the engine make.
pub(crate) mod message {
    use model::labels::Quoted;
    use model::number::format_float_general;

    fn with_name(text: String, metric: &str) -> String {
        if metric.is_empty() {
            text
        } else {
            format!("{text} for metric name {}", Quoted(metric))
        }
    }

    pub(crate) fn invalid_quantile(quantile: f64) -> String {
        let quantile = format_float_general(quantile);
        format!("quantile value should be between 0 and 1, got {quantile}")
    }

    pub(crate) fn invalid_ratio(ratio: f64, capped: f64) -> String {
        let (ratio, capped) = (format_float_general(ratio), format_float_general(capped));
        format!("ratio value should be between -1 and 1, got {ratio}, capping to {capped}")
    }

    pub(crate) fn bad_bucket_label(metric: &str, value: &str) -> String {
        let value = Quoted(value);
        with_name(
            format!("bucket label \"le\" is missing or has a malformed value of {value}"),
            metric,
        )
    }

    pub(crate) fn mixed_floats_histograms(metric: &str) -> String {
        let metric = Quoted(metric);
        format!("encountered a mix of histograms and floats for metric name {metric}")
    }

    pub(crate) fn mixed_floats_histograms_aggregation() -> String {
        "encountered a mix of histograms and floats for aggregation".to_owned()
    }

    pub(crate) fn mixed_classic_native(metric: &str) -> String {
        with_name(
            "vector contains a mix of classic and native histograms".to_owned(),
            metric,
        )
    }

    pub(crate) fn not_a_counter(metric: &str) -> String {
        let metric = Quoted(metric);
        format!("this native histogram metric is not a counter: {metric}")
    }

    pub(crate) fn not_a_gauge(metric: &str) -> String {
        let metric = Quoted(metric);
        format!("this native histogram metric is not a gauge: {metric}")
    }

    pub(crate) fn mixed_exponential_custom(metric: &str) -> String {
        let metric = Quoted(metric);
        format!(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {metric}"
        )
    }

    pub(crate) fn counter_reset_collision(operation: &str) -> String {
        format!("conflicting counter resets during histogram {operation}")
    }

    pub(crate) fn custom_buckets_reconciled(operation: &str) -> String {
        format!("mismatched custom buckets were reconciled during {operation}")
    }

    pub(crate) fn possible_non_counter(metric: &str) -> String {
        let metric = Quoted(metric);
        format!(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {metric}"
        )
    }

    pub(crate) fn start_overlaps(metric: &str) -> String {
        let metric = Quoted(metric);
        format!(
            "sample has start time that overlaps with previous sample timestamp for metric {metric}"
        )
    }

    pub(crate) fn not_typed_as_counter(metric: &str, kind: &str) -> String {
        let (metric, kind) = (Quoted(metric), Quoted(kind));
        format!(
            "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got {kind}: {metric}"
        )
    }

    pub(crate) fn histogram_ignored_in_range(metric: &str) -> String {
        let metric = Quoted(metric);
        format!(
            "ignored histograms in a range containing both floats and histograms for metric name {metric}"
        )
    }

    pub(crate) fn histogram_ignored_in_aggregation(aggregation: &str) -> String {
        format!("ignored histogram in {aggregation} aggregation")
    }

    pub(crate) fn incompatible_types(left: &str, operator: &str, right: &str) -> String {
        let quoted = Quoted(operator);
        format!(
            "incompatible sample types encountered for binary operator {quoted}: {left} {operator} {right}"
        )
    }

    pub(crate) fn down_sampled(function: &str) -> String {
        format!("data was down-sampled: {function} sees only the last sample of each window")
    }

    pub(crate) fn sort_in_range() -> String {
        "sort is ineffective for range queries since results are always ordered by labels"
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Annotation, Severity, texts};
    use crate::ast::Span;

    fn annotation(start: usize) -> Annotation {
        Annotation {
            severity: Severity::Info,
            message: "look".to_owned(),
            span: Span { start, end: start },
        }
    }

    #[test]
    fn prints_the_place() {
        let check = |start, query: &str, want: &str| {
            assert_eq!(annotation(start).text(query), want);
        };
        check(5, "rate(x[5m])", "PromQL info: look (1:6)");
        check(2, "a\nb", "PromQL info: look (2:1)");
        check(5, "", "PromQL info: look");
    }

    #[test]
    fn limits_the_number() {
        let many = vec![annotation(0); 12];
        let shown = texts(&many, "", 10);
        assert_eq!(shown.len(), 11);
        assert_eq!(shown.last().unwrap(), "2 more info annotations omitted");
        assert_eq!(texts(&many, "", 0).len(), 12);
    }
}
