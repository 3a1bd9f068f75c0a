//! What a scenario is, and reading one.
//!
//! A step is a line: the second, what happens, and words of the form `name=value`. Every alert gets the label `scenario`
//! with the scenario's name, by which its route finds it.
//!
//! ```text
//! 0 fire alertname=A host=1 @summary=down      an alert; words with @ are annotations
//! 0 fire alertname=A starts=-60 ends=+3        its moments, in seconds from then
//! 4 resolve alertname=A host=1                 it ends now
//! 0 silence first alertname=~A.* for=8         a silence with a name of ours; also starts=+2
//! 8 expire first                               it ends now
//! ```

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

/// When what is done to a whole stage happens, in seconds.
pub(super) const TURN_AT: f64 = 8.0;

/// What happens to all scenarios of a stage at [`TURN_AT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    None,
    /// The configuration is read again.
    Reload,
    /// The configuration is read again; it is broken.
    BrokenReload,
    /// The process ends and starts again; the stage's alerts are posted again, as Prometheus does.
    Restart,
}

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) turn: Turn,
    /// Lines of its route, below `matchers` and `receiver`.
    pub(super) route: &'static str,
    /// Its receivers; its own name is one that tells the webhook, unless this names it.
    pub(super) receivers: &'static str,
    /// Its inhibit rules.
    pub(super) inhibit: &'static str,
    /// What replaces `route` at the turn.
    pub(super) route_then: Option<&'static str>,
    /// What replaces `inhibit` at the turn.
    pub(super) inhibit_then: Option<&'static str>,
    pub(super) steps: &'static [&'static str],
}

impl Scenario {
    pub(super) const PLAIN: Self = Self {
        name: "",
        turn: Turn::None,
        route: "",
        receivers: "",
        inhibit: "",
        route_then: None,
        inhibit_then: None,
        steps: &[],
    };
}

/// A step that was read.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) at: f64,
    pub(super) action: Action,
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// These alerts are posted; moments are seconds from then.
    Post(Posted),
    /// A silence is made; its key in this run, what it matches, when it begins and ends.
    Silence {
        key: String,
        matchers: Value,
        starts: f64,
        ends: f64,
    },
    /// It is ended.
    Expire(String),
}

/// An alert and its moments in seconds from when it is posted.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    pub(super) alert: Map<String, Value>,
    pub(super) starts: Option<f64>,
    pub(super) ends: Option<f64>,
}

impl Posted {
    /// The body that posts it at this moment.
    pub(super) fn body(&self, now_ms: i64) -> Value {
        let mut alert = self.alert.clone();
        let moment = |seconds: f64| Value::from(rfc3339(now_ms, seconds));
        if let Some(starts) = self.starts {
            alert.insert("startsAt".to_owned(), moment(starts));
        }
        if let Some(ends) = self.ends {
            alert.insert("endsAt".to_owned(), moment(ends));
        }
        json!([alert])
    }
}

/// A moment some seconds from another, as Go writes it.
pub(super) fn rfc3339(now_ms: i64, seconds: f64) -> String {
    let moment = jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default();
    let moved = jiff::SignedDuration::from_secs_f64(seconds);
    moment.checked_add(moved).unwrap_or(moment).to_string()
}

/// Reads the steps of a scenario.
pub(super) fn steps(scenario: &Scenario) -> anyhow::Result<Vec<Step>> {
    let read = |line: &&str| {
        step(scenario.name, line).with_context(|| format!("{}: {line:?}", scenario.name))
    };
    scenario.steps.iter().map(read).collect()
}

fn step(name: &str, line: &str) -> anyhow::Result<Step> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let at: f64 = words.next().context("a second")?.parse()?;
    let verb = words.next().context("an action")?;
    let action = match verb {
        "fire" => Action::Post(alert(name, words)?),
        "resolve" => {
            let mut alert = alert(name, words)?;
            alert.ends = Some(0.0);
            Action::Post(alert)
        }
        "silence" => silence(name, words)?,
        "expire" => Action::Expire(format!("{name}/{}", words.next().context("a key")?)),
        other => bail!("unknown action {other:?}"),
    };
    Ok(Step { at, action })
}

fn alert<'a>(name: &str, words: impl Iterator<Item = &'a str>) -> anyhow::Result<Posted> {
    let mut labels = Map::from_iter([("scenario".to_owned(), Value::from(name))]);
    let mut annotations = Map::new();
    let mut url = format!("http://source.test/{name}");
    let (mut starts, mut ends) = (None, None);
    for word in words {
        let (key, value) = word.split_once('=').context("name=value")?;
        // Words are separated by spaces, so a space in a value is written as a one-dot leader (U+2024).
        let value = value.replace('․', " ");
        match key {
            "starts" => starts = Some(value.parse()?),
            "ends" => ends = Some(value.parse()?),
            "url" => url = value,
            _ => {
                let (map, key) = match key.strip_prefix('@') {
                    Some(key) => (&mut annotations, key),
                    None => (&mut labels, key),
                };
                map.insert(key.to_owned(), Value::from(value));
            }
        }
    }
    let mut alert = Map::new();
    alert.insert("labels".to_owned(), Value::from(labels));
    alert.insert("annotations".to_owned(), Value::from(annotations));
    alert.insert("generatorURL".to_owned(), Value::from(url));
    Ok(Posted {
        alert,
        starts,
        ends,
    })
}

