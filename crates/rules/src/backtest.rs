//! Backtests: what rules would have said about a span of time that is stored.
//!
//! The groups are the real ones (`crate::group`), evaluated at the moments at which the live engine would have evaluated
//! them, over the stored samples and what the rules themselves record on the way; nothing of the evaluation is written
//! twice and nothing is written to the store.
//!
//! Key decision: where no rule reads what a later one writes, an expression is evaluated for many moments at once, as a
//! range, and the state machine then takes one moment after another. That gives what evaluating each moment gives, at
//! a fraction of the cost. Other rules are evaluated moment by moment, and the outcome says so.
//!
//! Limits: moments, samples recorded, episodes and time are bounded; going beyond one is an error that names it.

mod ahead;
mod dependencies;
mod episodes;
mod overlay;
mod watch;

pub use episodes::Episode;
pub use watch::Watch;

use crate::config::{Config, Evaluator};
use crate::file::RuleKind;
use crate::group::Group;
use crate::schedule::Schedule;
use crate::template::Surroundings;
use ahead::Ahead;
use dependencies::{Order, Plan};
use episodes::Episodes;
use model::{Alert, Source, TimeRange, Timestamp};
use overlay::Overlay;
use promql::{Engine, EngineOptions, QueryError, SharedParts, SharedValues};
use runtime::SharedClock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Evaluations of rules at most: 1,000 rules each minute for 69 days.
pub const EVALUATIONS_MAX: u64 = 100_000_000;
/// Samples of recorded series that are held at most, as far as other rules can still look back at them.
const RECORDED_SAMPLES_MAX: usize = 3_000_000;
/// Episodes at most, of all rules together.
const EPISODES_MAX: usize = 200_000;
/// Moments that are worked on together span at least this, unless rules look back further.
const CHUNK_MS_MIN: i64 = 2 * 3_600_000;
/// And at most this.
const CHUNK_MS_MAX: i64 = 24 * 3_600_000;
/// Alerts that fire on are handed on this often: receivers are told by the routing's own intervals.
const RESEND_DELAY_MS: i64 = 3_600_000;

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It would be too much.
    #[error("{0}")]
    TooMuch(String),
    /// The time was up.
    #[error("the backtest took longer than {0} s; choose a shorter span or fewer rules")]
    Timeout(u64),
    /// The caller went away.
    #[error("the backtest was cancelled")]
    Cancelled,
    /// The store could not be read.
    #[error("{0}")]
    Store(String),
}

/// What is tested, and with what.
pub struct Backtest<'a> {
    /// The rules, with intervals, labels and relabelling.
    pub config: Config,
    /// Evaluates expressions.
    pub engine: Engine,
    /// The stored samples.
    pub source: Arc<dyn Source>,
    /// Goes into the evaluation.
    pub clock: SharedClock,
    /// The span: every moment of a group that lies after its start and not after its end.
    pub range: TimeRange,
    /// Ends it early.
    pub watch: &'a Watch<'a>,
    /// Whether every rule is evaluated moment by moment, which takes longer and gives the same.
    pub by_moment: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every rule, in order.
    pub rules: Vec<RuleOutcome>,
    /// Evaluations of rules.
    pub evaluations: u64,
    /// What is to be known about it.
    pub notes: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// What came of one rule.
#[derive(Clone, Debug)]
pub struct RuleOutcome {
    /// Its file.
    pub file: String,
    /// Its group.
    pub group: String,
    /// The alert's or the recorded metric's name.
    pub name: String,
    /// Whether it is an alert.
    pub is_alert: bool,
    /// Evaluations.
    pub evaluations: u64,
    /// Those that failed.
    pub failures: u64,
    /// Why the last of those did.
    pub last_error: Option<String>,
    /// When it fired, by time.
    pub episodes: Vec<Episode>,
    /// How often a series was pending and went before it fired.
    pub pending_only: u64,
}

/// Gets the alerts that leave at a moment, in the order of time. An error ends the backtest.
pub type Hear<'h> = dyn FnMut(Timestamp, Vec<Alert>) -> Result<(), Error> + 'h;

/// A rule while it is tested.
struct Tested {
    evaluations: u64,
    failures: u64,
    last_error: Option<String>,
    episodes: Episodes,
}

struct Run<'a, 'b> {
    test: &'a Backtest<'b>,
    evaluator: Evaluator,
    groups: Vec<Group>,
    tested: Vec<Vec<Tested>>,
    overlay: Arc<Overlay>,
    plan: Plan,
    nothing_shared: SharedParts,
    /// Alerts of the chunk by time.
    leaving: BTreeMap<Timestamp, Vec<Alert>>,
    episodes_left: usize,
}

