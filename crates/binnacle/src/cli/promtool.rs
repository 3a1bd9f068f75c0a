//! The arguments of `binnacle promtool`, named and meant as promtool's own.

pub(crate) mod check;
pub(crate) mod query;

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Promtool {
    /// Feature names, as for the server; what they name is always on here
    #[arg(long = "enable-feature", value_name = "LIST", value_delimiter = ',')]
    pub(crate) features: Vec<String>,
    /// Accepted: no command needs it here
    #[arg(long)]
    pub(crate) experimental: bool,
    #[command(subcommand)]
    pub(crate) command: PromtoolCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PromtoolCommand {
    /// Check the resources for validity
    Check {
        #[command(subcommand)]
        command: check::Check,
    },
    /// Run query against a server
    Query(query::Asking),
    /// Fetch debug information
    Debug {
        #[command(subcommand)]
        command: query::Debug,
    },
    /// Push to a server
    Push {
        #[command(subcommand)]
        command: query::Push,
    },
    /// Unit testing
    Test {
        /// File path to store JUnit XML test results
        #[arg(long, value_name = "FILE", global = true)]
        junit: Option<PathBuf>,
        #[command(subcommand)]
        command: check::Tests,
    },
    /// PromQL formatting and editing
    Promql {
        #[command(subcommand)]
        command: query::Promql,
    },
    /// Look into data directories, Prometheus' and our own
    Tsdb {
        #[command(subcommand)]
        command: Tsdb,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tsdb {
    /// Run benchmarks
    Bench {
        #[command(subcommand)]
        command: Bench,
    },
    /// Analyze churn, label pair cardinality and compaction efficiency
    Analyze {
        /// Database path
        #[arg(value_name = "db path", default_value = "data/")]
        path: PathBuf,
        /// Block to analyze (default is the last block)
        #[arg(value_name = "block id")]
        block: Option<String>,
        /// How many items to show in each list
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Run extended analysis
        #[arg(long)]
        extended: bool,
        /// Series selector to analyze; only 1 set of matchers is supported
        #[arg(long = "match", value_name = "SELECTOR")]
        matches: Option<String>,
    },
    /// List tsdb blocks
    List {
        /// Database path
        #[arg(value_name = "db path", default_value = "data/")]
        path: PathBuf,
        /// Print human readable values
        #[arg(short = 'r', long)]
        human_readable: bool,
    },
    /// Dump data (series with samples, or only series) from a TSDB
    Dump {
        #[command(flatten)]
        dump: DumpFlags,
        /// Output format of the dump
        #[arg(long, value_enum, default_value = "prom")]
        format: DumpFormat,
    },
    /// Dump float samples from a TSDB in OpenMetrics; does not dump native histograms
    DumpOpenmetrics {
        #[command(flatten)]
        dump: DumpFlags,
    },
    /// Import samples or rules' results and produce blocks
    CreateBlocksFrom {
        #[command(subcommand)]
        command: CreateBlocksFrom,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Run a write performance benchmark
    Write {
        /// Input file with samples data
        #[arg(default_value = "../../tsdb/testdata/20kseries.json")]
        file: PathBuf,
        /// Set the output path
        #[arg(long, default_value = "benchout")]
        out: PathBuf,
        /// Number of metrics to read
        #[arg(long, default_value_t = 10_000)]
        metrics: usize,
        /// Number of scrapes to simulate
        #[arg(long, default_value_t = 3000)]
        scrapes: usize,
    },
}

/// What `dump --format` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DumpFormat {
    /// A sample a line.
    Prom,
    /// The labels of a series a line, as JSON.
    Seriesjson,
}

#[derive(Debug, Args)]
pub(crate) struct DumpFlags {
    /// Database path
    #[arg(value_name = "db path", default_value = "data/")]
    pub(crate) path: PathBuf,
    /// Accepted without effect: nothing is written while reading
    #[arg(long, value_name = "DIR")]
    pub(crate) sandbox_dir_root: Option<PathBuf>,
    /// Minimum timestamp to dump, in milliseconds since 1970
    #[arg(long, default_value_t = i64::MIN, allow_negative_numbers = true)]
    pub(crate) min_time: i64,
    /// Maximum timestamp to dump, in milliseconds since 1970
    #[arg(long, default_value_t = i64::MAX, allow_negative_numbers = true)]
    pub(crate) max_time: i64,
    /// Series selector; can be given more than once
    #[arg(
        long = "match",
        value_name = "SELECTOR",
        default_value = "{__name__=~'(?s:.*)'}"
    )]
    pub(crate) matches: Vec<String>,
}

/// How created blocks are shown.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Shown {
    /// Print human readable values
    #[arg(short = 'r', long)]
    pub(crate) human_readable: bool,
    /// Do not print created blocks
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CreateBlocksFrom {
    /// Import samples from OpenMetrics input and produce TSDB blocks
    Openmetrics {
        /// OpenMetrics file to read samples from
        #[arg(value_name = "input file")]
        file: PathBuf,
        /// Output directory for generated blocks
        #[arg(value_name = "output directory", default_value = "data/")]
        output: PathBuf,
        /// Label to attach to metrics, as name=value; can be given more than once
        #[arg(long, value_name = "NAME=VALUE")]
        label: Vec<String>,
        /// Length of the blocks
        #[arg(long, value_name = "DURATION", default_value = "2h", hide = true)]
        max_block_duration: String,
        #[command(flatten)]
        shown: Shown,
    },
    /// Create blocks of data for new recording rules
    Rules(BlocksFromRules),
}

#[derive(Debug, Args)]
pub(crate) struct BlocksFromRules {
    /// Files with recording rules; alerting rules are not evaluated
    #[arg(value_name = "rule-files", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The URL for the Prometheus API with the data where the rule will be backfilled from
    #[arg(long, default_value = "http://localhost:9090")]
    pub(crate) url: String,
    /// The time to start backfilling the new rule from: RFC 3339 or Unix timestamp
    #[arg(long)]
    pub(crate) start: String,
    /// The time to end at; 3 hours ago where absent
    #[arg(long)]
    pub(crate) end: Option<String>,
    /// Output directory for generated blocks
    #[arg(long, value_name = "DIR", default_value = "data/")]
    pub(crate) output_dir: PathBuf,
    /// How frequently to evaluate rules if a value is not set in the rule files
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub(crate) eval_interval: String,
    /// Length of the blocks
    #[arg(long, value_name = "DURATION", default_value = "2h", hide = true)]
    pub(crate) max_block_duration: String,
    #[command(flatten)]
    pub(crate) shown: Shown,
}
