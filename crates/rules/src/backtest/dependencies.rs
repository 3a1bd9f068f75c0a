//! Which rules read what others write, and in which order groups may be evaluated because of that.

use super::{CHUNK_MS_MAX, CHUNK_MS_MIN};
use crate::file::{RuleKind, RuleSpec};
use crate::group::{ALERTS, ALERTS_FOR_STATE, Group};
use model::{Labels, METRIC_NAME, Matcher};
use std::collections::BTreeSet;

/// Series that a rule writes, as far as its text tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Product {
    metric: String,
    /// Of `ALERTS` and `ALERTS_FOR_STATE`: whose.
    alert: Option<String>,
}

/// All series that the rules write.
#[derive(Clone, Debug, Default)]
pub(super) struct Products {
    all: BTreeSet<Product>,
    /// Those that some rule may read.
    read: BTreeSet<Product>,
}

/// The order of evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Group by group, by their indices, each over a whole chunk of time.
    ByGroup(Vec<usize>),
    /// Moment by moment.
    ByMoment,
}

/// How the rules are evaluated.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) order: Order,
    pub(super) products: Products,
    /// The span of time that is worked on together.
    pub(super) chunk_ms: i64,
    /// How far back rules look at what rules write.
    pub(super) horizon_ms: i64,
    pub(super) notes: Vec<String>,
    /// For each rule of each group, whether evaluating a range of moments is evaluating each of them.
    local: Vec<Vec<bool>>,
}

impl Product {
    fn of(spec: &RuleSpec) -> Vec<Self> {
        match &spec.kind {
            RuleKind::Recording => vec![Self {
                metric: spec.name.clone(),
                alert: None,
            }],
            RuleKind::Alerting(_) => [ALERTS, ALERTS_FOR_STATE]
                .map(|metric| Self {
                    metric: metric.to_owned(),
                    alert: Some(spec.name.clone()),
                })
                .into(),
        }
    }

    /// Whether a selector may see it.
    fn may_match(&self, matchers: &[Matcher]) -> bool {
        matchers.iter().all(|matcher| match matcher.name() {
            METRIC_NAME => matcher.matches(&self.metric),
            "alertname" => self
                .alert
                .as_ref()
                .is_none_or(|alert| matcher.matches(alert)),
            _ => true,
        })
    }

    fn is_of(&self, labels: &Labels) -> bool {
        labels.metric_name() == self.metric
            && self
                .alert
                .as_ref()
                .is_none_or(|alert| labels.value("alertname") == alert)
    }
}

impl Products {
    /// Whether a series is one of them.
    pub(super) fn has(&self, labels: &Labels) -> bool {
        self.all.iter().any(|product| product.is_of(labels))
    }

    /// Whether a series is one that some rule may read.
    pub(super) fn is_read(&self, labels: &Labels) -> bool {
        self.read.iter().any(|product| product.is_of(labels))
    }

    /// Whether a selector may see one of them.
    pub(super) fn may_match(&self, matchers: &[Matcher]) -> bool {
        self.all.iter().any(|product| product.may_match(matchers))
    }

    /// Metric names of those that some rule may read.
    pub(super) fn names_read(&self) -> BTreeSet<&str> {
        let names = self.read.iter().map(|product| product.metric.as_str());
        names.collect()
    }
}

/// What one rule writes and reads.
struct Part {
    writes: Vec<Product>,
    reads: Vec<Vec<Matcher>>,
    /// Whether its templates ask queries that are not looked into.
    asks: bool,
    reach_ms: Option<i64>,
}

impl Part {
    fn of(spec: &RuleSpec, lookback_ms: i64) -> Self {
        let selectors = spec.expr.selectors().into_iter();
        let asks = match &spec.kind {
            RuleKind::Recording => false,
            RuleKind::Alerting(alert) => {
                let mut texts = spec.labels.iter().chain(&alert.annotations);
                texts.any(|(_, text)| text.contains("{{") && text.contains("query"))
            }
        };
        Self {
            writes: Product::of(spec),
            reads: selectors.map(|one| one.matchers.clone()).collect(),
            asks,
            reach_ms: spec.expr.reach_before_ms(lookback_ms),
        }
    }

    fn may_read(&self, product: &Product) -> bool {
        self.asks
            || self
                .reads
                .iter()
                .any(|matchers| product.may_match(matchers))
    }

    fn may_read_from(&self, other: &Self) -> bool {
        // A query in a template sees what is there; the order of rules does not hang on it.
        let mut writes = other.writes.iter();
        writes.any(|product| {
            self.reads
                .iter()
                .any(|matchers| product.may_match(matchers))
        })
    }
}

impl Plan {
    pub(super) fn of(groups: &[Group], lookback_ms: i64) -> Self {
        let parts: Vec<Vec<Part>> = groups
            .iter()
            .map(|group| {
                let rules = group.rules.iter();
                rules
                    .map(|rule| Part::of(&rule.spec, lookback_ms))
                    .collect()
            })
            .collect();
        let all = || parts.iter().flatten();
        let products: BTreeSet<Product> = all().flat_map(|part| part.writes.clone()).collect();
        let read = products
            .iter()
            .filter(|product| all().any(|part| part.may_read(product)))
            .cloned();
        let products = Products {
            read: read.collect(),
            all: products.clone(),
        };
        let longest = all().filter_map(|part| part.reach_ms).max().unwrap_or(0);
        let readers = all().filter(|part| products.read.iter().any(|one| part.may_read(one)));
        let horizons = readers.map(|part| part.reach_ms.unwrap_or(i64::MAX / 4));
        let horizon_ms = horizons.max().unwrap_or(0).max(lookback_ms);
        let mut notes = Vec::new();
        let order = match backward(groups, &parts, &products) {
            None => by_group(&parts),
            Some(note) => {
                notes.push(note);
                Order::ByMoment
            }
        };
        if order == Order::ByMoment && notes.is_empty() {
            notes.push(
                "groups read what the others write, in a circle: evaluated moment by moment"
                    .to_owned(),
            );
        }
        Self {
            order,
            products,
            chunk_ms: longest.clamp(CHUNK_MS_MIN, CHUNK_MS_MAX),
            horizon_ms,
            notes,
            local: parts
                .iter()
                .map(|rules| rules.iter().map(|part| part.reach_ms.is_some()).collect())
                .collect(),
        }
    }

