//! What happens to a log that was cut off or damaged.
//!
//! A record that is torn at the end of the last segment was never acknowledged to anyone: it is cut off.
//! A record that is whole but wrong, or torn in an earlier segment, is damage: the segment is copied to
//! `….wal.quarantined`, cut before that record, and reading goes on with the next segment, which needs
//! nothing of this one. What was lost is said in the report.

use super::segment::{
    Frame, HEADER_BYTES, check_header, frame_at, frame_length_at, segment_name, segment_number,
};
use super::{Options, Position, WalError, at};
use crate::files::{Readable, read_whole};
use std::path::PathBuf;
use std::sync::Arc;

/// A segment is read in pieces of this size, unless a record is larger.
const PIECE_BYTES: u64 = 4 << 20;

/// One record as it was found.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Where it begins.
    pub position: Position,
    /// What was written.
    pub content: &'a [u8],
}

/// What opening the log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Records handed to the reader.
    pub records: u64,
    /// Bytes of a torn record that were cut off.
    pub torn_bytes: u64,
    /// What was damaged and where its bytes are now, one text for each segment.
    pub damage: Vec<String>,
}

pub(super) struct Recovered {
    pub(super) report: Recovery,
    /// Readable segments and their lengths, oldest first.
    pub(super) segments: Vec<(u64, u64)>,
    /// The number for the next segment: no number is used twice.
    pub(super) next_segment: u64,
}

/// Hands every whole record from `from` on to `replay`. What lies before it is not even read.
pub(super) fn recover(
    options: &Options,
    from: Position,
    mut replay: impl FnMut(Record<'_>) -> Result<(), String>,
) -> Result<Recovered, WalError> {
    let folder = &options.folder;
    options.files.make_folder(folder).map_err(at(folder))?;
    let names = options.files.list(folder).map_err(at(folder))?;
    let numbers: Vec<u64> = names
        .iter()
        .filter_map(|name| segment_number(name))
        .collect();
    let mut segments = Vec::new();
    for segment in numbers {
        segments.push(Segment::open(options, segment)?);
    }
    let mut recovered = Recovered {
        report: Recovery::default(),
        segments: Vec::new(),
        next_segment: segments.last().map_or(1, |last| last.number + 1),
    };
    // A segment that was made in advance holds nothing: what is torn before it was written last.
    let last = segments.iter().rposition(|s| s.length > HEADER_BYTES);
    for (i, segment) in segments.iter().enumerate() {
        if segment.number < from.segment {
            recovered.segments.push((segment.number, segment.length));
            continue;
        }
        let begin = match segment.number == from.segment {
            true => from.offset.max(HEADER_BYTES),
            false => HEADER_BYTES,
        };
        let end = replay_segment(segment, begin, &mut |record| {
            recovered.report.records += 1;
            replay(record)
        })?;
        let is_last = last.is_none_or(|last| i >= last);
        repair(options, (segment, &end), is_last, &mut recovered)?;
        if end.offset > 0 {
            recovered.segments.push((segment.number, end.offset));
        }
    }
    Ok(recovered)
}

/// A segment on its way into memory, a piece at a time.
struct Segment {
    number: u64,
    path: PathBuf,
    file: Arc<dyn Readable>,
    length: u64,
}

impl Segment {
    fn open(options: &Options, number: u64) -> Result<Self, WalError> {
        let path = options.folder.join(segment_name(number));
        let file = options.files.open(&path).map_err(at(&path))?;
        let length = file.length().map_err(at(&path))?;
        Ok(Self {
            number,
            path,
            file,
            length,
        })
    }

    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, WalError> {
        let length = length.min(self.length.saturating_sub(offset));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.file.read_at(offset, length).map_err(at(&self.path))
    }
}

/// Where reading a segment stopped, and why if not at its end. Offset 0: not even the header is good.
struct SegmentEnd {
    offset: u64,
    problem: Option<(Problem, &'static str)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Problem {
    Torn,
    Damage,
}

fn replay_segment(
    segment: &Segment,
    begin: u64,
    replay: &mut impl FnMut(Record<'_>) -> Result<(), String>,
) -> Result<SegmentEnd, WalError> {
    let stop = |offset, problem| Ok(SegmentEnd { offset, problem });
    if let Err(what) = check_header(&segment.read(0, HEADER_BYTES)?) {
        let problem = match segment.length < HEADER_BYTES {
            true => Problem::Torn,
            false => Problem::Damage,
        };
        return stop(0, Some((problem, what)));
    }
    // Where the bytes that are held begin, and how far into them reading is.
    let (mut held_from, mut place) = (begin, 0);
    let mut held = segment.read(begin, PIECE_BYTES)?;
    loop {
        let offset = held_from + place as u64;
        let is_rest = held_from + held.len() as u64 >= segment.length;
        match frame_at(&held, place) {
            Frame::End | Frame::Torn if !is_rest => {
                let needed = frame_length_at(&held, place);
                held = segment.read(offset, PIECE_BYTES.max(needed))?;
                (held_from, place) = (offset, 0);
            }
            Frame::End => return stop(offset, None),
            Frame::Torn => return stop(offset, Some((Problem::Torn, "a record is cut off"))),
            Frame::Corrupt(what) => return stop(offset, Some((Problem::Damage, what))),
            Frame::Record(content, next) => {
                let position = Position {
                    segment: segment.number,
                    offset,
                };
                replay(Record { position, content }).map_err(|what| WalError::Refused {
                    path: segment.path.clone(),
                    offset,
                    what,
                })?;
                place = next;
            }
        }
    }
}

fn repair(
    options: &Options,
    (segment, end): (&Segment, &SegmentEnd),
    is_last: bool,
    recovered: &mut Recovered,
) -> Result<(), WalError> {
    let Some((problem, what)) = end.problem else {
        return Ok(());
    };
    let path = &segment.path;
    let lost = segment.length.saturating_sub(end.offset);
    if problem == Problem::Torn && is_last {
        recovered.report.torn_bytes += lost;
    } else {
        let kept = path.with_extension("wal.quarantined");
        let copy = || {
            let file = options.files.create(&kept)?;
            file.write(&read_whole(options.files.as_ref(), path)?)?;
            file.sync()
        };
        copy().map_err(at(&kept))?;
        let text = format!(
            "{}: offset {}: {what}; {lost} bytes are left out, a copy is kept in {}",
            path.display(),
            end.offset,
            kept.display()
        );
        tracing::error!("{text}");
        recovered.report.damage.push(text);
    }
    if end.offset == 0 {
        options.files.remove(path).map_err(at(path))?;
    } else {
        let cut = || {
            let file = options.files.open_for_append(path)?;
            file.truncate(end.offset)?;
            file.sync()
        };
        cut().map_err(at(path))?;
    }
    let folder = &options.folder;
    options.files.sync_folder(folder).map_err(at(folder))
}
