//! `tls_server_config`.

use super::ServerTls;
use crate::decode::{self, Fields};
use crate::http_client::{SecretSource, TlsVersion};
use crate::problem::Problems;
use crate::yaml::Node;
use std::path::{Path, PathBuf};

/// What is asked of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Nothing.
    #[default]
    None,
    /// A certificate, which is not looked at; none will do too.
    Request,
    /// Any certificate.
    RequireAny,
    /// None, or one of our authorities'.
    VerifyIfGiven,
    /// One of our authorities'.
    Require,
}

const CLIENT_AUTH: [(&str, ClientAuth); 5] = [
    ("NoClientCert", ClientAuth::None),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::Require),
];

const VERSIONS: [(&str, TlsVersion); 4] = [
    ("TLS10", TlsVersion::Tls10),
    ("TLS11", TlsVersion::Tls11),
    ("TLS12", TlsVersion::Tls12),
    ("TLS13", TlsVersion::Tls13),
];

/// The cipher suites that upstream knows, and whether they are spoken here: those without forward secrecy or with
/// CBC are not.
pub const CIPHER_SUITES: [(&str, bool); 26] = [
    ("TLS_AES_128_GCM_SHA256", true),
    ("TLS_AES_256_GCM_SHA384", true),
    ("TLS_CHACHA20_POLY1305_SHA256", true),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", true),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", true),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", true),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", true),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", true),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", true),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", false),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", false),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", false),
    ("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", false),
    ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", false),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", false),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", false),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", false),
    ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", false),
    ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", false),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", false),
    ("TLS_RSA_WITH_AES_128_CBC_SHA256", false),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", false),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", false),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", false),
];

/// The groups of key exchange that upstream knows, and whether they are spoken here.
pub const CURVES: [(&str, bool); 5] = [
    ("CurveP256", true),
    ("CurveP384", true),
    ("CurveP521", false),
    ("X25519", true),
    ("X25519MLKEM768", false),
];

impl ServerTls {
    pub(super) fn set_directory(&mut self, directory: &Path) {
        for source in [&mut self.certificate, &mut self.key, &mut self.client_ca] {
            if let SecretSource::File(path) = source {
                *path = directory.join(&*path);
            }
        }
    }

    /// The files that it is read from.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        [&self.certificate, &self.key, &self.client_ca]
            .into_iter()
            .filter_map(|source| match source {
                SecretSource::File(path) => Some(path.as_path()),
                SecretSource::Text(_) | SecretSource::Reference(_) => None,
            })
            .collect()
    }
}

