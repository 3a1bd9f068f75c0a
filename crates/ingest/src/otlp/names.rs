//! Names of metrics and labels: from OpenTelemetry's to Prometheus'.
//!
//! The rules are those of Prometheus' otlptranslator, to the character.

use super::Settings;
use std::borrow::Cow;

/// Units as words. Source: UCUM by way of the compatibility specification.
const UNITS: [(&str, &str); 26] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];
/// What stands behind a slash.
const PER_UNITS: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// What decides on the suffix of a metric's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Gauge,
    MonotonicSum,
    Other,
}

/// The name of a metric. Fails where nothing is left of it.
pub(super) fn metric_name(
    name: &str,
    unit: &str,
    shape: Shape,
    settings: &Settings,
) -> Result<String, String> {
    let strategy = settings.strategy;
    let built = match (strategy.keeps_utf8(), strategy.adds_suffixes()) {
        (true, false) => name.to_owned(),
        (true, true) => with_suffixes(name, unit, shape),
        (false, true) => escaped_with_suffixes(name, unit, shape),
        (false, false) => {
            let is_separator = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
            let tokens: Vec<&str> = name.split(is_separator).filter(|t| !t.is_empty()).collect();
            guarded(tokens.join("_"))
        }
    };
    if built.bytes().all(|byte| byte == b'_') {
        return Err(format!("nothing is left of the metric name {name:?}"));
    }
    Ok(built)
}

/// Nothing begins with a digit.
fn guarded(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("_{name}");
    }
    name
}

fn escaped_with_suffixes(name: &str, unit: &str, shape: Shape) -> String {
    let is_separator = |c: char| !(c.is_ascii_alphanumeric() || c == ':');
    let mut tokens: Vec<Cow<'_, str>> = name
        .split(is_separator)
        .filter(|token| !token.is_empty())
        .map(Cow::Borrowed)
        .collect();
    let (main, per) = unit_suffixes(unit);
    add_unit(&mut tokens, &clean(&main), &clean(&per));
    let mut move_to_end = |word: &'static str| {
        tokens.retain(|token| token != word);
        tokens.push(Cow::Borrowed(word));
    };
    if shape == Shape::MonotonicSum {
        move_to_end("total");
    }
    if unit == "1" && shape == Shape::Gauge {
        move_to_end("ratio");
    }
    guarded(tokens.join("_"))
}

fn add_unit(tokens: &mut Vec<Cow<'_, str>>, main: &str, per: &str) {
    let has = |tokens: &[Cow<'_, str>], word: &str| tokens.iter().any(|token| token == word);
    let add_main = !main.is_empty() && !has(tokens, main);
    let add_per = !per.is_empty() && !has(tokens, per);
    if add_main {
        let main = if add_per {
            main.strip_suffix('_').unwrap_or(main)
        } else {
            main
        };
        tokens.push(Cow::Owned(main.to_owned()));
    }
    if add_per {
        tokens.push(Cow::Borrowed("per"));
        tokens.push(Cow::Owned(per.to_owned()));
    }
}

/// The words for a unit and for what it is measured by; empty where there is none, or a note in braces.
fn unit_suffixes(unit: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    (word(main, &UNITS), word(per, &PER_UNITS))
}

fn word<'u>(unit: &'u str, known: &[(&'static str, &'static str)]) -> Cow<'u, str> {
    let unit = unit.trim();
    if unit.contains(['{', '}']) {
        return Cow::Borrowed("");
    }
    let found = known.iter().find(|(short, _)| *short == unit);
    found.map_or(Cow::Borrowed(unit), |(_, long)| Cow::Borrowed(*long))
}

/// What is no letter or digit becomes an underscore, several become one, none stands first.
fn clean(unit: &str) -> String {
    let mut text = String::new();
    for c in unit.chars() {
        let c = if c.is_ascii_alphanumeric() || c == ':' {
            c
        } else {
            '_'
        };
        if c != '_' || !text.ends_with('_') {
            text.push(c);
        }
    }
    text.strip_prefix('_').map(str::to_owned).unwrap_or(text)
}

fn with_suffixes(name: &str, unit: &str, shape: Shape) -> String {
    let (main, per) = unit_suffixes(unit);
    let per = if per.is_empty() {
        String::new()
    } else {
        format!("per_{per}")
    };
    let is_total = shape == Shape::MonotonicSum;
    let is_ratio = unit == "1" && shape == Shape::Gauge;
    let mut name = name;
    let suffixes = [
        (is_total, "total"),
        (is_ratio, "ratio"),
        (!per.is_empty(), per.as_str()),
    ];
    for (_, suffix) in suffixes.iter().filter(|(wanted, _)| *wanted) {
        let head = name.strip_suffix(suffix);
        // The character before it goes, too.
        let mut head = head.unwrap_or_default().chars();
        if head.next_back().is_some() && !head.as_str().is_empty() {
            name = head.as_str();
        }
    }
    let mut built = name.to_owned();
    if !main.is_empty() && !built.ends_with(main.as_ref()) {
        built = format!("{built}_{main}");
    }
    for (_, suffix) in suffixes.iter().rev().filter(|(wanted, _)| *wanted) {
        built = format!("{built}_{suffix}");
    }
    built
}

