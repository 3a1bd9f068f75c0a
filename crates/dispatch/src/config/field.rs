//! Decoders that only alertmanager.yml needs.

use config::yaml::{Node, NodeKind};
use config::{Fields, Problems, Secret, WebAddress, decode};

/// An address as in `smtp.example.org:587`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// Number or service name.
    pub port: String,
}

/// Reads `host:port`; the empty text counts as absent.
pub(super) fn host_port(node: &Node, problems: &mut Problems) -> Option<HostPort> {
    let text = decode::string(node, problems)?;
    if text.is_empty() {
        return None;
    }
    match split_host_port(&text) {
        Ok(address) => Some(address),
        Err(reason) => {
            problems.add(node.position, format!("address {text}: {reason}"));
            None
        }
    }
}

fn split_host_port(text: &str) -> Result<HostPort, &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("missing port in address")?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').ok_or("missing ']' in address")?,
        None if host.contains(':') => return Err("too many colons in address"),
        None => host,
    };
    if port.is_empty() {
        return Err("port cannot be empty");
    }
    Ok(HostPort {
        host: host.to_owned(),
        port: port.to_owned(),
    })
}

/// Whether a text is an address that HTTP can reach; the error is upstream's.
pub(super) fn check_url(text: &str) -> Result<(), String> {
    let address = WebAddress::parse(text)?;
    if address.scheme != "http" && address.scheme != "https" {
        return Err(format!("unsupported scheme {:?} for URL", address.scheme));
    }
    if address.host.is_empty() {
        return Err("missing host for URL".to_owned());
    }
    Ok(())
}

/// Reads an address without secrets in it.
pub(super) fn url(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = decode::string(node, problems)?;
    match check_url(&text) {
        Ok(()) => Some(text),
        Err(message) => {
            problems.add(node.position, format!("{message}: {text:?}"));
            None
        }
    }
}

/// Reads an address that is itself a secret; messages do not repeat it.
pub(super) fn secret_url(node: &Node, problems: &mut Problems) -> Option<Secret> {
    let text = decode::secret(node, problems)?;
    if text.reveal() == config::secret::HIDDEN {
        return Some(text);
    }
    match check_url(text.reveal()) {
        Ok(()) => Some(text),
        Err(message) => {
            problems.add(node.position, hide(&message, &text));
            None
        }
    }
}

/// Reads an address that may hold template actions; only one without them is checked as an address.
pub(super) fn template_url(node: &Node, problems: &mut Problems) -> Option<Secret> {
    let text = decode::secret(node, problems)?;
    if text.is_empty() || text.reveal() == config::secret::HIDDEN {
        return Some(text).filter(|text| !text.is_empty());
    }
    let checked = if text.reveal().contains("{{") {
        crate::template::check_syntax(text.reveal())
            .map_err(|error| format!("invalid template syntax: {error}"))
    } else {
        check_url(text.reveal()).map_err(|error| format!("invalid URL: {error}"))
    };
    match checked {
        Ok(()) => Some(text),
        Err(message) => {
            problems.add(node.position, hide(&message, &text));
            None
        }
    }
}

fn hide(message: &str, secret: &Secret) -> String {
    message
        .replace(&format!("{:?}", secret.reveal()), config::secret::HIDDEN)
        .replace(secret.reveal(), config::secret::HIDDEN)
}

/// Reads a duration as Go's `time.ParseDuration` does (`1h30m`, `1.5s`, `100ms`), in milliseconds; a bare
/// whole number is nanoseconds, as YAML readers for Go take it.
pub(super) fn go_duration_ms(node: &Node, problems: &mut Problems) -> Option<i64> {
    let text = decode::string(node, problems)?;
    let bare = matches!(node.kind, NodeKind::Scalar { quoted: false, .. });
    let nanoseconds = text.parse::<i64>().ok().filter(|_| bare);
    if let Some(nanoseconds) = nanoseconds {
        return Some(nanoseconds / 1_000_000);
    }
    let millis = parse_go_duration(&text);
    if millis.is_none() {
        problems.add(node.position, format!("time: invalid duration {text:?}"));
    }
    millis
}

/// Reads a duration as Go's `time.ParseDuration` does, in milliseconds; `None` where it is none.
#[must_use]
pub fn parse_go_duration(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0);
    }
    if unsigned.is_empty() {
        return None;
    }
    let units = [
        ("ns", 1e-6),
        ("us", 1e-3),
        ("µs", 1e-3),
        ("μs", 1e-3),
        ("ms", 1.0),
        ("s", 1000.0),
        ("m", 60_000.0),
        ("h", 3_600_000.0),
    ];
    let (mut rest, mut total) = (unsigned, 0.0);
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    Some(model::number::float_to_i64(sign * total))
}

/// A text that must be there: the given one, or a mistake.
pub(super) fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Reads a mapping of texts that may lack any of them.
pub(super) fn record<const N: usize>(
    node: &Node,
    names: [&str; N],
    problems: &mut Problems,
) -> Option<[String; N]> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let texts = names.map(|name| fields.read(name, decode::string).unwrap_or_default());
    fields.finish();
    Some(texts)
}

/// Reads a mapping with anything in it.
pub(super) fn any_map(node: &Node, problems: &mut Problems) -> Option<Vec<(String, Node)>> {
    let NodeKind::Mapping(pairs) = &node.kind else {
        decode::expected(node, "a mapping", problems);
        return None;
    };
    let entry = |(name, value): &(Node, Node)| Some((name.text()?.to_owned(), value.clone()));
    Some(pairs.iter().filter_map(entry).collect())
}
