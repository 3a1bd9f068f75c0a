//! Reads `ExportMetricsServiceRequest` in JSON: names in lowerCamelCase, 64-bit whole numbers as texts or numbers, ids
//! in hexadecimal, enumerations as numbers. What is unknown is passed over. Source: the OTLP specification, "JSON
//! Protobuf Encoding".

use super::data::{
    AnyValue, Buckets, Budget, DEPTH_MAX, Data, DecodeError, Exemplar, Explicit, Exponential,
    Metric, Number, Point, Request, ResourceMetrics, Scope, ScopeMetrics, Summary, Temporality,
};
use model::number::i64_to_float;
use serde_json::Value;

type Read<T> = Result<T, DecodeError>;

/// Decodes a document, which `serde_json` has read.
pub fn decode_json(document: &Value) -> Result<Request<'_>, DecodeError> {
    if !document.is_object() {
        return Err(wrong("the request", "an object"));
    }
    let mut budget = Budget::new();
    let mut request = Request::default();
    for resource in list(document, "resourceMetrics")? {
        budget.take_parts(1)?;
        let mut found = ResourceMetrics {
            attributes: match resource.get("resource") {
                Some(inner) => attributes(inner, "attributes", (&mut budget, DEPTH_MAX))?,
                None => Vec::new(),
            },
            scopes: Vec::new(),
        };
        for scope in list(resource, "scopeMetrics")? {
            found.scopes.push(scope_metrics(scope, &mut budget)?);
        }
        request.resources.push(found);
    }
    Ok(request)
}

fn wrong(what: &str, expected: &str) -> DecodeError {
    DecodeError::Json(format!("{what} is not {expected}"))
}

/// The elements of a field, none where it is absent.
fn list<'a>(object: &'a Value, name: &str) -> Read<&'a [Value]> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(wrong(name, "a list")),
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Read<&'a str> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(wrong(name, "a text")),
    }
}

/// A whole number, which may stand in quotes; 0 where it is absent.
fn unsigned(object: &Value, name: &str) -> Read<u64> {
    object
        .get(name)
        .map_or(Ok(0), |value| to_unsigned(value, name))
}

fn to_unsigned(value: &Value, name: &str) -> Read<u64> {
    let number = match value {
        Value::Null => Some(0),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| wrong(name, "a whole number"))
}

fn signed(object: &Value, name: &str) -> Read<i64> {
    object
        .get(name)
        .map_or(Ok(0), |value| to_signed(value, name))
}

fn to_signed(value: &Value, name: &str) -> Read<i64> {
    let number = match value {
        Value::Null => Some(0),
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| wrong(name, "a whole number"))
}

fn double(object: &Value, name: &str) -> Read<Option<f64>> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => to_double(value, name).map(Some),
    }
}

fn to_double(value: &Value, name: &str) -> Read<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            other => other.parse().ok(),
        },
        _ => None,
    };
    number.ok_or_else(|| wrong(name, "a number"))
}

fn small(object: &Value, name: &str) -> Read<i32> {
    i32::try_from(signed(object, name)?).map_err(|_large| wrong(name, "a 32-bit number"))
}

fn scope_metrics<'a>(value: &'a Value, budget: &mut Budget) -> Read<ScopeMetrics<'a>> {
    budget.take_parts(1)?;
    let mut scope = Scope {
        schema_url: text(value, "schemaUrl")?,
        ..Scope::default()
    };
    if let Some(inner) = value.get("scope") {
        scope.name = text(inner, "name")?;
        scope.version = text(inner, "version")?;
        scope.attributes = attributes(inner, "attributes", (budget, DEPTH_MAX))?;
    }
    let mut metrics = Vec::new();
    for value in list(value, "metrics")? {
        budget.take_parts(1)?;
        metrics.push(Metric {
            name: text(value, "name")?,
            description: text(value, "description")?,
            unit: text(value, "unit")?,
            data: data(value, budget)?,
        });
    }
    Ok(ScopeMetrics { scope, metrics })
}

