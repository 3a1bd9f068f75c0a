//! When a checkpoint of the head is made, and opening with its help.
//!
//! One is made when so much log came since the last that replaying it would take long, and at the end of the
//! process. Only one without a cut behind it is read: a cut removes it before it drops anything else.

use super::{Db, Work};
use crate::checkpoint::{self, Reader, State};
use crate::error::Error;
use crate::exemplars::Exemplars;
use crate::head::Head;
use crate::manifest::Manifest;
use crate::options::Options;
use std::sync::atomic::Ordering;
use storage::{Position, Wal, wal};

/// So much log is replayed in a fraction of a second: no checkpoint before there is more …
const LOG_BYTES_MIN: u64 = 32 << 20;

/// … and after so much in any case.
const LOG_BYTES_MAX: u64 = 128 << 20;

/// Between the two a checkpoint waits for this part of the last one's size, so that writing them stays in
/// proportion to writing the log.
const CHECKPOINT_SHARE: u64 = 4;

/// At the end of the process even less is worth it: opening again is when someone waits.
const LOG_BYTES_MIN_AT_END: u64 = 1 << 20;

/// The checkpoint there is.
#[derive(Clone, Copy, Default)]
pub(super) struct Checkpoint {
    position: Position,
    bytes: u64,
}

/// A head and its exemplars, and what was logged later.
pub(super) struct Restored {
    pub(super) head: Head,
    pub(super) exemplars: Exemplars,
    pub(super) state: State,
}

/// Reads the checkpoint, if there is one that can be used; otherwise all is in the log.
pub(super) fn restore(options: &Options, log: &wal::Options, manifest: &Manifest) -> Restored {
    let mut exemplars = Exemplars::new(options.exemplars_max);
    let head = Head::new(options.series_max);
    match read(options, log, manifest, (&head, &mut exemplars)) {
        Ok(Some(state)) => Restored {
            head,
            exemplars,
            state,
        },
        Ok(None) => fresh(options),
        Err(error) => {
            tracing::warn!("{error}; the whole log is replayed instead");
            fresh(options)
        }
    }
}

fn fresh(options: &Options) -> Restored {
    Restored {
        head: Head::new(options.series_max),
        exemplars: Exemplars::new(options.exemplars_max),
        state: State {
            newest: i64::MIN,
            ..State::default()
        },
    }
}

fn read(
    options: &Options,
    log: &wal::Options,
    manifest: &Manifest,
    (head, exemplars): (&Head, &mut Exemplars),
) -> Result<Option<State>, Error> {
    let Some(reader) = Reader::open(options.files.as_ref(), &options.folder)? else {
        return Ok(None);
    };
    let position = reader.state.position;
    let is_cut = manifest.cuts.iter().any(|cut| cut.position > position);
    if is_cut || !Wal::reaches(log, position)? {
        return Ok(None);
    }
    reader.load(head, exemplars).map(Some)
}

impl Db {
    /// Makes a checkpoint where much came since the last one.
    pub(super) fn checkpoint_if_due(&self, work: &mut Work) -> Result<(), Error> {
        let since = self.wal.bytes_since(work.checkpoint.position);
        let share = work.checkpoint.bytes / CHECKPOINT_SHARE;
        if since < share.clamp(LOG_BYTES_MIN, LOG_BYTES_MAX) || self.wal.poisoned().is_some() {
            return Ok(());
        }
        self.checkpoint(work)
    }

    /// Makes one at the end of the process. Where that fails, opening takes longer and nothing else.
    pub(super) fn checkpoint_at_end(&self) {
        let mut work = self.work();
        if self.wal.bytes_since(work.checkpoint.position) < LOG_BYTES_MIN_AT_END {
            return;
        }
        if let Err(error) = self.checkpoint(&mut work) {
            tracing::warn!("no checkpoint was made: {error}");
        }
    }

    pub(super) fn checkpoint(&self, work: &mut Work) -> Result<(), Error> {
        let state = {
            let writer = self.writer();
            State {
                position: self.wal.end(),
                newest: self.head.counts.newest.load(Ordering::Relaxed),
                late: self.head.counts.late.load(Ordering::Relaxed) as u64,
                next_id: self.head.next_id(),
                newest_in: writer.newest_in.clone(),
            }
        };
        // The log must not be shorter than what the checkpoint leaves out.
        self.wal.sync()?;
        let mut series = self.head.all();
        series.sort_unstable_by_key(|series| series.id);
        let exemplars: Vec<_> = {
            let ring = self.exemplar_ring();
            let all = ring.iter();
            all.map(|(labels, exemplar)| (labels.clone(), exemplar.clone()))
                .collect()
        };
        let files = self.options.files.as_ref();
        let folder = &self.options.folder;
        let bytes = checkpoint::write(files, folder, &state, &series, &exemplars)?;
        work.checkpoint = Checkpoint {
            position: state.position,
            bytes,
        };
        Ok(())
    }

    /// Removes the checkpoint: what it holds was cut.
    pub(super) fn forget_checkpoint(&self, work: &mut Work) -> Result<(), Error> {
        checkpoint::remove(self.options.files.as_ref(), &self.options.folder)?;
        work.checkpoint = Checkpoint::default();
        Ok(())
    }
}

impl From<&State> for Checkpoint {
    fn from(state: &State) -> Self {
        Self {
            position: state.position,
            bytes: 0,
        }
    }
}
