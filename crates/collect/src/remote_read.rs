//! Asks other servers for samples: `remote_read` of prometheus.yml, merged with the local store.
//!
//! An endpoint that does not answer costs its samples, not the query: it is logged and counted, and what the local store
//! has is answered, as upstream does. Where both have a sample of the same millisecond, the local one counts. Names and
//! values of labels are answered by the local store alone, as upstream. Unless `read_recent` is set, an endpoint is asked
//! only for times before the local store begins.
//!
//! Everything that an endpoint answers to a selector is in memory while the query runs; `SAMPLES_MAX` bounds it.

mod merge;

use crate::http_client::{RefreshedClient, cause};
use crate::prometheus_file::RemoteRead;
use interchange::remote_read::{FrameReader, Query, decode_samples, encode_request};
use model::{
    ChangeLog, HeldScan, Labels, MatchOperator, Matcher, Scan, SeriesSamples, Source, SourceError,
    TimeRange, Timestamp,
};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use runtime::Registry;
use runtime::metrics::{Counter, Histogram};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::time::Duration;

/// Bytes of an answer of samples at most, unpacked.
const ANSWER_BYTES_MAX: usize = 512 << 20;
/// Samples of an answer at most.
const SAMPLES_MAX: usize = 50_000_000;
/// Bytes of a refusal that a message shows.
const SHOWN_BYTES_MAX: usize = 512;

/// Says where the local store begins; `None` where it is empty.
pub type LocalStart = Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>;

/// The local store and what other servers have. Without endpoints it is the local store.
pub struct RemoteReader {
    local: Arc<dyn Source>,
    local_start: LocalStart,
    runtime: tokio::runtime::Handle,
    registry: Registry,
    endpoints: RwLock<Arc<[Arc<Endpoint>]>>,
}

impl RemoteReader {
    /// Makes a reader without endpoints. `runtime`: what requests run on.
    #[must_use]
    pub fn new(
        local: Arc<dyn Source>,
        local_start: LocalStart,
        runtime: tokio::runtime::Handle,
        registry: &Registry,
    ) -> Self {
        Self {
            local,
            local_start,
            runtime,
            registry: registry.clone(),
            endpoints: RwLock::new(Arc::from([])),
        }
    }

    /// Asks these from now on.
    pub fn apply(&self, wanted: &[RemoteRead], external: &Labels) {
        let endpoint =
            |settings: &RemoteRead| Arc::new(Endpoint::new(settings, external, &self.registry));
        let endpoints = wanted.iter().map(endpoint).collect();
        *self
            .endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner) = endpoints;
    }

    fn endpoints(&self) -> Arc<[Arc<Endpoint>]> {
        let endpoints = self.endpoints.read();
        Arc::clone(&endpoints.unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks every endpoint that has something to say, all at once.
    fn ask(&self, matchers: &[Matcher], range: TimeRange) -> Vec<SeriesSamples> {
        let (sender, answers) = mpsc::sync_channel(self.endpoints().len());
        for endpoint in self.endpoints().iter() {
            let Some(query) = endpoint.query(matchers, range, &self.local_start) else {
                continue;
            };
            let (endpoint, sender) = (Arc::clone(endpoint), sender.clone());
            // Ends by itself: every request has a time limit. What it says may come too late to be heard.
            let _asking = self.runtime.spawn(async move {
                let answer = endpoint.ask(&query).await;
                let _unheard = sender.send(answer);
            });
        }
        drop(sender);
        answers.into_iter().flatten().collect()
    }
}

impl Source for RemoteReader {
    fn scan<'a>(
        &'a self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError> {
        let local = self.local.scan(matchers, range)?;
        if self.endpoints().is_empty() {
            return Ok(local);
        }
        let remote = self.ask(matchers, range);
        if remote.is_empty() {
            return Ok(local);
        }
        let remote = HeldScan::new(merge::to_series(remote));
        Ok(Box::new(merge::Merged::new(local, remote)))
    }

    /// Nobody says what changes at other servers.
    fn changes(&self) -> Option<&ChangeLog> {
        if self.endpoints().is_empty() {
            return self.local.changes();
        }
        None
    }

    fn series(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Labels>, SourceError> {
        let mut found = self.local.series(matchers, range)?;
        if !self.endpoints().is_empty() {
            let remote = self.ask(matchers, range);
            found.extend(remote.into_iter().map(|series| series.labels));
            found.sort();
            found.dedup();
        }
        Ok(found)
    }

    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        self.local.label_names(matchers, range)
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        self.local.label_values(name, matchers, range)
    }
}

/// One server.
struct Endpoint {
    settings: RemoteRead,
    external: Labels,
    client: Arc<RefreshedClient>,
    queries: Counter,
    failed: Counter,
    duration: Histogram,
}

/// What an endpoint is asked, and the labels that it adds to every series for being asked so.
struct Asked {
    query: Query,
    added: Vec<String>,
}

