use super::{LogEntry, Question, Reason, backoff_ms};
use model::Timestamp;
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp::from_millis(10_000_000);

fn check(
    entry: Option<(&[u64], &[u64], i64)>,
    firing: &[u64],
    resolved: &[u64],
    want: Option<Reason>,
) {
    let set = |list: &[u64]| list.iter().copied().collect::<BTreeSet<u64>>();
    let entry = entry.map(|(firing, resolved, age_ms)| LogEntry {
        at: NOW.plus_millis(-age_ms),
        firing: set(firing),
        resolved: set(resolved),
        ..LogEntry::default()
    });
    let (firing, resolved) = (set(firing), set(resolved));
    let question = Question {
        entry: entry.as_ref(),
        firing: &firing,
        resolved: &resolved,
        send_resolved: true,
        repeat_interval_ms: 1000,
    };
    assert_eq!(question.answer(NOW), want);
}

#[test]
fn decides_as_upstream() {
    use Reason::{AllResolved, FirstNotification, NewAlerts, Repeat, SomeResolved};
    check(None, &[1], &[], Some(FirstNotification));
    check(None, &[], &[1], None);
    check(Some((&[1], &[], 0)), &[1, 2], &[], Some(NewAlerts));
    check(Some((&[], &[1], 0)), &[1], &[], Some(FirstNotification));
    check(Some((&[1], &[], 0)), &[], &[1], Some(AllResolved));
    check(Some((&[], &[1], 0)), &[], &[2], None);
    check(Some((&[1, 2], &[], 0)), &[1], &[2], Some(SomeResolved));
    check(Some((&[1, 2], &[2], 0)), &[1], &[2], None);
    check(Some((&[1], &[], 1000)), &[1], &[], None);
    check(Some((&[1], &[], 1001)), &[1], &[], Some(Repeat));
}

#[test]
fn waits_grow_to_a_minute() {
    let waits: Vec<i64> = (1..16).map(backoff_ms).collect();
    assert_eq!(waits[..4], [500, 750, 1125, 1687]);
    assert_eq!(waits[14], 60_000);
    assert!(waits.is_sorted());
}
