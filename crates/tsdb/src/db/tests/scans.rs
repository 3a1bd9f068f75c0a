//! Scans while the store moves what they look at.

use super::{Bench, at, labels, row, samples};
use model::{Matcher, ReadBudget, Scan, Sink as _, Source as _, TimeRange};

fn read_all(scan: &dyn Scan, budget: &ReadBudget) -> Vec<Vec<(i64, u64)>> {
    let all = 0..scan.labels().len();
    all.map(|i| samples(&scan.read(i, budget).expect("reads")))
        .collect()
}

/// Series 0, 2, 4 in a block, 1 to 5 in the head, one sample each, and series 2 and 4 in a second block.
fn filled() -> Bench {
    let bench = Bench::new(3);
    for (round, ids) in [[0_u8, 2, 4].as_slice(), &[2, 4], &[1, 2, 3, 4, 5]]
        .iter()
        .enumerate()
    {
        let seconds = 15 * i64::try_from(round).expect("small");
        let rows: Vec<_> = ids
            .iter()
            .map(|id| row(*id, seconds, f64::from(*id)))
            .collect();
        bench.db().append(&rows).expect("append");
        if round < 2 {
            bench.db().flush().expect("flush");
        }
    }
    bench
}

#[test]
fn lists_each_series_once_and_reads_all_its_parts() {
    let bench = filled();
    let scan = bench.db().scan(&[], TimeRange::ALL).expect("scan");
    let all: Vec<_> = (0..6).map(labels).collect();
    assert_eq!(scan.labels(), all);
    let budget = ReadBudget::new(100);
    let counts: Vec<usize> = read_all(scan.as_ref(), &budget)
        .iter()
        .map(Vec::len)
        .collect();
    assert_eq!(counts, [1, 1, 3, 1, 3, 1]);
    assert_eq!(budget.samples_left(), 90, "what was read is taken");
    let even = [Matcher::equal("job", "even")];
    let late = TimeRange {
        start: at(16),
        end: at(90),
    };
    let scan = bench.db().scan(&even, late).expect("scan");
    let budget = ReadBudget::new(100);
    let counts: Vec<usize> = read_all(scan.as_ref(), &budget)
        .iter()
        .map(Vec::len)
        .collect();
    assert_eq!(counts, [0, 1, 1], "the head knows series 0 still");
    let none = TimeRange {
        start: at(9),
        end: at(8),
    };
    let scan = bench.db().scan(&even, none).expect("scan");
    assert!(scan.labels().is_empty());
}

#[test]
fn misses_nothing_that_a_cut_or_a_merge_moves_meanwhile() {
    let bench = filled();
    let scan = bench.db().scan(&[], TimeRange::ALL).expect("scan");
    let budget = ReadBudget::new(1000);
    let want = read_all(scan.as_ref(), &budget);
    bench.db().flush().expect("flush");
    assert_eq!(read_all(scan.as_ref(), &budget), want, "after a cut");
    bench.db().maintain(at(86_400)).expect("maintain");
    assert_eq!(read_all(scan.as_ref(), &budget), want, "after a merge");
    let fresh = bench.db().scan(&[], TimeRange::ALL).expect("scan");
    assert_eq!(read_all(fresh.as_ref(), &budget), want, "a new scan");
}

#[test]
fn samples_that_are_read_twice_are_paid_once() {
    let bench = filled();
    let scan = bench.db().scan(&[], TimeRange::ALL).expect("scan");
    bench.db().append(&[row(0, 0, 0.0)]).expect("repeats");
    bench.db().append(&[row(0, 0, 7.0)]).expect("contradicts");
    let again = bench.db().scan(&[], TimeRange::ALL).expect("scan");
    let budget = ReadBudget::new(100);
    for scan in [scan, again] {
        let first = scan.read(0, &budget).expect("reads");
        assert_eq!(samples(&first), [(at(0).millis(), 0)]);
        budget.give_back(first.len());
        assert_eq!(budget.samples_left(), 100);
    }
}

#[test]
fn threads_share_a_scan() {
    let bench = Bench::new(4);
    for round in 0..80 {
        let rows: Vec<_> = (0..200_u8)
            .map(|id| row(id, 15 * round, f64::from(id)))
            .collect();
        bench.db().append(&rows).expect("append");
    }
    bench.db().flush().expect("flush");
    let scan = bench.db().scan(&[], TimeRange::ALL).expect("scan");
    let budget = ReadBudget::new(1_000_000);
    let want = read_all(scan.as_ref(), &budget);
    assert!(want.iter().all(|series| series.len() == 80));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| assert_eq!(read_all(scan.as_ref(), &budget), want));
        }
    });
    let columns: Vec<_> = (0..200)
        .map(|i| scan.read(i, &budget).expect("reads"))
        .collect();
    let shared = columns
        .windows(2)
        .filter(|two| std::sync::Arc::ptr_eq(&two[0].timestamps, &two[1].timestamps));
    assert_eq!(shared.count(), 199, "one timestamp column for all");
}
