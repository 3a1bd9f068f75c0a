use super::{Config, Settings, TlsMode};
use std::fs;
use std::path::Path;

const HEAD: &str = "route: {receiver: r}\nreceivers:\n";

/// The mistakes of a file, each without the file's name.
fn mistakes(text: &str) -> String {
    match Config::parse(text, "a.yml") {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string().replace("a.yml:", ""),
    }
}

fn check(text: &str, expected: &str) {
    assert_eq!(mistakes(text), expected, "{text}");
}

/// What is wrong with the one receiver that stands in `receiver`.
fn check_receiver(receiver: &str, expected: &str) {
    let found = mistakes(&format!("{HEAD}  - name: r\n    {receiver}\n"));
    let without_place: Vec<&str> = found
        .lines()
        .map(|line| line.split_once(": ").map_or(line, |(_, message)| message))
        .collect();
    assert_eq!(without_place.join("\n"), expected, "{receiver}");
}

#[test]
fn refuses_wrong_routes_with_upstreams_words() {
    check("", "1:1: no route provided in config");
    check("receivers: [{name: r}]", "1:1: no routes provided");
    check(
        "route: {}",
        "1:8: root route must specify a default receiver",
    );
    check(
        "route: {receiver: r, matchers: ['a=b'], continue: true, mute_time_intervals: [x]}\nreceivers: [{name: r}]",
        "1:8: root route must not have any matchers\n\
         1:8: root route must not have any mute time intervals\n\
         1:8: cannot have continue in root route\n\
         1:79: undefined time interval \"x\" used in route",
    );
    check(
        "route: {receiver: r, routes: [{receiver: q, active_time_intervals: [t]}]}\nreceivers: [{name: r}, {name: r}]",
        "2:24: notification config name \"r\" is not unique\n\
         1:42: undefined receiver \"q\" used in route\n\
         1:69: undefined time interval \"t\" used in route",
    );
    check(
        "route: {receiver: r, group_by: [a, ..., a, ''], group_interval: 0s, repeat_interval: 0s, group_wait: x}\nreceivers: [{name: r}]",
        "1:41: duplicated label \"a\" in group_by\n\
         1:44: invalid label name \"\" in group_by list\n\
         1:32: cannot have wildcard group_by (`...`) and other labels at the same time\n\
         1:102: not a valid duration string: \"x\"\n\
         1:65: group_interval cannot be zero\n\
         1:86: repeat_interval cannot be zero",
    );
    check(
        "route: {receiver: r, routes: [{match: {0a: b}, match_re: {b: , c: '('}, matchers: [d], zz: 1}]}\nreceivers: [{name: r}]",
        "1:40: invalid label name \"0a\"\n\
         1:59: invalid regexp value for \"b\"\n\
         1:67: error parsing regexp: missing closing ): `^(?:()$`\n\
         1:84: bad matcher format: d\n\
         1:88: field \"zz\" not found in config.plain",
    );
}

#[test]
fn refuses_wrong_time_intervals() {
    let intervals = |body: &str| {
        format!("{HEAD}  - name: r\ntime_intervals:\n- name: t\n  time_intervals:\n  - {body}\n")
    };
    let check = |body: &str, expected: &str| {
        let found = mistakes(&intervals(body));
        let message = found.split_once(": ").map_or("", |(_, message)| message);
        assert_eq!(message, expected, "{body}");
    };
    check("times: [{start_time: '09:00', end_time: '24:00'}]", "");
    check(
        "times: [{start_time: '09:00'}]",
        "both start and end times must be provided",
    );
    check(
        "times: [{start_time: '9:00', end_time: '10:00'}]",
        "couldn't parse timestamp 9:00, invalid format",
    );
    check(
        "times: [{start_time: '10:00', end_time: '10:00'}]",
        "start time cannot be equal or greater than end time",
    );
    check("weekdays: ['monday:friday', 'Sunday']", "");
    check(
        "weekdays: ['friday:monday']",
        "start day cannot be before end day",
    );
    check("weekdays: ['frieday']", "frieday is not a valid weekday");
    check("days_of_month: ['1:5', '-3:-1', '20:-1']", "");
    check(
        "days_of_month: ['0']",
        "0 is not a valid day of the month: out of range",
    );
    check(
        "days_of_month: ['-1:3']",
        "end day must be negative if start day is negative",
    );
    check(
        "days_of_month: ['10:-25']",
        "end day -25 is always before start day 10",
    );
    check("months: ['january:march', '5:august', 'december']", "");
    check(
        "months: ['may:april']",
        "end month april is before start month may",
    );
    check("months: ['smarch']", "smarch is not a valid month");
    check("years: ['2026:2028', 2030]", "");
    check(
        "years: ['2028:2026']",
        "end year 2026 is before start year 2028",
    );
    check("location: Europe/Berlin", "");
    check("location: Middle/Earth", "unknown time zone Middle/Earth");
}

