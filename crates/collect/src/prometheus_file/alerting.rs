//! The `alerting` section: rules for alerts on their way out, and the Alertmanagers that they go to.

use super::{Discovery, NameValidation, Notes, discovery, relabel_rules};
use crate::target;
use config::http_client::{self, Credentials, HttpClientConfig};
use config::{Fields, Node, Problems, decode};
use model::{Labels, RelabelRule};
use std::path::Path;

/// How long a request to an Alertmanager may take where nothing is said; upstream's default.
const TIMEOUT_MS: i64 = 10_000;

/// The `alerting` section, checked, with all defaults filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerting {
    /// `alert_relabel_configs`
    pub relabel: Vec<RelabelRule>,
    /// `alertmanagers`
    pub alertmanagers: Vec<Alertmanagers>,
}

/// An element of `alertmanagers`: Alertmanagers that are reached in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanagers {
    /// `http` or `https`.
    pub scheme: String,
    /// What stands before the path of the interface, maybe empty.
    pub path_prefix: String,
    /// How long a request may take.
    pub timeout_ms: i64,
    /// How to connect.
    pub http: HttpClientConfig,
    /// Applied to what was discovered.
    pub relabel: Vec<RelabelRule>,
    /// Applied to alerts on their way to these Alertmanagers.
    pub alert_relabel: Vec<RelabelRule>,
    /// Where they are found.
    pub discoveries: Vec<Discovery>,
}

impl Alerting {
    /// Completes relative paths of files that the section names.
    pub(super) fn set_directory(&mut self, directory: &Path) {
        for one in &mut self.alertmanagers {
            one.http.set_directory(directory);
            for discovery in &mut one.discoveries {
                discovery.set_directory(directory);
            }
        }
    }
}

pub(super) fn read(
    node: &Node,
    validation: NameValidation,
    notes: &mut Notes,
    problems: &mut Problems,
) -> Option<Alerting> {
    let mut fields = Fields::of(node, "config.AlertingConfig", problems)?;
    let what = "alert relabeling rule";
    let relabel = relabel_rules(&mut fields, "alert_relabel_configs", what, validation);
    let alertmanagers = fields.read_list("alertmanagers", |node, problems| {
        alertmanager(node, validation, notes, problems)
    });
    fields.finish();
    Some(Alerting {
        relabel,
        alertmanagers,
    })
}

fn alertmanager(
    node: &Node,
    validation: NameValidation,
    notes: &mut Notes,
    problems: &mut Problems,
) -> Option<Alertmanagers> {
    let mut fields = Fields::of(node, "config.AlertmanagerConfig", problems)?;
    let scheme = fields.read("scheme", decode::string);
    let path_prefix = fields.read("path_prefix", decode::string);
    let timeout_ms = fields.read("timeout", decode::duration_ms);
    fields.read("api_version", |node, problems| {
        let text = decode::string(node, problems)?;
        if text != "v2" {
            problems.add(
                node.position,
                format!("expected Alertmanager api version to be one of [v2] but got {text}"),
            );
        }
        Some(())
    });
    let http = http_client::inline(&mut fields, HttpClientConfig::default());
    if fields.read("sigv4", super::remote::sigv4).is_some() {
        if http.credentials.is_some() {
            fields.wrong(
                "at most one of basic_auth, authorization, oauth2, & sigv4 must be configured",
            );
        }
        notes.not_active(node, "sending alerts to an Alertmanager with sigv4");
    }
    if let Some(Credentials::OAuth2) = http.credentials {
        notes.not_active(node, "sending alerts to an Alertmanager with oauth2");
    }
    let what = "Alertmanager target relabeling rule";
    let relabel = relabel_rules(&mut fields, "relabel_configs", what, validation);
    let what = "Alertmanager alert relabeling rule";
    let alert_relabel = relabel_rules(&mut fields, "alert_relabel_configs", what, validation);
    let discoveries = discovery::read(&mut fields, notes);
    for discovery in &discoveries {
        check_addresses(discovery, &relabel, fields.problems());
    }
    fields.finish();
    Some(Alertmanagers {
        scheme: scheme
            .filter(|s| !s.is_empty())
            .unwrap_or("http".to_owned()),
        path_prefix: path_prefix.unwrap_or_default(),
        timeout_ms: timeout_ms.unwrap_or(TIMEOUT_MS),
        http,
        relabel,
        alert_relabel,
        discoveries,
    })
}

/// A slash in an address that the rules leave there is a mistake.
fn check_addresses(discovery: &Discovery, rules: &[RelabelRule], problems: &mut Problems) {
    let Discovery::Static(groups) = discovery else {
        return;
    };
    for group in groups {
        for (labels, position) in group.targets.iter().zip(&group.positions) {
            let labels: Labels = group.labels.merged_with(labels);
            let relabelled = model::relabel::apply(rules, &labels);
            let address = relabelled
                .as_ref()
                .map_or("", |labels| labels.value(target::ADDRESS));
            if address.contains('/') {
                problems.add(*position, format!("{address:?} is not a valid hostname"));
            }
        }
    }
}
