//! From a folder to a list of blocks: the manifest, or a new one where it is lost, and the blocks it names.
//!
//! A damaged or missing manifest is made again from what the blocks say of themselves. What it said of the
//! log is lost then: the whole log is replayed, which at worst puts samples into the head that blocks have too.

use super::cut::window_start;
use super::{BLOCKS_FOLDER, maintain};
use crate::block::{Block, BlockMeta, IndexMemory, block_name, block_number, tombstones_name};
use crate::error::{Error, at};
use crate::manifest::{MANIFEST_NAME, Manifest};
use crate::options::Options;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What names we give to files in the blocks' folder.
const SUFFIXES: [&str; 3] = [".block", ".tmp", ".tombstones"];

/// What is appended to the name of a file that cannot be read.
pub(super) const QUARANTINE_SUFFIX: &str = ".quarantined";

/// What was found in the folder.
pub(super) struct Opened {
    pub(super) manifest: Manifest,
    pub(super) blocks: Vec<Arc<Block>>,
    /// Files that were set aside.
    pub(super) damages: usize,
}

/// Reads the manifest and opens its blocks. Fails where the file system refuses, and on files of another version;
/// damage is set aside.
pub(super) fn open(options: &Options, memory: &Arc<IndexMemory>) -> Result<Opened, Error> {
    let folder = options.folder.join(BLOCKS_FOLDER);
    options.files.make_folder(&folder).map_err(at(&folder))?;
    let (mut manifest, mut damages) = load_manifest(options, &folder)?;
    let blocks = open_blocks(options, &folder, &mut manifest, memory)?;
    damages += manifest.blocks.len() - blocks.len();
    if manifest.blocks.len() > blocks.len() {
        let opened: BTreeSet<u64> = blocks.iter().map(|block| block.meta.id).collect();
        manifest.blocks.retain(|block| opened.contains(&block.id));
        manifest.save(options.files.as_ref(), &options.folder)?;
    }
    remove_leftovers(options, &folder, &manifest)?;
    Ok(Opened {
        manifest,
        blocks,
        damages,
    })
}

/// Reads the manifest, or makes one. Also how many files were set aside.
fn load_manifest(options: &Options, folder: &Path) -> Result<(Manifest, usize), Error> {
    let files = options.files.as_ref();
    let mut damages = 0;
    match Manifest::load(files, &options.folder) {
        Ok(Some(manifest)) => return Ok((manifest, 0)),
        Ok(None) => {}
        Err(error) if error.is_damage() => {
            tracing::error!("{error}; it is made again from the blocks");
            let path = options.folder.join(MANIFEST_NAME);
            let kept = options
                .folder
                .join(format!("{MANIFEST_NAME}{QUARANTINE_SUFFIX}"));
            files.rename(&path, &kept).map_err(at(&path))?;
            damages += 1;
        }
        Err(error) => return Err(error),
    }
    let (manifest, unreadable) = rebuild(options, folder)?;
    if !manifest.blocks.is_empty() {
        tracing::error!(
            "{} was missing or damaged: made again from {} blocks",
            options.folder.join(MANIFEST_NAME).display(),
            manifest.blocks.len()
        );
    }
    manifest.save(files, &options.folder)?;
    Ok((manifest, damages + unreadable))
}

/// Makes a manifest from the blocks in the folder. Blocks that were merged into another one that is there are
/// left out; blocks that cannot be read are set aside and counted.
fn rebuild(options: &Options, folder: &Path) -> Result<(Manifest, usize), Error> {
    let files = &options.files;
    let names = files.list(folder).map_err(at(folder))?;
    let mut manifest = Manifest::default();
    let mut replaced = BTreeSet::new();
    let mut damages = 0;
    for name in &names {
        let plain = name.strip_suffix(QUARANTINE_SUFFIX).unwrap_or(name);
        let numbers = SUFFIXES
            .iter()
            .filter_map(|suffix| block_number(plain, suffix));
        for number in numbers {
            manifest.next_block = manifest.next_block.max(number.saturating_add(1));
        }
        let Some(id) = block_number(name, ".block") else {
            continue;
        };
        match Block::inspect(files, folder, id) {
            Ok((meta, sources)) => {
                manifest.blocks.push(meta);
                replaced.extend(sources);
            }
            Err(error) if error.is_damage() => {
                tracing::error!("{error}; the other blocks are served");
                maintain::quarantine(files, folder, id, "unreadable");
                damages += 1;
            }
            Err(error) => return Err(error),
        }
    }
    manifest
        .blocks
        .retain(|block| !replaced.contains(&block.id));
    manifest.blocks.sort_by_key(|block| (block.order, block.id));
    let newest = manifest
        .blocks
        .iter()
        .map(|block: &BlockMeta| block.end)
        .max();
    manifest.boundary = newest.map_or(i64::MIN, |end| window_start(end, options.block_ms.max(1)));
    Ok((manifest, damages))
}

/// Opens the blocks of the manifest and sets aside those that cannot be read.
fn open_blocks(
    options: &Options,
    folder: &Path,
    manifest: &mut Manifest,
    memory: &Arc<IndexMemory>,
) -> Result<Vec<Arc<Block>>, Error> {
    let files = &options.files;
    let mut opened = Vec::new();
    for meta in &manifest.blocks {
        match Block::open(files, folder, meta.clone(), memory) {
            Ok(block) => opened.push(Arc::new(block)),
            Err(error) if error.is_damage() => {
                tracing::error!("{error}; the other blocks are served");
                // Before the manifest forgets it: files without a name there are removed.
                maintain::quarantine(files, folder, meta.id, "unreadable");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(opened)
}

/// Removes files that no manifest names: they are left from a crash.
fn remove_leftovers(options: &Options, folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    let files = &options.files;
    let named = |id: u64| [block_name(id), tombstones_name(id)];
    let kept: BTreeSet<String> = manifest.blocks.iter().flat_map(|b| named(b.id)).collect();
    for name in files.list(folder).map_err(at(folder))? {
        let is_ours = SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
        if is_ours && !kept.contains(&name) {
            let path = folder.join(name);
            files.remove(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}
