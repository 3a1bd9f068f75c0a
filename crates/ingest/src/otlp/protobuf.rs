//! Reads `ExportMetricsServiceRequest` in protocol buffers. Source: opentelemetry-proto, metrics/v1/metrics.proto.

use super::data::{
    AnyValue, Buckets, Budget, DEPTH_MAX, Data, DecodeError, Exemplar, Explicit, Exponential,
    Metric, Number, Request, ResourceMetrics, Scope, ScopeMetrics, Summary, Temporality,
};
use crate::protobuf::{Message, ProtobufError, Wire};
use base64::Engine as _;
use model::number::i64_to_float;
use std::fmt::Write as _;

type Read<T> = Result<T, DecodeError>;

/// Decodes a body.
pub fn decode_protobuf(body: &[u8]) -> Result<Request<'_>, DecodeError> {
    let mut budget = Budget::new();
    let mut request = Request::default();
    let mut message = Message::new(body);
    while let Some((field, wire)) = message.next_field()? {
        if field == 1 {
            let resource = resource_metrics(message.message(wire)?, &mut budget)?;
            request.resources.push(resource);
        }
    }
    Ok(request)
}

fn resource_metrics<'a>(
    mut message: Message<'a>,
    budget: &mut Budget,
) -> Read<ResourceMetrics<'a>> {
    budget.take_parts(1)?;
    let mut found = ResourceMetrics::default();
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => {
                let mut resource = message.message(wire)?;
                while let Some((field, wire)) = resource.next_field()? {
                    if field == 1 {
                        let pair = key_value(resource.message(wire)?, (budget, DEPTH_MAX))?;
                        found.attributes.push(pair);
                    }
                }
            }
            2 => found
                .scopes
                .push(scope_metrics(message.message(wire)?, budget)?),
            _ => {}
        }
    }
    Ok(found)
}

fn scope_metrics<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<ScopeMetrics<'a>> {
    budget.take_parts(1)?;
    let mut found = ScopeMetrics::default();
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => {
                let schema_url = found.scope.schema_url;
                found.scope = Scope {
                    schema_url,
                    ..scope(message.message(wire)?, budget)?
                };
            }
            2 => found.metrics.push(metric(message.message(wire)?, budget)?),
            3 => found.scope.schema_url = text(&message, wire)?,
            _ => {}
        }
    }
    Ok(found)
}

fn scope<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<Scope<'a>> {
    let mut scope = Scope::default();
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => scope.name = text(&message, wire)?,
            2 => scope.version = text(&message, wire)?,
            3 => {
                let pair = key_value(message.message(wire)?, (budget, DEPTH_MAX))?;
                scope.attributes.push(pair);
            }
            _ => {}
        }
    }
    Ok(scope)
}

/// A text; bytes that are none are an error, as in any other reader.
fn text<'a>(message: &Message<'a>, wire: Wire<'a>) -> Result<&'a str, ProtobufError> {
    let bytes = message.bytes(wire)?;
    std::str::from_utf8(bytes).map_err(|_invalid| ProtobufError::NotUtf8)
}

fn metric<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<Metric<'a>> {
    budget.take_parts(1)?;
    let mut metric = Metric::default();
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => metric.name = text(&message, wire)?,
            2 => metric.description = text(&message, wire)?,
            3 => metric.unit = text(&message, wire)?,
            5 | 7 | 9 | 10 | 11 => {
                metric.data = data(field, message.message(wire)?, budget)?;
            }
            _ => {}
        }
    }
    Ok(metric)
}

