//! Rewrites templates so that every action escapes for its context.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::{Context, JsCtx, State, UrlPart};
use super::pipeline::{add_escapers, escapers};
use super::text::escape_text;
use crate::Error;
use crate::format::quote;
use crate::parse::Trees;
use crate::parse::node::{Branch, Node, TemplateCall, Tree};
use crate::template::Template;

/// Lists of nodes inside each other, also through calls; deeper nesting cannot be executed anyway.
const DEPTH_MAX: usize = 160;
/// Nodes looked at: a loop's body is escaped twice, so loops inside each other cost exponentially.
const NODES_MAX: usize = 200_000;

/// Returns rewritten trees for `name` and all that it calls, and the name to execute.
pub(crate) fn escape(template: &Template, name: &str) -> Result<(Trees, Arc<str>), Error> {
    let mut escaper = Escaper {
        source: &template.trees,
        found: Found::default(),
        loops: Vec::new(),
        depth: 0,
        nodes: 0,
    };
    let at_end = |failure: Failure| Error::Escape {
        location: failure.location.unwrap_or_else(|| name.to_owned()),
        message: failure.message,
    };
    let (context, name_in_context) = escaper.call(Context::text(), name, None).map_err(at_end)?;
    if context.state != State::Text {
        let message = format!("ends in a non-text context: {context}");
        return Err(Error::Escape {
            location: name.into(),
            message,
        });
    }
    Ok((escaper.found.trees, name_in_context))
}

/// Why escaping failed; without location the name of the executed template stands there.
#[derive(Debug)]
struct Failure {
    location: Option<String>,
    message: String,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self {
            location: None,
            message,
        }
    }
}

/// What is known about templates so far, under the names that tell their context.
#[derive(Debug, Clone, Default)]
struct Found {
    /// Context after each.
    outputs: BTreeMap<Arc<str>, Context>,
    /// Rewritten trees.
    trees: Trees,
    called: BTreeSet<Arc<str>>,
}

/// Contexts at the jumps of a loop, with the word and position of each.
type Jumps = Vec<(Context, &'static str, usize)>;

struct Escaper<'a> {
    source: &'a Trees,
    found: Found,
    loops: Vec<Jumps>,
    depth: usize,
    nodes: usize,
}

