//! A listening socket whose connections are answered by a function, each on a thread of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Answers one connection; ends soon after the flag is set.
pub(crate) type Handler = Arc<dyn Fn(TcpStream, &AtomicBool) + Send + Sync>;

/// Listens until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a port of loopback, a free one where it is 0.
    pub(crate) fn start(port: u16, handler: Handler) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = runtime::thread::spawn("accept", move || {
            let mut connections = Vec::new();
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let (handler, stopped) = (Arc::clone(&handler), Arc::clone(&stopped));
                let work = move || handler(stream, &stopped);
                connections.push(runtime::thread::spawn("connection", work).expect("a thread"));
            }
            for connection in connections {
                connection.join().expect("a connection's handler");
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread.expect("a thread")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; it may be gone already.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}
