//! How text moves the context along inside JavaScript and CSS.

use super::context::{Context, JsCtx, State};
use super::css::{decode, is_name_character};
use super::transition::{Step, find, from, shown, url};
use crate::format::quote;

/// Moves over the first token of a script or style sheet.
pub(super) fn transition(context: Context, text: &[u8]) -> Step {
    match context.state {
        State::JS => javascript(context, text),
        State::JSDqStr | State::JSSqStr | State::JSRegexp => delimited(context, text),
        State::JSTmplLit => template_literal(context, text),
        State::JSBlockCmt | State::CSSBlockCmt => Ok(block_comment(context, text)),
        State::CSS => Ok(css(context, text)),
        State::CSSDqStr | State::CSSSqStr | State::CSSDqURL | State::CSSSqURL | State::CSSURL => {
            css_string(context, text)
        }
        _ => Ok(line_comment(context, text)),
    }
}

fn position_of(text: &[u8], start: usize, wanted: &[u8]) -> Option<usize> {
    from(text, start)
        .iter()
        .position(|byte| wanted.contains(byte))
        .map(|found| start + found)
}

fn unfinished(what: &str, text: &[u8]) -> String {
    format!(
        "unfinished {what}: {}",
        quote(&String::from_utf8_lossy(text))
    )
}

fn javascript(mut context: Context, text: &[u8]) -> Step {
    let Some(at) = position_of(text, 0, b"\"`'/{}<-#") else {
        context.js_ctx = next_js_ctx(text, context.js_ctx);
        return Ok((context, text.len()));
    };
    context.js_ctx = next_js_ctx(text.get(..at).unwrap_or(&[]), context.js_ctx);
    let rest = from(text, at);
    let mut end = at + 1;
    let mut enter = |context: &mut Context, state, length: usize| {
        context.state = state;
        end = at + length;
    };
    match rest.first() {
        Some(b'"') => enter(&mut context, State::JSDqStr, 1),
        Some(b'\'') => enter(&mut context, State::JSSqStr, 1),
        Some(b'`') => enter(&mut context, State::JSTmplLit, 1),
        Some(b'/') if rest.starts_with(b"//") => enter(&mut context, State::JSLineCmt, 2),
        Some(b'/') if rest.starts_with(b"/*") => enter(&mut context, State::JSBlockCmt, 2),
        Some(b'/') => match context.js_ctx {
            JsCtx::Regexp => context.state = State::JSRegexp,
            JsCtx::DivOp => context.js_ctx = JsCtx::Regexp,
            JsCtx::Unknown => {
                return Err(format!(
                    "'/' could start a division or regexp: {}",
                    shown(rest)
                ));
            }
        },
        Some(b'<') if rest.starts_with(b"<!--") => enter(&mut context, State::JSHTMLOpenCmt, 4),
        Some(b'-') if rest.starts_with(b"-->") => enter(&mut context, State::JSHTMLCloseCmt, 3),
        Some(b'#') if rest.starts_with(b"#!") => enter(&mut context, State::JSLineCmt, 2),
        Some(brace @ (b'{' | b'}')) => braces(&mut context, *brace),
        _ => {}
    }
    if matches!(
        context.state,
        State::JSDqStr | State::JSSqStr | State::JSTmplLit
    ) {
        context.js_ctx = JsCtx::Regexp;
    }
    Ok((context, end))
}

/// Counts braces inside a template literal's expression; its own closing one ends the expression.
fn braces(context: &mut Context, brace: u8) {
    let after = next_js_ctx(&[brace], context.js_ctx);
    let Some(depth) = context.js_brace_depth.last_mut() else {
        context.js_ctx = after;
        return;
    };
    *depth += if brace == b'{' { 1 } else { -1 };
    if *depth >= 0 {
        context.js_ctx = after;
        return;
    }
    context.js_brace_depth.pop();
    context.state = State::JSTmplLit;
}

fn template_literal(mut context: Context, text: &[u8]) -> Step {
    let mut start = 0;
    while let Some(at) = position_of(text, start, b"`\\$") {
        start = at + 1;
        match text.get(at) {
            Some(b'\\') => {
                start = at + 2;
                if start > text.len() {
                    return Err(unfinished("escape sequence in JS string", text));
                }
            }
            Some(b'$') if text.get(at + 1) == Some(&b'{') => {
                context.js_brace_depth.push(0);
                context.state = State::JS;
                return Ok((context, at + 2));
            }
            Some(b'`') => {
                context.state = State::JS;
                return Ok((context, at + 1));
            }
            _ => {}
        }
    }
    Ok((context, text.len()))
}

/// A string or regular expression.
fn delimited(mut context: Context, text: &[u8]) -> Step {
    let special: &[u8] = match context.state {
        State::JSSqStr => b"\\'",
        State::JSRegexp => b"\\/[]",
        _ => b"\\\"",
    };
    let (mut start, mut in_class) = (0, false);
    while let Some(at) = position_of(text, start, special) {
        start = at + 1;
        match text.get(at) {
            Some(b'\\') => {
                start = at + 2;
                if start > text.len() {
                    return Err(unfinished("escape sequence in JS string", text));
                }
            }
            Some(b'[') => in_class = true,
            Some(b']') => in_class = false,
            Some(b'/') if at > 0 && is_script_end(from(text, at - 1)) => start = at + 2,
            _ if !in_class => {
                context.state = State::JS;
                context.js_ctx = JsCtx::DivOp;
                return Ok((context, at + 1));
            }
            _ => {}
        }
    }
    if in_class {
        return Err(unfinished("JS regexp charset", text));
    }
    Ok((context, text.len()))
}

