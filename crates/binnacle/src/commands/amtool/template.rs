//! `amtool template render`: what a template makes of a notification, without sending one.

use crate::cli::amtool::TemplateKind;
use crate::print;
use anyhow::{Context as _, anyhow, bail};
use dispatch::template::Templates;
use gotemplate::Time;
use gotemplate::functions::alertmanager::data::{Alert, Data};
use runtime::Clock as _;
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of a file of data at most.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// How Go writes moments in JSON.
const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
const MINUTE_MS: i64 = 60_000;

/// Renders a text with the templates of the files and prints the result.
pub(super) fn render(
    globs: &[PathBuf],
    text: &str,
    (kind, file): (TemplateKind, Option<&Path>),
) -> anyhow::Result<()> {
    let now_ms = runtime::SystemClock::new().now().millis();
    let data = match file {
        Some(file) => read(file)?,
        None => made_up(now_ms),
    };
    let templates = Templates::of_files(globs).map_err(anyhow::Error::msg)?;
    let now = model::Timestamp::from_millis(now_ms);
    let rendered = match kind {
        TemplateKind::Text => templates.render(text, &data, now),
        TemplateKind::Html => templates.render_html(text, &data, now),
    };
    print::part(&rendered.map_err(anyhow::Error::msg)?);
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Data> {
    let name = file.display();
    let Ok(opened) = std::fs::File::open(file) else {
        bail!("open {name}: no such file or directory");
    };
    let mut text = String::new();
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    let value: Value = serde_json::from_str(&text).with_context(|| name.to_string())?;
    parse(&value).with_context(|| name.to_string())
}

/// Reads a notification out of JSON; what is missing is empty.
fn parse(value: &Value) -> anyhow::Result<Data> {
    let alerts = match value.get("alerts") {
        None | Some(Value::Null) => &[][..],
        Some(list) => list
            .as_array()
            .ok_or_else(|| anyhow!("alerts must be a list"))?,
    };
    Ok(Data {
        receiver: text(value, "receiver")?,
        status: text(value, "status")?,
        alerts: alerts.iter().map(parse_alert).collect::<Result<_, _>>()?,
        notification_reason: text(value, "notification_reason")?,
        group_labels: pairs(value, "groupLabels")?,
        common_labels: pairs(value, "commonLabels")?,
        common_annotations: pairs(value, "commonAnnotations")?,
        route_labels: pairs(value, "routeLabels")?,
        external_url: text(value, "externalURL")?,
    })
}

fn parse_alert(value: &Value) -> anyhow::Result<Alert> {
    let moment = |name: &str| match text(value, name)?.as_str() {
        "" => Ok(Time::zero()),
        text => Time::parse(RFC3339, text).map_err(anyhow::Error::msg),
    };
    Ok(Alert {
        status: text(value, "status")?,
        labels: pairs(value, "labels")?,
        annotations: pairs(value, "annotations")?,
        starts_at: moment("startsAt")?,
        ends_at: moment("endsAt")?,
        generator_url: text(value, "generatorURL")?,
        fingerprint: text(value, "fingerprint")?,
    })
}

fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => bail!("{name} must be a text, not {other}"),
    }
}

fn pairs(value: &Value, name: &str) -> anyhow::Result<Vec<(String, String)>> {
    let object = match value.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(object) => object.as_object(),
    };
    let object = object.ok_or_else(|| anyhow!("{name} must be an object"))?;
    let names = object.keys();
    names
        .map(|key| {
            let inner = value.get(name).unwrap_or(&Value::Null);
            Ok((key.clone(), text(inner, key)?))
        })
        .collect()
}

/// The notification that is rendered where none is given; the words are upstream's.
fn made_up(now_ms: i64) -> Data {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let one = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(one).collect()
    };
    let common = |what: &str| -> Vec<(String, String)> {
        let one = |n: u8| {
            (
                format!("common{what}key{n}"),
                format!("common{what}value{n}"),
            )
        };
        [1, 2].map(one).to_vec()
    };
    let alert = |labels: &[(&str, &str)], annotations: &[(&str, &str)], number: i64| Alert {
        status: "alertstatus".to_owned(),
        labels: [owned(labels), common("label")].concat(),
        annotations: [owned(annotations), common("annotation")].concat(),
        starts_at: Time::from_milliseconds(now_ms - number * 5 * MINUTE_MS),
        ends_at: Time::from_milliseconds(now_ms),
        generator_url: "https://generatorurl.com".to_owned(),
        fingerprint: format!("fingerprint{number}"),
    };
    let first = [
        ("label1", "value1"),
        ("label2", "value2"),
        ("instance", "foo.bar:1234"),
    ];
    Data {
        receiver: "receiver".to_owned(),
        status: "alertstatus".to_owned(),
        alerts: vec![
            alert(
                &first,
                &[("annotation1", "value1"), ("annotation2", "value2")],
                1,
            ),
            alert(
                &[("foo", "bar"), ("baz", "qux")],
                &[("aaa", "bbb"), ("ccc", "ddd")],
                2,
            ),
        ],
        notification_reason: String::new(),
        group_labels: owned(&[
            ("grouplabelkey1", "grouplabelvalue1"),
            ("grouplabelkey2", "grouplabelvalue2"),
        ]),
        common_labels: common("label"),
        common_annotations: common("annotation"),
        route_labels: Vec::new(),
        external_url: "https://example.com".to_owned(),
    }
}
