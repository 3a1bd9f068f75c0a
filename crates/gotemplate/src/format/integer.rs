//! Integers in any base, as characters and as code points.

use super::Printer;
use super::quote::{quote_char, quote_char_ascii};
use crate::unicode::is_print;

impl Printer {
    /// Prints an integer; returns false where the verb is not one for integers.
    pub(super) fn integer(&mut self, value: i64, verb: char) -> bool {
        match verb {
            'v' | 'd' => self.digits(value, 10, verb),
            'b' => self.digits(value, 2, verb),
            'o' | 'O' => self.digits(value, 8, verb),
            'x' | 'X' => self.digits(value, 16, verb),
            'c' => {
                let c = character(value);
                self.pad(c.encode_utf8(&mut [0; 4]));
            }
            'q' => {
                let c = character(value);
                let text = if self.flags.plus {
                    quote_char_ascii(c)
                } else {
                    quote_char(c)
                };
                self.pad(&text);
            }
            'U' => self.code_point(value),
            _ => return false,
        }
        true
    }

    fn digits(&mut self, value: i64, base: u32, verb: char) {
        let negative = value < 0;
        let mut digits = in_base(value.unsigned_abs(), base, verb == 'X');
        let flags = &self.flags;
        let least = match flags.precision {
            Some(0) if value == 0 => {
                let width = flags.width.unwrap_or(0);
                self.out.push_str(&" ".repeat(width));
                return;
            }
            Some(precision) => precision,
            None if flags.zero && !flags.minus => {
                let sign = negative || flags.plus || flags.space;
                flags.width.unwrap_or(0).saturating_sub(usize::from(sign))
            }
            None => 0,
        };
        digits.insert_str(0, &"0".repeat(least.saturating_sub(digits.len())));
        if flags.sharp {
            match base {
                2 => digits.insert_str(0, "0b"),
                8 if !digits.starts_with('0') => digits.insert(0, '0'),
                16 => digits.insert_str(0, if verb == 'X' { "0X" } else { "0x" }),
                _ => {}
            }
        }
        if verb == 'O' {
            digits.insert_str(0, "0o");
        }
        if negative {
            digits.insert(0, '-');
        } else if flags.plus {
            digits.insert(0, '+');
        } else if flags.space {
            digits.insert(0, ' ');
        }
        self.pad_with_blanks(&digits);
    }

    fn code_point(&mut self, value: i64) {
        // Negative numbers appear as their two's complement, as in Go.
        let bits = u64::from_ne_bytes(value.to_ne_bytes());
        let least = self.flags.precision.unwrap_or(0).max(4);
        let digits = format!("{bits:X}");
        let mut text = format!(
            "U+{}{digits}",
            "0".repeat(least.saturating_sub(digits.len()))
        );
        let c = u32::try_from(value).ok().and_then(char::from_u32);
        if let Some(c) = c.filter(|c| self.flags.sharp && is_print(*c)) {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_with_blanks(&text);
    }
}

fn character(value: i64) -> char {
    u32::try_from(value)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn in_base(value: u64, base: u32, upper: bool) -> String {
    match base {
        2 => format!("{value:b}"),
        8 => format!("{value:o}"),
        16 if upper => format!("{value:X}"),
        16 => format!("{value:x}"),
        _ => value.to_string(),
    }
}
