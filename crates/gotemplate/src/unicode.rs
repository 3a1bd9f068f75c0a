//! Which characters Go takes for letters, digits and printable: by Unicode's general categories.

use std::sync::LazyLock;

use regex::Regex;

static PRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").ok());
static LETTER_OR_DIGIT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nd}]$").ok());

fn is_in(class: &LazyLock<Option<Regex>>, c: char) -> bool {
    class
        .as_ref()
        .is_some_and(|regex| regex.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Reports whether Go prints the character as itself in a quoted string.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        c == ' ' || c.is_ascii_graphic()
    } else {
        is_in(&PRINTABLE, c)
    }
}

/// Reports whether the character is a letter or a decimal digit.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        is_in(&LETTER_OR_DIGIT, c)
    }
}
