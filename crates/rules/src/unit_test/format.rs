//! The format of test files. Unknown fields are mistakes.

use config::decode;
use config::{Fields, Node, Problems};
use gotemplate::Time;
use model::{Labels, Timestamp};

/// A test file.
pub(super) struct TestFile {
    pub(super) rule_files: Vec<String>,
    pub(super) evaluation_interval_ms: i64,
    pub(super) group_eval_order: Vec<String>,
    pub(super) fuzzy_compare: bool,
    pub(super) tests: Vec<Test>,
}

/// Series and what is expected of them.
pub(super) struct Test {
    pub(super) name: String,
    /// Between the values of the series; the evaluation interval where absent.
    pub(super) interval_ms: Option<i64>,
    pub(super) start: Timestamp,
    pub(super) input_series: Vec<InputSeries>,
    pub(super) alert_tests: Vec<AlertTest>,
    pub(super) expr_tests: Vec<ExprTest>,
    pub(super) external_labels: Labels,
    pub(super) external_url: String,
}

/// A series and its values, in PromQL's notation.
pub(super) struct InputSeries {
    pub(super) series: String,
    pub(super) values: String,
}

/// Which alerts of a name fire at a moment.
#[derive(Clone)]
pub(super) struct AlertTest {
    pub(super) eval_time_ms: i64,
    pub(super) alertname: String,
    pub(super) alerts: Vec<ExpectedAlert>,
}

/// An alert without its name.
#[derive(Clone)]
pub(super) struct ExpectedAlert {
    pub(super) labels: Labels,
    pub(super) annotations: Labels,
}

/// What an expression gives at a moment.
pub(super) struct ExprTest {
    pub(super) expr: String,
    pub(super) eval_time_ms: i64,
    pub(super) samples: Vec<ExpectedSample>,
}

/// A series with its value; with a histogram the value does not count.
pub(super) struct ExpectedSample {
    pub(super) labels: String,
    pub(super) value: f64,
    pub(super) histogram: String,
}

/// Between two evaluations where the file does not say; promtool's default.
const EVALUATION_INTERVAL_MS: i64 = 60_000;

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<TestFile> {
    let mut fields = Fields::of(node, "unit test file", problems)?;
    let interval = fields.read("evaluation_interval", decode::duration_ms);
    let file = TestFile {
        rule_files: fields.read_list("rule_files", decode::string),
        evaluation_interval_ms: interval
            .filter(|interval| *interval > 0)
            .unwrap_or(EVALUATION_INTERVAL_MS),
        group_eval_order: fields.read_list("group_eval_order", decode::string),
        fuzzy_compare: fields
            .read("fuzzy_compare", decode::boolean)
            .unwrap_or(false),
        tests: fields.read_list("tests", test),
    };
    fields.finish();
    Some(file)
}

fn test(node: &Node, problems: &mut Problems) -> Option<Test> {
    let mut fields = Fields::of(node, "test group", problems)?;
    let test = Test {
        name: fields.read("name", decode::string).unwrap_or_default(),
        interval_ms: fields
            .read("interval", decode::duration_ms)
            .filter(|interval| *interval > 0),
        start: fields.read("start_timestamp", moment).unwrap_or_default(),
        input_series: fields.read_list("input_series", input_series),
        alert_tests: fields.read_list("alert_rule_test", alert_test),
        expr_tests: fields.read_list("promql_expr_test", expr_test),
        external_labels: fields
            .read("external_labels", decode::labels)
            .unwrap_or_default(),
        external_url: fields
            .read("external_url", decode::string)
            .unwrap_or_default(),
    };
    fields.finish();
    Some(test)
}

/// Seconds since 1970, or a moment as RFC 3339 writes it.
fn moment(node: &Node, problems: &mut Problems) -> Option<Timestamp> {
    let text = decode::string(node, problems)?;
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(Timestamp::from_seconds(seconds));
    }
    match Time::parse("2006-01-02T15:04:05Z07:00", &text) {
        Ok(time) => Some(Timestamp::from_millis(time.timestamp().as_millisecond())),
        Err(error) => {
            problems.add(node.position, error);
            None
        }
    }
}

fn input_series(node: &Node, problems: &mut Problems) -> Option<InputSeries> {
    let mut fields = Fields::of(node, "series", problems)?;
    let series = InputSeries {
        series: fields.read("series", decode::string).unwrap_or_default(),
        values: fields.read("values", decode::string).unwrap_or_default(),
    };
    fields.finish();
    Some(series)
}

fn alert_test(node: &Node, problems: &mut Problems) -> Option<AlertTest> {
    let mut fields = Fields::of(node, "alert test case", problems)?;
    let test = AlertTest {
        eval_time_ms: fields.read("eval_time", decode::duration_ms).unwrap_or(0),
        alertname: fields.read("alertname", decode::string).unwrap_or_default(),
        alerts: fields.read_list("exp_alerts", expected_alert),
    };
    fields.finish();
    Some(test)
}

fn expected_alert(node: &Node, problems: &mut Problems) -> Option<ExpectedAlert> {
    let mut fields = Fields::of(node, "alert", problems)?;
    let labels = fields.read("exp_labels", decode::labels);
    let annotations = fields.read("exp_annotations", decode::labels);
    fields.finish();
    Some(ExpectedAlert {
        labels: labels.unwrap_or_default(),
        annotations: annotations.unwrap_or_default(),
    })
}

fn expr_test(node: &Node, problems: &mut Problems) -> Option<ExprTest> {
    let mut fields = Fields::of(node, "promql test case", problems)?;
    let test = ExprTest {
        expr: fields.read("expr", decode::string).unwrap_or_default(),
        eval_time_ms: fields.read("eval_time", decode::duration_ms).unwrap_or(0),
        samples: fields.read_list("exp_samples", expected_sample),
    };
    fields.finish();
    Some(test)
}

fn expected_sample(node: &Node, problems: &mut Problems) -> Option<ExpectedSample> {
    let mut fields = Fields::of(node, "sample", problems)?;
    let sample = ExpectedSample {
        labels: fields.read("labels", decode::string).unwrap_or_default(),
        value: fields.read("value", decode::float).unwrap_or(0.0),
        histogram: fields.read("histogram", decode::string).unwrap_or_default(),
    };
    fields.finish();
    Some(sample)
}
