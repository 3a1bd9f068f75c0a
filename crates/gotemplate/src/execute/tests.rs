//! Limits: whatever a template does, it ends, with an error and not with a crash.

use proptest::prelude::*;

use crate::functions::alertmanager;
use crate::{Error, Limits, MissingKey, Template, Time, Value};

fn run(text: &str, limits: &Limits, html: bool) -> Result<String, Error> {
    let functions = alertmanager::functions(&Time::zero());
    let mut template = Template::new("t")
        .functions(&functions)
        .missing_key(MissingKey::Zero);
    template.parse(text)?;
    let data = Value::string_map([("a", "x"), ("b", "<y>")]);
    if html {
        template.execute_html("t", &data, limits)
    } else {
        template.execute("t", &data, limits)
    }
}

fn check_stops(text: &str, expected: &str) {
    let error = run(text, &Limits::default(), false)
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{text:?} gives {error:?}");
}

#[test]
fn endless_work_is_stopped() {
    check_stops(
        "{{range 1000000000}}{{end}}",
        "exceeded the limit of 1000000 steps",
    );
    check_stops(
        "{{range 100000}}{{range 100000}}{{end}}{{end}}",
        "exceeded the limit of 1000000 steps",
    );
    check_stops(
        "{{range 1000000}}{{$x := printf \"%0200d\" 1}}{{end}}",
        "steps",
    );
    check_stops(
        "{{$x := \"ab\"}}{{range 60}}{{$x = print $x $x}}{{end}}",
        "result of more than 8388608 bytes",
    );
    check_stops(
        "{{$l := list}}{{range 100000}}{{$l = append $l 1}}{{end}}",
        "steps",
    );
    check_stops(
        "{{$l := list 1}}{{range 60}}{{$l = list $l $l}}{{end}}{{print $l}}",
        "result of more than",
    );
    check_stops(
        "{{$l := list 1}}{{range 60}}{{$l = list $l $l}}{{end}}{{toJson $l}}",
        "result of more than",
    );
    check_stops(
        "{{$l := list 1}}{{range 500}}{{$l = list $l}}{{end}}",
        "value of more than 100 levels",
    );
    check_stops(
        "{{printf \"%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d\" 1 1 1 1 1 1 1 1 1}}",
        "result of more than",
    );
    let twice = "{{$r := printf \"%8000000s\" \"\"}}";
    check_stops(
        &format!("{twice}{{{{reReplaceAll \"x\" $r \"xx\"}}}}"),
        "result of more than",
    );
    check_stops(
        &format!("{twice}{{{{join $r (stringSlice \"a\" \"b\" \"c\")}}}}"),
        "result of more than",
    );
}

#[test]
fn output_is_limited() {
    let limits = Limits {
        output_bytes_max: 10,
        ..Limits::default()
    };
    assert_eq!(
        run("{{range 5}}ab{{end}}", &limits, false).unwrap(),
        "ababababab"
    );
    let error = run("{{range 6}}ab{{end}}", &limits, false).unwrap_err();
    assert!(
        error.to_string().contains("output of more than 10 bytes"),
        "{error}"
    );
}

