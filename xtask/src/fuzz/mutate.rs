//! Queries that are probably wrong: valid ones with a word taken out, doubled, swapped or replaced.

use super::random::Random;

const WORDS: [&str; 48] = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "!=",
    "=~",
    "!~",
    "=",
    ">",
    "<",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "@",
    "start()",
    "end()",
    "5m",
    "1d2h",
    "0",
    "1.5",
    "\"a\"",
    "'b'",
    "`c`",
    "and",
    "or",
    "unless",
    "sum",
    "rate",
    "load",
    "job",
    ":",
    "atan2",
    "# end",
];

const CHARACTERS: [char; 18] = [
    '(', ')', '{', '}', '"', '\'', '\\', '\n', ' ', '0', 'x', '_', ':', '.', '$', '!', 'ä', '~',
];

/// Changes a query in one to three places.
pub(super) fn mutated(query: &str, random: &mut Random) -> String {
    let mut words = split(query);
    for _ in 0..=random.below(3) {
        let place = random.below(words.len().max(1));
        match random.below(6) {
            0 if place < words.len() => {
                words.remove(place);
            }
            1 if place < words.len() => {
                let word = words[place].clone();
                words.insert(place, word);
            }
            2 if place + 1 < words.len() => words.swap(place, place + 1),
            3 if place < words.len() => words[place] = random.word(&WORDS).to_owned(),
            4 => words.insert(place, format!(" {} ", random.word(&WORDS))),
            _ => {
                let mut text = words.concat();
                let count = text.chars().count().max(1);
                let at = random.below(count);
                let at = text.char_indices().nth(at).map_or(0, |(index, _)| index);
                if random.chance(50) && at < text.len() {
                    text.remove(at);
                } else {
                    text.insert(at, *random.pick(&CHARACTERS));
                }
                words = split(&text);
            }
        }
    }
    words.concat()
}

/// Words, numbers and runs of anything else; together they are the text.
fn split(text: &str) -> Vec<String> {
    let class = |c: char| {
        if c.is_alphanumeric() || matches!(c, '_' | '.') {
            1
        } else if c.is_whitespace() {
            2
        } else {
            3
        }
    };
    let mut words: Vec<String> = Vec::new();
    let mut before = 0;
    for c in text.chars() {
        let now = class(c);
        match words.last_mut() {
            Some(word) if now == before && now != 3 => word.push(c),
            _ => words.push(c.to_string()),
        }
        before = now;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{mutated, split};
    use crate::fuzz::random::Random;

    #[test]
    fn splits_into_words() {
        assert_eq!(
            split("a_b + 1.5(c)"),
            ["a_b", " ", "+", " ", "1.5", "(", "c", ")"]
        );
    }

    #[test]
    fn is_the_same_for_a_seed() {
        let make = || mutated("sum by (job) (rate(load[5m]))", &mut Random::new(7));
        assert_eq!(make(), make());
    }
}
