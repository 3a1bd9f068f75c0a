//! `promtool check metrics`: what is unusual about the names and types of an exposition.
//!
//! The rules are those that Prometheus' documentation gives under "Metric and label naming"; the texts are
//! promtool's.

use super::failure::Verdict;
use crate::cli::promtool::check::MetricsLint;
use crate::print;
use ingest::exposition::{Entry, Format, ParseError, Parser};
use model::{METRIC_NAME, MetricKind};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

/// Bytes of an exposition.
const BODY_BYTES_MAX: u64 = 256 << 20;

/// Units that are no base units, and the base unit to use; base units stand for themselves.
const UNITS: [(&str, &str); 24] = [
    ("amperes", "amperes"),
    ("bytes", "bytes"),
    ("celsius", "celsius"),
    ("grams", "grams"),
    ("joules", "joules"),
    ("kelvin", "kelvin"),
    ("meters", "meters"),
    ("metres", "metres"),
    ("seconds", "seconds"),
    ("volts", "volts"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("days", "seconds"),
    ("weeks", "seconds"),
    ("kelvins", "kelvin"),
    ("fahrenheit", "celsius"),
    ("rankine", "celsius"),
    ("inches", "meters"),
    ("yards", "meters"),
    ("miles", "meters"),
    ("bits", "bytes"),
    ("calories", "joules"),
    ("pounds", "grams"),
    ("ounces", "grams"),
];
const PREFIXES: [&str; 19] = [
    "", "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega",
    "mebi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
];
const ABBREVIATIONS: [&str; 14] = [
    "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d",
];
const TYPE_NAMES: [&str; 5] = [
    "counter",
    "gauge",
    "summary",
    "histogram",
    "gauge_histogram",
];

/// Reads standard input, prints what is unusual and, if asked to, how many series each metric has.
pub(super) fn run(extended: bool, lint: MetricsLint) -> anyhow::Result<Verdict> {
    let mut body = Vec::new();
    std::io::stdin()
        .lock()
        .take(BODY_BYTES_MAX)
        .read_to_end(&mut body)?;
    let families = match read(&body) {
        Ok(families) => families,
        Err(error) => {
            print::note(&format!(
                "error while linting: text format parsing error in line {}: {}",
                error.line, error.message
            ));
            return Ok(Verdict::Failed);
        }
    };
    let problems = match lint {
        MetricsLint::All => problems(&families),
        MetricsLint::None => Vec::new(),
    };
    for (metric, text) in &problems {
        print::note(&format!("{metric} {text}"));
    }
    if extended {
        print_cardinality(&families);
    }
    Ok(if problems.is_empty() {
        Verdict::Good
    } else {
        Verdict::Lint
    })
}

/// What an exposition says of a metric.
#[derive(Debug, Default)]
struct Family {
    kind: Option<MetricKind>,
    help: String,
    label_names: BTreeSet<String>,
    series: usize,
}

fn read(body: &[u8]) -> Result<BTreeMap<String, Family>, ParseError> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut parser = Parser::new(body, Format::Text);
    while let Some(entry) = parser.next_entry()? {
        match entry {
            Entry::Type { name, kind } => {
                families.entry(name.into_owned()).or_default().kind = Some(kind)
            }
            Entry::Help { name, text } => {
                families.entry(name.into_owned()).or_default().help = text.into_owned()
            }
            Entry::Series(_) => {
                let labels = parser.labels()?;
                let name = family_name(&families, labels.metric_name());
                let family = families.entry(name).or_default();
                family.series += 1;
                let names = labels
                    .iter()
                    .map(|(name, _)| name)
                    .filter(|name| *name != METRIC_NAME);
                family.label_names.extend(names.map(str::to_owned));
            }
            Entry::Unit { .. } | Entry::Comment(_) => {}
        }
    }
    families.retain(|_, family| family.series > 0);
    Ok(families)
}

/// The metric that a sample belongs to: `h` for `h_bucket` where `h` is a histogram.
fn family_name(families: &BTreeMap<String, Family>, sample: &str) -> String {
    for (suffix, kinds) in [
        ("_bucket", &[MetricKind::Histogram][..]),
        ("_count", &[MetricKind::Histogram, MetricKind::Summary]),
        ("_sum", &[MetricKind::Histogram, MetricKind::Summary]),
    ] {
        let base = sample.strip_suffix(suffix);
        let kind = base.and_then(|base| families.get(base)?.kind);
        if let (Some(base), Some(kind)) = (base, kind)
            && kinds.contains(&kind)
        {
            return base.to_owned();
        }
    }
    sample.to_owned()
}

/// Everything unusual, sorted by metric and text.
fn problems(families: &BTreeMap<String, Family>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, family) in families {
        let mut texts = Vec::new();
        if family.help.is_empty() {
            texts.push("no help text".to_owned());
        }
        units(name, &mut texts);
        suffixes(name, family, &mut texts);
        spelling(name, family, &mut texts);
        texts.sort();
        all.extend(texts.into_iter().map(|text| (name.clone(), text)));
    }
    all
}

