//! `toJson`: Go's json.Marshal, which also escapes `<`, `>` and `&`.

use crate::format::Output;
use crate::value::{Record, Value};

/// Tags of Alertmanager's structs that are not simply the name with a small first letter.
const SPECIAL_TAG: (&str, &str) = ("NotificationReason", "notification_reason");

/// Writes a value as JSON.
pub(crate) fn marshal(value: &Value) -> Result<String, String> {
    let mut out = Output::default();
    write(value, &mut out)?;
    out.finish()
}

fn write(value: &Value, out: &mut Output) -> Result<(), String> {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) | Value::NamedInt(_, value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&float(*value)?),
        Value::Str(text) | Value::NamedStr(_, text) => string(text, out),
        Value::Time(time) => string(&time.format("2006-01-02T15:04:05.999999999Z07:00"), out),
        Value::List(list) => {
            out.push_str("[");
            for (index, item) in list.items().iter().enumerate() {
                separate(index, out);
                write(item, out)?;
                if out.is_full() {
                    return Ok(());
                }
            }
            out.push_str("]");
        }
        Value::Map(map) => {
            out.push_str("{");
            for (index, (key, value)) in map.entries().iter().enumerate() {
                separate(index, out);
                string(key, out);
                out.push_str(":");
                write(value, out)?;
                if out.is_full() {
                    return Ok(());
                }
            }
            out.push_str("}");
        }
        Value::Record(record) => {
            out.push_str("{");
            for (index, (name, value)) in record.fields().iter().enumerate() {
                separate(index, out);
                string(&tag(record, name), out);
                out.push_str(":");
                write(value, out)?;
            }
            out.push_str("}");
        }
        Value::Func(_) => return Err("json: unsupported type: func".into()),
    }
    Ok(())
}

fn separate(index: usize, out: &mut Output) {
    if index > 0 {
        out.push_str(",");
    }
}

fn tag(record: &Record, name: &str) -> String {
    if !matches!(record.class().name, "*template.Data" | "template.Alert") {
        return name.into();
    }
    if name == SPECIAL_TAG.0 {
        return SPECIAL_TAG.1.into();
    }
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

fn float(value: f64) -> Result<String, String> {
    if value.is_nan() || value.is_infinite() {
        let shown = crate::format::print(&[Value::Float(value)])?;
        return Err(format!("json: unsupported value: {shown}"));
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return Ok(match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        });
    }
    Ok(value.to_string())
}

fn string(text: &str, out: &mut Output) {
    out.push_str("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push_str("\"");
}
