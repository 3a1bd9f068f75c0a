//! Whether what is pushed fits to itself and to the other groups: one type for each name, each metric once.

use super::family::{Family, GAUGE_HISTOGRAM, HISTOGRAM, Label, Metric, SUMMARY, kind_name};
use super::{FAILED, Group, Grouping, PUSHED};
use runtime::HashMap;
use std::collections::BTreeMap;

/// Which group has which metric, and how many groups have a family of which type.
#[derive(Default)]
pub(super) struct Owners {
    metrics: HashMap<String, Grouping>,
    kinds: BTreeMap<String, BTreeMap<Grouping, i32>>,
}

impl Owners {
    pub(super) fn add(&mut self, grouping: &Grouping, group: &Group) {
        for stamped in group.families.values() {
            let family = &stamped.family;
            let kinds = self.kinds.entry(family.name.clone()).or_default();
            kinds.insert(grouping.clone(), family.kind);
            for metric in &family.metrics {
                self.metrics.insert(key(family, metric), grouping.clone());
            }
        }
    }

    pub(super) fn remove(&mut self, grouping: &Grouping, group: &Group) {
        for stamped in group.families.values() {
            let family = &stamped.family;
            if let Some(kinds) = self.kinds.get_mut(&family.name) {
                kinds.remove(grouping);
                if kinds.is_empty() {
                    self.kinds.remove(&family.name);
                }
            }
            for metric in &family.metrics {
                let key = key(family, metric);
                if self.metrics.get(&key) == Some(grouping) {
                    self.metrics.remove(&key);
                }
            }
        }
    }

    /// Fails where the group, as it will be, contradicts itself or another group.
    pub(super) fn check(&self, grouping: &Grouping, group: &Group) -> Result<(), String> {
        let mut seen: HashMap<String, ()> = HashMap::default();
        for stamped in group.families.values() {
            let family = &stamped.family;
            check_name(family)?;
            self.check_kind(grouping, family)?;
            check_suffixes(group, family)?;
            for metric in &family.metrics {
                check_labels(family, metric)?;
                let key = key(family, metric);
                let elsewhere = self
                    .metrics
                    .get(&key)
                    .is_some_and(|owner| owner != grouping);
                if elsewhere || seen.insert(key, ()).is_some() {
                    return Err(format!(
                        "collected metric {:?} {{ {} }} was collected before with the same name and label values",
                        family.name,
                        shown(&metric.labels)
                    ));
                }
            }
        }
        Ok(())
    }

    /// This group's own family may change its type: it is being replaced.
    fn check_kind(&self, grouping: &Grouping, family: &Family) -> Result<(), String> {
        let kinds = self.kinds.get(&family.name);
        let mut others = kinds.into_iter().flatten();
        let other = others.find(|(owner, kind)| *owner != grouping && **kind != family.kind);
        let Some((_, kind)) = other else {
            return Ok(());
        };
        Err(format!(
            "metric family {:?} is a {} here and a {} in another group",
            family.name,
            family.kind_name(),
            kind_name(*kind)
        ))
    }
}

/// A text that is equal for equal metrics.
fn key(family: &Family, metric: &Metric) -> String {
    let mut key = format!("{}\u{ff}", family.name);
    for label in &metric.labels {
        key.push_str(&label.name);
        key.push('\u{ff}');
        key.push_str(&label.value);
        key.push('\u{ff}');
    }
    key
}

/// No reader of expositions takes a zero byte inside a name: what holds it could not be scraped any more.
fn check_name(family: &Family) -> Result<(), String> {
    if family.name.contains('\0') {
        return Err(format!(
            "metric family {:?} has a zero byte in its name",
            family.name
        ));
    }
    Ok(())
}

fn check_labels(family: &Family, metric: &Metric) -> Result<(), String> {
    let complain = |what: &str| {
        format!(
            "collected metric {:?} {{ {} }} {what}",
            family.name,
            shown(&metric.labels)
        )
    };
    let own = match family.kind {
        SUMMARY => "quantile",
        HISTOGRAM => "le",
        _ => "",
    };
    for label in &metric.labels {
        if label.name == own {
            return Err(complain(&format!("must not have label {own:?}")));
        }
        let unreadable = label.name.is_empty() || label.name.contains('\0');
        if unreadable || label.name.starts_with("__") {
            return Err(complain("has a label with an invalid name"));
        }
    }
    let twice = metric
        .labels
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.name == b.name));
    if twice {
        return Err(complain("has two or more labels with the same name"));
    }
    let has_value = match family.kind {
        SUMMARY => metric.summary.is_some(),
        HISTOGRAM | GAUGE_HISTOGRAM => metric.histogram.is_some(),
        kind => metric.single(kind).is_some(),
    };
    if !has_value {
        return Err(complain(&format!("is not a {}", family.kind_name())));
    }
    Ok(())
}

/// A histogram `x` writes `x_count`: no other family of the group may be called so.
fn check_suffixes(group: &Group, family: &Family) -> Result<(), String> {
    let suffixes: &[&str] = match family.kind {
        SUMMARY => &["_sum", "_count"],
        HISTOGRAM => &["_sum", "_count", "_bucket"],
        _ => &[],
    };
    for suffix in suffixes {
        let name = format!("{}{suffix}", family.name);
        if group.families.contains_key(&name) || name == PUSHED || name == FAILED {
            return Err(format!(
                "collected metric named {name:?} collides with previously collected {} named {:?}",
                family.kind_name(),
                family.name
            ));
        }
    }
    Ok(())
}

fn shown(labels: &[Label]) -> String {
    let one = |label: &Label| format!("label:{{name:{:?} value:{:?}}}", label.name, label.value);
    labels.iter().map(one).collect::<Vec<_>>().join(" ")
}
