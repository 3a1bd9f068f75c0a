//! Which series fulfil a list of matchers.
//!
//! `LabelIndex` is what the head in memory and the index of a block have in common: for each label and
//! value the ascending numbers of the series that carry it. A matcher that refuses the empty text
//! narrows the result to series that carry a matching value; one that accepts it takes away those that carry
//! a refused one, which is how a missing label counts as empty (Prometheus, "Instant vector selectors").

use model::{MatchOperator, Matcher};
use std::cmp::Ordering;

/// An inverted index.
pub(crate) trait LabelIndex {
    /// Every series.
    fn all(&self) -> Vec<u32>;

    /// The series with this value of this label.
    fn with_value(&self, name: &str, value: &str) -> &[u32];

    /// Calls `each` for every value of a label with its series.
    fn for_each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str, &'a [u32]));
}

/// The series that fulfil all matchers, ascending.
pub(crate) fn select(index: &impl LabelIndex, matchers: &[Matcher]) -> Vec<u32> {
    let (subtracting, narrowing): (Vec<&Matcher>, Vec<&Matcher>) =
        matchers.iter().partition(|matcher| matcher.matches(""));
    let mut found: Option<Vec<u32>> = None;
    for matcher in narrowing {
        let carrying = carrying(index, matcher, true);
        found = Some(match found {
            None => carrying,
            Some(found) => intersection(&found, &carrying),
        });
        if found.as_ref().is_some_and(Vec::is_empty) {
            return Vec::new();
        }
    }
    let mut found = found.unwrap_or_else(|| index.all());
    for matcher in subtracting {
        found = difference(&found, &carrying(index, matcher, false));
    }
    found
}

/// The series that carry a value which the matcher accepts, or one that it refuses.
fn carrying(index: &impl LabelIndex, matcher: &Matcher, accepted: bool) -> Vec<u32> {
    let name = matcher.name();
    if accepted && matcher.operator() == MatchOperator::Equal {
        return index.with_value(name, matcher.value()).to_vec();
    }
    if !accepted && matcher.operator() == MatchOperator::NotEqual {
        return index.with_value(name, matcher.value()).to_vec();
    }
    let literals = matcher.regex().and_then(model::regex::Regex::literals);
    let by_literals = match matcher.operator() {
        MatchOperator::Regex => accepted,
        MatchOperator::NotRegex => !accepted,
        MatchOperator::Equal | MatchOperator::NotEqual => false,
    };
    let mut lists: Vec<&[u32]> = Vec::new();
    match literals {
        Some(literals) if by_literals => {
            let mut literals: Vec<&String> = literals.iter().collect();
            literals.sort_unstable();
            literals.dedup();
            lists.extend(literals.iter().map(|value| index.with_value(name, value)));
        }
        _ => index.for_each_value(name, &mut |value, series| {
            if matcher.matches(value) == accepted {
                lists.push(series);
            }
        }),
    }
    union(&lists)
}

/// A series carries one value of a label, so the lists share no number.
fn union(lists: &[&[u32]]) -> Vec<u32> {
    if let [only] = lists {
        return only.to_vec();
    }
    let mut all = lists.concat();
    all.sort_unstable();
    all
}

fn intersection(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut rest = long;
    let mut found = Vec::with_capacity(short.len());
    for &number in short {
        rest = skip_below(rest, number);
        if rest.first() == Some(&number) {
            found.push(number);
        }
    }
    found
}

fn difference(from: &[u32], without: &[u32]) -> Vec<u32> {
    let mut rest = without;
    let mut found = Vec::with_capacity(from.len());
    for &number in from {
        rest = skip_below(rest, number);
        if rest.first() != Some(&number) {
            found.push(number);
        }
    }
    found
}

/// The part of an ascending list from the first number that is not below `bound`: steps that double,
/// then halves, so that a short list against a long one costs little.
fn skip_below(list: &[u32], bound: u32) -> &[u32] {
    let mut step = 1;
    while list
        .get(step)
        .is_some_and(|number| number.cmp(&bound) == Ordering::Less)
    {
        step *= 2;
    }
    let window = list.get(..=step).unwrap_or(list);
    let start = window.partition_point(|number| *number < bound);
    list.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{LabelIndex, difference, intersection, select};
    use model::{Labels, MatchOperator, Matcher, matcher::all_match};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    struct Naive {
        series: Vec<Labels>,
        postings: BTreeMap<(String, String), Vec<u32>>,
    }

    impl LabelIndex for Naive {
        fn all(&self) -> Vec<u32> {
            (0..u32::try_from(self.series.len()).expect("few")).collect()
        }

        fn with_value(&self, name: &str, value: &str) -> &[u32] {
            let key = (name.to_owned(), value.to_owned());
            self.postings.get(&key).map_or(&[], Vec::as_slice)
        }

        fn for_each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str, &'a [u32])) {
            for ((label, value), series) in &self.postings {
                if label == name {
                    each(value, series);
                }
            }
        }
    }

    fn matcher() -> impl Strategy<Value = Matcher> {
        let operator = prop::sample::select(vec![
            MatchOperator::Equal,
            MatchOperator::NotEqual,
            MatchOperator::Regex,
            MatchOperator::NotRegex,
        ]);
        let value =
            prop::sample::select(vec!["", "x", "y", "x|y", "x|", "x.*", ".+", ".*", "[^x]"]);
        ("[abc]", operator, value)
            .prop_map(|(name, operator, value)| Matcher::new(name, operator, value).expect("valid"))
    }

    proptest! {
        #[test]
        fn selects_what_matches(
            series in prop::collection::vec(("[xyz]?", "[xyz]?"), 0..30),
            matchers in prop::collection::vec(matcher(), 0..4),
        ) {
            let series: Vec<Labels> = series
                .iter()
                .map(|(a, b)| Labels::from_pairs([("a", a), ("b", b)]))
                .collect();
            let mut postings: BTreeMap<(String, String), Vec<u32>> = BTreeMap::new();
            for (id, labels) in (0..).zip(&series) {
                for (name, value) in labels {
                    postings.entry((name.to_owned(), value.to_owned())).or_default().push(id);
                }
            }
            let index = Naive { series, postings };
            let want: Vec<u32> = (0..)
                .zip(&index.series)
                .filter(|(_, labels)| all_match(&matchers, labels))
                .map(|(id, _)| id)
                .collect();
            prop_assert_eq!(select(&index, &matchers), want);
        }

        #[test]
        fn set_operations(a: BTreeSet<u8>, b: BTreeSet<u8>) {
            let list = |set: &BTreeSet<u8>| set.iter().map(|n| u32::from(*n)).collect::<Vec<_>>();
            prop_assert_eq!(intersection(&list(&a), &list(&b)), list(&(&a & &b)));
            prop_assert_eq!(difference(&list(&a), &list(&b)), list(&(&a - &b)));
        }
    }
}
