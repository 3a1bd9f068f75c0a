//! Running other programs, and what /proc says of them.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository: the folder above this crate's.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo builds to.
pub(crate) fn target_folder() -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The program that chores drive: the one that BINNACLE_PROGRAM names, or what `cargo xtask build` leaves.
pub(crate) fn release_program() -> PathBuf {
    given_program().unwrap_or_else(|| target_folder().join("release/binnacle"))
}

/// The program that BINNACLE_PROGRAM names.
pub(crate) fn given_program() -> Option<PathBuf> {
    variable("BINNACLE_PROGRAM").map(PathBuf::from)
}

/// An environment variable, `None` where it is not set or empty.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask does not depend on runtime"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A command that starts in the root of the repository.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command with its output shown; fails where it does.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = show(command);
    println!("$ {shown}");
    let status = command
        .status()
        .with_context(|| format!("{shown} could not be started"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}

/// Runs a command and gives what it printed on its standard output, whatever its exit status.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<(bool, String)> {
    let shown = show(command);
    let output = command
        .output()
        .with_context(|| format!("{shown} could not be started"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), text))
}

fn show(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Finds a program on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    path.split(':')
        .map(|folder| Path::new(folder).join(program))
        .find(|file| file.is_file())
}

/// What the kernel says of a running process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time in seconds.
    pub(crate) cpu_seconds: f64,
    /// Resident memory in bytes.
    pub(crate) resident_bytes: u64,
    /// The largest it has been.
    pub(crate) resident_bytes_peak: u64,
}

/// Reads /proc/PID.
pub(crate) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |index: usize| -> f64 {
        after_name
            .split_whitespace()
            .nth(index)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.0)
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let bytes = |key: &str| -> u64 {
        let line = status
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_default();
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|t| t.parse().ok())
            .unwrap_or(0);
        kib * 1024
    };
    Ok(Usage {
        // Linux reports in hundredths of a second to user space, whatever the kernel's own tick.
        cpu_seconds: (ticks(11) + ticks(12)) / 100.0,
        resident_bytes: bytes("VmRSS:"),
        resident_bytes_peak: bytes("VmHWM:"),
    })
}

/// Bytes of all files below a folder, as allocated on disk where the files are sparse or small.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let mut bytes = 0;
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        bytes += if metadata.is_dir() {
            folder_bytes(&entry.path())
        } else {
            metadata.len().min(metadata.blocks() * 512)
        };
    }
    bytes
}
