//! Files by pattern, as Go's `filepath.Glob`: `*` and `?` within one part of a path, `[a-z]`, `\` as escape.

use std::path::{Component, Path, PathBuf};

/// Files found at most for one pattern.
const FILES_MAX: usize = 1000;

/// The files that a pattern names, sorted. A pattern without special characters names itself if it exists.
#[must_use]
pub fn find(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let part = component.as_os_str().to_string_lossy();
        let special = matches!(component, Component::Normal(_)) && part.contains(['*', '?', '[']);
        found = if special {
            found
                .iter()
                .flat_map(|at| list(at, &part))
                .take(FILES_MAX)
                .collect()
        } else {
            found.iter().map(|at| at.join(component)).collect()
        };
    }
    found.retain(|path| std::fs::metadata(path).is_ok_and(|file| file.is_file()));
    found.sort();
    found
}

/// Entries of a folder that match one part of a pattern.
fn list(folder: &Path, part: &str) -> Vec<PathBuf> {
    let folder_or_here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(entries) = std::fs::read_dir(folder_or_here) else {
        return Vec::new();
    };
    let pattern: Vec<char> = part.chars().collect();
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| matches(&pattern, &name.chars().collect::<Vec<_>>()))
        .map(|name| folder.join(name))
        .collect()
}

/// Whether a name matches one part of a pattern, both as characters.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return name.is_empty();
    };
    match (first, name.split_first()) {
        ('*', _) => {
            (0..=name.len()).any(|skip| name.get(skip..).is_some_and(|tail| matches(rest, tail)))
        }
        ('?', Some((_, tail))) => matches(rest, tail),
        ('[', Some((c, tail))) => match class(rest, *c) {
            Some((true, after)) => matches(after, tail),
            Some((false, _)) | None => false,
        },
        ('\\', Some((c, tail))) => match rest.split_first() {
            Some((escaped, after)) => escaped == c && matches(after, tail),
            None => false,
        },
        (literal, Some((c, tail))) => literal == c && matches(rest, tail),
        (_, None) => false,
    }
}

/// Whether a character is in the class that follows `[`, and what follows the class.
fn class(pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let (negated, mut rest) = match pattern {
        ['^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    let mut first = true;
    loop {
        match rest {
            [']', after @ ..] if !first => return Some((found != negated, after)),
            [low, '-', high, after @ ..] if *high != ']' => {
                found |= (*low..=*high).contains(&c);
                rest = after;
            }
            [one, after @ ..] => {
                found |= *one == c;
                rest = after;
            }
            [] => return None,
        }
        first = false;
    }
}
