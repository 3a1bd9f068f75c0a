//! How many senders there should be: enough for what comes in plus a part of what waits, going by how long a sample
//! takes to send.

/// How much news counts against what was known.
const SMOOTHING: f64 = 0.2;
/// The part of what waits that should be caught up with in a second.
const CATCH_UP: f64 = 0.05;
/// Changes below this part are not worth the trouble.
const TOLERANCE: f64 = 0.3;

/// The limits of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardLimits {
    /// `min_shards`
    pub min: usize,
    /// `max_shards`
    pub max: usize,
}

/// What happened since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Seconds since then.
    pub seconds: f64,
    /// Samples that came in.
    pub samples_in: f64,
    /// Samples that were sent.
    pub samples_out: f64,
    /// Seconds that sending them took, summed over all senders.
    pub sending_seconds: f64,
    /// Samples that wait.
    pub pending: f64,
}

/// What is known of the traffic.
#[derive(Clone, Debug)]
pub struct ShardPlan {
    limits: ShardLimits,
    rate_in: Option<f64>,
    rate_out: Option<f64>,
    busy: Option<f64>,
    /// What would be best, before limits and tolerance.
    pub desired: f64,
    /// What is to run.
    pub shards: usize,
}

impl ShardPlan {
    /// Begins with the least.
    #[must_use]
    pub fn new(limits: ShardLimits) -> Self {
        let shards = limits.min.max(1);
        Self {
            limits,
            rate_in: None,
            rate_out: None,
            busy: None,
            desired: model::number::usize_to_float(shards),
            shards,
        }
    }

    /// Looks at what happened and decides. Without anything sent, nothing is changed: more senders do not revive a dead
    /// receiver.
    pub fn update(&mut self, traffic: Traffic) -> usize {
        if traffic.seconds <= 0.0 {
            return self.shards;
        }
        smooth(&mut self.rate_in, traffic.samples_in / traffic.seconds);
        if traffic.samples_out <= 0.0 {
            return self.shards;
        }
        smooth(&mut self.rate_out, traffic.samples_out / traffic.seconds);
        smooth(&mut self.busy, traffic.sending_seconds / traffic.seconds);
        let (Some(rate_in), Some(rate_out), Some(busy)) = (self.rate_in, self.rate_out, self.busy)
        else {
            return self.shards;
        };
        let seconds_per_sample = busy / rate_out;
        self.desired = seconds_per_sample * (rate_in + CATCH_UP * traffic.pending);
        let present = model::number::usize_to_float(self.shards);
        let is_close = self.desired > present * (1.0 - TOLERANCE)
            && self.desired < present * (1.0 + TOLERANCE);
        if !is_close {
            let wanted = model::number::float_to_usize(self.desired.ceil());
            self.shards = wanted.clamp(self.limits.min.max(1), self.limits.max.max(1));
        }
        self.shards
    }
}

fn smooth(known: &mut Option<f64>, news: f64) {
    *known = Some(match *known {
        None => news,
        Some(known) => known + SMOOTHING * (news - known),
    });
}

#[cfg(test)]
mod tests {
    use super::{ShardLimits, ShardPlan, Traffic};

    #[test]
    fn follows_the_traffic() {
        let mut plan = ShardPlan::new(ShardLimits { min: 1, max: 20 });
        let mut check = |samples_in, samples_out, sending_seconds, pending, want| {
            let traffic = Traffic {
                seconds: 10.0,
                samples_in,
                samples_out,
                sending_seconds,
                pending,
            };
            assert_eq!(plan.update(traffic), want, "{traffic:?}");
        };
        // One sender is a tenth busy.
        check(1000.0, 1000.0, 1.0, 0.0, 1);
        // A dead receiver changes nothing.
        check(1000.0, 0.0, 10.0, 50_000.0, 1);
        // It is back, and much waits.
        check(1000.0, 10_000.0, 10.0, 100_000.0, 6);
        check(1000.0, 60_000.0, 60.0, 1_000_000.0, 20);
        // Caught up.
        check(1000.0, 1000.0, 1.0, 0.0, 1);
    }
}
