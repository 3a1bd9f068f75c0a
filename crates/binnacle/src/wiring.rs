//! Who is connected to whom: the one place that knows all parts.
//!
//! ```text
//! collect, inside ──► ingest ──► tsdb ◄── promql ◄── rules ──alerts──► dispatch ──routed──► incidents
//!                                  ▲                                       │
//!                                 api ◄────────────────────────────────────┘
//! ```
//! Alerts and routed alerts travel over bounded queues, each read by a thread of its own.

mod doors;
mod flows;
mod http;
mod own;
mod reload;
pub(crate) mod stand_ins;
mod upstream_names;

use crate::cli::WalSync;
use crate::flags::Flags;
use crate::setup::Setup;
use anyhow::Context as _;
use api::{About, Queries, QueryLog, Replay, Services};
use collect::inside::SourceViews;
use collect::remote_read::RemoteReader;
use collect::{Collector, Surroundings};
use doors::Doors;
use incidents::Incidents;
use ingest::Ingest;
use model::{Alert, Sink, Source, Timestamp};
use own::Own;
use promql::{Engine, EngineOptions, ResultCache};
use reload::Configuration;
use rules::RuleEngine;
use runtime::queue::Sender;
use runtime::{Registry, SharedClock, Shutdown};
use stand_ins::Switch;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use storage::{LineLog, OperatingSystem, State};
use tokio::runtime::Handle;
use tsdb::Db;

/// Threads that evaluate rule groups.
const RULE_THREADS: usize = 2;
/// Memory for answers of range queries: a screen of dashboards, little beside the head.
const RESULT_CACHE_BYTES: usize = 32 << 20;

/// What everything is made on.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) flags: Arc<Flags>,
    pub(crate) clock: SharedClock,
    pub(crate) registry: Registry,
    pub(crate) state: State,
    pub(crate) shutdown: Shutdown,
    pub(crate) sockets: Handle,
    pub(crate) replay: Replay,
    pub(crate) stand_ins: Switch,
}

/// A running program.
pub(crate) struct Wired {
    pub(crate) services: Arc<Services>,
    threads: Vec<JoinHandle<()>>,
    doors: Arc<Doors>,
    maintenance: tsdb::Maintenance,
    sockets: Handle,
}

/// Makes all parts, connects them, applies the configuration, starts them. Reads the write-ahead log back, so it may
/// take a while; must not run on a thread that serves sockets.
pub(crate) fn start(ground: Ground, setup: Setup) -> anyhow::Result<Wired> {
    let flags = Arc::clone(&ground.flags);
    let started_at = ground.clock.now();
    let Samples {
        db,
        ingest,
        reader,
        source,
        sink,
        maintenance,
    } = samples(&ground, &setup)?;
    let (engine, query_log, query_lines) = engine(&ground);
    let incidents = incidents(&ground, started_at)?;
    let (dispatch, mut threads) = flows::dispatch(&ground, &setup, Arc::clone(&incidents))?;
    let notifier = Arc::new(flows::notifier(&ground));
    let (alerts, from_rules) = flows::rules_to_dispatch(&ground, &dispatch, &notifier)?;
    threads.push(from_rules);
    let (waiting, to_probe) = (alerts.clone(), alerts.clone());
    let rules = rule_engine(&ground, (&source, &sink), engine.clone(), alerts)?;
    let own = Own::new(&flags, &ground.registry, &ground.clock);
    let doors = Arc::new(Doors::new(&ground, &ingest, reader, own.metadata())?);
    threads.push(doors.pushgateway.spawn(ground.shutdown.clone())?);
    let web = http::Web::new(&ground, query_log);
    let configuration = Arc::new(Configuration::new(
        ground.clone(),
        (rules.clone(), dispatch.clone(), notifier.clone()),
        (Arc::clone(&web.notifications), query_lines, &engine),
        Arc::clone(&doors),
    ));
    let collector = Arc::new(collector(&ground, &sink, own.stand_ins(&ground.stand_ins)));
    configuration.connect(Arc::clone(&collector), Arc::clone(&ingest));
    upstream_names::publish(&ground, (&db, &collector), waiting);
    doors.know(Arc::clone(&collector));
    configuration.apply(setup)?;
    let (inside, inside_thread) = inside(&ground, &own, sink)?;
    threads.extend(rules.start(RULE_THREADS, &ground.shutdown)?);
    let watch = flows::watch(&ground, &dispatch, (Arc::clone(&rules), to_probe))?;
    threads.extend([inside_thread, watch]);
    let shown = Arc::clone(&configuration);
    let services = Arc::new(Services {
        clock: Arc::clone(&ground.clock),
        registry: ground.registry.clone(),
        db,
        source,
        engine,
        queries: web.queries,
        ingest,
        pushgateway: Arc::clone(&doors.pushgateway),
        collector,
        inside,
        own_metadata: own.metadata(),
        rules,
        dispatch,
        notifier,
        incidents,
        about: about(&flags, started_at),
        setup: Arc::new(move || shown.view()),
        reload: Arc::new(move || configuration.reload()),
        ready: AtomicBool::new(true),
        web: web.options,
        requests: web.requests,
        notifications: web.notifications,
        replay: ground.replay.clone(),
    });
    Ok(Wired {
        services,
        threads,
        doors,
        maintenance,
        sockets: ground.sockets,
    })
}

