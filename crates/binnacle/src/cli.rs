//! The command line, as clap reads it.

mod alerts;
pub(crate) mod amtool;
mod moving;
mod pack;
pub(crate) mod promtool;
mod rules;
mod web;

pub(crate) use alerts::{Alert, AlertAction, Silence, SilenceAction};
pub(crate) use amtool::Amtool;
pub(crate) use moving::{Destination, Export, ExportedAs, Import, Imported, SelectionFlags};
pub(crate) use pack::{Pack, PackAction, PackPlace};
pub(crate) use promtool::{
    Bench, BlocksFromRules, CreateBlocksFrom, DumpFlags, DumpFormat, Promtool, PromtoolCommand,
    Shown, Tsdb,
};
pub(crate) use rules::{Backtest, Rules, RulesCommand};
pub(crate) use web::WebFlags;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Watches systems, says when they break, gets the right person to act.
#[derive(Debug, Parser)]
#[command(
    name = "binnacle",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything that the given files describe; without files, watch this host
    #[command(after_help = "Examples:\n  binnacle up\n  binnacle up monitoring/\n  \
        binnacle up --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/var/lib/binnacle")]
    Up(Box<Up>),
    /// Validate files: what each was taken for, and every error with file:line:column
    #[command(
        after_help = "Examples:\n  binnacle check monitoring/\n  binnacle check metrics exposition.txt\n\n\
        Exit status: 0 all good, 1 a problem was found, 2 could not run."
    )]
    Check(Check),
    /// Run tests: rule unit tests, or PromQL scripts
    #[command(
        after_help = "Examples:\n  binnacle test rules tests.yml\n  binnacle test promql *.test"
    )]
    Test(Test),
    /// Ask a running server
    #[command(after_help = "Examples:\n  binnacle query 'up'\n  \
        binnacle query --since 1h --step 1m 'rate(node_cpu_seconds_total[5m])'\n  \
        binnacle query --explain --since 1h 'sum by (job) (rate(node_cpu_seconds_total[5m]))'")]
    Query(Query),
    /// Look at alerts, or send one
    #[command(
        after_help = "Examples:\n  binnacle alert list\n  binnacle alert add alertname=Test severity=info"
    )]
    Alert(Alert),
    /// Look at, make and end silences
    #[command(after_help = "Examples:\n  binnacle silence list\n  \
        binnacle silence add --for 2h --comment 'disk swap' alertname=DiskFull\n  binnacle silence expire ID")]
    Silence(Silence),
    /// Try rules on what is stored
    Rules(Rules),
    /// Look at incidents and act on them
    #[command(
        after_help = "Examples:\n  binnacle incident list\n  binnacle incident ack ID\n  \
        binnacle incident note ID 'restarted the database'"
    )]
    Incident(Incident),
    /// Rule packs that the program brings along: look at them, enable and disable them
    #[command(
        after_help = "Examples:\n  binnacle pack list\n  binnacle pack show host\n  \
        binnacle pack enable host http --config monitoring/\n  binnacle pack disable host"
    )]
    Pack(Pack),
    /// Say whether a running server is healthy, one line a check, with the fix
    #[command(after_help = "Example:\n  binnacle doctor http://127.0.0.1:9090")]
    Doctor(Doctor),
    /// Tokens for requests to a server that listens beyond loopback
    #[command(
        after_help = "Example:\n  binnacle token create ci --role editor --data ./binnacle-data"
    )]
    Token(Credential),
    /// Users for requests to a server that listens beyond loopback; the password is read from standard input
    #[command(
        after_help = "Example:\n  binnacle user create ann --role admin --data ./binnacle-data < password.txt"
    )]
    User(Credential),
    /// Bring another store's data in
    Import(Import),
    /// Write data out for another store
    Export(Export),
    /// promtool's own subcommands, with its output and exit codes
    Promtool(Promtool),
    /// amtool's own subcommands, with its output and exit codes
    Amtool(Box<Amtool>),
    /// Print a shell's completions, or the man page
    #[command(after_help = "Examples:\n  binnacle completions bash\n  binnacle completions man")]
    Completions {
        /// For which shell, or `man`
        shell: Shell,
    },
}

