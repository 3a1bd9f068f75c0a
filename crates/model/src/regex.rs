//! Regular expressions by RE2's rules, on top of the `regex` crate.
//!
//! Users write Go's syntax. The two dialects share nearly everything; this module translates what
//! differs: `\Q…\E`, a `{` that repeats nothing, Perl classes that are ASCII in Go, octal escapes,
//! nested sets and set operators that Go reads as plain characters, and it refuses what only the `regex`
//! crate knows. Expressions are anchored at both ends and `.` matches newlines, as in Prometheus 3.

use std::fmt;

/// Repetition counts above this are refused, as in Go.
const REPEAT_MAX: u32 = 1000;

/// Bytes a compiled expression may take; a hostile pattern is an error, not an outage.
const COMPILED_BYTES_MAX: usize = 4 << 20;

/// An anchored regular expression and the text it was made from.
#[derive(Clone)]
pub struct Regex {
    source: String,
    compiled: regex::Regex,
    literals: Option<Vec<String>>,
}

impl Regex {
    /// Compiles an expression in Go's syntax. Fails with a message that starts as Go's do
    /// (`error parsing regexp: …`).
    pub fn new(source: &str) -> Result<Self, String> {
        let translated = translate(source)?;
        let anchored = format!("^(?s:{translated})$");
        let compiled = regex::RegexBuilder::new(&anchored)
            .size_limit(COMPILED_BYTES_MAX)
            .build()
            .map_err(|error| describe(&error, source))?;
        Ok(Self {
            source: source.to_owned(),
            compiled,
            literals: literal_alternatives(&translated),
        })
    }

    /// The expression as the user wrote it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        match &self.literals {
            Some(literals) => literals.iter().any(|literal| literal == text),
            None => self.compiled.is_match(text),
        }
    }

    /// The exact texts that match, where the expression is nothing but an alternation of literals.
    #[must_use]
    pub fn literals(&self) -> Option<&[String]> {
        self.literals.as_deref()
    }

    /// Replaces by Go's template rules (`$1`, `${name}`); `None` where `text` does not match.
    #[must_use]
    pub fn expand(&self, text: &str, template: &str) -> Option<String> {
        let captures = self.compiled.captures(text)?;
        let mut expanded = String::new();
        // Both dialects read `$1x` as the group named `1x`.
        captures.expand(template, &mut expanded);
        Some(expanded)
    }

    /// The compiled expression, anchored.
    #[must_use]
    pub const fn compiled(&self) -> &regex::Regex {
        &self.compiled
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Regex {}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source)
    }
}

fn describe(error: &regex::Error, source: &str) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            format!("error parsing regexp: expression too large: `{source}`")
        }
        regex::Error::Syntax(text) => {
            let reason = text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            format!("error parsing regexp: {reason}: `{source}`")
        }
        _ => format!("error parsing regexp: {error}: `{source}`"),
    }
}

/// Reads `a|b|c` as its literals; `None` for anything that is not an alternation of literals.
fn literal_alternatives(translated: &str) -> Option<Vec<String>> {
    use regex_syntax::hir::{Hir, HirKind};
    fn literal(hir: &Hir) -> Option<String> {
        match hir.kind() {
            HirKind::Empty => Some(String::new()),
            HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
            HirKind::Capture(capture) => literal(&capture.sub),
            HirKind::Class(_)
            | HirKind::Look(_)
            | HirKind::Repetition(_)
            | HirKind::Concat(_)
            | HirKind::Alternation(_) => None,
        }
    }
    fn alternatives(hir: &Hir) -> Option<Vec<String>> {
        match hir.kind() {
            HirKind::Alternation(parts) => {
                let nested: Option<Vec<_>> = parts.iter().map(alternatives).collect();
                nested.map(|lists| lists.into_iter().flatten().collect())
            }
            HirKind::Capture(capture) => alternatives(&capture.sub),
            // A common prefix is factored out of `foo|fob`.
            HirKind::Concat(parts) => {
                let mut texts = vec![String::new()];
                for part in parts {
                    let tails = alternatives(part)?;
                    if texts.len().saturating_mul(tails.len()) > 256 {
                        return None;
                    }
                    texts = texts
                        .iter()
                        .flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}")))
                        .collect();
                }
                Some(texts)
            }
            HirKind::Class(class) => class_members(class),
            HirKind::Empty | HirKind::Literal(_) => literal(hir).map(|text| vec![text]),
            HirKind::Look(_) | HirKind::Repetition(_) => None,
        }
    }
    let hir = regex_syntax::ParserBuilder::new()
        .dot_matches_new_line(true)
        .build();
    let hir = { hir }.parse(translated).ok()?;
    alternatives(&hir)
}

