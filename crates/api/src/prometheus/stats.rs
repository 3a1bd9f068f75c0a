//! What a query took, as upstream's API tells it, and our own tree of its parts.

use promql::{PlanNode, QueryResult, QueryTime};
use std::fmt::Write as _;
use std::time::Duration;

/// Appends `,"stats":{…}`.
pub(super) fn push(out: &mut String, result: &QueryResult, at: QueryTime, queued: Duration) {
    let stats = &result.stats;
    let queued = queued.as_secs_f64();
    let inner = stats.total_seconds - stats.select_seconds - stats.sort_seconds;
    let timings = [
        ("evalTotalTime", stats.total_seconds),
        ("resultSortTime", stats.sort_seconds),
        ("queryPreparationTime", stats.select_seconds),
        ("innerEvalTime", inner.max(0.0)),
        ("execQueueTime", queued),
        ("execTotalTime", queued + stats.total_seconds),
    ];
    let mut opening = ",\"stats\":{\"timings\":{";
    for (name, seconds) in timings {
        // Writing to a String cannot fail.
        let _infallible = write!(out, "{opening}\"{name}\":{seconds}");
        opening = ",";
    }
    out.push_str("},\"samples\":{");
    if let Some(by_step) = &result.details.samples_by_step {
        out.push_str("\"totalQueryableSamplesPerStep\":[");
        let (start, step_ms) = match at {
            QueryTime::Instant(at) => (at, 0),
            QueryTime::Range { start, step_ms, .. } => (start, step_ms),
        };
        for (step, samples) in (0_i64..).zip(by_step) {
            out.push_str(if step == 0 { "[" } else { ",[" });
            let time = start.plus_millis(step_ms.saturating_mul(step));
            crate::number::push_timestamp(out, time);
            let _infallible = write!(out, ",{samples}]");
        }
        out.push_str("],");
    }
    let _infallible = write!(
        out,
        "\"totalQueryableSamples\":{},\"peakSamples\":{}}}}}",
        stats.samples_touched, stats.samples_peak
    );
}

/// Appends a part of a query and its own parts.
pub(super) fn push_plan(out: &mut String, node: &PlanNode) {
    let expr = serde_json::Value::from(node.expr.as_str());
    // Writing to a String cannot fail.
    let _infallible = write!(
        out,
        "{{\"expr\":{expr},\"how\":\"{}\",\"series\":{},\"seriesRead\":{},\"samplesRead\":{},\
         \"samplesTouched\":{},\"seconds\":{},\"readingSeconds\":{},\"evaluatingSeconds\":{},\"children\":[",
        node.how,
        node.series,
        node.series_read,
        node.samples_read,
        node.samples_touched,
        node.seconds,
        node.reading_seconds,
        node.evaluating_seconds
    );
    for (index, child) in node.children.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_plan(out, child);
    }
    out.push_str("]}");
}
