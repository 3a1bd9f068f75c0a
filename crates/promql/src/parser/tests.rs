use crate::{parse, parse_metric_selector};

fn prints(query: &str, wanted: &str) {
    match parse(query) {
        Ok(expr) => assert_eq!(expr.to_string(), wanted, "{query}"),
        Err(error) => panic!("{query}: {error}"),
    }
    // What is printed is canonical: it reads back and prints the same.
    assert_eq!(
        parse(wanted).map(|expr| expr.to_string()),
        Ok(wanted.to_owned())
    );
}

fn fails(query: &str, wanted: &str) {
    match parse(query) {
        Ok(expr) => panic!("{query} is understood as {expr}"),
        Err(error) => assert_eq!(error.to_string(), wanted, "{query}"),
    }
}

#[test]
fn numbers() {
    let check = prints;
    check("1", "1");
    check("+Inf", "+Inf");
    check("-inf", "-Inf");
    check("NaN", "NaN");
    check(".5", "0.5");
    check("5.", "5");
    check("123.4567", "123.4567");
    check("5e-3", "0.005");
    check("5e3", "5000");
    check("0xc", "12");
    check("0755", "493");
    check("08", "8");
    check("-0755", "-493");
    check("1_000_000", "1000000");
    check("0x_1F", "31");
    check("1h30m", "1h30m");
    check("-5m", "-5m");
    check("1m + 60", "1m + 60");
    check("+5.5e-3", "0.0055");
    check("-1 ^ 2", "-1 ^ 2");
}

#[test]
fn operators_bind_as_upstream() {
    let check = |query: &str, wanted: &str| {
        let shape = |query: &str| parenthesised(&parse(query).unwrap());
        assert_eq!(shape(query), wanted, "{query}");
    };
    check("1 + 2 * 3", "(1 + (2 * 3))");
    check("2 ^ 3 ^ 4", "(2 ^ (3 ^ 4))");
    check("-a ^ 2", "-(a ^ 2)");
    check("-a * b", "(-a * b)");
    check("2 ^ -1 * 3", "((2 ^ -1) * 3)");
    check("a or b and c unless d", "(a or ((b and c) unless d))");
    check("a - b - c", "((a - b) - c)");
    check("a > b + c % d atan2 e", "(a > (b + ((c % d) atan2 e)))");
    check("a </ 1 >/ 2", "((a </ 1) >/ 2)");
    check("a offset -2 ^ 2", "(a offset -2s ^ 2)");
    check("a offset 100 + 2", "(a offset 1m40s + 2)");
    check("a offset (1m) + b", "(a offset (1m) + b)");
}

/// The query with a parenthesis around each operation.
fn parenthesised(expr: &crate::Expr) -> String {
    use crate::ast::ExprKind;
    match &expr.kind {
        ExprKind::Binary(binary) => format!(
            "({} {} {})",
            parenthesised(&binary.left),
            binary.operator.symbol(),
            parenthesised(&binary.right)
        ),
        ExprKind::Unary { negative, operand } => {
            format!(
                "{}{}",
                if *negative { "-" } else { "+" },
                parenthesised(operand)
            )
        }
        _ => expr.to_string(),
    }
}

