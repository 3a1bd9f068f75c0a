//! Escaping and filtering of values in CSS.

use super::{Content, FAILSAFE};

/// Whether the character may stand in a CSS name.
pub(super) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c == '-'
        || c == '_'
        || (c >= '\u{80}' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn skip_one_space(text: &[u8]) -> &[u8] {
    match text {
        [b'\r', b'\n', rest @ ..] | [b'\t' | b'\n' | b'\x0c' | b' ' | b'\r', rest @ ..] => rest,
        _ => text,
    }
}

/// Undoes CSS's escapes.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let digits = escape
            .iter()
            .skip(1)
            .take(6)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if escape.len() < 2 {
            return out;
        }
        if digits == 0 {
            // Whatever follows stands for itself; more bytes of the same character are copied later.
            out.extend(escape.get(1));
            rest = escape.get(2..).unwrap_or(&[]);
            continue;
        }
        let number = |count: usize| {
            let digits = escape
                .get(1..=count)
                .map(String::from_utf8_lossy)
                .unwrap_or_default();
            u32::from_str_radix(&digits, 16).unwrap_or(0)
        };
        let count = if number(digits) > 0x10_ffff {
            digits - 1
        } else {
            digits
        };
        let c = char::from_u32(number(count)).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = skip_one_space(escape.get(1 + count..).unwrap_or(&[]));
    }
    out.extend_from_slice(rest);
    out
}

/// Escapes text for a CSS string.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\0' | '\t' | '\n' | '\x0c' | '\r' | '"' | '&' | '\'' | '(' | ')' | '+' | '/' | ':'
            | ';' | '<' | '>' | '{' | '}' => {
                out.push_str(&format!("\\{:x}", u32::from(c)));
                let continues = |next: &char| {
                    next.is_ascii_hexdigit() || matches!(next, '\t' | '\n' | '\x0c' | '\r' | ' ')
                };
                if chars.peek().is_none_or(continues) {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// Lets pass what is a harmless value: a word, number, colour or the like.
pub(super) fn filter_value(text: &str, content: Content) -> String {
    if content == Content::Css {
        return text.into();
    }
    let decoded = decode(text.as_bytes());
    let mut name = Vec::new();
    let mut previous = 0;
    for byte in &decoded {
        match byte {
            0 | b'"' | b'\'' | b'(' | b')' | b'/' | b';' | b'@' | b'[' | b'\\' | b']' | b'`'
            | b'{' | b'}' | b'<' | b'>' => return FAILSAFE.into(),
            b'-' if previous == b'-' => return FAILSAFE.into(),
            b'-' => {}
            byte if byte.is_ascii_alphanumeric() || *byte == b'_' => {
                name.push(byte.to_ascii_lowercase())
            }
            _ => {}
        }
        previous = *byte;
    }
    let name = String::from_utf8_lossy(&name);
    if name.contains("expression") || name.contains("mozbinding") {
        return FAILSAFE.into();
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
