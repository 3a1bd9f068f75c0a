//! Go's regular expressions (RE2 syntax) on the regex crate.
//!
//! The syntaxes differ in little: here `\d`, `\w`, `\s` and `\b` mean ASCII only, `\Q…\E` quotes, a brace
//! that is no repetition and a bracket inside a class stand for themselves, `\<` is no word boundary.

use regex::Regex;

use crate::format;
use crate::format::TEXT_BYTES_MAX;
use crate::value::Value;

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern)).map_err(|error| {
        let text = error.to_string();
        let reason = text
            .lines()
            .last()
            .unwrap_or("")
            .trim_start_matches("error: ")
            .to_owned();
        format!("error parsing regexp: {reason}: `{pattern}`")
    })
}

/// `match PATTERN TEXT`
pub(super) fn matches(arguments: &[Value]) -> Result<Value, String> {
    let regex = compile(super::string(arguments, 0))?;
    Ok(Value::Bool(regex.is_match(super::string(arguments, 1))))
}

/// `reReplaceAll PATTERN REPLACEMENT TEXT`; `$1` and `${name}` in the replacement are what groups matched.
pub(super) fn replace_all(arguments: &[Value]) -> Result<Value, String> {
    let (pattern, replacement, text) = (
        super::string(arguments, 0),
        super::string(arguments, 1),
        super::string(arguments, 2),
    );
    let regex = compile(pattern)
        .map_err(|message| format!("regexp: Compile({}): {message}", shown(pattern)))?;
    let mut out = String::new();
    let mut copied = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push_str(text.get(copied..whole.start()).unwrap_or(""));
        captures.expand(replacement, &mut out);
        copied = whole.end();
        if out.len() > TEXT_BYTES_MAX {
            return Err(format!("result of more than {TEXT_BYTES_MAX} bytes"));
        }
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    Ok(out.into())
}

fn shown(pattern: &str) -> String {
    if pattern.contains('`') {
        format::quote(pattern)
    } else {
        format!("`{pattern}`")
    }
}

/// Rewrites an RE2 pattern for the regex crate.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or("");
        rest = match c {
            '\\' => escape(after, in_class, &mut out),
            '[' if !in_class => {
                in_class = true;
                open_class(after, &mut out)
            }
            '[' => nested_bracket(after, &mut out),
            ']' if in_class => {
                in_class = false;
                out.push(']');
                after
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
                after
            }
            '{' if !in_class => match repetition(after) {
                Some((inside, rest)) => {
                    out.push_str(&format!("{{{inside}}}"));
                    rest
                }
                None => {
                    out.push_str("\\{");
                    after
                }
            },
            '}' if !in_class => {
                out.push_str("\\}");
                after
            }
            c => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// Splits the inside of a repetition such as `{2,3}` off the text after its brace.
fn repetition(after: &str) -> Option<(&str, &str)> {
    let (inside, rest) = after.split_once('}')?;
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some((inside, rest))
}

/// Copies what may follow `[` and would otherwise end the class: `^` and a first `]`.
fn open_class<'a>(after: &'a str, out: &mut String) -> &'a str {
    out.push('[');
    let mut rest = after;
    if let Some(inner) = rest.strip_prefix('^') {
        out.push('^');
        rest = inner;
    }
    if let Some(inner) = rest.strip_prefix(']') {
        out.push_str("\\]");
        rest = inner;
    }
    rest
}

/// Inside a class a bracket opens `[:name:]` or stands for itself.
fn nested_bracket<'a>(after: &'a str, out: &mut String) -> &'a str {
    if after.starts_with(':')
        && let Some(end) = after.find(":]")
    {
        let (name, rest) = after.split_at(end + 2);
        out.push('[');
        out.push_str(name);
        return rest;
    }
    out.push_str("\\[");
    after
}

fn escape<'a>(after: &'a str, in_class: bool, out: &mut String) -> &'a str {
    let Some(c) = after.chars().next() else {
        out.push('\\');
        return "";
    };
    let rest = after.get(c.len_utf8()..).unwrap_or("");
    let ascii = match (c, in_class) {
        ('d', true) => "0-9",
        ('d', false) => "[0-9]",
        ('D', _) => "[^0-9]",
        ('w', true) => "0-9A-Za-z_",
        ('w', false) => "[0-9A-Za-z_]",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('S', _) => "[^\\t\\n\\f\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('<' | '>' | '_', _) => "",
        ('Q', _) => {
            let (quoted, rest) = rest.split_once("\\E").unwrap_or((rest, ""));
            out.push_str(&regex::escape(quoted));
            return rest;
        }
        ('p' | 'P' | 'x', _) if rest.starts_with('{') => {
            let (braced, rest) = rest.split_at(rest.find('}').map_or(rest.len(), |end| end + 1));
            out.push_str(&format!("\\{c}{braced}"));
            return rest;
        }
        _ => {
            out.push('\\');
            out.push(c);
            return rest;
        }
    };
    out.push_str(ascii);
    if ascii.is_empty() {
        out.push(c);
    }
    rest
}
