//! The HTTP edge: Prometheus' and Alertmanager's APIs, our own, and the page.
//!
//! Wire formats stop here: handlers turn parameters into calls and values into JSON by hand. Nothing is stored and
//! nothing is decided here. Handlers that may take longer than half a millisecond work on blocking threads.

mod alertmanager;
mod answer;
mod auth;
pub mod backtest;
mod compress;
pub mod decoders;
mod doors;
mod guard;
mod late;
mod notifications;
mod number;
mod openapi;
mod otlp;
mod own;
mod page;
mod params;
mod prometheus;
mod queries;
pub mod routes;
pub mod server;
mod services;
mod time;
mod web;

pub use alertmanager::silences::matcher_json;
pub use auth::{Auth, AuthError, Role};
pub use doors::graphite;
pub use guard::{Admission, Guard};
pub use late::{LateRouter, Replay};
pub use notifications::{ENDING, Notifications, RELOAD_FAILED, STARTING};
pub use queries::{Queries, QueryLog};
pub use server::{Limits, Listener, serve};
pub use services::{About, Reload, Services, SetupView};
pub use web::{Cors, Lifecycle, LiveWebConfig, Prefix, Requests, Web};
