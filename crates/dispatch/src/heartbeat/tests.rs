use super::{Beat, Stage, Watch};
use std::time::Duration;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Half an hour of a beat a minute; `is_alive` says what is alive in each second. Answers the minutes with a beat.
fn minutes(is_alive: fn(u64, Stage) -> bool) -> Vec<u64> {
    let mut watch = Watch::new(s(0));
    let mut beats = Vec::new();
    for second in 0..1800 {
        for stage in Stage::ALL {
            if is_alive(second, stage) {
                watch.alive(stage, s(second));
            }
        }
        if watch.beat(s(second), s(60), s(300)) == Beat::Send {
            assert_eq!(second % 60, 0, "steady");
            beats.push(second / 60);
        }
    }
    beats
}

#[test]
fn it_beats_while_all_stages_live() {
    assert_eq!(minutes(|_, _| true), (0..30).collect::<Vec<u64>>());
    // A hiccup shorter than the limit is none.
    let hiccup = |second: u64, _| !(600..890).contains(&second);
    assert_eq!(minutes(hiccup).len(), 30);
}

#[test]
fn each_stage_alone_stops_it_and_its_return_starts_it() {
    let stalls: [fn(u64, Stage) -> bool; 3] = [
        |second, stage| stage != Stage::Evaluation || !(600..1200).contains(&second),
        |second, stage| stage != Stage::Routing || !(600..1200).contains(&second),
        |second, stage| stage != Stage::Delivery || !(600..1200).contains(&second),
    ];
    for stall in stalls {
        let want: Vec<u64> = (0..15).chain(20..30).collect();
        assert_eq!(minutes(stall), want);
    }
}

#[test]
fn it_says_which_stages_keep_it_back() {
    let mut watch = Watch::new(s(0));
    watch.alive(Stage::Routing, s(400));
    assert_eq!(
        watch.beat(s(500), s(60), s(300)),
        Beat::Withhold(vec![Stage::Evaluation, Stage::Delivery])
    );
    let silent: Vec<u64> = watch.silence(s(500)).map(|(_, d)| d.as_secs()).collect();
    assert_eq!(silent, [500, 100, 500]);
}

#[test]
fn after_a_long_pause_there_is_one_beat() {
    let mut watch = Watch::new(s(0));
    assert_eq!(watch.beat(s(0), s(60), s(9999)), Beat::Send);
    assert_eq!(watch.beat(s(1000), s(60), s(9999)), Beat::Send);
    assert_eq!(watch.beat(s(1001), s(60), s(9999)), Beat::NotYet);
}
