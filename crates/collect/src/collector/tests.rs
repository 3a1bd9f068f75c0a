//! Scrapes servers on the loopback device: good ones, and those that send garbage, a gigabyte or nothing.

mod server;
mod tls;

use super::{Collector, Surroundings};
use crate::prometheus_file::{Reading, ScrapeConfig, read};
use crate::receiver::{PATIENCE, dead_address};
use crate::{Health, StandIn};
use model::{Appended, SeriesSamples, Sink, SinkError, Value, is_stale_marker};
use runtime::{Registry, SystemClock};
use server::{Reply, Server};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Remembers what was stored and wakes whoever waits for it.
#[derive(Default)]
struct Recorder {
    lines: Mutex<Vec<String>>,
    changed: Notify,
}

impl Sink for Recorder {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let mut lines = self.lines.lock().expect("no panic inside");
        for row in batch {
            let labels = row.labels.without(&["__name__", "instance"]);
            for sample in &row.samples {
                let value = match &sample.value {
                    Value::Float(value) if is_stale_marker(*value) => "stale".to_owned(),
                    Value::Float(value) => value.to_string(),
                    Value::Histogram(_) => "histogram".to_owned(),
                };
                lines.push(format!("{}{labels} {value}", row.labels.metric_name()));
            }
        }
        self.changed.notify_one();
        Ok(Appended::default())
    }
}

impl Recorder {
    /// Waits until a line was stored since the last call that found one.
    async fn wait_for(&self, line: &str) {
        let found = async {
            loop {
                {
                    let mut lines = self.lines.lock().expect("no panic inside");
                    if let Some(at) = lines.iter().position(|known| known == line) {
                        lines.drain(..=at);
                        return;
                    }
                }
                self.changed.notified().await;
            }
        };
        if tokio::time::timeout(PATIENCE, found).await.is_err() {
            panic!("{line} never came; last: {:?}", self.lines.lock());
        }
    }
}

struct Bench {
    sink: Arc<Recorder>,
    collector: Collector,
}

fn bench() -> Bench {
    let sink = Arc::new(Recorder::default());
    let stand_ins = |target: &crate::Target| {
        let read = Arc::new(|| "inside 1\n".to_owned());
        (target.address == "node-exporter:9100").then_some(StandIn {
            name: "host sensors",
            read,
        })
    };
    let collector = Collector::new(Surroundings {
        sink: Arc::clone(&sink) as Arc<dyn Sink>,
        clock: SystemClock::shared(),
        registry: Registry::new(),
        runtime: tokio::runtime::Handle::current(),
        stand_ins: Arc::new(stand_ins),
        features: crate::Features::default(),
    });
    Bench { sink, collector }
}

/// Jobs with a short interval, and as short a time-out: a single scrape may come too late on a busy machine.
fn jobs(text: &str) -> Vec<ScrapeConfig> {
    let text = format!("global: {{scrape_interval: 100ms}}\nscrape_configs:\n{text}");
    let reading = Reading {
        file: "p.yml",
        directory: Path::new("/"),
        environment: &|_| None,
    };
    read(&text, reading).expect("valid").scrape_configs
}

fn job(server: &Server, more: &str) -> Vec<ScrapeConfig> {
    let address = server.address;
    jobs(&format!(
        "- {{job_name: j, static_configs: [{{targets: ['{address}']}}]{more}}}\n"
    ))
}

