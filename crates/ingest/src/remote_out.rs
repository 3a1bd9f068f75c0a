//! Remote write out, the part without sockets: what lies in the queue on disk, what goes into a request, how many
//! senders there should be, how long to wait after a failure. `collect` sends.
//!
//! Samples go to the queue as the store took them; external labels and `write_relabel_configs` are applied when they are
//! read back, once for each series of a segment.

mod backoff;
mod encode;
mod record;
mod shards;

pub use backoff::{Backoff, Verdict, judge};
pub use encode::{Message, encode, encode_metadata, encode_samples, encode_series};
pub use record::{QueuedSeries, RecordReader, RecordWriter, Rewrite};
pub use shards::{ShardLimits, ShardPlan, Traffic};
