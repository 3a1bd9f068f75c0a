//! The one door for samples: decodes what arrives, checks it against limits, hands it to the store.
//!
//! One file a protocol. Decoders are pure: bytes in, values or an error out, never a panic, and
//! never more memory than the limits allow. This crate opens no sockets; `api` and `collect` bring the bytes.

mod classic;
mod door;
pub mod exposition;
pub mod native;
pub mod otlp;
mod protobuf;
pub mod remote_write;

pub use door::{Ingest, Stored, WriteError};
pub use protobuf::ProtobufError;
