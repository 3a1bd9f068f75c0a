//! Random valid PromQL: every operator, aggregation and function that both programs know, with matching,
//! offsets, `@` and subqueries.
//!
//! Results that come out of sums may differ in their last bits. What jumps (comparisons, `floor`, `topk`, …) is
//! therefore only put over exact parts, and what amplifies (`sin` of large numbers) too.

mod calls;

use super::data::{BEGIN_MS, METRICS, SPAN_MS, Shape};
use super::random::Random;
use super::tree::{Kind, Piece, Tree, text};

/// Milliseconds past a whole second of every moment of evaluation; what `@` names has them too.
pub(super) const MOMENT_MS: i64 = 137;

/// Added to ranges of subqueries, so that no step of one lies on a border.
const SUBQUERY_EXTRA: &str = "251ms";

const LABELS: [&str; 8] = [
    "job", "instance", "code", "room", "le", "mode", "nope", "version",
];

const MATCHERS: [&str; 18] = [
    "job=\"api\"",
    "job!=\"api\"",
    "job=~\"a.*|web\"",
    "job!~\"a.*\"",
    "instance=\"i1\"",
    "instance=~\"i[12]\"",
    "instance!~\"i3.*\"",
    "code=\"200\"",
    "code=~\"[45]..\"",
    "code!~\"2..\"",
    "room=\"hall\"",
    "nope=\"\"",
    "nope!=\"\"",
    "nope=\"x\"",
    "job=~\".+\"",
    "instance=~\"(?i:I1)|i2\"",
    "version=~\"1\\\\.[0-9]\"",
    "job=~\"\"",
];

/// Of these, expressions are put together.
const PATTERN_WORDS: [&str; 44] = [
    "a",
    "api",
    "w",
    "i1",
    "2",
    "b",
    ".",
    ".*",
    ".+",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?i:",
    "(?P<n>",
    "(?-s)",
    "(?x)",
    "[a-w]",
    "[^a-c]",
    "[[:alpha:]]",
    "[[:nope:]]",
    "[",
    "]",
    "-",
    "^",
    "$",
    "|",
    "*",
    "+",
    "?",
    "{2}",
    "{1,}",
    "{",
    "\\d",
    "\\w",
    "\\B",
    "\\b",
    "\\pL",
    "\\Qi",
    "\\E",
    "\\x61",
    "\\C",
    "\\A",
    "\\z",
];

/// Makes queries.
pub(super) struct Grammar<'a> {
    random: &'a mut Random,
    /// How many subqueries are around the part that is made.
    subqueries: usize,
}

impl<'a> Grammar<'a> {
    pub(super) const fn new(random: &'a mut Random) -> Self {
        Self {
            random,
            subqueries: 0,
        }
    }

    /// A query whose result is a vector, or sometimes a number.
    pub(super) fn query(&mut self) -> Tree {
        let depth = 1 + self.random.below(4);
        if self.random.chance(4) {
            return self.scalar(depth);
        }
        self.vector(depth)
    }

    fn vector(&mut self, depth: usize) -> Tree {
        if depth == 0 {
            return self.selector();
        }
        match self.random.below(100) {
            0..=11 => self.selector(),
            12..=29 => self.binary(depth),
            30..=37 => self.with_scalar(depth),
            38..=57 => self.aggregation(depth),
            58..=79 => self.over_time(depth),
            80..=91 => self.function(depth),
            92..=93 => {
                let inner = self.vector(depth - 1);
                self.wrapped("-", inner, "")
            }
            94..=95 => {
                let inner = self.vector(depth - 1);
                self.wrapped("(", inner, ")")
            }
            96..=97 => self.quantile_of_buckets(),
            _ => {
                let inner = self.scalar(depth - 1);
                let exact = inner.exact;
                Tree::new(
                    Kind::Vector,
                    exact,
                    vec![text("vector("), Piece::Part(inner), text(")")],
                )
            }
        }
    }

    fn wrapped(&mut self, before: &str, inner: Tree, after: &str) -> Tree {
        let (kind, exact) = (inner.kind, inner.exact);
        // A bare operand after a sign would bind otherwise.
        let pieces = match before {
            "-" => vec![text("-("), Piece::Part(inner), text(")")],
            _ => vec![text(before), Piece::Part(inner), text(after)],
        };
        Tree::new(kind, exact, pieces)
    }

    /// An exact vector: a selector, or what keeps bits over one.
    fn exact_vector(&mut self, depth: usize) -> Tree {
        for _ in 0..4 {
            let tree = self.vector(depth);
            if tree.exact {
                return tree;
            }
        }
        self.selector()
    }

