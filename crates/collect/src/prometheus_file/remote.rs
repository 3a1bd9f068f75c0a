//! `remote_write` and `remote_read`.

use super::remote_settings::{MetadataSettings, QueueSettings, RemoteRead, RemoteWrite};
use super::schema::{self, Kind, Schema, Section, no_rule};
use super::{NameValidation, Notes, relabel_rules};
use config::http_client::{self, Credentials, HttpClientConfig};
use config::{Fields, Node, Problems, WebAddress, decode};
use ingest::remote_out::Message;

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

/// Reads both sections. What needs credentials that are not active yet is left out and noted.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
    validation: NameValidation,
    notes: &mut Notes,
) -> (Vec<RemoteWrite>, Vec<RemoteRead>) {
    let writes = section(fields, "remote_write", |node, problems| {
        write(node, validation, problems)
    });
    let reads = section(fields, "remote_read", read_one);
    (active(writes, notes), active(reads, notes))
}

/// An element of either section: its name, where it stands, and what makes it inactive, if anything does.
struct Element<'n, T> {
    name: String,
    node: &'n Node,
    inactive: Option<String>,
    settings: T,
}

fn active<T>(elements: Vec<Element<'_, T>>, notes: &mut Notes) -> Vec<T> {
    let mut list = Vec::new();
    for element in elements {
        match element.inactive {
            None => list.push(element.settings),
            Some(what) => notes.not_active(element.node, &what),
        }
    }
    list
}

/// Checks a list; the names of its elements must not repeat.
fn section<'n, T>(
    fields: &mut Fields<'n, '_>,
    name: &str,
    check: impl Fn(&'n Node, &mut Problems) -> Option<Element<'n, T>>,
) -> Vec<Element<'n, T>> {
    let title = name.replace('_', " ");
    let mut names: Vec<String> = Vec::new();
    fields.read_list(name, |node, problems| {
        if node.is_null() {
            problems.add(
                node.position,
                format!("empty or null {title} config section"),
            );
            return None;
        }
        let element = check(node, problems)?;
        if !element.name.is_empty() && names.contains(&element.name) {
            let name = &element.name;
            let message = format!("found multiple {title} configs with job name {name:?}");
            problems.add(node.position, message);
        }
        names.push(element.name.clone());
        Some(element)
    })
}

fn url(fields: &mut Fields<'_, '_>, section: &str) -> String {
    let Some(node) = fields.take("url") else {
        fields.wrong(format!("url for {section} is empty"));
        return String::new();
    };
    let text = decode::string(node, fields.problems()).unwrap_or_default();
    if let Err(message) = WebAddress::parse(&text) {
        fields.problems().add(node.position, message);
    }
    text
}

fn write<'n>(
    node: &'n Node,
    validation: NameValidation,
    problems: &mut Problems,
) -> Option<Element<'n, RemoteWrite>> {
    let mut fields = Fields::of(node, "config.RemoteWriteConfig", problems)?;
    let mut settings = RemoteWrite {
        url: url(&mut fields, "remote_write"),
        ..RemoteWrite::default()
    };
    if let Some(timeout) = fields.read("remote_timeout", decode::duration_ms) {
        settings.timeout_ms = timeout;
    }
    let advice = "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter";
    settings.headers = fields
        .read("headers", |node, problems| headers(node, advice, problems))
        .unwrap_or_default();
    let what = "relabeling rule in remote write config";
    settings.relabel = relabel_rules(&mut fields, "write_relabel_configs", what, validation);
    let mut flag = |name| fields.read(name, decode::boolean).unwrap_or_default();
    settings.send_exemplars = flag("send_exemplars");
    settings.send_native_histograms = flag("send_native_histograms");
    flag("round_robin_dns");
    settings.message = fields.read("protobuf_message", message).unwrap_or_default();
    settings.name = fields.read("name", decode::string).unwrap_or_default();
    settings.http = http_client::inline(&mut fields, HttpClientConfig::default());
    if checked(&mut fields, "queue_config", &QUEUE) {
        settings.queue = QueueSettings::of(node.get("queue_config"));
    }
    if checked(&mut fields, "metadata_config", &METADATA) {
        settings.metadata = MetadataSettings::of(node.get("metadata_config"));
    }
    let mut configured = match settings.http.credentials {
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
    let inactive = configured
        .iter()
        .find(|kind| !["basic_auth", "authorization"].contains(kind))
        .map(|kind| format!("remote_write with {kind}"));
    Some(Element {
        name: settings.name.clone(),
        node,
        inactive,
        settings,
    })
}

fn message(node: &Node, problems: &mut Problems) -> Option<Message> {
    let text = decode::string(node, problems)?;
    match text.as_str() {
        "prometheus.WriteRequest" => Some(Message::V1),
        "io.prometheus.write.v2.Request" => Some(Message::V2),
        _ => {
            let message = format!(
                "invalid protobuf_message value: unknown type for remote write protobuf message {text}, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request"
            );
            problems.add(node.position, message);
            None
        }
    }
}

fn read_one<'n>(node: &'n Node, problems: &mut Problems) -> Option<Element<'n, RemoteRead>> {
    let mut fields = Fields::of(node, "config.RemoteReadConfig", problems)?;
    let mut settings = RemoteRead {
        url: url(&mut fields, "remote_read"),
        ..RemoteRead::default()
    };
    if let Some(timeout) = fields.read("remote_timeout", decode::duration_ms) {
        settings.timeout_ms = timeout;
    }
    if let Some(limit) = fields.read("chunked_read_limit", decode::unsigned) {
        settings.frame_bytes_max = limit;
    }
    let advice = "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter";
    settings.headers = fields
        .read("headers", |node, problems| headers(node, advice, problems))
        .unwrap_or_default();
    let mut flag = |name, default| fields.read(name, decode::boolean).unwrap_or(default);
    settings.read_recent = flag("read_recent", false);
    settings.filter_external_labels = flag("filter_external_labels", true);
    settings.required_matchers = fields
        .read("required_matchers", decode::labels)
        .unwrap_or_default();
    settings.name = fields.read("name", decode::string).unwrap_or_default();
    settings.http = http_client::inline(&mut fields, HttpClientConfig::default());
    fields.finish();
    let is_oauth = matches!(settings.http.credentials, Some(Credentials::OAuth2));
    Some(Element {
        name: settings.name.clone(),
        node,
        inactive: is_oauth.then(|| "remote_read with oauth2".to_owned()),
        settings,
    })
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
pub(super) fn headers(
    node: &Node,
    advice: &str,
    problems: &mut Problems,
) -> Option<Vec<(String, String)>> {
    let headers = decode::string_map(node, problems)?;
    for (name, _) in &headers {
        let lower = name.to_ascii_lowercase();
        if lower == "authorization" {
            problems.add(node.position, advice);
        } else if RESERVED_HEADERS.contains(&lower.as_str()) {
            let message = format!("{name} is a reserved header. It must not be changed");
            problems.add(node.position, message);
        }
    }
    Some(headers)
}
