//! `--web.config.file`: TLS, users and headers of a listener, in the format that Prometheus' programs share.
//!
//! Reads and checks the file; loading certificates, checking passwords and serving is `api`'s. A name that TLS
//! libraries of today no longer know (a cipher suite, an old version) is accepted and listed in `notes`, as long as
//! something is left to speak.

mod tls;

pub use tls::{CIPHER_SUITES, CURVES, ClientAuth};

use crate::decode::{self, Fields};
use crate::http_client::{SecretSource, TlsVersion};
use crate::problem::Problems;
use crate::secret::Secret;
use crate::yaml::{self, Node, NodeKind};
use std::path::Path;

/// A checked web configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebConfig {
    /// How TLS is spoken; `None` for plain HTTP.
    pub tls: Option<ServerTls>,
    /// Whether HTTP/2 is spoken over TLS.
    pub http2: bool,
    /// Headers that every answer carries.
    pub headers: Vec<(&'static str, String)>,
    /// Users and the bcrypt hashes of their passwords.
    pub users: Vec<(String, Secret)>,
    /// How many requests are taken, if that is limited.
    pub rate_limit: Option<RateLimit>,
    /// What was accepted and has no effect, as `file:line:column: text`.
    pub notes: Vec<String>,
}

/// How a listener speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// Our certificate and those that lead to its authority, PEM.
    pub certificate: SecretSource,
    /// Its key, PEM.
    pub key: SecretSource,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// Authorities whose clients are let in, PEM.
    pub client_ca: SecretSource,
    /// Names of which a client's certificate must carry one; empty for any.
    pub client_names: Vec<String>,
    /// The oldest version to speak.
    pub version_min: TlsVersion,
    /// The newest version to speak.
    pub version_max: TlsVersion,
    /// The suites of TLS 1.2 to offer, by upstream's names; empty for all.
    pub cipher_suites: Vec<&'static str>,
    /// The groups of key exchange to offer, by upstream's names; empty for all.
    pub curves: Vec<&'static str>,
}

/// A bucket of requests that fills by one each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Between two requests, in the long run.
    pub interval_ms: i64,
    /// Requests taken at once.
    pub burst: u64,
}

/// The headers that may be set, with the values that they may have (empty: any).
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// Reads a web configuration. File names in it are relative to its folder.
///
/// Fails with every mistake, each as `file:line:column: what is wrong with which value`.
pub fn parse(file: &Path, text: &str) -> Result<WebConfig, Problems> {
    let mut problems = Problems::new(&file.display().to_string());
    let Some(root) = yaml::parse_single(text, &mut problems) else {
        // An empty file configures nothing.
        return problems.into_result(Some(WebConfig {
            http2: true,
            ..WebConfig::default()
        }));
    };
    let config = read(&root, &mut problems).map(|mut config| {
        if let Some(tls) = &mut config.tls {
            tls.set_directory(file.parent().unwrap_or(Path::new("")));
        }
        config
    });
    problems.into_result(config)
}

fn read(root: &Node, problems: &mut Problems) -> Option<WebConfig> {
    let mut notes = Vec::new();
    let mut fields = Fields::of(root, "web.Config", problems)?;
    let tls = fields.read("tls_server_config", |node, problems| {
        tls::read(node, &mut notes, problems)
    });
    let (http2, headers) = fields
        .read("http_server_config", http_server)
        .unwrap_or_else(|| (true, Vec::new()));
    let users = fields.read("basic_auth_users", users).unwrap_or_default();
    let rate_limit = fields.read("rate_limit", rate_limit).flatten();
    fields.finish();
    Some(WebConfig {
        tls: tls.flatten(),
        http2,
        headers,
        users,
        rate_limit,
        notes,
    })
}

fn http_server(
    node: &Node,
    problems: &mut Problems,
) -> Option<(bool, Vec<(&'static str, String)>)> {
    let mut fields = Fields::of(node, "web.HTTPConfig", problems)?;
    let http2 = fields.read("http2", decode::boolean).unwrap_or(true);
    let headers = fields.read("headers", headers).unwrap_or_default();
    fields.finish();
    Some((http2, headers))
}

fn headers(node: &Node, problems: &mut Problems) -> Option<Vec<(&'static str, String)>> {
    let NodeKind::Mapping(pairs) = &node.kind else {
        decode::expected(node, "headers as a mapping", problems);
        return None;
    };
    let mut headers = Vec::new();
    for (key, value) in pairs {
        let name = key.text().unwrap_or_default();
        let Some((name, allowed)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let message = format!("HTTP header {name:?} can not be configured");
            problems.add(key.position, message);
            continue;
        };
        let Some(text) = decode::string(value, problems) else {
            continue;
        };
        if text.is_empty() {
            continue;
        }
        if !allowed.is_empty() && !allowed.contains(&text.as_str()) {
            let message = format!(
                "invalid value for {name}: {text:?}. Expected one of: {}",
                allowed.join(", ")
            );
            problems.add(value.position, message);
        } else if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
            let message = format!("{name}: {text:?} holds a control character");
            problems.add(value.position, message);
        } else {
            headers.push((*name, text));
        }
    }
    Some(headers)
}

fn users(node: &Node, problems: &mut Problems) -> Option<Vec<(String, Secret)>> {
    let NodeKind::Mapping(pairs) = &node.kind else {
        decode::expected(node, "basic_auth_users as a mapping", problems);
        return None;
    };
    let mut users = Vec::new();
    for (key, value) in pairs {
        let name = decode::string(key, problems)?;
        let Some(hash) = decode::secret(value, problems) else {
            continue;
        };
        match check_hash(hash.reveal()) {
            Ok(()) => users.push((name, hash)),
            // The value itself is not repeated: it may be a password written in plain.
            Err(reason) => problems.add(
                value.position,
                format!("the password of user {name:?} is no bcrypt hash: {reason}"),
            ),
        }
    }
    Some(users)
}

/// Fails where a text has not the form `$2y$10$…` of a bcrypt hash.
fn check_hash(hash: &str) -> Result<(), String> {
    let mut parts = hash.split('$');
    let (lead, version, cost, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    if lead != Some("") || !matches!(version, Some("2" | "2a" | "2b" | "2x" | "2y")) {
        return Err("it begins with none of $2a$, $2b$, $2y$".to_owned());
    }
    let cost = cost.and_then(|cost| cost.parse::<u32>().ok());
    if !cost.is_some_and(|cost| (4..=31).contains(&cost)) {
        return Err("its cost lies outside 4 to 31".to_owned());
    }
    let in_alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/');
    let length = rest.map_or(0, str::len);
    if length != 53 || parts.next().is_some() || !rest.unwrap_or_default().bytes().all(in_alphabet)
    {
        return Err("it does not end in 53 characters of salt and hash".to_owned());
    }
    Ok(())
}

fn rate_limit(node: &Node, problems: &mut Problems) -> Option<Option<RateLimit>> {
    let mut fields = Fields::of(node, "web.RateLimiterConfig", problems)?;
    let interval_ms = fields.read("interval", decode::duration_ms).unwrap_or(0);
    let burst = fields.read("burst", decode::unsigned).unwrap_or(0);
    fields.finish();
    // Like upstream's, a limiter without an interval limits nothing.
    Some((interval_ms > 0).then_some(RateLimit { interval_ms, burst }))
}

#[cfg(test)]
mod tests;
