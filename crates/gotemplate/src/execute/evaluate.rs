//! Evaluates pipelines, commands, fields and constants.

use std::sync::Arc;

use super::call::{Callee, Site};
use super::{At, State};
use crate::Error;
use crate::format::quote;
use crate::parse::node::{Command, Number, Pipe, Term, TermKind};
use crate::template::MissingKey;
use crate::value::{Type, Value, find_method};

/// The arguments of a call: the operands after the function, and the value that a pipeline passes on.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a, 'v> {
    pub(super) terms: &'a [Term],
    pub(super) last: Option<&'v Value>,
}

impl Arguments<'_, '_> {
    pub(super) const NONE: Self = Self {
        terms: &[],
        last: None,
    };

    fn are_given(&self) -> bool {
        !self.terms.is_empty() || self.last.is_some()
    }
}

/// What looking up a field gave.
enum Field {
    Value(Value),
    /// The map has no such key and that counts as no value at all.
    Absent,
}

impl<'a> State<'a> {
    /// Evaluates a pipeline and sets the variables that it declares or assigns.
    pub(super) fn pipeline(&mut self, dot: &Value, pipe: &'a Pipe) -> Result<Value, Error> {
        self.at = At::Pipe(pipe);
        let mut value: Option<Value> = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value.as_ref())?);
        }
        let value = value.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.is_assignment {
                self.set_variable(name, value.clone())?;
            } else {
                self.charge(1)?;
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        dot: &Value,
        command: &'a Command,
        last: Option<&Value>,
    ) -> Result<Value, Error> {
        self.charge(1)?;
        let Some((first, terms)) = command.arguments.split_first() else {
            return Ok(Value::Nil);
        };
        let arguments = Arguments { terms, last };
        match &first.kind {
            TermKind::Field(names) => return self.field_term(dot, first, names, arguments),
            TermKind::Chain(inner, names) => {
                return self.chain(dot, (first, inner, names), arguments);
            }
            TermKind::Identifier(name) => {
                return self.function(dot, (first, name), At::Command(command), arguments);
            }
            TermKind::Variable(names) => return self.variable(dot, first, names, arguments),
            TermKind::Pipe(pipe) => {
                self.not_a_function(first, arguments)?;
                return self.parenthesised(dot, pipe);
            }
            _ => {}
        }
        self.at = At::Term(first);
        self.not_a_function(first, arguments)?;
        match &first.kind {
            TermKind::Bool(value) => Ok(Value::Bool(*value)),
            TermKind::Dot => Ok(dot.clone()),
            TermKind::Nil => Err(self.error("nil is not a command")),
            TermKind::Number(number) => self.constant(first, number),
            TermKind::Str { text, .. } => Ok(Value::Str(text.clone())),
            _ => Err(self.error(format!(
                "can't evaluate command {}",
                quote(&first.to_string())
            ))),
        }
    }

    fn not_a_function(&self, first: &Term, arguments: Arguments<'_, '_>) -> Result<(), Error> {
        if arguments.are_given() {
            return Err(self.error(format!("can't give argument to non-function {first}")));
        }
        Ok(())
    }

    pub(super) fn parenthesised(&mut self, dot: &Value, pipe: &'a Pipe) -> Result<Value, Error> {
        self.enter()?;
        let value = self.pipeline(dot, pipe)?;
        self.depth -= 1;
        Ok(value)
    }

    /// The value of a number where no type is asked for: its text decides, as in Go.
    pub(super) fn constant(&mut self, term: &'a Term, number: &Number) -> Result<Value, Error> {
        self.at = At::Term(term);
        let text = &number.text;
        let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
        let hexadecimal_integer = hexadecimal && !text.contains(['p', 'P']);
        let is_float = !text.starts_with('\'')
            && !hexadecimal_integer
            && text.contains(['.', 'e', 'E', 'p', 'P']);
        match (number.int, number.float) {
            (_, Some(float)) if is_float => Ok(Value::Float(float)),
            (Some(int), _) => Ok(Value::Int(int)),
            _ => Err(self.error(format!("{text} overflows int"))),
        }
    }

    pub(super) fn field_term(
        &mut self,
        dot: &Value,
        term: &'a Term,
        names: &'a [Arc<str>],
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        self.at = At::Term(term);
        self.fields(dot, dot.clone(), (term, names), arguments)
    }

    pub(super) fn chain(
        &mut self,
        dot: &Value,
        chain: (&'a Term, &'a Term, &'a [Arc<str>]),
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        let (term, inner, names) = chain;
        self.at = At::Term(term);
        if let TermKind::Nil = inner.kind {
            return Err(self.error(format!("indirection through explicit nil in {term}")));
        }
        let receiver = self.argument(dot, Type::Any, inner)?;
        self.fields(dot, receiver, (term, names), arguments)
    }

    pub(super) fn variable(
        &mut self,
        dot: &Value,
        term: &'a Term,
        names: &'a [Arc<str>],
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        self.at = At::Term(term);
        let Some((name, fields)) = names.split_first() else {
            return Ok(Value::Nil);
        };
        let Some((_, value)) = self
            .variables
            .iter()
            .rev()
            .find(|(variable, _)| variable == name)
        else {
            return Err(self.error(format!("undefined variable: {name}")));
        };
        let value = value.clone();
        if fields.is_empty() {
            self.not_a_function(term, arguments)?;
            return Ok(value);
        }
        self.fields(dot, value, (term, fields), arguments)
    }

    pub(super) fn function(
        &mut self,
        dot: &Value,
        (term, name): (&'a Term, &'a str),
        call_at: At<'a>,
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        self.at = At::Term(term);
        let template = self.template;
        let Some((function, is_own)) = template.find_function(name) else {
            return Err(self.error(format!("{} is not a defined function", quote(name))));
        };
        let site = Site { name, at: call_at };
        if !is_own && matches!(name, "and" | "or") {
            return self.and_or(dot, site, arguments);
        }
        if !is_own && name == "call" {
            return self.call_value(dot, site, arguments);
        }
        self.call(dot, Callee::Function(function), site, arguments)
    }

    /// Follows `.A.B.C` from a receiver; only the last name can be a method with arguments.
    fn fields(
        &mut self,
        dot: &Value,
        receiver: Value,
        (term, names): (&'a Term, &'a [Arc<str>]),
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        let Some((last, before)) = names.split_last() else {
            return Ok(receiver);
        };
        let mut receiver = receiver;
        for name in before {
            let (value, next) = (
                self.field(dot, &receiver, (term, name), Arguments::NONE)?,
                name,
            );
            receiver = match value {
                Field::Value(Value::Nil) => {
                    let following = names
                        .iter()
                        .skip_while(|name| !Arc::ptr_eq(name, next))
                        .nth(1);
                    let following = following.unwrap_or(last);
                    return Err(
                        self.error(format!("nil pointer evaluating interface {{}}.{following}"))
                    );
                }
                Field::Value(value) => value,
                Field::Absent => Value::Nil,
            };
        }
        match self.field(dot, &receiver, (term, last), arguments)? {
            Field::Value(value) => Ok(value),
            Field::Absent => Ok(Value::Nil),
        }
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        (term, name): (&'a Term, &'a str),
        arguments: Arguments<'a, '_>,
    ) -> Result<Field, Error> {
        self.charge(1)?;
        if matches!(receiver, Value::Nil) {
            if self.template.missing_key == MissingKey::Error {
                return Err(self.error(format!("nil data; no entry for key {}", quote(name))));
            }
            return Ok(Field::Absent);
        }
        if let Some(method) = find_method(receiver, name) {
            let site = Site {
                name,
                at: At::Term(term),
            };
            return self
                .call(dot, Callee::Method(method, receiver), site, arguments)
                .map(Field::Value);
        }
        let found = match receiver {
            Value::Record(record) => record.field(name).cloned(),
            Value::Map(map) => {
                if arguments.are_given() {
                    return Err(self.error(format!("{name} is not a method but has arguments")));
                }
                let zero = map.class().element;
                match (map.entries().get(name), self.template.missing_key) {
                    (Some(value), _) => Some(value.clone()),
                    (None, MissingKey::Zero) => Some(zero.zero()),
                    (None, MissingKey::Invalid) => return Ok(Field::Absent),
                    (None, MissingKey::Error) => {
                        return Err(self.error(format!("map has no entry for key {}", quote(name))));
                    }
                }
            }
            _ => None,
        };
        match found {
            Some(_) if arguments.are_given() => Err(self.error(format!(
                "{name} has arguments but cannot be invoked as function"
            ))),
            Some(value) => Ok(Field::Value(value)),
            None => Err(self.error(format!(
                "can't evaluate field {name} in type {}",
                receiver.type_name()
            ))),
        }
    }
}
