use super::{Entry, Format, Parser};
use proptest::prelude::*;
use std::fmt::Write as _;

/// Every entry as a line of text, and the error that ended the body, if one did.
fn read(body: &[u8], format: Format) -> String {
    let mut parser = Parser::new(body, format);
    let mut text = String::new();
    loop {
        match parser.next_entry() {
            Ok(None) => return text,
            Ok(Some(entry)) => write_entry(&mut text, &parser, &entry),
            Err(error) => {
                writeln!(text, "error {error}").expect("string");
                return text;
            }
        }
    }
}

fn write_entry(text: &mut String, parser: &Parser<'_>, entry: &Entry<'_>) {
    match entry {
        Entry::Type { name, kind } => writeln!(text, "type {name} {kind}"),
        Entry::Help { name, text: help } => writeln!(text, "help {name} {help:?}"),
        Entry::Unit { name, unit } => writeln!(text, "unit {name} {unit}"),
        Entry::Comment(comment) => writeln!(text, "comment {}", String::from_utf8_lossy(comment)),
        Entry::Series(series) => {
            match parser.labels() {
                Ok(labels) => write!(text, "{labels} {}", model::format_float(series.value)),
                Err(error) => write!(text, "labels: {error}"),
            }
            .expect("string");
            if let Some(at) = series.timestamp {
                write!(text, " @{}", at.millis()).expect("string");
            }
            if let Ok(Some(exemplar)) = parser.exemplar() {
                let at = exemplar.timestamp.map(model::Timestamp::millis);
                write!(text, " # {} {} {at:?}", exemplar.labels, exemplar.value).expect("string");
            }
            writeln!(text)
        }
    }
    .expect("string");
}

fn check(body: &str, format: Format, want: &str) {
    assert_eq!(read(body.as_bytes(), format).trim_end(), want, "{body}");
}

