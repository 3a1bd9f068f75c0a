//! Reads prometheus.yml: the whole file of Prometheus 3.14, strictly, every mistake at once.
//!
//! What Binnacle does not do yet (other discovery kinds, tracing) is checked all the same and comes back as a note, never as a reason to
//! refuse. Files that the file names are not opened here: rule files and further scrape
//! configs are read by whoever knows where to look for them.

mod active;
mod alerting;
mod discovery;
mod global;
mod provider_rules;
mod providers;
mod relabel;
mod remote;
mod remote_settings;
mod schema;
mod scrape;
mod settings;

pub use active::{
    ConsulDiscovery, DnsDiscovery, DnsRecord, DockerDiscovery, Ec2Discovery, Filter,
    KubernetesDiscovery, KubernetesRole, KubernetesSelector, SwarmDiscovery, SwarmRole,
};
pub use alerting::{Alerting, Alertmanagers};
pub use discovery::{Discovery, FileDiscovery, HttpDiscovery, TargetGroup, read_target_groups};
pub use global::Global;
pub use relabel::relabel_rules;
pub use remote_settings::{MetadataSettings, QueueSettings, RemoteRead, RemoteWrite};
pub use scrape::{Histograms, Limits, Protocol, ScrapeConfig};
pub use settings::StorageSettings;

use config::{Fields, Node, NodeKind, Position, Problems, decode, yaml};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// How to read a file.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The file's name for messages.
    pub file: &'a str,
    /// The folder that relative paths in it begin at.
    pub directory: &'a Path,
    /// Looks up environment variables for `external_labels`.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// A prometheus.yml, checked, with all defaults filled in.
#[derive(Clone, Debug)]
pub struct PrometheusFile {
    /// `global`
    pub global: Global,
    /// `scrape_configs`
    pub scrape_configs: Vec<ScrapeConfig>,
    /// `rule_files`: patterns as written.
    pub rule_files: Vec<String>,
    /// `scrape_config_files`: patterns as written.
    pub scrape_config_files: Vec<String>,
    /// `alerting`
    pub alerting: Alerting,
    /// `remote_write`
    pub remote_write: Vec<RemoteWrite>,
    /// `remote_read`
    pub remote_read: Vec<RemoteRead>,
    /// `storage`
    pub storage: StorageSettings,
    /// `otlp`
    pub otlp: ingest::otlp::Settings,
    /// What is in the file but not active, each kind once.
    pub notes: Vec<Note>,
}

/// Something worth saying about a file that is no mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file as it was named to us.
    pub file: Arc<str>,
    /// Where.
    pub position: Position,
    /// What.
    pub message: String,
}

/// `file:line:column: message`
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}: {}", self.file, self.message)
    }
}

/// Collects notes, each message once.
#[derive(Default)]
struct Notes {
    list: Vec<(Position, String)>,
}

impl Notes {
    fn not_active(&mut self, node: &Node, what: &str) {
        self.add(
            node.position,
            format!("{what} is checked but not active yet"),
        );
    }

    fn add(&mut self, position: Position, message: String) {
        if !self.list.iter().any(|(_, known)| *known == message) {
            self.list.push((position, message));
        }
    }

    fn finish(self, file: &str) -> Vec<Note> {
        let file: Arc<str> = Arc::from(file);
        let note = |(position, message)| Note {
            file: Arc::clone(&file),
            position,
            message,
        };
        self.list.into_iter().map(note).collect()
    }
}

/// Which metric and label names are allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameValidation {
    /// Letters, digits, underscores; colons in metric names.
    Legacy,
    /// Any UTF-8 text but the empty one.
    #[default]
    Utf8,
}

impl NameValidation {
    /// Whether a text may be a label's name.
    #[must_use]
    pub fn is_label_name(self, name: &str) -> bool {
        match self {
            Self::Legacy => model::labels::is_legacy_label_name(name),
            Self::Utf8 => !name.is_empty(),
        }
    }

    /// Whether a text may be a metric's name.
    #[must_use]
    pub fn is_metric_name(self, name: &str) -> bool {
        match self {
            Self::Legacy => model::labels::is_legacy_metric_name(name),
            Self::Utf8 => !name.is_empty(),
        }
    }
}

/// Reads a prometheus.yml.
pub fn read(text: &str, reading: Reading<'_>) -> Result<PrometheusFile, Problems> {
    let mut problems = Problems::new(reading.file);
    let root = yaml::parse_single(text, &mut problems);
    let file = root.and_then(|root| read_root(&root, reading, &mut problems));
    problems.into_result(file)
}

