//! Space and inodes of each mounted file system.

pub(super) mod probe;

use super::{Family, Reading, SensorError};
use probe::Space;
use std::collections::BTreeSet;

/// Which mounts are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountExclusions {
    /// Folders: mounts on them and below.
    pub folders: Vec<String>,
    /// Folders: only mounts below them.
    pub below: Vec<String>,
    /// Types of file systems.
    pub types: Vec<String>,
}

/// node_exporter's own defaults.
impl Default for MountExclusions {
    fn default() -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            folders: owned(&["/dev", "/proc", "/sys"]),
            below: owned(&[
                "/run/credentials",
                "/var/lib/docker",
                "/var/lib/containers/storage",
            ]),
            types: owned(&[
                "autofs",
                "binfmt_misc",
                "bpf",
                "cgroup",
                "cgroup2",
                "configfs",
                "debugfs",
                "devpts",
                "devtmpfs",
                "fusectl",
                "hugetlbfs",
                "iso9660",
                "mqueue",
                "nsfs",
                "overlay",
                "proc",
                "procfs",
                "pstore",
                "rpc_pipefs",
                "securityfs",
                "selinuxfs",
                "squashfs",
                "sysfs",
                "tracefs",
            ]),
        }
    }
}

impl MountExclusions {
    fn excludes(&self, mount: &Mount) -> bool {
        let below = |folder: &String| {
            let rest = mount.folder.strip_prefix(folder.as_str());
            rest.is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
        };
        self.types.contains(&mount.kind)
            || self.folders.contains(&mount.folder)
            || self.folders.iter().chain(&self.below).any(below)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mount {
    device: String,
    /// Where it is mounted, as the host sees it.
    folder: String,
    kind: String,
    read_only: bool,
}

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let mut families = Families::new();
    let mut seen = BTreeSet::new();
    for mount in mounts(reading)? {
        let key = (
            mount.device.clone(),
            mount.folder.clone(),
            mount.kind.clone(),
        );
        if reading.options.mounts.excludes(&mount) || !seen.insert(key) {
            continue;
        }
        let space = reading.probe.ask(&reading.root.path(&mount.folder));
        families.add(&mount, space.as_ref().ok());
    }
    Ok(families.0.into())
}

/// The mounts of process 1, so that a container sees its host's; our own where we may not read those.
fn mounts(reading: &Reading<'_>) -> Result<Vec<Mount>, SensorError> {
    let file = match reading.proc.read("1/mounts") {
        Ok(file) => file,
        Err(_not_allowed) => reading.proc.read("self/mounts")?,
    };
    let root = reading.options.roots.root.to_string_lossy().into_owned();
    let mut mounts = Vec::new();
    for row in file.rows() {
        let [device, folder, kind, options, ..] = row.as_slice() else {
            return Err(file.error(&row.join(" ")));
        };
        mounts.push(Mount {
            device: (*device).to_owned(),
            folder: strip_root(&unescape(folder), &root),
            kind: (*kind).to_owned(),
            read_only: options.split(',').any(|option| option == "ro"),
        });
    }
    Ok(mounts)
}

/// Blanks and tabs in mount points are written as octal numbers.
fn unescape(folder: &str) -> String {
    folder.replace("\\040", " ").replace("\\011", "\t")
}

/// The folder as the host sees it, where the host's root is mounted somewhere else.
fn strip_root(folder: &str, root: &str) -> String {
    if root == "/" {
        return folder.to_owned();
    }
    match folder.strip_prefix(root) {
        Some("") => "/".to_owned(),
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => folder.to_owned(),
    }
}

struct Families([Family; 7]);

impl Families {
    fn new() -> Self {
        Self([
            Family::gauge("node_filesystem_size_bytes", "Filesystem size in bytes."),
            Family::gauge(
                "node_filesystem_free_bytes",
                "Filesystem free space in bytes.",
            ),
            Family::gauge(
                "node_filesystem_avail_bytes",
                "Filesystem space available to non-root users in bytes.",
            ),
            Family::gauge("node_filesystem_files", "Filesystem total file nodes."),
            Family::gauge(
                "node_filesystem_files_free",
                "Filesystem total free file nodes.",
            ),
            Family::gauge("node_filesystem_readonly", "Filesystem read-only status."),
            Family::gauge(
                "node_filesystem_device_error",
                "Whether an error occurred while getting statistics for the given device.",
            ),
        ])
    }

    /// A mount that cannot be asked has only its `device_error`.
    fn add(&mut self, mount: &Mount, space: Option<&Space>) {
        let flag = |condition| Some(f64::from(u8::from(condition)));
        let values = [
            space.map(|space| space.size_bytes),
            space.map(|space| space.free_bytes),
            space.map(|space| space.available_bytes),
            space.map(|space| space.files),
            space.map(|space| space.files_free),
            space.and(flag(mount.read_only)),
            flag(space.is_none()),
        ];
        for (family, value) in self.0.iter_mut().zip(values) {
            if let Some(value) = value {
                let labels = [
                    ("device", mount.device.as_str()),
                    ("fstype", &mount.kind),
                    ("mountpoint", &mount.folder),
                ];
                family.add(labels, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
