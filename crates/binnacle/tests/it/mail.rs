//! A mail server that takes everything and sends nothing on.

use crate::server::Server;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

/// One message as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Headers and body.
    pub(crate) text: String,
}

impl Mail {
    /// The value of a header, continued lines joined.
    pub(crate) fn header(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let prefix = format!("{}:", name.to_lowercase());
        let line = unfolded
            .lines()
            .find(|line| line.to_lowercase().starts_with(&prefix));
        let value = line.and_then(|line| line.split_once(':'));
        value
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    }
}

/// Listens until it is dropped.
pub(crate) struct MailServer {
    server: Server,
    taken: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    /// Starts to listen.
    pub(crate) fn start() -> Self {
        let taken: Arc<Mutex<Vec<Mail>>> = Arc::default();
        let shared = Arc::clone(&taken);
        let server = Server::start(
            0,
            Arc::new(move |stream, _| {
                // A sender that leaves in the middle is what this server has to live with.
                let _talked = talk(&stream, &shared);
            }),
        );
        Self { server, taken }
    }

    /// Where it listens, as `smtp_smarthost` wants it.
    pub(crate) fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// Everything that came.
    pub(crate) fn taken(&self) -> Vec<Mail> {
        self.taken.lock().expect("lock").clone()
    }
}

/// RFC 5321, as far as a sender without authentication needs it.
fn talk(mut stream: &TcpStream, taken: &Mutex<Vec<Mail>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut mail = Mail::default();
    stream.write_all(b"220 mail.test ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let address = || {
            let inner = line
                .split_once('<')
                .and_then(|(_, rest)| rest.split_once('>'));
            inner
                .map(|(address, _)| address.to_owned())
                .unwrap_or_default()
        };
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let reply: &[u8] = match verb.as_str() {
            "EHLO" => b"250-mail.test\r\n250 8BITMIME\r\n",
            "MAIL" => {
                mail = Mail {
                    from: address(),
                    ..Mail::default()
                };
                b"250 ok\r\n"
            }
            "RCPT" => {
                mail.to.push(address());
                b"250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                mail.text = read_data(&mut reader)?;
                taken.lock().expect("lock").push(mail.clone());
                b"250 taken\r\n"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply)?;
    }
}

fn read_data(reader: &mut BufReader<&TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
