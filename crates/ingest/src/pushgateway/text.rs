//! Families as text, in both directions. What is read is grouped as Prometheus' clients group it: `_sum`,
//! `_count` and `_bucket` lines belong to the summary or histogram that a `# TYPE` line declared.

use super::family::{
    Bucket, COUNTER, Family, GAUGE, HISTOGRAM, HistogramValue, KINDS, Label, Metric, Quantile,
    SUMMARY, Single, Summary, UNTYPED,
};
use crate::exposition::{Entry, Format, Parser};
use model::number::{format_float_general, u64_to_float};
use model::{Labels, METRIC_NAME, MetricKind};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Reads a body in the text format. The error names the line.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Family>, String> {
    if let Some(last) = body.last()
        && *last != b'\n'
    {
        let line = body.iter().filter(|byte| **byte == b'\n').count() + 1;
        return Err(format!(
            "text format parsing error in line {line}: unexpected end of input stream"
        ));
    }
    let mut reader = Reader::default();
    let mut parser = Parser::new(body, Format::Text);
    let failed =
        |line: usize, message: &str| format!("text format parsing error in line {line}: {message}");
    loop {
        let entry = parser
            .next_entry()
            .map_err(|error| failed(error.line, &error.message))?;
        let done = match entry {
            None => break,
            Some(Entry::Type { name, kind }) => reader.declare(&name, kind),
            Some(Entry::Help { name, text }) => reader.help(&name, &text),
            Some(Entry::Unit { .. } | Entry::Comment(_)) => Ok(()),
            Some(Entry::Series(series)) => {
                let labels = parser
                    .labels()
                    .map_err(|error| failed(error.line, &error.message))?;
                let at = series.timestamp.map(|at| at.millis());
                reader.sample(&labels, series.value, at)
            }
        };
        done.map_err(|message| failed(parser.line(), &message))?;
    }
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    families: BTreeMap<String, Growing>,
}

#[derive(Default)]
struct Growing {
    family: Family,
    declared: bool,
    /// Where the metric of a summary or histogram is, by its labels.
    places: BTreeMap<Vec<Label>, usize>,
}

impl Reader {
    fn family(&mut self, name: &str) -> &mut Growing {
        self.families
            .entry(name.to_owned())
            .or_insert_with(|| Growing {
                family: Family {
                    name: name.to_owned(),
                    kind: UNTYPED,
                    ..Family::default()
                },
                ..Growing::default()
            })
    }

    fn declare(&mut self, name: &str, kind: MetricKind) -> Result<(), String> {
        let growing = self.family(name);
        if growing.declared {
            return Err(format!(
                "second TYPE line for metric name {name:?}, or TYPE reported after samples"
            ));
        }
        growing.declared = true;
        growing.family.kind = match kind {
            MetricKind::Counter => COUNTER,
            MetricKind::Gauge => GAUGE,
            MetricKind::Summary => SUMMARY,
            MetricKind::Histogram => HISTOGRAM,
            _ => UNTYPED,
        };
        Ok(())
    }

    fn help(&mut self, name: &str, text: &str) -> Result<(), String> {
        let growing = self.family(name);
        if growing.family.help.is_some() {
            return Err(format!("second HELP line for metric name {name:?}"));
        }
        growing.family.help = Some(text.to_owned());
        Ok(())
    }

    /// The family a sample belongs to, and which part of a summary or histogram it is.
    fn owner(&self, name: &str) -> (String, &'static str) {
        let kind_of = |base: &str| self.families.get(base).map(|growing| growing.family.kind);
        if kind_of(name).is_some() {
            return (name.to_owned(), "");
        }
        for suffix in ["_sum", "_count", "_bucket"] {
            let Some(base) = name.strip_suffix(suffix) else {
                continue;
            };
            let is_part = match kind_of(base) {
                Some(HISTOGRAM) => true,
                Some(SUMMARY) => suffix != "_bucket",
                _ => false,
            };
            if is_part {
                return (base.to_owned(), suffix);
            }
        }
        (name.to_owned(), "")
    }

    fn sample(&mut self, labels: &Labels, value: f64, at: Option<i64>) -> Result<(), String> {
        let name = labels.metric_name();
        if name.is_empty() {
            return Err("invalid metric name".to_owned());
        }
        let (owner, part) = self.owner(name);
        let growing = self.family(&owner);
        // A type that comes after its samples is refused.
        growing.declared = true;
        let kind = growing.family.kind;
        let own = match (kind, part) {
            (SUMMARY, "") => "quantile",
            (HISTOGRAM, "_bucket") => "le",
            _ => "",
        };
        let pairs: Vec<Label> = labels
            .iter()
            .filter(|(name, _)| *name != METRIC_NAME && *name != own)
            .map(|(name, value)| Label {
                name: name.to_owned(),
                value: value.to_owned(),
            })
            .collect();
        let bound = || {
            let text = labels.value(own);
            model::number::parse_float(text)
                .ok_or_else(|| format!("expected float as value for {own:?} label, got {text:?}"))
        };
        if !matches!(kind, SUMMARY | HISTOGRAM) {
            let single = Some(Single::of(value));
            growing.family.metrics.push(Metric {
                labels: pairs,
                counter: single.filter(|_| kind == COUNTER),
                gauge: single.filter(|_| kind == GAUGE),
                untyped: single.filter(|_| kind == UNTYPED),
                timestamp_ms: at,
                ..Metric::default()
            });
            return Ok(());
        }
        let bound = if own.is_empty() { 0.0 } else { bound()? };
        let metric = growing.metric(pairs);
        metric.timestamp_ms = at.or(metric.timestamp_ms);
        if kind == SUMMARY {
            add_to_summary(metric.summary.get_or_insert_default(), part, (bound, value));
            return Ok(());
        }
        if part.is_empty() {
            return Err(format!(
                "{name:?} is a histogram and has no value of its own"
            ));
        }
        add_to_histogram(
            metric.histogram.get_or_insert_default(),
            part,
            (bound, value),
        );
        Ok(())
    }

