//! `/api/v1/parse_query`: the tree of a query, in the form that upstream's page draws.

use crate::answer::{self, Answer};
use crate::params::Params;
use model::Matcher;
use promql::ast::{
    Aggregate, AtModifier, Binary, Call, Cardinality, DurationExpr, Expr, ExprKind, Modifiers,
    RangeBorders, Subquery, ValueType, VectorMatching, VectorSelector,
};
use serde_json::{Map, Value, json};

/// Answers the tree.
pub(crate) async fn parse(params: Params) -> Answer {
    let expr = promql::parse(params.get("query").unwrap_or_default())?;
    Ok(answer::success(&tree(&expr)))
}

/// The parser bounds how deep an expression is, so this recursion is bounded too.
fn tree(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Number { value, .. } => {
            json!({"type": "numberLiteral", "val": number(*value)})
        }
        ExprKind::String(text) => json!({"type": "stringLiteral", "val": text}),
        ExprKind::Vector(selector) => selector_tree("vectorSelector", selector),
        ExprKind::Matrix(matrix) => {
            let mut value = selector_tree("matrixSelector", &matrix.selector);
            if let Value::Object(fields) = &mut value {
                fields.insert("range".to_owned(), millis(Some(&matrix.range)));
            }
            value
        }
        ExprKind::Subquery(subquery) => subquery_tree(subquery),
        ExprKind::Call(call) => call_tree(call),
        ExprKind::Aggregate(aggregate) => aggregate_tree(aggregate),
        ExprKind::Binary(binary) => binary_tree(binary),
        ExprKind::Unary { negative, operand } => json!({
            "type": "unaryExpr",
            "op": if *negative { "-" } else { "+" },
            "expr": tree(operand),
        }),
        ExprKind::Paren(inner) => json!({"type": "parenExpr", "expr": tree(inner)}),
    }
}

/// A number without an exponent, as Go's `%f` with as many digits as it takes.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

/// A duration in milliseconds; 0 where it is absent, or computed when the query runs.
fn millis(duration: Option<&DurationExpr>) -> Value {
    match duration {
        Some(DurationExpr::Millis(millis)) => (*millis).into(),
        Some(DurationExpr::Computed(_)) | None => 0.into(),
    }
}

fn modifiers(fields: &mut Map<String, Value>, modifiers: &Modifiers) {
    let (timestamp, start_or_end) = match modifiers.at {
        Some(AtModifier::Millis(millis)) => (millis.into(), Value::Null),
        Some(AtModifier::Start) => (Value::Null, "start".into()),
        Some(AtModifier::End) => (Value::Null, "end".into()),
        None => (Value::Null, Value::Null),
    };
    fields.insert("offset".to_owned(), millis(modifiers.offset.as_ref()));
    fields.insert("timestamp".to_owned(), timestamp);
    fields.insert("startOrEnd".to_owned(), start_or_end);
}

fn selector_tree(kind: &str, selector: &VectorSelector) -> Value {
    let matcher = |matcher: &Matcher| {
        json!({
            "name": matcher.name(),
            "value": matcher.value(),
            "type": matcher.operator().symbol(),
        })
    };
    let mut fields = Map::new();
    fields.insert("type".to_owned(), kind.into());
    let name = selector.name.clone().unwrap_or_default();
    fields.insert("name".to_owned(), name.into());
    let matchers = selector.matchers.iter().map(matcher).collect();
    fields.insert("matchers".to_owned(), Value::Array(matchers));
    modifiers(&mut fields, &selector.modifiers);
    let is = |borders: RangeBorders| Value::from(selector.borders == borders);
    fields.insert("anchored".to_owned(), is(RangeBorders::Anchored));
    fields.insert("smoothed".to_owned(), is(RangeBorders::Smoothed));
    Value::Object(fields)
}

fn subquery_tree(subquery: &Subquery) -> Value {
    let mut fields = Map::new();
    fields.insert("type".to_owned(), "subquery".into());
    fields.insert("expr".to_owned(), tree(&subquery.expr));
    fields.insert("range".to_owned(), millis(Some(&subquery.range)));
    fields.insert("step".to_owned(), millis(subquery.step.as_ref()));
    modifiers(&mut fields, &subquery.modifiers);
    Value::Object(fields)
}

