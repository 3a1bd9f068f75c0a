//! `binnacle query`: an instant query as a table, a range query as sparklines.

use super::client::Client;
use super::table;
use crate::cli::{Format, Query};
use crate::print;
use anyhow::Context as _;
use runtime::Clock as _;
use serde_json::Value;
use std::process::ExitCode;

/// Points of a range query where no step is given.
const POINTS: i64 = 60;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Asks and prints.
pub(crate) fn run(query: &Query) -> anyhow::Result<ExitCode> {
    let client = Client::new(&query.server)?;
    let explain = if query.explain { "1" } else { "" };
    let answer = match &query.since {
        None => {
            let time = query.time.clone().unwrap_or_default();
            let parameters = [
                ("query", query.expr.as_str()),
                ("time", &time),
                ("explain", explain),
            ];
            client.get("/api/v1/query", &parameters)?
        }
        Some(since) => {
            let since_ms = model::parse_duration(since)
                .map_err(anyhow::Error::msg)
                .context("--since")?;
            let end_ms = runtime::SystemClock::new().now().millis();
            let step_ms = match &query.step {
                Some(step) => model::parse_duration(step)
                    .map_err(anyhow::Error::msg)
                    .context("--step")?,
                None => (since_ms / POINTS).max(1000),
            };
            let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
            let (start, end, step) = (
                seconds(end_ms - since_ms),
                seconds(end_ms),
                seconds(step_ms),
            );
            let parameters = [
                ("query", query.expr.as_str()),
                ("start", &start),
                ("end", &end),
                ("step", &step),
                ("explain", explain),
            ];
            client.get("/api/v1/query_range", &parameters)?
        }
    };
    for kind in ["warnings", "infos"] {
        for remark in answer
            .get(kind)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            print::note(remark.as_str().unwrap_or_default());
        }
    }
    let data = answer.get("data").context("the answer holds no data")?;
    match query.output.output {
        Format::Json if query.explain => print::json(data.get("explain").unwrap_or(data)),
        Format::Table if query.explain => {
            let mut rows = Vec::new();
            let plan = data.get("explain");
            push_plan(&mut rows, plan.context("the server does not explain")?, 0);
            table::print(&PLAN_COLUMNS, &rows);
        }
        Format::Json => print::json(data),
        Format::Table => show(data),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(data: &Value) {
    let result = data.get("result");
    let rows = result
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    match data.get("resultType").and_then(Value::as_str) {
        Some("vector") => {
            let row = |entry: &Value| vec![series(entry), text(entry.pointer("/value/1"))];
            table::print(
                &["series", "value"],
                &rows.iter().map(row).collect::<Vec<_>>(),
            );
        }
        Some("matrix") => {
            let rows: Vec<Vec<String>> = rows.iter().map(sparkline_row).collect();
            table::print(&["series", "graph", "min", "max", "last"], &rows);
        }
        _ => print::line(&text(result.and_then(|result| result.get(1)))),
    }
}

const PLAN_COLUMNS: [&str; 9] = [
    "part",
    "how",
    "series",
    "series read",
    "samples read",
    "samples touched",
    "ms",
    "ms reading",
    "ms evaluating",
];

/// A row for a part of the query, its own parts below it.
fn push_plan(rows: &mut Vec<Vec<String>>, node: &Value, depth: usize) {
    let number = |name: &str| node.get(name).map(Value::to_string).unwrap_or_default();
    let millis = |name: &str| {
        let seconds = node.get(name).and_then(Value::as_f64).unwrap_or_default();
        format!("{:.2}", seconds * 1000.0)
    };
    let expr = text(node.get("expr"));
    rows.push(vec![
        format!("{}{expr}", "  ".repeat(depth)),
        text(node.get("how")),
        number("series"),
        number("seriesRead"),
        number("samplesRead"),
        number("samplesTouched"),
        millis("seconds"),
        millis("readingSeconds"),
        millis("evaluatingSeconds"),
    ]);
    let children = node.get("children").and_then(Value::as_array);
    for child in children.into_iter().flatten() {
        push_plan(rows, child, depth + 1);
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn series(entry: &Value) -> String {
    let labels = entry
        .get("metric")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let labels: model::Labels = labels
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let rest = labels.without(&[model::METRIC_NAME]);
    match (labels.metric_name(), rest.is_empty()) {
        (name, true) if !name.is_empty() => name.to_owned(),
        (name, _) => format!("{name}{rest}"),
    }
}

fn sparkline_row(entry: &Value) -> Vec<String> {
    let points = entry
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let values: Vec<f64> = points
        .filter_map(|point| model::number::parse_float(point.get(1)?.as_str()?))
        .filter(|value| value.is_finite())
        .collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: &f64| {
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.0
        };
        BARS.get(model::number::float_to_usize(share * 7.0 + 0.5))
            .copied()
            .unwrap_or(' ')
    };
    let graph: String = values.iter().map(bar).collect();
    let show = |value: f64| {
        if value.is_finite() {
            format!("{value:.4}")
        } else {
            "–".to_owned()
        }
    };
    vec![
        series(entry),
        graph,
        show(low),
        show(high),
        show(values.last().copied().unwrap_or(f64::NAN)),
    ]
}