fn data<'a>(which: u64, mut message: Message<'a>, budget: &mut Budget) -> Read<Data<'a>> {
    let (mut numbers, mut explicits) = (Vec::new(), Vec::new());
    let (mut exponentials, mut summaries) = (Vec::new(), Vec::new());
    let (mut temporality, mut is_monotonic) = (Temporality::Unspecified, false);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => {
                budget.take_point()?;
                let point = message.message(wire)?;
                match which {
                    9 => explicits.push(explicit(point, budget)?),
                    10 => exponentials.push(exponential(point, budget)?),
                    11 => summaries.push(summary(point, budget)?),
                    _ => numbers.push(number(point, budget)?),
                }
            }
            2 => temporality = Temporality::from_number(message.unsigned(wire)?),
            3 => is_monotonic = message.unsigned(wire)? != 0,
            _ => {}
        }
    }
    Ok(match which {
        5 => Data::Gauge(numbers),
        7 => Data::Sum {
            points: numbers,
            temporality,
            is_monotonic,
        },
        9 => Data::Histogram(explicits, temporality),
        10 => Data::Exponential(exponentials, temporality),
        _ => Data::Summary(summaries),
    })
}

/// A number: an `sfixed64` or a `double`.
fn as_int(message: &Message<'_>, wire: Wire<'_>) -> Result<f64, ProtobufError> {
    let bits = message.fixed64(wire)?;
    Ok(i64_to_float(bits.cast_signed()))
}

fn number<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<Number<'a>> {
    let mut found = Number::default();
    while let Some((field, wire)) = message.next_field()? {
        let point = &mut found.point;
        match field {
            2 => point.start_nanos = message.fixed64(wire)?,
            3 => point.nanos = message.fixed64(wire)?,
            4 => found.value = message.double(wire)?,
            5 => point
                .exemplars
                .push(exemplar(message.message(wire)?, budget)?),
            6 => found.value = as_int(&message, wire)?,
            7 => point
                .attributes
                .push(key_value(message.message(wire)?, (budget, DEPTH_MAX))?),
            8 => point.flags = message.unsigned(wire)?,
            _ => {}
        }
    }
    Ok(found)
}

fn explicit<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<Explicit<'a>> {
    let mut found = Explicit::default();
    while let Some((field, wire)) = message.next_field()? {
        let point = &mut found.point;
        match field {
            2 => point.start_nanos = message.fixed64(wire)?,
            3 => point.nanos = message.fixed64(wire)?,
            4 => found.count = message.fixed64(wire)?,
            5 => found.sum = Some(message.double(wire)?),
            6 => message.fixed64s(wire, &mut found.bucket_counts)?,
            7 => message.doubles(wire, &mut found.bounds)?,
            8 => point
                .exemplars
                .push(exemplar(message.message(wire)?, budget)?),
            9 => point
                .attributes
                .push(key_value(message.message(wire)?, (budget, DEPTH_MAX))?),
            10 => point.flags = message.unsigned(wire)?,
            _ => {}
        }
    }
    budget.take_parts(found.bucket_counts.len() + found.bounds.len())?;
    Ok(found)
}

fn exponential<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<Exponential<'a>> {
    let mut found = Exponential::default();
    while let Some((field, wire)) = message.next_field()? {
        let point = &mut found.point;
        match field {
            1 => point
                .attributes
                .push(key_value(message.message(wire)?, (budget, DEPTH_MAX))?),
            2 => point.start_nanos = message.fixed64(wire)?,
            3 => point.nanos = message.fixed64(wire)?,
            4 => found.count = message.fixed64(wire)?,
            5 => found.sum = Some(message.double(wire)?),
            6 => found.scale = message.sint32(wire)?,
            7 => found.zero_count = message.fixed64(wire)?,
            8 => found.positive = buckets(message.message(wire)?, budget)?,
            9 => found.negative = buckets(message.message(wire)?, budget)?,
            10 => point.flags = message.unsigned(wire)?,
            11 => point
                .exemplars
                .push(exemplar(message.message(wire)?, budget)?),
            14 => found.zero_threshold = message.double(wire)?,
            _ => {}
        }
    }
    Ok(found)
}

fn buckets(mut message: Message<'_>, budget: &mut Budget) -> Read<Buckets> {
    let mut found = Buckets::default();
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => found.offset = message.sint32(wire)?,
            2 => message.uint64s(wire, &mut found.counts)?,
            _ => {}
        }
    }
    budget.take_parts(found.counts.len())?;
    Ok(found)
}

