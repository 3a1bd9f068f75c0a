//! Files of InfluxDB's line protocol, as `influx_inspect export -lponly` and `influxd inspect export-lp` write them.
//!
//! A measurement's field becomes the series `measurement_field`, tags become labels, as at the server's own door. Exports of
//! InfluxDB 1 name the database in a comment (`# CONTEXT-DATABASE: name`), which becomes the label `db`; other comments and
//! statements (`CREATE DATABASE …` behind `# DDL`) are skipped.

use crate::text::{LineError, Taken, Taker};
use ingest::influx::{Options, Precision, decode};
use model::Timestamp;

const DATABASE: &str = "# CONTEXT-DATABASE:";
const STATEMENTS: &str = "# DDL";
const POINTS: &str = "# DML";

/// Reads lines of the line protocol.
#[derive(Debug)]
pub struct Influx {
    precision: Precision,
    database: String,
    now: Timestamp,
    in_statements: bool,
}

impl Influx {
    /// Lines whose times have this precision (`ns`, `us`, `ms`, `s`, `m`, `h`); `now` is the time of those without
    /// any. `None` for another precision.
    #[must_use]
    pub fn new(precision: &str, database: &str, now: Timestamp) -> Option<Self> {
        Some(Self {
            precision: Precision::from_name(precision)?,
            database: database.to_owned(),
            now,
            in_statements: false,
        })
    }

    fn comment(&mut self, line: &str) {
        if let Some(database) = line.strip_prefix(DATABASE) {
            database.trim().clone_into(&mut self.database);
        } else if line.trim_end() == STATEMENTS {
            self.in_statements = true;
        } else if line.trim_end() == POINTS {
            self.in_statements = false;
        }
    }
}

impl Taker for Influx {
    fn line(&mut self, line: &[u8], taken: &mut Taken) -> Result<(), LineError> {
        if line.starts_with(b"#") {
            self.comment(&String::from_utf8_lossy(line));
            return Ok(());
        }
        if self.in_statements {
            return Ok(());
        }
        let options = Options {
            precision: self.precision,
            database: &self.database,
            now: self.now,
        };
        let lines = decode(line, options);
        for row in lines.rows {
            taken.push(row);
        }
        match lines.errors.into_iter().next() {
            Some(error) => Err(error.message),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Influx;
    use crate::text::read;
    use crate::{Selection, testing};
    use model::{MemoryStore, Sink as _, Timestamp};
    use std::path::Path;

    #[test]
    fn reads_an_export() {
        let text = "# INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z\n# DDL\nCREATE DATABASE a WITH NAME b\n\
            # DML\n# CONTEXT-DATABASE: metrics\n# CONTEXT-RETENTION-POLICY: autogen\ncpu,host=a usage=1.5,idle=2i 1700000000000000000\n\
            nonsense\ncpu,host=a usage=2.5 1700000010000000000\n";
        let mut influx = Influx::new("ns", "", Timestamp::default()).expect("known");
        let store = MemoryStore::new();
        let mut give = |rows: Vec<model::SeriesSamples>, _: &_| {
            store.append(&rows).expect("memory takes all");
            Ok(())
        };
        let mut input = text.as_bytes();
        let from = (Path::new("x"), &mut input as &mut dyn std::io::BufRead);
        let report = read(from, &mut influx, &Selection::default(), &mut give).expect("reads");
        assert_eq!((report.samples, report.bad_lines), (3, 1));
        assert_eq!(report.mistakes[0].0, 8);
        let held = testing::held(&store);
        assert!(
            held.contains("{__name__=\"cpu_usage\", db=\"metrics\", host=\"a\"}"),
            "{held}"
        );
    }
}
