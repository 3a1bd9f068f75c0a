//! Moves the context over a piece of text, and rewrites the text: comments go, stray `<` are escaped.

use super::context::{Attr, Context, Delim, Element, State};
use super::entity;
use super::javascript::is_script_type;
use super::transition::{find, from, shown, special_tag_end, transition};
use crate::format::quote;

/// Returns the context after a text and the text as it is to be written.
pub(super) fn escape_text(context: Context, text: &str) -> Result<(Context, String), String> {
    let bytes = text.as_bytes();
    let mut context = context;
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let (mut written, mut position) = (0, 0);
    while position < bytes.len() {
        let (next, length) = after_text(context.clone(), from(bytes, position))?;
        let end = position + length;
        if length == 0 && next.state == context.state {
            return Err(format!(
                "no way on from {context} at {}",
                shown(from(bytes, position))
            ));
        }
        if matches!(context.state, State::Text | State::RCDATA) {
            let piece = bytes.get(position..end).unwrap_or(&[]);
            let tag = piece.iter().rposition(|byte| *byte == b'<');
            let content = if next.state == context.state {
                length
            } else {
                tag.unwrap_or(length)
            };
            for at in position..position + content {
                if bytes.get(at) == Some(&b'<') && !is_doctype(from(bytes, at)) {
                    out.extend_from_slice(bytes.get(written..at).unwrap_or(&[]));
                    out.extend_from_slice(b"&lt;");
                    written = at + 1;
                }
            }
        } else if context.state.is_comment() && context.delim == Delim::None {
            match context.state {
                State::JSBlockCmt => {
                    let has_line_end = has_line_end(bytes.get(written..end).unwrap_or(&[]));
                    out.push(if has_line_end { b'\n' } else { b' ' });
                }
                State::CSSBlockCmt => out.push(b' '),
                _ => {}
            }
            written = end;
        }
        if context.state != next.state && next.state.is_comment() && next.delim == Delim::None {
            let mark = match next.state {
                State::HTMLCmt | State::JSHTMLOpenCmt => 4,
                State::JSHTMLCloseCmt => 3,
                _ => 2,
            };
            out.extend_from_slice(bytes.get(written..end - mark).unwrap_or(&[]));
            written = end;
        }
        let piece = bytes.get(position..end).unwrap_or(&[]);
        if context.state.is_in_script_literal() && has_script_tag(piece) {
            out.extend_from_slice(bytes.get(written..position).unwrap_or(&[]));
            push_without_script_tags(piece, &mut out);
            written = end;
        }
        context = next;
        position = end;
    }
    if !context.state.is_comment() || context.delim != Delim::None || written == 0 {
        out.extend_from_slice(from(bytes, written));
    }
    Ok((context, String::from_utf8_lossy(&out).into_owned()))
}

fn is_doctype(text: &[u8]) -> bool {
    text.get(..9)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"<!DOCTYPE"))
}

fn has_line_end(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
        || find(text, "\u{2028}".as_bytes()).is_some()
        || find(text, "\u{2029}".as_bytes()).is_some()
}

/// Whether `text` begins with what could end or confuse a script element.
fn starts_script_tag(text: &[u8]) -> bool {
    [b"<script".as_slice(), b"</script", b"<!--"]
        .iter()
        .any(|tag| {
            text.get(..tag.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(tag))
        })
}

fn has_script_tag(text: &[u8]) -> bool {
    (0..text.len()).any(|at| starts_script_tag(from(text, at)))
}

fn push_without_script_tags(text: &[u8], out: &mut Vec<u8>) {
    for (at, byte) in text.iter().enumerate() {
        if starts_script_tag(from(text, at)) {
            out.extend_from_slice(b"\\x3C");
        } else {
            out.push(*byte);
        }
    }
}

/// Moves over one token, or inside an attribute over its whole value.
fn after_text(mut context: Context, text: &[u8]) -> Result<(Context, usize), String> {
    let ends: &[u8] = match context.delim {
        Delim::None => {
            let (ended, length) = special_tag_end(context.clone(), text);
            if length == 0 {
                return Ok((ended, 0));
            }
            return transition(context, text.get(..length).unwrap_or(text));
        }
        Delim::DoubleQuote => b"\"",
        Delim::SingleQuote => b"'",
        Delim::SpaceOrTagEnd => b" \t\n\x0c\r>",
    };
    let end = text
        .iter()
        .position(|byte| ends.contains(byte))
        .unwrap_or(text.len());
    let value = text.get(..end).unwrap_or(text);
    if context.delim == Delim::SpaceOrTagEnd
        && let Some(bad) = value
            .iter()
            .find(|byte| matches!(byte, b'"' | b'\'' | b'<' | b'=' | b'`'))
    {
        let value = quote(&String::from_utf8_lossy(value));
        return Err(format!("{} in unquoted attr: {value}", shown(&[*bad])));
    }
    if end == text.len() {
        let decoded = entity::unescape(&String::from_utf8_lossy(text));
        let mut rest = decoded.as_bytes();
        while !rest.is_empty() {
            let before = context.clone();
            let (next, length) = transition(context, rest)?;
            if length == 0 && next == before {
                return Ok((next, text.len()));
            }
            context = next;
            rest = from(rest, length);
        }
        return Ok((context, text.len()));
    }
    let mut element = context.element;
    let is_script_type_attribute = context.state == State::Attr
        && element == Element::Script
        && context.attr == Attr::ScriptType;
    if is_script_type_attribute && !is_script_type(&String::from_utf8_lossy(value)) {
        element = Element::None;
    }
    let quote = usize::from(context.delim != Delim::SpaceOrTagEnd);
    Ok((Context::of(State::Tag, element), end + quote))
}
