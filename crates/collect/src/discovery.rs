//! Watches the files and addresses that list targets.
//!
//! Each watcher hands over all groups of its source whenever they may have changed. What cannot be read
//! leaves the last good groups in place: a broken file or a service that is away must not
//! take targets away.

pub mod answers;
mod consul;
mod dns;
mod docker;
mod ec2;
mod files;
mod http;
mod json;
mod kubernetes;
mod meta;
mod swarm;

use consul::ConsulWatcher;
use dns::DnsWatcher;
use docker::DockerWatcher;
use ec2::Ec2Watcher;
use files::FileWatcher;
use http::HttpWatcher;
use swarm::SwarmWatcher;

use crate::metrics::Metrics;
use crate::prometheus_file::{Discovery, ScrapeConfig, TargetGroup};
use runtime::{Registry, SharedClock};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

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

/// A service that is asked for all its targets at intervals.
trait Provider {
    /// What metrics call the kind.
    const NAME: &'static str;

    /// How often to ask.
    fn interval(&self) -> Duration;

    /// Asks once.
    fn ask(&mut self) -> impl Future<Output = Result<Vec<TargetGroup>, String>> + Send;
}

/// What a watcher needs from around it.
pub(crate) struct Around {
    pub(crate) metrics: Metrics,
    pub(crate) clock: SharedClock,
}

/// Asks every source of a job once: what it lists, in the order of the sources. A source that has not
/// answered after `at_most` lists nothing.
pub async fn find(
    config: &ScrapeConfig,
    clock: &SharedClock,
    at_most: Duration,
) -> Vec<TargetGroup> {
    let metrics = Metrics::new(&Registry::new());
    let (to, mut found) = mpsc::channel(config.discoveries.len().max(1));
    let mut watchers = JoinSet::new();
    let mut groups: Vec<Vec<TargetGroup>> = Vec::new();
    let mut waiting = BTreeSet::new();
    for (index, discovery) in config.discoveries.iter().enumerate() {
        groups.push(read_now(discovery, &metrics));
        if matches!(discovery, Discovery::Static(_) | Discovery::File(_)) {
            continue;
        }
        waiting.insert(index);
        let reporter = Reporter {
            to: to.clone(),
            job: config.job_name.clone(),
            generation: 0,
            index,
        };
        let around = Around {
            metrics: metrics.clone(),
            clock: Arc::clone(clock),
        };
        watchers.spawn(watch(discovery.clone(), around, reporter));
    }
    let until = tokio::time::Instant::now() + at_most;
    while !waiting.is_empty() {
        let Ok(Some(answer)) = tokio::time::timeout_at(until, found.recv()).await else {
            break;
        };
        waiting.remove(&answer.index);
        if let Some(listed) = groups.get_mut(answer.index) {
            *listed = answer.groups;
        }
    }
    groups.into_iter().flatten().collect()
}

/// Reads a source once, now, as far as that goes without waiting for the network.
pub(crate) fn read_now(discovery: &Discovery, metrics: &Metrics) -> Vec<TargetGroup> {
    match discovery {
        Discovery::Static(groups) => groups.clone(),
        Discovery::File(file) => FileWatcher::new(file.clone())
            .read(metrics)
            .unwrap_or_default(),
        Discovery::Http(_)
        | Discovery::Dns(_)
        | Discovery::Consul(_)
        | Discovery::Docker(_)
        | Discovery::Swarm(_)
        | Discovery::Ec2(_)
        | Discovery::Kubernetes(_) => Vec::new(),
    }
}

/// Watches a source until nobody listens any more.
pub(crate) async fn watch(discovery: Discovery, around: Around, reporter: Reporter) {
    match discovery {
        Discovery::Static(_) => {}
        Discovery::File(file) => watch_files(FileWatcher::new(file), around, reporter).await,
        Discovery::Http(http) => refresh(HttpWatcher::new(*http), around, reporter).await,
        Discovery::Dns(dns) => refresh(DnsWatcher::new(dns), around, reporter).await,
        Discovery::Consul(consul) => refresh(ConsulWatcher::new(*consul), around, reporter).await,
        Discovery::Docker(docker) => refresh(DockerWatcher::new(*docker), around, reporter).await,
        Discovery::Swarm(swarm) => refresh(SwarmWatcher::new(*swarm), around, reporter).await,
        Discovery::Ec2(ec2) => {
            let clock = Arc::clone(&around.clock);
            refresh(Ec2Watcher::new(*ec2, clock), around, reporter).await;
        }
        Discovery::Kubernetes(cluster) => {
            kubernetes::watch(*cluster, around.metrics, reporter).await
        }
    }
}

async fn watch_files(mut watcher: FileWatcher, around: Around, reporter: Reporter) {
    loop {
        let metrics = around.metrics.clone();
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

async fn refresh<P: Provider + Send>(mut provider: P, around: Around, reporter: Reporter) {
    loop {
        match provider.ask().await {
            Ok(groups) => {
                if !reporter.report(groups).await {
                    return;
                }
            }
            Err(error) => {
                around.metrics.count_failed_refresh(P::NAME);
                let (job, kind) = (&reporter.job, P::NAME);
                tracing::warn!(job, kind, error, "asking for targets failed");
            }
        }
        tokio::time::sleep(provider.interval()).await;
    }
}

#[cfg(test)]
mod tests;
