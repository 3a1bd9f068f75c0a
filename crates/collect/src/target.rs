//! Targets: from what was discovered to what is asked, and the labels its series get.
//!
//! The rules are Prometheus' `scrape.PopulateLabels` and `Target.URL`, version 3: no default port is added.

use crate::prometheus_file::ScrapeConfig;
use model::{Labels, format_duration, parse_duration};
use std::fmt::Write as _;

/// Where a target listens.
pub const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const PARAM_PREFIX: &str = "__param_";
const META_PREFIX: &str = "__meta_";
const RESERVED_PREFIX: &str = "__";
const JOB: &str = "job";
const INSTANCE: &str = "instance";

/// Something to scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Labels before relabelling.
    pub discovered: Labels,
    /// Labels of its series.
    pub labels: Labels,
    /// What is asked.
    pub url: String,
    /// Where it listens, with the port where one was given.
    pub address: String,
    /// How often.
    pub interval_ms: i64,
    /// How long at most.
    pub timeout_ms: i64,
}

impl Target {
    /// A number that is the same for the same target everywhere: spreads scrapes over the interval.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.labels.with("__url__", &self.url).fingerprint()
    }
}

/// Adds what the scrape config says to what was discovered; discovered labels win.
///
/// `labels`: the target's labels over its group's.
#[must_use]
pub fn discovered(labels: &Labels, config: &ScrapeConfig) -> Labels {
    let (interval, timeout) = (
        format_duration(config.interval_ms),
        format_duration(config.timeout_ms),
    );
    let mut pairs: Vec<(String, &str)> = vec![
        (JOB.to_owned(), &config.job_name),
        (INTERVAL.to_owned(), &interval),
        (TIMEOUT.to_owned(), &timeout),
        (METRICS_PATH.to_owned(), &config.metrics_path),
        (SCHEME.to_owned(), &config.scheme),
    ];
    for (name, values) in &config.params {
        if let Some(first) = values.first() {
            pairs.push((format!("{PARAM_PREFIX}{name}"), first));
        }
    }
    Labels::from_pairs(pairs).merged_with(labels)
}

/// Makes the target of one discovered label set. `None` where relabelling drops it.
///
/// Fails, with upstream's words, where what is left cannot be scraped.
pub fn populate(labels: &Labels, config: &ScrapeConfig) -> Result<Option<Target>, String> {
    let discovered = discovered(labels, config);
    let Some(labels) = model::relabel::apply(&config.relabel_configs, &discovered) else {
        return Ok(None);
    };
    let address = labels.value(ADDRESS).to_owned();
    if address.is_empty() {
        return Err("no address".to_owned());
    }
    if address.contains('/') {
        return Err(format!("{address:?} is not a valid hostname"));
    }
    let (interval_ms, timeout_ms) = times(&labels)?;
    let url = url(&labels, config);
    let instance = match labels.value(INSTANCE) {
        "" => address.clone(),
        instance => instance.to_owned(),
    };
    let public: Labels = labels
        .iter()
        .filter(|(name, _)| !name.starts_with(META_PREFIX) && !name.starts_with(RESERVED_PREFIX))
        .chain([(INSTANCE, instance.as_str())])
        .collect();
    Ok(Some(Target {
        discovered,
        labels: public,
        url,
        address,
        interval_ms,
        timeout_ms,
    }))
}

/// Reads interval and timeout, which relabelling may have changed.
fn times(labels: &Labels) -> Result<(i64, i64), String> {
    let read = |label: &str, what: &str| {
        let millis = parse_duration(labels.value(label))
            .map_err(|error| format!("error parsing scrape {what}: {error}"))?;
        if millis == 0 {
            return Err(format!("scrape {what} cannot be 0"));
        }
        Ok(millis)
    };
    let interval = read(INTERVAL, "interval")?;
    let timeout = read(TIMEOUT, "timeout")?;
    if timeout > interval {
        return Err(format!(
            "scrape timeout cannot be greater than scrape interval ({:?} > {:?})",
            labels.value(TIMEOUT),
            labels.value(INTERVAL)
        ));
    }
    Ok((interval, timeout))
}

/// Puts scheme, address, path and parameters together. A `__param_x` label replaces the first value of `x`.
fn url(labels: &Labels, config: &ScrapeConfig) -> String {
    let mut params: Vec<(String, Vec<String>)> = config
        .params
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .cloned()
        .collect();
    for (label, value) in labels {
        let Some(name) = label.strip_prefix(PARAM_PREFIX) else {
            continue;
        };
        let known = params.iter_mut().find(|(param, _)| param == name);
        match known.and_then(|(_, values)| values.first_mut()) {
            Some(first) => value.clone_into(first),
            None => params.push((name.to_owned(), vec![value.to_owned()])),
        }
    }
    params.sort_by(|a, b| a.0.cmp(&b.0));
    let path = labels.value(METRICS_PATH);
    let slash = if path.is_empty() || path.starts_with('/') {
        ""
    } else {
        "/"
    };
    let mut url = format!(
        "{}://{}{slash}",
        labels.value(SCHEME),
        labels.value(ADDRESS)
    );
    escape(path, "-_.~$&+,/:;=@", &mut url);
    let mut separator = '?';
    for (name, values) in &params {
        for value in values {
            url.push(separator);
            escape_query(name, &mut url);
            url.push('=');
            escape_query(value, &mut url);
            separator = '&';
        }
    }
    url
}

fn escape_query(text: &str, into: &mut String) {
    let mut words = text.split(' ');
    escape(words.next().unwrap_or_default(), "-_.~", into);
    for word in words {
        into.push('+');
        escape(word, "-_.~", into);
    }
}

/// Writes a text with every byte but letters, digits and `plain` as `%XX`.
fn escape(text: &str, plain: &str, into: &mut String) {
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || plain.contains(c) && byte.is_ascii() {
            into.push(c);
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(into, "%{byte:02X}");
        }
    }
}
