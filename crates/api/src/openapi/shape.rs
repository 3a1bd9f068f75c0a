//! The shapes of answers, in a small language.
//!
//! ```text
//! string integer number boolean time any    a type; `time` is RFC 3339
//! [X] {X}                                   a list of X, a mapping from texts to X
//! X|null                                    X or null
//! Name                                      a shape of the table
//! ```
//! A field whose name ends in `?` may be missing.

use super::own_shapes::OWN;
use serde_json::{Map, Value, json};

/// A shape's name and its fields.
pub(super) type Named = (&'static str, &'static [(&'static str, &'static str)]);

const SHAPES: &[Named] = &[
    (
        "Failure",
        &[
            ("status", "string"),
            ("errorType", "string"),
            ("error", "string"),
        ],
    ),
    (
        "QueryData",
        &[
            ("resultType", "string"),
            ("result", "any"),
            ("stats?", "any"),
        ],
    ),
    (
        "Exemplar",
        &[
            ("labels", "{string}"),
            ("value", "string"),
            ("timestamp", "number"),
        ],
    ),
    (
        "SeriesExemplars",
        &[("seriesLabels", "{string}"), ("exemplars", "[Exemplar]")],
    ),
    (
        "Metadata",
        &[("type", "string"), ("unit", "string"), ("help", "string")],
    ),
    (
        "TargetMetadata",
        &[
            ("target", "{string}"),
            ("metric?", "string"),
            ("type", "string"),
            ("unit", "string"),
            ("help", "string"),
        ],
    ),
    (
        "Targets",
        &[
            ("activeTargets", "[Target]"),
            ("droppedTargets", "[DroppedTarget]"),
            ("droppedTargetCounts", "{integer}"),
        ],
    ),
    (
        "Target",
        &[
            ("discoveredLabels", "{string}"),
            ("labels", "{string}"),
            ("scrapePool", "string"),
            ("scrapeUrl", "string"),
            ("globalUrl", "string"),
            ("lastError", "string"),
            ("lastScrape", "time"),
            ("lastScrapeDuration", "number"),
            ("health", "string"),
            ("scrapeInterval", "string"),
            ("scrapeTimeout", "string"),
            ("standingIn?", "string"),
        ],
    ),
    (
        "DroppedTarget",
        &[("discoveredLabels", "{string}"), ("scrapePool", "string")],
    ),
    ("ScrapePools", &[("scrapePools", "[string]")]),
    (
        "RelabelRule",
        &[
            ("source_labels?", "[string]"),
            ("modulus?", "integer"),
            ("separator?", "string"),
            ("regex?", "string"),
            ("target_label?", "string"),
            ("replacement?", "string"),
            ("action", "string"),
        ],
    ),
    (
        "RelabelStep",
        &[
            ("rule", "RelabelRule"),
            ("output", "{string}"),
            ("keep", "boolean"),
        ],
    ),
    ("RelabelSteps", &[("steps", "[RelabelStep]")]),
    (
        "Rules",
        &[("groups", "[RuleGroup]"), ("groupNextToken?", "string")],
    ),
    (
        "RuleGroup",
        &[
            ("name", "string"),
            ("file", "string"),
            ("rules", "[Rule]"),
            ("interval", "number"),
            ("limit", "integer"),
            ("evaluationTime", "number"),
            ("lastEvaluation", "time"),
        ],
    ),
    (
        "Rule",
        &[
            ("state?", "string"),
            ("name", "string"),
            ("query", "string"),
            ("duration?", "number"),
            ("keepFiringFor?", "number"),
            ("labels", "{string}"),
            ("annotations?", "{string}"),
            ("alerts?", "[Alert]"),
            ("health", "string"),
            ("lastError?", "string"),
            ("evaluationTime", "number"),
            ("lastEvaluation", "time"),
            ("type", "string"),
        ],
    ),
    ("Alerts", &[("alerts", "[Alert]")]),
    (
        "Alert",
        &[
            ("labels", "{string}"),
            ("annotations", "{string}"),
            ("state", "string"),
            ("activeAt", "time"),
            ("keepFiringSince?", "time"),
            ("value", "string"),
        ],
    ),
    (
        "Alertmanagers",
        &[
            ("activeAlertmanagers", "[Alertmanager]"),
            ("droppedAlertmanagers", "[Alertmanager]"),
        ],
    ),
    ("Alertmanager", &[("url", "string")]),
    ("ConfigText", &[("yaml", "string")]),
    (
        "BuildInfo",
        &[
            ("version", "string"),
            ("revision", "string"),
            ("branch", "string"),
            ("buildUser", "string"),
            ("buildDate", "string"),
            ("goVersion", "string"),
        ],
    ),
    (
        "RuntimeInfo",
        &[
            ("startTime", "time"),
            ("CWD", "string"),
            ("hostname", "string"),
            ("serverTime", "time"),
            ("reloadConfigSuccess", "boolean"),
            ("lastConfigTime", "time"),
            ("corruptionCount", "integer"),
            ("goroutineCount", "integer"),
            ("GOMAXPROCS", "integer"),
            ("GOMEMLIMIT", "integer"),
            ("GOGC", "string"),
            ("GODEBUG", "string"),
            ("storageRetention", "string"),
            ("timeSeriesCount", "integer"),
        ],
    ),
    (
        "HeadStats",
        &[
            ("numSeries", "integer"),
            ("numLabelPairs", "integer"),
            ("chunkCount", "integer"),
            ("minTime", "integer"),
            ("maxTime", "integer"),
        ],
    ),
    ("Count", &[("name", "string"), ("value", "integer")]),
    (
        "StoreStatus",
        &[
            ("headStats", "HeadStats"),
            ("seriesCountByMetricName", "[Count]"),
            ("labelValueCountByLabelName", "[Count]"),
            ("memoryInBytesByLabelName", "[Count]"),
            ("seriesCountByLabelValuePair", "[Count]"),
        ],
    ),
    ("Blocks", &[("blocks", "[Block]")]),
    (
        "Block",
        &[
            ("ulid", "string"),
            ("minTime", "integer"),
            ("maxTime", "integer"),
            ("stats", "BlockStats"),
            ("compaction", "Compaction"),
            ("version", "integer"),
        ],
    ),
    (
        "BlockStats",
        &[
            ("numSamples", "integer"),
            ("numSeries", "integer"),
            ("numTombstones", "integer"),
            ("sizeBytes", "integer"),
        ],
    ),
    (
        "Compaction",
        &[("level", "integer"), ("sources", "[string]")],
    ),
    (
        "Replay",
        &[
            ("min", "integer"),
            ("max", "integer"),
            ("current", "integer"),
        ],
    ),
    (
        "Notification",
        &[("text", "string"), ("date", "time"), ("active", "boolean")],
    ),
    (
        "Found",
        &[
            ("name", "string"),
            ("score?", "number"),
            ("type?", "string"),
            ("help?", "string"),
            ("unit?", "string"),
        ],
    ),
    (
        "FoundLine",
        &[
            ("results?", "[Found]"),
            ("status?", "string"),
            ("has_more?", "boolean"),
            ("warnings?", "[string]"),
        ],
    ),
    ("Snapshot", &[("name", "string")]),
];

/// All named shapes as schemas.
pub(super) fn components() -> Value {
    let entry = |(name, fields): &Named| ((*name).to_owned(), object(fields));
    SHAPES.iter().chain(OWN).map(entry).collect()
}

fn object(fields: &[(&str, &str)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, shape) in fields {
        let plain = name.trim_end_matches('?');
        properties.insert(plain.to_owned(), schema(shape));
        if plain == *name {
            required.push(Value::from(plain));
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of a shape.
pub(super) fn schema(shape: &str) -> Value {
    if let Some(inner) = shape.strip_suffix("|null") {
        return json!({"anyOf": [schema(inner), {"type": "null"}]});
    }
    let inside = |open, close| shape.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = inside('[', ']') {
        return json!({"type": "array", "items": schema(inner)});
    }
    if let Some(inner) = inside('{', '}') {
        return json!({"type": "object", "additionalProperties": schema(inner)});
    }
    match shape {
        "any" => json!({}),
        "time" => json!({"type": "string", "format": "date-time"}),
        "string" | "integer" | "number" | "boolean" => json!({"type": shape}),
        name => json!({"$ref": format!("#/components/schemas/{name}")}),
    }
}
