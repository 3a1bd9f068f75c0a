//! A YAML file as a tree in which every node knows its place.
//!
//! Reads YAML 1.2 through `saphyr-parser`, with what files for Go programs rely on: merge keys (`<<`) and
//! the old booleans (`yes`, `on`) where a boolean is decoded. Limits: depth, nodes after
//! aliases are expanded, bytes. Duplicate keys are mistakes.

use crate::problem::Problems;
use base64::Engine as _;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::BTreeMap;

/// Bytes of a file at most.
const BYTES_MAX: usize = 16 << 20;
/// Nesting at most.
const DEPTH_MAX: usize = 100;
/// Nodes at most, each expansion of an alias counted.
const NODES_MAX: usize = 1_000_000;

/// A place in a file; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it begins.
    pub position: Position,
}

/// The kinds of values.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar as written; numbers and booleans are told apart when decoded.
    Scalar {
        /// The text without its quotes.
        text: String,
        /// Whether it stood in quotes or a block, and so is a text whatever it looks like.
        quoted: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the file, merge keys resolved.
    Mapping(Vec<(Node, Node)>),
}

impl NodeKind {
    /// What to call it in a message.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar { .. } => "a plain value",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// Whether there is no value.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        }
    }

    /// The value of a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            NodeKind::Mapping(pairs) => pairs
                .iter()
                .find(|(name, _)| name.text() == Some(key))
                .map(|(_, value)| value),
            NodeKind::Null | NodeKind::Scalar { .. } | NodeKind::Sequence(_) => None,
        }
    }

    /// The elements of a list, none for anything else.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match &self.kind {
            NodeKind::Sequence(elements) => elements,
            NodeKind::Null | NodeKind::Scalar { .. } | NodeKind::Mapping(_) => &[],
        }
    }
}

/// One YAML document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its value; `Null` for an empty file.
    pub root: Node,
}

/// Reads the documents of a file. The file's name is taken from `problems`; mistakes go there.
/// `None` where the file cannot be read as YAML at all.
pub fn parse(text: &str, problems: &mut Problems) -> Option<Vec<Document>> {
    if text.len() > BYTES_MAX {
        problems.add(
            Position { line: 1, column: 1 },
            format!("file is larger than {BYTES_MAX} bytes"),
        );
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        problems,
        anchors: BTreeMap::new(),
        nodes_left: NODES_MAX,
    };
    builder.read(text)
}

/// Reads a file that holds a single document; further documents are mistakes. An empty file is `Null`.
pub fn parse_single(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut documents = parse(text, problems)?.into_iter();
    let first = documents.next();
    if let Some(second) = documents.next() {
        problems.add(second.root.position, "only one YAML document is expected");
    }
    let nothing = Node {
        kind: NodeKind::Null,
        position: Position { line: 1, column: 1 },
    };
    Some(first.map_or(nothing, |document| document.root))
}

/// A list or mapping that is not finished.
struct Open {
    anchor: usize,
    position: Position,
    is_mapping: bool,
    children: Vec<Node>,
}

struct Builder<'p> {
    problems: &'p mut Problems,
    /// Finished anchored nodes with the number of nodes in them.
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes_left: usize,
}

