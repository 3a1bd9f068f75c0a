//! What is printed reads back equal; no text makes the parser panic.

use crate::ast::{
    Aggregate, AggregateOperator, AtModifier, Binary, BinaryOperator, Call, Cardinality,
    DurationExpr, DurationKind, DurationNode, Expr, ExprKind, MatrixSelector, Modifiers,
    RangeBorders, Span, Subquery, VectorMatching, VectorSelector,
};
use crate::{parse, parse_metric_selector, signatures};
use model::{METRIC_NAME, MatchOperator, Matcher};
use proptest::prelude::*;

fn expr(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

fn node(kind: DurationKind) -> DurationNode {
    DurationNode {
        kind,
        span: Span::default(),
    }
}

/// Puts a parenthesis around what an operator beside it could pull apart.
fn operand(inner: Expr) -> Box<Expr> {
    Box::new(match inner.kind {
        ExprKind::Binary(_) | ExprKind::Unary { .. } => expr(ExprKind::Paren(Box::new(inner))),
        _ => inner,
    })
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,4}",
        "[a-zé. \"\\\\]{1,4}",
        Just("by".to_owned())
    ]
}

fn selector() -> impl Strategy<Value = VectorSelector> {
    let matcher = (label(), 0..4_usize, "[a-z.\"\\\\\n]{0,4}").prop_filter_map(
        "a condition that compiles",
        |(name, operator, value)| {
            let operator = [
                MatchOperator::Equal,
                MatchOperator::NotEqual,
                MatchOperator::Regex,
                MatchOperator::NotRegex,
            ][operator];
            Matcher::new(name, operator, value).ok()
        },
    );
    let at = prop_oneof![
        Just(None),
        Just(Some(AtModifier::Start)),
        Just(Some(AtModifier::End)),
        (-10_000_000_i64..10_000_000).prop_map(|at| Some(AtModifier::Millis(at))),
    ];
    let borders = prop_oneof![
        Just(RangeBorders::Plain),
        Just(RangeBorders::Anchored),
        Just(RangeBorders::Smoothed),
    ];
    let name = prop_oneof![
        "[a-z][a-z:]{0,4}x",
        Just("sum".to_owned()),
        Just("on_".to_owned())
    ];
    (
        name,
        prop::collection::vec(matcher, 0..3),
        at,
        prop::option::of(offset()),
        borders,
    )
        .prop_map(|(name, mut matchers, at, offset, borders)| {
            // The printer sorts conditions.
            matchers.sort_by_key(ToString::to_string);
            matchers.push(Matcher::equal(METRIC_NAME, &name));
            VectorSelector {
                name: Some(name),
                matchers,
                modifiers: Modifiers { offset, at },
                borders,
            }
        })
}

fn duration_node() -> impl Strategy<Value = DurationNode> {
    let leaf = prop_oneof![
        (1_u32..1_000_000).prop_map(|millis| DurationKind::Number {
            value: f64::from(millis) / 1000.0,
            is_duration: true
        }),
        (1_u32..1000).prop_map(|value| DurationKind::Number {
            value: f64::from(value),
            is_duration: false
        }),
        Just(DurationKind::Step),
        Just(DurationKind::Range),
    ]
    .prop_map(node);
    leaf.prop_recursive(3, 8, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        let parens = |inner: DurationNode| Box::new(node(DurationKind::Paren(Box::new(inner))));
        prop_oneof![
            pair.clone()
                .prop_map(|(a, b)| DurationKind::Min(Box::new(a), Box::new(b))),
            pair.clone()
                .prop_map(|(a, b)| DurationKind::Max(Box::new(a), Box::new(b))),
            (pair, 0..6_usize).prop_map(move |((a, b), operator)| DurationKind::Binary {
                operator: ARITHMETIC[operator],
                left: parens(a),
                right: parens(b),
            }),
            inner.clone().prop_map(move |operand| DurationKind::Sign {
                negative: true,
                operand: parens(operand)
            }),
            inner.prop_map(|inner| DurationKind::Paren(Box::new(inner))),
        ]
        .prop_map(node)
    })
}

const ARITHMETIC: [BinaryOperator; 6] = [
    BinaryOperator::Add,
    BinaryOperator::Subtract,
    BinaryOperator::Multiply,
    BinaryOperator::Divide,
    BinaryOperator::Modulo,
    BinaryOperator::Power,
];

