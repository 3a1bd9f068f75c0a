//! How much a name resembles what was typed: from 0 for not at all to 1 for the same.
//!
//! Two measures: whether the typed letters follow each other in the name (subsequence), and Jaro and
//! Winkler's similarity, which forgives letters that are swapped or missing.

/// How likeness is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// The letters must follow each other in the name; runs count more than scattered letters.
    Subsequence,
    /// Jaro–Winkler, or the term as a part of the name.
    JaroWinkler,
}

/// What was typed.
#[derive(Clone, Debug)]
pub(super) struct Searched {
    /// A name needs to resemble one of these; none: every name does.
    pub(super) terms: Vec<String>,
    pub(super) algorithm: Algorithm,
    /// Names below this likeness are left out.
    pub(super) threshold: f64,
    pub(super) case_sensitive: bool,
}

impl Searched {
    /// The best likeness to any term; `None` where it resembles none.
    pub(super) fn score(&self, name: &str) -> Option<f64> {
        if self.terms.is_empty() {
            return Some(1.0);
        }
        let scores = self.terms.iter().filter_map(|term| {
            if self.case_sensitive {
                self.score_of(term, name)
            } else {
                self.score_of(&term.to_lowercase(), &name.to_lowercase())
            }
        });
        scores.reduce(f64::max)
    }

    fn score_of(&self, term: &str, name: &str) -> Option<f64> {
        if name.starts_with(term) {
            return Some(1.0);
        }
        match self.algorithm {
            Algorithm::Subsequence => {
                let score = subsequence(term, name);
                (score > 0.0 && score >= self.threshold).then_some(score)
            }
            Algorithm::JaroWinkler if name.contains(term) => Some(0.9),
            Algorithm::JaroWinkler => {
                let score = jaro_winkler(term, name);
                (self.threshold > 0.0 && score >= self.threshold).then_some(score)
            }
        }
    }
}

fn float(count: usize) -> f64 {
    model::number::usize_to_float(count)
}

/// The squares of the runs of matched letters, less a little for each gap, over the square of the term's length; the
/// best over all places where the match may begin.
fn subsequence(term: &str, name: &str) -> f64 {
    let term: Vec<char> = term.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let Some(first) = term.first() else {
        return 1.0;
    };
    let starts = name
        .iter()
        .enumerate()
        .filter(|(_, letter)| *letter == first);
    let raw = starts
        .map_while(|(start, _)| runs(&term, &name, start))
        .fold(0.0, f64::max);
    (raw / (float(term.len()) * float(term.len()))).clamp(0.0, 1.0)
}

/// `None` where the term does not fit into what comes from `start` on; then it fits nowhere later either.
fn runs(term: &[char], name: &[char], start: usize) -> Option<f64> {
    let length = float(name.len());
    let mut score = -float(start) / length;
    let mut at = start;
    let mut run = 0;
    for letter in term {
        let gap = name.get(at..)?.iter().position(|other| other == letter)?;
        if gap > 0 {
            score += float(run) * float(run) - float(gap) / length;
            run = 0;
        }
        run += 1;
        at += gap + 1;
    }
    score += float(run) * float(run);
    Some(score - float(name.len() - at) / (2.0 * length))
}

/// Jaro's similarity, raised for a common beginning of up to four letters. Winkler, 1990.
fn jaro_winkler(a: &str, b: &str) -> f64 {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let similarity = jaro(&a, &b);
    let common = a.iter().zip(&b).take(4).take_while(|(a, b)| a == b).count();
    similarity + float(common) * 0.1 * (1.0 - similarity)
}

fn jaro(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return f64::from(u8::from(a.is_empty() && b.is_empty()));
    }
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut matched_a = Vec::new();
    for (index, letter) in a.iter().enumerate() {
        let near = index.saturating_sub(reach)..(index + reach + 1).min(b.len());
        let place = near
            .into_iter()
            .find(|place| b.get(*place) == Some(letter) && taken.get(*place) == Some(&false));
        if let Some(slot) = place.and_then(|place| taken.get_mut(place)) {
            *slot = true;
            matched_a.push(letter);
        }
    }
    if matched_a.is_empty() {
        return 0.0;
    }
    let matched_b = b.iter().zip(&taken).filter(|(_, taken)| **taken);
    let swapped = matched_a
        .iter()
        .zip(matched_b)
        .filter(|(a, (b, _))| **a != *b)
        .count();
    let matches = float(matched_a.len());
    (matches / float(a.len())
        + matches / float(b.len())
        + (matches - float(swapped) / 2.0) / matches)
        / 3.0
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Searched, jaro_winkler, subsequence};

    fn searched(term: &str, algorithm: Algorithm, threshold: f64) -> Searched {
        Searched {
            terms: vec![term.to_owned()],
            algorithm,
            threshold,
            case_sensitive: false,
        }
    }

    #[test]
    fn finds_letters_in_order() {
        let score = |term, name| searched(term, Algorithm::Subsequence, 0.0).score(name);
        assert_eq!(score("Node", "node_load1"), Some(1.0));
        assert!(score("ndld", "node_load1").is_some());
        assert_eq!(score("dn", "node_load1"), None);
        assert_eq!(score("x", ""), None);
        // A run counts more than the same letters scattered.
        assert!(subsequence("load", "node_load1") > subsequence("load", "l_o_a_d"));
        // The best place counts, not the first.
        assert!(subsequence("load", "l_node_load1") > 0.9);
        let none = Searched {
            terms: Vec::new(),
            ..searched("", Algorithm::Subsequence, 0.5)
        };
        assert_eq!(none.score("anything"), Some(1.0));
    }

    #[test]
    fn measures_similarity() {
        let check = |a, b, want: f64| {
            let found = jaro_winkler(a, b);
            assert!((found - want).abs() < 0.001, "{a} {b}: {found}");
        };
        // The examples of the paper.
        check("martha", "marhta", 0.961);
        check("dwayne", "duane", 0.84);
        check("dixon", "dicksonx", 0.813);
        check("abc", "xyz", 0.0);
        let score = |term, name| searched(term, Algorithm::JaroWinkler, 0.8).score(name);
        assert_eq!(score("load", "node_load1"), Some(0.9));
        assert!(score("nod_load", "node_load").is_some());
        assert_eq!(score("zzz", "node_load"), None);
    }
}