fn data<'a>(metric: &'a Value, budget: &mut Budget) -> Read<Data<'a>> {
    if let Some(gauge) = metric.get("gauge") {
        return Ok(Data::Gauge(points(gauge, budget, number)?));
    }
    let temporality =
        |value: &Value| unsigned(value, "aggregationTemporality").map(Temporality::from_number);
    if let Some(sum) = metric.get("sum") {
        return Ok(Data::Sum {
            points: points(sum, budget, number)?,
            temporality: temporality(sum)?,
            is_monotonic: sum.get("isMonotonic").and_then(Value::as_bool) == Some(true),
        });
    }
    if let Some(histogram) = metric.get("histogram") {
        let points = points(histogram, budget, explicit)?;
        return Ok(Data::Histogram(points, temporality(histogram)?));
    }
    if let Some(histogram) = metric.get("exponentialHistogram") {
        let points = points(histogram, budget, exponential)?;
        return Ok(Data::Exponential(points, temporality(histogram)?));
    }
    if let Some(found) = metric.get("summary") {
        return Ok(Data::Summary(points(found, budget, summary)?));
    }
    Ok(Data::None)
}

fn points<'a, T>(
    value: &'a Value,
    budget: &mut Budget,
    read: impl Fn(&'a Value, &mut Budget) -> Read<T>,
) -> Read<Vec<T>> {
    let mut found = Vec::new();
    for value in list(value, "dataPoints")? {
        budget.take_point()?;
        found.push(read(value, budget)?);
    }
    Ok(found)
}

fn point<'a>(value: &'a Value, budget: &mut Budget) -> Read<Point<'a>> {
    let mut exemplars = Vec::new();
    for value in list(value, "exemplars")? {
        budget.take_parts(1)?;
        exemplars.push(Exemplar {
            attributes: attributes(value, "filteredAttributes", (budget, DEPTH_MAX))?,
            nanos: unsigned(value, "timeUnixNano")?,
            value: number_value(value)?,
            span_id: id(value, "spanId")?,
            trace_id: id(value, "traceId")?,
        });
    }
    Ok(Point {
        attributes: attributes(value, "attributes", (budget, DEPTH_MAX))?,
        start_nanos: unsigned(value, "startTimeUnixNano")?,
        nanos: unsigned(value, "timeUnixNano")?,
        flags: unsigned(value, "flags")?,
        exemplars,
    })
}

fn id(value: &Value, name: &str) -> Read<String> {
    let text = text(value, name)?;
    if text.len() > 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong(name, "hexadecimal"));
    }
    Ok(text.to_ascii_lowercase())
}

fn number_value(value: &Value) -> Read<f64> {
    match double(value, "asDouble")? {
        Some(number) => Ok(number),
        None => Ok(i64_to_float(signed(value, "asInt")?)),
    }
}

fn number<'a>(value: &'a Value, budget: &mut Budget) -> Read<Number<'a>> {
    Ok(Number {
        point: point(value, budget)?,
        value: number_value(value)?,
    })
}

fn counts(value: &Value, name: &str, budget: &mut Budget) -> Read<Vec<u64>> {
    let values = list(value, name)?;
    budget.take_parts(values.len())?;
    values.iter().map(|v| to_unsigned(v, name)).collect()
}

fn explicit<'a>(value: &'a Value, budget: &mut Budget) -> Read<Explicit<'a>> {
    let bounds = list(value, "explicitBounds")?;
    budget.take_parts(bounds.len())?;
    Ok(Explicit {
        point: point(value, budget)?,
        count: unsigned(value, "count")?,
        sum: double(value, "sum")?,
        bucket_counts: counts(value, "bucketCounts", budget)?,
        bounds: bounds
            .iter()
            .map(|bound| to_double(bound, "explicitBounds"))
            .collect::<Read<_>>()?,
    })
}

