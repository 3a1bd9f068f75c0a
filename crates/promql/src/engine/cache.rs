//! Answers of range queries that are used again.
//!
//! Key decision: an answer is kept with the number of the last change of the store before it was computed. A step
//! of it is good as long as no later change touched the time from which the step's value is made; whether samples
//! come late, are deleted or age makes no difference. Steps that are no longer good, or were not asked for, are
//! evaluated and put beside those that are. Not kept: what depends on more than the samples around a
//! step (`@`, `start()`, experimental functions), histograms, and answers with remarks.

use super::reach::Reach;
use super::{Engine, Query, QueryResult, QueryTime, QueryValue, RangeSeries, Steps};
use crate::error::QueryError;
use model::number::usize_to_float;
use model::{ChangeLog, Labels, Sample, Source, TimeRange, Timestamp, Value};
use runtime::metrics::{Counter, Gauge};
use runtime::{HashMap, Registry};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers of fewer steps are as quickly made anew.
const STEPS_MIN: usize = 4;

/// What of a cache one answer may take at most, as a divisor.
const SHARE: usize = 4;

/// What decides, besides its time, what a query answers.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    expr: String,
    step_ms: i64,
    /// Where the steps lie between two multiples of the step.
    phase_ms: i64,
    lookback_ms: i64,
    subquery_step_ms: i64,
}

/// An answer.
struct Extent {
    /// The last change before it was computed.
    change: u64,
    steps: Steps,
    series: Vec<Kept>,
    bytes: usize,
}

/// A series of an answer.
struct Kept {
    labels: Labels,
    /// The steps that have a value, ascending, and the values.
    places: Vec<u32>,
    values: Vec<f64>,
}

#[derive(Default)]
struct Held {
    extents: HashMap<Key, (Arc<Extent>, u64)>,
    bytes: usize,
    /// Counts uses, to find what was not used for longest.
    uses: u64,
}

/// Kept answers; see the module's page.
pub struct ResultCache {
    bytes_max: usize,
    held: Mutex<Held>,
    metrics: Metrics,
}

struct Metrics {
    whole: Counter,
    part: Counter,
    none: Counter,
    not_kept: Counter,
    evicted: Counter,
    bytes: Gauge,
}

