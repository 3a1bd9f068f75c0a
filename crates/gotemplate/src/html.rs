//! html/template: what an action prints is escaped for the place in the document where it stands.
//!
//! [`escape`] walks a template with the context (text, attribute, URL, script, style, …) that the text
//! before each action leaves, and appends the fitting escapers to the action's pipeline. A template that is
//! called in another context than text is derived under another name. Comments are removed, as Go does.
//! The escapers are functions that only rewritten pipelines name.

mod attribute;
mod context;
mod css;
mod entity;
mod escaper;
mod javascript;
mod markup;
mod pipeline;
mod script;
mod text;
mod transition;
mod url;

use std::sync::LazyLock;

pub(crate) use escaper::escape;

use crate::format;
use crate::value::{
    CSS, FunctionMap, HTML, HTML_ATTR, JS, JS_STR, SRCSET, Signature, Type, URL, Value,
};
use javascript::Literal;

/// What stands in place of an unsafe value; a word that is easily found.
const FAILSAFE: &str = "ZgotmplZ";

/// What a value says it already is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Plain,
    Css,
    Html,
    HtmlAttr,
    Js,
    JsStr,
    Url,
    Srcset,
}

type Escaper = fn(&str, Content) -> String;

/// The escapers of texts; see [`ESCAPERS`] for all.
const TEXT_ESCAPERS: [(&str, Escaper); 16] = [
    ("_html_template_attrescaper", markup::attribute),
    ("_html_template_commentescaper", |_, _| String::new()),
    ("_html_template_cssescaper", |text, _| css::escape(text)),
    ("_html_template_cssvaluefilter", css::filter_value),
    ("_html_template_htmlnamefilter", markup::filter_name),
    ("_html_template_htmlescaper", markup::html),
    ("_html_template_jsregexpescaper", |text, _| {
        javascript::literal(text, Literal::Regexp)
    }),
    ("_html_template_jsstrescaper", |text, content| {
        let is_escaped = content == Content::JsStr;
        javascript::literal(
            text,
            if is_escaped {
                Literal::EscapedString
            } else {
                Literal::String
            },
        )
    }),
    ("_html_template_jstmpllitescaper", |text, _| {
        javascript::literal(text, Literal::Template)
    }),
    ("_html_template_nospaceescaper", markup::unquoted_attribute),
    ("_html_template_rcdataescaper", markup::rcdata),
    ("_html_template_srcsetescaper", url::filter_srcset),
    ("_html_template_urlescaper", url::escape),
    ("_html_template_urlfilter", url::filter),
    ("_html_template_urlnormalizer", |text, _| {
        url::normalize(text)
    }),
    ("_eval_args_", |text, _| text.to_owned()),
];

/// The escapers by name.
pub(crate) static ESCAPERS: LazyLock<FunctionMap> = LazyLock::new(|| {
    let any_number = Signature::variadic(&[], Type::Any);
    let mut table = FunctionMap::new();
    for (name, escaper) in TEXT_ESCAPERS {
        table.insert(name, any_number, move |values| {
            let (text, content) = stringify(values)?;
            Ok(escaper(&text, content).into())
        });
    }
    table.insert("_html_template_jsvalescaper", any_number, |values| {
        javascript::value(values).map(Value::from)
    });
    table
});

/// Text and kind of content of what an action prints.
fn stringify(values: &[Value]) -> Result<(String, Content), String> {
    match values {
        [Value::Str(text)] => Ok((text.to_string(), Content::Plain)),
        [Value::NamedStr(class, text)] => Ok((text.to_string(), content(class.name))),
        // Unlike text/template nothing is printed for nil.
        [one] if !matches!(one, Value::Nil) => Ok((format::display(one)?, Content::Plain)),
        values => {
            let present: Vec<Value> = values
                .iter()
                .filter(|value| !matches!(value, Value::Nil))
                .cloned()
                .collect();
            Ok((format::print(&present)?, Content::Plain))
        }
    }
}

fn content(class: &str) -> Content {
    let known = [
        (&CSS, Content::Css),
        (&HTML, Content::Html),
        (&HTML_ATTR, Content::HtmlAttr),
        (&JS, Content::Js),
        (&JS_STR, Content::JsStr),
        (&URL, Content::Url),
        (&SRCSET, Content::Srcset),
    ];
    known
        .iter()
        .find(|(known, _)| known.name == class)
        .map_or(Content::Plain, |(_, content)| *content)
}
