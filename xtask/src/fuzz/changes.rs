//! What Prometheus 3 changed on purpose since 2.42: differences that are no mistakes, each with its reason.

use super::judge::{self, Outcome};

/// A known change.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    /// What changed; printed with the count.
    pub(crate) reason: &'static str,
    fits: fn(&Difference<'_>) -> bool,
}

/// A difference to be judged.
pub(crate) struct Difference<'a> {
    pub(crate) query: &'a str,
    pub(crate) ours: &'a Outcome,
    pub(crate) theirs: &'a Outcome,
}

impl Difference<'_> {
    /// The text of our refusal, where only we refuse.
    fn only_we_refuse(&self) -> Option<&str> {
        match (self.ours, self.theirs) {
            (Outcome::Refusal { text, .. }, Outcome::Answer { .. }) => Some(text),
            _ => None,
        }
    }

    /// The text of their refusal, where only they refuse.
    /// Whether both answers have the same series and times, and each pair of values fits.
    fn all_values_fit(&self, fits: fn(f64, f64) -> bool) -> bool {
        let (Outcome::Answer { series: ours, .. }, Outcome::Answer { series: theirs, .. }) =
            (self.ours, self.theirs)
        else {
            return false;
        };
        ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|((a, ours), (b, theirs))| {
                a == b
                    && ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|((t, x), (u, y))| {
                        let numbers = (x.parse::<f64>(), y.parse::<f64>());
                        t == u
                            && matches!(numbers, (Ok(x), Ok(y)) if judge::near(x, y) || fits(x, y))
                    })
            })
    }

    fn calls(&self, functions: &[&str]) -> bool {
        functions.iter().any(|name| {
            let rest = self.query.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['(', ' ']))
        })
    }

    fn only_they_refuse(&self) -> Option<&str> {
        match (self.ours, self.theirs) {
            // Where we refuse too, but later, they refuse first.
            (Outcome::Refusal { kind, .. }, Outcome::Refusal { kind: other, text })
                if kind != other =>
            {
                Some(text)
            }
            (Outcome::Answer { .. }, Outcome::Refusal { text, .. }) => Some(text),
            _ => None,
        }
    }
}