/// The store, its door, and both as others see them.
struct Samples {
    db: Arc<Db>,
    ingest: Arc<Ingest>,
    reader: Arc<RemoteReader>,
    source: Arc<dyn Source>,
    sink: Arc<dyn Sink>,
    maintenance: tsdb::Maintenance,
}

fn samples(ground: &Ground, setup: &Setup) -> anyhow::Result<Samples> {
    let db = Arc::new(open_store(ground, setup)?);
    let limits = ingest::remote_write::Limits::default();
    let second = ingest::remote_write::SecondOptions {
        type_and_unit_labels: ground.flags.type_and_unit_labels,
    };
    let ingest = Ingest::to_db(Arc::clone(&db), limits, &ground.registry).reading_second(second);
    let ingest = Arc::new(ingest);
    let reader = doors::reader(ground, &db);
    Ok(Samples {
        maintenance: db.spawn_maintenance(&ground.shutdown)?,
        source: Arc::clone(&reader) as Arc<dyn Source>,
        reader,
        sink: Arc::clone(&ingest) as Arc<dyn Sink>,
        db,
        ingest,
    })
}

fn incidents(ground: &Ground, now: Timestamp) -> anyhow::Result<Arc<Incidents>> {
    let incidents = Incidents::open(ground.state.clone(), &ground.registry, now)?;
    Ok(Arc::new(incidents))
}

fn inside(
    ground: &Ground,
    own: &Own,
    sink: Arc<dyn Sink>,
) -> std::io::Result<(SourceViews, JoinHandle<()>)> {
    let (clock, shutdown) = (Arc::clone(&ground.clock), ground.shutdown.clone());
    collect::inside::spawn(own.sources(), sink, clock, shutdown)
}

fn rule_engine(
    ground: &Ground,
    (source, sink): (&Arc<dyn Source>, &Arc<dyn Sink>),
    engine: Engine,
    alerts: Sender<Vec<Alert>>,
) -> anyhow::Result<Arc<RuleEngine>> {
    Ok(Arc::new(RuleEngine::new(rules::Parts {
        engine,
        source: Arc::clone(source),
        sink: Arc::clone(sink),
        state: ground.state.clone(),
        clock: Arc::clone(&ground.clock),
        registry: ground.registry.clone(),
        alerts,
    })?))
}

