//! The flags of `up` in native units, checked.

mod ageing;
mod features;

use crate::cli::{Up, WalSync, WebFlags};
use anyhow::{Context as _, bail};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// What only a restart changes.
#[derive(Clone, Debug)]
pub(crate) struct Flags {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) data: PathBuf,
    pub(crate) external_url: String,
    pub(crate) retention_ms: Option<i64>,
    pub(crate) block_ms: i64,
    pub(crate) queue_bytes_max: u64,
    pub(crate) retention_bytes: Option<u64>,
    pub(crate) retention_percentage: Option<f64>,
    pub(crate) retention_rules: Vec<tsdb::RetentionRule>,
    pub(crate) downsampling: Vec<tsdb::Downsampling>,
    pub(crate) wal_sync: WalSync,
    pub(crate) procfs: PathBuf,
    pub(crate) sysfs: PathBuf,
    pub(crate) rootfs: PathBuf,
    pub(crate) lookback_ms: i64,
    pub(crate) query_timeout: Duration,
    pub(crate) query_concurrency: usize,
    pub(crate) query_samples: usize,
    pub(crate) delayed_name_removal: bool,
    pub(crate) per_step_stats: bool,
    pub(crate) start_timestamps: bool,
    pub(crate) type_and_unit_labels: bool,
    pub(crate) scrape_features: collect::Features,
    /// What flags say of OTLP.
    pub(crate) otlp_deltas: ingest::otlp::Deltas,
    pub(crate) resend_delay_ms: i64,
    pub(crate) restoring: rules::Restoring,
    pub(crate) notifications: NotificationFlags,
    pub(crate) web: WebFlags,
    /// As `/api/v1/status/flags` shows them.
    pub(crate) shown: Vec<(String, String)>,
}

impl Flags {
    /// Checks the flags. Fails with the one that is wrong and its value.
    pub(crate) fn of(up: &Up) -> anyhow::Result<Self> {
        let theirs = &up.prometheus;
        let external_url = match &up.external_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", up.listen.replace("0.0.0.0", "localhost")),
        };
        if reqwest::Url::parse(&external_url).is_err() {
            bail!("--external-url {external_url:?} is not an address");
        }
        features::note(&theirs.features);
        let feature = |names: &[&str]| features::any_is_on(&theirs.features, names);
        if theirs.query_concurrency == 0 {
            bail!("--query.max-concurrency must be at least 1");
        }
        Ok(Self {
            paths: up.paths.clone(),
            data: up.data.clone(),
            external_url,
            retention_ms: up
                .retention
                .as_deref()
                .map(|text| duration_ms("--retention", text))
                .transpose()?,
            block_ms: block_ms(&up.block_duration)?,
            queue_bytes_max: queue_bytes(&up.remote_write_queue_size)?,
            retention_bytes: up
                .retention_size
                .as_deref()
                .map(|text| size_bytes("--retention-size", text))
                .transpose()?,
            retention_percentage: up
                .retention_percentage
                .map(ageing::percentage)
                .transpose()?,
            retention_rules: retention_rules(up)?,
            downsampling: match &up.downsample {
                Some(text) => ageing::downsampling(text)?,
                None => Vec::new(),
            },
            wal_sync: up.wal_sync,
            procfs: up.procfs.clone(),
            sysfs: up.sysfs.clone(),
            rootfs: up.rootfs.clone(),
            lookback_ms: duration_ms("--query.lookback-delta", &theirs.lookback)?,
            query_timeout: duration("--query.timeout", &theirs.query_timeout)?,
            query_concurrency: theirs.query_concurrency,
            query_samples: theirs.query_samples,
            delayed_name_removal: feature(&["promql-delayed-name-removal"]),
            start_timestamps: feature(&["use-start-timestamps"]),
            type_and_unit_labels: feature(&["type-and-unit-labels", "promql-type-and-unit-labels"]),
            per_step_stats: feature(&["promql-per-step-stats"]),
            otlp_deltas: otlp_deltas(&theirs.features)?,
            scrape_features: collect::Features::of(theirs.features.iter().map(String::as_str)),
            resend_delay_ms: duration_ms("--rules.alert.resend-delay", &theirs.resend_delay)?,
            restoring: rules::Restoring {
                outage_tolerance_ms: duration_ms(
                    "--rules.alert.for-outage-tolerance",
                    &theirs.outage_tolerance,
                )?,
                grace_period_ms: duration_ms(
                    "--rules.alert.for-grace-period",
                    &theirs.grace_period,
                )?,
            },
            notifications: NotificationFlags::of(up)?,
            web: up.web.clone(),
            shown: shown(up),
        })
    }
}