impl Backtest<'_> {
    /// Runs it. `hear` gets the alerts as the routing would have got them.
    pub fn run(mut self, hear: &mut Hear<'_>) -> Result<Outcome, Error> {
        self.config.resend_delay_ms = self.config.resend_delay_ms.max(RESEND_DELAY_MS);
        let files = self.config.files.iter();
        let groups: Vec<Group> = files
            .flat_map(|file| {
                let specs = file.groups.iter();
                specs.map(|spec| Group::new(&file.path, spec, &self.config))
            })
            .collect();
        self.check_size(&groups)?;
        let lookback_ms = self.engine.options().lookback_ms;
        let mut plan = Plan::of(&groups, lookback_ms);
        if self.by_moment {
            plan.order = Order::ByMoment;
        }
        let overlay = Arc::new(Overlay::new(
            Arc::clone(&self.source),
            plan.products.clone(),
            RECORDED_SAMPLES_MAX,
        ));
        overlay.take_history(self.range.start, plan.horizon_ms)?;
        let tested = groups.iter().map(|group| {
            let rules = group.rules.iter();
            rules.map(|_| Tested::new()).collect()
        });
        let mut run = Run {
            tested: tested.collect(),
            evaluator: self.evaluator(&overlay),
            test: &self,
            groups,
            overlay,
            plan,
            nothing_shared: SharedParts::default(),
            leaving: BTreeMap::new(),
            episodes_left: EPISODES_MAX,
        };
        run.all(hear)?;
        Ok(run.outcome())
    }

    fn evaluator(&self, overlay: &Arc<Overlay>) -> Evaluator {
        Evaluator {
            surroundings: Surroundings {
                // Its evaluations are neither counted nor logged as those of the live rules.
                engine: Engine::new(EngineOptions {
                    observer: None,
                    ..self.engine.options().clone()
                }),
                source: Arc::clone(overlay) as _,
                external_labels: self.config.external_labels.clone(),
                external_url: self.config.external_url.clone(),
            },
            sink: Arc::clone(overlay) as _,
            clock: Arc::clone(&self.clock),
            query_offset_ms: self.config.query_offset_ms,
            restoring: self.config.restoring,
        }
    }

    fn check_size(&self, groups: &[Group]) -> Result<(), Error> {
        let span_ms = self.range.end.millis_since(self.range.start).max(0);
        let evaluations = groups.iter().map(|group| {
            // The moments of a group without rules are counted, too.
            let rules = u64::try_from(group.rules.len().max(1)).unwrap_or(u64::MAX);
            let moments = (span_ms / group.interval_ms).unsigned_abs();
            rules.saturating_mul(moments)
        });
        let evaluations: u64 = evaluations.fold(0, u64::saturating_add);
        if evaluations > EVALUATIONS_MAX {
            return Err(Error::TooMuch(format!(
                "{evaluations} evaluations, at most {EVALUATIONS_MAX} are made: choose a shorter span, \
                 fewer rules or a longer interval"
            )));
        }
        Ok(())
    }
}

impl Tested {
    fn new() -> Self {
        Self {
            evaluations: 0,
            failures: 0,
            last_error: None,
            episodes: Episodes::default(),
        }
    }
}

impl Run<'_, '_> {
    fn all(&mut self, hear: &mut Hear<'_>) -> Result<(), Error> {
        let TimeRange { start, end } = self.test.range;
        let schedules = self.groups.iter().map(|group| {
            let schedule = Schedule::new(&group.key, group.interval_ms, start);
            (schedule.next(), group.interval_ms)
        });
        let mut next: Vec<(Timestamp, i64)> = schedules.collect();
        let mut from = start;
        while from < end {
            self.test.watch.check()?;
            let to = from.plus_millis(self.plan.chunk_ms).min(end);
            let moments: Vec<Vec<Timestamp>> = next
                .iter_mut()
                .map(|(next, interval_ms)| moments_until(to, next, *interval_ms))
                .collect();
            match &self.plan.order {
                Order::ByGroup(order) => {
                    for index in order.clone() {
                        let moments = moments.get(index).map_or(&[][..], Vec::as_slice);
                        self.group_over(index, moments)?;
                    }
                }
                Order::ByMoment => self.by_moment(&moments)?,
            }
            for (at, alerts) in std::mem::take(&mut self.leaving) {
                hear(at, alerts)?;
            }
            self.overlay
                .forget_before(to.plus_millis(-self.plan.horizon_ms))?;
            from = to;
        }
        Ok(())
    }

    /// Evaluates the rules of a group, each at all moments before the next rule's turn.
    fn group_over(&mut self, group: usize, moments: &[Timestamp]) -> Result<(), Error> {
        let rules = self.groups.get(group).map_or(0, |group| group.rules.len());
        for rule in 0..rules {
            self.rule_over((group, rule), moments)?;
        }
        Ok(())
    }