#[tokio::test]
async fn scrapes_and_says_so() {
    let server = Server::start(|_, _| Reply::text("# TYPE a gauge\na{x=\"1\"} 5\n")).await;
    let bench = bench();
    bench
        .collector
        .apply(job(
            &server,
            ", scrape_interval: 1s, scrape_timeout: 1s, params: {m: [v]}, basic_auth: {username: u, password: p}",
        ))
        .await;
    bench.sink.wait_for("a{job=\"j\", x=\"1\"} 5").await;
    bench.sink.wait_for("up{job=\"j\"} 1").await;
    bench
        .sink
        .wait_for("scrape_samples_scraped{job=\"j\"} 1")
        .await;
    bench
        .sink
        .wait_for("scrape_series_added{job=\"j\"} 1")
        .await;
    bench
        .sink
        .wait_for("scrape_series_added{job=\"j\"} 0")
        .await;
    let request = server.last_request();
    assert!(
        request.starts_with("GET /metrics?m=v HTTP/1.1\r\n"),
        "{request}"
    );
    for header in [
        "accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,",
        "accept-encoding: gzip",
        "x-prometheus-scrape-timeout-seconds: 1",
        "authorization: Basic dTpw",
        "user-agent: Binnacle/",
    ] {
        assert!(request.contains(header), "{header} in {request}");
    }
    let targets = bench.collector.targets();
    let [target] = targets.as_slice() else {
        panic!("one target")
    };
    assert_eq!(target.last.health, Health::Up);
    assert_eq!(
        target.metadata.get("a").map(|a| a.kind.name()),
        Some("gauge")
    );
    assert_eq!(bench.collector.scrape_pools(), ["j"]);
    bench.collector.shut_down().await;
}

#[tokio::test]
async fn writes_failures_to_a_file() {
    let garbage = Server::start(|_, _| Reply::text("{\n")).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("failures.log");
    let more = format!(", scrape_failure_log_file: {}", file.display());
    let error = error_of(&garbage, &more, "expected label name").await;
    let text = std::fs::read_to_string(&file).expect("the log");
    let line = text.lines().last().expect("a line");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let member = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(member("msg"), error);
    assert_eq!(member("level"), "ERROR");
    assert_eq!(member("job_name"), "j");
    assert_eq!(
        member("target"),
        format!("http://{}/metrics", garbage.address)
    );
}

#[tokio::test]
async fn unpacks_what_is_packed() {
    let server = Server::start(|_, _| Reply::gzip("packed 1\n")).await;
    let bench = bench();
    bench.collector.apply(job(&server, "")).await;
    bench.sink.wait_for("packed{job=\"j\"} 1").await;
}

/// What the targets page shows after a scrape that failed for this reason.
async fn error_of(server: &Server, more: &str, reason: &str) -> String {
    error_with(job(server, more), reason).await
}

/// The same for any jobs of name `j`. On a busy machine other scrapes may have failed before it, for want of time.
async fn error_with(jobs: Vec<ScrapeConfig>, reason: &str) -> String {
    let bench = bench();
    bench.collector.apply(jobs).await;
    bench.sink.wait_for("up{job=\"j\"} 0").await;
    let mut error = String::new();
    let shown = async {
        loop {
            let target = bench.collector.targets().pop().expect("a target");
            error = target.last.error;
            if error.contains(reason) {
                assert_eq!(target.last.health, Health::Down);
                return;
            }
            // The row is stored a moment before the error is shown; the next one comes after it.
            bench.sink.changed.notified().await;
        }
    };
    if tokio::time::timeout(PATIENCE, shown).await.is_err() {
        panic!("{reason} was never shown; last: {error}");
    }
    bench.collector.shut_down().await;
    error
}

#[tokio::test]
async fn survives_bad_targets() {
    let garbage = Server::start(|_, _| Reply::text("<html>\u{1}\n")).await;
    error_of(&garbage, "", "expected a valid start token").await;

    let limit = ", body_size_limit: 1MB, scrape_interval: 1s, scrape_timeout: 1s";
    for reply in [|| Reply::Endless, || Reply::gzip(&"a 1\n".repeat(1 << 20))] {
        let server = Server::start(move |_, _| reply()).await;
        let error = error_of(&server, limit, "body size").await;
        assert_eq!(error, "body size limit exceeded");
    }

    let silent = Server::start(|_, _| Reply::Hang).await;
    let error = error_of(&silent, "", "deadline").await;
    assert_eq!(
        error,
        format!(
            "Get \"http://{}/metrics\": context deadline exceeded",
            silent.address
        )
    );

    let failing = Server::start(|_, _| Reply::status("503 Service Unavailable")).await;
    assert_eq!(
        error_of(&failing, "", "503").await,
        "server returned HTTP status 503 Service Unavailable"
    );

    let nameless = Server::start(|_, _| Reply::typed("", "a 1\n")).await;
    let error = error_of(&nameless, "", "Content-Type").await;
    assert!(
        error.starts_with("non-compliant scrape target sending blank Content-Type"),
        "{error}"
    );

    let good = Server::start(|_, _| Reply::text("a 1\nb 2\n")).await;
    assert_eq!(
        error_of(&good, ", sample_limit: 1", "sample").await,
        "sample limit exceeded"
    );
    let error = error_of(&good, ", tls_config: {ca_file: /nowhere}", "/nowhere").await;
    assert!(error.starts_with("unable to read file /nowhere"), "{error}");
}

