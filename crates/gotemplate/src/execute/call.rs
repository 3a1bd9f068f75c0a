//! Calls functions and methods: counts, evaluates and checks the arguments as Go does.

use super::evaluate::Arguments;
use super::{At, State};
use crate::Error;
use crate::parse::node::{Term, TermKind};
use crate::value::{Function, Method, Signature, Type, Value};

/// What is called.
#[derive(Clone, Copy)]
pub(super) enum Callee<'f> {
    Function(&'f Function),
    Method(&'static Method, &'f Value),
}

impl Callee<'_> {
    fn signature(&self) -> Signature {
        match self {
            Self::Function(function) => function.signature,
            Self::Method(method, _) => method.signature,
        }
    }

    fn run(&self, arguments: &[Value]) -> Result<Value, String> {
        match self {
            Self::Function(function) => function.call(arguments),
            Self::Method(method, receiver) => (method.call)(receiver, arguments),
        }
    }
}

/// Where and under which name something is called, for messages.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) name: &'a str,
    pub(super) at: At<'a>,
}

impl<'a> State<'a> {
    pub(super) fn call(
        &mut self,
        dot: &Value,
        callee: Callee<'_>,
        site: Site<'a>,
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        self.charge(1)?;
        let signature = callee.signature();
        self.check_count(&signature, site.name, arguments)?;
        let values = self.argument_values(dot, &signature, arguments)?;
        let result = callee.run(&values);
        self.called(site, result)
    }

    /// Checks what a call gave.
    fn called(&mut self, site: Site<'a>, result: Result<Value, String>) -> Result<Value, Error> {
        match result {
            Ok(value) => {
                self.charge_value(&value)?;
                Ok(value)
            }
            Err(message) => {
                self.at = site.at;
                Err(self.error(format!("error calling {}: {message}", site.name)))
            }
        }
    }

    fn check_count(
        &self,
        signature: &Signature,
        name: &str,
        arguments: Arguments<'_, '_>,
    ) -> Result<(), Error> {
        let count = arguments.terms.len() + usize::from(arguments.last.is_some());
        let Some(wanted) = signature.refuses_count(count) else {
            return Ok(());
        };
        // Go counts only the written arguments when any number may follow.
        let got = if signature.variadic.is_some() {
            arguments.terms.len()
        } else {
            count
        };
        Err(self.error(format!(
            "wrong number of args for {name}: want {wanted} got {got}"
        )))
    }

    fn argument_values(
        &mut self,
        dot: &Value,
        signature: &Signature,
        arguments: Arguments<'a, '_>,
    ) -> Result<Vec<Value>, Error> {
        let mut values = Vec::with_capacity(arguments.terms.len() + 1);
        for (index, term) in arguments.terms.iter().enumerate() {
            values.push(self.argument(dot, signature.parameter(index), term)?);
        }
        if let Some(last) = arguments.last {
            values.push(self.checked(last.clone(), signature.parameter(values.len()))?);
        }
        Ok(values)
    }

    /// Evaluates an operand that stands for a parameter of a type.
    pub(super) fn argument(
        &mut self,
        dot: &Value,
        wanted: Type,
        term: &'a Term,
    ) -> Result<Value, Error> {
        self.at = At::Term(term);
        let value = match &term.kind {
            TermKind::Dot => dot.clone(),
            TermKind::Nil if wanted.can_be_nil() => Value::Nil,
            TermKind::Nil => {
                return Err(self.error(format!("cannot assign nil to {}", wanted.name())));
            }
            TermKind::Field(names) => self.field_term(dot, term, names, Arguments::NONE)?,
            TermKind::Variable(names) => self.variable(dot, term, names, Arguments::NONE)?,
            TermKind::Pipe(pipe) => self.parenthesised(dot, pipe)?,
            TermKind::Identifier(name) => {
                self.function(dot, (term, name), At::Term(term), Arguments::NONE)?
            }
            TermKind::Chain(inner, names) => {
                self.enter()?;
                let value = self.chain(dot, (term, inner, names), Arguments::NONE)?;
                self.depth -= 1;
                value
            }
            TermKind::Bool(_) | TermKind::Number(_) | TermKind::Str { .. } => {
                return self.literal(wanted, term);
            }
        };
        self.checked(value, wanted)
    }

