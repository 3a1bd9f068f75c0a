//! `/api/v1/search/{metric_names,label_names,label_values}`: names that resemble what somebody typed.
//!
//! The answer is a line of JSON for each batch and one at the end that says whether there is more.

mod likeness;

use crate::answer::{Answer, Failure};
use crate::params::Params;
use crate::prometheus::series::{blocking, selectors};
use crate::services::Services;
use crate::time;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use likeness::{Algorithm, Searched};
use model::{METRIC_NAME, Matcher, MetricMetadata, SourceError, TimeRange};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

/// How far back is looked where the request does not say.
const RANGE_MS_DEFAULT: i64 = 3_600_000;
/// Names in an answer, and in a line of it, where the request does not say.
const LIMIT_DEFAULT: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
    Score,
}

struct Search {
    selectors: Vec<Vec<Matcher>>,
    range: TimeRange,
    searched: Searched,
    order: Order,
    with_score: bool,
    limit: usize,
    batch: usize,
}

impl Search {
    fn of(services: &Services, params: &Params, what: &str) -> Result<Self, Failure> {
        let now = services.clock.now();
        let start = time::time(params, "start", now.plus_millis(-RANGE_MS_DEFAULT))?;
        let end = time::time(params, "end", now)?;
        let terms: Vec<String> = params.all("search[]").map(str::to_owned).collect();
        let limit = count(params, "limit")?;
        let limit_max = services.web.search_limit_max;
        if limit_max > 0 && limit > limit_max {
            let message = format!("limit {limit} exceeds the maximum of {limit_max}");
            return Err(Failure::bad_data(message));
        }
        Ok(Self {
            selectors: selectors(params)?,
            range: TimeRange { start, end },
            order: order(params, what, !terms.is_empty())?,
            searched: Searched {
                terms,
                algorithm: algorithm(params)?,
                threshold: threshold(params)?,
                case_sensitive: flag(params, "case_sensitive")?.unwrap_or(true),
            },
            with_score: flag(params, "include_score")?.unwrap_or(false),
            limit,
            batch: count(params, "batch_size")?,
        })
    }

    /// Reads for every selector, for none at all everything.
    fn read(
        &self,
        read: impl Fn(&[Matcher]) -> Result<Vec<String>, SourceError>,
    ) -> Result<BTreeSet<String>, SourceError> {
        if self.selectors.is_empty() {
            return Ok(read(&[])?.into_iter().collect());
        }
        let mut found = BTreeSet::new();
        for matchers in &self.selectors {
            found.extend(read(matchers)?);
        }
        Ok(found)
    }

    /// The names that resemble, in order, and whether there are more than wanted.
    fn choose(&self, names: BTreeSet<String>) -> (Vec<(String, f64)>, bool) {
        let scored = names.into_iter().filter_map(|name| {
            let score = self.searched.score(&name)?;
            Some((name, score))
        });
        let mut chosen: Vec<(String, f64)> = scored.collect();
        match self.order {
            Order::Ascending => {}
            Order::Descending => chosen.reverse(),
            // Stable: those of one score stay in the order of the alphabet.
            Order::Score => chosen.sort_by(|a, b| b.1.total_cmp(&a.1)),
        }
        let has_more = chosen.len() > self.limit;
        chosen.truncate(self.limit);
        (chosen, has_more)
    }

    fn answer(
        &self,
        names: BTreeSet<String>,
        metadata: Option<&BTreeMap<String, MetricMetadata>>,
    ) -> Response {
        let (chosen, has_more) = self.choose(names);
        let record = |(name, score): &(String, f64)| {
            let mut fields = Map::new();
            fields.insert("name".to_owned(), name.clone().into());
            if self.with_score {
                fields.insert("score".to_owned(), (*score).into());
            }
            if let Some(said) = metadata.and_then(|metadata| metadata.get(name)) {
                fields.insert("type".to_owned(), said.kind.name().into());
                for (name, text) in [("help", &said.help), ("unit", &said.unit)] {
                    if !text.is_empty() {
                        fields.insert(name.to_owned(), text.clone().into());
                    }
                }
            }
            Value::Object(fields)
        };
        let mut lines: Vec<Value> = chosen
            .chunks(self.batch)
            .map(|batch| json!({"results": batch.iter().map(record).collect::<Vec<_>>()}))
            .collect();
        if lines.is_empty() {
            lines.push(json!({"results": []}));
        }
        lines.push(json!({"status": "success", "has_more": has_more}));
        ndjson(lines)
    }
}

