//! The HTTP edge: Prometheus' and Alertmanager's APIs, our own, and the page.
//!
//! Wire formats stop here: handlers turn parameters into calls and values into JSON by hand. Nothing is stored and
//! nothing is decided here. Handlers that may take longer than half a millisecond work on blocking threads.

mod alertmanager;
mod answer;
mod auth;
mod compress;
mod guard;
mod late;
mod number;
mod own;
mod page;
mod params;
mod prometheus;
pub mod routes;
pub mod server;
mod services;
mod time;

pub use auth::{Auth, AuthError, Role};
pub use guard::{Admission, Guard};
pub use late::LateRouter;
pub use server::{Listener, serve};
pub use services::{About, Reload, Services, SetupView};
