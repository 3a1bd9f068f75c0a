//! The data that is pushed: hosts with 100 series each, a third counters, a third gauges with two decimals,
//! a third gauges that are noisy to the last bit a user would keep.

use crate::remote_write::{self, TimeSeries};

const SERIES_PER_HOST: usize = 100;
const SERIES_PER_REQUEST: usize = 5_000;

/// Request bodies in the order of time: each holds one sample of up to 5,000 series.
pub(super) fn bodies(
    series: usize,
    samples: usize,
    end_ms: i64,
    step_ms: i64,
) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut random = Random(42);
    let mut levels: Vec<f64> = (0..series).map(|_| random.unit() * 100.0).collect();
    let mut bodies = Vec::new();
    for sample in 0..samples {
        let back = i64::try_from(samples - 1 - sample)?;
        let at = end_ms - back * step_ms;
        let mut request = Vec::with_capacity(SERIES_PER_REQUEST);
        for (index, level) in levels.iter_mut().enumerate() {
            *level = advance(index, *level, &mut random);
            request.push(row(index, at, *level));
            if request.len() == SERIES_PER_REQUEST {
                bodies.push(remote_write::encode(std::mem::take(&mut request))?);
            }
        }
        if !request.is_empty() {
            bodies.push(remote_write::encode(request)?);
        }
    }
    Ok(bodies)
}

fn advance(index: usize, level: f64, random: &mut Random) -> f64 {
    match index % 3 {
        0 => level + (random.unit() * 1000.0).floor(),
        1 => ((level + random.unit() - 0.5) * 100.0).round() / 100.0,
        _ => (random.unit() * 100_000.0).round() / 1000.0,
    }
}

fn row(index: usize, at: i64, value: f64) -> TimeSeries {
    let (host, metric) = (index / SERIES_PER_HOST, index % SERIES_PER_HOST);
    let name = match index % 3 {
        0 => format!("requests_{}_total", metric % 10),
        1 => format!("temperature_{}_celsius", metric % 10),
        _ => format!("load_{}_ratio", metric % 10),
    };
    let (instance, core) = (format!("host-{host}:9100"), format!("{}", metric / 10));
    let job = if host.is_multiple_of(2) { "web" } else { "db" };
    let labels = [
        ("__name__", name.as_str()),
        ("core", &core),
        ("instance", &instance),
        ("job", job),
    ];
    remote_write::series(&labels, at, value)
}

/// SplitMix64: the same data in every run.
struct Random(u64);

impl Random {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }
}
