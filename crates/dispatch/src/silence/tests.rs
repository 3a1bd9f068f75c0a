use super::{Silence, SilenceError, SilenceState, Silences};
use model::{Labels, Matcher, Timestamp};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn silence(starts_in: i64, ends_in: i64) -> Silence {
    Silence {
        id: String::new(),
        matchers: vec![Matcher::equal("a", "b")],
        starts_at: NOW.plus_millis(starts_in),
        ends_at: NOW.plus_millis(ends_in),
        updated_at: NOW,
        created_by: "me".to_owned(),
        comment: "why".to_owned(),
        annotations: BTreeMap::new(),
    }
}

#[test]
fn refuses_with_upstreams_words() {
    let check = |silence: Silence, expected: &str| {
        let mut silences = Silences::default();
        let refused = silences.set(silence, "new".to_owned(), NOW);
        assert_eq!(refused, Err(SilenceError::Invalid(expected.to_owned())));
    };
    check(
        silence(10, 10),
        "Failed to create silence: start time must be before end time",
    );
    check(
        silence(-20, -10),
        "Failed to create silence: end time can't be in the past",
    );
    let matchers = vec![Matcher::equal("a", "")];
    check(
        Silence {
            matchers,
            ..silence(0, 10)
        },
        "invalid silence: matcher set 0: at least one matcher must not match the empty string",
    );
    let matchers = vec![Matcher::equal("", "x")];
    check(
        Silence {
            matchers,
            ..silence(0, 10)
        },
        "invalid silence: invalid label matcher 0 in set 0: invalid label name \"\"",
    );
    check(
        Silence {
            matchers: Vec::new(),
            ..silence(0, 10)
        },
        "invalid silence: matcher set 0 is empty",
    );
    let unknown = Silence {
        id: "x".to_owned(),
        ..silence(0, 10)
    };
    let refused = Silences::default().set(unknown, "new".to_owned(), NOW);
    assert_eq!(refused, Err(SilenceError::NotFound));
}

#[test]
fn lives_from_pending_to_expired() {
    let silence = silence(10, 20);
    let states = [0, 10, 20, 21].map(|after| silence.state(NOW.plus_millis(after)));
    assert_eq!(
        states,
        [
            SilenceState::Pending,
            SilenceState::Active,
            SilenceState::Active,
            SilenceState::Expired
        ]
    );
    let labels = Labels::from_pairs([("a", "b")]);
    assert!(!silence.mutes(&labels, NOW));
    assert!(silence.mutes(&labels, NOW.plus_millis(10)));
}

#[test]
fn changes_in_place_or_makes_a_new_one() {
    let mut silences = Silences::default();
    let (id, _) = silences
        .set(silence(0, 5000), "one".to_owned(), NOW)
        .expect("new");
    assert_eq!(id, "one");
    // A later end is the same silence.
    let longer = Silence {
        id: id.clone(),
        ..silence(0, 9000)
    };
    let (same, changed) = silences.set(longer, "two".to_owned(), NOW).expect("longer");
    assert_eq!((same.as_str(), changed.len()), ("one", 1));
    // Other matchers are another silence; the old one ends.
    let matchers = vec![Matcher::equal("a", "c")];
    let other = Silence {
        id,
        matchers,
        ..silence(0, 9000)
    };
    let (new, changed) = silences.set(other, "two".to_owned(), NOW).expect("other");
    assert_eq!((new.as_str(), changed.len()), ("two", 2));
    let state = |id: &str| silences.get(id).map(|silence| silence.state(NOW));
    assert_eq!(state("one"), Some(SilenceState::Expired));
    assert_eq!(state("two"), Some(SilenceState::Active));
}

#[test]
fn expires_once_and_is_forgotten_later() {
    let mut silences = Silences::default();
    silences
        .set(silence(0, 5000), "one".to_owned(), NOW)
        .expect("new");
    assert!(matches!(silences.expire("one", NOW), Ok(Some(_))));
    assert_eq!(silences.expire("one", NOW), Ok(None));
    assert_eq!(silences.expire("none", NOW), Err(SilenceError::NotFound));
    assert!(
        silences
            .muting(&Labels::from_pairs([("a", "b")]), NOW)
            .is_empty()
    );
    assert!(
        silences
            .forget_old(NOW.plus_millis(119 * 3_600_000))
            .is_empty()
    );
    assert_eq!(
        silences.forget_old(NOW.plus_millis(121 * 3_600_000)),
        ["one"]
    );
}
