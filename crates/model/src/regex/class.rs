//! Character classes and escapes of Go's syntax.

use super::translate::{Refusal, refuse};

const NEGATED_DIGIT: &str = "[^0-9]";

/// A class in brackets: `text` begins with `[`. Answers what follows it.
pub(super) fn bracketed<'a>(text: &'a str, out: &mut String) -> Result<&'a str, Refusal> {
    let missing = || refuse("missing closing ]", text);
    out.push('[');
    let mut rest = text.get(1..).unwrap_or_default();
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut is_first = true;
    loop {
        if rest.is_empty() {
            return missing();
        }
        if let Some(after) = rest.strip_prefix(']')
            && !is_first
        {
            out.push(']');
            return Ok(after);
        }
        is_first = false;
        if let Some(after) = named(rest, out)? {
            rest = after;
            continue;
        }
        if let Some(after) = escaped(rest, out)? {
            rest = after;
            continue;
        }
        let range = rest;
        let Some((low, after)) = character(rest)? else {
            return missing();
        };
        rest = after;
        push_character(low, out);
        let Some(upper) = rest
            .strip_prefix('-')
            .filter(|upper| !upper.starts_with(']'))
        else {
            continue;
        };
        if upper.is_empty() {
            // A hyphen at the very end is looked at once more, and then the bracket is missing.
            continue;
        }
        let Some((high, after)) = character(upper)? else {
            return missing();
        };
        rest = after;
        if high < low {
            let part = range.get(..range.len() - rest.len()).unwrap_or_default();
            return refuse("invalid character class range", part);
        }
        out.push('-');
        push_character(high, out);
    }
}

/// `[:alpha:]` and the like, at the start of `text`.
fn named<'a>(text: &'a str, out: &mut String) -> Result<Option<&'a str>, Refusal> {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
        "space", "upper", "word", "xdigit",
    ];
    let Some((name, rest)) = text
        .strip_prefix("[:")
        .and_then(|text| text.split_once(":]"))
    else {
        return Ok(None);
    };
    let part = text.get(..text.len() - rest.len()).unwrap_or_default();
    if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return refuse("invalid character class range", part);
    }
    out.push_str(part);
    Ok(Some(rest))
}

/// A class that is written as an escape (`\d`, `\pL`, …) at the start of `text`; `None` where none stands there.
pub(super) fn escaped<'a>(text: &'a str, out: &mut String) -> Result<Option<&'a str>, Refusal> {
    let Some(after) = text.strip_prefix('\\') else {
        return Ok(None);
    };
    let Some(c) = after.chars().next() else {
        return Ok(None);
    };
    let class = match c {
        'd' => "[0-9]",
        'D' => NEGATED_DIGIT,
        's' => "[\\t\\n\\f\\r ]",
        'S' => "[^\\t\\n\\f\\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'p' | 'P' => return unicode(text, out).map(Some),
        _ => return Ok(None),
    };
    out.push_str(class);
    Ok(after.get(1..))
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}` or their opposites with `\P`.
fn unicode<'a>(text: &'a str, out: &mut String) -> Result<&'a str, Refusal> {
    const KIND: &str = "invalid character class range";
    let mut is_negated = text.starts_with("\\P");
    let after = text.get(2..).unwrap_or_default();
    let (mut name, rest) = match after.strip_prefix('{') {
        Some(braced) => match braced.split_once('}') {
            Some(parts) => parts,
            None => return refuse(KIND, text),
        },
        None => {
            let length = after.chars().next().map_or(0, char::len_utf8);
            after.split_at(length)
        }
    };
    let part = text.get(..text.len() - rest.len()).unwrap_or_default();
    if let Some(positive) = name.strip_prefix('^') {
        is_negated = !is_negated;
        name = positive;
    }
    let Some(class) = category_or_script(name) else {
        return refuse(KIND, part);
    };
    let sign = if is_negated { "^" } else { "" };
    out.push_str(&format!("[{sign}{class}]"));
    Ok(rest)
}

/// What stands for a category or a script in brackets; nothing for properties of other kinds, which Go does not know.
fn category_or_script(name: &str) -> Option<String> {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match plain.as_str() {
        "any" => return Some("\\x{0}-\\x{10FFFF}".to_owned()),
        "ascii" => return Some("\\x{0}-\\x{7F}".to_owned()),
        "assigned" => return Some("\\P{gc=Cn}".to_owned()),
        "lc" => return Some("\\p{gc=Lu}\\p{gc=Ll}\\p{gc=Lt}".to_owned()),
        _ => {}
    }
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    ["gc", "sc"].iter().find_map(|kind| {
        let class = format!("\\p{{{kind}={plain}}}");
        regex_syntax::parse(&class).is_ok().then_some(class)
    })
}

/// The character at the start of `text`, as a class has it; `None` at the end.
fn character(text: &str) -> Result<Option<(char, &str)>, Refusal> {
    if text.starts_with('\\') {
        return escaped_character(text).map(Some);
    }
    let mut characters = text.chars();
    Ok(characters.next().map(|c| (c, characters.as_str())))
}

/// The character that an escape at the start of `text` stands for, and what follows.
pub(super) fn escaped_character(text: &str) -> Result<(char, &str), Refusal> {
    let after = text.strip_prefix('\\').unwrap_or(text);
    let mut characters = after.chars();
    let Some(c) = characters.next() else {
        return refuse("trailing backslash at end of expression", "");
    };
    let rest = characters.as_str();
    let invalid = |rest: &str| {
        let part = text.get(..text.len() - rest.len()).unwrap_or_default();
        refuse("invalid escape sequence", part)
    };
    let is_octal = |text: &str| text.starts_with(|c| ('0'..='7').contains(&c));
    match c {
        '1'..='7' if !is_octal(rest) => invalid(rest),
        '0'..='7' => {
            let digits = after
                .bytes()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            let (digits, rest) = after.split_at(digits);
            let code = u32::from_str_radix(digits, 8).unwrap_or(0);
            Ok((char::from_u32(code).unwrap_or_default(), rest))
        }
        'x' => hexadecimal(rest).map_or_else(invalid, Ok),
        'a' => Ok(('\u{7}', rest)),
        'f' => Ok(('\u{c}', rest)),
        'n' => Ok(('\n', rest)),
        'r' => Ok(('\r', rest)),
        't' => Ok(('\t', rest)),
        'v' => Ok(('\u{b}', rest)),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok((c, rest)),
        _ => invalid(rest),
    }
}

/// `41` or `{1F600}` after `\x`; where it is neither, what is left behind the last character that was read.
fn hexadecimal(text: &str) -> Result<(char, &str), &str> {
    if let Some(braced) = text.strip_prefix('{') {
        let digits = braced.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (digits, rest) = braced.split_at(digits);
        let code = u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32);
        return match (code, rest.strip_prefix('}')) {
            (Some(c), Some(rest)) => Ok((c, rest)),
            _ => {
                let mut left = rest.chars();
                left.next();
                Err(left.as_str())
            }
        };
    }
    let mut characters = text.chars();
    let mut code = 0;
    for _ in 0..2 {
        match characters.next().and_then(|c| c.to_digit(16)) {
            Some(digit) => code = code * 16 + digit,
            None => return Err(characters.as_str()),
        }
    }
    Ok((
        char::from_u32(code).unwrap_or_default(),
        characters.as_str(),
    ))
}

/// A character of a class, so that the other dialect sees nothing else in it.
fn push_character(c: char, out: &mut String) {
    out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
}
