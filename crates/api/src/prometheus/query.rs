//! `/api/v1/query` and `/api/v1/query_range`: from parameters to an answer written straight into its text.
//!
//! Evaluation runs on a blocking thread. When the client goes away, dropping the handler cancels the query.

use super::stats;
use crate::answer::{self, Answer, Failure};
use crate::number::{self, Beginnings};
use crate::params::Params;
use crate::queries::Asked;
use crate::server::ClientAddress;
use crate::services::Services;
use crate::time;
use axum::extract::{FromRequestParts, State};
use http::StatusCode;
use http::request::Parts;
use model::{Labels, ReadBudget, Timestamp, Value};
use promql::{Query, QueryDetail, QueryError, QueryResult, QueryTime, QueryValue, RangeSeries};
use runtime::Workers;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Points of one series in an answer at most; upstream's limit.
const POINTS_MAX: i64 = 11_000;
/// Bytes of a point in an answer, roughly.
const POINT_BYTES: usize = 32;
/// Points that one thread writes at a time: where there are more, others help.
const POINTS_PER_TASK: usize = 1 << 14;
/// Remarks shown in an answer.
const REMARKS_MAX: usize = 10;

/// Answers an instant query.
pub(crate) async fn instant(
    State(services): State<Arc<Services>>,
    client: Client,
    params: Params,
) -> Answer {
    let at = time::time(&params, "time", services.clock.now())?;
    let asked = client.asked("/api/v1/query", &params, QueryTime::Instant(at));
    run(services, params, asked).await
}

/// Answers a range query.
pub(crate) async fn range(
    State(services): State<Arc<Services>>,
    client: Client,
    params: Params,
) -> Answer {
    let start = time::required(&params, "start")?;
    let end = time::required(&params, "end")?;
    if end < start {
        let message = "invalid parameter \"end\": end timestamp must not be before start time";
        return Err(Failure::bad_data(message));
    }
    let step_ms = time::duration_ms(&params, "step")?.ok_or_else(|| {
        Failure::bad_data("invalid parameter \"step\": cannot parse \"\" to a valid duration")
    })?;
    if step_ms <= 0 {
        return Err(Failure::bad_data(
            "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. \
             Try a positive integer",
        ));
    }
    if end.millis_since(start) / step_ms > POINTS_MAX {
        return Err(Failure::bad_data(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query \
             resolution (?step=XX)",
        ));
    }
    let range = QueryTime::Range {
        start,
        end,
        step_ms,
    };
    let asked = client.asked("/api/v1/query_range", &params, range);
    run(services, params, asked).await
}

/// Who asks: for the log of queries.
pub(crate) struct Client {
    address: String,
    method: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ClientAddress>();
        Ok(Self {
            address: address.map_or_else(String::new, |client| client.0.ip().to_string()),
            method: parts.method.to_string(),
        })
    }
}

impl Client {
    fn asked(self, path: &'static str, params: &Params, time: QueryTime) -> Asked {
        Asked {
            query: params.get("query").unwrap_or_default().to_owned(),
            time,
            client: self.address,
            method: self.method,
            path,
        }
    }
}

/// What a request wants besides the answer.
#[derive(Clone, Copy)]
struct Wishes {
    stats: bool,
    step_stats: bool,
    plan: bool,
    /// Nothing out of the result cache.
    fresh: bool,
}

impl Wishes {
    fn of(params: &Params) -> Self {
        let is_on = |name| {
            params
                .get(name)
                .is_some_and(|value| !matches!(value, "" | "0" | "false"))
        };
        Self {
            stats: params.get("stats").is_some_and(|value| !value.is_empty()),
            step_stats: params.get("stats") == Some("all"),
            plan: is_on("explain"),
            fresh: is_on("nocache"),
        }
    }
}

