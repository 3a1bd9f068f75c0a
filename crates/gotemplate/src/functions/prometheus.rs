//! The functions and data of Prometheus' rule templates.

use std::sync::Arc;

use super::text::{Rest, title};
use super::{
    NOTHING, ONE_ANY, ONE_STRING, THREE_STRINGS, TWO_STRINGS, network, number, regex, string,
};
use crate::builtins::escape::url_query;
use crate::value::{Class, FunctionMap, List, Map, STRING_MAP, Signature, Type, Value, no_methods};

static SAMPLE: Class = Class::structure("*template.sample", no_methods);
static QUERY_RESULT: Class = Class {
    name: "template.queryResult",
    underlying: "[]*template.sample",
    element: Type::Class(&SAMPLE),
    methods: no_methods,
};
static ALERT_DATA: Class = Class::structure(
    "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }",
    no_methods,
);

const ONE_SAMPLE: Signature = Signature {
    fixed: &[Type::Class(&SAMPLE)],
    variadic: None,
};
const ONE_RESULT: Signature = Signature {
    fixed: &[Type::Class(&QUERY_RESULT)],
    variadic: None,
};
const LABEL_SAMPLE: Signature = Signature {
    fixed: &[Type::String, Type::Class(&SAMPLE)],
    variadic: None,
};
const LABEL_RESULT: Signature = Signature {
    fixed: &[Type::String, Type::Class(&QUERY_RESULT)],
    variadic: None,
};

/// The variables that Prometheus puts before the text of every rule template.
pub const DEFINITIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
     {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// One element of a query's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels, `__name__` among them.
    pub labels: Vec<(String, String)>,
    /// Its value.
    pub value: f64,
}

/// What the functions know about their surroundings.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// URL under which users reach the server.
    pub external_url: String,
    /// Time of the evaluation, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Returns the value that a rule's template is executed on, for a sample with this value; see [`DEFINITIONS`].
pub fn alert_data(
    labels: &[(String, String)],
    external_labels: &[(String, String)],
    context: &Context,
    value: Value,
) -> Value {
    let map = |pairs: &[(String, String)]| {
        Value::string_map(pairs.iter().map(|(name, value)| (name, value)))
    };
    Value::record(
        &ALERT_DATA,
        vec![
            ("Labels", map(labels)),
            ("ExternalLabels", map(external_labels)),
            ("ExternalURL", Value::str(&context.external_url)),
            ("Value", value),
        ],
    )
}

/// Returns all functions; `query` evaluates PromQL at the time of the evaluation.
pub fn functions(
    context: &Context,
    query: impl Fn(&str) -> Result<Vec<Sample>, String> + Send + Sync + 'static,
) -> FunctionMap {
    let mut table = FunctionMap::new();
    table.insert("query", ONE_STRING, move |args| {
        query(string(args, 0)).map(result_value)
    });
    add_context(&mut table, context);
    add_samples(&mut table);
    add_texts(&mut table);
    table.insert("humanize", ONE_ANY, number::humanize);
    table.insert("humanize1024", ONE_ANY, number::humanize_1024);
    table.insert("humanizeDuration", ONE_ANY, number::humanize_duration);
    table.insert("humanizePercentage", ONE_ANY, number::humanize_percentage);
    table.insert("humanizeTimestamp", ONE_ANY, number::humanize_timestamp);
    table.insert("toTime", ONE_ANY, number::to_time);
    table.insert("toDuration", ONE_ANY, number::to_duration);
    table.insert("parseDuration", ONE_STRING, number::parse_duration);
    table
}

fn result_value(samples: Vec<Sample>) -> Value {
    let sample = |sample: Sample| {
        let labels = Map::from_strings(&STRING_MAP, sample.labels);
        Value::record(
            &SAMPLE,
            vec![
                ("Labels", Value::Map(labels)),
                ("Value", Value::Float(sample.value)),
            ],
        )
    };
    Value::List(List::new(
        &QUERY_RESULT,
        samples.into_iter().map(sample).collect(),
    ))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of any real date are exact"
)]
fn add_context(table: &mut FunctionMap, context: &Context) {
    let now = context.now_ms as f64 / 1000.0;
    let url: Arc<str> = Arc::from(context.external_url.as_str());
    let path: Arc<str> = Arc::from(network::url_path(&url));
    table.insert("now", NOTHING, move |_| Ok(Value::Float(now)));
    table.insert("pathPrefix", NOTHING, move |_| Ok(Value::Str(path.clone())));
    table.insert("externalURL", NOTHING, move |_| Ok(Value::Str(url.clone())));
}

