//! The kinds of receivers that are checked but that nothing sends to yet: one table of fields each.
//!
//! A field that is missing here is a field that upstream does not know. The rules that tie fields together
//! stand below, one function a kind.

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

const TITLE_VALUE_SHORT: &[(&str, Field)] = &[("title", Text), ("value", Text), ("short", Boolean)];
const ATTACHMENT: &[(&str, Field)] = &[
    ("fallback", Text),
    ("color", Text),
    ("pretext", Text),
    ("text", Text),
    ("author_name", Text),
    ("author_link", Text),
    ("author_icon", Text),
    ("title", Text),
    ("title_link", Text),
    ("fields", Records(TITLE_VALUE_SHORT)),
    ("thumb_url", Text),
    ("footer", Text),
    ("footer_icon", Text),
    ("image_url", Text),
];
const JIRA_TEXT: &[(&str, Field)] = &[("template", Text), ("enable_update", Boolean)];
const SIGV4: &[(&str, Field)] = &[
    ("region", Text),
    ("access_key", Text),
    ("secret_key", Secret),
    ("profile", Text),
    ("role_arn", Text),
    ("external_id", Text),
    ("use_fips_sts_endpoint", Boolean),
    ("service_name", Text),
];

/// All kinds but webhook, Slack and e-mail.
pub(super) static KINDS: &[Kind] = &[
    Kind {
        name: "pagerduty",
        send_resolved: true,
        fields: &[
            ("service_key", Secret),
            ("service_key_file", Text),
            ("routing_key", Secret),
            ("routing_key_file", Text),
            ("url", Url),
            ("client", Text),
            ("client_url", Text),
            ("description", Text),
            ("details", AnyMap),
            (
                "images",
                Records(&[("src", Text), ("alt", Text), ("href", Text)]),
            ),
            ("links", Records(&[("href", Text), ("text", Text)])),
            ("source", Text),
            ("severity", Text),
            ("class", Text),
            ("component", Text),
            ("group", Text),
            ("timeout", GoDuration),
        ],
        check: pagerduty,
    },
    Kind {
        name: "opsgenie",
        send_resolved: true,
        fields: &[
            ("api_key", Secret),
            ("api_key_file", Text),
            ("api_url", Url),
            ("message", Text),
            ("description", Text),
            ("source", Text),
            ("details", TextMap),
            ("entity", Text),
            (
                "responders",
                Records(&[
                    ("id", Text),
                    ("name", Text),
                    ("username", Text),
                    ("type", Text),
                ]),
            ),
            ("actions", Text),
            ("tags", Text),
            ("note", Text),
            ("priority", Text),
            ("update_alerts", Boolean),
        ],
        check: opsgenie,
    },
    Kind {
        name: "wechat",
        send_resolved: false,
        fields: &[
            ("api_secret", Secret),
            ("api_secret_file", Text),
            ("corp_id", Text),
            ("message", Text),
            ("api_url", Url),
            ("to_user", Text),
            ("to_party", Text),
            ("to_tag", Text),
            ("agent_id", Text),
            ("message_type", Text),
        ],
        check: wechat,
    },
    Kind {
        name: "victorops",
        send_resolved: true,
        fields: &[
            ("api_key", Secret),
            ("api_key_file", Text),
            ("api_url", Url),
            ("routing_key", Text),
            ("message_type", Text),
            ("state_message", Text),
            ("entity_display_name", Text),
            ("monitoring_tool", Text),
            ("custom_fields", TextMap),
        ],
        check: victorops,
    },
    Kind {
        name: "pushover",
        send_resolved: true,
        fields: &[
            ("user_key", Secret),
            ("user_key_file", Text),
            ("token", Secret),
            ("token_file", Text),
            ("title", Text),
            ("message", Text),
            ("url", Text),
            ("url_title", Text),
            ("device", Text),
            ("sound", Text),
            ("priority", Text),
            ("retry", GoDuration),
            ("expire", GoDuration),
            ("ttl", GoDuration),
            ("html", Boolean),
            ("monospace", Boolean),
        ],
        check: pushover,
    },
    Kind {
        name: "sns",
        send_resolved: true,
        fields: &[
            ("api_url", Text),
            ("sigv4", Record(SIGV4)),
            ("topic_arn", Text),
            ("phone_number", Text),
            ("target_arn", Text),
            ("subject", Text),
            ("message", Text),
            ("attributes", TextMap),
            ("use_aws_http_client", Boolean),
        ],
        check: sns,
    },
    Kind {
        name: "telegram",
        send_resolved: true,
        fields: &[
            ("api_url", Url),
            ("bot_token", Secret),
            ("bot_token_file", Text),
            ("chat_id", Integer),
            ("chat_id_file", Text),
            ("message_thread_id", Integer),
            ("message", Text),
            ("disable_notifications", Boolean),
            ("parse_mode", Text),
        ],
        check: telegram,
    },
    Kind {
        name: "discord",
        send_resolved: true,
        fields: &[
            ("webhook_url", SecretUrl),
            ("webhook_url_file", Text),
            ("content", Text),
            ("title", Text),
            ("message", Text),
            ("username", Text),
            ("avatar_url", Text),
        ],
        check: webhook_url,
    },
    Kind {
        name: "webex",
        send_resolved: true,
        fields: &[("api_url", Url), ("message", Text), ("room_id", Text)],
        check: webex,
    },
    Kind {
        name: "msteams",
        send_resolved: true,
        fields: &[
            ("webhook_url", SecretUrl),
            ("webhook_url_file", Text),
            ("title", Text),
            ("summary", Text),
            ("text", Text),
        ],
        check: webhook_url,
    },
    Kind {
        name: "msteamsv2",
        send_resolved: true,
        fields: &[
            ("webhook_url", SecretUrl),
            ("webhook_url_file", Text),
            ("title", Text),
            ("text", Text),
        ],
        check: webhook_url,
    },
    Kind {
        name: "jira",
        send_resolved: true,
        fields: &[
            ("api_url", Url),
            ("api_type", Text),
            ("project", Text),
            ("summary", TextOr(JIRA_TEXT)),
            ("description", TextOr(JIRA_TEXT)),
            ("labels", TextList),
            ("priority", Text),
            ("issue_type", Text),
            ("reopen_transition", Text),
            ("resolve_transition", Text),
            ("wont_fix_resolution", Text),
            ("reopen_duration", Duration),
            ("fields", AnyMap),
        ],
        check: jira,
    },
    Kind {
        name: "rocketchat",
        send_resolved: false,
        fields: &[
            ("api_url", Url),
            ("token_id", Secret),
            ("token_id_file", Text),
            ("token", Secret),
            ("token_file", Text),
            ("channel", Text),
            ("color", Text),
            ("title", Text),
            ("title_link", Text),
            ("text", Text),
            ("fields", Records(TITLE_VALUE_SHORT)),
            ("short_fields", Boolean),
            ("emoji", Text),
            ("icon_url", Text),
            ("image_url", Text),
            ("thumb_url", Text),
            ("link_names", Boolean),
            (
                "actions",
                // Upstream gives these no names of their own for YAML, so they are run together.
                Records(&[
                    ("type", Text),
                    ("text", Text),
                    ("url", Text),
                    ("imageurl", Text),
                    ("iswebview", Boolean),
                    ("webviewheightratio", Text),
                    ("msg", Text),
                    ("msginchatwindow", Boolean),
                    ("msgprocessingtype", Text),
                ]),
            ),
        ],
        check: rocketchat,
    },
    Kind {
        name: "mattermost",
        send_resolved: true,
        fields: &[
            ("webhook_url", SecretUrl),
            ("webhook_url_file", Text),
            ("channel", Text),
            ("username", Text),
            ("text", Text),
            ("fallback", Text),
            ("color", Text),
            ("pretext", Text),
            ("author_name", Text),
            ("author_link", Text),
            ("author_icon", Text),
            ("title", Text),
            ("title_link", Text),
            ("fields", Records(TITLE_VALUE_SHORT)),
            ("thumb_url", Text),
            ("footer", Text),
            ("footer_icon", Text),
            ("image_url", Text),
            ("icon_url", Text),
            ("icon_emoji", Text),
            ("attachments", Records(ATTACHMENT)),
            ("type", Text),
            ("props", Record(&[("card", Text)])),
            (
                "priority",
                Record(&[
                    ("priority", Text),
                    ("requested_ack", Boolean),
                    ("persistent_notifications", Boolean),
                ]),
            ),
        ],
        check: mattermost,
    },
    Kind {
        name: "incidentio",
        send_resolved: true,
        fields: &[
            ("url", Url),
            ("url_file", Text),
            ("alert_source_token", Secret),
            ("alert_source_token_file", Text),
            ("max_alerts", Unsigned),
            ("timeout", GoDuration),
        ],
        check: incidentio,
    },
];

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