/// A duration that stands in brackets: a known one is a plain number.
fn range() -> impl Strategy<Value = DurationExpr> {
    prop_oneof![
        (1_i64..100_000_000).prop_map(DurationExpr::Millis),
        duration_node().prop_map(|inner| match inner.kind {
            DurationKind::Number { .. } =>
                DurationExpr::Computed(Box::new(node(DurationKind::Paren(Box::new(inner))))),
            _ => DurationExpr::Computed(Box::new(inner)),
        }),
    ]
}

/// A duration after `offset`: arithmetic stands in parentheses.
fn offset() -> impl Strategy<Value = DurationExpr> {
    prop_oneof![
        (1_i64..100_000_000).prop_map(DurationExpr::Millis),
        (-100_000_000_i64..-1).prop_map(DurationExpr::Millis),
        duration_node().prop_map(|inner| {
            DurationExpr::Computed(Box::new(node(DurationKind::Paren(Box::new(inner)))))
        }),
    ]
}

fn scalar() -> impl Strategy<Value = Expr> {
    prop_oneof![
        (-1e9..1e9).prop_map(|value| ExprKind::Number {
            value,
            is_duration: false
        }),
        (1_u32..100_000_000).prop_map(|millis| ExprKind::Number {
            value: f64::from(millis) / 1000.0,
            is_duration: true
        }),
        Just(ExprKind::Call(Call {
            function: signatures::find("time").unwrap(),
            arguments: Vec::new()
        })),
    ]
    .prop_map(expr)
}

fn matching(operator: BinaryOperator) -> impl Strategy<Value = VectorMatching> {
    let labels = || prop::collection::vec(label(), 0..3);
    let fill = || prop::option::of(-10_i32..10);
    (
        0..3_usize,
        any::<bool>(),
        labels(),
        labels(),
        fill(),
        fill(),
    )
        .prop_map(move |(cardinality, on, labels, mut include, left, right)| {
            if operator.is_set() {
                return VectorMatching {
                    cardinality: Cardinality::ManyToMany,
                    on,
                    labels,
                    ..VectorMatching::default()
                };
            }
            let cardinality = [
                Cardinality::OneToOne,
                Cardinality::ManyToOne,
                Cardinality::OneToMany,
            ][cardinality];
            include.retain(|label| cardinality != Cardinality::OneToOne && !labels.contains(label));
            VectorMatching {
                cardinality,
                on,
                labels,
                include,
                fill_left: left.map(f64::from),
                fill_right: right.map(f64::from),
            }
        })
}

fn vector() -> impl Strategy<Value = Expr> {
    let leaf = selector().prop_map(|selector| expr(ExprKind::Vector(selector)));
    leaf.prop_recursive(4, 24, 3, |inner| {
        let rate = |argument| {
            expr(ExprKind::Call(Call {
                function: signatures::find("rate").unwrap(),
                arguments: vec![argument],
            }))
        };
        let matrix = (selector(), range()).prop_map(move |(selector, range)| {
            rate(expr(ExprKind::Matrix(MatrixSelector { selector, range })))
        });
        let subquery = (inner.clone(), range(), prop::option::of(range())).prop_map(
            move |(inner, range, step)| {
                rate(expr(ExprKind::Subquery(Subquery {
                    expr: operand(inner),
                    range,
                    step,
                    modifiers: Modifiers::default(),
                })))
            },
        );
        let negated = inner.clone().prop_map(|inner| {
            expr(ExprKind::Unary {
                negative: true,
                operand: operand(inner),
            })
        });
        prop_oneof![
            matrix,
            subquery,
            negated,
            aggregate(inner.clone()),
            binary(inner)
        ]
    })
}

fn aggregate(inner: impl Strategy<Value = Expr> + Clone) -> impl Strategy<Value = Expr> {
    let labels = prop::collection::vec(label(), 0..3);
    (
        0..AggregateOperator::ALL.len(),
        inner,
        any::<bool>(),
        labels,
        scalar(),
    )
        .prop_map(|(operator, inner, without, grouping, parameter)| {
            let operator = AggregateOperator::ALL[operator];
            let parameter = if operator == AggregateOperator::CountValues {
                expr(ExprKind::String("a\"b".to_owned()))
            } else {
                parameter
            };
            expr(ExprKind::Aggregate(Aggregate {
                operator,
                parameter: operator.has_parameter().then(|| Box::new(parameter)),
                operand: Box::new(inner),
                without,
                grouping,
            }))
        })
}

