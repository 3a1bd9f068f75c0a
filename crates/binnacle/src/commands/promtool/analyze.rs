//! `promtool query analyze --type histogram`: how many buckets of histograms are used, classic and native.

use super::http::Server;
use super::query::{ask, seconds};
use crate::print;
use anyhow::bail;
use model::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Points at which native histograms are looked at.
const POINTS: f64 = 50.0;

/// Populated buckets of one histogram over time.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    least: usize,
    greatest: usize,
    sum: usize,
    points: usize,
    total: usize,
}

impl Used {
    fn add(&mut self, used: usize) {
        self.least = if self.points == 0 {
            used
        } else {
            self.least.min(used)
        };
        self.greatest = self.greatest.max(used);
        self.sum += used;
        self.points += 1;
    }
}

/// Analyses the histograms that the selectors match, over `duration` until `at`.
pub(super) fn run(
    server: &Server,
    matches: &[String],
    (duration, at): (&str, Timestamp),
) -> anyhow::Result<()> {
    let duration_ms = model::parse_duration(duration).map_err(anyhow::Error::msg)?;
    let start = at.plus_millis(-duration_ms);
    let step = (at.seconds() - start.seconds()) / POINTS;
    let (from, to, step) = (
        seconds(start),
        seconds(at),
        model::format_float(step.max(1.0)),
    );
    let mut found = false;
    for selector in matches {
        let parameters = [
            ("query", selector.as_str()),
            ("start", &from),
            ("end", &to),
            ("step", &step),
        ];
        let data = ask(server, "query_range", &parameters)?;
        let series: &[Value] = data
            .get("result")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (kind, histograms) in [("Native", native(series)), ("Classic", classic(series))] {
            if histograms.is_empty() {
                continue;
            }
            found = true;
            print::line(&format!("{kind} histograms:"));
            for (name, used) in &histograms {
                print::line(&line(name, *used));
            }
        }
    }
    if !found {
        bail!("no histograms found");
    }
    Ok(())
}

fn line(name: &str, used: Used) -> String {
    let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let mean = float(used.sum) / float(used.points.max(1));
    format!(
        "- {name}\n  bucket stats over time:\n  min={} max={} avg={mean:.3} total={} datapoints={}",
        used.least, used.greatest, used.total, used.points
    )
}

/// Native histograms by name, with the buckets of each point that hold something.
fn native(series: &[Value]) -> BTreeMap<String, Used> {
    let mut found: BTreeMap<String, Used> = BTreeMap::new();
    for entry in series {
        for point in entry
            .get("histograms")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let buckets = point.pointer("/1/buckets").and_then(Value::as_array);
            let count = buckets.map_or(0, Vec::len);
            let used = found.entry(described(entry)).or_default();
            used.add(count);
            used.total = used.total.max(count);
        }
    }
    found
}

/// Classic histograms by name: buckets that hold more than the next smaller one.
fn classic(series: &[Value]) -> BTreeMap<String, Used> {
    type Points<'a> = BTreeMap<String, Vec<(f64, f64)>>;
    let mut by_histogram: BTreeMap<String, Points<'_>> = BTreeMap::new();
    let float = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        model::number::parse_float(text).unwrap_or(f64::NAN)
    };
    for entry in series {
        let Some(bound) = entry.pointer("/metric/le") else {
            continue;
        };
        let bound = float(Some(bound));
        for point in entry
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let at = point.get(0).map(Value::to_string).unwrap_or_default();
            let points = by_histogram.entry(described(entry)).or_default();
            points
                .entry(at)
                .or_default()
                .push((bound, float(point.get(1))));
        }
    }
    let mut found = BTreeMap::new();
    for (name, points) in by_histogram {
        let mut used = Used::default();
        for mut buckets in points.into_values() {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut below = 0.0;
            let mut populated = 0;
            for (_, count) in &buckets {
                populated += usize::from(*count > below);
                below = *count;
            }
            used.add(populated);
            used.total = used.total.max(buckets.len());
        }
        found.insert(name, used);
    }
    found
}

/// A histogram's name and labels, without the bound of a bucket.
fn described(entry: &Value) -> String {
    let mut pairs = Vec::new();
    let mut name = "";
    for (label, value) in entry
        .get("metric")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let value = value.as_str().unwrap_or_default();
        match label.as_str() {
            "__name__" => name = value.trim_end_matches("_bucket"),
            "le" => {}
            _ => pairs.push(format!("{label}={value:?}")),
        }
    }
    pairs.sort();
    format!("{name}{{{}}}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{classic, line, native};
    use serde_json::json;

    #[test]
    fn counts_populated_buckets() {
        let bucket = |le: &str, counts: [&str; 2]| json!({"metric": {"__name__": "h_bucket", "le": le, "a": "b"}, "values": [[1, counts[0]], [2, counts[1]]]});
        let series = [
            bucket("1", ["0", "1"]),
            bucket("+Inf", ["3", "3"]),
            bucket("2", ["3", "3"]),
        ];
        let found = classic(&series);
        let shown: Vec<String> = found.iter().map(|(name, used)| line(name, *used)).collect();
        assert_eq!(
            shown,
            [
                "- h{a=\"b\"}\n  bucket stats over time:\n  min=1 max=2 avg=1.500 total=3 datapoints=2"
            ]
        );
        let native_series = [
            json!({"metric": {"__name__": "n"}, "histograms": [[1, {"buckets": [[0, "1", "2", "3"]]}]]}),
        ];
        assert_eq!(native(&native_series).len(), 1);
        assert!(native(&series).is_empty());
    }
}
