//! Bulk import and export, in VictoriaMetrics' formats: a JSON object a line, CSV, exposition text.
//!
//! JSON lines: `{"metric":{"__name__":"up","job":"a"},"values":[1,0],"timestamps":[1549891472010,1549891487724]}`. `null` is
//! the end of a series; `"NaN"`, `"Infinity"` and `"-Infinity"` are values. Ours beyond VictoriaMetrics': a line may hold
//! `"histograms"` instead of `values`, each the base64 text of a `prometheus.Histogram` message, so that native
//! histograms find their way back.

pub mod csv;
pub mod exposition;

use crate::lines::{Lines, numbered, text};
use crate::protobuf::Message;
use crate::protobuf_write;
use crate::remote_write::decode_histogram;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{
    Columns, Labels, METRIC_NAME, STALE_MARKER, Sample, SeriesSamples, Timestamp, Value,
    is_stale_marker,
};
use serde_json::{Map, Value as Json, json};

/// Reads JSON lines. `extra`: labels that every series gets, which win.
#[must_use]
pub fn decode_json_lines(body: &[u8], extra: &Labels) -> Lines {
    let mut lines = Lines::default();
    for (number, line) in numbered(body) {
        let row = text(line).and_then(|line| {
            let json: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
            series(&json, extra)
        });
        match row {
            Ok(row) => lines.rows.push(row),
            Err(message) => lines.refuse(number, message),
        }
    }
    lines
}

fn series(json: &Json, extra: &Labels) -> Result<SeriesSamples, String> {
    let metric = json
        .get("metric")
        .and_then(Json::as_object)
        .ok_or("\"metric\" is missing or no object")?;
    let mut pairs = Vec::new();
    for (name, value) in metric {
        let value = value
            .as_str()
            .ok_or_else(|| format!("the value of label {name:?} is no text"))?;
        pairs.push((name.as_str(), value));
    }
    let labels = Labels::from_pairs(pairs).merged_with(extra);
    if labels.metric_name().is_empty() {
        return Err(format!("\"metric\" has no {METRIC_NAME:?}"));
    }
    let list = |name: &str| {
        json.get(name)
            .and_then(Json::as_array)
            .ok_or_else(|| format!("{name:?} is missing or no list"))
    };
    let timestamps = list("timestamps")?;
    let read: fn(&Json) -> Result<Value, String>;
    let values = if json.get("histograms").is_some() {
        read = histogram;
        list("histograms")?
    } else {
        read = |json| float(json).map(Value::Float);
        list("values")?
    };
    if values.len() != timestamps.len() {
        return Err(format!(
            "{} values and {} timestamps",
            values.len(),
            timestamps.len()
        ));
    }
    let mut samples = Vec::with_capacity(values.len());
    for (value, at) in values.iter().zip(timestamps) {
        let at = at
            .as_i64()
            .ok_or_else(|| format!("the timestamp {at} is no whole number of milliseconds"))?;
        samples.push(Sample::new(Timestamp::from_millis(at), read(value)?));
    }
    Ok(SeriesSamples {
        labels,
        samples,
        exemplars: Vec::new(),
    })
}

fn float(json: &Json) -> Result<f64, String> {
    match json {
        Json::Null => Ok(STALE_MARKER),
        Json::Number(number) => number
            .as_f64()
            .ok_or_else(|| format!("{json} is no number")),
        Json::String(text) => match text.as_str() {
            "NaN" => Ok(crate::exposition::NORMAL_NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(format!("the value {json} is no number")),
        },
        _ => Err(format!("the value {json} is no number")),
    }
}

fn histogram(json: &Json) -> Result<Value, String> {
    if json.is_null() {
        return Ok(Value::Float(STALE_MARKER));
    }
    let text = json.as_str().ok_or("a histogram is no text")?;
    let bytes = STANDARD
        .decode(text)
        .map_err(|error| format!("a histogram: {error}"))?;
    let sample = decode_histogram(Message::new(&bytes))
        .map_err(|error| format!("a histogram: {error}"))??;
    Ok(sample.value)
}

/// Writes a series as JSON lines: one for its floats, one for its histograms. `samples_max`: samples of a line at most.
pub fn encode_json_lines(out: &mut String, labels: &Labels, columns: &Columns, samples_max: usize) {
    let metric: Map<String, Json> = labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let metric = Json::Object(metric);
    let mut floats = Block::default();
    let mut histograms = Block::default();
    let mut native = columns.histograms.iter().peekable();
    for (index, (at, value)) in columns
        .timestamps
        .iter()
        .zip(columns.values.iter())
        .enumerate()
    {
        let block = match native.next_if(|(place, _)| *place == index) {
            Some((_, histogram)) => {
                let bytes = protobuf_write::histogram_message(histogram, *at);
                histograms.values.push(STANDARD.encode(bytes).into());
                &mut histograms
            }
            None => {
                floats.values.push(shown(*value));
                &mut floats
            }
        };
        block.timestamps.push((*at).into());
        if block.timestamps.len() >= samples_max.max(1) {
            floats.write(out, &metric, "values");
            histograms.write(out, &metric, "histograms");
        }
    }
    floats.write(out, &metric, "values");
    histograms.write(out, &metric, "histograms");
}

#[derive(Default)]
struct Block {
    values: Vec<Json>,
    timestamps: Vec<Json>,
}

impl Block {
    fn write(&mut self, out: &mut String, metric: &Json, name: &str) {
        if self.timestamps.is_empty() {
            return;
        }
        let values = std::mem::take(&mut self.values);
        let timestamps = std::mem::take(&mut self.timestamps);
        let line = json!({"metric": metric, name: values, "timestamps": timestamps});
        out.push_str(&line.to_string());
        out.push('\n');
    }
}

fn shown(value: f64) -> Json {
    if is_stale_marker(value) {
        return Json::Null;
    }
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    let text = model::format_float(value);
    // Whole numbers are written as such; `json!(1.0)` would write `1.0`.
    serde_json::from_str(&text).unwrap_or_else(|_not_json| value.into())
}

#[cfg(test)]
mod tests;
