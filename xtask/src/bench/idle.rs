//! What the program costs while it does nothing but watch this host.

use super::float;
use crate::server::{self, Kind, Server};
use std::time::Duration;

/// Warm-up before anything counts, and the time over which CPU is measured.
const WARM_UP: Duration = Duration::from_secs(20);
const MEASURED: Duration = Duration::from_secs(60);

/// Starts the program without any file and reads memory and CPU over a minute.
pub(crate) fn idle() -> anyhow::Result<()> {
    crate::page::ensure_program()?;
    let client = server::client();
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data)?;
    let server = Server::start(Kind::Binnacle, &data, None)?;
    server.ready(&client)?;
    std::thread::sleep(WARM_UP);
    let before = server.usage()?;
    std::thread::sleep(MEASURED);
    let after = server.usage()?;
    let percent = (after.cpu_seconds - before.cpu_seconds) / MEASURED.as_secs_f64() * 100.0;
    let mebibytes = float(usize::try_from(after.resident_bytes)?) / 1_048_576.0;
    println!("idle: {mebibytes:.1} MiB resident, {percent:.2} % of a core");
    Ok(())
}