/// The unit as a label shows it.
pub(super) fn unit_label(unit: &str) -> String {
    let (main, per) = unit_suffixes(unit);
    let (main, per) = (clean(&main), clean(&per));
    match (main.is_empty(), per.is_empty()) {
        (_, true) => main,
        (true, false) => format!("per_{per}"),
        (false, false) => format!("{main}_per_{per}"),
    }
}

/// The name of a label. Fails where nothing is left of it.
pub(super) fn label_name<'n>(name: &'n str, settings: &Settings) -> Result<Cow<'n, str>, String> {
    let has_nothing = |name: &str| name.bytes().all(|byte| byte == b'_');
    if has_nothing(name) {
        return Err(format!("the attribute name {name:?} makes no label name"));
    }
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_plain = name.bytes().all(is_usual)
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '_')
        && (settings.preserve_multiple_underscores || !name.contains("__"));
    if settings.strategy.keeps_utf8() || is_plain {
        return Ok(Cow::Borrowed(name));
    }
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '_' };
        if c == '_' && text.ends_with('_') && !settings.preserve_multiple_underscores {
            continue;
        }
        text.push(c);
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert_str(0, "key_");
    } else if settings.underscore_sanitization && text.starts_with('_') && !text.starts_with("__") {
        text.insert_str(0, "key");
    }
    if has_nothing(&text) {
        return Err(format!("the attribute name {name:?} makes no label name"));
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::{Shape, label_name, metric_name, unit_label};
    use crate::otlp::{Settings, Strategy};

    fn name(strategy: Strategy, (name, unit): (&str, &str), shape: Shape) -> String {
        let settings = Settings {
            strategy,
            ..Settings::default()
        };
        metric_name(name, unit, shape, &settings).unwrap_or_else(|error| error)
    }

    #[test]
    fn names_metrics() {
        let check = |from: (&str, &str), shape, want: [&str; 3]| {
            let strategies = [
                Strategy::UnderscoreEscapingWithSuffixes,
                Strategy::UnderscoreEscapingWithoutSuffixes,
                Strategy::NoUtf8EscapingWithSuffixes,
            ];
            assert_eq!(strategies.map(|strategy| name(strategy, from, shape)), want);
            assert_eq!(name(Strategy::NoTranslation, from, shape), from.0);
        };
        let (gauge, sum, other) = (Shape::Gauge, Shape::MonotonicSum, Shape::Other);
        check(
            ("http.server.duration", "s"),
            other,
            [
                "http_server_duration_seconds",
                "http_server_duration",
                "http.server.duration_seconds",
            ],
        );
        check(
            ("system.io", "By"),
            sum,
            [
                "system_io_bytes_total",
                "system_io",
                "system.io_bytes_total",
            ],
        );
        check(
            ("a.total.b", "1"),
            sum,
            ["a_b_total", "a_total_b", "a.total.b_total"],
        );
        check(
            ("cpu.use", "1"),
            gauge,
            ["cpu_use_ratio", "cpu_use", "cpu.use_ratio"],
        );
        check(
            ("speed", "m/s"),
            gauge,
            [
                "speed_meters_per_second",
                "speed",
                "speed_meters_per_second",
            ],
        );
        check(
            ("rate", "{packet}/s"),
            sum,
            ["rate_per_second_total", "rate", "rate_per_second_total"],
        );
        check(
            ("x_seconds", "s"),
            gauge,
            ["x_seconds", "x_seconds", "x_seconds"],
        );
        check(("x_total", ""), sum, ["x_total", "x_total", "x_total"]);
        check(("2xx", ""), other, ["_2xx", "_2xx", "2xx"]);
        check(("a__b", ""), other, ["a_b", "a__b", "a__b"]);
        check(
            ("a", "weird.unit"),
            other,
            ["a_weird_unit", "a", "a_weird.unit"],
        );
        let settings = Settings::default();
        assert!(metric_name("...", "", gauge, &settings).is_err());
    }

    #[test]
    fn names_labels() {
        let check = |name: &str, preserve: bool, want: Option<&str>| {
            let settings = Settings {
                preserve_multiple_underscores: preserve,
                ..Settings::default()
            };
            let got = label_name(name, &settings).ok();
            assert_eq!(got.as_deref(), want, "{name}");
        };
        check("http.method", true, Some("http_method"));
        check("a..b", true, Some("a__b"));
        check("a..b", false, Some("a_b"));
        check("1st", true, Some("key_1st"));
        check("_x", true, Some("key_x"));
        check("__x", true, Some("__x"));
        check("é", true, Some("key_"));
        check("", true, None);
        check("___", true, None);
        check("plain", true, Some("plain"));
        let utf8 = Settings {
            strategy: Strategy::NoTranslation,
            ..Settings::default()
        };
        assert_eq!(label_name("http.é", &utf8).as_deref(), Ok("http.é"));
    }

    #[test]
    fn names_units() {
        let check = |unit, want: &str| assert_eq!(unit_label(unit), want);
        check("ms", "milliseconds");
        check("By/s", "bytes_per_second");
        check("{x}/s", "per_second");
        check("1", "");
        check("{x}", "");
    }
}
