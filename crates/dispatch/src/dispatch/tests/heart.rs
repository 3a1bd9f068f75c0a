//! The dead-man's switch with a real socket, on a simulated clock.

use super::{PATIENCE, Running, alert, config, state};
use crate::config::{Config, Heartbeat};
use config::{HttpClientConfig, Secret, http_client::SecretSource};
use model::Timestamp;
use runtime::{Clock as _, SimulatedClock};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Whoever waits for heartbeats: the first lines of requests.
fn switch() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!(
        "http://{}/ping/SECRET",
        listener.local_addr().expect("address")
    );
    let (sender, lines) = sync_channel(100);
    let serve = move || {
        while let Ok((stream, _)) = listener.accept() {
            let mut reader = BufReader::new(&stream);
            let mut first = String::new();
            reader.read_line(&mut first).expect("request");
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                line.clear();
            }
            let mut writer = &stream;
            writer
                .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nOK")
                .expect("answer");
            if sender.send(first).is_err() {
                return;
            }
        }
    };
    runtime::thread::spawn("switch", serve).expect("thread");
    (url, lines)
}

struct World {
    clock: Arc<SimulatedClock>,
    running: Running,
    beats: Receiver<String>,
}

impl World {
    fn new(receiver: &str) -> Self {
        let (url, beats) = switch();
        let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(
            1_795_132_800_000,
        )));
        let mut config = Config::clone(&config(receiver, ""));
        config.own.heartbeat = Some(Heartbeat {
            url: SecretSource::Text(Secret::new(url)),
            posts: false,
            interval_ms: 60_000,
            stalled_after_ms: 300_000,
            http: HttpClientConfig::default(),
        });
        let shared = Arc::clone(&clock) as runtime::SharedClock;
        let running = Running::start_at(&state(), &Arc::new(config), shared);
        Self {
            clock,
            running,
            beats,
        }
    }

    /// A minute passes; answers whether a heartbeat came out of it, by the numbers that are kept.
    fn minute(&self, evaluates: bool, probe: bool, rounds: bool) -> bool {
        let shared = &self.running.dispatch.shared;
        self.clock.advance(Duration::from_secs(60));
        if probe {
            self.running.dispatch.probed().expect("stored");
        }
        if rounds {
            let now = u64::try_from(self.clock.monotonic().as_millis()).expect("small");
            shared.wake();
            while shared.signs.round_ms() < now {
                std::thread::yield_now();
            }
        }
        let (sent, withheld) = (self.count("sent"), self.count("withheld"));
        shared.look(evaluates);
        if self.count("withheld") > withheld {
            return false;
        }
        let line = self.beats.recv_timeout(PATIENCE).expect("a heartbeat");
        assert_eq!(line, "GET /ping/SECRET HTTP/1.1\r\n");
        while self.count("sent") == sent {
            std::thread::yield_now();
        }
        true
    }

    fn count(&self, result: &str) -> u64 {
        let text = self.running.registry.render();
        let start = format!("binnacle_dispatch_heartbeats_total{{result=\"{result}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&start));
        value.map_or(0, |value| value.parse().expect("a number"))
    }

    fn minutes(&self, count: u32, evaluates: bool, probe: bool, rounds: bool) -> u32 {
        let beats = (0..count).filter(|_| self.minute(evaluates, probe, rounds));
        u32::try_from(beats.count()).expect("small")
    }
}

#[test]
fn a_heartbeat_leaves_while_alerts_would() {
    let world = World::new("http://127.0.0.1:1/");
    assert_eq!(world.minutes(6, true, true, true), 6);
    // Each of the first two stages in turn; five minutes are forgiven.
    assert_eq!(world.minutes(7, false, true, true), 5, "evaluation");
    assert_eq!(world.minutes(1, true, true, true), 1);
    assert_eq!(world.minutes(7, true, false, true), 5, "probes are lost");
    assert_eq!(world.minutes(1, true, true, true), 1);
    let text = world.running.registry.render();
    assert!(
        text.contains("binnacle_dispatch_stage_silent_seconds{stage=\"routing\"} 0"),
        "{text}"
    );
    // The dispatcher's thread ends.
    world.running.shutdown.trigger();
    while !world
        .running
        .thread
        .as_ref()
        .is_some_and(std::thread::JoinHandle::is_finished)
    {
        std::thread::yield_now();
    }
    assert_eq!(world.minutes(7, true, true, false), 5, "no thread");
}

#[test]
fn it_stops_while_an_alert_reaches_nobody() {
    let world = World::new("http://127.0.0.1:1/");
    assert_eq!(world.minutes(2, true, true, true), 2);
    world
        .running
        .dispatch
        .put(vec![alert("A", false)])
        .expect("taken");
    // The only receiver refuses connections; the first attempt has failed when its end is told.
    while world.running.dispatch.undelivered().is_empty() {
        world
            .running
            .dispatch
            .put(vec![alert("A", false)])
            .expect("taken");
        std::thread::yield_now();
    }
    let mut beats = 0;
    for _ in 0..8 {
        world
            .running
            .dispatch
            .put(vec![alert("A", false)])
            .expect("taken");
        beats += world.minutes(1, true, true, true);
    }
    assert_eq!(beats, 5);
    assert!(world.running.dispatch.shared.signs.is_quiet());
    world
        .running
        .dispatch
        .shared
        .closing
        .store(true, Ordering::SeqCst);
}
