//! What kind of file is this? Told by its content, since teams name files as they like.

use super::packs;
use collect::prometheus_file;
use config::{Node, NodeKind, Problems, yaml};
use std::path::Path;

/// The kinds of files that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// prometheus.yml
    Prometheus,
    /// Recording and alerting rules.
    Rules,
    /// promtool's unit tests for rules.
    RuleTests,
    /// alertmanager.yml
    Alertmanager,
    /// Our own settings.
    Binnacle,
    /// Targets for file discovery, read when a prometheus.yml names them.
    Targets,
    /// Prometheus' TLS and users for its own listener.
    WebConfig,
    /// blackbox_exporter's modules.
    Blackbox,
    /// Loki's configuration.
    Loki,
    /// Promtail's configuration.
    Promtail,
    /// A Grafana dashboard.
    GrafanaDashboard,
    /// Grafana's data sources.
    GrafanaDataSources,
    /// Grafana's dashboard providers and alerting provisioning.
    GrafanaProvisioning,
    /// An OpenSLO object.
    OpenSlo,
    /// A template of Alertmanager's or Prometheus'.
    Template,
    /// Anything else.
    Unknown,
}

impl Kind {
    /// What to call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus configuration",
            Self::Rules => "rules",
            Self::RuleTests => "rule unit tests",
            Self::Alertmanager => "Alertmanager configuration",
            Self::Binnacle => "Binnacle settings",
            Self::Targets => "targets for file discovery",
            Self::WebConfig => "web configuration",
            Self::Blackbox => "blackbox_exporter modules",
            Self::Loki => "Loki configuration",
            Self::Promtail => "Promtail configuration",
            Self::GrafanaDashboard => "Grafana dashboard",
            Self::GrafanaDataSources => "Grafana data sources",
            Self::GrafanaProvisioning => "Grafana provisioning",
            Self::OpenSlo => "OpenSLO object",
            Self::Template => "template",
            Self::Unknown => "unknown",
        }
    }

    /// Whether this is a kind that a later version will use.
    pub(crate) const fn comes_later(self) -> bool {
        matches!(
            self,
            Self::Blackbox
                | Self::Loki
                | Self::Promtail
                | Self::GrafanaDashboard
                | Self::GrafanaDataSources
                | Self::GrafanaProvisioning
                | Self::OpenSlo
                | Self::WebConfig
        )
    }
}

/// The kind of a file, and why it cannot be read where it looks like one that should be.
#[derive(Debug)]
pub(crate) struct Recognised {
    pub(crate) kind: Kind,
    /// The YAML reader's complaints.
    pub(crate) broken: Option<Problems>,
}

/// Tells the kind of a file from its name's ending and its content.
pub(crate) fn recognise(path: &Path, text: &str) -> Recognised {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let known = |kind| Recognised { kind, broken: None };
    let ending = name.rsplit('.').next().unwrap_or_default();
    match ending {
        "tmpl" | "tpl" => return known(Kind::Template),
        "yml" | "yaml" | "json" | "rules" | "rule" => {}
        _ => return known(Kind::Unknown),
    }
    if matches!(name.as_str(), "binnacle.yml" | "binnacle.yaml") && !packs::is_pack(path, text) {
        return known(Kind::Binnacle);
    }
    let mut problems = Problems::new(&path.display().to_string());
    // JSON is YAML, but dashboards hold tabs and lengths that a JSON reader takes in its stride.
    if ending == "json" {
        let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
        return known(value.map_or(Kind::Unknown, |value| json_kind(&value)));
    }
    match yaml::parse(text, &mut problems) {
        Some(documents) => {
            let kind = documents
                .first()
                .map_or(Kind::Unknown, |document| yaml_kind(&document.root));
            let broken = (!problems.is_empty() && kind != Kind::Unknown).then_some(problems);
            Recognised { kind, broken }
        }
        None => Recognised {
            kind: guess(text),
            broken: Some(problems),
        },
    }
}

fn json_kind(value: &serde_json::Value) -> Kind {
    let has = |key: &str| value.get(key).is_some();
    if has("panels") || has("rows") && has("title") || has("schemaVersion") {
        return Kind::GrafanaDashboard;
    }
    let is_targets = value
        .as_array()
        .is_some_and(|list| list.iter().any(|entry| entry.get("targets").is_some()));
    if is_targets {
        Kind::Targets
    } else {
        Kind::Unknown
    }
}

