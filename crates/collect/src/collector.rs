//! Keeps jobs and targets in line with the configuration: the one door of scraping.
//!
//! One task owns all jobs; commands and what discovery finds reach it through bounded queues, so no
//! lock is held while anything waits. What others look at (targets, health, metadata) is shared beside it.

use crate::discovery::Found;
use crate::failure_log::FailureLogs;
use crate::features::Features;
use crate::fetch::BIG_BODIES_MAX;
use crate::metrics::Metrics;
use crate::pool::{Around, Pool};
use crate::prometheus_file::ScrapeConfig;
use crate::series::Metadata;
use crate::target_loop::{Shared, StandIns};
use crate::view::{DroppedTarget, TargetView, Views};
use model::{Labels, Sink};
use runtime::{Registry, SharedClock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

/// Commands and finds that wait at most; further ones wait with their senders.
const QUEUE: usize = 64;
/// Bodies taken in at once: each needs a core, and memory for its body.
const PROCESSING_MAX: usize = 4;

/// What a collector needs from around it.
pub struct Surroundings {
    /// Where samples go.
    pub sink: Arc<dyn Sink>,
    /// What time it is.
    pub clock: SharedClock,
    /// Where numbers about scraping go.
    pub registry: Registry,
    /// What everything runs on; must have time and I/O.
    pub runtime: tokio::runtime::Handle,
    /// Which targets a part of ours answers for.
    pub stand_ins: StandIns,
    /// Experimental behaviour.
    pub features: Features,
}

enum Command {
    Apply(Vec<ScrapeConfig>, oneshot::Sender<()>),
    ShutDown(oneshot::Sender<()>),
}

/// Scrapes what it is told to.
pub struct Collector {
    commands: mpsc::Sender<Command>,
    views: Arc<Views>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Collector {
    /// Makes a collector without jobs.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        let (commands, received) = mpsc::channel(QUEUE);
        let (found, finds) = mpsc::channel(QUEUE);
        let views = Arc::new(Views::default());
        let around = Around {
            shared: Arc::new(Shared {
                sink: surroundings.sink,
                clock: surroundings.clock,
                metrics: Metrics::new(&surroundings.registry),
                stand_ins: surroundings.stand_ins,
                features: surroundings.features,
                processing: Arc::new(Semaphore::new(PROCESSING_MAX)),
                big_bodies: Arc::new(Semaphore::new(BIG_BODIES_MAX)),
                failure_logs: FailureLogs::default(),
            }),
            views: Arc::clone(&views),
            found,
        };
        let keeper = Keeper {
            around,
            pools: BTreeMap::new(),
            generation: 0,
        };
        let task = surroundings.runtime.spawn(keeper.run(received, finds));
        Self {
            commands,
            views,
            task: Mutex::new(Some(task)),
        }
    }

    /// Scrapes these jobs from now on. Jobs and targets that did not change go on undisturbed; the series
    /// of those that are gone end. Answers when all that is done.
    pub async fn apply(&self, configs: Vec<ScrapeConfig>) {
        let (done, finished) = oneshot::channel();
        if self
            .commands
            .send(Command::Apply(configs, done))
            .await
            .is_ok()
        {
            // Without an answer the collector was shut down meanwhile.
            let _closed = finished.await;
        }
    }

    /// Stops scraping. Series stay open, so that the next start goes on without a gap.
    pub async fn shut_down(&self) {
        let (done, finished) = oneshot::channel();
        if self.commands.send(Command::ShutDown(done)).await.is_ok() {
            let _closed = finished.await;
        }
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the collector broke off");
        }
    }

    /// All active targets, by job and labels.
    #[must_use]
    pub fn targets(&self) -> Vec<TargetView> {
        self.views.targets()
    }

    /// Targets that relabelling dropped, as far as they are remembered.
    #[must_use]
    pub fn dropped_targets(&self) -> Vec<DroppedTarget> {
        self.views.dropped()
    }

    /// How many targets relabelling dropped, by job.
    #[must_use]
    pub fn dropped_target_counts(&self) -> BTreeMap<String, usize> {
        self.views.dropped_counts()
    }

    /// The jobs, sorted.
    #[must_use]
    pub fn scrape_pools(&self) -> Vec<String> {
        self.views.jobs()
    }

    /// What each target said of its metrics, with the target's labels.
    #[must_use]
    pub fn metadata(&self) -> Vec<(Labels, Arc<Metadata>)> {
        let targets = self.views.targets().into_iter();
        targets
            .map(|view| (view.target.labels, view.metadata))
            .collect()
    }
}

/// The task that owns all jobs.
struct Keeper {
    around: Around,
    pools: BTreeMap<String, Pool>,
    generation: u64,
}

impl Keeper {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut finds: mpsc::Receiver<Found>,
    ) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Apply(configs, done)) => {
                        self.apply(configs).await;
                        let _gone = done.send(());
                    }
                    Some(Command::ShutDown(done)) => {
                        self.pause().await;
                        let _gone = done.send(());
                        return;
                    }
                    None => {
                        self.pause().await;
                        return;
                    }
                },
                Some(found) = finds.recv() => {
                    if let Some(pool) = self.pools.get_mut(&found.job) {
                        pool.take(found).await;
                    }
                }
            }
        }
    }

    async fn apply(&mut self, configs: Vec<ScrapeConfig>) {
        self.around.shared.failure_logs.reopen();
        let mut former = std::mem::take(&mut self.pools);
        for config in configs {
            self.generation += 1;
            let name = config.job_name.clone();
            let pool = match former.remove(&name) {
                Some(mut pool) => {
                    pool.reconfigure(config, self.generation).await;
                    pool
                }
                None => Pool::start(self.around.clone(), config, self.generation).await,
            };
            self.pools.insert(name, pool);
        }
        for pool in former.into_values() {
            pool.end().await;
        }
    }

    async fn pause(&mut self) {
        for pool in std::mem::take(&mut self.pools).into_values() {
            pool.pause().await;
        }
    }
}

#[cfg(test)]
mod tests;
