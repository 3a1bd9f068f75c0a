//! Attributes as labels, and their values as texts.

use super::data::{AnyValue, Exemplar, ResourceMetrics, Scope, millis};
use super::names::label_name;
use super::{Promoted, Settings};
use model::{Labels, METRIC_NAME, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Characters that the labels of an exemplar may have together.
const EXEMPLAR_CHARACTERS_MAX: usize = 128;

pub(super) const SERVICE_NAME: &str = "service.name";
pub(super) const SERVICE_NAMESPACE: &str = "service.namespace";
pub(super) const SERVICE_INSTANCE: &str = "service.instance.id";
/// What job and instance are made of.
pub(super) const IDENTIFYING: [&str; 3] = [SERVICE_NAMESPACE, SERVICE_NAME, SERVICE_INSTANCE];

/// Names and values, each name once.
pub(super) type LabelMap = BTreeMap<String, String>;

/// The labels that all series of a resource and scope have.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// Promoted attributes: what a point says wins.
    promoted: LabelMap,
    /// Scope, job and instance: they win.
    fixed: LabelMap,
}

impl Common {
    pub(super) fn of_resource(
        resource: &ResourceMetrics<'_>,
        settings: &Settings,
    ) -> Result<Self, String> {
        let mut common = Self::default();
        for (name, value) in &resource.attributes {
            let is_promoted = match &settings.promoted {
                Promoted::Only(names) => names.iter().any(|n| n == name),
                Promoted::AllBut(names) => names.iter().all(|n| n != name),
            };
            if is_promoted {
                let name = label_name(name, settings)?.into_owned();
                common.promoted.entry(name).or_insert(text(value));
            }
        }
        common.identify(resource);
        Ok(common)
    }

    /// The same without promoted attributes, for `target_info`.
    pub(super) fn identity(resource: &ResourceMetrics<'_>) -> Self {
        let mut common = Self::default();
        common.identify(resource);
        common
    }

