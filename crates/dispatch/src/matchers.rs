//! Matchers as Alertmanager writes them: `{foo="bar", baz=~"a|b"}`, braces and quotes optional.
//!
//! Two grammars exist: the classic one (label names of Prometheus, tolerant values) and the UTF-8 one
//! (any name, quoted where needed). As upstream does by default, both are tried: what only the classic one
//! reads is taken as such, and where both read but differ the classic one wins, so that old files keep
//! their meaning. Source: "Matchers" in Alertmanager's configuration manual.

mod classic;
mod utf8;

use model::{Labels, Matcher};
use std::cmp::Ordering;
use std::fmt::Write as _;

/// Reads zero or more matchers, separated by commas, with or without braces.
///
/// Fails with upstream's message, which names the part that is wrong.
pub fn parse_matchers(input: &str) -> Result<Vec<Matcher>, String> {
    let classic = classic::matchers(input);
    match (utf8::matchers(input), classic) {
        (_, Ok(classic)) => Ok(classic),
        (Ok(modern), Err(_)) => Ok(modern),
        (Err(_), Err(error)) => Err(error),
    }
}

/// Reads exactly one matcher; braces are not allowed.
pub fn parse_matcher(input: &str) -> Result<Matcher, String> {
    if input.starts_with('{') || input.ends_with('}') {
        return Err(format!("unexpected open or close brace: {input}"));
    }
    let classic = classic::matcher(input);
    match (utf8::matchers(input), classic) {
        (_, Ok(classic)) => Ok(classic),
        (Ok(modern), Err(error)) => {
            let mut modern = modern.into_iter();
            match (modern.next(), modern.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(error),
            }
        }
        (Err(_), Err(error)) => Err(error),
    }
}

/// Whether a text may be a label name: any text but the empty one.
#[must_use]
pub const fn is_label_name(name: &str) -> bool {
    !name.is_empty()
}

/// Sorts by name, value and operator: the order in which route and group keys show matchers.
pub fn sort(matchers: &mut [Matcher]) {
    matchers.sort_by(compare);
}

fn compare(a: &Matcher, b: &Matcher) -> Ordering {
    (a.name(), a.value(), a.operator()).cmp(&(b.name(), b.value(), b.operator()))
}

/// Prints one matcher as upstream does: the name quoted only where it has characters of the syntax. An empty name is
/// quoted too, so that it is read as the same again.
#[must_use]
pub fn print_matcher(matcher: &Matcher) -> String {
    let operator = matcher.operator().symbol();
    if matcher.name().is_empty() || matcher.name().chars().any(is_reserved) {
        let name = model::labels::Quoted(matcher.name());
        return format!("{name}{operator}{}", model::labels::Quoted(matcher.value()));
    }
    let value = matcher
        .value()
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('"', "\\\"");
    format!("{}{operator}\"{value}\"", matcher.name())
}

/// Prints matchers in braces, separated by commas: a part of route and group keys.
#[must_use]
pub fn print_matchers(matchers: &[Matcher]) -> String {
    let list: Vec<String> = matchers.iter().map(print_matcher).collect();
    format!("{{{}}}", list.join(","))
}

/// Prints labels as group keys show them: `{a="b", c="d"}`, names as they are.
#[must_use]
pub fn print_labels(labels: &Labels) -> String {
    let mut text = String::from("{");
    for (i, (name, value)) in labels.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{comma}{name}={}", model::labels::Quoted(value));
    }
    text.push('}');
    text
}

/// Characters that end an unquoted name or value.
fn is_reserved(c: char) -> bool {
    c.is_whitespace() || "{}!=~,\\\"'`".contains(c)
}

#[cfg(test)]
mod tests;
