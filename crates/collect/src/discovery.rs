//! Watches the files and addresses that list targets.
//!
//! Each watcher hands over all groups of its source whenever they may have changed. What cannot be read
//! leaves the last good groups in place: a broken file or a service that is away must not
//! take targets away.

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

/// A service that is asked for all its targets at intervals.
trait Provider {
    /// What metrics call the kind.
    const NAME: &'static str;

    /// How often to ask.
    fn interval(&self) -> Duration;

    /// Asks once.
    fn ask(&mut self) -> impl Future<Output = Result<Vec<TargetGroup>, String>> + Send;
}

/// Reads a source once, now, as far as that goes without waiting for the network.
pub(crate) fn read_now(discovery: &Discovery, shared: &Shared) -> Vec<TargetGroup> {
    match discovery {
        Discovery::Static(groups) => groups.clone(),
        Discovery::File(file) => FileWatcher::new(file.clone())
            .read(&shared.metrics)
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
pub(crate) async fn watch(discovery: Discovery, shared: Arc<Shared>, reporter: Reporter) {
    match discovery {
        Discovery::Static(_) => {}
        Discovery::File(file) => watch_files(FileWatcher::new(file), shared, reporter).await,
        Discovery::Http(http) => refresh(HttpWatcher::new(*http), shared, reporter).await,
        Discovery::Dns(dns) => refresh(DnsWatcher::new(dns), shared, reporter).await,
        Discovery::Consul(consul) => refresh(ConsulWatcher::new(*consul), shared, reporter).await,
        Discovery::Docker(docker) => refresh(DockerWatcher::new(*docker), shared, reporter).await,
        Discovery::Swarm(swarm) => refresh(SwarmWatcher::new(*swarm), shared, reporter).await,
        Discovery::Ec2(ec2) => {
            let clock = Arc::clone(&shared.clock);
            refresh(Ec2Watcher::new(*ec2, clock), shared, reporter).await;
        }
        Discovery::Kubernetes(cluster) => {
            kubernetes::watch(*cluster, shared.metrics.clone(), reporter).await
        }
    }
}

async fn watch_files(mut watcher: FileWatcher, shared: Arc<Shared>, reporter: Reporter) {
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

async fn refresh<P: Provider + Send>(mut provider: P, shared: Arc<Shared>, reporter: Reporter) {
    loop {
        match provider.ask().await {
            Ok(groups) => {
                if !reporter.report(groups).await {
                    return;
                }
            }
            Err(error) => {
                shared.metrics.count_failed_refresh(P::NAME);
                let (job, kind) = (&reporter.job, P::NAME);
                tracing::warn!(job, kind, error, "asking for targets failed");
            }
        }
        tokio::time::sleep(provider.interval()).await;
    }
}

#[cfg(test)]
mod tests;
