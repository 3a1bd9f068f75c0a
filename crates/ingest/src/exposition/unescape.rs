//! Backslash escapes of exposition text.

use std::borrow::Cow;

/// Undoes `\\`, `\"` and `\n`; other backslashes stay as they are.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    undo(text, true)
}

/// Undoes `\\` and `\n`, the only escapes of a help text in the text format.
pub(super) fn unescape_help(text: &str) -> Cow<'_, str> {
    undo(text, false)
}

fn undo(text: &str, quotes: bool) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let escaped = match (c, rest.as_str().chars().next()) {
            ('\\', Some('\\')) => Some('\\'),
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('"')) if quotes => Some('"'),
            _ => None,
        };
        if escaped.is_some() {
            rest.next();
        }
        plain.push(escaped.unwrap_or(c));
    }
    Cow::Owned(plain)
}
