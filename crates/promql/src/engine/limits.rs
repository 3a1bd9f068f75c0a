//! How long a query may go on.

use crate::error::QueryError;
use model::ReadBudget;
use runtime::Clock;
use std::time::Duration;

/// What ends a query early; every thread that works for it has a copy.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    pub(super) budget: &'a ReadBudget,
    pub(super) clock: &'a dyn Clock,
    pub(super) deadline: Duration,
}

impl Limits<'_> {
    /// Fails when the query was cancelled or its time is up.
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        self.budget.check()?;
        if self.clock.monotonic() >= self.deadline {
            return Err(QueryError::Timeout);
        }
        Ok(())
    }
}
