//! Walks a parsed template and writes its output.
//!
//! The state remembers the node it is at, because Go's messages name it. Every walked node, call and
//! produced value is charged against the limits.

mod call;
mod evaluate;

use std::fmt::Display;
use std::sync::Arc;

use crate::Error;
use crate::format;
use crate::parse::Trees;
use crate::parse::node::{Branch, Command, Node, Pipe, TemplateCall, Term, Tree};
use crate::template::{DEPTH_MAX, Limits, Template};
use crate::value::Value;

/// Collections inside each other that a template may build.
const VALUE_DEPTH_MAX: usize = 100;
/// Bytes of a produced value that cost one step.
const BYTES_PER_STEP: usize = 256;

/// Executes `name`, which exists in `trees`.
pub(crate) fn execute(
    template: &Template,
    trees: &Trees,
    name: &str,
    data: &Value,
    limits: &Limits,
) -> Result<String, Error> {
    let Some((name, tree)) = trees.get_key_value(name) else {
        return Err(Error::Incomplete { name: name.into() });
    };
    let mut state = State {
        template,
        trees,
        limits,
        name,
        tree,
        at: At::Start,
        variables: vec![(Arc::from("$"), data.clone())],
        out: String::new(),
        steps: 0,
        depth: 0,
    };
    state.list(data, &tree.root)?;
    Ok(state.out)
}

