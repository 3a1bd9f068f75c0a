//! What one thread replays: the rows of its part of all series, in the order of the log.

use crate::head::{Head, HeadSeries, Inserted, TimesPool};
use crate::record::RecordRow;
use model::TimeRange;
use runtime::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

/// Series of so many ids in a row belong to one part: those of one scrape, which share timestamps, have ids in a
/// row.
const GROUP: u32 = 1024;

/// The number of the part that a series belongs to.
pub(super) fn part_of(series: u32, parts: usize) -> usize {
    usize::try_from(series / GROUP).unwrap_or_default() % parts
}

/// What is to be done, in order.
pub(super) enum Task {
    Insert(Vec<RecordRow>),
    Delete(TimeRange, Vec<u32>),
}

/// Series that were looked up, by id, in groups: a record mostly has ids of one group.
#[derive(Default)]
struct Known {
    groups: HashMap<u32, Vec<Option<Arc<HeadSeries>>>>,
}

impl Known {
    fn find(&mut self, head: &Head, id: u32) -> Option<&Arc<HeadSeries>> {
        let group = self.groups.entry(id / GROUP).or_default();
        let place = usize::try_from(id % GROUP).ok()?;
        if group.len() <= place {
            group.resize(place + 1, None);
        }
        let slot = group.get_mut(place)?;
        if slot.is_none() {
            *slot = head.with_id(id);
        }
        slot.as_ref()
    }
}

/// Does all tasks; answers how many rows belong to series that nobody defined.
pub(super) fn replay(head: &Head, tasks: Receiver<Task>) -> u64 {
    let mut known = Known::default();
    let mut pool = TimesPool::default();
    let (mut inserted, mut deleted, mut unknown) = (0, 0, 0);
    let mut newest = i64::MIN;
    for task in tasks {
        match task {
            Task::Insert(rows) => {
                for row in &rows {
                    let Some(series) = known.find(head, row.series) else {
                        unknown += 1;
                        continue;
                    };
                    let sample = (row.at, row.start, &row.value);
                    inserted += usize::from(series.insert(sample, &mut pool) == Inserted::Fresh);
                    newest = newest.max(row.at);
                }
            }
            Task::Delete(range, ids) => {
                for id in ids {
                    if let Some(series) = known.find(head, id) {
                        deleted += series.delete(range, &mut pool);
                    }
                }
            }
        }
    }
    let counts = &head.counts;
    counts.samples.fetch_add(inserted, Ordering::Relaxed);
    // What a deletion removes may come from a checkpoint, but it was counted before.
    counts.samples.fetch_sub(deleted, Ordering::Relaxed);
    counts.newest.fetch_max(newest, Ordering::Relaxed);
    unknown
}
