use super::{Options, Precision, decode};
use expect_test::{Expect, expect};
use model::{Timestamp, Value};
use proptest::prelude::*;
use std::fmt::Write as _;

fn options(precision: Precision, database: &str) -> Options<'_> {
    Options {
        precision,
        database,
        now: Timestamp::from_millis(7),
    }
}

fn shown(body: &str, options: Options<'_>) -> String {
    let lines = decode(body.as_bytes(), options);
    let mut out = String::new();
    for row in &lines.rows {
        let sample = &row.samples[0];
        let Value::Float(value) = sample.value else {
            panic!("no float");
        };
        let _unread = writeln!(out, "{} {value} @{}", row.labels, sample.timestamp.millis());
    }
    out + &lines.complaint().unwrap_or_default()
}

#[test]
fn maps_points_to_series() {
    let check = |body: &str, want: Expect| {
        want.assert_eq(&shown(body, options(Precision::Nanoseconds, "")));
    };
    check(
        "cpu,host=a usage=1.5,idle=2i,up=t,n=3u 1465839830100400200\n",
        expect![[r#"
            {__name__="cpu_usage", host="a"} 1.5 @1465839830100
            {__name__="cpu_idle", host="a"} 2 @1465839830100
            {__name__="cpu_up", host="a"} 1 @1465839830100
            {__name__="cpu_n", host="a"} 3 @1465839830100
        "#]],
    );
    check(
        "# a comment\n\nm value=1\r\n",
        expect![[r#"
            {__name__="m_value"} 1 @7
        "#]],
    );
    check(
        r#"my\ m\,x,a\=b=c\ d text="no, number = here \" x",size="12",v=1e3 1000000"#,
        expect![[r#"
            {__name__="my m,x_size", "a=b"="c d"} 12 @1
            {__name__="my m,x_v", "a=b"="c d"} 1000 @1
        "#]],
    );
}

#[test]
fn units_and_databases() {
    let check = |precision: &str, database: &str, want: Expect| {
        let precision = Precision::from_name(precision).expect("a unit");
        want.assert_eq(&shown("m,x=y v=1 120", options(precision, database)));
    };
    check(
        "s",
        "",
        expect![[r#"
        {__name__="m_v", x="y"} 1 @120000
    "#]],
    );
    check(
        "ms",
        "tele",
        expect![[r#"
        {__name__="m_v", db="tele", x="y"} 1 @120
    "#]],
    );
    check(
        "h",
        "",
        expect![[r#"
        {__name__="m_v", x="y"} 1 @432000000
    "#]],
    );
    assert_eq!(Precision::from_name("d"), None);
    let own = shown("m,db=mine v=1", options(Precision::Seconds, "theirs"));
    assert!(own.contains("db=\"mine\""), "{own}");
}

#[test]
fn bad_lines_cost_no_good_ones() {
    let body = "good v=1\nbad\nbad,x v=1\nbad v\nbad v=\nbad v=1x\nbad v=1 x\nbad v=\"open\nbad,a=1,a=2 v=1\nbad v=inf\nalso_good v=2";
    expect![[r#"
        {__name__="good_v"} 1 @7
        {__name__="also_good_v"} 2 @7
        line 2: unable to parse 'bad': missing fields
        line 3: unable to parse 'bad,x v=1': missing tag value
        line 4: unable to parse 'bad v': missing field value
        line 5: unable to parse 'bad v=': missing field value
        line 6: unable to parse 'bad v=1x': invalid number
        line 7: unable to parse 'bad v=1 x': bad timestamp
        line 8: unable to parse 'bad v="open': unbalanced quotes
        line 9: unable to parse 'bad,a=1,a=2 v=1': duplicate tag "a"
        line 10: unable to parse 'bad v=inf': invalid number"#]]
    .assert_eq(&shown(body, options(Precision::Nanoseconds, "")));
    let many = "bad\n".repeat(1_000);
    let lines = decode(many.as_bytes(), options(Precision::Seconds, ""));
    assert_eq!((lines.refused, lines.errors.len()), (1_000, 50));
}

proptest! {
    #[test]
    fn garbage_is_refused_in_peace(bytes: Vec<u8>, text in "[a-z,= \\\\\"0-9\n]{0,80}") {
        let _unread = decode(&bytes, options(Precision::Hours, "x"));
        let _unread = decode(text.as_bytes(), options(Precision::Hours, "x"));
    }

    #[test]
    fn what_is_escaped_comes_back(name in "[ a-z,=]{1,8}", value in "[ a-z,=]{1,8}", number: i64) {
        let escape = |text: &str| text.replace(',', "\\,").replace('=', "\\=").replace(' ', "\\ ");
        let line = format!("m,{}={} v={number}i 5", escape(&name), escape(&value));
        let lines = decode(line.as_bytes(), options(Precision::Milliseconds, ""));
        prop_assert_eq!(lines.refused, 0);
        prop_assert_eq!(lines.rows[0].labels.value(&name), value);
    }
}
