//! A file system in memory that misbehaves on request, the same way for the same seed.
//!
//! Every file has bytes that the operating system holds and bytes that are on the medium; every name
//! likewise. `sync` and `sync_folder` carry the first over to the second. A loss of power keeps the
//! second and, of what was not synced, a random prefix whose last sector may be torn. The death of the
//! process keeps everything that was handed over.

use super::{Files, FolderLock, Readable, Writable};
use runtime::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A torn write damages at most one sector.
const SECTOR_BYTES: usize = 512;

#[derive(Clone, Debug, Default)]
struct Content {
    held: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug)]
struct Disk {
    random: Random,
    contents: BTreeMap<u64, Content>,
    next_content: u64,
    names: BTreeMap<PathBuf, u64>,
    synced_names: BTreeMap<PathBuf, u64>,
    locked: BTreeSet<PathBuf>,
    /// Bytes that all files may hold together.
    space_bytes: usize,
    read_only: bool,
    /// Changes that still succeed before the power goes; `None` for no such plan.
    changes_until_crash: Option<u64>,
    crashed: bool,
    changes: u64,
    /// Raised by each restart: what was opened before is dead.
    generation: u64,
}

/// A simulated disk; clones share it.
#[derive(Clone, Debug)]
pub struct SimulatedFiles {
    disk: Arc<Mutex<Disk>>,
}

impl SimulatedFiles {
    /// Makes an empty disk without limit.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            disk: Arc::new(Mutex::new(Disk {
                random: Random::from_seed(seed),
                contents: BTreeMap::new(),
                next_content: 0,
                names: BTreeMap::new(),
                synced_names: BTreeMap::new(),
                locked: BTreeSet::new(),
                space_bytes: usize::MAX,
                read_only: false,
                changes_until_crash: None,
                crashed: false,
                changes: 0,
                generation: 0,
            })),
        }
    }

    /// This disk as the stores take it.
    #[must_use]
    pub fn shared(&self) -> super::SharedFiles {
        Arc::new(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Limits the space; writes beyond it fail half done.
    pub fn set_space(&self, bytes: usize) {
        self.lock().space_bytes = bytes;
    }

    /// Bytes that all files hold.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.lock().used_bytes()
    }

    /// Makes the disk refuse every change, or take them again.
    pub fn set_read_only(&self, read_only: bool) {
        self.lock().read_only = read_only;
    }

    /// Lets the power go in the middle of the change after the next `changes` ones.
    pub fn crash_after(&self, changes: u64) {
        self.lock().changes_until_crash = Some(changes);
    }

    /// Changes made so far: writes, syncs, cuts, renames, removals.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// The state after the process died: what was handed over is there.
    pub fn restart_process(&self) {
        let mut disk = self.lock();
        disk.generation += 1;
        disk.changes_until_crash = None;
        disk.crashed = false;
        disk.locked.clear();
        disk.forget_unnamed();
    }

    /// The state after a loss of power: synced bytes under synced names, and some of the rest.
    pub fn restart_machine(&self) {
        let mut disk = self.lock();
        disk.generation += 1;
        disk.changes_until_crash = None;
        disk.crashed = false;
        disk.locked.clear();
        disk.names = disk.synced_names.clone();
        disk.forget_unnamed();
        let Disk {
            contents, random, ..
        } = &mut *disk;
        for content in contents.values_mut() {
            content.lose_power(random);
        }
    }

    /// Changes one byte of a file where it lies, as bad media do. Fails where there is no such byte.
    pub fn flip_byte(&self, path: &Path, offset: usize) -> io::Result<()> {
        let mut disk = self.lock();
        let content = disk.content(path)?;
        for bytes in [&mut content.held, &mut content.synced] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= 0x55;
            }
        }
        Ok(())
    }

    fn writable(&self, content: u64, generation: u64) -> Box<dyn Writable> {
        Box::new(SimulatedFile {
            disk: self.clone(),
            content,
            generation,
        })
    }
}

impl Content {
    fn lose_power(&mut self, random: &mut Random) {
        if let Some(unsynced) = self.held.strip_prefix(self.synced.as_slice()) {
            let kept = usize::try_from(random.below(unsynced.len() as u64 + 1)).unwrap_or_default();
            let mut tail = unsynced.get(..kept).unwrap_or_default().to_vec();
            if random.below(2) == 0 {
                // The last sector was on its way: it holds anything.
                let torn = tail.len().min(SECTOR_BYTES);
                let start = tail.len() - torn;
                for byte in tail.get_mut(start..).unwrap_or_default() {
                    if random.below(8) == 0 {
                        *byte = random.next_u64().to_le_bytes()[0];
                    }
                }
            }
            self.synced.extend_from_slice(&tail);
        }
        self.held = self.synced.clone();
    }
}

impl Disk {
    fn used_bytes(&self) -> usize {
        let ids: BTreeSet<u64> = self.names.values().copied().collect();
        let named = ids.iter().filter_map(|id| self.contents.get(id));
        named.map(|content| content.held.len()).sum()
    }

    fn forget_unnamed(&mut self) {
        let names = self.names.values().chain(self.synced_names.values());
        let named: BTreeSet<u64> = names.copied().collect();
        self.contents.retain(|id, _| named.contains(id));
    }

    fn content(&mut self, path: &Path) -> io::Result<&mut Content> {
        let id = self.names.get(path).copied().ok_or_else(not_found(path))?;
        self.contents.get_mut(&id).ok_or_else(not_found(path))
    }

