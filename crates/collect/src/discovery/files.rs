//! `file_sd_configs`: files that list targets, read again when they change.

use crate::metrics::Metrics;
use crate::prometheus_file::{FileDiscovery, TargetGroup, read_target_groups};
use config::glob;
use model::Labels;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 64 << 20;
const FILEPATH: &str = "__meta_filepath";

/// What tells one state of a file from another.
type Stamp = (u64, Option<SystemTime>);

/// Remembers what the files listed.
pub(crate) struct FileWatcher {
    discovery: FileDiscovery,
    known: BTreeMap<PathBuf, (Stamp, Vec<TargetGroup>)>,
    /// Whether groups were handed over yet: an empty list must be said once.
    reported: bool,
}

impl FileWatcher {
    pub(crate) const fn new(discovery: FileDiscovery) -> Self {
        Self {
            discovery,
            known: BTreeMap::new(),
            reported: false,
        }
    }

    /// Looks at the files; answers all groups if anything changed since the last time.
    ///
    /// A file that cannot be read keeps the groups it had; one that is gone takes them along. Looking is
    /// so cheap that `refresh_interval` is never waited for.
    pub(crate) fn read(&mut self, metrics: &Metrics) -> Option<Vec<TargetGroup>> {
        let mut changed = !self.reported;
        self.reported = true;
        let patterns = self.discovery.files.iter();
        let mut files: Vec<PathBuf> = patterns.flat_map(|pattern| glob::expand(pattern)).collect();
        files.sort();
        files.dedup();
        let count = self.known.len();
        self.known
            .retain(|path, _| files.binary_search(path).is_ok());
        changed |= self.known.len() != count;
        for path in files {
            let stamp = stamp(&path);
            if self
                .known
                .get(&path)
                .is_some_and(|(known, _)| *known == stamp)
            {
                continue;
            }
            match read_file(&path) {
                Ok(groups) => {
                    self.known.insert(path, (stamp, groups));
                    changed = true;
                }
                Err(error) => {
                    metrics.file_errors.increment();
                    tracing::warn!(file = %path.display(), error, "reading targets failed");
                    // Said once for each state of the file.
                    let known = self.known.entry(path).or_default();
                    known.0 = stamp;
                }
            }
        }
        changed.then(|| {
            self.known
                .values()
                .flat_map(|(_, groups)| groups.clone())
                .collect()
        })
    }
}

fn stamp(path: &Path) -> Stamp {
    std::fs::metadata(path).map_or((0, None), |metadata| {
        (metadata.len(), metadata.modified().ok())
    })
}

fn read_file(path: &Path) -> Result<Vec<TargetGroup>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    let source = path.display().to_string();
    let mut groups = read_target_groups(&text, &source).map_err(|problems| problems.to_string())?;
    for group in &mut groups {
        group.labels = group
            .labels
            .merged_with(&Labels::from_pairs([(FILEPATH, &source)]));
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::FileWatcher;
    use crate::metrics::Metrics;
    use crate::prometheus_file::FileDiscovery;
    use std::io::Write as _;
    use std::path::Path;

    fn write(path: &Path, text: &str) {
        let mut file = std::fs::File::create(path).expect("file");
        file.write_all(text.as_bytes()).expect("written");
    }

    #[test]
    fn follows_files() {
        let folder = tempfile::tempdir().expect("folder");
        let (yaml, json) = (folder.path().join("a.yml"), folder.path().join("b.json"));
        let metrics = Metrics::new(&runtime::Registry::new());
        let mut watcher = FileWatcher::new(FileDiscovery {
            files: vec![folder.path().join("*.yml"), json.clone()],
            refresh_ms: 1000,
        });
        let mut addresses = || {
            let groups = watcher.read(&metrics)?;
            let targets = groups.iter().flat_map(|group| &group.targets);
            let addresses = targets.map(|target| target.value("__address__").to_owned());
            Some(addresses.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(addresses().as_deref(), Some(""));
        assert_eq!(addresses(), None);
        write(&yaml, "- targets: [a:1, 'b:2']\n  labels: {env: p}\n");
        assert_eq!(addresses().as_deref(), Some("a:1 b:2"));
        write(&json, r#"[{"targets": ["c:3"], "labels": {"x": "y"}}]"#);
        assert_eq!(addresses().as_deref(), Some("a:1 b:2 c:3"));
        write(&yaml, "- targets: [a:1\n");
        assert_eq!(addresses(), None, "a broken file keeps its targets");
        assert_eq!(metrics.file_errors.value(), 1);
        write(&yaml, "- targets: [z:1]\n");
        assert_eq!(addresses().as_deref(), Some("z:1 c:3"));
        std::fs::remove_file(&json).expect("removed");
        assert_eq!(addresses().as_deref(), Some("z:1"));
    }
}
