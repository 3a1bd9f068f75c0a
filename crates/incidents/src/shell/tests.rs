//! Stories: lines of what happens and what is then wanted, on a clock that the story winds.
//!
//! `crash` drops everything but the database; `disk full` makes every transaction fail until
//! `disk fine`.

use super::{Filter, Incidents};
use crate::{Incident, Limits, Notification};
use model::{Alert, Labels, RoutedAlert, Timestamp};
use runtime::Registry;
use storage::{State, StateError};

mod simulation;

pub(super) const MINUTE: i64 = 60_000;
const LIMITS: Limits = Limits {
    open_max: 3,
    resolved_max: 4,
    alerts_max: 6,
    timeline_max: 8,
};

pub(super) fn time(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).plus_millis(minute * MINUTE)
}

pub(super) fn open(state: &State, minute: i64) -> Incidents {
    Incidents::open_with(state.clone(), &Registry::new(), time(minute), LIMITS).expect("rows")
}

/// Makes every change of incidents fail, as a full disk does.
pub(super) fn set_disk_full(state: &State, full: bool) {
    let sql = if full {
        "CREATE TEMP TRIGGER full BEFORE INSERT ON incidents
         BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    } else {
        "DROP TRIGGER full"
    };
    let done: Result<(), StateError> = state.read(|db| Ok(db.execute_batch(sql)?));
    done.expect("trigger");
}

/// `DiskFull host=a severity=critical` grouped by its `host`; `!x` at the end: suppressed by x.
pub(super) fn routed(words: &str, started: i64, now: i64, resolved: bool) -> RoutedAlert {
    let (words, suppressed) = match words.split_once(" !") {
        Some((words, by)) => (words, Some(by.to_owned())),
        None => (words, None),
    };
    let mut words = words.split_whitespace();
    let name = words.next().expect("a name");
    let pairs = words.map(|word| word.split_once('=').expect("name=value"));
    let labels: Labels = pairs.chain([("alertname", name)]).collect();
    let ends_at = if resolved { time(now) } else { time(now + 4) };
    RoutedAlert {
        group_labels: labels.only(&["host"]),
        alert: Alert {
            labels,
            annotations: Labels::default(),
            starts_at: time(started),
            ends_at,
            updated_at: time(now),
            ends_by_timeout: false,
            generator_url: String::new(),
        },
        receivers: vec!["oncall".to_owned()],
        resolved,
        suppressed_by: suppressed,
    }
}

fn show(incident: &Incident) -> String {
    let by = incident
        .acknowledged
        .iter()
        .map(|(_, who)| format!(" ack {who}"))
        .chain(
            incident
                .resolved
                .iter()
                .map(|(_, who)| format!(" by {who:?}")),
        )
        .collect::<String>();
    let (status, severity) = (incident.status.name(), incident.severity.name());
    format!(
        "#{} {status} {severity} {}{by}",
        incident.id, incident.title
    )
}

fn id_and_rest(text: &str) -> (u64, &str) {
    let (id, rest) = text.split_once(' ').unwrap_or((text, ""));
    (id.parse().expect("an id"), rest)
}

