//! Asking both servers the same and telling the answers apart.

use crate::server::{self, Server};
use anyhow::Context as _;
use serde_json::Value;
use std::collections::BTreeMap;

/// Approximated values may differ by this share of the larger one.
const TOLERANCE: f64 = 1e-9;

/// When a query is evaluated, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    At(i64),
    Range { start: i64, end: i64, step: i64 },
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(at) => write!(f, "time={}", super::grammar::seconds(*at)),
            Self::Range { start, end, step } => write!(
                f,
                "start={}&end={}&step={}",
                super::grammar::seconds(*start),
                super::grammar::seconds(*end),
                super::grammar::seconds(*step)
            ),
        }
    }
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Result type, and for each label set (as JSON) times and values.
    Answer {
        kind: String,
        series: BTreeMap<String, Vec<(String, String)>>,
    },
    /// Error type and text.
    Refusal { kind: String, text: String },
}

/// Asks one server.
pub(crate) fn ask(
    server: &Server,
    client: &ureq::Agent,
    query: &str,
    when: When,
) -> anyhow::Result<Outcome> {
    let mut parameters = vec![("query", query.to_owned()), ("timeout", "10s".to_owned())];
    let seconds = super::grammar::seconds;
    let path = match when {
        When::At(at) => {
            parameters.push(("time", seconds(at)));
            "query"
        }
        When::Range { start, end, step } => {
            parameters.push(("start", seconds(start)));
            parameters.push(("end", seconds(end)));
            parameters.push(("step", seconds(step)));
            "query_range"
        }
    };
    let borrowed: Vec<(&str, &str)> = parameters.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let (_, text) = server::get(client, &server.api_url(path), &borrowed)?;
    read(&text).with_context(|| format!("{} answered {text:.300}", server.kind.name()))
}

fn read(text: &str) -> anyhow::Result<Outcome> {
    let json: Value = serde_json::from_str(text)?;
    let word = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(kind) = word("errorType") {
        return Ok(Outcome::Refusal {
            kind,
            text: word("error").unwrap_or_default(),
        });
    }
    let kind = json
        .pointer("/data/resultType")
        .and_then(Value::as_str)
        .context("no result type")?
        .to_owned();
    let result = json.pointer("/data/result").context("no result")?;
    let mut series = BTreeMap::new();
    match result.as_array() {
        Some(rows) if kind == "vector" || kind == "matrix" => {
            for row in rows {
                let key = labels(row)?;
                let values = match row.get("values").and_then(Value::as_array) {
                    Some(values) => values.iter().filter_map(point).collect(),
                    None => row.get("value").and_then(point).into_iter().collect(),
                };
                if series.insert(key.clone(), values).is_some() {
                    anyhow::bail!("two series are called {key}");
                }
            }
        }
        _ => {
            series.insert(String::new(), point(result).into_iter().collect());
        }
    }
    Ok(Outcome::Answer { kind, series })
}

fn labels(row: &Value) -> anyhow::Result<String> {
    let labels: BTreeMap<&String, &Value> = row
        .get("metric")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .collect();
    Ok(serde_json::to_string(&labels)?)
}

fn point(value: &Value) -> Option<(String, String)> {
    let [at, value] = value.as_array()?.as_slice() else {
        return None;
    };
    Some((at.to_string(), value.as_str()?.to_owned()))
}

/// The first difference, if there is one.
pub(crate) fn difference(ours: &Outcome, theirs: &Outcome, exact: bool) -> Option<String> {
    match (ours, theirs) {
        (
            Outcome::Refusal { kind: a, text },
            Outcome::Refusal {
                kind: b,
                text: other,
            },
        ) => (a != b).then(|| format!("ours is {a} ({text}), theirs is {b} ({other})")),
        (Outcome::Refusal { kind, text }, Outcome::Answer { .. }) => {
            Some(format!("only we refuse: {kind}: {text}"))
        }
        (Outcome::Answer { .. }, Outcome::Refusal { kind, text }) => {
            Some(format!("only they refuse: {kind}: {text}"))
        }
        (Outcome::Answer { kind: a, series: x }, Outcome::Answer { kind: b, series: y }) => {
            if a != b {
                return Some(format!("ours is a {a}, theirs a {b}"));
            }
            different_series(x, y, exact)
        }
    }
}

type SeriesByLabels = BTreeMap<String, Vec<(String, String)>>;

fn different_series(ours: &SeriesByLabels, theirs: &SeriesByLabels, exact: bool) -> Option<String> {
    if let Some((labels, values)) = ours
        .iter()
        .find(|(labels, _)| !theirs.contains_key(*labels))
    {
        return Some(format!("only we have {labels}: {}", shown(values)));
    }
    for (labels, theirs) in theirs {
        let Some(ours) = ours.get(labels) else {
            return Some(format!("only they have {labels}: {}", shown(theirs)));
        };
        let mut pairs = ours.iter().zip(theirs);
        let differs = pairs.find(|((t, a), (u, b))| t != u || !equal(a, b, exact));
        if let Some(((t, a), (u, b))) = differs {
            return Some(format!("{labels}: ours {a} @{t}, theirs {b} @{u}"));
        }
        if ours.len() != theirs.len() {
            return Some(format!(
                "{labels}: ours {}, theirs {}",
                shown(ours),
                shown(theirs)
            ));
        }
    }
    None
}

fn shown(values: &[(String, String)]) -> String {
    let shown: Vec<String> = values
        .iter()
        .take(4)
        .map(|(at, value)| format!("{value} @{at}"))
        .collect();
    format!("{} values, {}", values.len(), shown.join(", "))
}

fn equal(a: &str, b: &str, exact: bool) -> bool {
    if a == b {
        return true;
    }
    let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>()) else {
        return false;
    };
    !exact && near(x, y)
}

/// Whether two approximations are of one number.
pub(super) fn near(x: f64, y: f64) -> bool {
    x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= TOLERANCE * x.abs().max(y.abs())
}

#[cfg(test)]
mod tests {
    use super::{Outcome, difference, read};

    #[test]
    fn tells_answers_apart() {
        let vector = |value: &str| {
            read(&format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"a":"b"}},"value":[1,"{value}"]}}]}}}}"#
            ))
            .expect("an answer")
        };
        let check = |a: &str, b: &str, exact: bool, same: bool| {
            let found = difference(&vector(a), &vector(b), exact);
            assert_eq!(found.is_none(), same, "{a} {b} {found:?}");
        };
        check("1", "1", true, true);
        check("NaN", "NaN", true, true);
        check("1", "1.0000000000001", true, false);
        check("1", "1.0000000000001", false, true);
        check("1", "1.001", false, false);
        check("-0", "0", true, false);
        check("1", "NaN", false, false);
        let refusal = Outcome::Refusal {
            kind: "bad_data".to_owned(),
            text: String::new(),
        };
        assert!(difference(&refusal, &vector("1"), false).is_some());
        assert!(difference(&refusal, &refusal, false).is_none());
    }
}
