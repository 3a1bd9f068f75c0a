//! The arguments of `promtool check` and `promtool test`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// Perform service discovery for a job and report the results, relabelling included
    ServiceDiscovery {
        /// The prometheus config file
        #[arg(value_name = "config-file")]
        file: PathBuf,
        /// The job to run service discovery for
        job: String,
        /// How long to wait for results
        #[arg(long, value_name = "DURATION", default_value = "30s")]
        timeout: String,
    },
    /// Check if the config files are valid or not
    Config(CheckConfig),
    /// Check if the web config files are valid or not
    WebConfig {
        /// The config files to check
        #[arg(required = true, value_name = "web-config-files")]
        files: Vec<PathBuf>,
    },
    /// Check if a server is healthy
    Healthy(AskedServer),
    /// Check if a server is ready
    Ready(AskedServer),
    /// Check if the rule files are valid or not
    Rules(CheckRules),
    /// Read exposition text from standard input and lint it
    Metrics {
        /// Print how many series each metric has
        #[arg(long)]
        extended: bool,
        /// Which checks to apply
        #[arg(long, value_enum, default_value = "all")]
        lint: MetricsLint,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// The config files to check
    #[arg(required = true, value_name = "config-files")]
    pub(crate) files: Vec<PathBuf>,
    /// Only check the syntax, not the files that the config names
    #[arg(long)]
    pub(crate) syntax_only: bool,
    #[command(flatten)]
    pub(crate) lint: Lint,
    /// Check a config for the agent mode
    #[arg(long)]
    pub(crate) agent: bool,
    /// How far back the server's queries look for a sample
    #[arg(
        long = "query.lookback-delta",
        value_name = "DURATION",
        default_value = "5m"
    )]
    pub(crate) lookback: String,
}

#[derive(Debug, Args)]
pub(crate) struct CheckRules {
    /// The rule files to check; standard input where none is given
    #[arg(value_name = "rule-files")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) lint: Lint,
}

/// What is looked for beyond mistakes.
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Checks to apply: all, duplicate-rules, too-long-scrape-interval (configs only), none
    #[arg(long, default_value = "duplicate-rules", value_delimiter = ',')]
    pub(crate) lint: Vec<LintCheck>,
    /// Exit with 3 for what the checks find
    #[arg(long)]
    pub(crate) lint_fatal: bool,
    /// Skip unknown fields of rule groups
    #[arg(long)]
    pub(crate) ignore_unknown_fields: bool,
}

/// A check beyond mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintCheck {
    All,
    DuplicateRules,
    TooLongScrapeInterval,
    None,
}

impl Lint {
    /// Whether a check is to be applied.
    pub(crate) fn applies(&self, check: LintCheck) -> bool {
        self.lint
            .iter()
            .any(|given| *given == check || *given == LintCheck::All)
    }
}

/// Checks of expositions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricsLint {
    All,
    None,
}

/// A server that is asked for its state.
#[derive(Debug, Args)]
pub(crate) struct AskedServer {
    /// The URL of the server
    #[arg(long, default_value = "http://localhost:9090")]
    pub(crate) url: String,
    /// HTTP client configuration file
    #[arg(long = "http.config.file", value_name = "FILE")]
    pub(crate) http_config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tests {
    /// Unit tests for rules
    Rules(TestRules),
}

#[derive(Debug, Args)]
pub(crate) struct TestRules {
    /// The unit test files
    #[arg(required = true, value_name = "test-rule-file")]
    pub(crate) files: Vec<PathBuf>,
    /// Only run test groups whose names match; can be given more than once
    #[arg(long, value_name = "REGEX")]
    pub(crate) run: Vec<String>,
    /// Print how each test is run
    #[arg(long)]
    pub(crate) debug: bool,
    /// Accepted: what was expected and what came are always printed one below the other
    #[arg(long)]
    pub(crate) diff: bool,
    /// Skip unknown fields of the rule files
    #[arg(long)]
    pub(crate) ignore_unknown_fields: bool,
    /// Report to standard error how many rules the tests cover
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Fail where less than this percentage of the rules is covered
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub(crate) coverage_threshold: f64,
}
