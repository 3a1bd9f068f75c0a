//! A server that answers as a test wants.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What to answer.
pub(super) enum Reply {
    /// Head and body.
    Whole(Vec<u8>),
    /// A body of a gigabyte, as fast as it goes.
    Endless,
    /// Nothing, ever.
    Hang,
}

impl Reply {
    pub(super) fn text(body: &str) -> Self {
        Self::typed("text/plain; version=0.0.4", body)
    }

    pub(super) fn typed(content_type: &str, body: &str) -> Self {
        Self::with(
            &format!("Content-Type: {content_type}\r\n"),
            body.as_bytes(),
        )
    }

    pub(super) fn gzip(body: &str) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body.as_bytes()).expect("packed");
        let packed = encoder.finish().expect("packed");
        Self::with(
            "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
            &packed,
        )
    }

    pub(super) fn status(status: &str) -> Self {
        Self::Whole(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes())
    }

    fn with(headers: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        Self::Whole([head.as_bytes(), body].concat())
    }
}

/// A running server; it ends with this value.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts a server. `reply` gets the request and how many came before it.
    pub(super) async fn start(
        reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(None, reply).await
    }

    /// Starts a server, with TLS where an acceptor is given.
    pub(super) async fn start_with(
        tls: Option<TlsAcceptor>,
        reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let reply = Arc::new(reply);
        let count = Arc::new(AtomicUsize::new(0));
        let task = tokio::runtime::Handle::current().spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (reply, kept, count) =
                    (Arc::clone(&reply), Arc::clone(&kept), Arc::clone(&count));
                let tls = tls.clone();
                connections.spawn(async move {
                    let answer = |request: String| {
                        let answer = reply(&request, count.fetch_add(1, Ordering::SeqCst));
                        kept.lock().expect("no panic inside").push(request);
                        answer
                    };
                    match tls {
                        None => serve(stream, answer).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, answer).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    pub(super) fn last_request(&self) -> String {
        let requests = self.requests.lock().expect("no panic inside");
        requests.last().cloned().unwrap_or_default()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: impl Fn(String) -> Reply) {
    while let Some(request) = read_request(&mut stream).await {
        if send(&mut stream, answer(request)).await.is_err() {
            return;
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => request.extend_from_slice(&buffer[..length]),
        }
    }
    String::from_utf8(request).ok()
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Whole(bytes) => stream.write_all(&bytes).await,
        Reply::Endless => {
            let length = 1 << 30;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            let chunk = "endless 1\n".repeat(6_400);
            for _ in 0..length / chunk.len() {
                stream.write_all(chunk.as_bytes()).await?;
            }
            Ok(())
        }
        Reply::Hang => std::future::pending().await,
    }
}