impl Endpoint {
    fn new(settings: &RemoteRead, external: &Labels, registry: &Registry) -> Self {
        let external = match settings.filter_external_labels {
            true => external.clone(),
            false => Labels::default(),
        };
        let labels = [
            ("remote_name", settings.name.as_str()),
            ("url", settings.url.as_str()),
        ];
        let queries = |code| {
            let labels = [labels[0], labels[1], ("code", code)];
            registry.counter(
                "prometheus_remote_storage_read_queries_total",
                "The total number of remote read queries.",
                &labels,
            )
        };
        Self {
            client: Arc::new(RefreshedClient::new(settings.http.clone())),
            queries: queries("200"),
            failed: queries("failed"),
            duration: registry.histogram(
                "prometheus_remote_storage_read_request_duration_seconds",
                "Histogram of the latency for remote read requests.",
                &labels,
            ),
            settings: settings.clone(),
            external,
        }
    }

    /// What to ask; `None` where this endpoint is not asked.
    fn query(
        &self,
        matchers: &[Matcher],
        mut range: TimeRange,
        local_start: &LocalStart,
    ) -> Option<Asked> {
        let has = |name: &str, value: &str| {
            matchers.iter().any(|matcher| {
                matcher.operator() == MatchOperator::Equal
                    && matcher.name() == name
                    && matcher.value() == value
            })
        };
        let mut required = self.settings.required_matchers.iter();
        if !required.all(|(name, value)| has(name, value)) {
            return None;
        }
        if !self.settings.read_recent
            && let Some(start) = local_start()
        {
            if range.start >= start {
                return None;
            }
            range.end = range.end.min(start);
        }
        let mut matchers = matchers.to_vec();
        let mut added = Vec::new();
        for (name, value) in &self.external {
            if matchers.iter().all(|matcher| matcher.name() != name) {
                matchers.push(Matcher::equal(name, value));
                added.push(name.to_owned());
            }
        }
        Some(Asked {
            query: Query { matchers, range },
            added,
        })
    }

    /// Asks; what goes wrong is logged and counted.
    async fn ask(&self, asked: &Asked) -> Vec<SeriesSamples> {
        let timeout = u64::try_from(self.settings.timeout_ms).unwrap_or(60_000);
        let started = tokio::time::Instant::now();
        let answer = tokio::time::timeout(Duration::from_millis(timeout), self.fetch(asked)).await;
        self.duration.observe(started.elapsed().as_secs_f64());
        let answer =
            answer.unwrap_or_else(|_elapsed| Err(format!("no answer within {timeout} ms")));
        match answer {
            Ok(mut rows) => {
                self.queries.increment();
                for row in &mut rows {
                    row.labels = row.labels.without(&asked.added);
                }
                rows
            }
            Err(problem) => {
                self.failed.increment();
                let url = &self.settings.url;
                tracing::warn!(
                    "remote_read from {url}: its samples are missing in an answer: {problem}"
                );
                Vec::new()
            }
        }
    }

    async fn fetch(&self, asked: &Asked) -> Result<Vec<SeriesSamples>, String> {
        let (client, mut headers) = self.client.ready().await?;
        add_own(&mut headers, &self.settings.headers)?;
        let mut response = client
            .post(&self.settings.url)
            .headers(headers)
            .body(encode_request(&asked.query))
            .send()
            .await
            .map_err(|error| cause(&error))?;
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_streamed = kind.starts_with("application/x-streamed-protobuf");
        let mut failed = (!status.is_success()).then(Vec::new);
        let frame_bytes_max = usize::try_from(self.settings.frame_bytes_max).unwrap_or(usize::MAX);
        let mut frames = FrameReader::new(frame_bytes_max, asked.query.range);
        let (mut body, mut samples) = (Vec::new(), 0);
        while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
            if let Some(text) = &mut failed {
                text.extend_from_slice(&chunk);
                if text.len() > SHOWN_BYTES_MAX {
                    break;
                }
            } else if is_streamed {
                samples += frames.push(&chunk).map_err(|error| error.to_string())?;
                if samples > SAMPLES_MAX {
                    return Err(format!("more than {SAMPLES_MAX} samples"));
                }
            } else {
                body.extend_from_slice(&chunk);
                if body.len() > ANSWER_BYTES_MAX {
                    return Err(format!("more than {ANSWER_BYTES_MAX} bytes"));
                }
            }
        }
        if let Some(text) = failed {
            let text = String::from_utf8_lossy(&text);
            let line = text.lines().next().unwrap_or_default();
            return Err(format!("server returned HTTP status {status}: {line}"));
        }
        if is_streamed {
            return frames.finish().map_err(|error| error.to_string());
        }
        let rows =
            tokio::task::spawn_blocking(move || decode_samples(&body, ANSWER_BYTES_MAX)).await;
        rows.map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }
}

fn add_own(headers: &mut HeaderMap, further: &[(String, String)]) -> Result<(), String> {
    for (name, value) in further {
        let wrong = || format!("header {name:?} cannot be sent");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_invalid| wrong())?;
        let value = HeaderValue::from_str(value).map_err(|_invalid| wrong())?;
        headers.insert(header, value);
    }
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
    headers.insert(
        "X-Prometheus-Remote-Read-Version",
        HeaderValue::from_static("0.1.0"),
    );
    Ok(())
}
