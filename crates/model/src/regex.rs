//! Regular expressions by RE2's rules, on top of the `regex` crate.
//!
//! Users write Go's syntax. The two dialects share nearly everything; `translate` reads the one and writes the
//! other, so that nothing is left that the two read differently: `\\Q…\\E`, a `{` that repeats nothing, Perl
//! classes and word boundaries that are ASCII in Go, octal escapes, names of groups that begin with a digit, set
//! operators that Go reads as plain characters. What Go refuses is refused with Go's message.
//! Expressions are anchored at both ends and `.` matches newlines, as in Prometheus 3.
//!
//! What is narrower than in Go: groups nest at most 240 deep (there 1,000), and a compiled expression takes at most
//! 4 MiB; both say so in Go's words.

mod class;
mod expand;
mod translate;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use translate::{Translated, translate};

/// Bytes a compiled expression may take; a hostile pattern is an error, not an outage.
const COMPILED_BYTES_MAX: usize = 4 << 20;

/// What may lie inside each other in what was translated: a group, the sequence in it and its repetition count each.
const NESTING_MAX: u32 = 800;

/// A template that was filled would be longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// An anchored regular expression and the text it was made from.
#[derive(Clone)]
pub struct Regex {
    source: String,
    compiled: Compiled,
    /// The names of the groups, empty where they have none; the first is the whole match.
    names: Arc<[String]>,
    literals: Option<Vec<String>>,
}

/// Where an expression asks for what is no word boundary, it is matched over bytes: what lies between the bytes of a
/// character is none by Go's rules, and can never be reached.
#[derive(Clone)]
enum Compiled {
    Text(regex::Regex),
    Bytes(regex::bytes::Regex),
}

impl Regex {
    /// Compiles an expression in Go's syntax. Fails with Go's message (`error parsing regexp: …`).
    pub fn new(source: &str) -> Result<Self, String> {
        let translated = translate(source)
            .map_err(|(kind, part)| format!("error parsing regexp: {kind}: `{part}`"))?;
        let compiled = compile(&translated).map_err(|error| describe(&error, source))?;
        Ok(Self {
            source: source.to_owned(),
            compiled,
            literals: literal_alternatives(&translated.text),
            names: translated.names.into(),
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
        match (&self.literals, &self.compiled) {
            (Some(literals), _) => literals.iter().any(|literal| literal == text),
            (None, Compiled::Text(regex)) => regex.is_match(text),
            (None, Compiled::Bytes(regex)) => regex.is_match(text.as_bytes()),
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
        self.expand_within(text, template, usize::MAX)?.ok()
    }

    /// The same, but fails where the result would be longer than `bytes_max`: a template can repeat a group often.
    #[must_use]
    pub fn expand_within(
        &self,
        text: &str,
        template: &str,
        bytes_max: usize,
    ) -> Option<Result<String, TooLong>> {
        let groups = self.groups(text)?;
        let group = |index: usize| text.get(groups.get(index)?.clone()?);
        let expanded = expand::expanded(template, &self.names, bytes_max, group);
        Some(expanded.ok_or(TooLong))
    }

    /// Where the groups of a match lie, the whole first.
    fn groups(&self, text: &str) -> Option<Vec<Option<Range<usize>>>> {
        match &self.compiled {
            Compiled::Text(regex) => {
                let captures = regex.captures(text)?;
                Some(captures.iter().map(|group| Some(group?.range())).collect())
            }
            Compiled::Bytes(regex) => {
                let captures = regex.captures(text.as_bytes())?;
                Some(captures.iter().map(|group| Some(group?.range())).collect())
            }
        }
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

fn compile(translated: &Translated) -> Result<Compiled, regex::Error> {
    let anchored = format!("^(?s:{})$", translated.text);
    if translated.needs_bytes {
        let mut builder = regex::bytes::RegexBuilder::new(&anchored);
        return Ok(Compiled::Bytes(
            builder
                .size_limit(COMPILED_BYTES_MAX)
                .nest_limit(NESTING_MAX)
                .build()?,
        ));
    }
    let mut builder = regex::RegexBuilder::new(&anchored);
    Ok(Compiled::Text(
        builder
            .size_limit(COMPILED_BYTES_MAX)
            .nest_limit(NESTING_MAX)
            .build()?,
    ))
}

/// What the other dialect finds in an expression that was translated can only be its size.
fn describe(error: &regex::Error, source: &str) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            format!("error parsing regexp: expression too large: `{source}`")
        }
        other => {
            let reason = other.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            format!(
                "error parsing regexp: {}: `{source}`",
                reason.trim_start_matches("error: ")
            )
        }
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

#[cfg(test)]
mod tests;
