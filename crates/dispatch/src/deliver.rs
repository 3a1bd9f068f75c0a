//! The edge where notifications leave: HTTP and SMTP. The only part that knows tokio.
//!
//! Each kind of receivers has a file with one function, `prepare`: on a blocking thread it renders texts and
//! reads files, and it answers the conversation that is left to have with the service. One attempt is one
//! task; its outcome comes back through a queue. How often and when is not decided here but by the machine.
//! Requests never go to link-local addresses, where clouds keep their secrets.

mod beat;
mod client;
mod compose;
mod email;
mod hook;
mod http;
mod incidentio;
mod jira;
mod kit;
mod mattermost;
mod mime;
mod opsgenie;
mod pagerduty;
mod pushover;
mod rocketchat;
mod slack;
mod sns;
mod telegram;
mod truncate;
mod victorops;
mod webex;
mod webhook;
mod wechat;

use crate::config::{Integration, Settings};
use crate::machine::IN_FLIGHT_MAX;
use crate::notice::{FailureReason, Notice, Outcome, Target};
use crate::template::Templates;
use config::Secret;
use kit::{Kit, Secrets};
use model::Timestamp;
use runtime::HashMap;
use runtime::queue::Sender;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Threads that speak with servers. They only wait, so two are enough.
const WORKER_THREADS: usize = 2;
/// Threads that render, read files and look names up: as many as attempts, so that one that hangs (a dead name
/// server) delays no other. They are made when they are needed and end after 10 s without work.
const BLOCKING_THREADS_MAX: usize = IN_FLIGHT_MAX;
/// Attempts of one target that render and read files at once. Hundreds that do would be in each other's way: there are
/// as many threads only for what waits.
const PREPARING_MAX: usize = 2;
/// Characters of an error that are shown and kept: the beginning of an answer says what is wrong.
const ERROR_CHARS_MAX: usize = 1000;
/// What is said of an attempt that panicked: its own words may hold a secret.
const ENDED_UNEXPECTEDLY: &str = "the attempt ended unexpectedly";
/// The time an attempt gets at least.
const TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// An attempt's end, as it comes back.
#[derive(Debug)]
pub struct Report {
    /// The notification.
    pub id: String,
    /// Whom it was for.
    pub target: Target,
    /// How it ended.
    pub outcome: Outcome,
    /// Which attempt it was; the first is 1.
    pub attempt: u32,
    /// Which template failed, so that a plain text was sent.
    pub template_error: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// What the thread of the dispatcher waits for.
#[derive(Debug)]
pub enum Event {
    /// An attempt ended.
    Ended(Report),
    /// Something else happened: its next moment may be another now.
    Wake,
}

/// What one attempt needs.
pub struct Job {
    /// The notification.
    pub notice: Notice,
    /// The integration it is for.
    pub integration: Integration,
    /// The templates in force.
    pub templates: Arc<Templates>,
    /// The moment at which it starts.
    pub now: Timestamp,
    /// The first template that failed.
    pub template_error: Arc<Mutex<Option<String>>>,
}

impl Job {
    /// Remembers that a template failed.
    fn note_template_error(&self, error: &str) {
        lock(&self.template_error).get_or_insert_with(|| error.to_owned());
    }
}

/// What an integration wants to remember for its next message about the group.
type Memory = Vec<(String, String)>;

/// What is left of an attempt once everything is rendered and read.
type Conversation = Pin<Box<dyn Future<Output = Result<Memory, Failure>> + Send>>;

/// Why an attempt failed.
#[derive(Debug)]
struct Failure {
    error: String,
    reason: FailureReason,
    /// Whether another attempt would end the same way.
    is_final: bool,
    /// How long the service asked to be left alone.
    after_ms: Option<i64>,
}

impl Failure {
    /// What may be otherwise at the next attempt.
    fn passing(error: String) -> Self {
        Self {
            is_final: false,
            ..Self::from(error)
        }
    }

