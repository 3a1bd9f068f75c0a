//! The edge where notifications leave: HTTP and SMTP. The only part that knows tokio.
//!
//! One attempt is one task: texts are rendered and files read on a blocking thread, then the request goes out,
//! and the outcome comes back through a queue. How often and when is not decided here but by the machine.
//! Requests never go to link-local addresses, where clouds keep their secrets.

mod client;
mod email;
mod http;
mod mime;
mod slack;
mod webhook;

use crate::config::{Integration, Settings};
use crate::notice::{FailureReason, Notice, Outcome, Target};
use crate::template::Templates;
use model::Timestamp;
use runtime::HashMap;
use runtime::queue::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// Threads that speak with servers. They only wait, so two are enough.
const WORKER_THREADS: usize = 2;
/// Threads that render and read files.
const BLOCKING_THREADS_MAX: usize = 8;
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
}

/// Sends notifications.
pub struct Deliverer {
    runtime: Option<tokio::runtime::Runtime>,
    tasks: Mutex<JoinSet<()>>,
    clients: Arc<Clients>,
}

/// HTTP clients by target, made when first needed.
#[derive(Default)]
struct Clients(Mutex<HashMap<Target, reqwest::Client>>);

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
            clients: Arc::new(Clients::default()),
        })
    }

    /// Starts an attempt; its end goes to `events`, which must have room for as many as are under way.
    pub fn start(&self, job: Job, events: Sender<Event>) {
        let Some(runtime) = &self.runtime else {
            return;
        };
        let clients = Arc::clone(&self.clients);
        let (id, target) = (job.notice.id.clone(), job.notice.target.clone());
        let attempt = async move {
            let started = tokio::time::Instant::now();
            let outcome = attempt(job, clients).await;
            let report = Report {
                id,
                target,
                outcome,
                took: started.elapsed(),
            };
            if events.try_send(Event::Ended(report)).is_err() {
                // Only when the process ends: the notification is still in the outbox.
                tracing::debug!("nobody waits for the outcome of a notification any more");
            }
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(attempt, runtime.handle());
    }

    /// Forgets connections made with settings that may have changed.
    pub fn forget_clients(&self) {
        self.clients.lock().clear();
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

impl Clients {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Target, reqwest::Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client of a target. Fails where its settings cannot be used.
    fn get(
        &self,
        target: &Target,
        config: &config::HttpClientConfig,
    ) -> Result<reqwest::Client, String> {
        if let Some(client) = self.lock().get(target) {
            return Ok(client.clone());
        }
        let client = client::build(config)?;
        self.lock().insert(target.clone(), client.clone());
        Ok(client)
    }
}

/// Makes one attempt within its time.
async fn attempt(job: Job, clients: Arc<Clients>) -> Outcome {
    let left_ms = job.notice.deadline.millis_since(job.now);
    let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).max(TIMEOUT_MIN);
    let sending = async {
        match &job.integration.settings {
            Settings::Webhook(_) | Settings::Slack(_) => send_http(job, clients).await,
            Settings::Email(_) => send_mail(job).await,
            Settings::NotActive => Outcome::Failed {
                error: "nothing sends to this kind of receiver yet".to_owned(),
                reason: FailureReason::Other,
            },
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

/// Prepares a request where blocking is allowed, then sends it.
async fn send_http(job: Job, clients: Arc<Clients>) -> Outcome {
    let prepared = tokio::task::spawn_blocking(move || {
        let request = match &job.integration.settings {
            Settings::Webhook(webhook) => webhook::prepare(&job, webhook, &clients),
            Settings::Slack(slack) => slack::prepare(&job, slack, &clients),
            Settings::Email(_) | Settings::NotActive => Err("not an HTTP receiver".to_owned()),
        };
        (job, request)
    })
    .await;
    match prepared {
        Ok((job, Ok(request))) => {
            let answer = http::send(request).await;
            match &job.integration.settings {
                Settings::Slack(_) => slack::judge(&job.notice, answer),
                Settings::Webhook(_) | Settings::Email(_) | Settings::NotActive => {
                    http::judge(answer)
                }
            }
        }
        Ok((_, Err(error))) => Outcome::Failed {
            error,
            reason: FailureReason::Other,
        },
        Err(error) => Outcome::Retry {
            error: error.to_string(),
            reason: FailureReason::Other,
            after_ms: None,
        },
    }
}

/// Renders a mail where blocking is allowed, then sends it.
async fn send_mail(job: Job) -> Outcome {
    let prepared = tokio::task::spawn_blocking(move || match &job.integration.settings {
        Settings::Email(email) => email::prepare(&job, email),
        Settings::Webhook(_) | Settings::Slack(_) | Settings::NotActive => {
            Err("not a mail receiver".to_owned())
        }
    });
    match prepared.await {
        Ok(Ok(mail)) => email::send(mail).await,
        Ok(Err(error)) => Outcome::Failed {
            error,
            reason: FailureReason::Other,
        },
        Err(error) => Outcome::Retry {
            error: error.to_string(),
            reason: FailureReason::Other,
            after_ms: None,
        },
    }
}

#[cfg(test)]
mod tests;
