//! The paths and what each answers.

/// What an answer is made of.
pub(super) enum Content {
    /// `{"status":"success","data":…}`
    Envelope(&'static str),
    /// JSON without the envelope.
    Json(&'static str),
    /// A JSON value in each line.
    Lines(&'static str),
    /// A JSON value in each server-sent event.
    Events(&'static str),
    /// A page for people.
    Page,
    /// 204 and no body.
    Nothing,
    /// 200 and no body.
    Empty,
}

/// A path.
pub(super) struct Path {
    pub(super) path: &'static str,
    pub(super) methods: &'static [&'static str],
    pub(super) summary: &'static str,
    /// Pairs of name (with `!` where it must be given, in braces where it stands in the path) and example.
    pub(super) parameters: &'static [(&'static str, &'static str)],
    pub(super) content: Content,
    /// An example of the JSON that is sent, where some is.
    pub(super) body: Option<&'static str>,
}

impl Path {
    const fn takes(self, body: &'static str) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }
}

const GET: &[&str] = &["get"];
const BOTH: &[&str] = &["get", "post"];
const POST: &[&str] = &["post"];
const PUT_TOO: &[&str] = &["post", "put"];
const DELETE: &[&str] = &["delete"];
const NONE: &[(&str, &str)] = &[];

const SELECTION: &[(&str, &str)] = &[
    ("match[]", "up"),
    ("start", "0"),
    ("end", "4000000000"),
    ("limit", "10"),
];

const fn path(
    path: &'static str,
    methods: &'static [&'static str],
    summary: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    content: Content,
) -> Path {
    Path {
        path,
        methods,
        summary,
        parameters,
        content,
        body: None,
    }
}

/// All of them.
#[rustfmt::skip]
pub(super) const PATHS: &[Path] = &[
    path("/api/v1/query", BOTH, "Evaluates an expression at one moment",
        &[("query!", "up"), ("time", "4000000000"), ("timeout", "10s"), ("limit", "10"), ("lookback_delta", "5m"), ("stats", "all")],
        Content::Envelope("QueryData")),
    path("/api/v1/query_range", BOTH, "Evaluates an expression over a range of time",
        &[("query!", "up"), ("start!", "1700000000"), ("end!", "1700000600"), ("step!", "15s"), ("timeout", "10s"), ("limit", "10"),
            ("lookback_delta", "5m"), ("stats", "all")],
        Content::Envelope("QueryData")),
    path("/api/v1/query_exemplars", BOTH, "Finds single observations behind the series of an expression",
        &[("query!", "up"), ("start", "0"), ("end", "4000000000")], Content::Envelope("[SeriesExemplars]")),
    path("/api/v1/format_query", BOTH, "Prints an expression in its usual form", &[("query!", "sum(up)by(job)")], Content::Envelope("string")),
    path("/api/v1/parse_query", BOTH, "Takes an expression apart", &[("query!", "sum(up)by(job)")], Content::Envelope("any")),
    path("/api/v1/series", BOTH, "Lists series",
        &[("match[]!", "up"), ("start", "0"), ("end", "4000000000"), ("limit", "10")], Content::Envelope("[{string}]")),
    path("/api/v1/labels", BOTH, "Lists names of labels", SELECTION, Content::Envelope("[string]")),
    path("/api/v1/label/{name}/values", GET, "Lists the values of a label",
        &[("{name}", "job"), ("match[]", "up"), ("limit", "10")], Content::Envelope("[string]")),
    path("/api/v1/search/metric_names", BOTH, "Searches for names of metrics",
        &[("search[]", "up"), ("include_score", "true"), ("include_metadata", "true"), ("sort_by", "score"), ("limit", "10")],
        Content::Lines("FoundLine")),
    path("/api/v1/search/label_names", BOTH, "Searches for names of labels",
        &[("search[]", "jo"), ("fuzz_alg", "jarowinkler"), ("fuzz_threshold", "50")], Content::Lines("FoundLine")),
    path("/api/v1/search/label_values", BOTH, "Searches for values of a label",
        &[("label!", "job"), ("search[]", "a"), ("case_sensitive", "false"), ("batch_size", "1")], Content::Lines("FoundLine")),
    path("/api/v1/targets", GET, "Lists targets", &[("state", "active"), ("scrapePool", "app")], Content::Envelope("Targets")),
    path("/api/v1/targets/metadata", GET, "Lists what targets say of their metrics",
        &[("match_target", "{job=\"app\"}"), ("metric", "requests_total"), ("limit", "10")], Content::Envelope("[TargetMetadata]")),
    path("/api/v1/targets/relabel_steps", GET, "Shows what each relabelling rule makes of labels",
        &[("scrapePool!", "app"), ("labels!", "{\"__address__\":\"a:1\"}")], Content::Envelope("RelabelSteps")),
    path("/api/v1/scrape_pools", GET, "Lists jobs", NONE, Content::Envelope("ScrapePools")),
    path("/api/v1/metadata", GET, "Lists what is said of metrics",
        &[("metric", "up"), ("limit", "10"), ("limit_per_metric", "1")], Content::Envelope("{[Metadata]}")),
    path("/api/v1/rules", GET, "Lists rules",
        &[("type", "alert"), ("rule_name[]", "TargetDown"), ("rule_group[]", "app"), ("file[]", "x"), ("match[]", "{a=\"b\"}"),
            ("exclude_alerts", "true"), ("group_limit", "1")],
        Content::Envelope("Rules")),
    path("/api/v1/alerts", GET, "Lists alerts of rules", NONE, Content::Envelope("Alerts")),
    path("/api/v1/alertmanagers", GET, "Lists the Alertmanagers that alerts are sent to", NONE, Content::Envelope("Alertmanagers")),
    path("/api/v1/status/config", GET, "Shows the configuration in force", NONE, Content::Envelope("ConfigText")),
    path("/api/v1/status/flags", GET, "Shows the flags in force", NONE, Content::Envelope("{string}")),
    path("/api/v1/status/buildinfo", GET, "Says what was built", NONE, Content::Envelope("BuildInfo")),
    path("/api/v1/status/runtimeinfo", GET, "Says how the process stands", NONE, Content::Envelope("RuntimeInfo")),
    path("/api/v1/status/tsdb", GET, "Counts the head", &[("limit", "5")], Content::Envelope("StoreStatus")),
    path("/api/v1/status/tsdb/blocks", GET, "Lists blocks on disk", NONE, Content::Envelope("Blocks")),
    path("/api/v1/status/walreplay", GET, "Says how far replay has come", NONE, Content::Envelope("Replay")),
    path("/api/v1/features", GET, "Says what this server can do", NONE, Content::Envelope("{{boolean}}")),
    path("/api/v1/notifications", GET, "Lists what the server has to tell", NONE, Content::Envelope("[Notification]")),
    path("/api/v1/notifications/live", GET, "Streams what the server has to tell", NONE, Content::Events("Notification")),
    path("/api/v1/admin/tsdb/snapshot", PUT_TOO, "Makes a snapshot", &[("skip_head", "true")], Content::Envelope("Snapshot")),
    path("/api/v1/admin/tsdb/delete_series", PUT_TOO, "Deletes samples",
        &[("match[]!", "no_such_series"), ("start", "0"), ("end", "1")], Content::Nothing),
    path("/api/v1/admin/tsdb/clean_tombstones", PUT_TOO, "Frees the space of deleted samples", NONE, Content::Nothing),
    path("/api/binnacle/v1/status", GET, "Says how the program stands", NONE, Content::Json("Status")),
    path("/api/binnacle/v1/notifications", GET, "Lists attempts to tell somebody", &[("limit", "10")], Content::Json("Attempts")),
    path("/api/binnacle/v1/rules/backtest", POST, "Says what rules would have said about a span of time",
        &[("since!", "10m"), ("start", "0"), ("end", "600"), ("rules", "groups: [{name: g, rules: [{alert: A, expr: up}]}]"),
            ("file", "rules.yml"), ("incidents", "incidents: [{start: 60, end: 120}]"), ("incidentsFile", "list.yml")],
        Content::Json("Backtest")),
    path("/api/binnacle/v1/alerts/history", GET, "Lists what became of alerts",
        &[("filter", "alertname=TargetDown"), ("start", "0"), ("end", "4000000000"), ("fingerprint", "0123456789abcdef"), ("limit", "10")],
        Content::Json("[AlertEvent]")),
    path("/api/binnacle/v1/alerts/pending", GET, "Lists alerts whose condition holds, but not for long enough yet",
        &[("limit", "10")], Content::Json("PendingAlerts")),
    path("/api/binnacle/v1/alerts/flapping", GET, "Lists alerts that come and go so often that their ends are held back",
        &[("limit", "10")], Content::Json("FlappingAlerts")),
    path("/api/binnacle/v1/alerts/{fingerprint}/explain", GET, "Says why somebody was told of an alert, or was not",
        &[("{fingerprint}", "0123456789abcdef")], Content::Json("Explanation")),
    path("/api/binnacle/v1/silences/would-mute", GET, "Lists what a silence would mute, and would have muted",
        &[("filter!", "alertname=TargetDown"), ("since", "30d")], Content::Json("WouldMute")),
    path("/api/binnacle/v1/silences/recurring", GET, "Lists silences that come again", NONE, Content::Json("[Recurrence]")),
    path("/api/binnacle/v1/silences/recurring", POST, "Makes a silence that comes again, or replaces the one with this id",
        NONE, Content::Json("Made"))
        .takes(r#"{"id":"9c0d6f7e-5d5c-4a53-9a3e-3f0f5d1c7b10","matchers":[{"name":"alertname","value":"Backup","isEqual":true,"isRegex":false}],
            "window":{"weekdays":["saturday"],"times":[{"start_time":"02:00","end_time":"04:00"}],"location":"Europe/Berlin"},
            "createdBy":"ann","comment":"weekly backup"}"#),
    path("/api/binnacle/v1/silences/recurring/{id}", DELETE, "Ends a silence that comes again",
        &[("{id}", "9c0d6f7e-5d5c-4a53-9a3e-3f0f5d1c7b10")], Content::Empty),
    path("/api/binnacle/v1/receivers/{name}/test", POST, "Sends a marked test to a receiver",
        &[("{name}", "everyone"), ("resolve", "true")], Content::Json("[Trial]")),
    path("/api/binnacle/v1/packs", GET, "Lists rule packs and which of them are evaluated", NONE, Content::Json("Packs")),
    path("/api/binnacle/v1/incidents", GET, "Lists incidents",
        &[("status", "open"), ("limit", "10"), ("timeline", "true")], Content::Json("[Incident]")),
    path("/api/binnacle/v1/incidents/{id}", GET, "Shows an incident", &[("{id}", "1")], Content::Json("Incident")),
    path("/api/binnacle/v1/incidents/{id}/acknowledge", POST, "Says that somebody is on it", &[("{id}", "1")], Content::Json("Incident"))
        .takes(r#"{"author":"ann"}"#),
    path("/api/binnacle/v1/incidents/{id}/notes", POST, "Adds a line to the timeline of an incident", &[("{id}", "1")],
        Content::Json("Incident")).takes(r#"{"author":"ann","text":"looking at the disk"}"#),
    path("/api/binnacle/v1/incidents/{id}/resolve", POST, "Closes an incident by hand", &[("{id}", "1")], Content::Json("Incident"))
        .takes(r#"{"author":"ann"}"#),
    path("/runbooks", GET, "Lists the runbooks of rule packs", NONE, Content::Page),
    path("/runbooks/{name}", GET, "Shows the runbook of a rule pack", &[("{name}", "host")], Content::Page),
];
