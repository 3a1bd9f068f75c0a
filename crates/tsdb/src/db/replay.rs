//! The head as the log tells it.
//!
//! One thread reads the log and makes the series that it defines; samples and deletions go to as many threads as
//! there are cores, each with its part of all series. What concerns one series stays in the order of the log;
//! between two series order says nothing. Exemplars lie in one ring for all, so the reader inserts them.

mod part;

use crate::exemplars::Exemplars;
use crate::head::Head;
use crate::manifest::Cut;
use crate::record::{self, Decoded, RecordExemplar, RecordRow};
use model::{Labels, TimeRange, Timestamp};
use part::{Task, part_of};
use runtime::HashMap;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::mpsc::{SyncSender, sync_channel};
use storage::Position;
use storage::wal::{Record, Recovery};

/// More threads than this would wait for the reader.
const PARTS_MAX: usize = 8;

/// Tasks that wait for each thread.
const WAITING_MAX: usize = 16;

/// The newest time that a segment's samples have; says when the segment is needed no more.
pub(super) type NewestInSegment = BTreeMap<u64, i64>;

/// What is known before and after a replay, beside the head: those of a checkpoint, then those of the log.
pub(super) struct Beside {
    pub(super) exemplars: Exemplars,
    pub(super) newest_in: NewestInSegment,
}

/// Replays what `read` reads from the log into the head; answers what `read` answers. `cuts` ascend by position.
pub(super) fn replay<T>(
    head: &Head,
    beside: Beside,
    cuts: Vec<Cut>,
    read: impl FnOnce(&mut dyn FnMut(Record<'_>) -> Result<(), String>) -> T,
) -> (T, Beside) {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        let (parts, threads): (Vec<_>, Vec<_>) = (0..cores.min(PARTS_MAX))
            .map(|_| {
                let (send, tasks) = sync_channel(WAITING_MAX);
                (send, scope.spawn(move || part::replay(head, tasks)))
            })
            .unzip();
        let mut replay = Replay {
            head,
            beside,
            cuts,
            renamed: HashMap::default(),
            parts,
        };
        let answer = read(&mut |record| replay.apply(record));
        let Replay { beside, parts, .. } = replay;
        drop(parts);
        let mut unknown = 0;
        for thread in threads {
            match thread.join() {
                Ok(rows) => unknown += rows,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        if unknown > 0 {
            tracing::error!(
                "{unknown} samples belong to series whose definition was damaged; they are lost"
            );
        }
        (answer, beside)
    })
}

/// Says what was found.
pub(super) fn report(head: &Head, recovery: &Recovery) {
    tracing::info!(
        records = recovery.records,
        series = head.series_count(),
        torn_bytes = recovery.torn_bytes,
        "write-ahead log replayed"
    );
}

/// The reader's side.
struct Replay<'a> {
    head: &'a Head,
    beside: Beside,
    cuts: Vec<Cut>,
    /// Ids of the log whose series has another one in the head: after a restart a series keeps its first one, an
    /// older process may have given it several.
    renamed: HashMap<u32, u32>,
    parts: Vec<SyncSender<Task>>,
}

impl Replay<'_> {
    /// Applies one record; an error means that it was not written by this program.
    fn apply(&mut self, record: Record<'_>) -> Result<(), String> {
        let decoded = record::decode(record.content).ok_or("a record that cannot be read")?;
        match decoded {
            Decoded::Samples {
                definitions,
                rows,
                exemplars,
            } => {
                self.define(definitions)?;
                self.insert(record.position, rows);
                for exemplar in exemplars {
                    self.insert_exemplar(exemplar);
                }
            }
            Decoded::Deletion {
                definitions,
                start,
                end,
                series,
            } => {
                self.define(definitions)?;
                let range = TimeRange {
                    start: Timestamp::from_millis(start),
                    end: Timestamp::from_millis(end),
                };
                let of_parts = self.split(series, |id: &mut u32| id);
                self.hand_out(of_parts, |ids| Task::Delete(range, ids));
            }
        }
        Ok(())
    }

    fn define(&mut self, definitions: Vec<(u32, &str)>) -> Result<(), String> {
        for (id, encoded) in definitions {
            if self.head.is_named(id, encoded) {
                self.renamed.remove(&id);
                continue;
            }
            let labels = Labels::from_encoded(encoded).ok_or("labels that cannot be read")?;
            let series = self.head.restore(id, &labels);
            if series.id == id {
                self.renamed.remove(&id);
            } else {
                self.renamed.insert(id, series.id);
            }
        }
        Ok(())
    }

    /// Samples before this time are in blocks if they were logged at `position`.
    fn boundary_at(&self, position: Position) -> i64 {
        let later = self.cuts.iter().filter(|cut| position < cut.position);
        later.map(|cut| cut.boundary).max().unwrap_or(i64::MIN)
    }

    fn insert(&mut self, position: Position, mut rows: Vec<RecordRow>) {
        let boundary = self.boundary_at(position);
        let newest = self.beside.newest_in.entry(position.segment);
        let newest = newest.or_insert(i64::MIN);
        rows.retain(|row| {
            *newest = row.at.max(*newest);
            row.at >= boundary
        });
        let of_parts = self.split(rows, |row| &mut row.series);
        self.hand_out(of_parts, Task::Insert);
    }

    /// Gives each item its series' id in the head, and the items to the parts they belong to.
    fn split<T>(&self, items: Vec<T>, id: impl Fn(&mut T) -> &mut u32) -> Vec<Vec<T>> {
        let mut of_parts: Vec<Vec<T>> = self.parts.iter().map(|_| Vec::new()).collect();
        for mut item in items {
            let id = id(&mut item);
            if !self.renamed.is_empty() {
                *id = self.renamed.get(id).copied().unwrap_or(*id);
            }
            let part = part_of(*id, of_parts.len());
            of_parts[part].push(item);
        }
        of_parts
    }

    fn hand_out<T>(&self, of_parts: Vec<Vec<T>>, task: impl Fn(Vec<T>) -> Task) {
        for (part, items) in self.parts.iter().zip(of_parts) {
            if !items.is_empty() {
                // Refused only by a thread that panicked, which comes out when it is joined.
                let _refused = part.send(task(items));
            }
        }
    }

    /// What was refused when it came is refused again.
    fn insert_exemplar(&mut self, row: RecordExemplar) {
        let id = self.renamed.get(&row.series).copied();
        if let Some(series) = self.head.with_id(id.unwrap_or(row.series)) {
            let _verdict = self.beside.exemplars.insert(&series.labels, row.exemplar);
        }
    }
}
