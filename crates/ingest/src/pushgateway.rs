//! Pushgateway: jobs that end before anybody scrapes them leave their last values here.
//!
//! A group of metrics is known by its grouping labels. It is kept as rows, is appended to the store again at
//! every scrape interval until it is deleted, as if it had been scraped with `honor_labels`, and is served in
//! the text format to whoever scrapes it from us. Series that a push or a deletion ends get a staleness
//! marker. Differences from the original: no clean-up of `/` in escaped paths, no exemplars, no created times.
//!
//! Decision: rows are committed before memory changes and before anything is answered, so a group that was
//! acknowledged is appended again after a restart. Which series need a marker is remembered in memory only: one that
//! ends between a push and the death of the process becomes stale by itself after the look-back.

mod check;
pub(crate) mod family;
mod grouping;
mod rows;
mod series;
pub(crate) mod text;
mod view;

pub use grouping::{Grouping, GroupingError};

use crate::door::Ingest;
use check::Owners;
use family::{Family, Label};
use model::{Labels, SeriesSamples, SinkError, Timestamp};
use runtime::metrics::{Counter, Gauge};
use runtime::{HashSet, Registry, SharedClock, Shutdown};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use storage::{State, StateError};

/// Bytes of a body at most, as sent and when unpacked.
pub const BODY_BYTES_MAX: usize = 16 << 20;
/// Groups kept at most.
const GROUPS_MAX: usize = 50_000;
/// Series of all groups at most.
const SERIES_MAX: usize = 1_000_000;

const PUSHED: &str = "push_time_seconds";
const PUSHED_HELP: &str = "Last Unix time when changing this group in the Pushgateway succeeded.";
const FAILED: &str = "push_failure_time_seconds";
const FAILED_HELP: &str = "Last Unix time when changing this group in the Pushgateway failed.";
const REFUSED: &str = "binnacle_ingest_pushgateway_refused_total";
const REFUSED_HELP: &str = "Pushes that were refused, by the reason.";

/// Whether a push takes the place of the whole group or of the metrics of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushMode {
    /// PUT
    Replace,
    /// POST
    Add,
}

/// In which form a body came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// The text format.
    Text,
    /// `io.prometheus.client.MetricFamily`, each with its length before it.
    Protobuf,
}

impl BodyFormat {
    /// The form that a `Content-Type` names; whatever is not known is taken for text, as upstream does.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Self {
        let mut parts = content_type.split(';').map(str::trim);
        let is_protobuf = parts.next() == Some("application/vnd.google.protobuf")
            && parts.any(|part| part.replace('"', "") == "encoding=delimited");
        if is_protobuf {
            Self::Protobuf
        } else {
            Self::Text
        }
    }
}

/// Why a push was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The body cannot be read.
    #[error("{0}")]
    Body(String),
    /// The metrics contradict themselves or what others have pushed.
    #[error("pushed metrics are invalid or inconsistent with existing metrics: {0}")]
    Inconsistent(String),
    /// A metric has a time of its own, which would be repeated with every append.
    #[error("pushed metrics must not have timestamps")]
    Timestamps,
    /// There is no room.
    #[error("more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// The rows could not be written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl PushError {
    /// The HTTP status that tells the client.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Body(_) | Self::Inconsistent(_) | Self::Timestamps => 400,
            Self::TooMany { .. } => 413,
            Self::State(_) => 500,
        }
    }

    const fn reason(&self) -> &'static str {
        match self {
            Self::Body(_) => "body",
            Self::Inconsistent(_) => "inconsistent",
            Self::Timestamps => "timestamps",
            Self::TooMany { .. } => "limit",
            Self::State(_) => "state",
        }
    }
}

/// A family and when it was pushed.
#[derive(Clone, Debug)]
struct Stamped {
    at: Timestamp,
    family: Family,
}

/// What was pushed under one grouping.
#[derive(Clone, Debug, Default)]
struct Group {
    families: BTreeMap<String, Stamped>,
    pushed_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    /// The same as series, times included, ready to be appended.
    series: Vec<(Labels, model::Value)>,
}