impl ResultCache {
    /// Makes an empty cache that holds so many bytes at most.
    #[must_use]
    pub fn new(bytes_max: usize, registry: &Registry) -> Self {
        let found = |found| {
            registry.counter(
                "binnacle_promql_result_cache_queries_total",
                "Range queries that the result cache could answer wholly, in part, or not at all.",
                &[("found", found)],
            )
        };
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            bytes_max,
            held: Mutex::default(),
            metrics: Metrics {
                whole: found("whole"),
                part: found("part"),
                none: found("none"),
                not_kept: counter(
                    "binnacle_promql_result_cache_refused_total",
                    "Answers that were not kept: too large, with histograms or with remarks.",
                ),
                evicted: counter(
                    "binnacle_promql_result_cache_evicted_total",
                    "Answers that made room for others.",
                ),
                bytes: registry.gauge(
                    "binnacle_promql_result_cache_bytes",
                    "Memory of the kept answers.",
                    &[],
                ),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &Key) -> Option<Arc<Extent>> {
        let mut held = self.lock();
        held.uses += 1;
        let uses = held.uses;
        let (extent, used) = held.extents.get_mut(key)?;
        *used = uses;
        Some(Arc::clone(extent))
    }

    fn keep(&self, key: Key, extent: Extent) {
        if extent.bytes > self.bytes_max / SHARE {
            self.metrics.not_kept.increment();
            return;
        }
        let mut held = self.lock();
        held.uses += 1;
        let uses = held.uses;
        held.bytes += extent.bytes;
        if let Some((old, _)) = held.extents.insert(key, (Arc::new(extent), uses)) {
            held.bytes -= old.bytes;
        }
        while held.bytes > self.bytes_max {
            let oldest = held.extents.iter().min_by_key(|(_, (_, used))| *used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            if let Some((old, _)) = held.extents.remove(&key) {
                held.bytes -= old.bytes;
                self.metrics.evicted.increment();
            }
        }
        self.metrics.bytes.set(usize_to_float(held.bytes));
    }
}

impl Engine {
    /// Answers a range query with what is known; `None` where nothing can be known of such a query.
    pub(super) fn run_cached(
        &self,
        source: &dyn Source,
        query: &Query<'_>,
    ) -> Option<Result<QueryResult, QueryError>> {
        let cache = self.options.cache.as_deref()?;
        let QueryTime::Range {
            start,
            end,
            step_ms,
        } = query.time
        else {
            return None;
        };
        let steps = Steps::range(start.millis(), end.millis(), step_ms);
        let is_plain = !query.bypasses_cache && !query.detail.plan && !query.detail.samples_by_step;
        if !is_plain || steps.count < STEPS_MIN || u32::try_from(steps.count).is_err() {
            return None;
        }
        let lookback_ms = query.lookback_ms.unwrap_or(self.options.lookback_ms);
        let work = Work {
            cache,
            changes: source.changes()?,
            reach: Reach::of(query.expr, lookback_ms)?,
            steps,
            key: Key {
                expr: query.expr.to_string(),
                step_ms,
                phase_ms: steps.start.rem_euclid(step_ms.max(1)),
                lookback_ms,
                subquery_step_ms: self.options.subquery_step.ms(),
            },
        };
        Some(self.put_together(source, query, work))
    }

    fn put_together(
        &self,
        source: &dyn Source,
        query: &Query<'_>,
        work: Work<'_>,
    ) -> Result<QueryResult, QueryError> {
        // Taken before anything is read: what changes from now on counts as later.
        let change = work.changes.last();
        let known = work.cache.find(&work.key);
        let good = known.as_ref().map_or(0..0, |extent| work.good(extent));
        let metrics = &work.cache.metrics;
        let count = work.steps.count;
        // Where nothing is good, all of it is missing after an empty run.
        let missing = [0..good.start, good.end..count];
        let whole = good.len() == count;
        match good.len() {
            0 => metrics.none.increment(),
            _ if whole => metrics.whole.increment(),
            _ => metrics.part.increment(),
        }
        let mut answer = Answer::default();
        for part in missing.iter().filter(|part| !part.is_empty()) {
            let time = QueryTime::Range {
                start: Timestamp::from_millis(work.steps.at(part.start)),
                end: Timestamp::from_millis(work.steps.at(part.end - 1)),
                step_ms: work.steps.interval,
            };
            answer.add(self.evaluate(source, &Query { time, ..*query }, None)?);
        }
        if let Some(extent) = known.filter(|_| !good.is_empty()) {
            let kept = extent.part(&good, work.steps);
            query
                .budget
                .take(kept.iter().map(|one| one.samples.len()).sum())?;
            answer.held += kept.iter().map(|one| one.samples.len()).sum::<usize>();
            answer.parts.push(kept);
        }
        query.budget.give_back(answer.held);
        let result = answer.finish();
        if !whole {
            match Extent::new(change, work.steps, &result) {
                Some(extent) => work.cache.keep(work.key, extent),
                None => metrics.not_kept.increment(),
            }
        }
        Ok(result)
    }
}

/// One query and what it is answered with.
struct Work<'w> {
    cache: &'w ResultCache,
    changes: &'w ChangeLog,
    reach: Reach,
    steps: Steps,
    key: Key,
}

impl Work<'_> {
    /// The longest run of the query's steps that a known answer has and that nothing has changed since.
    fn good(&self, extent: &Extent) -> Range<usize> {
        let Some(shift) = self.steps.start.checked_sub(extent.steps.start) else {
            return 0..0;
        };
        // How many steps later the query begins; the phases are equal, so this is no fraction.
        let later = shift / self.steps.interval;
        let place = |of_extent: usize| {
            let of_extent = i64::try_from(of_extent).unwrap_or(i64::MAX);
            usize::try_from(of_extent.saturating_sub(later)).unwrap_or(0)
        };
        let end = place(extent.steps.count).min(self.steps.count);
        let start = place(0).min(end);
        if start == end {
            return 0..0;
        }
        let moment = |step: usize| Timestamp::from_millis(self.steps.at(step));
        let Reach {
            before_ms,
            after_ms,
        } = self.reach;
        let range = TimeRange {
            start: moment(start).plus_millis(before_ms.saturating_neg()),
            end: moment(end - 1).plus_millis(after_ms),
        };
        let mut good = 0..0;
        let mut run = start;
        for changed in self.changes.since(extent.change, range) {
            // The steps that a change touches: those from which it can be seen.
            let first = self.steps_before(changed.start.millis().saturating_sub(after_ms));
            let past = self.steps_before(
                changed
                    .end
                    .millis()
                    .saturating_add(before_ms)
                    .saturating_add(1),
            );
            let until = first.clamp(run, end);
            if until - run > good.len() {
                good = run..until;
            }
            run = past.clamp(run, end);
        }
        if end - run > good.len() {
            good = run..end;
        }
        good
    }

