//! Scrapes one target, again and again, until it is told to stop.
//!
//! Waiting and reading are asynchronous; making series of a body and handing them to the store block, so
//! they run on a blocking thread, a few at a time for the whole process.

use crate::failure_log::{self, Failure, FailureLogs};
use crate::features::Features;
use crate::fetch::{self, Answer, FetchError, Request};
use crate::http_client::RefreshedClient;
use crate::metrics::Metrics;
use crate::prometheus_file::ScrapeConfig;
use crate::report::{Report, ReportSeries};
use crate::schedule::{Grid, first_delay_ms};
use crate::series::{Scraped, SeriesCache, SeriesError, SeriesRules};
use crate::target::Target;
use crate::view::{Health, LastScrape, TargetState};
use model::{Labels, Sink, Timestamp};
use runtime::SharedClock;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::LineLog;
use tokio::sync::{Semaphore, watch};
use tokio::time::MissedTickBehavior;

/// How often it is asked again whether a part of ours answers for a target, and whether its certificates
/// have changed.
const READER_CHECK: Duration = Duration::from_mins(1);

/// A part of Binnacle that answers for a target which does not exist here.
#[derive(Clone)]
pub struct StandIn {
    /// What the targets page calls it.
    pub name: &'static str,
    /// Makes its exposition, in the text format.
    pub read: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Decides whether a part of ours answers for a target. May block, as name resolution does.
pub type StandIns = Arc<dyn Fn(&Target) -> Option<StandIn> + Send + Sync>;

/// What all targets share.
pub(crate) struct Shared {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) clock: SharedClock,
    pub(crate) metrics: Metrics,
    pub(crate) stand_ins: StandIns,
    pub(crate) features: Features,
    /// How many bodies are taken in at once.
    pub(crate) processing: Arc<Semaphore>,
    /// How many big bodies are read at once.
    pub(crate) big_bodies: Arc<Semaphore>,
    pub(crate) failure_logs: FailureLogs,
}

/// What the targets of one job share.
pub(crate) struct Job {
    pub(crate) config: ScrapeConfig,
    request: Request,
    client: RefreshedClient,
    failure_log: Option<Arc<LineLog>>,
    /// Why no target of the job is scraped at all.
    forced_error: Mutex<Option<String>>,
}

impl Job {
    pub(crate) fn new(config: ScrapeConfig, shared: &Shared) -> Self {
        Self {
            request: Request::new(&config, shared.features, Arc::clone(&shared.big_bodies)),
            client: RefreshedClient::new(config.http.clone()),
            forced_error: Mutex::default(),
            failure_log: config
                .failure_log_file
                .as_deref()
                .and_then(|file| shared.failure_logs.open(file)),
            config,
        }
    }

    /// Why the job's client could not be made.
    pub(crate) fn client_error(&self) -> Option<String> {
        self.client.client().err()
    }

    pub(crate) fn force_error(&self, error: Option<String>) {
        let mut forced = self
            .forced_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *forced = error;
    }

    fn forced_error(&self) -> Option<String> {
        let forced = self
            .forced_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        forced.clone()
    }
}

/// The loop of one target.
pub(crate) struct TargetLoop {
    shared: Arc<Shared>,
    job: Arc<Job>,
    state: Arc<TargetState>,
    rules: Arc<SeriesRules>,
    report: Arc<ReportSeries>,
    cache: SeriesCache,
    stand_in: Option<StandIn>,
}

/// Where an answer came from.
enum Reading {
    Answered(Result<Answer, FetchError>),
    Inside(StandIn),
    Refused(String),
}

impl TargetLoop {
    /// Makes the loop. `inherited`: series of the same target's former loop.
    pub(crate) fn new(
        shared: Arc<Shared>,
        job: Arc<Job>,
        state: Arc<TargetState>,
        inherited: Vec<Labels>,
    ) -> Self {
        let config = &job.config;
        let target = &state.target;
        let rules = SeriesRules::new(config, &target.labels, shared.features);
        Self {
            report: Arc::new(ReportSeries::new(&target.labels, config, target.timeout_ms)),
            rules: Arc::new(rules),
            cache: SeriesCache::inheriting(inherited),
            stand_in: None,
            shared,
            job,
            state,
        }
    }