/// Does what a line says; the answer is what went wrong, empty if nothing did.
fn act(story: &mut Story, now: i64, verb: &str, rest: &str) -> String {
    let result = match verb {
        "fires" => {
            let (started, alert) = rest.split_once("m ").expect("start");
            let started = started.trim_start_matches('@').parse().expect("minutes");
            story
                .incidents
                .observe(time(now), &[routed(alert, started, now, false)])
        }
        "ends" => {
            let (started, alert) = rest.split_once("m ").expect("start");
            let started = started.trim_start_matches('@').parse().expect("minutes");
            story
                .incidents
                .observe(time(now), &[routed(alert, started, now, true)])
        }
        "told" => {
            let (failure, rest) = match rest.split_once(" but ") {
                Some((rest, failure)) => (Some(failure.to_owned()), rest),
                None => (None, rest),
            };
            let notification = Notification {
                receiver: "oncall".to_owned(),
                alerts: vec![routed(rest, now, now, false).alert.labels],
                failure,
            };
            story.incidents.notified(time(now), &[notification])
        }
        "time" => story.incidents.tick(time(now)),
        "ack" | "resolve" | "note" => {
            let (id, rest) = id_and_rest(rest);
            let (who, text) = rest.split_once(' ').unwrap_or((rest, ""));
            match verb {
                "ack" => story.incidents.acknowledge(time(now), id, who),
                "resolve" => story.incidents.resolve(time(now), id, who),
                _ => story.incidents.add_note(time(now), id, who, text),
            }
            .map(|_| ())
        }
        "crash" => {
            story.incidents = open(&story.state, now);
            Ok(())
        }
        "disk" => {
            set_disk_full(&story.state, rest == "full");
            Ok(())
        }
        _ => panic!("unknown verb {verb:?}"),
    };
    result
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

/// What a `want` line looks at, as a text.
fn seen(story: &Story, what: &str) -> String {
    match what {
        "incidents" => {
            let list = story.incidents.list(Filter::default());
            list.iter().rev().map(show).collect::<Vec<_>>().join("; ")
        }
        "announced" => {
            let waiting = story.incidents.announcements(100).expect("outbox");
            let text = waiting
                .iter()
                .map(|(_, a)| format!("{} {}", a.incident, a.kind.name()))
                .collect::<Vec<_>>();
            if let Some((last, _)) = waiting.last() {
                story
                    .incidents
                    .confirm_announcements(*last)
                    .expect("confirmed");
            }
            text.join(", ")
        }
        _ => {
            let id = what.trim_start_matches("timeline#").parse().expect("an id");
            let details = story.incidents.get(id).expect("incident");
            let line = |entry: &crate::Entry| {
                let text = format!("{} {} {}", entry.kind.name(), entry.who, entry.text);
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            };
            details
                .timeline
                .iter()
                .map(line)
                .collect::<Vec<_>>()
                .join("; ")
        }
    }
}

struct Story {
    state: State,
    incidents: Incidents,
}

fn check(text: &str) {
    let state = State::in_memory().expect("in memory");
    let mut story = Story {
        incidents: open(&state, 0),
        state,
    };
    let mut trouble = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let rest = line.strip_prefix("at ").expect("at");
        let (minute, rest) = rest.split_once("m ").expect("minutes");
        let now: i64 = minute.parse().expect("minutes");
        let (verb, rest) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        if verb == "want" {
            let (what, want) = rest.split_once(':').expect("what: text");
            let got = match what.trim() {
                "error" => std::mem::take(&mut trouble),
                what => seen(&story, what),
            };
            assert_eq!(got, want.trim(), "{line}");
        } else {
            assert_eq!(trouble, "", "before {line}");
            trouble = act(&mut story, now, verb, rest);
        }
    }
    assert_eq!(trouble, "");
}

#[test]
fn opens_once_and_resolves_with_the_last_alert() {
    check(
        "at 0m  fires @0m DiskFull host=a disk=1 severity=warning
         at 0m  want incidents: #1 open medium DiskFull {host=\"a\"}
         at 1m  fires @1m DiskFull host=a disk=2 severity=critical
         at 1m  want incidents: #1 open critical DiskFull {host=\"a\"}
         at 2m  fires @2m DiskFull host=b severity=info
         at 3m  told DiskFull host=a disk=1 severity=warning
         at 3m  ends @0m DiskFull host=a disk=1 severity=warning
         at 4m  ack 1 ann
         at 4m  ack 1 bob
         at 5m  ends @1m DiskFull host=a disk=2 severity=critical
         at 6m  told DiskFull host=a disk=2 severity=critical but no route to host
         at 6m  want incidents: #1 resolved critical DiskFull {host=\"a\"} ack ann by \"\"; #2 open low DiskFull {host=\"b\"}
         at 6m  want timeline#1: opened DiskFull {host=\"a\"}; alert_joined {alertname=\"DiskFull\", disk=\"1\", host=\"a\", severity=\"warning\"}; alert_joined {alertname=\"DiskFull\", disk=\"2\", host=\"a\", severity=\"critical\"}; severity_changed medium → critical; notification_sent oncall; alert_left {alertname=\"DiskFull\", disk=\"1\", host=\"a\", severity=\"warning\"}; acknowledged ann; alert_left {alertname=\"DiskFull\", disk=\"2\", host=\"a\", severity=\"critical\"}; resolved
         at 6m  want announced: 1 opened, 1 severity_raised, 2 opened, 1 acknowledged, 1 resolved
         at 7m  want announced:
         at 9m  fires @9m DiskFull host=a disk=1 severity=warning
         at 9m  want announced: 3 opened",
    );
}