/// What a receiver says, and what is wrong with it.
const WRONG_RECEIVERS: &[(&str, &str)] = &[
    (
        "webhook_configs: [{}]",
        "one of url or url_file must be configured",
    ),
    ("webhook_configs: [null]", "missing webhook config"),
    (
        "webhook_configs: [{url: 'ftp://a', url_file: b}]",
        "at most one of url & url_file must be configured\ninvalid URL: unsupported scheme \"ftp\" for URL",
    ),
    (
        "email_configs: [{to: a@b}]",
        "no global SMTP smarthost set\nno global SMTP from set",
    ),
    (
        "email_configs: [{smarthost: 'h', from: a, headers: {a: b, A: c}}]",
        "address h: missing port in address\nmissing to address in email config\nduplicate header \"A\" in email config",
    ),
    (
        "slack_configs: [{}]",
        "no Slack API URL nor App token set either inline or in a file",
    ),
    (
        "slack_configs: [{api_url: 'http://a', actions: [{type: button}], fields: [{title: a}]}]",
        "missing value in Slack field configuration\nmissing text in Slack action configuration\nmissing name or url in Slack action configuration",
    ),
    (
        "slack_configs: [{api_url: 'http://a', app_token: x}]",
        "at most one of api_url/api_url_file & app_token/app_token_file must be configured",
    ),
    (
        "pagerduty_configs: [{}]",
        "missing service or routing key in PagerDuty config",
    ),
    (
        "opsgenie_configs: [{}]",
        "no global OpsGenie API Key set either inline or in a file",
    ),
    (
        "victorops_configs: [{api_key: a}]",
        "missing Routing key in VictorOps config",
    ),
    (
        "pushover_configs: [{token: a}]",
        "one of user_key or user_key_file must be configured",
    ),
    (
        "sns_configs: [{}]",
        "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config",
    ),
    (
        "telegram_configs: [{bot_token: a, parse_mode: x}]",
        "missing chat_id or chat_id_file on telegram_config\nunknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string",
    ),
    (
        "discord_configs: [{}]",
        "one of webhook_url or webhook_url_file must be configured",
    ),
    (
        "webex_configs: [{room_id: a}]",
        "missing webex_configs.http_config.authorization",
    ),
    (
        "msteams_configs: [{webhook_url: 'http://a', webhook_url_file: b}]",
        "at most one of webhook_url & webhook_url_file must be configured",
    ),
    (
        "jira_configs: [{api_url: 'http://a', project: p}]",
        "missing issue_type in jira_config",
    ),
    (
        "rocketchat_configs: [{token: a}]",
        "no global Rocketchat TokenID set either inline or in a file",
    ),
    (
        "mattermost_configs: [{}]",
        "missing webhook_url or webhook_url_file on mattermost_config",
    ),
    (
        "incidentio_configs: [{url: 'http://a', http_config: {}}]",
        "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured",
    ),
    (
        "wechat_configs: [{api_secret: a, corp_id: b, message_type: x}]",
        "weChat message type \"x\" does not match valid options ^(text|markdown)$",
    ),
    (
        "labels: {name: other}",
        "receiver label \"name\" must match receiver name \"r\", got \"other\"",
    ),
    (
        "hipchat_configs: []",
        "field \"hipchat_configs\" not found in config.plain",
    ),
];