impl Builder<'_> {
    fn read(&mut self, text: &str) -> Option<Vec<Document>> {
        let mut documents = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str(text) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    let position = position(error.marker());
                    self.problems
                        .add(position, format!("not valid YAML: {}", error.info()));
                    return None;
                }
            };
            let at = position(&span.start);
            let finished = match event {
                Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                    if open.len() == DEPTH_MAX {
                        self.problems
                            .add(at, format!("nested deeper than {DEPTH_MAX} levels"));
                        return None;
                    }
                    let is_mapping = matches!(event, Event::MappingStart(..));
                    open.push(Open {
                        anchor,
                        position: at,
                        is_mapping,
                        children: Vec::new(),
                    });
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let closed = open.pop()?;
                    let anchor = closed.anchor;
                    let node = self.close(closed);
                    Some(self.remember(anchor, node))
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let is_tagged = |name: &str| tag.as_ref().is_some_and(|tag| tag.suffix == name);
                    let is_binary = is_tagged("binary");
                    let text = if is_binary {
                        self.binary(&text, at)
                    } else {
                        text.into_owned()
                    };
                    let node = scalar(text, style, is_binary || is_tagged("str"), at);
                    Some(self.remember(anchor, node))
                }
                Event::Alias(anchor) => Some(self.expand(anchor, &span)?),
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => None,
            };
            let Some(node) = finished else { continue };
            match open.last_mut() {
                Some(parent) => parent.children.push(node),
                None => documents.push(Document { root: node }),
            }
            self.nodes_left = self.nodes_left.saturating_sub(1);
            if self.nodes_left == 0 {
                self.problems
                    .add(at, format!("more than {NODES_MAX} values"));
                return None;
            }
        }
        Some(documents)
    }

    /// Decodes a `!!binary` scalar. All our values are texts, so its bytes must be UTF-8.
    fn binary(&mut self, text: &str, at: Position) -> String {
        let base64 = base64::engine::general_purpose::STANDARD;
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let decoded = base64
            .decode(plain)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        decoded.unwrap_or_else(|| {
            let message = format!("!!binary {text:?} is not a valid UTF-8 text in base64");
            self.problems.add(at, message);
            String::new()
        })
    }

    fn remember(&mut self, anchor: usize, node: Node) -> Node {
        if anchor > 0 {
            let size = count(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        node
    }

    fn expand(&mut self, anchor: usize, span: &Span) -> Option<Node> {
        let at = position(&span.start);
        let Some((node, size)) = self.anchors.get(&anchor) else {
            self.problems
                .add(at, "alias refers to a value that contains it");
            return None;
        };
        let Some(left) = self.nodes_left.checked_sub(*size) else {
            self.problems.add(
                at,
                format!("aliases expand to more than {NODES_MAX} values"),
            );
            return None;
        };
        self.nodes_left = left;
        Some(node.clone())
    }

    fn close(&mut self, open: Open) -> Node {
        let position = open.position;
        if !open.is_mapping {
            return Node {
                kind: NodeKind::Sequence(open.children),
                position,
            };
        }
        let mut pairs: Vec<(Node, Node)> = Vec::new();
        let mut seen: BTreeMap<String, Position> = BTreeMap::new();
        let mut merges = Vec::new();
        let mut children = open.children.into_iter();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            if matches!(&key.kind, NodeKind::Scalar { text, quoted: false } if text == "<<") {
                merges.push(value);
                continue;
            }
            let name = match &key.kind {
                NodeKind::Scalar { text, .. } => text.clone(),
                NodeKind::Null => "null".to_owned(),
                NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                    let kind = key.kind.name();
                    self.problems.add(
                        key.position,
                        format!("a key must be a plain value, not {kind}"),
                    );
                    continue;
                }
            };
            match seen.get(&name) {
                Some(first) => {
                    let line = first.line;
                    let message = format!("key {name:?} is already set in line {line}");
                    self.problems.add(key.position, message);
                }
                None => {
                    seen.insert(name, key.position);
                    pairs.push((key, value));
                }
            }
        }
        for merge in merges {
            self.merge(&mut pairs, merge);
        }
        Node {
            kind: NodeKind::Mapping(pairs),
            position,
        }
    }

    /// Adds the pairs of a merge key; what the mapping sets itself wins.
    fn merge(&mut self, pairs: &mut Vec<(Node, Node)>, merged: Node) {
        match merged.kind {
            NodeKind::Mapping(more) => {
                for (key, value) in more {
                    if !pairs
                        .iter()
                        .any(|(present, _)| present.text() == key.text())
                    {
                        pairs.push((key, value));
                    }
                }
            }
            NodeKind::Sequence(list) => {
                for element in list {
                    self.merge(pairs, element);
                }
            }
            NodeKind::Null | NodeKind::Scalar { .. } => {
                self.problems.add(
                    merged.position,
                    "map merge requires map or sequence of maps as the value",
                );
            }
        }
    }
}

fn scalar(text: String, style: ScalarStyle, is_text_tag: bool, position: Position) -> Node {
    let quoted = style != ScalarStyle::Plain || is_text_tag;
    let is_null = !quoted && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
    let kind = if is_null {
        NodeKind::Null
    } else {
        NodeKind::Scalar { text, quoted }
    };
    Node { kind, position }
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Null | NodeKind::Scalar { .. } => 0,
        NodeKind::Sequence(elements) => elements.iter().map(count).sum(),
        NodeKind::Mapping(pairs) => pairs
            .iter()
            .map(|(key, value)| count(key) + count(value))
            .sum(),
    }
}

fn position(marker: &saphyr_parser::Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

#[cfg(test)]
mod tests;
