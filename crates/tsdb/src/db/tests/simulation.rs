//! Random histories: the database and a naive model must agree after every step, through cuts, merges,
//! deletions, restarts, and the loss of power in the middle of anything.

use super::{Bench, at, row};
use model::{Matcher, ReadBudget, SeriesSamples, Sink as _, Source as _, TimeRange};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;
use storage::WalSync;

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, i64, u8)>),
    /// Rows for a run of times, so that chunks fill.
    AppendRun(u8, i64, u8),
    Delete(u8, i64, i64),
    Maintain,
    Flush,
    Clean,
    Checkpoint,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rows = prop::collection::vec((0..4_u8, 0..400_i64, 0..3_u8), 1..20);
    let step = prop_oneof![
        6 => rows.prop_map(Step::Append),
        6 => (0..4_u8, 0..400_i64, 1..80_u8).prop_map(|(id, from, count)| Step::AppendRun(id, from, count)),
        2 => (0..4_u8, 0..400_i64, 0..200_i64).prop_map(|(id, from, length)| Step::Delete(id, from, length)),
        2 => Just(Step::Maintain),
        2 => Just(Step::Flush),
        1 => Just(Step::Clean),
        2 => Just(Step::Checkpoint),
        2 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..25)
}

/// What should be there: bits and start by time, by series.
type Model = BTreeMap<u8, BTreeMap<i64, (u64, i64)>>;

/// Some series know since when they count.
fn started(id: u8, seconds: i64, value: f64) -> SeriesSamples {
    let mut row = row(id, seconds, value);
    if id == 3 {
        for sample in &mut row.samples {
            sample.start = at(seconds / 50 * 50 - 1);
        }
    }
    row
}

