//! What the program writes about this host and about itself, as job `binnacle`.

use super::stand_ins::{Part, Switch};
use crate::flags::Flags;
use collect::host::{self, Roots, Sensors};
use collect::inside::Source;
use collect::{StandIn, StandIns, Target};
use model::{Labels, MetricMetadata, SeriesSamples, Timestamp};
use runtime::{Registry, SharedClock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The job under which all of it is stored.
pub(crate) const JOB: &str = "binnacle";

/// The sensors, shared by the loop that stores them and by stand-ins for node_exporter.
#[derive(Clone)]
pub(crate) struct Own {
    sensors: Arc<Mutex<Sensors>>,
    registry: Registry,
    clock: SharedClock,
}

impl Own {
    pub(crate) fn new(flags: &Flags, registry: &Registry, clock: &SharedClock) -> Self {
        let roots = Roots {
            proc: flags.procfs.clone(),
            sys: flags.sysfs.clone(),
            root: flags.rootfs.clone(),
            udev_data: flags.rootfs.join("run/udev/data"),
        };
        let options = host::Options {
            roots,
            ..host::Options::default()
        };
        let process = process::Process::new(registry);
        registry.before_showing(move || process.update());
        Self {
            sensors: Arc::new(Mutex::new(Sensors::new(options, Arc::clone(clock)))),
            registry: registry.clone(),
            clock: Arc::clone(clock),
        }
    }

    /// The two sources of job `binnacle`.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let (host, metrics) = (self.clone(), self.clone());
        let labels = |instance: &str| Labels::from_pairs([("job", JOB), ("instance", instance)]);
        vec![
            Source {
                labels: labels("host"),
                read: Box::new(move |now| Ok(host.host_rows(now))),
            },
            Source {
                labels: labels("self"),
                read: Box::new(move |now| Ok(metrics.metric_rows(now))),
            },
        ]
    }

    fn families(&self, now: Timestamp) -> Vec<host::Family> {
        let mut sensors = self.sensors.lock().unwrap_or_else(PoisonError::into_inner);
        let (families, errors) = sensors.read(now);
        for (sensor, error) in errors {
            tracing::debug!("sensor {sensor}: {error}");
        }
        families
    }

    fn host_rows(&self, now: Timestamp) -> Vec<SeriesSamples> {
        host::to_samples(&self.families(now), now, &Labels::default())
    }

    fn metric_rows(&self, now: Timestamp) -> Vec<SeriesSamples> {
        self.registry.samples(now, &Labels::default())
    }

    /// What the sensors say of their metrics.
    pub(crate) fn metadata(&self) -> BTreeMap<String, MetricMetadata> {
        let family = |family: host::Family| {
            let (help, unit) = (family.help.into_owned(), String::new());
            (
                family.name.into_owned(),
                MetricMetadata {
                    kind: family.kind,
                    help,
                    unit,
                },
            )
        };
        self.families(self.clock.now())
            .into_iter()
            .map(family)
            .collect()
    }

    /// Decides which targets are answered from inside.
    pub(super) fn stand_ins(&self, switch: &Switch) -> StandIns {
        let (own, switch) = (self.clone(), switch.clone());
        Arc::new(move |target: &Target| {
            let part = switch.stand_in(&target.address)?;
            let own = own.clone();
            Some(match part {
                Part::HostSensors => StandIn {
                    name: "host sensors",
                    read: Arc::new(move || host::render(&own.families(own.clock.now()))),
                },
                Part::OwnMetrics => StandIn {
                    name: "own metrics",
                    read: Arc::new(move || own.registry.render()),
                },
            })
        })
    }
}

mod process {
    //! The process itself, under the names of Prometheus' client libraries.

    use runtime::Registry;
    use runtime::metrics::Gauge;

    /// Linux reports CPU time to user space in hundredths of a second.
    const TICKS_PER_SECOND: f64 = 100.0;

    #[derive(Clone)]
    pub(super) struct Process {
        cpu_seconds: Gauge,
        resident_bytes: Gauge,
        virtual_bytes: Gauge,
        open_files: Gauge,
        open_files_max: Gauge,
        threads: Gauge,
    }

    impl Process {
        pub(super) fn new(registry: &Registry) -> Self {
            let gauge = |name, help| registry.gauge(name, help, &[]);
            Self {
                cpu_seconds: registry.counter_gauge(
                    "process_cpu_seconds_total",
                    "User and system CPU time spent, in seconds.",
                ),
                resident_bytes: gauge(
                    "process_resident_memory_bytes",
                    "Resident memory, in bytes.",
                ),
                virtual_bytes: gauge("process_virtual_memory_bytes", "Virtual memory, in bytes."),
                open_files: gauge("process_open_fds", "Open file descriptors."),
                open_files_max: gauge(
                    "process_max_fds",
                    "Maximum number of open file descriptors.",
                ),
                threads: gauge("process_threads", "Threads."),
            }
        }

        /// Reads /proc/self; what cannot be read keeps its last value.
        pub(super) fn update(&self) {
            if let Ok(stat) = std::fs::read_to_string("/proc/self/stat") {
                let after_name = stat.rsplit(')').next().unwrap_or_default();
                let fields: Vec<&str> = after_name.split_whitespace().collect();
                let number = |index: usize| -> f64 {
                    fields
                        .get(index)
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(0.0)
                };
                self.cpu_seconds
                    .set((number(11) + number(12)) / TICKS_PER_SECOND);
                self.threads.set(number(17));
                self.virtual_bytes.set(number(20));
            }
            if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
                let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
                let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
                if let Some(kib) = kib {
                    self.resident_bytes.set(kib * 1024.0);
                }
            }
            if let Ok(limits) = std::fs::read_to_string("/proc/self/limits") {
                let line = limits
                    .lines()
                    .find_map(|line| line.strip_prefix("Max open files"));
                let soft = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
                if let Some(soft) = soft {
                    self.open_files_max.set(soft);
                }
            }
            if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
                self.open_files.set_count(entries.count());
            }
        }
    }
}
