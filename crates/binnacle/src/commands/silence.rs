//! `binnacle silence`: list, add, expire, through the API that every Alertmanager client uses.

mod recurring;

use super::client::Client;
use super::table;
use crate::cli::{Format, Silence, SilenceAction};
use crate::print;
use anyhow::{Context as _, bail};
use reqwest::Method;
use runtime::Clock as _;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Does what was asked.
pub(crate) fn run(silence: &Silence) -> anyhow::Result<ExitCode> {
    let client = Client::new(&silence.server)?;
    match &silence.action {
        SilenceAction::List { expired } => list(&client, *expired, silence.output.output),
        SilenceAction::Add {
            matchers,
            duration,
            comment,
            author,
            remind,
        } => {
            let author = who(author.as_deref());
            let about = (comment.as_str(), author.as_str(), remind.as_deref());
            add(&client, matchers, duration, about)
        }
        SilenceAction::Recur { list: true, .. } => recurring::list(&client, silence.output.output),
        SilenceAction::Recur {
            remove: Some(id), ..
        } => recurring::remove(&client, id),
        SilenceAction::Recur {
            matchers,
            window,
            until,
            comment,
            author,
            ..
        } => {
            let author = who(author.as_deref());
            let when = (window.as_deref().unwrap_or_default(), until.as_deref());
            recurring::add(&client, matchers, when, (comment, &author))
        }
        SilenceAction::Preview { matchers, since } => {
            recurring::preview(&client, (matchers, since), silence.output.output)
        }
        SilenceAction::Expire { ids } => expire(&client, ids),
    }
}

/// Who makes a silence.
fn who(given: Option<&str>) -> String {
    let given = given.map(str::to_owned);
    let user = given.or_else(|| runtime::environment::var("USER"));
    user.unwrap_or_else(|| "binnacle".to_owned())
}

fn list(client: &Client, expired: bool, format: Format) -> anyhow::Result<ExitCode> {
    let mut silences = client.get("/api/v2/silences", &[])?;
    let state = |silence: &Value| text(silence, "/status/state");
    if let Some(list) = silences.as_array_mut() {
        list.retain(|silence| expired || state(silence) != "expired");
    }
    if format == Format::Json {
        print::json(&silences);
        return Ok(ExitCode::SUCCESS);
    }
    let row = |silence: &Value| {
        vec![
            text(silence, "/id"),
            state(silence),
            matchers_text(silence),
            text(silence, "/endsAt"),
            text(silence, "/createdBy"),
            text(silence, "/comment"),
        ]
    };
    let rows: Vec<Vec<String>> = silences.as_array().into_iter().flatten().map(row).collect();
    table::print(&["id", "state", "matchers", "ends", "by", "comment"], &rows);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn matchers_text(silence: &Value) -> String {
    let matchers = silence
        .get("matchers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let one = |matcher: &Value| {
        let flag = |name: &str, default| {
            matcher
                .get(name)
                .and_then(Value::as_bool)
                .unwrap_or(default)
        };
        let operator = match (flag("isEqual", true), flag("isRegex", false)) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        format!(
            "{}{operator}{:?}",
            text(matcher, "/name"),
            text(matcher, "/value")
        )
    };
    matchers.map(one).collect::<Vec<_>>().join(" ")
}

fn add(
    client: &Client,
    matchers: &[String],
    duration: &str,
    (comment, author, remind): (&str, &str, Option<&str>),
) -> anyhow::Result<ExitCode> {
    let lasts_ms = model::parse_duration(duration)
        .map_err(anyhow::Error::msg)
        .context("--for")?;
    let mut list = Vec::new();
    for text in matchers {
        let matcher = parse_matcher(text)?;
        list.push(matcher);
    }
    let now = runtime::SystemClock::new().now();
    let mut body = json!({
        "matchers": list,
        "startsAt": now.to_string(),
        "endsAt": now.plus_millis(lasts_ms).to_string(),
        "createdBy": author,
        "comment": comment,
    });
    if let (Some(before), Value::Object(fields)) = (remind, &mut body) {
        model::parse_duration(before)
            .map_err(anyhow::Error::msg)
            .context("--remind")?;
        let annotations = json!({ (dispatch::machine::REMIND_BEFORE): before });
        fields.insert("annotations".to_owned(), annotations);
    }
    let answer = client.post("/api/v2/silences", &body)?;
    print::line(
        answer
            .get("silenceID")
            .and_then(Value::as_str)
            .unwrap_or_default(),
    );
    Ok(ExitCode::SUCCESS)
}

/// Reads `name=value`, `name!=value`, `name=~regex`, `name!~regex`; the value may stand in quotes.
pub(crate) fn parse_matcher(text: &str) -> anyhow::Result<Value> {
    const OPERATORS: [(&str, bool, bool); 4] = [
        ("=~", true, true),
        ("!~", false, true),
        ("!=", false, false),
        ("=", true, false),
    ];
    let first = text
        .find(['=', '!'])
        .with_context(|| format!("{text:?} is not a matcher like name=value"))?;
    let (name, rest) = text.split_at(first);
    let found = OPERATORS
        .iter()
        .find_map(|(sign, equal, regex)| Some((rest.strip_prefix(sign)?, equal, regex)));
    let (Some((value, is_equal, is_regex)), false) = (found, name.trim().is_empty()) else {
        bail!("{text:?} is not a matcher like name=value");
    };
    let value = value
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .unwrap_or(value);
    Ok(json!({"name": name.trim(), "value": value, "isEqual": is_equal, "isRegex": is_regex}))
}

fn expire(client: &Client, ids: &[String]) -> anyhow::Result<ExitCode> {
    let mut failed = false;
    for id in ids {
        let (status, said) =
            client.send(Method::DELETE, &format!("/api/v2/silence/{id}"), &[], None)?;
        if status != 200 {
            failed = true;
            print::note(&format!("{id}: {}", said.trim()));
        }
    }
    Ok(if failed {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}
