//! `storage` and `otlp`, and the sections `runtime` and `tracing` that are checked but not active yet.

use super::remote::headers;
use super::schema::{self, Kind, Schema, Section, no_rule};
use super::{Global, NameValidation, Notes};
use config::http_client;
use config::{Fields, Node, Problems, decode};
use ingest::otlp::{Promoted, Settings, Strategy};

/// `storage`, as far as the file says something.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StorageSettings {
    /// How long samples are kept.
    pub retention_time_ms: Option<i64>,
    /// Bytes that blocks may take.
    pub retention_size_bytes: Option<u64>,
    /// The same as a share of the file system, in percent.
    pub retention_percentage: Option<f64>,
    /// How old samples may be that still come in.
    pub out_of_order_window_ms: Option<i64>,
    /// Exemplars kept.
    pub exemplars_max: Option<i64>,
}

const RUNTIME: Schema = Schema {
    name: "config.RuntimeConfig",
    fields: &[("gogc", Kind::Whole)],
    has_http_client: false,
    rule: no_rule,
};

const OTLP: Schema = Schema {
    name: "config.OTLPConfig",
    fields: &[
        ("promote_all_resource_attributes", Kind::Flag),
        ("promote_resource_attributes", Kind::Texts),
        ("ignore_resource_attributes", Kind::Texts),
        ("translation_strategy", Kind::Text),
        ("keep_identifying_resource_attributes", Kind::Flag),
        ("convert_histograms_to_nhcb", Kind::Flag),
        ("promote_scope_metadata", Kind::Flag),
        ("label_name_underscore_sanitization", Kind::Flag),
        ("label_name_preserve_multiple_underscores", Kind::Flag),
    ],
    has_http_client: false,
    rule: otlp_attributes,
};

/// Takes `otlp`.
pub(super) fn otlp(fields: &mut Fields<'_, '_>, global: &Global) -> Settings {
    let read = fields.read("otlp", |node, problems| {
        schema::check(node, &OTLP, problems);
        otlp_strategy(node, global.name_validation, problems);
        Some(otlp_settings(node))
    });
    read.unwrap_or_default()
}

/// What a section says that was checked before.
fn otlp_settings(node: &Node) -> Settings {
    let defaults = Settings::default();
    let text = |name: &str| node.get(name).and_then(Node::text);
    let flag = |name: &str, default: bool| match text(name) {
        None => default,
        Some(said) => said == "true",
    };
    let texts = |name: &str| -> Vec<String> {
        let elements = node.get(name).map(Node::elements).unwrap_or_default();
        let texts = elements.iter().filter_map(Node::text);
        texts.map(|text| text.trim().to_owned()).collect()
    };
    Settings {
        strategy: text("translation_strategy")
            .and_then(Strategy::from_name)
            .unwrap_or_default(),
        promoted: if flag("promote_all_resource_attributes", false) {
            Promoted::AllBut(texts("ignore_resource_attributes"))
        } else {
            Promoted::Only(texts("promote_resource_attributes"))
        },
        keep_identifying: flag("keep_identifying_resource_attributes", false),
        convert_histograms: flag("convert_histograms_to_nhcb", false),
        promote_scope: flag("promote_scope_metadata", false),
        underscore_sanitization: flag("label_name_underscore_sanitization", true),
        preserve_multiple_underscores: flag("label_name_preserve_multiple_underscores", true),
        ..defaults
    }
}

/// Takes `storage`, `runtime` and `tracing`.
pub(super) fn read(fields: &mut Fields<'_, '_>, notes: &mut Notes) -> StorageSettings {
    fields.read("runtime", |node, problems| {
        schema::check(node, &RUNTIME, problems);
        let message = "runtime tunes Go's garbage collector; there is none here";
        notes.add(node.position, message.to_owned());
        Some(())
    });
    fields.read("tracing", |node, problems| {
        notes.not_active(node, "tracing");
        tracing(node, problems)
    });
    fields
        .read("storage", |node, problems| storage(node, notes, problems))
        .unwrap_or_default()
}

fn storage(node: &Node, notes: &mut Notes, problems: &mut Problems) -> Option<StorageSettings> {
    let mut fields = Fields::of(node, "config.StorageConfig", problems)?;
    let mut settings = fields
        .read("tsdb", |node, problems| tsdb(node, notes, problems))
        .unwrap_or_default();
    settings.exemplars_max = fields.read("exemplars", |node, problems| {
        let mut fields = Fields::of(node, "config.ExemplarsConfig", problems)?;
        let max = fields.read("max_exemplars", decode::integer);
        fields.finish();
        max
    });
    fields.finish();
    Some(settings)
}

