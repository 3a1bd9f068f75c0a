//! Go's time.Duration: a number of nanoseconds with methods and its own text form.

use super::{Class, Method, Signature, Type, Value};

/// `time.Duration`
pub static DURATION: Class = Class {
    name: "time.Duration",
    underlying: "int64",
    element: Type::Any,
    methods: || METHODS,
};

const NOTHING: Signature = Signature::of(&[]);
const ONE_DURATION: Signature = Signature {
    fixed: &[Type::Class(&DURATION)],
    variadic: None,
};

static METHODS: &[Method] = &[
    Method {
        name: "String",
        signature: NOTHING,
        call: |it, _| Ok(duration_text(nanoseconds(it)).into()),
    },
    Method {
        name: "Nanoseconds",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(nanoseconds(it))),
    },
    Method {
        name: "Microseconds",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(nanoseconds(it) / 1_000)),
    },
    Method {
        name: "Milliseconds",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(nanoseconds(it) / 1_000_000)),
    },
    Method {
        name: "Seconds",
        signature: NOTHING,
        call: |it, _| Ok(Value::Float(in_units(it, 1_000_000_000))),
    },
    Method {
        name: "Minutes",
        signature: NOTHING,
        call: |it, _| Ok(Value::Float(in_units(it, 60_000_000_000))),
    },
    Method {
        name: "Hours",
        signature: NOTHING,
        call: |it, _| Ok(Value::Float(in_units(it, 3_600_000_000_000))),
    },
    Method {
        name: "Abs",
        signature: NOTHING,
        call: |it, _| {
            Ok(Value::duration(
                nanoseconds(it).checked_abs().unwrap_or(i64::MAX),
            ))
        },
    },
    Method {
        name: "Truncate",
        signature: ONE_DURATION,
        call: |it, arguments| {
            Ok(Value::duration(truncate(
                nanoseconds(it),
                argument(arguments),
            )))
        },
    },
    Method {
        name: "Round",
        signature: ONE_DURATION,
        call: |it, arguments| Ok(Value::duration(round(nanoseconds(it), argument(arguments)))),
    },
];

/// Formats a duration as Go does: `1h2m3.5s`, `1.5ms`, `0s`.
pub fn duration_text(nanoseconds: i64) -> String {
    let size = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    if size == 0 {
        return "0s".into();
    }
    if size < 1_000 {
        return format!("{sign}{size}ns");
    }
    if size < 1_000_000 {
        return format!("{sign}{}µs", decimal(size, 1_000));
    }
    if size < 1_000_000_000 {
        return format!("{sign}{}ms", decimal(size, 1_000_000));
    }
    let minutes = size / 60_000_000_000;
    let seconds = decimal(size % 60_000_000_000, 1_000_000_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// Writes `amount / unit` with as many decimals as it has; `unit` is a power of ten.
fn decimal(amount: u64, unit: u64) -> String {
    let (whole, rest) = (amount / unit, amount % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = usize::try_from(unit.ilog10()).unwrap_or(0);
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

fn nanoseconds(value: &Value) -> i64 {
    match value {
        Value::NamedInt(_, nanoseconds) => *nanoseconds,
        _ => 0,
    }
}

fn argument(arguments: &[Value]) -> i64 {
    arguments.first().map_or(0, nanoseconds)
}

/// Go divides whole units and the rest apart, so that short durations stay exact.
#[expect(
    clippy::cast_precision_loss,
    reason = "Go rounds to the nearest float here too"
)]
fn in_units(value: &Value, unit: i64) -> f64 {
    let nanoseconds = nanoseconds(value);
    (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64
}

fn truncate(nanoseconds: i64, unit: i64) -> i64 {
    if unit <= 0 {
        nanoseconds
    } else {
        nanoseconds - nanoseconds % unit
    }
}

fn round(nanoseconds: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return nanoseconds;
    }
    let rest = nanoseconds % unit;
    let down = nanoseconds - rest;
    if rest.unsigned_abs() * 2 < unit.unsigned_abs() {
        return down;
    }
    if nanoseconds < 0 {
        down.saturating_sub(unit)
    } else {
        down.saturating_add(unit)
    }
}
