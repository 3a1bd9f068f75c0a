//! OTLP metrics: OpenTelemetry's requests become series as Prometheus' own receiver makes them.
//!
//! Two encodings (protocol buffers and JSON) are read into the same borrowed values (`data`); those are translated one
//! metric after the other (`translate`), with names and units by `names`. Key decision: what cannot be stored is
//! left out and counted for the answer's partial success; a request is refused only where it cannot be read. Points are
//! counted against limits before anything is made of them.
//!
//! Specification: opentelemetry.io/docs/specs/otlp and …/otel/compatibility/prometheus_and_openmetrics. What it does not
//! do: traces and logs.

mod accumulate;
mod answer;
mod attributes;
mod data;
mod json;
mod names;
mod points;
mod protobuf;
mod translate;

pub use accumulate::Accumulator;
pub use answer::{PartialSuccess, response_json, response_protobuf, status_json, status_protobuf};
pub use data::{DecodeError, Request};
pub use json::decode_json;
pub use protobuf::decode_protobuf;
pub use translate::{Translated, translate};

/// Bytes of a request, unpacked. Collectors send some 1 to 4 MB.
pub const BODY_BYTES_MAX: usize = 64 << 20;

/// How names are translated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// What is no letter, digit or underscore becomes an underscore; unit and type are added to names.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// The same without unit and type.
    UnderscoreEscapingWithoutSuffixes,
    /// Names stay as they are but for unit and type, which are added.
    NoUtf8EscapingWithSuffixes,
    /// Names stay as they are.
    NoTranslation,
}

impl Strategy {
    /// The strategy that the configuration names; `None` for anything else.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "" | "UnderscoreEscapingWithSuffixes" => Some(Self::UnderscoreEscapingWithSuffixes),
            "UnderscoreEscapingWithoutSuffixes" => Some(Self::UnderscoreEscapingWithoutSuffixes),
            "NoUTF8EscapingWithSuffixes" => Some(Self::NoUtf8EscapingWithSuffixes),
            "NoTranslation" => Some(Self::NoTranslation),
            _ => None,
        }
    }

    const fn keeps_utf8(self) -> bool {
        matches!(self, Self::NoUtf8EscapingWithSuffixes | Self::NoTranslation)
    }

    const fn adds_suffixes(self) -> bool {
        matches!(
            self,
            Self::UnderscoreEscapingWithSuffixes | Self::NoUtf8EscapingWithSuffixes
        )
    }
}

/// Which attributes of a resource become labels of its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promoted {
    /// These.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

/// What is done with points that say what was added since the point before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deltas {
    /// They are refused.
    #[default]
    Refuse,
    /// They are added up (`otlp-deltatocumulative`).
    Accumulate,
    /// They are stored as they are (`otlp-native-delta-ingestion`).
    Keep,
}

/// The section `otlp` of prometheus.yml, and what flags say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `translation_strategy`
    pub strategy: Strategy,
    /// `promote_resource_attributes`, `promote_all_resource_attributes` and `ignore_resource_attributes`
    pub promoted: Promoted,
    /// `keep_identifying_resource_attributes`: `target_info` has those that job and instance are made of, too.
    pub keep_identifying: bool,
    /// `convert_histograms_to_nhcb`
    pub convert_histograms: bool,
    /// `promote_scope_metadata`
    pub promote_scope: bool,
    /// `label_name_underscore_sanitization`: a label's single leading underscore gets `key` before it.
    pub underscore_sanitization: bool,
    /// `label_name_preserve_multiple_underscores`
    pub preserve_multiple_underscores: bool,
    /// How far apart samples of `target_info` are at most, in milliseconds: half of how far queries look back.
    pub target_info_interval_ms: i64,
    /// What is done with deltas.
    pub deltas: Deltas,
    /// Whether type and unit become labels (`type-and-unit-labels`).
    pub type_and_unit_labels: bool,
}

/// Upstream's defaults.
impl Default for Settings {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            promoted: Promoted::Only(Vec::new()),
            keep_identifying: false,
            convert_histograms: false,
            promote_scope: false,
            underscore_sanitization: true,
            preserve_multiple_underscores: true,
            target_info_interval_ms: 150_000,
            deltas: Deltas::default(),
            type_and_unit_labels: false,
        }
    }
}

#[cfg(test)]
mod tests;