fn pagerduty(entry: &mut Entry<'_, '_, '_>) {
    let keys = [
        "routing_key",
        "service_key",
        "routing_key_file",
        "service_key_file",
    ];
    let none = !keys.iter().any(|key| entry.has(key));
    entry.wrong_if(none, "missing service or routing key in PagerDuty config");
    entry.at_most_one("routing_key", "routing_key_file");
    entry.at_most_one("service_key", "service_key_file");
}

fn opsgenie(entry: &mut Entry<'_, '_, '_>) {
    entry.at_most_one("api_key", "api_key_file");
    let none = !entry.has("api_key")
        && !entry.has("api_key_file")
        && !entry.has_global(&["opsgenie_api_key", "opsgenie_api_key_file"]);
    entry.wrong_if(
        none,
        "no global OpsGenie API Key set either inline or in a file",
    );
    let responders = entry.node.get("responders").map_or(&[][..], Node::elements);
    for responder in responders {
        let text = |name: &str| responder.get(name).and_then(Node::text).unwrap_or_default();
        let shown = format!(
            "{{{} {} {} {}}}",
            text("id"),
            text("name"),
            text("username"),
            text("type")
        );
        let problems = entry.fields.problems();
        if [text("id"), text("name"), text("username")]
            .concat()
            .is_empty()
        {
            problems.add(responder.position, format!("opsGenieConfig responder {shown} has to have at least one of id, username or name specified"));
        }
        let kind = text("type").to_lowercase();
        let known = ["team", "teams", "user", "escalation", "schedule"];
        if !kind.contains("{{") && !known.contains(&kind.as_str()) {
            problems.add(responder.position, format!("opsGenieConfig responder {shown} type does not match valid options ^(team|teams|user|escalation|schedule)$"));
        }
    }
}

