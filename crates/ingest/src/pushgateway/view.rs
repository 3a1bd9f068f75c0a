//! Groups as `/api/v1/metrics` of Pushgateway shows them.

use super::family::{Family, Label, Metric};
use super::{Group, Grouping};
use model::number::{format_float_general, u64_to_float};
use serde_json::{Map, Value, json};

/// One group.
pub(super) fn group(grouping: &Grouping, group: &Group) -> Value {
    let mut shown = Map::new();
    shown.insert("labels".to_owned(), json!(grouping.pairs()));
    let succeeded = group.pushed_at.is_some() && group.pushed_at > group.failed_at;
    shown.insert("last_push_successful".to_owned(), succeeded.into());
    for family in group.all_families(grouping) {
        let at = group
            .families
            .get(&family.name)
            .map(|stamped| stamped.at)
            .or(group.pushed_at)
            .or(group.failed_at);
        let metrics: Vec<Value> = family
            .metrics
            .iter()
            .map(|one| metric(&family, one))
            .collect();
        let view = json!({
            "time_stamp": at.map(|at| at.to_string()),
            "type": family.kind_name().to_uppercase(),
            "help": family.help.as_deref().unwrap_or_default(),
            "metrics": metrics,
        });
        shown.insert(family.name, view);
    }
    Value::Object(shown)
}

fn metric(family: &Family, metric: &Metric) -> Value {
    let label = |label: &Label| (label.name.clone(), Value::from(label.value.clone()));
    let labels: Map<String, Value> = metric.labels.iter().map(label).collect();
    let number = |value| Value::from(format_float_general(value));
    let bounds = |bounds: Vec<(f64, f64)>| {
        let one = |(bound, value): (f64, f64)| (format_float_general(bound), number(value));
        Value::Object(bounds.into_iter().map(one).collect())
    };
    if let Some(summary) = &metric.summary {
        let quantiles = summary.quantiles.iter();
        let quantiles = quantiles.map(|one| (one.quantile, one.value)).collect();
        return json!({
            "labels": labels,
            "quantiles": bounds(quantiles),
            "count": number(u64_to_float(summary.count)),
            "sum": number(summary.sum),
        });
    }
    if let Some(histogram) = &metric.histogram {
        let buckets = histogram.buckets.iter();
        let buckets = buckets.map(|one| (one.upper_bound, one.total())).collect();
        return json!({
            "labels": labels,
            "buckets": bounds(buckets),
            "count": number(histogram.total()),
            "sum": number(histogram.sum),
        });
    }
    json!({"labels": labels, "value": number(metric.single(family.kind).unwrap_or_default())})
}
