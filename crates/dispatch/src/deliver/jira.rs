//! Jira: an issue per group, found again by a label. It is made, changed, opened again and resolved. REST API,
//! versions 2 and 3.

use super::compose::{Renderer, compose};
use super::http::{Answer, PLAIN, Request, check, join, send};
use super::{Conversation, Failure, Kit, Memory, truncate};
use crate::config::{Jira, JiraSearch};
use crate::template::go_json;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Characters of a title and of a text.
const SUMMARY_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 32_767;

/// All that the conversation needs.
struct Talk {
    api_url: String,
    search: Request,
    firing: bool,
    /// The issue as it is made.
    new: Value,
    /// What changes of one that is there.
    changed: Value,
    reopen: String,
    resolve: String,
}

/// An issue that was found.
struct Issue {
    key: String,
    is_done: bool,
}

pub(super) fn prepare(kit: &mut Kit<'_>, jira: &Jira) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let firing = scope.message.is_firing();
    let label = format!("ALERT{{{}}}", kit.group_hash());
    let (project, new) = compose(kit.job, &scope, |texts| {
        let project = texts.needed("project", &jira.project)?;
        let fields = fields(jira, texts, &project, &label)?;
        Ok((project, fields))
    })?;
    let mut changed = new.clone();
    for (name, text) in [
        ("summary", &jira.summary),
        ("description", &jira.description),
    ] {
        if !text.is_updated {
            changed.remove(name);
        }
    }
    let body = |fields| json!({"fields": Value::from(Map::from_iter(fields))});
    let question = json!({
        "fields": ["status"],
        "jql": question(jira, &project, &label, firing),
        "maxResults": 2,
    });
    let search = kit
        .post(&jira.http, search_url(jira)?, go_json(&question))?
        .with_header("accept-language", "en")?;
    let talk = Talk {
        api_url: jira.api_url.clone(),
        search,
        firing,
        new: body(new),
        changed: body(changed),
        reopen: jira.reopen_transition.clone(),
        resolve: jira.resolve_transition.clone(),
    };
    Ok(Box::pin(talk.run()))
}

/// Where issues are searched for: Jira Cloud has only the newer place, Data Center only the older one.
fn search_url(jira: &Jira) -> Result<String, String> {
    let older = join(&jira.api_url, "search")?;
    let on_cloud = older
        .host_str()
        .is_some_and(|host| host.ends_with("atlassian.net"));
    match (jira.search, on_cloud) {
        (JiraSearch::Cloud, _) | (JiraSearch::Auto, true) => {
            let mut newer = join(&jira.api_url, "search/jql")?;
            let path = newer.path().replacen("/rest/api/2/", "/rest/api/3/", 1);
            newer.set_path(&path);
            Ok(newer.into())
        }
        (JiraSearch::DataCenter, _) | (JiraSearch::Auto, false) => Ok(older.into()),
    }
}

/// Asks for the group's issue: one that is open, or that may be opened again.
fn question(jira: &Jira, project: &str, label: &str, firing: bool) -> String {
    let mut jql = String::new();
    if !jira.wont_fix_resolution.is_empty() {
        jql = format!("resolution != {:?} and ", jira.wont_fix_resolution);
    }
    let minutes = jira.reopen_duration_ms / 60_000;
    if firing && !jira.reopen_transition.is_empty() && minutes > 0 {
        jql += &format!("(resolutiondate is EMPTY OR resolutiondate >= -{minutes}m) and ");
    } else {
        jql += "statusCategory != Done and ";
    }
    format!("{jql}project={project:?} and labels={label:?} order by status ASC,resolutiondate DESC")
}

