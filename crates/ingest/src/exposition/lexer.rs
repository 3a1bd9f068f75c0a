//! Splits exposition text into tokens: which bytes may stand where.
//!
//! One lexer for both formats, because their tokens are the same and only the white space differs: the
//! text format skips blanks and tabs between tokens, OpenMetrics counts every single blank. The states and
//! what each accepts follow Prometheus' lexers (`promlex.l`, `openmetricslex.l`), so that what is
//! refused is refused at the same byte and reported in the same words.

use super::Format;

/// A kind of token; its text lies between `Lexer::start` and `Lexer::at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Invalid,
    End,
    LineBreak,
    Help,
    Type,
    Unit,
    EndWord,
    Text,
    Comment,
    MetricName,
    Quoted,
    BraceOpen,
    BraceClose,
    LabelName,
    LabelValue,
    Comma,
    Equal,
    Timestamp,
    Value,
}

impl Token {
    /// The name that error messages show.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::End => "EOF",
            Self::LineBreak => "LINEBREAK",
            Self::Help => "HELP",
            Self::Type => "TYPE",
            Self::Unit => "UNIT",
            Self::EndWord => "EOFWORD",
            Self::Text => "TEXT",
            Self::Comment => "COMMENT",
            Self::MetricName => "MNAME",
            Self::Quoted => "QSTRING",
            Self::BraceOpen => "BOPEN",
            Self::BraceClose => "BCLOSE",
            Self::LabelName => "LNAME",
            Self::LabelValue => "LVALUE",
            Self::Comma => "COMMA",
            Self::Equal => "EQUAL",
            Self::Timestamp => "TIMESTAMP",
            Self::Value => "VALUE",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    MetadataName,
    MetadataText,
    Labels,
    LabelValue,
    Value,
    Timestamp,
    ExemplarLabels,
    ExemplarLabelValue,
    ExemplarTimestamp,
}

/// Which bytes a quoted text may hold beside the usual ones.
#[derive(Clone, Copy)]
struct QuoteRules {
    line_break: bool,
    zero: bool,
}

