//! The words of the language, and how messages name them.

use crate::ast::{AggregateOperator, BinaryOperator, Span};
use model::labels::Quoted;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The kinds of words. The text of names, numbers and strings is read from the query by the span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    End,
    /// A text that is no word; the message says why.
    Error(String),
    Identifier,
    /// An identifier with a colon, which only metrics may have.
    MetricIdentifier,
    Number,
    Duration,
    String,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    At,
    Equal,
    EqualRegex,
    NotRegex,
    Binary(BinaryOperator),
    Aggregate(AggregateOperator),
    Keyword(Keyword),
}

/// Words with a meaning of their own; most may be names too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Anchored,
    Bool,
    By,
    End,
    Fill,
    FillLeft,
    FillRight,
    GroupLeft,
    GroupRight,
    Ignoring,
    Offset,
    On,
    Range,
    Smoothed,
    Start,
    Step,
    Without,
}

impl Keyword {
    /// Whether it names a moment or a length of the query, and is also a function.
    pub(crate) const fn is_preprocessor(self) -> bool {
        matches!(self, Self::End | Self::Range | Self::Start | Self::Step)
    }

    /// Whether a metric may have this name without quotes.
    pub(crate) const fn names_metric(self) -> bool {
        self.is_preprocessor()
            || matches!(
                self,
                Self::Anchored | Self::By | Self::Offset | Self::Smoothed | Self::Without
            )
    }
}

impl TokenKind {
    /// The word in lower case as a token, where it is not a plain name.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let operator = match word.as_str() {
            "and" => BinaryOperator::And,
            "or" => BinaryOperator::Or,
            "unless" => BinaryOperator::Unless,
            "atan2" => BinaryOperator::Atan2,
            "inf" | "nan" => return Some(Self::Number),
            word => {
                return aggregate_of_word(word)
                    .map(Self::Aggregate)
                    .or_else(|| keyword_of_word(word).map(Self::Keyword));
            }
        };
        Some(Self::Binary(operator))
    }

    /// Whether the word may stand where a metric's name is expected.
    pub(crate) const fn names_metric(&self) -> bool {
        match self {
            Self::Identifier
            | Self::MetricIdentifier
            | Self::Aggregate(_)
            | Self::Binary(BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Unless) => {
                true
            }
            Self::Keyword(keyword) => keyword.names_metric(),
            _ => false,
        }
    }

    /// Whether the word may stand where a label's name is expected in `by (…)` and the like.
    pub(crate) const fn names_label(&self) -> bool {
        if matches!(self, Self::Keyword(Keyword::Without)) {
            return false;
        }
        matches!(
            self,
            Self::Identifier
                | Self::MetricIdentifier
                | Self::Aggregate(_)
                | Self::Keyword(_)
                | Self::Binary(
                    BinaryOperator::And
                        | BinaryOperator::Or
                        | BinaryOperator::Unless
                        | BinaryOperator::Atan2
                )
        )
    }

    /// How messages name it, as upstream does; `text` is how it was written.
    pub(crate) fn describe(&self, text: &str) -> String {
        match self {
            Self::End => "end of input".to_owned(),
            Self::Error(message) => message.clone(),
            Self::Identifier => format!("identifier {}", Quoted(text)),
            Self::MetricIdentifier => format!("metric identifier {}", Quoted(text)),
            Self::Number => format!("number {}", shortened(text)),
            Self::Duration => format!("duration {}", shortened(text)),
            Self::String => format!("string {}", shortened(text)),
            Self::Binary(_) | Self::At | Self::EqualRegex | Self::NotRegex => {
                format!("<op:{text}>")
            }
            Self::Aggregate(_) => format!("<aggr:{text}>"),
            Self::Keyword(keyword) if !keyword.is_preprocessor() => format!("<{text}>"),
            _ => shortened(text),
        }
    }
}

/// Quoted, and cut to ten characters.
fn shortened(text: &str) -> String {
    if text.len() <= 10 {
        return Quoted(text).to_string();
    }
    let cut: String = text.chars().take(10).collect();
    format!("{}...", Quoted(&cut))
}

fn aggregate_of_word(word: &str) -> Option<AggregateOperator> {
    AggregateOperator::ALL
        .into_iter()
        .find(|operator| operator.name() == word)
}

fn keyword_of_word(word: &str) -> Option<Keyword> {
    Some(match word {
        "anchored" => Keyword::Anchored,
        "bool" => Keyword::Bool,
        "by" => Keyword::By,
        "end" => Keyword::End,
        "fill" => Keyword::Fill,
        "fill_left" => Keyword::FillLeft,
        "fill_right" => Keyword::FillRight,
        "group_left" => Keyword::GroupLeft,
        "group_right" => Keyword::GroupRight,
        "ignoring" => Keyword::Ignoring,
        "offset" => Keyword::Offset,
        "on" => Keyword::On,
        "range" => Keyword::Range,
        "smoothed" => Keyword::Smoothed,
        "start" => Keyword::Start,
        "step" => Keyword::Step,
        "without" => Keyword::Without,
        _ => return None,
    })
}

impl AggregateOperator {
    /// All of them, by name.
    pub const ALL: [Self; 14] = [
        Self::Avg,
        Self::Bottomk,
        Self::Count,
        Self::CountValues,
        Self::Group,
        Self::Limitk,
        Self::LimitRatio,
        Self::Max,
        Self::Min,
        Self::Quantile,
        Self::Stddev,
        Self::Stdvar,
        Self::Sum,
        Self::Topk,
    ];

    /// As written in a query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::Bottomk => "bottomk",
            Self::Count => "count",
            Self::CountValues => "count_values",
            Self::Group => "group",
            Self::Limitk => "limitk",
            Self::LimitRatio => "limit_ratio",
            Self::Max => "max",
            Self::Min => "min",
            Self::Quantile => "quantile",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::Sum => "sum",
            Self::Topk => "topk",
        }
    }

    /// Whether it takes a parameter before the vector.
    #[must_use]
    pub const fn has_parameter(self) -> bool {
        matches!(
            self,
            Self::Bottomk
                | Self::CountValues
                | Self::Limitk
                | Self::LimitRatio
                | Self::Quantile
                | Self::Topk
        )
    }
}

impl BinaryOperator {
    /// As written in a query.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
            Self::Atan2 => "atan2",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
            Self::TrimUpper => "</",
            Self::TrimLower => ">/",
        }
    }

    /// How tightly it binds: higher binds tighter. All but `^` group from the left.
    #[must_use]
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::TrimUpper
            | Self::TrimLower => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Modulo | Self::Atan2 => 5,
            Self::Power => 6,
        }
    }

    /// Whether it compares and may carry `bool`.
    #[must_use]
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }

    /// Whether it is `and`, `or` or `unless`.
    #[must_use]
    pub const fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}
