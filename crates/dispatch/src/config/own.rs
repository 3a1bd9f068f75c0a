//! What alertmanager.yml cannot say: settings of ours for what happens to alerts, from binnacle.yml.

use super::{field, global};
use config::http_client::{self, SecretSource};
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, decode};
use std::path::Path;

/// Time between two heartbeats.
const HEARTBEAT_INTERVAL_MS: i64 = 60_000;
/// The shortest.
const HEARTBEAT_INTERVAL_MIN_MS: i64 = 1000;
/// After this time without progress a part counts as stalled: a restart and an ordinary hiccup are shorter.
const STALLED_AFTER_MS: i64 = 5 * 60_000;
/// The shortest: parts are looked at every second, and the way of an alert is tried every 10 s.
const STALLED_AFTER_MIN_MS: i64 = 30_000;

/// How long events of alerts are kept: a quarter, which is what reviews look back on.
const HISTORY_RETENTION_MS: i64 = 90 * 24 * 3_600_000;

/// The settings; they are no part of alertmanager.yml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Who hears that a receiver fails where the alert's own route does not work.
    pub failure_receivers: FailureReceivers,
    /// The dead-man's switch.
    pub heartbeat: Option<Heartbeat>,
    /// When an alert flaps; nothing where that does not matter.
    pub flapping: Option<Flapping>,
    /// How long before the end of a silence to remind of it; nothing for not at all.
    pub silence_reminder_ms: Option<i64>,
    /// How long events of alerts are kept.
    pub history_retention_ms: i64,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            failure_receivers: FailureReceivers::Auto,
            heartbeat: None,
            flapping: Some(Flapping::default()),
            silence_reminder_ms: None,
            history_retention_ms: HISTORY_RETENTION_MS,
        }
    }
}

/// When an alert flaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// It began so often,
    pub starts: usize,
    /// within this time;
    pub within_ms: i64,
    /// it is steady again when it did not begin for this time.
    pub quiet_ms: i64,
}

impl Flapping {
    /// For how long it matters that an alert began.
    #[must_use]
    pub fn memory_ms(&self) -> i64 {
        self.within_ms.max(self.quiet_ms)
    }
}

/// Rarer than what people do by hand, or tests; frequent enough that five pages within an hour become one.
impl Default for Flapping {
    fn default() -> Self {
        Self {
            starts: 5,
            within_ms: 3_600_000,
            quiet_ms: 30 * 60_000,
        }
    }
}

/// Who stands in for receivers that cannot be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FailureReceivers {
    /// The first receiver of the file that works.
    #[default]
    Auto,
    /// Nobody.
    Off,
    /// The first of these that works.
    Named(Vec<String>),
}

/// A request that goes out as long as alerts would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Where to.
    pub url: SecretSource,
    /// Whether it is a POST; a GET otherwise.
    pub posts: bool,
    /// Time between two.
    pub interval_ms: i64,
    /// How long a part may make no progress.
    pub stalled_after_ms: i64,
    /// How to reach it.
    pub http: HttpClientConfig,
}

impl Own {
    /// Takes the fields of binnacle.yml that are meant; `directory` is the file's.
    pub fn read(fields: &mut Fields<'_, '_>, directory: &Path) -> Self {
        let heartbeat = fields.read("heartbeat", |node, problems| {
            heartbeat(node, directory, problems)
        });
        Self {
            failure_receivers: fields
                .read("failure_receivers", failure_receivers)
                .unwrap_or_default(),
            heartbeat,
            flapping: fields
                .read("flapping", flapping)
                .unwrap_or_else(|| Some(Flapping::default())),
            silence_reminder_ms: fields.read("silence_reminder", |node, problems| {
                match node.text() {
                    Some("off") => None,
                    _ => decode::duration_ms(node, problems),
                }
            }),
            history_retention_ms: least(fields, "history_retention", 3_600_000)
                .unwrap_or(HISTORY_RETENTION_MS),
        }
    }

    /// What is wrong beside an alertmanager.yml with these receivers.
    #[must_use]
    pub fn mistakes(&self, receivers: &[super::Receiver]) -> Vec<String> {
        let FailureReceivers::Named(names) = &self.failure_receivers else {
            return Vec::new();
        };
        names
            .iter()
            .filter(|name| receivers.iter().all(|receiver| receiver.name != **name))
            .map(|name| format!("failure_receivers: alertmanager.yml has no receiver {name:?}"))
            .collect()
    }
}

fn failure_receivers(node: &Node, problems: &mut Problems) -> Option<FailureReceivers> {
    match node.text() {
        Some("auto") => Some(FailureReceivers::Auto),
        Some("off" | "none") => Some(FailureReceivers::Off),
        Some(_) => {
            decode::expected(node, "auto, off or a list of receivers", problems);
            None
        }
        None => decode::strings(node, problems).map(FailureReceivers::Named),
    }
}

fn flapping(node: &Node, problems: &mut Problems) -> Option<Option<Flapping>> {
    if node.text() == Some("off") {
        return Some(None);
    }
    let mut fields = Fields::of(node, "flapping", problems)?;
    let default = Flapping::default();
    let starts = fields.read("starts", |node, problems| {
        let starts = decode::unsigned(node, problems)?;
        if !(2..=100).contains(&starts) {
            problems.add(node.position, "starts must be from 2 to 100");
        }
        usize::try_from(starts).ok()
    });
    let flapping = Flapping {
        starts: starts.unwrap_or(default.starts),
        within_ms: least(&mut fields, "within", 60_000).unwrap_or(default.within_ms),
        quiet_ms: least(&mut fields, "quiet", 60_000).unwrap_or(default.quiet_ms),
    };
    fields.finish();
    Some(Some(flapping))
}

fn heartbeat(node: &Node, directory: &Path, problems: &mut Problems) -> Option<Heartbeat> {
    global::at_most_one(node, ("url", "url_file"), problems);
    let mut fields = Fields::of(node, "heartbeat", problems)?;
    let url = global::source(&mut fields, "url", field::secret_url);
    if url.is_none() && node.get("url").is_none() {
        fields.wrong("heartbeat: one of url or url_file must be configured");
    }
    let methods = [("GET", false), ("POST", true)];
    let posts = fields.read("method", |node, problems| {
        decode::one_of(node, &methods, problems)
    });
    let interval_ms = least(&mut fields, "interval", HEARTBEAT_INTERVAL_MIN_MS);
    let stalled_after_ms = least(&mut fields, "stalled_after", STALLED_AFTER_MIN_MS);
    let mut http = fields
        .read("http_config", http_client::decode)
        .unwrap_or_default();
    http.set_directory(directory);
    fields.finish();
    let url = match url? {
        SecretSource::File(path) => SecretSource::File(directory.join(path)),
        other => other,
    };
    Some(Heartbeat {
        url,
        posts: posts.unwrap_or(false),
        interval_ms: interval_ms.unwrap_or(HEARTBEAT_INTERVAL_MS),
        stalled_after_ms: stalled_after_ms.unwrap_or(STALLED_AFTER_MS),
        http,
    })
}

/// A duration that is at least so long.
fn least(fields: &mut Fields<'_, '_>, name: &str, min_ms: i64) -> Option<i64> {
    fields.read(name, |node, problems| {
        let millis = decode::duration_ms(node, problems)?;
        if millis < min_ms {
            let least = model::format_duration(min_ms);
            problems.add(node.position, format!("{name} must be at least {least}"));
            return None;
        }
        Some(millis)
    })
}
