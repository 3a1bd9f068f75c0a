//! Prometheus' HTTP API.

pub(crate) mod alerts;
pub(crate) mod management;
pub(crate) mod query;
pub(crate) mod series;
pub(crate) mod status;
pub(crate) mod targets;
pub(crate) mod write;
