//! `promtool query`: answers of a server as promtool prints them.

use super::http::Server;
use crate::cli::promtool::query::{Asking, Query, QueryFormat, Span};
use crate::print;
use anyhow::{Context as _, bail};
use model::{METRIC_NAME, Timestamp};
use runtime::{Clock as _, SystemClock};
use serde_json::Value;
use std::fmt::Write as _;

/// Points of a range query where no step is given, at most.
const POINTS: f64 = 250.0;

/// Asks and prints.
pub(super) fn run(asking: &Asking) -> anyhow::Result<()> {
    let connect =
        |url: &str, headers: &[String]| Server::new(url, asking.http_config.as_deref(), headers);
    match &asking.command {
        Query::Instant {
            server,
            expr,
            time,
            header,
        } => {
            let server = connect(server, header)?;
            let time = seconds(moment(time.as_deref())?.unwrap_or_else(now));
            let data = ask(&server, "query", &[("query", expr), ("time", &time)])?;
            print_result(&data, asking.format);
        }
        Query::Range {
            server,
            expr,
            span,
            step,
            header,
        } => range(
            (&connect(server, header)?, asking.format),
            expr,
            span,
            step.as_deref(),
        )?,
        Query::Series {
            server,
            matches,
            span,
        } => {
            let data = listed(&connect(server, &[])?, "series", matches, span)?;
            let show = |series: &Value| label_set(series, Named::InBraces);
            print_list(&data, asking.format, &show);
        }
        Query::Labels {
            server,
            name,
            matches,
            span,
        } => {
            let path = format!("label/{name}/values");
            let data = listed(&connect(server, &[])?, &path, matches, span)?;
            let show = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            print_list(&data, asking.format, &show);
        }
        Query::Analyze {
            server,
            kind,
            duration,
            time,
            matches,
        } => {
            if kind != "histogram" {
                bail!("analyze type is {kind}, must be 'histogram'");
            }
            let at = moment(time.as_deref())?.unwrap_or_else(now);
            super::analyze::run(&connect(server, &[])?, matches, (duration, at))?;
        }
    }
    Ok(())
}

/// Asks the API; an error is told as promtool tells it.
pub(super) fn ask(
    server: &Server,
    path: &str,
    parameters: &[(&str, &str)],
) -> anyhow::Result<Value> {
    let failed = |error: String| anyhow::anyhow!("query error: {error}");
    let (status, text) = server
        .get(&format!("/api/v1/{path}"), parameters)
        .map_err(|error| failed(format!("{error:#}")))?;
    let answer: Option<Value> = serde_json::from_str(&text).ok();
    let field = |name: &str| {
        let value = answer.as_ref().and_then(|answer| answer.get(name));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if field("status") == "error" {
        return Err(failed(format!(
            "{}: {}",
            field("errorType"),
            field("error")
        )));
    }
    if !(200..300).contains(&status) {
        return Err(failed(format!("server_error: server error: {status}")));
    }
    for warning in answer
        .iter()
        .flat_map(|answer| answer.get("warnings").and_then(Value::as_array))
        .flatten()
    {
        print::note(&format!(
            "Warning: {}",
            warning.as_str().unwrap_or_default()
        ));
    }
    answer
        .and_then(|mut answer| answer.get_mut("data").map(Value::take))
        .ok_or_else(|| failed("bad_response: no data".to_owned()))
}

fn range(
    (server, format): (&Server, QueryFormat),
    expr: &str,
    span: &Span,
    step: Option<&str>,
) -> anyhow::Result<()> {
    let end = moment(span.end.as_deref())?.unwrap_or_else(now);
    let start = moment(span.start.as_deref())?.unwrap_or_else(|| end.plus_millis(-300_000));
    if start >= end {
        bail!("start time is not before end time");
    }
    let step_ms = match step {
        Some(step) => model::parse_duration(step)
            .map_err(anyhow::Error::msg)
            .context("--step")?,
        None => {
            let seconds = end.seconds() - start.seconds();
            let step = (seconds / POINTS).floor().max(1.0);
            model::number::float_to_i64(step * 1000.0)
        }
    };
    let (start, end) = (seconds(start), seconds(end));
    let step = seconds(Timestamp::from_millis(step_ms));
    let parameters = [
        ("query", expr),
        ("start", &start),
        ("end", &end),
        ("step", &step),
    ];
    print_result(&ask(server, "query_range", &parameters)?, format);
    Ok(())
}

fn listed(server: &Server, path: &str, matches: &[String], span: &Span) -> anyhow::Result<Value> {
    let times = [("start", &span.start), ("end", &span.end)];
    let mut given = Vec::new();
    for (name, time) in times {
        if let Some(time) = moment(time.as_deref())? {
            given.push((name, seconds(time)));
        }
    }
    let mut parameters: Vec<(&str, &str)> =
        matches.iter().map(|m| ("match[]", m.as_str())).collect();
    parameters.extend(given.iter().map(|(name, time)| (*name, time.as_str())));
    ask(server, path, &parameters)
}

fn print_list(data: &Value, format: QueryFormat, show: &dyn Fn(&Value) -> String) {
    match format {
        QueryFormat::Json => print::line(&data.to_string()),
        QueryFormat::Promql => {
            for entry in data.as_array().into_iter().flatten() {
                print::line(&show(entry));
            }
        }
    }
}

fn print_result(data: &Value, format: QueryFormat) {
    let result = data.get("result").unwrap_or(&Value::Null);
    if format == QueryFormat::Json {
        print::line(&result.to_string());
        return;
    }
    let kind = data
        .get("resultType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match kind {
        "scalar" | "string" => print::line(&format!("{kind}: {}", sample(result, " "))),
        _ => {
            for series in result.as_array().into_iter().flatten() {
                print::line(&series_text(series));
            }
        }
    }
}

/// A series as `name{labels} => value @[time]`, or with a line for each sample.
fn series_text(series: &Value) -> String {
    let metric = series.get("metric").unwrap_or(&Value::Null);
    let mut text = format!("{} =>", label_set(metric, Named::BeforeBraces));
    for single in ["value", "histogram"] {
        if let Some(point) = series.get(single) {
            let _infallible = write!(text, " {}", sample(point, " "));
        }
    }
    for many in ["values", "histograms"] {
        for point in series
            .get(many)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let _infallible = write!(text, "\n{}", sample(point, " "));
        }
    }
    text
}