fn wechat(entry: &mut Entry<'_, '_, '_>) {
    let kind = entry.text("message_type").to_owned();
    let wrong = !matches!(kind.as_str(), "" | "text" | "markdown");
    entry.wrong_if(
        wrong,
        &format!("weChat message type {kind:?} does not match valid options ^(text|markdown)$"),
    );
    entry.at_most_one("api_secret", "api_secret_file");
    let none = !entry.has("api_secret")
        && !entry.has("api_secret_file")
        && !entry.has_global(&["wechat_api_secret", "wechat_api_secret_file"]);
    entry.wrong_if(
        none,
        "no global Wechat Api Secret set either inline or in a file",
    );
    let none = !entry.has("corp_id") && !entry.has_global(&["wechat_api_corp_id"]);
    entry.wrong_if(none, "no global Wechat CorpID set");
}

fn victorops(entry: &mut Entry<'_, '_, '_>) {
    let none = !entry.has("routing_key");
    entry.wrong_if(none, "missing Routing key in VictorOps config");
    entry.at_most_one("api_key", "api_key_file");
    let none = !entry.has("api_key")
        && !entry.has("api_key_file")
        && !entry.has_global(&["victorops_api_key", "victorops_api_key_file"]);
    entry.wrong_if(none, "no global VictorOps API Key set");
    let reserved = [
        "routing_key",
        "message_type",
        "state_message",
        "entity_display_name",
        "monitoring_tool",
        "entity_id",
        "entity_state",
    ];
    for name in reserved {
        let used = entry
            .node
            .get("custom_fields")
            .is_some_and(|custom| custom.get(name).is_some());
        entry.wrong_if(used, &format!("victorOps config contains custom field {name} which cannot be used as it conflicts with the fixed/static fields"));
    }
}

fn pushover(entry: &mut Entry<'_, '_, '_>) {
    entry.exactly_one("user_key", "user_key_file");
    entry.exactly_one("token", "token_file");
    let is_true = |name| matches!(entry.text(name), "true" | "yes" | "on");
    let both = is_true("html") && is_true("monospace");
    entry.wrong_if(both, "at most one of monospace & html must be configured");
}

fn sns(entry: &mut Entry<'_, '_, '_>) {
    // One of the three, or, as upstream's chain of inequalities has it, all of them.
    let given = ["target_arn", "topic_arn", "phone_number"]
        .iter()
        .filter(|name| entry.has(name))
        .count();
    entry.wrong_if(
        given % 2 == 0,
        "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config",
    );
    let sigv4 = entry.node.get("sigv4");
    let key = |name| {
        sigv4
            .and_then(|node| node.get(name))
            .is_some_and(|node| !node.is_null())
    };
    let half = key("access_key") != key("secret_key");
    entry.wrong_if(
        half,
        "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config",
    );
}

