//! `promtool promql`: queries formatted and edited.

use crate::cli::promtool::query::{LabelMatchers, Promql};
use crate::print;
use anyhow::Context as _;
use model::{MatchOperator, Matcher};
use promql::Expr;
use promql::ast::VectorSelector;

/// Prints the query as it is to be.
pub(super) fn run(command: &Promql) -> anyhow::Result<()> {
    match command {
        Promql::Format { query } => print::line(&parse(query)?.pretty()),
        Promql::LabelMatchers { command } => print::line(&edited(command)?),
    }
    Ok(())
}

fn parse(query: &str) -> anyhow::Result<Expr> {
    promql::parse(query).map_err(|error| anyhow::anyhow!("{error}"))
}

fn edited(command: &LabelMatchers) -> anyhow::Result<String> {
    let mut expr;
    match command {
        LabelMatchers::Set {
            query,
            name,
            value,
            kind,
        } => {
            expr = parse(query)?;
            let operator = match kind.as_str() {
                "=" => MatchOperator::Equal,
                "!=" => MatchOperator::NotEqual,
                "=~" => MatchOperator::Regex,
                "!~" => MatchOperator::NotRegex,
                other => anyhow::bail!("unknown matcher type {other:?}: one of = != =~ !~"),
            };
            let matcher = Matcher::new(name, operator, value)
                .map_err(|error| anyhow::anyhow!("{error}"))
                .context("the matcher")?;
            expr.change_selectors(&mut |selector| set(selector, &matcher));
        }
        LabelMatchers::Delete { query, name } => {
            expr = parse(query)?;
            expr.change_selectors(&mut |selector| {
                selector.matchers.retain(|matcher| matcher.name() != name);
            });
        }
    }
    Ok(expr.pretty())
}

/// Replaces the first matcher of the label, or adds one.
fn set(selector: &mut VectorSelector, matcher: &Matcher) {
    let same = selector
        .matchers
        .iter_mut()
        .find(|known| known.name() == matcher.name());
    match same {
        Some(known) => *known = matcher.clone(),
        None => selector.matchers.push(matcher.clone()),
    }
}
