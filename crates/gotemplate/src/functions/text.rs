//! Title case, joining, unescaping.

use crate::format::Output;
use crate::value::Value;

/// Whether title case touches the letters after the first of a word.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rest {
    Keep,
    Lower,
}

/// Writes each word with a capital: words end at what is no letter, digit or underscore, but
/// not at an apostrophe, point or colon inside a word.
pub(super) fn title(text: &str, rest: Rest) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // Letters without case neither take a capital nor begin a word.
        if c.is_lowercase() || c.is_uppercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ') {
            match (inside, rest) {
                (false, _) => push_title(c, &mut out),
                (true, Rest::Keep) => out.push(c),
                (true, Rest::Lower) => out.extend(c.to_lowercase()),
            }
            inside = true;
            continue;
        }
        out.push(c);
        let joins = matches!(c, '\'' | '.' | ':' | '·' | '’' | '‘' | '․' | '‧')
            && chars.peek().is_some_and(|next| next.is_alphanumeric());
        let goes_on = joins || c == '_' || c.is_alphanumeric() || is_mark(c);
        inside = inside && goes_on;
    }
    out
}

/// Combining marks belong to the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn push_title(c: char, out: &mut String) {
    let digraph = match c {
        'Ǆ' | 'ǅ' | 'ǆ' => Some('ǅ'),
        'Ǉ' | 'ǈ' | 'ǉ' => Some('ǈ'),
        'Ǌ' | 'ǋ' | 'ǌ' => Some('ǋ'),
        'Ǳ' | 'ǲ' | 'ǳ' => Some('ǲ'),
        _ => None,
    };
    if let Some(digraph) = digraph {
        out.push(digraph);
        return;
    }
    let mut upper = c.to_uppercase();
    out.extend(upper.next());
    upper.for_each(|following| out.extend(following.to_lowercase()));
}

/// Joins a list of strings.
pub(super) fn join(separator: &str, list: Option<&Value>) -> Result<Value, String> {
    let mut out = Output::default();
    if let Some(Value::List(list)) = list {
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                out.push_str(separator);
            }
            out.push_str(item.as_str().unwrap_or(""));
        }
    }
    out.finish().map(Value::from)
}

/// Undoes the escaping of a query string.
pub(super) fn url_unescape(text: &str) -> Result<Value, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = after
                    .get(..2)
                    .and_then(|pair| std::str::from_utf8(pair).ok());
                let byte = digits
                    .filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok());
                let Some(byte) = byte else {
                    let shown =
                        String::from_utf8_lossy(after.get(..2).unwrap_or(after)).into_owned();
                    return Err(format!(
                        "invalid URL escape {}",
                        crate::format::quote(&format!("%{shown}"))
                    ));
                };
                bytes.push(byte);
                rest = after.get(2..).unwrap_or(&[]);
            }
            other => bytes.push(*other),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}
