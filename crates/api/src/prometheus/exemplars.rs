//! `/api/v1/query_exemplars`: single observations behind the series of a query.

use crate::answer::{self, Answer, Failure};
use crate::number;
use crate::params::Params;
use crate::prometheus::query::push_labels;
use crate::prometheus::series::blocking;
use crate::services::Services;
use crate::time;
use axum::extract::State;
use model::{Exemplar, Labels, Matcher, TimeRange, Timestamp};
use std::sync::Arc;

/// Answers the exemplars of every series that the query's selectors choose.
pub(crate) async fn query(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let range = TimeRange {
        start: time::time(&params, "start", Timestamp::MIN)?,
        end: time::time(&params, "end", Timestamp::MAX)?,
    };
    if range.end < range.start {
        let message = "invalid parameter \"end\": end timestamp must not be before start timestamp";
        return Err(Failure::bad_data(message));
    }
    let expr = promql::parse(params.get("query").unwrap_or_default())?;
    let selectors: Vec<Vec<Matcher>> = expr
        .selectors()
        .into_iter()
        .map(|selector| selector.matchers.clone())
        .collect();
    let found = blocking(move || Ok(services.db.exemplars(&selectors, range))).await?;
    let mut out = String::from("{\"status\":\"success\",\"data\":[");
    for (index, (labels, exemplars)) in found.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_series(&mut out, labels, exemplars);
    }
    out.push_str("]}");
    Ok(answer::json_text(out))
}

fn push_series(out: &mut String, labels: &Labels, exemplars: &[Exemplar]) {
    out.push_str("{\"seriesLabels\":");
    push_labels(out, labels);
    out.push_str(",\"exemplars\":[");
    for (index, exemplar) in exemplars.iter().enumerate() {
        out.push_str(if index == 0 {
            "{\"labels\":"
        } else {
            ",{\"labels\":"
        });
        push_labels(out, &exemplar.labels);
        out.push_str(",\"value\":\"");
        number::push_float(out, exemplar.value);
        out.push_str("\",\"timestamp\":");
        let at = exemplar.timestamp.unwrap_or(Timestamp::from_millis(0));
        number::push_timestamp(out, at);
        out.push('}');
    }
    out.push_str("]}");
}

#[cfg(test)]
mod tests {
    use super::push_series;
    use model::{Exemplar, Labels, Timestamp};

    #[test]
    fn writes_exemplars_as_upstream() {
        let exemplar = Exemplar {
            labels: Labels::from_pairs([("traceID", "EpTxMJ40fUus7aGY")]),
            value: 6.0,
            timestamp: Some(Timestamp::from_millis(1_600_096_945_479)),
        };
        let mut out = String::new();
        push_series(&mut out, &Labels::from_pairs([("job", "a")]), &[exemplar]);
        assert_eq!(
            out,
            r#"{"seriesLabels":{"job":"a"},"exemplars":[{"labels":{"traceID":"EpTxMJ40fUus7aGY"},"value":"6","timestamp":1600096945.479}]}"#
        );
    }
}
