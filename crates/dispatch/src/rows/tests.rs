use super::{Attempt, MIGRATION, Row, attempts, commit, load};
use crate::notice::{LogEntry, Notice, NoticeAlert, Reason, Target};
use crate::silence::Silence;
use model::{Alert, Labels, MatchOperator, Matcher, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use storage::State;

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
