//! Texts as parts of URLs.

use std::fmt::Write as _;

/// A text with every byte but letters, digits and `-_.~` as `%XX`: as a segment of a path or in a form.
///
/// Source: RFC 3986, section 2.3.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn only_plain_characters_stay() {
        let check = |text: &str, want: &str| assert_eq!(encoded(text), want);
        check("", "");
        check("aZ09-_.~", "aZ09-_.~");
        check("a b/c?d=%é", "a%20b%2Fc%3Fd%3D%25%C3%A9");
    }
}
