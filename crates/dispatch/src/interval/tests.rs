use super::{Range, TimeInterval};
use jiff::tz::TimeZone;
use model::Timestamp;

fn moment(text: &str) -> Timestamp {
    let parsed: jiff::Timestamp = text.parse().expect(text);
    Timestamp::from_millis(parsed.as_millisecond())
}

fn any() -> TimeInterval {
    TimeInterval {
        minutes: None,
        weekdays: None,
        days_of_month: None,
        months: None,
        years: None,
        location: TimeZone::UTC,
    }
}

fn range(begin: i16, end: i16) -> Option<Vec<Range>> {
    Some(vec![Range { begin, end }])
}

fn check(interval: &TimeInterval, inside: &[&str], outside: &[&str]) {
    for text in inside {
        assert!(interval.contains(moment(text)), "{text} lies within");
    }
    for text in outside {
        assert!(!interval.contains(moment(text)), "{text} lies outside");
    }
}

#[test]
fn every_field_restricts() {
    check(&any(), &["2026-01-01T00:00:00Z"], &[]);
    let office = TimeInterval {
        minutes: range(9 * 60, 17 * 60),
        weekdays: range(1, 5),
        ..any()
    };
    check(
        &office,
        &["2026-11-20T09:00:00Z", "2026-11-20T16:59:59Z"],
        &[
            "2026-11-20T08:59:59Z",
            "2026-11-20T17:00:00Z",
            "2026-11-21T12:00:00Z",
        ],
    );
    let last_days = TimeInterval {
        days_of_month: range(-3, -1),
        ..any()
    };
    check(
        &last_days,
        &["2024-02-27T00:00:00Z", "2024-02-29T23:00:00Z"],
        &["2024-02-26T23:59:59Z"],
    );
    let thirty_first = TimeInterval {
        days_of_month: range(31, 31),
        ..any()
    };
    check(
        &thirty_first,
        &["2026-01-31T00:00:00Z"],
        &["2026-04-30T00:00:00Z"],
    );
    let summer = TimeInterval {
        months: range(6, 8),
        years: range(2026, 2027),
        ..any()
    };
    check(
        &summer,
        &["2027-08-31T23:59:59Z"],
        &["2028-06-01T00:00:00Z", "2026-09-01T00:00:00Z"],
    );
    check(
        &TimeInterval {
            weekdays: Some(Vec::new()),
            ..any()
        },
        &[],
        &["2026-01-01T00:00:00Z"],
    );
}

#[test]
fn follows_daylight_saving() {
    // Nine in Berlin is eight in UTC in winter and seven in summer.
    let nine = TimeInterval {
        minutes: range(9 * 60, 10 * 60),
        location: TimeZone::get("Europe/Berlin").expect("bundled"),
        ..any()
    };
    check(
        &nine,
        &[
            "2026-03-28T08:30:00Z",
            "2026-03-29T07:30:00Z",
            "2026-10-25T08:30:00Z",
        ],
        &[
            "2026-03-28T07:30:00Z",
            "2026-03-29T08:30:00Z",
            "2026-10-25T07:30:00Z",
        ],
    );
    // The hour from two to three does not exist on the last Sunday of March.
    let two = TimeInterval {
        minutes: range(2 * 60, 3 * 60),
        location: TimeZone::get("Europe/Berlin").expect("bundled"),
        ..any()
    };
    check(
        &two,
        &[
            "2026-03-28T01:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
        ],
        &["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"],
    );
}

#[test]
fn finds_the_next_minute_within() {
    let check = |interval: &TimeInterval, from: &str, want: Option<&str>| {
        assert_eq!(interval.next(moment(from)), want.map(moment), "{from}");
    };
    let berlin = || TimeZone::get("Europe/Berlin").expect("bundled");
    let nights = TimeInterval {
        minutes: range(2 * 60, 4 * 60),
        weekdays: range(6, 6),
        location: berlin(),
        ..any()
    };
    check(
        &nights,
        "2026-11-20T12:00:00Z",
        Some("2026-11-21T01:00:00Z"),
    );
    check(
        &nights,
        "2026-11-21T01:00:00.001Z",
        Some("2026-11-21T01:01:00Z"),
    );
    check(
        &nights,
        "2026-11-21T03:00:00Z",
        Some("2026-11-28T01:00:00Z"),
    );
    let months_end = TimeInterval {
        days_of_month: range(-1, -1),
        ..any()
    };
    check(
        &months_end,
        "2026-02-01T00:00:00Z",
        Some("2026-02-28T00:00:00Z"),
    );
    // The hour from two to three is not there on the last Sunday of March.
    let lost_hour = TimeInterval {
        minutes: range(2 * 60, 3 * 60),
        location: berlin(),
        ..any()
    };
    check(
        &lost_hour,
        "2026-03-29T00:00:00Z",
        Some("2026-03-30T00:00:00Z"),
    );
    let past = TimeInterval {
        years: range(2020, 2021),
        ..any()
    };
    check(&past, "2026-01-01T00:00:00Z", None);
    let never = TimeInterval {
        minutes: Some(Vec::new()),
        ..any()
    };
    check(&never, "2026-01-01T00:00:00Z", None);
}
