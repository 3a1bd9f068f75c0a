//! HTTP/1.1 as plainly as it goes: one request a connection, any header, so that tests may send what a client would not.

use serde_json::Value;
use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A request or an answer: its first line, its headers (names in lower case) and its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) first_line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The value of a header, empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics with the body where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}: {}", self.first_line, self.text()))
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let code = self.first_line.split_whitespace().nth(1);
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// The path of a request, with its query.
    pub(crate) fn path(&self) -> &str {
        self.first_line
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
    }
}

/// What to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// `Host` and `Content-Length` are added where they are missing.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A GET of a path.
    pub(crate) fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            headers: &[],
            body: &[],
        }
    }
}

/// Sends a request to `address` and reads the answer.
pub(crate) fn send(address: &str, request: Request<'_>) -> Result<Message> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write_request(&mut stream, address, request)?;
    read_message(&mut BufReader::new(stream))
}

/// Writes a request to a stream that leads to `address`.
pub(crate) fn write_request(
    stream: &mut impl Write,
    address: &str,
    request: Request<'_>,
) -> Result<()> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    let has_host = request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if !has_host {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = request.body.len();
    head.push_str(&format!(
        "Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ));
    stream.write_all(head.as_bytes())?;
    stream.write_all(request.body)
}

/// Reads one message: headers, then a body by length, by chunks, or (answers only) to the end.
pub(crate) fn read_message(reader: &mut impl BufRead) -> Result<Message> {
    let mut message = Message {
        first_line: read_line(reader)?,
        ..Message::default()
    };
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        let header = (name.trim().to_lowercase(), value.trim().to_owned());
        message.headers.push(header);
    }
    let length = message.header("content-length").parse().ok();
    if message.header("transfer-encoding").contains("chunked") {
        read_chunks(reader, &mut message.body)?;
    } else if let Some(length) = length {
        message.body.resize(length, 0);
        reader.read_exact(&mut message.body)?;
    } else if message.first_line.starts_with("HTTP/") {
        reader.read_to_end(&mut message.body)?;
    }
    Ok(message)
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let line = read_line(reader)?;
        let size = usize::from_str_radix(line.trim(), 16)
            .map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk)?;
        body.extend(chunk);
        read_line(reader)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn read_line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A path with parameters, escaped.
pub(crate) fn path_with(path: &str, parameters: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params(&format!("http://x{path}"), parameters);
    let url = url.expect("a path that begins with a slash");
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
