//! The labels of one series: the target's joined with the exposed ones, relabelled, checked.

use super::{SeriesError, SeriesRules};
use model::{Labels, METRIC_NAME};
use std::borrow::Cow;

const EXPORTED_PREFIX: &str = "exported_";

/// Joins, then relabels. `None` where a rule drops the series.
///
/// `empty`: names of labels that are exposed as empty.
pub(super) fn of_series(
    exposed: &Labels,
    empty: &[Cow<'_, str>],
    rules: &SeriesRules,
) -> Option<Labels> {
    let joined = if rules.honor_labels {
        // A label that is exposed as empty keeps the target's away, as Pushgateway does with `instance`.
        let added = rules
            .target_labels
            .iter()
            .filter(|(name, _)| empty.iter().all(|empty| empty != name));
        added.chain(exposed.iter()).collect()
    } else {
        with_target_labels(exposed, &rules.target_labels)
    };
    let labels = model::relabel::apply(&rules.metric_relabel_configs, &joined)?;
    (!labels.is_empty()).then_some(labels)
}

/// Target labels win; exposed ones of the same name move to `exported_…`, shortest name first.
fn with_target_labels(exposed: &Labels, target: &Labels) -> Labels {
    let mut conflicts: Vec<(&str, &str)> = target
        .iter()
        .filter_map(|(name, _)| Some((name, exposed.get(name)?)))
        .collect();
    if conflicts.is_empty() {
        return exposed.merged_with(target);
    }
    conflicts.sort_by_key(|(name, _)| name.len());
    let mut joined = exposed.merged_with(target);
    for (name, value) in conflicts {
        let mut exported = format!("{EXPORTED_PREFIX}{name}");
        while joined.get(&exported).is_some() {
            exported.insert_str(0, EXPORTED_PREFIX);
        }
        joined = joined.with(&exported, value);
    }
    joined
}

/// Checks names and limits.
pub(super) fn check(labels: &Labels, rules: &SeriesRules) -> Result<(), SeriesError> {
    let metric = labels.metric_name();
    if metric.is_empty() {
        let message = "missing metric name (__name__ label)".to_owned();
        return Err(SeriesError::Invalid(message));
    }
    let validation = rules.name_validation;
    let names_are_valid = validation.is_metric_name(metric)
        && labels
            .iter()
            .all(|(name, _)| name == METRIC_NAME || validation.is_label_name(name));
    if !names_are_valid {
        let message = format!("invalid metric name or label names: {labels}");
        return Err(SeriesError::Invalid(message));
    }
    check_limits(labels, rules)
}

fn check_limits(labels: &Labels, rules: &SeriesRules) -> Result<(), SeriesError> {
    let limits = &rules.limits;
    let metric: String = labels.metric_name().chars().take(50).collect();
    let exceeds =
        |length: usize, limit: u64| limit > 0 && u64::try_from(length).unwrap_or(u64::MAX) > limit;
    let count = labels.len();
    if exceeds(count, limits.labels) {
        return Err(SeriesError::LabelLimit(format!(
            "label_limit exceeded (metric: {metric}, number of labels: {count}, limit: {})",
            limits.labels
        )));
    }
    for (name, value) in labels {
        let shown: String = name.chars().take(50).collect();
        if exceeds(name.len(), limits.label_name_bytes) {
            return Err(SeriesError::LabelLimit(format!(
                "label_name_length_limit exceeded (metric: {metric}, label name: {shown}, length: {}, limit: {})",
                name.len(),
                limits.label_name_bytes
            )));
        }
        if exceeds(value.len(), limits.label_value_bytes) {
            let start: String = value.chars().take(50).collect();
            return Err(SeriesError::LabelLimit(format!(
                "label_value_length_limit exceeded (metric: {metric}, label name: {shown}, value: {start:?}, length: {}, limit: {})",
                value.len(),
                limits.label_value_bytes
            )));
        }
    }
    Ok(())
}
