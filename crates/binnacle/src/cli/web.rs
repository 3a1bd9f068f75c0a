//! Prometheus' `--web.*` flags of `up`.

use clap::Args;
use std::path::PathBuf;

/// How the server behaves over HTTP.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Prometheus' own flags: web")]
pub(crate) struct WebFlags {
    /// TLS, users and headers of every listener, in Prometheus' web configuration format
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub(crate) web_config: Option<PathBuf>,
    /// Let samples be deleted and copied over HTTP
    #[arg(long = "web.enable-admin-api", overrides_with = "no_admin_api")]
    pub(crate) admin_api: bool,
    #[arg(long = "no-web.enable-admin-api", hide = true)]
    pub(crate) no_admin_api: bool,
    /// Let the process be ended over HTTP (PUT /-/quit); reading files again (/-/reload) is on without it
    #[arg(long = "web.enable-lifecycle", overrides_with = "no_lifecycle")]
    pub(crate) lifecycle: bool,
    /// Neither end nor reload over HTTP
    #[arg(long = "no-web.enable-lifecycle", overrides_with = "lifecycle")]
    pub(crate) no_lifecycle: bool,
    /// Sites whose pages may read answers, a pattern for the whole origin; without it none may
    #[arg(long = "web.cors.origin", value_name = "REGEX")]
    pub(crate) cors_origin: Option<String>,
    /// The path before every other; the path of the external address where absent
    #[arg(long = "web.route-prefix", value_name = "PATH")]
    pub(crate) route_prefix: Option<String>,
    /// Connections open at once
    #[arg(
        long = "web.max-connections",
        value_name = "COUNT",
        default_value_t = 512
    )]
    pub(crate) connections_max: usize,
    /// How long a client may take over a request's head
    #[arg(
        long = "web.read-timeout",
        value_name = "DURATION",
        default_value = "5m"
    )]
    pub(crate) read_timeout: String,
    /// Clients that follow /api/v1/notifications/live at once
    #[arg(
        long = "web.max-notifications-subscribers",
        value_name = "COUNT",
        default_value_t = 16
    )]
    pub(crate) subscribers_max: usize,
    /// The highest `limit` of /api/v1/search/*; 0 for any
    #[arg(
        long = "web.search.max-limit",
        value_name = "COUNT",
        default_value_t = 10_000
    )]
    pub(crate) search_limit_max: usize,
}
