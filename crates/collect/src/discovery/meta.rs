//! The `__meta_…` labels of discovered targets on their way to being label sets.

use crate::prometheus_file::TargetGroup;
use crate::target::ADDRESS;
use model::Labels;
use std::collections::BTreeMap;

/// Labels by name; empty values count as absent, as everywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Meta(BTreeMap<String, String>);

impl Meta {
    /// Labels of a target at this address.
    pub(super) fn at(address: impl Into<String>) -> Self {
        Self::default().with(ADDRESS, address)
    }

    /// Sets a label; an earlier value is replaced.
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The same with another label.
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Takes over all labels of another set.
    pub(super) fn merge(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            self.0.insert(name.clone(), value.clone());
        }
    }

    /// A label's value, empty where it is absent.
    pub(super) fn value(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// As a label set.
    pub(super) fn labels(&self) -> Labels {
        let pairs = self.0.iter().filter(|(_, value)| !value.is_empty());
        Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// A group of targets.
pub(super) fn group(source: impl Into<String>, labels: &Meta, targets: &[Meta]) -> TargetGroup {
    TargetGroup {
        source: source.into(),
        labels: labels.labels(),
        targets: targets.iter().map(Meta::labels).collect(),
        positions: Vec::new(),
    }
}

/// A name as it may stand in a label's name: anything but letters, digits and `_` becomes `_`.
pub(super) fn sanitized(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(kept).collect()
}

/// Host and port; IPv6 addresses in brackets.
pub(super) fn join(host: &str, port: impl std::fmt::Display) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}
