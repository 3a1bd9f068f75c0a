//! Where in an HTML document a piece of text stands.
//!
//! The names of the states appear in messages and in the names of derived templates, as in Go.

use std::fmt;

/// The state of the parser of HTML, JavaScript, CSS or a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::upper_case_acronyms, reason = "the states are named as Go's")]
pub(super) enum State {
    Text,
    Tag,
    AttrName,
    AfterName,
    BeforeValue,
    HTMLCmt,
    RCDATA,
    Attr,
    URL,
    Srcset,
    JS,
    JSDqStr,
    JSSqStr,
    JSTmplLit,
    JSRegexp,
    JSBlockCmt,
    JSLineCmt,
    JSHTMLOpenCmt,
    JSHTMLCloseCmt,
    CSS,
    CSSDqStr,
    CSSSqStr,
    CSSDqURL,
    CSSSqURL,
    CSSURL,
    CSSBlockCmt,
    CSSLineCmt,
    MetaContent,
    MetaContentURL,
    /// After `break` or `continue`: nothing gets here.
    Dead,
}

impl State {
    pub(super) fn is_comment(self) -> bool {
        matches!(
            self,
            Self::HTMLCmt
                | Self::JSBlockCmt
                | Self::JSLineCmt
                | Self::JSHTMLOpenCmt
                | Self::JSHTMLCloseCmt
                | Self::CSSBlockCmt
                | Self::CSSLineCmt
        )
    }

    pub(super) fn is_in_tag(self) -> bool {
        matches!(
            self,
            Self::Tag | Self::AttrName | Self::AfterName | Self::BeforeValue | Self::Attr
        )
    }

    pub(super) fn is_in_script_literal(self) -> bool {
        matches!(
            self,
            Self::JSDqStr | Self::JSSqStr | Self::JSTmplLit | Self::JSRegexp
        )
    }
}

/// What ends the attribute value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delim {
    None,
    DoubleQuote,
    SingleQuote,
    SpaceOrTagEnd,
}

/// The part of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlPart {
    None,
    PreQuery,
    QueryOrFrag,
    Unknown,
}

/// Whether a slash begins a regular expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsCtx {
    Regexp,
    DivOp,
    Unknown,
}

/// The attribute whose value follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::upper_case_acronyms, reason = "the names are Go's")]
pub(super) enum Attr {
    None,
    Script,
    ScriptType,
    Style,
    URL,
    Srcset,
    MetaContent,
}

impl Attr {
    /// The state in which its value begins.
    pub(super) fn start_state(self) -> State {
        match self {
            Self::None | Self::ScriptType => State::Attr,
            Self::Script => State::JS,
            Self::Style => State::CSS,
            Self::URL => State::URL,
            Self::Srcset => State::Srcset,
            Self::MetaContent => State::MetaContent,
        }
    }
}

/// The element around the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    None,
    Script,
    Style,
    Textarea,
    Title,
    Meta,
}

impl Element {
    pub(super) fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "script" => Self::Script,
            "style" => Self::Style,
            "textarea" => Self::Textarea,
            "title" => Self::Title,
            "meta" => Self::Meta,
            _ => Self::None,
        }
    }

    /// The state of its content.
    pub(super) fn content(self) -> State {
        match self {
            Self::None | Self::Meta => State::Text,
            Self::Script => State::JS,
            Self::Style => State::CSS,
            Self::Textarea | Self::Title => State::RCDATA,
        }
    }
}

/// All that decides how an action must be escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) state: State,
    pub(super) delim: Delim,
    pub(super) url_part: UrlPart,
    pub(super) js_ctx: JsCtx,
    /// Open braces in each template literal's expression.
    pub(super) js_brace_depth: Vec<i32>,
    pub(super) attr: Attr,
    pub(super) element: Element,
}

impl Context {
    /// Returns the context of an element's content, or of its tag.
    pub(super) fn of(state: State, element: Element) -> Self {
        Self {
            state,
            delim: Delim::None,
            url_part: UrlPart::None,
            js_ctx: JsCtx::Regexp,
            js_brace_depth: Vec::new(),
            attr: Attr::None,
            element,
        }
    }

    /// Returns the context at the start of a document.
    pub(super) fn text() -> Self {
        Self::of(State::Text, Element::None)
    }

    /// Returns the name of the template `name` as it is when called in this context.
    pub(super) fn mangle(&self, name: &str) -> String {
        if self.state == State::Text {
            return name.into();
        }
        let mut out = format!("{name}$htmltemplate_state{:?}", self.state);
        if self.delim != Delim::None {
            out.push_str(&format!("_delim{:?}", self.delim));
        }
        if self.url_part != UrlPart::None {
            out.push_str(&format!("_urlPart{:?}", self.url_part));
        }
        if self.js_ctx != JsCtx::Regexp {
            out.push_str(&format!("_jsCtx{:?}", self.js_ctx));
        }
        if !self.js_brace_depth.is_empty() {
            out.push_str(&format!("_jsBraceDepth({})", self.brace_text()));
        }
        if self.attr != Attr::None {
            out.push_str(&format!("_attr{:?}", self.attr));
        }
        if self.element != Element::None {
            out.push_str(&format!("_element{:?}", self.element));
        }
        out
    }

    fn brace_text(&self) -> String {
        let depths: Vec<String> = self
            .js_brace_depth
            .iter()
            .map(ToString::to_string)
            .collect();
        format!("[{}]", depths.join(" "))
    }

    /// Returns the context in which an action at this point stands, before its first character.
    pub(super) fn nudge(mut self) -> Self {
        match self.state {
            State::Tag => self.state = State::AttrName,
            State::BeforeValue => {
                self.state = self.attr.start_state();
                self.delim = Delim::SpaceOrTagEnd;
                self.attr = Attr::None;
            }
            State::AfterName => {
                self.state = State::AttrName;
                self.attr = Attr::None;
            }
            _ => {}
        }
        self
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{{state{:?} delim{:?} urlPart{:?} jsCtx{:?} {} attr{:?} element{:?} <nil>}}",
            self.state,
            self.delim,
            self.url_part,
            self.js_ctx,
            self.brace_text(),
            self.attr,
            self.element
        )
    }
}
