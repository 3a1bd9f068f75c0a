//! The templates in labels and annotations of alerting rules.
//!
//! They are parsed once, when the file is read, and expanded for every series of a result. A template
//! that fails leaves its error as the text, as in Prometheus: an alert with a strange text is better than
//! none.

use gotemplate::functions::prometheus::{self, Context, DEFINITIONS, Sample};
use gotemplate::{FunctionMap, Limits, MissingKey, Template, Value};
use model::{Labels, Timestamp};
use promql::{Engine, QueryValue};
use std::sync::Arc;

/// Samples that one `query` in a template may hold; a text for people needs few.
const QUERY_SAMPLES_MAX: usize = 10_000;

/// A label's or annotation's text.
#[derive(Clone, Debug)]
enum Text {
    /// It has no action: it is what it says.
    Plain(String),
    /// It is expanded.
    Parsed(Template),
    /// It could not be parsed; the checker has said so.
    Wrong(String),
}

/// The templates of one rule, by the names of its labels and annotations.
#[derive(Clone, Debug)]
pub struct AlertTemplates {
    name: String,
    labels: Vec<(String, Text)>,
    annotations: Vec<(String, Text)>,
}

impl AlertTemplates {
    /// Parses the templates of the alert `name`.
    #[must_use]
    pub fn parse(
        name: &str,
        labels: &[(String, String)],
        annotations: &[(String, String)],
    ) -> Self {
        let name = template_name(name);
        let texts = |pairs: &[(String, String)]| {
            let text = |(key, text): &(String, String)| (key.clone(), Text::parse(&name, text));
            pairs.iter().map(text).collect()
        };
        Self {
            labels: texts(labels),
            annotations: texts(annotations),
            name,
        }
    }
}

impl Text {
    fn parse(name: &str, text: &str) -> Self {
        if !text.contains("{{") {
            return Self::Plain(text.to_owned());
        }
        match parse(name, text) {
            Ok(template) => Self::Parsed(template),
            Err(error) => Self::Wrong(format!("error parsing template {name}: {error}")),
        }
    }

    /// The same text with the functions of an evaluation.
    fn with(&self, functions: &FunctionMap) -> Self {
        match self {
            Self::Parsed(template) => Self::Parsed(template.clone().functions(functions)),
            Self::Plain(_) | Self::Wrong(_) => self.clone(),
        }
    }
}

/// Checks a text of the alert `alert`; the error is Go's.
pub fn check(alert: &str, text: &str) -> Result<(), gotemplate::Error> {
    parse(&template_name(alert), text).map(|_| ())
}

fn template_name(alert: &str) -> String {
    format!("__alert_{alert}")
}

fn parse(name: &str, text: &str) -> Result<Template, gotemplate::Error> {
    // The functions only need to be known here; the real ones take their place when it is executed.
    let known = prometheus::functions(&Context::default(), |_| Ok(Vec::new()));
    let mut template = Template::new(name)
        .functions(&known)
        .missing_key(MissingKey::Zero);
    template.parse(&format!("{DEFINITIONS}{text}"))?;
    Ok(template)
}

/// What templates can ask of their surroundings.
#[derive(Clone)]
pub struct Surroundings {
    /// Evaluates `query`.
    pub engine: Engine,
    /// What `query` reads.
    pub source: Arc<dyn model::Source>,
    /// `$externalLabels`
    pub external_labels: Labels,
    /// `$externalURL`
    pub external_url: String,
}

/// Expands the templates of a rule for the series of one evaluation.
pub struct Expander<'a> {
    name: &'a str,
    context: Context,
    external_labels: Vec<(String, String)>,
    /// The templates with the functions of this evaluation.
    labels: Vec<(&'a str, Text)>,
    annotations: Vec<(&'a str, Text)>,
}

impl<'a> Expander<'a> {
    /// Prepares for the evaluation at `now`.
    #[must_use]
    pub fn new(templates: &'a AlertTemplates, surroundings: &Surroundings, now: Timestamp) -> Self {
        let context = Context {
            external_url: surroundings.external_url.clone(),
            now_ms: now.millis(),
        };
        let (engine, source) = (
            surroundings.engine.clone(),
            Arc::clone(&surroundings.source),
        );
        let query = move |text: &str| query(&engine, source.as_ref(), text, now);
        let functions = prometheus::functions(&context, query);
        let prepare = |texts: &'a [(String, Text)]| {
            let text = |(name, text): &'a (String, Text)| (name.as_str(), text.with(&functions));
            texts.iter().map(text).collect()
        };
        Self {
            name: &templates.name,
            labels: prepare(&templates.labels),
            annotations: prepare(&templates.annotations),
            external_labels: pairs(&surroundings.external_labels),
            context,
        }
    }

    /// The rule's labels and annotations for one series with its value; both in order of names.
    #[must_use]
    #[expect(clippy::type_complexity, reason = "two lists of names and texts")]
    pub fn expand(
        &self,
        labels: &Labels,
        value: &model::Value,
    ) -> (Vec<(&'a str, String)>, Vec<(&'a str, String)>) {
        let data = prometheus::alert_data(
            &pairs(labels),
            &self.external_labels,
            &self.context,
            shown(value),
        );
        let expand = |texts: &[(&'a str, Text)]| {
            let texts = texts.iter();
            texts
                .map(|(name, text)| (*name, self.text(text, &data)))
                .collect()
        };
        (expand(&self.labels), expand(&self.annotations))
    }

    fn text(&self, text: &Text, data: &Value) -> String {
        let template = match text {
            Text::Plain(text) => return text.clone(),
            Text::Wrong(error) => return failed(error),
            Text::Parsed(template) => template,
        };
        let name = self.name;
        template
            .execute(name, data, &Limits::default())
            .unwrap_or_else(|error| {
                tracing::warn!(template = name, %error, "expanding alert template failed");
                failed(&format!("error executing template {name}: {error}"))
            })
    }
}

fn failed(error: &str) -> String {
    format!("<error expanding template: {error}>")
}

fn pairs(labels: &Labels) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    labels.iter().map(owned).collect()
}

/// Evaluates a template's `query`.
fn query(
    engine: &Engine,
    source: &dyn model::Source,
    text: &str,
    now: Timestamp,
) -> Result<Vec<Sample>, String> {
    let expr = promql::parse(text).map_err(|error| error.to_string())?;
    let result = engine
        .instant(source, &expr, now)
        .map_err(|error| error.to_string())?;
    match result.value {
        QueryValue::Scalar { value, .. } => Ok(vec![Sample {
            labels: Vec::new(),
            value,
        }]),
        QueryValue::Vector(series) if series.len() > QUERY_SAMPLES_MAX => Err(format!(
            "query gave {} series, a template may use {QUERY_SAMPLES_MAX}",
            series.len()
        )),
        QueryValue::Vector(series) => Ok(series
            .iter()
            .map(|sample| Sample {
                labels: pairs(&sample.labels),
                value: float(&sample.value),
            })
            .collect()),
        QueryValue::Matrix(_) | QueryValue::String { .. } => {
            Err("rule result is not a vector or scalar".to_owned())
        }
    }
}

/// The value that a template sees: of a histogram how upstream prints it.
fn shown(value: &model::Value) -> Value {
    match value {
        model::Value::Float(float) => Value::Float(*float),
        model::Value::Histogram(histogram) => Value::str(promql::histogram_text(histogram)),
    }
}

/// The number that stands for a value; histograms have none.
pub(crate) fn float(value: &model::Value) -> f64 {
    match value {
        model::Value::Float(float) => *float,
        model::Value::Histogram(_) => 0.0,
    }
}

#[cfg(test)]
mod tests;
