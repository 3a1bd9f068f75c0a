//! `promtool tsdb list`: a line for each block.

use super::{Kind, go_duration, kind_of};
use crate::commands::import::open_store;
use crate::print;
use interchange::prometheus::DataFolder;
use interchange::prometheus::block::{Block, Meta};
use model::Timestamp;
use std::path::Path;

/// Columns are at least this wide, and two blanks apart.
const WIDTH_MIN: usize = 13;
const APART: usize = 2;
const HEADER: [&str; 8] = [
    "BLOCK ULID",
    "MIN TIME",
    "MAX TIME",
    "DURATION",
    "NUM SAMPLES",
    "NUM CHUNKS",
    "NUM SERIES",
    "SIZE",
];

/// Lists the blocks of a directory.
pub(super) fn run(path: &Path, human_readable: bool) -> anyhow::Result<()> {
    let mut rows = vec![HEADER.map(str::to_owned)];
    match kind_of(path)? {
        Kind::Prometheus => {
            for (meta, folder) in blocks_of(path)? {
                let bytes = Block::open(&folder)?.size_bytes();
                rows.push(row(&meta, bytes, human_readable));
            }
        }
        Kind::Ours => {
            let db = open_store(path)?;
            for block in db.block_infos() {
                let mut meta = Meta {
                    ulid: block.file.clone(),
                    min_time: block.start_ms,
                    max_time: block.end_ms.saturating_add(1),
                    ..Meta::default()
                };
                meta.stats.num_samples = block.samples;
                meta.stats.num_series = block.series;
                rows.push(row(&meta, block.bytes, human_readable));
            }
        }
    }
    print(&rows);
    Ok(())
}

/// The blocks of a data directory; one without any, not even a log, has none.
pub(super) fn blocks_of(path: &Path) -> anyhow::Result<Vec<(Meta, std::path::PathBuf)>> {
    match DataFolder::open(path) {
        Ok(folder) => match folder.damages.into_iter().next() {
            Some(damage) => Err(damage.into()),
            None => Ok(folder.blocks),
        },
        Err(interchange::Error::NotOne { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// A line without what stands above the columns, for blocks that were just written.
pub(super) fn show_one(meta: &Meta, bytes: u64, (human_readable, with_header): (bool, bool)) {
    let mut rows = Vec::new();
    if with_header {
        rows.push(HEADER.map(str::to_owned));
    }
    rows.push(row(meta, bytes, human_readable));
    print(&rows);
}

fn row(meta: &Meta, bytes: u64, human_readable: bool) -> [String; 8] {
    let time = |millis: i64| {
        if !human_readable {
            return millis.to_string();
        }
        let text = Timestamp::from_millis(millis).to_string();
        let (day, time) = text.split_once('T').unwrap_or((&text, ""));
        let (time, _millis) = time.split_once('.').unwrap_or((time, ""));
        format!("{day} {time} +0000 UTC")
    };
    [
        meta.ulid.clone(),
        time(meta.min_time),
        time(meta.max_time),
        go_duration(meta.max_time.saturating_sub(meta.min_time)),
        meta.stats.num_samples.to_string(),
        meta.stats.num_chunks.to_string(),
        meta.stats.num_series.to_string(),
        if human_readable {
            binary_bytes(bytes)
        } else {
            bytes.to_string()
        },
    ]
}

/// As `1MiB2KiB3B`: all units that are not 0.
fn binary_bytes(bytes: u64) -> String {
    let mut text = String::new();
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB"), (0, "B")] {
        let count = if shift == 40 {
            bytes >> shift
        } else {
            bytes >> shift & 1023
        };
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() {
        "0B".to_owned()
    } else {
        text
    }
}

fn print(rows: &[[String; 8]]) {
    let width = |column: usize| {
        let widest = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(String::len)
            .max();
        (widest.unwrap_or_default() + APART).max(WIDTH_MIN)
    };
    for row in rows {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if i + 1 < row.len() {
                line.push_str(&" ".repeat(width(i).saturating_sub(cell.len())));
            }
        }
        print::line(&line);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_as_upstream_prints_them() {
        let check = |bytes, want| assert_eq!(super::binary_bytes(bytes), want);
        check(0, "0B");
        check(968, "968B");
        check(1024, "1KiB");
        check((5 << 20) + 3, "5MiB3B");
    }
}
