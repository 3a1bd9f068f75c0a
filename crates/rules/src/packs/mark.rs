//! The first line of an enabled pack: which pack the file is, and whether somebody has edited it since it was written.
//!
//! ```text
//! # binnacle pack host 5d1f09aa (edit as you like; the number tells whether somebody did)
//! ```
//! The number is the CRC-32 of everything after the line. See docs/formats/pack.md.

use super::Pack;
use storage::sealed::checksum;

/// What the line begins with.
const BEGINNING: &str = "# binnacle pack ";

/// What the first line of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// The name of the pack.
    pub pack: &'a str,
    /// Whether the rest is not what was written.
    pub is_edited: bool,
    /// The rest.
    pub rules: &'a str,
}

/// Reads the mark of a file; `None` where it has none.
#[must_use]
pub fn marked(text: &str) -> Option<Mark<'_>> {
    let (line, rules) = text.split_once('\n')?;
    let mut words = line
        .trim_end()
        .strip_prefix(BEGINNING)?
        .split_ascii_whitespace();
    let pack = words.next()?;
    let written = words
        .next()
        .and_then(|number| u32::from_str_radix(number, 16).ok());
    Some(Mark {
        pack,
        is_edited: written != Some(checksum(rules.as_bytes())),
        rules,
    })
}

/// The text of a pack as it is written into a configuration.
#[must_use]
pub fn with_mark(pack: &Pack) -> String {
    let (name, rules) = (pack.name, pack.rules);
    let number = checksum(rules.as_bytes());
    format!(
        "{BEGINNING}{name} {number:08x} (edit as you like; the number tells whether somebody did)\n{rules}"
    )
}

#[cfg(test)]
mod tests {
    use super::{marked, with_mark};
    use crate::packs::find;

    #[test]
    fn tells_edited_files() {
        let host = find("host").expect("a pack");
        let text = with_mark(host);
        let check = |text: &str, want: Option<(&str, bool)>| {
            let found = marked(text).map(|mark| (mark.pack, mark.is_edited));
            assert_eq!(found, want, "{}", text.lines().next().unwrap_or_default());
        };
        check(&text, Some(("host", false)));
        assert_eq!(marked(&text).map(|mark| mark.rules), Some(host.rules));
        check(&text.replace("0.15", "0.2"), Some(("host", true)));
        check(&format!("{text}\n"), Some(("host", true)));
        check("# binnacle pack other\ngroups: []\n", Some(("other", true)));
        check(
            "# binnacle pack other zz\ngroups: []\n",
            Some(("other", true)),
        );
        check("# binnacle pack \ngroups: []\n", None);
        check("groups: []\n", None);
        check("", None);
    }
}
