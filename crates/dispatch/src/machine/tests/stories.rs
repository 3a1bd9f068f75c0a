use super::{START_MS, World, alert, parse, play};
use crate::machine::Input;
use model::Timestamp;

/// One receiver that hears of everything; `other` does not hear of ends.
pub(super) const CONFIG: &str = "
global: {resolve_timeout: 1000h}
route:
  receiver: team
  group_by: [job]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes:
    - {receiver: other, matchers: ['to=other']}
    - {receiver: both, matchers: ['to=both'], continue: true}
    - {receiver: team, matchers: ['to=both']}
receivers:
  - {name: team, webhook_configs: [{url: 'http://team'}]}
  - {name: other, webhook_configs: [{url: 'http://other', send_resolved: false}]}
  - {name: both, webhook_configs: [{url: 'http://both'}]}
inhibit_rules:
  - {source_matchers: ['severity=critical'], target_matchers: ['severity=~warning|critical'], equal: [job]}
";

fn story(script: &str) {
    play(CONFIG, CONFIG, Timestamp::from_millis(START_MS), script);
}

#[test]
fn alerts_of_a_group_are_told_together() {
    story(
        "
        0s   fire A job=x
        10s  fire B job=x
        20s  fire C job=y
        30s  want team: first notification: A B
        50s  want team: first notification: C
        1m   fire D job=x
        2m   fire E job=x
        5m30s want team: new alerts added: A B D E
        20m  end
        ",
    );
}

#[test]
fn an_unchanged_group_is_told_again_after_the_repeat_interval() {
    // As upstream: at the first look that is later than the interval, not equal to it.
    story(
        "
        0s     fire A job=x
        30s    want team: first notification: A
        1h5m30s want team: repeat interval elapsed: A
        2h10m30s want team: repeat interval elapsed: A
        2h30m  end
        ",
    );
}

#[test]
fn ends_are_told_once() {
    story(
        "
        0s   fire A job=x
        0s   fire B job=x
        30s  want team: first notification: A B
        1m   resolve A job=x
        5m30s want team: some alerts resolved: B; resolved A
        6m   resolve B job=x
        10m30s want team: all alerts resolved: resolved B
        30m  fire B job=x
        30m30s want team: first notification: B
        40m  end
        ",
    );
}

#[test]
fn who_does_not_want_ends_hears_of_none() {
    story(
        "
        0s   fire A job=x to=other
        0s   fire B job=x to=other
        30s  want other: first notification: A B
        1m   resolve A job=x to=other
        6m   fire C job=x to=other
        10m30s want other: new alerts added: B C
        11m  resolve B job=x to=other
        11m  resolve C job=x to=other
        30m  fire B job=x to=other
        30m30s want other: first notification: B
        40m  end
        ",
    );
}

#[test]
fn what_came_and_went_unseen_is_not_told() {
    story(
        "
        0s   fire A job=x
        10s  resolve A job=x
        5m   fire B job=y
        5m30s want team: first notification: B
        6m   fire C job=y
        7m   resolve C job=y
        10m30s want team: some alerts resolved: B; resolved C
        40m  end
        ",
    );
}

#[test]
fn an_old_alert_does_not_wait() {
    story(
        "
        0s   fire-since 1h A job=x
        0s   want team: first notification: A
        5m   end
        ",
    );
}

#[test]
fn an_alert_that_nobody_reports_ends_by_itself() {
    play(
        &CONFIG.replace("1000h", "5m"),
        CONFIG,
        Timestamp::from_millis(START_MS),
        "
        0s   fire A job=x
        30s  want team: first notification: A
        4m   fire A job=x
        10m30s want team: all alerts resolved: resolved A
        0s   told A firing
        9m   told A resolved
        12m  restart
        12m  told A resolved
        20m  end
        ",
    );
}

#[test]
fn routes_that_continue_tell_more_than_one() {
    story(
        "
        0s   fire A job=x to=both
        30s  want both: first notification: A
        30s  want team: first notification: A
        1m   end
        ",
    );
}

#[test]
fn a_critical_alert_mutes_the_warning() {
    story(
        "
        0s   fire W job=x severity=warning
        0s   fire W2 job=y severity=warning
        5s   fire C job=x severity=critical
        5s   fire C2 job=x severity=critical
        30s  want team: first notification: C C2
        30s  want team: first notification: W2
        1m   resolve C job=x severity=critical
        5m30s want team: some alerts resolved: C2; resolved C
        6m   resolve C2 job=x severity=critical
        10m30s want team: new alerts added: W; resolved C2
        0s   told W firing
        0s   told W2 firing
        5s   told C firing
        5s   told W suppressed (inhibited by)
        5s   told C2 firing
        1m   told C resolved
        6m   told C2 resolved
        6m   told W firing
        12m  end
        ",
    );
}

#[test]
fn a_silence_mutes_until_it_ends() {
    story(
        "
        0s   silence s for 1h alertname=A
        1s   fire A job=x
        1s   fire B job=x
        31s  want team: first notification: B
        10m  silence t for 1h alertname=B
        15m  expire s
        15m31s want team: new alerts added: A
        1h10m31s want team: new alerts added: A B
        1h30m end
        ",
    );
}

#[test]
fn silences_are_told_to_those_who_follow() {
    story(
        "
        0s   fire A job=x
        30s  want team: first notification: A
        1m   silence s for 10m alertname=A
        20m  resolve A job=x
        20m30s want team: all alerts resolved: resolved A
        0s   told A firing
        1m   told A suppressed (silenced by)
        11m1ms told A firing
        20m  told A resolved
        30m  end
        ",
    );
}

