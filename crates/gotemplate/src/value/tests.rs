//! Durations and times against Go's text forms.

use super::{Time, duration_text};

#[test]
fn durations_are_written_as_go_writes_them() {
    for (nanoseconds, expected) in [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (3_300_000_000, "3.3s"),
        (245_000_000_000, "4m5s"),
        (245_001_000_000, "4m5.001s"),
        (18_367_001_000_000, "5h6m7.001s"),
        (480_000_000_001, "8m0.000000001s"),
        (i64::MAX, "2562047h47m16.854775807s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ] {
        assert_eq!(duration_text(nanoseconds), expected);
    }
}

#[test]
fn times_read_what_they_write() {
    for layout in [
        "2006-01-02T15:04:05.999999999Z07:00",
        "Mon Jan _2 15:04:05 2006 -0700",
        "Monday, 02-Jan-06 3:04:05PM Z0700",
        "2006-002 15:04:05 -07:00:00",
    ] {
        for milliseconds in [0, 951_782_400_000, 1_709_211_845_000, 1_735_689_599_000] {
            let time = Time::from_milliseconds(milliseconds)
                .in_named_zone("+05:30")
                .unwrap();
            let text = time.format(layout);
            let read = Time::parse(layout, &text).unwrap();
            assert_eq!(read.timestamp(), time.timestamp(), "{layout}: {text}");
        }
    }
}

#[test]
fn zones_are_found_by_name() {
    let time = Time::from_milliseconds(1_720_000_000_000);
    for (zone, expected) in [
        ("UTC", "2024-07-03 09:46:40 +0000 UTC"),
        ("Europe/Berlin", "2024-07-03 11:46:40 +0200 CEST"),
        ("America/Sao_Paulo", "2024-07-03 06:46:40 -0300 -03"),
        ("-02:30", "2024-07-03 07:16:40 -0230 -0230"),
    ] {
        assert_eq!(time.in_named_zone(zone).unwrap().text(), expected);
    }
    assert_eq!(
        time.in_named_zone("Mars/Olympus").unwrap_err(),
        "unknown time zone Mars/Olympus"
    );
    assert_eq!(Time::zero().text(), "0001-01-01 00:00:00 +0000 UTC");
}
