//! The kinds of receivers that are checked but that nothing sends to yet: one table of fields each.
//!
//! A field that is missing in `table` is a field that upstream does not know. The rules that tie fields
//! together stand in `rules`.

mod rules;
mod table;

pub(super) use table::KINDS;

use super::field;
use super::global::Global;
use super::receiver::Settings;
use config::http_client::{self, Credentials};
use config::yaml::{Node, NodeKind};
use config::{Fields, HttpClientConfig, Problems, decode};
use std::collections::BTreeMap;

/// How a field is written.
#[derive(Clone, Copy)]
enum Field {
    Text,
    Secret,
    Url,
    SecretUrl,
    Boolean,
    Integer,
    Unsigned,
    /// As Prometheus writes durations.
    Duration,
    /// As Go writes durations.
    GoDuration,
    TextList,
    TextMap,
    /// A mapping with anything in it.
    AnyMap,
    Record(&'static [(&'static str, Field)]),
    Records(&'static [(&'static str, Field)]),
    /// A text, or a mapping with these fields.
    TextOr(&'static [(&'static str, Field)]),
}

/// One kind of receiver.
pub(super) struct Kind {
    /// Its name; the list's name without `_configs`.
    pub(super) name: &'static str,
    /// Whether resolved alerts are told unless the file says otherwise.
    send_resolved: bool,
    fields: &'static [(&'static str, Field)],
    check: fn(&mut Entry<'_, '_, '_>),
}

use Field::{
    AnyMap, Boolean, Duration, GoDuration, Integer, Record, Records, Secret, SecretUrl, Text,
    TextList, TextMap, TextOr, Unsigned, Url,
};

/// An entry that has been read, for the rules between its fields.
struct Entry<'a, 'n, 'p> {
    node: &'a Node,
    /// Whether the file has the field (even if its value is wrong), and the value where it is a text.
    values: BTreeMap<&'static str, String>,
    http: Option<HttpClientConfig>,
    global: &'a Global,
    fields: Fields<'n, 'p>,
}

impl Entry<'_, '_, '_> {
    fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    fn has_global(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.global.given.contains(name))
    }

    fn has_authorization(&self) -> bool {
        let credentials = self
            .http
            .as_ref()
            .and_then(|http| http.credentials.as_ref());
        matches!(credentials, Some(Credentials::Token { .. }))
    }

    fn wrong_if(&mut self, wrong: bool, message: &str) {
        if wrong {
            self.fields.wrong(message);
        }
    }

    /// `name` and `name_file` must not both be set.
    fn at_most_one(&mut self, name: &str, file: &str) {
        let both = self.has(name) && self.has(file);
        self.wrong_if(
            both,
            &format!("at most one of {name} & {file} must be configured"),
        );
    }

    fn exactly_one(&mut self, name: &str, file: &str) {
        let none = !self.has(name) && !self.has(file);
        self.wrong_if(none, &format!("one of {name} or {file} must be configured"));
        self.at_most_one(name, file);
    }
}

/// Reads one entry: whether resolved alerts are told, and that nothing is sent.
pub(super) fn read(
    kind: &Kind,
    node: &Node,
    global: &Global,
    problems: &mut Problems,
) -> Option<(bool, Settings)> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let send_resolved = fields
        .read("send_resolved", decode::boolean)
        .unwrap_or(kind.send_resolved);
    let http = fields.read("http_config", http_client::decode);
    let values = read_fields(&mut fields, kind.fields);
    let mut entry = Entry {
        node,
        values,
        http,
        global,
        fields,
    };
    (kind.check)(&mut entry);
    entry.fields.finish();
    Some((send_resolved, Settings::NotActive))
}

fn read_fields(
    fields: &mut Fields<'_, '_>,
    table: &'static [(&'static str, Field)],
) -> BTreeMap<&'static str, String> {
    let mut values = BTreeMap::new();
    for (name, field) in table {
        let Some(node) = fields.take(name) else {
            continue;
        };
        check(node, *field, fields.problems());
        values.insert(*name, node.text().unwrap_or("given").to_owned());
    }
    values
}

/// Reports what is wrong with a value.
fn check(node: &Node, field: Field, problems: &mut Problems) {
    match field {
        Text => drop(decode::string(node, problems)),
        Secret => drop(decode::secret(node, problems)),
        Url => drop(field::url(node, problems)),
        SecretUrl => drop(field::secret_url(node, problems)),
        TextList => drop(decode::strings(node, problems)),
        TextMap => drop(decode::string_map(node, problems)),
        Boolean => {
            decode::boolean(node, problems);
        }
        Integer => {
            decode::integer(node, problems);
        }
        Unsigned => {
            decode::unsigned(node, problems);
        }
        Duration => {
            decode::duration_ms(node, problems);
        }
        GoDuration => {
            field::go_duration_ms(node, problems);
        }
        AnyMap => {
            if !matches!(node.kind, NodeKind::Mapping(_)) {
                decode::expected(node, "a mapping", problems);
            }
        }
        Record(table) => check_record(node, table, problems),
        Records(table) => {
            decode::list(node, problems, |element, problems| {
                check_record(element, table, problems);
                Some(())
            });
        }
        TextOr(_) if node.text().is_some() => {}
        TextOr(table) => check_record(node, table, problems),
    }
}

fn check_record(node: &Node, table: &'static [(&'static str, Field)], problems: &mut Problems) {
    if let Some(mut fields) = Fields::of(node, "config.plain", problems) {
        read_fields(&mut fields, table);
        fields.finish();
    }
}
