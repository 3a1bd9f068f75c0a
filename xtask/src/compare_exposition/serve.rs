//! Serves every body under its number as path, to many clients at once.

use super::cases::Case;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A client that says nothing for so long is left alone.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running server; it ends when it is dropped.
pub(super) struct Bodies {
    pub(super) address: String,
    stopped: Arc<AtomicBool>,
}

impl Bodies {
    pub(super) fn start(cases: &[Case]) -> anyhow::Result<Self> {
        let socket = TcpListener::bind("127.0.0.1:0")?;
        let address = socket.local_addr()?.to_string();
        let stopped = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&stopped);
        let cases: Arc<[Case]> = cases.into();
        let accept = move || {
            for stream in socket.incoming().flatten() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let cases = Arc::clone(&cases);
                // A client that goes away early is its own affair.
                let serve = move || drop(serve(stream, &cases));
                drop(std::thread::Builder::new().spawn(serve));
            }
        };
        std::thread::Builder::new().spawn(accept)?;
        Ok(Self { address, stopped })
    }
}

impl Drop for Bodies {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(&self.address);
    }
}

fn serve(mut stream: TcpStream, cases: &[Case]) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut chunk = [0; 2048];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut chunk)?;
        if count == 0 || request.len() > 64 << 10 {
            return Ok(());
        }
        request.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split_whitespace().nth(1).unwrap_or_default();
    let number = path.trim_start_matches('/').parse::<usize>().ok();
    let Some(case) = number.and_then(|number| cases.get(number)) else {
        write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )?;
        return Ok(());
    };
    let (kind, length) = (case.content_type, case.body.len());
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&case.body)?;
    Ok(())
}
