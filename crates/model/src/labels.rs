//! A sorted set of label names and values in one allocation.
//!
//! Layout: for each label, the length of the name, the name, the length of the value, the value.
//! Lengths are written in 6-bit digits, lowest first, each in one ASCII character whose bit 6 says
//! that another digit follows. So the whole set is one valid UTF-8 string: it is hashed and compared for
//! equality as one piece, clones share it, and reading needs no unsafe code. Key decision: a
//! million series cost one allocation each, not two for every label.

use std::fmt;
use std::sync::Arc;

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";

/// The label that holds what kind of metric a series belongs to, where labels say so.
pub const TYPE_LABEL: &str = "__type__";

/// The label that holds the unit of a metric, where labels say so.
pub const UNIT_LABEL: &str = "__unit__";

/// A set of labels, sorted by name (by bytes), without empty values and without duplicate names.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels {
    encoded: Arc<str>,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            encoded: Arc::from(""),
        }
    }
}

impl Labels {
    /// Makes a set from pairs in any order. Pairs with an empty value are left out; of two pairs
    /// with one name the last wins.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        Self::of(pairs, |value| !value.is_empty())
    }

    /// The same for annotations, which may be empty: as upstream, such a one is told like others.
    pub fn annotations<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        Self::of(pairs, |_| true)
    }

    fn of<N, V>(pairs: impl IntoIterator<Item = (N, V)>, keeps: impl Fn(&str) -> bool) -> Self
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut pairs: Vec<(N, V)> = pairs.into_iter().collect();
        // Stable, so that the last of equal names is the last of its run.
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        let mut encoded = String::new();
        for (i, (name, value)) in pairs.iter().enumerate() {
            let next_has_same_name = pairs
                .get(i + 1)
                .is_some_and(|next| next.0.as_ref() == name.as_ref());
            if !next_has_same_name && keeps(value.as_ref()) {
                push_text(&mut encoded, name.as_ref());
                push_text(&mut encoded, value.as_ref());
            }
        }
        Self {
            encoded: Arc::from(encoded),
        }
    }

    /// The labels in order of their names.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            rest: &self.encoded,
        }
    }

    /// The value of a label, `None` where it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(label, _)| *label == name)
            .map(|(_, value)| value)
    }

    /// The value of a label, empty where it is absent: what matchers and grouping look at.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The metric's name, empty where there is none.
    #[must_use]
    pub fn metric_name(&self) -> &str {
        self.value(METRIC_NAME)
    }

    /// Number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no label at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// The set with one label replaced or added; an empty value removes it.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        Self::from_pairs(self.iter().chain([(name, value)]))
    }

    /// The set without the named labels.
    #[must_use]
    pub fn without(&self, names: &[impl AsRef<str>]) -> Self {
        Self::from_pairs(
            self.iter()
                .filter(|(name, _)| !names.iter().any(|n| n.as_ref() == *name)),
        )
    }

    /// The set with only the named labels.
    #[must_use]
    pub fn only(&self, names: &[impl AsRef<str>]) -> Self {
        Self::from_pairs(
            self.iter()
                .filter(|(name, _)| names.iter().any(|n| n.as_ref() == *name)),
        )
    }

    /// This set overlaid by another: labels of `other` win.
    #[must_use]
    pub fn merged_with(&self, other: &Self) -> Self {
        Self::from_pairs(self.iter().chain(other.iter()))
    }

    /// Prometheus' and Alertmanager's fingerprint: 64-bit FNV-1a over `name 0xFF value 0xFF`.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut mix = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        for (name, value) in self.iter() {
            name.bytes()
                .chain([0xff])
                .chain(value.bytes())
                .chain([0xff])
                .for_each(&mut mix);
        }
        hash
    }

    /// The hash of Prometheus 3's `Labels.Hash()`: XXH64 over each name and value behind its length, in one byte or, from
    /// 255 on, in 255 and three bytes. It decides which series `limit_ratio` takes and when a rule group is
    /// evaluated.
    #[must_use]
    pub fn hash_as_upstream(&self) -> u64 {
        let mut packed = Vec::with_capacity(self.encoded.len());
        let mut push = |text: &str| {
            match u8::try_from(text.len()) {
                Ok(length) if length < u8::MAX => packed.push(length),
                _ => {
                    packed.push(u8::MAX);
                    packed.extend(text.len().to_le_bytes().iter().take(3));
                }
            }
            packed.extend_from_slice(text.as_bytes());
        };
        for (name, value) in self.iter() {
            push(name);
            push(value);
        }
        crate::xxhash::xxh64(&packed)
    }

    /// The encoded form (see the module's page): a key that is equal exactly for equal sets.
    #[must_use]
    pub fn encoded(&self) -> &str {
        &self.encoded
    }

    /// Reads the encoded form back; `None` where it is not one that `encoded` has made.
    #[must_use]
    pub fn from_encoded(encoded: &str) -> Option<Self> {
        Self::read(encoded, |value| !value.is_empty())
    }

    /// The same for annotations, which may be empty.
    #[must_use]
    pub fn annotations_from_encoded(encoded: &str) -> Option<Self> {
        Self::read(encoded, |_| true)
    }

    fn read(encoded: &str, may_be: impl Fn(&str) -> bool) -> Option<Self> {
        let mut rest = encoded;
        let mut before: Option<&str> = None;
        while !rest.is_empty() {
            let name = take_text(&mut rest)?;
            let value = take_text(&mut rest)?;
            if !may_be(value) || before.is_some_and(|before| before >= name) {
                return None;
            }
            before = Some(name);
        }
        Some(Self {
            encoded: Arc::from(encoded),
        })
    }

    /// Appends one label to an encoded form that a decoder builds. The caller keeps the order of names and
    /// leaves empty values out.
    pub fn encode_label(encoded: &mut String, name: &str, value: &str) {
        push_text(encoded, name);
        push_text(encoded, value);
    }

    /// Bytes this set holds on the heap.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.encoded.len()
    }
}