#[test]
fn refuses_wrong_receivers_with_upstreams_words() {
    for (receiver, expected) in WRONG_RECEIVERS {
        check_receiver(receiver, expected);
    }
}

#[test]
fn reads_what_deliver_needs() {
    let text = "
global: {smtp_smarthost: 'mail:465', smtp_from: a@b, smtp_auth_username: u, smtp_auth_password: secret, slack_app_token: xoxb}
route: {receiver: r, group_by: ['...']}
templates: ['t/*.tmpl', '/abs/*.tmpl']
receivers:
- name: r
  webhook_configs: [{url: 'http://u:p@h/{{ .Receiver }}', max_alerts: 3, timeout: 1m30s}, {url: 'http://h', send_resolved: false}]
  slack_configs: [{channel: '#c'}]
  email_configs: [{to: x@y, headers: {reply-to: z}}]
  pagerduty_configs: [{routing_key: k}]
";
    let config = Config::parse(text, "dir/am.yml").expect("good");
    assert_eq!(
        config.templates,
        [Path::new("dir/t/*.tmpl"), Path::new("/abs/*.tmpl")]
    );
    let receiver = config.receiver("r").expect("r");
    let kinds: Vec<_> = receiver
        .integrations
        .iter()
        .map(|i| (i.kind, i.index, i.send_resolved))
        .collect();
    assert_eq!(
        kinds,
        [
            ("webhook", 0, true),
            ("webhook", 1, false),
            ("email", 0, false),
            ("slack", 0, false),
            ("pagerduty", 0, true)
        ]
    );
    for integration in &receiver.integrations {
        match &integration.settings {
            Settings::Webhook(webhook) if integration.index == 0 => {
                assert_eq!((webhook.alerts_max, webhook.timeout_ms), (3, Some(90_000)));
            }
            Settings::Slack(slack) => {
                assert!(slack.with_token && slack.texts.get("channel") == "#c")
            }
            Settings::Email(email) => {
                assert_eq!(email.tls_mode, TlsMode::Implicit);
                assert_eq!(email.headers, [("Reply-To".to_owned(), "z".to_owned())]);
            }
            Settings::PagerDuty(pagerduty) => {
                assert_eq!(pagerduty.url, "https://events.pagerduty.com/v2/enqueue");
            }
            _ => {}
        }
    }
    for secret in ["xoxb", "u:p@h", "password: secret", "routing_key: k"] {
        assert!(!config.redacted.contains(secret), "{}", config.redacted);
    }
    assert!(
        config.redacted.contains("smtp_from: a@b\n"),
        "{}",
        config.redacted
    );
}

/// What upstream's own tests expect of a file, by its name.
fn is_bad(name: &str) -> bool {
    let exceptions = ["conf.smtp-no-username-or-password.yml"];
    let signs = [
        "both-",
        "-no-",
        "bad",
        "invalid",
        "nil-",
        "update-message-and-webhook",
        "old-team",
    ];
    !exceptions.contains(&name) && signs.iter().any(|sign| name.contains(sign))
}

#[test]
fn judges_upstreams_files_as_upstream_does() {
    let Some(folder) = runtime::environment::var("CONFORMANCE") else {
        println!("skipped: CONFORMANCE names no folder with upstream's files");
        return;
    };
    let mut passed = 0;
    for part in ["alertmanager-config", "amtool"] {
        let entries = fs::read_dir(Path::new(&folder).join(part)).expect("folder");
        for entry in entries {
            let path = entry.expect("entry").path();
            let name = path
                .file_name()
                .expect("name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).expect("text");
            match (Config::parse(&text, &name), is_bad(&name)) {
                (Ok(_), true) => panic!("{name} is bad but was taken"),
                (Err(problems), false) => panic!("{name} is good but was refused:\n{problems}"),
                (Ok(config), false) => {
                    // What is shown reads back.
                    let again = Config::parse(&config.redacted, &name);
                    assert!(
                        again.is_ok(),
                        "{name}: {:?}\n{}",
                        again.err(),
                        config.redacted
                    );
                    passed += 1;
                }
                (Err(_), true) => passed += 1,
            }
        }
    }
    assert!(passed >= 35, "only {passed} files");
}