impl Escaper<'_> {
    /// Escapes template `name` as called in `context`; returns the context after it and its name there.
    fn call(
        &mut self,
        context: Context,
        name: &str,
        from: Option<(&Tree, usize)>,
    ) -> Result<(Context, Arc<str>), Failure> {
        let mangled: Arc<str> = Arc::from(context.mangle(name));
        self.found.called.insert(mangled.clone());
        if let Some(output) = self.found.outputs.get(&mangled) {
            return Ok((output.clone(), mangled));
        }
        let location = from.map(|(tree, position)| tree.location(position));
        let Some(tree) = self.source.get(name).cloned() else {
            return Err(Failure {
                location,
                message: format!("no such template {}", quote(name)),
            });
        };
        // A call takes more of our stack than a branch, so it counts twice.
        self.depth += 1;
        let output = self.output(context, &mangled, &tree)?;
        self.depth -= 1;
        Ok((output, mangled))
    }

    /// Finds the context after a template; a recursive one needs a guess that turns out right.
    fn output(
        &mut self,
        context: Context,
        name: &Arc<str>,
        tree: &Arc<Tree>,
    ) -> Result<Context, Failure> {
        let (guess, ok) = self.body(context, None, name, tree)?;
        if ok {
            return Ok(guess);
        }
        // As in Go the second attempt begins where the first ended.
        let (second, ok) = self.body(guess.clone(), Some(guess), name, tree)?;
        if ok {
            return Ok(second);
        }
        let first = tree.root.first().map_or(0, position_of);
        let message = format!("cannot compute output context for template {name}");
        Err(Failure {
            location: Some(tree.location(first)),
            message,
        })
    }

    /// Escapes a template's body, assuming that calls of itself leave the context `assumed`.
    fn body(
        &mut self,
        context: Context,
        assumed: Option<Context>,
        name: &Arc<str>,
        tree: &Arc<Tree>,
    ) -> Result<(Context, bool), Failure> {
        let assumed = assumed.unwrap_or_else(|| context.clone());
        self.found.outputs.insert(name.clone(), assumed.clone());
        let before = self.found.clone();
        self.found.called.clear();
        let loops = std::mem::take(&mut self.loops);
        let (after, root) = self.list(context, tree, &tree.root)?;
        self.loops = loops;
        if self.found.called.contains(name) && assumed != after {
            self.found = before;
            return Ok((after, false));
        }
        self.found.called.extend(before.called);
        self.found.outputs.insert(name.clone(), after.clone());
        let rewritten = Tree {
            parse_name: tree.parse_name.clone(),
            text: tree.text.clone(),
            root,
        };
        self.found.trees.insert(name.clone(), Arc::new(rewritten));
        Ok((after, true))
    }

    fn list(
        &mut self,
        context: Context,
        tree: &Tree,
        nodes: &[Node],
    ) -> Result<(Context, Vec<Node>), Failure> {
        self.nodes += nodes.len();
        if self.depth >= DEPTH_MAX || self.nodes > NODES_MAX {
            return Err(Failure::from("too deeply nested to be escaped".to_owned()));
        }
        self.depth += 1;
        let mut context = context;
        let mut out = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let (next, node) = self.node(context, tree, node)?;
            out.push(node);
            context = next;
            if context.state == State::Dead {
                // Nothing after a jump is executed.
                out.extend(nodes.iter().skip(index + 1).cloned());
                break;
            }
        }
        self.depth -= 1;
        Ok((context, out))
    }

    fn node(
        &mut self,
        context: Context,
        tree: &Tree,
        node: &Node,
    ) -> Result<(Context, Node), Failure> {
        Ok(match node {
            Node::Text { position, text } => {
                let (context, text) = escape_text(context, text)?;
                (
                    context,
                    Node::Text {
                        position: *position,
                        text: Arc::from(text),
                    },
                )
            }
            Node::Action { pipe, .. } if !pipe.variables.is_empty() => (context, node.clone()),
            Node::Action { position, pipe } => {
                let failure = |message| Failure {
                    location: Some(tree.location(*position)),
                    message,
                };
                let (context, names) = escapers(context, pipe).map_err(failure)?;
                let mut pipe = pipe.clone();
                add_escapers(&mut pipe, &names);
                (
                    context,
                    Node::Action {
                        position: *position,
                        pipe,
                    },
                )
            }
            Node::If(branch) => {
                let (context, branch) = self.branch(context, tree, branch, "if")?;
                (context, Node::If(branch))
            }
            Node::With(branch) => {
                let (context, branch) = self.branch(context, tree, branch, "with")?;
                (context, Node::With(branch))
            }
            Node::Range(branch) => {
                let (context, branch) = self.branch(context, tree, branch, "range")?;
                (context, Node::Range(branch))
            }
            Node::Template(call) => {
                let (context, name) =
                    self.call(context, &call.name, Some((tree, call.position)))?;
                (
                    context,
                    Node::Template(TemplateCall {
                        name,
                        ..call.clone()
                    }),
                )
            }
            Node::Break { position } => (self.jump(context, "break", *position), node.clone()),
            Node::Continue { position } => {
                (self.jump(context, "continue", *position), node.clone())
            }
        })
    }

    fn jump(&mut self, context: Context, word: &'static str, position: usize) -> Context {
        if let Some(jumps) = self.loops.last_mut() {
            jumps.push((context.clone(), word, position));
        }
        Context {
            state: State::Dead,
            ..context
        }
    }

    fn branch(
        &mut self,
        context: Context,
        tree: &Tree,
        branch: &Branch,
        word: &str,
    ) -> Result<(Context, Branch), Failure> {
        let failure = |message| Failure {
            location: Some(tree.location(branch.position)),
            message,
        };
        let (mut after, list) = if word == "range" {
            self.looped(context.clone(), tree, branch)?
        } else {
            self.list(context.clone(), tree, &branch.list)?
        };
        let mut else_list = None;
        let mut after_else = context.clone();
        if let Some(nodes) = &branch.else_list {
            let (context, nodes) = self.list(context, tree, nodes)?;
            after_else = context;
            else_list = Some(nodes);
        }
        after = join(after, after_else, word).map_err(failure)?;
        Ok((
            after,
            Branch {
                list,
                else_list,
                ..branch.clone()
            },
        ))
    }

    /// Escapes a loop's body and checks that a second round, too, ends where the first did.
    fn looped(
        &mut self,
        context: Context,
        tree: &Tree,
        branch: &Branch,
    ) -> Result<(Context, Vec<Node>), Failure> {
        let (after, list) = self.round(context, tree, branch)?;
        let before = self.found.clone();
        let again = self.round(after.clone(), tree, branch);
        self.found = before;
        let again = match again {
            Ok((again, _)) => join(after, again, "range").map_err(|message| Failure {
                location: Some(tree.location(branch.position)),
                message,
            }),
            Err(failure) => Err(failure),
        };
        let line = || format!("{}:{}", tree.parse_name, tree.line(branch.position));
        let again = again.map_err(|failure| Failure {
            location: failure.location.or_else(|| Some(line())),
            message: format!("on range loop re-entry: {}", failure.message),
        })?;
        Ok((again, list))
    }

    fn round(
        &mut self,
        context: Context,
        tree: &Tree,
        branch: &Branch,
    ) -> Result<(Context, Vec<Node>), Failure> {
        self.loops.push(Vec::new());
        let result = self.list(context, tree, &branch.list);
        let jumps = self.loops.pop().unwrap_or_default();
        let (mut after, list) = result?;
        for (context, word, position) in jumps {
            after = join(after, context, "range").map_err(|message| Failure {
                location: Some(tree.location(position)),
                message: format!("at range loop {word}: {message}"),
            })?;
        }
        Ok((after, list))
    }
}

fn position_of(node: &Node) -> usize {
    match node {
        Node::Text { position, .. }
        | Node::Action { position, .. }
        | Node::Break { position }
        | Node::Continue { position } => *position,
        Node::If(branch) | Node::Range(branch) | Node::With(branch) => branch.position,
        Node::Template(call) => call.position,
    }
}

/// The context after two branches, which must agree but for what can be told later.
fn join(left: Context, right: Context, word: &str) -> Result<Context, String> {
    if left.state == State::Dead {
        return Ok(right);
    }
    if right.state == State::Dead || left == right {
        return Ok(left);
    }
    let with_url_part = Context {
        url_part: right.url_part,
        ..left.clone()
    };
    if with_url_part == right {
        return Ok(Context {
            url_part: UrlPart::Unknown,
            ..left
        });
    }
    let with_js_ctx = Context {
        js_ctx: right.js_ctx,
        ..left.clone()
    };
    if with_js_ctx == right {
        return Ok(Context {
            js_ctx: JsCtx::Unknown,
            ..left
        });
    }
    let (nudged_left, nudged_right) = (left.clone().nudge(), right.clone().nudge());
    if (nudged_left != left || nudged_right != right)
        && let Ok(joined) = join(nudged_left, nudged_right, word)
    {
        return Ok(joined);
    }
    Err(format!(
        "{{{{{word}}}}} branches end in different contexts: {left}, {right}"
    ))
}
