//! What upstream does not have: alerts that flap, silences that come again, reminders, explanations.

use super::stories::CONFIG;
use super::{START_MS, World, alert, parse, play, play_with, silence};
use crate::alert::PostedAlert;
use crate::machine::{Input, Step};
use crate::matchers;
use crate::recurrence::Recurrence;
use crate::silence::{Silence, SilenceError, SilenceState, Silences};
use model::{Matcher, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is told of an alert that fires every 12 minutes for 6. From the fifth beginning on it flaps; before, everything is as
/// upstream.
const UNTIL_IT_FLAPS: &str = "
        30s    want team: first notification: A
        10m30s want team: all alerts resolved: resolved A
        12m30s want team: first notification: A
        22m30s want team: all alerts resolved: resolved A
        24m30s want team: first notification: A
        34m30s want team: all alerts resolved: resolved A
        36m30s want team: first notification: A
        46m30s want team: all alerts resolved: resolved A
        48m30s want team: first notification: A
";

/// Plays alerts that fire at these minutes, each for 6, and what is told of them once they flap.
fn play_flapping(begins: impl Iterator<Item = i64>, told: &str) {
    let cycle = |minute: i64| format!("{minute}m fire A job=x\n{}m resolve A job=x\n", minute + 6);
    let script: String = begins.map(cycle).collect();
    play(
        CONFIG,
        CONFIG,
        Timestamp::from_millis(START_MS),
        &format!("{script}{UNTIL_IT_FLAPS}{told}\n4h end"),
    );
}

#[test]
fn ends_of_an_alert_that_flaps_are_held_back() {
    let told = "
        1h53m30s want team: repeat interval elapsed: A
        1h58m30s want team: all alerts resolved: resolved A
    ";
    play_flapping((0..8).map(|number| number * 12), told);
}

#[test]
fn an_alert_still_flaps_after_a_restart() {
    // It goes on too slowly to begin to flap by what it does in the last hour.
    let begins = [0, 12, 24, 36, 48, 72, 96];
    let told = "
        1h45m restart
        1h53m30s want team: repeat interval elapsed: A
        2h8m30s want team: all alerts resolved: resolved A
    ";
    play_flapping(begins.into_iter(), told);
}

#[test]
fn a_silence_that_comes_again_mutes_in_its_window() {
    let config = parse(CONFIG);
    let mut world = World::new(&config, Timestamp::from_millis(START_MS));
    let text = r#"{"weekdays": ["saturday"], "times": [{"start_time": "02:00", "end_time": "04:00"}], "location": "Europe/Berlin"}"#;
    let recurrence = Recurrence {
        id: String::new(),
        matchers: matchers::parse_matchers("job=x").expect("matchers"),
        window_text: text.to_owned(),
        window: Recurrence::read_window(text).expect("window"),
        until: None,
        created_by: "me".to_owned(),
        comment: "backup".to_owned(),
        created_at: world.now,
        made_until: Timestamp::MIN,
    };
    world.input(Input::SetRecurrence(
        Box::new(recurrence.clone()),
        "r".to_owned(),
    ));
    let hour = |world: &World, hours: i64| world.start.plus_millis(hours * 3_600_000);
    let active = |world: &World| {
        let all = world.machine.silences(&[], world.now);
        let active = all
            .iter()
            .filter(|s| s.state(world.now) == SilenceState::Active);
        active.cloned().collect::<Vec<_>>()
    };
    // Friday, midnight UTC: the window opens on Saturday at 01:00 UTC.
    world.advance_to(hour(&world, 24));
    assert_eq!(active(&world), []);
    world.advance_to(hour(&world, 26));
    let first = active(&world);
    assert_eq!(first.len(), 1);
    assert_eq!(
        (first[0].starts_at, first[0].ends_at),
        (hour(&world, 25), hour(&world, 27))
    );
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    world.restart();
    // Ended early, it does not come back.
    world.input(Input::ExpireSilence(first[0].id.clone()));
    world.advance_to(hour(&world, 26).plus_millis(600_000));
    assert_eq!(active(&world), []);
    assert_eq!(world.arrived.len(), 1, "{:?}", world.arrived);
    world.advance_to(hour(&world, 25 + 7 * 24));
    assert_eq!(active(&world).len(), 1, "a week later");
    // Changed while its window is open, it ends what it made and begins anew.
    let changed = Box::new(Recurrence {
        id: "r".to_owned(),
        matchers: matchers::parse_matchers("job=y").expect("matchers"),
        ..recurrence
    });
    world.input(Input::SetRecurrence(changed, String::new()));
    world.advance_to(hour(&world, 25 + 7 * 24).plus_millis(60_000));
    let changed = active(&world);
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].matchers[0].value(), "y");
    world.input(Input::RemoveRecurrence("r".to_owned()));
    assert_eq!(active(&world), []);
}

/// Makes a silence for every Friday, or changes the one of this id.
fn set_friday(world: &mut World, id: &str, matchers: &str) -> Result<String, SilenceError> {
    let text = r#"{"weekdays": ["friday"]}"#;
    let recurrence = Recurrence {
        id: id.to_owned(),
        matchers: matchers::parse_matchers(matchers).expect("matchers"),
        window_text: text.to_owned(),
        window: Recurrence::read_window(text).expect("window"),
        until: None,
        created_by: "me".to_owned(),
        comment: "backup".to_owned(),
        created_at: world.now,
        made_until: Timestamp::MIN,
    };
    let step = world.input(Input::SetRecurrence(Box::new(recurrence), "r".to_owned()));
    step.silence.expect("an answer")
}

