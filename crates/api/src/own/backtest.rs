//! `/api/binnacle/v1/rules/backtest`: what rules would have said about a span of time that is stored.

use crate::answer::{self, Answer, Failure};
use crate::backtest::{self, Backtest, incidents};
use crate::params::{Params, read_body};
use crate::services::Services;
use axum::extract::{FromRequest as _, Request, State};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use model::{TimeRange, Timestamp};
use rules::backtest::{Error, Watch};
use rules::file::{self, RuleFile, UnknownFields};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Bytes of a request at most: rule files and lists of incidents are texts that people write.
const BODY_BYTES_MAX: usize = 8 << 20;

/// What a request may say.
const FIELDS: [&str; 9] = [
    "rules",
    "file",
    "group",
    "start",
    "end",
    "since",
    "alertmanager",
    "incidents",
    "incidentsFile",
];

/// How long one may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One at a time: each takes all the cores that it can get.
static TURN: Semaphore = Semaphore::const_new(1);

/// Ends the work of a request whose client went away.
struct Ends(Arc<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tests rules of the request, or those that are loaded.
pub(crate) async fn run(State(services): State<Arc<Services>>, request: Request) -> Answer {
    let asked = read(request).await?;
    let Ok(turn) = TURN.try_acquire() else {
        return Err(Failure::unavailable("another backtest is running"));
    };
    let cancelled = Arc::new(AtomicBool::new(false));
    let ends = Ends(Arc::clone(&cancelled));
    let work = move || {
        // The turn is over when the work is, which is a little after its client went away.
        let _turn = turn;
        let is_cancelled = || cancelled.load(Ordering::Relaxed);
        let watch = Watch::new(Arc::clone(&services.clock), TIMEOUT, &is_cancelled);
        let test = Asked(&asked).backtest(&services, &watch)?;
        backtest::run(test).map_err(|error| failure(&error))
    };
    let done = tokio::task::spawn_blocking(work).await;
    drop(ends);
    match done {
        Ok(report) => Ok(answer::plain_json(&report?)),
        Err(error) => {
            tracing::error!(%error, "a backtest ended unexpectedly");
            Err(Failure::internal("the backtest ended unexpectedly"))
        }
    }
}

/// What a request asks for: its body where that is JSON, its parameters otherwise.
async fn read(request: Request) -> Result<Value, Failure> {
    let kind = request.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        let body = read_body(request.into_body(), BODY_BYTES_MAX).await?;
        return serde_json::from_slice(&body)
            .map_err(|error| Failure::bad_data(format!("the body is no JSON: {error}")));
    }
    let params = Params::from_request(request, &()).await?;
    let given = FIELDS.iter().filter_map(|name| {
        let text = params.get(name)?;
        Some(((*name).to_owned(), Value::from(text)))
    });
    Ok(Value::Object(given.collect()))
}

fn failure(error: &Error) -> Failure {
    let message = error.to_string();
    match error {
        Error::TooMuch(_) => Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "execution", message),
        Error::Timeout(_) => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", message),
        Error::Cancelled => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "canceled", message),
        Error::Store(_) => Failure::internal(message),
    }
}

/// What a request asks for.
struct Asked<'a>(&'a Value);

impl Asked<'_> {
    fn text(&self, name: &str) -> Result<Option<&str>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Failure::bad_data(format!(
                "{name} must be a text, not {other}"
            ))),
        }
    }

    fn backtest<'c>(
        &self,
        services: &Services,
        watch: &'c Watch<'c>,
    ) -> Result<Backtest<'c>, Failure> {
        let mut rules = rules::Config::clone(&services.rules.config());
        rules.files = self.rule_files(&rules.files)?;
        let routing = match self.text("alertmanager")? {
            Some(text) => {
                let config = dispatch::config::Config::parse(text, "alertmanager.yml");
                let config = config.map_err(|problems| Failure::bad_data(problems.to_string()))?;
                Some(Arc::new(config))
            }
            None => Some(services.dispatch.config()),
        };
        let incidents = match self.text("incidents")? {
            Some(text) => {
                let file = self.text("incidentsFile")?.unwrap_or("incidents");
                let list = incidents::read(file, text);
                Some(list.map_err(|problems| Failure::bad_data(problems.to_string()))?)
            }
            None => None,
        };
        Ok(Backtest {
            rules,
            routing,
            incidents,
            engine: services.engine.clone(),
            source: Arc::clone(&services.source),
            clock: Arc::clone(&services.clock),
            range: self.range(services.clock.now())?,
            watch,
        })
    }

    /// The rules of the request; those that are loaded where it has none, of one file or group where it names one.
    fn rule_files(&self, loaded: &[RuleFile]) -> Result<Vec<RuleFile>, Failure> {
        let (path, group) = (self.text("file")?, self.text("group")?);
        if let Some(text) = self.text("rules")? {
            let file = file::parse(path.unwrap_or("rules.yml"), text, UnknownFields::Refuse);
            let file = file.map_err(|problems| Failure::bad_data(problems.to_string()))?;
            return Ok(vec![file]);
        }
        let mut files = loaded.to_vec();
        files.retain(|file| path.is_none_or(|path| file.path == path));
        if let Some(group) = group {
            for file in &mut files {
                file.groups.retain(|one| one.name == group);
            }
        }
        if files.iter().all(|file| file.groups.is_empty()) {
            let message = "no rules: the request has none, and no loaded group is as it names";
            return Err(Failure::bad_data(message));
        }
        Ok(files)
    }

    fn range(&self, now: Timestamp) -> Result<TimeRange, Failure> {
        let time = |name: &str| -> Result<Option<Timestamp>, Failure> {
            let text = self.text(name)?;
            text.map(|text| crate::time::parse(name, text)).transpose()
        };
        let end = time("end")?.unwrap_or(now);
        let since = self.text("since")?.map(model::parse_duration).transpose();
        let since_ms = since.map_err(|error| Failure::bad_data(format!("since: {error}")))?;
        let start = match (time("start")?, since_ms) {
            (Some(start), _) => start,
            (None, Some(since_ms)) => end.plus_millis(-since_ms),
            (None, None) => return Err(Failure::bad_data("neither since nor start is given")),
        };
        if start >= end {
            let message = format!("the span must begin before it ends, not at {start} for {end}");
            return Err(Failure::bad_data(message));
        }
        Ok(TimeRange { start, end })
    }
}
