use super::{Attempt, MIGRATION, Row, attempts, attempts_of, commit, history, load};
use crate::history::{AlertEvent, Change, HistoryQuery};
use crate::notice::{LogEntry, Notice, NoticeAlert, Reason, Target};
use crate::silence::Silence;
use model::{Alert, Labels, MatchOperator, Matcher, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use storage::{State, StateError};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn alert() -> Alert {
    Alert {
        labels: Labels::from_pairs([("alertname", "A"), ("ü", "\"\u{1f600}\n")]),
        annotations: Labels::annotations([("note", ""), ("summary", "x")]),
        starts_at: at(-5),
        ends_at: at(i64::MAX),
        updated_at: at(7),
        ends_by_timeout: true,
        generator_url: "http://x".to_owned(),
    }
}

fn target() -> Target {
    Target {
        receiver: "team".to_owned(),
        kind: "webhook".to_owned(),
        index: 1,
    }
}

fn notice() -> Notice {
    Notice {
        id: "n".to_owned(),
        group_id: "{}:{}".to_owned(),
        group_key: "{}:{}".to_owned(),
        group_labels: Labels::from_pairs([("a", "b")]),
        route_labels: vec![("l".to_owned(), "{{ .Status }}".to_owned())],
        target: target(),
        reason: Reason::SomeResolved,
        alerts: vec![NoticeAlert {
            alert: alert(),
            resolved: true,
        }],
        left_out: 6,
        firing: BTreeSet::from([u64::MAX, 3]),
        resolved: BTreeSet::from([5]),
        created_at: at(1),
        deadline: at(2),
        repeat_interval_ms: 3,
        attempts: 4,
        failed_before: 6,
        next_attempt: at(5),
        memory: vec![("k".to_owned(), "v".to_owned())],
    }
}

fn silence() -> Silence {
    let regex = Matcher::new("a", MatchOperator::NotRegex, "b|c").expect("regex");
    Silence {
        id: "s".to_owned(),
        matchers: vec![Matcher::equal("x", "y"), regex],
        starts_at: at(1),
        ends_at: at(2),
        updated_at: at(3),
        created_by: "me".to_owned(),
        comment: "why".to_owned(),
        annotations: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
    }
}

#[test]
fn reads_back_what_was_stored() {
    let state = State::in_memory().expect("database");
    state.migrate(MIGRATION).expect("tables");
    let entry = LogEntry {
        at: at(1),
        expires_at: at(2),
        firing: BTreeSet::from([u64::MAX]),
        resolved: BTreeSet::new(),
        memory: vec![("k".to_owned(), "v".to_owned())],
    };
    let fingerprint = alert().labels.fingerprint();
    let rows = [
        Row::PutAlert(alert()),
        Row::PutGroup("g".to_owned(), at(9)),
        Row::PutMember("g".to_owned(), fingerprint),
        Row::PutSilence(silence()),
        Row::PutLog("k".to_owned(), target(), entry.clone()),
        Row::PutNotice(notice()),
        Row::AddAttempt(Attempt::of(&notice(), at(3))),
    ];
    commit(&state, &rows).expect("stored");
    let restored = load(&state, Timestamp::MIN).expect("read");
    assert_eq!(restored.alerts, [alert()]);
    assert_eq!(restored.silences, [silence()]);
    assert_eq!(restored.log, [("k".to_owned(), target(), entry)]);
    assert_eq!(restored.notices, [notice()]);
    assert_eq!(restored.groups["g"].next_flush, at(9));
    assert_eq!(restored.groups["g"].members, BTreeSet::from([fingerprint]));
    assert_eq!(
        attempts(&state, 5).expect("read"),
        [Attempt::of(&notice(), at(3))]
    );
    let gone = [
        Row::DeleteAlert(fingerprint),
        Row::DeleteGroup("g".to_owned()),
        Row::DeleteSilence("s".to_owned()),
        Row::DeleteLog("k".to_owned(), target()),
        Row::DeleteNotice("n".to_owned()),
    ];
    commit(&state, &gone).expect("deleted");
    let empty = load(&state, Timestamp::MIN).expect("read");
    let left = empty.alerts.len() + empty.silences.len() + empty.log.len() + empty.notices.len();
    assert_eq!((left, empty.groups.len()), (0, 0));
}

fn made() -> State {
    let state = State::in_memory().expect("database");
    state.migrate(MIGRATION).expect("tables");
    state
}

/// An attempt with these alerts, at a moment that says which it is.
fn attempt_with(alerts: impl Iterator<Item = u64>, number: i64) -> Row {
    let mut notice = notice();
    notice.firing = alerts.collect();
    notice.resolved.clear();
    Row::AddAttempt(Attempt::of(&notice, at(number)))
}

/// The moments of an alert's attempts.
fn moments(state: &State, fingerprint: u64) -> Vec<i64> {
    let list = attempts_of(state, fingerprint, 3).expect("read");
    list.iter().map(|attempt| attempt.at.millis()).collect()
}

#[test]
fn attempts_are_found_by_their_alerts_and_are_bounded() {
    let state = made();
    let mut rows: Vec<Row> = (0..20_010)
        .map(|number| attempt_with(std::iter::once(u64::MAX - number % 2), number.cast_signed()))
        .collect();
    rows.push(attempt_with(0..5_000, 7));
    commit(&state, &rows).expect("stored");
    assert_eq!(moments(&state, u64::MAX), [20_008, 20_006, 20_004]);
    assert_eq!(moments(&state, u64::MAX - 1), [20_009, 20_007, 20_005]);
    assert_eq!(moments(&state, 99), [7]);
    assert_eq!(
        moments(&state, 100),
        [0_i64; 0],
        "of a large group the first"
    );
    let count = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let read = |db: &rusqlite::Connection| {
            Ok::<_, StateError>(db.query_row(&sql, [], |row| row.get(0))?)
        };
        state.read(read).expect("count")
    };
    assert_eq!(count("dispatch_attempts"), 20_000);
}

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("alertname", name)])
}

