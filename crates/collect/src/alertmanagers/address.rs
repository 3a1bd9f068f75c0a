//! From what was discovered to where alerts are posted.
//!
//! The rules are upstream's: `__scheme__` and `__alerts_path__` begin as the settings say, and relabelling may change
//! them and the address.

use crate::prometheus_file::{Alertmanagers, TargetGroup};
use crate::target::ADDRESS;
use model::{Labels, relabel};

const SCHEME: &str = "__scheme__";
const PATH: &str = "__alerts_path__";
/// Where alerts are posted, below the prefix.
const ALERTS_PATH: &str = "/api/v2/alerts";

/// What a source lists, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    /// Address (host and port) and whole URL of those that alerts are sent to.
    pub(super) active: Vec<(String, String)>,
    /// URLs of those that relabelling dropped.
    pub(super) dropped: Vec<String>,
    /// What cannot be used.
    pub(super) problems: Vec<String>,
}

impl Addresses {
    /// Reads groups; an Alertmanager that is listed twice is one.
    pub(super) fn of<'g>(
        groups: impl Iterator<Item = &'g TargetGroup>,
        settings: &Alertmanagers,
    ) -> Self {
        let mut found = Self::default();
        for group in groups {
            for labels in &group.targets {
                found.add(&group.labels.merged_with(labels), settings);
            }
        }
        found
    }

    fn add(&mut self, labels: &Labels, settings: &Alertmanagers) {
        let path = format!("/{}{ALERTS_PATH}", settings.path_prefix.trim_matches('/'));
        let path = path.replace("//", "/");
        let own = Labels::from_pairs([(SCHEME, settings.scheme.as_str()), (PATH, &path)]);
        let labels = own.merged_with(labels);
        let Some(kept) = relabel::apply(&settings.relabel, &labels) else {
            self.dropped.push(url(&labels));
            return;
        };
        let address = kept.value(ADDRESS);
        if address.is_empty() || address.contains('/') {
            self.problems
                .push(format!("{address:?} is not a valid hostname"));
            return;
        }
        let entry = (address.to_owned(), url(&kept));
        if !self.active.contains(&entry) {
            self.active.push(entry);
        }
    }
}

fn url(labels: &Labels) -> String {
    let path = labels.value(PATH).trim_start_matches('/');
    format!(
        "{}://{}/{path}",
        labels.value(SCHEME),
        labels.value(ADDRESS)
    )
}
