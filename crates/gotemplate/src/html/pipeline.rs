//! Which escapers an action needs, and their place in its pipeline.

use std::sync::Arc;

use super::context::{Context, Delim, JsCtx, State, UrlPart};
use crate::format::quote;
use crate::parse::node::{Command, Pipe, Term, TermKind};

/// Escapers that templates call themselves and that can take the place of ours.
const PREDEFINED: [&str; 2] = ["html", "urlquery"];

/// After the first of each pair the second changes nothing.
const REDUNDANT: [(&str, &str); 7] = [
    (
        "_html_template_commentescaper",
        "_html_template_attrescaper",
    ),
    (
        "_html_template_commentescaper",
        "_html_template_htmlescaper",
    ),
    ("_html_template_cssescaper", "_html_template_attrescaper"),
    (
        "_html_template_jsregexpescaper",
        "_html_template_attrescaper",
    ),
    ("_html_template_jsstrescaper", "_html_template_attrescaper"),
    (
        "_html_template_jstmpllitescaper",
        "_html_template_attrescaper",
    ),
    ("_html_template_urlescaper", "_html_template_urlnormalizer"),
];

/// Returns the escapers for an action in `context` and the context after it.
pub(super) fn escapers(
    context: Context,
    pipe: &Pipe,
) -> Result<(Context, Vec<&'static str>), String> {
    let mut context = context.nudge();
    check_predefined(&context, pipe)?;
    let mut names = Vec::new();
    match context.state {
        State::URL
        | State::CSSDqStr
        | State::CSSSqStr
        | State::CSSDqURL
        | State::CSSSqURL
        | State::CSSURL => {
            let in_string = matches!(context.state, State::CSSDqStr | State::CSSSqStr);
            let normalizer = if in_string {
                "_html_template_cssescaper"
            } else {
                "_html_template_urlnormalizer"
            };
            match context.url_part {
                UrlPart::None => names.extend(["_html_template_urlfilter", normalizer]),
                UrlPart::PreQuery => names.push(normalizer),
                UrlPart::QueryOrFrag => names.push("_html_template_urlescaper"),
                UrlPart::Unknown => {
                    return Err(format!(
                        "{{{{{pipe}}}}} appears in an ambiguous context within a URL"
                    ));
                }
            }
        }
        State::MetaContent | State::Attr => {}
        State::MetaContentURL => names.push("_html_template_urlfilter"),
        State::JS => {
            names.push("_html_template_jsvalescaper");
            context.js_ctx = JsCtx::DivOp;
        }
        State::JSDqStr | State::JSSqStr => names.push("_html_template_jsstrescaper"),
        State::JSTmplLit => names.push("_html_template_jstmpllitescaper"),
        State::JSRegexp => names.push("_html_template_jsregexpescaper"),
        State::CSS => names.push("_html_template_cssvaluefilter"),
        State::Text => names.push("_html_template_htmlescaper"),
        State::RCDATA => names.push("_html_template_rcdataescaper"),
        State::Srcset => names.push("_html_template_srcsetescaper"),
        state if state.is_comment() => names.push("_html_template_commentescaper"),
        _ => {
            context.state = State::AttrName;
            names.push("_html_template_htmlnamefilter");
        }
    }
    match context.delim {
        Delim::None => {}
        Delim::SpaceOrTagEnd => names.push("_html_template_nospaceescaper"),
        Delim::SingleQuote | Delim::DoubleQuote => names.push("_html_template_attrescaper"),
    }
    Ok((context, names))
}

fn identifier(command: &Command) -> Option<&str> {
    match command.arguments.first().map(|term| &term.kind) {
        Some(TermKind::Identifier(name)) => Some(name),
        _ => None,
    }
}

/// The escapers that templates know may only come last, and `html` not in an attribute without quotes.
fn check_predefined(context: &Context, pipe: &Pipe) -> Result<(), String> {
    for (index, command) in pipe.commands.iter().enumerate() {
        let Some(name) = identifier(command).filter(|name| PREDEFINED.contains(name)) else {
            continue;
        };
        let unquoted = context.state == State::Attr && context.delim == Delim::SpaceOrTagEnd;
        if index + 1 < pipe.commands.len() || (unquoted && name == "html") {
            return Err(format!(
                "predefined escaper {} disallowed in template",
                quote(name)
            ));
        }
    }
    Ok(())
}

/// The name of a predefined escaper that does the same.
fn normalized(name: &str) -> &str {
    match name {
        "_html_template_attrescaper"
        | "_html_template_htmlescaper"
        | "_html_template_rcdataescaper" => "html",
        "_html_template_urlescaper" | "_html_template_urlnormalizer" => "urlquery",
        name => name,
    }
}

fn call(name: &str, position: usize) -> Command {
    Command {
        arguments: vec![Term {
            position,
            kind: TermKind::Identifier(Arc::from(name)),
        }],
    }
}

fn append(commands: &mut Vec<Command>, command: Command) {
    let redundant = commands
        .last()
        .and_then(identifier)
        .zip(identifier(&command))
        .is_some_and(|pair| REDUNDANT.contains(&pair));
    if !redundant {
        commands.push(command);
    }
}

/// Ends a pipeline with escapers; one that the template wrote takes the place of its equal.
pub(super) fn add_escapers(pipe: &mut Pipe, names: &[&str]) {
    if names.is_empty() {
        return;
    }
    let position = pipe.position;
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let own = pipe
        .commands
        .last()
        .and_then(identifier)
        .filter(|name| PREDEFINED.contains(name))
        .map(str::to_owned);
    if let Some(own) = own {
        let alone = pipe.commands.len() == 1;
        if let Some(last) = pipe
            .commands
            .last_mut()
            .filter(|last| alone && last.arguments.len() > 1)
        {
            // `html a b` is the same as `_eval_args_ a b | html`.
            if let Some(first) = last.arguments.first_mut() {
                first.kind = TermKind::Identifier(Arc::from("_eval_args_"));
            }
            append(&mut pipe.commands, call(&own, position));
        }
        let mut replaced = false;
        for name in &mut names {
            if normalized(name) == normalized(&own) {
                name.clone_from(&own);
                replaced = true;
            }
        }
        if replaced {
            pipe.commands.pop();
        }
    }
    let present: Vec<String> = pipe
        .commands
        .iter()
        .filter_map(identifier)
        .map(|name| normalized(name).to_owned())
        .collect();
    for name in &names {
        if !present.iter().any(|present| present == normalized(name)) {
            append(&mut pipe.commands, call(name, position));
        }
    }
}
