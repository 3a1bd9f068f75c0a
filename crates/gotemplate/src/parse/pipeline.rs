//! Parses pipelines: declarations, commands and operands.

use std::sync::Arc;

use super::lex::{Kind, Token};
use super::node::{Command, Pipe, Term, TermKind};
use super::{Parse, Parser, number};
use crate::format::{quote, unquote};

impl Parser<'_> {
    /// Parses declarations and commands up to a token of kind `end`.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parse<Pipe> {
        let position = self.peek_non_space().position;
        let mut pipe = Pipe {
            position,
            is_assignment: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParenthesis => {
                    self.back(token);
                    pipe.commands.push(self.command()?);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        check_pipeline(&pipe, context)?;
        Ok(pipe)
    }

    /// Reads `$x :=`, `$x =` or in a range `$i, $x :=`, if the pipeline begins with one.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parse<()> {
        loop {
            if self.peek_non_space().kind != Kind::Variable {
                return Ok(());
            }
            let variable = self.next_non_space();
            let after = self.peek();
            let next = self.peek_non_space();
            let name: Arc<str> = Arc::from(variable.text.as_str());
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.next_non_space();
                    pipe.is_assignment = next.kind == Kind::Assign;
                    pipe.variables.push(name.clone());
                    self.variables.push(name);
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.next_non_space();
                    pipe.variables.push(name.clone());
                    self.variables.push(name);
                    if context != "range" || pipe.variables.len() >= 2 {
                        return Err(format!("too many declarations in {context}"));
                    }
                    let following = self.peek_non_space().kind;
                    if !matches!(
                        following,
                        Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis
                    ) {
                        return Err("range can only initialize variables".into());
                    }
                }
                _ => {
                    if after.kind == Kind::Space {
                        self.back(after);
                    }
                    self.back(variable);
                    return Ok(());
                }
            }
        }
    }

    fn command(&mut self) -> Parse<Command> {
        let mut arguments = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                arguments.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelimiter | Kind::RightParenthesis => {
                    self.back(token);
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if arguments.is_empty() {
            return Err("empty command".into());
        }
        Ok(Command { arguments })
    }

    fn operand(&mut self) -> Parse<Option<Term>> {
        let Some(mut term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(term));
        }
        let mut fields: Vec<Arc<str>> = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(field_name(&self.next()));
        }
        match &mut term.kind {
            TermKind::Field(names) | TermKind::Variable(names) => names.extend(fields),
            TermKind::Bool(_)
            | TermKind::Str { .. }
            | TermKind::Number(_)
            | TermKind::Nil
            | TermKind::Dot => {
                return Err(format!(
                    "unexpected . after term {}",
                    quote(&term.to_string())
                ));
            }
            TermKind::Identifier(_) | TermKind::Chain(..) | TermKind::Pipe(_) => {
                term = Term {
                    position: first.position,
                    kind: TermKind::Chain(Box::new(term), fields),
                };
            }
        }
        term.position = first.position;
        Ok(Some(term))
    }

    fn term(&mut self) -> Parse<Option<Term>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            Kind::Identifier if (self.is_function)(&token.text) => {
                TermKind::Identifier(Arc::from(token.text.as_str()))
            }
            Kind::Identifier => return Err(format!("function {} not defined", quote(&token.text))),
            Kind::Dot => TermKind::Dot,
            Kind::Nil => TermKind::Nil,
            Kind::Variable if !self.variables.iter().any(|name| **name == *token.text) => {
                return Err(format!("undefined variable {}", quote(&token.text)));
            }
            Kind::Variable => TermKind::Variable(vec![Arc::from(token.text.as_str())]),
            Kind::Field => TermKind::Field(vec![field_name(&token)]),
            Kind::Bool => TermKind::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Number => TermKind::Number(number::parse(&token.text)?),
            Kind::String | Kind::RawString => {
                let text = unquote(&token.text).ok_or("invalid syntax")?;
                TermKind::Str {
                    quoted: token.text.clone(),
                    text: Arc::from(text),
                }
            }
            Kind::LeftParenthesis => {
                let pipe = self.nested(|parser| {
                    parser.pipeline("parenthesized pipeline", Kind::RightParenthesis)
                })?;
                return Ok(Some(Term {
                    position: pipe.position,
                    kind: TermKind::Pipe(pipe),
                }));
            }
            _ => {
                self.back(token);
                return Ok(None);
            }
        };
        Ok(Some(Term {
            position: token.position,
            kind,
        }))
    }
}

fn field_name(token: &Token) -> Arc<str> {
    Arc::from(token.text.strip_prefix('.').unwrap_or(&token.text))
}

fn check_pipeline(pipe: &Pipe, context: &str) -> Parse<()> {
    if pipe.commands.is_empty() {
        return Err(format!("missing value for {context}"));
    }
    for (index, command) in pipe.commands.iter().enumerate().skip(1) {
        let first = command.arguments.first().map(|term| &term.kind);
        let literal = matches!(
            first,
            Some(
                TermKind::Bool(_)
                    | TermKind::Dot
                    | TermKind::Nil
                    | TermKind::Number(_)
                    | TermKind::Str { .. }
            )
        );
        if literal {
            return Err(format!(
                "non executable command in pipeline stage {}",
                index + 1
            ));
        }
    }
    Ok(())
}
