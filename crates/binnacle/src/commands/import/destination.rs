//! Where imported samples go: the files of a stopped server, or a running one by remote write.

use crate::cli::{Destination, ServerAddress};
use crate::commands::client::Client;
use crate::print;
use anyhow::Context as _;
use interchange::{Error, Journal};
use model::{Appended, SeriesSamples, Sink, SinkError};
use runtime::{Clock as _, SystemClock};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::OperatingSystem;
use tsdb::Db;

/// Samples between two looks at whether the head is worth blocks: what bounds an import's memory.
const SAMPLES_BETWEEN: usize = 2_000_000;
/// So often a request is repeated that the server could not take for the moment.
const ATTEMPTS: u32 = 8;
/// The first wait before a repetition; each is twice as long as the one before.
const WAIT: Duration = Duration::from_millis(250);
/// What servers said of samples they refused, at most so often.
const COMPLAINTS_MAX: usize = 5;

/// A destination that is open.
pub(crate) enum Open {
    Store(Box<Store>),
    Server(Box<Server>),
}

/// The files of a server that does not run.
pub(crate) struct Store {
    db: Db,
    since: AtomicUsize,
}

/// A running server.
pub(crate) struct Server {
    client: Client,
    complaints: Mutex<Vec<String>>,
}

impl Open {
    /// Opens what the flags name.
    pub(crate) fn new(flags: &Destination) -> anyhow::Result<Self> {
        if let Some(url) = &flags.url {
            let address = ServerAddress {
                url: url.clone(),
                token: flags.token.clone(),
            };
            return Ok(Self::Server(Box::new(Server {
                client: Client::new(&address)?,
                complaints: Mutex::new(Vec::new()),
            })));
        }
        let db = open_store(&flags.data)?;
        let since = AtomicUsize::new(0);
        Ok(Self::Store(Box::new(Store { db, since })))
    }

    pub(crate) fn sink(&self) -> &dyn Sink {
        match self {
            Self::Store(store) => store.as_ref(),
            Self::Server(server) => server.as_ref(),
        }
    }

    /// Makes what was taken survive a loss of power.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        match self {
            Self::Store(store) => store
                .db
                .sync()
                .map_err(|error| Error::Refused(error.to_string())),
            Self::Server(_) => Ok(()),
        }
    }

    /// Puts a store's files in order; says what a server complained of.
    pub(crate) fn close(self) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Store(store) => {
                store.db.flush()?;
                store.db.maintain(SystemClock::new().now())?;
                store.db.close()?;
                Ok(Vec::new())
            }
            Self::Server(server) => Ok(server
                .complaints
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner)),
        }
    }
}

/// Opens the metrics of a data folder for samples of any time.
pub(crate) fn open_store(data: &std::path::Path) -> anyhow::Result<Db> {
    let options = tsdb::Options {
        retention_ms: None,
        future_window_ms: None,
        ..tsdb::Options::new(data.join("metrics"))
    };
    Db::open(options).with_context(|| {
        format!(
            "metrics store in {} (a running server is reached with --url)",
            data.display()
        )
    })
}

/// The journal that the flags name.
pub(crate) fn journal(flags: &Destination) -> anyhow::Result<Journal> {
    let path = match (&flags.journal, &flags.url) {
        (Some(path), _) => path.clone(),
        (None, Some(_)) => PathBuf::from("binnacle-import.journal"),
        (None, None) => flags.data.join("import.journal"),
    };
    Ok(Journal::open(&OperatingSystem::shared(), &path)?)
}

impl Sink for Store {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let appended = self.db.append(batch)?;
        let samples = batch.iter().map(|row| row.samples.len()).sum::<usize>();
        if self.since.fetch_add(samples, Ordering::Relaxed) + samples >= SAMPLES_BETWEEN {
            self.since.store(0, Ordering::Relaxed);
            self.db
                .flush()
                .and_then(|()| self.db.maintain(SystemClock::new().now()))
                .map_err(|error| SinkError::ReadOnly(error.to_string()))?;
        }
        Ok(appended)
    }
}

impl Sink for Server {
    /// A refusal of some samples (400) is noted and is no reason to stop; the server has taken the others.
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let samples: usize = batch.iter().map(|row| row.samples.len()).sum();
        let body = ingest::remote_out::encode_samples(batch);
        let mut wait = WAIT;
        for attempt in 1.. {
            let sent = self
                .client
                .send_bytes("/api/v1/write", REMOTE_WRITE, body.clone());
            let said = match sent {
                Ok((status, _)) if (200..300).contains(&status) => {
                    return Ok(Appended {
                        accepted: samples,
                        ..Appended::default()
                    });
                }
                Ok((400, text)) => {
                    self.complain(text.trim());
                    return Ok(Appended::default());
                }
                Ok((status, text)) if status < 500 && status != 429 => {
                    let what = format!("the server answers {status}: {}", text.trim());
                    return Err(SinkError::ReadOnly(what));
                }
                Ok((status, text)) => format!("the server answers {status}: {}", text.trim()),
                Err(error) => format!("{error:#}"),
            };
            if attempt == ATTEMPTS {
                return Err(SinkError::ReadOnly(said));
            }
            print::note(&format!("{said}; trying again"));
            std::thread::sleep(wait);
            wait *= 2;
        }
        Err(SinkError::Closed)
    }
}

/// What remote write 1.0 says of its body.
const REMOTE_WRITE: &[(&str, &str)] = &[
    ("Content-Type", "application/x-protobuf"),
    ("Content-Encoding", "snappy"),
    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
];

impl Server {
    fn complain(&self, text: &str) {
        let mut complaints = self
            .complaints
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(text.to_owned());
        }
    }
}
