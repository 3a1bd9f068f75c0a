//! The real program: running, and run once.

use crate::http::{self, Message, Request};
use crate::place::{Place, text};
use crate::waiting::{until, until_true};
use serde_json::Value;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use tokio::net::TcpSocket;

/// The program to start.
pub(crate) fn path() -> PathBuf {
    let named = runtime::environment::var("BINNACLE_PROGRAM");
    PathBuf::from(named.unwrap_or_else(|| env!("CARGO_BIN_EXE_binnacle").to_owned()))
}

/// A port where connections are refused until somebody listens there. A socket that does not listen keeps it until the
/// tests end, so that nobody gets it by chance.
pub(crate) fn free_port() -> u16 {
    static KEPT: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(any).expect("a free port");
    let port = socket.local_addr().expect("bound").port();
    KEPT.lock().expect("lock").push(socket);
    port
}

/// What a command that ended left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program once with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Outcome {
    run_command(Command::new(path()).args(arguments))
}

/// Runs a command to its end.
pub(crate) fn run_command(command: &mut Command) -> Outcome {
    let place = Place::new();
    let (out, err) = (place.beside("out"), place.beside("err"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("a file"))
        .stderr(File::create(&err).expect("a file"))
        .spawn()
        .expect("the program starts");
    let mut status = None;
    until_true("the program to end", || {
        status = child.try_wait().expect("a child of ours");
        status.is_some()
    });
    let read = |path| std::fs::read_to_string(path).expect("what it printed");
    Outcome {
        status: status.and_then(|status| status.code()).unwrap_or(-1),
        out: read(&out),
        err: read(&err),
    }
}

/// How to start it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// Whether the place's configuration is given.
    pub(crate) with_config: bool,
    /// More arguments.
    pub(crate) arguments: Vec<String>,
    /// A shell's limits, run before the program in the same process, as `ulimit -f 100`.
    pub(crate) limits: Option<String>,
}

/// A running program. Dropping it kills it; where the test failed its log is printed.
pub(crate) struct Program {
    pub(crate) address: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it with the configuration of the place and waits until it is ready.
    pub(crate) fn start(place: &Place) -> Self {
        let start = Start {
            with_config: true,
            ..Start::default()
        };
        Self::start_as(place, &start)
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start_as(place: &Place, start: &Start) -> Self {
        let program = Self::begin(place, start);
        until("the program to be ready", || {
            match http::send(&program.address, Request::get("/-/ready")) {
                Ok(answer) if answer.status() == 200 => Ok(()),
                Ok(answer) => Err(answer.text()),
                Err(error) => Err(error.to_string()),
            }
        });
        program
    }

    /// Starts it and waits for nothing.
    pub(crate) fn begin(place: &Place, start: &Start) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut arguments = vec!["up".to_owned()];
        arguments.extend(["--listen", &address, "--data", text(&place.data())].map(str::to_owned));
        if start.with_config {
            arguments.push(text(&place.config()).to_owned());
        }
        // The last of two equal flags would be refused, so a test that names --listen replaces ours.
        if start
            .arguments
            .iter()
            .any(|argument| argument == "--listen")
        {
            arguments.drain(1..3);
        }
        arguments.extend(start.arguments.clone());
        let mut command = match &start.limits {
            None => Command::new(path()),
            Some(limits) => {
                let mut shell = Command::new("sh");
                shell
                    .args(["-c", &format!("{limits}; exec \"$0\" \"$@\"")])
                    .arg(path());
                shell
            }
        };
        let log = place.beside("log");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log");
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("the program starts");
        Self {
            address,
            child,
            log,
        }
    }

    /// The base address, as commands want it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request; panics where nobody answers.
    pub(crate) fn send(&self, request: Request<'_>) -> Message {
        http::send(&self.address, request)
            .unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
    }

    /// Gets a path with parameters.
    pub(crate) fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Message {
        self.send(Request::get(&http::path_with(path, parameters)))
    }

    /// Gets JSON; panics where the status is not 200.
    pub(crate) fn json(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let answer = self.get(path, parameters);
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Posts a body.
    pub(crate) fn post(&self, path: &str, kind: &str, body: &[u8]) -> Message {
        self.send(Request {
            method: "POST",
            path,
            headers: &[("Content-Type", kind)],
            body,
        })
    }

    /// Posts JSON.
    pub(crate) fn post_json(&self, path: &str, body: &Value) -> Message {
        self.post(path, "application/json", body.to_string().as_bytes())
    }

    /// The result of an instant query: labels without the name, and the value.
    pub(crate) fn query(&self, expression: &str) -> Vec<(Value, String)> {
        let answer = self.json("/api/v1/query", &[("query", expression)]);
        let rows = answer["data"]["result"]
            .as_array()
            .expect("a vector")
            .clone();
        let value = |row: &Value| row["value"][1].as_str().unwrap_or_default().to_owned();
        rows.iter()
            .map(|row| (row["metric"].clone(), value(row)))
            .collect()
    }

    /// Waits until a query gives exactly one series with this value.
    pub(crate) fn wait_for_value(&self, expression: &str, want: &str) {
        until(&format!("{expression} = {want}"), || {
            let rows = self.query(expression);
            match rows.as_slice() {
                [(_, value)] if value == want => Ok(()),
                _ => Err(format!("{rows:?}")),
            }
        });
    }

    /// Runs a command against it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Outcome {
        let url = self.url();
        let mut all = arguments.to_vec();
        all.extend(["--url", &url]);
        run(&all)
    }

    /// Most memory it ever held, in MiB.
    pub(crate) fn peak_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("the kernel says it") / 1024
    }

    /// What it logged, earlier runs in this place included.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it at once: nothing is flushed, nobody is told.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("a child of ours");
    }

    /// Asks it to read its files again.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Asks it to end and gives its exit status.
    pub(crate) fn end(mut self) -> i32 {
        self.signal("-TERM");
        self.wait_for_end()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([name, &id])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Waits until it ends by itself and gives its exit status.
    pub(crate) fn wait_for_end(&mut self) -> i32 {
        let mut status = None;
        until_true("the program to end", || {
            status = self.child.try_wait().expect("a child of ours");
            status.is_some()
        });
        status.and_then(|status| status.code()).unwrap_or(-1)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left running.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            println!("--- log of {}\n{}", self.address, self.log());
        }
    }
}
