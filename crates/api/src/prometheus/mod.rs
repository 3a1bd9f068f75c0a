//! Prometheus' HTTP API.

pub(crate) mod admin;
pub(crate) mod alerts;
pub(crate) mod exemplars;
pub(crate) mod features;
pub(crate) mod federate;
pub(crate) mod management;
pub(crate) mod notifications;
pub(crate) mod parse_query;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod relabel_steps;
pub(crate) mod search;
pub(crate) mod series;
mod stats;
pub(crate) mod status;
pub(crate) mod targets;
pub(crate) mod write;