/// The change that explains a difference.
pub(crate) fn explaining(difference: &Difference<'_>) -> Option<&'static Change> {
    CHANGES.iter().find(|change| (change.fits)(difference))
}

/// All known changes.
pub(crate) static CHANGES: &[Change] = &[
    Change {
        name: "where a counter was zero",
        reason: "3.0: extrapolation to the left is limited to half a distance before it is limited by the point \
                 where the counter was zero, no longer after it; the result can be smaller",
        fits: |difference| {
            difference.calls(&["rate", "increase"])
                && difference.all_values_fit(|ours, theirs| {
                    ours <= theirs * (1.0 + 1e-9) && ours * 1.5 > theirs
                })
        },
    },
    Change {
        name: "sums that overflow",
        reason: "3.0: where a sum overflows on the way to a deviation it is infinite, no longer not a number",
        fits: |difference| {
            (difference.query.contains("stddev") || difference.query.contains("stdvar"))
                && difference.all_values_fit(|ours, theirs| ours.is_infinite() && theirs.is_nan())
        },
    },
    Change {
        name: "means are more exact",
        reason: "3.0: means are taken of compensated sums, and are 0 where they were nearly so",
        fits: |difference| {
            difference.query.contains("avg")
                && difference.all_values_fit(|ours, theirs| (ours - theirs).abs() < 1e-9)
        },
    },
    Change {
        name: "predict_linear of a pinned range",
        reason: "2.42 leaves out all steps of a range query but the first where predict_linear stands over @",
        fits: |difference| {
            difference.query.contains("predict_linear(") && difference.query.contains(" @ ")
        },
    },
    Change {
        name: "names in UTF-8",
        reason: "3.0: any text in UTF-8 is a label's name, and may be quoted where names stand",
        fits: |difference| {
            difference.only_they_refuse().is_some_and(|text| {
                text.contains("invalid source label name")
                    || text.contains("invalid destination label name")
                    || text.contains("invalid label name")
                    || text.contains("unexpected string") && text.contains("in grouping opts")
                    || text.contains("unexpected metric identifier")
                        && text.contains("in grouping opts")
                    || text.contains("unexpected string") && text.contains("in label matching")
            })
        },
    },
    Change {
        name: "functions of the query's steps",
        reason: "3.9: start(), end(), range() and step() are functions of their own",
        fits: |difference| {
            difference
                .only_they_refuse()
                .is_some_and(|text| text.contains("unexpected \"(\""))
                && ["start(", "end(", "range(", "step("]
                    .iter()
                    .any(|word| difference.query.contains(word))
        },
    },
    Change {
        name: "series are merged",
        reason: "3.0: series that lose their names and are then called alike are one series, as long as they have \
                 no value at the same step",
        fits: |difference| {
            let is_matrix =
                matches!(difference.ours, Outcome::Answer { kind, .. } if kind == "matrix");
            (is_matrix || difference.query.contains("ms:"))
                && difference
                    .only_they_refuse()
                    .is_some_and(|text| text.contains("same labelset"))
        },
    },
    Change {
        name: "deviations are more exact",
        reason: "3.0: deviations are computed of compensated sums",
        fits: |difference| {
            (difference.query.contains("stddev") || difference.query.contains("stdvar"))
                && difference
                    .all_values_fit(|ours, theirs| (ours - theirs).abs() < 1e-6 * ours.abs())
        },
    },
    Change {
        name: "dropped matches count",
        reason: "3.5: what a comparison drops is a match all the same where matches must be unique",
        fits: |difference| {
            difference
                .only_we_refuse()
                .is_some_and(|text| text.contains("multiple matches for labels"))
                && ["==", "!=", ">", "<"]
                    .iter()
                    .any(|word| difference.query.contains(word))
        },
    },
    Change {
        name: "expressions by themselves",
        reason: "3.0: a regular expression is read before it is anchored, so that `\\Q` may stay open and `a)(b` is wrong",
        fits: |difference| {
            difference.query.contains("\\Q")
                && difference
                    .only_they_refuse()
                    .is_some_and(|text| text.contains("missing closing )"))
                || difference
                    .only_we_refuse()
                    .is_some_and(|text| text.contains("error parsing regexp: unexpected )"))
        },
    },
    Change {
        name: "underscores in numbers",
        reason: "3.0: digits may be grouped, as in 1_000",
        fits: |difference| {
            difference.only_they_refuse().is_some_and(|text| {
                text.contains("bad number or duration syntax") && difference.query.contains('_')
            })
        },
    },
    Change {
        name: "atan2 removes the name",
        reason: "2.43: atan2 gives no value of the metric it was computed from, as the other operators",
        fits: |difference| {
            difference.query.contains(" atan2 ")
                && difference
                    .only_we_refuse()
                    .is_some_and(|text| text.contains("same labelset"))
                || difference.query.contains(" atan2 ")
                    && names(difference.ours).is_some_and(|ours| {
                        names(difference.theirs).is_some_and(|theirs| theirs > 0 && ours == 0)
                    })
        },
    },
    Change {
        name: "deviation of what is no number",
        reason: "3.0: stddev and stdvar of a single NaN or infinity are not a number, no longer 0",
        fits: |difference| {
            difference.calls(&["stddev", "stdvar"])
                && difference.all_values_fit(|ours, theirs| ours.is_nan() && theirs == 0.0)
        },
    },
    Change {
        name: "durations are numbers",
        reason: "3.0: `5m` is 300 wherever a number may stand, and a number of seconds is a duration",
        fits: |difference| {
            difference.only_they_refuse().is_some_and(|text| {
                text.contains("unexpected <duration>")
                    || text.contains("missing unit character in duration")
                    || text.contains("bad duration syntax")
                    || text.contains("trailing commas not allowed in function call args")
                    || text.contains("unexpected number") && text.contains("duration")
                    || text.contains("expected duration")
                    || text.contains("not a valid duration string")
            })
        },
    },
];

/// How many series of an answer have a name.
fn names(outcome: &Outcome) -> Option<usize> {
    match outcome {
        Outcome::Answer { series, .. } => {
            let named = series.keys().filter(|labels| labels.contains("__name__"));
            Some(named.count())
        }
        Outcome::Refusal { .. } => None,
    }
}
