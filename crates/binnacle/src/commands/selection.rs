//! `--match`, `--from` and `--to` of commands that read or write many samples.

use crate::cli::SelectionFlags;
use anyhow::{Context as _, bail};
use interchange::Selection;
use model::{TimeRange, Timestamp};

/// What the flags select.
pub(crate) fn selection(flags: &SelectionFlags) -> anyhow::Result<Selection> {
    let matchers = match &flags.matches {
        None => Vec::new(),
        Some(text) => promql::parse_metric_selector(text)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| format!("--match {text:?}"))?,
    };
    let time = |flag: &str, text: &Option<String>, default| match text {
        None => Ok(default),
        Some(text) => time(text).with_context(|| flag.to_owned()),
    };
    let range = TimeRange {
        start: time("--from", &flags.from, Timestamp::MIN)?,
        end: time("--to", &flags.to, Timestamp::MAX)?,
    };
    if range.start > range.end {
        bail!("--from lies behind --to");
    }
    Ok(Selection { matchers, range })
}

/// A moment as seconds since 1970 or RFC 3339.
pub(crate) fn time(text: &str) -> anyhow::Result<Timestamp> {
    if let Some(seconds) = model::number::parse_float(text)
        && seconds.is_finite()
    {
        return Ok(Timestamp::from_seconds(seconds));
    }
    let moment: jiff::Timestamp = text
        .parse()
        .with_context(|| format!("{text:?} is neither seconds since 1970 nor RFC 3339"))?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}
