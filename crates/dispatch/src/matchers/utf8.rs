//! The UTF-8 grammar: names and values are double-quoted text with Go's escapes, or bare text without
//! characters of the syntax.

use super::is_reserved;
use model::{MatchOperator, Matcher};

/// Reads zero or more matchers. Messages begin with the columns (in characters) of the culprit.
pub(super) fn matchers(input: &str) -> Result<Vec<Matcher>, String> {
    let mut reader = Reader {
        rest: input,
        column: 0,
    };
    let mut list = Vec::new();
    reader.skip_space();
    let braces = reader.take("{");
    loop {
        reader.skip_space();
        if reader.rest.is_empty() || reader.rest.starts_with('}') {
            break;
        }
        list.push(reader.matcher()?);
        reader.skip_space();
        if !reader.take(",") {
            break;
        }
    }
    reader.skip_space();
    match (braces, reader.take("}")) {
        (true, false) if reader.rest.is_empty() => {
            return Err(format!(
                "0:{}: end of input: expected close brace",
                reader.column
            ));
        }
        (true, false) | (false, false) if !reader.rest.is_empty() => {
            return Err(reader.unexpected("expected a comma or close brace"));
        }
        (false, true) => {
            return Err(format!("0:{}: }}: expected opening brace", reader.column));
        }
        _ => {}
    }
    reader.skip_space();
    if reader.rest.is_empty() {
        Ok(list)
    } else {
        Err(reader.unexpected("expected end of input"))
    }
}

struct Reader<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Reader<'a> {
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.column += taken.chars().count();
        self.rest = rest;
        taken
    }

    fn skip_space(&mut self) {
        let trimmed = self.rest.trim_start();
        self.advance(self.rest.len() - trimmed.len());
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest.starts_with(token);
        if found {
            self.advance(token.len());
        }
        found
    }

    fn unexpected(&self, expected: &str) -> String {
        let Some(c) = self.rest.chars().next() else {
            return format!("end of input: {expected}");
        };
        format!(
            "{}:{}: unexpected {c}: {expected}",
            self.column,
            self.column + 1
        )
    }

    fn matcher(&mut self) -> Result<Matcher, String> {
        let name = self.text("expected label name")?;
        self.skip_space();
        let operators = [
            ("=~", MatchOperator::Regex),
            ("!=", MatchOperator::NotEqual),
            ("!~", MatchOperator::NotRegex),
            ("=", MatchOperator::Equal),
        ];
        let operator = operators
            .iter()
            .find(|(symbol, _)| self.take(symbol))
            .map(|(_, operator)| *operator);
        let Some(operator) = operator else {
            let expected = "expected an operator such as '=', '!=', '=~' or '!~'";
            return Err(self.unexpected(expected));
        };
        self.skip_space();
        let value = self.text("expected label value")?;
        Matcher::new(name, operator, value)
            .map_err(|error| format!("failed to create matcher: {error}"))
    }

    /// A quoted or bare text.
    fn text(&mut self, expected: &str) -> Result<String, String> {
        let start = self.column;
        if self.rest.starts_with('"') {
            let token = self.quoted_token()?;
            return unquote(token)
                .ok_or_else(|| format!("{start}:{}: {token}: invalid input", self.column));
        }
        let end = self.rest.find(is_reserved).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.unexpected(expected));
        }
        Ok(self.advance(end).to_owned())
    }

    fn quoted_token(&mut self) -> Result<&'a str, String> {
        let start = self.column;
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Ok(self.advance(at + 1)),
                _ => {}
            }
        }
        let rest = self.advance(self.rest.len());
        Err(format!("{start}:{}: {rest}: missing end \"", self.column))
    }
}

/// What Go's `strconv.Unquote` makes of a double-quoted text; `None` where it refuses it.
fn unquote(token: &str) -> Option<String> {
    let inner = token.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let mut buffer = [0; 4];
        match c {
            '\n' => return None,
            '\\' => unescape(&mut chars, &mut bytes)?,
            c => bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    String::from_utf8(bytes).ok()
}

fn unescape(chars: &mut std::str::Chars<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    let escape = chars.next()?;
    let plain = match escape {
        'a' => Some(7),
        'b' => Some(8),
        'f' => Some(12),
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        'v' => Some(11),
        '\\' => Some(b'\\'),
        '"' => Some(b'"'),
        _ => None,
    };
    if let Some(byte) = plain {
        bytes.push(byte);
        return Some(());
    }
    let mut digits = |count: usize, radix: u32, first: u32| {
        (0..count).try_fold(first, |value, _| {
            value
                .checked_mul(radix)?
                .checked_add(chars.next()?.to_digit(radix)?)
        })
    };
    let unicode = match escape {
        'x' => {
            bytes.push(u8::try_from(digits(2, 16, 0)?).ok()?);
            return Some(());
        }
        '0'..='7' => {
            let value = digits(2, 8, escape.to_digit(8)?)?;
            bytes.push(u8::try_from(value).ok()?);
            return Some(());
        }
        'u' => digits(4, 16, 0)?,
        'U' => digits(8, 16, 0)?,
        _ => return None,
    };
    let mut buffer = [0; 4];
    let c = char::from_u32(unicode)?;
    bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    Some(())
}
