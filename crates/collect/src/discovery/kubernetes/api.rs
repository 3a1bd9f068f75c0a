//! The API server: where it is, who we are, lists and watches.

use super::kubeconfig;
use super::objects::Kind;
use crate::discovery::json::{JsonClient, list, text};
use crate::http_client;
use crate::metrics::Metrics;
use crate::prometheus_file::KubernetesDiscovery;
use config::http_client::{Credentials, HttpClientConfig, SecretSource};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// Where a pod finds its identity.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Objects in one page of a list.
const PAGE: &str = "500";
const LIST_TIMEOUT: Duration = Duration::from_secs(60);
/// The server ends a watch after so many seconds; then it is taken up again.
const WATCH_SECONDS: u64 = 300;
/// Bytes of one event.
const EVENT_BYTES_MAX: usize = 16 << 20;
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// What the server said.
#[derive(Debug)]
pub(super) enum Event {
    /// All objects of a kind, in one namespace or (where that is empty) in all.
    Listed {
        kind: Kind,
        namespace: String,
        items: Vec<Value>,
    },
    /// An object is new or has changed.
    Changed { kind: Kind, object: Value },
    /// An object is gone.
    Deleted { kind: Kind, object: Value },
}

/// What to follow.
pub(super) struct Source {
    pub(super) kind: Kind,
    /// Empty for all.
    pub(super) namespace: String,
    /// Label and field selector, each may be empty.
    pub(super) selector: (String, String),
}

/// How a watch ended.
enum End {
    /// It can be taken up at this version.
    At(String),
    /// The server has forgotten the version: the list must be read again.
    Forgotten,
}

/// A cluster's API server.
pub(super) struct Api {
    base: String,
    http: HttpClientConfig,
    namespaces: Vec<String>,
}

impl Api {
    /// Finds out where the server is and who we are. Reads files; does not connect yet.
    pub(super) fn connect(discovery: &KubernetesDiscovery) -> Result<Self, String> {
        let mut namespaces = discovery.namespaces.clone();
        if discovery.own_namespace {
            let own = Path::new(SERVICE_ACCOUNT).join("namespace");
            let own = SecretSource::File(own).read()?.reveal().to_owned();
            namespaces.push(own);
        }
        let (base, http) = if let Some(file) = &discovery.kubeconfig_file {
            kubeconfig::read(file)?
        } else if discovery.api_server.is_empty() {
            in_cluster()?
        } else {
            (discovery.api_server.clone(), discovery.http.clone())
        };
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            http,
            namespaces,
        })
    }

    /// The namespaces to look for a kind in; one empty name for all.
    pub(super) fn namespaces(&self, kind: Kind) -> Vec<String> {
        if self.namespaces.is_empty() || !kind.has_namespace() {
            return vec![String::new()];
        }
        self.namespaces.clone()
    }

    /// Lists and watches until nobody listens any more.
    pub(super) async fn follow(
        &self,
        source: Source,
        metrics: &Metrics,
        events: &mpsc::Sender<Event>,
    ) {
        let mut client = JsonClient::new(self.http.clone(), LIST_TIMEOUT);
        let mut backoff = BACKOFF_MIN;
        let mut version = None;
        while !events.is_closed() {
            let step = match version.clone() {
                None => self.list(&mut client, &source, events).await,
                Some(version) => self.watch(&mut client, &source, (version, events)).await,
            };
            match step {
                Ok(End::At(at)) => {
                    version = Some(at);
                    backoff = BACKOFF_MIN;
                }
                Ok(End::Forgotten) => version = None,
                Err(error) => {
                    metrics.count_failed_refresh("kubernetes");
                    let kind = source.kind;
                    tracing::warn!(?kind, error, "following a Kubernetes cluster failed");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                }
            }
        }
    }

    fn url(&self, source: &Source) -> String {
        let (group, plural) = source.kind.path();
        match source.namespace.as_str() {
            "" => format!("{}{group}/{plural}", self.base),
            namespace => format!("{}{group}/namespaces/{namespace}/{plural}", self.base),
        }
    }

    async fn list(
        &self,
        client: &mut JsonClient,
        source: &Source,
        events: &mpsc::Sender<Event>,
    ) -> Result<End, String> {
        let mut items = Vec::new();
        let mut next = String::new();
        let version = loop {
            let mut parameters = selectors(source);
            parameters.push(("limit", PAGE.to_owned()));
            if !next.is_empty() {
                parameters.push(("continue", next));
            }
            let mut page = client.get(&self.url(source), &parameters).await?;
            next = text(&page, "/metadata/continue");
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            if next.is_empty() {
                break text(&page, "/metadata/resourceVersion");
            }
        };
        let event = Event::Listed {
            kind: source.kind,
            namespace: source.namespace.clone(),
            items,
        };
        // A closed queue is noticed by the caller's loop.
        let _closed = events.send(event).await;
        Ok(End::At(version))
    }

    async fn watch(
        &self,
        client: &mut JsonClient,
        source: &Source,
        (mut version, events): (String, &mpsc::Sender<Event>),
    ) -> Result<End, String> {
        let mut parameters = selectors(source);
        parameters.push(("watch", "1".to_owned()));
        parameters.push(("allowWatchBookmarks", "true".to_owned()));
        parameters.push(("resourceVersion", version.clone()));
        parameters.push(("timeoutSeconds", WATCH_SECONDS.to_string()));
        let (client, headers) = client.connect().await?;
        let url = reqwest::Url::parse_with_params(&self.url(source), &parameters)
            .map_err(|error| error.to_string())?;
        let request = client.get(url).headers(headers);
        let silent = Duration::from_secs(WATCH_SECONDS + 30);
        let cause = |error: reqwest::Error| http_client::cause(&error);
        let response = tokio::time::timeout(LIST_TIMEOUT, request.send());
        let mut response = response
            .await
            .map_err(|_elapsed| "no answer")?
            .map_err(cause)?;
        if response.status() == reqwest::StatusCode::GONE {
            return Ok(End::Forgotten);
        }
        if !response.status().is_success() {
            return Err(format!("server returned HTTP status {}", response.status()));
        }
        let mut buffer = Vec::new();
        while let Some(chunk) = tokio::time::timeout(silent, response.chunk())
            .await
            .map_err(|_elapsed| "the watch fell silent")?
            .map_err(cause)?
        {
            buffer.extend_from_slice(&chunk);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                match read_event(source.kind, &line, &mut version)? {
                    Step::Told(event) => {
                        if events.send(event).await.is_err() {
                            return Ok(End::At(version));
                        }
                    }
                    Step::Nothing => {}
                    Step::Forgotten => return Ok(End::Forgotten),
                }
            }
            if buffer.len() > EVENT_BYTES_MAX {
                return Err(format!("an event is longer than {EVENT_BYTES_MAX} bytes"));
            }
        }
        Ok(End::At(version))
    }
}

