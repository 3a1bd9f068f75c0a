//! `amtool silence query | add | expire | update`.

use super::server::{DELETE_SILENCE, GET_SILENCE, GET_SILENCES, POST_SILENCES, Server};
use super::{format, matching};
use crate::cli::Amtool;
use crate::cli::amtool::{Shown, SilenceAdd, SilenceQuery, SilenceUpdate};
use crate::print;
use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use runtime::Clock as _;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The fields of a silence in the order of upstream's JSON.
const FIELDS: [&str; 9] = [
    "id",
    "status",
    "updatedAt",
    "annotations",
    "comment",
    "createdBy",
    "endsAt",
    "matchers",
    "startsAt",
];

fn now() -> Timestamp {
    let millis = runtime::SystemClock::new().now().millis();
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

/// Prints the silences that were asked for.
pub(super) fn query(amtool: &Amtool, query: &SilenceQuery) -> anyhow::Result<()> {
    let filters = matching::with_name(&query.matchers);
    let within = query.within.as_deref().map(format::parse_go_duration);
    let within = within.transpose()?.filter(|millis| *millis > 0);
    let parameters: Vec<(&str, &str)> = filters
        .iter()
        .map(|filter| ("filter", filter.as_str()))
        .collect();
    let silences = Server::new(amtool)?.ask(GET_SILENCES, "", &parameters, None)?;
    let now = now();
    let wanted = |silence: &&Value| {
        let ends_at = format::moment(silence, "endsAt").unwrap_or_default();
        let left = ends_at.duration_since(now);
        let within = within.map(SignedDuration::from_millis);
        let in_time = if query.expired {
            ends_at <= now && within.is_none_or(|within| -left <= within)
        } else {
            ends_at >= now && within.is_none_or(|within| left <= within)
        };
        let is = |wanted: Option<&String>, pointer| {
            wanted
                .is_none_or(|wanted| wanted.is_empty() || wanted == format::text(silence, pointer))
        };
        in_time && is(query.created_by.as_ref(), "/createdBy") && is(query.id.as_ref(), "/id")
    };
    let list: Vec<Value> = silences
        .as_array()
        .into_iter()
        .flatten()
        .filter(wanted)
        .cloned()
        .collect();
    show(amtool, list, query.quiet);
    Ok(())
}

fn show(amtool: &Amtool, mut silences: Vec<Value>, quiet: bool) {
    if quiet {
        for silence in &silences {
            print::line(format::text(silence, "/id"));
        }
        return;
    }
    if amtool.output == Shown::Json {
        print::part(&format::json_line(&Value::from(silences), &FIELDS));
        return;
    }
    silences.sort_by_key(|silence| format::moment(silence, "endsAt"));
    print::part(&format::columns(&table(&silences, amtool)));
}

fn table(silences: &[Value], amtool: &Amtool) -> String {
    let extended = amtool.output == Shown::Extended;
    let mut text = if extended {
        "ID\tMatchers\tStarts At\tEnds At\tUpdated At\tCreated By\tComment\t\n"
    } else {
        "ID\tMatchers\tEnds At\tCreated By\tComment\t\n"
    }
    .to_owned();
    for silence in silences {
        let date = |field| format::date(silence, field, &amtool.date_format);
        let (id, ends) = (format::text(silence, "/id"), date("endsAt"));
        let matchers = format::matchers(silence);
        let by = format::text(silence, "/createdBy");
        let comment = format::text(silence, "/comment");
        // Writing to a String cannot fail.
        let _infallible = if extended {
            let (matchers, starts) = (matchers.join(","), date("startsAt"));
            let updated = date("updatedAt");
            writeln!(
                text,
                "{id}\t{{{matchers}}}\t{starts}\t{ends}\t{updated}\t{by}\t{comment}\t"
            )
        } else {
            let matchers = matchers.join(" ");
            writeln!(text, "{id}\t{matchers}\t{ends}\t{by}\t{comment}\t")
        };
    }
    text
}

/// Makes a silence and prints its id.
pub(super) fn add(amtool: &Amtool, add: &SilenceAdd) -> anyhow::Result<()> {
    let matchers = matching::matchers(&matching::with_name(&add.matchers))?;
    ensure!(!matchers.is_empty(), "no matchers specified");
    let starts_at = match &add.start {
        Some(text) => format::parse_moment(text)?,
        None => now(),
    };
    let ends_at = match &add.end {
        Some(text) => format::parse_moment(text)?,
        None => starts_at.checked_add(format::parse_duration(&add.duration)?)?,
    };
    ensure!(starts_at <= ends_at, "silence cannot start after it ends");
    let required = !add.no_require_comment;
    ensure!(
        !required || !add.comment.is_empty(),
        "comment required by config"
    );
    let body = json!({
        "comment": add.comment,
        "createdBy": add.author.clone().unwrap_or_else(user_name),
        "endsAt": ends_at.to_string(),
        "matchers": matchers.iter().map(api::matcher_json).collect::<Vec<_>>(),
        "startsAt": starts_at.to_string(),
    });
    let answer = Server::new(amtool)?.ask(POST_SILENCES, "", &[], Some(&body))?;
    print::line(format::text(&answer, "/silenceID"));
    Ok(())
}

/// The name of the user who runs this; empty where the system does not know.
fn user_name() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let id = line.and_then(|ids| ids.split_whitespace().next());
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == id).then(|| name.to_owned())
    });
    name.or_else(|| runtime::environment::var("USER"))
        .unwrap_or_default()
}

