//! Texts cut to what a service takes, marked with an ellipsis where there is room for it.

const MARK: char = '…';

/// Cuts to so many characters.
pub(super) fn chars(text: String, max: usize) -> String {
    if text.len() <= max || text.chars().count() <= max {
        return text;
    }
    if max <= 3 {
        return text.chars().take(max).collect();
    }
    let mut cut: String = text.chars().take(max - 1).collect();
    cut.push(MARK);
    cut
}

/// Cuts to so many bytes, between characters.
pub(super) fn bytes(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    let Some(room) = max.checked_sub(MARK.len_utf8()) else {
        return ".".repeat(max);
    };
    let mut cut = prefix(text, room);
    cut.push(MARK);
    cut
}

/// The longest beginning that has so many bytes.
pub(super) fn prefix(mut text: String, bytes_max: usize) -> String {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::{bytes, chars, prefix};

    #[test]
    fn cuts() {
        let check = |cut: fn(String, usize) -> String, text: &str, max: usize, want: &str| {
            assert_eq!(cut(text.to_owned(), max), want, "{text} {max}");
        };
        check(chars, "äöüß", 4, "äöüß");
        check(chars, "äöüßa", 4, "äöü…");
        check(chars, "abcde", 3, "abc");
        check(bytes, "abcde", 5, "abcde");
        check(bytes, "abcdef", 5, "ab…");
        check(bytes, "äöü", 5, "ä…");
        check(bytes, "abcd", 3, "…");
        check(bytes, "abcd", 2, "..");
        check(prefix, "aä", 2, "a");
        check(prefix, "a", 9, "a");
    }
}
