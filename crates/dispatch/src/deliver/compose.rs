//! Messages from templates: where one fails, a plain text with the error in it takes its place.

use super::{Job, truncate};
use crate::config::{AttachmentField, Texts};
use crate::template::Scope;
use config::yaml::{Node, NodeKind};
use serde_json::{Map, Value, json};

/// Renders the templates of one message.
pub(super) struct Renderer<'a> {
    scope: &'a Scope,
    /// The first failure.
    error: Option<String>,
    /// Whether the message is made anew because of a failure: title and body are plain then.
    is_plain: bool,
}

/// Makes a message; where a template fails, makes it anew with a plain title and a plain body, which say what
/// fires and what failed. Answers the failure too.
///
/// Fails where a text fails without which the message would reach nobody.
pub(super) fn compose<T>(
    job: &Job,
    scope: &Scope,
    make: impl Fn(&mut Renderer<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let mut renderer = Renderer {
        scope,
        error: None,
        is_plain: false,
    };
    let message = make(&mut renderer);
    let Some(error) = renderer.error.take().filter(|_| message.is_ok()) else {
        return message;
    };
    tracing::warn!(
        "{}: {error}; a plain text is sent instead",
        job.notice.target
    );
    job.note_template_error(&error);
    renderer.error = Some(error);
    renderer.is_plain = true;
    make(&mut renderer)
}

impl Renderer<'_> {
    fn render(&mut self, rendered: Result<String, String>) -> String {
        rendered.unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            String::new()
        })
    }

    /// Whether the message is made anew because a template failed.
    pub(super) const fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// A text that is left empty where it fails.
    pub(super) fn text(&mut self, template: &str) -> String {
        let rendered = self.scope.text(template);
        self.render(rendered)
    }

    /// What the message is about, in a line.
    pub(super) fn title(&mut self, template: &str) -> String {
        if self.is_plain {
            return self.scope.plain_title();
        }
        self.text(template)
    }

    /// What the message says.
    pub(super) fn body(&mut self, template: &str) -> String {
        match &self.error {
            Some(error) if self.is_plain => self.scope.plain(error),
            _ => self.text(template),
        }
    }

    /// What the message says, as HTML.
    pub(super) fn html_body(&mut self, template: &str) -> String {
        match &self.error {
            Some(error) if self.is_plain => escape(&self.scope.plain(error)),
            _ => {
                let rendered = self.scope.html(template);
                self.render(rendered)
            }
        }
    }

    /// A text without which the message would reach nobody; `name` is its field.
    pub(super) fn needed(&mut self, name: &str, template: &str) -> Result<String, String> {
        let rendered = self.scope.text(template);
        rendered.map_err(|error| format!("execute {name:?} template: {error}"))
    }

    /// Any YAML with templates in it, as JSON.
    pub(super) fn any(&mut self, node: &Node) -> Value {
        any(node, self.scope).unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            Value::Null
        })
    }

    /// Fields of an attachment.
    pub(super) fn fields(&mut self, fields: &[AttachmentField], short: bool) -> Vec<Value> {
        let field = |field: &AttachmentField| {
            json!({
                "title": self.text(&field.title),
                "value": self.text(&field.value),
                "short": field.short.unwrap_or(short),
            })
        };
        fields.iter().map(field).collect()
    }

    /// Adds a text to a message unless it is empty; the template has the same name.
    pub(super) fn put(&mut self, map: &mut Map<String, Value>, name: &str, texts: &Texts) {
        let text = self.text(texts.get(name));
        put(map, name, text);
    }

    /// A title cut to so many characters.
    pub(super) fn short_title(&mut self, template: &str, chars_max: usize) -> String {
        truncate::chars(self.title(template), chars_max)
    }
}

/// Adds a text unless it is empty.
pub(super) fn put(map: &mut Map<String, Value>, name: &str, text: String) {
    if !text.is_empty() {
        map.insert(name.to_owned(), Value::from(text));
    }
}

/// Escapes what has a meaning in HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Renders every text of some YAML. A text that renders to YAML of another kind (a list, a number) becomes that;
/// unlike upstream what comes out is not rendered again, so that labels cannot smuggle templates in.
pub(super) fn any(node: &Node, scope: &Scope) -> Result<Value, String> {
    match &node.kind {
        NodeKind::Scalar { text, quoted } => {
            if !text.contains("{{") && !quoted {
                return Ok(plain(node));
            }
            let rendered = scope.text(text)?;
            let mut problems = config::Problems::new("payload");
            let parsed = config::yaml::parse_single(&rendered, &mut problems);
            Ok(match parsed.filter(|_| problems.is_empty()) {
                Some(inner) if !matches!(inner.kind, NodeKind::Null) => match plain(&inner) {
                    Value::String(_) => Value::from(rendered),
                    other => other,
                },
                _ => Value::from(rendered),
            })
        }
        NodeKind::Null => Ok(Value::Null),
        NodeKind::Sequence(elements) => {
            let list: Result<Vec<Value>, String> =
                elements.iter().map(|element| any(element, scope)).collect();
            list.map(Value::from)
        }
        NodeKind::Mapping(pairs) => {
            let mut map = Map::new();
            for (key, value) in pairs {
                let key = scope.text(key.text().unwrap_or_default())?;
                map.insert(key, any(value, scope)?);
            }
            Ok(Value::from(map))
        }
    }
}

/// YAML as JSON: booleans and numbers where they are written as such.
fn plain(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Scalar { text, quoted: true } => Value::from(text.as_str()),
        NodeKind::Scalar {
            text,
            quoted: false,
        } => match text.as_str() {
            "true" | "yes" | "on" => Value::Bool(true),
            "false" | "no" | "off" => Value::Bool(false),
            text => text
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .unwrap_or_else(|_| Value::from(text)),
        },
        NodeKind::Sequence(elements) => elements.iter().map(plain).collect(),
        NodeKind::Mapping(pairs) => {
            let entry = |(key, value): &(Node, Node)| {
                (key.text().unwrap_or_default().to_owned(), plain(value))
            };
            Value::from(pairs.iter().map(entry).collect::<Map<_, _>>())
        }
    }
}
