//! What scrape targets serve, in every format, read by the scraper and judged by the strict reader.
#![no_main]

use ingest::exposition::{Encoding, Format, Item, Options, Reader, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let flag = |bit: u8| first & (1 << bit) != 0;
    let encoding = match first & 3 {
        0 => Encoding::Text(Format::Text),
        1 => Encoding::Text(Format::OpenMetrics),
        _ => Encoding::Protobuf,
    };
    let options = Options {
        native_histograms: flag(2),
        keep_classic: flag(3),
        convert_classic: flag(4),
        created_lines: flag(5),
        type_and_unit: flag(6),
    };
    let mut reader = Reader::new(body, encoding, options);
    let mut exemplars = Vec::new();
    while let Ok(Some(item)) = reader.next_item() {
        if matches!(item, Item::Sample) {
            let _labels = reader.labels();
            let _value = (reader.value(), reader.timestamp(), reader.start());
            reader.exemplars(&mut exemplars);
        }
    }
    if let Encoding::Text(format) = encoding {
        let _judged = check(body, format);
    }
});
