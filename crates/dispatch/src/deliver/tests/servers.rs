//! A small HTTP server and a small mail server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// What came in: the request's head and body, or the mail conversation and the mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Got {
    pub(super) head: String,
    pub(super) body: String,
}

/// A server that serves a fixed number of connections.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    got: Receiver<Got>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(count: usize, serve: impl Fn(TcpStream) -> Option<Got> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = listener.local_addr().expect("address");
        let (sender, got) = sync_channel(16);
        let work = move || {
            for _ in 0..count {
                let (stream, _) = listener.accept().expect("connection");
                if let Some(seen) = serve(stream) {
                    sender.send(seen).expect("room");
                }
            }
        };
        let thread = runtime::thread::spawn("server", work).expect("thread");
        Self {
            address,
            got,
            thread: Some(thread),
        }
    }

    /// Answers one request with these bytes; nothing means that the connection is cut.
    pub(super) fn http(answer: &'static str) -> Self {
        Self::start(1, move |stream| {
            let got = read_request(&stream)?;
            let mut writer = &stream;
            writer.write_all(answer.as_bytes()).expect("answer");
            Some(got)
        })
    }

    /// Answers one request after another, each on a connection of its own.
    pub(super) fn script(answers: Vec<String>) -> Self {
        let count = answers.len();
        let answers = std::sync::Mutex::new(answers.into_iter());
        Self::start(count, move |stream| {
            let got = read_request(&stream)?;
            let answer = answers.lock().expect("one thread").next()?;
            let mut writer = &stream;
            writer.write_all(answer.as_bytes()).expect("answer");
            Some(got)
        })
    }

    /// The same, but each answer waits for a word; the other end hears of each request.
    pub(super) fn patient(answers: Vec<String>, talk: (SyncSender<()>, Receiver<()>)) -> Self {
        let count = answers.len();
        let state = std::sync::Mutex::new((answers.into_iter(), talk));
        Self::start(count, move |stream| {
            let got = read_request(&stream)?;
            let mut state = state.lock().expect("one thread");
            let (answers, (came, go)) = &mut *state;
            came.send(()).expect("heard");
            go.recv().expect("a word");
            let answer = answers.next()?;
            let mut writer = &stream;
            writer.write_all(answer.as_bytes()).expect("answer");
            Some(got)
        })
    }

    /// Everything that came in until the script ended.
    pub(super) fn all(mut self) -> Vec<Got> {
        self.thread.take().expect("running").join().expect("ended");
        self.got.try_iter().collect()
    }

    /// Takes a request and never answers.
    pub(super) fn hanging() -> Self {
        Self::start(1, |mut stream| {
            let mut rest = Vec::new();
            // Ends when the other side gives up.
            let _ended = stream.read_to_end(&mut rest);
            None
        })
    }

    /// Speaks SMTP; `offers` are the extensions after EHLO, `refuse` a command that is answered with 451.
    pub(super) fn smtp(offers: &'static [&'static str], refuse: &'static str) -> Self {
        Self::start(1, move |stream| Some(speak_smtp(&stream, offers, refuse)))
    }

    /// What came in.
    pub(super) fn got(mut self) -> Got {
        let got = self.got.recv().expect("a request");
        self.thread.take().expect("running").join().expect("ended");
        got
    }

    /// Waits for the end of a server that keeps nothing.
    pub(super) fn join(mut self) {
        self.thread.take().expect("running").join().expect("ended");
    }
}

fn read_request(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")
            .map(str::to_owned)
    });
    let length = length.unwrap_or_else(|| "0".to_owned());
    let mut body = vec![0; length.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Got {
        head,
        body: String::from_utf8(body).ok()?,
    })
}

fn speak_smtp(stream: &TcpStream, offers: &[&str], refuse: &str) -> Got {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 mail ESMTP");
    let (mut head, mut body) = (String::new(), String::new());
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
        let command = std::mem::take(&mut line);
        head.push_str(command.trim_end());
        head.push('\n');
        if !refuse.is_empty() && command.starts_with(refuse) {
            say("451 not now");
            continue;
        }
        let verb = command
            .trim_end()
            .split([' ', ':'])
            .next()
            .unwrap_or_default();
        match verb {
            "EHLO" => {
                for offer in offers {
                    say(&format!("250-{offer}"));
                }
                say("250 OK");
            }
            "AUTH" if command.starts_with("AUTH LOGIN") => {
                for prompt in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                    say(prompt);
                    let mut answer = String::new();
                    reader.read_line(&mut answer).expect("answer");
                    head.push_str(answer.trim_end());
                    head.push('\n');
                }
                say("235 welcome");
            }
            "AUTH" => drop(say("235 welcome").then_some(())),
            "DATA" => {
                say("354 go on");
                loop {
                    let mut part = String::new();
                    reader.read_line(&mut part).expect("mail");
                    if part == ".\r\n" {
                        break;
                    }
                    body.push_str(&part);
                }
                say("250 taken");
            }
            "QUIT" => {
                say("221 bye");
                break;
            }
            _ => drop(say("250 OK").then_some(())),
        }
    }
    Got { head, body }
}