    fn selector(&mut self) -> Tree {
        let mut pieces = self.bare_selector();
        pieces.push(self.modifiers());
        Tree::new(Kind::Vector, true, pieces)
    }

    /// Name and matchers, without modifiers.
    fn bare_selector(&mut self) -> Vec<Piece> {
        if self.random.chance(3) {
            let pattern = self.random.word(&[
                "temp.*",
                "load|queue_length",
                "(errors|http_.*)_total",
                "tiny",
            ]);
            return vec![text(format!("{{__name__=~\"{pattern}\",job=~\"a.+\"}}"))];
        }
        let name = match self.random.below(10) {
            0 => "latency_seconds_bucket",
            1 => self.random.word(&[
                "latency_seconds_count",
                "latency_seconds_sum",
                "nothing_here",
            ]),
            _ => self.metric_name(|_| true),
        };
        let mut pieces = vec![text(name)];
        if self.random.chance(40) {
            pieces.push(Piece::Optional(self.matchers()));
        }
        pieces
    }

    /// A regular expression, right or wrong.
    fn pattern(&mut self) -> String {
        let count = 1 + self.random.below(6);
        (0..count)
            .map(|_| self.random.word(&PATTERN_WORDS))
            .collect()
    }

    fn metric_name(&mut self, fits: fn(Shape) -> bool) -> &'static str {
        let names: Vec<&'static str> = METRICS
            .iter()
            .filter(|metric| fits(metric.shape))
            .map(|metric| metric.name)
            .collect();
        self.random.word(&names)
    }

    fn matchers(&mut self) -> String {
        if self.random.chance(10) {
            let label = self.random.word(&["job", "instance", "code"]);
            let operator = self.random.word(&["=~", "!~"]);
            return format!("{{{label}{operator}`{}`}}", self.pattern());
        }
        let count = 1 + self.random.below(2);
        let chosen: Vec<&str> = (0..count).map(|_| self.random.word(&MATCHERS)).collect();
        format!("{{{}}}", chosen.join(","))
    }

    /// `offset` and `@`, mostly nothing.
    fn modifiers(&mut self) -> Piece {
        let mut words = String::new();
        if self.random.chance(12) {
            let offset = self.random.word(&["1m", "7m", "30s", "-2m", "13s", "1h"]);
            words.push_str(&format!(" offset {offset}"));
        }
        if self.random.chance(8) {
            let at = match self.random.below(4) {
                0 => "start()".to_owned(),
                1 => "end()".to_owned(),
                _ => seconds(BEGIN_MS + self.random.between(0, SPAN_MS) / 1000 * 1000 + MOMENT_MS),
            };
            words = if self.random.chance(50) {
                format!(" @ {at}{words}")
            } else {
                format!("{words} @ {at}")
            };
        }
        Piece::Optional(words)
    }

    fn range(&mut self, depth: usize) -> Tree {
        if depth > 0 && self.random.chance(25) {
            self.subqueries += 1;
            let inner = self.vector(depth - 1);
            self.subqueries -= 1;
            return self.subquery(inner);
        }
        let mut pieces = self.bare_selector();
        pieces.push(text(format!("[{}]", self.range_text())));
        pieces.push(self.modifiers());
        Tree::new(Kind::Range, true, pieces)
    }

    fn range_text(&mut self) -> &'static str {
        self.random
            .word(&["1m", "2m", "5m", "5m", "10m", "90s", "1h", "17s"])
    }

    fn subquery(&mut self, inner: Tree) -> Tree {
        let exact = inner.exact;
        let range = self.random.word(&["5m", "2m", "10m", "30m"]);
        let step = self.random.word(&["", "1m", "30s", "17s", "2m"]);
        let pieces = vec![
            text("("),
            Piece::Part(inner),
            text(format!(")[{range}{SUBQUERY_EXTRA}:{step}]")),
            self.modifiers(),
        ];
        Tree::new(Kind::Range, exact, pieces)
    }

    fn binary(&mut self, depth: usize) -> Tree {
        let is_set = self.random.chance(20);
        if is_set {
            let operator = self.random.word(&["and", "or", "unless"]);
            let (left, right) = (self.vector(depth - 1), self.vector(depth - 1));
            let matching = self.matching(false);
            return join(left, &format!(" {operator} {matching}"), right);
        }
        let (left, right) = if self.random.chance(35) {
            // The same series on both sides: matching without errors.
            let one = self.vector(depth - 1);
            (one.clone(), one)
        } else {
            (self.vector(depth - 1), self.vector(depth - 1))
        };
        let exact = left.exact && right.exact;
        let operator = self.operator(exact);
        let matching = self.matching(true);
        join(left, &format!(" {operator} {matching}"), right)
    }

    /// An arithmetic or comparing operator; what jumps only for exact operands.
    fn operator(&mut self, exact: bool) -> String {
        if !exact || self.random.chance(55) {
            let choices: &[&str] = if exact {
                &["+", "-", "*", "/", "%"]
            } else {
                &["+", "*", "/"]
            };
            return (self.random.word(choices)).to_owned();
        }
        if self.random.chance(10) {
            return (self.random.word(&["^", "atan2"])).to_owned();
        }
        let operator = self.random.word(&["==", "!=", ">", "<", ">=", "<="]);
        let with_bool = if self.random.chance(40) { " bool" } else { "" };
        format!("{operator}{with_bool}")
    }

    fn matching(&mut self, may_group: bool) -> String {
        if self.random.chance(45) {
            return String::new();
        }
        let word = self.random.word(&["on", "ignoring"]);
        let labels = self.some_labels(3);
        let mut matching = format!("{word} ({labels}) ");
        if may_group && self.random.chance(40) {
            let side = self.random.word(&["group_left", "group_right"]);
            let include = if self.random.chance(50) {
                self.some_labels(2)
            } else {
                String::new()
            };
            matching.push_str(&format!("{side} ({include}) "));
        }
        matching
    }

    fn some_labels(&mut self, max: usize) -> String {
        let count = self.random.below(max + 1);
        let mut labels: Vec<&str> = Vec::new();
        for _ in 0..count {
            let label = if self.random.chance(70) {
                self.random.word(&["job", "instance"])
            } else {
                self.random.word(&LABELS)
            };
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels.join(", ")
    }

    fn with_scalar(&mut self, depth: usize) -> Tree {
        let (vector, scalar) = (self.vector(depth - 1), self.scalar(depth - 1));
        let exact = vector.exact && scalar.exact;
        let operator = self.operator(exact);
        let mut tree = if self.random.chance(50) {
            join(vector, &format!(" {operator} "), scalar)
        } else {
            join(scalar, &format!(" {operator} "), vector)
        };
        tree.kind = Kind::Vector;
        tree
    }

    /// A number that is not computed from series.
    fn scalar_simple(&mut self) -> Tree {
        let number = self.random.word(&[
            "0.5", "0.9", "0", "1", "0.99", "-1", "2", "10", "3600", "NaN", "Inf", "-Inf", "0.1",
            "1e3",
        ]);
        Tree::new(Kind::Scalar, true, vec![text(number)])
    }

    fn scalar(&mut self, depth: usize) -> Tree {
        if depth == 0 || self.random.chance(40) {
            let number = self.random.word(&[
                "0", "1", "2", "-1", "0.5", "1e3", "3.14", "Inf", "NaN", "0x1F", "1e-9", "100",
                "time()", "pi()", "-Inf", ".5", "1e300", "1e-300",
            ]);
            return Tree::new(Kind::Scalar, true, vec![text(number)]);
        }
        match self.random.below(4) {
            0 => {
                let inner = self.vector(depth - 1);
                let exact = inner.exact;
                Tree::new(
                    Kind::Scalar,
                    exact,
                    vec![text("scalar("), Piece::Part(inner), text(")")],
                )
            }
            1 => {
                let inner = self.scalar(depth - 1);
                self.wrapped("-", inner, "")
            }
            _ => {
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                let operator = if left.exact && right.exact {
                    self.random.word(&[
                        "+", "-", "*", "/", "%", "== bool", "< bool", ">= bool", "!= bool",
                    ])
                } else {
                    self.random.word(&["+", "*", "/"])
                };
                join(left, &format!(" {operator} "), right)
            }
        }
    }
}

/// `(left) operator (right)`; inexact where an operand or the operator is.
fn join(left: Tree, operator: &str, right: Tree) -> Tree {
    let approximates = operator.contains('^') || operator.contains("atan2");
    let exact = left.exact && right.exact && !approximates;
    let kind = left.kind;
    let pieces = vec![
        text("("),
        Piece::Part(left),
        text(format!("){operator}(")),
        Piece::Part(right),
        text(")"),
    ];
    Tree::new(kind, exact, pieces)
}

/// Milliseconds as seconds with three places.
pub(super) fn seconds(millis: i64) -> String {
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}
