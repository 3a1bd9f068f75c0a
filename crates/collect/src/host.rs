//! This host's own numbers, under node_exporter's names, labels, units and help texts.
//!
//! One file a collector, one line in `COLLECTORS`. Each reads a few files of /proc and /sys and makes
//! metric families of them; a file that is missing or makes no sense fails that collector
//! (`node_scrape_collector_success` 0) and no other. The roots are options, so that a container sees its
//! host and a test sees a fixture tree. Written after node_exporter 1.5, its default collectors'
//! flags included.
//!
//! What it does not do: hardware sensors, container metrics, or textfile collection.

mod cpu;
mod diskstats;
mod family;
mod filefd;
mod files;
mod filesystem;
mod loadavg;
mod meminfo;
mod netdev;
mod netstat;
mod os;
mod pressure;
mod processes;
mod sockstat;
mod stat;
mod time;
mod uname;
mod vmstat;

pub use diskstats::is_excluded_by_default as is_disk_excluded_by_default;
pub use family::{Family, Point, render, to_samples};
pub use files::SensorError;
pub use filesystem::MountExclusions;

use files::Folder;
use filesystem::probe::SpaceProbe;
use model::Timestamp;
use model::labels::is_legacy_metric_name;
use runtime::SharedClock;
use std::path::PathBuf;

/// Where the host's file trees are mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// node_exporter's `--path.procfs`.
    pub proc: PathBuf,
    /// node_exporter's `--path.sysfs`.
    pub sys: PathBuf,
    /// node_exporter's `--path.rootfs`.
    pub root: PathBuf,
    /// node_exporter's `--path.udev.data`.
    pub udev_data: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: PathBuf::from("/proc"),
            sys: PathBuf::from("/sys"),
            root: PathBuf::from("/"),
            udev_data: PathBuf::from("/run/udev/data"),
        }
    }
}

/// What is read, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the trees are.
    pub roots: Roots,
    /// Which mounts are left out.
    pub mounts: MountExclusions,
    /// Network devices that are left out; none by default.
    pub net_devices_excluded: Vec<String>,
}

/// Everything a collector reads from.
struct Reading<'a> {
    options: &'a Options,
    proc: Folder<'a>,
    sys: Folder<'a>,
    root: Folder<'a>,
    now: Timestamp,
    probe: &'a mut SpaceProbe,
}

type Collector = fn(&mut Reading<'_>) -> Result<Vec<Family>, SensorError>;

/// Every collector, by the name that node_exporter gives it.
const COLLECTORS: [(&str, Collector); 16] = [
    ("cpu", cpu::collect),
    ("diskstats", diskstats::collect),
    ("filefd", filefd::collect),
    ("filesystem", filesystem::collect),
    ("loadavg", loadavg::collect),
    ("meminfo", meminfo::collect),
    ("netdev", netdev::collect),
    ("netstat", netstat::collect),
    ("os", os::collect),
    ("pressure", pressure::collect),
    ("processes", processes::collect),
    ("sockstat", sockstat::collect),
    ("stat", stat::collect),
    ("time", time::collect),
    ("uname", uname::collect),
    ("vmstat", vmstat::collect),
];

/// Reads the host, time after time.
pub struct Sensors {
    options: Options,
    clock: SharedClock,
    probe: SpaceProbe,
}

impl Sensors {
    /// Makes the sensors; nothing is read yet. The clock only measures how long collectors take.
    #[must_use]
    pub fn new(options: Options, clock: SharedClock) -> Self {
        Self {
            options,
            clock,
            probe: SpaceProbe::system(),
        }
    }

    /// Reads everything once. Blocks for some milliseconds, and up to a second for each mount
    /// that newly hangs; call it on a worker thread.
    ///
    /// The families are sorted by name, as node_exporter shows them. The errors name the collectors that
    /// failed.
    pub fn read(&mut self, now: Timestamp) -> (Vec<Family>, Vec<(&'static str, SensorError)>) {
        let roots = &self.options.roots;
        let mut reading = Reading {
            options: &self.options,
            proc: Folder(&roots.proc),
            sys: Folder(&roots.sys),
            root: Folder(&roots.root),
            now,
            probe: &mut self.probe,
        };
        let mut families = Vec::new();
        let mut errors = Vec::new();
        let mut success = Family::gauge(
            "node_scrape_collector_success",
            "node_exporter: Whether a collector succeeded.",
        );
        let mut durations = Family::gauge(
            "node_scrape_collector_duration_seconds",
            "node_exporter: Duration of a collector scrape.",
        );
        for (name, collect) in COLLECTORS {
            let begun = self.clock.monotonic();
            let outcome = collect(&mut reading).and_then(check_names);
            let taken = self.clock.monotonic().saturating_sub(begun);
            durations.add([("collector", name)], taken.as_secs_f64());
            success.add([("collector", name)], f64::from(u8::from(outcome.is_ok())));
            match outcome {
                Ok(more) => families.extend(more),
                Err(error) => errors.push((name, error)),
            }
        }
        families.extend([success, durations]);
        families.retain(|family| !family.points.is_empty());
        families.sort_by(|a, b| a.name.cmp(&b.name));
        (families, errors)
    }
}

/// Some names are made of words in files, which a damaged file fills with anything.
fn check_names(families: Vec<Family>) -> Result<Vec<Family>, SensorError> {
    match families
        .iter()
        .find(|family| !is_legacy_metric_name(&family.name))
    {
        None => Ok(families),
        Some(family) => Err(SensorError::System(format!(
            "{:?} is no metric name",
            family.name
        ))),
    }
}

#[cfg(test)]
mod tests;
