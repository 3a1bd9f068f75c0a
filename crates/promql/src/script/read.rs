//! Splits a script into commands.
//!
//! A command starts at a line that is not blank and takes the lines up to the next blank one; lines that
//! start with `#` count as blank.

use super::command::{
    Command, Eval, EvalSteps, EvalTime, Expectation, ExpectedSeries, ExpectedValue, Message,
};
use super::load::Load;
use crate::literal;
use crate::parse_error::ParseError;
use crate::parser::parse;
use crate::series::parse_series_description;
use model::regex::Regex;
use model::{Timestamp, parse_duration};

/// Lines of a script, trimmed, comments emptied, with their numbers.
struct Lines<'a> {
    lines: Vec<&'a str>,
    next: usize,
    /// The line, from 1, that made a `load` fail.
    failed: Option<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let lines = text
            .lines()
            .map(str::trim)
            .map(|line| if line.starts_with('#') { "" } else { line })
            .collect();
        Self {
            lines,
            next: 0,
            failed: None,
        }
    }

    /// The next line of this command; `None` at a blank line.
    fn next_of_block(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.next).filter(|line| !line.is_empty())?;
        self.next += 1;
        Some(line)
    }

    fn skip_block(&mut self) {
        while self.next_of_block().is_some() {}
    }

    /// Ends a block whose last line says so, without a blank line: what follows is a new command.
    fn starts_command(&self) -> bool {
        self.lines.get(self.next).is_some_and(|line| {
            let word = line.split_whitespace().next().unwrap_or_default();
            word.eq_ignore_ascii_case("clear")
        })
    }
}

/// The commands with the lines (from 1) they start at; where one cannot be understood, why.
pub(super) fn commands(text: &str) -> Vec<(usize, Result<Command, String>)> {
    let mut lines = Lines::new(text);
    let mut commands = Vec::new();
    while lines.next < lines.lines.len() {
        let number = lines.next + 1;
        let Some(line) = lines.next_of_block() else {
            lines.next += 1;
            continue;
        };
        let command = command(line, &mut lines);
        commands.push((lines.failed.take().unwrap_or(number), command));
    }
    commands
}

fn command(line: &str, lines: &mut Lines<'_>) -> Result<Command, String> {
    let (word, rest) = split_word(line);
    let word = word.to_ascii_lowercase();
    if word == "clear" {
        return Ok(Command::Clear);
    }
    if let Some(kind) = word.strip_prefix("load") {
        let result = load(kind, rest, lines);
        if result.is_err() {
            lines.failed = Some(lines.next);
            lines.skip_block();
        }
        return result.map(Command::Load);
    }
    if let Some(kind) = word.strip_prefix("eval") {
        return Ok(match eval(kind, rest, lines) {
            Ok(eval) => Command::Eval(Box::new(eval)),
            Err(message) => {
                lines.skip_block();
                Command::BadEval(message)
            }
        });
    }
    Err(format!("invalid command {line:?}"))
}

fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(|c: char| c.is_ascii_whitespace()) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn load(kind: &str, rest: &str, lines: &mut Lines<'_>) -> Result<Load, String> {
    let with_nhcb = match kind {
        "" => false,
        "_with_nhcb" => true,
        _ => return Err("invalid load command. (load[_with_nhcb] <step:duration>)".to_owned()),
    };
    let interval_ms = parse_duration(rest)
        .map_err(|message| format!("invalid step definition {rest:?}: {message}"))?;
    let mut load = Load::new(interval_ms, with_nhcb);
    while !lines.starts_command()
        && let Some(line) = lines.next_of_block()
    {
        load.line(line)?;
    }
    load.finish()?;
    Ok(load)
}

/// Takes the word `name` off the start of `rest`.
fn expect_word<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let (word, rest) = split_word(rest);
    (word == name).then_some(rest)
}

fn duration(text: &str, what: &str) -> Result<i64, String> {
    parse_duration(text).map_err(|message| format!("invalid {what} definition {text:?}: {message}"))
}

const USAGE: &str = "invalid evaluation command. Must be either 'eval[_fail|_warn|_ordered|_info] instant at <offset:duration> <query>' or 'eval[_fail|_warn|_info] range from <from> to <to> step <step> <query>'";

fn eval(kind: &str, rest: &str, lines: &mut Lines<'_>) -> Result<Eval, String> {
    let (time, text) = eval_head(rest)?;
    let mut expectation = Expectation::default();
    match kind {
        "" => {}
        "_fail" => expectation.fail = Some(Message::Any),
        "_warn" => expectation.warnings.is_some = true,
        "_info" => expectation.infos.is_some = true,
        "_ordered" => expectation.is_ordered = true,
        _ => return Err(USAGE.to_owned()),
    }
    let expr = parse(text).map_err(|error| error.to_string())?;
    let mut reading = Expecting {
        expectation,
        series: Vec::new(),
        steps: match time {
            EvalTime::Instant(_) => None,
            EvalTime::Range(steps) => Some(steps),
        },
        position: 0,
    };
    while !lines.starts_command()
        && let Some(line) = lines.next_of_block()
    {
        if !reading.line(line)? {
            break;
        }
    }
    let mut expectation = reading.expectation;
    if let ExpectedValue::Series(series) = &mut expectation.value {
        *series = reading.series;
    }
    Ok(Eval {
        text: text.to_owned(),
        expr,
        time,
        steps: reading.steps,
        expectation,
    })
}

