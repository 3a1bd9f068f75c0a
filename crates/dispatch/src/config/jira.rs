//! `jira_configs`: an issue that opens with a group and is resolved with it.

use super::entry::Entry;
use super::field;
use super::receiver::Settings;
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, decode};

/// A project of Jira.
#[derive(Clone, Debug)]
pub struct Jira {
    /// The root of the API with its version: `https://company.atlassian.net/rest/api/2/`.
    pub(crate) api_url: String,
    /// How issues are searched for.
    pub(crate) search: JiraSearch,
    /// The project's key, a template.
    pub(crate) project: String,
    /// The issue's title.
    pub(crate) summary: JiraText,
    /// Its text: wiki markup for version 2, a document in JSON for version 3.
    pub(crate) description: JiraText,
    /// Templates.
    pub(crate) labels: Vec<String>,
    /// A template.
    pub(crate) priority: String,
    /// A template.
    pub(crate) issue_type: String,
    /// The transition that opens an issue again, empty for none.
    pub(crate) reopen_transition: String,
    /// The transition that resolves it, empty for none.
    pub(crate) resolve_transition: String,
    /// Issues with this resolution are left alone.
    pub(crate) wont_fix_resolution: String,
    /// How long after its resolution an issue may be opened again.
    pub(crate) reopen_duration_ms: i64,
    /// Further fields: any YAML, its texts are templates.
    pub(crate) fields: Vec<(String, Node)>,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
}

/// A text of an issue.
#[derive(Clone, Debug)]
pub struct JiraText {
    /// The template.
    pub(crate) template: String,
    /// Whether an issue that is there gets the new text.
    pub(crate) is_updated: bool,
}

/// Which of Jira's two searches is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JiraSearch {
    /// By the name of the host.
    Auto,
    /// `/rest/api/3/search/jql`.
    Cloud,
    /// `/search`.
    DataCenter,
}

const SUMMARY: &str = r#"{{ template "jira.default.summary" . }}"#;
const DESCRIPTION: &str = r#"{{ template "jira.default.description" . }}"#;
const PRIORITY: &str = r#"{{ template "jira.default.priority" . }}"#;

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    for (name, message) in [
        ("project", "missing project in jira_config"),
        ("issue_type", "missing issue_type in jira_config"),
    ] {
        entry.wrong_if(!entry.has(name), message);
    }
    let search = match entry.text("api_type", "auto").as_str() {
        "auto" => Some(JiraSearch::Auto),
        "cloud" => Some(JiraSearch::Cloud),
        "datacenter" => Some(JiraSearch::DataCenter),
        _ => None,
    };
    entry.wrong_if(
        search.is_none(),
        "unknown api_type on jira_config, must be auto, cloud or datacenter",
    );
    let global = &entry.global.jira_url;
    entry.wrong_if(
        !entry.has("api_url") && global.is_none(),
        "no global Jira Cloud URL set",
    );
    let api_url = entry.url("api_url").or_else(|| global.clone());
    let fields = entry
        .fields
        .read("fields", field::any_map)
        .unwrap_or_default();
    Some(Settings::Jira(Box::new(Jira {
        api_url: api_url.unwrap_or_default(),
        search: search.unwrap_or(JiraSearch::Auto),
        project: entry.text("project", ""),
        summary: text(entry, "summary", SUMMARY),
        description: text(entry, "description", DESCRIPTION),
        labels: entry.fields.read_list("labels", decode::string),
        priority: entry.text("priority", PRIORITY),
        issue_type: entry.text("issue_type", ""),
        reopen_transition: entry.text("reopen_transition", ""),
        resolve_transition: entry.text("resolve_transition", ""),
        wont_fix_resolution: entry.text("wont_fix_resolution", ""),
        reopen_duration_ms: entry
            .fields
            .read("reopen_duration", decode::duration_ms)
            .unwrap_or(0),
        fields,
        http: entry.http(),
    })))
}

/// Reads a text, or a mapping of its template and whether it is updated.
fn text(entry: &mut Entry<'_, '_, '_>, name: &str, default: &str) -> JiraText {
    let read = |node: &Node, problems: &mut Problems| {
        if let Some(template) = node.text() {
            return Some((Some(template.to_owned()), true));
        }
        let mut fields = Fields::of(node, "config.plain", problems)?;
        let template = fields.read("template", decode::string);
        let is_updated = fields.read("enable_update", decode::boolean);
        fields.finish();
        Some((template, is_updated.unwrap_or(true)))
    };
    let (template, is_updated) = entry.fields.read(name, read).unwrap_or((None, true));
    JiraText {
        template: template.unwrap_or_else(|| default.to_owned()),
        is_updated,
    }
}
