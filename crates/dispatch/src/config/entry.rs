//! One entry of a receiver's list while it is read: what all kinds have in common.

use super::field;
use super::global::{self, Global};
use config::http_client::{self, Credentials, SecretSource};
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, Secret, decode};

/// An entry and where it takes what it does not say itself.
pub(super) struct Entry<'g, 'n, 'p> {
    pub(super) node: &'n Node,
    pub(super) global: &'g Global,
    pub(super) fields: Fields<'n, 'p>,
}

/// Templates by the name of their field, defaults filled in.
#[derive(Clone, Debug)]
pub struct Texts(Vec<(&'static str, String)>);

impl Texts {
    /// The template of a field; empty where the kind has no such field.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| *field == name);
        debug_assert!(found.is_some(), "no field {name}");
        found.map_or("", |(_, text)| text)
    }
}

impl Entry<'_, '_, '_> {
    /// A text, or its default.
    pub(super) fn text(&mut self, name: &str, default: &str) -> String {
        let given = self.fields.read(name, decode::string);
        given.unwrap_or_else(|| default.to_owned())
    }

    /// All texts of a table of fields and defaults.
    pub(super) fn texts(&mut self, table: &[(&'static str, &str)]) -> Texts {
        let read = |(name, default): &(&'static str, &str)| (*name, self.text(name, default));
        Texts(table.iter().map(read).collect())
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.fields.read(name, decode::boolean).unwrap_or(false)
    }

    /// An address without secrets in it.
    pub(super) fn url(&mut self, name: &str) -> Option<String> {
        self.fields.read(name, field::url)
    }

    /// A secret or the file that holds it; both together are a mistake.
    pub(super) fn secret(&mut self, name: &str) -> Option<SecretSource> {
        self.source(name, decode::secret)
    }

    /// An address that is itself a secret, or the file that holds it.
    pub(super) fn secret_url(&mut self, name: &str) -> Option<SecretSource> {
        self.source(name, field::secret_url)
    }

    pub(super) fn source(
        &mut self,
        name: &str,
        decode_text: impl FnOnce(&Node, &mut Problems) -> Option<Secret>,
    ) -> Option<SecretSource> {
        let file = format!("{name}_file");
        global::at_most_one(self.node, (name, &file), self.fields.problems());
        global::source(&mut self.fields, name, decode_text)
    }

    /// Whether the file gives a value that is not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        let value = self.node.get(name);
        value.is_some_and(|node| !node.is_null() && node.text() != Some(""))
    }

    /// Whether neither `name` nor `name_file` stands in the file, right or wrong.
    pub(super) fn lacks(&self, name: &str) -> bool {
        !self.has(name) && !self.has(&format!("{name}_file"))
    }

    /// `name` or `name_file`, one of which must be there.
    pub(super) fn required(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<SecretSource>,
    ) -> SecretSource {
        let message = format!("one of {name} or {name}_file must be configured");
        self.wrong_if(self.lacks(name), &message);
        read(self, name).unwrap_or_default()
    }

    /// How to reach the server.
    pub(super) fn http(&mut self) -> HttpClientConfig {
        let own = self.fields.read("http_config", http_client::decode);
        own.unwrap_or_else(|| self.global.http.clone())
    }

    /// The time for one request, none without a limit of its own.
    pub(super) fn timeout_ms(&mut self) -> Option<i64> {
        let given = self.fields.read("timeout", field::go_duration_ms);
        given.filter(|millis| *millis > 0)
    }

    pub(super) fn wrong_if(&mut self, wrong: bool, message: &str) {
        if wrong {
            self.fields.wrong(message);
        }
    }
}

/// Whether a client shows a token.
pub(super) fn has_authorization(http: &HttpClientConfig) -> bool {
    matches!(http.credentials, Some(Credentials::Token { .. }))
}
