//! Bodies and parameters that the HTTP interface reads itself: alerts, silences, packed bodies, gRPC frames, matchers in
//! both syntaxes.
#![no_main]

use api::decoders;
use dispatch::matchers::{parse_matcher, parse_matchers, print_matcher, print_matchers};
use dispatch::silence::Silence;
use libfuzzer_sys::fuzz_target;
use model::{Labels, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const BYTES_MAX: usize = 1 << 16;
const ENCODINGS: [&str; 3] = ["gzip", "deflate", "snappy"];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    match first % 6 {
        0 => alerts(body),
        1 => {
            if let Ok(silence) = decoders::silence(body, NOW) {
                mutes(&silence);
            }
        }
        2 => {
            let encoding = ENCODINGS[usize::from(first / 6) % ENCODINGS.len()];
            if let Ok(unpacked) = decoders::unpack(encoding, body, BYTES_MAX) {
                assert!(unpacked.len() <= BYTES_MAX);
            }
        }
        3 => {
            if let Ok(length) = decoders::grpc_message_bytes(body, BYTES_MAX) {
                assert!(length <= BYTES_MAX.max(body.len()));
            }
        }
        4 => {
            if let Ok(text) = std::str::from_utf8(body) {
                matchers(text);
            }
        }
        _ => {
            if let Ok(text) = std::str::from_utf8(body) {
                let _parameters = decoders::parameters(text, NOW);
                let _user = decoders::user_and_password(text);
                let _selector = promql::parse_metric_selector(text);
            }
        }
    }
});

fn alerts(body: &[u8]) {
    for posted in decoders::alerts(body).unwrap_or_default() {
        if let Ok(alert) = posted.complete(NOW, 300_000) {
            fuzz::check_labels(&alert.labels);
            assert!(alert.starts_at <= alert.ends_at);
        }
    }
}

fn mutes(silence: &Silence) {
    let labels = Labels::from_pairs([("alertname", "A")]);
    if silence.mutes(&labels, NOW) {
        assert!(silence.matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name()))));
    }
}

/// What is printed is read as the same.
fn matchers(text: &str) {
    if let Ok(matchers) = parse_matchers(text) {
        let printed = print_matchers(&matchers);
        assert_eq!(parse_matchers(&printed).as_ref(), Ok(&matchers), "{text:?} {printed}");
    }
    if let Ok(matcher) = parse_matcher(text) {
        let printed = print_matcher(&matcher);
        assert_eq!(parse_matcher(&printed).as_ref(), Ok(&matcher), "{text:?} {printed}");
    }
}
