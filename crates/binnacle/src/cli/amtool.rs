//! The arguments of `binnacle amtool`, named and meant as amtool's own.
//!
//! Values stay texts here: what is wrong with one is said in amtool's words when it is used.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Amtool {
    /// Format of date output
    #[arg(
        long = "date.format",
        value_name = "LAYOUT",
        default_value = "2006-01-02 15:04:05 MST",
        global = true
    )]
    pub(crate) date_format: String,
    /// Accepted: nothing more is said
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Alertmanager to talk to; http://localhost:9093/ where it is absent
    #[arg(long = "alertmanager.url", value_name = "URL", global = true)]
    pub(crate) url: Option<String>,
    /// Output formatter
    #[arg(short, long, value_enum, default_value = "simple", global = true)]
    pub(crate) output: Shown,
    /// Timeout for the executed command
    #[arg(long, value_name = "DURATION", default_value = "30s", global = true)]
    pub(crate) timeout: String,
    /// HTTP client configuration file for amtool to connect to Alertmanager
    #[arg(long = "http.config.file", value_name = "FILE", global = true)]
    pub(crate) http_config: Option<PathBuf>,
    /// Check Alertmanager's version; so it is unless --no-version-check is given
    #[arg(long, global = true, overrides_with = "no_version_check")]
    pub(crate) version_check: bool,
    /// Do not
    #[arg(long, global = true)]
    pub(crate) no_version_check: bool,
    /// Accepted: what the names stand for is always on or gone
    #[arg(long = "enable-feature", value_name = "LIST", global = true)]
    pub(crate) features: Vec<String>,
    /// Show application version
    #[arg(long, global = true)]
    pub(crate) version: bool,
    #[command(subcommand)]
    pub(crate) command: Option<AmtoolCommand>,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    Simple,
    Extended,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AmtoolCommand {
    /// Query or add alerts; `query` where no subcommand is named
    Alert {
        #[command(subcommand)]
        command: Alert,
    },
    /// Query, add, expire, import or update silences; `query` where no subcommand is named
    Silence {
        #[command(subcommand)]
        command: Silence,
    },
    /// Validate alertmanager config files and their templates; standard input where none is named
    CheckConfig {
        /// Files to be validated
        #[arg(value_name = "check-files")]
        files: Vec<PathBuf>,
    },
    /// View cluster status and peers; `show` where no subcommand is named
    Cluster {
        #[command(subcommand)]
        command: Cluster,
    },
    /// View the configuration and its routes; `show` where no subcommand is named
    Config {
        #[command(subcommand)]
        command: Config,
    },
    /// Render template files
    Template {
        #[command(subcommand)]
        command: Template,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    /// View and search through current alerts; only active ones where no state is asked for
    #[command(
        after_help = "Examples:\n  amtool alert query alertname=foo node=bar\n  amtool alert query foo node=bar\n  \
        amtool alert query 'alertname=~foo.*'"
    )]
    Query(AlertQuery),
    /// Add a new alert
    #[command(
        after_help = "Examples:\n  amtool alert add alertname=foo node=bar\n  \
        amtool alert add foo node=bar --annotation=summary='what happened'"
    )]
    Add(AlertAdd),
}

#[derive(Debug, Args)]
pub(crate) struct AlertQuery {
    /// Show inhibited alerts
    #[arg(short, long)]
    pub(crate) inhibited: bool,
    /// Show silenced alerts
    #[arg(short, long)]
    pub(crate) silenced: bool,
    /// Show active alerts
    #[arg(short, long)]
    pub(crate) active: bool,
    /// Show unprocessed alerts
    #[arg(short, long)]
    pub(crate) unprocessed: bool,
    /// Show alerts matching receiver (a regular expression)
    #[arg(short, long, value_name = "RECEIVER")]
    pub(crate) receiver: Option<String>,
    /// Query filter; a first one that is no matcher is the alert's name
    #[arg(value_name = "matcher-groups")]
    pub(crate) matchers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AlertAdd {
    /// The URL of the source that generated the alert
    #[arg(long, value_name = "URL", default_value = "")]
    pub(crate) generator_url: String,
    /// When the alert should start, as 2006-01-02T15:04:05-07:00
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// When the alert should end, as 2006-01-02T15:04:05-07:00
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
    /// An annotation, as name=value; can be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) annotation: Vec<String>,
    /// Labels; a first one without = is the alert's name
    #[arg(value_name = "labels")]
    pub(crate) labels: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Silence {
    /// Add a new silence
    #[command(
        after_help = "Examples:\n  amtool silence add -c 'disk swap' alertname=foo node=bar\n  \
        amtool silence add -d 2h -c 'disk swap' foo 'node=~bar.*'"
    )]
    Add(SilenceAdd),
    /// Expire silences
    Expire {
        /// Their ids
        #[arg(value_name = "silence-ids")]
        ids: Vec<String>,
    },
    /// Import silences from a JSON file, as `silence query -o json` prints them, or from standard input
    Import {
        /// Add new silences even if they already exist
        #[arg(short, long)]
        force: bool,
        /// Accepted: silences are imported one after the other
        #[arg(short, long, value_name = "COUNT", default_value = "8")]
        worker: String,
        /// JSON file with silences
        #[arg(value_name = "input-file")]
        file: Option<PathBuf>,
    },
    /// Query silences
    #[command(
        after_help = "Examples:\n  amtool silence query foo node=bar\n  amtool silence query --within 8h\n  \
        amtool silence query --within 2h --expired"
    )]
    Query(SilenceQuery),
    /// Update silences
    Update(SilenceUpdate),
}

