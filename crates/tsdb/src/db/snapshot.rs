//! A copy of the database at one moment that costs no bytes: second names for its files.
//!
//! Blocks and closed log segments never change, so a snapshot shares them. The log is closed at the moment of
//! the snapshot, which fixes what is in it; with `Head::Skip` only blocks are taken. The manifest comes last: a
//! folder without one is a snapshot that was not finished. A database opens on a snapshot as on any folder.

use super::{BLOCKS_FOLDER, Db, WAL_FOLDER};
use crate::block::{block_name, tombstones_name};
use crate::error::{Error, at};
use model::Timestamp;
use runtime::Seeded;
use std::hash::BuildHasher as _;
use std::io;
use std::path::Path;

/// Where snapshots lie.
const SNAPSHOTS_FOLDER: &str = "snapshots";

/// Whether a snapshot holds what is not in blocks yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotHead {
    /// Everything acknowledged.
    Include,
    /// Blocks only.
    Skip,
}

impl Db {
    /// Makes a snapshot; answers the name of its folder under `snapshots` in the database's folder.
    pub fn snapshot(&self, head: SnapshotHead) -> Result<String, Error> {
        // No cut, merge or deletion meanwhile.
        let mut work = self.work();
        work.snapshots += 1;
        let name = self.snapshot_name(work.snapshots);
        let folder = self.options.folder.join(SNAPSHOTS_FOLDER).join(&name);
        let files = &self.options.files;
        let blocks = folder.join(BLOCKS_FOLDER);
        files.make_folder(&blocks).map_err(at(&blocks))?;
        let mut manifest = work.manifest.clone();
        match head {
            SnapshotHead::Skip => manifest.cuts.clear(),
            SnapshotHead::Include => {
                let end = self.rotate_log()?;
                self.sync()?;
                self.wal
                    .link_closed_segments(&folder.join(WAL_FOLDER), end)?;
            }
        }
        for block in &manifest.blocks {
            self.link(&block_name(block.id), &blocks)?;
            match self.link(&tombstones_name(block.id), &blocks) {
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                linked => linked?,
            }
        }
        files.sync_folder(&blocks).map_err(at(&blocks))?;
        manifest.save(files.as_ref(), &folder)?;
        tracing::info!("snapshot {} made", folder.display());
        Ok(name)
    }

    fn link(&self, name: &str, folder: &Path) -> Result<(), Error> {
        let from = self.blocks_folder().join(name);
        let linked = self.options.files.link(&from, &folder.join(name));
        linked.map_err(at(&from))
    }

    /// As upstream's: the time, and something that tells two of one second apart.
    fn snapshot_name(&self, number: u64) -> String {
        let clock = &self.options.clock;
        let now = clock.now();
        let distinct = Seeded::default().hash_one((now.millis(), clock.monotonic(), number));
        format!("{}-{distinct:016x}", compact_time(now))
    }
}

/// A time as `20261121T093005Z`.
fn compact_time(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
    let compact: String = seconds.chars().filter(|c| !"-:".contains(*c)).collect();
    format!("{compact}Z")
}

#[cfg(test)]
mod tests {
    use super::compact_time;
    use model::Timestamp;

    #[test]
    fn names_times() {
        let check = |ms, want| assert_eq!(compact_time(Timestamp::from_millis(ms)), want);
        check(1_795_253_405_123, "20261121T093005Z");
        check(0, "19700101T000000Z");
    }
}