    fn finish(self) -> Vec<Family> {
        let with_samples =
            |growing: Growing| (!growing.family.metrics.is_empty()).then_some(growing.family);
        self.families
            .into_values()
            .filter_map(with_samples)
            .collect()
    }
}

impl Growing {
    fn metric(&mut self, labels: Vec<Label>) -> &mut Metric {
        let metrics = &mut self.family.metrics;
        let place = *self.places.entry(labels.clone()).or_insert_with(|| {
            metrics.push(Metric {
                labels,
                ..Metric::default()
            });
            metrics.len() - 1
        });
        // The place was counted above.
        &mut metrics[place]
    }
}

fn add_to_summary(summary: &mut Summary, part: &str, (quantile, value): (f64, f64)) {
    match part {
        "_sum" => summary.sum = value,
        "_count" => summary.count = whole(value),
        _ => summary.quantiles.push(Quantile { quantile, value }),
    }
}

fn add_to_histogram(histogram: &mut HistogramValue, part: &str, (bound, value): (f64, f64)) {
    let is_whole = (value - u64_to_float(whole(value))).abs() == 0.0;
    match part {
        "_sum" => histogram.sum = value,
        "_count" if is_whole => histogram.count = whole(value),
        "_count" => histogram.count_float = value,
        _ => histogram.buckets.push(Bucket {
            upper_bound: bound,
            cumulative_count: whole(value),
            cumulative_count_float: if is_whole { 0.0 } else { value },
        }),
    }
}

/// The whole part of a count; negative and NaN become 0.
fn whole(value: f64) -> u64 {
    model::number::float_to_u64(value)
}

/// Writes families in the text format.
pub(crate) fn write(families: &[Family]) -> String {
    let mut out = String::new();
    for family in families {
        let name = Name(&family.name);
        // Writing to a String cannot fail.
        if let Some(help) = &family.help {
            let help = help.replace('\\', "\\\\").replace('\n', "\\n");
            let _infallible = writeln!(out, "# HELP {name} {help}");
        }
        let kind = family.kind_name();
        let kind = if kind == "gaugehistogram" {
            KINDS[4]
        } else {
            kind
        };
        let _infallible = writeln!(out, "# TYPE {name} {kind}");
        for metric in &family.metrics {
            for line in lines(family, metric) {
                push_line(&mut out, &family.name, metric, &line);
            }
        }
    }
    out
}

/// One line of a metric: what follows its name, a label of the line's own, and the value.
pub(crate) struct Line {
    pub(crate) suffix: &'static str,
    pub(crate) own: Option<(&'static str, f64)>,
    pub(crate) value: f64,
}

/// The lines of a metric in the order in which they are written.
pub(crate) fn lines(family: &Family, metric: &Metric) -> Vec<Line> {
    let line = |suffix, own, value| Line { suffix, own, value };
    if let Some(summary) = &metric.summary {
        let quantile = |one: &Quantile| line("", Some(("quantile", one.quantile)), one.value);
        let mut all: Vec<Line> = summary.quantiles.iter().map(quantile).collect();
        all.push(line("_sum", None, summary.sum));
        all.push(line("_count", None, u64_to_float(summary.count)));
        return all;
    }
    if let Some(histogram) = &metric.histogram {
        let bucket = |one: &Bucket| line("_bucket", Some(("le", one.upper_bound)), one.total());
        let mut all: Vec<Line> = histogram.buckets.iter().map(bucket).collect();
        let is_complete = histogram
            .buckets
            .iter()
            .any(|bucket| bucket.upper_bound == f64::INFINITY);
        if !is_complete {
            all.push(line(
                "_bucket",
                Some(("le", f64::INFINITY)),
                histogram.total(),
            ));
        }
        all.push(line("_sum", None, histogram.sum));
        all.push(line("_count", None, histogram.total()));
        return all;
    }
    metric
        .single(family.kind)
        .map(|value| line("", None, value))
        .into_iter()
        .collect()
}

fn push_line(out: &mut String, name: &str, metric: &Metric, line: &Line) {
    let is_legacy = model::labels::is_legacy_metric_name(name);
    let mut separator = '{';
    if is_legacy {
        let _infallible = write!(out, "{name}{}", line.suffix);
    } else {
        let _infallible = write!(out, "{{\"{}{}\"", escaped(name), line.suffix);
        separator = ',';
    }
    for label in &metric.labels {
        let _infallible = write!(
            out,
            "{separator}{}=\"{}\"",
            Name(&label.name),
            escaped(&label.value)
        );
        separator = ',';
    }
    if let Some((own, value)) = line.own {
        let value = format_float_general(value);
        let _infallible = write!(out, "{separator}{own}=\"{value}\"");
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    let _infallible = write!(out, " {}", format_float_general(line.value));
    if let Some(at) = metric.timestamp_ms {
        let _infallible = write!(out, " {at}");
    }
    out.push('\n');
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// A name, in quotes where it needs them.
struct Name<'a>(&'a str);

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if model::labels::is_legacy_metric_name(self.0) {
            f.write_str(self.0)
        } else {
            write!(f, "\"{}\"", escaped(self.0))
        }
    }
}
