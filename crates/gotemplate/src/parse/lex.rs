//! Cuts a template into tokens, lazily, with Go's rules for trim markers and comments.

use crate::format::quote;
use crate::unicode::is_letter_or_digit;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Assign,
    Declare,
    End,
    EndOfFile,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Byte offset of its start.
    pub(super) position: usize,
    pub(super) text: String,
    pub(super) line: usize,
}

impl Token {
    /// The token as messages show it.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Kind::EndOfFile => "EOF".into(),
            Kind::Error => self.text.clone(),
            kind if KEYWORDS.iter().any(|(_, keyword)| *keyword == kind) => {
                format!("<{}>", self.text)
            }
            _ if self.text.len() > 10 => {
                let head: String = self.text.chars().take(10).collect();
                format!("{}...", quote(&head))
            }
            _ => quote(&self.text),
        }
    }
}

const KEYWORDS: [(&str, Kind); 12] = [
    (".", Kind::Dot),
    ("block", Kind::Block),
    ("break", Kind::Break),
    ("continue", Kind::Continue),
    ("define", Kind::Define),
    ("else", Kind::Else),
    ("end", Kind::End),
    ("if", Kind::If),
    ("range", Kind::Range),
    ("nil", Kind::Nil),
    ("template", Kind::Template),
    ("with", Kind::With),
];

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// The scanner over one text.
pub(super) struct Lexer<'a> {
    input: &'a str,
    position: usize,
    start: usize,
    line: usize,
    start_line: usize,
    parenthesis_depth: usize,
    inside_action: bool,
    /// A function of that name exists, so `break` or `continue` is no keyword.
    pub(super) plain_words: [bool; 2],
}

fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

fn has_left_trim(text: &str) -> bool {
    text.strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(is_space))
}