/// What completions are printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Files or folders: prometheus.yml, rules, alertmanager.yml, binnacle.yml
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Where data is kept
    #[arg(
        long,
        value_name = "DIR",
        default_value = "binnacle-data",
        alias = "storage.tsdb.path"
    )]
    pub(crate) data: PathBuf,
    /// Where to listen; beyond loopback a user or token must exist
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:9090",
        alias = "web.listen-address"
    )]
    pub(crate) listen: String,
    /// Also answer on the ports of the programs that are replaced (9093, 3100, 3000, 3001, 9091, 2003)
    #[arg(long)]
    pub(crate) compat_ports: bool,
    /// Where to take Graphite's plaintext lines; beyond loopback only with --allow-open, since senders prove nothing
    #[arg(long, value_name = "ADDR")]
    pub(crate) graphite_listen: Option<String>,
    /// Listen beyond loopback without any user or token
    #[arg(long)]
    pub(crate) allow_open: bool,
    /// When writes reach the disk itself: every 100 ms, or before each is acknowledged
    #[arg(long, value_enum, default_value = "interval")]
    pub(crate) wal_sync: WalSync,
    /// How long samples are kept
    #[arg(
        long,
        value_name = "DURATION",
        alias = "storage.tsdb.retention.time",
        alias = "storage.tsdb.retention"
    )]
    pub(crate) retention: Option<String>,
    /// How much disk samples may take (512MB, 10GB)
    #[arg(long, value_name = "SIZE", alias = "storage.tsdb.retention.size")]
    pub(crate) retention_size: Option<String>,
    /// How much of its disk samples may take, in percent
    #[arg(
        long,
        value_name = "PERCENT",
        alias = "storage.tsdb.retention.percentage"
    )]
    pub(crate) retention_percentage: Option<f64>,
    /// Keep series for a shorter time than the rest: '{job="debug"}:3d'; may be given several times
    #[arg(long, value_name = "SELECTOR:DURATION")]
    pub(crate) retention_rule: Vec<String>,
    /// From an age on, one sample for each window of time: 30d:5m,180d:1h
    #[arg(
        long,
        value_name = "AGE:WINDOW,…",
        alias = "storage.tsdb.downsample",
        alias = "downsampling.period"
    )]
    pub(crate) downsample: Option<String>,
    /// How much disk the queue of each remote write endpoint may take; when it is full the oldest samples go
    #[arg(long, value_name = "SIZE", default_value = "4GB")]
    pub(crate) remote_write_queue_size: String,
    /// How long a span of time a block holds when it is written, 1m to 1d: shorter ones need less memory, longer ones less disk
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "2h",
        alias = "storage.tsdb.min-block-duration"
    )]
    pub(crate) block_duration: String,
    /// The address under which users reach this server, for links in notifications
    #[arg(long, value_name = "URL", alias = "web.external-url")]
    pub(crate) external_url: Option<String>,
    /// Where /proc of the watched host is
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    pub(crate) procfs: PathBuf,
    /// Where /sys of the watched host is
    #[arg(long, value_name = "DIR", default_value = "/sys")]
    pub(crate) sysfs: PathBuf,
    /// Where the root of the watched host is
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) rootfs: PathBuf,
    #[command(flatten)]
    pub(crate) prometheus: PrometheusFlags,
    #[command(flatten)]
    pub(crate) web: WebFlags,
}

/// When writes reach the disk itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WalSync {
    /// Every 100 ms: what was acknowledged survives the death of the process.
    Interval,
    /// Before each is acknowledged: it also survives the loss of power.
    Always,
}

