//! The texts of notifications: what templates work on, and the set of templates itself.
//!
//! The default templates have upstream's names and render to upstream's texts, since users' own templates call
//! them. A template that fails never keeps a notification from leaving: the caller sends a plain text that
//! says what went wrong.

mod data;

pub use data::{Message, data, go_json, quote_meta};

use crate::config::Config;
use crate::notice::Notice;
use config::glob;
use gotemplate::functions::alertmanager;
use gotemplate::functions::alertmanager::data::Data;
use gotemplate::{Limits, MissingKey, Signature, Template, Time, Type, Value};
use model::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

/// The default templates but for the mail's body.
const DEFAULTS: &str = include_str!("template/default.tmpl");
/// The mail's body.
const EMAIL: &str = include_str!("template/email.tmpl");
/// The styles that nearly every element of the mail carries.
const PLAIN: &str = "margin: 0; @(font) font-size: 14px;";
const FONT: &str =
    "font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box;";
/// Route labels that refer to each other at most so deep.
const ROUTE_LABEL_DEPTH_MAX: usize = 16;

/// Reports what is wrong with the syntax of a text that may hold template actions.
pub fn check_syntax(text: &str) -> Result<(), String> {
    let mut set = empty_set();
    set.parse_named("", text).map_err(|error| error.to_string())
}

fn empty_set() -> Template {
    Template::new("")
        .functions(&alertmanager::functions(&Time::zero()))
        .missing_key(MissingKey::Zero)
}

/// The templates of one configuration.
#[derive(Clone, Debug)]
pub struct Templates {
    set: Template,
    external_url: String,
}

impl Templates {
    /// Reads the default templates and the files that the configuration names. Answers also what was wrong
    /// with files; what could be read is used.
    ///
    /// `external_url`: under which users reach us, without a slash at the end.
    #[must_use]
    pub fn load(config: &Config, external_url: &str) -> (Self, Vec<String>) {
        let (set, problems) = read_files(&config.templates);
        let external_url = external_url.trim_end_matches('/').to_owned();
        (Self { set, external_url }, problems)
    }

    /// Reads the default templates and the files of these patterns. Fails with what is wrong with the first that
    /// cannot be read.
    pub fn of_files(patterns: &[PathBuf]) -> Result<Self, String> {
        let (set, problems) = read_files(patterns);
        match problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(Self {
                set,
                external_url: String::new(),
            }),
        }
    }

    /// Renders a text on given data, as no notification does it. Fails with the template's error.
    pub fn render(&self, text: &str, data: &Data, now: Timestamp) -> Result<String, String> {
        let mut set = self.set_at(now);
        set.parse_named("", text)
            .and_then(|()| set.execute("", &data.value(), &Limits::default()))
            .map_err(|error| error.to_string())
    }

    /// The same as HTML: what the text prints is escaped for the place where it stands.
    pub fn render_html(&self, text: &str, data: &Data, now: Timestamp) -> Result<String, String> {
        let mut set = self.set_at(now);
        set.parse_named("", text)
            .and_then(|()| set.execute_html("", &data.value(), &Limits::default()))
            .map_err(|error| error.to_string())
    }

    fn set_at(&self, now: Timestamp) -> Template {
        let functions = alertmanager::functions(&Time::from_milliseconds(now.millis()));
        self.set.clone().functions(&functions)
    }

    /// Makes ready for the texts of one notification. `alerts_max`: alerts in it at most, 0 for all.
    #[must_use]
    pub fn scope(&self, notice: &Notice, alerts_max: u64, now: Timestamp) -> Scope {
        let mut message = data(notice, &self.external_url, alerts_max);
        let mut functions = alertmanager::functions(&Time::from_milliseconds(now.millis()));
        if !notice.route_labels.is_empty() {
            let resolver = Arc::new(Resolver {
                set: self.set.clone(),
                functions: functions.clone(),
                data: Data {
                    notification_reason: "unknown".to_owned(),
                    route_labels: notice.route_labels.clone(),
                    ..message.data.clone()
                },
            });
            let rendered = notice.route_labels.iter().filter_map(|(name, _)| {
                let value = Resolver::resolve(&resolver, name, &[]).ok()?;
                Some((name.clone(), value))
            });
            message.data.route_labels = rendered.collect();
            let labels = message.data.route_labels.clone();
            functions.insert("routeLabels", Signature::of(&[Type::String]), move |args| {
                let name = args.first().and_then(Value::as_str).unwrap_or_default();
                let found = labels.iter().find(|(label, _)| label == name);
                Ok(Value::str(found.map_or("", |(_, value)| value)))
            });
        }
        Scope {
            set: self.set.clone().functions(&functions),
            value: message.data.value(),
            message,
        }
    }
}

