//! The door for OTLP: translated under the settings in force, deltas added up where that is wanted, stored.

use super::{Ingest, refusal};
use crate::otlp::{Accumulator, Deltas, PartialSuccess, Request, Settings, translate};
use model::SinkError;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What translating needs from request to request.
#[derive(Debug, Default)]
pub(super) struct State {
    settings: RwLock<Arc<Settings>>,
    sums: Mutex<Accumulator>,
}

impl Ingest {
    /// Names the settings by which OTLP is translated from now on.
    pub fn set_otlp(&self, settings: Settings) {
        let mut place = self
            .otlp
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Arc::new(settings);
    }

    /// Takes a request. What of it cannot be stored is left out, and said.
    pub fn otlp(&self, request: &Request<'_>) -> Result<PartialSuccess, SinkError> {
        let settings = {
            let settings = self.otlp.settings.read();
            Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
        };
        let mut translated = translate(request, &settings);
        if settings.deltas == Deltas::Accumulate && !translated.deltas.is_empty() {
            let mut sums = self
                .otlp
                .sums
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            sums.add_up(&mut translated);
        }
        let appended = self.append_from("otlp", &translated.rows)?;
        self.learn(&translated.metadata);
        let invalid = &self.counters.invalid;
        invalid.add(u64::try_from(translated.rejected).unwrap_or(u64::MAX));
        let refused =
            appended.duplicates + appended.too_old + appended.too_new + appended.over_limit;
        let mut reasons = translated.reasons;
        reasons.extend(refusal(&appended));
        Ok(PartialSuccess {
            rejected: translated.rejected + refused,
            message: reasons.join("; "),
        })
    }
}
