//! One element of `scrape_configs`.

use super::discovery::{self, Discovery};
use super::global::{Global, duration, flag, name_validation, path};
use super::{NameValidation, Notes, relabel_rules};
use crate::target;
use config::http_client::{self, HttpClientConfig};
use config::{Fields, Node, NodeKind, Position, Problems, decode};
use model::RelabelRule;
use std::path::{Path, PathBuf};

/// A format of exposition that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Protocol buffers.
    PrometheusProto,
    /// Prometheus' text format, version 0.0.4.
    PrometheusText004,
    /// Prometheus' text format, version 1.0.0.
    PrometheusText100,
    /// OpenMetrics 0.0.1.
    OpenMetrics001,
    /// OpenMetrics 1.0.0.
    OpenMetrics100,
}

impl Protocol {
    /// Every protocol with its name in files.
    const NAMES: [(&'static str, Self); 5] = [
        ("OpenMetricsText0.0.1", Self::OpenMetrics001),
        ("OpenMetricsText1.0.0", Self::OpenMetrics100),
        ("PrometheusProto", Self::PrometheusProto),
        ("PrometheusText0.0.4", Self::PrometheusText004),
        ("PrometheusText1.0.0", Self::PrometheusText100),
    ];

    /// What is asked for where nothing is said, most wanted first.
    pub const DEFAULT: [Self; 4] = [
        Self::OpenMetrics100,
        Self::OpenMetrics001,
        Self::PrometheusText100,
        Self::PrometheusText004,
    ];

    /// What is asked for where native histograms or start times are wanted, which text does not carry.
    pub const PROTOBUF_FIRST: [Self; 5] = [
        Self::PrometheusProto,
        Self::OpenMetrics100,
        Self::OpenMetrics001,
        Self::PrometheusText100,
        Self::PrometheusText004,
    ];

    /// The media type that asks for it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::PrometheusProto => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
            Self::PrometheusText004 => "text/plain;version=0.0.4",
            Self::PrometheusText100 => "text/plain;version=1.0.0",
            Self::OpenMetrics001 => "application/openmetrics-text;version=0.0.1",
            Self::OpenMetrics100 => "application/openmetrics-text;version=1.0.0",
        }
    }

    fn decode(node: &Node, context: &str, problems: &mut Problems) -> Option<Self> {
        let text = decode::string(node, problems)?;
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let known: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            problems.add(
                node.position,
                format!(
                    "{context}: unknown scrape protocol {text}, supported: [{}]",
                    known.join(" ")
                ),
            );
        }
        found.map(|(_, protocol)| *protocol)
    }
}

/// What one scrape may bring; 0 for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body, unpacked.
    pub body_size_bytes: u64,
    /// Samples after relabelling.
    pub samples: u64,
    /// Targets after relabelling.
    pub targets: u64,
    /// Labels of a series.
    pub labels: u64,
    /// Bytes of a label's name.
    pub label_name_bytes: u64,
    /// Bytes of a label's value.
    pub label_value_bytes: u64,
    /// Dropped targets to remember for display.
    pub dropped_targets_kept: u64,
}

impl Limits {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Self {
        let mut count = |name| fields.read(name, decode::unsigned).unwrap_or_default();
        Self {
            samples: count("sample_limit"),
            targets: count("target_limit"),
            labels: count("label_limit"),
            label_name_bytes: count("label_name_length_limit"),
            label_value_bytes: count("label_value_length_limit"),
            dropped_targets_kept: count("keep_dropped_targets"),
            body_size_bytes: fields
                .read("body_size_limit", decode::size_bytes)
                .unwrap_or_default(),
        }
    }

    /// These limits, with those of `global` where there is none.
    const fn or(self, global: Self) -> Self {
        const fn first(own: u64, global: u64) -> u64 {
            if own == 0 { global } else { own }
        }
        Self {
            body_size_bytes: first(self.body_size_bytes, global.body_size_bytes),
            samples: first(self.samples, global.samples),
            targets: first(self.targets, global.targets),
            labels: first(self.labels, global.labels),
            label_name_bytes: first(self.label_name_bytes, global.label_name_bytes),
            label_value_bytes: first(self.label_value_bytes, global.label_value_bytes),
            dropped_targets_kept: first(self.dropped_targets_kept, global.dropped_targets_kept),
        }
    }
}

