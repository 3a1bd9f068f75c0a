//! Floating-point numbers as Go's strconv and fmt write them.
//!
//! Digits come from Rust's own formatting, which like Go's gives the shortest text that reads back
//! equal, or the exactly rounded one; only their arrangement is done here.

use super::Printer;

impl Printer {
    /// Prints a float; returns false where the verb is not one for floats.
    pub(super) fn float(&mut self, value: f64, verb: char) -> bool {
        let (verb, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return false,
        };
        let precision = self.flags.precision.or(precision);
        let mut sign = if value.is_sign_negative() && !value.is_nan() {
            '-'
        } else {
            '+'
        };
        if self.flags.space && sign == '+' && !self.flags.plus {
            sign = ' ';
        }
        if value.is_nan() || value.is_infinite() {
            let name = if value.is_nan() { "NaN" } else { "Inf" };
            let bare = value.is_nan() && !self.flags.space && !self.flags.plus;
            self.pad_with_blanks(&if bare {
                name.to_owned()
            } else {
                format!("{sign}{name}")
            });
            return true;
        }
        let mut digits = unsigned(value.abs(), verb, precision);
        if self.flags.sharp && verb != 'b' {
            digits = keep_point(&digits, verb, precision);
        }
        if self.flags.plus || sign != '+' {
            let width = self.flags.width.unwrap_or(0);
            let length = digits.chars().count() + 1;
            if self.flags.zero && !self.flags.minus && width > length {
                self.out.push(sign);
                self.padding(width - length);
                self.out.push_str(&digits);
                return true;
            }
            self.pad(&format!("{sign}{digits}"));
        } else {
            self.pad(&digits);
        }
        true
    }
}

fn unsigned(value: f64, verb: char, precision: Option<usize>) -> String {
    match verb {
        'e' | 'E' => exponent_form(&scientific(value, precision), verb),
        'f' => match precision {
            Some(precision) => {
                let (exact, zeros) = split_precision(precision);
                format!("{value:.exact$}{}", "0".repeat(zeros))
            }
            None => format!("{value}"),
        },
        'b' => binary(value),
        'x' => hexadecimal(value, precision),
        'X' => hexadecimal(value, precision).to_uppercase(),
        _ => general(value, verb, precision),
    }
}

/// Every float ends within 1,100 digits, and Rust formats at most 65,535; the rest are zeros.
fn split_precision(precision: usize) -> (usize, usize) {
    let exact = precision.min(1_100);
    (exact, precision - exact)
}

/// Digits without point, and the decimal exponent of the first.
struct Digits {
    digits: String,
    exponent: i32,
}

fn scientific(value: f64, precision: Option<usize>) -> Digits {
    let text = match precision {
        Some(precision) => {
            let exact = split_precision(precision).0;
            format!("{value:.exact$e}")
        }
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let zeros = precision.map_or(0, |precision| split_precision(precision).1);
    let digits = mantissa.replace('.', "") + &"0".repeat(zeros);
    Digits {
        digits,
        exponent: exponent.parse().unwrap_or(0),
    }
}

fn exponent_form(number: &Digits, verb: char) -> String {
    let e = if verb == 'E' || verb == 'G' { 'E' } else { 'e' };
    let sign = if number.exponent < 0 { '-' } else { '+' };
    let (first, rest) = number.digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!(
        "{first}{point}{rest}{e}{sign}{:02}",
        number.exponent.unsigned_abs()
    )
}

/// `%g`: the shorter of both forms, without zeros at the end.
fn general(value: f64, verb: char, precision: Option<usize>) -> String {
    let wanted = precision.map(|precision| precision.max(1));
    let mut number = scientific(value, wanted.map(|wanted| wanted - 1));
    if precision.is_some() {
        let kept = number.digits.trim_end_matches('0').len().max(1);
        number.digits.truncate(kept);
    }
    let count = i32::try_from(number.digits.len()).unwrap_or(i32::MAX);
    let threshold = match wanted {
        // The shortest form turns to an exponent at a million.
        None => 6,
        Some(wanted) => {
            let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
            if wanted > count && count > number.exponent {
                count
            } else {
                wanted
            }
        }
    };
    if number.exponent < -4 || number.exponent >= threshold {
        return exponent_form(&number, verb);
    }
    plain(&number)
}

fn plain(number: &Digits) -> String {
    let Ok(whole) = usize::try_from(number.exponent + 1) else {
        let zeros = usize::try_from(-(number.exponent + 1)).unwrap_or(0);
        return format!("0.{}{}", "0".repeat(zeros), number.digits);
    };
    if whole == 0 {
        return format!("0.{}", number.digits);
    }
    if whole >= number.digits.len() {
        return format!(
            "{}{}",
            number.digits,
            "0".repeat(whole - number.digits.len())
        );
    }
    let (before, after) = number.digits.split_at(whole);
    format!("{before}.{after}")
}

/// The `#` flag: a decimal point always, and for `%g` also the zeros at the end.
fn keep_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let hexadecimal = matches!(verb, 'x' | 'X');
    let is_tail = |c: char| matches!(c, 'p' | 'P') || (!hexadecimal && matches!(c, 'e' | 'E'));
    let (number, tail) = text.split_at(text.find(is_tail).unwrap_or(text.len()));
    let wanted = if matches!(verb, 'g' | 'G' | 'x') {
        precision.unwrap_or(6)
    } else {
        0
    };
    let counted: String = number.chars().filter(|c| *c != '.').collect();
    let mut have = counted.trim_start_matches('0').len();
    let mut out = number.to_owned();
    if !number.contains('.') {
        if number == "0" {
            have += 1;
        }
        out.push('.');
    }
    out.push_str(&"0".repeat(wanted.saturating_sub(have)));
    out + tail
}

/// Mantissa (with the hidden bit) and exponent such that value = mantissa × 2^exponent.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    match i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) {
        0 => (mantissa, -1074),
        exponent => (mantissa | 1 << 52, exponent - 1075),
    }
}

fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}p{sign}{}", exponent.unsigned_abs())
}

fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // One leading bit, then 60 bits in 15 digits.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - i32::try_from(shift).unwrap_or(0);
    }
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let drop = 4 * (15 - u32::try_from(digits).unwrap_or(0));
        let rest = mantissa & ((1 << drop) - 1);
        let half = 1 << (drop - 1);
        mantissa >>= drop;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= drop;
        if mantissa >= 1 << 61 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let first = mantissa >> 60;
    let mut fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(digits) if digits <= 15 => fraction.truncate(digits),
        Some(digits) => fraction.push_str(&"0".repeat(digits - 15)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "0x{first}{point}{fraction}p{sign}{:02}",
        exponent.unsigned_abs()
    )
}
