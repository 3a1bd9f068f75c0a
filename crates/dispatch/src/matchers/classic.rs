//! The classic grammar: a Prometheus label name, an operator, and a tolerant value.
//!
//! Quotes around the value are optional; inside it `\"`, `\\` and `\n` are escapes and every other backslash
//! stands for itself.

use model::{MatchOperator, Matcher};

/// Reads zero or more matchers separated by commas outside of quotes.
pub(super) fn matchers(input: &str) -> Result<Vec<Matcher>, String> {
    let input = input.strip_prefix('{').unwrap_or(input);
    let input = input.strip_suffix('}').unwrap_or(input);
    split(input).iter().map(|token| matcher(token)).collect()
}

/// Cuts at commas that are not in quotes; an empty rest is left out.
fn split(input: &str) -> Vec<String> {
    let (mut inside_quotes, mut escaped) = (false, false);
    let mut token = String::new();
    let mut tokens = Vec::new();
    for c in input.chars() {
        match c {
            ',' if !inside_quotes => {
                tokens.push(std::mem::take(&mut token));
                continue;
            }
            '"' if escaped => escaped = false,
            '"' => inside_quotes = !inside_quotes,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
        token.push(c);
    }
    let rest = token.trim();
    if !rest.is_empty() {
        tokens.push(rest.to_owned());
    }
    tokens
}

/// Reads one matcher.
pub(super) fn matcher(input: &str) -> Result<Matcher, String> {
    let malformed = || format!("bad matcher format: {input}");
    let text = input.trim_matches(|c: char| c.is_ascii_whitespace());
    let name_end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .ok_or_else(malformed)?;
    let (name, rest) = text.split_at(name_end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(malformed());
    }
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let operators = [
        ("=~", MatchOperator::Regex),
        ("!=", MatchOperator::NotEqual),
        ("!~", MatchOperator::NotRegex),
        ("=", MatchOperator::Equal),
    ];
    let (raw, operator) = operators
        .iter()
        .find_map(|(symbol, operator)| Some((rest.strip_prefix(symbol)?, *operator)))
        .ok_or_else(malformed)?;
    let raw = raw.trim_start_matches(|c: char| c.is_ascii_whitespace());
    Matcher::new(name, operator, unescape(raw)?)
}

fn unescape(raw: &str) -> Result<String, String> {
    let misplaced = || format!("matcher value contains unescaped double quote: {raw}");
    let quoted = raw.strip_prefix('"');
    let text = quoted.unwrap_or(raw);
    let mut closed = quoted.is_none();
    let mut value = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            '"' if !closed && chars.peek().is_none() => closed = true,
            '"' => return Err(misplaced()),
            c => value.push(c),
        }
    }
    if closed { Ok(value) } else { Err(misplaced()) }
}