fn open_store(ground: &Ground, setup: &Setup) -> anyhow::Result<Db> {
    let flags = &ground.flags;
    let stored = setup
        .prometheus
        .as_ref()
        .map(|prometheus| &prometheus.file.storage);
    let retention_ms = flags
        .retention_ms
        .or_else(|| stored.and_then(|s| s.retention_time_ms));
    let options = tsdb::Options {
        retention_ms: Some(retention_ms.unwrap_or(tsdb::RETENTION_MS)),
        block_ms: flags.block_ms,
        retention_bytes: flags
            .retention_bytes
            .or_else(|| stored.and_then(|s| s.retention_size_bytes)),
        retention_percentage: flags
            .retention_percentage
            .or_else(|| stored.and_then(|s| s.retention_percentage)),
        retention_rules: flags.retention_rules.clone(),
        downsampling: flags.downsampling.clone(),
        wal_sync: match flags.wal_sync {
            WalSync::Interval => tsdb::WalSync::Interval,
            WalSync::Always => tsdb::WalSync::Always,
        },
        // As upstream: zero or less keeps none.
        exemplars_max: stored
            .and_then(|s| s.exemplars_max)
            .map_or(tsdb::EXEMPLARS_MAX, |max| {
                usize::try_from(max).unwrap_or_default()
            }),
        clock: Arc::clone(&ground.clock),
        metrics: ground.registry.clone(),
        progress: Arc::clone(&ground.replay.0),
        ..tsdb::Options::new(flags.data.join("metrics"))
    };
    Db::open(options).with_context(|| format!("metrics store in {}", flags.data.display()))
}

/// The engine, the log of queries, and the file that this goes to.
fn engine(ground: &Ground) -> (Engine, QueryLog, Arc<LineLog>) {
    let flags = &ground.flags;
    let lines = Arc::new(LineLog::new(OperatingSystem::shared()));
    let registry_and_clock = (&ground.registry, Arc::clone(&ground.clock));
    let query_log = QueryLog::new(Arc::clone(&lines), registry_and_clock);
    let engine = Engine::new(EngineOptions {
        lookback_ms: flags.lookback_ms,
        samples_max: flags.query_samples,
        timeout: flags.query_timeout,
        delayed_name_removal: flags.delayed_name_removal,
        start_timestamps: flags.start_timestamps,
        type_and_unit_labels: flags.type_and_unit_labels,
        observer: Some(Queries::observer(&ground.registry, query_log.clone())),
        per_step_stats: flags.per_step_stats,
        cache: Some(Arc::new(ResultCache::new(
            RESULT_CACHE_BYTES,
            &ground.registry,
        ))),
        ..EngineOptions::new(Arc::clone(&ground.clock))
    });
    (engine, query_log, lines)
}

fn collector(ground: &Ground, sink: &Arc<dyn Sink>, stand_ins: collect::StandIns) -> Collector {
    Collector::new(Surroundings {
        sink: Arc::clone(sink),
        clock: Arc::clone(&ground.clock),
        registry: ground.registry.clone(),
        runtime: ground.sockets.clone(),
        stand_ins,
        features: ground.flags.scrape_features,
    })
}

fn about(flags: &Flags, started_at: Timestamp) -> About {
    let folder = std::env::current_dir().map(|folder| folder.display().to_string());
    let retention_ms = flags.retention_ms.unwrap_or(tsdb::RETENTION_MS);
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host_name: host_name(),
        started_at,
        working_folder: folder.unwrap_or_default(),
        flags: flags.shown.clone(),
        retention: model::format_duration(retention_ms),
    }
}

/// The name of this machine; empty where the kernel does not say.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

impl Wired {
    /// Waits for every part to end after the signal, then closes the store.
    pub(crate) fn end(self) {
        self.sockets.block_on(self.services.collector.shut_down());
        self.sockets.block_on(self.services.notifier.shut_down());
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread broke off");
            }
        }
        // Nothing comes in any more; what was not sent stays in the queues.
        self.doors.shut_down();
        self.maintenance.join();
        if let Err(error) = self.services.db.close() {
            tracing::error!(%error, "the metrics store did not close well");
        }
    }
}

/// A part that is made after those that use it.
type Later<T> = Mutex<Option<Arc<T>>>;
