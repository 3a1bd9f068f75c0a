//! `remote_write` and `remote_read`: checked, not active yet.

use super::schema::{self, Kind, Schema, Section, no_rule};
use super::{NameValidation, Notes, relabel_rules};
use config::http_client::{self, Credentials, HttpClientConfig};
use config::{Fields, Node, Problems, WebAddress, decode};

const SIGV4: Schema = Schema {
    name: "sigv4.SigV4Config",
    fields: &[
        ("region", Kind::Text),
        ("access_key", Kind::Text),
        ("secret_key", Kind::Secret),
        ("profile", Kind::Text),
        ("role_arn", Kind::Text),
        ("external_id", Kind::Text),
        ("service_name", Kind::Text),
        ("use_fips_sts_endpoint", Kind::Flag),
    ],
    has_http_client: false,
    rule: |section| {
        if section.text("access_key").is_empty() != section.text("secret_key").is_empty() {
            let message = "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config";
            section.wrong("access_key", message);
        }
    },
};

const fn texts(name: &'static str, fields: &'static [(&'static str, Kind)]) -> Schema {
    Schema {
        name,
        fields,
        has_http_client: false,
        rule: no_rule,
    }
}

const MANAGED_IDENTITY: Schema = texts(
    "azuread.ManagedIdentityConfig",
    &[("client_id", Kind::Text)],
);
const OAUTH: Schema = texts(
    "azuread.OAuthConfig",
    &[
        ("client_id", Kind::Text),
        ("client_secret", Kind::Secret),
        ("tenant_id", Kind::Text),
    ],
);
const SDK: Schema = texts("azuread.SDKConfig", &[("tenant_id", Kind::Text)]);
const WORKLOAD_IDENTITY: Schema = texts(
    "azuread.WorkloadIdentityConfig",
    &[
        ("client_id", Kind::Text),
        ("tenant_id", Kind::Text),
        ("token_file_path", Kind::Text),
    ],
);
const GOOGLE_IAM: Schema = texts("googleiam.Config", &[("credentials_file", Kind::Text)]);

const AZURE_AD: Schema = Schema {
    name: "azuread.AzureADConfig",
    fields: &[
        ("managed_identity", Kind::Section(&MANAGED_IDENTITY)),
        ("workload_identity", Kind::Section(&WORKLOAD_IDENTITY)),
        ("oauth", Kind::Section(&OAUTH)),
        ("sdk", Kind::Section(&SDK)),
        ("cloud", Kind::Text),
        ("scope", Kind::Text),
    ],
    has_http_client: false,
    rule: azure_ad,
};

fn azure_ad(section: &mut Section<'_, '_>) {
    let clouds = ["AzurePublic", "AzureChina", "AzureGovernment"];
    if !clouds.contains(&section.text_or("cloud", "AzurePublic")) {
        section.wrong("cloud", "must provide a cloud in the Azure AD config");
    }
    let kinds = ["managed_identity", "workload_identity", "oauth", "sdk"];
    let given = kinds
        .iter()
        .filter(|kind| section.field(kind).is_some())
        .count();
    let message = match given {
        0 => {
            "must provide an Azure Managed Identity, Azure Workload Identity, Azure OAuth or Azure SDK in the Azure AD config"
        }
        1 => return,
        _ => "cannot provide multiple authentication methods in the Azure AD config",
    };
    section.wrong("managed_identity", message);
}

const QUEUE: Schema = Schema {
    name: "config.QueueConfig",
    fields: &[
        ("capacity", Kind::Whole),
        ("max_shards", Kind::Whole),
        ("min_shards", Kind::Whole),
        ("max_samples_per_send", Kind::Whole),
        ("batch_send_deadline", Kind::Duration),
        ("min_backoff", Kind::Duration),
        ("max_backoff", Kind::Duration),
        ("retry_on_http_429", Kind::Flag),
        ("sample_age_limit", Kind::Duration),
    ],
    has_http_client: false,
    rule: |section| {
        for name in [
            "capacity",
            "max_shards",
            "min_shards",
            "max_samples_per_send",
        ] {
            let number = section.text_or(name, "1").replace('_', "").parse::<i64>();
            if number.is_ok_and(|number| number <= 0) {
                section.wrong(name, format!("{name} must be greater than 0"));
            }
        }
    },
};

const METADATA: Schema = texts(
    "config.MetadataConfig",
    &[
        ("send", Kind::Flag),
        ("send_interval", Kind::Duration),
        ("max_samples_per_send", Kind::Whole),
    ],
);

/// Headers of requests to elsewhere that the client sets itself.
const RESERVED_HEADERS: [&str; 16] = [
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
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

/// Takes and checks both sections.
pub(super) fn check(fields: &mut Fields<'_, '_>, validation: NameValidation, notes: &mut Notes) {
    section(fields, "remote_write", notes, |node, problems| {
        write(node, validation, problems)
    });
    section(fields, "remote_read", notes, read);
}

/// Checks a list; each element answers its name, which must not repeat.
fn section(
    fields: &mut Fields<'_, '_>,
    name: &str,
    notes: &mut Notes,
    check: impl Fn(&Node, &mut Problems) -> Option<String>,
) {
    let title = name.replace('_', " ");
    let mut names: Vec<String> = Vec::new();
    let elements = fields.read_list(name, |node, problems| {
        if node.is_null() {
            problems.add(
                node.position,
                format!("empty or null {title} config section"),
            );
            return None;
        }
        let queue = check(node, problems)?;
        if !queue.is_empty() && names.contains(&queue) {
            let message = format!("found multiple {title} configs with job name {queue:?}");
            problems.add(node.position, message);
        }
        names.push(queue);
        Some(node)
    });
    if let Some(first) = elements.first() {
        notes.not_active(first, name);
    }
}

fn url(fields: &mut Fields<'_, '_>, section: &str) {
    let Some(node) = fields.take("url") else {
        fields.wrong(format!("url for {section} is empty"));
        return;
    };
    let text = decode::string(node, fields.problems()).unwrap_or_default();
    if let Err(message) = WebAddress::parse(&text) {
        fields.problems().add(node.position, message);
    }
}

fn write(node: &Node, validation: NameValidation, problems: &mut Problems) -> Option<String> {
    let mut fields = Fields::of(node, "config.RemoteWriteConfig", problems)?;
    url(&mut fields, "remote_write");
    fields.read("remote_timeout", decode::duration_ms);
    let advice = "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter";
    fields.read("headers", |node, problems| headers(node, advice, problems));
    let what = "relabeling rule in remote write config";
    relabel_rules(&mut fields, "write_relabel_configs", what, validation);
    for flag in [
        "send_exemplars",
        "send_native_histograms",
        "round_robin_dns",
    ] {
        fields.read(flag, decode::boolean);
    }
    fields.read("protobuf_message", |node, problems| {
        let text = decode::string(node, problems)?;
        if !["prometheus.WriteRequest", "io.prometheus.write.v2.Request"].contains(&text.as_str()) {
            let message = format!(
                "invalid protobuf_message value: unknown type for remote write protobuf message {text}, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request"
            );
            problems.add(node.position, message);
        }
        Some(())
    });
    let name = fields.read("name", decode::string).unwrap_or_default();
    let http = http_client::inline(&mut fields, HttpClientConfig::default());
    checked(&mut fields, "queue_config", &QUEUE);
    checked(&mut fields, "metadata_config", &METADATA);
    let mut configured = match http.credentials {
        Some(Credentials::Basic { .. }) => vec!["basic_auth"],
        Some(Credentials::Token { .. }) => vec!["authorization"],
        Some(Credentials::OAuth2) => vec!["oauth2"],
        None => Vec::new(),
    };
    for (name, schema) in [
        ("sigv4", &SIGV4),
        ("azuread", &AZURE_AD),
        ("google_iam", &GOOGLE_IAM),
    ] {
        if checked(&mut fields, name, schema) {
            configured.push(name);
        }
    }
    if configured.len() > 1 {
        let found = configured.join(" ");
        fields.wrong(format!(
            "at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured. Currently configured: [{found}]"
        ));
    }
    fields.finish();
    Some(name)
}

fn read(node: &Node, problems: &mut Problems) -> Option<String> {
    let mut fields = Fields::of(node, "config.RemoteReadConfig", problems)?;
    url(&mut fields, "remote_read");
    fields.read("remote_timeout", decode::duration_ms);
    fields.read("chunked_read_limit", decode::unsigned);
    let advice = "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter";
    fields.read("headers", |node, problems| headers(node, advice, problems));
    for flag in ["read_recent", "filter_external_labels"] {
        fields.read(flag, decode::boolean);
    }
    fields.read("required_matchers", decode::labels);
    let name = fields.read("name", decode::string).unwrap_or_default();
    http_client::inline(&mut fields, HttpClientConfig::default());
    fields.finish();
    Some(name)
}

/// Takes and checks a section; answers whether it is there.
fn checked(fields: &mut Fields<'_, '_>, name: &str, schema: &'static Schema) -> bool {
    let present = |node: &Node, problems: &mut Problems| {
        schema::check(node, schema, problems);
        Some(())
    };
    fields.read(name, present).is_some()
}

/// Checks a `sigv4` section.
pub(super) fn sigv4(node: &Node, problems: &mut Problems) -> Option<()> {
    schema::check(node, &SIGV4, problems);
    Some(())
}

/// Checks headers of requests to elsewhere. `advice` says where credentials belong.
pub(super) fn headers(node: &Node, advice: &str, problems: &mut Problems) -> Option<()> {
    for (name, _) in decode::string_map(node, problems)? {
        let lower = name.to_ascii_lowercase();
        if lower == "authorization" {
            problems.add(node.position, advice);
        } else if RESERVED_HEADERS.contains(&lower.as_str()) {
            let message = format!("{name} is a reserved header. It must not be changed");
            problems.add(node.position, message);
        }
    }
    Some(())
}
