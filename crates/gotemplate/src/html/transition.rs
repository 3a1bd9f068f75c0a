//! How text moves the context along: HTML, attributes and URLs.

use super::attribute::{self, Kind};
use super::context::{Attr, Context, Delim, Element, State, UrlPart};
use super::script;
use crate::format::quote;

/// The context after a piece of text and how many bytes that was, or why the text is wrong.
pub(super) type Step = Result<(Context, usize), String>;

/// Moves over the first token of `text`.
pub(super) fn transition(context: Context, text: &[u8]) -> Step {
    let length = text.len();
    match context.state {
        State::Text => Ok(html_text(context, text)),
        State::Tag => tag(context, text),
        State::AttrName => attribute_name(context, text),
        State::AfterName => Ok(after_name(context, text)),
        State::BeforeValue => Ok(before_value(context, text)),
        State::HTMLCmt => Ok(match find(text, b"-->") {
            Some(end) => (Context::text(), end + 3),
            None => (context, length),
        }),
        State::RCDATA => Ok(special_tag_end(context, text)),
        State::Attr | State::Dead => Ok((context, length)),
        State::URL | State::Srcset => Ok(url(context, text)),
        State::MetaContent => Ok(meta_content(context, text)),
        State::MetaContentURL => Ok(match text.iter().position(|byte| *byte == b';') {
            Some(end) => (
                Context {
                    state: State::MetaContent,
                    ..context
                },
                end + 1,
            ),
            None => (context, length),
        }),
        _ => script::transition(context, text),
    }
}

/// Position of `needle`.
pub(super) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

/// The bytes from `position` on.
pub(super) fn from(text: &[u8], position: usize) -> &[u8] {
    text.get(position..).unwrap_or(&[])
}

/// Quotes text for a message, at most 32 characters of it.
pub(super) fn shown(text: &[u8]) -> String {
    quote(
        &String::from_utf8_lossy(text)
            .chars()
            .take(32)
            .collect::<String>(),
    )
}

/// The first position at or after `from` that is no white space.
pub(super) fn skip_space(text: &[u8], start: usize) -> usize {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r');
    start
        + from(text, start)
            .iter()
            .take_while(|byte| is_space(byte))
            .count()
}

fn html_text(context: Context, text: &[u8]) -> (Context, usize) {
    let mut start = 0;
    while let Some(found) = from(text, start).iter().position(|byte| *byte == b'<') {
        let mut position = start + found;
        if from(text, position).starts_with(b"<!--") {
            return (Context::of(State::HTMLCmt, Element::None), position + 4);
        }
        position += 1;
        let closes = text.get(position) == Some(&b'/');
        if closes {
            position += 1;
        }
        let (end, element) = tag_name(text, position);
        if end != position {
            let element = if closes { Element::None } else { element };
            return (Context::of(State::Tag, element), end);
        }
        start = end;
    }
    let length = text.len();
    (context, length)
}

/// The end of the tag name that begins at `start`, and the element.
fn tag_name(text: &[u8], start: usize) -> (usize, Element) {
    if !text.get(start).is_some_and(u8::is_ascii_alphabetic) {
        return (start, Element::None);
    }
    let mut end = start + 1;
    loop {
        match text.get(end) {
            Some(byte) if byte.is_ascii_alphanumeric() => end += 1,
            Some(b':' | b'-') if text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) => {
                end += 2
            }
            _ => break,
        }
    }
    let name = String::from_utf8_lossy(text.get(start..end).unwrap_or(&[])).into_owned();
    (end, Element::named(&name))
}

