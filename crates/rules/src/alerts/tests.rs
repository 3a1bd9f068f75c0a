//! Timelines of one alert: what the expression says each minute, and what becomes of the alert.

use super::{AlertSet, AlertState, Conditions, Found};
use model::{Labels, Timestamp};
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * MINUTE)
}

fn found(count: usize) -> BTreeMap<Labels, Found> {
    let alert = |i: usize| {
        let found = Found {
            value: 1.0,
            annotations: Labels::default(),
        };
        (Labels::from_pairs([("i", i.to_string())]), found)
    };
    (0..count).map(alert).collect()
}

fn conditions(for_minutes: i64, keep_minutes: i64) -> Conditions {
    Conditions {
        for_ms: for_minutes * MINUTE,
        keep_firing_for_ms: keep_minutes * MINUTE,
        limit: 0,
        forgives_absence: false,
    }
}

/// `holds`: for each minute whether the condition holds (`x`) or not (`-`). `want`: for each minute
/// the state (`p`, `f`, `r` for resolved, `.` for none), in capitals where the alert is handed on.
fn check(conditions: Conditions, holds: &str, want: &str) {
    let mut set = AlertSet::default();
    let mut got = String::new();
    for (minute, holds) in (0..).zip(holds.chars()) {
        let now = at(minute);
        let count = usize::from(holds == 'x');
        set.step(now, &found(count), conditions).expect("no limit");
        let sent = !set.send(now, MINUTE).is_empty();
        let state = match set.instances().values().next() {
            None => '.',
            Some(i) if i.timers.state == AlertState::Pending => 'p',
            Some(i) if i.timers.state == AlertState::Firing => 'f',
            Some(_) => 'r',
        };
        got.push(if sent {
            state.to_ascii_uppercase()
        } else {
            state
        });
    }
    assert_eq!(got, want, "{holds}");
}

#[test]
fn waits_fires_and_is_told_again() {
    // Handed on when it fires and then whenever more than a minute has passed.
    check(conditions(0, 0), "xxxxx", "FfFfF");
    check(conditions(2, 0), "xxxxx", "ppFfF");
    check(conditions(2, 0), "xx-xxx-", "pp.ppFR");
    // A gap while it waits starts the wait anew.
    check(conditions(3, 0), "xx-x", "pp.p");
}

#[test]
fn is_told_of_as_resolved_for_fifteen_minutes() {
    check(
        conditions(0, 0),
        "x------------------",
        "FRrRrRrRrRrRrRrRr..",
    );
    // It begins anew as soon as it is there again.
    check(conditions(1, 0), "xx--x", "pFRrp");
}

#[test]
fn keeps_firing_for_a_while() {
    check(conditions(0, 3), "x----", "FfFfR");
    check(conditions(0, 2), "x-x--x", "FfFfFf");
    check(conditions(1, 2), "x-", "p.");
}

#[test]
fn a_longer_wait_in_a_new_configuration_makes_it_pending_again() {
    let mut set = AlertSet::default();
    set.step(at(0), &found(1), conditions(0, 0))
        .expect("no limit");
    assert_eq!(set.state(), AlertState::Firing);
    set.step(at(1), &found(1), conditions(5, 0))
        .expect("no limit");
    assert_eq!(set.state(), AlertState::Pending);
}

#[test]
fn too_many_alerts_are_an_error_and_forget_all() {
    let limited = Conditions {
        limit: 2,
        ..conditions(0, 0)
    };
    let mut set = AlertSet::default();
    assert_eq!(set.step(at(0), &found(2), limited), Ok(()));
    let error = set.step(at(1), &found(3), limited);
    assert_eq!(error, Err("exceeded limit of 2 with 3 alerts".to_owned()));
    assert!(set.instances().is_empty());
}

#[test]
fn what_nobody_took_is_handed_on_again() {
    let mut set = AlertSet::default();
    set.step(at(0), &found(1), conditions(0, 0))
        .expect("no limit");
    assert_eq!(set.send(at(0), MINUTE).len(), 1);
    set.unsend(at(0));
    assert_eq!(set.send(at(0), MINUTE).len(), 1);
}

#[test]
fn absence_can_be_forgiven() {
    let forgiving = Conditions {
        forgives_absence: true,
        ..conditions(2, 0)
    };
    let mut set = AlertSet::default();
    set.step(at(0), &found(1), forgiving).expect("no limit");
    set.step(at(5), &found(0), forgiving).expect("no limit");
    assert_eq!(set.state(), AlertState::Pending);
    set.step(at(6), &found(0), conditions(2, 0))
        .expect("no limit");
    assert_eq!(set.state(), AlertState::Inactive);
}
