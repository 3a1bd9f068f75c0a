//! Queries as a whole: how many run and wait, how long they take, and the log of them.

use crate::answer::Failure;
use http::StatusCode;
use model::Timestamp;
use promql::{Observed, Observer, Query, QueryStats, QueryTime};
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
    log: QueryLog,
}

/// A line for each query, as upstream's log has it.
#[derive(Clone)]
pub struct QueryLog {
    lines: Arc<LineLog>,
    failures: Counter,
    clock: SharedClock,
}

/// What is counted of every query, those of rules included.
struct Counted {
    running: AtomicUsize,
    running_shown: Gauge,
    samples: Counter,
    prepare_seconds: Summary,
    evaluation_seconds: Summary,
    log: QueryLog,
}

impl Queries {
    /// Lets so many run at once.
    #[must_use]
    pub fn new(
        concurrent_max: usize,
        log: QueryLog,
        (registry, clock): (&Registry, SharedClock),
    ) -> Self {
        registry
            .gauge(
                "prometheus_engine_queries_concurrent_max",
                "The max number of concurrent queries.",
                &[],
            )
            .set_count(concurrent_max);
        Self {
            slots: Arc::new(Semaphore::new(concurrent_max)),
            clock,
            queue_seconds: seconds(registry, "queue_time"),
            log,
        }
    }

    /// What an engine tells of its queries, to be counted; those of rules are logged.
    #[must_use]
    pub fn observer(registry: &Registry, log: QueryLog) -> Observer {
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
            log,
        };
        Arc::new(move |query, observed| counted.note(query, observed))
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

    /// Writes a line for a query that came over HTTP.
    pub(crate) fn log(&self, asked: &Asked, outcome: Result<&QueryStats, &str>) {
        self.log.write(|| asked.logged(), outcome);
    }
}

impl QueryLog {
    /// Writes where `lines` says.
    #[must_use]
    pub fn new(lines: Arc<LineLog>, (registry, clock): (&Registry, SharedClock)) -> Self {
        let enabled = registry.gauge(
            "prometheus_engine_query_log_enabled",
            "State of the query log.",
            &[],
        );
        let shown = Arc::clone(&lines);
        registry.before_showing(move || enabled.set(f64::from(u8::from(shown.is_on()))));
        Self {
            lines,
            failures: registry.counter(
                "prometheus_engine_query_log_failures_total",
                "The number of query log failures.",
                &[],
            ),
            clock,
        }
    }

    fn write(&self, logged: impl FnOnce() -> Logged, outcome: Result<&QueryStats, &str>) {
        if !self.lines.is_on() {
            return;
        }
        let line = logged().line(self.clock.now(), outcome);
        if let Err(error) = self.lines.write(&line.to_string()) {
            self.failures.increment();
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
    fn note(&self, query: &Query<'_>, observed: Observed<'_>) {
        self.log_rule(query, observed);
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

    fn log_rule(&self, query: &Query<'_>, observed: Observed<'_>) {
        let Some(group) = query.rule_group else {
            return;
        };
        let logged = || Logged {
            query: query.expr.to_string(),
            time: query.time,
            origin: (
                "ruleGroup",
                json!({ "file": group.file, "name": group.name }),
            ),
        };
        match observed {
            Observed::Begun => {}
            Observed::Answered(result) => self.log.write(logged, Ok(&result.stats)),
            Observed::Failed(error) => self.log.write(logged, Err(&error.to_string())),
        }
    }
}

/// What a line says of a query beside its outcome.
struct Logged {
    query: String,
    time: QueryTime,
    /// Where it came from: the name of a field and its value.
    origin: (&'static str, Value),
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
    fn logged(&self) -> Logged {
        let origin = json!({
            "clientIP": self.client,
            "method": self.method,
            "path": self.path,
        });
        Logged {
            query: self.query.clone(),
            time: self.time,
            origin: ("httpRequest", origin),
        }
    }
}

impl Logged {
    fn line(self, now: Timestamp, outcome: Result<&QueryStats, &str>) -> Value {
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
        });
        if let Value::Object(fields) = &mut line {
            fields.insert(self.origin.0.to_owned(), self.origin.1);
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
    use super::{Asked, Queries, QueryLog};
    use model::Timestamp;
    use promql::{QueryStats, QueryTime};
    use runtime::{Registry, SystemClock};
    use std::sync::Arc;
    use std::time::Duration;
    use storage::{LineLog, OperatingSystem};

    fn queries(concurrent_max: usize, registry: &Registry) -> Queries {
        let lines = Arc::new(LineLog::new(OperatingSystem::shared()));
        let log = QueryLog::new(lines, (registry, SystemClock::shared()));
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
        let now = Timestamp::from_millis(1000);
        let line = asked.logged().line(now, Ok(&QueryStats::default()));
        assert_eq!(
            (
                &line["params"]["step"],
                &line["params"]["query"],
                &line["httpRequest"]["clientIP"]
            ),
            (&15.0.into(), &"up".into(), &"127.0.0.1".into())
        );
        assert_eq!(line["stats"]["samples"]["peakSamples"], 0);
        let failed = asked.logged().line(now, Err("too slow"));
        assert_eq!(failed["error"], "too slow");
    }
}
