//! Measures evaluation itself, without HTTP: the dashboard queries of `cargo xtask bench metrics` over a
//! store with the same data. `cargo run --release -p promql --example measure [FOLDER] [ROUNDS] [QUERY…]`
//! keeps the data in FOLDER; other queries than the usual ones may follow. `cargo test` does a tiny run.

use model::{Labels, Timestamp};
use promql::{Engine, EngineOptions, QueryResult, QueryValue};
use runtime::{Random, SystemClock};
use std::path::Path;
use tsdb::{Db, Options};

const STEP_MS: i64 = 15_000;
const SERIES_PER_HOST: usize = 100;

const QUERIES: [&str; 12] = [
    r#"load_1_ratio{instance="host-7:9100"}"#,
    r#"rate(requests_0_total{instance="host-7:9100"}[5m])"#,
    r"sum(rate(requests_0_total[5m]))",
    r"sum by (job) (rate(requests_3_total[5m]))",
    r"sum by (instance) (rate(requests_3_total[5m]))",
    r"topk(5, rate(requests_6_total[5m]))",
    r"avg by (job) (temperature_1_celsius)",
    r"max_over_time(temperature_4_celsius[10m])",
    r"quantile by (job) (0.95, load_2_ratio)",
    r"load_2_ratio > 99",
    r#"count({job="web"})"#,
    r"rate(requests_0_total[5m]) / on (instance, core) requests_3_total",
];

/// How much is written.
#[derive(Clone, Copy)]
struct Size {
    hosts: usize,
    samples: usize,
}

/// A query's median time and what it answered.
struct Measured {
    query: String,
    milliseconds: f64,
    series: usize,
    samples_read: u64,
    hash: u64,
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = arguments
        .first()
        .map_or(temporary.path(), |text| Path::new(text));
    let rounds = arguments.get(1).and_then(|text| text.parse().ok());
    let queries: Vec<&str> = match arguments.get(2..) {
        Some(some) if !some.is_empty() => some.iter().map(String::as_str).collect(),
        _ => QUERIES.to_vec(),
    };
    let size = Size {
        hosts: 200,
        samples: 240,
    };
    let measured = measure(size, folder, &queries, rounds.unwrap_or(7));
    for one in &measured {
        println!(
            "{:>9.2} ms {:>6} series {:>9} samples {:016x}  {}",
            one.milliseconds, one.series, one.samples_read, one.hash, one.query
        );
    }
    let all: f64 = measured.iter().map(|one| one.milliseconds).sum();
    println!("{all:>9.2} ms in all");
}

fn measure(size: Size, folder: &Path, queries: &[&str], rounds: usize) -> Vec<Measured> {
    let clock = SystemClock::shared();
    let db = Db::open(Options::new(folder)).expect("opens");
    let end = db.stats(1).end_ms.unwrap_or_else(|| {
        let end = clock.now().millis() / STEP_MS * STEP_MS;
        append_all(&db, size, end);
        db.sync().expect("syncs");
        end
    });
    let engine = Engine::new(EngineOptions::new(clock));
    let measured = queries
        .iter()
        .map(|query| measured(&engine, &db, query, (end, rounds)));
    measured.collect()
}

fn measured(engine: &Engine, db: &Db, query: &str, (end, rounds): (i64, usize)) -> Measured {
    let expr = promql::parse(query).expect("a valid query");
    let at = |millis| Timestamp::from_millis(millis);
    let mut times = Vec::new();
    let mut last: Option<QueryResult> = None;
    for _ in 0..rounds {
        let result = engine
            .range(db, &expr, (at(end - 3_540_000), at(end)), STEP_MS)
            .expect("evaluates");
        times.push(result.stats.total_seconds * 1000.0);
        last = Some(result);
    }
    times.sort_by(f64::total_cmp);
    let last = last.expect("at least one round");
    let (series, hash) = hashed(&last.value);
    Measured {
        query: query.to_owned(),
        milliseconds: times.get(rounds / 2).copied().unwrap_or(f64::NAN),
        series,
        samples_read: last.stats.samples_touched,
        hash,
    }
}

/// Number of series and a hash of the answer.
fn hashed(value: &QueryValue) -> (usize, u64) {
    let mut hash = 0_u64;
    let mut mix = |word: u64| {
        hash = (hash ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    };
    let QueryValue::Matrix(series) = value else {
        return (0, 0);
    };
    for one in series {
        mix(one.labels.fingerprint());
        for sample in &one.samples {
            mix(sample.timestamp.millis().cast_unsigned());
            if let model::Value::Float(float) = sample.value {
                mix(float.to_bits());
            }
        }
    }
    (series.len(), hash)
}

fn append_all(db: &Db, size: Size, end: i64) {
    let mut random = Random::from_seed(42);
    let names: Vec<Labels> = (0..size.hosts * SERIES_PER_HOST).map(labels).collect();
    let mut levels: Vec<f64> = names.iter().map(|_| random.unit() * 100.0).collect();
    for sample in 0..size.samples {
        let back = i64::try_from(size.samples - 1 - sample).unwrap_or_default();
        let at = Timestamp::from_millis(end - back * STEP_MS);
        let mut batch = db.batch();
        for (index, (labels, level)) in names.iter().zip(&mut levels).enumerate() {
            *level = advance(index, *level, &mut random);
            assert!(
                batch.push_encoded(labels.encoded(), at, *level),
                "below the limit"
            );
            if (index + 1).is_multiple_of(5000) {
                batch.commit().expect("takes samples");
            }
        }
        batch.commit().expect("takes samples");
    }
}

fn advance(index: usize, level: f64, random: &mut Random) -> f64 {
    match index % 3 {
        0 => level + (random.unit() * 1000.0).floor(),
        1 => ((level + random.unit() - 0.5) * 100.0).round() / 100.0,
        _ => (random.unit() * 100_000.0).round() / 1000.0,
    }
}

fn labels(index: usize) -> Labels {
    let (host, metric) = (index / SERIES_PER_HOST, index % SERIES_PER_HOST);
    let name = match index % 3 {
        0 => format!("requests_{}_total", metric % 10),
        1 => format!("temperature_{}_celsius", metric % 10),
        _ => format!("load_{}_ratio", metric % 10),
    };
    let job = if host.is_multiple_of(2) { "web" } else { "db" };
    Labels::from_pairs([
        ("__name__", name.as_str()),
        ("core", &format!("{}", metric / 10)),
        ("instance", &format!("host-{host}:9100")),
        ("job", job),
    ])
}

#[cfg(test)]
mod tests {
    use super::{QUERIES, Size, measure};

    #[test]
    fn a_tiny_run_answers_every_query() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let size = Size {
            hosts: 8,
            samples: 30,
        };
        let measured = measure(size, folder.path(), &QUERIES, 1);
        assert!(measured.iter().filter(|one| one.series > 0).count() > 9);
    }
}
