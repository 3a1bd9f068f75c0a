//! The arguments of `promtool query`, `debug`, `push` and `promql`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Output format of the query
    #[arg(short = 'o', long, value_enum, default_value = "promql", global = true)]
    pub(crate) format: QueryFormat,
    /// HTTP client configuration file
    #[arg(long = "http.config.file", value_name = "FILE", global = true)]
    pub(crate) http_config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Query,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryFormat {
    Promql,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Query {
    /// Run instant query
    Instant {
        /// Server to query
        server: String,
        /// PromQL expression
        expr: String,
        /// Evaluation time (RFC 3339 or Unix timestamp)
        #[arg(long)]
        time: Option<String>,
        /// Extra header, as NAME=VALUE
        #[arg(long)]
        header: Vec<String>,
    },
    /// Run range query
    Range {
        /// Server to query
        server: String,
        /// PromQL expression
        expr: String,
        #[command(flatten)]
        span: Span,
        /// Query step size (duration)
        #[arg(long)]
        step: Option<String>,
        /// Extra header, as NAME=VALUE
        #[arg(long)]
        header: Vec<String>,
    },
    /// Run series query
    Series {
        /// Server to query
        server: String,
        /// Series selector; can be given more than once
        #[arg(long = "match", required = true)]
        matches: Vec<String>,
        #[command(flatten)]
        span: Span,
    },
    /// Run labels query
    Labels {
        /// Server to query
        server: String,
        /// Label name to provide values for
        name: String,
        /// Series selector; can be given more than once
        #[arg(long = "match")]
        matches: Vec<String>,
        #[command(flatten)]
        span: Span,
    },
    /// Look at how histograms are used
    Analyze {
        /// Server to query
        #[arg(long)]
        server: String,
        /// Type of metric: histogram
        #[arg(long = "type")]
        kind: String,
        /// Time frame to analyze
        #[arg(long, default_value = "1h")]
        duration: String,
        /// Query time (RFC 3339 or Unix timestamp), defaults to now
        #[arg(long)]
        time: Option<String>,
        /// Series selector; can be given more than once
        #[arg(long = "match", required = true)]
        matches: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Span {
    /// Start time (RFC 3339 or Unix timestamp)
    #[arg(long)]
    pub(crate) start: Option<String>,
    /// End time (RFC 3339 or Unix timestamp)
    #[arg(long)]
    pub(crate) end: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Debug {
    /// Fetch profiling information
    Pprof {
        /// The server
        server: String,
    },
    /// Fetch metrics
    Metrics {
        /// The server
        server: String,
    },
    /// Fetch everything
    All {
        /// The server
        server: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Push {
    /// Push metrics to a remote write receiver (for tests)
    Metrics(PushMetrics),
}

#[derive(Debug, Args)]
pub(crate) struct PushMetrics {
    /// Remote write URL; its path may be absent
    #[arg(value_name = "remote-write-url")]
    pub(crate) url: String,
    /// The metric files to push; standard input where none is given
    #[arg(value_name = "metric-files")]
    pub(crate) files: Vec<PathBuf>,
    /// Label to attach to metrics, as NAME=VALUE
    #[arg(long, default_value = "job=promtool")]
    pub(crate) label: Vec<String>,
    /// Extra header, as NAME=VALUE
    #[arg(long)]
    pub(crate) header: Vec<String>,
    /// The path of remote write
    #[arg(long = "remote-write.path", default_value = "/api/v1/write")]
    pub(crate) path: String,
    /// HTTP client configuration file
    #[arg(long = "http.config.file", value_name = "FILE")]
    pub(crate) http_config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Promql {
    /// Format a query
    Format {
        /// PromQL query
        query: String,
    },
    /// Edit the label matchers of a query
    LabelMatchers {
        #[command(subcommand)]
        command: LabelMatchers,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelMatchers {
    /// Set a label matcher in every selector
    Set {
        /// PromQL query
        query: String,
        /// Name of the label
        name: String,
        /// Value of the label
        value: String,
        /// Type of the matcher: = != =~ !~
        #[arg(short = 't', long = "type", default_value = "=")]
        kind: String,
    },
    /// Delete a label's matchers from every selector
    Delete {
        /// PromQL query
        query: String,
        /// Name of the label
        name: String,
    },
}
