//! Whose keys sign a request: those of the configuration, the environment, a profile of the shared files, or
//! the role of the machine that we run on; from any of them another role may be taken on.
//!
//! Temporary keys are fetched again some minutes before they end. The machine's own metadata service has a
//! fixed address that no configuration can change.

use super::{parse, value};
use crate::discovery::json::{read_body, refusal};
use crate::http_client::blocking;
use crate::prometheus_file::Ec2Discovery;
use config::Secret;
use config::aws::{self, Keys, Request};
use model::Timestamp;
use std::time::Duration;

const METADATA: &str = "http://169.254.169.254/latest";
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// Temporary keys are used so long; the shortest that Amazon hands out live for 15 minutes.
const TEMPORARY_MS: i64 = 10 * 60_000;

/// Where keys come from, and the present ones.
pub(super) struct Account {
    given: Ec2Discovery,
    region: String,
    present: Option<(Keys, Timestamp)>,
}

impl Account {
    pub(super) fn new(discovery: &Ec2Discovery) -> Self {
        Self {
            given: discovery.clone(),
            region: discovery.region.clone(),
            present: None,
        }
    }

    /// The region, once `keys` has found it.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// The keys to sign with at `now`.
    pub(super) async fn keys(
        &mut self,
        client: &reqwest::Client,
        now: Timestamp,
    ) -> Result<Keys, String> {
        if let Some((keys, since)) = &self.present
            && (keys.session_token.is_empty() || now.millis_since(*since) < TEMPORARY_MS)
        {
            return Ok(keys.clone());
        }
        if self.region.is_empty() {
            self.region = match blocking(|| Ok(aws::find_region())).await? {
                Some(region) => region,
                None => metadata(client, "meta-data/placement/region")
                    .await
                    .map_err(|error| format!("EC2 SD configuration requires a region: {error}"))?,
            };
        }
        let mut keys = self.base_keys(client).await?;
        keys.region.clone_from(&self.region);
        if !self.given.role_arn.is_empty() {
            keys = self.assume_role(client, &keys, now).await?;
        }
        self.present = Some((keys.clone(), now));
        Ok(keys)
    }

    async fn base_keys(&self, client: &reqwest::Client) -> Result<Keys, String> {
        if !self.given.access_key.is_empty() {
            return Ok(Keys {
                access_key: self.given.access_key.clone(),
                secret_key: self.given.secret_key.clone(),
                ..Keys::default()
            });
        }
        let profile = self.given.profile.clone();
        if let Some(keys) = blocking(move || aws::find_keys(&profile)).await? {
            return Ok(keys);
        }
        from_machine(client).await
    }

    async fn assume_role(
        &self,
        client: &reqwest::Client,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Keys, String> {
        let url = format!("https://sts.{}.amazonaws.com/", self.region);
        let pairs = aws::assume_role_form(&self.given.role_arn, &self.given.external_id);
        let request = Request {
            service: "sts",
            url: &url,
            body: &aws::form(&pairs),
        };
        let mut post = client
            .post(&url)
            .timeout(METADATA_TIMEOUT * 6)
            .body(request.body.to_owned());
        for (name, value) in aws::headers(&request, keys, now)? {
            post = post.header(name, value);
        }
        let xml = text_of(post)
            .await
            .map_err(|error| format!("AssumeRole: {error}"))?;
        let document = parse(&xml)?;
        let path = ["AssumeRoleResult", "Credentials"];
        let field = |name| value(document.root_element(), &[path[0], path[1], name]);
        Ok(Keys {
            access_key: field("AccessKeyId"),
            secret_key: Secret::new(field("SecretAccessKey")),
            session_token: Secret::new(field("SessionToken")),
            region: self.region.clone(),
        })
    }
}

async fn from_machine(client: &reqwest::Client) -> Result<Keys, String> {
    let path = "meta-data/iam/security-credentials/";
    let failed = |error| format!("no valid providers in chain: {error}");
    let role = metadata(client, path).await.map_err(failed)?;
    let role = role.lines().next().unwrap_or_default().trim().to_owned();
    let text = metadata(client, &format!("{path}{role}")).await?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let field = |name| crate::discovery::json::text(&json, name);
    Ok(Keys {
        access_key: field("/AccessKeyId"),
        secret_key: Secret::new(field("/SecretAccessKey")),
        session_token: Secret::new(field("/Token")),
        region: String::new(),
    })
}

/// Asks the machine's metadata service, version 2: with a token.
async fn metadata(client: &reqwest::Client, path: &str) -> Result<String, String> {
    let token = client
        .put(format!("{METADATA}/api/token"))
        .timeout(METADATA_TIMEOUT)
        .header("X-aws-ec2-metadata-token-ttl-seconds", "300");
    let token = text_of(token).await?;
    let question = client
        .get(format!("{METADATA}/{path}"))
        .timeout(METADATA_TIMEOUT)
        .header("X-aws-ec2-metadata-token", token);
    text_of(question).await
}

async fn text_of(request: reqwest::RequestBuilder) -> Result<String, String> {
    let response = request
        .send()
        .await
        .map_err(|error| crate::http_client::cause(&error))?;
    let status = response.status();
    let body = read_body(response).await?;
    if !status.is_success() {
        return Err(refusal(status, &body));
    }
    String::from_utf8(body).map_err(|error| error.to_string())
}
