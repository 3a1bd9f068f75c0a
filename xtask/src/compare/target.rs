//! A target whose every sample carries its time: two servers that scrape it at different moments store the same.

use crate::listener;
use std::fmt::Write as _;
use std::sync::Arc;

/// Samples lie on this grid.
const STEP_MS: i64 = 5_000;

/// A running target.
pub(super) struct Target {
    pub(super) address: String,
    listener: listener::Listener,
}

impl Target {
    pub(super) fn start() -> anyhow::Result<Self> {
        let answer = |_request: String| exposition(crate::bench::now_ms().unwrap_or_default());
        let listener = listener::Listener::start(Arc::new(answer))?;
        Ok(Self {
            address: listener.address.clone(),
            listener,
        })
    }

    pub(super) fn stop(self) {
        self.listener.stop();
    }
}

/// What the target says at a moment: everything follows from the step's number.
fn exposition(now_ms: i64) -> String {
    // Two steps back: whoever scrapes a little later still gets a sample that is not in the future.
    let step = now_ms / STEP_MS - 1;
    let at = step * STEP_MS;
    let mut text = String::new();
    let mut line = |name: &str, labels: &str, value: f64| {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{name}{{{labels}}} {value} {at}");
    };
    for instance in 0..3_i32 {
        for (index, code) in ["200", "404", "500"].iter().enumerate() {
            let speed = f64::from(instance + 1) * (5.0 - 2.0 * small(index));
            // Restarts every 40 steps, so that rates meet resets.
            let value = (mixed(step % 40) * speed).floor();
            line(
                "http_requests_total",
                &format!("code=\"{code}\",shard=\"{instance}\""),
                value,
            );
        }
        let wave = (mixed(step) / (7.0 + f64::from(instance))).sin() * 20.0 + 50.0;
        line(
            "temperature_celsius",
            &format!("shard=\"{instance}\""),
            wave,
        );
        line(
            "memory_bytes",
            &format!("shard=\"{instance}\""),
            (wave * 1e6).floor(),
        );
    }
    let mut total = 0.0;
    for (index, bound) in ["0.1", "0.5", "1", "5", "+Inf"].iter().enumerate() {
        total += mixed(step % 200) * (1.0 + small(index));
        line(
            "latency_seconds_bucket",
            &format!("le=\"{bound}\""),
            total.floor(),
        );
    }
    line("latency_seconds_count", "", total.floor());
    line("latency_seconds_sum", "", total / 3.0);
    if step % 10 < 5 {
        line("sometimes", "", 1.0);
    }
    line("dropped_by_relabelling", "", 1.0);
    line("not_a_number", "", f64::NAN);
    text
}

#[expect(
    clippy::cast_precision_loss,
    reason = "steps since 1970 are far below 2^53"
)]
fn mixed(step: i64) -> f64 {
    step as f64
}

fn small(index: usize) -> f64 {
    f64::from(u32::try_from(index).unwrap_or(u32::MAX))
}