    /// Evaluates a rule at these moments, at once where that is the same as one after another.
    fn rule_over(
        &mut self,
        (group, rule): (usize, usize),
        moments: &[Timestamp],
    ) -> Result<(), Error> {
        self.test.watch.check()?;
        let Some(expr) = self.rule_spec(group, rule) else {
            return Ok(());
        };
        let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
            return Ok(());
        };
        let offset_ms = self.query_offset_ms(group);
        let interval_ms = self.groups.get(group).map_or(1, |group| group.interval_ms);
        if moments.len() > 1 && self.plan.is_local(group, rule) {
            let range = (first.plus_millis(-offset_ms), last.plus_millis(-offset_ms));
            let engine = &self.evaluator.surroundings.engine;
            let source = self.evaluator.surroundings.source.as_ref();
            match engine.range(source, &expr.expr, range, interval_ms) {
                Ok(answer) => {
                    let mut ahead = Ahead::of(answer.value);
                    for at in moments {
                        let answer = ahead.take(at.plus_millis(-offset_ms));
                        self.step((group, rule), *at, Some(answer))?;
                    }
                    return Ok(());
                }
                Err(QueryError::TooManySamples) => {
                    let (early, late) = moments.split_at(moments.len() / 2);
                    self.rule_over((group, rule), early)?;
                    return self.rule_over((group, rule), late);
                }
                // It may be wrong at some moments only.
                Err(_) => {}
            }
        }
        for at in moments {
            self.test.watch.check()?;
            self.step((group, rule), *at, None)?;
        }
        Ok(())
    }

    fn rule_spec(&self, group: usize, rule: usize) -> Option<Arc<crate::file::RuleSpec>> {
        let state = self.groups.get(group)?.rules.get(rule)?;
        Some(Arc::clone(&state.spec))
    }

    fn query_offset_ms(&self, group: usize) -> i64 {
        self.groups
            .get(group)
            .map_or(0, |group| group.query_offset_ms(&self.evaluator))
    }

    /// Evaluates all rules in the order of time, those of a group one after another.
    fn by_moment(&mut self, moments: &[Vec<Timestamp>]) -> Result<(), Error> {
        let numbered = moments.iter().enumerate();
        let mut all: Vec<(Timestamp, usize)> = numbered
            .flat_map(|(group, moments)| moments.iter().map(move |at| (*at, group)))
            .collect();
        all.sort_unstable();
        for (at, group) in all {
            self.test.watch.check()?;
            let rules = self.groups.get(group).map_or(0, |group| group.rules.len());
            for rule in 0..rules {
                self.step((group, rule), at, None)?;
            }
        }
        Ok(())
    }

    /// One evaluation: with the answer of the expression, or by asking for it.
    fn step(
        &mut self,
        (group_index, rule_index): (usize, usize),
        at: Timestamp,
        answer: Option<crate::group::Answer>,
    ) -> Result<(), Error> {
        let tested = self.tested.get_mut(group_index);
        let (Some(group), Some(tested)) = (
            self.groups.get_mut(group_index),
            tested.and_then(|rules| rules.get_mut(rule_index)),
        ) else {
            return Ok(());
        };
        let done = match answer {
            Some(answer) => group.take(rule_index, at, answer, &self.evaluator),
            None => {
                let shared = SharedValues::new(&self.nothing_shared);
                group.evaluate(rule_index, at, (&self.evaluator, &shared))
            }
        };
        tested.evaluations += 1;
        if let Err(error) = done {
            tested.failures += 1;
            tested.last_error = Some(error);
        }
        if let Some(problem) = self.overlay.problem() {
            return Err(Error::TooMuch(problem));
        }
        let alerts = group.outgoing_of(rule_index, at, &self.test.config);
        if !alerts.is_empty() {
            self.leaving.entry(at).or_default().extend(alerts);
        }
        if let Some(rule) = group.rules.get(rule_index) {
            let ended = tested.episodes.follow(at, rule.alerts.instances());
            self.episodes_left = self.episodes_left.checked_sub(ended).ok_or_else(|| {
                Error::TooMuch(format!(
                    "more than {EPISODES_MAX} times an alert fired: choose a shorter span or fewer rules"
                ))
            })?;
        }
        Ok(())
    }

    fn outcome(self) -> Outcome {
        let took = self.test.watch.took();
        let mut rules = Vec::new();
        for (group, tested) in self.groups.iter().zip(self.tested) {
            for (rule, tested) in group.rules.iter().zip(tested) {
                let (episodes, pending_only) = tested.episodes.finish();
                rules.push(RuleOutcome {
                    file: group.key.file.clone(),
                    group: group.key.name.clone(),
                    name: rule.spec.name.clone(),
                    is_alert: matches!(rule.spec.kind, RuleKind::Alerting(_)),
                    evaluations: tested.evaluations,
                    failures: tested.failures,
                    last_error: tested.last_error,
                    episodes,
                    pending_only,
                });
            }
        }
        Outcome {
            evaluations: rules.iter().map(|rule| rule.evaluations).sum(),
            rules,
            notes: self.plan.notes,
            seconds: took.as_secs_f64(),
        }
    }
}

/// The moments up to `to`, that one included; `next` becomes the one after.
fn moments_until(to: Timestamp, next: &mut Timestamp, interval_ms: i64) -> Vec<Timestamp> {
    let mut moments = Vec::new();
    while *next <= to {
        moments.push(*next);
        *next = next.plus_millis(interval_ms);
    }
    moments
}

#[cfg(test)]
mod tests;