fn telegram(entry: &mut Entry<'_, '_, '_>) {
    entry.at_most_one("bot_token", "bot_token_file");
    let has_chat = entry.has("chat_id") && entry.text("chat_id") != "0";
    let has_file = entry.has("chat_id_file");
    entry.wrong_if(
        !has_chat && !has_file,
        "missing chat_id or chat_id_file on telegram_config",
    );
    entry.wrong_if(
        has_chat && has_file,
        "at most one of chat_id & chat_id_file must be configured",
    );
    let known = ["", "Markdown", "MarkdownV2", "HTML"];
    let wrong = !known.contains(&entry.text("parse_mode"));
    entry.wrong_if(
        wrong,
        "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string",
    );
    let none = !entry.has("bot_token")
        && !entry.has("bot_token_file")
        && !entry.has_global(&["telegram_bot_token", "telegram_bot_token_file"]);
    entry.wrong_if(
        none,
        "missing bot_token or bot_token_file on telegram_config",
    );
}

fn webhook_url(entry: &mut Entry<'_, '_, '_>) {
    entry.exactly_one("webhook_url", "webhook_url_file");
}

fn webex(entry: &mut Entry<'_, '_, '_>) {
    let none = !entry.has("room_id");
    entry.wrong_if(none, "missing room_id on webex_config");
    let none = !entry.has_authorization();
    entry.wrong_if(none, "missing webex_configs.http_config.authorization");
}

fn jira(entry: &mut Entry<'_, '_, '_>) {
    let none = !entry.has("project");
    entry.wrong_if(none, "missing project in jira_config");
    let none = !entry.has("issue_type");
    entry.wrong_if(none, "missing issue_type in jira_config");
    let wrong = !matches!(entry.text("api_type"), "auto" | "cloud" | "datacenter")
        && entry.values.contains_key("api_type");
    entry.wrong_if(
        wrong,
        "unknown api_type on jira_config, must be auto, cloud or datacenter",
    );
    let none = !entry.has("api_url") && !entry.has_global(&["jira_api_url"]);
    entry.wrong_if(none, "no global Jira Cloud URL set");
}

fn rocketchat(entry: &mut Entry<'_, '_, '_>) {
    entry.at_most_one("token", "token_file");
    entry.at_most_one("token_id", "token_id_file");
    let none = !entry.has("token_id")
        && !entry.has("token_id_file")
        && !entry.has_global(&["rocketchat_token_id", "rocketchat_token_id_file"]);
    entry.wrong_if(
        none,
        "no global Rocketchat TokenID set either inline or in a file",
    );
    let none = !entry.has("token")
        && !entry.has("token_file")
        && !entry.has_global(&["rocketchat_token", "rocketchat_token_file"]);
    entry.wrong_if(
        none,
        "no global Rocketchat Token set either inline or in a file",
    );
}

fn mattermost(entry: &mut Entry<'_, '_, '_>) {
    entry.at_most_one("webhook_url", "webhook_url_file");
    let none = !entry.has("webhook_url")
        && !entry.has("webhook_url_file")
        && !entry.has_global(&["mattermost_webhook_url"]);
    entry.wrong_if(
        none,
        "missing webhook_url or webhook_url_file on mattermost_config",
    );
    let attachments = entry
        .node
        .get("attachments")
        .map_or(&[][..], Node::elements);
    let lists = attachments.iter().chain([entry.node]);
    let fields = lists.flat_map(|node| node.get("fields").map_or(&[][..], Node::elements));
    for field in fields {
        for name in ["title", "value"] {
            let given = field.get(name).and_then(Node::text).unwrap_or_default();
            if given.is_empty() {
                let message = format!("missing {name} in Mattermost field configuration");
                entry.fields.problems().add(field.position, message);
            }
        }
    }
}

fn incidentio(entry: &mut Entry<'_, '_, '_>) {
    entry.exactly_one("url", "url_file");
    entry.at_most_one("alert_source_token", "alert_source_token_file");
    let token = entry.has("alert_source_token") || entry.has("alert_source_token_file");
    let authorization = entry.has_authorization();
    entry.wrong_if(
        token && authorization,
        "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization",
    );
    let none = entry.http.is_some() && !authorization && !token;
    entry.wrong_if(none, "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured");
}