/// The place in the body, and what may come next.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    pub(super) body: &'a [u8],
    pub(super) format: Format,
    /// Where the present token begins.
    pub(super) start: usize,
    /// Just past it; for `Token::Invalid` the offending byte.
    pub(super) at: usize,
    state: State,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(body: &'a [u8], format: Format) -> Self {
        Self {
            body,
            format,
            start: 0,
            at: 0,
            state: State::LineStart,
        }
    }

    /// The bytes of the present token.
    pub(super) fn token_bytes(&self) -> &'a [u8] {
        self.bytes(self.start, self.at)
    }

    /// Bytes of the body; empty where the bounds make no sense.
    pub(super) fn bytes(&self, start: usize, end: usize) -> &'a [u8] {
        let end = end.min(self.body.len());
        self.body.get(start.min(end)..end).unwrap_or_default()
    }

    /// A byte of the body. A text body always ends in a line break, if only an imagined one.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        match self.body.get(at) {
            Some(byte) => Some(*byte),
            None if at == self.body.len() && self.format == Format::Text => Some(b'\n'),
            None => None,
        }
    }

    /// Reads the next token.
    pub(super) fn next(&mut self) -> Token {
        if self.format == Format::Text && self.state != State::MetadataText {
            self.at += self.run_length(self.at, |byte| matches!(byte, b' ' | b'\t'));
        }
        self.start = self.at;
        let Some(byte) = self.byte(self.at) else {
            return Token::End;
        };
        match (self.state, self.format) {
            (State::LineStart, Format::Text) => self.text_line(byte),
            (State::LineStart, Format::OpenMetrics) => self.openmetrics_line(byte),
            (State::MetadataName, _) => self.metadata_name(byte),
            (State::MetadataText, Format::Text) => self.text_metadata_text(),
            (State::MetadataText, Format::OpenMetrics) => self.openmetrics_metadata_text(byte),
            (State::Labels, _) => self.labels(byte, State::LabelValue, State::Value),
            (State::LabelValue, _) => self.label_value(byte, State::Labels),
            (State::Value, _) if byte == b'{' => self.single(Token::BraceOpen, State::Labels),
            (State::Value, Format::Text) => self.text_value(),
            (State::Value, Format::OpenMetrics) => self.spaced(Token::Value, State::Timestamp),
            (State::Timestamp, Format::Text) => self.text_timestamp(byte),
            (State::Timestamp, Format::OpenMetrics) => self.openmetrics_timestamp(byte),
            (State::ExemplarLabels, _) => {
                self.labels(byte, State::ExemplarLabelValue, State::ExemplarLabelValue)
            }
            (State::ExemplarLabelValue, _) if byte == b'"' => {
                self.label_value(byte, State::ExemplarLabels)
            }
            (State::ExemplarLabelValue, _) => self.spaced(Token::Value, State::ExemplarTimestamp),
            (State::ExemplarTimestamp, _) if byte == b'\n' => {
                self.single(Token::LineBreak, State::LineStart)
            }
            (State::ExemplarTimestamp, _) => {
                self.spaced(Token::Timestamp, State::ExemplarTimestamp)
            }
        }
    }

    /// How many bytes from `at` on fulfil a condition.
    fn run_length(&self, at: usize, fulfils: impl Fn(u8) -> bool) -> usize {
        let rest = self.body.get(at..).unwrap_or_default();
        rest.iter()
            .position(|byte| !fulfils(*byte))
            .unwrap_or(rest.len())
    }

    fn single(&mut self, token: Token, next: State) -> Token {
        self.at += 1;
        self.state = next;
        token
    }

    fn text_line(&mut self, byte: u8) -> Token {
        match byte {
            0 => Token::End,
            b'\n' => self.single(Token::LineBreak, State::LineStart),
            b'#' => self.text_comment(),
            b'{' => self.single(Token::BraceOpen, State::Labels),
            _ => self.metric_name(State::Value),
        }
    }

    /// `# HELP `, `# TYPE `, or else a comment up to the end of the line.
    fn text_comment(&mut self) -> Token {
        self.at += 1;
        let blanks = self.run_length(self.at, |byte| matches!(byte, b' ' | b'\t'));
        let words = [(b"HELP", Token::Help), (b"TYPE", Token::Type)];
        for (word, token) in words {
            let end = self.at + blanks + word.len();
            let found = blanks > 0 && self.bytes(self.at + blanks, end) == word;
            if found && matches!(self.byte(end), Some(b' ' | b'\t')) {
                self.at = end + self.run_length(end, |byte| matches!(byte, b' ' | b'\t'));
                self.state = State::MetadataName;
                return token;
            }
        }
        let rest = self.at + self.run_length(self.at, |byte| byte != b'\n');
        // Upstream's lexer stops at a zero right behind `# `, and anywhere in a comment without that blank.
        let stops = match blanks {
            0 => self.bytes(self.at, rest).contains(&0),
            _ => self.byte(self.at + blanks) == Some(0),
        };
        if stops {
            return Token::End;
        }
        self.at = rest;
        Token::Comment
    }

    /// `# HELP `, `# TYPE `, `# UNIT ` or `# EOF`; free comments are not allowed.
    fn openmetrics_line(&mut self, byte: u8) -> Token {
        if byte == b'{' {
            return self.single(Token::BraceOpen, State::Labels);
        }
        if byte != b'#' {
            return self.metric_name(State::Value);
        }
        let words: [(&[u8], Token); 4] = [
            (b"# HELP ", Token::Help),
            (b"# TYPE ", Token::Type),
            (b"# UNIT ", Token::Unit),
            (b"# EOF", Token::EndWord),
        ];
        let rest = self.body.get(self.at..).unwrap_or_default();
        for (word, token) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                self.state = State::MetadataName;
                if token == Token::EndWord {
                    self.state = State::LineStart;
                    self.at += usize::from(self.byte(self.at) == Some(b'\n'));
                }
                return token;
            }
        }
        let matched = |word: &[u8]| word.iter().zip(rest).take_while(|(a, b)| a == b).count();
        self.at += words
            .iter()
            .map(|(word, _)| matched(word))
            .max()
            .unwrap_or(0);
        Token::Invalid
    }

    fn metric_name(&mut self, next: State) -> Token {
        let first = self.byte(self.at);
        if !first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':') {
            return Token::Invalid;
        }
        let part = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b':';
        self.at += self.run_length(self.at, part);
        self.state = next;
        Token::MetricName
    }

    fn metadata_name(&mut self, byte: u8) -> Token {
        if byte != b'"' {
            return self.metric_name(State::MetadataText);
        }
        let rules = QuoteRules {
            line_break: true,
            zero: false,
        };
        self.quoted(Token::MetricName, rules, State::MetadataText)
    }

    fn text_metadata_text(&mut self) -> Token {
        if self.byte(self.at) == Some(0) {
            // Upstream's lexer stops at a zero right behind the name, and only there.
            self.state = State::LineStart;
            return Token::Text;
        }
        let length = self.run_length(self.at, |byte| byte != b'\n');
        let blank = self
            .bytes(self.at, self.at + length)
            .iter()
            .all(|byte| matches!(byte, b' ' | b'\t'));
        self.at += length;
        if blank {
            self.start = self.at;
        }
        self.state = State::LineStart;
        Token::Text
    }

    /// A blank, the text, and the line break, which belongs to the token.
    fn openmetrics_metadata_text(&mut self, byte: u8) -> Token {
        if byte != b' ' {
            return Token::Invalid;
        }
        self.at += self.run_length(self.at, |byte| byte != b'\n');
        if self.byte(self.at).is_none() {
            return Token::Invalid;
        }
        self.single(Token::Text, State::LineStart)
    }

    fn labels(&mut self, byte: u8, after_equal: State, after_brace: State) -> Token {
        let here = self.state;
        match byte {
            b'}' => self.single(Token::BraceClose, after_brace),
            b'=' => self.single(Token::Equal, after_equal),
            b',' => self.single(Token::Comma, here),
            b'"' => {
                let rules = QuoteRules {
                    line_break: here == State::Labels,
                    zero: false,
                };
                self.quoted(Token::Quoted, rules, here)
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.at += self.run_length(self.at, |b| b.is_ascii_alphanumeric() || b == b'_');
                Token::LabelName
            }
            _ => Token::Invalid,
        }
    }

    fn label_value(&mut self, byte: u8, next: State) -> Token {
        if byte != b'"' {
            return Token::Invalid;
        }
        let rules = QuoteRules {
            line_break: self.format == Format::Text,
            zero: true,
        };
        self.quoted(Token::LabelValue, rules, next)
    }

    /// A text in double quotes in which a backslash hides the byte after it.
    fn quoted(&mut self, token: Token, rules: QuoteRules, next: State) -> Token {
        self.at += 1;
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'"' => return self.single(token, next),
                b'\\' => {
                    self.at += 1;
                    if matches!(self.byte(self.at), None | Some(b'\n')) {
                        return Token::Invalid;
                    }
                }
                b'\n' if !rules.line_break => return Token::Invalid,
                0 if !rules.zero => return Token::Invalid,
                _ => {}
            }
            self.at += 1;
        }
        Token::Invalid
    }

    fn text_value(&mut self) -> Token {
        let part = |byte: u8| !matches!(byte, b'{' | b' ' | b'\t' | b'\n' | 0);
        let length = self.run_length(self.at, part);
        if length == 0 {
            return Token::Invalid;
        }
        self.at += length;
        self.state = State::Timestamp;
        Token::Value
    }

    fn text_timestamp(&mut self, byte: u8) -> Token {
        match byte {
            b'\n' => self.single(Token::LineBreak, State::LineStart),
            b'0'..=b'9' => {
                self.at += self.run_length(self.at, |byte| byte.is_ascii_digit());
                Token::Timestamp
            }
            _ => Token::Invalid,
        }
    }

    fn openmetrics_timestamp(&mut self, byte: u8) -> Token {
        if byte == b'\n' {
            return self.single(Token::LineBreak, State::LineStart);
        }
        let rest = self.body.get(self.at..).unwrap_or_default();
        if rest.starts_with(b" # ") {
            self.at += 3;
            if self.byte(self.at) != Some(b'{') {
                return Token::Invalid;
            }
            return self.single(Token::Comment, State::ExemplarLabels);
        }
        self.spaced(Token::Timestamp, State::Timestamp)
    }

    /// One blank and then everything up to the next blank or the end of the line.
    fn spaced(&mut self, token: Token, next: State) -> Token {
        if self.byte(self.at) != Some(b' ') {
            return Token::Invalid;
        }
        self.at += 1;
        let length = self.run_length(self.at, |byte| !matches!(byte, b' ' | b'\n' | 0));
        if length == 0 {
            return Token::Invalid;
        }
        self.at += length;
        self.state = next;
        token
    }
}
