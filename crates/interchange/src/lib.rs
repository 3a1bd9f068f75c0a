//! Other stores' data: Prometheus' blocks, log and head chunks read and written; dumps of VictoriaMetrics,
//! OpenMetrics and Influx read.

mod error;

pub use error::Error;
