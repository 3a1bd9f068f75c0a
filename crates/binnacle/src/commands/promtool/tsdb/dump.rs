//! `promtool tsdb dump` and `dump-openmetrics`: a line for each sample.

use super::{Kind, kind_of, selector};
use crate::cli::{DumpFlags, DumpFormat};
use crate::commands::import::open_store;
use crate::print;
use interchange::prometheus::{for_each_series, samples_of};
use model::labels::Quoted;
use model::number::{format_float_general, i64_to_float};
use model::{
    Labels, METRIC_NAME, Matcher, ReadBudget, Sample, Source as _, TimeRange, Timestamp, Value,
    matcher,
};
use std::path::Path;

/// How samples are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `{labels} value milliseconds`
    Prom,
    /// The labels of a series, as JSON.
    SeriesJson,
    /// `name{labels} value seconds`, floats only, ended by `# EOF`.
    OpenMetrics,
}

impl From<DumpFormat> for Format {
    fn from(format: DumpFormat) -> Self {
        match format {
            DumpFormat::Prom => Self::Prom,
            DumpFormat::Seriesjson => Self::SeriesJson,
        }
    }
}

/// Dumps what the flags select.
pub(super) fn run(dump: &DumpFlags, format: Format) -> anyhow::Result<()> {
    let kind = kind_of(&dump.path)?;
    let mut sets: Vec<Vec<Matcher>> = Vec::new();
    for text in &dump.matches {
        sets.push(selector(text)?);
    }
    let range = TimeRange {
        start: Timestamp::from_millis(dump.min_time),
        end: Timestamp::from_millis(dump.max_time),
    };
    let chosen = |labels: &Labels| sets.iter().any(|set| matcher::all_match(set, labels));
    match kind {
        Kind::Prometheus => {
            let mut take = |labels: &Labels, samples: &[Sample]| {
                show(labels, samples, format);
                Ok(())
            };
            for_each_series(&dump.path, &chosen, range, &mut take)?;
        }
        Kind::Ours => dump_ours(&dump.path, &chosen, range, format)?,
    }
    if format == Format::OpenMetrics {
        print::line("# EOF");
    }
    Ok(())
}

fn dump_ours(
    path: &Path,
    chosen: &dyn Fn(&Labels) -> bool,
    range: TimeRange,
    format: Format,
) -> anyhow::Result<()> {
    let db = open_store(path)?;
    let scan = db.scan(&[], range)?;
    for (i, labels) in scan.labels().iter().enumerate() {
        if chosen(labels) {
            let columns = scan.read(i, &ReadBudget::new(usize::MAX))?;
            if !columns.is_empty() {
                show(labels, &samples_of(&columns), format);
            }
        }
    }
    Ok(())
}

fn show(labels: &Labels, samples: &[Sample], format: Format) {
    match format {
        Format::Prom => {
            let labels = labels.to_string();
            for sample in samples {
                let value = match &sample.value {
                    Value::Float(value) => format_float_general(*value),
                    Value::Histogram(histogram) => promql::histogram_text(histogram),
                };
                print::line(&format!("{labels} {value} {}", sample.timestamp.millis()));
            }
        }
        Format::SeriesJson => {
            let pairs = labels
                .iter()
                .map(|(name, value)| (name.to_owned(), value.into()));
            print::line(&serde_json::Value::Object(pairs.collect()).to_string());
        }
        Format::OpenMetrics => {
            let series = format!("{}{}", labels.metric_name(), condensed(labels));
            for sample in samples {
                if let Value::Float(value) = &sample.value {
                    let seconds = i64_to_float(sample.timestamp.millis()) / 1000.0;
                    let value = format_float_general(*value);
                    print::line(&format!("{series} {value} {seconds:.3}"));
                }
            }
        }
    }
}

/// Labels without the metric's name, nothing between them but commas.
fn condensed(labels: &Labels) -> String {
    let rest = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
    let pairs: Vec<String> = rest
        .map(|(name, value)| format!("{name}={}", Quoted(value)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::condensed;
    use model::Labels;

    #[test]
    fn prints_as_upstream() {
        let labels = Labels::from_pairs([("__name__", "a"), ("b", "x\"y"), ("c", "1")]);
        assert_eq!(condensed(&labels), "{b=\"x\\\"y\",c=\"1\"}");
    }
}