fn call_tree(call: &Call) -> Value {
    let types = |types: &[ValueType]| -> Vec<&str> { types.iter().map(|t| t.name()).collect() };
    json!({
        "type": "call",
        "func": {
            "name": call.function.name,
            "argTypes": types(call.function.arguments),
            "variadic": call.function.variadic,
            "returnType": call.function.returns.name(),
        },
        "args": call.arguments.iter().map(tree).collect::<Vec<Value>>(),
    })
}

fn aggregate_tree(aggregate: &Aggregate) -> Value {
    json!({
        "type": "aggregation",
        "op": aggregate.operator.name(),
        "expr": tree(&aggregate.operand),
        "param": aggregate.parameter.as_ref().map(|parameter| tree(parameter)),
        "grouping": aggregate.grouping,
        "without": aggregate.without,
    })
}

fn binary_tree(binary: &Binary) -> Value {
    json!({
        "type": "binaryExpr",
        "op": binary.operator.symbol(),
        "lhs": tree(&binary.left),
        "rhs": tree(&binary.right),
        "matching": binary.matching.as_ref().map(matching),
        "bool": binary.returns_bool,
    })
}

fn matching(matching: &VectorMatching) -> Value {
    let card = match matching.cardinality {
        Cardinality::OneToOne => "one-to-one",
        Cardinality::ManyToOne => "many-to-one",
        Cardinality::OneToMany => "one-to-many",
        Cardinality::ManyToMany => "many-to-many",
    };
    json!({
        "card": card,
        "labels": matching.labels,
        "on": matching.on,
        "include": matching.include,
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
    })
}

#[cfg(test)]
mod tests {
    use super::tree;
    use serde_json::{Value, json};

    fn check(query: &str, want: &Value) {
        let expr = promql::parse(query).expect(query);
        assert_eq!(&tree(&expr), want, "{query}");
    }

    #[test]
    fn draws_literals_and_signs() {
        check(
            "1e21",
            &json!({"type": "numberLiteral", "val": "1000000000000000000000"}),
        );
        check("Inf", &json!({"type": "numberLiteral", "val": "+Inf"}));
        check("\"a\"", &json!({"type": "stringLiteral", "val": "a"}));
        check(
            "-(0.5)",
            &json!({"type": "unaryExpr", "op": "-", "expr": {
                "type": "parenExpr", "expr": {"type": "numberLiteral", "val": "0.5"}
            }}),
        );
    }

    #[test]
    fn draws_selectors() {
        check(
            "up{job!=\"a\"} offset 1m @ 12.5",
            &json!({
                "type": "vectorSelector", "name": "up", "offset": 60_000, "timestamp": 12_500, "startOrEnd": null,
                "matchers": [
                    {"name": "job", "value": "a", "type": "!="},
                    {"name": "__name__", "value": "up", "type": "="},
                ],
                "anchored": false, "smoothed": false,
            }),
        );
        check(
            "rate(x[5m] @ end())[1h:1m]",
            &json!({
                "type": "subquery", "range": 3_600_000, "step": 60_000, "offset": 0, "timestamp": null,
                "startOrEnd": null,
                "expr": {
                    "type": "call",
                    "func": {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"},
                    "args": [{
                        "type": "matrixSelector", "name": "x", "range": 300_000, "offset": 0, "timestamp": null,
                        "startOrEnd": "end", "matchers": [{"name": "__name__", "value": "x", "type": "="}],
                        "anchored": false, "smoothed": false,
                    }],
                },
            }),
        );
    }

    #[test]
    fn draws_operations() {
        let one = json!({"type": "numberLiteral", "val": "1"});
        check(
            "1 + 1",
            &json!({"type": "binaryExpr", "op": "+", "lhs": one, "rhs": one, "matching": null, "bool": false}),
        );
        let expr = promql::parse("topk by (a) (3, x) * on (a) group_left (b) y").expect("query");
        let drawn = tree(&expr);
        assert_eq!(
            drawn["matching"],
            json!({"card": "many-to-one", "labels": ["a"], "on": true, "include": ["b"],
                "fillValues": {"lhs": null, "rhs": null}})
        );
        assert_eq!(
            (
                &drawn["lhs"]["op"],
                &drawn["lhs"]["param"]["val"],
                &drawn["lhs"]["grouping"]
            ),
            (&json!("topk"), &json!("3"), &json!(["a"]))
        );
    }
}
