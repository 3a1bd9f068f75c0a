//! Backtests of rules with what follows from alerts: notifications by receiver, and incidents found or missed.
//!
//! `rules` says when alerts would have fired. Here their way goes on: through the routing's own state machine, with the
//! configured alertmanager.yml and every notification delivered at once, and against a list of what really happened.
//! Silences play no part: they say what people did, not what rules do.

pub mod incidents;
mod report;
mod routing;

use incidents::Incident;
use model::{Source, TimeRange};
use promql::Engine;
use routing::Routing;
use rules::Config;
use rules::backtest::Watch;
use runtime::SharedClock;
use serde_json::Value;
use std::sync::Arc;

/// What is tested, against what.
pub struct Backtest<'a> {
    /// The rules, with intervals, labels and relabelling.
    pub rules: Config,
    /// Where alerts are routed; `None` where nobody would be told.
    pub routing: Option<Arc<dispatch::config::Config>>,
    /// What really happened, if somebody wrote it down.
    pub incidents: Option<Vec<Incident>>,
    /// Evaluates expressions.
    pub engine: Engine,
    /// The stored samples.
    pub source: Arc<dyn Source>,
    /// Goes into the evaluation.
    pub clock: SharedClock,
    /// The span of time.
    pub range: TimeRange,
    /// Ends it early.
    pub watch: &'a Watch<'a>,
}

/// Runs a backtest. Answers the report as the API gives it (docs/guide/backtest.md).
pub fn run(test: Backtest<'_>) -> Result<Value, rules::backtest::Error> {
    let mut routing = test
        .routing
        .map(|config| Routing::new(config, test.range.start));
    let mut hear = |at, alerts| match &mut routing {
        Some(routing) => routing.put(at, alerts, test.watch),
        None => Ok(()),
    };
    let outcome = rules::backtest::Backtest {
        config: test.rules,
        engine: test.engine,
        source: test.source,
        clock: test.clock,
        range: test.range,
        watch: test.watch,
        by_moment: false,
    }
    .run(&mut hear)?;
    if let Some(routing) = &mut routing {
        routing.advance(test.range.end, test.watch)?;
    }
    let findings = test
        .incidents
        .as_deref()
        .map(|all| incidents::judge(all, &outcome, test.range, test.watch))
        .transpose()?;
    Ok(report::json(
        &outcome,
        test.range,
        routing.as_ref(),
        findings.as_ref(),
    ))
}
