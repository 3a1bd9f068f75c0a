//! A line at the bottom of a terminal that says how far a long command is.

use crate::print;
use std::io::IsTerminal as _;

/// Characters of the bar.
const WIDTH: u64 = 30;

/// Shows nothing where standard error is no terminal.
pub(crate) struct Progress {
    is_shown: bool,
    last: String,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            is_shown: std::io::stderr().is_terminal(),
            last: String::new(),
        }
    }

    /// Shows that `done` of `all` is done, and a text.
    pub(crate) fn show(&mut self, (done, all): (u64, u64), text: &str) {
        if !self.is_shown {
            return;
        }
        let part = |of: u64| {
            done.saturating_mul(of)
                .checked_div(all)
                .unwrap_or(of)
                .min(of)
        };
        let full = usize::try_from(part(WIDTH)).unwrap_or_default();
        let bar = format!("{}{}", "█".repeat(full), "·".repeat(30 - full));
        let line = format!("{bar} {:3} % {text}", part(100));
        if line != self.last {
            print::in_place(&line);
            self.last = line;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown && !self.last.is_empty() {
            print::in_place("");
        }
    }
}

/// A number with a separator every three digits.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn groups_digits() {
        let check = |number, want| assert_eq!(super::grouped(number), want);
        check(0, "0");
        check(999, "999");
        check(1000, "1,000");
        check(1_234_567, "1,234,567");
    }
}
