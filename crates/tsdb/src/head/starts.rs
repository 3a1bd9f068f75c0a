//! Since when the samples of one series have been counting.
//!
//! A step function of time: nearly all series know no start, and those that do keep one for thousands of
//! samples. So the start timestamps lie beside the samples, one entry for each change.

/// The start timestamp in force from each time on; 0, unknown, before the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Starts(Vec<(i64, i64)>);

impl Starts {
    /// Sets the start of the sample at `at`. `is_newest` says that no later sample is held, so what follows
    /// needs no step of its own.
    pub(super) fn set(&mut self, at: i64, start: i64, is_newest: bool) {
        let place = self.0.partition_point(|(from, _)| *from <= at);
        let in_force = place.checked_sub(1).and_then(|last| self.0.get_mut(last));
        let before = in_force.as_ref().map_or(0, |step| step.1);
        if before == start {
            return;
        }
        let following = match in_force {
            Some(step) if step.0 == at => {
                step.1 = start;
                place
            }
            _ => {
                self.0.insert(place, (at, start));
                place + 1
            }
        };
        let next = at.saturating_add(1);
        if !is_newest && self.0.get(following).is_none_or(|step| step.0 > next) {
            self.0.insert(following, (next, before));
        }
    }

    /// Each change: from when, and which start.
    pub(super) fn steps(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// The inverse of `steps`.
    pub(super) fn from_steps(mut steps: Vec<(i64, i64)>) -> Self {
        steps.sort_by_key(|(from, _)| *from);
        Self(steps)
    }

    /// The start of the sample at a time.
    pub(super) fn at(&self, at: i64) -> i64 {
        let place = self.0.partition_point(|(from, _)| *from <= at);
        let step = place.checked_sub(1).and_then(|last| self.0.get(last));
        step.map_or(0, |(_, start)| *start)
    }

    /// The starts of samples at ascending times.
    pub(super) fn of(&self, times: &[i64]) -> Vec<i64> {
        let mut steps = self.0.iter().peekable();
        let mut start = 0;
        let mut starts = Vec::with_capacity(times.len());
        for at in times {
            while let Some((_, changed)) = steps.next_if(|(from, _)| from <= at) {
                start = *changed;
            }
            starts.push(start);
        }
        starts
    }

    /// Forgets what only samples before `oldest` had.
    pub(super) fn forget_before(&mut self, oldest: i64) {
        let place = self.0.partition_point(|(from, _)| *from <= oldest);
        self.0.drain(..place.saturating_sub(1));
    }

    /// Whether no sample has a known start.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, start)| *start == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Starts;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn keeps_each_start(samples: Vec<(i8, u8)>, oldest: i8) {
            let mut starts = Starts::default();
            let mut want: BTreeMap<i64, i64> = BTreeMap::new();
            for (at, start) in samples {
                let (at, start) = (i64::from(at), i64::from(start % 4));
                let is_newest = want.keys().all(|other| *other <= at);
                want.insert(at, start);
                starts.set(at, start, is_newest);
            }
            starts.forget_before(i64::from(oldest));
            want.retain(|at, _| *at >= i64::from(oldest));
            let times: Vec<i64> = want.keys().copied().collect();
            let values: Vec<i64> = want.values().copied().collect();
            prop_assert_eq!(starts.of(&times), values.clone());
            let each: Vec<i64> = times.iter().map(|at| starts.at(*at)).collect();
            prop_assert_eq!(each, values.clone());
            prop_assert!(!starts.is_empty() || values.iter().all(|start| *start == 0));
        }
    }
}
