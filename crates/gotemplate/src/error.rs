//! What can go wrong, worded as Go's template packages word it: users know these texts, and rule
//! and receiver errors are shown to them unchanged.

/// Why a template could not be parsed or executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not a template.
    #[error("template: {name}:{line}: {message}")]
    Parse {
        /// Name under which the text was parsed.
        name: String,
        /// Line in the text, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// An action failed.
    #[error("template: {location}: executing {template:?} at <{node}>: {message}")]
    Execute {
        /// `NAME:LINE:COLUMN`; the column counts bytes from 0, as Go's does.
        location: String,
        /// Name of the executing template.
        template: String,
        /// The failing expression.
        node: String,
        /// What is wrong.
        message: String,
    },
    /// html/template could not tell in which context an action stands.
    #[error("html/template:{}{message}", place(.location))]
    Escape {
        /// `NAME:LINE:COLUMN`, or less where less is known.
        location: String,
        /// What is wrong.
        message: String,
    },
    /// No template has this name.
    #[error("template: no template {name:?} associated with template {set:?}")]
    NoTemplate {
        /// The name sought.
        name: String,
        /// Name of the set.
        set: String,
    },
    /// The template exists but nothing was ever parsed into it.
    #[error("template: {name}: {name:?} is an incomplete or empty template")]
    Incomplete {
        /// Its name.
        name: String,
    },
    /// The text is larger than a template may be.
    #[error("template: {name}: {bytes} bytes of text, at most {bytes_max} are allowed")]
    TooLarge {
        /// Name under which the text was to be parsed.
        name: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
}

/// A template without a name has no location but a position in its text.
fn place(location: &str) -> String {
    if location.is_empty() {
        " ".into()
    } else {
        format!("{location}: ")
    }
}