pub(super) enum Step {
    Told(Event),
    Nothing,
    Forgotten,
}

/// Reads one line of a watch, and notes the version that it brings.
pub(super) fn read_event(kind: Kind, line: &[u8], version: &mut String) -> Result<Step, String> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(Step::Nothing);
    }
    let mut event: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let object = event.get_mut("object").map(Value::take).unwrap_or_default();
    let told = text(&event, "/type");
    if told == "ERROR" {
        let code = text(&object, "/code");
        return match code.as_str() {
            "410" => Ok(Step::Forgotten),
            _ => Err(text(&object, "/message")),
        };
    }
    *version = text(&object, "/metadata/resourceVersion");
    Ok(match told.as_str() {
        "ADDED" | "MODIFIED" => Step::Told(Event::Changed { kind, object }),
        "DELETED" => Step::Told(Event::Deleted { kind, object }),
        _ => Step::Nothing,
    })
}

fn selectors(source: &Source) -> Vec<(&'static str, String)> {
    let (label, field) = &source.selector;
    let pairs = [("labelSelector", label), ("fieldSelector", field)];
    let given = pairs
        .into_iter()
        .filter(|(_, selector)| !selector.is_empty());
    given
        .map(|(name, selector)| (name, selector.clone()))
        .collect()
}

/// The cluster that we run in, by what every pod is given.
fn in_cluster() -> Result<(String, HttpClientConfig), String> {
    let variable = |name| {
        runtime::environment::var(name).ok_or_else(|| {
            "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and \
             KUBERNETES_SERVICE_PORT must be defined"
                .to_owned()
        })
    };
    let (host, port) = (
        variable("KUBERNETES_SERVICE_HOST")?,
        variable("KUBERNETES_SERVICE_PORT")?,
    );
    let file = |name: &str| SecretSource::File(PathBuf::from(SERVICE_ACCOUNT).join(name));
    let mut http = HttpClientConfig::default();
    http.tls.ca = file("ca.crt");
    http.credentials = Some(Credentials::Token {
        scheme: "Bearer".to_owned(),
        token: file("token"),
    });
    Ok((
        format!("https://{}", crate::discovery::meta::join(&host, port)),
        http,
    ))
}

/// Elements of a list in an object, for the modules that build targets.
pub(super) fn all_in<'a>(object: &'a Value, paths: &[&str]) -> Vec<&'a Value> {
    paths.iter().flat_map(|path| list(object, path)).collect()
}
