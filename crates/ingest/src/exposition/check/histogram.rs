//! Whether one histogram is whole: bounds and counts ascend, the last bucket is +Inf and holds everything.

use crate::exposition::Format;

/// What has been read of one histogram.
#[derive(Debug, Default)]
pub(super) struct HistogramGroup {
    bound: Option<f64>,
    bucket_count: Option<f64>,
    count: Option<f64>,
    has_sum: bool,
    has_gauge_sum: bool,
    has_negative_bound: bool,
    has_negative_gauge_sum: bool,
}

impl HistogramGroup {
    /// Takes a sample; `bound` is the text of `le`.
    pub(super) fn sample(&mut self, suffix: &str, bound: &str, value: f64) -> Result<(), String> {
        match suffix {
            "_bucket" => return self.bucket(bound, value),
            "_count" | "_gcount" => self.count = Some(value),
            "_sum" => self.has_sum = true,
            "_gsum" => {
                self.has_gauge_sum = true;
                self.has_negative_gauge_sum = value < 0.0;
            }
            _ => {}
        }
        Ok(())
    }

    fn bucket(&mut self, bound: &str, value: f64) -> Result<(), String> {
        let bound = model::number::parse_float(bound).unwrap_or(f64::NAN);
        if self.bound.is_some_and(|before| bound <= before) {
            return Err("the bounds of buckets do not ascend".to_owned());
        }
        if self.bucket_count.is_some_and(|before| value < before) {
            return Err("a bucket holds less than the one below it".to_owned());
        }
        self.bound = Some(bound);
        self.bucket_count = Some(value);
        self.has_negative_bound |= bound < 0.0;
        Ok(())
    }

    /// Judges the whole.
    pub(super) fn end(&self, format: Format) -> Result<(), String> {
        let fail = |reason: &str| Err(reason.to_owned());
        if self.bound != Some(f64::INFINITY) {
            return fail("the bucket +Inf is missing");
        }
        if self.count.is_some() && self.count != self.bucket_count {
            return fail("the count differs from the bucket +Inf");
        }
        if format == Format::Text {
            return Ok(());
        }
        let has_any_sum = self.has_sum || self.has_gauge_sum;
        if has_any_sum && self.count.is_none() {
            return fail("a sum without a count");
        }
        if !has_any_sum && self.count.is_some() {
            return fail("a count without a sum");
        }
        if self.has_negative_bound && self.has_sum {
            return fail("a sum although bounds are negative");
        }
        if !self.has_negative_bound && self.has_negative_gauge_sum {
            return fail("a negative sum although no bound is negative");
        }
        Ok(())
    }
}
