//! How a subcommand ends that did not do all it should.

use std::process::ExitCode;

/// What was found, as an exit code; the texts were printed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    /// Mistakes: 1.
    Failed,
    /// Only lint, and lint is fatal: 3.
    Lint,
}

impl Verdict {
    /// The worse of two.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Lint, _) | (_, Self::Lint) => Self::Lint,
            (Self::Good, Self::Good) => Self::Good,
        }
    }

    pub(super) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Lint => 3,
        })
    }
}
