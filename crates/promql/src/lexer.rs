//! Splits a query into words.
//!
//! Three places have rules of their own: inside braces every word is a plain name; inside brackets
//! only durations and their arithmetic stand; strings know Go's escapes. The first text that is no word
//! ends the list with an error token, so that a mistake of grammar before it is reported first.

use crate::ast::{BinaryOperator, Span};
use crate::token::{Keyword, Token, TokenKind};

/// Splits a text into words. The last is `End` or `Error`.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        position: 0,
        start: 0,
        paren_depth: 0,
        place: Place::Outside,
    };
    let mut tokens = Vec::new();
    loop {
        let kind = match lexer.next_kind() {
            Ok(kind) => kind,
            Err(message) => TokenKind::Error(message),
        };
        let is_last = matches!(kind, TokenKind::End | TokenKind::Error(_));
        tokens.push(Token {
            kind,
            span: Span {
                start: lexer.start,
                end: lexer.position,
            },
        });
        if is_last {
            return tokens;
        }
    }
}

/// Where the lexer stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Braces,
    Brackets {
        seen_duration: bool,
        seen_colon: bool,
    },
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    start: usize,
    paren_depth: usize,
    place: Place,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.position..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, accepts: impl Fn(char) -> bool) -> bool {
        let accepted = self.peek().is_some_and(accepts);
        if accepted {
            self.next();
        }
        accepted
    }

    fn accept_run(&mut self, accepts: impl Fn(char) -> bool) {
        while self.accept(&accepts) {}
    }

    fn word(&self) -> &str {
        self.text.get(self.start..self.position).unwrap_or_default()
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            self.accept_run(is_space);
            let is_duration = matches!(
                self.place,
                Place::Brackets {
                    seen_duration: false,
                    ..
                }
            );
            if self.peek() != Some('#') || is_duration {
                return;
            }
            self.accept_run(|c| c != '\n' && c != '\r');
        }
    }

    fn next_kind(&mut self) -> Result<TokenKind, String> {
        self.skip_blanks_and_comments();
        self.start = self.position;
        match self.place {
            Place::Outside => self.outside(),
            Place::Braces => self.inside_braces(),
            Place::Brackets { .. } => self.inside_brackets(),
        }
    }

    fn outside(&mut self) -> Result<TokenKind, String> {
        let Some(c) = self.next() else {
            if self.paren_depth > 0 {
                return Err("unclosed left parenthesis".to_owned());
            }
            return Ok(TokenKind::End);
        };
        match c {
            '=' if self.peek() == Some('~') => {
                Err("unexpected character after '=': '~'".to_owned())
            }
            '!' if self.peek() != Some('=') => {
                let after = self.next();
                Err(format!("unexpected character after '!': {}", quoted(after)))
            }
            '=' | '!' | '<' | '>' => Ok(self.comparison(c)),
            '@' => Ok(TokenKind::At),
            '{' => {
                self.place = Place::Braces;
                Ok(TokenKind::LeftBrace)
            }
            '[' => {
                self.place = Place::Brackets {
                    seen_duration: false,
                    seen_colon: false,
                };
                Ok(TokenKind::LeftBracket)
            }
            ']' => Err("unexpected right bracket ']'".to_owned()),
            '"' | '\'' | '`' => self.string(c),
            c if is_alpha(c) || c == ':' => Ok(self.name()),
            c if c.is_ascii_digit() || self.starts_fraction(c) => self.number_or_duration(c),
            c => self
                .arithmetic_or_paren(c)?
                .ok_or_else(|| format!("unexpected character: {}", quoted(Some(c)))),
        }
    }

    /// The words that queries and durations share.
    fn arithmetic_or_paren(&mut self, c: char) -> Result<Option<TokenKind>, String> {
        Ok(Some(match c {
            ',' => TokenKind::Comma,
            '*' => TokenKind::Binary(BinaryOperator::Multiply),
            '/' => TokenKind::Binary(BinaryOperator::Divide),
            '%' => TokenKind::Binary(BinaryOperator::Modulo),
            '+' => TokenKind::Binary(BinaryOperator::Add),
            '-' => TokenKind::Binary(BinaryOperator::Subtract),
            '^' => TokenKind::Binary(BinaryOperator::Power),
            '(' => {
                self.paren_depth += 1;
                TokenKind::LeftParen
            }
            ')' => {
                let Some(depth) = self.paren_depth.checked_sub(1) else {
                    // Upstream points behind it.
                    self.start = self.position;
                    return Err("unexpected right parenthesis ')'".to_owned());
                };
                self.paren_depth = depth;
                TokenKind::RightParen
            }
            _ => return Ok(None),
        }))
    }

    fn comparison(&mut self, c: char) -> TokenKind {
        let second = self.peek();
        let (operator, length) = match (c, second) {
            ('=', Some('=')) => (BinaryOperator::Equal, 1),
            ('=', _) => return TokenKind::Equal,
            ('!', _) => (BinaryOperator::NotEqual, 1),
            ('<', Some('=')) => (BinaryOperator::LessOrEqual, 1),
            ('<', Some('/')) => (BinaryOperator::TrimUpper, 1),
            ('<', _) => (BinaryOperator::Less, 0),
            (_, Some('=')) => (BinaryOperator::GreaterOrEqual, 1),
            (_, Some('/')) => (BinaryOperator::TrimLower, 1),
            _ => (BinaryOperator::Greater, 0),
        };
        self.position += length;
        TokenKind::Binary(operator)
    }

    fn inside_braces(&mut self) -> Result<TokenKind, String> {
        let Some(c) = self.next() else {
            return Err("unexpected end of input inside braces".to_owned());
        };
        match c {
            ',' => Ok(TokenKind::Comma),
            '"' | '\'' | '`' => self.string(c),
            '=' if self.accept(|c| c == '~') => Ok(TokenKind::EqualRegex),
            '=' => Ok(TokenKind::Equal),
            '!' if self.accept(|c| c == '~') => Ok(TokenKind::NotRegex),
            '!' if self.accept(|c| c == '=') => Ok(TokenKind::Binary(BinaryOperator::NotEqual)),
            '!' => {
                let after = self.next();
                Err(format!(
                    "unexpected character after '!' inside braces: {}",
                    quoted(after)
                ))
            }
            '{' => Err("unexpected left brace '{'".to_owned()),
            '}' => {
                self.place = Place::Outside;
                Ok(TokenKind::RightBrace)
            }
            c if is_alpha(c) => {
                self.accept_run(is_alphanumeric);
                Ok(TokenKind::Identifier)
            }
            c => Err(format!(
                "unexpected character inside braces: {}",
                quoted(Some(c))
            )),
        }
    }

    fn inside_brackets(&mut self) -> Result<TokenKind, String> {
        let Place::Brackets {
            seen_duration,
            seen_colon,
        } = self.place
        else {
            return Ok(TokenKind::End);
        };
        let Some(c) = self.next() else {
            return Err(match (seen_duration, self.paren_depth) {
                (false, _) => "unexpected end of input in duration expression",
                (true, 0) => "unclosed left bracket",
                (true, _) => "unclosed left parenthesis",
            }
            .to_owned());
        };
        match c {
            ']' => {
                self.place = Place::Outside;
                Ok(TokenKind::RightBracket)
            }
            ':' if !seen_duration => {
                Err("unexpected colon before duration in duration expression".to_owned())
            }
            ':' if seen_colon => Err("unexpected colon ':'".to_owned()),
            ':' => {
                self.place = Place::Brackets {
                    seen_duration,
                    seen_colon: true,
                };
                Ok(TokenKind::Colon)
            }
            '[' if seen_duration => Err("unexpected left bracket '['".to_owned()),
            c if c.is_ascii_digit() || self.starts_fraction(c) => {
                self.place = Place::Brackets {
                    seen_duration: true,
                    seen_colon,
                };
                self.number_or_duration(c)
            }
            c if is_alpha(c) => {
                self.accept_run(is_alphanumeric);
                self.duration_word(c, seen_duration)
            }
            // Behind the first duration upstream's lexer reads any word and leaves it to the parser.
            c if seen_duration => {
                self.position -= c.len_utf8();
                self.outside()
            }
            c => self
                .arithmetic_or_paren(c)?
                .ok_or_else(|| unexpected_in_duration(c, seen_duration)),
        }
    }

    /// `step`, `range`, `min`, `max`, `min_of`, `max_of`: the words of computed durations.
    fn duration_word(&mut self, first: char, seen_duration: bool) -> Result<TokenKind, String> {
        let word = self.word().to_ascii_lowercase();
        if !matches!(
            word.as_str(),
            "step" | "range" | "min" | "max" | "min_of" | "max_of"
        ) {
            return Err(unexpected_in_duration(first, seen_duration));
        }
        if let Place::Brackets { seen_colon, .. } = self.place {
            self.place = Place::Brackets {
                seen_duration: true,
                seen_colon,
            };
        }
        Ok(TokenKind::of_word(&word).unwrap_or(TokenKind::Identifier))
    }

    fn name(&mut self) -> TokenKind {
        self.accept_run(|c| is_alphanumeric(c) || c == ':');
        let word = self.word();
        match TokenKind::of_word(word) {
            // These came late; where no parenthesis follows they are names, as they were before.
            Some(TokenKind::Keyword(Keyword::Fill | Keyword::FillLeft | Keyword::FillRight))
                if !self.is_followed_by_paren() =>
            {
                TokenKind::Identifier
            }
            Some(kind) => kind,
            None if word.contains(':') => TokenKind::MetricIdentifier,
            None => TokenKind::Identifier,
        }
    }

    fn is_followed_by_paren(&self) -> bool {
        self.text
            .get(self.position..)
            .unwrap_or_default()
            .trim_start_matches(is_space)
            .starts_with('(')
    }

    fn starts_fraction(&self, c: char) -> bool {
        c == '.' && self.peek().is_some_and(|next| next.is_ascii_digit())
    }

    /// A number (decimal, hexadecimal, with underscores between digits) or a duration.
    fn number_or_duration(&mut self, first: char) -> Result<TokenKind, String> {
        self.position -= first.len_utf8();
        if self.scan_number() {
            return Ok(TokenKind::Number);
        }
        if self.scan_rest_of_duration() {
            return Ok(TokenKind::Duration);
        }
        Err(format!(
            "bad number or duration syntax: {}",
            model::labels::Quoted(self.word())
        ))
    }

    fn scan_number(&mut self) -> bool {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let is_hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
        if is_hexadecimal {
            self.position += 2;
            self.accept(|c| c == '_');
            self.accept_run(|c| c.is_ascii_hexdigit() || c == '_');
        } else if !self.scan_decimal() {
            return false;
        }
        !self.peek().is_some_and(is_alphanumeric)
    }

    /// Digits, one dot, one exponent; false where a sign of these stands at a wrong place.
    fn scan_decimal(&mut self) -> bool {
        let (mut seen_dot, mut seen_exponent) = (false, false);
        loop {
            self.accept_run(|c| c.is_ascii_digit());
            if self.accept(|c| c == '.') {
                if seen_dot || self.accept(|c| matches!(c, '_' | '.')) {
                    return false;
                }
                seen_dot = true;
            } else if self.accept(|c| matches!(c, 'e' | 'E')) {
                if seen_exponent {
                    return false;
                }
                seen_exponent = true;
                self.accept(|c| matches!(c, '+' | '-'));
                if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                    return false;
                }
            } else if self.accept(|c| c == '_') {
                if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                    return false;
                }
            } else {
                return true;
            }
        }
    }

    /// The unit after the first digits, and further digits with units.
    fn scan_rest_of_duration(&mut self) -> bool {
        if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w' | 'y')) {
            return false;
        }
        self.accept(|c| c == 's');
        while self.accept(|c| c.is_ascii_digit()) {
            self.accept_run(|c| c.is_ascii_digit());
            if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w')) {
                return false;
            }
            self.accept(|c| c == 's');
        }
        !self.accept(is_alphanumeric)
    }

    fn string(&mut self, quote: char) -> Result<TokenKind, String> {
        loop {
            match self.next() {
                Some(c) if c == quote => return Ok(TokenKind::String),
                Some('\\') if quote != '`' => self.escape(quote)?,
                None if quote == '`' => return Err("unterminated raw string".to_owned()),
                Some('\n') if quote != '`' => return Err("unterminated quoted string".to_owned()),
                None => return Err("unterminated quoted string".to_owned()),
                Some(_) => {}
            }
        }
    }

    fn escape(&mut self, quote: char) -> Result<(), String> {
        let Some(c) = self.next() else {
            return Err("escape sequence not terminated".to_owned());
        };
        let (digits, radix, max) = match c {
            'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => return Ok(()),
            c if c == quote => return Ok(()),
            '0'..='7' => {
                self.position -= 1;
                (3, 8, 255)
            }
            'x' => (2, 16, 255),
            'u' => (4, 16, 0x0010_ffff),
            'U' => (8, 16, 0x0010_ffff),
            c => return Err(format!("unknown escape sequence {}", unicode_name(c))),
        };
        let mut value: u32 = 0;
        for _ in 0..digits {
            let Some(c) = self.next() else {
                return Err("escape sequence not terminated".to_owned());
            };
            let digit = c.to_digit(radix).ok_or_else(|| {
                format!("illegal character {} in escape sequence", unicode_name(c))
            })?;
            value = value.wrapping_mul(radix).wrapping_add(digit);
        }
        if value > max || (0xd800..0xe000).contains(&value) {
            return Err("escape sequence is an invalid Unicode code point".to_owned());
        }
        Ok(())
    }
}

fn unexpected_in_duration(c: char, seen_duration: bool) -> String {
    let c = quoted(Some(c));
    if seen_duration {
        format!("unexpected character: {c}, expected ':'")
    } else {
        format!("unexpected character in duration expression: {c}")
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_alpha(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// A character as Go's `%q` prints it; the end of the text as its rune −1.
fn quoted(c: Option<char>) -> String {
    match c {
        None => "'\u{fffd}'".to_owned(),
        Some('\'') => "'\\''".to_owned(),
        Some('"') => "'\"'".to_owned(),
        Some(c) => {
            let text = model::labels::Quoted(c.encode_utf8(&mut [0; 4])).to_string();
            format!("'{}'", text.trim_matches('"'))
        }
    }
}

/// A character as Go's `%#U` prints it: `U+0071 'q'`.
fn unicode_name(c: char) -> String {
    if c.is_control() {
        format!("U+{:04X}", u32::from(c))
    } else {
        format!("U+{:04X} '{c}'", u32::from(c))
    }
}
