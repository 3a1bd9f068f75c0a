//! The file as it may be shown: YAML again, comments gone, secrets hidden.
//!
//! Which values are secret is decided by the name of the field and what it stands in. Where in doubt it
//! is hidden: an address hidden needlessly is an annoyance, a token shown is a leak.

use crate::secret::HIDDEN;
use crate::yaml::{Node, NodeKind};
use model::labels::Quoted;
use std::fmt::Write as _;

/// Fields whose value is secret wherever they stand.
const SECRET_FIELDS: [&str; 33] = [
    "smtp_auth_password",
    "smtp_auth_secret",
    "slack_api_url",
    "slack_app_token",
    "opsgenie_api_key",
    "wechat_api_secret",
    "victorops_api_key",
    "telegram_bot_token",
    "rocketchat_token",
    "rocketchat_token_id",
    "mattermost_webhook_url",
    "auth_password",
    "auth_secret",
    "app_token",
    "api_secret",
    "api_key",
    "service_key",
    "user_key",
    "token",
    "token_id",
    "bot_token",
    "webhook_url",
    "alert_source_token",
    "password",
    "bearer_token",
    "credentials",
    "client_secret",
    "client_certificate_key",
    "secret_key",
    "proxy_url",
    "key",
    "secrets",
    "proxy_connect_header",
];
/// Fields that are secret only within these lists.
const SECRET_WITHIN: [(&str, &str); 4] = [
    ("slack_configs", "api_url"),
    ("pagerduty_configs", "routing_key"),
    ("webhook_configs", "url"),
    ("webhook_outputs", "url"),
];

/// Prints a document.
#[must_use]
pub fn print(root: &Node) -> String {
    let mut text = String::new();
    print_block(root, 0, "", &mut text);
    text
}

fn is_secret(within: &str, field: &str) -> bool {
    SECRET_FIELDS.contains(&field) || SECRET_WITHIN.contains(&(within, field))
}

/// Whether older readers take nothing but an address there, so that what hides it must look like one: amtool 0.25 reads
/// what a server shows.
fn is_address(within: &str, field: &str) -> bool {
    field == "proxy_url" || (within, field) == ("webhook_configs", "url")
}

/// YAML allows 1024 characters; as Go's writer, which other tools compare with, we stay far below.
const SIMPLE_KEY_BYTES_MAX: usize = 128;

/// Prints a node that starts on a line of its own; `within` is the nearest list field around it.
fn print_block(node: &Node, indent: usize, within: &str, text: &mut String) {
    match &node.kind {
        NodeKind::Mapping(pairs) => {
            for (key, value) in pairs {
                let name = key.text().unwrap_or("null");
                text.extend(std::iter::repeat_n(' ', indent));
                push_key(name, indent, text);
                if is_secret(within, name) && !value.is_null() {
                    let scheme = if is_address(within, name) {
                        "http://"
                    } else {
                        ""
                    };
                    let _infallible = writeln!(text, " {scheme}{HIDDEN}");
                    continue;
                }
                let within = if name.ends_with("_configs") || name.ends_with("_outputs") {
                    name
                } else {
                    within
                };
                print_value(value, indent, within, text);
            }
        }
        NodeKind::Sequence(elements) => {
            for element in elements {
                text.extend(std::iter::repeat_n(' ', indent));
                text.push('-');
                print_element(element, indent, within, text);
            }
        }
        NodeKind::Null | NodeKind::Scalar { .. } => {
            text.push_str(&scalar(node));
            text.push('\n');
        }
    }
}

/// A long key needs the form with a question mark: readers look for a colon only so far.
fn push_key(name: &str, indent: usize, text: &mut String) {
    let key = plain_or_quoted(name);
    if key.len() > SIMPLE_KEY_BYTES_MAX {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "? {key}\n{:indent$}:", "");
    } else {
        text.push_str(&key);
        text.push(':');
    }
}

/// Prints what follows `key:`.
fn print_value(value: &Node, indent: usize, within: &str, text: &mut String) {
    match &value.kind {
        NodeKind::Mapping(pairs) if pairs.is_empty() => text.push_str(" {}\n"),
        NodeKind::Sequence(elements) if elements.is_empty() => text.push_str(" []\n"),
        NodeKind::Mapping(_) => {
            text.push('\n');
            print_block(value, indent + 2, within, text);
        }
        NodeKind::Sequence(_) => {
            text.push('\n');
            print_block(value, indent, within, text);
        }
        NodeKind::Null | NodeKind::Scalar { .. } => {
            text.push(' ');
            print_block(value, indent, within, text);
        }
    }
}

/// Prints what follows `-`: the first field of a mapping stands on the same line.
fn print_element(element: &Node, indent: usize, within: &str, text: &mut String) {
    match &element.kind {
        NodeKind::Mapping(pairs) if !pairs.is_empty() => {
            let mut inner = String::new();
            print_block(element, indent + 2, within, &mut inner);
            text.push(' ');
            text.push_str(inner.trim_start());
        }
        NodeKind::Sequence(elements) if !elements.is_empty() => {
            text.push('\n');
            print_block(element, indent + 2, within, text);
        }
        NodeKind::Mapping(_) => text.push_str(" {}\n"),
        NodeKind::Sequence(_) => text.push_str(" []\n"),
        NodeKind::Null | NodeKind::Scalar { .. } => {
            text.push(' ');
            print_block(element, indent, within, text);
        }
    }
}

fn scalar(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar { text, quoted: true } => Quoted(text).to_string(),
        NodeKind::Scalar {
            text,
            quoted: false,
        } => plain_or_quoted(text),
        NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => "null".to_owned(),
    }
}

/// A text without quotes where every reader takes it as that text.
fn plain_or_quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_./+@-".contains(&b))
        && !text.starts_with(['-', '@']);
    if plain {
        text.to_owned()
    } else {
        Quoted(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::print;
    use crate::Problems;
    use crate::yaml::parse_single;

    fn printed(text: &str) -> String {
        let mut problems = Problems::new("any.yml");
        let root = parse_single(text, &mut problems);
        assert!(problems.is_empty(), "{problems}");
        print(&root.expect("a document"))
    }

    #[test]
    fn long_keys_read_back() {
        let check = |value: &str| {
            let key = "long key ".repeat(200);
            let shown = printed(&format!("a:\n- ? {key}\n  :\n    {value}\n"));
            assert!(shown.contains("? \"long key"), "{shown}");
            assert_eq!(printed(&shown), shown);
        };
        check("1");
        check("{a: 1, b: {c: 2}}");
        check("[1, {a: 1}, [2]]");
        check("null");
        assert_eq!(printed("short: 1\n"), "short: 1\n");
    }
}