#[test]
fn suppressed_alerts_open_nothing_but_stay_where_they_are() {
    check(
        "at 0m  fires @0m DiskFull host=a !silence
         at 0m  want incidents:
         at 1m  fires @0m DiskFull host=a
         at 2m  fires @0m DiskFull host=a !inhibited
         at 2m  want incidents: #1 open medium DiskFull {host=\"a\"}
         at 3m  ends @0m DiskFull host=a !inhibited
         at 3m  want incidents: #1 resolved medium DiskFull {host=\"a\"} by \"\"",
    );
}

#[test]
fn resolved_by_hand_it_takes_a_new_start_to_open_another() {
    check(
        "at 0m  fires @0m DiskFull host=a
         at 1m  resolve 1 ann
         at 2m  fires @0m DiskFull host=a
         at 2m  crash
         at 3m  fires @0m DiskFull host=a
         at 3m  want incidents: #1 resolved medium DiskFull {host=\"a\"} by \"ann\"
         at 4m  fires @4m DiskFull host=a
         at 4m  ends @0m DiskFull host=a
         at 4m  want incidents: #1 resolved medium DiskFull {host=\"a\"} by \"ann\"; #2 open medium DiskFull {host=\"a\"}",
    );
}

#[test]
fn nothing_is_lost_in_a_crash() {
    check(
        "at 0m   fires @0m DiskFull host=a
         at 1m   ack 1 ann
         at 1m   crash
         at 1m   want announced: 1 opened, 1 acknowledged
         at 61m  crash
         at 62m  time
         at 62m  want incidents: #1 acknowledged medium DiskFull {host=\"a\"} ack ann
         at 63m  fires @0m DiskFull host=a
         at 90m  time
         at 90m  want incidents: #1 acknowledged medium DiskFull {host=\"a\"} ack ann",
    );
}

#[test]
fn alerts_that_nobody_knows_after_a_start_end() {
    check(
        "at 0m   fires @0m DiskFull host=a
         at 0m   fires @0m DiskFull host=b
         at 60m  crash
         at 61m  fires @0m DiskFull host=b
         at 64m  time
         at 64m  want incidents: #1 open medium DiskFull {host=\"a\"}; #2 open medium DiskFull {host=\"b\"}
         at 65m  time
         at 90m  time
         at 90m  want incidents: #1 resolved medium DiskFull {host=\"a\"} by \"\"; #2 open medium DiskFull {host=\"b\"}",
    );
}

#[test]
fn an_alert_that_had_not_ended_opens_its_incident_again() {
    check(
        "at 0m   fires @0m DiskFull host=a
         at 1m   ack 1 ann
         at 5m   ends @0m DiskFull host=a
         at 5m   want incidents: #1 resolved medium DiskFull {host=\"a\"} ack ann by \"\"
         at 6m   fires @0m DiskFull host=a !silence
         at 6m   want incidents: #1 resolved medium DiskFull {host=\"a\"} ack ann by \"\"
         at 7m   fires @0m DiskFull host=a
         at 7m   want incidents: #1 acknowledged medium DiskFull {host=\"a\"} ack ann
         at 7m   want announced: 1 opened, 1 acknowledged, 1 resolved, 1 reopened
         at 8m   resolve 1 ann
         at 9m   ends @0m DiskFull host=a
         at 10m  fires @0m DiskFull host=a
         at 10m  want incidents: #1 resolved medium DiskFull {host=\"a\"} ack ann by \"ann\"",
    );
}

