//! The `alerting` section: rules for alerts on their way out are used, Alertmanagers are checked.

use super::{NameValidation, Notes, discovery, relabel_rules};
use crate::target;
use config::http_client::{self, HttpClientConfig};
use config::{Fields, Node, Problems, decode};
use model::{Labels, RelabelRule};

pub(super) fn read(
    node: &Node,
    validation: NameValidation,
    notes: &mut Notes,
    problems: &mut Problems,
) -> Option<Vec<RelabelRule>> {
    let mut fields = Fields::of(node, "config.AlertingConfig", problems)?;
    let what = "alert relabeling rule";
    let rules = relabel_rules(&mut fields, "alert_relabel_configs", what, validation);
    let alertmanagers = fields.read_list("alertmanagers", |node, problems| {
        alertmanager(node, validation, problems);
        Some(node)
    });
    if let Some(first) = alertmanagers.first() {
        notes.not_active(
            first,
            "sending alerts to the Alertmanagers under alerting.alertmanagers",
        );
    }
    fields.finish();
    Some(rules)
}

fn alertmanager(node: &Node, validation: NameValidation, problems: &mut Problems) -> Option<()> {
    let mut fields = Fields::of(node, "config.AlertmanagerConfig", problems)?;
    for text in ["scheme", "path_prefix"] {
        fields.read(text, decode::string);
    }
    fields.read("timeout", decode::duration_ms);
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
    let signed = fields.read("sigv4", super::remote::sigv4).is_some();
    if signed && http.credentials.is_some() {
        fields
            .wrong("at most one of basic_auth, authorization, oauth2, & sigv4 must be configured");
    }
    let what = "Alertmanager target relabeling rule";
    let rules = relabel_rules(&mut fields, "relabel_configs", what, validation);
    let what = "Alertmanager alert relabeling rule";
    relabel_rules(&mut fields, "alert_relabel_configs", what, validation);
    // Notes about discovery kinds would only repeat that nothing is sent from here.
    let discoveries = discovery::read(&mut fields, &mut Notes::default());
    for discovery in &discoveries {
        check_addresses(discovery, &rules, fields.problems());
    }
    fields.finish();
    Some(())
}

/// A slash in an address that the rules leave there is a mistake.
fn check_addresses(
    discovery: &discovery::Discovery,
    rules: &[RelabelRule],
    problems: &mut Problems,
) {
    let discovery::Discovery::Static(groups) = discovery else {
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
