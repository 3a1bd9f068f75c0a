//! File patterns as Go's `path/filepath` has them: `*` and `?` within one part of a path, `[a-z]`, `[^a-z]`, and `\` before
//! a character that is meant as it is.

use std::path::{Component, Path, PathBuf};

/// Files found at most for one pattern.
const FILES_MAX: usize = 10_000;

/// What begins something else than itself.
const SPECIAL: [char; 4] = ['*', '?', '[', '\\'];

/// The files and folders that a pattern names, sorted. A pattern without special characters names itself, if it is there.
#[must_use]
pub fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let part = component.as_os_str().to_string_lossy();
        let is_special = matches!(component, Component::Normal(_)) && part.contains(SPECIAL);
        found = match is_special {
            true => {
                let all = found.iter().flat_map(|folder| entries(folder, &part));
                all.take(FILES_MAX).collect()
            }
            false => found.iter().map(|folder| folder.join(component)).collect(),
        };
    }
    found.retain(|path| std::fs::metadata(path).is_ok());
    found.sort();
    found
}

/// Entries of a folder that match one part of a pattern.
fn entries(folder: &Path, part: &str) -> Vec<PathBuf> {
    let listed = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let Ok(entries) = std::fs::read_dir(listed) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = names.filter(|name| matches(part, name));
    names.map(|name| folder.join(name)).collect()
}

/// Whether a name matches a pattern of `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a special character.
/// A malformed pattern matches nothing.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut i) = (0, 0);
    // Where to go on when what follows the last star does not match.
    let mut star: Option<(usize, usize)> = None;
    while i < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at + 1, i));
            at += 1;
            continue;
        }
        let step = name.get(i).and_then(|c| match_one(pattern.get(at..)?, *c));
        match (step, star) {
            (Some(length), _) => {
                at += length;
                i += 1;
            }
            (None, Some((after, from))) => {
                star = Some((after, from + 1));
                (at, i) = (after, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

/// Matches one character; answers the length of the pattern's part that did.
fn match_one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '\\' => (*pattern.get(1)? == c).then_some(2),
        '[' => match_class(pattern, c),
        literal => (*literal == c).then_some(1),
    }
}

fn match_class(pattern: &[char], c: char) -> Option<usize> {
    let negated = pattern.get(1) == Some(&'^');
    let mut at = if negated { 2 } else { 1 };
    let mut found = false;
    let begin = at;
    while at == begin || *pattern.get(at)? != ']' {
        let low = class_char(pattern, &mut at)?;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            at += 1;
            high = class_char(pattern, &mut at)?;
        }
        found |= low <= c && c <= high;
    }
    (found != negated).then_some(at + 1)
}

fn class_char(pattern: &[char], at: &mut usize) -> Option<char> {
    if pattern.get(*at) == Some(&'\\') {
        *at += 1;
    }
    let c = *pattern.get(*at)?;
    *at += 1;
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::{expand, matches};

    #[test]
    fn matches_as_go_does() {
        let check =
            |pattern, name, want| assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        check("*.yml", "a.yml", true);
        check("*.yml", "a.yaml", false);
        check("a*b*c", "aXbYbc", true);
        check("a*b*c", "aXbYb", false);
        check("a?c", "abc", true);
        check("[a-c]x", "bx", true);
        check("[^a-c]x", "bx", false);
        check("\\*", "*", true);
        check("\\*", "a", false);
        check("[a", "a", false);
        check("", "", true);
        check("***", "anything", true);
    }

    #[test]
    fn expands_in_a_folder() {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["b.yml", "a.yml", "c.json"] {
            std::fs::File::create(folder.path().join(name)).expect("file");
        }
        let names = |pattern: &str| {
            let files = expand(&folder.path().join(pattern));
            let names = files.iter().filter_map(|file| file.file_name()?.to_str());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("*.yml"), "a.yml b.yml");
        assert_eq!(names("c.json"), "c.json");
        assert_eq!(names("d.json"), "");
    }

    #[test]
    fn expands_in_folders() {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["a/1.yml", "b/1.yml", "b/2.yml", "c/1.yml", "b/[x].yml"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::File::create(path).expect("file");
        }
        let check = |pattern: &str, want: &[&str]| {
            let want: Vec<_> = want.iter().map(|name| folder.path().join(name)).collect();
            assert_eq!(expand(&folder.path().join(pattern)), want, "{pattern}");
        };
        check("*/1.yml", &["a/1.yml", "b/1.yml", "c/1.yml"]);
        check("[ab]/?.yml", &["a/1.yml", "b/1.yml", "b/2.yml"]);
        check("b/\\[x\\].yml", &["b/[x].yml"]);
        check("*", &["a", "b", "c"]);
        check("d/*.yml", &[]);
        check("a/[.yml", &[]);
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(matches(&"*a".repeat(200), &"a".repeat(200)));
    }
}