fn add_samples(table: &mut FunctionMap) {
    table.insert("first", ONE_RESULT, |args| match args.first() {
        Some(Value::List(list)) if !list.items().is_empty() => {
            Ok(list.items().first().cloned().unwrap_or_default())
        }
        _ => Err("first() called on vector with no elements".into()),
    });
    table.insert("label", LABEL_SAMPLE, |args| {
        label(args.get(1), string(args, 0))
    });
    table.insert("strvalue", ONE_SAMPLE, |args| {
        label(args.first(), "__value__")
    });
    table.insert("value", ONE_SAMPLE, |args| {
        field(args.first(), "Value").cloned()
    });
    table.insert("sortByLabel", LABEL_RESULT, |args| {
        let Some(Value::List(list)) = args.get(1) else {
            return Ok(args.get(1).cloned().unwrap_or_default());
        };
        let name = string(args, 0);
        let key = |sample: &Value| {
            label(Some(sample), name).map(|label| label.as_str().unwrap_or("").to_owned())
        };
        let mut keyed = Vec::with_capacity(list.items().len());
        for sample in list.items() {
            keyed.push((key(sample)?, sample.clone()));
        }
        keyed.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(Value::List(List::new(
            list.class(),
            keyed.into_iter().map(|(_, sample)| sample).collect(),
        )))
    });
    table.insert("args", Signature::variadic(&[], Type::Any), |args| {
        let entries = args
            .iter()
            .enumerate()
            .map(|(index, value)| (Arc::from(format!("arg{index}")), value.clone()));
        Ok(Value::map(entries.collect()))
    });
}

fn field<'a>(sample: Option<&'a Value>, name: &str) -> Result<&'a Value, String> {
    match sample {
        Some(Value::Record(record)) => record.field(name).ok_or_else(|| format!("no field {name}")),
        _ => Err("runtime error: invalid memory address or nil pointer dereference".into()),
    }
}

fn label(sample: Option<&Value>, name: &str) -> Result<Value, String> {
    let Value::Map(labels) = field(sample, "Labels")? else {
        return Ok(Value::str(""));
    };
    Ok(labels
        .entries()
        .get(name)
        .cloned()
        .unwrap_or_else(|| Value::str("")))
}

fn add_texts(table: &mut FunctionMap) {
    table.insert("reReplaceAll", THREE_STRINGS, regex::replace_all);
    table.insert("match", TWO_STRINGS, regex::matches);
    table.insert("safeHtml", ONE_STRING, |args| {
        Ok(Value::html(string(args, 0)))
    });
    table.insert("title", ONE_STRING, |args| {
        Ok(title(string(args, 0), Rest::Keep).into())
    });
    table.insert("toUpper", ONE_STRING, |args| {
        Ok(string(args, 0).to_uppercase().into())
    });
    table.insert("toLower", ONE_STRING, |args| {
        Ok(string(args, 0).to_lowercase().into())
    });
    table.insert("graphLink", ONE_STRING, |args| {
        Ok(link(string(args, 0), 0).into())
    });
    table.insert("tableLink", ONE_STRING, |args| {
        Ok(link(string(args, 0), 1).into())
    });
    table.insert("stripPort", ONE_STRING, |args| {
        Ok(Value::str(network::strip_port(string(args, 0))))
    });
    table.insert("stripDomain", ONE_STRING, |args| {
        Ok(network::strip_domain(string(args, 0)).into())
    });
    table.insert("urlQueryEscape", ONE_STRING, |args| {
        Ok(url_query(string(args, 0)).into())
    });
}

/// The relative link to an expression's graph (tab 0) or table (tab 1).
fn link(expression: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", url_query(expression))
}
