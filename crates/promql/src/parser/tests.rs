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
    check(
        "# comment",
        "1:1: parse error: no expression found in input",
    );
    check("1+", "1:3: parse error: unexpected end of input");
    check("1 /\n", "2:1: parse error: unexpected end of input");
    check(".", "1:1: parse error: unexpected character: '.'");
    check(
        "2.5.",
        "1:1: parse error: bad number or duration syntax: \"2.5.\"",
    );
    check(
        "0deadbeef",
        "1:1: parse error: bad number or duration syntax: \"0de\"",
    );
    check(
        "foo{",
        "1:5: parse error: unexpected end of input inside braces",
    );
    check("(1", "1:3: parse error: unclosed left parenthesis");
    check(
        "999e999",
        "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"999e999\": value out of range",
    );
    check(
        "1 !~ 1",
        "1:3: parse error: unexpected character after '!': '~'",
    );
    check(
        "1 and 1",
        "1:1: parse error: set operator \"and\" not allowed in binary scalar expression",
    );
    check(
        "1 == 1",
        "1:3: parse error: comparisons between scalars must use BOOL modifier",
    );
    check(
        "1 + bool 2",
        "1:3: parse error: bool modifier can only be used on comparison operators",
    );
    check("*1", "1:1: parse error: unexpected <op:*>");
    check("(1))", "1:4: parse error: unexpected right parenthesis ')'");
    check(
        "foo{a=b}",
        "1:7: parse error: unexpected identifier \"b\" in label matching, expected string",
    );
    check(
        "foo{a 'b'}",
        "1:7: parse error: unexpected string \"'b'\" in label matching, expected label matching operator",
    );
    check(
        "foo{__name__='bar'}",
        "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\"",
    );
    check(
        "{a=''}",
        "1:1: parse error: vector selector must contain at least one non-empty matcher",
    );
    check("foo[5m", "1:7: parse error: unclosed left bracket");
    check(
        "foo[5m5m",
        "1:5: parse error: not a valid duration string: \"5m5m\"",
    );
    check(
        "foo[]",
        "1:5: parse error: unexpected \"]\" in subquery or range selector, expected number, duration, step(), or range()",
    );
    check(
        "foo[0m]",
        "1:5: parse error: duration must be greater than 0",
    );
    check(
        "foo[5m] offset 1h30",
        "1:16: parse error: bad number or duration syntax: \"1h30\"",
    );
    check(
        "foo offset",
        "1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
    );
    check(
        "foo @ bar",
        "1:7: parse error: unexpected identifier \"bar\" in @, expected timestamp",
    );
    check(
        "foo @ Inf",
        "1:1: parse error: timestamp out of bounds for @ modifier: +Inf",
    );
    check(
        "foo offset 1m offset 2m",
        "1:1: parse error: offset may not be set multiple times",
    );
    check(
        "(foo + bar)[5m]",
        "1:12: parse error: ranges only allowed for vector selectors",
    );
    check(
        "1 offset 1d",
        "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
    check(
        "rate(some_metric)",
        "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector",
    );
    check(
        "floor()",
        "1:1: parse error: expected 1 argument(s) in call to \"floor\", got 0",
    );
    check(
        "label_join(a)",
        "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 1",
    );
    check(
        "hour(a, b)",
        "1:1: parse error: expected at most 1 argument(s) in call to \"hour\", got 2",
    );
    check(
        "non_existent(a)",
        "1:1: parse error: unknown function with name \"non_existent\"",
    );
    check(
        "floor(a,)",
        "1:8: parse error: trailing commas not allowed in function call args",
    );
    check(
        "sum a",
        "1:5: parse error: unexpected identifier \"a\" in aggregation",
    );
    check(
        "sum(a b)",
        "1:7: parse error: unexpected identifier \"b\" in aggregation",
    );
    check(
        "sum()",
        "1:1: parse error: no arguments for aggregate expression provided",
    );
    check(
        "topk(a)",
        "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
    );
    check(
        "topk('x', a)",
        "1:6: parse error: expected type scalar in aggregation parameter, got string",
    );
    check(
        "sum by test (a)",
        "1:8: parse error: unexpected identifier \"test\" in grouping opts, expected \"(\"",
    );
    check(
        "sum by (a b) (c)",
        "1:11: parse error: unexpected identifier \"b\" in grouping opts, expected \",\" or \")\"",
    );
    check(
        "a and on(b) group_left(c) d",
        "1:1: parse error: no grouping allowed for \"and\" operation",
    );
    check(
        "a + on(b) group_left(b) c",
        "1:3: parse error: label \"b\" must not occur in ON and GROUP clause at once",
    );
    check(
        "1 + on(b) c",
        "1:1: parse error: vector matching only allowed between instant vectors",
    );
    check(
        "a or fill(0) b",
        "1:1: parse error: filling in missing series not allowed for set operators",
    );
    check(
        "-'x'",
        "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got \"string\"",
    );
    check(
        "1[5m:]",
        "1:1: parse error: subquery is only allowed on instant vector, got scalar instead",
    );
    check(
        "a[5m] anchored smoothed",
        "1:1: parse error: anchored and smoothed modifiers cannot be used together",
    );
    check(
        "'\\q'",
        "1:1: parse error: unknown escape sequence U+0071 'q'",
    );
    check("\"a", "1:1: parse error: unterminated quoted string");
    check("a\n  b", "2:3: parse error: unexpected identifier \"b\"");
    check("foo[5m / 0]", "1:10: parse error: division by zero");
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
