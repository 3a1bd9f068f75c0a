//! Whole templates against what Go 1.26 gives.
//!
//! Each line of `testdata/*.cases` is a template and Go's output, or `!` and Go's error, as quoted Go strings.
//! They were made by a Go program that executes them on the same data as [`data`].

use std::collections::BTreeMap;

use super::*;
use crate::format::unquote;
use crate::value::*;

static PAIR: Class = Class::structure("main.Pair", no_methods);
static T: Class = Class::structure("main.T", no_methods);
static INTS: Class = Class {
    name: "[]int",
    underlying: "[]int",
    element: Type::Int,
    methods: no_methods,
};
static FLOATS: Class = Class {
    name: "[]float64",
    underlying: "[]float64",
    element: Type::Float,
    methods: no_methods,
};
static PAIRS: Class = Class {
    name: "[]main.Pair",
    underlying: "[]main.Pair",
    element: Type::Class(&PAIR),
    methods: no_methods,
};

fn pair(name: &str, value: impl Into<Value>) -> Value {
    Value::record(&PAIR, vec![("Name", name.into()), ("Value", value.into())])
}

fn any_map(entries: Vec<(&str, Value)>) -> Value {
    let entries: BTreeMap<_, _> = entries
        .into_iter()
        .map(|(key, value)| (Arc::from(key), value))
        .collect();
    Value::map(entries)
}

fn named(class: &'static Class, text: &str) -> Value {
    Value::NamedStr(class, text.into())
}

fn data() -> Value {
    let list = |class, items| Value::List(List::new(class, items));
    let stamp = Time::parse(
        "2006-01-02T15:04:05.999Z07:00",
        "2024-07-01T00:30:00.005+02:00",
    )
    .unwrap();
    let at = Time::parse(
        "2006-01-02T15:04:05.999999Z07:00",
        "2024-02-29T13:04:05.067890Z",
    )
    .unwrap();
    let add = Function::new(
        Signature::of(&[Type::Int, Type::Int]),
        |values| match values {
            [Value::Int(left), Value::Int(right)] => Ok(Value::Int(left + right)),
            _ => Err("not two numbers".into()),
        },
    );
    Value::record(
        &T,
        vec![
            ("Name", "ann".into()),
            ("Count", 42.into()),
            ("Ratio", 0.75.into()),
            ("On", true.into()),
            ("Off", false.into()),
            ("Words", Value::strings(["x", "y", "z"])),
            ("Empty", Value::strings::<&str>([])),
            ("Ints", list(&INTS, vec![1.into(), 2.into()])),
            ("Floats", list(&FLOATS, vec![1.5.into(), 2.0.into()])),
            (
                "Labels",
                Value::string_map([("job", "node"), ("instance", "h:9100"), ("a", "1")]),
            ),
            (
                "Any",
                any_map(vec![
                    ("n", 1.into()),
                    ("map", any_map(vec![("k", "v".into())])),
                    (
                        "list",
                        Value::list(vec![1.into(), "two".into(), 3.5.into(), Value::Nil]),
                    ),
                    ("nil", Value::Nil),
                ]),
            ),
            ("At", at.into()),
            ("Stamp", stamp.into()),
            ("For", Value::duration(90_000_000_000)),
            ("Nil", Value::Nil),
            ("Add", Value::Func(add)),
            ("Pair", pair("p", 3)),
            ("Pairs", list(&PAIRS, vec![pair("a", "1"), pair("b", 2.5)])),
            ("Html", named(&HTML, "<b>bold</b> &amp; \"q\"")),
            ("Url", named(&URL, "javascript:go()?a=b&c=d")),
            ("Js", named(&JS, "f(1)")),
            ("Css", named(&CSS, "color: red")),
            ("Attr", named(&HTML_ATTR, "title=\"x\"")),
            ("JsStr", named(&JS_STR, "a\\'b\"")),
            ("Srcset", named(&SRCSET, "/a.png 1x")),
            (
                "Evil",
                "<script>alert('x')</script> & \"q\" + `b` = \\ / \u{2028} é {};:()".into(),
            ),
            ("Link", "http://h/p a?x=1&y=é#f".into()),
            ("BadLink", "javascript:alert(1)".into()),
        ],
    )
}

fn run(text: &str, html: bool) -> Result<String, Error> {
    let mut template = Template::new("t").missing_key(MissingKey::Zero);
    template.parse(text)?;
    let limits = Limits::default();
    if html {
        template.execute_html("t", &data(), &limits)
    } else {
        template.execute("t", &data(), &limits)
    }
}

/// Runs a file of cases and returns how many there were.
fn check_cases(cases: &str, html: bool) -> usize {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        count += 1;
        let (text, expected) = line.split_once('\t').unwrap();
        let text = unquote(text).unwrap();
        let got = match run(&text, html) {
            Ok(output) => output,
            Err(error) => format!("!{error}"),
        };
        let expected = match expected.strip_prefix('!') {
            Some(error) => format!("!{}", unquote(error).unwrap()),
            None => unquote(expected).unwrap(),
        };
        if got != expected {
            failures.push(format!("{text:?}\n  want {expected:?}\n  got  {got:?}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
    count
}

#[test]
fn text_templates_give_what_go_gives() {
    assert!(check_cases(include_str!("../testdata/text.cases"), false) > 200);
}

/// A selection of random formats and arguments.
#[test]
fn printf_gives_what_go_gives() {
    assert_eq!(
        check_cases(include_str!("../testdata/printf.cases"), false),
        300
    );
}

#[test]
fn html_templates_give_what_go_gives() {
    assert!(check_cases(include_str!("../testdata/html.cases"), true) > 80);
}

#[test]
fn later_definitions_replace_earlier_ones_unless_empty() {
    let mut template = Template::new("main");
    template
        .parse("{{define \"a\"}}one{{end}}{{template \"a\"}}")
        .unwrap();
    let run =
        |template: &Template, name: &str| template.execute(name, &Value::Nil, &Limits::default());
    assert_eq!(run(&template, "main").unwrap(), "one");
    template
        .parse_named("file.tmpl", "{{define \"a\"}}two{{end}}")
        .unwrap();
    assert_eq!(run(&template, "main").unwrap(), "two");
    template
        .parse_named("other.tmpl", "{{define \"a\"}} {{end}}")
        .unwrap();
    assert_eq!(run(&template, "main").unwrap(), "two");
    assert!(
        template
            .parse_named("bad.tmpl", "{{define \"a\"}}three{{end}}\n{{if}}")
            .is_err()
    );
    assert_eq!(run(&template, "a").unwrap(), "two");
    assert!(template.lookup("file.tmpl") && !template.lookup("bad.tmpl"));
    let error = run(&template, "nope").unwrap_err().to_string();
    assert_eq!(
        error,
        "template: no template \"nope\" associated with template \"main\""
    );
    let error = run(&Template::new("x"), "x").unwrap_err().to_string();
    assert_eq!(
        error,
        "template: x: \"x\" is an incomplete or empty template"
    );
    let large = "x".repeat(TEMPLATE_BYTES_MAX + 1);
    assert!(matches!(
        template.parse(&large),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn a_nameless_template_has_no_name_in_its_errors() {
    let mut template = Template::new("");
    template.parse("<a href='x").unwrap();
    let error = template
        .execute_html("", &Value::Nil, &Limits::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("html/template: ends in a non-text context: {stateURL delimSingleQuote"),
        "{error}"
    );
}
