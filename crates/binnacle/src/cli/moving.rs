//! The arguments of `binnacle import` and `binnacle export`.

use super::Output;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    pub(crate) what: Imported,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Imported {
    /// Read a Prometheus' data directory: blocks, write-ahead log, head chunks
    #[command(after_help = "Examples:\n  \
        binnacle import prometheus /var/lib/prometheus/metrics2 --data ./binnacle-data\n  \
        binnacle import prometheus data --url http://127.0.0.1:9090 --match '{job=\"node\"}' --from 2026-01-01T00:00:00Z\n\n\
        The directory is only read. An interrupted import goes on where it was.\n\
        Exit status: 0 all read, 1 something was damaged or refused, 2 could not run.")]
    Prometheus {
        /// The directory that --storage.tsdb.path names, or a single block
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        #[command(flatten)]
        to: Destination,
    },
    /// Read what VictoriaMetrics exports: JSON lines from a file, or from a running server
    #[command(
        after_help = "Examples:\n  binnacle import victoriametrics export.jsonl\n  \
        binnacle import victoriametrics http://127.0.0.1:8428 --from 2026-01-01T00:00:00Z\n\n\
        The native format is not read."
    )]
    Victoriametrics {
        /// A file that /api/v1/export gave, `-` for standard input, or the address of a server
        #[arg(value_name = "FILE|URL")]
        source: String,
        #[command(flatten)]
        to: Destination,
    },
    /// Read a file of InfluxDB's line protocol
    #[command(after_help = "Examples:\n  binnacle import influx export.lp\n  \
        binnacle import influx --precision s points.lp")]
    Influx {
        /// The file; `-` for standard input
        file: PathBuf,
        /// The unit of timestamps: ns, us, ms, s, m or h
        #[arg(long, value_name = "UNIT", default_value = "ns")]
        precision: String,
        /// The label `db` of all series, unless the file names databases
        #[arg(long, value_name = "NAME", default_value = "")]
        database: String,
        #[command(flatten)]
        to: Destination,
    },
    /// Read text with timestamps, as promtool's backfilling takes it
    #[command(after_help = "Example:\n  binnacle import openmetrics samples.om")]
    Openmetrics {
        /// The file; must end with `# EOF`
        file: PathBuf,
        #[command(flatten)]
        to: Destination,
    },
}

/// Where samples go, and which.
#[derive(Clone, Debug, Args)]
pub(crate) struct Destination {
    /// The data folder of a server that is not running
    #[arg(long, value_name = "DIR", default_value = "binnacle-data")]
    pub(crate) data: PathBuf,
    /// A running server, by remote write, instead of a data folder
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub(crate) url: Option<String>,
    /// A token for it; BINNACLE_TOKEN is used where this is absent
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Where finished blocks are noted; `import.journal` in the data folder, or `binnacle-import.journal` here
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) selection: SelectionFlags,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which samples.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SelectionFlags {
    /// Only series that this selector takes, as `{job="node"}`
    #[arg(long = "match", value_name = "SELECTOR")]
    pub(crate) matches: Option<String>,
    /// Only samples from this time on (seconds since 1970 or RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Only samples up to this time
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(subcommand)]
    pub(crate) what: ExportedAs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportedAs {
    /// Write blocks that a Prometheus (2.x or 3.x) reads
    #[command(after_help = "Example:\n  \
        binnacle export prometheus /var/lib/prometheus/metrics2 --data ./binnacle-data --from 2026-01-01T00:00:00Z\n\n\
        The server must not run. Start timestamps have no place in the format and are left out.")]
    Prometheus {
        /// Where the blocks go; made if missing
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The data folder of a server that is not running
        #[arg(long, value_name = "DIR", default_value = "binnacle-data")]
        data: PathBuf,
        /// Length of the blocks: 2h or a multiple of it
        #[arg(long, value_name = "DURATION", default_value = "2h")]
        block_duration: String,
        /// Also write native histograms with custom buckets, which Prometheus reads since 3.0
        #[arg(long)]
        custom_buckets: bool,
        #[command(flatten)]
        selection: SelectionFlags,
        #[command(flatten)]
        output: Output,
    },
}