fn push_text(encoded: &mut String, text: &str) {
    let mut length = text.len();
    loop {
        let digit = u8::try_from(length & 0x3f).unwrap_or_default();
        length >>= 6;
        encoded.push(char::from(if length > 0 { digit | 0x40 } else { digit }));
        if length == 0 {
            break;
        }
    }
    encoded.push_str(text);
}

/// Reads one length-prefixed text; `None` at the end.
fn take_text<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (mut length, mut shift) = (0_usize, 0_u32);
    let mut bytes = rest.bytes();
    let mut used = 0_usize;
    loop {
        let digit = bytes.next()?;
        used += 1;
        length |= usize::from(digit & 0x3f).checked_shl(shift)?;
        shift += 6;
        if digit & 0x40 == 0 {
            break;
        }
    }
    let end = used.checked_add(length)?;
    let text = rest.get(used..end)?;
    *rest = rest.get(end..)?;
    Some(text)
}

/// Iterates over (name, value), sorted by name.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let name = take_text(&mut self.rest)?;
        let value = take_text(&mut self.rest)?;
        Some((name, value))
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a str);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::from_pairs(pairs)
    }
}

/// By the pairs in order, as Prometheus sorts series; not by the encoded bytes.
impl Ord for Labels {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// As Prometheus prints a label set, name included: `{__name__="up", job="a"}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            if is_legacy_label_name(name) {
                write!(f, "{comma}{name}={}", Quoted(value))?;
            } else {
                write!(f, "{comma}{}={}", Quoted(name), Quoted(value))?;
            }
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a name needs no quotes as a label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
#[must_use]
pub fn is_legacy_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b == b'_' || b.is_ascii_alphabetic())
        && bytes.all(|b| b == b'_' || b.is_ascii_alphanumeric())
}

/// Whether a name needs no quotes as a metric name: as a label name, colons allowed.
#[must_use]
pub fn is_legacy_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b == b'_' || b == b':' || b.is_ascii_alphabetic())
        && bytes.all(|b| b == b'_' || b == b':' || b.is_ascii_alphanumeric())
}

/// A text in double quotes, escaped as Go's `strconv.Quote` does.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                '\u{7}' => f.write_str("\\a")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                '\u{b}' => f.write_str("\\v")?,
                c if u32::from(c) < 0x20 || c == '\u{7f}' => write!(f, "\\x{:02x}", u32::from(c))?,
                c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                    write!(f, "\\u{:04x}", u32::from(c))?;
                }
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests;