/// The default templates and those of the files, and what was wrong with files; what could be read is used.
fn read_files(patterns: &[PathBuf]) -> (Template, Vec<String>) {
    let mut set = empty_set();
    let mut problems = Vec::new();
    let email = EMAIL.replace("@(plain)", PLAIN).replace("@(font)", FONT);
    for (name, text) in [("default.tmpl", DEFAULTS), ("email.tmpl", &email)] {
        if let Err(error) = set.parse_named(name, text) {
            problems.push(error.to_string());
        }
    }
    for pattern in patterns {
        let files = glob::expand(pattern).into_iter();
        for path in files.filter(|path| path.is_file()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let shown = path.display();
            let parsed = std::fs::read_to_string(&path)
                .map_err(|error| format!("{shown}: {error}"))
                .and_then(|text| {
                    set.parse_named(&name, &text).map_err(|error| match error {
                        gotemplate::Error::Parse { line, message, .. } => {
                            format!("{shown}:{line}: {message}")
                        }
                        other => format!("{shown}: {other}"),
                    })
                });
            problems.extend(parsed.err());
        }
    }
    (set, problems)
}

/// Renders route labels, which may refer to each other.
struct Resolver {
    set: Template,
    functions: gotemplate::FunctionMap,
    data: Data,
}

impl Resolver {
    fn resolve(this: &Arc<Self>, name: &str, stack: &[String]) -> Result<String, String> {
        let raw = this
            .data
            .route_labels
            .iter()
            .find(|(label, _)| label == name);
        let Some((_, text)) = raw else {
            return Ok(String::new());
        };
        let mut stack = stack.to_vec();
        let seen = stack.iter().any(|label| label == name);
        stack.push(name.to_owned());
        if seen || stack.len() > ROUTE_LABEL_DEPTH_MAX {
            return Err(format!(
                "route label cycle detected: {}",
                stack.join(" -> ")
            ));
        }
        let mut functions = this.functions.clone();
        let inner = Arc::clone(this);
        functions.insert("routeLabels", Signature::of(&[Type::String]), move |args| {
            let name = args.first().and_then(Value::as_str).unwrap_or_default();
            Self::resolve(&inner, name, &stack).map(Value::from)
        });
        let mut set = this.set.clone().functions(&functions);
        set.parse_named("", text)
            .and_then(|()| set.execute("", &this.data.value(), &Limits::default()))
            .map_err(|error| error.to_string())
    }
}

/// The templates together with one notification.
pub struct Scope {
    set: Template,
    value: Value,
    /// The notification as payloads show it.
    pub message: Message,
}

impl Scope {
    /// Renders a text. Fails with the template's error.
    pub fn text(&self, text: &str) -> Result<String, String> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let mut set = self.set.clone();
        set.parse_named("", text)
            .and_then(|()| set.execute("", &self.value, &Limits::default()))
            .map_err(|error| error.to_string())
    }

    /// Renders a text as HTML: what it prints is escaped for the place where it stands.
    pub fn html(&self, text: &str) -> Result<String, String> {
        if text.is_empty() {
            return Ok(String::new());
        }
        let mut set = self.set.clone();
        set.parse_named("", text)
            .and_then(|()| set.execute_html("", &self.value, &Limits::default()))
            .map_err(|error| error.to_string())
    }

    /// What is sent where a template failed: the state, the group, and the reason.
    #[must_use]
    pub fn plain(&self, error: &str) -> String {
        format!("{}(the template failed: {error})", self.plain_list())
    }

    /// The state, the group and the labels of each alert, without any template.
    #[must_use]
    pub fn plain_list(&self) -> String {
        let mut text = format!("{}\n", self.plain_title());
        for alert in &self.message.data.alerts {
            let labels: Vec<String> = alert
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            text.push_str(&format!("{}: {}\n", alert.status, labels.join(" ")));
        }
        text
    }

    /// A title without any template.
    #[must_use]
    pub fn plain_title(&self) -> String {
        let data = &self.message.data;
        let values: Vec<&str> = data.group_labels.iter().map(|(_, v)| v.as_str()).collect();
        let count = data.alerts.len();
        format!(
            "[{}:{count}] {}",
            data.status.to_uppercase(),
            values.join(" ")
        )
    }
}

#[cfg(test)]
pub(crate) mod tests;
