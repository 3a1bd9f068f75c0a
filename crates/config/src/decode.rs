//! From nodes to values: every decoder reports what is wrong with a node and goes on.
//!
//! ```text
//! let mut fields = Fields::of(node, "global", problems)?;
//! let interval_ms = fields.read("scrape_interval", decode::duration_ms).unwrap_or(DEFAULT_MS);
//! fields.finish();   // unknown fields are mistakes
//! ```
//! As in Go's YAML readers a field that is `null` counts as absent.

use crate::problem::Problems;
use crate::secret::Secret;
use crate::yaml::{Node, NodeKind, Position};
use model::Labels;

/// The fields of a mapping; those that nobody read are mistakes.
pub struct Fields<'n, 'p> {
    what: &'static str,
    position: Position,
    pairs: Vec<(&'n Node, &'n Node)>,
    problems: &'p mut Problems,
}

impl<'n, 'p> Fields<'n, 'p> {
    /// Takes a mapping apart; `what` names it in messages (`scrape_config`). Null counts as an empty mapping.
    pub fn of(node: &'n Node, what: &'static str, problems: &'p mut Problems) -> Option<Self> {
        let pairs = match &node.kind {
            NodeKind::Mapping(pairs) => pairs.iter().map(|(key, value)| (key, value)).collect(),
            NodeKind::Null => Vec::new(),
            NodeKind::Scalar { .. } | NodeKind::Sequence(_) => {
                expected(node, &format!("{what} as a mapping"), problems);
                return None;
            }
        };
        Some(Self {
            what,
            position: node.position,
            pairs,
            problems,
        })
    }

    /// Where the mapping begins.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The list that mistakes go to.
    pub const fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    /// Takes a field out without decoding it; `None` where it is absent or null.
    pub fn take(&mut self, name: &str) -> Option<&'n Node> {
        let index = self
            .pairs
            .iter()
            .position(|(key, _)| key.text() == Some(name))?;
        let (_, value) = self.pairs.remove(index);
        (!value.is_null()).then_some(value)
    }

    /// Whether a field is there, null or not, and not yet taken.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key.text() == Some(name))
    }

    /// Decodes a field; `None` where it is absent, null or wrong (then it was reported).
    pub fn read<T>(
        &mut self,
        name: &str,
        decode: impl FnOnce(&'n Node, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        let node = self.take(name)?;
        decode(node, self.problems)
    }

    /// Decodes a list field; empty where it is absent.
    pub fn read_list<T>(
        &mut self,
        name: &str,
        decode: impl FnMut(&'n Node, &mut Problems) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = self.take(name) else {
            return Vec::new();
        };
        list(node, self.problems, decode).unwrap_or_default()
    }

    /// Reports a mistake at the beginning of the mapping.
    pub fn wrong(&mut self, message: impl Into<String>) {
        self.problems.add(self.position, message);
    }

    /// Reports every field that nobody took.
    pub fn finish(self) {
        for (key, _) in self.pairs {
            let name = key.text().unwrap_or("null");
            self.problems.add(
                key.position,
                format!("field {name:?} not found in {}", self.what),
            );
        }
    }
}

/// Reports that a node is not what was expected, with its value.
pub fn expected(node: &Node, what: &str, problems: &mut Problems) {
    let found = match &node.kind {
        NodeKind::Scalar { text, .. } => {
            let shown: String = text.chars().take(80).collect();
            format!("{shown:?}")
        }
        NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            node.kind.name().to_owned()
        }
    };
    problems.add(node.position, format!("expected {what}, found {found}"));
}

/// A text. Numbers and booleans are taken as written, as Go's readers do.
pub fn string(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = node.text().map(str::to_owned);
    if text.is_none() {
        expected(node, "a text", problems);
    }
    text
}

/// A text that is never shown. The message does not repeat it either.
pub fn secret(node: &Node, problems: &mut Problems) -> Option<Secret> {
    let text = node.text().map(Secret::new);
    if text.is_none() {
        problems.add(
            node.position,
            format!("expected a text, found {}", node.kind.name()),
        );
    }
    text
}