    /// The same, with what it happened to.
    fn within(self, what: &str) -> Self {
        let error = format!("{what}: {}", self.error);
        Self { error, ..self }
    }

    /// What happened, without secrets. It is cut afterwards: half a secret would not be found.
    fn shown(&self, secrets: &Secrets) -> String {
        truncate::chars(secrets.redact(&self.error), ERROR_CHARS_MAX)
    }

    /// As the machine hears it.
    fn outcome(self, secrets: &Secrets) -> Outcome {
        let (error, reason) = (self.shown(secrets), self.reason);
        if self.is_final {
            Outcome::Failed { error, reason }
        } else {
            let after_ms = self.after_ms;
            Outcome::Retry {
                error,
                reason,
                after_ms,
            }
        }
    }
}

/// What cannot be prepared cannot be sent at the next attempt either.
impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self {
            error,
            reason: FailureReason::Other,
            is_final: true,
            after_ms: None,
        }
    }
}

/// Sends notifications.
pub struct Deliverer {
    runtime: Option<tokio::runtime::Runtime>,
    tasks: Mutex<JoinSet<()>>,
    clients: Mutex<Arc<Clients>>,
}

/// What is kept between attempts: HTTP clients by target, made when first needed, whose turn it is to prepare, and
/// tokens with their ends.
#[derive(Default)]
struct Clients {
    made: Mutex<HashMap<Target, reqwest::Client>>,
    turns: Mutex<HashMap<Target, Arc<Semaphore>>>,
    tokens: Mutex<HashMap<Target, (Secret, Timestamp)>>,
}

impl Deliverer {
    /// Starts the threads. Fails where the operating system refuses them.
    pub fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_name("deliver")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            tasks: Mutex::new(JoinSet::new()),
            clients: Mutex::default(),
        })
    }

    /// Starts an attempt; its end goes to `events`, which must have room for as many as are under way.
    pub fn start(&self, job: Job, events: Sender<Event>) {
        let clients = Arc::clone(&lock(&self.clients));
        let (id, target) = (job.notice.id.clone(), job.notice.target.clone());
        let noted = Arc::clone(&job.template_error);
        let count = job.notice.attempts.saturating_add(1);
        self.spawn(async move {
            let started = tokio::time::Instant::now();
            let outcome = guarded(attempt(job, clients)).await;
            let report = Report {
                id,
                target,
                outcome,
                attempt: count,
                template_error: lock(&noted).take(),
                took: started.elapsed(),
            };
            if events.try_send(Event::Ended(report)).is_err() {
                // Only when the process ends: the notification is still in the outbox.
                tracing::debug!("nobody waits for the outcome of a notification any more");
            }
        });
    }

    /// Runs a task, and lets go of those that have ended.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Some(runtime) = &self.runtime else {
            return;
        };
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, runtime.handle());
    }

    /// Forgets connections made and tokens got with settings that may have changed. Attempts under way go on
    /// with theirs and leave nothing behind.
    pub fn forget_clients(&self) {
        *lock(&self.clients) = Arc::default();
    }
}

#[cfg(test)]
impl Deliverer {
    /// Forgets connections alone, as if their servers were gone.
    fn forget_connections(&self) {
        let clients = Arc::clone(&lock(&self.clients));
        lock(&clients.made).clear();
    }
}

