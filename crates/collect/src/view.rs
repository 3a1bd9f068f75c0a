//! What others may see of targets: labels, health, metadata.

use crate::series::Metadata;
use crate::target::Target;
use config::WebAddress;
use model::{Labels, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Not scraped yet.
    #[default]
    Unknown,
    /// The last scrape succeeded.
    Up,
    /// The last scrape failed.
    Down,
}

impl Health {
    /// The word that the HTTP API uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// How the last scrape went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastScrape {
    /// Whether it succeeded.
    pub health: Health,
    /// What went wrong, empty for nothing.
    pub error: String,
    /// When it began; `None` before the first.
    pub at: Option<Timestamp>,
    /// How long it took.
    pub duration_seconds: f64,
    /// The part of Binnacle that answered instead of the target.
    pub standing_in: Option<&'static str>,
}

/// A target as others see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetView {
    /// Its job in the configuration.
    pub scrape_pool: String,
    /// Labels, address and interval.
    pub target: Target,
    /// How the last scrape went.
    pub last: LastScrape,
    /// What it said of its metrics.
    pub metadata: Arc<Metadata>,
}

impl TargetView {
    /// The URL as others reach it: a loopback host is replaced by `host_name`.
    #[must_use]
    pub fn global_url(&self, host_name: &str) -> String {
        let url = &self.target.url;
        let Ok(address) = WebAddress::parse(url) else {
            return url.clone();
        };
        if !matches!(address.host_name(), "localhost" | "127.0.0.1" | "::1") {
            return url.clone();
        }
        let port = match address.port() {
            "" => String::new(),
            port => format!(":{port}"),
        };
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.strip_prefix(address.host.as_str()).unwrap_or_default();
        format!("{}://{host_name}{port}{path}", address.scheme)
    }
}

/// A target that relabelling dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedTarget {
    /// Its job.
    pub scrape_pool: String,
    /// Its labels before relabelling.
    pub discovered: Labels,
}

/// What a running target shares with those who look.
#[derive(Debug)]
pub(crate) struct TargetState {
    pub(crate) pool: String,
    pub(crate) target: Target,
    last: Mutex<LastScrape>,
    metadata: Mutex<Arc<Metadata>>,
}

impl TargetState {
    pub(crate) fn new(pool: &str, target: Target) -> Self {
        Self {
            pool: pool.to_owned(),
            target,
            last: Mutex::default(),
            metadata: Mutex::default(),
        }
    }

    pub(crate) fn set(&self, last: LastScrape, metadata: &Arc<Metadata>) {
        *lock(&self.last) = last;
        *lock(&self.metadata) = Arc::clone(metadata);
    }

    fn view(&self) -> TargetView {
        TargetView {
            scrape_pool: self.pool.clone(),
            target: self.target.clone(),
            last: lock(&self.last).clone(),
            metadata: Arc::clone(&lock(&self.metadata)),
        }
    }
}

/// One job's targets.
#[derive(Debug, Default)]
pub(crate) struct PoolView {
    pub(crate) active: Vec<Arc<TargetState>>,
    pub(crate) dropped: Vec<Labels>,
    pub(crate) dropped_count: usize,
}

/// All jobs' targets.
#[derive(Debug, Default)]
pub(crate) struct Views {
    pools: Mutex<BTreeMap<String, PoolView>>,
}

impl Views {
    pub(crate) fn set(&self, job: &str, pool: PoolView) {
        lock(&self.pools).insert(job.to_owned(), pool);
    }

    pub(crate) fn remove(&self, job: &str) {
        lock(&self.pools).remove(job);
    }

    pub(crate) fn targets(&self) -> Vec<TargetView> {
        let pools = lock(&self.pools);
        let active = pools.values().flat_map(|pool| &pool.active);
        active.map(|state| state.view()).collect()
    }

    pub(crate) fn dropped(&self) -> Vec<DroppedTarget> {
        let pools = lock(&self.pools);
        let dropped = pools.iter().flat_map(|(job, pool)| {
            pool.dropped.iter().map(|labels| DroppedTarget {
                scrape_pool: job.clone(),
                discovered: labels.clone(),
            })
        });
        dropped.collect()
    }

    pub(crate) fn dropped_counts(&self) -> BTreeMap<String, usize> {
        let pools = lock(&self.pools);
        let counts = pools
            .iter()
            .map(|(job, pool)| (job.clone(), pool.dropped_count));
        counts.collect()
    }

    pub(crate) fn jobs(&self) -> Vec<String> {
        lock(&self.pools).keys().cloned().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{LastScrape, TargetView};
    use crate::target::Target;
    use model::Labels;

    #[test]
    fn names_the_host_to_others() {
        let check = |url: &str, want: &str| {
            let target = Target {
                discovered: Labels::default(),
                labels: Labels::default(),
                url: url.to_owned(),
                address: String::new(),
                interval_ms: 1,
                timeout_ms: 1,
            };
            let view = TargetView {
                scrape_pool: String::new(),
                target,
                last: LastScrape::default(),
                metadata: std::sync::Arc::default(),
            };
            assert_eq!(view.global_url("me"), want);
        };
        check("http://localhost:9090/metrics", "http://me:9090/metrics");
        check("https://[::1]/m?a=b", "https://me/m?a=b");
        check("http://other:1/m", "http://other:1/m");
    }
}
