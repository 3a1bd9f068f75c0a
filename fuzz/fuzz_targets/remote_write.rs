//! Bodies of remote write, 1.0 and 2.0: as sent, and unpacked, so that the fuzzer need not find snappy's rules.
#![no_main]

use ingest::remote_write::{Limits, SecondOptions, decode, decode_second};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let _as_sent = decode(bytes, &limits);
    let Ok(packed) = snap::raw::Encoder::new().compress_vec(bytes) else {
        return;
    };
    let second = SecondOptions { type_and_unit_labels: bytes.len() % 2 == 1 };
    for batch in [decode(&packed, &limits), decode_second(&packed, &limits, second)].into_iter().flatten() {
        assert!(batch.rows().count() <= limits.series_max);
    }
});