/// What is made of histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Histograms {
    /// `scrape_native_histograms`
    pub native: bool,
    /// `always_scrape_classic_histograms`
    pub keep_classic: bool,
    /// `convert_classic_histograms_to_nhcb`
    pub convert_classic: bool,
    /// Buckets of a native histogram; coarser ones are made of one with more. 0 for no limit.
    pub buckets_max: u64,
    /// How much wider each bucket must be than the one before; coarser ones are made of others.
    pub bucket_factor_min: f64,
}

/// One job: what to scrape and how, the global section's defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrapeConfig {
    /// Where it stands.
    pub position: Position,
    /// `job_name`
    pub job_name: String,
    /// Whether labels of the exposition win over the target's.
    pub honor_labels: bool,
    /// Whether times of the exposition are taken.
    pub honor_timestamps: bool,
    /// Whether series with times of their own get staleness markers.
    pub track_timestamps_staleness: bool,
    /// Query parameters.
    pub params: Vec<(String, Vec<String>)>,
    /// How often.
    pub interval_ms: i64,
    /// How long at most.
    pub timeout_ms: i64,
    /// Formats to ask for, most wanted first.
    pub protocols: Vec<Protocol>,
    /// The format to assume where the target does not name one that we know.
    pub fallback_protocol: Option<Protocol>,
    /// What is made of histograms.
    pub histograms: Histograms,
    /// Path to ask.
    pub metrics_path: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Whether to ask for compression.
    pub compression: bool,
    /// Limits.
    pub limits: Limits,
    /// Which names are allowed.
    pub name_validation: NameValidation,
    /// `allow-utf-8`, `underscores`, `dots` or `values`.
    pub name_escaping: String,
    /// Whether to store `scrape_timeout_seconds` and its kin.
    pub extra_scrape_metrics: bool,
    /// Where failed scrapes are logged.
    pub failure_log_file: Option<PathBuf>,
    /// How to connect.
    pub http: HttpClientConfig,
    /// Rules for targets.
    pub relabel_configs: Vec<RelabelRule>,
    /// Rules for series.
    pub metric_relabel_configs: Vec<RelabelRule>,
    /// Where targets come from.
    pub discoveries: Vec<Discovery>,
}

impl ScrapeConfig {
    pub(super) fn set_directory(&mut self, directory: &Path) {
        self.http.set_directory(directory);
        self.failure_log_file = self
            .failure_log_file
            .as_ref()
            .map(|path| directory.join(path));
        for discovery in &mut self.discoveries {
            discovery.set_directory(directory);
        }
    }
}

pub(super) fn read(
    node: &Node,
    global: &Global,
    notes: &mut Notes,
    problems: &mut Problems,
) -> Option<ScrapeConfig> {
    if node.is_null() {
        problems.add(node.position, "empty or null scrape config section");
        return None;
    }
    let mut fields = Fields::of(node, "config.ScrapeConfig", problems)?;
    let (validation, escaping) = names(&mut fields, global);
    let mut config = ScrapeConfig {
        position: fields.position(),
        job_name: job_name(&mut fields),
        honor_labels: flag(&mut fields, "honor_labels"),
        honor_timestamps: flag_or_true(&mut fields, "honor_timestamps"),
        track_timestamps_staleness: flag(&mut fields, "track_timestamps_staleness"),
        params: fields.read("params", params).unwrap_or_default(),
        interval_ms: 0,
        timeout_ms: 0,
        protocols: Vec::new(),
        fallback_protocol: None,
        histograms: histograms(&mut fields, global),
        metrics_path: text_or(&mut fields, "metrics_path", "/metrics"),
        scheme: text_or(&mut fields, "scheme", "http"),
        compression: flag_or_true(&mut fields, "enable_compression"),
        limits: Limits::read(&mut fields).or(global.limits),
        name_validation: validation,
        name_escaping: escaping,
        extra_scrape_metrics: fields
            .read("extra_scrape_metrics", decode::boolean)
            .unwrap_or(global.extra_scrape_metrics),
        failure_log_file: path(&mut fields, "scrape_failure_log_file"),
        http: http_client::inline(&mut fields, HttpClientConfig::default()),
        relabel_configs: relabel_rules(
            &mut fields,
            "relabel_configs",
            "target relabeling rule in scrape config",
            validation,
        ),
        metric_relabel_configs: relabel_rules(
            &mut fields,
            "metric_relabel_configs",
            "metric relabeling rule in scrape config",
            validation,
        ),
        discoveries: discovery::read(&mut fields, notes),
    };
    times(&mut fields, &mut config, global);
    formats(&mut fields, &mut config, global);
    if config.failure_log_file.is_none() {
        config
            .failure_log_file
            .clone_from(&global.scrape_failure_log_file);
    }
    if matches!(
        config.http.credentials,
        Some(http_client::Credentials::OAuth2)
    ) {
        notes.not_active(node, "oauth2");
    }
    check_static_targets(&config, fields.problems());
    fields.finish();
    Some(config)
}