/// The members of a small character class, as `regex-syntax` makes from `a|b`.
fn class_members(class: &regex_syntax::hir::Class) -> Option<Vec<String>> {
    let regex_syntax::hir::Class::Unicode(class) = class else {
        return None;
    };
    let mut members = Vec::new();
    for range in class.iter() {
        for c in range.start()..=range.end() {
            if members.len() == 16 {
                return None;
            }
            members.push(c.to_string());
        }
    }
    Some(members)
}

/// Rewrites an expression from Go's dialect to the `regex` crate's.
///
/// Fails for what Go refuses but the `regex` crate would accept.
pub fn translate(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len() + 8);
    let mut rest = source;
    let fail = |what: &str| format!("error parsing regexp: {what}: `{source}`");
    let mut repeated = false;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        let repeats = matches!(c, '*' | '+' | '?') || c == '{' && is_repetition(tail);
        if repeats && repeated {
            return Err(fail("invalid nested repetition operator"));
        }
        repeated = repeats;
        rest = match c {
            '\\' => translate_escape(tail, &mut out, Place::Outside).map_err(|e| fail(&e))?,
            '[' => translate_class(tail, &mut out).map_err(|e| fail(&e))?,
            '{' => translate_brace(tail, &mut out).map_err(|e| fail(&e))?,
            '}' => {
                out.push_str("\\}");
                tail
            }
            // Lazy: the question mark belongs to the repetition.
            '*' | '+' | '?' if tail.starts_with('?') => {
                out.push(c);
                out.push('?');
                tail.get(1..).unwrap_or_default()
            }
            '(' if tail.starts_with('?') => {
                check_group(tail).map_err(|e| fail(&e))?;
                out.push('(');
                tail
            }
            other => {
                out.push(other);
                tail
            }
        };
    }
    Ok(out)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    InClass,
}

/// Translates what follows a backslash; answers the rest.
fn translate_escape<'a>(tail: &'a str, out: &mut String, place: Place) -> Result<&'a str, String> {
    let Some(c) = tail.chars().next() else {
        return Err("trailing backslash at end of expression".to_owned());
    };
    let next = tail.get(c.len_utf8()..).unwrap_or_default();
    let in_class = place == Place::InClass;
    match c {
        'Q' if !in_class => {
            let (literal, after) = next.split_once("\\E").unwrap_or((next, ""));
            out.push_str(&regex_syntax::escape(literal));
            return Ok(after);
        }
        'E' if !in_class => {}
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str("[\\t\\n\\f\\r ]"),
        'S' => out.push_str("[^\\t\\n\\f\\r ]"),
        'b' if !in_class => out.push_str("(?-u:\\b)"),
        'B' if !in_class => out.push_str("(?-u:\\B)"),
        'A' | 'z' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        'a' | 'f' | 't' | 'n' | 'r' | 'v' | 'x' | 'p' | 'P' => {
            out.push('\\');
            out.push(c);
        }
        '0' => {
            let digits = next
                .bytes()
                .take(2)
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count();
            push_octal(next.get(..digits).unwrap_or_default(), out);
            return Ok(next.get(digits..).unwrap_or_default());
        }
        '1'..='7'
            if next
                .bytes()
                .next()
                .is_some_and(|b| (b'0'..=b'7').contains(&b)) =>
        {
            let digits = tail
                .bytes()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count();
            push_octal(tail.get(..digits).unwrap_or_default(), out);
            return Ok(tail.get(digits..).unwrap_or_default());
        }
        c if c.is_ascii_punctuation() => {
            out.push_str(&escape_char(c));
        }
        _ => return Err(format!("invalid escape sequence: `\\{c}`")),
    }
    Ok(next)
}

fn push_octal(digits: &str, out: &mut String) {
    let code = u32::from_str_radix(digits, 8).unwrap_or(0);
    out.push_str(&format!("\\x{{{code:x}}}"));
}

/// A punctuation character, escaped so that neither classes nor expressions give it a meaning.
fn escape_char(c: char) -> String {
    // `_`, `<`, `>` and a few others may not be escaped in the `regex` crate.
    format!("\\x{{{:x}}}", u32::from(c))
}

/// Translates a class after its `[`; answers the rest after its `]`.
fn translate_class<'a>(tail: &'a str, out: &mut String) -> Result<&'a str, String> {
    out.push('[');
    let mut rest = tail;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    loop {
        let Some(c) = rest.chars().next() else {
            return Err(format!("missing closing ]: `[{tail}`"));
        };
        let next = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            ']' if !first => {
                out.push(']');
                return Ok(next);
            }
            '\\' => translate_escape(next, out, Place::InClass)?,
            '[' if next.starts_with(':') && next.contains(":]") => {
                let end = next.find(":]").map_or(next.len(), |i| i + 2);
                out.push('[');
                out.push_str(next.get(..end).unwrap_or_default());
                next.get(end..).unwrap_or_default()
            }
            // A range's hyphen keeps its meaning, everything else is a plain character.
            '-' if !first && !next.starts_with(']') && !next.starts_with('-') => {
                out.push('-');
                next
            }
            '-' | ']' | '[' | '&' | '~' | '^' => {
                out.push_str(&escape_char(c));
                next
            }
            other => {
                out.push(other);
                next
            }
        };
        first = false;
    }
}

