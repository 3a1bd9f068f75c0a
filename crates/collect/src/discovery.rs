//! Watches the files and addresses that list targets.
//!
//! Each watcher hands over all groups of its source whenever they may have changed. What cannot be read
//! leaves the last good groups in place: a broken file or a service that is away must not
//! take targets away.

mod files;
mod http;

pub(crate) use files::FileWatcher;
pub(crate) use http::HttpWatcher;

use crate::prometheus_file::{Discovery, TargetGroup};
use crate::target_loop::Shared;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often files are looked at for changes.
const FILE_POLL: Duration = Duration::from_secs(2);

/// All groups of one source.
#[derive(Debug)]
pub(crate) struct Found {
    /// The job that asked.
    pub(crate) job: String,
    /// Which version of the job's configuration asked.
    pub(crate) generation: u64,
    /// The index of the source in the job.
    pub(crate) index: usize,
    /// What it lists.
    pub(crate) groups: Vec<TargetGroup>,
}

/// Where a watcher hands its groups over.
pub(crate) struct Reporter {
    pub(crate) to: mpsc::Sender<Found>,
    pub(crate) job: String,
    pub(crate) generation: u64,
    pub(crate) index: usize,
}

impl Reporter {
    /// Hands groups over; answers whether anyone still listens.
    async fn report(&self, groups: Vec<TargetGroup>) -> bool {
        let found = Found {
            job: self.job.clone(),
            generation: self.generation,
            index: self.index,
            groups,
        };
        self.to.send(found).await.is_ok()
    }
}

/// Reads a source once, now, as far as that goes without waiting for the network.
pub(crate) fn read_now(discovery: &Discovery, shared: &Shared) -> Vec<TargetGroup> {
    match discovery {
        Discovery::Static(groups) => groups.clone(),
        Discovery::File(file) => FileWatcher::new(file.clone())
            .read(&shared.metrics)
            .unwrap_or_default(),
        Discovery::Http(_) => Vec::new(),
    }
}

/// Watches a source until nobody listens any more.
pub(crate) async fn watch(discovery: Discovery, shared: Arc<Shared>, reporter: Reporter) {
    match discovery {
        Discovery::Static(_) => {}
        Discovery::File(file) => {
            let mut watcher = FileWatcher::new(file);
            loop {
                let metrics = shared.metrics.clone();
                let read = tokio::task::spawn_blocking(move || {
                    let groups = watcher.read(&metrics);
                    (watcher, groups)
                });
                let Ok((back, groups)) = read.await else {
                    return;
                };
                watcher = back;
                if let Some(groups) = groups
                    && !reporter.report(groups).await
                {
                    return;
                }
                tokio::time::sleep(FILE_POLL).await;
            }
        }
        Discovery::Http(http) => {
            let mut watcher = HttpWatcher::new(*http);
            loop {
                match watcher.ask().await {
                    Ok(groups) => {
                        if !reporter.report(groups).await {
                            return;
                        }
                    }
                    Err(error) => {
                        shared.metrics.http_errors.increment();
                        let (job, url) = (&reporter.job, watcher.url());
                        tracing::warn!(job, url, error, "asking for targets failed");
                    }
                }
                tokio::time::sleep(watcher.interval()).await;
            }
        }
    }
}
