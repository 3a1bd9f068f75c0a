//! Alertmanager's API, version 2, and what is left of version 1.

pub(crate) mod alerts;
pub(crate) mod silences;
pub(crate) mod status;
pub(crate) mod v1;
