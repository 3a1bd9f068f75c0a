//! Aggregations and functions.

use super::Grammar;
use crate::fuzz::data::Shape;
use crate::fuzz::tree::{Kind, Piece, Tree, text};

/// Functions of an instant vector: the first are exact where their argument is.
const EXACT: [&str; 3] = ["abs", "sqrt", "timestamp"];
/// What jumps: only over exact arguments.
const JUMPING: [&str; 12] = [
    "ceil",
    "floor",
    "sgn",
    "round",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "year",
];
const SMOOTH: [&str; 6] = ["ln", "log2", "log10", "deg", "rad", "atan"];
const AMPLIFYING: [&str; 11] = [
    "exp", "sin", "cos", "tan", "asin", "acos", "sinh", "cosh", "tanh", "asinh", "acosh",
];
const OVER_TIME_EXACT: [&str; 5] = [
    "min_over_time",
    "max_over_time",
    "last_over_time",
    "count_over_time",
    "present_over_time",
];
const OVER_TIME: [&str; 8] = [
    "sum_over_time",
    "avg_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "delta",
    "irate",
    "deriv",
    "idelta",
];

impl Grammar<'_> {
    pub(super) fn aggregation(&mut self, depth: usize) -> Tree {
        match self.random.below(10) {
            0 => return self.top(),
            1 => return self.count_values(),
            2 => {
                let inner = self.vector(depth - 1);
                let parameter = self.scalar_simple();
                return self.aggregate("quantile", Some(parameter), inner, false);
            }
            _ => {}
        }
        let operator = self.random.word(&[
            "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "sum", "sum",
        ]);
        let inner = self.vector(depth - 1);
        let exact = match operator {
            "min" | "max" => inner.exact,
            "count" | "group" => true,
            _ => false,
        };
        self.aggregate(operator, None, inner, exact)
    }

    fn aggregate(
        &mut self,
        operator: &str,
        parameter: Option<Tree>,
        inner: Tree,
        exact: bool,
    ) -> Tree {
        let grouping = match self.random.below(3) {
            0 => String::new(),
            1 => format!(" by ({})", self.some_labels(3)),
            _ => format!(" without ({})", self.some_labels(3)),
        };
        let mut pieces = vec![text(operator), Piece::Optional(grouping), text(" (")];
        if let Some(parameter) = parameter {
            pieces.push(Piece::Part(parameter));
            pieces.push(text(", "));
        }
        pieces.push(Piece::Part(inner));
        pieces.push(text(")"));
        Tree::new(Kind::Vector, exact, pieces)
    }

    /// `topk` and `bottomk` over values of which no two are equal: which of equal ones is taken is not said.
    fn top(&mut self) -> Tree {
        let name =
            self.metric_name(|shape| matches!(shape, Shape::Noise | Shape::Tiny | Shape::Huge));
        let inner = Tree::new(Kind::Vector, true, vec![text(name), self.modifiers()]);
        let operator = self.random.word(&["topk", "bottomk"]);
        let count = self.random.word(&["1", "2", "3", "0", "-1", "100", "2.7"]);
        let parameter = Tree::new(Kind::Scalar, true, vec![text(count)]);
        self.aggregate(operator, Some(parameter), inner, true)
    }

    fn count_values(&mut self) -> Tree {
        let name = self.random.word(&[
            "queue_length",
            "odd",
            "build_info",
            "errors_total",
            "temperature",
        ]);
        let label = self.random.word(&["value", "job", "code"]);
        let grouping = match self.random.below(3) {
            0 => String::new(),
            1 => format!(" by ({})", self.some_labels(2)),
            _ => format!(" without ({})", self.some_labels(2)),
        };
        let pieces = vec![
            text("count_values"),
            Piece::Optional(grouping),
            text(format!(" (\"{label}\", {name}")),
            self.modifiers(),
            text(")"),
        ];
        Tree::new(Kind::Vector, true, pieces)
    }

    pub(super) fn over_time(&mut self, depth: usize) -> Tree {
        match self.random.below(20) {
            0 => return self.quantile_over_time(depth),
            1 => return self.smoothing(depth),
            2 => return self.predicted(depth),
            3 => {
                let range = self.range(depth - 1);
                return call("absent_over_time", range, true);
            }
            4 | 5 => {
                let function = self.random.word(&["changes", "resets"]);
                let mut range = self.range(depth - 1);
                if !range.exact {
                    let inner = self.selector();
                    range = self.subquery(inner);
                }
                return call(function, range, true);
            }
            _ => {}
        }
        if self.random.chance(15) {
            return self.growth();
        }
        let range = self.range(depth - 1);
        if self.random.chance(40) {
            let exact = range.exact;
            return call(self.random.word(&OVER_TIME_EXACT), range, exact);
        }
        call(self.random.word(&OVER_TIME), range, false)
    }

    /// `rate` and `increase`: of any counter; inside a subquery of one that is far from zero, so that it is seen
    /// where a known change of theirs is the cause of a difference.
    fn growth(&mut self) -> Tree {
        let fits: fn(Shape) -> bool = match self.subqueries {
            0 => |shape| {
                matches!(
                    shape,
                    Shape::Counter | Shape::FractionCounter | Shape::Steady | Shape::Huge
                )
            },
            _ => |shape| shape == Shape::Steady,
        };
        let name = self.metric_name(fits);
        let range = format!("[{}]", self.range_text());
        let pieces = vec![text(name), text(range), self.modifiers()];
        let function = self.random.word(&["rate", "increase"]);
        call(function, Tree::new(Kind::Range, true, pieces), false)
    }

    fn quantile_over_time(&mut self, depth: usize) -> Tree {
        let (parameter, range) = (self.scalar_simple(), self.range(depth - 1));
        let pieces = vec![
            text("quantile_over_time("),
            Piece::Part(parameter),
            text(", "),
            Piece::Part(range),
            text(")"),
        ];
        Tree::new(Kind::Vector, false, pieces)
    }

    fn smoothing(&mut self, depth: usize) -> Tree {
        let range = self.range(depth - 1);
        let factors = self
            .random
            .word(&["0.3, 0.6", "0.9, 0.1", "0.5, 0.5", "0, 0.5", "0.5, 1"]);
        let pieces = vec![
            text("double_exponential_smoothing("),
            Piece::Part(range),
            text(format!(", {factors})")),
        ];
        Tree::new(Kind::Vector, false, pieces)
    }

    fn predicted(&mut self, depth: usize) -> Tree {
        let (range, ahead) = (self.range(depth - 1), self.scalar_simple());
        let pieces = vec![
            text("predict_linear("),
            Piece::Part(range),
            text(", "),
            Piece::Part(ahead),
            text(")"),
        ];
        Tree::new(Kind::Vector, false, pieces)
    }

    pub(super) fn function(&mut self, depth: usize) -> Tree {
        match self.random.below(12) {
            0 | 1 => {
                let inner = self.vector(depth - 1);
                let exact = inner.exact;
                call(self.random.word(&EXACT), inner, exact)
            }
            2 | 3 => {
                let inner = self.exact_vector(depth - 1);
                call(self.random.word(&JUMPING), inner, true)
            }
            4 => {
                let inner = self.vector(depth - 1);
                call(self.random.word(&SMOOTH), inner, false)
            }
            5 => {
                let inner = self.exact_vector(depth - 1);
                call(self.random.word(&AMPLIFYING), inner, false)
            }
            6 | 7 => self.clamped(depth),
            8 => self.relabelled(depth),
            9 => {
                let inner = self.vector(depth - 1);
                call("absent", inner, true)
            }
            10 => {
                let inner = self.vector(depth - 1);
                let exact = inner.exact;
                call(self.random.word(&["sort", "sort_desc"]), inner, exact)
            }
            _ => {
                let inner = self.exact_vector(depth - 1);
                let nearest = self.random.word(&["10", "0.5", "0.1", "-3", "0"]);
                let pieces = vec![
                    text("round("),
                    Piece::Part(inner),
                    text(format!(", {nearest})")),
                ];
                Tree::new(Kind::Vector, true, pieces)
            }
        }
    }

    fn clamped(&mut self, depth: usize) -> Tree {
        let inner = self.vector(depth - 1);
        let exact = inner.exact;
        let function = self.random.word(&["clamp", "clamp_min", "clamp_max"]);
        let mut pieces = vec![text(format!("{function}(")), Piece::Part(inner), text(", ")];
        pieces.push(Piece::Part(self.scalar_simple()));
        if function == "clamp" {
            pieces.push(text(", "));
            pieces.push(Piece::Part(self.scalar_simple()));
        }
        pieces.push(text(")"));
        Tree::new(Kind::Vector, exact, pieces)
    }

    fn relabelled(&mut self, depth: usize) -> Tree {
        let inner = self.vector(depth - 1);
        let exact = inner.exact;
        let (function, arguments) = *self.random.pick(&[
            (
                "label_replace",
                "\"dst\", \"$1-x\", \"instance\", \"i(.*)\"",
            ),
            ("label_replace", "\"job\", \"${1}\", \"job\", \"(..).*\""),
            ("label_replace", "\"__name__\", \"renamed\", \"\", \"\""),
            ("label_replace", "\"instance\", \"\", \"instance\", \".*\""),
            (
                "label_replace",
                "\"dst\", \"$nope\", \"job\", \"(?P<x>a).*\"",
            ),
            ("label_replace", "\"job\", \"same\", \"nope\", \"\""),
            (
                "label_join",
                "\"dst\", \"-\", \"job\", \"instance\", \"nope\"",
            ),
            ("label_join", "\"job\", \",\", \"instance\""),
            ("label_join", "\"instance\", \"\""),
        ]);
        let pieces = vec![
            text(format!("{function}(")),
            Piece::Part(inner),
            text(format!(", {arguments})")),
        ];
        Tree::new(Kind::Vector, exact, pieces)
    }

    pub(super) fn quantile_of_buckets(&mut self) -> Tree {
        let range = format!("latency_seconds_bucket[{}]", self.range_text());
        let range = Tree::new(Kind::Range, true, vec![text(range)]);
        let inner = match self.random.below(5) {
            _ if self.subqueries > 0 => plain("latency_seconds_bucket"),
            0 => plain("latency_seconds_bucket"),
            1 => call("rate", range, false),
            2 => call("sum by (le) ", call("rate", range, false), false),
            3 => call("sum by (le, job) ", call("increase", range, false), false),
            _ => plain("http_requests_total"),
        };
        let pieces = vec![
            text("histogram_quantile("),
            Piece::Part(self.scalar_simple()),
            text(", "),
            Piece::Part(inner),
            text(")"),
        ];
        Tree::new(Kind::Vector, false, pieces)
    }
}

fn call(function: &str, argument: Tree, exact: bool) -> Tree {
    let pieces = vec![
        text(format!("{function}(")),
        Piece::Part(argument),
        text(")"),
    ];
    Tree::new(Kind::Vector, exact, pieces)
}

fn plain(name: &str) -> Tree {
    Tree::new(Kind::Vector, false, vec![text(name)])
}