#[test]
fn a_full_disk_changes_nothing_until_it_is_fine() {
    check(
        "at 0m  fires @0m DiskFull host=a
         at 1m  disk full
         at 1m  ack 1 ann
         at 1m  want error: state database: disk full
         at 2m  disk fine
         at 2m  want announced: 1 opened
         at 3m  ack 1 bob
         at 3m  want incidents: #1 acknowledged medium DiskFull {host=\"a\"} ack bob
         at 4m  disk full
         at 4m  fires @4m DiskFull host=b
         at 4m  want error: state database: disk full
         at 5m  ends @0m DiskFull host=a
         at 5m  want error: state database: disk full
         at 5m  want incidents: #1 acknowledged medium DiskFull {host=\"a\"} ack bob
         at 6m  disk fine
         at 6m  time
         at 6m  want incidents: #1 resolved medium DiskFull {host=\"a\"} ack bob by \"\"; #2 open medium DiskFull {host=\"b\"}",
    );
}

#[test]
fn refuses_what_cannot_be() {
    check(
        "at 0m  ack 7 ann
         at 0m  want error: incident 7 does not exist
         at 0m  fires @0m A host=a
         at 0m  note 1 ann
         at 0m  want error: the note must have 1 to 16384 bytes, this one has 0
         at 1m  resolve 1 ann
         at 1m  resolve 1 ann
         at 1m  want error: incident 1 is already resolved
         at 1m  note 1 ann was the backup
         at 2m  want timeline#1: opened A {host=\"a\"}; alert_joined {alertname=\"A\", host=\"a\"}; resolved ann; note ann was the backup",
    );
}

#[test]
fn everything_has_a_limit() {
    check(
        "at 0m  fires @0m A host=a
         at 0m  fires @0m B host=a
         at 0m  fires @0m C host=a
         at 0m  fires @0m D host=a
         at 0m  want incidents: #1 open medium A {host=\"a\"}; #2 open medium B {host=\"a\"}; #3 open medium C {host=\"a\"}
         at 1m  note 1 ann 3
         at 1m  note 1 ann 4
         at 1m  note 1 ann 5
         at 1m  note 1 ann 6
         at 1m  note 1 ann 7
         at 1m  note 1 ann 8
         at 1m  note 1 ann 9
         at 1m  want error: the timeline of incident 1 is full
         at 1m  resolve 1 ann
         at 2m  want timeline#1: opened A {host=\"a\"}; alert_joined {alertname=\"A\", host=\"a\"}; note ann 3; note ann 4; note ann 5; note ann 6; note ann 7; note ann 8; resolved ann",
    );
}

#[test]
fn the_oldest_resolved_incidents_are_forgotten() {
    check(
        "at 0m  fires @0m A host=a
         at 1m  resolve 1 ann
         at 2m  fires @2m B host=a
         at 3m  resolve 2 ann
         at 3m  ends @2m B host=a
         at 4m  fires @4m C host=a
         at 4m  ends @4m C host=a
         at 5m  fires @5m D host=a
         at 5m  ends @5m D host=a
         at 6m  fires @6m E host=a
         at 6m  ends @6m E host=a
         at 6m  want incidents: #1 resolved medium A {host=\"a\"} by \"ann\"; #3 resolved medium C {host=\"a\"} by \"\"; #4 resolved medium D {host=\"a\"} by \"\"; #5 resolved medium E {host=\"a\"} by \"\"
         at 7m  crash
         at 7m  fires @7m F host=a
         at 7m  want incidents: #1 resolved medium A {host=\"a\"} by \"ann\"; #3 resolved medium C {host=\"a\"} by \"\"; #4 resolved medium D {host=\"a\"} by \"\"; #5 resolved medium E {host=\"a\"} by \"\"; #6 open medium F {host=\"a\"}",
    );
}