fn is_script_end(text: &[u8]) -> bool {
    text.get(..8)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"</script"))
}

fn block_comment(mut context: Context, text: &[u8]) -> (Context, usize) {
    let Some(end) = find(text, b"*/") else {
        return (context, text.len());
    };
    context.state = if context.state == State::JSBlockCmt {
        State::JS
    } else {
        State::CSS
    };
    (context, end + 2)
}

fn line_comment(mut context: Context, text: &[u8]) -> (Context, usize) {
    let (end, after) = if context.state == State::CSSLineCmt {
        (position_of(text, 0, b"\n\x0c\r"), State::CSS)
    } else {
        let separators: [&[u8]; 2] = ["\u{2028}".as_bytes(), "\u{2029}".as_bytes()];
        let ends = separators
            .iter()
            .filter_map(|separator| find(text, separator));
        (ends.chain(position_of(text, 0, b"\n\r")).min(), State::JS)
    };
    let Some(end) = end else {
        return (context, text.len());
    };
    context.state = after;
    (context, end)
}

fn css(mut context: Context, text: &[u8]) -> (Context, usize) {
    let mut start = 0;
    while let Some(at) = position_of(text, start, b"(\"'/") {
        start = at + 1;
        let (state, end) = match (text.get(at), text.get(at + 1)) {
            (Some(b'('), _) => match url_start(text, at) {
                Some(found) => found,
                None => continue,
            },
            (Some(b'/'), Some(b'/')) => (State::CSSLineCmt, at + 2),
            (Some(b'/'), Some(b'*')) => (State::CSSBlockCmt, at + 2),
            (Some(b'"'), _) => (State::CSSDqStr, at + 1),
            (Some(b'\''), _) => (State::CSSSqStr, at + 1),
            _ => continue,
        };
        context.state = state;
        return (context, end);
    }
    (context, text.len())
}

/// Whether the parenthesis at `at` is that of `url(`: the state inside and where it begins.
fn url_start(text: &[u8], at: usize) -> Option<(State, usize)> {
    let before = text.get(..at)?.trim_ascii_end();
    let word = before.get(before.len().checked_sub(3)?..)?;
    let previous = String::from_utf8_lossy(before.get(..before.len() - 3)?)
        .chars()
        .next_back();
    if !word.eq_ignore_ascii_case(b"url") || previous.is_some_and(is_name_character) {
        return None;
    }
    let inside = super::transition::skip_space(text, at + 1);
    Some(match text.get(inside) {
        Some(b'"') => (State::CSSDqURL, inside + 1),
        Some(b'\'') => (State::CSSSqURL, inside + 1),
        _ => (State::CSSURL, inside),
    })
}

fn css_string(mut context: Context, text: &[u8]) -> Step {
    let ends: &[u8] = match context.state {
        State::CSSDqStr | State::CSSDqURL => b"\\\"",
        State::CSSSqStr | State::CSSSqURL => b"\\'",
        _ => b"\\\t\n\x0c\r )",
    };
    let mut start = 0;
    while let Some(at) = position_of(text, start, ends) {
        if text.get(at) != Some(&b'\\') {
            context.state = State::CSS;
            return Ok((context, at + 1));
        }
        if at + 1 == text.len() {
            return Err(unfinished("escape sequence in CSS string", text));
        }
        context = url(context, &decode(text.get(..at + 2).unwrap_or(&[]))).0;
        start = at + 2;
    }
    Ok((url(context, &decode(from(text, start))).0, text.len()))
}

/// Words after which a slash begins a regular expression.
const BEFORE_REGEXP: [&str; 14] = [
    "break",
    "case",
    "continue",
    "delete",
    "do",
    "else",
    "finally",
    "in",
    "instanceof",
    "return",
    "throw",
    "try",
    "typeof",
    "void",
];

/// Whether a slash after these tokens would begin a regular expression; one token of context decides.
fn next_js_ctx(text: &[u8], preceding: JsCtx) -> JsCtx {
    let text = String::from_utf8_lossy(text);
    let trimmed =
        text.trim_end_matches(|c: char| (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}');
    let Some(last) = trimmed.chars().next_back() else {
        return preceding;
    };
    match last {
        '+' | '-' => {
            let run = trimmed.chars().rev().take_while(|c| *c == last).count();
            if run % 2 == 1 {
                JsCtx::Regexp
            } else {
                JsCtx::DivOp
            }
        }
        '.' if trimmed
            .chars()
            .rev()
            .nth(1)
            .is_some_and(|c| c.is_ascii_digit()) =>
        {
            JsCtx::DivOp
        }
        '.' | ',' | '<' | '>' | '=' | '*' | '%' | '&' | '|' | '^' | '?' | '!' | '~' | '(' | '['
        | ':' | ';' | '{' | '}' => JsCtx::Regexp,
        _ => {
            let is_part = |c: char| c == '$' || c == '_' || c.is_ascii_alphanumeric();
            let word = trimmed.rsplit(|c| !is_part(c)).next().unwrap_or("");
            if BEFORE_REGEXP.contains(&word) {
                JsCtx::Regexp
            } else {
                JsCtx::DivOp
            }
        }
    }
}