fn units(name: &str, texts: &mut Vec<String>) {
    let mut words = name.split('_');
    let found = words.find_map(|word| {
        let whole = |(unit, base): &(&'static str, &'static str)| {
            let prefix = word.strip_suffix(unit)?;
            PREFIXES.contains(&prefix).then_some((word, *unit, *base))
        };
        UNITS.iter().find_map(whole)
    });
    if let Some((word, _, base)) = found
        && word != base
    {
        texts.push(format!("use base unit {base:?} instead of {word:?}"));
    }
    let last = name.to_ascii_lowercase();
    let last = last.rsplit_once('_').map(|(_, word)| word);
    if last.is_some_and(|word| ABBREVIATIONS.contains(&word)) {
        texts.push("metric names should not contain abbreviated units".to_owned());
    }
}

fn suffixes(name: &str, family: &Family, texts: &mut Vec<String>) {
    let Some(kind) = family.kind.filter(|kind| *kind != MetricKind::Unknown) else {
        return;
    };
    let (is_counter, total) = (kind == MetricKind::Counter, name.ends_with("_total"));
    if is_counter && !total {
        texts.push("counter metrics should have \"_total\" suffix".to_owned());
    } else if !is_counter && total {
        texts.push("non-counter metrics should not have \"_total\" suffix".to_owned());
    }
    let (is_histogram, is_summary) = (kind == MetricKind::Histogram, kind == MetricKind::Summary);
    if !is_histogram && name.ends_with("_bucket") {
        texts.push("non-histogram metrics should not have \"_bucket\" suffix".to_owned());
    }
    for suffix in ["_count", "_sum"] {
        if !is_histogram && !is_summary && name.ends_with(suffix) {
            texts.push(format!(
                "non-histogram and non-summary metrics should not have {suffix:?} suffix"
            ));
        }
    }
    if !is_histogram && family.label_names.contains("le") {
        texts.push("non-histogram metrics should not have \"le\" label".to_owned());
    }
    if !is_summary && family.label_names.contains("quantile") {
        texts.push("non-summary metrics should not have \"quantile\" label".to_owned());
    }
}

fn spelling(name: &str, family: &Family, texts: &mut Vec<String>) {
    let lower = name.to_ascii_lowercase();
    for kind in TYPE_NAMES {
        if lower.contains(&format!("_{kind}_")) || lower.ends_with(&format!("_{kind}")) {
            texts.push(format!("metric name should not include type '{kind}'"));
        }
    }
    if name.contains(':') {
        texts.push("metric names should not contain ':'".to_owned());
    }
    let camel = |text: &str| {
        let mut pairs = text.as_bytes().windows(2);
        pairs.any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
    };
    if camel(name) {
        texts.push("metric names should be written in 'snake_case' not 'camelCase'".to_owned());
    }
    if family.label_names.iter().any(|name| camel(name)) {
        texts.push("label names should be written in 'snake_case' not 'camelCase'".to_owned());
    }
}

/// A table of metrics, those with most series first.
fn print_cardinality(families: &BTreeMap<String, Family>) {
    let total: usize = families.values().map(|family| family.series).sum();
    let mut rows: Vec<(&String, usize)> = families
        .iter()
        .map(|(name, family)| (name, family.series))
        .collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let width = rows
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0)
        .max(6);
    print::line(&format!("{:<width$}    Cardinality  Percentage", "Metric"));
    for (name, series) in rows {
        let percent = float(series) / float(total.max(1)) * 100.0;
        print::line(&format!("{name:<width$}    {series:<11}  {percent:.2}%"));
    }
}

#[cfg(test)]
mod tests {
    use super::{problems, read};

    #[test]
    fn finds_what_is_unusual() {
        let check = |body: &str, want: &[&str]| {
            let families = read(body.as_bytes()).expect("readable");
            let found: Vec<String> = problems(&families)
                .iter()
                .map(|(metric, text)| format!("{metric} {text}"))
                .collect();
            assert_eq!(found, want, "{body}");
        };
        check("# HELP up x\n# TYPE up gauge\nup 1\n", &[]);
        check("x 1\n", &["x no help text"]);
        check(
            "# HELP foo x\n# TYPE foo counter\nfoo 2\n",
            &["foo counter metrics should have \"_total\" suffix"],
        );
        check(
            "# HELP t_milliseconds x\n# TYPE t_milliseconds gauge\nt_milliseconds 1\n",
            &["t_milliseconds use base unit \"seconds\" instead of \"milliseconds\""],
        );
        check(
            "# HELP a_count x\n# TYPE a_count gauge\na_count{le=\"1\",camelCase=\"x\"} 1\n",
            &[
                "a_count label names should be written in 'snake_case' not 'camelCase'",
                "a_count non-histogram and non-summary metrics should not have \"_count\" suffix",
                "a_count non-histogram metrics should not have \"le\" label",
            ],
        );
        check(
            "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
            &[],
        );
        check(
            "# HELP disk_gauge_ms x\n# TYPE disk_gauge_ms gauge\ndisk_gauge_ms 1\n",
            &[
                "disk_gauge_ms metric name should not include type 'gauge'",
                "disk_gauge_ms metric names should not contain abbreviated units",
            ],
        );
    }
}