#[test]
fn nesting_is_limited_and_fits_the_stack() {
    check_stops(
        "{{define \"r\"}}{{template \"r\" .}}{{end}}{{template \"r\" .}}",
        "exceeded maximum template depth (200)",
    );
    let deep = "{{define \"r\"}}{{if true}}{{with $}}{{range 1}}{{template \"r\" (print ($))}}{{end}}{{end}}{{end}}{{end}}{{template \"r\" .}}";
    check_stops(deep, "exceeded maximum template depth");
    assert!(
        run(
            deep,
            &Limits {
                depth_max: 400,
                ..Limits::default()
            },
            false
        )
        .is_err()
    );
    check_stops(
        &("{{print ".to_owned() + &"(print ".repeat(5000) + "1" + &")".repeat(5000) + "}}"),
        "max expression depth exceeded",
    );
    check_stops(
        &("{{if true}}".repeat(5000) + &"{{end}}".repeat(5000)),
        "max expression depth exceeded",
    );
    check_stops(
        &("{{if false}}".to_owned() + &"{{else if false}}".repeat(5000) + "{{end}}"),
        "max expression depth exceeded",
    );
    let nested = "{{if true}}".repeat(140) + "x" + &"{{end}}".repeat(140);
    assert_eq!(run(&nested, &Limits::default(), false).unwrap(), "x");
    assert_eq!(run(&nested, &Limits::default(), true).unwrap(), "x");
    let parentheses = "(print ".repeat(140) + "1" + &")".repeat(140);
    let text = "{{define \"r\"}}{{if eq (len .) 150}}{{print PARENTHESES}}{{else}}{{template \"r\" (print . \"x\")}}{{end}}{{end}}{{template \"r\" \"\"}}"
        .replace("PARENTHESES", &parentheses);
    let limits = Limits {
        depth_max: 400,
        ..Limits::default()
    };
    let error = run(&text, &limits, false).unwrap_err().to_string();
    assert!(error.contains("exceeded maximum template depth"), "{error}");
    let ranges = "{{range 1}}".repeat(40) + "x" + &"{{end}}".repeat(40);
    let error = run(&ranges, &Limits::default(), true)
        .unwrap_err()
        .to_string();
    assert!(error.contains("too deeply nested to be escaped"), "{error}");
    let else_if = "{{if false}}".to_owned() + &"{{else if false}}".repeat(90) + "{{else}}y{{end}}";
    assert_eq!(run(&else_if, &Limits::default(), true).unwrap(), "y");
    let html = "{{define \"r\"}}<p title=\"{{template \"r\" .}}\"{{end}}{{template \"r\" .}}";
    assert!(run(html, &Limits::default(), true).is_err());
    let chain: String = (0..300)
        .map(|n| {
            format!(
                "{{{{define \"t{n}\"}}}}{{{{template \"t{}\"}}}}{{{{end}}}}",
                n + 1
            )
        })
        .collect();
    assert!(
        run(
            &format!("{chain}{{{{template \"t0\"}}}}"),
            &Limits::default(),
            true
        )
        .is_err()
    );
}

#[test]
fn missing_keys_follow_the_option() {
    for (missing_key, expected) in [
        (MissingKey::Invalid, "<no value>"),
        (MissingKey::Zero, ""),
        (
            MissingKey::Error,
            "template: t:1:3: executing \"t\" at <.x>: map has no entry for key \"x\"",
        ),
    ] {
        let mut template = Template::new("t").missing_key(missing_key);
        template.parse("{{ .x }}").unwrap();
        let data = Value::string_map([("a", "b")]);
        let got = template
            .execute("t", &data, &Limits::default())
            .unwrap_or_else(|error| error.to_string());
        assert_eq!(got, expected);
    }
}

/// Pieces from which random templates are put together; most give a valid action now and then.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    "if ",
    "else",
    "end",
    "range ",
    "with ",
    "define ",
    "template ",
    "block ",
    "break",
    "continue",
    "\"r\"",
    "`x",
    "'a'",
    ".",
    ".a",
    ".a.b",
    "$",
    "$x",
    " := ",
    " = ",
    "|",
    "(",
    ")",
    ",",
    "print ",
    "printf ",
    "\"%d%s%v\"",
    "len ",
    "index ",
    "eq ",
    "and ",
    "1",
    "-2.5e3",
    "0x1f",
    "nil",
    "true",
    "/*",
    "*/",
    "list ",
    "<a href=\"",
    "\">",
    "<script>",
    "</script>",
    "<style>",
    "<p title=",
    "'",
    "/",
    "é",
    "<!--",
    "-->",
    "toJson ",
    "slice ",
    "$x := 1",
    "{{range 3}}",
    "{{end}}",
    "{{if .a}}",
    "{{else}}",
    "{{template \"r\" .}}",
    "{{define \"r\"}}",
    "{{.a}}",
    "{{.b | html}}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        for (text, html) in [(text.clone(), false), (format!("{{{{{text}}}}}"), true)] {
            if let Err(error) = run(&text, &Limits::default(), html) {
                prop_assert!(error.to_string().contains("template:t:") || error.to_string().contains("template: t:"), "{error}");
            }
        }
    }

    #[test]
    fn any_template_ends_within_its_limits(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        let limits = Limits { steps_max: 2_000, output_bytes_max: 1_000, depth_max: 50 };
        for html in [false, true] {
            if let Ok(output) = run(&text, &limits, html) {
                prop_assert!(output.len() <= 1_000);
            }
        }
    }

    #[test]
    fn escaped_text_never_opens_a_tag(value in any::<String>()) {
        let mut template = Template::new("t");
        template.parse("<p title=\"{{.}}\">{{.}}</p><a href='{{.}}'>").unwrap();
        let html = template.execute_html("t", &Value::str(&value), &Limits::default()).unwrap();
        prop_assert_eq!(html.matches('<').count(), 3);
        prop_assert_eq!(html.matches('"').count(), 2);
        prop_assert_eq!(html.matches('\'').count(), 2);
    }
}
