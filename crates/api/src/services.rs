//! What the handlers use: the parts of the program, as the binary wired them.

use crate::late::Replay;
use crate::notifications::Notifications;
use crate::queries::Queries;
use crate::web::{Requests, Web};
use collect::Collector;
use collect::alertmanagers::Notifier;
use collect::inside::SourceViews;
use dispatch::Dispatch;
use incidents::Incidents;
use ingest::{Ingest, Pushgateway};
use model::{Labels, MetricMetadata, RelabelRule, Source, Timestamp};
use promql::Engine;
use rules::RuleEngine;
use runtime::{Registry, SharedClock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tsdb::Db;

/// Reads the configuration again; the error is what the user must correct.
pub type Reload = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Everything that requests are answered from.
pub struct Services {
    /// What time it is.
    pub clock: SharedClock,
    /// The program's own metrics.
    pub registry: Registry,
    /// The store.
    pub db: Arc<Db>,
    /// The store, as queries see it.
    pub source: Arc<dyn Source>,
    /// Evaluates queries.
    pub engine: Engine,
    /// Queries that may run at once, and the log of them.
    pub queries: Arc<Queries>,
    /// The door for samples.
    pub ingest: Arc<Ingest>,
    /// Groups of pushed metrics.
    pub pushgateway: Arc<Pushgateway>,
    /// Targets.
    pub collector: Arc<Collector>,
    /// The sources inside this process: host sensors, own metrics.
    pub inside: SourceViews,
    /// What they say of their metrics.
    pub own_metadata: BTreeMap<String, MetricMetadata>,
    /// Rules and their alerts.
    pub rules: Arc<RuleEngine>,
    /// Routing and notifications.
    pub dispatch: Arc<Dispatch>,
    /// Sends alerts to other Alertmanagers.
    pub notifier: Arc<Notifier>,
    /// Incidents.
    pub incidents: Arc<Incidents>,
    /// What is running and with what settings.
    pub about: About,
    /// What the last reading of the configuration found.
    pub setup: Arc<dyn Fn() -> SetupView + Send + Sync>,
    /// Reads the configuration again.
    pub reload: Reload,
    /// Whether everything that was stored has been read back.
    pub ready: AtomicBool,
    /// How the server behaves over HTTP.
    pub web: Web,
    /// How far replay has come.
    pub replay: Replay,
    /// Where requests are counted.
    pub requests: Requests,
    /// What the server has to tell those who look at its page.
    pub notifications: Arc<Notifications>,
}

/// What is running.
#[derive(Clone, Debug)]
pub struct About {
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Where it was started.
    pub working_folder: String,
    /// The name of the machine.
    pub host_name: String,
    /// The flags in force, as Prometheus names them.
    pub flags: Vec<(String, String)>,
    /// How long samples are kept, as text.
    pub retention: String,
}

/// What the last reading of the configuration found.
#[derive(Clone, Debug, Default)]
pub struct SetupView {
    /// The prometheus.yml in force, secrets hidden.
    pub prometheus_config: String,
    /// What is to be known about the files: not active yet, found elsewhere, skipped.
    pub notes: Vec<String>,
    /// Each file that was looked at and what it was taken for.
    pub files: Vec<(String, String)>,
    /// Why the last reload was refused, if it was.
    pub reload_problem: Option<String>,
    /// `external_labels` of the prometheus.yml in force.
    pub external_labels: Labels,
    /// When the configuration in force was read.
    pub loaded_at: Option<Timestamp>,
    /// The relabelling of targets by job.
    pub relabel_rules: BTreeMap<String, Vec<RelabelRule>>,
    /// Where rule packs are enabled by writing them there.
    pub pack_folder: String,
    /// The rule packs in force: name and file.
    pub packs: Vec<(String, String)>,
}
