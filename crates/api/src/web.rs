//! How the server behaves over HTTP: what flags set, and what the web configuration file sets and changes while we run.

mod cors;
mod live;
mod prefix;
mod requests;
mod tls;
mod users;

pub use cors::Cors;
pub use live::LiveWebConfig;
pub use prefix::Prefix;
pub use requests::Requests;

pub(crate) use cors::layer as cors_layer;
pub(crate) use live::Loaded;
pub(crate) use prefix::layer as prefix_layer;
pub(crate) use requests::measure;

use std::sync::Arc;

/// What flags set.
#[derive(Clone)]
pub struct Web {
    /// Whether samples may be deleted and copied over HTTP.
    pub admin_api: bool,
    /// What `/-/reload` and `/-/quit` do.
    pub lifecycle: Lifecycle,
    /// Names that a search may ask for; 0 for any number.
    pub search_limit_max: usize,
    /// The kinds of service discovery that are active.
    pub discoveries: Vec<&'static str>,
    /// Ends the process in good order.
    pub quit: Arc<dyn Fn() + Send + Sync>,
}

/// What may be asked of the process over HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifecycle {
    /// To read its configuration again.
    #[default]
    Reload,
    /// Also to end: `--web.enable-lifecycle`.
    ReloadAndQuit,
    /// Neither: `--no-web.enable-lifecycle`.
    Nothing,
}

impl Web {
    /// Whether the configuration may be read again over HTTP.
    #[must_use]
    pub fn may_reload(&self) -> bool {
        self.lifecycle != Lifecycle::Nothing
    }

    /// Whether the process may be ended over HTTP.
    #[must_use]
    pub fn may_quit(&self) -> bool {
        self.lifecycle == Lifecycle::ReloadAndQuit
    }
}
