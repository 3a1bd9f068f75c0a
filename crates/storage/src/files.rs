//! What the stores need from a file system, so that a simulated one can take its place.
//!
//! Two implementations: `OperatingSystem` and `SimulatedFiles`, which forgets unsynced bytes, tears
//! writes, fills up and turns read-only. Files are only ever written from front to back and cut at the
//! end; nothing is overwritten in place. That is what makes recovery a matter of prefixes.

mod operating_system;
mod simulated;

pub use operating_system::OperatingSystem;
pub use simulated::SimulatedFiles;

use std::io;
use std::path::Path;
use std::sync::Arc;

/// A file system that many parts share.
pub type SharedFiles = Arc<dyn Files>;

/// A file system.
pub trait Files: Send + Sync {
    /// Makes a file, or empties one that is there, for writing.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>>;

    /// Opens a file for writing at its end.
    fn open_for_append(&self, path: &Path) -> io::Result<Box<dyn Writable>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Readable>>;

    /// Gives a file another name in the same file system; a file of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name; it is one file with both. Fails where the new name is taken. The
    /// file must not be written to afterwards: both names would show it.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Bytes of the file system that holds `folder`, free and used.
    fn capacity_bytes(&self, folder: &Path) -> io::Result<u64>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder and its parents; one that is there is no error.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder survive a loss of power.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// The names of the files in a folder, sorted.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Takes the folder for this process until the guard is dropped; fails where another has it.
    fn lock_folder(&self, folder: &Path) -> io::Result<FolderLock>;
}

/// Keeps other processes out of a folder as long as it lives.
pub type FolderLock = Box<dyn std::any::Any + Send + Sync>;

/// A file that is written at its end.
pub trait Writable: Send + Sync {
    /// Hands all bytes to the operating system: they survive the death of the process.
    fn write(&self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until everything written survives a loss of power.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file.
    fn truncate(&self, length: u64) -> io::Result<()>;
}

/// A file that is read in pieces.
pub trait Readable: Send + Sync {
    /// The length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Reads exactly `length` bytes; fails with `UnexpectedEof` where the file is shorter.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// Reads a whole file.
pub fn read_whole(files: &dyn Files, path: &Path) -> io::Result<Vec<u8>> {
    let file = files.open(path)?;
    let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
    file.read_at(0, length)
}

#[cfg(test)]
mod tests;
