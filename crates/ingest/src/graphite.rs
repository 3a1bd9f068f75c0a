//! Graphite's plaintext protocol: `path.of.metric;tag=value 42 1465839830`.
//!
//! Mapping, as VictoriaMetrics maps it: the path is the metric's name, its dots are kept (such names are written in
//! quotes in queries: `{"servers.web1.load"}`); tags behind semicolons become labels. A missing time, or -1, is now.

use crate::lines::{Lines, numbered, shown, text};
use model::{Labels, METRIC_NAME, SeriesSamples, Timestamp};

/// Bytes of a line at most: what a listener reads before it gives up on a sender.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// Reads lines; `now` is the time of those that give none.
#[must_use]
pub fn decode(body: &[u8], now: Timestamp) -> Lines {
    let mut lines = Lines::default();
    for (number, line) in numbered(body) {
        if line.len() > LINE_BYTES_MAX {
            lines.refuse(number, format!("longer than {LINE_BYTES_MAX} bytes"));
            continue;
        }
        let row = text(line).and_then(|line| {
            sample(line, now).map_err(|message| format!("{}: {message}", shown(line)))
        });
        match row {
            Ok(row) => lines.rows.push(row),
            Err(message) => lines.refuse(number, message),
        }
    }
    lines
}

fn sample(line: &str, now: Timestamp) -> Result<SeriesSamples, String> {
    let mut words = line.split_ascii_whitespace();
    let path = words.next().ok_or("the path is missing")?;
    let value = words.next().ok_or("the value is missing")?;
    let time = words.next();
    if words.next().is_some() {
        return Err("more than path, value and time".to_owned());
    }
    let value: f64 = value
        .parse()
        .map_err(|_no_number| format!("the value {value:?} is no number"))?;
    let value = if value.is_nan() {
        crate::exposition::NORMAL_NAN
    } else {
        value
    };
    let at = match time {
        None => now,
        Some(time) => moment(time, now)?,
    };
    let mut parts = path.split(';');
    let name = parts.next().unwrap_or_default();
    if name.is_empty() {
        return Err("the path is empty".to_owned());
    }
    let mut pairs = vec![(METRIC_NAME, name)];
    for tag in parts {
        let (name, value) = tag
            .split_once('=')
            .ok_or_else(|| format!("the tag {tag:?} has no value"))?;
        if name.is_empty() || pairs.iter().any(|(known, _)| *known == name) {
            return Err(format!("the tag {tag:?} has no name of its own"));
        }
        pairs.push((name, value));
    }
    Ok(SeriesSamples::float(Labels::from_pairs(pairs), at, value))
}

/// Seconds, with a fraction or without; -1 is now.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || format!("the time {text:?} is no number of seconds");
    let seconds: f64 = text.parse().map_err(|_no_number| wrong())?;
    if !seconds.is_finite() {
        return Err(wrong());
    }
    if seconds < 0.0 {
        return Ok(now);
    }
    Ok(Timestamp::from_seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::decode;
    use expect_test::{Expect, expect};
    use model::{Timestamp, Value};
    use proptest::prelude::*;

    fn check(body: &str, want: &Expect) {
        let lines = decode(body.as_bytes(), Timestamp::from_millis(7));
        let shown = lines.rows.iter().map(|row| {
            let sample = &row.samples[0];
            let Value::Float(value) = sample.value else {
                panic!("no float");
            };
            format!("{} {value} @{}\n", row.labels, sample.timestamp.millis())
        });
        want.assert_eq(&(shown.collect::<String>() + &lines.complaint().unwrap_or_default()));
    }

    #[test]
    fn maps_lines_to_series() {
        check(
            "servers.web1.load 1.5 1465839830\nx;dc=a;rack=7\t2\t1465839830.25\r\nnow 3\nnow2 4 -1\n\n",
            &expect![[r#"
                {__name__="servers.web1.load"} 1.5 @1465839830000
                {__name__="x", dc="a", rack="7"} 2 @1465839830250
                {__name__="now"} 3 @7
                {__name__="now2"} 4 @7
            "#]],
        );
        check(
            "a\nb x\nc 1 x\nd 1 2 3\n;t=1 1\ne;t 1\nf;t=1;t=2 1\ngood 1",
            &expect![[r#"
                {__name__="good"} 1 @7
                line 1: 'a': the value is missing
                line 2: 'b x': the value "x" is no number
                line 3: 'c 1 x': the time "x" is no number of seconds
                line 4: 'd 1 2 3': more than path, value and time
                line 5: ';t=1 1': the path is empty
                line 6: 'e;t 1': the tag "t" has no value
                line 7: 'f;t=1;t=2 1': the tag "t=2" has no name of its own"#]],
        );
    }

    proptest! {
        #[test]
        fn garbage_is_refused_in_peace(bytes: Vec<u8>, text in "[a-z;= .0-9\n-]{0,80}") {
            let _unread = decode(&bytes, Timestamp::MAX);
            let _unread = decode(text.as_bytes(), Timestamp::MIN);
        }
    }
}
