//! Times and durations in parameters: seconds with a fraction, or RFC 3339; durations also as `5m`.

use crate::answer::Failure;
use crate::params::Params;
use model::Timestamp;

/// The earliest time that a parameter may name (upstream's `minTime`, rounded to whole seconds).
const SECONDS_LIMIT: f64 = 9_223_372_036_854_775.0;

/// A time parameter, or `default` where it is absent.
pub(crate) fn time(params: &Params, name: &str, default: Timestamp) -> Result<Timestamp, Failure> {
    params
        .get(name)
        .map_or(Ok(default), |text| parse(name, text))
}

/// A time that must be given.
pub(crate) fn required(params: &Params, name: &str) -> Result<Timestamp, Failure> {
    parse(name, params.get(name).unwrap_or_default())
}

/// A time of this name.
pub(crate) fn parse(name: &str, text: &str) -> Result<Timestamp, Failure> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
        && seconds.abs() <= SECONDS_LIMIT
    {
        return Ok(Timestamp::from_seconds(seconds));
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_millis(moment.as_millisecond()));
    }
    Err(Failure::bad_data(format!(
        "invalid parameter {name:?}: cannot parse {text:?} to a valid timestamp"
    )))
}

/// A duration in milliseconds: seconds with a fraction or Prometheus' form; `None` where it is absent.
pub(crate) fn duration_ms(params: &Params, name: &str) -> Result<Option<i64>, Failure> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
        && seconds.abs() <= SECONDS_LIMIT
    {
        return Ok(Some(model::number::float_to_i64(seconds * 1000.0)));
    }
    model::parse_duration(text).map(Some).map_err(|_reason| {
        Failure::bad_data(format!(
            "invalid parameter {name:?}: cannot parse {text:?} to a valid duration"
        ))
    })
}

/// RFC 3339 with milliseconds, as JavaScript and our own API read and write it.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    at.to_string()
}
