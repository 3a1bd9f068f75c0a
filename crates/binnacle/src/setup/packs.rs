//! Where enabled rule packs lie: in the folder `packs` of the configuration.

use std::path::{Path, PathBuf};

/// The folder's name.
const FOLDER: &str = "packs";

/// The folder of packs in this one.
pub(crate) fn below(folder: &Path) -> PathBuf {
    folder.join(FOLDER)
}

/// Where packs are written for a program that is given these paths: in the first of them, or beside it where it is a file;
/// without a path in the data folder.
pub(crate) fn folder(paths: &[PathBuf], data: &Path) -> PathBuf {
    let Some(first) = paths.first() else {
        return below(data);
    };
    if first.is_dir() {
        return below(first);
    }
    below(first.parent().unwrap_or(Path::new("")))
}

/// Whether a file is a pack by its first line or by where it lies: the pack about Binnacle itself has the name of our settings.
pub(super) fn is_pack(path: &Path, text: &str) -> bool {
    let folder = path.parent().and_then(Path::file_name);
    rules::packs::marked(text).is_some() || folder.is_some_and(|name| name == FOLDER)
}

/// The rule files in a folder of packs, sorted; none where there is no such folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        matches!(ending, Some("yml" | "yaml")) && path.is_file()
    });
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::folder;
    use std::path::{Path, PathBuf};

    #[test]
    fn packs_lie_with_what_was_given() {
        let place = tempfile::tempdir().expect("folder");
        let root = place.path();
        let check = |paths: &[&Path], want: &Path| {
            let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
            assert_eq!(folder(&paths, Path::new("data")), want);
        };
        check(&[], Path::new("data/packs"));
        check(&[root, Path::new("x")], &root.join("packs"));
        check(&[&root.join("prometheus.yml")], &root.join("packs"));
        check(&[Path::new("prometheus.yml")], Path::new("packs"));
    }
}
