//! Host and port of an `instance` label.

use std::net::IpAddr;

/// Splits `host:port`, `[v6]:port`; `None` where Go's SplitHostPort fails.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return (!inner.contains(['[', ']']) && !port.contains(['[', ']']))
            .then_some((inner, port));
    }
    (!host.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

pub(super) fn strip_port(text: &str) -> &str {
    split_host_port(text).map_or(text, |(host, _)| host)
}

/// Keeps the first name of a host; addresses stay as they are.
pub(super) fn strip_domain(text: &str) -> String {
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.into();
    }
    let first = host.split('.').next().unwrap_or("");
    match port {
        "" => first.into(),
        port if first.contains(':') => format!("[{first}]:{port}"),
        port => format!("{first}:{port}"),
    }
}

/// The path of a URL, without a parser for all of it: what lies between host and query.
pub(super) fn url_path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = match (url.contains("://"), after_scheme.find('/')) {
        (true, Some(slash)) => after_scheme.get(slash..).unwrap_or(""),
        (true, None) => "",
        (false, _) => after_scheme,
    };
    path.split(['?', '#']).next().unwrap_or("")
}
