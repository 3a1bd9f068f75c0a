//! `meta.json`: what a block says of itself.

use crate::error::{Error, at};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of blocks that Prometheus 2 and 3 write.
const VERSION: u32 = 1;
/// A hint of upstream's: the block was made of samples that came out of order.
const OUT_OF_ORDER: &str = "from-out-of-order";
/// Far above what a block says of itself.
const BYTES_MAX: u64 = 64 << 20;

/// The content of `meta.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The block's name, which is its folder's too.
    pub ulid: String,
    /// Time of the first sample in milliseconds, or the beginning of the window.
    pub min_time: i64,
    /// The moment after the last sample, or the end of the window (not part of it).
    pub max_time: i64,
    /// What is in it.
    #[serde(default)]
    pub stats: Stats,
    /// How it came to be.
    #[serde(default)]
    pub compaction: Compaction,
    /// Version of the format.
    pub version: u32,
}

/// What is in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Samples, histograms included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub num_samples: u64,
    /// Float samples; written since Prometheus 3.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub num_float_samples: u64,
    /// Histogram samples; written since Prometheus 3.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub num_histogram_samples: u64,
    /// Series.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub num_series: u64,
    /// Chunks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub num_chunks: u64,
    /// Deleted intervals.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub num_tombstones: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How a block came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compaction {
    /// How often its samples were merged.
    #[serde(default)]
    pub level: u32,
    /// The blocks it was merged from; itself for a new one.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What else upstream wants to know of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl Meta {
    /// Reads `meta.json` of a block's folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("meta.json");
        let length = std::fs::metadata(&path).map_err(at(&path))?.len();
        if length > BYTES_MAX {
            return Err(Error::corrupt(
                &path,
                0,
                "larger than any block's meta.json",
            ));
        }
        let text = std::fs::read(&path).map_err(at(&path))?;
        let meta: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::corrupt(&path, 0, error.to_string()))?;
        if meta.version != VERSION {
            let what = format!("version {}, this program knows {VERSION}", meta.version);
            return Err(Error::corrupt(&path, 0, what));
        }
        Ok(meta)
    }

    /// Whether it was made of samples that came out of order: it says nothing of how far the in-order ones
    /// have left the write-ahead log.
    #[must_use]
    pub fn is_out_of_order(&self) -> bool {
        self.compaction
            .hints
            .iter()
            .any(|hint| hint == OUT_OF_ORDER)
    }

    /// As upstream writes it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
        // Plain data into memory: nothing can fail.
        let _always = self.serialize(&mut serializer);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Meta;

    #[test]
    fn round_trips_what_upstream_writes() {
        let text = "{\n\t\"ulid\": \"01M7YPMW0XQWZP5JWJ7FT82RMA\",\n\t\"minTime\": 1609954636000,\n\t\
            \"maxTime\": 1609954696001,\n\t\"stats\": {\n\t\t\"numSamples\": 4,\n\t\t\"numSeries\": 3,\n\t\t\
            \"numChunks\": 3\n\t},\n\t\"compaction\": {\n\t\t\"level\": 1,\n\t\t\"sources\": [\n\t\t\t\
            \"01M7YPMW0XQWZP5JWJ7FT82RMA\"\n\t\t]\n\t},\n\t\"version\": 1\n}";
        let meta: Meta = serde_json::from_str(text).expect("reads");
        assert_eq!(meta.stats.num_series, 3);
        assert!(!meta.is_out_of_order());
        assert_eq!(String::from_utf8(meta.to_json()).expect("text"), text);
    }
}