    /// How many steps lie before a moment.
    fn steps_before(&self, moment: i64) -> usize {
        let length = moment.saturating_sub(self.steps.start);
        if length <= 0 {
            return 0;
        }
        let steps = (length - 1) / self.steps.interval + 1;
        usize::try_from(steps)
            .unwrap_or(usize::MAX)
            .min(self.steps.count)
    }
}

impl Extent {
    /// `None` for answers that are not kept.
    fn new(change: u64, steps: Steps, result: &QueryResult) -> Option<Self> {
        if !result.warnings.is_empty() || !result.infos.is_empty() {
            return None;
        }
        let QueryValue::Matrix(all) = &result.value else {
            return None;
        };
        let mut bytes = size_of::<Self>() + size_of::<Key>();
        let mut series = Vec::with_capacity(all.len());
        for one in all {
            let mut kept = Kept {
                labels: one.labels.clone(),
                places: Vec::with_capacity(one.samples.len()),
                values: Vec::with_capacity(one.samples.len()),
            };
            for sample in &one.samples {
                let Value::Float(value) = sample.value else {
                    return None;
                };
                let place = sample.timestamp.millis().checked_sub(steps.start)? / steps.interval;
                kept.places.push(u32::try_from(place).ok()?);
                kept.values.push(value);
            }
            bytes += size_of::<Kept>() + one.labels.size_bytes() + 12 * kept.places.len();
            series.push(kept);
        }
        Some(Self {
            change,
            steps,
            series,
            bytes,
        })
    }

    /// The series at some of the steps of a query.
    fn part(&self, good: &Range<usize>, steps: Steps) -> Vec<RangeSeries> {
        let (first, last) = (steps.at(good.start), steps.at(good.end.saturating_sub(1)));
        let time = |place: u32| self.steps.at(usize::try_from(place).unwrap_or(usize::MAX));
        let mut part = Vec::with_capacity(self.series.len());
        for kept in &self.series {
            let from = kept.places.partition_point(|place| time(*place) < first);
            let to = kept.places.partition_point(|place| time(*place) <= last);
            let places = kept.places.get(from..to).unwrap_or_default();
            let values = kept.values.get(from..to).unwrap_or_default();
            if places.is_empty() {
                continue;
            }
            let samples = places
                .iter()
                .zip(values)
                .map(|(place, value)| Sample::float(Timestamp::from_millis(time(*place)), *value));
            part.push(RangeSeries {
                labels: kept.labels.clone(),
                samples: samples.collect(),
            });
        }
        part
    }
}

/// An answer while it is put together.
#[derive(Default)]
struct Answer {
    parts: Vec<Vec<RangeSeries>>,
    result: Option<QueryResult>,
    held: usize,
}

impl Answer {
    /// Adds what was evaluated.
    fn add(&mut self, mut result: QueryResult) {
        if let QueryValue::Matrix(series) = &mut result.value {
            self.parts.push(std::mem::take(series));
        }
        match &mut self.result {
            Some(known) => known.add(result),
            known => *known = Some(result),
        }
    }

    fn finish(self) -> QueryResult {
        let mut result = self.result.unwrap_or_else(QueryResult::empty);
        result.value = QueryValue::Matrix(merged(self.parts));
        result
    }
}

/// The series of several stretches of time, sorted by labels.
fn merged(mut parts: Vec<Vec<RangeSeries>>) -> Vec<RangeSeries> {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let mut all: Vec<RangeSeries> = parts.into_iter().flatten().collect();
    // Each part is sorted already; the sort makes use of such runs.
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    let mut series: Vec<RangeSeries> = Vec::with_capacity(all.len());
    for one in all {
        match series.last_mut() {
            Some(last) if last.labels == one.labels => last.samples.extend(one.samples),
            _ => series.push(one),
        }
    }
    for one in &mut series {
        one.samples.sort_by_key(|sample| sample.timestamp);
    }
    series
}

#[cfg(test)]
mod tests;