fn summary<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<Summary<'a>> {
    let mut found = Summary::default();
    while let Some((field, wire)) = message.next_field()? {
        let point = &mut found.point;
        match field {
            2 => point.start_nanos = message.fixed64(wire)?,
            3 => point.nanos = message.fixed64(wire)?,
            4 => found.count = message.fixed64(wire)?,
            5 => found.sum = message.double(wire)?,
            6 => {
                budget.take_parts(1)?;
                let mut pair = message.message(wire)?;
                let (mut quantile, mut value) = (0.0, 0.0);
                while let Some((field, wire)) = pair.next_field()? {
                    match field {
                        1 => quantile = pair.double(wire)?,
                        2 => value = pair.double(wire)?,
                        _ => {}
                    }
                }
                found.quantiles.push((quantile, value));
            }
            7 => point
                .attributes
                .push(key_value(message.message(wire)?, (budget, DEPTH_MAX))?),
            8 => point.flags = message.unsigned(wire)?,
            _ => {}
        }
    }
    Ok(found)
}

fn exemplar<'a>(mut message: Message<'a>, budget: &mut Budget) -> Read<Exemplar<'a>> {
    budget.take_parts(1)?;
    let mut found = Exemplar::default();
    while let Some((field, wire)) = message.next_field()? {
        match field {
            2 => found.nanos = message.fixed64(wire)?,
            3 => found.value = message.double(wire)?,
            4 => found.span_id = hexadecimal(message.bytes(wire)?),
            5 => found.trace_id = hexadecimal(message.bytes(wire)?),
            6 => found.value = as_int(&message, wire)?,
            7 => {
                let pair = key_value(message.message(wire)?, (budget, DEPTH_MAX))?;
                found.attributes.push(pair);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Lower-case digits. Ids have 8 or 16 bytes; more of them are cut off.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(16) {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

fn key_value<'a>(
    mut message: Message<'a>,
    (budget, depth): (&mut Budget, usize),
) -> Read<(&'a str, AnyValue<'a>)> {
    budget.take_parts(1)?;
    let (mut key, mut value) = ("", AnyValue::Empty);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => key = text(&message, wire)?,
            2 => value = any_value(message.message(wire)?, (budget, depth))?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn any_value<'a>(
    mut message: Message<'a>,
    (budget, depth): (&mut Budget, usize),
) -> Read<AnyValue<'a>> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(DecodeError::TooMany {
            what: "attributes within each other",
            max: DEPTH_MAX,
        });
    };
    let mut value = AnyValue::Empty;
    while let Some((field, wire)) = message.next_field()? {
        value = match field {
            1 => AnyValue::Text(text(&message, wire)?),
            2 => AnyValue::Bool(message.unsigned(wire)? != 0),
            3 => AnyValue::Int(message.int64(wire)?),
            4 => AnyValue::Double(message.double(wire)?),
            5 => list(message.message(wire)?, (budget, depth))?,
            6 => map(message.message(wire)?, (budget, depth))?,
            7 => AnyValue::Bytes(
                base64::engine::general_purpose::STANDARD.encode(message.bytes(wire)?),
            ),
            _ => value,
        };
    }
    Ok(value)
}

fn list<'a>(mut message: Message<'a>, (budget, depth): (&mut Budget, usize)) -> Read<AnyValue<'a>> {
    let mut values = Vec::new();
    while let Some((field, wire)) = message.next_field()? {
        if field == 1 {
            budget.take_parts(1)?;
            values.push(any_value(message.message(wire)?, (budget, depth))?);
        }
    }
    Ok(AnyValue::List(values))
}

fn map<'a>(mut message: Message<'a>, (budget, depth): (&mut Budget, usize)) -> Read<AnyValue<'a>> {
    let mut pairs = Vec::new();
    while let Some((field, wire)) = message.next_field()? {
        if field == 1 {
            pairs.push(key_value(message.message(wire)?, (budget, depth))?);
        }
    }
    Ok(AnyValue::Map(pairs))
}
