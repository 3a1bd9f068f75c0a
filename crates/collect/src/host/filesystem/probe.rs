//! Asks file systems for their space on a thread of its own, because the question can hang for ever on a
//! server that is gone.
//!
//! A mount that does not answer in time keeps the thread that waits for it and counts as broken until
//! the answer comes; others are asked by a new thread. So each hanging mount costs one sleeping thread, and one
//! time-out when it begins to hang.

use runtime::metrics::Counter;
use runtime::queue::{self, Received, Receiver, Sender};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a mount may take to answer. A healthy one takes microseconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// What a file system says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Space {
    pub(crate) size_bytes: f64,
    pub(crate) free_bytes: f64,
    pub(crate) available_bytes: f64,
    pub(crate) files: f64,
    pub(crate) files_free: f64,
}

type Question = dyn Fn(&Path) -> io::Result<Space> + Send + Sync;

struct Worker {
    questions: Sender<PathBuf>,
    answers: Receiver<io::Result<Space>>,
}

pub(crate) struct SpaceProbe {
    question: Arc<Question>,
    timeout: Duration,
    idle: Option<Worker>,
    hanging: BTreeMap<PathBuf, Worker>,
}

impl SpaceProbe {
    /// Asks the operating system.
    pub(crate) fn system() -> Self {
        Self::new(Arc::new(statfs), ANSWER_TIMEOUT)
    }

    pub(super) fn new(question: Arc<Question>, timeout: Duration) -> Self {
        Self {
            question,
            timeout,
            idle: None,
            hanging: BTreeMap::new(),
        }
    }

    /// Asks one file system.
    pub(crate) fn ask(&mut self, mount: &Path) -> io::Result<Space> {
        if let Some(worker) = self.hanging.remove(mount) {
            let Some(answer) = worker.answers.try_receive() else {
                self.hanging.insert(mount.to_owned(), worker);
                return Err(timed_out());
            };
            self.idle = Some(worker);
            return answer;
        }
        let worker = match self.idle.take() {
            Some(worker) => worker,
            None => self.start()?,
        };
        if worker.questions.try_send(mount.to_owned()).is_err() {
            return Err(io::Error::other("the thread that asks mounts is gone"));
        }
        match worker.answers.receive(self.timeout) {
            Received::Item(answer) => {
                self.idle = Some(worker);
                answer
            }
            Received::Nothing => {
                self.hanging.insert(mount.to_owned(), worker);
                Err(timed_out())
            }
            Received::Closed => Err(io::Error::other("the thread that asks mounts is gone")),
        }
    }

    fn start(&self) -> io::Result<Worker> {
        let (questions, incoming) = queue::bounded::<PathBuf>(1, Counter::default());
        let (outgoing, answers) = queue::bounded(1, Counter::default());
        let question = Arc::clone(&self.question);
        // Not joined: a thread that hangs in the kernel cannot be. It ends with its queue.
        let _detached = runtime::thread::spawn("mount-probe", move || {
            loop {
                match incoming.receive(Duration::from_secs(3600)) {
                    Received::Item(mount) => {
                        if outgoing.send(question(&mount)).is_err() {
                            return;
                        }
                    }
                    Received::Nothing => {}
                    Received::Closed => return,
                }
            }
        })?;
        Ok(Worker { questions, answers })
    }
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the mount does not answer")
}

fn statfs(mount: &Path) -> io::Result<Space> {
    let stat = rustix::fs::statvfs(mount)?;
    let count = model::number::u64_to_float;
    // f_frsize is the unit of the counts; f_bsize may be larger on network file systems.
    let unit = count(stat.f_frsize);
    Ok(Space {
        size_bytes: count(stat.f_blocks) * unit,
        free_bytes: count(stat.f_bfree) * unit,
        available_bytes: count(stat.f_bavail) * unit,
        files: count(stat.f_files),
        files_free: count(stat.f_ffree),
    })
}
