//! Reads Go's syntax and writes the `regex` crate's.
//!
//! A pass over the expression with a stack of open groups. It accepts and refuses what Go's `regexp/syntax` does with
//! its Perl flags, with its messages; what is written has no name, no class and no escape that the two dialects
//! read differently. Source: the documentation of Go's package regexp/syntax.

use super::class;

/// Repetition counts above this, also of nested repetitions together, are refused.
const REPEAT_MAX: u64 = 1000;

/// Groups inside each other. Go allows 1,000; the program that runs an expression walks it recursively.
const DEPTH_MAX: usize = 240;

/// An expression in the other dialect.
#[derive(Debug, Default)]
pub(super) struct Translated {
    pub(super) text: String,
    /// The names of the groups, the first being the whole match; empty where a group has none.
    pub(super) names: Vec<String>,
    /// Whether it needs a matcher over bytes: what stands between two bytes of a word is no boundary.
    pub(super) needs_bytes: bool,
}

/// Why an expression is refused: the kind, and the part that is wrong.
pub(super) type Refusal = (&'static str, String);

pub(super) fn refuse<T>(kind: &'static str, part: &str) -> Result<T, Refusal> {
    Err((kind, part.to_owned()))
}

/// The last thing that a repetition can apply to.
#[derive(Clone, Copy, Debug)]
struct Atom {
    /// Where it ends in what was written.
    end: usize,
    /// What its repetitions multiply to.
    repeats: u64,
}

/// An open group.
#[derive(Debug, Default)]
struct Group {
    /// The atom before it.
    before: Option<Atom>,
    /// The most that repetitions inside multiply to.
    repeats: u64,
}

struct Translator<'a> {
    whole: &'a str,
    rest: &'a str,
    out: Translated,
    groups: Vec<Group>,
    /// Of the innermost group.
    repeats: u64,
    atom: Option<Atom>,
    /// The text from the repetition that was just read.
    last_repeat: Option<&'a str>,
}

/// Translates an expression.
pub(super) fn translate(source: &str) -> Result<Translated, Refusal> {
    let mut translator = Translator {
        whole: source,
        rest: source,
        out: Translated {
            names: vec![String::new()],
            ..Translated::default()
        },
        groups: Vec::new(),
        repeats: 0,
        atom: None,
        last_repeat: None,
    };
    while !translator.rest.is_empty() {
        translator.step()?;
    }
    if !translator.groups.is_empty() {
        return refuse("missing closing )", source);
    }
    Ok(translator.out)
}