#[test]
fn selectors_and_modifiers() {
    let check = prints;
    check("foo", "foo");
    check("foo{}", "foo");
    check("min", "min");
    check("sum{a='b'}", "sum{a=\"b\"}");
    check("foo{b=~'x.*',a!=\"1\",}", "foo{a!=\"1\",b=~\"x.*\"}");
    check("{\"a.b\", 'l.x'=`y`}", "{\"l.x\"=\"y\",__name__=\"a.b\"}");
    check("foo:bar{sum=\"a\"}", "foo:bar{sum=\"a\"}");
    check("foo offset 5m @ 12.5", "foo @ 12.500 offset 5m");
    check("foo @ end() offset -1h", "foo @ end() offset -1h");
    check("foo @ -3.3", "foo @ -3.300");
    check("foo offset 0s", "foo");
    check("foo[300] @ start()", "foo[5m] @ start()");
    check("foo[5m] anchored offset 1m", "foo[5m] anchored offset 1m");
    check("foo smoothed offset 1m", "foo smoothed offset 1m");
    check("foo[5m + 3 * step()]", "foo[5m + 3 * step()]");
    check("foo[min(5m, range()):(1m)]", "foo[min(5m, range()):(1m)]");
    check("foo offset -(2m * 3)", "foo offset -(2m * 3)");
    check("foo[-5m+35m]", "foo[-5m + 35m]");
    check("foo offset step()", "foo offset step()");
    check(
        "rate(foo[5m])[1h:5m] offset 1w",
        "rate(foo[5m])[1h:5m] offset 1w",
    );
    check("foo[1h:] # all of it", "foo[1h:]");
    check("start + end", "start + end");
    check("step() + range() - end()", "step() + range() - end()");
    check("offset offset 5m", "offset offset 5m");
}

#[test]
fn calls_aggregations_and_matching() {
    let check = prints;
    check("sum by () (a)", "sum(a)");
    check("sum(a) by (b, \"c.d\", on,)", "sum by (b, \"c.d\", on) (a)");
    check("avg without(a)(b)", "avg without (a) (b)");
    check("SUM(a)", "sum(a)");
    check("topk by (job) (3, a)", "topk by (job) (3, a)");
    check("count_values('x', a)", "count_values(\"x\", a)");
    check("a + on() b", "a + on () b");
    check("a + ignoring() b", "a + b");
    check("a * on(x) group_left b", "a * on (x) group_left () b");
    check(
        "a == bool ignoring(x) group_right(y) b",
        "a == bool ignoring (x) group_right (y) b",
    );
    check("a + fill(0) b", "a + fill (0) b");
    check(
        "a + on(x) fill_right(-Inf) fill_left (2) b",
        "a + on (x) fill_left (2) fill_right (-Inf) b",
    );
    check("fill + fill", "fill + fill");
    check("label_join(a, 'x', ',')", "label_join(a, \"x\", \",\")");
    check("info(a, {\"x\"=~\".*\"})", "info(a, {x=~\".*\"})");
    check("info(a, {})", "info(a, {})");
    check("time()", "time()");
    check("'a\\n\\u00e9\\x41\\101\\''", "\"a\\né\u{41}A'\"");
    check("`a\\n`", "\"a\\\\n\"");
}

#[test]
fn says_what_is_wrong_where() {
    let check = fails;
    check("", "1:1: parse error: no expression found in input");
    check("1 /\n", "2:1: parse error: unexpected end of input");
    check("a\n  b", "2:3: parse error: unexpected identifier \"b\"");
    // Each query stands on a line, its message indented on the next.
    let mut query = "";
    for line in include_str!("../../testdata/bad_queries.txt").lines() {
        match line.strip_prefix("  ") {
            Some(message) => check(query, message),
            None => query = line,
        }
    }
}

#[test]
fn hostile_depth_is_an_error_not_a_crash() {
    let check = |query: String| assert!(parse(&query).is_err());
    for unit in [
        "(",
        "-",
        "sum(",
        "1+",
        "1^",
        "a[1m:",
        "a[(",
        "a offset -(",
        "{",
        "abs(",
    ] {
        check(unit.repeat(1_000_000 / unit.len()));
    }
    check(format!("a{}", "[1m:1m]".repeat(100_000)));
    check(format!("a[{}1m]", "1+".repeat(100_000)));
    check(format!("1{}", "+1".repeat(500_000)));
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    check(deep);
    // What people write is far from the limits.
    assert!(parse(&format!("a{}", " or a".repeat(400))).is_ok());
    assert!(parse(&format!("{}a{}", "(".repeat(100), ")".repeat(100))).is_ok());
}

