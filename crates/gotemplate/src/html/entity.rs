//! Character references in attribute values, as far as they can matter for the context.
//!
//! Only what could begin or end a string, comment or URL part needs to be known; other names stay as written.

const NAMED: [(&str, char); 22] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("num", '#'),
    ("quest", '?'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lbrack", '['),
    ("rbrack", ']'),
    ("lbrace", '{'),
    ("rbrace", '}'),
    ("grave", '`'),
    ("ast", '*'),
    ("equals", '='),
    ("semi", ';'),
    ("NewLine", '\n'),
    ("Tab", '\t'),
];

/// Replaces character references.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match reference(after) {
            Some((c, length)) => {
                out.push(c);
                rest = after.get(length..).unwrap_or("");
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

/// The character that the text after `&` refers to, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    if let Some(number) = text.strip_prefix('#') {
        let (base, digits) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (16, digits),
            None => (10, number),
        };
        let count = digits.chars().take_while(|c| c.is_digit(base)).count();
        let code = u32::from_str_radix(digits.get(..count)?, base).ok()?;
        let prefix = text.len() - digits.len();
        let semicolon = usize::from(digits.get(count..)?.starts_with(';'));
        return Some((
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            prefix + count + semicolon,
        ));
    }
    for (name, c) in NAMED {
        let Some(after) = text.strip_prefix(name) else {
            continue;
        };
        if after.starts_with(';') {
            return Some((c, name.len() + 1));
        }
        if matches!(name, "amp" | "lt" | "gt" | "quot" | "nbsp") {
            return Some((c, name.len()));
        }
    }
    None
}