/// Reads a file that `scrape_config_files` names: `scrape_configs` and nothing else.
pub fn read_scrape_configs(
    text: &str,
    global: &Global,
    reading: Reading<'_>,
) -> Result<(Vec<ScrapeConfig>, Vec<Note>), Problems> {
    let mut problems = Problems::new(reading.file);
    let mut notes = Notes::default();
    let root = yaml::parse_single(text, &mut problems);
    let configs = root.and_then(|root| {
        let mut fields = Fields::of(&root, "config.ScrapeConfigs", &mut problems)?;
        let configs = scrape_configs(&mut fields, global, reading, &mut notes);
        fields.finish();
        Some(configs)
    });
    let configs = problems.into_result(configs)?;
    Ok((configs, notes.finish(reading.file)))
}

/// Sections that no other known program's file has.
const TELLTALE_SECTIONS: [&str; 6] = [
    "scrape_configs",
    "scrape_config_files",
    "rule_files",
    "alerting",
    "remote_write",
    "remote_read",
];
/// Sections whose names others use, too.
const OTHER_SECTIONS: [&str; 5] = ["global", "runtime", "storage", "tracing", "otlp"];

/// Whether a file looks like a prometheus.yml: it has a section that only such files have, or nothing but
/// sections that such files may have.
#[must_use]
pub fn is_prometheus_file(root: &Node) -> bool {
    let NodeKind::Mapping(pairs) = &root.kind else {
        return false;
    };
    let mut names = pairs.iter().filter_map(|(key, _)| key.text());
    let is_telltale = |name: &str| TELLTALE_SECTIONS.contains(&name);
    names.clone().any(is_telltale)
        || !pairs.is_empty() && names.all(|name| OTHER_SECTIONS.contains(&name))
}

fn read_root(root: &Node, reading: Reading<'_>, problems: &mut Problems) -> Option<PrometheusFile> {
    let mut notes = Notes::default();
    let mut fields = Fields::of(root, "config.plain", problems)?;
    let mut global = fields
        .read("global", |node, problems| {
            global::read(node, reading, problems)
        })
        .unwrap_or_default();
    global.set_directory(reading.directory);
    let rule_files = patterns(&mut fields, "rule_files", "rule file");
    let scrape_config_files = patterns(&mut fields, "scrape_config_files", "scrape config file");
    let scrape_configs = scrape_configs(&mut fields, &global, reading, &mut notes);
    let mut alerting = fields
        .read("alerting", |node, problems| {
            alerting::read(node, global.name_validation, &mut notes, problems)
        })
        .unwrap_or_default();
    alerting.set_directory(reading.directory);
    let (mut remote_write, mut remote_read) =
        remote::read(&mut fields, global.name_validation, &mut notes);
    for one in &mut remote_write {
        one.http.set_directory(reading.directory);
    }
    for one in &mut remote_read {
        one.http.set_directory(reading.directory);
    }
    let storage = settings::read(&mut fields, &mut notes);
    let otlp = settings::otlp(&mut fields, &global);
    fields.finish();
    Some(PrometheusFile {
        global,
        scrape_configs,
        rule_files,
        scrape_config_files,
        alerting,
        remote_write,
        remote_read,
        storage,
        otlp,
        notes: notes.finish(reading.file),
    })
}

/// Reads a list of file patterns: a star may stand in the last component only.
fn patterns(fields: &mut Fields<'_, '_>, name: &str, what: &str) -> Vec<String> {
    fields.read_list(name, |node, problems| {
        let pattern = decode::string(node, problems)?;
        if pattern
            .split_once('*')
            .is_some_and(|(_, rest)| rest.contains('/'))
        {
            problems.add(node.position, format!("invalid {what} path {pattern:?}"));
            return None;
        }
        Some(pattern)
    })
}

fn scrape_configs(
    fields: &mut Fields<'_, '_>,
    global: &Global,
    reading: Reading<'_>,
    notes: &mut Notes,
) -> Vec<ScrapeConfig> {
    let configs = fields.read_list("scrape_configs", |node, problems| {
        scrape::read(node, global, notes, problems)
    });
    let mut names: BTreeMap<String, Position> = BTreeMap::new();
    let mut duplicates = Vec::new();
    let mut list = Vec::with_capacity(configs.len());
    for mut config in configs {
        if names
            .insert(config.job_name.clone(), config.position)
            .is_some()
        {
            duplicates.push((config.position, config.job_name.clone()));
        }
        config.set_directory(reading.directory);
        list.push(config);
    }
    for (position, name) in duplicates {
        let message = format!("found multiple scrape configs with job name {name:?}");
        fields.problems().add(position, message);
    }
    list
}

#[cfg(test)]
mod tests;
