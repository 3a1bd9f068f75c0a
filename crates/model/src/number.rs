//! Numbers as Prometheus prints and reads them, and the few lossy conversions spelled out.

/// Prints a float as Go's `strconv.FormatFloat(value, 'f', -1, 64)`: the shortest digits that read
/// back to the same value, of two equally near ones the even one, without an exponent; `NaN`, `+Inf`, `-Inf`.
///
/// This is how the HTTP API writes sample values.
#[must_use]
pub fn format_float(value: f64) -> String {
    let mut text = String::new();
    push_float(&mut text, value);
    text
}

/// Appends what `format_float` prints.
pub fn push_float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        match text.split_once('e') {
            None => out.push_str(text.strip_suffix(".0").unwrap_or(text)),
            Some((digits, exponent)) => push_spelled_out(out, digits, exponent),
        }
    }
}

/// Appends `digits` (as `-1.25`) times ten to the `exponent`, with as many zeros as that takes.
fn push_spelled_out(out: &mut String, digits: &str, exponent: &str) {
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if unsigned.len() < digits.len() {
        out.push('-');
    }
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let part = if part == "0" { "" } else { part };
    // Where the point stands among the digits.
    let point = i32::try_from(whole.len())
        .unwrap_or(i32::MAX)
        .saturating_add(exponent);
    let count = i32::try_from(whole.len() + part.len()).unwrap_or(i32::MAX);
    if point <= 0 {
        out.push_str("0.");
        out.extend((point..0).map(|_| '0'));
    }
    for (index, digit) in (0..).zip(whole.chars().chain(part.chars())) {
        if index == point && index > 0 {
            out.push('.');
        }
        out.push(digit);
    }
    out.extend((count..point).map(|_| '0'));
}

/// Prints a float as Go's `%v`: the shortest digits,
/// with an exponent of at least two digits when it is below -4 or at least 6 (`1e+06`, `100000`).
#[must_use]
pub fn format_float_general(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return format_float(value);
    }
    let (sign, digits, exponent) = scientific(value);
    if (-4..6).contains(&exponent) {
        return format_float(value);
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "{sign}{first}{point}{rest}e{exponent_sign}{:02}",
        exponent.unsigned_abs()
    )
}

/// The sign, the shortest digits and the exponent of the first one of a finite float that is not 0.
fn scientific(value: f64) -> (&'static str, String, i32) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, part].concat();
    let significant = all.trim_start_matches('0');
    let point = i32::try_from(whole.len()).unwrap_or(0);
    let leading = i32::try_from(all.len() - significant.len()).unwrap_or(0);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    (
        sign,
        significant.trim_end_matches('0').to_owned(),
        exponent + point - leading - 1,
    )
}

/// Reads a number as Go's `strconv.ParseFloat` does for exposition formats: decimal or
/// hexadecimal floats, underscores not allowed, `NaN`, `Inf`, `+Inf`, `-Inf`, `infinity` in any
/// case.
#[must_use]
pub fn parse_float(text: &str) -> Option<f64> {
    let lower = text.trim_start_matches(['+', '-']);
    if lower.len() + 1 < text.len() {
        return None; // two signs
    }
    let negative = text.starts_with('-');
    if lower
        .get(..2)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x"))
    {
        return parse_hexadecimal(lower.get(2..)?).map(|v| if negative { -v } else { v });
    }
    if lower.eq_ignore_ascii_case("nan") {
        return (lower.len() == text.len()).then_some(f64::NAN);
    }
    // Rust reads the same decimal forms, `inf` and `infinity`, in any case.
    text.parse().ok()
}

/// Reads the digits of a hexadecimal float (`1.8p3`) or integer (`1F`) without the `0x`.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['p', 'P']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    Some(value * 2.0_f64.powi(scale))
}

/// The nearest float; integers beyond 2^53 lose their last bits.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "the one place where this rounding is meant"
)]
pub const fn i64_to_float(value: i64) -> f64 {
    value as f64
}

/// The nearest float; integers beyond 2^53 lose their last bits.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "the one place where this rounding is meant"
)]
pub const fn u64_to_float(value: u64) -> f64 {
    value as f64
}

/// The nearest float of a count or an index.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "the one place where this rounding is meant"
)]
pub const fn usize_to_float(value: usize) -> f64 {
    value as f64
}

/// Cuts the fraction off; values out of range end at the nearest bound, NaN is 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the one place where this cut is meant"
)]
pub const fn float_to_i64(value: f64) -> i64 {
    value as i64
}

/// Cuts the fraction off; values out of range end at the nearest bound, NaN is 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the one place where this cut is meant"
)]
pub const fn float_to_u64(value: f64) -> u64 {
    value as u64
}

/// Cuts the fraction off; values out of range end at the nearest bound, NaN is 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the one place where this cut is meant"
)]
pub const fn float_to_usize(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::{format_float, format_float_general, parse_float};
    use proptest::prelude::*;

    #[test]
    fn formats_as_go() {
        let check = |value: f64, fixed: &str, general: &str| {
            assert_eq!(format_float(value), fixed);
            assert_eq!(format_float_general(value), general);
        };
        check(0.0, "0", "0");
        check(-0.0, "-0", "-0");
        check(1.0, "1", "1");
        check(0.1, "0.1", "0.1");
        check(1e21, "1000000000000000000000", "1e+21");
        check(100_000.0, "100000", "100000");
        check(123_456_789.5, "123456789.5", "1.234567895e+08");
        check(1e-5, "0.00001", "1e-05");
        // Two shortest texts are equally near: the even digit wins.
        check(
            1.611_000_061_035_156_2,
            "1.6110000610351562",
            "1.6110000610351562",
        );
        check(
            1_611_000.061_035_156_2,
            "1611000.0610351562",
            "1.6110000610351562e+06",
        );
        check(f64::INFINITY, "+Inf", "+Inf");
        check(f64::NAN, "NaN", "NaN");
    }

    proptest! {
        #[test]
        fn texts_are_the_shortest_that_read_back(bits: u64, decimal in -1_000_000_i32..1_000_000, places in 0..6_i32) {
            for value in [f64::from_bits(bits), f64::from(decimal) / 10_f64.powi(places)] {
                if value.is_nan() {
                    continue;
                }
                let (fixed, general) = (format_float(value), format_float_general(value));
                prop_assert_eq!(parse_float(&fixed), Some(value));
                prop_assert_eq!(parse_float(&general), Some(value));
                if value.is_finite() {
                    prop_assert_eq!(fixed.len(), format!("{value}").len());
                }
            }
        }
    }

    #[test]
    fn reads_what_go_reads() {
        let check = |text, want: Option<f64>| assert_eq!(parse_float(text), want, "{text}");
        check("1.5e3", Some(1500.0));
        check("+Inf", Some(f64::INFINITY));
        check("-inf", Some(f64::NEG_INFINITY));
        check("0x1p-2", Some(0.25));
        check("-0x1F", Some(-31.0));
        check("", None);
        check("--1", None);
        check("1_000", None);
        check("abc", None);
        assert!(parse_float("NaN").is_some_and(f64::is_nan));
        assert!(parse_float("+NaN").is_none());
    }
}