/// Many targets that send without end do not keep a good one from being scraped.
#[tokio::test]
async fn good_targets_live_beside_endless_ones() {
    let endless = Server::start(|_, _| Reply::Endless).await;
    let good = Server::start(|_, _| Reply::text("a 1\n")).await;
    let bench = bench();
    let (bad, address) = (endless.address, good.address);
    let paths: Vec<String> = (0..6)
        .map(|n| format!("- {{job_name: bad{n}, static_configs: [{{targets: ['{bad}']}}]}}\n"))
        .collect();
    let job = format!(
        "- {{job_name: j, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{{targets: ['{address}']}}]}}\n"
    );
    bench
        .collector
        .apply(jobs(&format!("{}{job}", paths.concat())))
        .await;
    for _ in 0..3 {
        bench.sink.wait_for("a{job=\"j\"} 1").await;
    }
    bench.sink.wait_for("up{job=\"bad5\"} 0").await;
    bench.collector.shut_down().await;
}

#[tokio::test]
async fn refuses_connections_in_upstreams_words() {
    let (address, _reserved) = dead_address();
    let job = format!("- {{job_name: j, static_configs: [{{targets: ['{address}']}}]}}\n");
    assert_eq!(
        error_with(jobs(&job), "refused").await,
        format!(
            "Get \"http://{address}/metrics\": dial tcp {address}: connect: connection refused"
        )
    );
}

#[tokio::test]
async fn ends_series_that_vanish() {
    let server =
        Server::start(|_, count| Reply::text(if count == 0 { "a 1\nb 1\n" } else { "a 1\n" }))
            .await;
    let bench = bench();
    // Only the first answer has it, so that one must not come too late.
    bench
        .collector
        .apply(job(&server, ", scrape_interval: 1s, scrape_timeout: 1s"))
        .await;
    bench.sink.wait_for("b{job=\"j\"} 1").await;
    bench.sink.wait_for("b{job=\"j\"} stale").await;
    bench.sink.wait_for("a{job=\"j\"} 1").await;
}