/// Whether what follows a `{` makes it a repetition: `2}`, `2,}` or `2,3}`.
fn is_repetition(tail: &str) -> bool {
    let Some((inside, _)) = tail.split_once('}') else {
        return false;
    };
    let (low, high) = inside.split_once(',').unwrap_or((inside, inside));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(low) && (digits(high) || high.is_empty())
}

/// Translates what follows a `{`: a repetition, or a plain brace where it is none.
fn translate_brace<'a>(tail: &'a str, out: &mut String) -> Result<&'a str, String> {
    if !is_repetition(tail) {
        out.push_str("\\{");
        return Ok(tail);
    }
    let (inside, after) = tail.split_once('}').unwrap_or((tail, ""));
    let (low, high) = inside.split_once(',').unwrap_or((inside, inside));
    let too_large = |text: &str| {
        text.parse::<u32>()
            .map_or(!text.is_empty(), |n| n > REPEAT_MAX)
    };
    if too_large(low) || too_large(high) {
        return Err(format!("invalid repeat count: `{{{inside}}}`"));
    }
    out.push('{');
    out.push_str(inside);
    out.push('}');
    if let Some(after_lazy) = after.strip_prefix('?') {
        out.push('?');
        return Ok(after_lazy);
    }
    Ok(after)
}

/// Refuses group syntax that Go does not know.
fn check_group(tail: &str) -> Result<(), String> {
    let inside = tail.trim_start_matches('?');
    if inside.starts_with("P<") || inside.starts_with('<') && !inside.starts_with("<=") {
        return Ok(());
    }
    for c in inside.chars() {
        match c {
            'i' | 'm' | 's' | 'U' | '-' => {}
            ':' | ')' => return Ok(()),
            _ => break,
        }
    }
    let shown: String = inside.chars().take(2).collect();
    Err(format!("invalid or unsupported Perl syntax: `(?{shown}`"))
}

#[cfg(test)]
mod tests {
    use super::Regex;

    #[test]
    fn matches_as_go_does() {
        let check = |pattern: &str, text: &str, want: bool| {
            let regex = Regex::new(pattern).expect(pattern);
            assert_eq!(regex.is_match(text), want, "{pattern} on {text:?}");
        };
        check("a.c", "a\nc", true);
        check("a", "ba", false);
        check("a|b", "b", true);
        check("a|b", "ab", false);
        check(r"\Qa.b\E+", "a.bb", true);
        check(r"\Qa.b\E", "axb", false);
        check("a{", "a{", true);
        check("a{,2}", "a{,2}", true);
        check("a{2}", "aa", true);
        check(r"\d+", "42", true);
        check(r"\d", "٣", false);
        check(r"[\d]", "7", true);
        check(r"[\D]", "x", true);
        check(r"\w+", "é", false);
        check("[[]", "[", true);
        check("[a&&b]", "&", true);
        check("[]a]", "]", true);
        check("[a-c]", "b", true);
        check("[[:alpha:]]+", "abc", true);
        check(r"\.\_\-", "._-", true);
        check(r"\101", "A", true);
        check("(?i)abc", "ABC", true);
        check("(?P<x>a)b", "ab", true);
        check("fo(o|b)", "fob", true);
        check("", "", true);
        check("", "x", false);
        check("(?i:api|web)-[0-9]", "WEB-3", true);
        check("(?i:api|web)", "WEB", true);
        check("^a$", "a", true);
    }

    #[test]
    fn refuses_what_go_refuses() {
        for pattern in [
            "(", "a**", "[a", "a{1001}", r"\8", "(?x)a", "(?=a)", "(?<=a)", r"\", "*",
        ] {
            assert!(Regex::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn finds_literals() {
        let check = |pattern: &str, want: Option<&[&str]>| {
            let regex = Regex::new(pattern).expect(pattern);
            let want = want.map(|w| w.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
            assert_eq!(regex.literals().map(<[String]>::to_vec), want, "{pattern}");
        };
        check("foo|bar|", Some(&["foo", "bar", ""]));
        check("foo", Some(&["foo"]));
        check("a|b", Some(&["a", "b"]));
        check("fo.*", None);
        check("(?i)ab", Some(&["AB", "Ab", "aB", "ab"]));
        check("(?i)much too many literals", None);
    }
}