fn fields(
    jira: &Jira,
    texts: &mut Renderer<'_>,
    project: &str,
    label: &str,
) -> Result<BTreeMap<String, Value>, String> {
    let summary = texts.short_title(&jira.summary.template, SUMMARY_CHARS_MAX);
    let issue_type = texts.needed("issue_type", &jira.issue_type)?;
    let mut labels: Vec<String> = jira.labels.iter().map(|label| texts.text(label)).collect();
    labels.push(label.to_owned());
    labels.sort();
    let mut fields = BTreeMap::from([
        ("project".to_owned(), json!({"key": project})),
        ("issuetype".to_owned(), json!({"name": issue_type})),
        ("summary".to_owned(), Value::from(summary)),
        ("labels".to_owned(), Value::from(labels)),
    ]);
    if let Some(description) = description(jira, texts) {
        fields.insert("description".to_owned(), description);
    }
    let priority = texts.text(&jira.priority);
    if !priority.is_empty() {
        fields.insert("priority".to_owned(), json!({"name": priority}));
    }
    for (name, node) in &jira.fields {
        fields.insert(name.clone(), texts.any(node));
    }
    Ok(fields)
}

/// The text of an issue. Version 3 takes only documents; a text that is none becomes one of a paragraph.
fn description(jira: &Jira, texts: &mut Renderer<'_>) -> Option<Value> {
    let text = texts.body(&jira.description.template);
    let text = truncate::chars(text, DESCRIPTION_CHARS_MAX);
    let is_v3 =
        join(&jira.api_url, "").is_ok_and(|url| url.path().trim_end_matches('/').ends_with("/3"));
    if text.trim().is_empty() {
        return None;
    }
    if !is_v3 {
        return Some(Value::from(text));
    }
    Some(
        serde_json::from_str(text.trim()).unwrap_or_else(|_plain_text| {
            json!({
                "type": "doc",
                "version": 1,
                "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
            })
        }),
    )
}

impl Talk {
    async fn run(self) -> Result<Memory, Failure> {
        let found = self.find().await;
        let issue = found.map_err(|failure| failure.within("failed to look up existing issues"))?;
        let Some(issue) = issue else {
            if self.firing {
                self.ask(Method::POST, "issue", &self.new).await?;
            }
            return Ok(Memory::new());
        };
        let path = format!("issue/{}", issue.key);
        self.ask(Method::PUT, &path, &self.changed).await?;
        let transition = match (self.firing, issue.is_done) {
            (true, true) => &self.reopen,
            (false, false) => &self.resolve,
            (true, false) | (false, true) => "",
        };
        if !transition.is_empty() {
            self.transition(&issue.key, transition).await?;
        }
        Ok(Memory::new())
    }

    async fn find(&self) -> Result<Option<Issue>, Failure> {
        let answer = send(self.search.clone()).await?;
        check(&answer, PLAIN)?;
        let found = json(&answer)?;
        let text = |pointer| found.pointer(pointer).and_then(Value::as_str);
        let issue = text("/issues/0/key").map(|key| Issue {
            key: key.to_owned(),
            is_done: text("/issues/0/fields/status/statusCategory/key") == Some("done"),
        });
        Ok(issue)
    }

    async fn transition(&self, key: &str, name: &str) -> Result<(), Failure> {
        let path = format!("issue/{key}/transitions");
        let answer = self.ask(Method::GET, &path, &Value::Null).await?;
        let list = json(&answer)?;
        let list = list.get("transitions").and_then(Value::as_array);
        let named =
            |transition: &&Value| transition.get("name").and_then(Value::as_str) == Some(name);
        let id = list
            .and_then(|list| list.iter().find(named)?.get("id"))
            .ok_or_else(|| format!("can't find transition {name} for issue {key}"))?;
        let body = json!({"transition": {"id": id}});
        self.ask(Method::POST, &path, &body).await.map(drop)
    }

    /// One request to the API; null for one without a body.
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Answer, Failure> {
        let what = format!("failed to {method} request to {path:?}");
        let body = match body {
            Value::Null => String::new(),
            body => go_json(body),
        };
        let request = self.search.to(method, join(&self.api_url, path)?, body);
        let answer = send(request)
            .await
            .map_err(|failure| failure.within(&what))?;
        check(&answer, PLAIN).map_err(|failure| failure.within(&what))?;
        Ok(answer)
    }
}

fn json(answer: &Answer) -> Result<Value, Failure> {
    let parsed = serde_json::from_str(&answer.body);
    Ok(parsed.map_err(|error| format!("the answer is not JSON: {error}"))?)
}
