//! A checkpoint: the head as it was at a place in the log, so that opening reads only what came after it.
//!
//! Layout of the file `CHECKPOINT`: magic `BNCLCKP\0`, version (u32), CRC-32 of those; then records, each length
//! (u32), CRC-32 of the content (u32), content. The content begins with its kind (byte). 1, state, comes first:
//! segment and offset in the log; newest time (zigzag); late samples; the next series id; number of segments, each with its newest
//! time (zigzag). 2, series: timestamp columns, number of series, each id, labels, samples. 3, exemplars: number,
//! each with encoded labels of its series, time (zigzag), bits, own labels. 4, end: number of series. A file
//! without an end was not finished and is not read. See docs/formats/checkpoint.md.
//!
//! The log stays as it is: a checkpoint that is damaged costs time, not samples. Whatever changes while it is
//! written is in the log behind its place, and replaying that again changes nothing.

use crate::error::{Error, at};
use crate::exemplars::Exemplars;
use crate::head::{Head, HeadSeries, TimesTable};
use crate::record::RecordExemplar;
use model::{Exemplar, Labels};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use storage::encoding::{Decoder, put_bytes, put_varint, put_zigzag};
use storage::{Files, Position, Readable, Writable};

const FILE_NAME: &str = "CHECKPOINT";
const TEMPORARY_NAME: &str = "CHECKPOINT.tmp";
const MAGIC: [u8; 8] = *b"BNCLCKP\0";
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 16;

const STATE: u8 = 1;
const SERIES: u8 = 2;
const EXEMPLARS: u8 = 3;
const END: u8 = 4;

/// Series in a record: they share timestamp columns and are read by one thread.
const SERIES_PER_RECORD: usize = 2048;

/// What a reader believes of a length field.
const RECORD_BYTES_MAX: u32 = 1 << 30;

/// Threads that take series apart.
const THREADS: usize = 3;

/// Records that wait for a thread.
const WAITING_MAX: usize = 4;

/// What a checkpoint says beside series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// What was logged before is in the checkpoint.
    pub(crate) position: Position,
    /// The newest time that was ever appended.
    pub(crate) newest: i64,
    /// Samples that came after their window was cut.
    pub(crate) late: u64,
    /// The id of the next series: no id in the log stands for two of them.
    pub(crate) next_id: u32,
    /// The newest time in each segment of the log.
    pub(crate) newest_in: BTreeMap<u64, i64>,
}

/// Writes the checkpoint of a head and gives it its name; answers its bytes. No cut and no deletion runs
/// meanwhile, and the log has reached the medium up to the position.
pub(crate) fn write(
    files: &dyn Files,
    folder: &Path,
    state: &State,
    series: &[Arc<HeadSeries>],
    exemplars: &[(Labels, Exemplar)],
) -> Result<u64, Error> {
    let path = folder.join(TEMPORARY_NAME);
    let make = || {
        let mut out = Output::begin(files.create(&path)?)?;
        out.record(&encode_state(state))?;
        for group in series.chunks(SERIES_PER_RECORD) {
            out.record(&encode_series(group))?;
        }
        out.record(&encode_exemplars(exemplars))?;
        let mut end = vec![END];
        put_varint(&mut end, series.len() as u64);
        out.record(&end)?;
        out.file.sync()?;
        files.rename(&path, &folder.join(FILE_NAME))?;
        files.sync_folder(folder)?;
        Ok(out.bytes)
    };
    let made = make().map_err(at(&path));
    if made.is_err() {
        // It may be half a file on a full disk; where removing fails, the next checkpoint replaces it.
        let _removed = files.remove(&path);
    }
    made
}

/// Removes the checkpoint, if there is one.
pub(crate) fn remove(files: &dyn Files, folder: &Path) -> Result<(), Error> {
    let path = folder.join(FILE_NAME);
    match files.remove(&path) {
        Ok(()) => files.sync_folder(folder).map_err(at(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(&path)(error)),
    }
}

struct Output {
    file: Box<dyn Writable>,
    bytes: u64,
}

impl Output {
    fn begin(file: Box<dyn Writable>) -> io::Result<Self> {
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&VERSION.to_le_bytes());
        let checksum = storage::sealed::checksum(&header);
        header.extend_from_slice(&checksum.to_le_bytes());
        file.write(&header)?;
        let bytes = HEADER_BYTES;
        Ok(Self { file, bytes })
    }

    fn record(&mut self, content: &[u8]) -> io::Result<()> {
        let length = u32::try_from(content.len()).map_err(io::Error::other)?;
        let mut frame = length.to_le_bytes().to_vec();
        frame.extend_from_slice(&storage::sealed::checksum(content).to_le_bytes());
        self.file.write(&frame)?;
        self.file.write(content)?;
        self.bytes += 8 + u64::from(length);
        Ok(())
    }
}