/// Cancels the query when the handler is dropped before it is done.
struct CancelOnDrop(Arc<ReadBudget>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn run(services: Arc<Services>, params: Params, asked: Asked) -> Answer {
    let expr = promql::parse(&asked.query)?;
    let longest = services.engine.options().timeout;
    let timeout = time::duration_ms(&params, "timeout")?
        .and_then(|millis| u64::try_from(millis).ok())
        .map_or(longest, |millis| Duration::from_millis(millis).min(longest));
    let lookback_ms = time::duration_ms(&params, "lookback_delta")?;
    let limit = params.limit()?;
    let wishes = Wishes::of(&params);
    let detail = QueryDetail {
        samples_by_step: wishes.step_stats && services.engine.options().per_step_stats,
        plan: wishes.plan,
    };
    let waiting = services.clock.monotonic();
    let permit = services.queries.admit(timeout).await?;
    let budget = Arc::new(ReadBudget::new(services.engine.options().samples_max));
    let cancel = CancelOnDrop(Arc::clone(&budget));
    let work = move || {
        let _permit = permit;
        let queued = services.clock.monotonic().saturating_sub(waiting);
        let query = Query {
            expr: &expr,
            time: asked.time,
            lookback_ms,
            timeout: Some(timeout),
            budget: &budget,
            detail,
            bypasses_cache: wishes.fresh,
            rule_group: None,
        };
        let result = services.engine.run(services.source.as_ref(), &query);
        match &result {
            Ok(answer) => services.queries.log(&asked, Ok(&answer.stats)),
            Err(error) => services.queries.log(&asked, Err(&error.to_string())),
        }
        let result = result.map_err(|error| failure(&error))?;
        let stats = wishes.stats.then_some((asked.time, queued));
        let workers = &services.engine.options().workers;
        let answer = write_answer(result, &asked.query, (limit, stats), workers);
        Ok::<String, Failure>(answer)
    };
    let body = tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a query ended unexpectedly");
        Failure::internal("the query ended unexpectedly")
    })?;
    drop(cancel);
    Ok(answer::json_text(body?))
}

