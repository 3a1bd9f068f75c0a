//! Reading a Printf format: flags, argument indexes, width, precision, verb.

use super::{Flags, Output, Printer};
use crate::value::Value;

/// Go ignores widths and precisions beyond a million.
const NUMBER_MAX: usize = 1_000_000;

/// Where in format and arguments the call stands.
struct Directives<'a> {
    format: &'a [char],
    position: usize,
    arguments: &'a [Value],
    next: usize,
    reordered: bool,
    index_is_good: bool,
    after_index: bool,
    printer: Printer,
}

pub(super) fn printf(format: &str, arguments: &[Value]) -> Result<String, String> {
    let format: Vec<char> = format.chars().collect();
    let mut state = Directives {
        format: &format,
        position: 0,
        arguments,
        next: 0,
        reordered: false,
        index_is_good: true,
        after_index: false,
        printer: Printer::default(),
    };
    while let Some(c) = state.peek() {
        state.position += 1;
        if c == '%' {
            state.directive();
        } else {
            state.printer.out.push(c);
        }
        if state.out().is_full() {
            break;
        }
    }
    if !state.reordered {
        state.extra_arguments();
    }
    state.printer.out.finish()
}

impl Directives<'_> {
    fn peek(&self) -> Option<char> {
        self.format.get(self.position).copied()
    }

    fn out(&mut self) -> &mut Output {
        &mut self.printer.out
    }

    fn directive(&mut self) {
        self.index_is_good = true;
        self.after_index = false;
        self.printer.flags = Flags::default();
        self.flags();
        self.argument_index();
        self.width();
        self.precision();
        if !self.after_index {
            self.argument_index();
        }
        let Some(verb) = self.peek() else {
            self.out().push_str("%!(NOVERB)");
            return;
        };
        self.position += 1;
        let argument = self.arguments.get(self.next);
        match argument {
            _ if verb == '%' => self.out().push_str("%"),
            _ if !self.index_is_good => self.out().push_str(&format!("%!{verb}(BADINDEX)")),
            None => self.out().push_str(&format!("%!{verb}(MISSING)")),
            Some(argument) => {
                if matches!(verb, 'v' | 'w') {
                    let flags = &mut self.printer.flags;
                    flags.sharp_v = std::mem::take(&mut flags.sharp);
                    flags.plus_v = std::mem::take(&mut flags.plus);
                }
                self.printer.print_argument(argument, verb);
                self.next += 1;
            }
        }
    }

    fn flags(&mut self) {
        while let Some(c) = self.peek() {
            let flags = &mut self.printer.flags;
            match c {
                '#' => flags.sharp = true,
                '0' => flags.zero = true,
                '+' => flags.plus = true,
                '-' => flags.minus = true,
                ' ' => flags.space = true,
                _ => return,
            }
            self.position += 1;
        }
    }

    /// Reads `[n]`, which selects the next argument.
    fn argument_index(&mut self) {
        self.after_index = false;
        if self.peek() != Some('[') {
            return;
        }
        self.reordered = true;
        let rest = self.format.get(self.position..).unwrap_or(&[]);
        let Some(length) = rest.iter().position(|c| *c == ']') else {
            self.index_is_good = false;
            self.position += 1;
            return;
        };
        let digits: String = rest.get(1..length).unwrap_or(&[]).iter().collect();
        self.position += length + 1;
        let index = digits
            .parse::<usize>()
            .ok()
            .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        self.after_index = index.is_some();
        match index.and_then(|index| index.checked_sub(1)) {
            Some(index) if index < self.arguments.len() => self.next = index,
            _ => self.index_is_good = false,
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.position;
        let mut number = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            if number > NUMBER_MAX {
                // Go gives up on the whole format here.
                self.position = self.format.len();
                return None;
            }
            number = number * 10 + usize::try_from(digit).unwrap_or(0);
            self.position += 1;
        }
        (self.position > start).then_some(number)
    }

    /// Takes the next argument as a width or precision.
    fn star(&mut self) -> Option<i64> {
        self.position += 1;
        self.after_index = false;
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match argument {
            Value::Int(number) | Value::NamedInt(_, number) => Some(*number).filter(|number| {
                usize::try_from(number.unsigned_abs()).is_ok_and(|size| size <= NUMBER_MAX)
            }),
            _ => None,
        }
    }

    fn width(&mut self) {
        if self.peek() == Some('*') {
            let width = self.star();
            if width.is_none() {
                self.out().push_str("%!(BADWIDTH)");
            }
            let flags = &mut self.printer.flags;
            if width.is_some_and(|width| width < 0) {
                flags.minus = true;
                flags.zero = false;
            }
            flags.width = width.and_then(|width| usize::try_from(width.unsigned_abs()).ok());
            return;
        }
        self.printer.flags.width = self.number();
        if self.after_index && self.printer.flags.width.is_some() {
            self.index_is_good = false;
        }
    }

    fn precision(&mut self) {
        if self.peek() != Some('.') || self.position + 1 >= self.format.len() {
            return;
        }
        self.position += 1;
        if self.after_index {
            self.index_is_good = false;
        }
        self.argument_index();
        if self.peek() == Some('*') {
            let precision = self
                .star()
                .and_then(|precision| usize::try_from(precision).ok());
            if precision.is_none() {
                self.out().push_str("%!(BADPREC)");
            }
            self.printer.flags.precision = precision;
            return;
        }
        self.printer.flags.precision = Some(self.number().unwrap_or(0));
    }

    fn extra_arguments(&mut self) {
        let extra = self.arguments.get(self.next..).unwrap_or(&[]);
        if extra.is_empty() {
            return;
        }
        self.printer.flags = Flags::default();
        self.out().push_str("%!(EXTRA ");
        for (index, argument) in extra.iter().enumerate() {
            if index > 0 {
                self.out().push_str(", ");
            }
            if matches!(argument, Value::Nil) {
                self.out().push_str("<nil>");
            } else {
                self.out().push_str(argument.type_name());
                self.out().push_str("=");
                self.printer.print_argument(argument, 'v');
            }
        }
        self.out().push_str(")");
    }
}