#[test]
fn metric_selectors() {
    let check = |text: &str, wanted: &str| {
        let printed = match parse_metric_selector(text) {
            Ok(matchers) => matchers
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(","),
            Err(error) => error.to_string(),
        };
        assert_eq!(printed, wanted, "{text}");
    };
    check("up", "__name__=\"up\"");
    check(
        "{job=~\"a|b\", \"x y\"!=\"\"}",
        "job=~\"a|b\",\"x y\"!=\"\"",
    );
    check("{}", "");
    check("up offset 5m", "1:4: parse error: unexpected <offset>");
    check("sum(up)", "1:4: parse error: unexpected \"(\"");
}

/// Every query of upstream's scripts and of the compliance tests is understood, and its printed form is
/// understood as the same.
#[test]
fn upstream_queries_read_print_and_read_back() {
    let Some(folder) = runtime::environment::var("CONFORMANCE") else {
        eprintln!("skipped: CONFORMANCE does not name a folder");
        return;
    };
    let folder = std::path::Path::new(&folder);
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("promqltest")).unwrap() {
        let path = entry.unwrap().path();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let Some(query) = query_of_eval(line.trim()) else {
                continue;
            };
            reads_back(query, &path.display().to_string());
            count += 1;
        }
    }
    assert_eq!(count, 1576);
    let templates =
        std::fs::read_to_string(folder.join("promql-compliance/promql-test-queries.yml")).unwrap();
    for line in templates.lines() {
        let Some(query) = line.trim().strip_prefix("- query: ") else {
            continue;
        };
        if let Some(query) = filled(query) {
            reads_back(&query, "promql-test-queries.yml");
            count += 1;
        }
    }
    assert!(count > 1650, "{count} queries");
}

fn reads_back(query: &str, source: &str) {
    let expr = match parse(query) {
        Ok(expr) => expr,
        Err(error) => panic!("{source}: {query}: {error}"),
    };
    let printed = expr.to_string();
    let again = parse(&printed).unwrap_or_else(|error| panic!("{source}: {printed}: {error}"));
    assert_eq!(again.to_string(), printed, "{source}: {query}");
}

fn query_of_eval(line: &str) -> Option<&str> {
    let line = line.strip_prefix("eval")?;
    let words = if line.contains(" instant ") { 4 } else { 8 };
    let mut rest = line;
    for _ in 0..words {
        let (_, tail) = rest.split_once(|c: char| c.is_ascii_whitespace())?;
        rest = tail.trim_start();
    }
    Some(rest)
}

/// A template of the compliance tests with one value for each variable; `None` where it should fail.
fn filled(template: &str) -> Option<String> {
    let quoted = template
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    let mut query = quoted.unwrap_or(template).replace("''", "'");
    for (variable, value) in [
        ("{{.range}}", "5m"),
        ("{{.offset}}", "1m"),
        ("{{.quantile}}", "0.9"),
        ("{{.simpleAggrOp}}", "sum"),
        ("{{.topBottomOp}}", "topk"),
        ("{{.binOp}}", "+"),
        ("{{.compBinOp}}", "=="),
        ("{{.simpleTimeAggrOp}}", "avg"),
        ("{{.simpleMathFunc}}", "abs"),
        ("{{.extrapolatedRateFunc}}", "rate"),
        ("{{.instantRateFunc}}", "irate"),
        ("{{.clampFunc}}", "clamp_min"),
        ("{{.dateFunc}}", "hour"),
        ("{{.trigFunc}}", "sin"),
        ("{{.smoothingFactor}}", "0.5"),
        ("{{.trendFactor}}", "0.5"),
        ("{{.arithBinOp}}", "+"),
        ("{{.setBinOp}}", "and"),
        ("{{.numWithUnderscores}}", "1_000"),
    ] {
        query = query.replace(variable, value);
    }
    let should_fail = [
        "holt_winters",
        "up{",
        "nonexistent_metric_name(",
        "{__name__=~\".*\"}",
    ];
    (!query.contains("{{") && !should_fail.iter().any(|part| query.contains(part))).then_some(query)
}

mod property;