#[derive(Debug, Args)]
pub(crate) struct SilenceAdd {
    /// Username for CreatedBy field; the user's name where it is absent
    #[arg(short, long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    #[arg(long, hide = true, overrides_with = "no_require_comment")]
    pub(crate) require_comment: bool,
    #[arg(long, hide = true)]
    pub(crate) no_require_comment: bool,
    /// Duration of silence
    #[arg(short, long, value_name = "DURATION", default_value = "1h")]
    pub(crate) duration: String,
    /// When the silence should start, as 2006-01-02T15:04:05-07:00
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// When the silence should end (overrides the duration), as 2006-01-02T15:04:05-07:00
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
    /// A comment to help describe the silence
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub(crate) comment: String,
    /// Matchers; a first one that is none is the alert's name
    #[arg(value_name = "matcher-groups")]
    pub(crate) matchers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceQuery {
    /// Show expired silences instead of active
    #[arg(long)]
    pub(crate) expired: bool,
    /// Only show silence ids
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Show silences that belong to this creator
    #[arg(long, value_name = "NAME")]
    pub(crate) created_by: Option<String>,
    /// Get a single silence by its id
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Show silences that will expire or have expired within a duration
    #[arg(long, value_name = "DURATION")]
    pub(crate) within: Option<String>,
    /// Query filter; a first one that is no matcher is the alert's name
    #[arg(value_name = "matcher-groups")]
    pub(crate) matchers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceUpdate {
    /// Only show silence ids
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Duration of silence, from its start
    #[arg(short, long, value_name = "DURATION")]
    pub(crate) duration: Option<String>,
    /// When the silence should start, as 2006-01-02T15:04:05-07:00
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// When the silence should end (overrides the duration), as 2006-01-02T15:04:05-07:00
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
    /// A comment to help describe the silence
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// Their ids
    #[arg(value_name = "update-ids")]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// View cluster status and peers
    Show,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// View current config; extended: also what was built and since when it runs
    Show,
    /// Print or test the routing tree; `show` where no subcommand is named
    Routes {
        /// Config file to be tested, instead of a running Alertmanager's
        #[arg(long = "config.file", value_name = "FILE", global = true)]
        config_file: Option<PathBuf>,
        #[command(subcommand)]
        command: Routes,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Routes {
    /// Print the routing tree
    Show,
    /// Print which receivers an alert with these labels is routed to
    #[command(
        after_help = "Example:\n  amtool config routes test --config.file=alertmanager.yml \
        --verify.receivers=team-DB-pager service=database"
    )]
    Test {
        /// Receivers, separated by commas, that it must be routed to; otherwise the command fails
        #[arg(long = "verify.receivers", value_name = "NAMES", default_value = "")]
        receivers: String,
        /// Print out matching routes tree
        #[arg(long)]
        tree: bool,
        /// Labels of the alert
        #[arg(value_name = "labels")]
        labels: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    /// Render a given definition in a template file to standard output
    Render {
        /// Glob of paths that will be expanded and used for rendering; can be given more than once
        #[arg(long = "template.glob", value_name = "GLOB", required = true)]
        globs: Vec<PathBuf>,
        /// The template that will be rendered
        #[arg(long = "template.text", value_name = "TEXT", required = true)]
        text: String,
        /// The type of the template
        #[arg(
            long = "template.type",
            value_name = "TYPE",
            value_enum,
            default_value = "text"
        )]
        kind: TemplateKind,
        /// JSON file with the data to render; a made-up notification where it is absent
        #[arg(long = "template.data", value_name = "FILE")]
        data: Option<PathBuf>,
    },
}

/// How what templates print is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TemplateKind {
    Html,
    Text,
}
