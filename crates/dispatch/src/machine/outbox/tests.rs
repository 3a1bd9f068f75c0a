use super::{IN_FLIGHT_MAX, IN_FLIGHT_PER_TARGET_MAX, Outbox};
use crate::notice::Notice;
use model::Timestamp;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn notice(id: &str, receiver: &str, due: i64) -> Notice {
    let mut notice = crate::template::tests::notice();
    notice.id = id.to_owned();
    notice.group_id = format!("group of {id}");
    notice.target.receiver = receiver.to_owned();
    (notice.next_attempt, notice.created_at) = (at(due), at(0));
    notice
}

#[test]
fn what_waited_longest_goes_first_and_nobody_takes_all_places() {
    let mut outbox = Outbox::default();
    for number in 0..IN_FLIGHT_PER_TARGET_MAX + 12 {
        let due = i64::try_from(number).expect("small");
        outbox.add(notice(&format!("a{number:02}"), "a", due));
    }
    outbox.add(notice("b", "b", 5));
    outbox.add(notice("later", "b", 150));
    let started: Vec<String> = outbox.start_due(at(99)).into_iter().map(|n| n.id).collect();
    assert_eq!(
        started[..8],
        ["a00", "a01", "a02", "a03", "a04", "a05", "b", "a06"]
    );
    assert_eq!(started.len(), IN_FLIGHT_PER_TARGET_MAX + 1);
    assert_eq!(outbox.in_flight(), IN_FLIGHT_PER_TARGET_MAX + 1);
    // Nothing more of `a` can begin, so its waiting ones do not count.
    assert_eq!(outbox.next_moment(), Some(at(150)));
    let (ended, started_at) = outbox.end_attempt("a03").expect("being attempted");
    assert_eq!((ended.attempts, started_at), (1, at(99)));
    assert_eq!(outbox.next_moment(), Some(at(32)));
    assert!(outbox.end_attempt("a43").is_none(), "it waits");
}

#[test]
fn all_targets_together_have_a_limit() {
    let mut outbox = Outbox::default();
    for number in 0..IN_FLIGHT_MAX + 5 {
        outbox.add(notice(&format!("n{number}"), &format!("r{number}"), 0));
    }
    assert_eq!(outbox.start_due(at(0)).len(), IN_FLIGHT_MAX);
    assert_eq!(outbox.next_moment(), None);
    let ids: Vec<String> = outbox.iter().map(|p| p.notice.id.clone()).collect();
    for id in ids {
        outbox.remove(&id);
    }
    assert_eq!((outbox.iter().count(), outbox.in_flight()), (0, 0));
}

#[test]
fn a_clock_that_was_set_moves_all() {
    let mut outbox = Outbox::default();
    outbox.add(notice("a", "a", 10));
    outbox.shift(-5);
    assert_eq!(outbox.next_moment(), Some(at(5)));
    assert_eq!(outbox.of_group("group of a").count(), 1);
    outbox.shift(100);
    assert_eq!(outbox.next_moment(), Some(at(105)));
}