#[tokio::test]
async fn reloads_without_disturbing_what_stays() {
    let server = Server::start(|_, _| Reply::text("a 1\n")).await;
    let bench = bench();
    let address = server.address;
    let two = format!(
        "- {{job_name: j, static_configs: [{{targets: ['{address}']}}], scrape_interval: 1s, scrape_timeout: 1s}}\n\
         - {{job_name: k, static_configs: [{{targets: ['{address}']}}], scrape_interval: 1s, scrape_timeout: 1s}}\n"
    );
    bench.collector.apply(jobs(&two)).await;
    bench.sink.wait_for("a{job=\"k\"} 1").await;
    bench.sink.wait_for("a{job=\"j\"} 1").await;
    // The job `k` goes; the job `j` gets a label that is gone after relabelling.
    bench
        .collector
        .apply(job(&server, ", scrape_interval: 1s, scrape_timeout: 1s"))
        .await;
    bench.sink.wait_for("a{job=\"k\"} stale").await;
    bench.sink.wait_for("up{job=\"k\"} stale").await;
    bench.sink.wait_for("up{job=\"j\"} 1").await;
    // Other settings, same target: the loop is another one, the series go on, except what now is dropped.
    let dropping = ", scrape_interval: 1s, scrape_timeout: 1s, metric_relabel_configs: [{source_labels: [__name__], regex: a, action: drop}]";
    bench.collector.apply(job(&server, dropping)).await;
    bench.sink.wait_for("a{job=\"j\"} stale").await;
    bench.sink.wait_for("up{job=\"j\"} 1").await;
    let lines = bench.sink.lines.lock().expect("no panic inside").clone();
    assert!(
        !lines.contains(&"up{job=\"j\"} stale".to_owned()),
        "{lines:?}"
    );
    // Nothing is ended at shutdown.
    bench.collector.shut_down().await;
    let lines = bench.sink.lines.lock().expect("no panic inside").clone();
    assert!(
        !lines.iter().any(|line| line.ends_with("stale")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn answers_from_inside() {
    let bench = bench();
    bench
        .collector
        .apply(jobs(
            "- {job_name: n, static_configs: [{targets: ['node-exporter:9100']}]}\n",
        ))
        .await;
    bench.sink.wait_for("inside{job=\"n\"} 1").await;
    bench.sink.wait_for("up{job=\"n\"} 1").await;
    bench.sink.wait_for("up{job=\"n\"} 1").await;
    let target = bench.collector.targets().pop().expect("one target");
    assert_eq!(target.last.standing_in, Some("host sensors"));
}

#[tokio::test]
async fn discovers_by_http() {
    let target = Server::start(|_, _| Reply::text("a 1\n")).await;
    let address = target.address;
    let list = format!(r#"[{{"targets": ["{address}", "drop:1"], "labels": {{"env": "p"}}}}]"#);
    let lister = Server::start(move |_, _| Reply::typed("application/json", &list)).await;
    let bench = bench();
    let job = format!(
        "- {{job_name: j, http_sd_configs: [{{url: 'http://{}/list'}}], \
         relabel_configs: [{{source_labels: [__address__], regex: 'drop.*', action: drop}}]}}\n",
        lister.address
    );
    bench.collector.apply(jobs(&job)).await;
    bench.sink.wait_for("a{env=\"p\", job=\"j\"} 1").await;
    assert!(
        lister
            .last_request()
            .contains("x-prometheus-refresh-interval-seconds: 60\r\n")
    );
    let dropped = bench.collector.dropped_targets();
    let labels = dropped
        .first()
        .map(|dropped| dropped.discovered.clone())
        .unwrap_or_default();
    assert_eq!(labels.value("__address__"), "drop:1");
    assert_eq!(
        labels.value("__meta_url"),
        format!("http://{}/list", lister.address)
    );
}

#[tokio::test]
async fn discovers_by_file() {
    let server = Server::start(|_, _| Reply::text("a 1\n")).await;
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("targets.yml");
    let list = |labels: &str| {
        let text = format!(
            "- targets: ['{}']\n  labels: {{{labels}}}\n",
            server.address
        );
        // A rename, so that a half-written file is never read.
        let fresh = folder.path().join("fresh");
        let mut written = std::fs::File::create(&fresh).expect("file");
        written.write_all(text.as_bytes()).expect("written");
        std::fs::rename(fresh, &file).expect("renamed");
    };
    list("env: first");
    let bench = bench();
    let job = format!(
        "- {{job_name: j, file_sd_configs: [{{files: ['{}']}}]}}\n",
        file.display()
    );
    bench.collector.apply(jobs(&job)).await;
    bench.sink.wait_for("a{env=\"first\", job=\"j\"} 1").await;
    list("env: second");
    bench
        .sink
        .wait_for("a{env=\"first\", job=\"j\"} stale")
        .await;
    bench.sink.wait_for("a{env=\"second\", job=\"j\"} 1").await;
    let target = bench.collector.targets().pop().expect("one target");
    let path = file.display().to_string();
    assert_eq!(target.target.discovered.value("__meta_filepath"), path);
}

#[tokio::test]
async fn keeps_the_target_limit() {
    let server = Server::start(|_, _| Reply::text("a 1\n")).await;
    let job = format!(
        "- {{job_name: j, target_limit: 1, static_configs: [{{targets: ['{}', 'other:1']}}]}}\n",
        server.address
    );
    assert_eq!(
        error_with(jobs(&job), "limit").await,
        "target_limit exceeded (number of targets: 2, limit: 1)"
    );
}
