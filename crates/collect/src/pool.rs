//! The targets of one job: starts loops for new targets, ends those of targets that are gone, and leaves
//! the others alone.
//!
//! Key decision: a target that is gone ends its series at once. (Prometheus waits two intervals before it
//! writes the markers, because its store could not take the samples of a target that comes back
//! behind them; ours can.) At shutdown nothing is ended, as with Prometheus: the
//! next start goes on where this one stopped.

use crate::discovery::{self, Found, Reporter};
use crate::prometheus_file::{Discovery, ScrapeConfig, TargetGroup};
use crate::report::markers;
use crate::target::{self, Target};
use crate::target_loop::{Job, Shared, TargetLoop};
use crate::view::{PoolView, TargetState, Views};
use model::Labels;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Dropped targets remembered for display where the job sets no limit.
const DROPPED_KEPT_MAX: usize = 10_000;

/// What makes a target another one.
type Key = (Labels, String, i64, i64);

/// A target's loop.
struct Running {
    state: Arc<TargetState>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Vec<Labels>>,
}

/// What a pool needs from around it.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) shared: Arc<Shared>,
    pub(crate) views: Arc<Views>,
    pub(crate) found: mpsc::Sender<Found>,
}

/// One job.
pub(crate) struct Pool {
    around: Around,
    job: Arc<Job>,
    generation: u64,
    groups: Vec<Vec<TargetGroup>>,
    watchers: JoinSet<()>,
    running: BTreeMap<Key, Running>,
}

impl Pool {
    /// Starts a job. `generation`: a number that no earlier version of the job had.
    pub(crate) async fn start(around: Around, config: ScrapeConfig, generation: u64) -> Self {
        let mut pool = Self {
            job: Arc::new(Job::new(config, &around.shared)),
            around,
            generation,
            groups: Vec::new(),
            watchers: JoinSet::new(),
            running: BTreeMap::new(),
        };
        pool.begin(&[], BTreeMap::new()).await;
        pool
    }

    /// Takes a new version of the job. Nothing happens where nothing changed.
    pub(crate) async fn reconfigure(&mut self, config: ScrapeConfig, generation: u64) {
        let mut comparable = config.clone();
        comparable.position = self.job.config.position;
        if comparable == self.job.config {
            return;
        }
        let discoveries = self.job.config.discoveries.iter().cloned();
        let former: Vec<_> = discoveries.zip(std::mem::take(&mut self.groups)).collect();
        self.job = Arc::new(Job::new(config, &self.around.shared));
        self.generation = generation;
        let inherited = self.stop_all().await;
        self.begin(&former, inherited).await;
    }

    /// Takes what a source lists now.
    pub(crate) async fn take(&mut self, found: Found) {
        if found.generation != self.generation {
            return; // an earlier version of the job asked
        }
        let Some(groups) = self.groups.get_mut(found.index) else {
            return;
        };
        if *groups != found.groups {
            *groups = found.groups;
            self.sync(BTreeMap::new()).await;
        }
    }

    /// Ends the job and its series.
    pub(crate) async fn end(mut self) {
        let inherited = self.stop_all().await;
        self.end_series(inherited.into_values().flatten().collect())
            .await;
        let job = &self.job.config.job_name;
        self.around.views.remove(job);
        self.around.shared.metrics.forget_job(job);
    }

    /// Stops the job without ending its series.
    pub(crate) async fn pause(mut self) {
        self.stop_all().await;
    }

    /// Reads the sources, begins to watch them and starts targets. `former`: the job's former sources and
    /// what they listed; one that answers only later keeps that until it does.
    async fn begin(
        &mut self,
        former: &[(Discovery, Vec<TargetGroup>)],
        inherited: BTreeMap<Labels, Vec<Labels>>,
    ) {
        if let Some(error) = self.job.client_error() {
            let job = &self.job.config.job_name;
            tracing::error!(job, error, "the job's HTTP client cannot be made");
        }
        let discoveries = self.job.config.discoveries.clone();
        for (index, discovery) in discoveries.into_iter().enumerate() {
            self.groups.push(match former_groups(&discovery, former) {
                Some(groups) => groups,
                None => discovery::read_now(&discovery, &self.around.shared.metrics),
            });
            let reporter = Reporter {
                to: self.around.found.clone(),
                job: self.job.config.job_name.clone(),
                generation: self.generation,
                index,
            };
            let shared = &self.around.shared;
            let around = discovery::Around {
                metrics: shared.metrics.clone(),
                clock: Arc::clone(&shared.clock),
            };
            self.watchers
                .spawn(discovery::watch(discovery, around, reporter));
        }
        self.sync(inherited).await;
    }

