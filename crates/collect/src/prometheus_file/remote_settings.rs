//! What `remote_write` and `remote_read` say, defaults filled in.

use config::{HttpClientConfig, Node, Problems, decode};
use ingest::remote_out::Message;
use model::{Labels, RelabelRule};

/// One element of `remote_write`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteWrite {
    /// `name`, maybe empty.
    pub name: String,
    /// Where to send.
    pub url: String,
    /// How long a request may take.
    pub timeout_ms: i64,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// `write_relabel_configs`
    pub relabel: Vec<RelabelRule>,
    /// Whether exemplars are sent.
    pub send_exemplars: bool,
    /// Whether native histograms are sent with version 1.0; version 2.0 always sends them.
    pub send_native_histograms: bool,
    /// `protobuf_message`
    pub message: Message,
    /// How to reach it.
    pub http: HttpClientConfig,
    /// `queue_config`
    pub queue: QueueSettings,
    /// `metadata_config`
    pub metadata: MetadataSettings,
}

impl Default for RemoteWrite {
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            timeout_ms: 30_000,
            headers: Vec::new(),
            relabel: Vec::new(),
            send_exemplars: false,
            send_native_histograms: false,
            message: Message::V1,
            http: HttpClientConfig::default(),
            queue: QueueSettings::default(),
            metadata: MetadataSettings::default(),
        }
    }
}

/// `queue_config`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Samples that one sender holds in memory.
    pub capacity: usize,
    /// Senders at most.
    pub shards_max: usize,
    /// Senders at least.
    pub shards_min: usize,
    /// Samples of a request at most.
    pub send_samples_max: usize,
    /// How long a sample waits for others.
    pub send_deadline_ms: i64,
    /// The first wait after a failure.
    pub backoff_min_ms: i64,
    /// The longest wait after a failure.
    pub backoff_max_ms: i64,
    /// Whether a request that was answered 429 is sent again. On unless the file says otherwise: what waits is on
    /// disk, so waiting costs nothing. Upstream's default is off.
    pub retries_429: bool,
    /// Samples older than this are dropped; 0 for never.
    pub sample_age_max_ms: i64,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            shards_max: 50,
            shards_min: 1,
            send_samples_max: 2_000,
            send_deadline_ms: 5_000,
            backoff_min_ms: 30,
            backoff_max_ms: 5_000,
            retries_429: true,
            sample_age_max_ms: 0,
        }
    }
}

impl QueueSettings {
    /// Reads a section that was checked already.
    pub(super) fn of(node: Option<&Node>) -> Self {
        let default = Self::default();
        let section = Checked(node);
        let shards_min = section.count("min_shards", default.shards_min);
        Self {
            capacity: section.count("capacity", default.capacity),
            shards_max: section
                .count("max_shards", default.shards_max)
                .max(shards_min),
            shards_min,
            send_samples_max: section.count("max_samples_per_send", default.send_samples_max),
            send_deadline_ms: section.duration("batch_send_deadline", default.send_deadline_ms),
            backoff_min_ms: section.duration("min_backoff", default.backoff_min_ms),
            backoff_max_ms: section.duration("max_backoff", default.backoff_max_ms),
            retries_429: section.flag("retry_on_http_429", default.retries_429),
            sample_age_max_ms: section.duration("sample_age_limit", default.sample_age_max_ms),
        }
    }
}

/// `metadata_config`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataSettings {
    /// Whether metadata is sent with version 1.0.
    pub send: bool,
    /// How often.
    pub interval_ms: i64,
    /// Metrics of a request at most.
    pub send_metrics_max: usize,
}

impl Default for MetadataSettings {
    fn default() -> Self {
        Self {
            send: true,
            interval_ms: 60_000,
            send_metrics_max: 2_000,
        }
    }
}

impl MetadataSettings {
    /// Reads a section that was checked already.
    pub(super) fn of(node: Option<&Node>) -> Self {
        let default = Self::default();
        let section = Checked(node);
        Self {
            send: section.flag("send", default.send),
            interval_ms: section
                .duration("send_interval", default.interval_ms)
                .max(1_000),
            send_metrics_max: section.count("max_samples_per_send", default.send_metrics_max),
        }
    }
}

/// A section whose mistakes were reported already; what cannot be read is at its default.
struct Checked<'n>(Option<&'n Node>);

impl Checked<'_> {
    fn value<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Node, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        let node = self.0?.get(name).filter(|node| !node.is_null())?;
        read(node, &mut Problems::new(""))
    }

    fn count(&self, name: &str, default: usize) -> usize {
        let value = self.value(name, decode::integer);
        let value = value.and_then(|value| usize::try_from(value).ok());
        value.filter(|value| *value > 0).unwrap_or(default)
    }

    fn duration(&self, name: &str, default: i64) -> i64 {
        self.value(name, decode::duration_ms).unwrap_or(default)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.value(name, decode::boolean).unwrap_or(default)
    }
}

/// One element of `remote_read`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteRead {
    /// `name`, maybe empty.
    pub name: String,
    /// Where to ask.
    pub url: String,
    /// How long a request may take.
    pub timeout_ms: i64,
    /// Bytes of a frame of a streamed answer at most.
    pub frame_bytes_max: u64,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Whether it is asked for times that the local store has whole.
    pub read_recent: bool,
    /// Whether external labels are matchers of every request and leave the answer again.
    pub filter_external_labels: bool,
    /// Matchers that a selector must have for it to be asked.
    pub required_matchers: Labels,
    /// How to reach it.
    pub http: HttpClientConfig,
}

impl Default for RemoteRead {
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            timeout_ms: 60_000,
            frame_bytes_max: 50 << 20,
            headers: Vec::new(),
            read_recent: false,
            filter_external_labels: true,
            required_matchers: Labels::default(),
            http: HttpClientConfig::default(),
        }
    }
}
