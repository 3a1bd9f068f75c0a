//! The data that is pushed: three sets, each a list of series templates for one host, many hosts over.
//!
//! What a series does is one of a few shapes. The fleet is noisy: a third counters, a third gauges that walk
//! with two decimals, a third noise; about 1.25 bytes of entropy a sample. The node set has the proportions of
//! a host watched by node_exporter: most series stand still, and each scrape comes some milliseconds early or
//! late. In the churn set one in a hundred of the fleet's series is replaced every five minutes.

use crate::remote_write::{self, Row};

const SERIES_PER_REQUEST: usize = 5_000;
/// Steps after which a share of the churn set's series is replaced: 5 minutes at 15 s.
const CHURN_STEPS: usize = 20;
/// One in so many series is replaced then.
const CHURN_SHARE: usize = 100;
/// Scrapes of the node set come this many milliseconds early or late.
const JITTER_MS: f64 = 3.0;

/// Which data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataSet {
    Fleet,
    Node,
    Churn,
}

impl DataSet {
    pub(super) const ALL: [Self; 3] = [Self::Fleet, Self::Node, Self::Churn];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Node => "node",
            Self::Churn => "churn",
        }
    }
}

/// How a series moves from sample to sample.
#[derive(Clone, Copy)]
enum Shape {
    Constant,
    /// Grows by a whole number below the limit.
    Counter(f64),
    /// Grows by hundredths of a second around a mean.
    Seconds(f64),
    /// Grows by whole numbers, in one step of ten.
    Seldom(f64),
    /// Walks by up to half a unit, in hundredths.
    Walk,
    /// Walks by whole pages of 4096.
    Pages(f64),
    /// Anything up to 100, in hundredths.
    Noise,
    /// A duration of some milliseconds, to the nanosecond.
    Duration,
}

struct Series {
    /// The labels without the one that tells generations apart.
    labels: Vec<(String, String)>,
    encoded: Vec<u8>,
    shape: Shape,
    level: f64,
}

/// A data set on its way through time.
pub(super) struct Workload {
    set: DataSet,
    series: Vec<Series>,
    series_per_host: usize,
    random: Random,
    steps: usize,
    generations: usize,
}

impl Workload {
    /// Makes a set of at least `series` series; hosts come whole.
    pub(super) fn new(set: DataSet, series: usize) -> Self {
        let mut random = Random(42);
        let template = match set {
            DataSet::Fleet | DataSet::Churn => fleet(),
            DataSet::Node => node(),
        };
        let mut all = Vec::with_capacity(series);
        for index in 0..series {
            let host = index / template.len();
            let (name, labels, shape) = &template[index % template.len()];
            let job = if host.is_multiple_of(2) { "web" } else { "db" };
            let mut pairs = vec![
                ("__name__".to_owned(), name.clone()),
                ("instance".to_owned(), format!("host-{host}:9100")),
                ("job".to_owned(), job.to_owned()),
            ];
            pairs.extend(labels.iter().cloned());
            pairs.sort();
            all.push(Series {
                encoded: remote_write::labels(&pairs),
                labels: pairs,
                shape: *shape,
                level: first(*shape, &mut random),
            });
        }
        Self {
            set,
            series: all,
            series_per_host: template.len(),
            random,
            steps: 0,
            generations: 0,
        }
    }

    /// Request bodies with one sample of each series at `at_ms`.
    pub(super) fn step(&mut self, at_ms: i64) -> anyhow::Result<Vec<Vec<u8>>> {
        if self.set == DataSet::Churn && self.steps > 0 && self.steps.is_multiple_of(CHURN_STEPS) {
            self.replace_some();
        }
        self.steps += 1;
        let mut bodies = Vec::new();
        let mut request = Vec::new();
        let (mut rows, mut at) = (0, at_ms);
        for (index, series) in self.series.iter_mut().enumerate() {
            if self.set == DataSet::Node && index.is_multiple_of(self.series_per_host) {
                at = at_ms + whole((self.random.unit() * 2.0 - 1.0) * JITTER_MS);
            }
            series.level = advance(series.shape, series.level, &mut self.random);
            let (labels, value) = (series.encoded.as_slice(), series.level);
            remote_write::push_row(&mut request, &Row { labels, at, value });
            rows += 1;
            if rows == SERIES_PER_REQUEST {
                bodies.push(remote_write::compress(&request)?);
                request.clear();
                rows = 0;
            }
        }
        if rows > 0 {
            bodies.push(remote_write::compress(&request)?);
        }
        Ok(bodies)
    }