    /// Counts a change. Answers whether this is the one during which the power goes.
    fn begin_change(&mut self) -> io::Result<bool> {
        if self.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if self.crashed {
            return Err(crash_error());
        }
        self.changes += 1;
        match self.changes_until_crash.as_mut() {
            None => {}
            Some(0) => self.crashed = true,
            Some(left) => *left -= 1,
        }
        Ok(self.crashed)
    }

    /// A change that happens whole or not at all.
    fn change(&mut self, work: impl FnOnce(&mut Self)) -> io::Result<()> {
        if self.begin_change()? {
            if self.random.below(2) == 0 {
                work(self);
            }
            return Err(crash_error());
        }
        work(self);
        Ok(())
    }
}

fn crash_error() -> io::Error {
    io::Error::other("the simulated machine has crashed")
}

fn not_found(path: &Path) -> impl FnOnce() -> io::Error {
    let text = path.display().to_string();
    move || io::Error::new(io::ErrorKind::NotFound, text)
}

impl Files for SimulatedFiles {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let mut disk = self.lock();
        let id = disk.next_content;
        disk.next_content += 1;
        disk.change(|disk| {
            disk.contents.insert(id, Content::default());
            disk.names.insert(path.to_owned(), id);
        })?;
        Ok(self.writable(id, disk.generation))
    }

    fn open_for_append(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let disk = self.lock();
        let id = disk.names.get(path).copied().ok_or_else(not_found(path))?;
        Ok(self.writable(id, disk.generation))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Readable>> {
        let disk = self.lock();
        let content = disk.names.get(path).copied().ok_or_else(not_found(path))?;
        Ok(Arc::new(SimulatedFile {
            disk: self.clone(),
            content,
            generation: disk.generation,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.lock();
        let id = disk.names.get(from).copied().ok_or_else(not_found(from))?;
        disk.change(|disk| {
            disk.names.remove(from);
            disk.names.insert(to.to_owned(), id);
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.lock();
        let id = disk.names.get(from).copied().ok_or_else(not_found(from))?;
        if disk.names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        disk.change(|disk| {
            disk.names.insert(to.to_owned(), id);
        })
    }

    fn capacity_bytes(&self, _folder: &Path) -> io::Result<u64> {
        Ok(self.lock().space_bytes as u64)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.lock();
        if !disk.names.contains_key(path) {
            return Err(not_found(path)());
        }
        disk.change(|disk| {
            disk.names.remove(path);
        })?;
        // Whoever has it open goes on reading; a restart forgets it.
        Ok(())
    }

    fn make_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.lock().change(|disk| {
            let inside = |name: &Path| name.parent() == Some(path);
            disk.synced_names.retain(|name, _| !inside(name));
            let now = disk.names.iter().filter(|(name, _)| inside(name));
            disk.synced_names
                .extend(now.map(|(name, id)| (name.clone(), *id)));
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let disk = self.lock();
        let inside = disk
            .names
            .keys()
            .filter(|name| name.parent() == Some(folder));
        Ok(inside
            .filter_map(|name| Some(name.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn lock_folder(&self, folder: &Path) -> io::Result<FolderLock> {
        let mut disk = self.lock();
        if !disk.locked.insert(folder.to_owned()) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(Box::new(SimulatedLock {
            disk: self.clone(),
            folder: folder.to_owned(),
            generation: disk.generation,
        }))
    }
}

struct SimulatedLock {
    disk: SimulatedFiles,
    folder: PathBuf,
    generation: u64,
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut disk = self.disk.lock();
        if disk.generation == self.generation {
            disk.locked.remove(&self.folder);
        }
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedFiles,
    content: u64,
    generation: u64,
}

impl SimulatedFile {
    fn with<T>(&self, work: impl FnOnce(&mut Disk, u64) -> io::Result<T>) -> io::Result<T> {
        let mut disk = self.disk.lock();
        if disk.generation != self.generation {
            return Err(io::Error::other("opened before the simulated restart"));
        }
        work(&mut disk, self.content)
    }
}

impl Writable for SimulatedFile {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.with(|disk, id| {
            let crashes = disk.begin_change()?;
            let room = disk.space_bytes.saturating_sub(disk.used_bytes());
            let mut length = bytes.len().min(room);
            if crashes {
                let bound = length as u64 + 1;
                length = usize::try_from(disk.random.below(bound)).unwrap_or_default();
            }
            if let Some(content) = disk.contents.get_mut(&id) {
                content
                    .held
                    .extend_from_slice(bytes.get(..length).unwrap_or_default());
            }
            if crashes {
                return Err(crash_error());
            }
            if length < bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|disk, id| {
            disk.change(|disk| {
                if let Some(content) = disk.contents.get_mut(&id) {
                    content.synced = content.held.clone();
                }
            })
        })
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.with(|disk, id| {
            disk.change(|disk| {
                if let Some(content) = disk.contents.get_mut(&id) {
                    content.held.truncate(length);
                }
            })
        })
    }
}

impl Readable for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        self.with(|disk, id| Ok(disk.contents.get(&id).map_or(0, |c| c.held.len() as u64)))
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        self.with(|disk, id| {
            let held = disk
                .contents
                .get(&id)
                .map(|content| content.held.as_slice());
            let end = start.saturating_add(length);
            held.and_then(|held| held.get(start..end))
                .map(<[u8]>::to_vec)
                .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        })
    }
}
