//! The `global` section: defaults for every receiver.

use super::field::{self, HostPort};
use config::http_client::{self, SecretSource, TlsConfig};
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, Secret, decode};
use std::path::PathBuf;

/// An alert that nobody reports again counts as resolved after this time.
const RESOLVE_TIMEOUT_MS: i64 = 5 * 60_000;
/// Where messages go that are sent with an app token.
pub(super) const SLACK_APP_URL: &str = "https://slack.com/api/chat.postMessage";
/// Fields that exclude each other, beside those of Slack's two ways in.
const EXCLUSIVE: [(&str, &str); 10] = [
    ("slack_app_token", "slack_app_token_file"),
    ("slack_api_url", "slack_api_url_file"),
    ("opsgenie_api_key", "opsgenie_api_key_file"),
    ("victorops_api_key", "victorops_api_key_file"),
    ("telegram_bot_token", "telegram_bot_token_file"),
    ("smtp_auth_password", "smtp_auth_password_file"),
    ("rocketchat_token", "rocketchat_token_file"),
    ("rocketchat_token_id", "rocketchat_token_id_file"),
    ("smtp_auth_secret", "smtp_auth_secret_file"),
    ("wechat_api_secret", "wechat_api_secret_file"),
];
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";
const OPSGENIE_URL: &str = "https://api.opsgenie.com/";
const WECHAT_URL: &str = "https://qyapi.weixin.qq.com/cgi-bin/";
const VICTOROPS_URL: &str = "https://alert.victorops.com/integrations/generic/20131114/alert/";
const TELEGRAM_URL: &str = "https://api.telegram.org";
const WEBEX_URL: &str = "https://webexapis.com/v1/messages";
const ROCKETCHAT_URL: &str = "https://open.rocket.chat/";

/// Defaults for every receiver.
#[derive(Clone, Debug)]
pub struct Global {
    /// After this many milliseconds an alert without an end that is not reported again is resolved.
    pub resolve_timeout_ms: i64,
    /// How to reach HTTP servers.
    pub http: HttpClientConfig,
    /// How to send mail.
    pub smtp: SmtpDefaults,
    /// How to reach Slack.
    pub slack: SlackDefaults,
    /// Where PagerDuty takes events.
    pub(super) pagerduty_url: String,
    pub(super) opsgenie: Service,
    pub(super) victorops: Service,
    pub(super) telegram: Service,
    pub(super) wechat: Service,
    pub(super) wechat_corp_id: String,
    pub(super) rocketchat: Service,
    pub(super) rocketchat_token_id: Option<SecretSource>,
    /// Where Webex takes messages.
    pub(super) webex_url: String,
    pub(super) jira_url: Option<String>,
    pub(super) mattermost_url: Option<SecretSource>,
}

/// Where a service is and what opens it, unless a receiver says otherwise.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) url: String,
    pub(super) key: Option<SecretSource>,
}

impl Service {
    fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            key: None,
        }
    }
}

/// How to send mail unless a receiver says otherwise.
#[derive(Clone, Debug, Default)]
pub struct SmtpDefaults {
    /// The sender.
    pub from: String,
    /// The name in EHLO.
    pub hello: String,
    /// The server.
    pub smarthost: Option<HostPort>,
    /// The name to log in with.
    pub username: String,
    /// Its password.
    pub password: Option<SecretSource>,
    /// The secret for CRAM-MD5.
    pub secret: Option<SecretSource>,
    /// The identity for PLAIN.
    pub identity: String,
    /// Whether mail may leave only encrypted.
    pub require_tls: bool,
    /// TLS from the first byte on (`true`), never (`false`), or by the port.
    pub force_implicit_tls: Option<bool>,
    /// Certificates.
    pub tls: TlsConfig,
}

/// How to reach Slack unless a receiver says otherwise.
#[derive(Clone, Debug, Default)]
pub struct SlackDefaults {
    /// The incoming webhook.
    pub api_url: Option<SecretSource>,
    /// The bot token.
    pub app_token: Option<SecretSource>,
    /// Where messages with a token go.
    pub app_url: String,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            resolve_timeout_ms: RESOLVE_TIMEOUT_MS,
            http: HttpClientConfig::default(),
            smtp: SmtpDefaults {
                hello: "localhost".to_owned(),
                require_tls: true,
                ..SmtpDefaults::default()
            },
            slack: SlackDefaults {
                app_url: SLACK_APP_URL.to_owned(),
                ..SlackDefaults::default()
            },
            pagerduty_url: PAGERDUTY_URL.to_owned(),
            opsgenie: Service::at(OPSGENIE_URL),
            victorops: Service::at(VICTOROPS_URL),
            telegram: Service::at(TELEGRAM_URL),
            wechat: Service::at(WECHAT_URL),
            wechat_corp_id: String::new(),
            rocketchat: Service::at(ROCKETCHAT_URL),
            rocketchat_token_id: None,
            webex_url: WEBEX_URL.to_owned(),
            jira_url: None,
            mattermost_url: None,
        }
    }
}