/// `true` or `false`, or YAML 1.1's `yes`, `no`, `on`, `off` unquoted.
pub fn boolean(node: &Node, problems: &mut Problems) -> Option<bool> {
    let value = match &node.kind {
        NodeKind::Scalar {
            text,
            quoted: false,
        } => match text.as_str() {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        },
        NodeKind::Scalar { .. } | NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            None
        }
    };
    if value.is_none() {
        expected(node, "true or false", problems);
    }
    value
}

/// A whole number; decimal, `0x`, `0o`, `0b`, underscores, also as `1e3`.
pub fn integer(node: &Node, problems: &mut Problems) -> Option<i64> {
    let value = match &node.kind {
        NodeKind::Scalar {
            text,
            quoted: false,
        } => parse_integer(text),
        NodeKind::Scalar { .. } | NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            None
        }
    };
    if value.is_none() {
        expected(node, "a whole number", problems);
    }
    value
}

fn parse_integer(text: &str) -> Option<i64> {
    let text = text.replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    // A zero in front means base 8, in YAML 1.1 and in Go.
    let bases = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)];
    let found = bases
        .iter()
        .find_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, *base)))
        .filter(|(rest, _)| !rest.is_empty());
    let (digits, base) = found.unwrap_or((digits, 10));
    match i64::from_str_radix(digits, base) {
        Ok(number) => number.checked_mul(sign),
        Err(_) => whole(&text),
    }
}

/// A float that is a whole number, which readers for Go take for one.
fn whole(text: &str) -> Option<i64> {
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let value: f64 = text.parse().ok().filter(|_| text.chars().all(is_plain))?;
    let number = model::number::float_to_i64(value);
    // Beyond this not every whole number is a float.
    let is_exact = number.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS;
    (is_exact && value.fract() == 0.0).then_some(number)
}

/// A whole number that is not negative.
pub fn unsigned(node: &Node, problems: &mut Problems) -> Option<u64> {
    let value = integer(node, problems)?;
    let unsigned = u64::try_from(value).ok();
    if unsigned.is_none() {
        expected(node, "a number that is not negative", problems);
    }
    unsigned
}

/// A number.
pub fn float(node: &Node, problems: &mut Problems) -> Option<f64> {
    let value = match &node.kind {
        NodeKind::Scalar {
            text,
            quoted: false,
        } => match text.as_str() {
            ".inf" | "+.inf" | ".Inf" | ".INF" => Some(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
            ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
            _ => text.replace('_', "").parse().ok(),
        },
        NodeKind::Scalar { .. } | NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            None
        }
    };
    if value.is_none() {
        expected(node, "a number", problems);
    }
    value
}

/// A duration as Prometheus writes it (`1m30s`), in milliseconds.
pub fn duration_ms(node: &Node, problems: &mut Problems) -> Option<i64> {
    let text = string(node, problems)?;
    match model::parse_duration(&text) {
        Ok(millis) => Some(millis),
        Err(message) => {
            problems.add(node.position, message);
            None
        }
    }
}

/// A size in bytes: a whole number with B, KB, MB, GB, TB, PB, EB (powers of 1024); 0 without a unit.
pub fn size_bytes(node: &Node, problems: &mut Problems) -> Option<u64> {
    let text = string(node, problems)?;
    let size = parse_size(&text);
    if size.is_none() {
        expected(node, "a size like 512MB", problems);
    }
    size
}

/// Reads a size as `size_bytes` does.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let unit_start = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_start);
    let units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];
    let short = |name: &str| name.trim_end_matches('B').to_owned();
    let unit = unit.trim_end_matches("iB");
    let power = units
        .iter()
        .position(|name| *name == unit || short(name) == unit)?;
    let factor = 1024_u64.checked_pow(u32::try_from(power).ok()?)?;
    let value: f64 = number.parse().ok()?;
    Some(model::number::float_to_u64(
        value * model::number::u64_to_float(factor),
    ))
}

