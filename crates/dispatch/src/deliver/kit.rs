//! What a receiver needs to prepare its conversation, and which secrets no error may show.

use super::http::{IDEMPOTENCY_KEY, JSON, Request};
use super::{Clients, Job, client};
use crate::template::Scope;
use config::http_client::{Credentials, SecretSource};
use config::{HttpClientConfig, Secret};
use reqwest::Method;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Shorter secrets are not looked for in errors: they would blot out ordinary words.
const HIDDEN_CHARS_MIN: usize = 4;

/// Shorter parts of an address are not looked for one by one.
const HIDDEN_PART_BYTES_MIN: usize = 8;

/// What one attempt prepares with.
pub(super) struct Kit<'a> {
    pub(super) job: &'a Job,
    pub(super) clients: &'a Arc<Clients>,
    secrets: Secrets,
}

/// Texts that no error shows.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// A text without them.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.0 {
            shown = shown.replace(secret.as_str(), config::secret::HIDDEN);
        }
        shown
    }

    /// Adds a text.
    pub(super) fn hide(&mut self, secret: &str) {
        if secret.chars().count() >= HIDDEN_CHARS_MIN {
            self.0.push(secret.to_owned());
        }
    }

    /// Adds the parts of an address that open doors.
    pub(super) fn hide_url(&mut self, url: &str) {
        let Ok(parsed) = reqwest::Url::parse(url) else {
            return;
        };
        self.hide(parsed.path().trim_matches('/'));
        for part in parsed.path().split('/') {
            // An ordinary word of an address opens no doors.
            let is_word = part.bytes().all(|byte| byte.is_ascii_lowercase());
            if !is_word && part.len() >= HIDDEN_PART_BYTES_MIN {
                self.hide(part);
            }
        }
        self.hide(parsed.password().unwrap_or_default());
        for (_, value) in parsed.query_pairs() {
            self.hide(&value);
        }
    }
}

impl<'a> Kit<'a> {
    pub(super) fn new(job: &'a Job, clients: &'a Arc<Clients>) -> Self {
        Self {
            job,
            clients,
            secrets: Secrets::default(),
        }
    }

    /// What was read, for the errors of the conversation.
    pub(super) fn into_secrets(self) -> Secrets {
        let mut secrets = self.secrets;
        // A secret within another must not be cut out of it first.
        secrets
            .0
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    /// The templates with this notification. `alerts_max`: alerts at most, 0 for all.
    pub(super) fn scope(&self, alerts_max: u64) -> Scope {
        let job = self.job;
        job.templates.scope(&job.notice, alerts_max, job.now)
    }

    /// Keeps a text out of errors.
    pub(super) fn hide(&mut self, secret: &str) {
        self.secrets.hide(secret);
    }

    /// Keeps the parts of an address that open doors out of errors.
    pub(super) fn hide_url(&mut self, url: &str) {
        self.secrets.hide_url(url);
    }

    /// A secret, read now. `field` is where its file stands.
    pub(super) fn read(&mut self, field: &str, source: &SecretSource) -> Result<String, String> {
        let secret = source
            .read()
            .map_err(|error| format!("read {field}: {error}"))?;
        self.hide(secret.reveal());
        self.secrets.hide_url(secret.reveal());
        Ok(secret.reveal().to_owned())
    }

    /// A request with the configured client and headers, and the key of the notification.
    pub(super) fn post(
        &mut self,
        http: &HttpClientConfig,
        url: impl Into<String>,
        body: String,
    ) -> Result<Request, String> {
        let mut headers = http.request_headers()?;
        for (_, value) in &headers {
            let token = value.reveal().rsplit(' ').next().unwrap_or_default();
            self.hide(token);
        }
        if let Some(Credentials::Basic { password, .. }) = &http.credentials {
            self.hide(password.read()?.reveal());
        }
        let url = url.into();
        self.hide(&url);
        let key = Secret::new(self.job.notice.id.as_str());
        headers.push((IDEMPOTENCY_KEY.to_owned(), key));
        Ok(Request {
            client: self.clients.get(&self.job.notice.target, http)?,
            method: Method::POST,
            url,
            headers: client::header_map(&headers)?,
            content_type: JSON,
            body,
            timeout: None,
            now: self.job.now,
        })
    }

    /// What names the group to services that tell repeats and ends by it: SHA-256 of its key in hexadecimal.
    pub(super) fn group_hash(&self) -> String {
        let digest = Sha256::digest(self.job.notice.group_key.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Request {
    /// With the configured limit of time.
    pub(super) fn within(mut self, timeout_ms: Option<i64>) -> Self {
        let millis = timeout_ms.and_then(|millis| u64::try_from(millis).ok());
        self.timeout = millis.map(Duration::from_millis);
        self
    }
}
