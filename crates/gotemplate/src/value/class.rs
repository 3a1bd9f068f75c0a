//! Types, their methods, and functions with checked parameters.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Value;

/// A Go type with a name or methods. Always a `static`.
#[derive(Debug)]
pub struct Class {
    /// Name as `%T` and messages show it; a leading `*` marks a pointer to a struct.
    pub name: &'static str,
    /// Name of the unnamed type of the same shape; a value of either passes where the other is asked for.
    pub underlying: &'static str,
    /// Type of the elements of a list or map: decides what a missing key yields.
    pub element: Type,
    /// Methods by name; a function, so that methods can take arguments of their own class.
    pub methods: fn() -> &'static [Method],
}

impl Class {
    /// Returns the class of a string type without methods.
    pub const fn named_string(name: &'static str) -> Self {
        Self {
            name,
            underlying: "string",
            element: Type::Any,
            methods: no_methods,
        }
    }

    /// Returns the class of a struct.
    pub const fn structure(name: &'static str, methods: fn() -> &'static [Method]) -> Self {
        Self {
            name,
            underlying: name,
            element: Type::Any,
            methods,
        }
    }

    /// Reports whether a value of this class may stand where `wanted` is asked for.
    fn passes_as(&self, wanted: &Self) -> bool {
        let unnamed = self.name == self.underlying || wanted.name == wanted.underlying;
        self.name == wanted.name || (unnamed && self.underlying == wanted.underlying)
    }
}

/// The methods of a class that has none.
pub fn no_methods() -> &'static [Method] {
    &[]
}

/// A method: a function with a receiver.
#[derive(Debug)]
pub struct Method {
    /// Name, with a capital as in Go.
    pub name: &'static str,
    /// Parameters beside the receiver.
    pub signature: Signature,
    /// The function; arguments have been checked against the signature.
    pub call: fn(&Value, &[Value]) -> Result<Value, String>,
}

/// The type of a parameter or element.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// Anything, also nil.
    Any,
    /// bool
    Bool,
    /// int
    Int,
    /// float64
    Float,
    /// string
    String,
    /// A class.
    Class(&'static Class),
}

impl Type {
    /// Go's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float64",
            Self::String => "string",
            Self::Class(class) => class.name,
        }
    }

    /// The zero value: what a missing key yields.
    pub fn zero(self) -> Value {
        match self {
            Self::Any | Self::Class(_) => Value::Nil,
            Self::Bool => Value::Bool(false),
            Self::Int => Value::Int(0),
            Self::Float => Value::Float(0.0),
            Self::String => Value::str(""),
        }
    }

    /// Reports whether nil can stand for a value of the type.
    pub(crate) fn can_be_nil(self) -> bool {
        match self {
            Self::Any => true,
            Self::Class(class) => {
                class.name.starts_with('*')
                    || class.underlying.starts_with("[]")
                    || class.underlying.starts_with("map[")
            }
            Self::Bool | Self::Int | Self::Float | Self::String => false,
        }
    }

    /// Reports whether `value` can be passed for a parameter of the type.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::Bool, Value::Bool(_))
            | (Self::Int, Value::Int(_))
            | (Self::Float, Value::Float(_))
            | (Self::String, Value::Str(_)) => true,
            (wanted, Value::Nil) => wanted.can_be_nil(),
            (Self::Class(wanted), value) => {
                value.class().is_some_and(|class| class.passes_as(wanted))
            }
            _ => false,
        }
    }
}

/// The parameters of a function.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// Types of the parameters that must be there.
    pub fixed: &'static [Type],
    /// Type of any number of further arguments.
    pub variadic: Option<Type>,
}

impl Signature {
    /// Returns the signature of a function with exactly these parameters.
    pub const fn of(fixed: &'static [Type]) -> Self {
        Self {
            fixed,
            variadic: None,
        }
    }

    /// Returns the signature of a function with these parameters and any number of `rest`.
    pub const fn variadic(fixed: &'static [Type], rest: Type) -> Self {
        Self {
            fixed,
            variadic: Some(rest),
        }
    }

    /// The type of parameter `index`.
    pub(crate) fn parameter(&self, index: usize) -> Type {
        self.fixed
            .get(index)
            .copied()
            .or(self.variadic)
            .unwrap_or(Type::Any)
    }

    /// Says how many arguments are wanted, if it is not `count`: `2` or `at least 1`.
    pub(crate) fn refuses_count(&self, count: usize) -> Option<String> {
        let fixed = self.fixed.len();
        match self.variadic {
            Some(_) => (count < fixed).then(|| format!("at least {fixed}")),
            None => (count != fixed).then(|| fixed.to_string()),
        }
    }
}

type Body = dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync;

/// A function that templates can call: a closure and its parameters.
#[derive(Clone)]
pub struct Function {
    /// Its parameters; calls are checked against them.
    pub signature: Signature,
    body: Arc<Body>,
}

impl Function {
    /// Makes a function. The body's error text appears after `error calling NAME: `.
    pub fn new(
        signature: Signature,
        body: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            signature,
            body: Arc::new(body),
        }
    }

    /// Runs the body; arguments must fit the signature.
    pub(crate) fn call(&self, arguments: &[Value]) -> Result<Value, String> {
        (self.body)(arguments)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({:?})", self.signature)
    }
}

/// Functions by the name under which templates call them.
#[derive(Debug, Clone, Default)]
pub struct FunctionMap(BTreeMap<&'static str, Function>);

impl FunctionMap {
    /// Returns an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function, replacing one of the same name.
    pub fn insert(
        &mut self,
        name: &'static str,
        signature: Signature,
        body: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) {
        self.0.insert(name, Function::new(signature, body));
    }

    /// Adds all functions of `other`, which win over those of the same name.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(
            other
                .0
                .iter()
                .map(|(name, function)| (*name, function.clone())),
        );
    }

    /// Returns the function of this name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(name)
    }

    /// Returns the names in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// Finds a method of the value's class.
pub(crate) fn find_method(value: &Value, name: &str) -> Option<&'static Method> {
    (value.class()?.methods)()
        .iter()
        .find(|method| method.name == name)
}

/// Calls a method without arguments that the class may have.
pub(crate) fn call_method(value: &Value, name: &str) -> Option<Value> {
    (find_method(value, name)?.call)(value, &[]).ok()
}
