//! Parses a template's text into trees: one for the text and one for each `define` and `block` in it.

mod lex;
pub(crate) mod node;
mod number;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Error;
use crate::format::{quote, unquote};
use lex::{Kind, Lexer, Token};
use node::{Branch, Command, Node, Pipe, TemplateCall, Term, TermKind, Tree};

/// Control structures and parentheses inside each other; enough for any real template and for our stack.
const NESTING_MAX: usize = 200;

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

    fn pipeline(&mut self, context: &str, end: Kind) -> Parse<Pipe> {
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
