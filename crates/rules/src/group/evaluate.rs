//! The evaluation of one rule: query, make series, write them, end those that are gone.

use super::{ALERT_NAME, ALERTS, ALERTS_FOR_STATE, Group, Restore, alerts_labels};
use crate::alerts::{Conditions, Found};
use crate::config::Evaluator;
use crate::file::{AlertSpec, RuleKind, RuleSpec};
use crate::template::{self, Expander};
use model::{Appended, Labels, METRIC_NAME, STALE_MARKER, Sample, SeriesSamples, Timestamp, Value};
use promql::{QueryValue, RuleGroup, SharedValues};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an expression gave: labels with the name still there, and values.
pub(crate) type Answer = Vec<(Labels, Value)>;

impl Group {
    /// Evaluates the rule at `index`. Answers how many samples it wrote.
    pub(crate) fn evaluate(
        &mut self,
        index: usize,
        at: Timestamp,
        (evaluator, shared): (&Evaluator, &SharedValues<'_>),
    ) -> Result<usize, String> {
        let queried_at = at.plus_millis(-self.query_offset_ms(evaluator));
        let Some(rule) = self.rules.get_mut(index) else {
            return Ok(0);
        };
        rule.may_send = false;
        let group = RuleGroup {
            file: &self.key.file,
            name: &self.key.name,
        };
        let answer = query((&rule.spec, group), queried_at, (evaluator, shared))?;
        let taken = self.take(index, at, answer, evaluator);
        if let Some(rule) = self.rules.get(index) {
            written(&rule.spec, shared);
        }
        taken
    }

    /// The rest of an evaluation: takes in what the expression of the rule at `index` answered.
    pub(crate) fn take(
        &mut self,
        index: usize,
        at: Timestamp,
        answer: Answer,
        evaluator: &Evaluator,
    ) -> Result<usize, String> {
        let queried_at = at.plus_millis(-self.query_offset_ms(evaluator));
        let Some(rule) = self.rules.get_mut(index) else {
            return Ok(0);
        };
        rule.may_send = false;
        let spec = Arc::clone(&rule.spec);
        let batch = match &spec.kind {
            RuleKind::Recording => record(&spec, answer, queried_at, self.limit)?,
            RuleKind::Alerting(alert) => {
                let found = find_alerts(&spec, alert, answer, (at, evaluator))?;
                self.step_alerts((index, alert), at, &found)?;
                self.alert_samples(index, queried_at)
            }
        };
        self.write(index, &batch, queried_at, evaluator)
    }

    /// Moves the alerts of a rule on.
    fn step_alerts(
        &mut self,
        (index, alert): (usize, &AlertSpec),
        at: Timestamp,
        found: &BTreeMap<Labels, Found>,
    ) -> Result<(), String> {
        let conditions = Conditions {
            for_ms: alert.for_ms,
            keep_firing_for_ms: alert.keep_firing_for_ms,
            limit: self.limit,
            forgives_absence: self.absence_forgiven_until.is_some_and(|until| at < until),
        };
        let Some(rule) = self.rules.get_mut(index) else {
            return Ok(());
        };
        rule.alerts.step(at, found, conditions)?;
        rule.may_send = true;
        Ok(())
    }

    /// The series that show the active alerts; none while the state may still be restored.
    fn alert_samples(&self, index: usize, at: Timestamp) -> Vec<SeriesSamples> {
        let Some(rule) = self.rules.get(index) else {
            return Vec::new();
        };
        if self.restore != Restore::Done {
            return Vec::new();
        }
        let samples = rule.alerts.active().flat_map(|(labels, instance)| {
            let since = instance.timers.active_at.millis().div_euclid(1000);
            let since = model::number::i64_to_float(since);
            let state = alerts_labels(labels, instance.timers.state);
            let for_state = labels.with(METRIC_NAME, ALERTS_FOR_STATE);
            [
                SeriesSamples::float(state, at, 1.0),
                SeriesSamples::float(for_state, at, since),
            ]
        });
        samples.collect()
    }

    /// Writes what a rule gave and ends the series that it no longer gives.
    fn write(
        &mut self,
        index: usize,
        batch: &[SeriesSamples],
        at: Timestamp,
        evaluator: &Evaluator,
    ) -> Result<usize, String> {
        let written: BTreeSet<Labels> = batch.iter().map(|row| row.labels.clone()).collect();
        if !batch.is_empty() {
            let appended = evaluator
                .sink
                .append(batch)
                .map_err(|error| error.to_string())?;
            refusal(appended)?;
        }
        let is_given_elsewhere = |series: &Labels| {
            let others = self.rules.iter().enumerate().filter(|(i, _)| *i != index);
            let mut others = others.map(|(_, rule)| rule);
            others.any(|rule| rule.series.contains(series))
        };
        let Some(rule) = self.rules.get(index) else {
            return Ok(0);
        };
        let gone = rule.series.difference(&written);
        let ended: Vec<Labels> = gone.filter(|s| !is_given_elsewhere(s)).cloned().collect();
        end_series(&ended, at, evaluator);
        if let Some(rule) = self.rules.get_mut(index) {
            rule.series = written;
        }
        Ok(batch.len())
    }
}

/// Writes staleness markers. Answers whether the store took them; single ones that it refuses (because
/// something else wrote the series meanwhile) do not matter.
pub(crate) fn end_series(series: &[Labels], at: Timestamp, evaluator: &Evaluator) -> bool {
    if series.is_empty() {
        return true;
    }
    let marker = |labels: &Labels| SeriesSamples::float(labels.clone(), at, STALE_MARKER);
    let markers: Vec<SeriesSamples> = series.iter().map(marker).collect();
    match evaluator.sink.append(&markers) {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, count = markers.len(), "could not mark series as ended");
            false
        }
    }
}

