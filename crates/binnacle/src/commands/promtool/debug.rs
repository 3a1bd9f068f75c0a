//! `promtool debug`: what a server says of itself, in an archive.

use super::http::Server;
use crate::cli::promtool::query::Debug;
use crate::print;
use anyhow::{Context as _, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use storage::OperatingSystem;

const ARCHIVE: &str = "debug.tar.gz";

/// Fetches and writes the archive into the present folder.
pub(super) fn run(command: &Debug) -> anyhow::Result<()> {
    let (url, with_profiles) = match command {
        Debug::Pprof { .. } => {
            bail!("profiles are Go's: this server and its clients have none (see /metrics)")
        }
        Debug::Metrics { server } => (server, false),
        Debug::All { server } => (server, true),
    };
    let server = Server::new(url, None, &[])?;
    if with_profiles {
        print::note("skipped: profiles, which only Go programs have");
    }
    print::line(&format!("collecting: {}/metrics", server.base()));
    let (status, text) = server.get("/metrics", &[])?;
    if status != 200 {
        bail!(
            "error completing debug command: {}/metrics answers {status}",
            server.base()
        );
    }
    let archive = packed("metrics.txt", text.as_bytes())?;
    let file = OperatingSystem::shared()
        .create(ARCHIVE.as_ref())
        .context(ARCHIVE)?;
    file.write(&archive)?;
    print::line(&format!(
        "Compiling debug information complete, all files written in {ARCHIVE:?}."
    ));
    Ok(())
}

/// A gzipped tar archive with one file. Source: the ustar format, POSIX.1-1988.
fn packed(name: &str, body: &[u8]) -> anyhow::Result<Vec<u8>> {
    const BLOCK: usize = 512;
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, text: &str| {
        for (slot, byte) in header.iter_mut().skip(at).zip(text.bytes()) {
            *slot = byte;
        }
    };
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", body.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    for (slot, byte) in header
        .iter_mut()
        .skip(148)
        .zip(format!("{sum:06o}\0 ").bytes())
    {
        *slot = byte;
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&header)?;
    packed.write_all(body)?;
    let padding = body.len().next_multiple_of(BLOCK) - body.len();
    packed.write_all(&vec![0; padding + 2 * BLOCK])?;
    Ok(packed.finish()?)
}