#[derive(Default)]
struct Held {
    groups: BTreeMap<Grouping, Group>,
    owners: Owners,
    series_count: usize,
    /// What the last append held.
    appended: HashSet<Labels>,
    /// When that was.
    appended_at: Option<Timestamp>,
}

/// All groups.
pub struct Pushgateway {
    held: Mutex<Held>,
    state: State,
    ingest: Arc<Ingest>,
    clock: SharedClock,
    interval_ms: AtomicI64,
    registry: Registry,
    groups: Gauge,
    pushes: Counter,
}

impl Pushgateway {
    /// Reads the groups back. `interval`: how often they are appended.
    pub fn open(
        state: State,
        ingest: Arc<Ingest>,
        clock: SharedClock,
        registry: &Registry,
    ) -> Result<Self, StateError> {
        state.migrate(rows::MIGRATION)?;
        let gateway = Self {
            held: Mutex::default(),
            ingest,
            clock,
            interval_ms: AtomicI64::new(15_000),
            registry: registry.clone(),
            groups: registry.gauge(
                "binnacle_ingest_pushgateway_groups",
                "Groups of pushed metrics.",
                &[],
            ),
            pushes: registry.counter(
                "binnacle_ingest_pushgateway_pushes_total",
                "Pushes that were taken.",
                &[],
            ),
            state,
        };
        let stored = gateway.state.read(rows::read)?;
        let mut held = gateway.lock();
        for (grouping, group) in stored {
            held.place(grouping, group);
        }
        // They were appended before the restart, so what ends before the next time needs a marker.
        let series = held.groups.values().flat_map(|group| &group.series);
        let appended = series.map(|(labels, _)| labels.clone()).collect();
        held.appended = appended;
        gateway.groups.set_count(held.groups.len());
        drop(held);
        Ok(gateway)
    }

