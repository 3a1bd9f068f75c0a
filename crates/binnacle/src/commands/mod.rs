//! One file a command.

pub(crate) mod alert;
pub(crate) mod amtool;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod completions;
pub(crate) mod credential;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod incident;
pub(crate) mod pack;
pub(crate) mod progress;
pub(crate) mod promtool;
pub(crate) mod query;
pub(crate) mod rules;
pub(crate) mod selection;
pub(crate) mod silence;
pub(crate) mod table;
pub(crate) mod test;
pub(crate) mod up;
