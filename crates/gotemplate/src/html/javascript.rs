//! Escaping of values in JavaScript.

use crate::functions::json_text;
use crate::value::{JS, JS_STR, Value, call_method, find_method};

/// The kind of literal that a text goes into.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Literal {
    String,
    /// Already escaped: backslashes stay.
    EscapedString,
    Template,
    Regexp,
}

/// Writes a value as a JavaScript expression.
pub(super) fn value(values: &[Value]) -> Result<String, String> {
    let single = match values {
        [value] => value.clone(),
        values => Value::from(crate::format::print(values)?),
    };
    let json = match &single {
        Value::NamedStr(class, text) if class.name == JS.name => return Ok(text.to_string()),
        Value::NamedStr(class, text) if class.name == JS_STR.name => {
            return Ok(format!("\"{text}\""));
        }
        // A time has its own JSON form; other values with a text form are that text.
        value if !matches!(value, Value::Time(_)) && find_method(value, "String").is_some() => {
            json_text(&call_method(value, "String").unwrap_or_default())
        }
        value => json_text(value),
    };
    let json = match json {
        Ok(json) => json,
        Err(error) => {
            let safe = error
                .replace("*/", "* /")
                .replace("<script", "\\x3Cscript")
                .replace("</script", "\\x3C/script");
            return Ok(format!(" /* {} */null ", safe.replace("<!--", "\\x3C!--")));
        }
    };
    let is_part = |c: char| c == '$' || c == '_' || c.is_ascii_alphanumeric();
    let pad = json.starts_with(is_part) || json.ends_with(is_part);
    Ok(if pad { format!(" {json} ") } else { json })
}

/// Escapes text for the inside of a literal.
pub(super) fn literal(text: &str, literal: Literal) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\x0c' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '/' => out.push_str("\\/"),
            '\\' if literal != Literal::EscapedString => out.push_str("\\\\"),
            '"' | '&' | '\'' | '+' | '<' | '>' => push_code(c, &mut out),
            '`' if literal != Literal::Regexp => push_code(c, &mut out),
            '$' | '{' | '}' if literal == Literal::Template => push_code(c, &mut out),
            '$' | '(' | ')' | '*' | '-' | '.' | '?' | '[' | ']' | '^' | '{' | '|' | '}'
                if literal == Literal::Regexp =>
            {
                out.push('\\');
                out.push(c);
            }
            '\u{2028}' | '\u{2029}' => push_code(c, &mut out),
            c if c < ' ' => push_code(c, &mut out),
            c => out.push(c),
        }
    }
    if literal == Literal::Regexp && out.is_empty() {
        // An empty regular expression would be the start of a comment.
        out.push_str("(?:)");
    }
    out
}

fn push_code(c: char, out: &mut String) {
    out.push_str(&format!("\\u{:04x}", u32::from(c)));
}

/// Whether a script element of this type holds JavaScript or JSON.
pub(super) fn is_script_type(mime_type: &str) -> bool {
    let name = mime_type.split(';').next().unwrap_or("").to_lowercase();
    let name = name.trim();
    let (prefix, suffix) = name.split_once('/').unwrap_or(("", name));
    match prefix {
        "" => matches!(suffix, "" | "module"),
        "application" => {
            matches!(
                suffix,
                "ecmascript" | "javascript" | "json" | "ld+json" | "x-ecmascript" | "x-javascript"
            )
        }
        "text" => matches!(
            suffix,
            "ecmascript"
                | "javascript"
                | "javascript1.0"
                | "javascript1.1"
                | "javascript1.2"
                | "javascript1.3"
                | "javascript1.4"
                | "javascript1.5"
                | "jscript"
                | "livescript"
                | "x-ecmascript"
                | "x-javascript"
        ),
        _ => false,
    }
}
