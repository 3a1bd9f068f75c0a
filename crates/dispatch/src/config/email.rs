//! `email_configs`: mail through a server that speaks SMTP.

use super::entry::Entry;
use super::field::{self, HostPort};
use super::global::{Global, source};
use super::receiver::Settings;
use config::http_client::{self, SecretSource, TlsConfig};
use config::yaml::Node;
use config::{Fields, Problems, decode};

/// A mail address and the way to it. `to`, `from`, `headers`, `html` and `text` are templates.
#[derive(Clone, Debug)]
pub struct Email {
    /// Whom to send to; several separated by commas.
    pub to: String,
    /// The sender.
    pub from: String,
    /// The name in EHLO.
    pub hello: String,
    /// The server.
    pub smarthost: HostPort,
    /// The name to log in with; empty for no login.
    pub username: String,
    /// Its password.
    pub password: Option<SecretSource>,
    /// The secret for CRAM-MD5.
    pub secret: Option<SecretSource>,
    /// The identity for PLAIN.
    pub identity: String,
    /// Headers, names in canonical form (`Reply-To`).
    pub headers: Vec<(String, String)>,
    /// The HTML body.
    pub html: String,
    /// The plain body.
    pub text: String,
    /// How encrypted.
    pub tls_mode: TlsMode,
    /// Certificates.
    pub tls: TlsConfig,
    /// Whether mails about one group form a thread.
    pub threading: Threading,
}

/// How a mail is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// From the first byte on.
    Implicit,
    /// With STARTTLS, or the mail does not leave.
    StartTls,
    /// Not.
    Plain,
}

/// How mails about one group are threaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threading {
    /// Not.
    Off,
    /// All mails about a group.
    Whole,
    /// A new thread every day.
    Daily,
}

const HTML: &str = r#"{{ template "email.default.html" . }}"#;
/// The port on which TLS starts with the first byte unless said otherwise.
const IMPLICIT_TLS_PORT: &str = "465";

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let global = entry.global;
    let smtp = &global.smtp;
    let has_smarthost = entry.fields.has("smarthost");
    let own = entry.fields.read("smarthost", field::host_port);
    let smarthost = own.or_else(|| smtp.smarthost.clone());
    let none = smarthost.is_none() && !has_smarthost;
    entry.wrong_if(none, "no global SMTP smarthost set");
    let mut or_global = |name: &str, global: &str| {
        field::non_empty(entry.fields.read(name, decode::string))
            .unwrap_or_else(|| global.to_owned())
    };
    let to = or_global("to", "");
    let from = or_global("from", &smtp.from);
    let hello = or_global("hello", &smtp.hello);
    let username = or_global("auth_username", &smtp.username);
    let identity = or_global("auth_identity", &smtp.identity);
    entry.wrong_if(to.is_empty(), "missing to address in email config");
    entry.wrong_if(from.is_empty(), "no global SMTP from set");
    let password = source(&mut entry.fields, "auth_password", decode::secret);
    let secret = source(&mut entry.fields, "auth_secret", decode::secret);
    let headers = entry.fields.read("headers", headers).unwrap_or_default();
    let smarthost = smarthost.unwrap_or_default();
    let tls_mode = tls_mode(&mut entry.fields, global, &smarthost);
    let tls = entry.fields.read("tls_config", http_client::tls);
    let threading = entry
        .fields
        .read("threading", |node, p| threading(node, &headers, p));
    Some(Settings::Email(Box::new(Email {
        to,
        from,
        hello,
        smarthost,
        username,
        password: password.or_else(|| smtp.password.clone()),
        secret: secret.or_else(|| smtp.secret.clone()),
        identity,
        headers,
        html: entry.text("html", HTML),
        text: entry.text("text", ""),
        tls_mode,
        tls: tls.unwrap_or_else(|| smtp.tls.clone()),
        threading: threading.unwrap_or(Threading::Off),
    })))
}

fn tls_mode(fields: &mut Fields<'_, '_>, global: &Global, smarthost: &HostPort) -> TlsMode {
    let required = fields
        .read("require_tls", decode::boolean)
        .unwrap_or(global.smtp.require_tls);
    let implicit = fields
        .read("force_implicit_tls", decode::boolean)
        .or(global.smtp.force_implicit_tls)
        .unwrap_or(smarthost.port == IMPLICIT_TLS_PORT);
    match (implicit, required) {
        (true, _) => TlsMode::Implicit,
        (false, true) => TlsMode::StartTls,
        (false, false) => TlsMode::Plain,
    }
}

/// Reads headers; names are not case-sensitive and must not collide.
fn headers(node: &Node, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let mut list: Vec<(String, String)> = Vec::new();
    for (name, value) in decode::string_map(node, problems)? {
        let name = canonical(&name);
        if list.iter().any(|(present, _)| *present == name) {
            let message = format!("duplicate header {name:?} in email config");
            problems.add(node.position, message);
        } else {
            list.push((name, value));
        }
    }
    Some(list)
}

/// `reply-to` as `Reply-To`.
fn canonical(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .map(|c| {
            let shown = if upper {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            };
            upper = c == '-';
            shown
        })
        .collect()
}

fn threading(
    node: &Node,
    headers: &[(String, String)],
    problems: &mut Problems,
) -> Option<Threading> {
    let mut fields = Fields::of(node, "config.ThreadingConfig", problems)?;
    let enabled = fields.read("enabled", decode::boolean).unwrap_or(false);
    let by_date = fields
        .read("thread_by_date", decode::string)
        .unwrap_or_default();
    let mode = match (enabled, by_date.as_str()) {
        (false, _) => Threading::Off,
        (true, "none") => Threading::Whole,
        (true, "daily") => Threading::Daily,
        (true, _) => {
            fields.wrong("threading.thread_by_date must be either 'none' or 'daily'");
            Threading::Off
        }
    };
    for name in ["References", "In-Reply-To"] {
        if enabled && headers.iter().any(|(header, _)| header == name) {
            fields.wrong(format!(
                "conflicting configuration: threading.enabled conflicts with custom {name} header"
            ));
        }
    }
    fields.finish();
    Some(mode)
}
