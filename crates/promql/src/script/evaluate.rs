//! Runs the forms of an eval and judges their answers.

use super::Store;
use super::command::{Eval, EvalTime, Expectation, ExpectedAnnotations, Message};
use super::compare;
use crate::annotations::Annotation;
use crate::ast::{Expr, ExprKind};
use crate::engine::{Engine, QueryResult, QueryValue};
use crate::error::QueryError;
use crate::parser::parse;
use model::Timestamp;

/// Around an instant eval's moment when it is run as a range.
const RANGE_STEP_MS: i64 = 60_000;

/// Functions whose result depends on the moment of evaluation even if all selectors are pinned.
const MOMENT_FUNCTIONS: [&str; 15] = [
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "end",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "timestamp",
    "year",
];

/// Runs an eval in all its forms; fails with what is wrong with the first bad one.
pub(super) fn eval(engine: &Engine, store: &dyn Store, eval: &Eval) -> Result<(), String> {
    match eval.time {
        EvalTime::Range(steps) => {
            let ends = (steps.start, steps.end);
            let result = engine.range(store, &eval.expr, ends, steps.step_ms);
            match judged(result, &eval.expectation, &eval.text)? {
                Some(value) => compare::value(eval, &value),
                None => Ok(()),
            }
        }
        EvalTime::Instant(at) => {
            let at = match eval.steps {
                Some(steps) => steps.end,
                None => at,
            };
            Form {
                engine,
                store,
                eval,
                text: &eval.text,
                expr: &eval.expr,
            }
            .instant_and_range(at)?;
            pinned_forms(engine, store, eval, at)
        }
    }
}

/// The eval with `@` on its selectors must give the same at any moment.
fn pinned_forms(
    engine: &Engine,
    store: &dyn Store,
    eval: &Eval,
    at: Timestamp,
) -> Result<(), String> {
    if depends_on_moment(&eval.expr) {
        return Ok(());
    }
    let millis = at.millis();
    let mut pinned = eval.expr.clone();
    pinned.pin(millis);
    let text = pinned.to_string();
    let expr = parse(&text).map_err(|error| format!("pinned form {text}: {error}"))?;
    let moments: &[i64] = if millis == 0 {
        &[-1000, 0, 1000]
    } else {
        &[-10 * millis, 0, millis / 5, millis, 10 * millis]
    };
    for moment in moments {
        Form {
            engine,
            store,
            eval,
            text: &text,
            expr: &expr,
        }
        .instant_and_range(Timestamp::from_millis(*moment))
        .map_err(|message| format!("{message} (as {text} at {moment} ms)"))?;
    }
    Ok(())
}

fn depends_on_moment(expr: &Expr) -> bool {
    let mut depends = false;
    expr.visit(&mut |part| {
        if let ExprKind::Call(call) = &part.kind {
            depends |= MOMENT_FUNCTIONS.contains(&call.function.name);
        }
    });
    depends
}

/// One form of an instant eval.
struct Form<'a> {
    engine: &'a Engine,
    store: &'a dyn Store,
    eval: &'a Eval,
    text: &'a str,
    expr: &'a Expr,
}

impl Form<'_> {
    fn instant_and_range(&self, at: Timestamp) -> Result<(), String> {
        let eval = self.eval;
        let result = self.engine.instant(self.store, self.expr, at);
        let Some(value) = judged(result, &eval.expectation, self.text)? else {
            return Ok(());
        };
        compare::value(eval, &value)?;
        // A range, a text and the words that name the query itself mean something else in a range query.
        let names_query = ["start()", "end()", "range()", "step()"]
            .iter()
            .any(|word| self.text.contains(word));
        let has_range_form = matches!(value, QueryValue::Scalar { .. } | QueryValue::Vector(_))
            && eval.steps.is_none()
            && !names_query;
        if has_range_form {
            let is_scalar = matches!(value, QueryValue::Scalar { .. });
            self.range(at, is_scalar)
                .map_err(|message| format!("{message} (in range mode)"))?;
        }
        Ok(())
    }

    fn range(&self, at: Timestamp, is_scalar: bool) -> Result<(), String> {
        let ends = (
            at.plus_millis(-RANGE_STEP_MS),
            at.plus_millis(RANGE_STEP_MS),
        );
        let result = self
            .engine
            .range(self.store, self.expr, ends, RANGE_STEP_MS)
            .map_err(|error| error.to_string())?;
        // A range query sorts by labels, whatever the query says.
        if self.eval.expectation.is_ordered {
            return Ok(());
        }
        let QueryValue::Matrix(matrix) = result.value else {
            return Err("a range query did not answer a matrix".to_owned());
        };
        compare::sorted(&matrix)?;
        compare::value(self.eval, &compare::at_moment(&matrix, at, is_scalar)?)
    }
}

/// Judges failure and annotations; the value where there is one to compare.
fn judged(
    result: Result<QueryResult, QueryError>,
    expectation: &Expectation,
    text: &str,
) -> Result<Option<QueryValue>, String> {
    let result = match (result, &expectation.fail) {
        (Ok(result), None) => result,
        (Ok(_), Some(_)) => return Err("expected an error but got none".to_owned()),
        (Err(error), None) => return Err(format!("error evaluating query: {error}")),
        (Err(error), Some(wanted)) if wanted.fits(&error.to_string()) => return Ok(None),
        (Err(error), Some(wanted)) => {
            return Err(format!(
                "expected error {}, but got: {error}",
                wanted.describe()
            ));
        }
    };
    annotations(
        "warn",
        &expectation.warnings,
        &texts(&result.warnings, text),
    )?;
    annotations("info", &expectation.infos, &texts(&result.infos, text))?;
    Ok(Some(result.value))
}

fn texts(annotations: &[Annotation], query: &str) -> Vec<String> {
    annotations
        .iter()
        .map(|annotation| annotation.text(query))
        .collect()
}

fn annotations(kind: &str, expected: &ExpectedAnnotations, found: &[String]) -> Result<(), String> {
    if expected.is_none && !found.is_empty() {
        return Err(format!("unexpected {kind} annotations: {found:?}"));
    }
    if expected.messages.is_empty() && !expected.is_some {
        return Ok(());
    }
    if found.is_empty() {
        return Err(format!("expected {kind} annotations but got none"));
    }
    let missing = expected
        .messages
        .iter()
        .find(|message| !found.iter().any(|text| message.fits(text)));
    if let Some(message) = missing {
        return Err(format!(
            "expected {kind} annotation {}, found {found:?}",
            Message::describe(message)
        ));
    }
    let unexpected = found.iter().find(|text| {
        !expected.messages.is_empty() && !expected.messages.iter().any(|message| message.fits(text))
    });
    match unexpected {
        Some(text) => Err(format!("unexpected {kind} annotation {text:?}")),
        None => Ok(()),
    }
}
