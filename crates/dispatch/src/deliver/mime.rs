//! The text of a mail: headers, one or two bodies, nothing else. RFC 5322, 2045 to 2047.

use std::fmt::Write as _;

/// Characters of an encoded word at most, RFC 2047 section 2.
const WORD_CHARS_MAX: usize = 75;
/// Characters of a line of quoted-printable text at most, RFC 2045 section 6.7.
const LINE_CHARS_MAX: usize = 76;
const WORD_OPEN: &str = "=?utf-8?q?";
const WORD_CLOSE: &str = "?=";

/// A mail before it is written out.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// Headers in their order; values are encoded where they need it.
    pub(super) headers: Vec<(String, String)>,
    /// The plain body, left out where it is empty.
    pub(super) text: String,
    /// The HTML body, left out where it is empty.
    pub(super) html: String,
    /// What separates the bodies: must not occur in them.
    pub(super) boundary: String,
}

impl Mail {
    /// Writes the mail with CRLF as line ends.
    pub(super) fn write(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.headers {
            // Writing to a String cannot fail.
            let _infallible = write!(out, "{name}: {}\r\n", encode_word(value));
        }
        let boundary = &self.boundary;
        let _infallible = write!(
            out,
            "Content-Type: multipart/alternative;  boundary={boundary}\r\nMIME-Version: 1.0\r\n\r\n"
        );
        // The alternative that is preferred stands last, RFC 2046 section 5.1.4.
        for (kind, body) in [("plain", &self.text), ("html", &self.html)] {
            if !body.is_empty() {
                let _infallible = write!(
                    out,
                    "--{boundary}\r\nContent-Transfer-Encoding: quoted-printable\r\n\
                     Content-Type: text/{kind}; charset=UTF-8\r\n\r\n{}\r\n",
                    quoted_printable(body)
                );
            }
        }
        let _infallible = write!(out, "--{boundary}--\r\n");
        out
    }
}

/// A header's value in printable ASCII: as it is, or as encoded words.
pub(super) fn encode_word(value: &str) -> String {
    let is_plain = |c: char| c == '\t' || (' '..='~').contains(&c);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    let content_max = WORD_CHARS_MAX - WORD_OPEN.len() - WORD_CLOSE.len();
    let mut out = String::from(WORD_OPEN);
    let mut used = 0;
    for c in value.chars() {
        let mut buffer = [0; 4];
        let encoded = match c {
            ' ' => "_".to_owned(),
            '=' | '?' | '_' => format!("={:02X}", u32::from(c)),
            '!'..='~' => c.to_string(),
            c => c
                .encode_utf8(&mut buffer)
                .bytes()
                .map(|byte| format!("={byte:02X}"))
                .collect(),
        };
        if used + encoded.len() > content_max {
            out.push_str(WORD_CLOSE);
            out.push(' ');
            out.push_str(WORD_OPEN);
            used = 0;
        }
        used += encoded.len();
        out.push_str(&encoded);
    }
    out.push_str(WORD_CLOSE);
    out
}

/// A text in quoted-printable: lines of at most 76 characters, ends as CRLF.
pub(super) fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push_str("\r\n");
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut used = 0;
        let last = line.len().saturating_sub(1);
        for (at, byte) in line.bytes().enumerate() {
            let at_end = at == last;
            let plain = match byte {
                b' ' | b'\t' => !at_end,
                b'=' => false,
                b'!'..=b'~' => true,
                _ => false,
            };
            let width = if plain { 1 } else { 3 };
            // One place is kept for the soft line break, unless the line ends here.
            let room = if at_end {
                LINE_CHARS_MAX
            } else {
                LINE_CHARS_MAX - 1
            };
            if used + width > room {
                out.push_str("=\r\n");
                used = 0;
            }
            used += width;
            if plain {
                out.push(char::from(byte));
            } else {
                let _infallible = write!(out, "={byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Mail, encode_word, quoted_printable};

    #[test]
    fn encodes_headers() {
        let check = |value: &str, expected: &str| assert_eq!(encode_word(value), expected);
        check("[FIRING:1] Down (a_b=c)", "[FIRING:1] Down (a_b=c)");
        check("Über uns", "=?utf-8?q?=C3=9Cber_uns?=");
        check("a\r\nBcc: x@y", "=?utf-8?q?a=0D=0ABcc:_x@y?=");
        check("é=?_", "=?utf-8?q?=C3=A9=3D=3F=5F?=");
        let long = encode_word(&"é".repeat(30));
        assert!(long.split(' ').all(|word| word.len() <= 75), "{long}");
    }

    #[test]
    fn encodes_bodies() {
        let check = |text: &str, expected: &str| assert_eq!(quoted_printable(text), expected);
        check("a = b\nc\r\n", "a =3D b\r\nc\r\n");
        check("space \ntab\t", "space=20\r\ntab=09");
        check("ü", "=C3=BC");
        let long = quoted_printable(&"x".repeat(200));
        let lengths: Vec<usize> = long.split("\r\n").map(str::len).collect();
        assert_eq!(lengths, [76, 76, 50]);
        assert_eq!(long.replace("=\r\n", ""), "x".repeat(200));
    }

    #[test]
    fn writes_both_alternatives() {
        let mail = Mail {
            headers: vec![("To".to_owned(), "a@b".to_owned())],
            text: "t".to_owned(),
            html: "<p>".to_owned(),
            boundary: "B".to_owned(),
        };
        let part = |kind: &str, body: &str| {
            format!(
                "--B\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/{kind}; charset=UTF-8\r\n\r\n{body}\r\n"
            )
        };
        let expected = format!(
            "To: a@b\r\nContent-Type: multipart/alternative;  boundary=B\r\nMIME-Version: 1.0\r\n\r\n{}{}--B--\r\n",
            part("plain", "t"),
            part("html", "<p>")
        );
        assert_eq!(mail.write(), expected);
    }
}