    /// Scrapes until `stop` says so. Answers the series that are alive, those about the scrape included.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Vec<Labels> {
        let target = &self.state.target;
        let interval_ms = target.interval_ms;
        let now = self.shared.clock.now();
        let delay = first_delay_ms(now, interval_ms, target.hash());
        tokio::select! {
            () = tokio::time::sleep(millis(delay)) => {}
            _ = stop.changed() => return self.alive(false),
        }
        let mut ticks = tokio::time::interval(millis(interval_ms));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut grid = Grid::new(self.shared.clock.now(), interval_ms);
        let mut reader_checked: Option<Duration> = None;
        let mut scraped = false;
        let intervals = self
            .shared
            .metrics
            .intervals(&model::format_duration(interval_ms));
        let mut former: Option<Duration> = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stop.changed() => return self.alive(scraped),
            }
            let now = self.shared.clock.monotonic();
            if let Some(former) = former.replace(now) {
                intervals.observe(now.saturating_sub(former).as_secs_f64());
            }
            if reader_checked.is_none_or(|checked| now.saturating_sub(checked) >= READER_CHECK) {
                reader_checked = Some(now);
                // The resolver may take its time; who wants us to stop does not wait for it.
                tokio::select! {
                    () = self.choose_reader() => {}
                    _ = stop.changed() => return self.alive(scraped),
                }
            }
            let at = grid.align(self.shared.clock.now());
            let reading = tokio::select! {
                reading = self.read() => reading,
                _ = stop.changed() => return self.alive(scraped),
            };
            self.take_in(reading, at, now).await;
            scraped = true;
        }
    }

    fn alive(&self, scraped: bool) -> Vec<Labels> {
        let mut series = self.cache.tracked();
        if scraped {
            series.extend_from_slice(self.report.labels());
        }
        series
    }

    /// Asks whether a part of ours answers for the target, and whether its certificates have changed.
    async fn choose_reader(&mut self) {
        let choose = Arc::clone(&self.shared.stand_ins);
        let (job, state) = (Arc::clone(&self.job), Arc::clone(&self.state));
        let work = move || {
            job.client.refresh();
            choose(&state.target)
        };
        let chosen = tokio::task::spawn_blocking(work).await;
        self.stand_in = chosen.ok().flatten();
    }

    async fn read(&self) -> Reading {
        if let Some(error) = self.job.forced_error() {
            return Reading::Refused(error);
        }
        if let Some(stand_in) = &self.stand_in {
            return Reading::Inside(stand_in.clone());
        }
        let client = match self.job.client.client() {
            Ok(client) => client,
            Err(error) => return Reading::Refused(error),
        };
        let target = &self.state.target;
        let request = self
            .job
            .request
            .send(&client, &target.url, target.timeout_ms);
        let answer = tokio::time::timeout(millis(target.timeout_ms), request).await;
        let deadline = |_elapsed| {
            Err(FetchError::Deadline {
                url: target.url.clone(),
            })
        };
        Reading::Answered(answer.unwrap_or_else(deadline))
    }

    /// Makes series of what was read and stores them, on a blocking thread.
    async fn take_in(&mut self, reading: Reading, at: Timestamp, started: Duration) {
        // The semaphore is never closed; without a permit nothing would be worse than going on.
        let permit = Arc::clone(&self.shared.processing)
            .acquire_owned()
            .await
            .ok();
        let mut work = Work {
            shared: Arc::clone(&self.shared),
            job: Arc::clone(&self.job),
            state: Arc::clone(&self.state),
            rules: Arc::clone(&self.rules),
            report: Arc::clone(&self.report),
            cache: std::mem::take(&mut self.cache),
            at,
            started,
        };
        let done = tokio::task::spawn_blocking(move || {
            work.run(reading);
            drop(permit);
            work.cache
        });
        match done.await {
            Ok(cache) => self.cache = cache,
            Err(error) => {
                tracing::error!(url = self.state.target.url, %error, "taking in a scrape broke off")
            }
        }
    }
}

/// One scrape on its way into the store.
struct Work {
    shared: Arc<Shared>,
    job: Arc<Job>,
    state: Arc<TargetState>,
    rules: Arc<SeriesRules>,
    report: Arc<ReportSeries>,
    cache: SeriesCache,
    at: Timestamp,
    started: Duration,
}

