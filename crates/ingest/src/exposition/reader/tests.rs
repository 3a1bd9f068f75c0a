use super::{Encoding, Item, Options, Reader};
use crate::exposition::Format;
use model::Value;
use proptest::prelude::*;
use std::fmt::Write as _;

/// Samples as lines, and the error that ended the body.
fn read(body: &[u8], format: Format, options: Options) -> String {
    let mut reader = Reader::new(body, Encoding::Text(format), options);
    let mut text = String::new();
    loop {
        match reader.next_item() {
            Ok(None) => return text,
            Ok(Some(Item::Metadata(_))) => {}
            Ok(Some(Item::Sample)) => write_sample(&mut text, &reader),
            Err(error) => {
                writeln!(text, "error {}", error.message).expect("string");
                return text;
            }
        }
    }
}

fn write_sample(text: &mut String, reader: &Reader<'_>) {
    let labels = reader.labels().map(|labels| labels.to_string());
    let labels = labels.unwrap_or_else(|error| error.message);
    let value = match reader.value() {
        Value::Float(value) => model::format_float(value),
        Value::Histogram(h) => {
            let bounds = h.custom_values.as_deref().unwrap_or_default();
            format!("{}/{} {bounds:?} {:?}", h.count, h.sum, h.positive_buckets)
        }
    };
    write!(text, "{labels} {value}").expect("string");
    if let Some(start) = reader.start() {
        write!(text, " since {}", start.millis()).expect("string");
    }
    let mut exemplars = Vec::new();
    reader.exemplars(&mut exemplars);
    writeln!(text, "{}", " #".repeat(exemplars.len())).expect("string");
}

#[test]
fn created_lines_become_starts() {
    let options = Options {
        created_lines: true,
        ..Options::default()
    };
    let check = |body: &str, want: &str| {
        let body = format!("{body}# EOF\n");
        let got = read(body.as_bytes(), Format::OpenMetrics, options);
        assert_eq!(got.trim_end(), want, "{body}");
    };
    check(
        "# TYPE a counter\na_total{x=\"1\"} 5\na_created{x=\"1\"} 12.5\na_total{x=\"2\"} 6\n",
        "{__name__=\"a_total\", x=\"1\"} 5 since 12500\n{__name__=\"a_total\", x=\"2\"} 6",
    );
    check(
        "# TYPE a counter\n# HELP a b\na_created 2\na_total 5\n# TYPE b counter\nb_total 1\n",
        "{__name__=\"a_total\"} 5 since 2000\n{__name__=\"b_total\"} 1",
    );
    check(
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 1\nh_created 3\n",
        "{__name__=\"h_bucket\", le=\"1.0\"} 1 since 3000\n{__name__=\"h_bucket\", le=\"+Inf\"} 1 since 3000\n\
         {__name__=\"h_count\"} 1 since 3000\n{__name__=\"h_sum\"} 1 since 3000",
    );
    // Of a gauge it is a name like any other.
    check(
        "# TYPE a gauge\na_created 2\n",
        "{__name__=\"a_created\"} 2",
    );
    let kept = read(
        b"# TYPE a counter\na_total 5\na_created 2\n# EOF\n",
        Format::OpenMetrics,
        Options::default(),
    );
    assert_eq!(
        kept,
        "{__name__=\"a_total\"} 5\n{__name__=\"a_created\"} 2\n"
    );
}

#[test]
fn converts_classic_histograms() {
    let options = Options {
        convert_classic: true,
        ..Options::default()
    };
    let body = "# TYPE h histogram\n\
        h_bucket{x=\"1\",le=\"1\"} 2 # {t=\"a\"} 0.5 1\nh_bucket{x=\"1\",le=\"+Inf\"} 5\nh_sum{x=\"1\"} 9\nh_count{x=\"1\"} 5\n\
        h_bucket{x=\"2\",le=\"+Inf\"} 1\nh_count{x=\"2\"} 1\nh_sum{x=\"2\"} 3\n\
        # TYPE g gauge\ng_bucket{le=\"1\"} 7\n# EOF\n";
    let converted = "{__name__=\"h\", x=\"1\"} 5/9 [1.0] [2.0, 3.0] #\n{__name__=\"h\", x=\"2\"} 1/3 [] [1.0]\n";
    let other = "{__name__=\"g_bucket\", le=\"1\"} 7\n";
    let got = read(body.as_bytes(), Format::OpenMetrics, options);
    assert_eq!(got, format!("{converted}{other}"));
    let kept = Options {
        keep_classic: true,
        ..options
    };
    let got = read(body.as_bytes(), Format::OpenMetrics, kept);
    assert_eq!(got.lines().count(), 10, "{got}");
    // At the end of a text, and one that contradicts itself.
    let body = "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"2\"} 1\n# TYPE i histogram\ni_bucket{le=\"1\"} 2\ni_count 4";
    let got = read(body.as_bytes(), Format::Text, options);
    assert_eq!(got, "{__name__=\"i\"} 4/0 [1.0] [2.0, 2.0]\n");
}

#[test]
fn type_and_unit_become_labels() {
    let options = Options {
        type_and_unit: true,
        ..Options::default()
    };
    let body = b"# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds{__type__=\"x\"} 1\n# TYPE b unknown\nb 2\n# EOF\n";
    let got = read(body, Format::OpenMetrics, options);
    assert_eq!(
        got,
        "{__name__=\"a_seconds\", __type__=\"gauge\", __unit__=\"seconds\"} 1\n{__name__=\"b\"} 2\n"
    );
}

proptest! {
    /// Lines of a histogram in any order and any number: nothing panics, what is left is read.
    #[test]
    fn takes_any_lines(lines in prop::collection::vec(
        prop_oneof![
            Just("# TYPE h histogram"), Just("# TYPE c counter"), Just("h_bucket{le=\"1\"} 1"),
            Just("h_bucket{le=\"+Inf\"} 2 # {a=\"b\"} 1"), Just("h_sum 3"), Just("h_count{x=\"y\"} 2"),
            Just("c_total 1"), Just("c_created 1"), Just("h_created 2"), Just("h 3 4 # {} 5"),
        ], 0..12), options in 0..16)
    {
        let body = format!("{}\n# EOF\n", lines.join("\n"));
        let options = Options {
            keep_classic: options & 1 > 0,
            convert_classic: options & 2 > 0,
            created_lines: options & 4 > 0,
            type_and_unit: options & 8 > 0,
            ..Options::default()
        };
        for format in [Format::OpenMetrics, Format::Text] {
            read(body.as_bytes(), format, options);
        }
    }
}