/// Where execution stands.
#[derive(Clone, Copy)]
enum At<'a> {
    Start,
    Action(usize, &'a Pipe),
    Range(&'a Branch),
    Template(&'a TemplateCall),
    Pipe(&'a Pipe),
    Command(&'a Command),
    Term(&'a Term),
}

/// What a node asks of the loop around it.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct State<'a> {
    template: &'a Template,
    trees: &'a Trees,
    limits: &'a Limits,
    name: &'a Arc<str>,
    tree: &'a Tree,
    at: At<'a>,
    variables: Vec<(Arc<str>, Value)>,
    out: String,
    steps: usize,
    depth: usize,
}

impl<'a> State<'a> {
    /// Makes the error for the node the state is at.
    fn error(&self, message: impl Display) -> Error {
        let (position, node) = match self.at {
            At::Start => (0, String::new()),
            At::Action(position, pipe) => (position, format!("{{{{{pipe}}}}}")),
            At::Range(branch) => (branch.position, format!("{{{{range {}}}}}", branch.pipe)),
            At::Template(call) => (call.position, call.to_string()),
            At::Pipe(pipe) => (pipe.position, pipe.to_string()),
            At::Command(command) => (
                command.arguments.first().map_or(0, |term| term.position),
                command.to_string(),
            ),
            At::Term(term) => (term.position, term.to_string()),
        };
        Error::Execute {
            location: self.tree.location(position),
            template: self.name.to_string(),
            node,
            message: message.to_string(),
        }
    }

    fn charge(&mut self, steps: usize) -> Result<(), Error> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.limits.steps_max {
            return Err(self.error(format!(
                "exceeded the limit of {} steps",
                self.limits.steps_max
            )));
        }
        Ok(())
    }

    /// Charges a value that a function made, and refuses one that is nested too deeply.
    fn charge_value(&mut self, value: &Value) -> Result<(), Error> {
        if value.depth() > VALUE_DEPTH_MAX {
            return Err(self.error(format!("value of more than {VALUE_DEPTH_MAX} levels")));
        }
        self.charge(1 + value.shallow_size() / BYTES_PER_STEP)
    }

    fn enter(&mut self) -> Result<(), Error> {
        let depth_max = self.limits.depth_max.min(DEPTH_MAX);
        if self.depth >= depth_max {
            return Err(self.error(format!("exceeded maximum template depth ({depth_max})")));
        }
        self.depth += 1;
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        if self.out.len() + text.len() > self.limits.output_bytes_max {
            return Err(self.error(format!(
                "output of more than {} bytes",
                self.limits.output_bytes_max
            )));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn list(&mut self, dot: &Value, nodes: &'a [Node]) -> Result<Flow, Error> {
        for node in nodes {
            let flow = self.walk(dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn walk(&mut self, dot: &Value, node: &'a Node) -> Result<Flow, Error> {
        self.charge(1)?;
        match node {
            Node::Text { text, .. } => self.write(text)?,
            Node::Action { position, pipe } => self.action(dot, *position, pipe)?,
            Node::If(branch) => return self.condition(dot, branch, false),
            Node::With(branch) => return self.condition(dot, branch, true),
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template(call) => self.template_call(dot, call)?,
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn action(&mut self, dot: &Value, position: usize, pipe: &'a Pipe) -> Result<(), Error> {
        self.at = At::Action(position, pipe);
        let value = self.pipeline(dot, pipe)?;
        if !pipe.variables.is_empty() {
            return Ok(());
        }
        self.at = At::Action(position, pipe);
        match &value {
            Value::Nil => self.write("<no value>"),
            Value::Str(text) => self.write(text),
            Value::Func(_) => Err(self.error(format!(
                "can't print {{{{{pipe}}}}} of type {}",
                value.type_name()
            ))),
            value => {
                let text = format::display(value).map_err(|message| self.error(message))?;
                self.write(&text)
            }
        }
    }

    fn condition(
        &mut self,
        dot: &Value,
        branch: &'a Branch,
        sets_dot: bool,
    ) -> Result<Flow, Error> {
        let mark = self.variables.len();
        self.enter()?;
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = match &branch.else_list {
            _ if value.is_true() => self.list(if sets_dot { &value } else { dot }, &branch.list)?,
            Some(list) => self.list(dot, list)?,
            None => Flow::Next,
        };
        self.depth -= 1;
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, dot: &Value, branch: &'a Branch) -> Result<Flow, Error> {
        self.at = At::Range(branch);
        let mark = self.variables.len();
        self.enter()?;
        let value = self.pipeline(dot, &branch.pipe)?;
        let body = self.variables.len();
        let mut ran = false;
        let mut flow = Flow::Next;
        let rounds = self.rounds(&value, branch)?;
        for (index, element) in rounds {
            ran = true;
            self.charge(1)?;
            self.set_range_variables(branch, index, &element)?;
            let inner = self.list(&element, &branch.list)?;
            self.variables.truncate(body);
            if inner == Flow::Break {
                break;
            }
        }
        if !ran && let Some(list) = &branch.else_list {
            flow = self.list(dot, list)?;
        }
        self.depth -= 1;
        self.variables.truncate(mark);
        Ok(flow)
    }

    /// Returns an iterator over index or key and element.
    fn rounds(
        &self,
        value: &Value,
        branch: &'a Branch,
    ) -> Result<Box<dyn Iterator<Item = (Value, Value)>>, Error> {
        match value.clone() {
            Value::Nil => Ok(Box::new(std::iter::empty())),
            Value::Int(count) | Value::NamedInt(_, count) => {
                if branch.pipe.variables.len() > 1 {
                    return Err(self.error(format!(
                        "can't use {count} to iterate over more than one variable"
                    )));
                }
                Ok(Box::new(
                    (0..count).map(|index| (Value::Nil, Value::Int(index))),
                ))
            }
            Value::List(list) => {
                let mut index = 0_i64;
                let mut position = 0;
                Ok(Box::new(std::iter::from_fn(move || {
                    let item = list.items().get(position)?.clone();
                    let round = (Value::Int(index), item);
                    position += 1;
                    index += 1;
                    Some(round)
                })))
            }
            Value::Map(map) => {
                let entries = map.entries().clone();
                Ok(Box::new(
                    entries
                        .into_iter()
                        .map(|(key, value)| (Value::Str(key), value)),
                ))
            }
            other => {
                let text = format::print(&[other]).map_err(|message| self.error(message))?;
                Err(self.error(format!("range can't iterate over {text}")))
            }
        }
    }

    fn set_range_variables(
        &mut self,
        branch: &'a Branch,
        index: Value,
        element: &Value,
    ) -> Result<(), Error> {
        let names = &branch.pipe.variables;
        if branch.pipe.is_assignment {
            if let [index_name, element_name] = names.as_slice() {
                self.set_variable(index_name, index)?;
                return self.set_variable(element_name, element.clone());
            }
            return names
                .first()
                .map_or(Ok(()), |name| self.set_variable(name, element.clone()));
        }
        // The pipeline declared the variables; they lie on top of the stack.
        let top = self.variables.len();
        if !names.is_empty()
            && let Some(slot) = self.variables.get_mut(top - 1)
        {
            slot.1 = element.clone();
        }
        if names.len() > 1
            && let Some(slot) = self.variables.get_mut(top - 2)
        {
            slot.1 = index;
        }
        Ok(())
    }

    fn set_variable(&mut self, name: &str, value: Value) -> Result<(), Error> {
        match self
            .variables
            .iter_mut()
            .rev()
            .find(|(variable, _)| **variable == *name)
        {
            Some(slot) => slot.1 = value,
            None => return Err(self.error(format!("undefined variable: {name}"))),
        }
        Ok(())
    }

    fn template_call(&mut self, dot: &Value, call: &'a TemplateCall) -> Result<(), Error> {
        self.at = At::Template(call);
        let Some((name, tree)) = self.trees.get_key_value(&call.name) else {
            return Err(self.error(format!(
                "template {} not defined",
                format::quote(&call.name)
            )));
        };
        self.enter()?;
        let dot = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Nil,
        };
        // The called template sees none of our variables.
        let (old_name, old_tree) = (self.name, self.tree);
        let variables = std::mem::replace(&mut self.variables, vec![(Arc::from("$"), dot.clone())]);
        self.name = name;
        self.tree = tree;
        self.list(&dot, &tree.root)?;
        self.variables = variables;
        self.name = old_name;
        self.tree = old_tree;
        self.at = At::Template(call);
        self.depth -= 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
