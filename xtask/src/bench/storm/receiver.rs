//! A webhook that keeps what it was sent: it answers at once, late, or not at all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of a body at most.
const BODY_BYTES_MAX: usize = 16 << 20;
/// How often one that says nothing looks whether it may.
const NAP: Duration = Duration::from_millis(100);

/// How a receiver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Answers at once.
    Live,
    /// Answers after half a second.
    Slow,
    /// Refuses connections until it is revived.
    Dead,
    /// Takes requests and answers none until it is revived.
    Silent,
}

impl Manner {
    const SLOW: Duration = Duration::from_millis(500);
}

/// A request that was answered.
pub(super) struct Arrival {
    pub(super) at: Instant,
    /// What names the notification; the same for each attempt.
    pub(super) key: String,
    pub(super) body: Vec<u8>,
}

/// One receiver.
pub(super) struct Receiver {
    pub(super) name: String,
    pub(super) manner: Manner,
    pub(super) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    manner: Manner,
    revived: AtomicBool,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Receiver {
    /// Starts one on a free port; a dead one only finds its port.
    pub(super) fn start(name: String, manner: Manner) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            manner,
            revived: AtomicBool::new(false),
            arrivals: Mutex::new(Vec::new()),
        });
        if manner != Manner::Dead {
            accept(listener, Arc::clone(&shared))?;
        }
        Ok(Self {
            name,
            manner,
            port,
            shared,
        })
    }

    /// From now on it answers at once.
    pub(super) fn revive(&self) -> anyhow::Result<()> {
        if self.manner == Manner::Dead {
            let listener = TcpListener::bind(("127.0.0.1", self.port))?;
            accept(listener, Arc::clone(&self.shared))?;
        }
        self.shared.revived.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// How many requests were answered.
    pub(super) fn count(&self) -> usize {
        lock(&self.shared.arrivals).len()
    }

    /// Everything that was answered.
    pub(super) fn arrivals<T>(&self, look: impl FnOnce(&[Arrival]) -> T) -> T {
        look(&lock(&self.shared.arrivals))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: TcpListener, shared: Arc<Shared>) -> anyhow::Result<()> {
    spawn("receiver", move || {
        for stream in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            // A client that goes away is its own affair.
            let _refused = spawn("connection", move || drop(serve(&stream, &shared)));
        }
    })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(128 << 10)
        .spawn(work)?;
    Ok(())
}

/// Answers one request after another until the client goes away.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut key, mut line) = (0, String::new(), String::new());
        while reader.read_line(&mut line)? > 2 {
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "idempotency-key" => value.trim().clone_into(&mut key),
                _ => {}
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        let mut body = vec![0; usize::min(length, BODY_BYTES_MAX)];
        reader.read_exact(&mut body)?;
        let revived = || shared.revived.load(Ordering::SeqCst);
        match shared.manner {
            Manner::Slow if !revived() => std::thread::sleep(Manner::SLOW),
            Manner::Silent => {
                while !revived() {
                    std::thread::sleep(NAP);
                }
            }
            Manner::Live | Manner::Slow | Manner::Dead => {}
        }
        let mut writer = stream;
        writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        let at = super::super::start_watch();
        lock(&shared.arrivals).push(Arrival { at, key, body });
    }
}