fn encode_state(state: &State) -> Vec<u8> {
    let mut out = vec![STATE];
    put_varint(&mut out, state.position.segment);
    put_varint(&mut out, state.position.offset);
    put_zigzag(&mut out, state.newest);
    put_varint(&mut out, state.late);
    put_varint(&mut out, u64::from(state.next_id));
    put_varint(&mut out, state.newest_in.len() as u64);
    for (segment, newest) in &state.newest_in {
        put_varint(&mut out, *segment);
        put_zigzag(&mut out, *newest);
    }
    out
}

fn decode_state(decoder: &mut Decoder<'_>) -> Option<State> {
    let mut state = State {
        position: Position {
            segment: decoder.varint()?,
            offset: decoder.varint()?,
        },
        newest: decoder.zigzag()?,
        late: decoder.varint()?,
        next_id: u32::try_from(decoder.varint()?).ok()?,
        newest_in: BTreeMap::new(),
    };
    for _ in 0..decoder.count()? {
        let segment = decoder.varint()?;
        state.newest_in.insert(segment, decoder.zigzag()?);
    }
    decoder.is_empty().then_some(state)
}

fn encode_series(group: &[Arc<HeadSeries>]) -> Vec<u8> {
    let mut times = TimesTable::default();
    let mut images = Vec::new();
    for series in group {
        series.encode(&mut images, &mut times);
    }
    let mut out = vec![SERIES];
    times.encode(&mut out);
    put_varint(&mut out, group.len() as u64);
    out.append(&mut images);
    out
}

fn encode_exemplars(exemplars: &[(Labels, Exemplar)]) -> Vec<u8> {
    let mut out = vec![EXEMPLARS];
    put_varint(&mut out, exemplars.len() as u64);
    for (series, exemplar) in exemplars {
        put_bytes(&mut out, series.encoded().as_bytes());
        RecordExemplar::encode(&mut out, exemplar);
    }
    out
}

fn decode_exemplars(decoder: &mut Decoder<'_>, into: &mut Exemplars) -> Option<()> {
    for _ in 0..decoder.count()? {
        let series = Labels::from_encoded(decoder.text()?)?;
        let _verdict = into.insert(&series, RecordExemplar::decode(decoder)?);
    }
    decoder.is_empty().then_some(())
}

/// A checkpoint on its way into a head.
pub(crate) struct Reader {
    path: PathBuf,
    file: Arc<dyn Readable>,
    length: u64,
    offset: u64,
    /// What it says of itself.
    pub(crate) state: State,
}

