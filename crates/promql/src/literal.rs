//! The values of numbers, durations and strings as they are written in queries.

use model::labels::Quoted;

/// Reads a number: Go's integers (decimal, `0x`, octal with a leading `0`), floats, `Inf`, `NaN`;
/// underscores between digits are ignored. Fails with upstream's message.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(value) = integer(&digits) {
        return Ok(model::number::i64_to_float(value));
    }
    let failed = |reason: &str| {
        format!(
            "error parsing number: strconv.ParseFloat: parsing {}: {reason}",
            Quoted(text)
        )
    };
    if digits.starts_with("0x") || digits.starts_with("0X") {
        return Err(failed("invalid syntax"));
    }
    let value: f64 = digits.parse().map_err(|_error| failed("invalid syntax"))?;
    let is_named = digits.starts_with(['i', 'I', 'n', 'N']);
    if value.is_infinite() && !is_named {
        return Err(failed("value out of range"));
    }
    Ok(value)
}

fn integer(digits: &str) -> Option<i64> {
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    match hexadecimal {
        Some(rest) => i64::from_str_radix(rest, 16).ok(),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8).ok(),
        None => digits.parse().ok(),
    }
}

/// Reads a duration in seconds. Fails with upstream's message.
pub(crate) fn duration_seconds(text: &str) -> Result<f64, String> {
    model::parse_duration(text).map(|millis| model::number::i64_to_float(millis) / 1000.0)
}

/// The text that a quoted string stands for. Bytes from `\xff` escapes that are not UTF-8 become
/// U+FFFD, for labels are text here.
pub(crate) fn unquote(quoted: &str) -> String {
    let mut chars = quoted.chars();
    let quote = chars.next();
    chars.next_back();
    let inner = chars.as_str();
    if quote == Some('`') {
        return inner.to_owned();
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            push_escape(&mut bytes, &mut chars);
        } else {
            push_char(&mut bytes, c);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn push_char(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends what follows a backslash; the lexer has checked it.
fn push_escape(bytes: &mut Vec<u8>, chars: &mut std::str::Chars<'_>) {
    let Some(c) = chars.next() else {
        return;
    };
    let simple = match c {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        'x' => return bytes.extend(u8::try_from(digits(chars, 2, 16))),
        'u' => return push_char(bytes, code_point(digits(chars, 4, 16))),
        'U' => return push_char(bytes, code_point(digits(chars, 8, 16))),
        '0'..='7' => {
            let first = c.to_digit(8).unwrap_or(0);
            return bytes.extend(u8::try_from(first * 64 + digits(chars, 2, 8)));
        }
        c => return push_char(bytes, c),
    };
    bytes.push(simple);
}

fn digits(chars: &mut std::str::Chars<'_>, count: usize, radix: u32) -> u32 {
    chars.by_ref().take(count).fold(0, |value: u32, c| {
        value
            .wrapping_mul(radix)
            .wrapping_add(c.to_digit(radix).unwrap_or(0))
    })
}

fn code_point(value: u32) -> char {
    char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
}
