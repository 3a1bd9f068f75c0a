//! Receivers that are down, refuse, hang, or have a broken template.

use super::stories::CONFIG;
use super::{START_MS, World, alert, parse, play, play_with};
use crate::config::FailureReceivers;
use crate::machine::Input;
use model::Timestamp;
use std::sync::Arc;

/// What happens when receivers fail, with this setting.
fn failing(failure_receivers: FailureReceivers, script: &str) {
    let mut config = parse(CONFIG);
    if let Some(config) = Arc::get_mut(&mut config) {
        config.own.failure_receivers = failure_receivers;
    }
    play_with(&config, CONFIG, Timestamp::from_millis(START_MS), script);
}

#[test]
fn a_receiver_that_is_down_hears_of_it_later() {
    // Attempts go on with growing waits; a newer look at the group replaces the message.
    failing(
        FailureReceivers::Off,
        "
        0s   down team
        0s   fire A job=x
        1m   fire B job=y to=other
        1m30s want other: first notification: B
        7m   fire C job=x
        21m  up team
        21m7s424ms want team: first notification: A C
        40m  end
        ",
    );
}

#[test]
fn the_failure_of_a_receiver_is_told_to_another() {
    // `other` does not hear of ends.
    failing(
        FailureReceivers::Auto,
        "
        0s   down team
        0s   fire A job=x
        46s79ms want other: first notification: BinnacleNotificationsFailing
        10m  up team
        10m24s750ms want team: first notification: BinnacleNotificationsFailing
        10m30s want team: first notification: A
        11m16s79ms want team: all alerts resolved: resolved BinnacleNotificationsFailing
        40m  end
        ",
    );
}

#[test]
fn a_receiver_that_refuses_is_told_of_to_another_and_the_named_one_goes_first() {
    failing(
        FailureReceivers::Named(vec!["both".to_owned(), "other".to_owned()]),
        "
        0s   refuse team
        0s   fire A job=x
        30s  want both: first notification: BinnacleNotificationsFailing
        31s  restart
        4m   accept team
        5m30s want team: first notification: A
        10m30s want both: all alerts resolved: resolved BinnacleNotificationsFailing
        40m  end
        ",
    );
}

#[test]
fn where_the_stand_in_fails_too_the_next_one_hears_of_both() {
    failing(
        FailureReceivers::Named(vec!["both".to_owned(), "other".to_owned()]),
        "
        0s   refuse team
        0s   refuse both
        0s   fire A job=x
        30s  want other: first notification: BinnacleNotificationsFailing BinnacleNotificationsFailing
        2m   end
        ",
    );
}

#[test]
fn the_silence_of_a_receiver_is_told_to_another() {
    // What hung since before it answered again does not count against it.
    failing(
        FailureReceivers::Auto,
        "
        0s   hang team
        0s   fire A job=x
        5m30s want other: first notification: BinnacleNotificationsFailing
        5m45s answer team
        6m   want team: first notification: BinnacleNotificationsFailing
        10m30s want team: first notification: A
        11m  want team: all alerts resolved: resolved BinnacleNotificationsFailing
        40m  end
        ",
    );
}

#[test]
fn attempts_count_though_each_look_at_the_group_begins_anew() {
    let mut config = parse(&CONFIG.replace("group_interval: 5m", "group_interval: 5s"));
    if let Some(config) = Arc::get_mut(&mut config) {
        config.own.failure_receivers = FailureReceivers::Auto;
    }
    play_with(
        &config,
        CONFIG,
        Timestamp::from_millis(START_MS),
        "
        0s   down team
        0s   fire A job=x
        36s250ms want other: first notification: BinnacleNotificationsFailing
        50s  end
        ",
    );
}

#[test]
fn a_broken_template_is_told_once_and_does_not_keep_itself_alive() {
    let start = Timestamp::from_millis(START_MS);
    play(
        CONFIG,
        CONFIG,
        start,
        "
        0s   break team
        0s   fire A job=x
        30s  want team: first notification: A
        1m   want team: first notification: BinnacleTemplateFailing
        1h1m want team: all alerts resolved: resolved BinnacleTemplateFailing
        1h5m30s want team: repeat interval elapsed: A
        1h6m want team: first notification: BinnacleTemplateFailing
        2h6m want team: all alerts resolved: resolved BinnacleTemplateFailing
        2h10m30s want team: repeat interval elapsed: A
        2h10m45s end
        ",
    );
    // The same where it comes together with what it is about.
    play(
        &CONFIG.replace("group_by: [job]", "group_by: []"),
        CONFIG,
        start,
        "
        0s   break team
        0s   fire A job=x
        30s  want team: first notification: A
        5m30s want team: new alerts added: A BinnacleTemplateFailing
        1h30s want team: some alerts resolved: A; resolved BinnacleTemplateFailing
        2h5m30s want team: repeat interval elapsed: A
        2h10m30s want team: new alerts added: A BinnacleTemplateFailing
        3h   end
        ",
    );
}

