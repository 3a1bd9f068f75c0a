use super::{SequenceValue, parse_series_description};
use model::is_stale_marker;

fn printed(text: &str) -> String {
    let description = match parse_series_description(text) {
        Ok(description) => description,
        Err(error) => return error.to_string(),
    };
    let values: Vec<String> = description
        .values
        .iter()
        .map(|value| match value {
            SequenceValue::Omitted => "_".to_owned(),
            SequenceValue::Float(value) if is_stale_marker(*value) => "stale".to_owned(),
            SequenceValue::Float(value) => value.to_string(),
            SequenceValue::Histogram {
                histogram,
                is_hint_given,
            } => format!(
                "count {} sum {} schema {} buckets {:?} at {:?} hint {:?} {is_hint_given}",
                histogram.count,
                histogram.sum,
                histogram.schema,
                histogram.positive_buckets,
                histogram.positive_spans.first().map(|span| span.offset),
                histogram.counter_reset_hint,
            ),
        })
        .collect();
    format!("{} {}", description.labels, values.join(" "))
}

#[test]
fn values() {
    let check = |text: &str, wanted: &str| assert_eq!(printed(text), wanted, "{text}");
    check("foo", "{__name__=\"foo\"} ");
    check("foo 1 2 -3", "{__name__=\"foo\"} 1 2 -3");
    check(
        "foo{a='b',} _ 1.5e3 _x2",
        "{__name__=\"foo\", a=\"b\"} _ 1500 _ _",
    );
    check("{} 1+2x3", "{} 1 3 5 7");
    check(
        "{\"a.b\", x=\"y\"} 10-2x2 stale",
        "{__name__=\"a.b\", x=\"y\"} 10 8 6 stale",
    );
    check(
        "count 3x2 NaN -Inf inf",
        "{__name__=\"count\"} 3 3 3 NaN -inf inf",
    );
    check("m\t-1-1x1   5", "{__name__=\"m\"} -1 -2 5");
    check("m 0+NaNx1", "{__name__=\"m\"} 0 NaN");
    check(
        "m 0.1+0.1x2",
        "{__name__=\"m\"} 0.1 0.2 0.30000000000000004",
    );
    check("m 1x0", "{__name__=\"m\"} 1");
}

#[test]
fn histograms() {
    let check = |text: &str, wanted: &str| assert_eq!(printed(text), wanted, "{text}");
    check(
        "m {{schema:1 sum:-0.3 count:3.1 buckets:[5 10 7] offset:-3}}",
        "{__name__=\"m\"} count 3.1 sum -0.3 schema 1 buckets [5.0, 10.0, 7.0] at Some(-3) hint Unknown false",
    );
    check(
        "m {{}} {{ counter_reset_hint:gauge }}x1",
        "{__name__=\"m\"} count 0 sum 0 schema 0 buckets [] at None hint Unknown false \
         count 0 sum 0 schema 0 buckets [] at None hint Gauge true \
         count 0 sum 0 schema 0 buckets [] at None hint Gauge true",
    );
    check(
        "m {{count:1 sum:1 buckets:[1]}}+{{count:2 sum:3 buckets:[2]}}x2",
        "{__name__=\"m\"} count 1 sum 1 schema 0 buckets [1.0] at Some(0) hint Unknown false \
         count 3 sum 4 schema 0 buckets [3.0] at Some(0) hint Unknown false \
         count 5 sum 7 schema 0 buckets [5.0] at Some(0) hint Unknown false",
    );
}

#[test]
fn mistakes() {
    let check = |text: &str, wanted: &str| assert_eq!(printed(text), wanted, "{text}");
    check(
        "m{a=b} 1",
        "1:5: parse error: unexpected identifier \"b\" in label set, expected string",
    );
    check(
        "m 1 abc",
        "1:5: parse error: unexpected \"abc\" in series values, expected number or \"stale\"",
    );
    check(
        "m 1+1",
        "1:6: parse error: unexpected end of input in series values",
    );
    check(
        "m 1x-1",
        "1:5: parse error: invalid repetition in series values: \"\"",
    );
    check(
        "m 1x99999999999",
        "1:5: parse error: invalid repetition in series values: \"99999999999\"",
    );
    check(
        "m {{sum:1 sum:2}}",
        "1:11: parse error: duplicate key \"sum\" in histogram",
    );
    check(
        "m {{summ:1}}",
        "1:5: parse error: bad histogram descriptor found: \"summ\"",
    );
    check(
        "m {{sum:1",
        "1:10: parse error: unexpected end of input in histogram description, expected histogram description key, e.g. buckets:[5 10 7]",
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        text in "(m|\\{a=\"b\"\\}|) ?[0-9x+_{}a-z:. \\[\\]-]{0,30}",
        any in ".{0,30}",
    ) {
        drop(parse_series_description(&text));
        drop(parse_series_description(&any));
    }
}
