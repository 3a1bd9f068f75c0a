use super::{PostedAlert, merge};
use model::{Alert, Labels, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn posted(labels: &[(&str, &str)], starts: Option<i64>, ends: Option<i64>) -> PostedAlert {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    PostedAlert {
        labels: labels.iter().map(own).collect(),
        starts_at: starts.map(|ms| NOW.plus_millis(ms)),
        ends_at: ends.map(|ms| NOW.plus_millis(ms)),
        ..PostedAlert::default()
    }
}

#[test]
fn fills_in_what_is_missing() {
    let check = |starts, ends, expected: (i64, i64, bool)| {
        let alert = posted(&[("a", "b")], starts, ends).complete(NOW, 300);
        let alert = alert.expect("valid");
        let since = |moment: Timestamp| moment.millis_since(NOW);
        let found = (
            since(alert.starts_at),
            since(alert.ends_at),
            alert.ends_by_timeout,
        );
        assert_eq!(found, expected);
    };
    check(None, None, (0, 300, true));
    check(None, Some(-5), (-5, -5, false));
    check(Some(-9), None, (-9, 300, true));
    check(Some(-9), Some(9), (-9, 9, false));
}

#[test]
fn refuses_with_upstreams_words() {
    let check = |alert: PostedAlert, expected: &str| {
        assert_eq!(alert.complete(NOW, 300), Err(expected.to_owned()));
    };
    check(posted(&[], None, None), "at least one label pair required");
    check(
        posted(&[("a", "")], None, None),
        "at least one label pair required",
    );
    check(
        posted(&[("a", "b"), ("", "c")], None, None),
        "invalid label set: invalid name \"\"",
    );
    check(
        posted(&[("a", "b")], Some(5), Some(4)),
        "start time must be before end time",
    );
    let long = "x".repeat(300 << 10);
    let alert = posted(&[("a", long.as_str())], None, None).complete(NOW, 300);
    assert!(alert.is_err_and(|message| message.contains("more than 262144")));
}

fn alert(starts: i64, ends: i64, by_timeout: bool) -> Alert {
    Alert {
        labels: Labels::from_pairs([("a", "b")]),
        annotations: Labels::default(),
        starts_at: NOW.plus_millis(starts),
        ends_at: NOW.plus_millis(ends),
        updated_at: NOW,
        ends_by_timeout: by_timeout,
        generator_url: String::new(),
    }
}

#[test]
fn overlapping_reports_are_one_alert() {
    let check = |known: Alert, new: Alert, expected: (i64, i64)| {
        let merged = merge(&known, new, NOW);
        let since = |moment: Timestamp| moment.millis_since(NOW);
        assert_eq!((since(merged.starts_at), since(merged.ends_at)), expected);
    };
    // The earlier beginning stays.
    check(alert(-100, 100, true), alert(-50, 200, true), (-100, 200));
    // An end that was named counts more than a time-out.
    check(alert(-100, 300, false), alert(-50, 200, true), (-100, 300));
    check(alert(-100, 300, true), alert(-50, 200, true), (-100, 200));
    // Ended now.
    check(alert(-100, 300, true), alert(-50, 0, false), (-100, 0));
    // Something new after the old one was over.
    check(alert(-100, -50, false), alert(-10, 200, true), (-10, 200));
}
