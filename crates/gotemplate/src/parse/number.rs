//! Number constants as Go writes them.

use super::node::Number;
use crate::format::{quote, unquote_char};

/// Reads a number or character constant.
pub(super) fn parse(text: &str) -> Result<Number, String> {
    if text.starts_with('\'') {
        let Some(c) = unquote_char(text) else {
            return Err(format!("malformed character constant: {text}"));
        };
        return Ok(Number {
            text: text.into(),
            int: Some(c.into()),
            float: Some(c.into()),
        });
    }
    let illegal = || format!("illegal number syntax: {}", quote(text));
    let is_float =
        text.contains(['.', 'p', 'P']) || (text.contains(['e', 'E']) && !is_hexadecimal(text));
    if is_float {
        let float = parse_float(text).ok_or_else(illegal)?;
        return Ok(Number {
            text: text.into(),
            int: whole(float),
            float: Some(float),
        });
    }
    let overflow = || format!("integer overflow: {}", quote(text));
    // Go takes a number such as 08, which is none in any base but could be a float, for too large.
    let not_integer = || {
        if parse_float(text).is_some() {
            overflow()
        } else {
            illegal()
        }
    };
    match parse_integer(text).ok_or_else(not_integer)? {
        Integer::Signed(int) => Ok(Number {
            text: text.into(),
            int: Some(int),
            float: Some(nearest(int)),
        }),
        Integer::Unsigned => Ok(Number {
            text: text.into(),
            int: None,
            float: None,
        }),
        Integer::TooLarge => Err(overflow()),
    }
}

enum Integer {
    Signed(i64),
    /// Only as an unsigned number, which no parameter here takes.
    Unsigned,
    TooLarge,
}

fn is_hexadecimal(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.starts_with("0x") || digits.starts_with("0X")
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn parse_integer(text: &str) -> Option<Integer> {
    let (negative, rest) = split_sign(text);
    let lower = rest.to_ascii_lowercase();
    let (base, digits, prefixed) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?, true),
        Some("0o") => (8, lower.get(2..)?, true),
        Some("0b") => (2, lower.get(2..)?, true),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.get(1..)?, true),
        _ => (10, lower.as_str(), false),
    };
    let digits = without_underscores(digits, prefixed)?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let Ok(size) = u64::from_str_radix(&digits, base) else {
        return Some(Integer::TooLarge);
    };
    let signed = if negative {
        0_i64.checked_sub_unsigned(size)
    } else {
        i64::try_from(size).ok()
    };
    Some(match signed {
        Some(signed) => Integer::Signed(signed),
        None if negative => Integer::TooLarge,
        None => Integer::Unsigned,
    })
}

/// Underscores separate digits, and a base prefix from the first digit.
fn without_underscores(digits: &str, prefixed: bool) -> Option<String> {
    let leading = digits.starts_with('_') && !prefixed;
    if leading || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    Some(digits.replace('_', ""))
}

fn parse_float(text: &str) -> Option<f64> {
    let (negative, rest) = split_sign(text);
    let size = if is_hexadecimal(rest) {
        hexadecimal_float(rest)?
    } else {
        decimal_float(rest)?
    };
    Some(if negative { -size } else { size })
}

fn decimal_float(text: &str) -> Option<f64> {
    // Go allows underscores only with a base prefix.
    let plain = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let has_digit = text.bytes().take(2).any(|byte| byte.is_ascii_digit());
    if !plain || !has_digit {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn hexadecimal_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let (mantissa, exponent) = lower.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = without_underscores(&format!("{whole}{fraction}"), true)?;
    if digits.is_empty() || digits.len() > 13 {
        return None;
    }
    let bits = i64::from_str_radix(&digits, 16).ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    Some(nearest(bits) * 2.0_f64.powi(shift)).filter(|value| value.is_finite())
}

#[expect(clippy::cast_precision_loss, reason = "Go takes the nearest float too")]
fn nearest(int: i64) -> f64 {
    int as f64
}

/// The integer that a float constant such as 1e3 also is.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and inside the range"
)]
fn whole(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
}
