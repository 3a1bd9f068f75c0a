//! `/federate`: the latest sample of chosen series, for another Prometheus to scrape.

use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::services::Services;
use axum::extract::State;
use http::HeaderMap;
use http::header::ACCEPT;
use ingest::federate::{Format, encode};
use model::{
    Columns, Labels, Matcher, ReadBudget, SourceError, TimeRange, Timestamp, Value, is_stale_marker,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far back a sample may lie where the flags do not say.
const LOOKBACK_MS: i64 = 5 * 60_000;
/// Samples one answer may touch.
const SAMPLES_MAX: usize = 50_000_000;

/// Answers with every series of every `match[]`.
pub(crate) async fn federate(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
    params: Params,
) -> Answer {
    let selectors = params
        .all("match[]")
        .map(|text| promql::parse_metric_selector(text).map_err(|e| plain(&e.to_string())))
        .collect::<Result<Vec<_>, Failure>>()?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::from_accept(accept.unwrap_or_default());
    let external = (services.setup)().external_labels;
    let work = move || {
        let end = services.clock.now();
        let start = end.plus_millis(-lookback_ms(&services));
        let latest = latest(&services, &selectors, TimeRange { start, end })?;
        Ok::<_, SourceError>(encode(&latest, &external, format))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(body)) => Ok(answer::text(format.content_type(), body)),
        Ok(Err(error)) => Err(Failure::internal(error.to_string())),
        Err(error) => {
            tracing::error!(%error, "a federation ended unexpectedly");
            Err(Failure::internal("the federation ended unexpectedly"))
        }
    }
}

fn plain(message: &str) -> Failure {
    Failure::bad_data(message)
}

fn lookback_ms(services: &Services) -> i64 {
    let flags = &services.about.flags;
    let text = flags
        .iter()
        .find(|(name, _)| name == "query.lookback-delta");
    text.and_then(|(_, text)| model::parse_duration(text).ok())
        .unwrap_or(LOOKBACK_MS)
}

fn latest(
    services: &Services,
    selectors: &[Vec<Matcher>],
    range: TimeRange,
) -> Result<Vec<(Labels, Timestamp, Value)>, SourceError> {
    let budget = ReadBudget::new(SAMPLES_MAX);
    let mut found = BTreeMap::new();
    for matchers in selectors {
        let scan = services.source.scan(matchers, range)?;
        for (index, labels) in scan.labels().iter().enumerate() {
            let columns = scan.read(index, &budget)?;
            budget.give_back(columns.len());
            if let Some(sample) = last(&columns) {
                found.insert(labels.clone(), sample);
            }
        }
    }
    let row = |(labels, (at, value))| (labels, at, value);
    Ok(found.into_iter().map(row).collect())
}

/// The last sample; none where the series has ended.
fn last(columns: &Columns) -> Option<(Timestamp, Value)> {
    let index = columns.len().checked_sub(1)?;
    let at = Timestamp::from_millis(*columns.timestamps.get(index)?);
    if let Some((place, histogram)) = columns.histograms.last()
        && *place == index
    {
        return Some((at, Value::Histogram(Arc::clone(histogram))));
    }
    let value = *columns.values.get(index)?;
    (!is_stale_marker(value)).then_some((at, Value::Float(value)))
}
