//! The log: lines on standard error.

use anyhow::bail;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging at one of Prometheus' levels; BINNACLE_LOG may say more (`info,tsdb=debug`).
pub(crate) fn start(level: &str) -> anyhow::Result<()> {
    if !matches!(level, "debug" | "info" | "warn" | "error") {
        bail!("--log.level {level:?} is none of debug, info, warn, error");
    }
    let directives = runtime::environment::var("BINNACLE_LOG").unwrap_or_else(|| level.to_owned());
    let filter = EnvFilter::try_new(&directives)?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if subscriber.try_init().is_err() {
        bail!("logging was started already");
    }
    Ok(())
}
