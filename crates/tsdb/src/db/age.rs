//! What becomes of blocks as they grow old: windows in place of samples, and series that go before the rest.
//!
//! A block is down-sampled when all of it is older than an age; it is then written anew and the old one goes.
//! A retention rule takes its series out of a block in the same way once the block is older than the rule
//! keeps; of a block that is so in part, tombstones cover the older part, a step of a tenth of the time at once.

use super::compact::Rewrite;
use super::{Db, Work};
use crate::block::Block;
use crate::error::Error;
use crate::options::RetentionRule;
use model::{Labels, TimeRange, Timestamp, matcher};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A rule is applied to a part of a block when so large a part of the time it keeps has passed.
const RULE_STEPS: i64 = 10;

/// A rule and its number.
type Numbered<'a> = (usize, &'a RetentionRule);

impl Db {
    /// Does one thing that is due for a block because of its age; answers whether there was any.
    /// `newest`: the age counts from there.
    pub(super) fn age_once(&self, work: &mut Work, newest: i64) -> Result<bool, Error> {
        let blocks = self.blocks();
        let held: BTreeSet<u64> = blocks.iter().map(|block| block.meta.id).collect();
        work.rules_applied.retain(|(id, _), _| held.contains(id));
        for block in blocks.iter() {
            for rule in self.options.retention_rules.iter().enumerate() {
                if self.apply_rule(work, rule, block, newest)? {
                    return Ok(true);
                }
            }
            if let Some(window_ms) = self.window_due(block, newest) {
                let group = BTreeSet::from([block.meta.id]);
                self.rewrite(work, &group, &Rewrite::to_windows(window_ms))?;
                self.metrics.work.downsampled.increment();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The length of windows that a block of this age should have, if it has shorter ones.
    fn window_due(&self, block: &Block, newest: i64) -> Option<i64> {
        let steps = self.options.downsampling.iter();
        let due = steps.filter(|step| block.meta.end < newest.saturating_sub(step.after_ms));
        let window_ms = due.map(|step| step.window_ms).max()?;
        (window_ms > block.meta.window_ms).then_some(window_ms)
    }

    /// Answers whether the block was written anew.
    fn apply_rule(
        &self,
        work: &mut Work,
        (number, rule): Numbered<'_>,
        block: &Arc<Block>,
        newest: i64,
    ) -> Result<bool, Error> {
        let key = (block.meta.id, number);
        let oldest = newest.saturating_sub(rule.keep_ms);
        let applied = work.rules_applied.get(&key).copied().unwrap_or(i64::MIN);
        let is_over = block.meta.end < oldest;
        let step = rule.keep_ms / RULE_STEPS;
        let is_due = block.meta.start < oldest
            && applied <= block.meta.end
            && (is_over || oldest.saturating_sub(applied) > step);
        if !is_due {
            return Ok(false);
        }
        let series = block.index()?.series.select(&rule.matchers);
        if series.is_empty() {
            work.rules_applied.insert(key, i64::MAX);
            return Ok(false);
        }
        self.metrics.work.rule_removals.add(series.len() as u64);
        if !is_over {
            let range = TimeRange {
                start: Timestamp::MIN,
                end: Timestamp::from_millis(oldest.saturating_sub(1)),
            };
            let mut tombstones = block.tombstones().as_ref().clone();
            for series in series {
                tombstones.add(series, range);
            }
            block.replace_tombstones(&self.options.files, tombstones)?;
            self.changes.mark(block.meta.range());
            work.rules_applied.insert(key, oldest);
            return Ok(false);
        }
        let keep = |labels: &Labels| !matcher::all_match(&rule.matchers, labels);
        let rewrite = Rewrite {
            window_ms: block.meta.window_ms,
            keep: &keep,
        };
        let written = self.rewrite(work, &BTreeSet::from([block.meta.id]), &rewrite)?;
        if let Some(id) = written {
            work.rules_applied.insert((id, number), i64::MAX);
        }
        Ok(true)
    }
}