#[test]
fn who_sends_alerts_hears_nothing_of_other_work() {
    let mut world = World::new(&parse(CONFIG), Timestamp::from_millis(START_MS));
    for number in 0..10_000 {
        world.machine.silences.restore(Silence {
            id: number.to_string(),
            matchers: vec![Matcher::equal("a", "b")],
            starts_at: world.now,
            ends_at: world.now.plus_millis(90_000),
            updated_at: world.now,
            created_by: String::new(),
            comment: String::new(),
            annotations: BTreeMap::new(),
        });
    }
    assert_eq!(set_friday(&mut world, "", "job=x"), Ok("r".to_owned()));
    world.now = world.now.plus_millis(60_000);
    let step = world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    assert_eq!(step.refused, Vec::<String>::new());
    let trouble = ["silence of r: exceeded maximum number of silences: 10000 (limit: 10000)"];
    assert_eq!(step.trouble, trouble);
    let step = world.input(Input::Put(vec![PostedAlert::default()]));
    assert_eq!(step.refused, ["at least one label pair required"]);
    // It begins once there is room.
    let made = |world: &World| {
        world
            .machine
            .recurrences()
            .all(|r| r.made_until > world.now)
    };
    assert!(!made(&world));
    world.machine.silences = Silences::default();
    world.now = world.now.plus_millis(60_000);
    assert_eq!(world.input(Input::Tick).trouble, Vec::<String>::new());
    assert!(made(&world));
}

#[test]
fn changing_a_silence_that_comes_again_ends_what_it_made() {
    let mut world = World::new(&parse(CONFIG), Timestamp::from_millis(START_MS));
    let muting = |world: &World| {
        let all = world.machine.silences(&[], world.now);
        let active = all
            .iter()
            .filter(|s| s.state(world.now) == SilenceState::Active);
        active
            .map(|s| matchers::print_matchers(&s.matchers))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        set_friday(&mut world, "", "team=~\".*\",job=x"),
        Ok("r".to_owned())
    );
    assert_eq!(muting(&world), ["{team=~\".*\",job=\"x\"}"]);
    world.now = world.now.plus_millis(90_000);
    assert_eq!(set_friday(&mut world, "r", "team=a"), Ok("r".to_owned()));
    assert_eq!(muting(&world), ["{team=\"a\"}"]);
    world.restart();
    assert_eq!(muting(&world), ["{team=\"a\"}"]);
    let unknown = set_friday(&mut world, "q", "team=a");
    assert_eq!(unknown, Err(SilenceError::NotFound));
    assert_eq!(world.machine.recurrences().count(), 1);
}

#[test]
fn numbers_of_a_step_are_added_up() {
    let mut world = World::new(&parse(CONFIG), Timestamp::from_millis(START_MS));
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    let mut all = Step::default();
    world.now = world.start.plus_millis(30_000);
    all.absorb(world.input(Input::Tick));
    assert_eq!((all.counts.log_queries, all.counts.silence_queries), (1, 1));
}

#[test]
fn a_silence_reminds_of_its_end() {
    let mut config = parse(CONFIG);
    if let Some(config) = Arc::get_mut(&mut config) {
        config.own.silence_reminder_ms = Some(3_600_000);
    }
    play_with(
        &config,
        CONFIG,
        Timestamp::from_millis(START_MS),
        "
        0s   silence s for 4h job=x
        0s   silence short for 50m job=y
        3h30s want team: first notification: BinnacleSilenceExpiring
        4h30s want team: all alerts resolved: resolved BinnacleSilenceExpiring
        8h   end
        ",
    );
}

#[test]
fn says_why_somebody_was_told_or_not() {
    let config = parse(CONFIG);
    let mut world = World::new(&config, Timestamp::from_millis(START_MS));
    let fingerprint = |words: &[&str]| model::Labels::from_pairs(alert(words).labels).fingerprint();
    let verdicts = |world: &World, words: &[&str]| {
        let explanation = world.machine.explain(fingerprint(words), world.now);
        let routes = explanation.expect("known").routes;
        let all = routes.iter().flat_map(|route| {
            let receiver = &route.receiver;
            let one = move |i: &crate::machine::explain::IntegrationExplanation| {
                format!("{receiver}/{}: {}", i.name, i.verdict)
            };
            route.integrations.iter().map(one)
        });
        all.collect::<Vec<String>>().join("\n")
    };
    let check = |world: &World, words: &[&str], want: &str| {
        assert_eq!(verdicts(world, words), want);
    };
    let (a, b) = (["A", "job=x"], ["B", "job=y"]);
    world.input(Input::Put(vec![alert(&a)]));
    check(
        &world,
        &a,
        "team/webhook[0]: not told; its group is looked at next at 2026-11-20T00:00:30.000Z",
    );
    world.advance_to(world.start.plus_millis(60_000));
    check(
        &world,
        &a,
        "team/webhook[0]: told at 2026-11-20T00:00:30.000Z; its group is looked at next at 2026-11-20T00:05:30.000Z",
    );
    world.refusing.insert("team".to_owned());
    world.down.insert("team".to_owned());
    world.input(Input::Put(vec![alert(&b)]));
    world.advance_to(world.start.plus_millis(91_000));
    let verdict = verdicts(&world, &b);
    assert!(verdict.contains("not told; 2 attempts failed"), "{verdict}");
    silence(&mut world, &["s", "for", "1h", "job=x"]);
    let verdict = verdicts(&world, &a);
    assert!(
        verdict.ends_with("; now silence id-s mutes it"),
        "{verdict}"
    );
    assert!(world.machine.explain(7, world.now).is_none());
}
