//! The one door for samples: decodes what arrives, checks it against limits, hands it to the store.
//!
//! One file a protocol. Decoders are pure: bytes in, values or an error out, never a panic, and
//! never more memory than the limits allow. This crate opens no sockets; `api` and `collect` bring the bytes.

mod classic;
mod door;
pub mod exposition;
pub mod federate;
pub mod graphite;
pub mod import;
pub mod influx;
pub mod lines;
pub mod native;
pub mod otlp;
mod protobuf;
mod protobuf_write;
pub mod pushgateway;
pub mod remote_out;
pub mod remote_write;

pub use door::{Ingest, Stored, WriteError};
pub use protobuf::ProtobufError;
pub use pushgateway::Pushgateway;