fn job_name(fields: &mut Fields<'_, '_>) -> String {
    let name = fields.read("job_name", decode::string).unwrap_or_default();
    if name.is_empty() {
        fields.wrong("job_name is empty");
    }
    name
}

fn flag_or_true(fields: &mut Fields<'_, '_>, name: &str) -> bool {
    fields.read(name, decode::boolean).unwrap_or(true)
}

fn text_or(fields: &mut Fields<'_, '_>, name: &str, default: &str) -> String {
    fields
        .read(name, decode::string)
        .unwrap_or_else(|| default.to_owned())
}

fn times(fields: &mut Fields<'_, '_>, config: &mut ScrapeConfig, global: &Global) {
    let interval = duration(fields, "scrape_interval");
    config.interval_ms = interval.unwrap_or(global.scrape_interval_ms);
    let timeout = duration(fields, "scrape_timeout");
    if timeout.is_some_and(|timeout| timeout > config.interval_ms) {
        let name = &config.job_name;
        fields.wrong(format!(
            "scrape timeout greater than scrape interval for scrape config with job name {name:?}"
        ));
    }
    let default = global.scrape_timeout_ms.min(config.interval_ms);
    config.timeout_ms = timeout.unwrap_or(default);
}

/// Reads the fields about histograms, with those of `global` where the job says nothing.
fn histograms(fields: &mut Fields<'_, '_>, global: &Global) -> Histograms {
    let mut flag = |name, global| fields.read(name, decode::boolean).unwrap_or(global);
    Histograms {
        native: flag("scrape_native_histograms", global.native_histograms),
        keep_classic: flag(
            "always_scrape_classic_histograms",
            global.always_scrape_classic_histograms,
        ),
        convert_classic: flag(
            "convert_classic_histograms_to_nhcb",
            global.convert_classic_histograms,
        ),
        buckets_max: fields
            .read("native_histogram_bucket_limit", decode::unsigned)
            .unwrap_or_default(),
        bucket_factor_min: fields
            .read("native_histogram_min_bucket_factor", decode::float)
            .unwrap_or_default(),
    }
}

/// Reads which formats to ask for.
fn formats(fields: &mut Fields<'_, '_>, config: &mut ScrapeConfig, global: &Global) {
    let context = format!("for scrape config with job name {:?}", config.job_name);
    config.protocols = fields
        .read("scrape_protocols", |node, problems| {
            protocols(node, &context, problems)
        })
        .or_else(|| global.protocols.clone())
        .unwrap_or_else(|| {
            if config.histograms.native {
                Protocol::PROTOBUF_FIRST.to_vec()
            } else {
                Protocol::DEFAULT.to_vec()
            }
        });
    config.fallback_protocol = fields.read("fallback_scrape_protocol", |node, problems| {
        if node.text() == Some("") {
            return None;
        }
        let context = format!("invalid fallback_scrape_protocol {context}");
        Protocol::decode(node, &context, problems)
    });
}