#[test]
fn reads_text() {
    let check = |body: &str, want: &str| check(body, Format::Text, want);
    check("", "");
    check("\n\n  \n", "");
    check("up 1", r#"{__name__="up"} 1"#);
    check("  up\t 1 \t5\n", r#"{__name__="up"} 1 @5"#);
    check(r#"a { b = "c" , } -0.5e3"#, r#"{__name__="a", b="c"} -500"#);
    check(r#"a{b="c" d="e"} 1"#, r#"{__name__="a", b="c", d="e"} 1"#);
    check(
        r#"a{b="x\"y\\z\n\t"} NaN"#,
        r#"{__name__="a", b="x\"y\\z\n\\t"} NaN"#,
    );
    check("a{b=\"x\ny\"} +Inf", r#"{__name__="a", b="x\ny"} +Inf"#);
    check(r#"{"a.b",c="d"} 1"#, r#"{__name__="a.b", c="d"} 1"#);
    check(r#"{"d.e"="f","a.b"} 1"#, r#"{__name__="a.b", "d.e"="f"} 1"#);
    check("# TYPE  a counter", "type a counter");
    check("# TYPE \"a b\" untyped", "type a b unknown");
    check("# HELP a  b\\nc\\\"d \n", r#"help a " b\nc\\\"d ""#);
    check("# HELP a\n# HELP b  \n", "help a \"\"\nhelp b \"\"");
    check(
        "#\n# x\n# HELPS\n#TYPE a\n",
        "comment #\ncomment # x\ncomment # HELPS\ncomment #TYPE a",
    );
    check("a{le=\"1\"} 1", r#"{__name__="a", le="1"} 1"#);
    check(
        "# TYPE a histogram\na{le=\"1\"} 1\na{le=\"1e6\"} 1\na{le=\"+Inf\"} 1\n",
        "type a histogram\n{__name__=\"a\", le=\"1.0\"} 1\n{__name__=\"a\", le=\"1e+06\"} 1\n{__name__=\"a\", le=\"+Inf\"} 1",
    );
    check(r#"a{b=""} 1"#, r#"{__name__="a"} 1"#);
}

#[test]
fn refuses_text() {
    let check = |body: &str, want: &str| {
        check(body, Format::Text, &format!("error line 1: {want}"));
    };
    check("# TYPE a\0gauge\n", r#"invalid metric type """#);
    check(
        "a",
        r#"expected value after metric, got "\n" ("INVALID") while parsing: "a\n""#,
    );
    check(
        "a{b='c'} 1",
        r#"expected label value, got "'" ("INVALID") while parsing: "a{b='""#,
    );
    check(
        "a{b=\n",
        r#"expected label value, got "\n" ("INVALID") while parsing: "a{b=\n""#,
    );
    check(
        "a{\u{b5}=\"f\"} 1",
        r#"expected label name, got "\xc2" ("INVALID") while parsing: "a{\xc2""#,
    );
    check(
        "a{b,c=\"d\"} 1",
        r#"expected equal, got ",c" ("COMMA") while parsing: "a{b,c""#,
    );
    check(
        "a true",
        r#"strconv.ParseFloat: parsing "true": invalid syntax while parsing: "a true""#,
    );
    check(
        "a 0x1p-3",
        r#"unsupported character in float while parsing: "a 0x1p-3""#,
    );
    check(
        "a 1_0",
        r#"unsupported character in float while parsing: "a 1_0""#,
    );
    check(
        "a 1e999",
        r#"strconv.ParseFloat: parsing "1e999": value out of range while parsing: "a 1e999""#,
    );
    check(
        "a 1\r\n",
        r#"strconv.ParseFloat: parsing "1\r": invalid syntax while parsing: "a 1\r""#,
    );
    check(
        "a 1 -5",
        r#"expected timestamp or new record, got "-" ("INVALID") while parsing: "a 1 -""#,
    );
    check(
        "a 1 1 1",
        r#"expected next entry after timestamp, got "1\n" ("TIMESTAMP") while parsing: "a 1 1 1\n""#,
    );
    check(
        "a 1 99999999999999999999",
        r#"strconv.ParseInt: parsing "99999999999999999999": value out of range while parsing: "a 1 99999999999999999999""#,
    );
}

#[test]
fn refuses_text_with_bad_names() {
    let check = |body: &str, want: &str| {
        check(body, Format::Text, &format!("error line 1: {want}"));
    };
    check(
        "{b=\"c\"} 1",
        r#"metric name not set while parsing: "{b=\"c\"} 1""#,
    );
    check(
        "{\"a\",\"b\"} 1",
        r#"metric name already set while parsing: "{\"a\",\"b\"}""#,
    );
    check("# TYPE a mean", r#"invalid metric type "mean""#);
    check(
        "# TYPE \n",
        r##"expected metric name after TYPE, got "\n" ("INVALID") while parsing: "# TYPE \n""##,
    );
    check(
        "1a 1",
        r#"expected a valid start token, got "1" ("INVALID") while parsing: "1""#,
    );
    check(
        "a{b=\"c",
        r#"expected label value, got "\"c\n" ("INVALID") while parsing: "a{b=\"c\n""#,
    );
}

#[test]
fn reads_openmetrics() {
    let check = |body: &str, want: &str| check(body, Format::OpenMetrics, want);
    check("# EOF", "");
    check("# EOF\n", "");
    check("a 1 1.5\n# EOF\n", r#"{__name__="a"} 1 @1500"#);
    check(
        "a{b=\"c\",} 1 -1.0005\n# EOF\n",
        r#"{__name__="a", b="c"} 1 @-1000"#,
    );
    check(
        "a_total 1 # {x=\"y\"} 0.5 2.5\n# EOF\n",
        r#"{__name__="a_total"} 1 # {x="y"} 0.5 Some(2500)"#,
    );
    check(
        "a_total 1 7 # {\"x.y\"=\"z\",} 1\n# EOF\n",
        r#"{__name__="a_total"} 1 @7000 # {"x.y"="z"} 1 None"#,
    );
    check("{\"a.b\"} 1\n# EOF\n", r#"{__name__="a.b"} 1"#);
    check(
        "# TYPE a_s gaugehistogram\n# UNIT a_s s\n# HELP a_s x\\\"y\n# EOF\n",
        "type a_s gaugehistogram\nunit a_s s\nhelp a_s \"x\\\"y\"",
    );
    check(
        "# TYPE a summary\na{quantile=\"0\"} 1\n# EOF\n",
        "type a summary\n{__name__=\"a\", quantile=\"0.0\"} 1",
    );
}

#[test]
fn refuses_openmetrics() {
    let check = |body: &str, want: &str| check(body, Format::OpenMetrics, want);
    check("", "error line 1: data does not end with # EOF");
    check("a 1", "error line 1: data does not end with # EOF");
    check(
        "a 1\n",
        "{__name__=\"a\"} 1\nerror line 2: data does not end with # EOF",
    );
    check("# EOF\nx", "error line 1: unexpected data after # EOF");
    check(
        "\n# EOF",
        r#"error line 1: expected a valid start token, got "\n" ("INVALID") while parsing: "\n""#,
    );
    check(
        "# x\n# EOF",
        r##"error line 1: expected a valid start token, got "# x" ("INVALID") while parsing: "# x""##,
    );
    check(
        "a  1\n# EOF",
        r#"error line 1: expected value after metric, got "  " ("INVALID") while parsing: "a  ""#,
    );
    check(
        "a{b=\"c\" } 1\n",
        r#"error line 1: expected comma or brace close, got " " ("INVALID") while parsing: "a{b=\"c\" ""#,
    );
    check("a 1 NaN\n# EOF", "error line 1: invalid timestamp NaN");
    check(
        "a 1 # {b=\"c\"}\n",
        r#"error line 1: expected value after exemplar labels, got "\n" ("INVALID") while parsing: "a 1 # {b=\"c\"}\n""#,
    );
    check(
        "a 1 # {b=\"c\"} 1 Inf\n",
        "error line 1: invalid exemplar timestamp +Inf",
    );
    check(
        "# UNIT a_m s\n",
        "error line 1: unit \"s\" not a suffix of metric \"a_m\"",
    );
    check("# TYPE a\n", "error line 1: expected text in TYPE");
    check(
        "# TYPE a untyped\n",
        "error line 1: invalid metric type \"untyped\"",
    );
}

#[test]
fn refuses_bytes_that_are_not_utf8() {
    let check = |body: &[u8], want: &str| {
        assert_eq!(read(body, Format::Text).trim_end(), want);
    };
    check(
        b"a{b=\"\xff\"} 1",
        r#"error line 1: invalid UTF-8 label value: "\"\xff\"""#,
    );
    check(
        b"# HELP a \xff",
        r#"error line 1: help text "\xff" is not a valid utf8 string"#,
    );
    check(
        b"{\"\xff\"} 1",
        r#"labels: line 1: invalid UTF-8 name: "\xff""#,
    );
    // Zero bytes may stand in texts and nowhere else; at the start of a line they end the body.
    check(b"a{b=\"x\0\"} 1", r#"{__name__="a", b="x\x00"} 1"#);
    check(
        b"a\0 1",
        r#"error line 1: expected value after metric, got "\x00" ("INVALID") while parsing: "a\x00""#,
    );
    check(b"a 1\n\0b 2", r#"{__name__="a"} 1"#);
    check(b"a 1\n#\0 c\nb 2", r#"{__name__="a"} 1"#);
    check(b"a 1\n#c\0\nb 2", r#"{__name__="a"} 1"#);
    check(b"a 1\n# \0c\nb 2", r#"{__name__="a"} 1"#);
    check(b"# c\0\na 1", "comment # c\0\n{__name__=\"a\"} 1");
}

#[test]
fn keeps_raw_text_and_tells_duplicates() {
    let body = b"\n# TYPE a gauge\n a{b=\"1\", b=\"2\"} 3 4\n";
    let mut parser = Parser::new(body, Format::Text);
    parser.next_entry().expect("type");
    let Some(Entry::Series(series)) = parser.next_entry().expect("series") else {
        panic!("a series was expected");
    };
    assert_eq!(series.raw, b"a{b=\"1\", b=\"2\"}");
    assert_eq!(parser.line(), 3);
    let error = parser.labels().expect_err("b stands twice");
    assert_eq!(
        error.to_string(),
        "line 3: label name \"b\" is not unique: invalid sample"
    );
}

#[test]
fn every_nan_has_the_same_bits() {
    let mut parser = Parser::new(b"a nan", Format::Text);
    let Some(Entry::Series(series)) = parser.next_entry().expect("series") else {
        panic!("a series was expected");
    };
    assert_eq!(series.value.to_bits(), 0x7ff8_0000_0000_0001);
}

/// Upstream's large files are read whole, with as many samples as they have lines of samples.
#[test]
fn reads_upstream_files() {
    let Some(folder) = runtime::environment::var("CONFORMANCE") else {
        println!("skipped: CONFORMANCE is not set");
        return;
    };
    for file in [
        "1histogram.om.txt",
        "alltypes.237mfs.nometa.prom.txt",
        "alltypes.237mfs.prom.txt",
        "alltypes.5mfs.om.txt",
    ] {
        let body = std::fs::read(format!("{folder}/textparse/{file}")).expect(file);
        let is_openmetrics = file.ends_with(".om.txt");
        let format = if is_openmetrics {
            Format::OpenMetrics
        } else {
            Format::Text
        };
        let text = String::from_utf8(body.clone()).expect("text");
        let want = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .count();
        let read = read(&body, format);
        assert!(
            !read.contains("error line") && !read.contains("labels: "),
            "{file}"
        );
        let got = read.lines().filter(|line| line.starts_with('{')).count();
        assert_eq!(got, want, "{file}");
    }
}

fn any_format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Text), Just(Format::OpenMetrics)]
}

proptest! {
    #[test]
    fn never_panics_on_bytes(body: Vec<u8>, format in any_format()) {
        read(&body, format);
    }

    #[test]
    fn never_panics_on_likely_text(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "# ", "HELP ", "TYPE ", "UNIT ", "EOF", "a", "_b", "{", "}", "\"", "\\", "=", ",", " ", "\t",
                "\n", "1", "1.5", "NaN", "#", "\"c\"", "\0", "é", "le=\"1\"", "counter", "histogram",
            ]),
            0..40,
        ),
        format in any_format(),
    ) {
        read(pieces.concat().as_bytes(), format);
    }

    /// What is printed as text format is read back the same.
    #[test]
    fn reads_what_is_printed(
        labels in prop::collection::btree_map("[a-z]{1,3}|\\PC{1,4}", "\\PC{1,8}|[\"\\\\\n]{1,3}", 0..5),
        bits: u64,
        at in prop::option::of(0_i64..1 << 50),
    ) {
        let value = f64::from_bits(bits);
        let escape = |s: &str| s.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let mut body = "{\"m.x\"".to_owned();
        for (name, value) in &labels {
            write!(body, ",\"{}\"=\"{}\"", escape(name), escape(value)).expect("string");
        }
        write!(body, "}} {}", model::format_float(value)).expect("string");
        if let Some(at) = at {
            write!(body, " {at}").expect("string");
        }
        let mut parser = Parser::new(body.as_bytes(), Format::Text);
        let Some(Entry::Series(series)) = parser.next_entry().expect("series") else {
            panic!("a series was expected");
        };
        prop_assert!(series.value == value || value.is_nan());
        prop_assert_eq!(series.timestamp.map(model::Timestamp::millis), at);
        let want: model::Labels = labels.iter().map(|(n, v)| (n.as_str(), v.as_str()))
            .chain([("__name__", "m.x")]).collect();
        prop_assert_eq!(parser.labels().expect("labels"), want);
    }
}
