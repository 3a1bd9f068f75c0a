//! Chunks of Prometheus' blocks: what unpacks has as many samples as it says.
#![no_main]

use interchange::prometheus::chunk::{Encoding, decode, samples};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, data)) = bytes.split_first() else {
        return;
    };
    let Some(encoding) = Encoding::from_number(first % 7) else {
        return;
    };
    let mut out = Vec::new();
    if decode(encoding, data, &mut out).is_ok() {
        assert_eq!(out.len(), samples(encoding, data));
    } else {
        assert!(out.is_empty());
    }
});