/// A list, each element decoded; wrong elements are reported and left out.
pub fn list<'n, T>(
    node: &'n Node,
    problems: &mut Problems,
    mut decode: impl FnMut(&'n Node, &mut Problems) -> Option<T>,
) -> Option<Vec<T>> {
    let NodeKind::Sequence(elements) = &node.kind else {
        expected(node, "a list", problems);
        return None;
    };
    Some(
        elements
            .iter()
            .filter_map(|element| decode(element, problems))
            .collect(),
    )
}

/// A list of texts.
pub fn strings(node: &Node, problems: &mut Problems) -> Option<Vec<String>> {
    list(node, problems, string)
}

/// A mapping from texts to texts, in the order of the file; a null value is the empty text.
pub fn string_map(node: &Node, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let NodeKind::Mapping(pairs) = &node.kind else {
        expected(node, "a mapping", problems);
        return None;
    };
    let mut map = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let key = string(key, problems)?;
        let value = if value.is_null() {
            Some(String::new())
        } else {
            string(value, problems)
        };
        map.extend(value.map(|value| (key, value)));
    }
    Some(map)
}

/// A mapping of label names to values. Names may be any UTF-8 text but not empty.
pub fn labels(node: &Node, problems: &mut Problems) -> Option<Labels> {
    let pairs = string_map(node, problems)?;
    if pairs.iter().any(|(name, _)| name.is_empty()) {
        problems.add(node.position, "a label name must not be empty");
        return None;
    }
    Some(Labels::from_pairs(pairs))
}

/// One of a few names.
pub fn one_of<T: Copy>(node: &Node, names: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let text = string(node, problems)?;
    let found = names
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        expected(node, &format!("one of {}", known.join(", ")), problems);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Fields, boolean, duration_ms, integer, labels, list, parse_integer, size_bytes};
    use crate::{Problems, yaml};

    #[test]
    fn collects_every_mistake() {
        let text = "a: maybe\nb: 1x\nc: [1, two]\nd: 5parsecs\ne: {x: 1}\nsize: 2KB\nzz: 1\n";
        let mut problems = Problems::new("f.yml");
        let node = yaml::parse_single(text, &mut problems).expect("yaml");
        let mut fields = Fields::of(&node, "thing", &mut problems).expect("mapping");
        assert_eq!(fields.read("a", boolean), None);
        assert_eq!(fields.read("b", integer), None);
        assert_eq!(fields.read("c", |n, p| list(n, p, integer)), Some(vec![1]));
        assert_eq!(fields.read("d", duration_ms), None);
        assert_eq!(
            fields.read("e", labels).map(|l| l.to_string()).as_deref(),
            Some(r#"{x="1"}"#)
        );
        assert_eq!(fields.read("size", size_bytes), Some(2048));
        assert_eq!(fields.read("absent", boolean), None);
        fields.finish();
        assert_eq!(
            problems.to_string(),
            "f.yml:1:4: expected true or false, found \"maybe\"\n\
             f.yml:2:4: expected a whole number, found \"1x\"\n\
             f.yml:3:8: expected a whole number, found \"two\"\n\
             f.yml:4:4: not a valid duration string: \"5parsecs\"\n\
             f.yml:7:1: field \"zz\" not found in thing"
        );
    }

    #[test]
    fn reads_whole_numbers() {
        let check = |text: &str, want: Option<i64>| assert_eq!(parse_integer(text), want, "{text}");
        check("12", Some(12));
        check("-1_000", Some(-1000));
        check("0", Some(0));
        check("0x1F", Some(31));
        check("0b11", Some(3));
        check("0o17", Some(15));
        check("017", Some(15));
        check("08", Some(8));
        check("1e3", Some(1000));
        check("2.0", Some(2));
        check("-1e2", Some(-100));
        check("1.5", None);
        check("1e30", None);
        check("0x", None);
        check(".", None);
        check("inf", None);
        check("", None);
    }
}