    /// A constant takes the type that is asked for.
    fn literal(&mut self, wanted: Type, term: &'a Term) -> Result<Value, Error> {
        let expected = match (wanted, &term.kind) {
            (Type::Any, TermKind::Number(number)) => return self.constant(term, number),
            (Type::Any | Type::Bool, TermKind::Bool(value)) => return Ok(Value::Bool(*value)),
            (Type::Any | Type::String, TermKind::Str { text, .. }) => {
                return Ok(Value::Str(text.clone()));
            }
            (Type::Class(class), TermKind::Str { text, .. }) if class.underlying == "string" => {
                return Ok(Value::NamedStr(class, text.clone()));
            }
            (Type::Int, TermKind::Number(number)) if number.int.is_some() => {
                return Ok(Value::Int(number.int.unwrap_or_default()));
            }
            (Type::Float, TermKind::Number(number)) if number.float.is_some() => {
                return Ok(Value::Float(number.float.unwrap_or_default()));
            }
            (Type::Class(class), TermKind::Number(number)) if class.underlying == "int64" => {
                match number.int {
                    Some(int) => return Ok(Value::NamedInt(class, int)),
                    None => "integer",
                }
            }
            (Type::Bool, _) => "bool",
            (Type::String, _) => "string",
            (Type::Int, _) => "integer",
            (Type::Float, _) => "float",
            (Type::Class(class), _) if class.underlying == "int64" => "integer",
            (Type::Class(class), _) if class.underlying == "string" => "string",
            (Type::Any | Type::Class(_), _) => {
                return Err(self.error(format!(
                    "can't handle {term} for arg of type {}",
                    wanted.name()
                )));
            }
        };
        Err(self.error(format!("expected {expected}; found {term}")))
    }

    fn checked(&self, value: Value, wanted: Type) -> Result<Value, Error> {
        if wanted.accepts(&value) {
            return Ok(value);
        }
        Err(self.error(match &value {
            Value::Nil => format!("invalid value; expected {}", wanted.name()),
            value => format!(
                "wrong type for value; expected {}; got {}",
                wanted.name(),
                value.type_name()
            ),
        }))
    }

    /// `and` and `or` evaluate only as many arguments as decide the result.
    pub(super) fn and_or(
        &mut self,
        dot: &Value,
        site: Site<'a>,
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        self.charge(1)?;
        self.check_count(
            &Signature::variadic(&[Type::Any], Type::Any),
            site.name,
            arguments,
        )?;
        let mut value = Value::Nil;
        for term in arguments.terms {
            value = self.argument(dot, Type::Any, term)?;
            if value.is_true() == (site.name == "or") {
                return Ok(value);
            }
        }
        Ok(arguments.last.cloned().unwrap_or(value))
    }

    /// `call`: the first argument is the function.
    pub(super) fn call_value(
        &mut self,
        dot: &Value,
        site: Site<'a>,
        arguments: Arguments<'a, '_>,
    ) -> Result<Value, Error> {
        let signature = Signature::variadic(&[Type::Any], Type::Any);
        self.check_count(&signature, site.name, arguments)?;
        let name = arguments
            .terms
            .first()
            .map_or_else(String::new, ToString::to_string);
        let values = self.argument_values(dot, &signature, arguments)?;
        let result = call_first(&name, &values);
        self.called(site, result)
    }
}

fn call_first(name: &str, values: &[Value]) -> Result<Value, String> {
    let function = match values.first() {
        Some(Value::Func(function)) => function,
        None | Some(Value::Nil) => return Err("call of nil".into()),
        Some(other) => return Err(format!("non-function {name} of type {}", other.type_name())),
    };
    let arguments = values.get(1..).unwrap_or(&[]);
    if let Some(wanted) = function.signature.refuses_count(arguments.len()) {
        return Err(format!(
            "wrong number of args for {name}: got {} want {wanted}",
            arguments.len()
        ));
    }
    for (index, argument) in arguments.iter().enumerate() {
        let wanted = function.signature.parameter(index);
        if wanted.accepts(argument) {
            continue;
        }
        return Err(match argument {
            Value::Nil => format!(
                "arg {index}: value is nil; should be of type {}",
                wanted.name()
            ),
            other => format!(
                "arg {index}: value has type {}; should be {}",
                other.type_name(),
                wanted.name()
            ),
        });
    }
    function.call(arguments)
}
