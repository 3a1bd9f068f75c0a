//! Escaping and filtering of URLs.

use super::{Content, FAILSAFE};

/// Whether a URL is relative or of a scheme that only shows something.
fn is_safe(url: &str) -> bool {
    match url.split_once(':') {
        Some((scheme, _)) if !scheme.contains('/') => ["http", "https", "mailto"]
            .iter()
            .any(|safe| scheme.eq_ignore_ascii_case(safe)),
        _ => true,
    }
}

/// Replaces a URL whose scheme could run something.
pub(super) fn filter(text: &str, content: Content) -> String {
    if content == Content::Url || is_safe(text) {
        text.into()
    } else {
        format!("#{FAILSAFE}")
    }
}

/// Escapes text for a query.
pub(super) fn escape(text: &str, content: Content) -> String {
    process(text, content == Content::Url)
}

/// Escapes what no URL may contain and leaves the rest.
pub(super) fn normalize(text: &str) -> String {
    process(text, true)
}

fn process(text: &str, normalize: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 16);
    for (position, byte) in bytes.iter().enumerate() {
        let is_escape = || {
            let digits = bytes.get(position + 1..position + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let keep = match byte {
            b'!' | b'#' | b'$' | b'&' | b'*' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?'
            | b'@' | b'[' | b']' => normalize,
            b'-' | b'.' | b'_' | b'~' => true,
            b'%' => normalize && is_escape(),
            byte => byte.is_ascii_alphanumeric(),
        };
        if keep {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

/// Filters each URL of a srcset.
pub(super) fn filter_srcset(text: &str, content: Content) -> String {
    match content {
        Content::Srcset => text.into(),
        Content::Url => process(text, true).replace(',', "%2c"),
        _ => text
            .split(',')
            .map(srcset_element)
            .collect::<Vec<_>>()
            .join(","),
    }
}

fn srcset_element(element: &str) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r');
    let trimmed = element.trim_start_matches(is_space);
    let leading = element.get(..element.len() - trimmed.len()).unwrap_or("");
    let (url, metadata) = trimmed.split_at(trimmed.find(is_space).unwrap_or(trimmed.len()));
    if is_safe(url)
        && metadata
            .chars()
            .all(|c| is_space(c) || c.is_ascii_alphanumeric())
    {
        return format!("{leading}{}{metadata}", process(url, true));
    }
    format!("#{FAILSAFE}")
}
