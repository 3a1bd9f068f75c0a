//! A small HTTP/1.1 server for what the programs under test call: a scrape target, a webhook.

use anyhow::{Context as _, bail};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes of a request at most.
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// A client that says nothing for so long is left alone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the body of an answer from the body of a request.
pub(crate) type Answer = Arc<dyn Fn(String) -> String + Send + Sync>;
/// Makes status and body of an answer from the body of a request.
pub(crate) type Reply = Arc<dyn Fn(String) -> (u16, String) + Send + Sync>;

/// A running server.
pub(crate) struct Listener {
    pub(crate) address: String,
    stopped: Arc<AtomicBool>,
}

impl Listener {
    /// Listens on a free port; each request is answered with 200.
    pub(crate) fn start(answer: Answer) -> anyhow::Result<Self> {
        Self::start_replying(Arc::new(move |body| (200, answer(body))))
    }

    /// The same with a status of its own for each request.
    pub(crate) fn start_replying(answer: Reply) -> anyhow::Result<Self> {
        let socket = TcpListener::bind("127.0.0.1:0")?;
        let address = socket.local_addr()?.to_string();
        let stopped = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&stopped);
        std::thread::Builder::new()
            .name("listener".to_owned())
            .spawn(move || {
                for stream in socket.incoming() {
                    if ends.load(Ordering::Relaxed) {
                        return;
                    }
                    // A client that goes away early is its own affair. One at a time is enough: bodies are small.
                    let _gone = stream
                        .map_err(anyhow::Error::from)
                        .and_then(|stream| serve(stream, &answer));
                }
            })?;
        Ok(Self { address, stopped })
    }

    /// Answers nothing any more; the port is closed with the next call.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread. Where nobody listens any more it has ended already.
        let _woken = TcpStream::connect(&self.address);
    }
}

fn serve(mut stream: TcpStream, answer: &Reply) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let (status, body) = answer(read_body(&mut stream)?);
    let head = "Content-Type: text/plain; version=0.0.4\r\nConnection: close";
    write!(
        stream,
        "HTTP/1.1 {status} X\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}

/// Reads one request with or without a Content-Length and gives its body.
fn read_body(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk)?;
        bytes.extend_from_slice(chunk.get(..count).context("count")?);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Ok(body.to_owned());
            }
        }
        if count == 0 || bytes.len() > REQUEST_BYTES_MAX {
            bail!("the request ended early or is too long");
        }
    }
}