    pub(super) fn is_local(&self, group: usize, rule: usize) -> bool {
        let rules = self.local.get(group);
        rules.and_then(|rules| rules.get(rule)) == Some(&true)
    }
}

/// A rule that reads what it writes itself or what a later one of its group writes; or two rules of a group that write
/// series of one name that others read, so that the end of one's series hangs on the other.
fn backward(groups: &[Group], parts: &[Vec<Part>], products: &Products) -> Option<String> {
    for (group, rules) in groups.iter().zip(parts) {
        for (index, part) in rules.iter().enumerate() {
            let Some(name) = group.rules.get(index).map(|rule| &rule.spec.name) else {
                continue;
            };
            let at = format!("group {:?}, rule {}, {name:?}", group.key.name, index + 1);
            let later = rules.get(index..).unwrap_or_default();
            if later.iter().any(|other| part.may_read_from(other)) {
                return Some(format!(
                    "{at} may read what it or a later rule of the group writes: evaluated moment by moment"
                ));
            }
            let mut others = later.iter().skip(1);
            let is_read = part.writes.iter().any(|one| products.read.contains(one));
            if is_read && others.any(|other| part.writes == other.writes) {
                return Some(format!(
                    "{at} writes series of the same name as a later rule of the group: evaluated moment by moment"
                ));
            }
        }
    }
    None
}

/// Groups after those whose series they read; by moment where that goes in a circle.
fn by_group(parts: &[Vec<Part>]) -> Order {
    let reads = |reader: usize, writer: usize| {
        let (Some(readers), Some(writers)) = (parts.get(reader), parts.get(writer)) else {
            return false;
        };
        readers
            .iter()
            .any(|part| writers.iter().any(|other| part.may_read_from(other)))
    };
    let mut left: Vec<usize> = (0..parts.len()).collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left
            .iter()
            .position(|one| !left.iter().any(|other| one != other && reads(*one, *other)));
        let Some(free) = free else {
            return Order::ByMoment;
        };
        order.push(left.remove(free));
    }
    Order::ByGroup(order)
}

#[cfg(test)]
mod tests {
    use super::{Order, Plan};
    use crate::config::Config;
    use crate::file::{self, UnknownFields};
    use crate::group::Group;

    fn plan(text: &str) -> Plan {
        let file = file::parse("r.yml", text, UnknownFields::Refuse).expect("good rules");
        let specs = file.groups.iter();
        let groups: Vec<Group> = specs
            .map(|spec| Group::new("r.yml", spec, &Config::default()))
            .collect();
        Plan::of(&groups, 300_000)
    }

    #[test]
    fn finds_the_order() {
        let check = |text: &str, want: Order| {
            let text = format!("groups: [{text}]");
            assert_eq!(plan(&text).order, want, "{text}");
        };
        let by_group = |order: &[usize]| Order::ByGroup(order.to_vec());
        check(
            "{name: a, rules: [{record: x, expr: up}, {alert: A, expr: x > 0}]}",
            by_group(&[0]),
        );
        check(
            "{name: a, rules: [{alert: A, expr: x > 0}, {record: x, expr: up}]}",
            Order::ByMoment,
        );
        check(
            "{name: a, rules: [{record: x, expr: x + up}]}",
            Order::ByMoment,
        );
        check(
            "{name: a, rules: [{alert: A, expr: 'ALERTS{alertname=\"B\"}'}]}",
            by_group(&[0]),
        );
        check(
            "{name: a, rules: [{alert: A, expr: ALERTS}]}",
            Order::ByMoment,
        );
        check(
            "{name: a, rules: [{record: x, expr: '{job=\"a\"}'}]}",
            Order::ByMoment,
        );
        check(
            "{name: a, rules: [{record: x, expr: a}, {record: x, expr: b}]}",
            by_group(&[0]),
        );
        check(
            "{name: a, rules: [{record: x, expr: a}, {record: x, expr: b}, {alert: A, expr: x > 0}]}",
            Order::ByMoment,
        );
        check(
            "{name: a, rules: [{alert: A, expr: x > 0}]}, {name: b, rules: [{record: x, expr: up}]}",
            by_group(&[1, 0]),
        );
        check(
            "{name: a, rules: [{record: y, expr: x}]}, {name: b, rules: [{record: x, expr: y}]}",
            Order::ByMoment,
        );
    }

    #[test]
    fn knows_how_far_back_rules_look_at_each_other() {
        let check = |rules: &str, want_minutes: i64| {
            let text = format!("groups: [{{name: a, rules: [{rules}]}}]");
            assert_eq!(plan(&text).horizon_ms, want_minutes * 60_000, "{text}");
        };
        check("{record: x, expr: 'rate(m[1h])'}", 5);
        check(
            "{record: x, expr: m}, {alert: A, expr: 'avg_over_time(x[1h]) > 1'}",
            65,
        );
    }
}