impl<'a> Translator<'a> {
    fn step(&mut self) -> Result<(), Refusal> {
        let last_repeat = self.last_repeat.take();
        let text = self.rest;
        let Some(c) = text.chars().next() else {
            return Ok(());
        };
        let tail = text.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '(' => return self.open(),
            ')' => return self.close(),
            '|' => {
                self.out.text.push('|');
                self.atom = None;
                self.rest = tail;
            }
            '[' => self.rest = self.class(text)?,
            '^' | '$' => {
                self.atom(&format!("(?:{c})"));
                self.rest = tail;
            }
            '.' => {
                self.atom(".");
                self.rest = tail;
            }
            '*' | '+' => return self.repeat(tail, (&c.to_string(), 0), last_repeat),
            '?' => return self.repeat(tail, ("?", 0), last_repeat),
            '{' => match counts(tail) {
                Some(counts) => return self.repeat_counted(counts, last_repeat),
                None => {
                    self.literal('{');
                    self.rest = tail;
                }
            },
            '\\' => self.rest = self.escape(text)?,
            c => {
                self.literal(c);
                self.rest = tail;
            }
        }
        Ok(())
    }

    /// Writes something that a repetition can apply to.
    fn atom(&mut self, text: &str) {
        self.out.text.push_str(text);
        self.atom = Some(Atom {
            end: self.out.text.len(),
            repeats: 0,
        });
    }

    fn literal(&mut self, c: char) {
        self.atom(&regex_syntax::escape(c.encode_utf8(&mut [0; 4])));
    }

    fn class(&mut self, text: &'a str) -> Result<&'a str, Refusal> {
        let mut written = String::new();
        let rest = class::bracketed(text, &mut written)?;
        self.atom(&written);
        Ok(rest)
    }

    /// What follows a backslash, itself included; answers the rest.
    fn escape(&mut self, text: &'a str) -> Result<&'a str, Refusal> {
        let after = text.get(2..);
        match (text.as_bytes().get(1), after) {
            (Some(b'A'), Some(after)) => {
                self.atom("(?:\\A)");
                return Ok(after);
            }
            (Some(b'z'), Some(after)) => {
                self.atom("(?:\\z)");
                return Ok(after);
            }
            (Some(b'b'), Some(after)) => {
                self.atom("(?-u:\\b)");
                return Ok(after);
            }
            (Some(b'B'), Some(after)) => {
                self.out.needs_bytes = true;
                self.atom("(?-u:\\B)");
                return Ok(after);
            }
            (Some(b'C'), Some(_)) => return refuse("invalid escape sequence", "\\C"),
            (Some(b'Q'), Some(after)) => {
                let (literal, rest) = after.split_once("\\E").unwrap_or((after, ""));
                literal.chars().for_each(|c| self.literal(c));
                return Ok(rest);
            }
            _ => {}
        }
        let mut written = String::new();
        if let Some(rest) = class::escaped(text, &mut written)? {
            self.atom(&written);
            return Ok(rest);
        }
        let (c, rest) = class::escaped_character(text)?;
        self.literal(c);
        Ok(rest)
    }

    fn open(&mut self) -> Result<(), Refusal> {
        let text = self.rest;
        if let Some(flags) = text.strip_prefix("(?") {
            if flags.starts_with("P<") || flags.starts_with('<') {
                return self.open_named(flags);
            }
            return self.flags(flags);
        }
        self.out.names.push(String::new());
        self.rest = text.get(1..).unwrap_or_default();
        self.enter("(")
    }

    fn enter(&mut self, opening: &str) -> Result<(), Refusal> {
        if self.groups.len() >= DEPTH_MAX {
            return refuse("expression nests too deeply", self.whole);
        }
        self.out.text.push_str(opening);
        self.groups.push(Group {
            before: self.atom.take(),
            repeats: std::mem::take(&mut self.repeats),
        });
        Ok(())
    }

    /// `(?P<name>` or `(?<name>`
    fn open_named(&mut self, flags: &'a str) -> Result<(), Refusal> {
        const KIND: &str = "invalid named capture";
        let after = flags.trim_start_matches('P');
        let Some((name, rest)) = after.get(1..).and_then(|text| text.split_once('>')) else {
            return refuse(KIND, self.rest);
        };
        let opening = self.rest.get(..self.rest.len() - rest.len());
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_valid = !name.is_empty() && name.chars().all(is_word);
        if !is_valid || self.out.names.iter().any(|other| other == name) {
            return refuse(KIND, opening.unwrap_or_default());
        }
        self.out.names.push(name.to_owned());
        self.rest = rest;
        self.enter("(")
    }

    /// `(?flags)` or `(?flags:`
    fn flags(&mut self, flags: &'a str) -> Result<(), Refusal> {
        let (mut negative, mut saw_flag) = (false, false);
        for (index, c) in flags.char_indices() {
            let read = flags.get(..index).unwrap_or_default();
            let rest = flags.get(index + c.len_utf8()..).unwrap_or_default();
            match c {
                'i' | 'm' | 's' | 'U' => saw_flag = true,
                '-' if !negative => (negative, saw_flag) = (true, false),
                ':' if saw_flag || !negative => {
                    self.rest = rest;
                    return self.enter(&format!("(?{}:", normal_flags(read)));
                }
                ')' if saw_flag || !negative => {
                    // Nothing to write for `(?)`, which the other dialect does not know.
                    let flags = normal_flags(read);
                    if !flags.is_empty() {
                        self.out.text.push_str(&format!("(?{flags})"));
                    }
                    self.rest = rest;
                    return Ok(());
                }
                _ => {
                    let bad = self.rest.get(..self.rest.len() - rest.len());
                    return refuse(
                        "invalid or unsupported Perl syntax",
                        bad.unwrap_or_default(),
                    );
                }
            }
        }
        refuse("missing closing )", self.whole)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let Some(group) = self.groups.pop() else {
            return refuse("unexpected )", self.whole);
        };
        self.out.text.push(')');
        self.atom = Some(Atom {
            end: self.out.text.len(),
            repeats: self.repeats,
        });
        self.repeats = self.repeats.max(group.repeats);
        // What stood before the group can no longer be repeated.
        let _passed = group.before;
        self.rest = self.rest.get(1..).unwrap_or_default();
        Ok(())
    }

    fn repeat_counted(
        &mut self,
        (low, high, after): (Option<u64>, Option<Option<u64>>, &'a str),
        last_repeat: Option<&'a str>,
    ) -> Result<(), Refusal> {
        let written = self
            .rest
            .get(..self.rest.len() - after.len())
            .unwrap_or_default();
        let largest = high.flatten().or(low);
        let fits = |count: Option<u64>| count.is_some_and(|count| count <= REPEAT_MAX);
        let is_reversed = matches!((low, high), (Some(low), Some(Some(high))) if low > high);
        // `{2,` has no upper end; one that cannot be read has.
        let high_fits = !matches!(high, Some(Some(count)) if count > REPEAT_MAX);
        if !fits(low) || !high_fits || is_reversed {
            return refuse("invalid repeat count", written);
        }
        self.repeat(after, (written, largest.unwrap_or(0)), last_repeat)
    }

    /// A repetition operator: `after` is what follows it, `count` what it multiplies by, 0 for none.
    fn repeat(
        &mut self,
        after: &'a str,
        (operator, count): (&str, u64),
        last_repeat: Option<&'a str>,
    ) -> Result<(), Refusal> {
        let before = self.rest;
        let (lazy, after) = match after.strip_prefix('?') {
            Some(after) => ("?", after),
            None => ("", after),
        };
        let part = |from: &'a str| from.get(..from.len() - after.len()).unwrap_or_default();
        if let Some(last) = last_repeat {
            return refuse("invalid nested repetition operator", part(last));
        }
        let Some(atom) = self.atom else {
            return refuse("missing argument to repetition operator", part(before));
        };
        let repeats = match count {
            0 => atom.repeats,
            count => count.max(count.saturating_mul(atom.repeats)),
        };
        if count >= 2 && repeats > REPEAT_MAX {
            return refuse("invalid repeat count", part(before));
        }
        // Flags may stand between an atom and its repetition.
        self.out
            .text
            .insert_str(atom.end, &format!("{operator}{lazy}"));
        self.repeats = self.repeats.max(repeats);
        self.atom = Some(Atom {
            end: atom.end + operator.len() + lazy.len(),
            repeats,
        });
        self.last_repeat = Some(before);
        self.rest = after;
        Ok(())
    }
}

/// Flags with each once, as the other dialect wants them; what is switched off last is off.
fn normal_flags(read: &str) -> String {
    let (on, off) = read.split_once('-').unwrap_or((read, ""));
    let mut flags: String = "imsU"
        .chars()
        .filter(|c| on.contains(*c) && !off.contains(*c))
        .collect();
    if !off.is_empty() {
        flags.push('-');
        flags.extend("imsU".chars().filter(|c| off.contains(*c)));
    }
    flags
}

/// Reads `2}`, `2,}` or `2,3}` after a brace: the lower and the upper end, and what follows. A number of more than
/// eight digits is none. `None` where the brace is a plain character.
#[expect(
    clippy::type_complexity,
    reason = "an end may be missing, open or unreadable"
)]
fn counts(tail: &str) -> Option<(Option<u64>, Option<Option<u64>>, &str)> {
    let (inside, after) = tail.split_once('}')?;
    let (low, high) = match inside.split_once(',') {
        Some((low, "")) => (low, None),
        Some((low, high)) => (low, Some(high)),
        None => (inside, Some(inside)),
    };
    let is_number = |text: &str| {
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_digits && (text.len() == 1 || !text.starts_with('0'))
    };
    if !is_number(low) || high.is_some_and(|high| !is_number(high)) {
        return None;
    }
    let number = |text: &str| text.parse().ok().filter(|count| *count < 100_000_000);
    let high = high.map(|high| number(high).or(Some(u64::MAX)));
    Some((number(low), high, after))
}
