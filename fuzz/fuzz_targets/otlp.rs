//! OTLP metrics, protocol buffers and JSON, through translation and the adding up of deltas.
#![no_main]

use fuzz::check_rows;
use ingest::otlp::{
    Accumulator, Deltas, Promoted, Settings, Strategy, decode_json, decode_protobuf, translate,
};
use libfuzzer_sys::fuzz_target;

const STRATEGIES: [Strategy; 4] = [
    Strategy::UnderscoreEscapingWithSuffixes,
    Strategy::UnderscoreEscapingWithoutSuffixes,
    Strategy::NoUtf8EscapingWithSuffixes,
    Strategy::NoTranslation,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let flag = |bit: u8| first & (1 << bit) != 0;
    let settings = Settings {
        strategy: STRATEGIES[usize::from(first & 3)],
        convert_histograms: flag(2),
        promote_scope: flag(3),
        promoted: match flag(4) {
            true => Promoted::AllBut(vec!["service.name".to_owned()]),
            false => Promoted::Only(vec!["host".to_owned()]),
        },
        deltas: if flag(5) { Deltas::Accumulate } else { Deltas::Keep },
        type_and_unit_labels: flag(6),
        ..Settings::default()
    };
    let document;
    let request = if flag(7) {
        let Ok(read) = serde_json::from_slice(body) else {
            return;
        };
        document = read;
        decode_json(&document)
    } else {
        decode_protobuf(body)
    };
    let Ok(request) = request else {
        return;
    };
    let mut translated = translate(&request, &settings);
    check_rows(&translated.rows);
    assert!(translated.deltas.iter().all(|index| *index < translated.rows.len()));
    let mut sums = Accumulator::default();
    sums.add_up(&mut translated);
    check_rows(&translated.rows);
});