/// A line for each value, sent as they are taken.
fn ndjson(lines: Vec<Value>) -> Response {
    let lines = lines
        .into_iter()
        .map(|line| Ok::<Bytes, Infallible>(Bytes::from(format!("{line}\n"))));
    let mut response = Response::new(Body::from_stream(futures_util::stream::iter(lines)));
    let kind = HeaderValue::from_static("application/x-ndjson; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn count(params: &Params, name: &str) -> Result<usize, Failure> {
    let Some(text) = params.get(name) else {
        return Ok(LIMIT_DEFAULT);
    };
    let count: usize = text.parse().map_err(|_not_one| {
        Failure::bad_data(format!(
            "invalid {name} {text:?}: must be non-negative integer"
        ))
    })?;
    Ok(if count == 0 { LIMIT_DEFAULT } else { count })
}

fn flag(params: &Params, name: &str) -> Result<Option<bool>, Failure> {
    match params.get(name) {
        None => Ok(None),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Some(true)),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Some(false)),
        Some(other) => Err(Failure::bad_data(format!(
            "invalid {name} {other:?}: must be boolean"
        ))),
    }
}

fn threshold(params: &Params) -> Result<f64, Failure> {
    let text = params.get("fuzz_threshold").unwrap_or("0");
    match text.parse::<u8>() {
        Ok(percent) if percent <= 100 => Ok(f64::from(percent) / 100.0),
        Ok(_) | Err(_) => Err(Failure::bad_data(format!(
            "invalid fuzz_threshold {text:?}: must be 0-100"
        ))),
    }
}

fn algorithm(params: &Params) -> Result<Algorithm, Failure> {
    match params.get("fuzz_alg") {
        None | Some("subsequence") => Ok(Algorithm::Subsequence),
        Some("jarowinkler") => Ok(Algorithm::JaroWinkler),
        Some(other) => Err(Failure::bad_data(format!(
            "unsupported fuzz_alg {other:?}: must be one of [subsequence jarowinkler]"
        ))),
    }
}

fn order(params: &Params, what: &str, has_terms: bool) -> Result<Order, Failure> {
    let bad = |message: String| Err(Failure::bad_data(message));
    let direction = params.get("sort_dir");
    match (params.get("sort_by"), direction) {
        (None, Some(_)) => bad("sort_dir is only valid when sort_by is set".to_owned()),
        (Some("score"), Some(_)) => bad("sort_dir is not supported for sort_by=score".to_owned()),
        (Some("score"), None) if !has_terms => {
            bad("sort_by=score requires search[] to be set".to_owned())
        }
        (Some("score"), None) => Ok(Order::Score),
        (None, None) | (Some("alpha"), None | Some("asc")) => Ok(Order::Ascending),
        (Some("alpha"), Some("dsc")) => Ok(Order::Descending),
        (Some("alpha"), Some(other)) => bad(format!(
            "invalid sort_dir {other:?}: must be \"asc\" or \"dsc\""
        )),
        (Some(other), _) => bad(format!(
            "invalid sort_by {other:?} for {what}: must be \"alpha\" or \"score\""
        )),
    }
}

/// Searches among the names of metrics.
pub(crate) async fn metric_names(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let search = Search::of(&services, &params, "metric_names")?;
    let with_metadata = flag(&params, "include_metadata")?.unwrap_or(false);
    let response = blocking(move || {
        let names = search.read(|matchers| {
            services
                .source
                .label_values(METRIC_NAME, matchers, search.range)
        })?;
        let metadata = with_metadata.then(|| said_of_metrics(&services));
        Ok(search.answer(names, metadata.as_ref()))
    });
    response.await
}

/// What is said of each metric; where targets differ, what the last of them said.
fn said_of_metrics(services: &Services) -> BTreeMap<String, MetricMetadata> {
    let mut said = services.own_metadata.clone();
    for (_, metadata) in services.collector.metadata() {
        said.extend(
            metadata
                .iter()
                .map(|(name, metadata)| (name.clone(), metadata.clone())),
        );
    }
    said
}

/// Searches among the names of labels.
pub(crate) async fn label_names(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let search = Search::of(&services, &params, "label_names")?;
    let response = blocking(move || {
        let names = search.read(|matchers| services.source.label_names(matchers, search.range))?;
        Ok(search.answer(names, None))
    });
    response.await
}

/// Searches among the values of a label.
pub(crate) async fn label_values(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let search = Search::of(&services, &params, "label_values")?;
    let Some(label) = params.get("label").map(str::to_owned) else {
        return Err(Failure::bad_data("missing required parameter \"label\""));
    };
    let response = blocking(move || {
        let values =
            search.read(|matchers| services.source.label_values(&label, matchers, search.range))?;
        Ok(search.answer(values, None))
    });
    response.await
}