/// Flags of Prometheus' own, so that a unit file changes only the program's name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Prometheus' own flags")]
pub(crate) struct PrometheusFlags {
    /// Like a PATH
    #[arg(long = "config.file", value_name = "FILE")]
    pub(crate) config_file: Option<PathBuf>,
    /// How far back a query looks for a sample
    #[arg(
        long = "query.lookback-delta",
        value_name = "DURATION",
        default_value = "5m"
    )]
    pub(crate) lookback: String,
    /// How long a query may take
    #[arg(long = "query.timeout", value_name = "DURATION", default_value = "2m")]
    pub(crate) query_timeout: String,
    /// Queries evaluated at once
    #[arg(
        long = "query.max-concurrency",
        value_name = "COUNT",
        default_value_t = 20
    )]
    pub(crate) query_concurrency: usize,
    /// Samples one query may hold in memory
    #[arg(
        long = "query.max-samples",
        value_name = "COUNT",
        default_value_t = 50_000_000
    )]
    pub(crate) query_samples: usize,
    /// Prometheus' names of features; what most of them stand for is always on
    #[arg(long = "enable-feature", value_name = "LIST", value_delimiter = ',')]
    pub(crate) features: Vec<String>,
    /// Accepted without effect
    #[arg(long = "web.console.templates", value_name = "DIR")]
    pub(crate) console_templates: Option<String>,
    /// Accepted without effect
    #[arg(long = "web.console.libraries", value_name = "DIR")]
    pub(crate) console_libraries: Option<String>,
    /// How much is logged
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: String,
    /// Accepted without effect
    #[arg(long = "log.format", value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// How long an outage of this server may be for `for` to continue
    #[arg(
        long = "rules.alert.for-outage-tolerance",
        value_name = "DURATION",
        default_value = "1h"
    )]
    pub(crate) outage_tolerance: String,
    /// Alerts with a `for` below this are not restored from samples
    #[arg(
        long = "rules.alert.for-grace-period",
        value_name = "DURATION",
        default_value = "10m"
    )]
    pub(crate) grace_period: String,
    /// Least time before an alert is sent again
    #[arg(
        long = "rules.alert.resend-delay",
        value_name = "DURATION",
        default_value = "1m"
    )]
    pub(crate) resend_delay: String,
    /// Alerts that wait for one Alertmanager of `alerting` at most; the oldest go where there is no room
    #[arg(
        long = "alertmanager.notification-queue-capacity",
        value_name = "COUNT",
        default_value_t = collect::alertmanagers::QUEUE_ALERTS_MAX
    )]
    pub(crate) notification_queue: usize,
    /// Alerts of a request to an Alertmanager at most
    #[arg(
        long = "alertmanager.notification-batch-size",
        value_name = "COUNT",
        default_value_t = collect::alertmanagers::BATCH_ALERTS_MAX
    )]
    pub(crate) notification_batch: usize,
    /// Do not send what still waits for Alertmanagers when the process ends
    #[arg(long = "no-alertmanager.drain-notification-queue-on-shutdown")]
    pub(crate) no_drain: bool,
    /// The default: what waits for Alertmanagers is sent when the process ends
    #[arg(
        long = "alertmanager.drain-notification-queue-on-shutdown",
        conflicts_with = "no_drain",
        hide = true
    )]
    pub(crate) drain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files or folders; or `metrics FILE|-` for exposition text, judged strictly
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Take every file for this kind, whatever it looks like
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub(crate) kind: Option<CheckedKind>,
    /// Do not look at the files that a file names
    #[arg(long)]
    pub(crate) syntax_only: bool,
    /// For `metrics`: judge by OpenMetrics
    #[arg(long)]
    pub(crate) openmetrics: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Kinds that `check --as` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckedKind {
    Prometheus,
    Rules,
    Alertmanager,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(subcommand)]
    pub(crate) what: Tested,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tested {
    /// Rule unit tests in promtool's format
    #[command(after_help = "Example:\n  binnacle test rules tests.yml")]
    Rules {
        /// Test files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Prometheus' promqltest scripts, run against the real store
    #[command(after_help = "Example:\n  binnacle test promql *.test")]
    Promql {
        /// Scripts
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Where a running server is.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerAddress {
    /// The server to ask
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9090",
        global = true
    )]
    pub(crate) url: String,
    /// A token for it; BINNACLE_TOKEN is used where this is absent
    #[arg(long, value_name = "TOKEN", global = true)]
    pub(crate) token: Option<String>,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Output {
    /// As a table for people, or as JSON for programs
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    pub(crate) output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// A PromQL expression
    pub(crate) expr: String,
    /// At this time (seconds or RFC 3339) instead of now
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<String>,
    /// Over this time until now, as sparklines
    #[arg(long, value_name = "DURATION")]
    pub(crate) since: Option<String>,
    /// Between two points; a sixtieth of the range where absent
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<String>,
    /// Instead of the answer, show how each part was evaluated and what it took
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Incident {
    #[command(subcommand)]
    pub(crate) action: IncidentAction,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentAction {
    /// List incidents, the newest first
    List {
        /// Only those that are not resolved
        #[arg(long)]
        open: bool,
    },
    /// Show one with its timeline
    Show {
        /// Its id
        id: String,
    },
    /// Say that somebody is on it
    #[command(alias = "acknowledge")]
    Ack {
        /// Its id
        id: String,
    },
    /// Close it by hand
    Resolve {
        /// Its id
        id: String,
    },
    /// Add a line to its timeline
    Note {
        /// Its id
        id: String,
        /// The line
        text: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The server
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:9090")]
    pub(crate) url: String,
    /// A token for it; BINNACLE_TOKEN is used where this is absent
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Credential {
    #[command(subcommand)]
    pub(crate) action: CredentialAction,
    /// The data folder of the server
    #[arg(
        long,
        value_name = "DIR",
        default_value = "binnacle-data",
        global = true
    )]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialAction {
    /// Make one
    Create {
        /// Its name
        name: String,
        /// viewer, responder, editor or admin
        #[arg(long, default_value = "editor")]
        role: String,
    },
    /// List names and roles
    List,
    /// Take one back
    Remove {
        /// Its name
        name: String,
    },
}
