//! The set of templates that a caller holds.

use std::sync::Arc;

use crate::Error;
use crate::builtins;
use crate::execute;
use crate::html;
use crate::parse::{self, Trees};
use crate::value::{Function, FunctionMap, Value};

/// Largest text that is parsed; Alertmanager's own templates have some 30 KiB.
const TEMPLATE_BYTES_MAX: usize = 4 << 20;

/// Deepest nesting that an execution can have: in an unoptimised build it takes some 1.2 of a thread's usual 2 MiB of stack.
pub const DEPTH_MAX: usize = 200;

/// What an execution may use before it is stopped with an error.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nodes walked and functions called; making a large value costs more than one step.
    pub steps_max: usize,
    /// Size of the result.
    pub output_bytes_max: usize,
    /// Templates, control structures and parentheses inside each other; at most [`DEPTH_MAX`] whatever stands here.
    pub depth_max: usize,
}

impl Default for Limits {
    /// A million steps take about a second; a notification of more than 8 MiB fits no receiver.
    fn default() -> Self {
        Self {
            steps_max: 1_000_000,
            output_bytes_max: 8 << 20,
            depth_max: DEPTH_MAX,
        }
    }
}

/// What a field that a map does not have yields: Go's option `missingkey`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value.
    #[default]
    Invalid,
    /// The zero value of the map's elements. Prometheus and Alertmanager set this.
    Zero,
    /// An error.
    Error,
}

/// A set of templates by name, with the functions that they call.
///
/// Copying one is cheap, so that a text can be added for a single execution.
#[derive(Debug, Clone, Default)]
pub struct Template {
    name: Arc<str>,
    pub(crate) functions: FunctionMap,
    pub(crate) missing_key: MissingKey,
    pub(crate) trees: Trees,
}

impl Template {
    /// Makes an empty set; `name` is the name of the text given to [`Template::parse`].
    pub fn new(name: &str) -> Self {
        Self {
            name: Arc::from(name),
            ..Self::default()
        }
    }

    /// Adds functions. Those that a text names must be there before it is parsed; they may be replaced later.
    #[must_use]
    pub fn functions(mut self, functions: &FunctionMap) -> Self {
        self.functions.extend(functions);
        self
    }

    /// Sets what a missing key yields.
    #[must_use]
    pub fn missing_key(mut self, missing_key: MissingKey) -> Self {
        self.missing_key = missing_key;
        self
    }

    /// Parses a text as the template that has the set's name.
    pub fn parse(&mut self, text: &str) -> Result<(), Error> {
        let name = self.name.clone();
        self.parse_named(&name, text)
    }

    /// Parses a text as template `name` and adds the templates that it defines.
    ///
    /// A later definition replaces an earlier one, unless it is empty. After an error the set is as before.
    pub fn parse_named(&mut self, name: &str, text: &str) -> Result<(), Error> {
        if text.len() > TEMPLATE_BYTES_MAX {
            let (bytes, bytes_max) = (text.len(), TEMPLATE_BYTES_MAX);
            return Err(Error::TooLarge {
                name: name.into(),
                bytes,
                bytes_max,
            });
        }
        let mut parsed = Trees::new();
        let is_function = |function: &str| self.find_function(function).is_some();
        parse::parse((name, name), text, &is_function, &mut parsed)?;
        for (name, tree) in parsed {
            if !tree.is_empty() || !self.trees.contains_key(&name) {
                self.trees.insert(name, tree);
            }
        }
        Ok(())
    }

    /// Reports whether a template of this name has been parsed.
    pub fn lookup(&self, name: &str) -> bool {
        self.trees.contains_key(name)
    }

    /// Returns the names of all templates in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.trees.keys().map(|name| &**name)
    }

    /// Executes the template `name` on `data` as text.
    pub fn execute(&self, name: &str, data: &Value, limits: &Limits) -> Result<String, Error> {
        self.check_exists(name)?;
        execute::execute(self, &self.trees, name, data, limits)
    }

    /// Executes the template `name` on `data` as HTML: what actions print is escaped for the place where it stands.
    pub fn execute_html(&self, name: &str, data: &Value, limits: &Limits) -> Result<String, Error> {
        self.check_exists(name)?;
        let (trees, name) = html::escape(self, name)?;
        execute::execute(self, &trees, &name, data, limits)
    }

    fn check_exists(&self, name: &str) -> Result<(), Error> {
        if self.lookup(name) {
            return Ok(());
        }
        if *self.name == *name {
            return Err(Error::Incomplete { name: name.into() });
        }
        Err(Error::NoTemplate {
            name: name.into(),
            set: (*self.name).into(),
        })
    }

    /// Finds a function of the caller's, a built-in one, or an escaper; the flag tells the caller's.
    pub(crate) fn find_function(&self, name: &str) -> Option<(&Function, bool)> {
        if let Some(function) = self.functions.get(name) {
            return Some((function, true));
        }
        builtins::TABLE
            .get(name)
            .or_else(|| html::ESCAPERS.get(name))
            .map(|function| (function, false))
    }
}

#[cfg(test)]
mod tests;