/// Reads `scrape_protocols`: at least one, none twice.
pub(super) fn protocols(
    node: &Node,
    context: &str,
    problems: &mut Problems,
) -> Option<Vec<Protocol>> {
    let list = decode::list(node, problems, |node, problems| {
        Some((node, Protocol::decode(node, "scrape_protocols", problems)?))
    })?;
    if node.elements().is_empty() {
        problems.add(
            node.position,
            format!("scrape_protocols cannot be empty {context}"),
        );
    }
    let mut protocols: Vec<Protocol> = Vec::new();
    for (node, protocol) in list {
        if protocols.contains(&protocol) {
            problems.add(
                node.position,
                format!(
                    "duplicated protocol in scrape_protocols {context}: {:?}",
                    node.text().unwrap_or_default()
                ),
            );
        }
        protocols.push(protocol);
    }
    Some(protocols)
}

/// Reads which names are allowed and what to ask for where one does not fit. What the job leaves open it
/// has from the global section, but a job that says `legacy` does not inherit `allow-utf-8`.
fn names(fields: &mut Fields<'_, '_>, global: &Global) -> (NameValidation, String) {
    const ESCAPINGS: [&str; 4] = ["allow-utf-8", "underscores", "dots", "values"];
    const fn natural(validation: NameValidation) -> &'static str {
        match validation {
            NameValidation::Legacy => "underscores",
            NameValidation::Utf8 => "allow-utf-8",
        }
    }
    let own = name_validation(fields);
    let validation = own.unwrap_or(global.name_validation);
    let unknown = |which: &str, escaping: &str| {
        format!(
            "unknown {which} name escaping method specified, must be one of 'allow-utf-8', 'underscores', 'dots', or 'values', got {escaping:?}"
        )
    };
    let global_escaping = match global.name_escaping.as_str() {
        "" => natural(global.name_validation),
        escaping if ESCAPINGS.contains(&escaping) => escaping,
        escaping => {
            fields.wrong(unknown("global", escaping));
            natural(global.name_validation)
        }
    };
    let escaping = fields
        .read("metric_name_escaping_scheme", decode::string)
        .filter(|text| !text.is_empty());
    let escaping = match escaping {
        Some(escaping) => escaping,
        None if own.is_none() => global_escaping.to_owned(),
        None => natural(validation).to_owned(),
    };
    if !ESCAPINGS.contains(&escaping.as_str()) {
        fields.wrong(unknown("scrape config", &escaping));
    } else if escaping == "allow-utf-8" && validation == NameValidation::Legacy {
        fields.wrong("utf8 metric names requested but validation scheme is not set to UTF8");
    }
    (validation, escaping)
}

/// Reads `params`: for each name a list of values.
fn params(node: &Node, problems: &mut Problems) -> Option<Vec<(String, Vec<String>)>> {
    let NodeKind::Mapping(pairs) = &node.kind else {
        decode::expected(node, "a mapping", problems);
        return None;
    };
    let mut params = Vec::with_capacity(pairs.len());
    for (name, values) in pairs {
        let name = decode::string(name, problems)?;
        let values = if values.is_null() {
            Vec::new()
        } else {
            decode::strings(values, problems)?
        };
        params.push((name, values));
    }
    Some(params)
}

/// Static targets are known now, so what could not be scraped is a mistake now.
fn check_static_targets(config: &ScrapeConfig, problems: &mut Problems) {
    for discovery in &config.discoveries {
        let Discovery::Static(groups) = discovery else {
            continue;
        };
        for (i, group) in groups.iter().enumerate() {
            for (instance, labels) in group.targets.iter().enumerate() {
                let position = group
                    .positions
                    .get(instance)
                    .copied()
                    .unwrap_or(config.position);
                let address = labels.value(target::ADDRESS);
                let error = if config.relabel_configs.is_empty() && address.contains('/') {
                    Some(format!("{address:?} is not a valid hostname"))
                } else {
                    target::populate(&labels_of(group, labels), config).err()
                };
                if let Some(error) = error {
                    problems.add(
                        position,
                        format!("instance {instance} in group {i}: {error}"),
                    );
                }
            }
        }
    }
}

/// A target's labels with its group's.
fn labels_of(group: &discovery::TargetGroup, target: &model::Labels) -> model::Labels {
    group.labels.merged_with(target)
}
