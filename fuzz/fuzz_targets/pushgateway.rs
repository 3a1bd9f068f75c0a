//! Pushgateway's paths and bodies: what was taken is shown as it was read, also after a restart.
#![no_main]

use fuzz::check_rows;
use ingest::pushgateway::{BodyFormat, Grouping, PushMode};
use ingest::remote_write::Limits;
use ingest::exposition::{Encoding, Format, Item, Options, Reader};
use ingest::{Ingest, Pushgateway};
use libfuzzer_sys::fuzz_target;
use model::{Appended, SeriesSamples, Sink, SinkError, Timestamp};
use runtime::{Registry, SimulatedClock};
use std::sync::Arc;
use storage::State;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

struct Checked;

impl Sink for Checked {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        check_rows(batch);
        Ok(Appended::default())
    }
}

fn open(state: &State) -> Pushgateway {
    let registry = Registry::new();
    let ingest = Ingest::to_sink(Arc::new(Checked), Limits::default(), &registry);
    let clock = Arc::new(SimulatedClock::new(NOW));
    Pushgateway::open(state.clone(), Arc::new(ingest), clock, &registry).expect("memory opens")
}

thread_local! {
    static STATE: State = State::in_memory().expect("memory opens");
}

// The first line is the path, behind a byte for how it is sent.
fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let mut halves = rest.splitn(2, |byte| *byte == b'\n');
    let path = std::str::from_utf8(halves.next().unwrap_or_default());
    let body = halves.next().unwrap_or_default();
    let Some(grouping) = path.ok().and_then(|path| Grouping::from_path(path).ok()) else {
        return;
    };
    let format = if first & 1 == 0 { BodyFormat::Text } else { BodyFormat::Protobuf };
    let mode = if first & 2 == 0 { PushMode::Add } else { PushMode::Replace };
    STATE.with(|state| push(state, &grouping, (mode, format, body)));
});

fn push(state: &State, grouping: &Grouping, (mode, format, body): (PushMode, BodyFormat, &[u8])) {
    let gateway = open(state);
    let taken = gateway.push(grouping, mode, (format, body)).is_ok();
    if taken {
        gateway.push(grouping, PushMode::Replace, (format, body)).expect("taken before, taken again");
    }
    gateway.append(NOW).expect("the sink takes all");
    let shown = gateway.exposition("");
    let _json = gateway.json();
    read_whole(shown.as_bytes(), Encoding::Text(Format::Text));
    read_whole(&gateway.exposition_protobuf(""), Encoding::Protobuf);
    assert_eq!(open(state).exposition(""), shown);
    gateway.wipe().expect("memory forgets");
}

fn read_whole(body: &[u8], encoding: Encoding) {
    let mut reader = Reader::new(body, encoding, Options::default());
    loop {
        match reader.next_item() {
            Ok(Some(Item::Sample)) => drop(reader.labels().expect("labels")),
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => panic!("{error:?} in {}", String::from_utf8_lossy(body)),
        }
    }
}