/// What flags say of sending alerts to Alertmanagers.
#[derive(Clone, Debug)]
pub(crate) struct NotificationFlags {
    pub(crate) queue_alerts_max: usize,
    pub(crate) batch_alerts_max: usize,
    pub(crate) drains: bool,
    /// Ports of this host where this process takes alerts itself.
    pub(crate) own_ports: Vec<String>,
}

impl NotificationFlags {
    fn of(up: &Up) -> anyhow::Result<Self> {
        let theirs = &up.prometheus;
        if theirs.notification_queue == 0 || theirs.notification_batch == 0 {
            bail!(
                "--alertmanager.notification-queue-capacity and --alertmanager.notification-batch-size must be at least 1"
            );
        }
        let mut own_ports = Vec::new();
        own_ports.extend(up.listen.rsplit_once(':').map(|(_, port)| port.to_owned()));
        if up.compat_ports {
            own_ports.push("9093".to_owned());
        }
        Ok(Self {
            queue_alerts_max: theirs.notification_queue,
            batch_alerts_max: theirs.notification_batch,
            drains: theirs.drain || !theirs.no_drain,
            own_ports,
        })
    }

    /// As `/api/v1/status/flags` shows them.
    fn shown(up: &Up) -> [(&'static str, String); 3] {
        let theirs = &up.prometheus;
        [
            (
                "alertmanager.notification-queue-capacity",
                theirs.notification_queue.to_string(),
            ),
            (
                "alertmanager.notification-batch-size",
                theirs.notification_batch.to_string(),
            ),
            (
                "alertmanager.drain-notification-queue-on-shutdown",
                (theirs.drain || !theirs.no_drain).to_string(),
            ),
        ]
    }

    /// Whether an address is this process, reached over loopback.
    pub(crate) fn is_own(&self, address: &str) -> bool {
        let Some((host, port)) = address.rsplit_once(':') else {
            return false;
        };
        let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        is_loopback && self.own_ports.iter().any(|own| own == port)
    }
}

/// A duration flag. Fails with its name and value.
pub(crate) fn duration(flag: &str, text: &str) -> anyhow::Result<Duration> {
    let millis = duration_ms(flag, text)?;
    Ok(Duration::from_millis(u64::try_from(millis)?))
}

/// What is done with deltas; one of the two features at most.
fn otlp_deltas(features: &[String]) -> anyhow::Result<ingest::otlp::Deltas> {
    let has = |name: &str| features.iter().any(|feature| feature == name);
    match (
        has("otlp-deltatocumulative"),
        has("otlp-native-delta-ingestion"),
    ) {
        (true, true) => bail!(
            "--enable-feature: otlp-deltatocumulative and otlp-native-delta-ingestion exclude each other"
        ),
        (true, false) => Ok(ingest::otlp::Deltas::Accumulate),
        (false, true) => Ok(ingest::otlp::Deltas::Keep),
        (false, false) => Ok(ingest::otlp::Deltas::Refuse),
    }
}

fn duration_ms(flag: &str, text: &str) -> anyhow::Result<i64> {
    model::parse_duration(text)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{flag} {text:?}"))
}

/// The window of a block. A minute still holds some samples of a usual scrape; a day is as much as memory should.
fn block_ms(text: &str) -> anyhow::Result<i64> {
    const LIMITS_MS: RangeInclusive<i64> = 60_000..=86_400_000;
    let millis = duration_ms("--block-duration", text)?;
    if !LIMITS_MS.contains(&millis) {
        bail!("--block-duration {text:?}: it must be 1m to 1d");
    }
    Ok(millis)
}

fn retention_rules(up: &Up) -> anyhow::Result<Vec<tsdb::RetentionRule>> {
    up.retention_rule
        .iter()
        .map(|text| ageing::rule(text))
        .collect()
}

fn size_bytes(flag: &str, text: &str) -> anyhow::Result<u64> {
    config::decode::parse_size(text)
        .with_context(|| format!("{flag} {text:?} is not a size like 10GB"))
}

/// A queue drops whole segments: it must hold some.
fn queue_bytes(text: &str) -> anyhow::Result<u64> {
    const FLAG: &str = "--remote-write-queue-size";
    let bytes = size_bytes(FLAG, text)?;
    let least = 4 * collect::remote_write::SEGMENT_BYTES;
    if bytes < least {
        bail!("{FLAG} {text:?}: it must be {}MB at least", least >> 20);
    }
    Ok(bytes)
}

/// The path before every other: what the flag says, or the path of the external address.
pub(crate) fn route_prefix(up: &Up) -> api::Prefix {
    let said = up.web.route_prefix.clone();
    let external = || {
        let url = up.external_url.as_deref()?;
        let url = reqwest::Url::parse(url).ok()?;
        Some(url.path().to_owned())
    };
    api::Prefix::new(&said.or_else(external).unwrap_or_default())
}

/// What flags say of rules, as `/api/v1/status/flags` shows them.
fn rules_shown(up: &Up) -> [(&'static str, String); 3] {
    let theirs = &up.prometheus;
    [
        (
            "rules.alert.for-outage-tolerance",
            theirs.outage_tolerance.clone(),
        ),
        ("rules.alert.for-grace-period", theirs.grace_period.clone()),
        ("rules.alert.resend-delay", theirs.resend_delay.clone()),
    ]
}

fn shown(up: &Up) -> Vec<(String, String)> {
    let theirs = &up.prometheus;
    let mut list = vec![
        ("storage.tsdb.path", up.data.display().to_string()),
        ("web.listen-address", up.listen.clone()),
        ("web.enable-lifecycle", up.web.lifecycle.to_string()),
        ("web.enable-admin-api", up.web.admin_api.to_string()),
        (
            "web.cors.origin",
            up.web.cors_origin.clone().unwrap_or_default(),
        ),
        ("web.config.file", {
            let file = up.web.web_config.as_ref();
            file.map(|file| file.display().to_string())
                .unwrap_or_default()
        }),
        ("web.max-connections", up.web.connections_max.to_string()),
        ("web.read-timeout", up.web.read_timeout.clone()),
        (
            "web.max-notifications-subscribers",
            up.web.subscribers_max.to_string(),
        ),
        ("web.search.max-limit", up.web.search_limit_max.to_string()),
        (
            "web.route-prefix",
            format!("{}/", route_prefix(up).as_str()),
        ),
        ("web.enable-remote-write-receiver", "true".to_owned()),
        (
            "storage.tsdb.retention.time",
            up.retention.clone().unwrap_or_else(|| "15d".to_owned()),
        ),
        ("storage.tsdb.min-block-duration", up.block_duration.clone()),
        ("query.lookback-delta", theirs.lookback.clone()),
        ("query.timeout", theirs.query_timeout.clone()),
        (
            "query.max-concurrency",
            theirs.query_concurrency.to_string(),
        ),
        ("query.max-samples", theirs.query_samples.to_string()),
        ("enable-feature", theirs.features.join(",")),
        ("log.level", theirs.log_level.clone()),
    ];
    list.extend(rules_shown(up));
    list.extend(NotificationFlags::shown(up));
    if let Some(url) = &up.external_url {
        list.push(("web.external-url", url.clone()));
    }
    if let Some(size) = &up.retention_size {
        list.push(("storage.tsdb.retention.size", size.clone()));
    }
    if let Some(percentage) = up.retention_percentage {
        list.push(("storage.tsdb.retention.percentage", percentage.to_string()));
    }
    if let Some(steps) = &up.downsample {
        list.push(("downsample", steps.clone()));
    }
    if !up.retention_rule.is_empty() {
        list.push(("retention-rule", up.retention_rule.join(" ")));
    }
    list.push((
        "remote-write-queue-size",
        up.remote_write_queue_size.clone(),
    ));
    list.sort();
    list.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