fn silence<'a>(name: &str, mut words: impl Iterator<Item = &'a str>) -> anyhow::Result<Action> {
    let key = format!("{name}/{}", words.next().context("a key")?);
    let mut matchers = vec![matcher("scenario", (true, false), name)];
    let (mut starts, mut lasts) = (0.0, 3600.0);
    for word in words {
        if let Some(seconds) = word.strip_prefix("for=") {
            lasts = seconds.parse()?;
            continue;
        }
        if let Some(seconds) = word.strip_prefix("starts=") {
            starts = seconds.parse()?;
            continue;
        }
        let operators = [
            ("!~", (false, true)),
            ("!=", (false, false)),
            ("=~", (true, true)),
            ("=", (true, false)),
        ];
        let found = operators
            .iter()
            .find_map(|(sign, kind)| Some((word.split_once(sign)?, *kind)));
        let ((label, value), kind) = found.context("a matcher")?;
        matchers.push(matcher(label, kind, value));
    }
    Ok(Action::Silence {
        key,
        matchers: Value::from(matchers),
        starts,
        ends: starts + lasts,
    })
}

fn matcher(name: &str, (is_equal, is_regex): (bool, bool), value: &str) -> Value {
    json!({"name": name, "value": value, "isEqual": is_equal, "isRegex": is_regex})
}

/// The alertmanager.yml of these scenarios, before the turn or after it. Webhooks go to `address`.
pub(super) fn config(scenarios: &[Scenario], address: &str, turned: bool) -> String {
    let mut routes = String::new();
    let mut receivers = "  - name: nobody\n".to_owned();
    let mut inhibit = String::new();
    for scenario in scenarios {
        let name = scenario.name;
        let then = |before: &'static str, then: Option<&'static str>| {
            then.filter(|_| turned).unwrap_or(before)
        };
        routes.push_str(&format!(
            "    - matchers: ['scenario=\"{name}\"']\n      receiver: {name}\n"
        ));
        routes.push_str(&indented(
            then(scenario.route, scenario.route_then),
            "      ",
        ));
        if !scenario.receivers.contains(&format!("name: {name}\n")) {
            receivers.push_str(&format!(
                "  - name: {name}\n    webhook_configs: [{{url: 'http://{address}/'}}]\n"
            ));
        }
        let own = scenario
            .receivers
            .replace("URL", &format!("'http://{address}/'"));
        receivers.push_str(&indented(&own, "  "));
        let own = then(scenario.inhibit, scenario.inhibit_then);
        inhibit.push_str(&indented(own, "  ").replace("SELF", &format!("scenario=\"{name}\"")));
    }
    format!(
        "route:\n  receiver: nobody\n  group_by: [alertname]\n  group_wait: 2s\n  group_interval: 4s\n  \
         repeat_interval: 1h\n  routes:\n{routes}receivers:\n{receivers}inhibit_rules:\n{inhibit}  []\n\
         time_intervals:\n{}",
        intervals()
    )
    .replace("inhibit_rules:\n  []\n", "")
    .replace("  []\ntime_intervals", "time_intervals")
}

fn indented(text: &str, indent: &str) -> String {
    let line = |line: &str| format!("{indent}{line}\n");
    text.lines()
        .filter(|text| !text.trim().is_empty())
        .map(line)
        .collect()
}

/// Times that hold now and times that do not; the day is long enough for a run to end within it.
fn intervals() -> String {
    let now = jiff::Timestamp::from_millisecond(crate::bench::now_ms().unwrap_or(0));
    let now = now.unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    let today = format!("{:?}", now.weekday()).to_lowercase();
    let day = now.day();
    let from_end = i16::from(now.days_in_month()) - i16::from(day) + 1;
    let later = if now.hour() < 12 { "22:00" } else { "01:00" };
    let later_end = if now.hour() < 12 { "23:00" } else { "02:00" };
    format!(
        "  - name: always\n    time_intervals: [{{times: [{{start_time: '00:00', end_time: '24:00'}}]}}]\n\
         \x20 - name: never\n    time_intervals: [{{years: ['1999']}}]\n\
         \x20 - name: today\n    time_intervals: [{{weekdays: ['{today}']}}]\n\
         \x20 - name: this-day-of-the-month\n    time_intervals: [{{days_of_month: ['-{from_end}'], months: ['{}'], years: ['{}']}}]\n\
         \x20 - name: at-another-hour\n    time_intervals: [{{times: [{{start_time: '{later}', end_time: '{later_end}'}}]}}]\n\
         \x20 - name: in-tokyo\n    time_intervals: [{{times: [{{start_time: '00:00', end_time: '24:00'}}], location: Asia/Tokyo}}]\n",
        now.month(),
        now.year(),
    )
}
