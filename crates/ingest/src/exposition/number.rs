//! Numbers of exposition text, read as Prometheus reads them.

use std::borrow::Cow;

/// The bits of every NaN that is stored, other than the staleness marker: Go's own NaN.
pub const NORMAL_NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// Digits of a whole number that a float certainly holds.
const EXACT_DIGITS_MAX: usize = 15;

/// Reads a value: decimal floats, `NaN`, `Inf` in any case. Hexadecimal floats and underscores are
/// refused, as are numbers too large for a float.
pub(super) fn parse(bytes: &[u8]) -> Result<f64, String> {
    if let Some(value) = parse_short_integer(bytes) {
        return Ok(value);
    }
    if bytes.iter().any(|byte| matches!(byte, b'p' | b'P' | b'_')) {
        return Err("unsupported character in float".to_owned());
    }
    let failed = |why: &str| {
        let quoted = super::error::quote(bytes);
        format!("strconv.ParseFloat: parsing {quoted}: {why}")
    };
    let text = std::str::from_utf8(bytes).map_err(|_invalid| failed("invalid syntax"))?;
    let is_hexadecimal = text.contains(['x', 'X']);
    let value = model::number::parse_float(text).filter(|_| !is_hexadecimal);
    match value {
        None => Err(failed("invalid syntax")),
        Some(value) if value.is_nan() => Ok(NORMAL_NAN),
        Some(value) if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
            Err(failed("value out of range"))
        }
        Some(value) => Ok(value),
    }
}

/// Most values are short whole numbers; reading them needs no float parser.
fn parse_short_integer(bytes: &[u8]) -> Option<f64> {
    if bytes.is_empty() || bytes.len() > EXACT_DIGITS_MAX {
        return None;
    }
    let mut value = 0_u64;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(model::number::u64_to_float(value))
}

/// Reads a timestamp of the text format: digits.
pub(super) fn parse_millis(bytes: &[u8]) -> Result<i64, String> {
    let text = String::from_utf8_lossy(bytes);
    text.parse()
        .map_err(|_overflow| format!("strconv.ParseInt: parsing {text:?}: value out of range"))
}

/// The one way Prometheus writes bounds and quantiles: shortest digits with a point or an
/// exponent; texts that are no number stay.
pub(super) fn normalise_label(text: Cow<'_, str>) -> Cow<'_, str> {
    let Some(value) = model::number::parse_float(&text) else {
        return text;
    };
    let printed = format_openmetrics(value);
    if printed == text {
        text
    } else {
        Cow::Owned(printed)
    }
}

/// Prints a float as OpenMetrics' canonical form: Go's `%g` with `.0` where neither point nor
/// exponent would show that it is a float.
#[must_use]
pub fn format_openmetrics(value: f64) -> String {
    let printed = model::number::format_float_general(value);
    if !value.is_finite() || printed.contains(['.', 'e']) {
        return printed;
    }
    printed + ".0"
}
