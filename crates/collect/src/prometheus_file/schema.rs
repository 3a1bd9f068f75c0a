//! Sections described by tables: which fields there are and what
//! stands in them.
//!
//! What a table cannot say (one of two fields, a URL with a scheme) is a rule: a function over the
//! section. So a discovery kind costs a row and a few lines, not a decoder.

use config::{Fields, HttpClientConfig, Node, Problems, WebAddress, decode, http_client};

/// What stands in a field.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// A whole number.
    Whole,
    /// A whole number that is not negative.
    Count,
    /// True or false.
    Flag,
    /// A duration.
    Duration,
    /// A list of texts.
    Texts,
    /// Texts by name.
    TextMap,
    /// A `tls_config`.
    Tls,
    /// A URL by Go's rules.
    Url,
    /// A mapping with fields of its own.
    Section(&'static Schema),
    /// A list of such mappings.
    Sections(&'static Schema),
}

/// A section of a file.
pub(super) struct Schema {
    /// What messages call it.
    pub(super) name: &'static str,
    /// Its fields.
    pub(super) fields: &'static [(&'static str, Kind)],
    /// Whether HTTP client settings stand among them.
    pub(super) has_http_client: bool,
    /// What the table cannot say.
    pub(super) rule: fn(&mut Section<'_, '_>),
}

/// A rule that is always fulfilled.
pub(super) const fn no_rule(_: &mut Section<'_, '_>) {}

/// A section as a rule sees it: decoded well enough to look at.
pub(super) struct Section<'n, 'p> {
    node: &'n Node,
    /// The HTTP client settings, where the section has them.
    pub(super) http: HttpClientConfig,
    problems: &'p mut Problems,
}

impl<'n> Section<'n, '_> {
    /// A field's node, `None` where it is absent or null.
    pub(super) fn field(&self, name: &str) -> Option<&'n Node> {
        self.node.get(name).filter(|node| !node.is_null())
    }

    /// A field's text, empty where it is absent, null or no text.
    pub(super) fn text(&self, name: &str) -> &'n str {
        self.field(name).and_then(Node::text).unwrap_or_default()
    }

    /// A field's text; `default` where the field is not mentioned at all. A null is an empty text.
    pub(super) fn text_or(&self, name: &str, default: &'n str) -> &'n str {
        if self.node.get(name).is_none() {
            return default;
        }
        self.text(name)
    }

    /// The elements of a list field.
    pub(super) fn list(&self, name: &str) -> &'n [Node] {
        self.field(name).map(Node::elements).unwrap_or_default()
    }

    /// A flag's value, false where it is absent.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "True" | "TRUE" | "yes" | "on")
    }

    /// Reports a mistake at a field, or at the section where the field is absent.
    pub(super) fn wrong(&mut self, name: &str, message: impl Into<String>) {
        let position = self.node.get(name).unwrap_or(self.node).position;
        self.problems.add(position, message);
    }

    /// Reports a mistake at a node of this section.
    pub(super) fn wrong_at(&mut self, node: &Node, message: impl Into<String>) {
        self.problems.add(node.position, message);
    }

    /// Reports `message` where a text is absent or empty.
    pub(super) fn require(&mut self, name: &str, message: &str) {
        if self.text(name).is_empty() {
            self.wrong(name, message);
        }
    }

    /// Reports a field whose text is none of `names`; `message` gets the text appended in quotes.
    pub(super) fn one_of(&mut self, name: &str, names: &[&str], message: &str) {
        let text = self.text(name);
        if !names.contains(&text) {
            self.wrong(name, format!("{message} {text:?}"));
        }
    }

    /// The URL in a field; `None` (reported) where Go would refuse it.
    pub(super) fn url(&mut self, name: &str) -> Option<WebAddress> {
        match WebAddress::parse(self.text(name)) {
            Ok(address) => Some(address),
            Err(message) => {
                self.wrong(name, message);
                None
            }
        }
    }

    /// Checks a URL that must be absolute HTTP.
    pub(super) fn http_url(&mut self, name: &str) {
        if self.text(name).is_empty() {
            self.wrong(name, "URL is missing");
            return;
        }
        let Some(address) = self.url(name) else {
            return;
        };
        if !matches!(address.scheme.as_str(), "http" | "https") {
            self.wrong(name, "URL scheme must be 'http' or 'https'");
        } else if address.host.is_empty() {
            self.wrong(name, "host is missing in URL");
        }
    }
}

/// Checks a section and reports every mistake; gives the HTTP client settings that stand in it.
pub(super) fn check(
    node: &Node,
    schema: &'static Schema,
    problems: &mut Problems,
) -> HttpClientConfig {
    let Some(mut fields) = Fields::of(node, schema.name, problems) else {
        return HttpClientConfig::default();
    };
    for (name, kind) in schema.fields {
        if let Some(value) = fields.take(name) {
            check_value(value, *kind, fields.problems());
        }
    }
    let http = if schema.has_http_client {
        http_client::inline(&mut fields, HttpClientConfig::default())
    } else {
        HttpClientConfig::default()
    };
    fields.finish();
    let mut section = Section {
        node,
        http,
        problems,
    };
    (schema.rule)(&mut section);
    section.http
}

fn check_value(node: &Node, kind: Kind, problems: &mut Problems) {
    match kind {
        Kind::Text => drop(decode::string(node, problems)),
        Kind::Secret => drop(decode::secret(node, problems)),
        Kind::Whole => drop(decode::integer(node, problems)),
        Kind::Count => drop(decode::unsigned(node, problems)),
        Kind::Flag => drop(decode::boolean(node, problems)),
        Kind::Duration => drop(decode::duration_ms(node, problems)),
        Kind::Texts => drop(decode::strings(node, problems)),
        Kind::TextMap => drop(decode::string_map(node, problems)),
        Kind::Tls => drop(http_client::tls(node, problems)),
        Kind::Url => {
            let text = decode::string(node, problems).unwrap_or_default();
            if let Err(message) = WebAddress::parse(&text) {
                problems.add(node.position, message);
            }
        }
        Kind::Section(schema) => drop(check(node, schema, problems)),
        Kind::Sections(schema) => {
            decode::list(node, problems, |element, problems| {
                check(element, schema, problems);
                Some(())
            });
        }
    }
}