/// Keys that tell a kind; the first row of which every key is there decides.
const SIGNS: [(&[&str], Kind); 22] = [
    (&["tests", "rule_files"], Kind::RuleTests),
    (&["tests", "evaluation_interval"], Kind::RuleTests),
    (&["scrape_configs", "clients"], Kind::Promtail),
    (&["scrape_configs", "positions"], Kind::Promtail),
    (&["schema_config"], Kind::Loki),
    (&["auth_enabled"], Kind::Loki),
    (&["limits_config"], Kind::Loki),
    (&["apiVersion", "datasources"], Kind::GrafanaDataSources),
    (&["apiVersion", "providers"], Kind::GrafanaProvisioning),
    (&["apiVersion", "contactPoints"], Kind::GrafanaProvisioning),
    (&["apiVersion", "groups"], Kind::GrafanaProvisioning),
    (&["datasources"], Kind::GrafanaDataSources),
    (&["tls_server_config"], Kind::WebConfig),
    (&["basic_auth_users"], Kind::WebConfig),
    (&["scrape_configs"], Kind::Prometheus),
    (&["rule_files"], Kind::Prometheus),
    (&["scrape_config_files"], Kind::Prometheus),
    (&["remote_write"], Kind::Prometheus),
    (&["alerting"], Kind::Prometheus),
    (&["route", "receivers"], Kind::Alertmanager),
    (&["receivers"], Kind::Alertmanager),
    (&["route"], Kind::Alertmanager),
];

fn yaml_kind(root: &Node) -> Kind {
    if root
        .elements()
        .iter()
        .any(|entry| entry.get("targets").is_some())
    {
        return Kind::Targets;
    }
    if root
        .get("apiVersion")
        .and_then(Node::text)
        .is_some_and(|v| v.starts_with("openslo/"))
    {
        return Kind::OpenSlo;
    }
    if let Some((_, kind)) = SIGNS
        .iter()
        .find(|(keys, _)| keys.iter().all(|key| root.get(key).is_some()))
    {
        return *kind;
    }
    if root.get("groups").is_some() {
        return Kind::Rules;
    }
    if let Some(modules) = root.get("modules")
        && has_entry_with(modules, "prober")
    {
        return Kind::Blackbox;
    }
    if prometheus_file::is_prometheus_file(root) {
        return Kind::Prometheus;
    }
    Kind::Unknown
}

fn has_entry_with(node: &Node, key: &str) -> bool {
    match &node.kind {
        NodeKind::Mapping(pairs) => pairs.iter().any(|(_, value)| value.get(key).is_some()),
        NodeKind::Null | NodeKind::Scalar { .. } | NodeKind::Sequence(_) => false,
    }
}

/// The kind of a text that is not valid YAML, by the keys at the beginning of its lines: a prometheus.yml with a slip in
/// it is an error to report, some other tool's template is none of our business.
fn guess(text: &str) -> Kind {
    let has = |key: &str| {
        text.lines().any(|line| {
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        })
    };
    let all = |keys: &[&str]| keys.iter().all(|key| has(key));
    if let Some((_, kind)) = SIGNS.iter().find(|(keys, _)| all(keys)) {
        return *kind;
    }
    if has("groups") {
        Kind::Rules
    } else {
        Kind::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, recognise};
    use std::path::Path;

    #[test]
    fn knows_files_by_their_content() {
        let check = |name: &str, text: &str, want: Kind| {
            assert_eq!(
                recognise(Path::new(name), text).kind,
                want,
                "{name}: {text}"
            );
        };
        check("a.yml", "scrape_configs: []\n", Kind::Prometheus);
        check("a.yml", "global: {scrape_interval: 5s}\n", Kind::Prometheus);
        check("a.yaml", "groups: [{name: a, rules: []}]\n", Kind::Rules);
        check(
            "a.yml",
            "route: {receiver: a}\nreceivers: [{name: a}]\n",
            Kind::Alertmanager,
        );
        check("a.yml", "rule_files: [a]\ntests: []\n", Kind::RuleTests);
        check("a.yml", "scrape_configs: []\nclients: []\n", Kind::Promtail);
        check("a.yml", "modules: {http: {prober: http}}\n", Kind::Blackbox);
        check(
            "a.json",
            "{\"panels\": [], \"title\": \"x\"}",
            Kind::GrafanaDashboard,
        );
        check("a.json", "[{\"targets\": [\"a:1\"]}]", Kind::Targets);
        check(
            "a.yml",
            "apiVersion: openslo/v1\nkind: SLO\n",
            Kind::OpenSlo,
        );
        check("a.yml", "services: {web: {image: x}}\n", Kind::Unknown);
        check("a.tmpl", "{{ define \"x\" }}{{ end }}", Kind::Template);
        check("a.txt", "groups:\n", Kind::Unknown);
        check("a.yml", "{{ if .Values }}\nfoo: [\n", Kind::Unknown);
    }

    #[test]
    fn a_slip_in_a_known_file_is_reported() {
        let found = recognise(Path::new("p.yml"), "scrape_configs:\n  - job_name: [a\n");
        assert_eq!(found.kind, Kind::Prometheus);
        assert!(found.broken.is_some());
    }
}
