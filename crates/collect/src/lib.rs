//! Collecting: reads prometheus.yml, finds targets, scrapes them, and looks at this host.
//!
//! What it deliberately does not do: parse expositions (`ingest`), store samples (whoever implements
//! `model::Sink`), or answer queries about targets over HTTP (`api`).

pub mod fetch;
pub mod http_client;
pub mod host;
pub mod prometheus_file;
pub mod series;
pub mod target;

pub use prometheus_file::PrometheusFile;
pub use target::Target;
