//! What is wrong with an exposition, in upstream's words, with the line it is on.

use super::{Parser, lexer::Token};
use model::labels::Quoted;
use std::fmt::Write as _;

/// Bytes of the offending text that a message shows at most.
const SHOWN_BYTES_MAX: usize = 256;

/// Why a body cannot be read further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl Parser<'_> {
    pub(super) fn error(&self, message: String) -> ParseError {
        ParseError {
            line: self.line(),
            message,
        }
    }

    pub(super) fn no_end(&self) -> ParseError {
        self.error("data does not end with # EOF".to_owned())
    }

    pub(super) fn error_while_parsing(&self, message: &str) -> ParseError {
        let read = self.shown(self.entry_start, self.lexer.at);
        self.error(format!("{message} while parsing: {read}"))
    }

    /// Another token stands where something was expected. As upstream does, shows one byte more than was
    /// read.
    pub(super) fn unexpected(&self, expected: &str, got: Token) -> ParseError {
        let end = self.lexer.at.saturating_add(1);
        let token = self.shown(self.lexer.start, end);
        let read = self.shown(self.entry_start, end);
        let name = got.name();
        self.error(format!(
            "{expected}, got {token} (\"{name}\") while parsing: {read}"
        ))
    }

    fn shown(&self, start: usize, end: usize) -> String {
        let mut bytes = self.lexer.bytes(start, end).to_vec();
        if end > self.lexer.body.len() && self.lexer.byte(self.lexer.body.len()).is_some() {
            bytes.push(b'\n'); // the line break that a text body is imagined to end in
        }
        quote(&bytes)
    }
}

/// Bytes in quotes as Go prints them, cut to a bearable length.
pub(super) fn quote(bytes: &[u8]) -> String {
    let shown = bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes);
    let mut text = String::from("\"");
    for chunk in shown.utf8_chunks() {
        let quoted = Quoted(chunk.valid()).to_string();
        text.push_str(
            quoted
                .trim_start_matches('"')
                .strip_suffix('"')
                .unwrap_or_default(),
        );
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "\\x{byte:02x}");
        }
    }
    if shown.len() < bytes.len() {
        text.push('…');
    }
    text.push('"');
    text
}
