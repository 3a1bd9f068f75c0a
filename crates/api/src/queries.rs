//! Queries as a whole: how many run and wait, how long they take, and the log of them.

use crate::answer::Failure;
use http::StatusCode;
use model::Timestamp;
use promql::{Observed, Observer, QueryStats, QueryTime};
use runtime::metrics::{Counter, Gauge, Summary};
use runtime::{Registry, SharedClock};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::LineLog;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Queries over HTTP that run at once, and what is counted of all queries.
pub struct Queries {
    slots: Arc<Semaphore>,
    clock: SharedClock,
    queue_seconds: Summary,
    log: Arc<LineLog>,
    log_failures: Counter,
}

/// What is counted of every query, those of rules included.
struct Counted {
    running: AtomicUsize,
    running_shown: Gauge,
    samples: Counter,
    prepare_seconds: Summary,
    evaluation_seconds: Summary,
}

impl Queries {
    /// Lets so many run at once; the log is written where `log` says.
    #[must_use]
    pub fn new(
        concurrent_max: usize,
        log: Arc<LineLog>,
        (registry, clock): (&Registry, SharedClock),
    ) -> Self {
        registry
            .gauge(
                "prometheus_engine_queries_concurrent_max",
                "The max number of concurrent queries.",
                &[],
            )
            .set_count(concurrent_max);
        let enabled = registry.gauge(
            "prometheus_engine_query_log_enabled",
            "State of the query log.",
            &[],
        );
        let shown = Arc::clone(&log);
        registry.before_showing(move || enabled.set(f64::from(u8::from(shown.is_on()))));
        Self {
            slots: Arc::new(Semaphore::new(concurrent_max)),
            clock,
            queue_seconds: seconds(registry, "queue_time"),
            log,
            log_failures: registry.counter(
                "prometheus_engine_query_log_failures_total",
                "The number of query log failures.",
                &[],
            ),
        }
    }

    /// What an engine tells of its queries, to be counted.
    #[must_use]
    pub fn observer(registry: &Registry) -> Observer {
        let counted = Counted {
            running: AtomicUsize::new(0),
            running_shown: registry.gauge(
                "prometheus_engine_queries",
                "The current number of queries being executed or waiting.",
                &[],
            ),
            samples: registry.counter(
                "prometheus_engine_query_samples_total",
                "The total number of samples loaded by all queries.",
                &[],
            ),
            prepare_seconds: seconds(registry, "prepare_time"),
            evaluation_seconds: seconds(registry, "inner_eval"),
        };
        Arc::new(move |_query, observed| counted.note(observed))
    }

    /// Waits for a slot, at most as long as the query may take.
    pub(crate) async fn admit(&self, timeout: Duration) -> Result<OwnedSemaphorePermit, Failure> {
        let begin = self.clock.monotonic();
        let slot = Arc::clone(&self.slots).acquire_owned();
        let admitted = tokio::time::timeout(timeout, slot).await;
        let waited = self.clock.monotonic().saturating_sub(begin);
        self.queue_seconds.observe(waited.as_secs_f64());
        match admitted {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_closed)) => Err(Failure::unavailable("the server is shutting down")),
            Err(_elapsed) => Err(Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "timeout",
                "query timed out in query queue",
            )),
        }
    }

    /// Writes a line for a query, as upstream's log has it.
    pub(crate) fn log(&self, asked: &Asked, outcome: Result<&QueryStats, &str>) {
        if !self.log.is_on() {
            return;
        }
        let line = asked.line(self.clock.now(), outcome);
        if let Err(error) = self.log.write(&line.to_string()) {
            self.log_failures.increment();
            tracing::warn!(%error, "a query could not be logged");
        }
    }
}

fn seconds(registry: &Registry, slice: &str) -> Summary {
    registry.summary(
        "prometheus_engine_query_duration_seconds",
        "Query timings.",
        &[("slice", slice)],
    )
}

