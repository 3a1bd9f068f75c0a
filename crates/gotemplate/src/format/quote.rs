//! Go's quoted strings: writing them and reading them.

use crate::unicode::is_print;

/// Quotes a string with escapes for what does not print.
pub(crate) fn quote(text: &str) -> String {
    quoted(text, '"', false)
}

/// Quotes a string with escapes for all that is not ASCII.
pub(super) fn quote_ascii(text: &str) -> String {
    quoted(text, '"', true)
}

/// Quotes a character.
pub(super) fn quote_char(c: char) -> String {
    quoted(c.encode_utf8(&mut [0; 4]), '\'', false)
}

/// Quotes a character with an escape where it is not ASCII.
pub(super) fn quote_char_ascii(c: char) -> String {
    quoted(c.encode_utf8(&mut [0; 4]), '\'', true)
}

/// Reports whether the text can stand between back quotes unchanged.
pub(super) fn can_backquote(text: &str) -> bool {
    text.chars()
        .all(|c| c != '`' && c != '\u{7f}' && c != '\u{feff}' && (c == '\t' || c >= ' '))
}

fn quoted(text: &str, mark: char, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            c if is_print(c) && (c.is_ascii() || !ascii) => out.push(c),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x10000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(mark);
    out
}

/// Reads a quoted string with its quotes, plain or raw; `None` where Go says `invalid syntax`.
pub(crate) fn unquote(text: &str) -> Option<String> {
    if let Some(raw) = text.strip_prefix('`') {
        let inner = raw.strip_suffix('`')?;
        return (!inner.contains('`')).then(|| inner.replace('\r', ""));
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        match next_char(&mut rest, '"')? {
            Unquoted::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Unquoted::Byte(byte) => bytes.push(byte),
        }
    }
    Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

/// Reads a quoted character with its quotes.
pub(crate) fn unquote_char(text: &str) -> Option<u32> {
    let mut rest = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let c = match next_char(&mut rest, '\'')? {
        Unquoted::Char(c) => u32::from(c),
        Unquoted::Byte(byte) => u32::from(byte),
    };
    rest.is_empty().then_some(c)
}

enum Unquoted {
    Char(char),
    Byte(u8),
}

fn next_char(rest: &mut &str, mark: char) -> Option<Unquoted> {
    let c = take(rest)?;
    if c == mark || c == '\n' {
        return None;
    }
    if c != '\\' {
        return Some(Unquoted::Char(c));
    }
    let plain = match take(rest)? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        c if c == mark => c,
        'x' => return u8::try_from(digits(rest, 2, 16)?).ok().map(Unquoted::Byte),
        'u' => char::from_u32(digits(rest, 4, 16)?)?,
        'U' => char::from_u32(digits(rest, 8, 16)?)?,
        first @ '0'..='7' => {
            let value = first.to_digit(8)? * 64 + digits(rest, 2, 8)?;
            return u8::try_from(value).ok().map(Unquoted::Byte);
        }
        _ => return None,
    };
    Some(Unquoted::Char(plain))
}

fn take(rest: &mut &str) -> Option<char> {
    let mut chars = rest.chars();
    let c = chars.next()?;
    *rest = chars.as_str();
    Some(c)
}

fn digits(rest: &mut &str, count: usize, base: u32) -> Option<u32> {
    let mut value = 0_u32;
    for _ in 0..count {
        value = value
            .checked_mul(base)?
            .checked_add(take(rest)?.to_digit(base)?)?;
    }
    Some(value)
}
