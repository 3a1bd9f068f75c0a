//! Matchers and labels as words of the command line.

use dispatch::matchers::parse_matcher;
use model::{MatchOperator, Matcher};
use serde_json::{Map, Value};

/// The words with the first one made a matcher of the alert's name where it is no matcher itself.
pub(super) fn with_name(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(first) = words.first_mut()
        && parse_matcher(first).is_err()
    {
        *first = named(first);
    }
    words
}

fn named(name: &str) -> String {
    format!("alertname={}", model::labels::Quoted(name))
}

/// Reads matchers.
pub(super) fn matchers(words: &[String]) -> anyhow::Result<Vec<Matcher>> {
    let parse = |word: &String| parse_matcher(word).map_err(anyhow::Error::msg);
    words.iter().map(parse).collect()
}

/// Reads labels: matchers that ask for equality.
pub(super) fn labels(words: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let matchers = matchers(words)?;
    let pair = |matcher: Matcher| {
        anyhow::ensure!(
            matcher.operator() == MatchOperator::Equal,
            "labels must be specified as key=value pairs"
        );
        Ok((matcher.name().to_owned(), matcher.value().to_owned()))
    };
    matchers.into_iter().map(pair).collect()
}

/// Labels as JSON; of two of one name the last counts.
pub(super) fn labels_json(pairs: Vec<(String, String)>) -> Value {
    let entries = pairs
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)));
    Value::from(entries.collect::<Map<_, _>>())
}
