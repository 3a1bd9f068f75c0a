//! Alerts on their way to people: routed, grouped, inhibited, silenced, muted, delivered. Alertmanager, whole.
//!
//! [`config`] reads alertmanager.yml. [`machine`] decides, without clock or I/O, what is told to whom and when;
//! [`rows`] are its memory on disk; [`deliver`] is where notifications leave. [`Dispatch`] ties them together
//! and is what the rest of the program talks to. What it deliberately does not do: evaluate rules, or know
//! incidents; both are tied to it in the binary.

pub mod alert;
pub mod config;
pub mod deliver;
mod dispatch;
pub mod heartbeat;
pub mod history;
pub mod inhibit;
pub mod interval;
pub mod machine;
pub mod matchers;
mod metrics;
pub mod notice;
pub mod recurrence;
pub mod route;
pub mod rows;
pub mod silence;
pub mod template;
mod uuid;

pub use alert::PostedAlert;
pub use dispatch::{Dispatch, Error, Listener, Parts, Surroundings, Trial};
pub use history::{AlertEvent, Change, HistoryQuery, Muted};
pub use machine::{
    AlertFilter, AlertState, AlertView, GroupFilter, GroupView, ReceiverView, Told, UndeliveredView,
};
pub use rows::Attempt;
pub use silence::{Silence, SilenceError, SilenceState};
