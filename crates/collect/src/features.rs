//! Experimental behaviour of scraping, chosen by flags of Prometheus' names (`--enable-feature`).

/// What of it is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `created-timestamp-zero-ingestion`: a zero is stored at the moment since which a series counts.
    pub zero_samples: bool,
    /// `st-storage`: start timestamps are stored beside samples.
    pub start_storage: bool,
    /// `type-and-unit-labels`: type and unit of a metric become labels.
    pub type_and_unit_labels: bool,
}

impl Features {
    /// Reads the names that `--enable-feature` was given; others are not about scraping.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut features = Self::default();
        for name in names {
            match name {
                "created-timestamp-zero-ingestion" => features.zero_samples = true,
                "st-storage" => features.start_storage = true,
                "type-and-unit-labels" | "promql-type-and-unit-labels" => {
                    features.type_and_unit_labels = true
                }
                _ => {}
            }
        }
        features
    }

    /// Whether start timestamps are wanted, which protocol buffers carry best.
    #[must_use]
    pub const fn wants_starts(self) -> bool {
        self.zero_samples || self.start_storage
    }
}
