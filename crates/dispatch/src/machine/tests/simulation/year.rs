//! A year with daylight saving, a clock that is set, and a thousand crashes.
//!
//! `BINNACLE_SEEDS="1 2 3" cargo test -p dispatch year` lives other years.

use super::{Host, Odds, SMOOTH, alert};
use crate::alert::PostedAlert;
use crate::machine::Input;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use model::{Labels, Timestamp};
use std::collections::BTreeSet;

/// `always` hears of everything at any time, `office` during office hours in Berlin, `sleeper` outside of the
/// night in New York, which begins and ends where the clocks change.
const CONFIG: &str = "
global: {resolve_timeout: 100000h}
time_intervals:
  - name: office
    time_intervals:
      - {weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}], location: Europe/Berlin}
  - name: night
    time_intervals:
      - {times: [{start_time: '00:00', end_time: '03:00'}], location: America/New_York}
route:
  receiver: always
  group_by: [job]
  group_wait: 1m
  group_interval: 4h
  repeat_interval: 20h
  routes:
    - {receiver: office, matchers: ['team=office'], continue: true, active_time_intervals: [office]}
    - {receiver: sleeper, matchers: ['team=sleeper'], continue: true, mute_time_intervals: [night], group_interval: 50m}
    - {receiver: always}
receivers:
  - {name: always, webhook_configs: [{url: 'http://a'}]}
  - {name: office, webhook_configs: [{url: 'http://o'}]}
  - {name: sleeper, webhook_configs: [{url: 'http://s'}]}
";

const ODDS: Odds = Odds {
    failed_write: 12,
    crash_at_write: 16,
    crash_before_attempt: 12,
    failed_attempt: 6,
    crash_after_attempt: 12,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const TEAMS: [&str; 3] = ["office", "sleeper", "none"];

/// Which alerts fire: team, and one of two of each.
type Firing = BTreeSet<(usize, u64)>;

fn labels_of((team, number): (usize, u64)) -> PostedAlert {
    let (job, team) = (format!("job=j{team}"), format!("team={}", TEAMS[team]));
    alert(&["A", &job, &team, &format!("instance={number}")])
}

/// Something happens to an alert.
fn change(host: &mut Host, firing: &mut Firing) {
    let team = usize::try_from(host.random.below(3)).expect("small");
    let one = (team, host.random.below(2));
    let ends = firing.contains(&one);
    let posted = |now| PostedAlert {
        ends_at: ends.then_some(now),
        ..labels_of(one)
    };
    while !host.step(&Input::Put(vec![posted(host.now)])) {}
    if ends {
        firing.remove(&one);
    } else {
        firing.insert(one);
    }
}

/// The clock is set by an hour, sometimes while the process is not there.
fn set_clock(host: &mut Host) {
    let by_ms = if host.chance(2) { HOUR_MS } else { -HOUR_MS };
    host.now = host.now.plus_millis(by_ms);
    if host.chance(3) {
        host.crash();
    } else {
        host.set_by_ms = by_ms;
        host.step(&Input::ClockSet(by_ms));
        host.set_by_ms = 0;
    }
}

/// A day on which nothing goes wrong: then everybody knows how things are.
fn check_all_know(host: &mut Host, firing: &Firing) {
    let odds = std::mem::replace(&mut host.odds, SMOOTH);
    host.run_until(host.now.plus_millis(DAY_MS));
    host.odds = odds;
    let want: BTreeSet<u64> = firing
        .iter()
        .map(|one| Labels::from_pairs(labels_of(*one).labels).fingerprint())
        .collect();
    let told = host.machine.log.iter();
    let known: BTreeSet<u64> = told
        .filter(|((_, target), _)| target.receiver == "always")
        .flat_map(|(_, entry)| entry.firing.clone())
        .collect();
    let seed = host.seed;
    assert_eq!(known, want, "seed {seed} at {}", host.now);
}

fn live(seed: u64) {
    let mut host = Host::new(seed, CONFIG);
    host.odds = ODDS;
    let mut firing = Firing::new();
    let mut set = 0;
    for day in 0..365 {
        for _ in 0..3 {
            let wait_ms = i64::try_from(host.random.below(16 * 3_600_000)).expect("small");
            host.run_until(host.now.plus_millis(wait_ms));
            change(&mut host, &mut firing);
        }
        if host.chance(7) {
            set_clock(&mut host);
            set += 1;
        }
        if day % 30 == 29 {
            check_all_know(&mut host, &firing);
        }
    }
    check_arrivals(&host);
    check_times(&host);
    let crashes = host.crashes;
    assert!(crashes >= 1000, "seed {seed}: only {crashes} crashes");
    assert!(set > 20, "seed {seed}: the clock was set {set} times");
    assert!(host.arrivals.len() > 1000, "{}", host.arrivals.len());
}

/// Each notification at least once, and at most once and the crashes that kept us from noting it.
fn check_arrivals(host: &Host) {
    let seed = host.seed;
    for id in &host.promised {
        let pending = host.machine.outbox.iter().any(|p| p.notice.id == *id);
        assert!(
            host.arrivals.contains_key(id) || pending,
            "seed {seed}: {id} never arrived"
        );
    }
    for (id, (count, text)) in &host.arrivals {
        let excused = host.unnoted.get(id).copied().unwrap_or(0);
        assert!(
            *count <= 1 + excused,
            "seed {seed}: {text} arrived {count} times with {excused} crashes"
        );
    }
}

/// Nobody was told at a time that is muted, by the clock on the wall there.
fn check_times(host: &Host) {
    let zone = |name: &str| TimeZone::get(name).expect("known");
    let (berlin, new_york) = (zone("Europe/Berlin"), zone("America/New_York"));
    let mut seasons = BTreeSet::new();
    for (receiver, at) in &host.made {
        let local = |zone: &TimeZone| {
            let at = jiff::Timestamp::from_millisecond(at.millis()).expect("a moment");
            at.to_zoned(zone.clone())
        };
        match receiver.as_str() {
            "office" => {
                let there = local(&berlin);
                let weekend = [Weekday::Saturday, Weekday::Sunday].contains(&there.weekday());
                let ok = !weekend && (9..17).contains(&there.hour());
                assert!(ok, "seed {}: told at {there}", host.seed);
                seasons.insert(there.offset().seconds());
            }
            "sleeper" => {
                let there = local(&new_york);
                assert!(there.hour() >= 3, "seed {}: told at {there}", host.seed);
                seasons.insert(there.offset().seconds());
            }
            _ => {}
        }
    }
    assert_eq!(seasons.len(), 4, "summer and winter in both: {seasons:?}");
    let days: BTreeSet<i64> = host.made.iter().map(|(_, at)| day(*at)).collect();
    assert!(days.len() > 300, "told on {} days", days.len());
}

const fn day(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MS)
}

#[test]
fn a_year_of_daylight_saving_clock_steps_and_crashes() {
    let seeds = runtime::environment::var("BINNACLE_SEEDS").unwrap_or_else(|| "34".to_owned());
    for seed in seeds.split_whitespace() {
        live(seed.parse().expect("a number"));
    }
}
