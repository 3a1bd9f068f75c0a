//! Finding the files under the paths that were given, and matching the patterns that files name.

use config::glob::expand;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Files looked at below one path at most: somebody will name their home folder.
const FILES_MAX: usize = 5000;
/// Bytes of a file at most.
pub(crate) const BYTES_MAX: u64 = 16 << 20;
/// Folders that hold no configuration.
const SKIPPED: [&str; 4] = ["node_modules", "target", "binnacle-data", "vendor"];

/// Lists the files under a path in a stable order; a file stands for itself.
///
/// Fails with a message that names the path that cannot be read.
pub(crate) fn list(path: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = BTreeSet::new();
    let metadata =
        std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if metadata.is_dir() {
        walk(path, &mut found)?;
    } else {
        found.insert(path.to_path_buf());
    }
    Ok(found.into_iter().collect())
}

fn walk(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Hidden folders hold version control and the links that orchestrators swap files with.
        if name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = entry.path();
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        if metadata.is_dir() && !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            walk(&path, found)?;
        } else if metadata.is_file() {
            if found.len() == FILES_MAX {
                return Err(format!(
                    "more than {FILES_MAX} files under {}",
                    folder.display()
                ));
            }
            found.insert(path);
        }
    }
    Ok(())
}

/// What a pattern of a configuration file led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) files: Vec<PathBuf>,
    /// Where the files were found instead, if the pattern as written matched nothing.
    pub(crate) instead: Option<PathBuf>,
}

/// Finds the files of a pattern. A relative one counts from the folder of the file that names it. An
/// absolute one that matches nothing (`/etc/prometheus/alerts.yml`, as in a container) is sought under `given` by its last
/// components, the longest that match first.
pub(crate) fn find_pattern(pattern: &str, beside: &Path, given: &[PathBuf]) -> Matched {
    let as_written = beside.join(pattern);
    let files = expand(&as_written);
    if !files.is_empty() || !Path::new(pattern).is_absolute() {
        return Matched {
            files,
            instead: None,
        };
    }
    let parts: Vec<Component<'_>> = Path::new(pattern).components().skip(1).collect();
    for folder in given {
        for start in 0..parts.len() {
            let tail: PathBuf = parts.iter().skip(start).collect();
            let candidate = folder.join(tail);
            let files = expand(&candidate);
            if !files.is_empty() {
                return Matched {
                    files,
                    instead: Some(candidate),
                };
            }
        }
    }
    Matched::default()
}

#[cfg(test)]
mod tests {
    use super::{find_pattern, list};
    use std::path::PathBuf;

    #[test]
    fn finds_files_and_patterns() {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path().to_path_buf();
        std::fs::create_dir_all(root.join("rules/.git")).expect("folders");
        for name in [
            "prometheus.yml",
            "rules/a.yml",
            "rules/b.yml",
            "rules/.git/c.yml",
        ] {
            std::fs::File::create(root.join(name)).expect("file");
        }
        let names = |files: Vec<PathBuf>| {
            let name = |f: PathBuf| f.strip_prefix(&root).expect("below").display().to_string();
            files.into_iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(list(&root).expect("list")),
            ["prometheus.yml", "rules/a.yml", "rules/b.yml"]
        );
        let given = [root.clone()];
        let found = find_pattern("rules/*.yml", &root, &given);
        assert_eq!(
            (names(found.files), found.instead),
            (vec!["rules/a.yml".into(), "rules/b.yml".into()], None)
        );
        let found = find_pattern("/etc/prometheus/rules/*.yml", &root, &given);
        assert_eq!(found.instead, Some(root.join("rules/*.yml")));
        assert_eq!(found.files.len(), 2);
        let found = find_pattern("/etc/none.yml", &root, &given);
        assert_eq!(found.files.len(), 0);
    }
}
