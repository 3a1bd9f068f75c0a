//! Remote read: requests that reach the server, and both kinds of answers that reach the client.
#![no_main]

use fuzz::{check_rows, crc32c};
use interchange::remote_read::{FrameReader, decode_request, decode_samples, encode_request};
use libfuzzer_sys::fuzz_target;
use model::TimeRange;

const BYTES_MAX: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    match first % 4 {
        0 => request(&packed(body)),
        1 => {
            request(body);
            let _as_sent = decode_samples(body, BYTES_MAX);
        }
        2 => {
            if let Ok(rows) = decode_samples(&packed(body), BYTES_MAX) {
                check_rows(&rows);
            }
        }
        _ => {
            frames(body, usize::from(*first));
            let mut framed = Vec::new();
            for message in fuzz::parts(body) {
                storage::encoding::put_varint(&mut framed, message.len() as u64);
                framed.extend(crc32c(message).to_be_bytes());
                framed.extend(message);
            }
            frames(&framed, usize::from(*first));
        }
    }
});

fn packed(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).expect("small")
}

fn request(body: &[u8]) {
    let Ok(request) = decode_request(body) else {
        return;
    };
    for query in request.queries {
        let again = decode_request(&encode_request(&query)).expect("what is written is read");
        assert_eq!(again.queries, [query]);
        assert!(again.wants_frames);
    }
}

/// The same comes of the bytes however they arrive.
fn frames(bytes: &[u8], cut: usize) {
    let mut whole = FrameReader::new(BYTES_MAX, TimeRange::ALL);
    let all = whole.push(bytes);
    let mut halves = FrameReader::new(BYTES_MAX, TimeRange::ALL);
    let (a, b) = bytes.split_at(cut.min(bytes.len()));
    let both = halves.push(a).and_then(|first| Ok(first + halves.push(b)?));
    assert_eq!(all.is_ok(), both.is_ok());
    if let (Ok(all), Ok(both)) = (all, both) {
        assert_eq!(all, both);
        check_rows(&whole.series);
        let (whole, halves) = (whole.finish(), halves.finish());
        assert_eq!(format!("{whole:?}"), format!("{halves:?}"));
    }
}