fn binary(inner: impl Strategy<Value = Expr> + Clone) -> impl Strategy<Value = Expr> {
    let operator = prop_oneof![
        Just(BinaryOperator::Add),
        Just(BinaryOperator::Power),
        Just(BinaryOperator::Atan2),
        Just(BinaryOperator::Less),
        Just(BinaryOperator::TrimUpper),
        Just(BinaryOperator::TrimLower),
        Just(BinaryOperator::Unless),
    ];
    let operator = operator.prop_flat_map(|operator| (Just(operator), matching(operator)));
    (inner.clone(), inner, operator, any::<bool>()).prop_map(
        |(left, right, (operator, matching), returns_bool)| {
            expr(ExprKind::Binary(Binary {
                operator,
                left: operand(left),
                right: operand(right),
                returns_bool: returns_bool && operator.is_comparison(),
                matching: Some(matching),
            }))
        },
    )
}

fn clear_duration(duration: &mut DurationExpr) {
    if let DurationExpr::Computed(inner) = duration {
        clear_node(inner);
    }
}

fn clear_node(node: &mut DurationNode) {
    node.span = Span::default();
    match &mut node.kind {
        DurationKind::Number { .. } | DurationKind::Step | DurationKind::Range => {}
        DurationKind::Min(a, b) | DurationKind::Max(a, b) => {
            clear_node(a);
            clear_node(b);
        }
        DurationKind::Binary { left, right, .. } => {
            clear_node(left);
            clear_node(right);
        }
        DurationKind::Sign { operand, .. } => clear_node(operand),
        DurationKind::Paren(inner) => clear_node(inner),
    }
}

/// Removes the places, which differ between a made tree and a read one.
fn clear_spans(expr: &mut Expr) {
    expr.span = Span::default();
    match &mut expr.kind {
        ExprKind::Number { .. } | ExprKind::String(_) => {}
        ExprKind::Vector(selector) => selector
            .modifiers
            .offset
            .iter_mut()
            .for_each(clear_duration),
        ExprKind::Matrix(matrix) => {
            clear_duration(&mut matrix.range);
            matrix
                .selector
                .modifiers
                .offset
                .iter_mut()
                .for_each(clear_duration);
        }
        ExprKind::Subquery(subquery) => {
            clear_spans(&mut subquery.expr);
            clear_duration(&mut subquery.range);
            subquery.step.iter_mut().for_each(clear_duration);
        }
        ExprKind::Call(call) => call.arguments.iter_mut().for_each(clear_spans),
        ExprKind::Aggregate(aggregate) => {
            aggregate
                .parameter
                .iter_mut()
                .for_each(|parameter| clear_spans(parameter));
            clear_spans(&mut aggregate.operand);
        }
        ExprKind::Binary(binary) => {
            clear_spans(&mut binary.left);
            clear_spans(&mut binary.right);
        }
        ExprKind::Unary { operand, .. } => clear_spans(operand),
        ExprKind::Paren(inner) => clear_spans(inner),
    }
}

proptest! {
    #[test]
    fn printed_trees_read_back_equal(tree in vector()) {
        let text = tree.to_string();
        let mut read = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
        clear_spans(&mut read);
        prop_assert_eq!(read, tree, "{}", text);
        let pretty = parse(&text).unwrap().pretty();
        let again = parse(&pretty).map_err(|error| TestCaseError::fail(format!("{pretty}\n{error}")))?;
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,60}") {
        drop(parse(&text));
        drop(parse_metric_selector(&text));
    }

    #[test]
    fn no_words_make_the_parser_panic(words in prop::collection::vec(word(), 0..20)) {
        let text = words.concat();
        if let Ok(expr) = parse(&text) {
            let printed = expr.to_string();
            let again = parse(&printed).map_err(|error| TestCaseError::fail(format!("{text}\n{printed}\n{error}")))?;
            prop_assert_eq!(again.to_string(), printed);
        }
        drop(parse_metric_selector(&text));
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "1",
        "5m",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "+",
        "-",
        "*",
        "/",
        "^",
        "==",
        "!=",
        "=~",
        "=",
        "@",
        " ",
        " and ",
        " or ",
        " offset ",
        " by ",
        " on ",
        " bool ",
        "sum",
        "rate",
        "time()",
        "start()",
        "step()",
        "\"x\"",
        "'y",
        "`",
        "\\",
        "#",
        "\n",
        "é",
        "{{",
        "}}",
        "x3",
        "_",
        " fill ",
        " group_left ",
        " anchored",
        "min",
        "Inf",
        "0x",
        "1e",
        "stale",
        "buckets:[1]",
    ])
}