/// Ends silences.
pub(super) fn expire(amtool: &Amtool, ids: &[String]) -> anyhow::Result<()> {
    ensure!(!ids.is_empty(), "no silence IDs specified");
    let server = Server::new(amtool)?;
    for id in ids {
        server.ask(DELETE_SILENCE, id, &[], None)?;
    }
    Ok(())
}

/// Changes silences and prints them as they are then.
pub(super) fn update(amtool: &Amtool, update: &SilenceUpdate) -> anyhow::Result<()> {
    ensure!(!update.ids.is_empty(), "no silence IDs specified");
    let server = Server::new(amtool)?;
    let mut updated = Vec::new();
    for id in &update.ids {
        let mut silence = server.ask(GET_SILENCE, id, &[], None)?;
        change(&mut silence, update)?;
        let mut body = silence.clone();
        if let Value::Object(fields) = &mut body {
            fields.remove("status");
            fields.remove("updatedAt");
        }
        let answer = server.ask(POST_SILENCES, "", &[], Some(&body))?;
        set(&mut silence, "id", format::text(&answer, "/silenceID"));
        updated.push(silence);
    }
    show(amtool, updated, update.quiet);
    Ok(())
}

fn change(silence: &mut Value, update: &SilenceUpdate) -> anyhow::Result<()> {
    if let Some(start) = &update.start {
        let start = format::parse_moment(start)?;
        set(silence, "startsAt", &start.to_string());
    }
    let starts_at = format::moment(silence, "startsAt").context("the silence has no start")?;
    if let Some(end) = &update.end {
        let end = format::parse_moment(end)?;
        set(silence, "endsAt", &end.to_string());
    } else if let Some(duration) = &update.duration {
        let end = starts_at.checked_add(format::parse_duration(duration)?)?;
        set(silence, "endsAt", &end.to_string());
    }
    let ends_at = format::moment(silence, "endsAt").context("the silence has no end")?;
    ensure!(starts_at <= ends_at, "silence cannot start after it ends");
    if let Some(comment) = update.comment.as_deref().filter(|text| !text.is_empty()) {
        set(silence, "comment", comment);
    }
    Ok(())
}

fn set(silence: &mut Value, field: &str, text: &str) {
    if let Value::Object(fields) = silence {
        fields.insert(field.to_owned(), Value::from(text));
    }
}
