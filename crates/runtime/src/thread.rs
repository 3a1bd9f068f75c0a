//! Threads with a name and an owner.

use std::thread::JoinHandle;

/// Starts a named thread. Whoever keeps the handle joins it.
///
/// Fails where the operating system refuses another thread.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
}