fn tag(context: Context, text: &[u8]) -> Step {
    let start = skip_space(text, 0);
    if start == text.len() {
        return Ok((context, start));
    }
    if text.get(start) == Some(&b'>') {
        let element = if context.element == Element::Meta {
            Element::None
        } else {
            context.element
        };
        return Ok((Context::of(element.content(), element), start + 1));
    }
    let end = attribute_name_end(text, start)?;
    if start == end {
        let rest = quote(&String::from_utf8_lossy(from(text, start)));
        return Err(format!(
            "expected space, attr name, or end of tag, but got {rest}"
        ));
    }
    let name = String::from_utf8_lossy(text.get(start..end).unwrap_or(&[])).to_lowercase();
    let attr = match (context.element, name.as_str(), attribute::kind(&name)) {
        (Element::Script, "type", _) => Attr::ScriptType,
        (Element::Meta, "content", _) => Attr::MetaContent,
        (_, _, Kind::Url) => Attr::URL,
        (_, _, Kind::Css) => Attr::Style,
        (_, _, Kind::Js) => Attr::Script,
        (_, _, Kind::Srcset) => Attr::Srcset,
        (_, _, Kind::Plain | Kind::Html | Kind::Unsafe) => Attr::None,
    };
    let state = if end == text.len() {
        State::AttrName
    } else {
        State::AfterName
    };
    Ok((
        Context {
            attr,
            ..Context::of(state, context.element)
        },
        end,
    ))
}

fn attribute_name_end(text: &[u8], start: usize) -> Result<usize, String> {
    for (position, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\x0c' | b'\r' | b'=' | b'>' => return Ok(position),
            b'\'' | b'"' | b'<' => {
                return Err(format!(
                    "{} in attribute name: {}",
                    shown(&[*byte]),
                    shown(text)
                ));
            }
            _ => {}
        }
    }
    Ok(text.len())
}

fn attribute_name(mut context: Context, text: &[u8]) -> Step {
    let end = attribute_name_end(text, 0)?;
    if end != text.len() {
        context.state = State::AfterName;
    }
    Ok((context, end))
}

fn after_name(mut context: Context, text: &[u8]) -> (Context, usize) {
    let start = skip_space(text, 0);
    match text.get(start) {
        None => (context, start),
        Some(b'=') => {
            context.state = State::BeforeValue;
            (context, start + 1)
        }
        Some(_) => {
            context.state = State::Tag;
            (context, start)
        }
    }
}

fn before_value(mut context: Context, text: &[u8]) -> (Context, usize) {
    let start = skip_space(text, 0);
    let (delim, skipped) = match text.get(start) {
        None => return (context, start),
        Some(b'\'') => (Delim::SingleQuote, 1),
        Some(b'"') => (Delim::DoubleQuote, 1),
        Some(_) => (Delim::SpaceOrTagEnd, 0),
    };
    context.state = context.attr.start_state();
    context.delim = delim;
    (context, start + skipped)
}

/// Stops before the end tag of an element whose content is not HTML.
pub(super) fn special_tag_end(context: Context, text: &[u8]) -> (Context, usize) {
    let name: &[u8] = match context.element {
        Element::None => return (context, text.len()),
        Element::Script if context.state.is_in_script_literal() || context.state.is_comment() => {
            return (context, text.len());
        }
        Element::Script => b"script",
        Element::Style => b"style",
        Element::Textarea => b"textarea",
        Element::Title => b"title",
        Element::Meta => b"",
    };
    let ends_here = |position: usize| {
        let rest = from(text, position);
        let Some(rest) = rest.strip_prefix(b"</") else {
            return false;
        };
        rest.get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
            && matches!(
                rest.get(name.len()),
                Some(b'>' | b' ' | b'\t' | b'\n' | b'\x0c' | b'/')
            )
    };
    match (0..text.len()).find(|position| ends_here(*position)) {
        Some(end) => (Context::text(), end),
        None => (context, text.len()),
    }
}

/// Moves along a URL: what matters is whether its query has begun.
pub(super) fn url(mut context: Context, text: &[u8]) -> (Context, usize) {
    if text.iter().any(|byte| matches!(byte, b'#' | b'?')) {
        context.url_part = UrlPart::QueryOrFrag;
    } else if skip_space(text, 0) != text.len() && context.url_part == UrlPart::None {
        context.url_part = UrlPart::PreQuery;
    }
    (context, text.len())
}

fn meta_content(mut context: Context, text: &[u8]) -> (Context, usize) {
    for position in 0..text.len().saturating_sub(3) {
        if text
            .get(position..position + 3)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"url"))
        {
            let after = skip_space(text, position + 3);
            if text.get(after) == Some(&b'=') {
                context.state = State::MetaContentURL;
                return (context, after + 1);
            }
        }
    }
    (context, text.len())
}
