//! Why a query gave no answer.

use model::SourceError;

/// Why a query failed; the variants are what the HTTP interface tells apart.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query itself is wrong.
    #[error("{0}")]
    BadData(String),
    /// Evaluation hit something it cannot compute, or a limit.
    #[error("{0}")]
    Execution(String),
    /// It would hold more samples than it may.
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// It took longer than it may.
    #[error("query timed out in expression evaluation")]
    Timeout,
    /// The caller went away.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// The store failed.
    #[error("{0}")]
    Storage(String),
}

impl QueryError {
    /// Makes an evaluation error.
    #[must_use]
    pub fn execution(message: impl Into<String>) -> Self {
        Self::Execution(message.into())
    }

    /// The error kind as the HTTP interface names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::BadData(_) => "bad_data",
            Self::Execution(_) | Self::TooManySamples => "execution",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Storage(_) => "internal",
        }
    }
}

impl From<SourceError> for QueryError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::TooManySamples => Self::TooManySamples,
            SourceError::Cancelled => Self::Canceled,
            SourceError::Store(message) => Self::Storage(message),
        }
    }
}