#[test]
fn a_restart_tells_nothing_twice_and_forgets_nothing() {
    story(
        "
        0s   fire A job=x
        10s  restart
        30s  want team: first notification: A
        31s  restart
        1m   fire B job=x
        2m   restart
        5m30s want team: new alerts added: A B
        6m   resolve A job=x
        7m   restart
        10m30s want team: some alerts resolved: B; resolved A
        11m  restart
        12m  fire C job=x
        15m30s want team: new alerts added: B C
        16m  restart
        40m  end
        ",
    );
}

#[test]
fn a_restart_after_an_hour_acts_at_once() {
    let config = parse(CONFIG);
    let mut world = World::new(&config, Timestamp::from_millis(START_MS));
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    // Nothing ran for an hour, not even the first look at the group.
    world.now = world.now.plus_millis(3_600_000);
    world.restart();
    assert_eq!(world.arrived, ["1h team: first notification: A"]);
}

#[test]
fn a_notification_under_way_is_attempted_again_after_a_restart() {
    story(
        "
        0s   hang team
        0s   fire A job=x
        1m   restart
        2m   end
        ",
    );
    let config = parse(CONFIG);
    let mut world = World::new(&config, Timestamp::from_millis(START_MS));
    world.hanging.insert("team".to_owned());
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    world.advance_to(Timestamp::from_millis(START_MS + 40_000));
    assert!(world.arrived.is_empty());
    world.hanging.clear();
    world.restart();
    assert_eq!(world.arrived, ["40s team: first notification: A"]);
}

#[test]
fn an_alert_whose_source_could_not_reach_us_does_not_end_by_that() {
    play(
        &CONFIG.replace("1000h", "5m"),
        CONFIG,
        Timestamp::from_millis(START_MS),
        "
        0s   fire A job=x
        30s  want team: first notification: A
        1m   end
        ",
    );
    let config = parse(&CONFIG.replace("1000h", "5m"));
    let mut world = World::new(&config, Timestamp::from_millis(START_MS));
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    world.advance_to(Timestamp::from_millis(START_MS + 40_000));
    world.now = Timestamp::from_millis(START_MS + 3_600_000);
    world.restart();
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    world.advance_to(Timestamp::from_millis(START_MS + 3_700_000));
    assert_eq!(world.arrived, ["30s team: first notification: A"]);
}

#[test]
fn a_reload_keeps_what_goes_on() {
    let other = CONFIG.replace("receiver: other, matchers", "receiver: team, matchers");
    play(
        CONFIG,
        &other,
        Timestamp::from_millis(START_MS),
        "
        0s   fire A job=x
        0s   fire B job=x to=other
        30s  want team: first notification: A
        30s  want other: first notification: B
        1m   resolve A job=x
        2m   reload
        5m30s want team: all alerts resolved: resolved A
        5m30s want team: first notification: B
        20m  reload
        40m  end
        ",
    );
}

/// Nights are quiet in Berlin; on 2026-10-25 clocks go back at 3:00 there (01:00 UTC).
const NIGHTS: &str = "
global: {resolve_timeout: 1000h}
route:
  receiver: team
  group_wait: 30s
  group_interval: 5m
  routes: [{receiver: team, matchers: ['job=~.+'], group_by: [job], mute_time_intervals: [night]}]
receivers: [{name: team, webhook_configs: [{url: 'http://team'}]}]
time_intervals:
  - name: night
    time_intervals:
      - {times: [{start_time: '00:00', end_time: '06:00'}], location: Europe/Berlin}
";

#[test]
fn muted_times_follow_the_wall_clock_over_daylight_saving() {
    let night = |date: &str, until: &str| {
        let start: jiff::Timestamp = format!("{date}T00:10:00Z").parse().expect("moment");
        let start = Timestamp::from_millis(start.as_millisecond());
        let mut world = World::new(&parse(NIGHTS), start);
        world.input(Input::Put(vec![alert(&["A", "job=x"])]));
        world.advance_to(start.plus_millis(6 * 3_600_000));
        assert_eq!(world.arrived.len(), 1, "{:?}", world.arrived);
        let free = world.routed.iter().find(|line| line.ends_with("A firing"));
        let after = free.expect("free in the morning").split(' ').next();
        let after = model::parse_duration(after.expect("time")).expect("duration");
        assert_eq!(
            start.plus_millis(after).to_string(),
            format!("{date}T{until}:00.000Z")
        );
    };
    night("2026-10-24", "04:00");
    night("2026-10-25", "05:00");
    night("2026-10-26", "05:00");
    night("2026-03-28", "05:00");
    night("2026-03-29", "04:00");
}

#[test]
fn active_times_are_the_reverse() {
    let config = NIGHTS.replace("mute_time_intervals", "active_time_intervals");
    // Midnight UTC is one o'clock in Berlin: within.
    play(
        &config,
        &config,
        Timestamp::from_millis(START_MS),
        "
        0s   fire A job=x
        30s  want team: first notification: A
        4h5m30s want team: repeat interval elapsed: A
        6h   fire B job=y
        9h   end
        ",
    );
}

#[test]
fn a_clock_that_is_set_delays_nothing_and_ends_nothing() {
    for step in ["+1h", "-1h"] {
        let script = "
            0s   fire A job=x
            20s  clock STEP
            30s  want team: first notification: A
            1m   fire B job=x
            2m   clock STEP
            5m30s want team: new alerts added: A B
            6m   resolve A job=x
            7m   clock STEP
            10m30s want team: some alerts resolved: B; resolved A
            11m  resolve B job=x
            15m30s want team: all alerts resolved: resolved B
            40m  end
        ";
        play(
            &CONFIG.replace("1000h", "50m"),
            CONFIG,
            Timestamp::from_millis(START_MS),
            &script.replace("STEP", step),
        );
    }
}