/// Takes `name` or `name_file` out as a source; of an exclusive pair (reported elsewhere) the text wins.
pub(super) fn source(
    fields: &mut Fields<'_, '_>,
    name: &str,
    decode_text: impl FnOnce(&Node, &mut Problems) -> Option<Secret>,
) -> Option<SecretSource> {
    let file = fields.read(&format!("{name}_file"), decode::string);
    let text = fields.read(name, decode_text);
    text.filter(|text| !text.is_empty())
        .map(SecretSource::Text)
        .or_else(|| field::non_empty(file).map(|path| SecretSource::File(PathBuf::from(path))))
}

/// Reports a pair of fields that are both set.
pub(super) fn at_most_one(node: &Node, (a, b): (&str, &str), problems: &mut Problems) -> bool {
    let is_set = |name: &str| {
        node.get(name)
            .and_then(Node::text)
            .is_some_and(|t| !t.is_empty())
    };
    let both = is_set(a) && is_set(b);
    if both {
        let position = node.get(b).map_or(node.position, |value| value.position);
        problems.add(
            position,
            format!("at most one of {a} & {b} must be configured"),
        );
    }
    both
}

/// Reads the section.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Global> {
    for pair in EXCLUSIVE {
        at_most_one(node, pair, problems);
    }
    at_most_one(
        node,
        ("mattermost_webhook_url", "mattermost_webhook_url_file"),
        problems,
    );
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let defaults = Global::default();
    let mut global = services(&mut fields, defaults.clone());
    global = Global {
        resolve_timeout_ms: fields
            .read("resolve_timeout", decode::duration_ms)
            .unwrap_or(defaults.resolve_timeout_ms),
        http: fields
            .read("http_config", http_client::decode)
            .unwrap_or_default(),
        smtp: smtp(&mut fields, defaults.smtp),
        slack: slack(&mut fields, defaults.slack),
        ..global
    };
    fields.finish();
    Some(global)
}

/// Reads where services are and what opens them.
fn services(fields: &mut Fields<'_, '_>, defaults: Global) -> Global {
    let mut service = |url: &str, key: &str, default: Service| Service {
        url: fields.read(url, field::url).unwrap_or(default.url),
        key: source(fields, key, decode::secret),
    };
    Global {
        opsgenie: service("opsgenie_api_url", "opsgenie_api_key", defaults.opsgenie),
        victorops: service("victorops_api_url", "victorops_api_key", defaults.victorops),
        telegram: service("telegram_api_url", "telegram_bot_token", defaults.telegram),
        wechat: service("wechat_api_url", "wechat_api_secret", defaults.wechat),
        rocketchat: service(
            "rocketchat_api_url",
            "rocketchat_token",
            defaults.rocketchat,
        ),
        rocketchat_token_id: source(fields, "rocketchat_token_id", decode::secret),
        wechat_corp_id: fields
            .read("wechat_api_corp_id", decode::string)
            .unwrap_or_default(),
        pagerduty_url: fields
            .read("pagerduty_url", field::url)
            .unwrap_or(defaults.pagerduty_url),
        webex_url: fields
            .read("webex_api_url", field::url)
            .unwrap_or(defaults.webex_url),
        jira_url: fields.read("jira_api_url", field::url),
        mattermost_url: source(fields, "mattermost_webhook_url", field::secret_url),
        ..defaults
    }
}

fn smtp(fields: &mut Fields<'_, '_>, defaults: SmtpDefaults) -> SmtpDefaults {
    let mut text = |name| fields.read(name, decode::string).unwrap_or_default();
    let (from, username, identity) = (
        text("smtp_from"),
        text("smtp_auth_username"),
        text("smtp_auth_identity"),
    );
    SmtpDefaults {
        from,
        username,
        identity,
        hello: fields
            .read("smtp_hello", decode::string)
            .unwrap_or(defaults.hello),
        smarthost: fields.read("smtp_smarthost", field::host_port),
        password: source(fields, "smtp_auth_password", decode::secret),
        secret: source(fields, "smtp_auth_secret", decode::secret),
        require_tls: fields
            .read("smtp_require_tls", decode::boolean)
            .unwrap_or(defaults.require_tls),
        force_implicit_tls: fields.read("smtp_force_implicit_tls", decode::boolean),
        tls: fields
            .read("smtp_tls_config", http_client::tls)
            .unwrap_or_default(),
    }
}

fn slack(fields: &mut Fields<'_, '_>, defaults: SlackDefaults) -> SlackDefaults {
    let settings = SlackDefaults {
        api_url: source(fields, "slack_api_url", field::secret_url),
        app_token: source(fields, "slack_app_token", decode::secret),
        app_url: fields
            .read("slack_app_url", field::url)
            .unwrap_or(defaults.app_url),
    };
    // A shown configuration reads back: there the address is hidden.
    let same = matches!(&settings.api_url, Some(SecretSource::Text(url))
        if [settings.app_url.as_str(), config::secret::HIDDEN].contains(&url.reveal()));
    if settings.app_token.is_some() && settings.api_url.is_some() && !same {
        fields.wrong("at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured");
    }
    settings
}
