//! `/api/v1/series`, `/labels` and `/label/NAME/values`.

use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::prometheus::query::push_labels;
use crate::services::Services;
use crate::time;
use axum::extract::{Path, State};
use model::{Labels, Matcher, SourceError, TimeRange, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Selection {
    selectors: Vec<Vec<Matcher>>,
    range: TimeRange,
    limit: usize,
}

impl Selection {
    fn of(params: &Params) -> Result<Self, Failure> {
        let start = time::time(params, "start", Timestamp::MIN)?;
        let end = time::time(params, "end", Timestamp::MAX)?;
        if end < start {
            let message = "invalid parameter \"end\": end timestamp must not be before start time";
            return Err(Failure::bad_data(message));
        }
        let selectors = selectors(params)?;
        let limit = params.limit()?.unwrap_or(usize::MAX);
        Ok(Self {
            selectors,
            range: TimeRange { start, end },
            limit,
        })
    }

    /// Reads for every selector (for none at all: everything) and joins what was found.
    fn read<T: Ord>(
        &self,
        read: impl Fn(&[Matcher]) -> Result<Vec<T>, SourceError>,
    ) -> Result<BTreeSet<T>, SourceError> {
        if self.selectors.is_empty() {
            return Ok(read(&[])?.into_iter().collect());
        }
        let mut found = BTreeSet::new();
        for matchers in &self.selectors {
            found.extend(read(matchers)?);
        }
        Ok(found)
    }
}

/// Reads every `match[]`. Fails for one that would choose everything.
pub(crate) fn selectors(params: &Params) -> Result<Vec<Vec<Matcher>>, Failure> {
    let selectors = params
        .all("match[]")
        .map(|text| {
            promql::parse_metric_selector(text).map_err(|error| {
                Failure::bad_data(format!("invalid parameter \"match[]\": {error}"))
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let empty = selectors
        .iter()
        .find(|list| list.iter().all(Matcher::matches_empty));
    if let Some(empty) = empty {
        let shown: Vec<String> = empty.iter().map(ToString::to_string).collect();
        let message = format!(
            "invalid parameter \"match[]\": match[] must contain at least one non-empty matcher, found {{{}}}",
            shown.join(", ")
        );
        return Err(Failure::bad_data(message));
    }
    Ok(selectors)
}

/// Runs a read on a blocking thread.
pub(crate) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, Failure> {
    let read = tokio::task::spawn_blocking(read).await;
    match read {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Failure::internal(error.to_string())),
        Err(error) => {
            tracing::error!(%error, "a read ended unexpectedly");
            Err(Failure::internal("the read ended unexpectedly"))
        }
    }
}

/// Lists label sets.
pub(crate) async fn series(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let selection = Selection::of(&params)?;
    if selection.selectors.is_empty() {
        return Err(Failure::bad_data("no match[] parameter provided"));
    }
    let limit = selection.limit;
    let source = Arc::clone(&services.source);
    let found =
        blocking(move || selection.read(|matchers| source.series(matchers, selection.range)))
            .await?;
    let mut out = String::from("{\"status\":\"success\",\"data\":[");
    let cut = found.len() > limit;
    for (index, labels) in found.iter().take(limit).enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_labels(&mut out, labels);
    }
    out.push_str(if cut {
        "],\"warnings\":[\"results truncated due to limit\"]}"
    } else {
        "]}"
    });
    Ok(answer::json_text(out))
}

/// Lists label names.
pub(crate) async fn label_names(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let selection = Selection::of(&params)?;
    let limit = selection.limit;
    let source = Arc::clone(&services.source);
    let found =
        blocking(move || selection.read(|matchers| source.label_names(matchers, selection.range)))
            .await?;
    Ok(texts(found, limit))
}

/// Lists the values of a label.
pub(crate) async fn label_values(
    State(services): State<Arc<Services>>,
    Path(name): Path<String>,
    params: Params,
) -> Answer {
    let name = unescape(&name);
    if name.is_empty() {
        return Err(Failure::bad_data("invalid label name: \"\""));
    }
    let selection = Selection::of(&params)?;
    let limit = selection.limit;
    let source = Arc::clone(&services.source);
    let found = blocking(move || {
        selection.read(|matchers| source.label_values(&name, matchers, selection.range))
    })
    .await?;
    Ok(texts(found, limit))
}

fn texts(found: BTreeSet<String>, limit: usize) -> axum::response::Response {
    let cut = found.len() > limit;
    let list = Value::from(found.into_iter().take(limit).collect::<Vec<_>>());
    if !cut {
        return answer::success(&list);
    }
    let warning = "\"warnings\":[\"results truncated due to limit\"]";
    answer::json_text(format!(
        "{{\"status\":\"success\",\"data\":{list},{warning}}}"
    ))
}

/// Undoes upstream's `U__` escaping of names in paths: `__` for `_`, `_HEX_` for anything else.
fn unescape(name: &str) -> String {
    let Some(mut rest) = name.strip_prefix("U__") else {
        return name.to_owned();
    };
    let mut plain = String::new();
    while let Some((head, tail)) = rest.split_once('_') {
        plain.push_str(head);
        if let Some(after) = tail.strip_prefix('_') {
            plain.push('_');
            rest = after;
            continue;
        }
        let code = tail.split_once('_').and_then(|(digits, after)| {
            Some((
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?,
                after,
            ))
        });
        let Some((character, after)) = code else {
            return name.to_owned();
        };
        plain.push(character);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// A label set as a JSON object.
pub(crate) fn labels_json(labels: &Labels) -> Value {
    Value::Object(
        labels
            .iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn undoes_escaping() {
        let check = |name, want| assert_eq!(unescape(name), want);
        check("job", "job");
        check("U__http_2e_status", "http.status");
        check("U__a__b", "a_b");
    }
}