fn tsdb(node: &Node, notes: &mut Notes, problems: &mut Problems) -> Option<StorageSettings> {
    let mut fields = Fields::of(node, "config.TSDBConfig", problems)?;
    let window = fields.read("out_of_order_time_window", decode::duration_ms);
    let mut settings = fields.read("retention", retention).unwrap_or_default();
    settings.out_of_order_window_ms = window;
    fields.read("chunk_encoding", |node, problems| {
        let message = "storage.tsdb.chunk_encoding has no meaning here: each block gets the encoding that suits it";
        notes.add(node.position, message.to_owned());
        let mut fields = Fields::of(node, "config.TSDBChunkEncodingConfig", problems)?;
        fields.read("floats", |node, problems| {
            decode::one_of(node, &[("xor", ()), ("xor2", ())], problems)
        });
        fields.finish();
        Some(())
    });
    fields.read("stale_series_compaction_threshold", |node, problems| {
        notes.not_active(node, "storage.tsdb.stale_series_compaction_threshold");
        decode::float(node, problems)
    });
    fields.finish();
    Some(settings)
}

fn retention(node: &Node, problems: &mut Problems) -> Option<StorageSettings> {
    let mut fields = Fields::of(node, "config.TSDBRetentionConfig", problems)?;
    let mut settings = StorageSettings {
        retention_time_ms: fields.read("time", decode::duration_ms),
        retention_size_bytes: fields.read("size", decode::size_bytes),
        ..StorageSettings::default()
    };
    settings.retention_percentage = fields.read("percentage", |node, problems| {
        let percentage = decode::float(node, problems)?;
        if !(0.0..=100.0).contains(&percentage) {
            let message = format!("'storage.tsdb.retention.percentage' must be in the range [0, 100], got {percentage}");
            problems.add(node.position, message);
        }
        Some(percentage)
    });
    fields.finish();
    Some(settings)
}

fn tracing(node: &Node, problems: &mut Problems) -> Option<()> {
    let mut fields = Fields::of(node, "config.TracingConfig", problems)?;
    fields.read("client_type", |node, problems| {
        let text = decode::string(node, problems)?;
        if text != "http" && text != "grpc" {
            let message =
                format!("expected tracing client type to be to be http or grpc, but got {text}");
            problems.add(node.position, message);
        }
        Some(())
    });
    let endpoint = fields.read("endpoint", decode::string).unwrap_or_default();
    if endpoint.is_empty() {
        fields.wrong("tracing endpoint must be set");
    }
    fields.read("sampling_fraction", decode::float);
    fields.read("insecure", decode::boolean);
    fields.read("tls_config", http_client::tls);
    let advice = "custom authorization header configuration is not yet supported";
    fields.read("headers", |node, problems| headers(node, advice, problems));
    let compression = fields
        .read("compression", decode::string)
        .unwrap_or_default();
    if !["", "gzip"].contains(&compression.as_str()) {
        fields.wrong(format!(
            "invalid compression type {compression} provided, valid options: gzip"
        ));
    }
    fields.read("timeout", decode::duration_ms);
    fields.finish();
    Some(())
}

/// Checks which attributes are promoted and which ignored.
fn otlp_attributes(section: &mut Section<'_, '_>) {
    let all = section.flag("promote_all_resource_attributes");
    let (list, adjective) = if all {
        if !section.list("promote_resource_attributes").is_empty() {
            section.wrong(
                "promote_resource_attributes",
                "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
            );
        }
        ("ignore_resource_attributes", "ignored")
    } else {
        if !section.list("ignore_resource_attributes").is_empty() {
            section.wrong(
                "ignore_resource_attributes",
                "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true",
            );
        }
        ("promote_resource_attributes", "promoted")
    };
    let mut seen = Vec::new();
    for node in section.list(list) {
        let attribute = node.text().unwrap_or_default().trim();
        if attribute.is_empty() {
            section.wrong_at(
                node,
                format!("invalid '{list}': empty {adjective} OTel resource attribute"),
            );
        } else if seen.contains(&attribute) {
            let message = format!(
                "invalid '{list}': duplicated {adjective} OTel resource attribute {attribute:?}"
            );
            section.wrong_at(node, message);
        }
        seen.push(attribute);
    }
}

/// Checks how OTLP names are translated; names with other characters need UTF-8 names.
fn otlp_strategy(node: &Node, validation: NameValidation, problems: &mut Problems) {
    let Some(field) = node.get("translation_strategy") else {
        return;
    };
    let strategy = field.text().unwrap_or_default();
    match strategy {
        "" | "UnderscoreEscapingWithSuffixes" | "UnderscoreEscapingWithoutSuffixes" => {}
        "NoTranslation" | "NoUTF8EscapingWithSuffixes" => {
            if validation == NameValidation::Legacy {
                let message = format!(
                    "OTLP translation strategy {strategy:?} is not allowed when UTF8 is disabled"
                );
                problems.add(field.position, message);
            }
        }
        _ => problems.add(
            field.position,
            format!("unsupported OTLP translation strategy {strategy:?}"),
        ),
    }
}