fn has_right_trim(text: &str) -> bool {
    text.strip_prefix(is_space)
        .is_some_and(|rest| rest.starts_with('-'))
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        Self {
            input,
            position: 0,
            start: 0,
            line: 1,
            start_line: 1,
            parenthesis_depth: 0,
            inside_action: false,
            plain_words: [false, false],
        }
    }

    /// Returns the next token; after the end, or an error, `EndOfFile` again and again.
    pub(super) fn next_token(&mut self) -> Token {
        if self.inside_action {
            self.action()
        } else {
            self.text()
        }
    }

    fn rest(&self) -> &'a str {
        self.input.get(self.position..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|c| valid.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn pending(&self) -> &'a str {
        self.input.get(self.start..self.position).unwrap_or("")
    }

    fn token(&mut self, kind: Kind) -> Token {
        let token = Token {
            kind,
            position: self.start,
            text: self.pending().to_owned(),
            line: self.start_line,
        };
        self.start = self.position;
        self.start_line = self.line;
        token
    }

    /// Advances to `position` and forgets what lies before it.
    fn skip_to(&mut self, position: usize) {
        self.position = position;
        let skipped = self.pending();
        self.line = self.start_line + skipped.matches('\n').count();
        self.start = self.position;
        self.start_line = self.line;
    }

    fn error(&mut self, message: impl Into<String>) -> Token {
        let token = Token {
            kind: Kind::Error,
            position: self.start,
            text: message.into(),
            line: self.start_line,
        };
        self.input = "";
        self.position = 0;
        self.start = 0;
        self.inside_action = false;
        token
    }

    fn text(&mut self) -> Token {
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(LEFT) else {
                self.position = self.input.len();
                if self.position == self.start {
                    return Token {
                        kind: Kind::EndOfFile,
                        position: self.position,
                        text: "EOF".into(),
                        line: self.start_line,
                    };
                }
                self.line += self.pending().matches('\n').count();
                return self.token(Kind::Text);
            };
            let (before, action) = rest.split_at(length);
            let trims = has_left_trim(action.strip_prefix(LEFT).unwrap_or(""));
            let kept = if trims {
                before.trim_end_matches(SPACES)
            } else {
                before
            };
            let delimiter = self.position + length;
            if !kept.is_empty() {
                self.position += kept.len();
                self.line += kept.matches('\n').count();
                let token = self.token(Kind::Text);
                self.skip_to(delimiter);
                return token;
            }
            self.skip_to(delimiter);
            if let Some(token) = self.left_delimiter() {
                return token;
            }
        }
    }

    /// Enters an action, or passes over a comment and returns `None`.
    fn left_delimiter(&mut self) -> Option<Token> {
        self.position += LEFT.len();
        let marker = if has_left_trim(self.rest()) { 2 } else { 0 };
        let after_marker = self.position + marker;
        if self
            .input
            .get(after_marker..)
            .is_some_and(|rest| rest.starts_with("/*"))
        {
            self.skip_to(after_marker);
            return self.comment();
        }
        let token = self.token(Kind::LeftDelimiter);
        self.inside_action = true;
        self.parenthesis_depth = 0;
        self.skip_to(after_marker);
        Some(token)
    }

    fn comment(&mut self) -> Option<Token> {
        let Some(end) = self.rest().find("*/").filter(|end| *end >= 2) else {
            return Some(self.error("unclosed comment"));
        };
        let mut after = self.position + end + 2;
        let rest = self.input.get(after..).unwrap_or("");
        let trims = has_right_trim(rest);
        if trims {
            after += 2;
        }
        let Some(following) = self
            .input
            .get(after..)
            .and_then(|rest| rest.strip_prefix(RIGHT))
        else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        after += RIGHT.len();
        if trims {
            after += following.len() - following.trim_start_matches(SPACES).len();
        }
        self.skip_to(after);
        None
    }

    /// Whether the rest begins with a right delimiter, and whether that trims.
    fn at_right_delimiter(&self) -> (bool, bool) {
        let rest = self.rest();
        if has_right_trim(rest) && rest.get(2..).is_some_and(|rest| rest.starts_with(RIGHT)) {
            return (true, true);
        }
        (rest.starts_with(RIGHT), false)
    }

    fn right_delimiter(&mut self, trims: bool) -> Token {
        if trims {
            self.skip_to(self.position + 2);
        }
        self.position += RIGHT.len();
        let token = self.token(Kind::RightDelimiter);
        if trims {
            let rest = self.rest();
            self.skip_to(self.position + rest.len() - rest.trim_start_matches(SPACES).len());
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token {
        let (delimiter, trims) = self.at_right_delimiter();
        if delimiter {
            if self.parenthesis_depth == 0 {
                return self.right_delimiter(trims);
            }
            return self.error("unclosed left paren");
        }
        let Some(c) = self.peek() else {
            return self.error("unclosed action");
        };
        if is_space(c) {
            return self.space();
        }
        if matches!(c, '+' | '-' | '0'..='9') {
            return self.number();
        }
        if c == '_' || is_letter_or_digit(c) {
            return self.identifier();
        }
        self.next();
        match c {
            '=' => self.token(Kind::Assign),
            ':' if self.accept("=") => self.token(Kind::Declare),
            ':' => {
                self.next();
                self.error("expected :=")
            }
            '|' => self.token(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.raw_string(),
            '$' => self.field_or_variable(Kind::Variable, Kind::Variable),
            '.' if self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                self.position -= 1;
                self.number()
            }
            '.' => self.field_or_variable(Kind::Field, Kind::Dot),
            '(' => {
                self.parenthesis_depth += 1;
                self.token(Kind::LeftParenthesis)
            }
            ')' if self.parenthesis_depth == 0 => self.error("unexpected right paren"),
            ')' => {
                self.parenthesis_depth -= 1;
                self.token(Kind::RightParenthesis)
            }
            c if c.is_ascii_graphic() => self.token(Kind::Char),
            c => self.error(format!(
                "unrecognized character in action: {}",
                code_point(c)
            )),
        }
    }

    fn space(&mut self) -> Token {
        let mut count = 0;
        while self.peek().is_some_and(is_space) && !self.at_right_delimiter().1 {
            self.next();
            count += 1;
        }
        if count == 0 {
            self.right_delimiter(true)
        } else {
            self.token(Kind::Space)
        }
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(c) => is_space(c) || self.rest().starts_with(RIGHT),
        }
    }

    fn word(&mut self) {
        while self
            .peek()
            .is_some_and(|c| c == '_' || is_letter_or_digit(c))
        {
            self.next();
        }
    }

    fn bad_character(&mut self) -> Token {
        let shown = self.peek().map_or_else(String::new, code_point);
        self.error(format!("bad character {shown}"))
    }

    fn identifier(&mut self) -> Token {
        self.word();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = self.pending();
        let keyword = KEYWORDS
            .iter()
            .find(|(spelling, _)| *spelling == word)
            .map(|(_, kind)| *kind);
        let kind = match keyword {
            Some(Kind::Break) if self.plain_words[0] => Kind::Identifier,
            Some(Kind::Continue) if self.plain_words[1] => Kind::Identifier,
            Some(kind) => kind,
            None if matches!(word, "true" | "false") => Kind::Bool,
            None => Kind::Identifier,
        };
        self.token(kind)
    }

    fn field_or_variable(&mut self, kind: Kind, alone: Kind) -> Token {
        if self.at_terminator() {
            return self.token(alone);
        }
        self.word();
        if self.at_terminator() {
            self.token(kind)
        } else {
            self.bad_character()
        }
    }

    fn quoted(&mut self, mark: char, kind: Kind, complaint: &str) -> Token {
        loop {
            match self.next() {
                Some('\\') if self.peek().is_some_and(|c| c != '\n') => {
                    self.next();
                }
                None | Some('\\' | '\n') => return self.error(complaint),
                Some(c) if c == mark => return self.token(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self) -> Token {
        loop {
            match self.next() {
                None => return self.error("unterminated raw quoted string"),
                Some('`') => return self.token(Kind::RawString),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token {
        // What follows a number with a sign could only be a complex constant; there are none here.
        if !self.scan_number() || matches!(self.peek(), Some('+' | '-')) {
            let message = format!("bad number syntax: {}", quote(self.pending()));
            return self.error(message);
        }
        self.token(Kind::Number)
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self
            .peek()
            .is_some_and(|c| c == '_' || is_letter_or_digit(c))
        {
            self.next();
            return false;
        }
        true
    }
}

/// `U+0041 'A'`, as `%#U` prints it.
fn code_point(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    if crate::unicode::is_print(c) {
        format!("{number} '{c}'")
    } else {
        number
    }
}
