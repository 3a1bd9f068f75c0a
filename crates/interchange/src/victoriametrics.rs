//! VictoriaMetrics' JSON lines: what `/api/v1/export` answers, one object with labels, values and times a line.
//!
//! Its native format is an internal one without a description and is not read.

use crate::text::{LineError, Taken, Taker};
use ingest::import::decode_json_lines;
use model::Labels;

/// Reads JSON lines.
#[derive(Debug, Default)]
pub struct VictoriaMetrics;

impl Taker for VictoriaMetrics {
    fn line(&mut self, line: &[u8], taken: &mut Taken) -> Result<(), LineError> {
        let lines = decode_json_lines(line, &Labels::default());
        for row in lines.rows {
            taken.push(row);
        }
        match lines.errors.into_iter().next() {
            Some(error) => Err(error.message),
            None => Ok(()),
        }
    }
}
