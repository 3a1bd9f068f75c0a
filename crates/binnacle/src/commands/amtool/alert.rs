//! `amtool alert query | add`.

use super::server::{GET_ALERTS, POST_ALERTS, Server};
use super::{format, matching};
use crate::cli::Amtool;
use crate::cli::amtool::{AlertAdd, AlertQuery, Shown};
use crate::print;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The fields of an alert in the order of upstream's JSON.
const FIELDS: [&str; 9] = [
    "annotations",
    "endsAt",
    "fingerprint",
    "receivers",
    "startsAt",
    "status",
    "updatedAt",
    "generatorURL",
    "labels",
];
/// Go's zero time: nothing is said.
const NOT_SAID: &str = "0001-01-01T00:00:00.000Z";

/// Prints the alerts that were asked for.
pub(super) fn query(amtool: &Amtool, query: &AlertQuery) -> anyhow::Result<()> {
    let any = query.inhibited || query.silenced || query.active || query.unprocessed;
    let filters = matching::with_name(&query.matchers);
    let flag = |given: bool| if given { "true" } else { "false" };
    let mut parameters = vec![
        ("active", flag(query.active || !any)),
        ("inhibited", flag(query.inhibited)),
        ("silenced", flag(query.silenced)),
        ("unprocessed", flag(query.unprocessed)),
    ];
    parameters.extend(
        query
            .receiver
            .as_deref()
            .map(|receiver| ("receiver", receiver)),
    );
    parameters.extend(filters.iter().map(|filter| ("filter", filter.as_str())));
    let alerts = Server::new(amtool)?.ask(GET_ALERTS, "", &parameters, None)?;
    if amtool.output == Shown::Json {
        print::part(&format::json_line(&alerts, &FIELDS));
        return Ok(());
    }
    let mut list: Vec<&Value> = alerts.as_array().into_iter().flatten().collect();
    list.sort_by_key(|alert| format::moment(alert, "startsAt"));
    print::part(&format::columns(&table(&list, amtool)));
    Ok(())
}

fn table(alerts: &[&Value], amtool: &Amtool) -> String {
    let date = |alert, field| format::date(alert, field, &amtool.date_format);
    let mut text = match amtool.output {
        Shown::Extended => "Labels\tAnnotations\tStarts At\tEnds At\tGenerator URL\tState\t\n",
        Shown::Simple | Shown::Json => "Alertname\tStarts At\tSummary\tState\t\n",
    }
    .to_owned();
    for alert in alerts {
        let (starts, state) = (
            date(alert, "startsAt"),
            format::text(alert, "/status/state"),
        );
        // Writing to a String cannot fail.
        let _infallible = match amtool.output {
            Shown::Extended => writeln!(
                text,
                "{}\t{}\t{starts}\t{}\t{}\t{state}\t",
                format::labels(alert.get("labels")),
                format::labels(alert.get("annotations")),
                date(alert, "endsAt"),
                format::text(alert, "/generatorURL"),
            ),
            Shown::Simple | Shown::Json => writeln!(
                text,
                "{}\t{starts}\t{}\t{state}\t",
                format::text(alert, "/labels/alertname"),
                format::text(alert, "/annotations/summary"),
            ),
        };
    }
    text
}

/// Sends an alert.
pub(super) fn add(amtool: &Amtool, add: &AlertAdd) -> anyhow::Result<()> {
    let labels = matching::labels(&matching::with_name(&add.labels))?;
    let annotations = matching::labels(&add.annotation)?;
    let moment = |given: Option<&String>| match given {
        Some(text) => format::parse_moment(text).map(|moment| moment.to_string()),
        None => Ok(NOT_SAID.to_owned()),
    };
    let body = json!([{
        "annotations": matching::labels_json(annotations),
        "endsAt": moment(add.end.as_ref())?,
        "startsAt": moment(add.start.as_ref())?,
        "generatorURL": add.generator_url,
        "labels": matching::labels_json(labels),
    }]);
    Server::new(amtool)?.ask(POST_ALERTS, "", &[], Some(&body))?;
    Ok(())
}