/// `None` within for a section that leaves TLS off: nothing was said in it.
pub(super) fn read(
    node: &Node,
    notes: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Option<ServerTls>> {
    let mut fields = Fields::of(node, "web.TLSConfig", problems)?;
    let certificate = source(&mut fields, "cert");
    let key = source(&mut fields, "key");
    let client_ca = source(&mut fields, "client_ca");
    let client_auth = fields.read("client_auth_type", client_auth);
    let client_names = fields
        .read("client_allowed_sans", decode::strings)
        .unwrap_or_default();
    let version_min = fields.read("min_version", |node, problems| {
        let version = version(node, problems)?;
        if version < TlsVersion::Tls12 {
            note(
                notes,
                node,
                "TLS before 1.2 is not spoken; 1.2 is the oldest",
                problems,
            );
        }
        Some(version.max(TlsVersion::Tls12))
    });
    let version_max = fields.read("max_version", |node, problems| {
        let found = version(node, problems)?;
        if found < TlsVersion::Tls12 {
            let message = format!(
                "max_version {:?} leaves nothing to speak: TLS before 1.2 is not spoken",
                node.text().unwrap_or_default()
            );
            problems.add(node.position, message);
        }
        Some(found)
    });
    let cipher_suites = names(
        &mut fields,
        "cipher_suites",
        ("cipher", &CIPHER_SUITES),
        notes,
    );
    let curves = names(&mut fields, "curve_preferences", ("curve", &CURVES), notes);
    let prefer = fields.read("prefer_server_cipher_suites", decode::boolean);
    let said_something = prefer.is_some()
        || client_auth.is_some()
        || version_min.is_some()
        || version_max.is_some()
        || !cipher_suites.is_empty()
        || !curves.is_empty();
    let tls = ServerTls {
        certificate,
        key,
        client_auth: client_auth.unwrap_or_default(),
        client_ca,
        client_names,
        version_min: version_min.unwrap_or(TlsVersion::Tls12),
        version_max: version_max.unwrap_or(TlsVersion::Tls13),
        cipher_suites,
        curves,
    };
    let is_off = tls.certificate.is_empty()
        && tls.key.is_empty()
        && tls.client_ca.is_empty()
        && tls.client_auth == ClientAuth::None;
    if is_off && !said_something {
        fields.finish();
        return Some(None);
    }
    check(&tls, &mut fields);
    fields.finish();
    Some(Some(tls))
}

/// What must be there together.
fn check(tls: &ServerTls, fields: &mut Fields<'_, '_>) {
    if tls.certificate.is_empty() {
        fields.wrong("missing one of cert or cert_file");
    }
    if tls.key.is_empty() {
        fields.wrong("missing one of key or key_file");
    }
    let verifies = matches!(
        tls.client_auth,
        ClientAuth::Require | ClientAuth::VerifyIfGiven
    );
    if verifies && tls.client_ca.is_empty() {
        fields.wrong(
            "client_auth_type checks clients' certificates, but there is no client_ca_file to check them with",
        );
    }
    if !tls.client_ca.is_empty() && tls.client_auth == ClientAuth::None {
        fields.wrong("client CA's have been configured without a Client Auth Policy");
    }
    if !tls.client_names.is_empty() && tls.client_auth != ClientAuth::Require {
        fields.wrong("client_allowed_sans needs client_auth_type RequireAndVerifyClientCert");
    }
    if tls.version_min > tls.version_max {
        fields.wrong("min_version is newer than max_version");
    }
}

/// Takes `name` or `name_file`, but not both.
fn source(fields: &mut Fields<'_, '_>, name: &str) -> SecretSource {
    let text = fields.read(name, decode::secret);
    let file = fields.read(&format!("{name}_file"), decode::string);
    match (text, file) {
        (Some(text), Some(file)) if !text.is_empty() && !file.is_empty() => {
            fields.wrong(format!("cannot specify both {name} and {name}_file"));
            SecretSource::default()
        }
        (_, Some(file)) if !file.is_empty() => SecretSource::File(PathBuf::from(file)),
        (Some(text), _) => SecretSource::Text(text),
        (None, _) => SecretSource::default(),
    }
}

fn client_auth(node: &Node, problems: &mut Problems) -> Option<ClientAuth> {
    let text = decode::string(node, problems)?;
    if text.is_empty() {
        return None;
    }
    let found = CLIENT_AUTH.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        problems.add(node.position, format!("Invalid ClientAuth: {text}"));
    }
    found.map(|(_, auth)| *auth)
}

fn version(node: &Node, problems: &mut Problems) -> Option<TlsVersion> {
    let text = decode::string(node, problems)?;
    let found = VERSIONS.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        problems.add(node.position, format!("unknown TLS version: {text}"));
    }
    found.map(|(_, version)| *version)
}

/// Reads a list of names; those that are known and not spoken are noted, and it is a mistake where none is left.
fn names(
    fields: &mut Fields<'_, '_>,
    field: &str,
    (what, known): (&str, &[(&'static str, bool)]),
    notes: &mut Vec<String>,
) -> Vec<&'static str> {
    let mut spoken = Vec::new();
    fields.read(field, |node, problems| {
        for element in node.elements() {
            let Some(text) = decode::string(element, problems) else {
                continue;
            };
            match known.iter().find(|(name, _)| *name == text) {
                None => problems.add(element.position, format!("unknown {what}: {text}")),
                Some((name, true)) => spoken.push(*name),
                Some((name, false)) => {
                    let message = format!("{what} {name} is not spoken here");
                    note(notes, element, &message, problems);
                }
            }
        }
        if spoken.is_empty() && !node.elements().is_empty() && problems.is_empty() {
            problems.add(
                node.position,
                format!("none of these {field} is spoken here"),
            );
        }
        Some(())
    });
    spoken
}

fn note(notes: &mut Vec<String>, node: &Node, message: &str, problems: &Problems) {
    let (line, column) = (node.position.line, node.position.column);
    notes.push(format!("{}:{line}:{column}: {message}", problems.file()));
}
