//! Mistakes in a file, collected.

use crate::yaml::Position;
use std::fmt;
use std::sync::Arc;

/// Problems kept for one file; a hostile file must not fill memory with complaints.
const PROBLEMS_MAX: usize = 200;

/// One mistake and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named to us.
    pub file: Arc<str>,
    /// Where; line and column count from 1.
    pub position: Position,
    /// What is wrong, with the offending value.
    pub message: String,
}

/// `file:line:column: message`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}: {}", self.file, self.message)
    }
}

/// All mistakes of one file, in the order in which they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    file: Arc<str>,
    list: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// Makes an empty list for a file.
    #[must_use]
    pub fn new(file: &str) -> Self {
        Self {
            file: Arc::from(file),
            list: Vec::new(),
            unlisted: 0,
        }
    }

    /// The file that they are about.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Adds a mistake.
    pub fn add(&mut self, position: Position, message: impl Into<String>) {
        if self.list.len() == PROBLEMS_MAX {
            self.unlisted += 1;
            return;
        }
        let file = Arc::clone(&self.file);
        self.list.push(Problem {
            file,
            position,
            message: message.into(),
        });
    }

    /// The mistakes found.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Whether none was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The value if no mistake was found, all mistakes otherwise.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            Some(_) | None => Err(self),
        }
    }
}

/// One mistake a line.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.list.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        if self.unlisted > 0 {
            write!(f, "\n{}: {} more", self.file, self.unlisted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