    fn replace_some(&mut self) {
        self.generations += 1;
        let generation = ("pod".to_owned(), format!("pod-{}", self.generations));
        let first = self.generations % CHURN_SHARE;
        for series in self.series.iter_mut().skip(first).step_by(CHURN_SHARE) {
            let mut pairs = series.labels.clone();
            pairs.push(generation.clone());
            pairs.sort();
            series.encoded = remote_write::labels(&pairs);
            series.level = 0.0;
        }
    }
}

fn first(shape: Shape, random: &mut Random) -> f64 {
    match shape {
        Shape::Constant => [0.0, 0.0, 0.0, 1.0, 65_536.0, 8_589_934_592.0][index(random, 6)],
        Shape::Counter(_) | Shape::Seldom(_) => (random.unit() * 1e6).floor(),
        Shape::Seconds(_) => (random.unit() * 1e7).round() / 100.0,
        Shape::Walk | Shape::Noise => (random.unit() * 10_000.0).round() / 100.0,
        Shape::Pages(_) => (random.unit() * 1e6).floor() * 4096.0,
        Shape::Duration => 0.0,
    }
}

fn advance(shape: Shape, level: f64, random: &mut Random) -> f64 {
    match shape {
        Shape::Constant => level,
        Shape::Counter(limit) => level + (random.unit() * limit).floor(),
        Shape::Seconds(mean) => {
            let hundredths = (mean * 100.0 * (0.9 + 0.2 * random.unit())).round();
            ((level * 100.0).round() + hundredths) / 100.0
        }
        Shape::Seldom(limit) => {
            let moves = random.unit() < 0.1;
            level
                + if moves {
                    (random.unit() * limit).ceil()
                } else {
                    0.0
                }
        }
        Shape::Walk => ((level + random.unit() - 0.5) * 100.0).round() / 100.0,
        Shape::Pages(limit) => {
            let pages = ((random.unit() - 0.5) * limit).round();
            (level + pages * 4096.0).max(0.0)
        }
        Shape::Noise => (random.unit() * 10_000.0).round() / 100.0,
        Shape::Duration => (random.unit() * 5e6).round() / 1e9,
    }
}

type Template = Vec<(String, Vec<(String, String)>, Shape)>;

/// 100 series a host.
fn fleet() -> Template {
    let series = |index: usize| {
        let metric = index % 10;
        let (name, shape) = match index % 3 {
            0 => (format!("requests_{metric}_total"), Shape::Counter(1000.0)),
            1 => (format!("temperature_{metric}_celsius"), Shape::Walk),
            _ => (format!("load_{metric}_ratio"), Shape::Noise),
        };
        let core = ("core".to_owned(), format!("{}", index / 10));
        (name, vec![core], shape)
    };
    (0..100).map(series).collect()
}

/// What node_exporter says of a host with 8 CPUs, of which two disks, two networks and two file systems are used.
fn node() -> Template {
    let mut all = Template::new();
    for cpu in 0..8 {
        processor(&mut all, cpu);
    }
    memory(&mut all);
    for place in 0..10 {
        file_system(&mut all, place);
    }
    for place in 0..6 {
        network(&mut all, place);
        disk(&mut all, place);
    }
    the_rest(&mut all);
    all
}

fn add(all: &mut Template, name: &str, labels: &[(&str, String)], shape: Shape) {
    let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    all.push((name.to_owned(), labels.collect(), shape));
}

/// Only the first two of each kind of device are busy.
fn busy(place: usize, shape: Shape) -> Shape {
    if place < 2 { shape } else { Shape::Constant }
}

