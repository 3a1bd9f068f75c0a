//! Reads HTTP client settings out of a mapping, with the upstream's rules for what excludes what.

use super::{Credentials, HttpClientConfig, ProxyConfig, SecretSource, TlsConfig, TlsVersion};
use crate::decode::{self as field, Fields};
use crate::problem::Problems;
use crate::secret::Secret;
use crate::web_address::WebAddress;
use crate::yaml::{Node, NodeKind};
use std::path::PathBuf;

/// Headers that the client sets itself.
const RESERVED_HEADERS: [&str; 18] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

/// The grant of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Reads an `http_config` that is a mapping of its own.
pub fn decode(node: &Node, problems: &mut Problems) -> Option<HttpClientConfig> {
    let mut fields = Fields::of(node, "config.HTTPClientConfig", problems)?;
    let config = inline(&mut fields, HttpClientConfig::default());
    fields.finish();
    Some(config)
}

/// Takes the HTTP client fields out of a mapping that has others too, as scrape configs do.
pub fn inline(fields: &mut Fields<'_, '_>, defaults: HttpClientConfig) -> HttpClientConfig {
    let credentials = credentials(fields);
    HttpClientConfig {
        credentials: credentials.or(defaults.credentials),
        tls: fields.read("tls_config", tls).unwrap_or(defaults.tls),
        follow_redirects: fields
            .read("follow_redirects", field::boolean)
            .unwrap_or(defaults.follow_redirects),
        http2: fields
            .read("enable_http2", field::boolean)
            .unwrap_or(defaults.http2),
        proxy: inline_proxy(fields),
        headers: fields
            .read("http_headers", headers)
            .unwrap_or(defaults.headers),
    }
}

/// Takes `x`, `x_file` and `x_ref` and reports if more than one is there.
fn source(fields: &mut Fields<'_, '_>, name: &str, too_many: &str) -> SecretSource {
    let text = fields
        .read(name, field::secret)
        .filter(|text| !text.is_empty());
    let file = fields
        .read(&format!("{name}_file"), field::string)
        .filter(|file| !file.is_empty());
    let reference = fields
        .read(&format!("{name}_ref"), field::string)
        .filter(|reference| !reference.is_empty());
    let given = [text.is_some(), file.is_some(), reference.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        fields.wrong(too_many);
    }
    let file = file.map(|file| SecretSource::File(PathBuf::from(file)));
    text.map(SecretSource::Text)
        .or(file)
        .or(reference.map(SecretSource::Reference))
        .unwrap_or_default()
}

fn credentials(fields: &mut Fields<'_, '_>) -> Option<Credentials> {
    let basic = fields.read("basic_auth", basic_auth);
    let token = fields.read("authorization", authorization);
    let oauth2 = fields.read("oauth2", oauth2);
    let (bearer, bearer_file) = (
        fields
            .read("bearer_token", field::secret)
            .filter(|token| !token.is_empty()),
        fields
            .read("bearer_token_file", field::string)
            .filter(|file| !file.is_empty()),
    );
    let has_bearer = bearer.is_some() || bearer_file.is_some();
    if bearer.is_some() && bearer_file.is_some() {
        fields.wrong("at most one of bearer_token & bearer_token_file must be configured");
    }
    if (basic.is_some() || oauth2.is_some()) && has_bearer {
        fields.wrong("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured");
    }
    if token.is_some() && has_bearer {
        fields.wrong("authorization is not compatible with bearer_token & bearer_token_file");
    }
    let kinds = [basic.is_some(), token.is_some(), oauth2.is_some()];
    if kinds.iter().filter(|given| **given).count() > 1 {
        fields.wrong("at most one of basic_auth, oauth2 & authorization must be configured");
    }
    let bearer = bearer
        .map(SecretSource::Text)
        .or_else(|| bearer_file.map(|file| SecretSource::File(PathBuf::from(file))))
        .map(|token| Credentials::Token {
            scheme: "Bearer".to_owned(),
            token,
        });
    basic.or(token).or(oauth2).or(bearer)
}

