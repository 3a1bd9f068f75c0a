//! The shapes of answers, in a small language.
//!
//! ```text
//! string integer number boolean time any    a type; `time` is RFC 3339
//! [X] {X}                                   a list of X, a mapping from texts to X
//! X|null                                    X or null
//! Name                                      a shape of the table
//! ```
//! A field whose name ends in `?` may be missing.

use serde_json::{Map, Value, json};

/// A shape's name and its fields.
type Named = (&'static str, &'static [(&'static str, &'static str)]);

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
    (
        "Status",
        &[
            ("version", "string"),
            ("startedAt", "time"),
            ("ready", "boolean"),
            ("notes", "[string]"),
            ("files", "[File]"),
            ("configLoadedAt", "time|null"),
            ("reloadProblem", "string|null"),
            ("storeProblem", "string|null"),
            ("undelivered", "integer"),
            ("packFolder", "string"),
            ("packs", "[EnabledPack]"),
        ],
    ),
    ("EnabledPack", &[("name", "string"), ("file", "string")]),
    ("File", &[("path", "string"), ("kind", "string")]),
    (
        "Attempts",
        &[("attempts", "[Attempt]"), ("undelivered", "any")],
    ),
    (
        "Attempt",
        &[
            ("at", "time"),
            ("receiver", "string"),
            ("integration", "string"),
            ("groupKey", "string"),
            ("reason", "string"),
            ("attempt", "integer"),
            ("firing", "integer"),
            ("resolved", "integer"),
            ("outcome", "string"),
            ("error", "string|null"),
        ],
    ),
    (
        "Backtest",
        &[
            ("start", "time"),
            ("end", "time"),
            ("seconds", "number"),
            ("evaluations", "integer"),
            ("notes", "[string]"),
            ("rules", "[TestedRule]"),
            ("notifications", "TestedNotifications|null"),
            ("incidents", "TestedIncidents|null"),
        ],
    ),
    (
        "TestedRule",
        &[
            ("file", "string"),
            ("group", "string"),
            ("name", "string"),
            ("type", "string"),
            ("evaluations", "integer"),
            ("failures", "integer"),
            ("lastError", "string|null"),
            ("fired", "integer"),
            ("series", "integer"),
            ("firingSeconds", "number"),
            ("longestSeconds", "number"),
            ("flaps", "integer"),
            ("pendingOnly", "integer"),
            ("episodes", "[Episode]"),
            ("episodesLeftOut", "integer"),
        ],
    ),
    (
        "Episode",
        &[
            ("labels", "{string}"),
            ("annotations", "{string}"),
            ("value", "string"),
            ("activeAt", "time"),
            ("firedAt", "time"),
            ("resolvedAt", "time|null"),
            ("seconds", "number"),
        ],
    ),
    (
        "TestedNotifications",
        &[("total", "integer"), ("receivers", "[TestedReceiver]")],
    ),
    (
        "TestedReceiver",
        &[
            ("receiver", "string"),
            ("total", "integer"),
            ("perHour", "number"),
            ("worstHour", "Hour|null"),
            ("hours", "[Hour]"),
        ],
    ),
    ("Hour", &[("start", "time"), ("count", "integer")]),
    (
        "TestedIncidents",
        &[
            ("detected", "integer"),
            ("missed", "integer"),
            ("outside", "integer"),
            ("medianDelaySeconds", "number|null"),
            ("earlySeconds", "number"),
            ("fired", "integer"),
            ("falseAlarms", "integer"),
            ("byRule", "[FalseAlarms]"),
            ("list", "[TestedIncident]"),
        ],
    ),
    (
        "FalseAlarms",
        &[
            ("file", "string"),
            ("group", "string"),
            ("name", "string"),
            ("fired", "integer"),
            ("falseAlarms", "integer"),
        ],
    ),
    (
        "TestedIncident",
        &[
            ("name", "string"),
            ("start", "time"),
            ("end", "time|null"),
            ("detectedAt", "time|null"),
            ("delaySeconds", "number|null"),
            ("alert", "string|null"),
            ("labels", "any"),
            ("alerts", "integer"),
        ],
    ),
    (
        "AlertEvent",
        &[
            ("at", "time"),
            ("fingerprint", "string"),
            ("labels", "{string}"),
            ("change", "string"),
            ("detail", "string"),
        ],
    ),
    (
        "Explanation",
        &[
            ("fingerprint", "string"),
            ("labels", "{string}|null"),
            ("alert", "any"),
            ("rule", "any"),
            ("state", "string"),
            ("flapping", "boolean"),
            ("inhibitedBy", "any"),
            ("silencedBy", "[any]"),
            ("routes", "[ExplainedRoute]"),
            ("attempts", "[Attempt]"),
            ("history", "[AlertEvent]"),
        ],
    ),
    (
        "ExplainedRoute",
        &[
            ("route", "string"),
            ("receiver", "string"),
            ("groupKey", "string"),
            ("groupLabels", "{string}"),
            ("nextFlush", "time|null"),
            ("mutedBy", "[string]"),
            ("groupWait", "string"),
            ("groupInterval", "string"),
            ("repeatInterval", "string"),
            ("integrations", "[ExplainedIntegration]"),
        ],
    ),
    (
        "ExplainedIntegration",
        &[
            ("name", "string"),
            ("verdict", "string"),
            ("groupToldAt", "time|null"),
            ("toldFiring", "boolean"),
            ("toldResolved", "boolean"),
            ("pendingAttempts", "integer|null"),
            ("nextAttempt", "time|null"),
            ("failingSince", "time|null"),
            ("error", "string|null"),
        ],
    ),
    (
        "WouldMute",
        &[
            ("since", "time"),
            ("firing", "integer"),
            ("alerts", "integer"),
            ("list", "[MutedAlert]"),
        ],
    ),
    (
        "MutedAlert",
        &[
            ("labels", "{string}"),
            ("fingerprint", "string"),
            ("firing", "boolean"),
            ("fired", "integer"),
            ("last", "time"),
        ],
    ),
    (
        "Recurrence",
        &[
            ("id", "string"),
            ("matchers", "[any]"),
            ("window", "any"),
            ("until", "time|null"),
            ("createdBy", "string"),
            ("comment", "string"),
            ("createdAt", "time"),
            ("next", "time|null"),
        ],
    ),
    (
        "Incident",
        &[
            ("id", "string"),
            ("status", "string"),
            ("severity", "string"),
            ("title", "string"),
            ("labels", "{string}"),
            ("openedAt", "time"),
            ("acknowledgedAt", "time|null"),
            ("acknowledgedBy", "string|null"),
            ("resolvedAt", "time|null"),
            ("resolvedBy", "string|null"),
            ("timeline", "[Entry]"),
            ("timelineOmitted", "integer"),
            ("alerts", "[FollowedAlert]"),
        ],
    ),
    (
        "Entry",
        &[
            ("at", "time"),
            ("kind", "string"),
            ("who", "string|null"),
            ("text", "string"),
        ],
    ),
    (
        "FollowedAlert",
        &[("labels", "{string}"), ("startsAt", "time")],
    ),
];

/// All named shapes as schemas.
pub(super) fn components() -> Value {
    let entry = |(name, fields): &Named| ((*name).to_owned(), object(fields));
    SHAPES.iter().map(entry).collect()
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