fn event(at_ms: i64, name: &str, change: Change) -> Row {
    Row::AddEvent(AlertEvent {
        at: at(at_ms),
        labels: labels(name),
        change,
        detail: String::new(),
    })
}

#[test]
fn history_is_read_by_alert_by_matchers_and_by_time() {
    let state = made();
    // More than a page; every third is of B, and the clock was set back once.
    let rows: Vec<Row> = (0..12_000)
        .map(|number| {
            let name = if number % 3 == 0 { "B" } else { "A" };
            let at_ms = if number < 6_000 {
                number
            } else {
                number - 1_000
            };
            event(at_ms, name, Change::Fired)
        })
        .collect();
    commit(&state, &rows).expect("stored");
    let check = |query: HistoryQuery, want: (usize, Option<i64>, Option<i64>)| {
        let shown = format!("{query:?}");
        let found = history::events(&state, &query).expect("read");
        let edge = |event: Option<&AlertEvent>| event.map(|event| event.at.millis());
        let got = (found.len(), edge(found.first()), edge(found.last()));
        assert_eq!(got, want, "{shown}");
    };
    let all = HistoryQuery {
        limit: 9_000,
        ..HistoryQuery::default()
    };
    check(all.clone(), (9_000, Some(10_999), Some(3_000)));
    let of_b = HistoryQuery {
        matchers: vec![Matcher::equal("alertname", "B")],
        ..all.clone()
    };
    check(of_b.clone(), (4_000, Some(10_997), Some(0)));
    let one = HistoryQuery {
        fingerprint: Some(labels("B").fingerprint()),
        ..all.clone()
    };
    check(one.clone(), (4_000, Some(10_997), Some(0)));
    let within = |query: &HistoryQuery| HistoryQuery {
        start: Some(at(5_000)),
        end: Some(at(5_002)),
        ..query.clone()
    };
    check(within(&all), (6, Some(5_002), Some(5_000)));
    check(within(&of_b), (2, Some(5_000), Some(5_001)));
    check(within(&one), (2, Some(5_000), Some(5_001)));
    let unlike = HistoryQuery {
        matchers: vec![Matcher::equal("alertname", "A")],
        ..one
    };
    check(unlike, (0, None, None));
    let starts = history::starts(&state, &of_b).expect("read");
    assert_eq!(starts, [(labels("B"), 4_000, at(10_997))]);
    // What is too old goes, with labels that nothing names any more.
    commit(&state, &[event(1, "C", Change::Fired)]).expect("stored");
    commit(&state, &[Row::TrimHistory(at(10_998))]).expect("stored");
    check(all, (2, Some(10_999), Some(10_998)));
    let sets: i64 = state
        .read(|db| {
            let sql = "SELECT count(*) FROM dispatch_history_labels";
            Ok::<_, StateError>(db.query_row(sql, [], |row| row.get(0))?)
        })
        .expect("count");
    assert_eq!(sets, 1);
}

#[test]
fn one_alert_is_looked_up_and_not_searched_for() {
    let state = made();
    for sql in [history::OF_ONE, history::LAST_TURN, history::LABELS] {
        let plan: Vec<String> = state
            .read(|db| {
                let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let count = statement.parameter_count();
                let rows = statement
                    .query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get(3))?;
                Ok::<_, StateError>(rows.collect::<Result<_, _>>()?)
            })
            .expect("a plan");
        assert!(
            !plan.iter().any(|line| line.contains("SCAN")),
            "{sql}: {plan:?}"
        );
    }
}

#[test]
fn what_was_steady_begins_anew() {
    use Change::{Fired, Flapping, Steady};
    let check = |turns: &[Change], want: (usize, bool)| {
        let state = made();
        let fired = [Fired; 5];
        let changes = fired.iter().chain(turns);
        let rows: Vec<Row> = (0..)
            .zip(changes)
            .map(|(at_ms, change)| event(at_ms, "A", *change))
            .collect();
        commit(&state, &rows).expect("stored");
        let flaps = load(&state, at(1)).expect("read").flaps;
        let flapping = flaps.flapping.contains(&labels("A").fingerprint());
        assert_eq!((flaps.starts.len(), flapping), want, "{turns:?}");
    };
    check(&[], (4, false));
    check(&[Flapping, Fired], (5, true));
    check(&[Flapping, Steady, Fired], (1, false));
    check(&[Flapping, Steady], (0, false));
    check(&[Flapping, Steady, Fired, Flapping], (5, true));
}