/// `instant at 5m …` or `range from 0 to 1m step 5s …`
fn eval_head(rest: &str) -> Result<(EvalTime, &str), String> {
    let (word, rest) = split_word(rest);
    match word {
        "instant" => {
            let rest = expect_word(rest, "at").ok_or(USAGE)?;
            let (at, text) = split_word(rest);
            let at = Timestamp::from_millis(duration(at, "timestamp")?);
            Ok((EvalTime::Instant(at), text))
        }
        "range" => {
            let (steps, text) = steps(rest)?;
            Ok((EvalTime::Range(steps), text))
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// `from 10s to 1m step 10s`, and what follows.
fn steps(rest: &str) -> Result<(EvalSteps, &str), String> {
    let (start, rest) = split_word(expect_word(rest, "from").ok_or(USAGE)?);
    let (end, rest) = split_word(expect_word(rest, "to").ok_or(USAGE)?);
    let (step, rest) = split_word(expect_word(rest, "step").ok_or(USAGE)?);
    let steps = EvalSteps {
        start: Timestamp::from_millis(duration(start, "start timestamp")?),
        end: Timestamp::from_millis(duration(end, "end timestamp")?),
        step_ms: duration(step, "step")?,
    };
    if steps.end < steps.start {
        return Err(format!(
            "invalid test definition, end timestamp ({end}) is before start timestamp ({start})"
        ));
    }
    Ok((steps, rest))
}

/// The lines below an eval.
struct Expecting {
    expectation: Expectation,
    series: Vec<ExpectedSeries>,
    steps: Option<EvalSteps>,
    position: usize,
}

impl Expecting {
    /// Reads a line; whether more may follow.
    fn line(&mut self, line: &str) -> Result<bool, String> {
        if self.expectation.fail.is_some() && self.old_fail_message(line)? {
            return Ok(false);
        }
        if let Some(rest) = line.strip_prefix("expect range vector") {
            self.steps = Some(steps(rest.trim_start())?.0);
            return Ok(true);
        }
        if let Some(rest) = line.strip_prefix("expect string") {
            self.expectation.value = ExpectedValue::String(string_literal(rest.trim())?);
            return Ok(true);
        }
        if let (first, rest) = split_word(line)
            && first == "expect"
        {
            self.expect(rest)?;
            return Ok(true);
        }
        if let Some(value) = number(line) {
            self.expectation.value = ExpectedValue::Scalar(value);
            return Ok(false);
        }
        let description =
            parse_series_description(line).map_err(|error| series_error(line, &error))?;
        if description.values.len() > 1 && self.steps.is_none() {
            return Err("expecting multiple values in instant evaluation not allowed. consider using 'expect range vector' directive to enable a range vector result for an instant query".to_owned());
        }
        self.position += 1;
        self.series.push(ExpectedSeries {
            position: self.position,
            labels: description.labels,
            values: description.values,
        });
        Ok(true)
    }

    fn old_fail_message(&mut self, line: &str) -> Result<bool, String> {
        let message = if let Some(text) = line.strip_prefix("expected_fail_message") {
            Message::Exactly(text.trim().to_owned())
        } else if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
            matching(pattern.trim())?
        } else {
            return Ok(false);
        };
        self.expectation.fail = Some(message);
        Ok(true)
    }

    /// `expect warn msg: text` and the like.
    fn expect(&mut self, rest: &str) -> Result<(), String> {
        let (kind, rest) = split_word(rest);
        let message = if let Some(text) = rest.strip_prefix("msg:") {
            Message::Exactly(text.trim().to_owned())
        } else if let Some(pattern) = rest.strip_prefix("regex:") {
            matching(pattern.trim())?
        } else if rest.is_empty() {
            Message::Any
        } else {
            return Err("invalid expect statement, must match `expect <type> <match_type>: <string>` format".to_owned());
        };
        let expectation = &mut self.expectation;
        match kind {
            "ordered" => expectation.is_ordered = true,
            "fail"
                if matches!(
                    expectation.fail,
                    Some(Message::Exactly(_) | Message::Matching(_))
                ) =>
            {
                return Err(
                    "invalid expect lines, multiple expect fail lines are not allowed".to_owned(),
                );
            }
            "fail" => expectation.fail = Some(message),
            "warn" => expectation.warnings.messages.push(message),
            "no_warn" => expectation.warnings.is_none = true,
            "info" => expectation.infos.messages.push(message),
            "no_info" => expectation.infos.is_none = true,
            _ => return Err(format!("invalid expected error/annotation type {kind}")),
        }
        for (name, annotations) in [
            ("warn", &expectation.warnings),
            ("info", &expectation.infos),
        ] {
            if annotations.is_none && !annotations.messages.is_empty() {
                return Err(format!(
                    "invalid expect lines, {name} and no_{name} cannot be used together"
                ));
            }
        }
        Ok(())
    }
}

/// What is wrong with a line that describes a series.
pub(super) fn series_error(line: &str, error: &ParseError) -> String {
    let (message, column) = (&error.message, error.column);
    format!("{message} at column {column} of {line:?}")
}

/// A pattern that may match anywhere in a text.
fn matching(pattern: &str) -> Result<Message, String> {
    Regex::new(&format!(".*(?:{pattern}).*"))
        .map(Message::Matching)
        .map_err(|message| format!("invalid regex {pattern:?}: {message}"))
}

/// A line that is nothing but a number.
fn number(line: &str) -> Option<f64> {
    let digits = line.strip_prefix(['+', '-']).unwrap_or(line);
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.') {
        return None;
    }
    let value = literal::number(digits).ok()?;
    Some(if line.starts_with('-') { -value } else { value })
}

fn string_literal(text: &str) -> Result<String, String> {
    let quote = text.chars().next().unwrap_or_default();
    if text.len() < 2 || !matches!(quote, '"' | '\'' | '`') || !text.ends_with(quote) {
        return Err(
            "expected string literal not valid - check that the string is correctly quoted"
                .to_owned(),
        );
    }
    Ok(literal::unquote(text))
}