/// `value @[time]` of a pair of time and value.
fn sample(point: &Value, between: &str) -> String {
    let time = point.get(0).map(Value::to_string).unwrap_or_default();
    let value = match point.get(1) {
        Some(Value::String(text)) => text.clone(),
        Some(histogram @ Value::Object(_)) => histogram_text(histogram),
        _ => String::new(),
    };
    format!("{value}{between}@[{time}]")
}

/// A native histogram: count, sum and its buckets with their borders.
fn histogram_text(histogram: &Value) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut shown = format!(
        "Count: {}, Sum: {}, Buckets: [",
        text(histogram.get("count")),
        text(histogram.get("sum"))
    );
    for (i, bucket) in histogram
        .get("buckets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let borders = bucket.get(0).and_then(Value::as_i64).unwrap_or(0);
        let open = if matches!(borders, 1 | 3) { '[' } else { '(' };
        let close = if matches!(borders, 0 | 3) { ']' } else { ')' };
        let space = if i == 0 { "" } else { " " };
        let (low, high, count) = (
            text(bucket.get(1)),
            text(bucket.get(2)),
            text(bucket.get(3)),
        );
        let _infallible = write!(shown, "{space}{open}{low},{high}{close}:{count}");
    }
    shown.push(']');
    shown
}

/// Where a metric's name stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    BeforeBraces,
    InBraces,
}

fn label_set(labels: &Value, named: Named) -> String {
    let mut name = String::new();
    let mut pairs: Vec<String> = Vec::new();
    for (label, value) in labels.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if label == METRIC_NAME && named == Named::BeforeBraces {
            value.clone_into(&mut name);
        } else {
            pairs.push(format!("{label}={value:?}"));
        }
    }
    pairs.sort();
    if pairs.is_empty() && !name.is_empty() {
        return name;
    }
    format!("{name}{{{}}}", pairs.join(", "))
}

fn now() -> Timestamp {
    SystemClock::new().now()
}

/// A time as promtool takes it: seconds since 1970, or RFC 3339.
pub(super) fn moment(text: Option<&str>) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = text else {
        return Ok(None);
    };
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(Some(Timestamp::from_seconds(seconds)));
    }
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    let parsed =
        parsed.map_err(|_no_time| anyhow::anyhow!("cannot parse {text:?} to a valid timestamp"))?;
    Ok(Some(Timestamp::from_millis(parsed.as_millisecond())))
}

/// A time as the API takes it.
pub(super) fn seconds(time: Timestamp) -> String {
    model::format_float(time.seconds())
}

#[cfg(test)]
mod tests {
    use super::{Named, label_set, series_text};
    use serde_json::json;

    #[test]
    fn prints_series() {
        let check = |series, want: &str| assert_eq!(series_text(&series), want);
        check(
            json!({"metric": {"__name__": "a", "b": "c\"d"}, "value": [1.5, "2"]}),
            "a{b=\"c\\\"d\"} => 2 @[1.5]",
        );
        check(json!({"metric": {}, "value": [1, "NaN"]}), "{} => NaN @[1]");
        check(
            json!({"metric": {"__name__": "a"}, "values": [[1, "2"], [2.25, "3"]]}),
            "a =>\n2 @[1]\n3 @[2.25]",
        );
        check(
            json!({"metric": {}, "histogram": [1, {"count": "3", "sum": "4", "buckets": [[0, "1", "2", "3"], [3, "-1", "1", "0"]]}]}),
            "{} => Count: 3, Sum: 4, Buckets: [(1,2]:3 [-1,1]:0] @[1]",
        );
        let set = label_set(&json!({"b": "1", "__name__": "n"}), Named::InBraces);
        assert_eq!(set, "{__name__=\"n\", b=\"1\"}");
    }
}