impl Step {
    fn rows(&self) -> Vec<(u8, i64, f64)> {
        match self {
            Self::Append(rows) => rows
                .iter()
                .map(|(id, seconds, value)| (*id, *seconds, f64::from(*value)))
                .collect(),
            Self::AppendRun(id, from, count) => (0..*count)
                .map(|i| (*id, from + i64::from(i), f64::from(i) / 4.0))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn apply(&self, model: &mut Model) {
        for (id, seconds, value) in self.rows() {
            let series = model.entry(id).or_default();
            let start = started(id, seconds, value).samples[0].start.millis();
            series
                .entry(at(seconds).millis())
                .or_insert((value.to_bits(), start));
        }
        if let Self::Delete(id, from, length) = self {
            let range = span(*from, *length);
            if let Some(series) = model.get_mut(id) {
                series.retain(|at, _| *at < range.start.millis() || *at > range.end.millis());
            }
        }
        model.retain(|_, series| !series.is_empty());
    }

    /// Answers whether it was acknowledged.
    fn run(&self, bench: &mut Bench) -> bool {
        match self {
            Self::Append(_) | Self::AppendRun(..) => {
                let rows = self.rows();
                let batch: Vec<_> = rows.iter().map(|(id, s, v)| started(*id, *s, *v)).collect();
                match bench.db().append(&batch) {
                    Ok(appended) => {
                        assert_eq!(appended.accepted + appended.duplicates, batch.len());
                        true
                    }
                    Err(_) => false,
                }
            }
            Self::Delete(id, from, length) => {
                let matchers = [Matcher::equal("id", id.to_string())];
                bench.db().delete(&matchers, span(*from, *length)).is_ok()
            }
            Self::Maintain => {
                bench.clock.advance(Duration::from_secs(10));
                bench.db().maintain(at(0)).is_ok()
            }
            Self::Flush => bench.db().flush().is_ok(),
            Self::Clean => bench.db().clean_tombstones().is_ok(),
            Self::Checkpoint => bench.db().checkpoint(&mut bench.db().work()).is_ok(),
            Self::Restart => {
                bench.restart();
                true
            }
        }
    }
}

fn span(from: i64, length: i64) -> TimeRange {
    TimeRange {
        start: at(from),
        end: at(from + length),
    }
}

fn bench(seed: u64) -> Bench {
    let mut bench = Bench::new(seed);
    bench.options.block_ms = 60_000;
    bench.restart();
    bench
}

fn found(bench: &Bench, range: TimeRange) -> Model {
    let budget = ReadBudget::new(usize::MAX);
    let series = bench.db().select(&[], range, &budget).expect("select");
    let mut model = Model::new();
    for series in series {
        let columns = &series.columns;
        let starts = columns.starts.iter().flat_map(|starts| starts.iter());
        let starts = starts.copied().chain(std::iter::repeat(0));
        let bits = columns.values.iter().map(|value| value.to_bits());
        let times = columns.timestamps.iter().copied();
        let id = series.labels.value("id").parse().expect("a number");
        model.insert(id, times.zip(bits.zip(starts)).collect());
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn agrees_with_the_model(steps in steps(), from in 0..400_i64, length in 0..200_i64) {
        let mut bench = bench(1);
        let mut model = Model::new();
        for (i, step) in steps.iter().enumerate() {
            prop_assert!(step.run(&mut bench), "step {i} {step:?}");
            step.apply(&mut model);
            prop_assert_eq!(&found(&bench, TimeRange::ALL), &model, "after step {} {:?}", i, step);
        }
        let range = span(from, length);
        for series in model.values_mut() {
            series.retain(|at, _| range.start.millis() <= *at && *at <= range.end.millis());
        }
        model.retain(|_, series| !series.is_empty());
        prop_assert_eq!(found(&bench, range), model);
    }

    /// The power goes, or the process dies, during a random change. What was acknowledged is there; what
    /// was under way may be; nothing else is; and the database opens and goes on. Against the death of
    /// the process the records need not be synced.
    #[test]
    fn survives_crashes(steps in steps(), seed: u64, changes in 0..120_u64, power_loss: bool) {
        let mut bench = bench(seed);
        if !power_loss {
            bench.options.wal_sync = WalSync::Interval;
            bench.restart();
        }
        bench.disk.crash_after(changes);
        let mut history = History::default();
        for step in &steps {
            if !matches!(step, Step::Restart) && !history.run(step, &mut bench) {
                break;
            }
        }
        bench.db = None;
        if power_loss {
            bench.disk.restart_machine();
        } else {
            bench.disk.restart_process();
        }
        bench.db = Some(super::Db::open(bench.options.clone()).expect("opens after the crash"));
        history.check(&bench);
        let next = [row(1, 1000, 7.0)];
        prop_assert_eq!(bench.db().append(&next).expect("goes on").accepted, 1);
        bench.db().flush().expect("cuts");
        prop_assert!(found(&bench, TimeRange::ALL)[&1].contains_key(&at(1000).millis()));
    }

    /// The disk is full for a while: what does not fit is refused, everything acknowledged can be read
    /// all the time, and with room again the store takes samples without a restart.
    #[test]
    fn survives_a_full_disk(steps in steps(), seed: u64, room in 0..20_000_usize) {
        let mut bench = bench(seed);
        bench.disk.set_space(bench.disk.used_bytes() + room);
        let mut history = History::default();
        for step in &steps {
            if !matches!(step, Step::Restart) {
                history.run(step, &mut bench);
                history.check(&bench);
            }
        }
        bench.disk.set_space(usize::MAX);
        bench.db().maintain(at(0)).expect("maintain");
        let last = Step::Append(vec![(1, 1000, 7)]);
        prop_assert!(history.run(&last, &mut bench), "takes samples again");
        history.check(&bench);
        bench.restart();
        history.check(&bench);
    }
}

/// What was acknowledged, and what may or may not be there.
#[derive(Default)]
struct History {
    acknowledged: Model,
    refused: Model,
    /// Deletions that failed half way: nothing is said of their range.
    undecided: Vec<(u8, TimeRange)>,
}

impl History {
    /// Answers whether the step was acknowledged.
    fn run(&mut self, step: &Step, bench: &mut Bench) -> bool {
        let done = step.run(bench);
        if done {
            step.apply(&mut self.acknowledged);
            return true;
        }
        match step {
            Step::Delete(id, from, length) => self.undecided.push((*id, span(*from, *length))),
            _ => {
                for (id, seconds, value) in step.rows() {
                    let start = started(id, seconds, value).samples[0].start.millis();
                    let series = self.refused.entry(id).or_default();
                    series
                        .entry(at(seconds).millis())
                        .or_insert((value.to_bits(), start));
                }
            }
        }
        false
    }

    fn check(&self, bench: &Bench) {
        let got = self.decided(found(bench, TimeRange::ALL));
        let want = self.decided(self.acknowledged.clone());
        let nothing = BTreeMap::new();
        for (id, series) in &want {
            let there = got.get(id).unwrap_or(&nothing);
            for (at, bits) in series {
                assert_eq!(
                    there.get(at),
                    Some(bits),
                    "acknowledged sample of {id} at {at}"
                );
            }
        }
        for (id, series) in &got {
            for (at, bits) in series {
                let known = [&want, &self.refused]
                    .into_iter()
                    .any(|side| side.get(id).and_then(|series| series.get(at)) == Some(bits));
                assert!(known, "sample of {id} at {at} was never written");
            }
        }
    }

    fn decided(&self, mut model: Model) -> Model {
        for (id, range) in &self.undecided {
            if let Some(series) = model.get_mut(id) {
                series.retain(|at, _| *at < range.start.millis() || *at > range.end.millis());
            }
        }
        model
    }
}
