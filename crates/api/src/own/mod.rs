//! Our own API, under /api/binnacle/v1.

pub(crate) mod alerts;
pub(crate) mod backtest;
pub(crate) mod incidents;
pub(crate) mod notifications;
pub(crate) mod packs;
pub(crate) mod runbooks;
pub(crate) mod silences;
pub(crate) mod status;