/// Why samples were not taken, in upstream's words.
fn refusal(appended: Appended) -> Result<(), String> {
    let reasons = [
        (appended.duplicates, "duplicate sample for timestamp"),
        (appended.too_old, "too old sample"),
        (appended.too_new, "sample is too far in the future"),
        (appended.over_limit, "the limit of series is reached"),
    ];
    match reasons.iter().find(|(count, _)| *count > 0) {
        Some((count, reason)) => Err(format!("{reason} ({count} samples)")),
        None => Ok(()),
    }
}

/// Says which series a rule may have written or ended.
fn written(spec: &RuleSpec, shared: &SharedValues<'_>) {
    match &spec.kind {
        RuleKind::Recording => shared.written(&spec.name, None),
        RuleKind::Alerting(_) => {
            shared.written(ALERTS, Some(&spec.name));
            shared.written(ALERTS_FOR_STATE, Some(&spec.name));
        }
    }
}

fn query(
    (spec, group): (&RuleSpec, RuleGroup<'_>),
    at: Timestamp,
    (evaluator, shared): (&Evaluator, &SharedValues<'_>),
) -> Result<Answer, String> {
    let surroundings = &evaluator.surroundings;
    let source = surroundings.source.as_ref();
    let result = surroundings
        .engine
        .instant_sharing(source, (&spec.expr, at), group, shared)
        .map_err(|error| error.to_string())?;
    match result.value {
        QueryValue::Vector(series) => Ok(series
            .into_iter()
            .map(|sample| (sample.labels, sample.value))
            .collect()),
        QueryValue::Scalar { value, .. } => Ok(vec![(Labels::default(), Value::Float(value))]),
        QueryValue::Matrix(_) | QueryValue::String { .. } => {
            Err("rule result is not a vector or scalar".to_owned())
        }
    }
}

/// The series that a recording rule writes.
fn record(
    spec: &RuleSpec,
    answer: Answer,
    at: Timestamp,
    limit: usize,
) -> Result<Vec<SeriesSamples>, String> {
    let mut seen = BTreeSet::new();
    let mut batch = Vec::with_capacity(answer.len());
    for (labels, value) in answer {
        let own = spec
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let name = [(METRIC_NAME, spec.name.as_str())];
        let labels = set_labels(&labels, name.into_iter().chain(own));
        if !seen.insert(labels.clone()) {
            return Err(
                "vector contains metrics with the same labelset after applying rule labels"
                    .to_owned(),
            );
        }
        let timestamp = at;
        batch.push(SeriesSamples {
            labels,
            samples: vec![Sample::new(timestamp, value)],
            exemplars: Vec::new(),
        });
    }
    if limit > 0 && batch.len() > limit {
        return Err(format!(
            "exceeded limit of {limit} with {} series",
            batch.len()
        ));
    }
    Ok(batch)
}

/// The alerts that an answer stands for.
fn find_alerts(
    spec: &RuleSpec,
    alert: &AlertSpec,
    answer: Answer,
    (at, evaluator): (Timestamp, &Evaluator),
) -> Result<BTreeMap<Labels, Found>, String> {
    let mut found = BTreeMap::new();
    if answer.is_empty() {
        return Ok(found);
    }
    let expander = Expander::new(&alert.templates, &evaluator.surroundings, at);
    for (series, value) in answer {
        let (labels, annotations) = expander.expand(&series, &value);
        let value = template::float(&value);
        let own = labels.iter().map(|(name, text)| (*name, text.as_str()));
        let own = [(METRIC_NAME, "")]
            .into_iter()
            .chain(own)
            .chain([(ALERT_NAME, spec.name.as_str())]);
        let labels = set_labels(&series, own);
        let annotations = annotations
            .iter()
            .map(|(name, text)| (*name, text.as_str()));
        let annotations = Labels::from_pairs(annotations);
        if found.insert(labels, Found { value, annotations }).is_some() {
            return Err(
                "vector contains metrics with the same labelset after applying alert labels"
                    .to_owned(),
            );
        }
    }
    Ok(found)
}

/// Sets labels over those of a series; the last of a name wins, an empty value removes it.
fn set_labels<'a>(series: &'a Labels, own: impl Iterator<Item = (&'a str, &'a str)>) -> Labels {
    series.iter().chain(own).collect()
}
