//! Printing a value of any type by a verb.

use super::Printer;
use super::quote::{can_backquote, quote, quote_ascii};
use crate::value::{Class, Record, TIME, Value, call_method, find_method};

impl Printer {
    /// Prints an argument of Printf.
    pub(super) fn print_argument(&mut self, argument: &Value, verb: char) {
        match (argument, verb) {
            (Value::Nil, 'T' | 'v') => self.pad("<nil>"),
            (_, 'T') => {
                let name = self.cut(argument.type_name());
                self.pad(&name);
            }
            (_, 'p') => self.complain(argument, 'p'),
            _ => self.print_value(argument, verb, 0),
        }
    }

    fn print_value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.out.is_full() || self.own_text(value, verb) {
            return;
        }
        let known = match value {
            Value::Nil if verb == 'v' && self.flags.sharp_v => {
                self.out.push_str("interface {}(nil)");
                true
            }
            Value::Nil if verb == 'v' => {
                self.out.push_str("<nil>");
                true
            }
            Value::Nil => false,
            Value::Bool(value) => self.boolean(*value, verb),
            Value::Int(value) | Value::NamedInt(_, value) => self.integer(*value, verb),
            Value::Float(value) => self.float(*value, verb),
            Value::Str(text) | Value::NamedStr(_, text) => self.string(text, verb),
            Value::List(list) => {
                self.sequence(list.class(), list.items(), verb, depth);
                true
            }
            Value::Map(map) => {
                self.open(map.class(), "map[");
                for (index, (key, value)) in map.entries().iter().enumerate() {
                    self.between(index);
                    self.print_value(&Value::Str(key.clone()), verb, depth + 1);
                    self.out.push_str(":");
                    self.print_value(value, verb, depth + 1);
                }
                self.out
                    .push_str(if self.flags.sharp_v { "}" } else { "]" });
                true
            }
            Value::Record(record) => {
                self.record(record, verb, depth);
                true
            }
            Value::Time(time) => self.string(
                &time.text(),
                if matches!(verb, 'v' | 's' | 'q' | 'x' | 'X') {
                    verb
                } else {
                    'v'
                },
            ),
            Value::Func(_) => false,
        };
        if !known {
            self.complain(value, verb);
        }
    }

    /// Prints by the value's own method, if it has one and the verb is for texts.
    fn own_text(&mut self, value: &Value, verb: char) -> bool {
        if self.complaining || self.flags.sharp_v || !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return false;
        }
        if value.class().is_none_or(|class| class.name == TIME.name)
            || find_method(value, "String").is_none()
        {
            return false;
        }
        let Some(text) = call_method(value, "String") else {
            return false;
        };
        self.string(text.as_str().unwrap_or(""), verb)
    }

    fn complain(&mut self, value: &Value, verb: char) {
        self.complaining = true;
        self.out.push_str(&format!("%!{verb}("));
        match value {
            Value::Nil => self.out.push_str("<nil>"),
            Value::Func(_) => self.out.push_str("func"),
            value => {
                self.out.push_str(value.type_name());
                self.out.push_str("=");
                self.print_value(value, 'v', 0);
            }
        }
        self.out.push_str(")");
        self.complaining = false;
    }

    fn boolean(&mut self, value: bool, verb: char) -> bool {
        let known = matches!(verb, 't' | 'v');
        if known {
            self.pad(if value { "true" } else { "false" });
        }
        known
    }

    fn string(&mut self, text: &str, verb: char) -> bool {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => {
                let cut = self.cut(text);
                self.pad(&cut);
            }
            'x' => self.hexadecimal(text, false),
            'X' => self.hexadecimal(text, true),
            'q' => self.quoted(text),
            _ => return false,
        }
        true
    }

    fn cut(&self, text: &str) -> String {
        match self.flags.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        }
    }

    fn quoted(&mut self, text: &str) {
        let text = self.cut(text);
        let quoted = match () {
            () if self.flags.sharp && can_backquote(&text) => format!("`{text}`"),
            () if self.flags.plus => quote_ascii(&text),
            () => quote(&text),
        };
        self.pad(&quoted);
    }

    fn hexadecimal(&mut self, text: &str, upper: bool) {
        let prefix = match (self.flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut out = String::new();
        for (index, byte) in text
            .bytes()
            .take(self.flags.precision.unwrap_or(usize::MAX))
            .enumerate()
        {
            if index > 0 && self.flags.space {
                out.push(' ');
            }
            if index == 0 || self.flags.space {
                out.push_str(prefix);
            }
            out.push_str(&if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            });
        }
        self.pad(&out);
    }

    fn open(&mut self, class: &'static Class, plain: &str) {
        if self.flags.sharp_v {
            self.out.push_str(class.name);
            self.out.push_str("{");
        } else {
            self.out.push_str(plain);
        }
    }

    fn between(&mut self, index: usize) {
        if index > 0 {
            self.out
                .push_str(if self.flags.sharp_v { ", " } else { " " });
        }
    }

    fn sequence(&mut self, class: &'static Class, items: &[Value], verb: char, depth: usize) {
        self.open(class, "[");
        for (index, item) in items.iter().enumerate() {
            self.between(index);
            self.print_value(item, verb, depth + 1);
            if self.out.is_full() {
                return;
            }
        }
        self.out
            .push_str(if self.flags.sharp_v { "}" } else { "]" });
    }

    fn record(&mut self, record: &Record, verb: char, depth: usize) {
        let name = record.class().name;
        if depth == 0 && name.starts_with('*') {
            self.out.push_str("&");
        }
        if self.flags.sharp_v {
            self.out.push_str(name.trim_start_matches('*'));
        }
        self.out.push_str("{");
        for (index, (field, value)) in record.fields().iter().enumerate() {
            self.between(index);
            if self.flags.plus_v || self.flags.sharp_v {
                self.out.push_str(field);
                self.out.push_str(":");
            }
            self.print_value(value, verb, depth + 1);
        }
        self.out.push_str("}");
    }
}
