//! Formats of one record a line: what the lines gave, and every line that gave nothing, each with its number.
//!
//! A bad line never costs a good one. Of the errors the first are kept, all are counted.

use model::SeriesSamples;

/// Errors whose texts are kept.
pub const ERRORS_MAX: usize = 50;
/// Bytes of a line that a message shows at most.
const SHOWN_BYTES_MAX: usize = 120;

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LineError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// What a body of lines gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// Series of the good lines.
    pub rows: Vec<SeriesSamples>,
    /// The first errors.
    pub errors: Vec<LineError>,
    /// Lines refused in all.
    pub refused: usize,
}

impl Lines {
    /// Samples in all.
    #[must_use]
    pub fn sample_count(&self) -> usize {
        self.rows.iter().map(|row| row.samples.len()).sum()
    }

    pub(crate) fn refuse(&mut self, line: usize, message: String) {
        self.refused += 1;
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(LineError { line, message });
        }
    }

    /// The errors as text, one a line, and how many more there were.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if self.refused == 0 {
            return None;
        }
        let mut texts: Vec<String> = self.errors.iter().map(ToString::to_string).collect();
        let further = self.refused - self.errors.len();
        if further > 0 {
            texts.push(format!("and {further} more"));
        }
        Some(texts.join("\n"))
    }
}

/// The lines of a body with their numbers, without their ends and without empty ones.
pub(crate) fn numbered(body: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    body.split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// A line as text, or why it is none.
pub(crate) fn text(line: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(line).map_err(|_invalid| "not UTF-8".to_owned())
}

/// A text for a message: quoted, cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    let mut end = text.len().min(SHOWN_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let dots = if end < text.len() { "…" } else { "" };
    format!("'{}{dots}'", text.get(..end).unwrap_or_default())
}