    /// Changes how often the groups are appended.
    pub fn set_interval_ms(&self, interval_ms: i64) {
        self.interval_ms
            .store(interval_ms.max(1), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a body for a group. On failure the group remembers when that was.
    pub fn push(
        &self,
        grouping: &Grouping,
        mode: PushMode,
        (format, body): (BodyFormat, &[u8]),
    ) -> Result<(), PushError> {
        let families = match format {
            BodyFormat::Text => text::read(body).map_err(PushError::Body),
            BodyFormat::Protobuf => family::read_delimited(body).map_err(|error| {
                PushError::Body(format!("the body is no list of metric families: {error}"))
            }),
        };
        let now = self.clock.now();
        let mut held = self.lock();
        let pushed = families.and_then(|families| {
            let group = held.pushed(grouping, mode, families, now)?;
            self.commit(&mut held, grouping, group)
        });
        match &pushed {
            Ok(()) => self.pushes.increment(),
            Err(error) => {
                let labels = [("reason", error.reason())];
                self.registry
                    .counter(REFUSED, REFUSED_HELP, &labels)
                    .increment();
                self.remember_failure(&mut held, grouping, now)?;
            }
        }
        pushed
    }

    /// Writes the rows, then changes memory and ends the series that are gone.
    fn commit(&self, held: &mut Held, grouping: &Grouping, group: Group) -> Result<(), PushError> {
        self.state
            .transaction(|tx| rows::replace(tx, grouping, &group))?;
        held.place(grouping.clone(), group);
        self.groups.set_count(held.groups.len());
        Ok(())
    }

    fn remember_failure(
        &self,
        held: &mut Held,
        grouping: &Grouping,
        now: Timestamp,
    ) -> Result<(), PushError> {
        if !held.groups.contains_key(grouping) && held.groups.len() >= GROUPS_MAX {
            return Ok(());
        }
        let mut group = held.groups.get(grouping).cloned().unwrap_or_default();
        group.failed_at = Some(now);
        group.complete(grouping);
        self.commit(held, grouping, group)
    }

    /// Removes a group; one that is not there is no error.
    pub fn delete(&self, grouping: &Grouping) -> Result<(), StateError> {
        let mut held = self.lock();
        self.state
            .transaction(|tx| rows::delete(tx, Some(grouping)))?;
        held.remove(grouping);
        self.groups.set_count(held.groups.len());
        Ok(())
    }

    /// Removes every group.
    pub fn wipe(&self) -> Result<(), StateError> {
        let mut held = self.lock();
        self.state.transaction(|tx| rows::delete(tx, None))?;
        held.groups.clear();
        held.owners = Owners::default();
        held.series_count = 0;
        self.groups.set_count(0);
        Ok(())
    }

    /// Appends all groups at `now`, and a marker for each series that is gone since the last time.
    pub fn append(&self, now: Timestamp) -> Result<(), SinkError> {
        let mut held = self.lock();
        if held.appended_at.is_some_and(|before| before >= now) {
            return Ok(());
        }
        let mut present: HashSet<Labels> = HashSet::default();
        let mut batch = Vec::with_capacity(held.series_count);
        for (labels, value) in held.groups.values().flat_map(|group| &group.series) {
            if present.insert(labels.clone()) {
                batch.push(SeriesSamples {
                    labels: labels.clone(),
                    samples: vec![model::Sample::new(now, value.clone())],
                    exemplars: Vec::new(),
                });
            }
        }
        let marker =
            |labels: &Labels| SeriesSamples::float(labels.clone(), now, model::STALE_MARKER);
        batch.extend(held.appended.difference(&present).map(marker));
        if !batch.is_empty() {
            self.ingest.append_from("pushgateway", &batch)?;
        }
        held.appended = present;
        held.appended_at = Some(now);
        Ok(())
    }

    /// Appends at every interval until `shutdown`.
    ///
    /// Fails where the operating system refuses another thread.
    pub fn spawn(self: &Arc<Self>, shutdown: Shutdown) -> std::io::Result<JoinHandle<()>> {
        let gateway = Arc::clone(self);
        runtime::thread::spawn("pushgateway", move || {
            loop {
                // Aligned, so that a restart keeps the rhythm.
                let interval = gateway.interval_ms.load(Ordering::Relaxed);
                let past = gateway.clock.now().millis().rem_euclid(interval);
                let wait = u64::try_from(interval - past).unwrap_or(1);
                if shutdown.wait(Duration::from_millis(wait)) {
                    return;
                }
                if let Err(error) = gateway.append(gateway.clock.now()) {
                    tracing::warn!(%error, "the store did not take pushed metrics");
                }
            }
        })
    }

    /// What a scrape of the Pushgateway's port is answered with: `own` (our own metrics, in the text format) and
    /// everything that was pushed, as one exposition.
    #[must_use]
    pub fn exposition(&self, own: &str) -> String {
        text::write(&self.families(own))
    }

    /// The same as protobuf messages with their lengths before them.
    #[must_use]
    pub fn exposition_protobuf(&self, own: &str) -> Vec<u8> {
        family::write_delimited(&self.families(own))
    }

    fn families(&self, own: &str) -> Vec<Family> {
        let mut all: BTreeMap<String, Family> = BTreeMap::new();
        let own = text::read(own.as_bytes()).unwrap_or_else(|error| {
            tracing::error!(error, "our own metrics do not read back");
            Vec::new()
        });
        for family in own {
            all.insert(family.name.clone(), family);
        }
        let held = self.lock();
        for (grouping, group) in &held.groups {
            for family in group.all_families(grouping) {
                match all.get_mut(&family.name) {
                    None => {
                        all.insert(family.name.clone(), family);
                    }
                    Some(known) => known.metrics.extend(family.metrics),
                }
            }
        }
        let mut families: Vec<Family> = all.into_values().collect();
        for family in &mut families {
            family.metrics.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        families
    }

    /// `/api/v1/metrics`: the groups as a JSON list.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let held = self.lock();
        let group = |(grouping, group): (&Grouping, &Group)| view::group(grouping, group);
        serde_json::Value::Array(held.groups.iter().map(group).collect())
    }
}

impl Held {
    /// The group as it will be after a push.
    fn pushed(
        &self,
        grouping: &Grouping,
        mode: PushMode,
        families: Vec<Family>,
        now: Timestamp,
    ) -> Result<Group, PushError> {
        if families
            .iter()
            .flat_map(|family| &family.metrics)
            .any(|metric| metric.timestamp_ms.is_some())
        {
            return Err(PushError::Timestamps);
        }
        let before = self.groups.get(grouping);
        if before.is_none() && self.groups.len() >= GROUPS_MAX {
            return Err(PushError::TooMany {
                what: "groups",
                max: GROUPS_MAX,
            });
        }
        let mut group = before.cloned().unwrap_or_default();
        if mode == PushMode::Replace {
            group.families.clear();
        }
        let mut names = Vec::new();
        for mut family in families {
            if family.name.is_empty() {
                let message = "a metric family has no name".to_owned();
                return Err(PushError::Inconsistent(message));
            }
            if names.contains(&family.name) {
                let message = format!("metric family {:?} stands twice", family.name);
                return Err(PushError::Inconsistent(message));
            }
            names.push(family.name.clone());
            // These two are ours to say.
            if family.name == PUSHED || family.name == FAILED {
                continue;
            }
            sanitise(&mut family, grouping);
            group
                .families
                .insert(family.name.clone(), Stamped { at: now, family });
        }
        self.owners
            .check(grouping, &group)
            .map_err(PushError::Inconsistent)?;
        group.pushed_at = Some(now);
        group.complete(grouping);
        let others = self.series_count - before.map_or(0, |group| group.series.len());
        if others + group.series.len() > SERIES_MAX {
            return Err(PushError::TooMany {
                what: "pushed series",
                max: SERIES_MAX,
            });
        }
        Ok(group)
    }

    fn place(&mut self, grouping: Grouping, mut group: Group) {
        self.remove(&grouping);
        group.complete(&grouping);
        self.series_count += group.series.len();
        self.owners.add(&grouping, &group);
        self.groups.insert(grouping, group);
    }

    fn remove(&mut self, grouping: &Grouping) {
        if let Some(group) = self.groups.remove(grouping) {
            self.series_count -= group.series.len();
            self.owners.remove(grouping, &group);
        }
    }
}

impl Group {
    /// Makes the series anew.
    fn complete(&mut self, grouping: &Grouping) {
        self.series = self
            .all_families(grouping)
            .iter()
            .flat_map(series::of_family)
            .collect();
    }

    /// Its families and the two that tell when it was pushed, by name.
    fn all_families(&self, grouping: &Grouping) -> Vec<Family> {
        let mut all: Vec<Family> = self
            .families
            .values()
            .map(|stamped| stamped.family.clone())
            .collect();
        all.extend(self.times(grouping));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn times(&self, grouping: &Grouping) -> [Family; 2] {
        let gauge = |name, help, at: Option<Timestamp>| {
            let seconds = at.map_or(0.0, Timestamp::seconds);
            Family::gauge(name, help, with_instance(grouping.labels()), seconds)
        };
        [
            gauge(FAILED, FAILED_HELP, self.failed_at),
            gauge(PUSHED, PUSHED_HELP, self.pushed_at),
        ]
    }
}

/// Gives every metric the labels of its group, which win, and an empty instance where it has none: whoever
/// scrapes us with `honor_labels` must not call us the instance.
fn sanitise(family: &mut Family, grouping: &Grouping) {
    for metric in &mut family.metrics {
        metric
            .labels
            .retain(|label| grouping.get(&label.name).is_none());
        metric.labels.extend(grouping.labels());
        metric.labels = with_instance(std::mem::take(&mut metric.labels));
    }
}

fn with_instance(mut labels: Vec<Label>) -> Vec<Label> {
    if labels.iter().all(|label| label.name != "instance") {
        labels.push(Label {
            name: "instance".to_owned(),
            value: String::new(),
        });
    }
    labels.sort();
    labels
}

#[cfg(test)]
mod tests;