fn basic_auth(node: &Node, problems: &mut Problems) -> Option<Credentials> {
    let mut fields = Fields::of(node, "config.BasicAuth", problems)?;
    let username = source(
        &mut fields,
        "username",
        "at most one of basic_auth username, username_file & username_ref must be configured",
    );
    let password = source(
        &mut fields,
        "password",
        "at most one of basic_auth password, password_file & password_ref must be configured",
    );
    fields.finish();
    Some(Credentials::Basic { username, password })
}

fn authorization(node: &Node, problems: &mut Problems) -> Option<Credentials> {
    let mut fields = Fields::of(node, "config.Authorization", problems)?;
    let scheme = fields.read("type", field::string).unwrap_or_default();
    let scheme = match scheme.trim() {
        "" => "Bearer".to_owned(),
        scheme => scheme.to_owned(),
    };
    if scheme.eq_ignore_ascii_case("basic") {
        fields.wrong("authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
    }
    let token = source(
        &mut fields,
        "credentials",
        "at most one of authorization credentials & credentials_file must be configured",
    );
    fields.finish();
    Some(Credentials::Token { scheme, token })
}

fn oauth2(node: &Node, problems: &mut Problems) -> Option<Credentials> {
    let mut fields = Fields::of(node, "config.OAuth2", problems)?;
    for required in ["client_id", "token_url"] {
        if fields
            .read(required, field::string)
            .unwrap_or_default()
            .is_empty()
        {
            fields.wrong(format!("oauth2 {required} must be configured"));
        }
    }
    let _secret = source(
        &mut fields,
        "client_secret",
        "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using grant-type=client_credentials",
    );
    let _key = source(
        &mut fields,
        "client_certificate_key",
        "at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must be configured using grant-type=urn:ietf:params:oauth:grant-type:jwt-bearer",
    );
    let is_jwt = fields.read("grant_type", field::string).as_deref() == Some(JWT_BEARER);
    let algorithm = fields
        .read("signature_algorithm", field::string)
        .unwrap_or_default();
    if is_jwt && !["", "RS256", "RS384", "RS512"].contains(&algorithm.as_str()) {
        fields.wrong(format!(
            "valid signature algorithms are RS256, RS384 and RS512, found {algorithm:?}"
        ));
    }
    for text in ["client_certificate_key_id", "iss", "audience"] {
        fields.read(text, field::string);
    }
    fields.read("scopes", field::strings);
    fields.read("endpoint_params", field::string_map);
    // Any YAML value may stand under a claim.
    fields.take("claims");
    fields.read("tls_config", tls);
    inline_proxy(&mut fields);
    fields.finish();
    Some(Credentials::OAuth2)
}

/// Reads a `tls_config`.
pub fn tls(node: &Node, problems: &mut Problems) -> Option<TlsConfig> {
    let versions = [
        ("TLS10", TlsVersion::Tls10),
        ("TLS11", TlsVersion::Tls11),
        ("TLS12", TlsVersion::Tls12),
        ("TLS13", TlsVersion::Tls13),
    ];
    let mut fields = Fields::of(node, "config.TLSConfig", problems)?;
    let at_most_one = |name| format!("at most one of {name} and {name}_file must be configured");
    let config = TlsConfig {
        ca: source(&mut fields, "ca", &at_most_one("ca")),
        certificate: source(&mut fields, "cert", &at_most_one("cert")),
        key: source(&mut fields, "key", &at_most_one("key")),
        server_name: fields
            .read("server_name", field::string)
            .unwrap_or_default(),
        insecure_skip_verify: fields
            .read("insecure_skip_verify", field::boolean)
            .unwrap_or_default(),
        version_min: fields.read("min_version", |n, p| field::one_of(n, &versions, p)),
        version_max: fields.read("max_version", |n, p| field::one_of(n, &versions, p)),
    };
    if !config.certificate.is_empty() && config.key.is_empty() {
        fields.wrong("exactly one of key or key_file must be configured when a client certificate is configured");
    }
    if config.certificate.is_empty() && !config.key.is_empty() {
        fields.wrong(
            "exactly one of cert or cert_file must be configured when a client key is configured",
        );
    }
    if config.version_max.is_some() && config.version_max < config.version_min {
        fields.wrong("tls_config.max_version must be greater than or equal to tls_config.min_version if both are specified");
    }
    fields.finish();
    Some(config)
}

/// Takes the proxy fields out of a mapping that has others too.
pub fn inline_proxy(fields: &mut Fields<'_, '_>) -> ProxyConfig {
    let url = fields
        .read("proxy_url", proxy_url)
        .filter(|url| !url.is_empty());
    let no_proxy = fields.read("no_proxy", field::string).unwrap_or_default();
    let from_environment = fields
        .read("proxy_from_environment", field::boolean)
        .unwrap_or_default();
    let connect_headers = fields
        .read("proxy_connect_header", secret_lists)
        .unwrap_or_default();
    if !connect_headers.is_empty() && !from_environment && url.is_none() {
        fields.wrong("if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured");
    }
    if from_environment && url.is_some() {
        fields.wrong("if proxy_from_environment is configured, proxy_url must not be configured");
    }
    if from_environment && !no_proxy.is_empty() {
        fields.wrong("if proxy_from_environment is configured, no_proxy must not be configured");
    } else if url.is_none() && !no_proxy.is_empty() {
        fields.wrong("if no_proxy is configured, proxy_url must also be configured");
    }
    match url {
        Some(url) => ProxyConfig::Url {
            url,
            no_proxy,
            connect_headers,
        },
        None if from_environment => ProxyConfig::Environment { connect_headers },
        None => ProxyConfig::None,
    }
}

/// Reads the address of a proxy, which may hold a password.
pub fn proxy_url(node: &Node, problems: &mut Problems) -> Option<Secret> {
    let text = field::secret(node, problems)?;
    match WebAddress::parse(text.reveal()) {
        Ok(_) => Some(text),
        Err(_with_password) => {
            problems.add(node.position, "not a valid URL");
            None
        }
    }
}

/// Reads `name: [secret, …]`.
fn secret_lists(node: &Node, problems: &mut Problems) -> Option<Vec<(String, Secret)>> {
    let NodeKind::Mapping(pairs) = &node.kind else {
        field::expected(node, "a mapping", problems);
        return None;
    };
    let mut headers = Vec::new();
    for (name, values) in pairs {
        let name = field::string(name, problems)?;
        for value in field::list(values, problems, field::secret)? {
            headers.push((name.clone(), value));
        }
    }
    Some(headers)
}

/// Reads `http_headers`: for each header its values, secrets or files.
fn headers(node: &Node, problems: &mut Problems) -> Option<Vec<(String, SecretSource)>> {
    let NodeKind::Mapping(pairs) = &node.kind else {
        field::expected(node, "a mapping", problems);
        return None;
    };
    let mut headers: Vec<(String, SecretSource)> = Vec::new();
    for (name_node, value) in pairs {
        let name = canonical_header(&field::string(name_node, problems)?);
        if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            problems.add(
                name_node.position,
                format!("setting header {name:?} is not allowed"),
            );
        }
        if headers.iter().any(|(other, _)| *other == name) {
            problems.add(
                name_node.position,
                format!("header {name:?} is defined in multiple sections"),
            );
        }
        let mut fields = Fields::of(value, "config.Header", problems)?;
        let texts = fields.read_list("values", field::secret);
        let secrets = fields.read_list("secrets", field::secret);
        let files = fields.read_list("files", field::string);
        fields.finish();
        let texts = texts.into_iter().chain(secrets).map(SecretSource::Text);
        let files = files
            .into_iter()
            .map(|file| SecretSource::File(PathBuf::from(file)));
        headers.extend(texts.chain(files).map(|source| (name.clone(), source)));
    }
    Some(headers)
}

/// Writes a header's name as Go does: the first letter and those after dashes in upper case.
fn canonical_header(name: &str) -> String {
    let part = |part: &str| {
        let mut chars = part.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first
            .into_iter()
            .chain(chars.map(|c| c.to_ascii_lowercase()))
            .collect::<String>()
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}
