//! Alerts as they come in: completed, checked, merged with what is known.

use model::{Alert, Labels, Timestamp};

/// Bytes of labels and annotations of one alert at most, together.
const TEXT_BYTES_MAX: usize = 256 << 10;
/// Labels of one alert at most, likewise annotations.
const LABELS_MAX: usize = 256;

/// An alert as a source sends it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostedAlert {
    /// Its labels; empty values are left out.
    pub labels: Vec<(String, String)>,
    /// Its annotations.
    pub annotations: Vec<(String, String)>,
    /// When it began, if the source says so.
    pub starts_at: Option<Timestamp>,
    /// When it ends or ended, if the source says so.
    pub ends_at: Option<Timestamp>,
    /// A link to where it comes from.
    pub generator_url: String,
}

impl PostedAlert {
    /// Fills in what is missing. Fails with upstream's words where the alert is not valid.
    pub fn complete(self, now: Timestamp, resolve_timeout_ms: i64) -> Result<Alert, String> {
        let starts_at = self.starts_at.or(self.ends_at).unwrap_or(now);
        let ends_by_timeout = self.ends_at.is_none();
        let ends_at = self
            .ends_at
            .unwrap_or_else(|| now.plus_millis(resolve_timeout_ms));
        if ends_at < starts_at {
            return Err("start time must be before end time".to_owned());
        }
        let named = self.labels.iter().filter(|(_, value)| !value.is_empty());
        if named.clone().count() == 0 {
            return Err("at least one label pair required".to_owned());
        }
        check_names(&self.labels).map_err(|e| format!("invalid label set: {e}"))?;
        check_names(&self.annotations).map_err(|e| format!("invalid annotations: {e}"))?;
        let texts = self.labels.iter().chain(&self.annotations);
        let size: usize = texts.map(|(name, value)| name.len() + value.len()).sum();
        if size > TEXT_BYTES_MAX {
            return Err(format!(
                "labels and annotations hold {size} bytes, more than {TEXT_BYTES_MAX}"
            ));
        }
        Ok(Alert {
            labels: Labels::from_pairs(self.labels),
            annotations: Labels::annotations(self.annotations),
            starts_at,
            ends_at,
            updated_at: now,
            ends_by_timeout,
            generator_url: self.generator_url,
        })
    }
}

/// An alert of ours on its way through the routing: the source says all.
impl From<Alert> for PostedAlert {
    fn from(alert: Alert) -> Self {
        let pairs = |labels: &Labels| {
            let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            labels.iter().map(own).collect()
        };
        Self {
            labels: pairs(&alert.labels),
            annotations: pairs(&alert.annotations),
            starts_at: Some(alert.starts_at),
            ends_at: Some(alert.ends_at),
            generator_url: alert.generator_url,
        }
    }
}

fn check_names(pairs: &[(String, String)]) -> Result<(), String> {
    if pairs.len() > LABELS_MAX {
        return Err(format!("{} names, more than {LABELS_MAX}", pairs.len()));
    }
    match pairs.iter().find(|(name, _)| name.is_empty()) {
        Some((name, _)) => Err(format!("invalid name {name:?}")),
        None => Ok(()),
    }
}

/// What is known of an alert after its source described it again at `now`.
///
/// Where the two overlap they are one alert that began with the earlier; otherwise the new one replaces the
/// old. An end that the source named counts more than one that a time-out filled in.
#[must_use]
pub fn merge(known: &Alert, new: Alert, now: Timestamp) -> Alert {
    let within = |moment| moment > known.starts_at && moment < known.ends_at;
    if !within(new.ends_at) && !within(new.starts_at) {
        return new;
    }
    let mut merged = new;
    merged.starts_at = merged.starts_at.min(known.starts_at);
    let later_end = if merged.is_resolved_at(now) {
        known.is_resolved_at(now) && known.ends_at > merged.ends_at
    } else {
        known.ends_at > merged.ends_at && !known.ends_by_timeout
    };
    if later_end {
        merged.ends_at = known.ends_at;
    }
    merged
}

/// Sorts alerts as notifications list them: by `job`, `instance`, then all labels.
pub fn sort(alerts: &mut [Alert]) {
    alerts.sort_by(|a, b| {
        let by_name =
            ["job", "instance"]
                .iter()
                .map(|name| match (a.labels.get(name), b.labels.get(name)) {
                    (None, None) => std::cmp::Ordering::Equal,
                    (None, Some(_)) => std::cmp::Ordering::Greater,
                    (Some(_), None) => std::cmp::Ordering::Less,
                    (Some(a), Some(b)) => a.cmp(b),
                });
        by_name
            .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            .then_with(|| compare_labels(&a.labels, &b.labels))
    });
}

/// The order of label sets upstream: fewer labels first; then, at the first name in which they differ, the set
/// that lacks it, or the smaller value.
#[must_use]
pub fn compare_labels(a: &Labels, b: &Labels) -> std::cmp::Ordering {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let by_count = a.len().cmp(&b.len());
    if by_count != Equal {
        return by_count;
    }
    let first_difference = a.iter().zip(b.iter()).find(|(a, b)| a != b);
    first_difference.map_or(Equal, |((name_a, a), (name_b, b))| {
        match name_a.cmp(name_b) {
            Less => Greater,
            Greater => Less,
            Equal => a.cmp(b),
        }
    })
}

#[cfg(test)]
mod tests;