fn exponential<'a>(value: &'a Value, budget: &mut Budget) -> Read<Exponential<'a>> {
    let mut side = |name: &str| -> Read<Buckets> {
        match value.get(name) {
            None | Some(Value::Null) => Ok(Buckets::default()),
            Some(side) => Ok(Buckets {
                offset: small(side, "offset")?,
                counts: counts(side, "bucketCounts", budget)?,
            }),
        }
    };
    let (positive, negative) = (side("positive")?, side("negative")?);
    Ok(Exponential {
        point: point(value, budget)?,
        count: unsigned(value, "count")?,
        sum: double(value, "sum")?,
        scale: small(value, "scale")?,
        zero_count: unsigned(value, "zeroCount")?,
        zero_threshold: double(value, "zeroThreshold")?.unwrap_or_default(),
        positive,
        negative,
    })
}

fn summary<'a>(value: &'a Value, budget: &mut Budget) -> Read<Summary<'a>> {
    let mut quantiles = Vec::new();
    for pair in list(value, "quantileValues")? {
        budget.take_parts(1)?;
        let quantile = double(pair, "quantile")?.unwrap_or_default();
        quantiles.push((quantile, double(pair, "value")?.unwrap_or_default()));
    }
    Ok(Summary {
        point: point(value, budget)?,
        count: unsigned(value, "count")?,
        sum: double(value, "sum")?.unwrap_or_default(),
        quantiles,
    })
}

fn attributes<'a>(
    object: &'a Value,
    name: &str,
    (budget, depth): (&mut Budget, usize),
) -> Read<Vec<(&'a str, AnyValue<'a>)>> {
    let mut pairs = Vec::new();
    for pair in list(object, name)? {
        budget.take_parts(1)?;
        let value = match pair.get("value") {
            Some(value) => any_value(value, (budget, depth))?,
            None => AnyValue::Empty,
        };
        pairs.push((text(pair, "key")?, value));
    }
    Ok(pairs)
}

fn any_value<'a>(value: &'a Value, (budget, depth): (&mut Budget, usize)) -> Read<AnyValue<'a>> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(DecodeError::TooMany {
            what: "attributes within each other",
            max: DEPTH_MAX,
        });
    };
    let Value::Object(fields) = value else {
        return Ok(AnyValue::Empty);
    };
    let Some((name, inner)) = fields.iter().next() else {
        return Ok(AnyValue::Empty);
    };
    match (name.as_str(), inner) {
        ("stringValue", Value::String(text)) => Ok(AnyValue::Text(text)),
        ("boolValue", Value::Bool(flag)) => Ok(AnyValue::Bool(*flag)),
        ("intValue", number) => to_signed(number, name).map(AnyValue::Int),
        ("doubleValue", number) => to_double(number, name).map(AnyValue::Double),
        ("bytesValue", Value::String(text)) => Ok(AnyValue::Bytes(text.clone())),
        ("arrayValue", array) => {
            let mut values = Vec::new();
            for value in list(array, "values")? {
                budget.take_parts(1)?;
                values.push(any_value(value, (budget, depth))?);
            }
            Ok(AnyValue::List(values))
        }
        ("kvlistValue", map) => {
            let pairs = attributes(map, "values", (budget, depth))?;
            Ok(AnyValue::Map(pairs))
        }
        (other, Value::Null) => Err(wrong(other, "a value")),
        (other, _) => Err(DecodeError::Json(format!("{other} is no kind of value"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{double, unsigned};
    use model::number::u64_to_float;
    use serde_json::json;

    #[test]
    fn reads_numbers() {
        let check = |value: serde_json::Value, want: Option<u64>| {
            let object = json!({ "a": value });
            assert_eq!(unsigned(&object, "a").ok(), want, "{object}");
            let number = double(&object, "a").ok().flatten();
            assert_eq!(number, want.map(u64_to_float), "{object}");
        };
        check(json!(5), Some(5));
        check(json!("18446744073709551615"), Some(u64::MAX));
        check(json!("x"), None);
        check(json!([]), None);
        let object = json!({"a": "NaN", "b": "-Infinity", "c": -2});
        assert!(double(&object, "a").is_ok_and(|a| a.is_some_and(f64::is_nan)));
        assert_eq!(double(&object, "b"), Ok(Some(f64::NEG_INFINITY)));
        assert!(unsigned(&object, "c").is_err());
    }
}
