//! Incidents: what people respond to.
//!
//! An incident opens for each alert name and group labels of the first matching route; further alerts
//! of the same kind join it, and it is resolved with the last of them. Every incident keeps a timeline.
//!
//! This crate does not route, group or notify (that is `dispatch`), and it knows no wire format (the
//! JSON is made in `api`).
//!
//! Key decision: [`Machine`] is pure. `step(now, input)` answers the rows that change and the
//! announcements that must leave; [`Incidents`] commits both in one transaction and only then lets
//! announcements out. After a restart everything is rebuilt from rows; an announcement that was not
//! confirmed leaves again.

mod incident;
mod severity;

mod machine;
mod machine_input;
mod rows;
mod shell;

pub use incident::{Details, Entry, EntryKind, Followed, Incident, Status};
pub use machine::{Limits, Machine};
pub use machine_input::{
    Announcement, AnnouncementKind, Input, Notification, Output, Refusal, Row,
};
pub use severity::Severity;
pub use shell::{Error, Filter, Incidents};
