//! The one place that writes to the terminal.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a command answers with"
)]

/// Prints a line of an answer.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints a part of an answer as it is.
pub(crate) fn part(text: &str) {
    print!("{text}");
}

/// Prints a line that is no part of the answer.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Prints JSON, indented.
pub(crate) fn json(value: &serde_json::Value) {
    println!("{value:#}");
}

/// Puts a text in the place of the last line of the terminal.
pub(crate) fn in_place(text: &str) {
    eprint!("\r{text}\x1b[K");
}