impl Counted {
    fn note(&self, observed: Observed<'_>) {
        let running = match observed {
            Observed::Begun => self.running.fetch_add(1, Ordering::Relaxed) + 1,
            Observed::Answered(result) => {
                let stats = &result.stats;
                self.samples.add(stats.samples_touched);
                self.prepare_seconds.observe(stats.select_seconds);
                let rest = (stats.total_seconds - stats.select_seconds).max(0.0);
                self.evaluation_seconds.observe(rest);
                self.running.fetch_sub(1, Ordering::Relaxed) - 1
            }
            Observed::Failed(_) => self.running.fetch_sub(1, Ordering::Relaxed) - 1,
        };
        self.running_shown.set_count(running);
    }
}

/// A query and who asked it.
pub(crate) struct Asked {
    pub(crate) query: String,
    pub(crate) time: QueryTime,
    pub(crate) client: String,
    pub(crate) method: String,
    pub(crate) path: &'static str,
}

impl Asked {
    fn line(&self, now: Timestamp, outcome: Result<&QueryStats, &str>) -> Value {
        let (start, end, step) = match self.time {
            QueryTime::Instant(at) => (at, at, 0.0),
            QueryTime::Range {
                start,
                end,
                step_ms,
            } => (start, end, model::number::i64_to_float(step_ms) / 1000.0),
        };
        let mut line = json!({
            "time": now.to_string(),
            "level": "INFO",
            "msg": "promql query logged",
            "params": {
                "end": end.to_string(),
                "query": self.query,
                "start": start.to_string(),
                "step": step,
            },
            "httpRequest": {
                "clientIP": self.client,
                "method": self.method,
                "path": self.path,
            },
        });
        if let Value::Object(fields) = &mut line {
            match outcome {
                Ok(stats) => drop(fields.insert("stats".to_owned(), stats_json(stats))),
                Err(error) => drop(fields.insert("error".to_owned(), error.into())),
            }
        }
        line
    }
}

fn stats_json(stats: &QueryStats) -> Value {
    json!({
        "timings": {
            "evalTotalTime": stats.total_seconds,
            "queryPreparationTime": stats.select_seconds,
            "innerEvalTime": (stats.total_seconds - stats.select_seconds).max(0.0),
            "execTotalTime": stats.total_seconds,
        },
        "samples": {
            "totalQueryableSamples": stats.samples_touched,
            "peakSamples": stats.samples_peak,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{Asked, Queries};
    use model::Timestamp;
    use promql::{QueryStats, QueryTime};
    use runtime::{Registry, SystemClock};
    use std::sync::Arc;
    use std::time::Duration;
    use storage::{LineLog, OperatingSystem};

    fn queries(concurrent_max: usize, registry: &Registry) -> Queries {
        let log = Arc::new(LineLog::new(OperatingSystem::shared()));
        Queries::new(concurrent_max, log, (registry, SystemClock::shared()))
    }

    #[tokio::test]
    async fn a_full_queue_is_waited_for_as_long_as_a_query_may_take() {
        let registry = Registry::new();
        let queries = queries(1, &registry);
        let slot = queries.admit(Duration::from_secs(1)).await.expect("free");
        let refused = queries
            .admit(Duration::from_millis(1))
            .await
            .expect_err("full");
        assert_eq!(refused.message(), "query timed out in query queue");
        assert_eq!(refused.status(), 503);
        drop(slot);
        assert!(queries.admit(Duration::from_secs(1)).await.is_ok());
        assert!(
            registry
                .render()
                .contains("prometheus_engine_queries_concurrent_max 1\n")
        );
    }

    #[test]
    fn lines_are_those_of_upstream() {
        let asked = Asked {
            query: "up".to_owned(),
            time: QueryTime::Range {
                start: Timestamp::from_millis(0),
                end: Timestamp::from_millis(60_000),
                step_ms: 15_000,
            },
            client: "127.0.0.1".to_owned(),
            method: "GET".to_owned(),
            path: "/api/v1/query_range",
        };
        let line = asked.line(Timestamp::from_millis(1000), Ok(&QueryStats::default()));
        assert_eq!(
            (
                &line["params"]["step"],
                &line["params"]["query"],
                &line["httpRequest"]["clientIP"]
            ),
            (&15.0.into(), &"up".into(), &"127.0.0.1".into())
        );
        assert_eq!(line["stats"]["samples"]["peakSamples"], 0);
        let failed = asked.line(Timestamp::from_millis(1000), Err("too slow"));
        assert_eq!(failed["error"], "too slow");
    }
}
