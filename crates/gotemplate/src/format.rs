//! Go's fmt for template values: Print, Println and Printf with all verbs, flags and complaints.
//!
//! Output stops growing at [`TEXT_BYTES_MAX`], so that neither a width nor a value that contains
//! itself many times can fill the memory; the functions then fail.

mod directive;
mod float;
mod integer;
mod quote;
mod value;

use crate::value::Value;

pub(crate) use quote::{quote, unquote, unquote_char};

/// Most bytes that one call may produce.
pub(crate) const TEXT_BYTES_MAX: usize = 8 << 20;

/// Text that stops growing at its limit.
#[derive(Default)]
pub(crate) struct Output {
    text: String,
    full: bool,
}

impl Output {
    pub(crate) fn push_str(&mut self, text: &str) {
        if self.full || self.text.len() + text.len() > TEXT_BYTES_MAX {
            self.full = true;
        } else {
            self.text.push_str(text);
        }
    }

    pub(crate) fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    /// Whether anything was refused; producers of much text stop then.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn finish(self) -> Result<String, String> {
        if self.full {
            return Err(format!("result of more than {TEXT_BYTES_MAX} bytes"));
        }
        Ok(self.text)
    }
}

/// Flags, width and precision of one verb.
#[derive(Debug, Clone, Default)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`: field names.
    plus_v: bool,
    /// `%#v`: Go syntax.
    sharp_v: bool,
}

/// The state of one call.
#[derive(Default)]
struct Printer {
    out: Output,
    flags: Flags,
    /// Inside the complaint about a verb: methods are not called.
    complaining: bool,
}

impl Printer {
    fn pad(&mut self, text: &str) {
        let missing = self
            .flags
            .width
            .unwrap_or(0)
            .saturating_sub(text.chars().count());
        if self.flags.minus {
            self.out.push_str(text);
            self.padding(missing);
        } else {
            self.padding(missing);
            self.out.push_str(text);
        }
    }

    fn padding(&mut self, count: usize) {
        let with = if self.flags.zero && !self.flags.minus {
            "0"
        } else {
            " "
        };
        self.out.push_str(&with.repeat(count));
    }

    /// Pads with blanks even where zeros were asked for.
    fn pad_with_blanks(&mut self, text: &str) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }
}

/// Prints what an action shows: unlike [`print()`] a pointer to a struct as the struct.
pub(crate) fn display(value: &Value) -> Result<String, String> {
    let text = print(std::slice::from_ref(value))?;
    let is_pointer = matches!(value, Value::Record(record) if record.class().name.starts_with('*'));
    Ok(match text.strip_prefix('&') {
        Some(inner) if is_pointer => inner.to_owned(),
        _ => text,
    })
}

/// Go's fmt.Sprint: blanks between operands of which neither is a string.
pub(crate) fn print(arguments: &[Value]) -> Result<String, String> {
    let mut printer = Printer::default();
    let mut after_string = true;
    for argument in arguments {
        let is_string = argument.as_str().is_some();
        if !after_string && !is_string {
            printer.out.push_str(" ");
        }
        printer.print_argument(argument, 'v');
        after_string = is_string;
    }
    printer.out.finish()
}

/// Go's fmt.Sprintln: blanks between all operands and a line feed.
pub(crate) fn println(arguments: &[Value]) -> Result<String, String> {
    let mut printer = Printer::default();
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            printer.out.push_str(" ");
        }
        printer.print_argument(argument, 'v');
    }
    printer.out.push_str("\n");
    printer.out.finish()
}

/// Go's fmt.Sprintf.
pub(crate) fn printf(format: &str, arguments: &[Value]) -> Result<String, String> {
    directive::printf(format, arguments)
}

#[cfg(test)]
mod tests;
