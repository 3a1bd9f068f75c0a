//! The `global` section: defaults for scraping and evaluation, and the labels that the world sees.

use super::scrape::{Limits, Protocol, protocols};
use super::{NameValidation, Reading};
use config::{Fields, Node, Problems, decode};
use model::Labels;
use std::path::{Path, PathBuf};

/// Upstream's interval where nothing is said.
pub(super) const INTERVAL_MS: i64 = 60_000;
/// Upstream's timeout where nothing is said.
const TIMEOUT_MS: i64 = 10_000;

/// `global`, defaults filled in.
#[derive(Clone, Debug)]
pub struct Global {
    /// How often to scrape.
    pub scrape_interval_ms: i64,
    /// How long a scrape may take.
    pub scrape_timeout_ms: i64,
    /// Formats to ask for; `None` for the built-in order.
    pub protocols: Option<Vec<Protocol>>,
    /// How often to evaluate rules.
    pub evaluation_interval_ms: i64,
    /// How far in the past rules look.
    pub rule_query_offset_ms: i64,
    /// Where to log queries.
    pub query_log_file: Option<PathBuf>,
    /// Where to log failed scrapes.
    pub scrape_failure_log_file: Option<PathBuf>,
    /// Labels of everything that leaves.
    pub external_labels: Labels,
    /// Limits of a scrape.
    pub limits: Limits,
    /// Which names are allowed.
    pub name_validation: NameValidation,
    /// What to ask for where a name does not fit; empty for what goes with `name_validation`.
    pub name_escaping: String,
    /// Whether to store `scrape_timeout_seconds` and its kin.
    pub extra_scrape_metrics: bool,
    /// Whether to ask for native histograms.
    pub native_histograms: bool,
    /// Whether to turn classic histograms into native ones.
    pub convert_classic_histograms: bool,
    /// Whether to keep classic histograms beside native ones.
    pub always_scrape_classic_histograms: bool,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            scrape_interval_ms: INTERVAL_MS,
            scrape_timeout_ms: TIMEOUT_MS,
            protocols: None,
            evaluation_interval_ms: INTERVAL_MS,
            rule_query_offset_ms: 0,
            query_log_file: None,
            scrape_failure_log_file: None,
            external_labels: Labels::default(),
            limits: Limits::default(),
            name_validation: NameValidation::Utf8,
            name_escaping: String::new(),
            extra_scrape_metrics: false,
            native_histograms: false,
            convert_classic_histograms: false,
            always_scrape_classic_histograms: false,
        }
    }
}

impl Global {
    pub(super) fn set_directory(&mut self, directory: &Path) {
        for path in [&mut self.query_log_file, &mut self.scrape_failure_log_file] {
            *path = path.as_ref().map(|path| directory.join(path));
        }
    }
}

pub(super) fn read(node: &Node, reading: Reading<'_>, problems: &mut Problems) -> Option<Global> {
    let mut fields = Fields::of(node, "config.GlobalConfig", problems)?;
    let mut global = Global {
        name_validation: name_validation(&mut fields).unwrap_or_default(),
        name_escaping: fields
            .read("metric_name_escaping_scheme", decode::string)
            .unwrap_or_default(),
        limits: Limits::read(&mut fields),
        rule_query_offset_ms: duration(&mut fields, "rule_query_offset").unwrap_or_default(),
        query_log_file: path(&mut fields, "query_log_file"),
        scrape_failure_log_file: path(&mut fields, "scrape_failure_log_file"),
        extra_scrape_metrics: flag(&mut fields, "extra_scrape_metrics"),
        native_histograms: flag(&mut fields, "scrape_native_histograms"),
        convert_classic_histograms: flag(&mut fields, "convert_classic_histograms_to_nhcb"),
        always_scrape_classic_histograms: flag(&mut fields, "always_scrape_classic_histograms"),
        ..Global::default()
    };
    let evaluation = duration(&mut fields, "evaluation_interval");
    global.evaluation_interval_ms = evaluation.unwrap_or(INTERVAL_MS);
    let interval = duration(&mut fields, "scrape_interval");
    global.scrape_interval_ms = interval.unwrap_or(INTERVAL_MS);
    let timeout = duration(&mut fields, "scrape_timeout");
    if timeout.is_some_and(|timeout| timeout > global.scrape_interval_ms) {
        fields.wrong("global scrape timeout greater than scrape interval");
    }
    let default_timeout = TIMEOUT_MS.min(global.scrape_interval_ms);
    global.scrape_timeout_ms = timeout.unwrap_or(default_timeout);
    global.protocols = fields.read("scrape_protocols", |node, problems| {
        protocols(node, "for global config", problems)
    });
    global.external_labels = fields
        .read("external_labels", |node, problems| {
            external_labels(node, global.name_validation, reading, problems)
        })
        .unwrap_or_default();
    fields.finish();
    Some(global)
}

