//! Exposition text as an import: samples may have times of their own, and a broken line costs no other.

use crate::exposition::{Entry, Format, NORMAL_NAN, Parser};
use crate::lines::Lines;
use model::{Labels, Sample, SeriesSamples, Timestamp};

/// Reads a body of either format. `extra`: labels that every series gets, which win; `now`: the time of lines without
/// one.
#[must_use]
pub fn decode(body: &[u8], format: Format, (extra, now): (&Labels, Timestamp)) -> Lines {
    let mut lines = Lines::default();
    let (mut rest, mut lines_before) = (body, 0);
    while !rest.is_empty() {
        let Some((line, message)) = read(rest, format, (extra, now), &mut lines) else {
            break;
        };
        lines.refuse(lines_before + line, message);
        // Goes on behind the line that is wrong.
        lines_before += line;
        rest = after_lines(rest, line);
    }
    lines
}

/// Reads up to the first error; answers its line.
fn read(
    body: &[u8],
    format: Format,
    (extra, now): (&Labels, Timestamp),
    lines: &mut Lines,
) -> Option<(usize, String)> {
    let mut parser = Parser::new(body, format);
    loop {
        let entry = match parser.next_entry() {
            Ok(None) => return None,
            Ok(Some(Entry::Series(entry))) => entry,
            Ok(Some(_)) => continue,
            // A body that was cut, or made by hand, may lack its end.
            Err(error) if error.message.contains("does not end with # EOF") => return None,
            Err(error) => return Some((error.line, error.message)),
        };
        let labels = match parser.labels() {
            Ok(labels) => labels.merged_with(extra),
            Err(error) => return Some((error.line, error.message)),
        };
        if labels.metric_name().is_empty() {
            return Some((parser.line(), "the metric's name is missing".to_owned()));
        }
        let value = if entry.value.is_nan() {
            NORMAL_NAN
        } else {
            entry.value
        };
        let exemplar = match parser.exemplar() {
            Ok(exemplar) => exemplar,
            Err(error) => return Some((error.line, error.message)),
        };
        lines.rows.push(SeriesSamples {
            labels,
            samples: vec![Sample::float(entry.timestamp.unwrap_or(now), value)],
            exemplars: exemplar.into_iter().collect(),
        });
    }
}

fn after_lines(body: &[u8], lines: usize) -> &[u8] {
    let mut ends = body
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at);
    let end = ends.nth(lines.saturating_sub(1));
    end.and_then(|end| body.get(end + 1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::exposition::Format;
    use expect_test::{Expect, expect};
    use model::{Labels, Timestamp, Value};
    use proptest::prelude::*;

    #[test]
    fn reads_what_it_can() {
        let check = |format, body: &str, want: Expect| {
            let extra = Labels::from_pairs([("job", "import")]);
            let lines = decode(body.as_bytes(), format, (&extra, Timestamp::from_millis(7)));
            let rows = lines.rows.iter().map(|row| {
                let sample = &row.samples[0];
                let Value::Float(value) = sample.value else {
                    panic!("no float");
                };
                let at = sample.timestamp.millis();
                format!("{} {value} @{at}\n", row.labels)
            });
            want.assert_eq(&(rows.collect::<String>() + &lines.complaint().unwrap_or_default()));
        };
        check(
            Format::Text,
            "# TYPE h histogram\nh_bucket{le=\"1\"} 2 1000\nbroken {\na{job=\"mine\"} 1\n\nb one\nc 3 2000",
            expect![[r#"
                {__name__="h_bucket", job="import", le="1.0"} 2 @1000
                {__name__="a", job="import"} 1 @7
                {__name__="c", job="import"} 3 @2000
                line 3: expected label name, got "\n" ("INVALID") while parsing: "broken {\n"
                line 6: strconv.ParseFloat: parsing "one": invalid syntax while parsing: "b one""#]],
        );
        check(
            Format::OpenMetrics,
            "# TYPE a counter\na_total 1 1.5\n# EOF\n",
            expect![[r#"
                {__name__="a_total", job="import"} 1 @1500
            "#]],
        );
    }

    proptest! {
        #[test]
        fn garbage_is_refused_in_peace(bytes: Vec<u8>, text in "[a-z{}=\"# 0-9\n]{0,80}") {
            let extra = Labels::default();
            for format in [Format::Text, Format::OpenMetrics] {
                let _unread = decode(&bytes, format, (&extra, Timestamp::MAX));
                let _unread = decode(text.as_bytes(), format, (&extra, Timestamp::MIN));
            }
        }
    }
}
