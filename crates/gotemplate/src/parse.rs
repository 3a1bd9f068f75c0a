//! Parses a template's text into trees: one for the text and one for each `define` and `block` in it.

mod lex;
pub(crate) mod node;
mod number;
mod pipeline;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Error;
use crate::format::{quote, unquote};
use lex::{Kind, Lexer, Token};
use node::{Branch, Node, TemplateCall, Tree};

/// Control structures and parentheses inside each other; enough for any real template and for our stack.
const NESTING_MAX: usize = 150;

/// Trees by name.
pub(crate) type Trees = BTreeMap<Arc<str>, Arc<Tree>>;

/// Parses `text` and adds its trees to `trees`; the text outside definitions becomes `name`.
///
/// `parse_name` stands in messages. `is_function` knows the functions. On an error `trees` is half filled.
pub(crate) fn parse(
    names: (&str, &str),
    text: &str,
    is_function: &dyn Fn(&str) -> bool,
    trees: &mut Trees,
) -> Result<(), Error> {
    let (name, parse_name) = names;
    let mut lexer = Lexer::new(text);
    lexer.plain_words = [is_function("break"), is_function("continue")];
    let mut parser = Parser {
        lexer,
        pushed_back: Vec::new(),
        last_line: 1,
        action_line: 0,
        variables: vec![Arc::from("$")],
        range_depth: 0,
        nesting: 0,
        is_function,
        parse_name: Arc::from(parse_name),
        text: Arc::from(text),
        trees,
    };
    let result = parser.top_level(name);
    result.map_err(|message| Error::Parse {
        name: parse_name.into(),
        line: parser.last_line,
        message,
    })
}

/// What ends a list of nodes.
enum Ending {
    End,
    /// `{{else}}`, or with `if` or `with` still to be read behind it.
    Else,
}

impl Ending {
    fn shown(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// A node, or what ends the list it would be in.
enum Parsed {
    Node(Node),
    Ending(Ending),
}

#[derive(Clone, Copy, PartialEq)]
enum Control {
    If,
    Range,
    With,
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Range => "range",
            Self::With => "with",
        }
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    pushed_back: Vec<Token>,
    /// Line of the last token read: Go reports errors there.
    last_line: usize,
    action_line: usize,
    variables: Vec<Arc<str>>,
    range_depth: usize,
    nesting: usize,
    is_function: &'a dyn Fn(&str) -> bool,
    parse_name: Arc<str>,
    text: Arc<str>,
    trees: &'a mut Trees,
}

/// The error is the message alone; `parse` adds name and line.
type Parse<T> = Result<T, String>;

impl Parser<'_> {
    fn next(&mut self) -> Token {
        if let Some(token) = self.pushed_back.pop() {
            return token;
        }
        let token = self.lexer.next_token();
        self.last_line = token.line;
        token
    }

    fn back(&mut self, token: Token) {
        self.pushed_back.push(token);
    }

    fn peek(&mut self) -> Token {
        let token = self.next();
        self.back(token.clone());
        token
    }

    fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.back(token.clone());
        token
    }

    fn unexpected(&self, token: &Token, context: &str) -> String {
        if token.kind != Kind::Error {
            return format!("unexpected {} in {context}", token.shown());
        }
        let mut extra = String::new();
        if self.action_line != 0 && self.action_line != token.line {
            let word = if token.text.ends_with(" action") {
                ""
            } else {
                " in action"
            };
            extra = format!("{word} started at {}:{}", self.parse_name, self.action_line);
        }
        token.text.clone() + &extra
    }

    fn expect_right_delimiter(&mut self, context: &str) -> Parse<Token> {
        let token = self.next_non_space();
        if token.kind == Kind::RightDelimiter {
            Ok(token)
        } else {
            Err(self.unexpected(&token, context))
        }
    }

    fn name(&mut self, context: &str) -> Parse<(Token, Arc<str>)> {
        let token = self.next_non_space();
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(&token, context));
        }
        let name = unquote(&token.text).ok_or("invalid syntax")?;
        Ok((token, Arc::from(name)))
    }

    fn top_level(&mut self, name: &str) -> Parse<()> {
        let mut root = Vec::new();
        loop {
            let token = self.next();
            match token.kind {
                Kind::EndOfFile => break,
                Kind::LeftDelimiter => {
                    let word = self.next_non_space();
                    if word.kind == Kind::Define {
                        self.definition()?;
                        continue;
                    }
                    self.back(word);
                }
                _ => {}
            }
            self.back(token);
            match self.text_or_action()? {
                Parsed::Node(node) => root.push(node),
                Parsed::Ending(ending) => return Err(format!("unexpected {}", ending.shown())),
            }
        }
        self.add(Arc::from(name), root)
    }

    fn definition(&mut self) -> Parse<()> {
        const CONTEXT: &str = "define clause";
        let (_, name) = self.name(CONTEXT)?;
        self.expect_right_delimiter(CONTEXT)?;
        self.body(name, CONTEXT)
    }

    /// Parses the list of a definition or block, which sees no variables or loops around it.
    fn body(&mut self, name: Arc<str>, context: &str) -> Parse<()> {
        let variables = std::mem::replace(&mut self.variables, vec![Arc::from("$")]);
        let range_depth = std::mem::replace(&mut self.range_depth, 0);
        let (list, ending) = self.list()?;
        self.variables = variables;
        self.range_depth = range_depth;
        if let Ending::Else = ending {
            return Err(format!("unexpected {} in {context}", ending.shown()));
        }
        self.add(name, list)
    }

    /// Adds a tree. An empty one does not replace another, two with content clash within one text.
    fn add(&mut self, name: Arc<str>, root: Vec<Node>) -> Parse<()> {
        let tree = Tree {
            parse_name: self.parse_name.clone(),
            text: self.text.clone(),
            root,
        };
        match self.trees.get(&name) {
            Some(old) if !old.is_empty() => {
                if !tree.is_empty() {
                    return Err(format!(
                        "template: multiple definition of template {}",
                        quote(&name)
                    ));
                }
            }
            _ => {
                self.trees.insert(name, Arc::new(tree));
            }
        }
        Ok(())
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.nesting >= NESTING_MAX {
            return Err("max expression depth exceeded".into());
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    fn list(&mut self) -> Parse<(Vec<Node>, Ending)> {
        self.nested(|parser| {
            let mut nodes = Vec::new();
            while parser.peek_non_space().kind != Kind::EndOfFile {
                match parser.text_or_action()? {
                    Parsed::Node(node) => nodes.push(node),
                    Parsed::Ending(ending) => return Ok((nodes, ending)),
                }
            }
            Err("unexpected EOF".into())
        })
    }

    fn text_or_action(&mut self) -> Parse<Parsed> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Parsed::Node(Node::Text {
                position: token.position,
                text: Arc::from(token.text),
            })),
            Kind::LeftDelimiter => {
                self.action_line = token.line;
                let parsed = self.action()?;
                self.action_line = 0;
                Ok(parsed)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Parse<Parsed> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => self.jump(
                "break",
                Node::Break {
                    position: token.position,
                },
            )?,
            Kind::Continue => self.jump(
                "continue",
                Node::Continue {
                    position: token.position,
                },
            )?,
            Kind::Else => return self.else_ending(),
            Kind::End => {
                self.expect_right_delimiter("end")?;
                return Ok(Parsed::Ending(Ending::End));
            }
            Kind::If => Node::If(self.control(Control::If)?),
            Kind::Range => Node::Range(self.control(Control::Range)?),
            Kind::With => Node::With(self.control(Control::With)?),
            Kind::Template => self.template_call()?,
            _ => {
                let position = token.position;
                self.back(token);
                Node::Action {
                    position,
                    pipe: self.pipeline("command", Kind::RightDelimiter)?,
                }
            }
        };
        Ok(Parsed::Node(node))
    }

    fn jump(&mut self, word: &str, node: Node) -> Parse<Node> {
        self.expect_right_delimiter(&format!("{{{{{word}}}}}"))?;
        if self.range_depth == 0 {
            return Err(format!("{{{{{word}}}}} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn else_ending(&mut self) -> Parse<Parsed> {
        if !matches!(self.peek_non_space().kind, Kind::If | Kind::With) {
            self.expect_right_delimiter("else")?;
        }
        Ok(Parsed::Ending(Ending::Else))
    }

    fn control(&mut self, control: Control) -> Parse<Branch> {
        let variables = self.variables.len();
        let pipe = self.pipeline(control.name(), Kind::RightDelimiter)?;
        let loops = usize::from(control == Control::Range);
        self.range_depth += loops;
        let (list, ending) = self.list()?;
        self.range_depth -= loops;
        let else_list = match ending {
            Ending::End => None,
            Ending::Else => Some(self.else_list(control)?),
        };
        self.variables.truncate(variables);
        Ok(Branch {
            position: pipe.position,
            pipe,
            list,
            else_list,
        })
    }

    /// Parses what follows `{{else`: a list, or another `if` or `with` that shares the end.
    fn else_list(&mut self, control: Control) -> Parse<Vec<Node>> {
        let word = self.peek();
        let chained = match (control, word.kind) {
            (Control::If, Kind::If) | (Control::With, Kind::With) => true,
            (_, Kind::If | Kind::With) => return Err(self.unexpected(&word, "input")),
            _ => false,
        };
        if chained {
            self.next();
            let branch = self.nested(|parser| parser.control(control))?;
            return Ok(vec![if control == Control::If {
                Node::If(branch)
            } else {
                Node::With(branch)
            }]);
        }
        match self.list()? {
            (list, Ending::End) => Ok(list),
            (_, ending) => Err(format!("expected end; found {}", ending.shown())),
        }
    }

    fn block(&mut self) -> Parse<Node> {
        const CONTEXT: &str = "block clause";
        let (token, name) = self.name(CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelimiter)?;
        self.body(name.clone(), CONTEXT)?;
        Ok(Node::Template(TemplateCall {
            position: token.position,
            name,
            pipe: Some(pipe),
        }))
    }

    fn template_call(&mut self) -> Parse<Node> {
        const CONTEXT: &str = "template clause";
        let (token, name) = self.name(CONTEXT)?;
        let next = self.next_non_space();
        let mut pipe = None;
        if next.kind != Kind::RightDelimiter {
            self.back(next);
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelimiter)?);
        }
        Ok(Node::Template(TemplateCall {
            position: token.position,
            name,
            pipe,
        }))
    }
}