    /// Brings the loops in line with the groups. `inherited`: series of loops that a former version of
    /// the job had, by target labels; those that no target takes over end.
    async fn sync(&mut self, mut inherited: BTreeMap<Labels, Vec<Labels>>) {
        let began = self.around.shared.clock.monotonic();
        let (wanted, view) = self.wanted();
        let gone: Vec<Key> = self
            .running
            .keys()
            .filter(|key| !wanted.contains_key(*key))
            .cloned()
            .collect();
        let gone = gone
            .iter()
            .filter_map(|key| self.running.remove(key))
            .collect();
        for (labels, series) in stop(gone).await {
            inherited.entry(labels).or_default().extend(series);
        }
        self.check_target_limit(wanted.len());
        for (key, target) in wanted {
            if !self.running.contains_key(&key) {
                let series = inherited.remove(&target.labels).unwrap_or_default();
                let running = self.start_target(target, series);
                self.running.insert(key, running);
            }
        }
        let job = &self.job.config.job_name;
        self.around
            .shared
            .metrics
            .set_targets(job, self.running.len());
        let active = self
            .running
            .values()
            .map(|running| Arc::clone(&running.state));
        let view = PoolView {
            active: active.collect(),
            ..view
        };
        self.around.views.set(job, view);
        let job = self.job.config.job_name.clone();
        self.end_series(inherited.into_values().flatten().collect())
            .await;
        let shared = &self.around.shared;
        let took = shared.clock.monotonic().saturating_sub(began);
        shared.metrics.note_sync(&job, took.as_secs_f64());
    }

    /// The targets that there should be, and what relabelling dropped.
    fn wanted(&self) -> (BTreeMap<Key, Target>, PoolView) {
        let config = &self.job.config;
        let kept_max = match config.limits.dropped_targets_kept {
            0 => DROPPED_KEPT_MAX,
            limit => usize::try_from(limit).unwrap_or(DROPPED_KEPT_MAX),
        };
        let mut view = PoolView::default();
        let mut wanted = BTreeMap::new();
        for group in self.groups.iter().flatten() {
            for labels in &group.targets {
                let labels = group.labels.merged_with(labels);
                match target::populate(&labels, config) {
                    Ok(Some(target)) => {
                        wanted.insert(key(&target), target);
                    }
                    Ok(None) => {
                        view.dropped_count += 1;
                        if view.dropped.len() < kept_max {
                            view.dropped.push(target::discovered(&labels, config));
                        }
                    }
                    Err(error) => {
                        self.around.shared.metrics.targets_failed.increment();
                        let (job, group) = (&config.job_name, &group.source);
                        tracing::error!(job, group, error, "a discovered target cannot be scraped");
                    }
                }
            }
        }
        (wanted, view)
    }

    fn check_target_limit(&self, count: usize) {
        let limit = self.job.config.limits.targets;
        let exceeded = limit > 0 && u64::try_from(count).unwrap_or(u64::MAX) > limit;
        let error = exceeded.then(|| {
            self.around.shared.metrics.target_limit.increment();
            format!("target_limit exceeded (number of targets: {count}, limit: {limit})")
        });
        self.job.force_error(error);
    }

    fn start_target(&self, target: Target, inherited: Vec<Labels>) -> Running {
        let state = Arc::new(TargetState::new(&self.job.config.job_name, target));
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::clone(&self.around.shared);
        let target_loop =
            TargetLoop::new(shared, Arc::clone(&self.job), Arc::clone(&state), inherited);
        let task = tokio::runtime::Handle::current().spawn(target_loop.run(stopped));
        Running { state, stop, task }
    }

    /// Stops every loop; answers the series that were alive, by target labels.
    async fn stop_all(&mut self) -> BTreeMap<Labels, Vec<Labels>> {
        self.watchers = JoinSet::new();
        let running = std::mem::take(&mut self.running);
        let mut series: BTreeMap<Labels, Vec<Labels>> = BTreeMap::new();
        for (labels, more) in stop(running.into_values().collect()).await {
            series.entry(labels).or_default().extend(more);
        }
        series
    }

    /// Writes the markers that end series.
    async fn end_series(&self, series: Vec<Labels>) {
        if series.is_empty() {
            return;
        }
        let shared = Arc::clone(&self.around.shared);
        let written = tokio::task::spawn_blocking(move || {
            let rows = markers(&series, shared.clock.now());
            if let Err(error) = shared.sink.append(&rows) {
                shared.metrics.sink_errors.increment();
                tracing::error!(%error, "the store did not take the end of a target's series");
            }
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "ending a target's series broke off");
        }
    }
}

fn key(target: &Target) -> Key {
    (
        target.labels.clone(),
        target.url.clone(),
        target.interval_ms,
        target.timeout_ms,
    )
}

/// What a source listed before, where it will not answer at once.
fn former_groups(
    discovery: &Discovery,
    former: &[(Discovery, Vec<TargetGroup>)],
) -> Option<Vec<TargetGroup>> {
    let answers_at_once = matches!(discovery, Discovery::Static(_) | Discovery::File(_));
    if answers_at_once {
        return None;
    }
    let same = former.iter().find(|(former, _)| match (former, discovery) {
        (Discovery::Http(former), Discovery::Http(http)) => former.url == http.url,
        (former, discovery) => former == discovery,
    });
    same.map(|(_, groups)| groups.clone())
}

/// Tells loops to stop and waits for them; answers target labels and the series that were alive.
async fn stop(running: Vec<Running>) -> Vec<(Labels, Vec<Labels>)> {
    for target in &running {
        target.stop.send_replace(true);
    }
    let mut stopped = Vec::with_capacity(running.len());
    for target in running {
        match target.task.await {
            Ok(series) => stopped.push((target.state.target.labels.clone(), series)),
            Err(error) => tracing::error!(%error, "a scrape loop broke off"),
        }
    }
    stopped
}