#[test]
fn what_ended_misses_nobody() {
    let mut config = parse(CONFIG);
    if let Some(config) = Arc::get_mut(&mut config) {
        config.own.failure_receivers = FailureReceivers::Off;
    }
    let unheard = |world: &World| {
        let rows = crate::rows::load(&world.state, Timestamp::MIN).expect("rows");
        let fingerprint = model::Labels::from_pairs(alert(&["A", "job=x"]).labels).fingerprint();
        let is_listed = world.machine.unheard.contains_key(&fingerprint);
        let has_row = rows.unheard.iter().any(|(one, _)| *one == fingerprint);
        assert_eq!(has_row, is_listed);
        is_listed
    };
    // Its notification is given up after it ended.
    let mut world = World::new(&config, Timestamp::from_millis(START_MS));
    let at = |world: &World, seconds: i64| world.start.plus_millis(seconds * 1000);
    world.down.insert("team".to_owned());
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    world.advance_to(at(&world, 60));
    let ended = crate::PostedAlert {
        ends_at: Some(world.now),
        ..alert(&["A", "job=x"])
    };
    world.input(Input::Put(vec![ended]));
    world.advance_to(at(&world, 400));
    assert!(!unheard(&world));
    // It fires on, and another configuration sends it to nobody, or to others.
    for other in [
        CONFIG.replace(", webhook_configs: [{url: 'http://team'}]", ""),
        CONFIG.replace("matchers: ['to=other']", "matchers: ['job=x']"),
    ] {
        for restarts in [false, true] {
            let mut world = World::new(&config, Timestamp::from_millis(START_MS));
            world.refusing.insert("team".to_owned());
            world.input(Input::Put(vec![alert(&["A", "job=x"])]));
            world.advance_to(at(&world, 40));
            assert!(unheard(&world));
            let other = parse(&other);
            if restarts {
                world.config = other;
                world.restart();
            } else {
                world.reload(&other);
            }
            assert!(!unheard(&world));
            assert_eq!(world.machine.undelivered(world.now), []);
        }
    }
}

#[test]
fn what_nobody_heard_of_is_listed_until_somebody_did() {
    let mut config = parse(CONFIG);
    if let Some(config) = Arc::get_mut(&mut config) {
        config.own.failure_receivers = FailureReceivers::Off;
    }
    let mut world = World::new(&config, Timestamp::from_millis(START_MS));
    let at = |world: &mut World, seconds: i64| {
        world.advance_to(world.start.plus_millis(seconds * 1000));
        let views = world.machine.undelivered(world.now);
        let names = views.iter().map(|view| view.alert.name().to_owned());
        names.collect::<Vec<String>>()
    };
    world.refusing.insert("team".to_owned());
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    assert_eq!(at(&mut world, 10), Vec::<String>::new());
    // A refusal leaves nothing in the outbox.
    assert_eq!(at(&mut world, 40), ["A"]);
    world.restart();
    assert_eq!(at(&mut world, 200), ["A", "BinnacleNotificationsFailing"]);
    world.refusing.clear();
    assert_eq!(at(&mut world, 700), Vec::<String>::new());
    // One that hangs is as good as one that fails, after a minute.
    world.hanging.insert("team".to_owned());
    world.input(Input::Put(vec![alert(&["B", "job=y"])]));
    assert_eq!(at(&mut world, 760), Vec::<String>::new());
    assert_eq!(at(&mut world, 800), ["B"]);
}

#[test]
fn a_receiver_that_hangs_delays_nobody() {
    play(
        CONFIG,
        CONFIG,
        Timestamp::from_millis(START_MS),
        "
        0s   hang team
        0s   fire A job=x to=both
        30s  want both: first notification: A
        1m   fire B job=y to=other
        1m30s want other: first notification: B
        2m   end
        ",
    );
}
