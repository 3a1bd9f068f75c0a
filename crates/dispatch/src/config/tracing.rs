//! Sections that are checked and then not used: `tracing` and `event_recorder`.

use super::field;
use config::http_client;
use config::yaml::Node;
use config::{Fields, Problems, decode};

/// Checks `tracing`.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<()> {
    let mut fields = Fields::of(node, "tracing.plain", problems)?;
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
    let compression = fields
        .read("compression", decode::string)
        .unwrap_or_default();
    if !matches!(compression.as_str(), "" | "gzip") {
        fields.wrong(format!(
            "invalid compression type {compression} provided, valid options: gzip"
        ));
    }
    fields.read("sampling_fraction", decode::float);
    fields.read("insecure", decode::boolean);
    fields.read("tls_config", http_client::tls);
    fields.take("headers");
    fields.read("timeout", decode::duration_ms);
    fields.finish();
    Some(())
}

/// Checks `event_recorder`.
pub(super) fn event_recorder(node: &Node, problems: &mut Problems) -> Option<()> {
    let mut fields = Fields::of(node, "eventrecorder.Config", problems)?;
    fields.read_list("file_outputs", file_output);
    fields.read_list("webhook_outputs", webhook_output);
    fields.read_list("kafka_outputs", kafka_output);
    fields.read_list("stdout_outputs", |node, problems| {
        Fields::of(node, "eventrecorder.StdoutOutputConfig", problems)?.finish();
        Some(())
    });
    fields.finish();
    Some(())
}

fn file_output(node: &Node, problems: &mut Problems) -> Option<()> {
    let mut fields = Fields::of(node, "eventrecorder.plain", problems)?;
    if fields
        .read("path", decode::string)
        .is_none_or(|path| path.is_empty())
    {
        fields.wrong("event_recorder file output requires a path");
    }
    fields.finish();
    Some(())
}

fn webhook_output(node: &Node, problems: &mut Problems) -> Option<()> {
    let mut fields = Fields::of(node, "eventrecorder.plain", problems)?;
    if !fields.has("url") {
        fields.wrong("event_recorder webhook output requires a url");
    }
    fields.read("url", field::secret_url);
    fields.read("http_config", http_client::decode);
    for name in ["timeout", "retry_backoff", "batch_flush_interval"] {
        fields.read(name, decode::duration_ms);
    }
    for name in ["workers", "max_retries"] {
        fields.read(name, decode::integer);
    }
    let batch = fields.read("batch", decode::boolean).unwrap_or(false);
    for name in ["batch_max_events", "batch_max_bytes"] {
        let limit = fields.read(name, decode::integer).unwrap_or(0);
        if limit < 0 {
            fields.wrong("event_recorder webhook batch settings cannot be negative");
        }
        if limit > 0 && !batch {
            fields.wrong("event_recorder webhook batch settings require batch: true");
        }
    }
    fields.finish();
    Some(())
}

fn kafka_output(node: &Node, problems: &mut Problems) -> Option<()> {
    let mut fields = Fields::of(node, "eventrecorder.plain", problems)?;
    fields.read_list("brokers", decode::string);
    let topic = fields.read("topic", decode::string).unwrap_or_default();
    if topic.is_empty() {
        fields.wrong("event_recorder kafka output requires a topic");
    }
    for name in ["client_id", "format", "acks", "compression"] {
        fields.read(name, decode::string);
    }
    fields.read("buffer_size", decode::integer);
    fields.read("tls_config", http_client::tls);
    fields.finish();
    Some(())
}
