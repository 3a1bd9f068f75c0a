//! Doors that have a life of their own: pushed metrics, remote write out, remote read.

use super::{Ground, Later};
use crate::setup::Setup;
use collect::remote_read::RemoteReader;
use collect::{Collector, RemoteWriter};
use ingest::{Ingest, Pushgateway};
use model::{Labels, MetricMetadata, Sink, Source, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tsdb::Db;

/// How often pushed metrics are appended where no file gives a scrape interval: well within the look-back.
const PUSHED_INTERVAL_MS: i64 = 15_000;

/// All of them.
pub(super) struct Doors {
    pub(super) pushgateway: Arc<Pushgateway>,
    ingest: Arc<Ingest>,
    writer: Arc<RemoteWriter>,
    reader: Arc<RemoteReader>,
    collector: Arc<Later<Collector>>,
}

/// The local store with what other servers have; the local store alone until a configuration names some.
pub(super) fn reader(ground: &Ground, db: &Arc<Db>) -> Arc<RemoteReader> {
    let local = Arc::clone(db);
    let start = move || {
        let blocks = local.block_infos().into_iter().map(|block| block.start_ms);
        let start = blocks.chain(local.stats(0).start_ms).min();
        start.map(Timestamp::from_millis)
    };
    Arc::new(RemoteReader::new(
        Arc::clone(db) as Arc<dyn Source>,
        Arc::new(start),
        ground.sockets.clone(),
        &ground.registry,
    ))
}

impl Doors {
    /// Makes them, without anything configured. `own`: what is known of our own metrics.
    pub(super) fn new(
        ground: &Ground,
        ingest: &Arc<Ingest>,
        reader: Arc<RemoteReader>,
        own: BTreeMap<String, MetricMetadata>,
    ) -> anyhow::Result<Self> {
        let collector = Arc::new(Later::default());
        let pushgateway = Pushgateway::open(
            ground.state.clone(),
            Arc::clone(ingest),
            Arc::clone(&ground.clock),
            &ground.registry,
        )?;
        let (scraping, written) = (Arc::clone(&collector), Arc::clone(ingest));
        let metadata = move || metadata(&own, &written, &scraping);
        let writer = RemoteWriter::new(collect::remote_write::Surroundings {
            folder: ground.flags.data.join("remote-write"),
            files: Arc::new(storage::OperatingSystem),
            queue_bytes_max: ground.flags.queue_bytes_max,
            clock: Arc::clone(&ground.clock),
            registry: ground.registry.clone(),
            runtime: ground.sockets.clone(),
            metadata: Arc::new(metadata),
        });
        Ok(Self {
            pushgateway: Arc::new(pushgateway),
            ingest: Arc::clone(ingest),
            writer: Arc::new(writer),
            reader,
            collector,
        })
    }

    /// Names the collector, which knows what scraped metrics are.
    pub(super) fn know(&self, collector: Arc<Collector>) {
        *self
            .collector
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(collector);
    }

    /// Applies a configuration; answers what could not be started.
    pub(super) fn apply(&self, setup: &Setup) -> Vec<String> {
        let file = setup.prometheus.as_ref().map(|p| &p.file);
        let interval = file.map_or(PUSHED_INTERVAL_MS, |file| file.global.scrape_interval_ms);
        self.pushgateway.set_interval_ms(interval);
        let none = Labels::default();
        let external = file.map_or(&none, |file| &file.global.external_labels);
        let reads = file.map_or(&[][..], |file| &file.remote_read);
        self.reader.apply(reads, external);
        let writes = file.map_or(&[][..], |file| &file.remote_write);
        let (any, problems) = self.writer.apply(writes, external);
        for problem in &problems {
            tracing::error!("{problem}");
        }
        let follower = any.then(|| Arc::clone(&self.writer) as Arc<dyn Sink>);
        self.ingest.follow_with(follower);
        problems
    }

    /// Ends what sends; what was not sent stays on disk.
    pub(super) fn shut_down(&self) {
        self.ingest.follow_with(None);
        self.writer.shut_down();
    }
}

/// What is known of metrics: by us, by those who write to us, by targets.
fn metadata(
    own: &BTreeMap<String, MetricMetadata>,
    ingest: &Ingest,
    collector: &Mutex<Option<Arc<Collector>>>,
) -> BTreeMap<String, MetricMetadata> {
    let mut all = own.clone();
    all.extend(ingest.metadata());
    let collector = collector
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let scraped = collector.map(|collector| collector.metadata());
    for (_, of_target) in scraped.into_iter().flatten() {
        let entry = |(name, said): (&String, &MetricMetadata)| (name.clone(), said.clone());
        all.extend(of_target.iter().map(entry));
    }
    all
}
