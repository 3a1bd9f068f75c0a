//! Templates of replacements, by the rules of Go's `Regexp.Expand`.

/// Fills a template: `$name`, `${name}`, `$1`, `$$`. A name goes as far as letters, digits and underscores do, so `$1x`
/// is the group named `1x`; groups that are not there or did not take part are empty. A `$` before anything
/// else stands for itself. `None` where the text would be longer than `bytes_max`.
pub(super) fn expanded<'t>(
    template: &str,
    names: &[String],
    bytes_max: usize,
    group: impl Fn(usize) -> Option<&'t str>,
) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        if out.len() > bytes_max {
            return None;
        }
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some((name, after)) = name(after) else {
            out.push('$');
            rest = after;
            continue;
        };
        rest = after;
        if let Some(index) = number(name) {
            out.push_str(group(index).unwrap_or_default());
            continue;
        }
        let mut named = names.iter().enumerate().filter(|(_, other)| *other == name);
        let taken = named.find_map(|(index, _)| group(index));
        out.push_str(taken.unwrap_or_default());
    }
    out.push_str(rest);
    (out.len() <= bytes_max).then_some(out)
}

/// The name behind a `$`, and what follows it; `None` where there is none.
fn name(text: &str) -> Option<(&str, &str)> {
    let (braced, text) = match text.strip_prefix('{') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    if braced {
        return Some((name, rest.strip_prefix('}')?));
    }
    Some((name, rest))
}

/// A group's number: digits without a leading zero.
fn number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let has_leading_zero = name.len() > 1 && name.starts_with('0');
    let number = name.parse().ok().filter(|number| *number < 100_000_000);
    number.filter(|_| is_number && !has_leading_zero)
}
