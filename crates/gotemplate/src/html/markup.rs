//! Escaping of values in text, attributes and names.

use super::attribute::{self, Kind};
use super::context::{Context, Delim, Element, State};
use super::transition::{from, transition};
use super::{Content, FAILSAFE};

/// Replaces what is special in HTML; `keep_references` leaves `&` of text that is HTML already.
fn replace(text: &str, keep_references: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' if keep_references => out.push('&'),
            '&' => out.push_str("&amp;"),
            c => push_escaped(c, &mut out),
        }
    }
    out
}

fn push_escaped(c: char, out: &mut String) {
    match c {
        '\0' => out.push('\u{fffd}'),
        '"' => out.push_str("&#34;"),
        '\'' => out.push_str("&#39;"),
        '+' => out.push_str("&#43;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        c => out.push(c),
    }
}

/// Escapes for text.
pub(super) fn html(text: &str, content: Content) -> String {
    if content == Content::Html {
        text.into()
    } else {
        replace(text, false)
    }
}

/// Escapes for a quoted attribute; of HTML only the text is kept.
pub(super) fn attribute(text: &str, content: Content) -> String {
    if content == Content::Html {
        replace(&strip_tags(text), true)
    } else {
        replace(text, false)
    }
}

/// Escapes for the content of a title or textarea.
pub(super) fn rcdata(text: &str, content: Content) -> String {
    replace(text, content == Content::Html)
}

/// Escapes for an attribute without quotes.
pub(super) fn unquoted_attribute(text: &str, content: Content) -> String {
    if text.is_empty() {
        return FAILSAFE.into();
    }
    let is_html = content == Content::Html;
    let text = if is_html {
        strip_tags(text)
    } else {
        text.to_owned()
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => out.push_str("&#xfffd;"),
            '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ' | '=' | '`' => {
                out.push_str(&format!("&#{};", u32::from(c)))
            }
            '&' if is_html => out.push('&'),
            '&' => out.push_str("&amp;"),
            '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}' => {
                out.push_str(&format!("&#x{:x};", u32::from(c)))
            }
            c => push_escaped(c, &mut out),
        }
    }
    out
}

/// Lets pass what is a harmless attribute name.
pub(super) fn filter_name(text: &str, content: Content) -> String {
    if content == Content::HtmlAttr {
        return text.into();
    }
    let name = text.to_lowercase();
    let is_plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.is_empty() || !is_plain || attribute::kind(&name) != Kind::Plain {
        return FAILSAFE.into();
    }
    name
}

/// Keeps the text of a piece of HTML.
fn strip_tags(html: &str) -> String {
    let bytes = html.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut context = Context::text();
    let (mut position, mut all_text) = (0, true);
    while position < bytes.len() {
        let rest = from(bytes, position);
        if context.delim == Delim::None {
            let is_content = context.element != Element::None && !context.state.is_in_tag();
            let old = context.state;
            let mut moving = context.clone();
            if is_content {
                moving.state = State::RCDATA;
            }
            // What is no HTML is kept as the text it may be.
            let Ok((next, length)) = transition(moving, rest) else {
                break;
            };
            if matches!(old, State::Text | State::RCDATA) {
                let piece = rest.get(..length).unwrap_or(rest);
                let tag = piece.iter().rposition(|byte| *byte == b'<');
                let kept = if next.state == old {
                    length
                } else {
                    tag.unwrap_or(length)
                };
                out.extend_from_slice(piece.get(..kept).unwrap_or(piece));
            } else {
                all_text = false;
            }
            let stuck = length == 0 && next == context;
            context = next;
            position += length;
            if stuck {
                break;
            }
            continue;
        }
        let ends: &[u8] = match context.delim {
            Delim::DoubleQuote => b"\"",
            Delim::SingleQuote => b"'",
            Delim::SpaceOrTagEnd | Delim::None => b" \t\n\x0c\r>",
        };
        let Some(end) = rest.iter().position(|byte| ends.contains(byte)) else {
            break;
        };
        position += end + usize::from(context.delim != Delim::SpaceOrTagEnd);
        context = Context::of(State::Tag, context.element);
    }
    if all_text {
        return html.into();
    }
    if matches!(context.state, State::Text | State::RCDATA) {
        out.extend_from_slice(from(bytes, position));
    }
    String::from_utf8_lossy(&out).into_owned()
}