/// Reads a duration; zero counts as absent, as upstream has it.
pub(super) fn duration(fields: &mut Fields<'_, '_>, name: &str) -> Option<i64> {
    fields
        .read(name, decode::duration_ms)
        .filter(|millis| *millis != 0)
}

/// Reads a flag; false where it is absent.
pub(super) fn flag(fields: &mut Fields<'_, '_>, name: &str) -> bool {
    fields.read(name, decode::boolean).unwrap_or_default()
}

pub(super) fn path(fields: &mut Fields<'_, '_>, name: &str) -> Option<PathBuf> {
    fields
        .read(name, decode::string)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// Reads `metric_name_validation_scheme`; the empty text counts as absent.
pub(super) fn name_validation(fields: &mut Fields<'_, '_>) -> Option<NameValidation> {
    let names = [
        ("", None),
        ("legacy", Some(NameValidation::Legacy)),
        ("utf8", Some(NameValidation::Utf8)),
    ];
    fields.read("metric_name_validation_scheme", |node, problems| {
        let text = decode::string(node, problems)?;
        let known = names.iter().find(|(name, _)| *name == text);
        if known.is_none() {
            problems.add(
                node.position,
                format!("unrecognized ValidationScheme: {text:?}"),
            );
        }
        known.and_then(|(_, scheme)| *scheme)
    })
}

fn external_labels(
    node: &Node,
    validation: NameValidation,
    reading: Reading<'_>,
    problems: &mut Problems,
) -> Option<Labels> {
    let pairs = decode::string_map(node, problems)?;
    for (name, _) in &pairs {
        if !validation.is_label_name(name) {
            problems.add(node.position, format!("{name:?} is not a valid label name"));
        }
    }
    let expanded = pairs
        .iter()
        .map(|(name, value)| (name, expand(value, reading.environment)));
    Some(Labels::from_pairs(expanded))
}

/// Replaces `$NAME` and `${NAME}` by environment variables, as Go's `os.Expand` does; `$$` is a dollar.
/// Variables that are not set are empty.
fn expand(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, tail) = variable_name(after);
        match name {
            Some("$") => expanded.push('$'),
            Some(name) => expanded.push_str(&environment(name).unwrap_or_default()),
            // A dollar before nothing that could be a name stays.
            None if tail.len() == after.len() => expanded.push('$'),
            None => {}
        }
        rest = tail;
    }
    expanded.push_str(rest);
    expanded
}

/// The name after a dollar, and what follows it. `None` where there is none: then the rest is after what
/// Go swallows as bad syntax (`{}` or an open brace).
fn variable_name(after: &str) -> (Option<&str>, &str) {
    if let Some(inner) = after.strip_prefix('{') {
        return match inner.split_once('}') {
            Some(("", tail)) => (None, tail),
            Some((name, tail)) => (Some(name), tail),
            None => (None, inner),
        };
    }
    let is_special = |c: char| "*#$@!?-0123456789".contains(c);
    let mut chars = after.chars();
    match chars.next() {
        Some(first) if is_special(first) => {
            let (name, tail) = after.split_at(1);
            (Some(name), tail)
        }
        _ => {
            let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
            let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
            let (name, tail) = after.split_at(end);
            ((!name.is_empty()).then_some(name), tail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn expands_variables() {
        let environment = |name: &str| match name {
            "HOME" => Some("/root".to_owned()),
            "A_1" => Some("x".to_owned()),
            _ => None,
        };
        let check = |text: &str, want: &str| assert_eq!(expand(text, &environment), want, "{text}");
        check("plain", "plain");
        check("$HOME/b", "/root/b");
        check("${HOME}b", "/rootb");
        check("a$A_1-$A_1", "ax-x");
        check("$NOT_SET", "");
        check("cost $$5", "cost $5");
        check("end$", "end$");
        check("a$ b", "a$ b");
        check("${}x", "x");
        check("${x", "x");
    }
}
