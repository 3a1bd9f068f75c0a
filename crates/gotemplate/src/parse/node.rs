//! The parsed template, and how its parts are written in messages.

use std::fmt;
use std::sync::Arc;

/// A parsed template.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Name under which the text was parsed.
    pub(crate) parse_name: Arc<str>,
    /// The whole text, for positions in messages.
    pub(crate) text: Arc<str>,
    pub(crate) root: Vec<Node>,
}

impl Tree {
    /// Returns `NAME:LINE:COLUMN` of a byte offset.
    pub(crate) fn location(&self, position: usize) -> String {
        let before = self.text.get(..position).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.matches('\n').count();
        format!("{}:{line}:{}", self.parse_name, before.len() - line_start)
    }

    /// Returns the line of a byte offset, from 1.
    pub(crate) fn line(&self, position: usize) -> usize {
        1 + self
            .text
            .get(..position)
            .unwrap_or(&self.text)
            .matches('\n')
            .count()
    }

    /// Reports whether there is nothing but white space.
    pub(crate) fn is_empty(&self) -> bool {
        self.root
            .iter()
            .all(|node| matches!(node, Node::Text { text, .. } if text.trim().is_empty()))
    }
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text { position: usize, text: Arc<str> },
    Action { position: usize, pipe: Pipe },
    If(Branch),
    Range(Branch),
    With(Branch),
    Template(TemplateCall),
    Break { position: usize },
    Continue { position: usize },
}

/// `if`, `range` or `with`.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) position: usize,
    pub(crate) pipe: Pipe,
    pub(crate) list: Vec<Node>,
    pub(crate) else_list: Option<Vec<Node>>,
}

/// `{{template "name" pipe}}`
#[derive(Debug, Clone)]
pub(crate) struct TemplateCall {
    pub(crate) position: usize,
    pub(crate) name: Arc<str>,
    pub(crate) pipe: Option<Pipe>,
}

/// Commands joined by `|`, with the variables that take the result.
#[derive(Debug, Clone)]
pub(crate) struct Pipe {
    pub(crate) position: usize,
    pub(crate) is_assignment: bool,
    pub(crate) variables: Vec<Arc<str>>,
    pub(crate) commands: Vec<Command>,
}

/// An operand with arguments.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) arguments: Vec<Term>,
}

/// An operand.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) position: usize,
    pub(crate) kind: TermKind,
}

/// What an operand is.
#[derive(Debug, Clone)]
pub(crate) enum TermKind {
    Bool(bool),
    Dot,
    Nil,
    Number(Number),
    Str { quoted: String, text: Arc<str> },
    Field(Vec<Arc<str>>),
    Variable(Vec<Arc<str>>),
    Identifier(Arc<str>),
    Chain(Box<Term>, Vec<Arc<str>>),
    Pipe(Pipe),
}

/// A number constant with every type that its text allows.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    pub(crate) text: String,
    pub(crate) int: Option<i64>,
    pub(crate) float: Option<f64>,
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            f.write_str(&self.variables.join(", "))?;
            f.write_str(if self.is_assignment { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.arguments.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match &argument.kind {
                TermKind::Pipe(pipe) => write!(f, "({pipe})")?,
                _ => argument.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TermKind::Bool(value) => value.fmt(f),
            TermKind::Dot => f.write_str("."),
            TermKind::Nil => f.write_str("nil"),
            TermKind::Number(number) => f.write_str(&number.text),
            TermKind::Str { quoted, .. } => f.write_str(quoted),
            TermKind::Field(names) => names.iter().try_for_each(|name| write!(f, ".{name}")),
            TermKind::Variable(names) => f.write_str(&names.join(".")),
            TermKind::Identifier(name) => f.write_str(name),
            TermKind::Chain(inner, names) => {
                match &inner.kind {
                    TermKind::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => inner.fmt(f)?,
                }
                names.iter().try_for_each(|name| write!(f, ".{name}"))
            }
            TermKind::Pipe(pipe) => pipe.fmt(f),
        }
    }
}

impl fmt::Display for TemplateCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", crate::format::quote(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}