impl Reader {
    /// Opens the checkpoint and reads its state; `None` where there is none.
    pub(crate) fn open(files: &dyn Files, folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(FILE_NAME);
        let file = match files.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(at(&path))?,
        };
        let length = file.length().map_err(at(&path))?;
        let mut reader = Self {
            path,
            file,
            length,
            offset: HEADER_BYTES,
            state: State::default(),
        };
        let header = reader.read(0, HEADER_BYTES)?;
        let mut decoder = Decoder::new(&header);
        let magic = decoder.take(8) == Some(MAGIC.as_slice());
        let version = decoder.u32() == Some(VERSION);
        let checksum = storage::sealed::checksum(header.get(..12).unwrap_or_default());
        if !magic || !version || decoder.u32() != Some(checksum) {
            return Err(reader.corrupt("not a checkpoint of this version"));
        }
        let content = reader.record()?;
        let mut decoder = Decoder::new(&content);
        let is_state = decoder.byte() == Some(STATE);
        let state = decode_state(&mut decoder).filter(|_| is_state);
        reader.state =
            state.ok_or_else(|| reader.corrupt("a checkpoint without a readable beginning"))?;
        Ok(Some(reader))
    }

    fn corrupt(&self, what: &'static str) -> Error {
        Error::Corrupt {
            path: self.path.clone(),
            offset: self.offset,
            what,
        }
    }

    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        if offset.saturating_add(length) > self.length {
            return Err(self.corrupt("a checkpoint that is cut off"));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.file.read_at(offset, length).map_err(at(&self.path))
    }

    fn record(&mut self) -> Result<Vec<u8>, Error> {
        let frame = self.read(self.offset, 8)?;
        let mut decoder = Decoder::new(&frame);
        let (length, checksum) = (decoder.u32(), decoder.u32());
        let length = length.filter(|length| *length <= RECORD_BYTES_MAX);
        let length = length.ok_or_else(|| self.corrupt("impossible record length"))?;
        let content = self.read(self.offset + 8, u64::from(length))?;
        if checksum != Some(storage::sealed::checksum(&content)) {
            return Err(self.corrupt("checksum mismatch"));
        }
        self.offset += 8 + u64::from(length);
        Ok(content)
    }

    /// Reads everything into an empty head, on several threads. After an error the head is good for nothing.
    pub(crate) fn load(mut self, head: &Head, exemplars: &mut Exemplars) -> Result<State, Error> {
        let (send, receive) = sync_channel::<Vec<u8>>(WAITING_MAX);
        let (send_restored, receive_restored) = sync_channel(WAITING_MAX);
        let receive = Mutex::new(receive);
        let receive = &receive;
        let (all_good, count) = std::thread::scope(|scope| {
            let restoring: Vec<_> = (0..THREADS)
                .map(|_| {
                    let send = send_restored.clone();
                    scope.spawn(move || restore(head, receive, &send))
                })
                .collect();
            drop(send_restored);
            let indexing = scope.spawn(move || {
                let mut count = 0;
                for series in receive_restored {
                    let series: Vec<Arc<HeadSeries>> = series;
                    count += series.len() as u64;
                    head.index_series(&series);
                }
                count
            });
            let read = self.read_records(&send, exemplars);
            drop(send);
            let restored = restoring.into_iter().map(|thread| thread.join());
            let all_good = restored.fold(true, |good, one| good & one.unwrap_or(false));
            let count = indexing.join().unwrap_or_default();
            read.map(|count_wanted| (all_good && count == count_wanted, count))
        })?;
        if !all_good {
            return Err(self.corrupt("series that cannot be read"));
        }
        tracing::debug!("{count} series read from the checkpoint");
        head.skip_ids(self.state.next_id);
        let counts = &head.counts;
        let relaxed = std::sync::atomic::Ordering::Relaxed;
        counts.newest.fetch_max(self.state.newest, relaxed);
        let late = usize::try_from(self.state.late).unwrap_or_default();
        counts.late.fetch_add(late, relaxed);
        Ok(self.state)
    }

    /// Hands series records to the threads and reads the others; answers how many series there should be.
    fn read_records(
        &mut self,
        send: &SyncSender<Vec<u8>>,
        exemplars: &mut Exemplars,
    ) -> Result<u64, Error> {
        loop {
            let content = self.record()?;
            let mut decoder = Decoder::new(&content);
            match decoder.byte() {
                Some(SERIES) => {
                    if send.send(content).is_err() {
                        return Err(self.corrupt("series that cannot be read"));
                    }
                }
                Some(EXEMPLARS) => decode_exemplars(&mut decoder, exemplars)
                    .ok_or_else(|| self.corrupt("exemplars that cannot be read"))?,
                Some(END) => {
                    let count = decoder.varint();
                    return count.ok_or_else(|| self.corrupt("an end that cannot be read"));
                }
                _ => return Err(self.corrupt("an unknown record")),
            }
        }
    }
}

/// Takes series apart until there are no more; answers whether all could be read.
fn restore(
    head: &Head,
    receive: &Mutex<Receiver<Vec<u8>>>,
    send: &SyncSender<Vec<Arc<HeadSeries>>>,
) -> bool {
    loop {
        let next = receive
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(content) = next else {
            return true;
        };
        let mut decoder = Decoder::new(content.get(1..).unwrap_or_default());
        let restored = head.restore_encoded(&mut decoder);
        let Some(series) = restored.filter(|_| decoder.is_empty()) else {
            // The others go on until the reader is done; what they read is thrown away with the head.
            continue_reading(receive);
            return false;
        };
        if send.send(series).is_err() {
            return false;
        }
    }
}

/// Lets the reader come to its end.
fn continue_reading(receive: &Mutex<Receiver<Vec<u8>>>) {
    while receive
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .is_ok()
    {}
}