/// The status and kind that upstream gives an error.
pub(crate) fn failure(error: &QueryError) -> Failure {
    let status = match error {
        QueryError::BadData(_) => StatusCode::BAD_REQUEST,
        QueryError::Execution(_) | QueryError::TooManySamples => StatusCode::UNPROCESSABLE_ENTITY,
        QueryError::Timeout | QueryError::Canceled => StatusCode::SERVICE_UNAVAILABLE,
        QueryError::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Failure::new(status, error.kind(), error.to_string())
}

fn write_answer(
    mut result: QueryResult,
    query: &str,
    (limit, stats): (Option<usize>, Option<(QueryTime, Duration)>),
    workers: &Workers,
) -> String {
    let mut out = String::with_capacity(4096);
    out.push_str("{\"status\":\"success\",\"data\":{");
    let cut = limit.is_some_and(|limit| cut_to(&mut result.value, limit));
    write_value(&mut out, &result.value, workers);
    if let Some((at, queued)) = stats {
        stats::push(&mut out, &result, at, queued);
    }
    if let Some(plan) = &result.details.plan {
        out.push_str(",\"explain\":");
        stats::push_plan(&mut out, plan);
    }
    out.push('}');
    let mut warnings = promql::annotations::texts(&result.warnings, query, REMARKS_MAX);
    if cut {
        warnings.push("results truncated due to limit".to_owned());
    }
    let infos = promql::annotations::texts(&result.infos, query, REMARKS_MAX);
    for (name, remarks) in [("warnings", warnings), ("infos", infos)] {
        if !remarks.is_empty() {
            let list = serde_json::Value::from(remarks);
            let _infallible = write!(out, ",\"{name}\":{list}");
        }
    }
    out.push('}');
    out
}

fn cut_to(value: &mut QueryValue, limit: usize) -> bool {
    let length = match value {
        QueryValue::Vector(samples) => {
            let length = samples.len();
            samples.truncate(limit);
            length
        }
        QueryValue::Matrix(series) => {
            let length = series.len();
            series.truncate(limit);
            length
        }
        QueryValue::Scalar { .. } | QueryValue::String { .. } => 0,
    };
    length > limit
}

fn write_value(out: &mut String, value: &QueryValue, workers: &Workers) {
    match value {
        QueryValue::Scalar { timestamp, value } => {
            out.push_str("\"resultType\":\"scalar\",\"result\":");
            // Of all numbers only this one never has an exponent.
            out.push('[');
            number::push_timestamp(out, *timestamp);
            out.push_str(",\"");
            out.push_str(&model::format_float(*value));
            out.push_str("\"]");
        }
        QueryValue::String { timestamp, value } => {
            out.push_str("\"resultType\":\"string\",\"result\":[");
            number::push_timestamp(out, *timestamp);
            out.push(',');
            push_text(out, value);
            out.push(']');
        }
        QueryValue::Vector(samples) => {
            out.push_str("\"resultType\":\"vector\",\"result\":[");
            for (index, sample) in samples.iter().enumerate() {
                out.push_str(if index == 0 {
                    "{\"metric\":"
                } else {
                    ",{\"metric\":"
                });
                push_labels(out, &sample.labels);
                write_instant(out, sample.timestamp, &sample.value);
                out.push('}');
            }
            out.push(']');
        }
        QueryValue::Matrix(series) => {
            out.push_str("\"resultType\":\"matrix\",\"result\":[");
            write_matrix(out, series, workers);
            out.push(']');
        }
    }
}

/// Appends the series of a range query's answer.
fn write_matrix(out: &mut String, series: &[RangeSeries], workers: &Workers) {
    let points: usize = series.iter().map(|one| one.samples.len()).sum();
    out.reserve(points.saturating_mul(POINT_BYTES));
    let tasks = (points / POINTS_PER_TASK).max(1);
    let parts: Vec<&[RangeSeries]> = series.chunks(series.len().div_ceil(tasks).max(1)).collect();
    if let [all] = parts.as_slice() {
        write_series(out, all);
        return;
    }
    let work = |task: usize| {
        let mut text = String::new();
        if let Some(part) = parts.get(task) {
            let points: usize = part.iter().map(|one| one.samples.len()).sum();
            text.reserve(points.saturating_mul(POINT_BYTES));
            write_series(&mut text, part);
        }
        Ok::<String, Infallible>(text)
    };
    let helpers = parts.len().saturating_sub(1);
    let mut separator = "";
    let Ok(()) = workers.in_order((parts.len(), helpers), &work, &mut |text: String| {
        out.push_str(separator);
        separator = ",";
        out.push_str(&text);
        Ok(())
    });
}

fn write_series(out: &mut String, series: &[RangeSeries]) {
    let mut beginnings = Beginnings::default();
    for (index, series) in series.iter().enumerate() {
        out.push_str(if index == 0 {
            "{\"metric\":"
        } else {
            ",{\"metric\":"
        });
        push_labels(out, &series.labels);
        write_samples(out, &series.samples, &mut beginnings);
        out.push('}');
    }
}

fn write_instant(out: &mut String, timestamp: Timestamp, value: &Value) {
    let is_float = matches!(value, Value::Float(_));
    out.push_str(if is_float {
        ",\"value\":"
    } else {
        ",\"histogram\":"
    });
    number::push_sample(out, &model::Sample::new(timestamp, value.clone()));
}

fn write_samples(out: &mut String, samples: &[model::Sample], beginnings: &mut Beginnings) {
    let mut opening = ",\"values\":[";
    let mut has_histograms = false;
    for sample in samples {
        match &sample.value {
            Value::Float(value) => {
                out.push_str(opening);
                opening = ",";
                beginnings.push_point(out, sample.timestamp, *value);
            }
            Value::Histogram(_) => has_histograms = true,
        }
    }
    if opening == "," {
        out.push(']');
    }
    if !has_histograms {
        return;
    }
    opening = ",\"histograms\":[";
    for sample in samples {
        if matches!(sample.value, Value::Histogram(_)) {
            out.push_str(opening);
            opening = ",";
            number::push_sample(out, sample);
        }
    }
    out.push(']');
}

/// Appends a label set as a JSON object.
pub(crate) fn push_labels(out: &mut String, labels: &Labels) {
    out.push('{');
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_text(out, name);
        out.push(':');
        push_text(out, value);
    }
    out.push('}');
}

/// Appends a JSON string.
fn push_text(out: &mut String, text: &str) {
    let plain = text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// Answers the canonical form of a query.
pub(crate) async fn format(params: Params) -> Answer {
    let expr = promql::parse(params.get("query").unwrap_or_default())?;
    Ok(answer::success(&serde_json::Value::from(expr.pretty())))
}