impl Work {
    fn run(&mut self, reading: Reading) {
        let standing_in = match &reading {
            Reading::Inside(stand_in) => Some(stand_in.name),
            Reading::Answered(_) | Reading::Refused(_) => None,
        };
        let mut body_bytes = 0;
        let (scraped, result) = match reading {
            Reading::Answered(Ok(answer)) => {
                body_bytes = i64::try_from(answer.body.len()).unwrap_or(i64::MAX);
                self.take_answer(&answer)
            }
            Reading::Inside(stand_in) => {
                let body = (stand_in.read)().into_bytes();
                body_bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
                let content_type = "text/plain".to_owned();
                self.take_answer(&Answer { body, content_type })
            }
            Reading::Answered(Err(error)) => {
                if error == FetchError::BodySize {
                    self.shared.metrics.body_size_limit.increment();
                    body_bytes = -1;
                }
                self.cache.read_nothing(self.at);
                (Scraped::default(), Err(error.to_string()))
            }
            Reading::Refused(error) => {
                self.cache.read_nothing(self.at);
                (Scraped::default(), Err(error))
            }
        };
        let duration = self.shared.clock.monotonic().saturating_sub(self.started);
        let report = Report {
            succeeded: result.is_ok(),
            duration_seconds: duration.as_secs_f64(),
            scraped,
            body_bytes,
        };
        self.report.add_to(&mut self.cache, self.at, report);
        let stored = self.store(scraped);
        let error = result.err().or(stored.err());
        self.publish(error, duration, standing_in);
    }

    fn take_answer(&mut self, answer: &Answer) -> (Scraped, Result<(), String>) {
        if answer.body.is_empty() {
            self.cache.read_nothing(self.at);
            return (Scraped::default(), Ok(()));
        }
        let fallback = self.job.config.fallback_protocol;
        let format = match fetch::encoding_of(&answer.content_type, fallback) {
            Ok(format) => format,
            Err(error) => {
                self.cache.read_nothing(self.at);
                return (Scraped::default(), Err(error));
            }
        };
        let (scraped, result) = self.cache.read(&answer.body, format, &self.rules, self.at);
        let metrics = &self.shared.metrics;
        match &result {
            Err(SeriesError::SampleLimit) => metrics.sample_limit.increment(),
            Err(SeriesError::LabelLimit(_)) => metrics.label_limits.increment(),
            Err(SeriesError::BucketLimit) => metrics.bucket_limit.increment(),
            Err(SeriesError::Invalid(_)) | Ok(()) => {}
        }
        (scraped, result.map_err(|error| error.to_string()))
    }

    fn store(&self, scraped: Scraped) -> Result<(), String> {
        match self.shared.sink.append(self.cache.rows()) {
            Ok(appended) => {
                self.shared
                    .metrics
                    .count_refused(appended, scraped.duplicates);
                Ok(())
            }
            Err(error) => {
                self.shared.metrics.sink_errors.increment();
                Err(format!("the store did not take the samples: {error}"))
            }
        }
    }

    fn publish(
        &self,
        error: Option<String>,
        duration: Duration,
        standing_in: Option<&'static str>,
    ) {
        let metrics = &self.shared.metrics;
        metrics.scrapes.increment();
        metrics.scrape_seconds.observe(duration.as_secs_f64());
        let health = if error.is_none() {
            Health::Up
        } else {
            Health::Down
        };
        if let Some(error) = &error {
            metrics.scrapes_failed.increment();
            tracing::debug!(
                job = self.state.pool,
                url = self.state.target.url,
                error,
                "scrape failed"
            );
            if let Some(log) = &self.job.failure_log {
                let failure = Failure {
                    at: self.shared.clock.now(),
                    job: &self.state.pool,
                    url: &self.state.target.url,
                    error,
                };
                failure_log::write(log, &failure, &metrics.failure_lines_lost);
            }
        }
        let last = LastScrape {
            health,
            error: error.unwrap_or_default(),
            at: Some(self.at),
            duration_seconds: duration.as_secs_f64(),
            standing_in,
        };
        self.state.set(last, self.cache.metadata());
    }
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(millis.max(1).unsigned_abs())
}