    fn identify(&mut self, resource: &ResourceMetrics<'_>) {
        let get = |wanted: &str| {
            let found = resource.attributes.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| text(value))
        };
        if let Some(name) = get(SERVICE_NAME) {
            let job = match get(SERVICE_NAMESPACE) {
                Some(namespace) => format!("{namespace}/{name}"),
                None => name,
            };
            self.fixed.insert("job".to_owned(), job);
        }
        if let Some(instance) = get(SERVICE_INSTANCE) {
            self.fixed.insert("instance".to_owned(), instance);
        }
    }

    /// Whether anything tells the resource from others.
    pub(super) fn has_identity(&self) -> bool {
        let said = |name| self.fixed.get(name).is_some_and(|value| !value.is_empty());
        said("job") || said("instance")
    }

    /// These labels with those of a scope, where scopes are promoted and it has a name.
    pub(super) fn with_scope(
        &self,
        scope: &Scope<'_>,
        settings: &Settings,
    ) -> Result<Self, String> {
        let mut common = Self {
            promoted: self.promoted.clone(),
            fixed: LabelMap::new(),
        };
        if settings.promote_scope && !scope.name.is_empty() {
            let fields = [
                ("otel_scope_name", scope.name),
                ("otel_scope_version", scope.version),
                ("otel_scope_schema_url", scope.schema_url),
            ];
            for (name, value) in fields {
                common.fixed.insert(name.to_owned(), value.to_owned());
            }
            for (name, value) in &scope.attributes {
                let name = format!("otel_scope_{name}");
                let name = label_name(&name, settings)?.into_owned();
                common.fixed.insert(name, text(value));
            }
        }
        common.fixed.extend(self.fixed.clone());
        Ok(common)
    }

    /// The labels of a point, its metric's name not among them. Attributes whose names become the same are joined, in
    /// the order of their own names.
    pub(super) fn labels_of(
        &self,
        attributes: &[(&str, AnyValue<'_>)],
        settings: &Settings,
    ) -> Result<LabelMap, String> {
        let mut sorted: Vec<&(&str, AnyValue<'_>)> = attributes.iter().collect();
        sorted.sort_by_key(|(name, _)| *name);
        let mut labels = LabelMap::new();
        for (name, value) in sorted {
            let value = text(value);
            let name = label_name(name, settings)?;
            match labels.get_mut(name.as_ref()) {
                Some(joined) => {
                    let joined: &mut String = joined;
                    joined.push(';');
                    joined.push_str(&value);
                }
                None => drop(labels.insert(name.into_owned(), value)),
            }
        }
        for (name, value) in &self.promoted {
            labels.entry(name.clone()).or_insert_with(|| value.clone());
        }
        labels.extend(self.fixed.clone());
        Ok(labels)
    }
}

/// Labels with a metric's name, and one more label where the series is one of several.
pub(super) fn named(labels: &LabelMap, name: &str, extra: Option<(&str, &str)>) -> Labels {
    let own = [Some((METRIC_NAME, name)), extra];
    let own: Vec<(&str, &str)> = own.into_iter().flatten().collect();
    let others = labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| own.iter().all(|(o, _)| o != name));
    let mut pairs: Vec<(&str, &str)> = others.chain(own.iter().copied()).collect();
    pairs.sort_unstable();
    Labels::from_pairs(pairs)
}

/// Exemplars with trace and span; other attributes where there is room for them.
pub(super) fn exemplars(sent: &[Exemplar<'_>]) -> Vec<model::Exemplar> {
    sent.iter().map(exemplar).collect()
}

fn exemplar(sent: &Exemplar<'_>) -> model::Exemplar {
    let mut labels = LabelMap::new();
    let ids = [("trace_id", &sent.trace_id), ("span_id", &sent.span_id)];
    for (name, id) in ids {
        if id.bytes().any(|digit| digit != b'0') {
            labels.insert(name.to_owned(), id.clone());
        }
    }
    let attributes = sent.attributes.iter();
    let attributes: LabelMap = attributes
        .map(|(n, v)| ((*n).to_owned(), text(v)))
        .collect();
    let length = |labels: &LabelMap| -> usize {
        let pairs = labels.iter();
        pairs
            .map(|(name, value)| name.chars().count() + value.chars().count())
            .sum()
    };
    if length(&labels) + length(&attributes) <= EXEMPLAR_CHARACTERS_MAX {
        for (name, value) in attributes {
            labels.entry(name).or_insert(value);
        }
    }
    model::Exemplar {
        labels: Labels::from_pairs(labels),
        value: sent.value,
        timestamp: Some(Timestamp::from_millis(millis(sent.nanos))),
    }
}

/// A value as text: lists and maps in JSON, bytes in base64.
pub(super) fn text(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Empty => String::new(),
        AnyValue::Text(text) => (*text).to_owned(),
        AnyValue::Bytes(base64) => base64.clone(),
        AnyValue::Bool(_)
        | AnyValue::Int(_)
        | AnyValue::Double(_)
        | AnyValue::List(_)
        | AnyValue::Map(_) => {
            let mut out = String::new();
            write_json(&mut out, value);
            out
        }
    }
}

fn write_json(out: &mut String, value: &AnyValue<'_>) {
    match value {
        AnyValue::Empty => out.push_str("null"),
        AnyValue::Text(text) => write_text(out, text),
        AnyValue::Bytes(base64) => write_text(out, base64),
        AnyValue::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        // Writing to a String cannot fail.
        AnyValue::Int(number) => drop(write!(out, "{number}")),
        AnyValue::Double(number) => out.push_str(&double_text(*number)),
        AnyValue::List(values) => {
            out.push('[');
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(out, value);
            }
            out.push(']');
        }
        AnyValue::Map(pairs) => {
            let sorted: BTreeMap<&str, &AnyValue<'_>> =
                pairs.iter().map(|(name, value)| (*name, value)).collect();
            out.push('{');
            for (i, (name, value)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_text(out, name);
                out.push(':');
                write_json(out, value);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// As JavaScript and Go's JSON print a number: an exponent below 1e-6 and from 1e21 on.
fn double_text(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() {
        return model::format_float(number);
    }
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    if size >= 1.0 {
        text.replacen('e', "e+", 1)
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{AnyValue, text};

    #[test]
    fn prints_values() {
        let check = |value: AnyValue<'_>, want: &str| assert_eq!(text(&value), want);
        check(AnyValue::Text("a\"b"), "a\"b");
        check(AnyValue::Bool(true), "true");
        check(AnyValue::Int(-5), "-5");
        check(AnyValue::Double(1.0), "1");
        check(AnyValue::Double(0.1), "0.1");
        check(AnyValue::Double(1e21), "1e+21");
        check(AnyValue::Double(1e-7), "1e-7");
        check(AnyValue::Empty, "");
        let list = vec![AnyValue::Text("a\"b"), AnyValue::Int(1), AnyValue::Empty];
        let map = AnyValue::Map(vec![
            ("b", AnyValue::List(list)),
            ("a", AnyValue::Bool(false)),
        ]);
        check(map, r#"{"a":false,"b":["a\"b",1,null]}"#);
    }
}
