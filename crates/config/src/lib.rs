//! Reading configuration files: YAML with positions, typed decoding that collects every mistake,
//! secrets that never print, and the HTTP client settings that several readers share.
//!
//! The readers of whole files live with the crates that use them; this crate knows no file format but YAML.
//! Key decision: files are read into a tree with positions and decoded by hand. A derive-based
//! reader stops at the first mistake; ours reports all of them, each with file, line, column and value.

pub mod aws;
pub mod decode;
pub mod glob;
pub mod http_client;
pub mod percent;
pub mod problem;
pub mod redact;
pub mod secret;
pub mod web_address;
pub mod web_config;
pub mod yaml;

pub use decode::Fields;
pub use http_client::HttpClientConfig;
pub use problem::{Problem, Problems};
pub use secret::Secret;
pub use web_address::WebAddress;
pub use web_config::WebConfig;
pub use yaml::{Document, Node, NodeKind, Position};