impl Drop for Deliverer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where the last owner is dropped by an asynchronous task. What was
            // under way is still in the outbox.
            runtime.shutdown_background();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clients {
    /// The client of a target. Fails where its settings cannot be used.
    fn get(
        &self,
        target: &Target,
        config: &config::HttpClientConfig,
    ) -> Result<reqwest::Client, String> {
        if let Some(client) = lock(&self.made).get(target) {
            return Ok(client.clone());
        }
        let client = client::build(config)?;
        lock(&self.made).insert(target.clone(), client.clone());
        Ok(client)
    }

    /// Where attempts of a target wait for their turn to prepare.
    fn turns(&self, target: &Target) -> Arc<Semaphore> {
        let mut turns = lock(&self.turns);
        let turn = turns.entry(target.clone());
        Arc::clone(turn.or_insert_with(|| Arc::new(Semaphore::new(PREPARING_MAX))))
    }

    /// The token of a target, unless it ended.
    fn token(&self, target: &Target, now: Timestamp) -> Option<Secret> {
        let tokens = lock(&self.tokens);
        let (token, until) = tokens.get(target)?;
        (now < *until).then(|| token.clone())
    }

    fn keep_token(&self, target: &Target, token: Secret, until: Timestamp) {
        lock(&self.tokens).insert(target.clone(), (token, until));
    }

    fn forget_token(&self, target: &Target) {
        lock(&self.tokens).remove(target);
    }
}

/// Runs an attempt so that its end is known even where it panics.
async fn guarded(attempt: impl Future<Output = Outcome> + Send + 'static) -> Outcome {
    let task = tokio::runtime::Handle::current().spawn(attempt);
    task.await.unwrap_or_else(|_panicked| unexpected())
}

fn unexpected() -> Outcome {
    Failure::passing(ENDED_UNEXPECTEDLY.to_owned()).outcome(&Secrets::default())
}

/// Makes one attempt within its time: prepares where blocking is allowed, then talks.
async fn attempt(job: Job, clients: Arc<Clients>) -> Outcome {
    let left_ms = job.notice.deadline.millis_since(job.now);
    let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).max(TIMEOUT_MIN);
    let turns = clients.turns(&job.notice.target);
    let sending = async {
        let turn = turns.acquire_owned().await;
        let prepared = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut kit = Kit::new(&job, &clients);
            let conversation = prepare(&mut kit, &job.integration.settings);
            (conversation, kit.into_secrets())
        });
        match prepared.await {
            Ok((Ok(conversation), secrets)) => match conversation.await {
                Ok(memory) => Outcome::Delivered(memory),
                Err(failure) => failure.outcome(&secrets),
            },
            Ok((Err(failure), secrets)) => failure.outcome(&secrets),
            Err(_panicked) => unexpected(),
        }
    };
    match tokio::time::timeout(left, sending).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Outcome::Retry {
            error: format!("no answer within {} s", left.as_secs()),
            reason: FailureReason::DeadlineExceeded,
            after_ms: None,
        },
    }
}

/// The table of kinds.
fn prepare(kit: &mut Kit<'_>, settings: &Settings) -> Result<Conversation, Failure> {
    match settings {
        Settings::Webhook(settings) => webhook::prepare(kit, settings),
        Settings::Slack(settings) => slack::prepare(kit, settings),
        Settings::Email(settings) => email::prepare(kit, settings),
        Settings::PagerDuty(settings) => pagerduty::prepare(kit, settings),
        Settings::OpsGenie(settings) => opsgenie::prepare(kit, settings),
        Settings::WeChat(settings) => wechat::prepare(kit, settings),
        Settings::VictorOps(settings) => victorops::prepare(kit, settings),
        Settings::Pushover(settings) => pushover::prepare(kit, settings),
        Settings::Sns(settings) => sns::prepare(kit, settings),
        Settings::Telegram(settings) => telegram::prepare(kit, settings),
        Settings::Discord(settings) => hook::discord(kit, settings),
        Settings::Webex(settings) => webex::prepare(kit, settings),
        Settings::MsTeams(settings) => hook::msteams(kit, settings),
        Settings::MsTeamsV2(settings) => hook::msteams_v2(kit, settings),
        Settings::Jira(settings) => jira::prepare(kit, settings),
        Settings::RocketChat(settings) => rocketchat::prepare(kit, settings),
        Settings::Mattermost(settings) => mattermost::prepare(kit, settings),
        Settings::IncidentIo(settings) => incidentio::prepare(kit, settings),
    }
}

#[cfg(test)]
mod tests;