fn processor(all: &mut Template, cpu: usize) {
    for (mode, shape) in [
        ("idle", Shape::Seconds(14.0)),
        ("user", Shape::Seconds(0.4)),
        ("system", Shape::Seconds(0.2)),
        ("iowait", Shape::Seldom(1.0)),
        ("irq", Shape::Constant),
        ("nice", Shape::Constant),
        ("softirq", Shape::Seldom(1.0)),
        ("steal", Shape::Constant),
    ] {
        let labels = [("cpu", cpu.to_string()), ("mode", mode.to_owned())];
        add(all, "node_cpu_seconds_total", &labels, shape);
    }
}

fn memory(all: &mut Template) {
    for (field, shape) in [
        ("MemAvailable", Shape::Pages(500.0)),
        ("MemFree", Shape::Pages(500.0)),
        ("Cached", Shape::Pages(100.0)),
        ("Active", Shape::Pages(200.0)),
        ("Dirty", Shape::Pages(50.0)),
        ("MemTotal", Shape::Constant),
    ] {
        add(all, &format!("node_memory_{field}_bytes"), &[], shape);
    }
    for field in 0..44 {
        let name = format!("node_memory_field{field}_bytes");
        add(all, &name, &[], Shape::Constant);
    }
}

fn file_system(all: &mut Template, place: usize) {
    let labels = [("mountpoint", format!("/mnt/{place}"))];
    let available = busy(place, Shape::Pages(30.0));
    add(all, "node_filesystem_avail_bytes", &labels, available);
    for field in [
        "size_bytes",
        "free_bytes",
        "files",
        "files_free",
        "readonly",
    ] {
        let name = format!("node_filesystem_{field}");
        add(all, &name, &labels, Shape::Constant);
    }
}

fn network(all: &mut Template, place: usize) {
    let labels = [("device", format!("eth{place}"))];
    for (field, limit) in [
        ("receive_bytes", 200_000.0),
        ("transmit_bytes", 100_000.0),
        ("receive_packets", 300.0),
        ("transmit_packets", 200.0),
    ] {
        let name = format!("node_network_{field}_total");
        add(all, &name, &labels, busy(place, Shape::Counter(limit)));
    }
    for field in 0..26 {
        let name = format!("node_network_field{field}_total");
        add(all, &name, &labels, Shape::Constant);
    }
}

fn disk(all: &mut Template, place: usize) {
    let labels = [("device", format!("sd{place}"))];
    let written = busy(place, Shape::Seldom(100_000.0));
    add(all, "node_disk_written_bytes_total", &labels, written);
    let time = busy(place, Shape::Seconds(0.05));
    add(all, "node_disk_io_time_seconds_total", &labels, time);
    for field in 0..12 {
        let name = format!("node_disk_field{field}");
        add(all, &name, &labels, Shape::Constant);
    }
}

fn the_rest(all: &mut Template) {
    for field in 0..60 {
        let moves = field < 10;
        let shape = if moves {
            Shape::Seldom(20.0)
        } else {
            Shape::Constant
        };
        add(all, &format!("node_netstat_field{field}"), &[], shape);
    }
    for window in ["1", "5", "15"] {
        add(all, &format!("node_load{window}"), &[], Shape::Walk);
    }
    add(
        all,
        "node_context_switches_total",
        &[],
        Shape::Counter(20_000.0),
    );
    add(all, "node_intr_total", &[], Shape::Counter(10_000.0));
    for collector in 0..40 {
        let labels = [("collector", format!("collector{collector}"))];
        add(
            all,
            "node_scrape_collector_success",
            &labels,
            Shape::Constant,
        );
    }
    for collector in 0..5 {
        let labels = [("collector", format!("collector{collector}"))];
        let name = "node_scrape_collector_duration_seconds";
        add(all, name, &labels, Shape::Duration);
    }
    for field in 0..250 {
        let unit = ("name", format!("unit{field}.service"));
        let labels = [unit, ("state", "active".to_owned())];
        add(all, "node_systemd_unit_state", &labels, Shape::Constant);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
const fn whole(value: f64) -> i64 {
    value as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index below a small count"
)]
fn index(random: &mut Random, count: usize) -> usize {
    ((random.unit() * count as f64) as usize).min(count - 1)
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
