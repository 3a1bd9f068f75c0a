//! What ties the fields of a kind together: one function a kind, messages as upstream's.

use super::Entry;
use config::yaml::Node;

pub(super) fn pagerduty(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn opsgenie(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn wechat(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn victorops(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn pushover(entry: &mut Entry<'_, '_, '_>) {
    entry.exactly_one("user_key", "user_key_file");
    entry.exactly_one("token", "token_file");
    let is_true = |name| matches!(entry.text(name), "true" | "yes" | "on");
    let both = is_true("html") && is_true("monospace");
    entry.wrong_if(both, "at most one of monospace & html must be configured");
}

pub(super) fn sns(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn telegram(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn webhook_url(entry: &mut Entry<'_, '_, '_>) {
    entry.exactly_one("webhook_url", "webhook_url_file");
}

pub(super) fn webex(entry: &mut Entry<'_, '_, '_>) {
    let none = !entry.has("room_id");
    entry.wrong_if(none, "missing room_id on webex_config");
    let none = !entry.has_authorization();
    entry.wrong_if(none, "missing webex_configs.http_config.authorization");
}

pub(super) fn jira(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn rocketchat(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn mattermost(entry: &mut Entry<'_, '_, '_>) {
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

pub(super) fn incidentio(entry: &mut Entry<'_, '_, '_>) {
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
