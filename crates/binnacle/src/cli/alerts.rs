//! Arguments of `binnacle alert` and `binnacle silence`.

use super::{Output, ServerAddress};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Alert {
    #[command(subcommand)]
    pub(crate) action: AlertAction,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertAction {
    /// List what fires, silenced and inhibited alerts included
    List {
        /// Matchers, as `severity=critical`
        matchers: Vec<String>,
    },
    /// Show what became of alerts: begun, ended, suppressed, released, flapping
    History {
        /// Matchers, as `severity=critical`
        matchers: Vec<String>,
        /// How far back
        #[arg(long, default_value = "1d")]
        since: String,
        /// Lines at most
        #[arg(long, default_value_t = 200)]
        limit: usize,
    },
    /// Say why somebody was told of an alert, or was not
    Explain {
        /// Its fingerprint, or matchers that only it fulfils
        #[arg(required = true)]
        alert: Vec<String>,
    },
    /// Send a marked test to a receiver, past routing and silences
    Test {
        /// Its name in alertmanager.yml
        receiver: String,
        /// Send the end as well, so that nothing stays open there
        #[arg(long)]
        resolve: bool,
    },
    /// Send an alert, as a rule would
    Add {
        /// Labels, as `alertname=Test`
        #[arg(required = true)]
        labels: Vec<String>,
        /// Annotations, as `summary=text`
        #[arg(long)]
        annotation: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Silence {
    #[command(subcommand)]
    pub(crate) action: SilenceAction,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SilenceAction {
    /// List silences that are active or will be
    List {
        /// Also those that are over
        #[arg(long)]
        expired: bool,
    },
    /// Silence what fulfils all matchers
    Add {
        /// Matchers, as `alertname=DiskFull` or `instance=~"db.*"`
        #[arg(required = true)]
        matchers: Vec<String>,
        /// How long
        #[arg(long = "for", value_name = "DURATION", default_value = "1h")]
        duration: String,
        /// Why
        #[arg(long)]
        comment: String,
        /// Who; the user's name where absent
        #[arg(long)]
        author: Option<String>,
        /// Remind so long before it ends
        #[arg(long, value_name = "DURATION")]
        remind: Option<String>,
    },
    /// Silence again and again, in a window of time
    Recur {
        /// Matchers, as `alertname=DiskFull`
        matchers: Vec<String>,
        /// When, as in time_intervals: `{weekdays: [saturday], times: [{start_time: '02:00', end_time: '04:00'}], location: Europe/Berlin}`
        #[arg(long, required_unless_present_any = ["list", "remove"])]
        window: Option<String>,
        /// When it ends for good, as 2027-01-01T00:00:00Z
        #[arg(long)]
        until: Option<String>,
        /// Why
        #[arg(long, default_value = "")]
        comment: String,
        /// Who; the user's name where absent
        #[arg(long)]
        author: Option<String>,
        /// List those that are there
        #[arg(long)]
        list: bool,
        /// End this one
        #[arg(long, value_name = "ID", conflicts_with = "list")]
        remove: Option<String>,
    },
    /// Show what a silence would mute now, and would have muted lately
    Preview {
        /// Matchers, as `instance=~"db.*"`
        #[arg(required = true)]
        matchers: Vec<String>,
        /// How far back
        #[arg(long, default_value = "30d")]
        since: String,
    },
    /// End silences
    Expire {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
}
