//! The labels that name a group, as they stand in a path: `/metrics/job/JOB{/LABEL/VALUE}`, with `@base64`
//! behind a label whose value could not stand there otherwise.

use super::family::Label;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;

/// The label that every group has.
const JOB: &str = "job";
/// What is behind a label whose value is encoded.
const BASE64: &str = "@base64";
/// Labels of a group at most.
const LABELS_MAX: usize = 64;

/// The labels of a group; values may be empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grouping {
    labels: BTreeMap<String, String>,
}

/// Why a path names no group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupingError {
    /// There is no job.
    #[error("job name is required")]
    NoJob,
    /// A label without a value.
    #[error("odd number of components in label string {0:?}")]
    Odd(String),
    /// A label that may not be called so.
    #[error("improper label name {0:?}")]
    Name(String),
    /// A value that is not what `@base64` says.
    #[error("invalid base64 encoding for label {name}={value:?}: {reason}")]
    Base64 {
        /// The label.
        name: String,
        /// What stands in the path.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More labels than a group may have.
    #[error("more than {LABELS_MAX} labels")]
    TooMany,
}

impl Grouping {
    /// Reads what follows `/metrics/` in a path that is not escaped any more.
    pub fn from_path(path: &str) -> Result<Self, GroupingError> {
        // A client that ends its path with a slash means the same group.
        let path = path.strip_suffix('/').unwrap_or(path);
        let parts: Vec<&str> = path.split('/').collect();
        let (pairs, rest) = parts.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(GroupingError::Odd(path.to_owned()));
        }
        if pairs.len() > LABELS_MAX {
            return Err(GroupingError::TooMany);
        }
        let mut labels = BTreeMap::new();
        for [name, value] in pairs {
            let (name, value) = label(name, value)?;
            labels.insert(name, value);
        }
        Self::from_labels(labels)
    }

    pub(super) fn from_labels(labels: BTreeMap<String, String>) -> Result<Self, GroupingError> {
        if labels.get(JOB).is_none_or(String::is_empty) {
            return Err(GroupingError::NoJob);
        }
        Ok(Self { labels })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    pub(super) const fn pairs(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    pub(super) fn labels(&self) -> Vec<Label> {
        let label = |(name, value): (&String, &String)| Label {
            name: name.clone(),
            value: value.clone(),
        };
        self.labels.iter().map(label).collect()
    }
}

fn label(name: &str, value: &str) -> Result<(String, String), GroupingError> {
    let (name, value) = match name.strip_suffix(BASE64) {
        None => (name, value.to_owned()),
        Some(name) => {
            let failed = |reason: String| GroupingError::Base64 {
                name: name.to_owned(),
                value: value.to_owned(),
                reason,
            };
            // Padding is optional; `=` alone is the empty value.
            let bytes = URL_SAFE_NO_PAD
                .decode(value.trim_end_matches('='))
                .map_err(|error| failed(error.to_string()))?;
            let text = String::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
            (name, text)
        }
    };
    if !model::labels::is_legacy_label_name(name) || name.starts_with("__") {
        return Err(GroupingError::Name(name.to_owned()));
    }
    Ok((name.to_owned(), value))
}
