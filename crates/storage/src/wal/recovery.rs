//! What happens to a log that was cut off or damaged.
//!
//! A record that is torn at the end of the last segment was never acknowledged to anyone: it is cut off.
//! A record that is whole but wrong, or torn in an earlier segment, is damage: the segment is copied to
//! `….wal.quarantined`, cut before that record, and reading goes on with the next segment, which needs
//! nothing of this one. What was lost is said in the report.

use super::segment::{Frame, HEADER_BYTES, check_header, frame_at, segment_name, segment_number};
use super::{Options, Position, WalError, at};
use crate::files::read_whole;
use std::path::Path;

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

pub(super) fn recover(
    options: &Options,
    mut replay: impl FnMut(Record<'_>) -> Result<(), String>,
) -> Result<Recovered, WalError> {
    let folder = &options.folder;
    options.files.make_folder(folder).map_err(at(folder))?;
    let names = options.files.list(folder).map_err(at(folder))?;
    let numbers: Vec<u64> = names
        .iter()
        .filter_map(|name| segment_number(name))
        .collect();
    let mut recovered = Recovered {
        report: Recovery::default(),
        segments: Vec::new(),
        next_segment: numbers.last().map_or(1, |last| last + 1),
    };
    for (i, &segment) in numbers.iter().enumerate() {
        let is_last = i + 1 == numbers.len();
        let path = folder.join(segment_name(segment));
        let bytes = read_whole(options.files.as_ref(), &path).map_err(at(&path))?;
        let end = replay_segment(&path, segment, &bytes, &mut |record| {
            recovered.report.records += 1;
            replay(record)
        })?;
        repair(options, &path, (&bytes, &end), is_last, &mut recovered)?;
        if end.offset > 0 {
            recovered.segments.push((segment, end.offset as u64));
        }
    }
    Ok(recovered)
}

/// Where reading a segment stopped, and why if not at its end. Offset 0: not even the header is good.
struct SegmentEnd {
    offset: usize,
    problem: Option<(Problem, &'static str)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Problem {
    Torn,
    Damage,
}

fn replay_segment(
    path: &Path,
    segment: u64,
    bytes: &[u8],
    replay: &mut impl FnMut(Record<'_>) -> Result<(), String>,
) -> Result<SegmentEnd, WalError> {
    let stop = |offset, problem| Ok(SegmentEnd { offset, problem });
    if let Err(what) = check_header(bytes) {
        let header_bytes = usize::try_from(HEADER_BYTES).unwrap_or_default();
        let problem = if bytes.len() < header_bytes {
            Problem::Torn
        } else {
            Problem::Damage
        };
        return stop(0, Some((problem, what)));
    }
    let mut offset = usize::try_from(HEADER_BYTES).unwrap_or_default();
    loop {
        match frame_at(bytes, offset) {
            Frame::End => return stop(offset, None),
            Frame::Torn => return stop(offset, Some((Problem::Torn, "a record is cut off"))),
            Frame::Corrupt(what) => return stop(offset, Some((Problem::Damage, what))),
            Frame::Record(content, next) => {
                let position = Position {
                    segment,
                    offset: offset as u64,
                };
                replay(Record { position, content }).map_err(|what| WalError::Refused {
                    path: path.to_owned(),
                    offset: position.offset,
                    what,
                })?;
                offset = next;
            }
        }
    }
}

fn repair(
    options: &Options,
    path: &Path,
    (bytes, end): (&[u8], &SegmentEnd),
    is_last: bool,
    recovered: &mut Recovered,
) -> Result<(), WalError> {
    let Some((problem, what)) = end.problem else {
        return Ok(());
    };
    let lost = (bytes.len() - end.offset) as u64;
    if problem == Problem::Torn && is_last {
        recovered.report.torn_bytes += lost;
    } else {
        let kept = path.with_extension("wal.quarantined");
        let copy = || {
            let file = options.files.create(&kept)?;
            file.write(bytes)?;
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
            file.truncate(end.offset as u64)?;
            file.sync()
        };
        cut().map_err(at(path))?;
    }
    let folder = &options.folder;
    options.files.sync_folder(folder).map_err(at(folder))
}
