use super::check;
use crate::exposition::Format;
use proptest::prelude::*;

fn verdict(body: &str, format: Format) -> String {
    match check(body.as_bytes(), format) {
        Ok(()) => "good".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn judges_openmetrics() {
    let check = |body: &str, want: &str| {
        let body = format!("{body}# EOF\n");
        assert_eq!(verdict(&body, Format::OpenMetrics), want, "{body}");
    };
    check("a 1\n", "good");
    check(
        "a{b=\"c\",} 1\n",
        "line 1: a comma before the closing brace",
    );
    check(
        "{\"a\"} 1\n",
        "line 1: the metric name must stand before the braces",
    );
    check("a{\"b.c\"=\"1\"} 1\n", "line 1: \"b.c\" is no label name");
    check("a 1\na 2\n", "line 2: {__name__=\"a\"} stands twice");
    check(
        "a 1\n# HELP a x\n",
        "line 2: metadata of \"a\" stands after its samples",
    );
    check("# HELP a x\n# HELP a y\n", "line 2: a second HELP of \"a\"");
    check(
        "# TYPE a counter\na 1\n",
        "line 2: the name \"a\" is taken by another metric, or its lines are apart",
    );
    check("# TYPE a counter\na_total 1\n", "good");
    check(
        "# TYPE a_s info\n# UNIT a_s s\n",
        "line 3: \"a_s\" may not have a unit: it is a info",
    );
    check(
        "# TYPE a gauge\na 1 # {b=\"c\"} 1\n",
        "line 2: \"a\" may not have an exemplar: only buckets and counters may",
    );
    check(
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\n",
        "line 3: \"a\" with {}: the bucket +Inf is missing",
    );
    check("# TYPE a stateset\na{a=\"x\"} 1\na{a=\"y\"} 0\n", "good");
    check(
        "# TYPE a info\na_info{b=\"x\"} 1\na_info{b=\"y\"} 1\n",
        "good",
    );
}

#[test]
fn judges_text() {
    let check = |body: &str, want: &str| {
        assert_eq!(verdict(body, Format::Text), want, "{body}");
    };
    check("", "good");
    check("a 1\n\n# any comment\nb 2\n", "good");
    check("a 1", "line 1: the last line must end with a line feed");
    check("{\"a.b\",\"c.d\"=\"e\"} 1\n", "good");
    check("# TYPE a counter\na 1\n", "good");
    check("# TYPE a counter\na NaN\n", "good");
    check(
        "a 1\nb 1\na{c=\"d\"} 1\n",
        "line 3: the name \"a\" is taken by another metric, or its lines are apart",
    );
    check("a 1\na 1\n", "line 2: {__name__=\"a\"} stands twice");
    check(
        "# TYPE a gauge\n# TYPE a gauge\n",
        "line 2: a second TYPE of \"a\"",
    );
    check(
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 2\na_sum 3\na_count 2\n",
        "good",
    );
    check(
        "# TYPE a summary\na{quantile=\"2\"} 1\n",
        "line 2: \"a\" needs a label quantile between 0 and 1",
    );
}

/// Upstream's cases: every one is judged as its test.json says.
#[test]
fn agrees_with_the_specification_cases() {
    let Some(folder) = runtime::environment::var("CONFORMANCE") else {
        println!("skipped: CONFORMANCE is not set");
        return;
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in std::fs::read_dir(format!("{folder}/openmetrics")).expect("folder") {
        let case = case.expect("entry").path();
        let body = std::fs::read(case.join("metrics")).expect("metrics");
        let want = std::fs::read_to_string(case.join("test.json")).expect("test.json");
        let want = !want.contains("\"shouldParse\": false");
        let verdict = check(&body, Format::OpenMetrics);
        count += 1;
        if verdict.is_ok() != want {
            wrong.push(format!("{}: {verdict:?}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
    assert!(count >= 141, "{count} cases");
}

proptest! {
    #[test]
    fn never_panics(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "# TYPE a histogram\n", "# TYPE a summary\n", "# TYPE a stateset\n", "# UNIT a_s s\n",
                "a_bucket{le=\"1\"} 1\n", "a_bucket{le=\"+Inf\"} 1\n", "a_sum 1\n", "a_count 1\n", "a 1\n",
                "a{quantile=\"0.5\"} 1\n", "a{a=\"x\"} 1 5\n", "a_total 1 # {b=\"c\"} 1\n", "# EOF\n",
            ]),
            0..12,
        ),
        openmetrics: bool,
    ) {
        let format = if openmetrics { Format::OpenMetrics } else { Format::Text };
        verdict(&pieces.concat(), format);
    }
}
