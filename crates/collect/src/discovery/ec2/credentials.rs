//! Whose keys sign a request: those of the configuration, the environment, a profile of the shared files, or
//! the role of the machine that we run on; from any of them another role may be taken on.
//!
//! Temporary keys are fetched again some minutes before they end. The machine's own metadata service has a
//! fixed address that no configuration can change.

use super::sign::{self, Request};
use super::{parse, value};
use crate::discovery::json::{read_body, refusal};
use crate::prometheus_file::Ec2Discovery;
use config::Secret;
use model::Timestamp;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

const METADATA: &str = "http://169.254.169.254/latest";
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Temporary keys are used so long; the shortest that Amazon hands out live for 15 minutes.
const TEMPORARY_MS: i64 = 10 * 60_000;

/// What signs.
#[derive(Clone, Debug, Default)]
pub(in crate::discovery) struct Keys {
    pub(super) access_key: String,
    pub(super) secret_key: Secret,
    /// Empty for keys that do not end.
    pub(super) session_token: Secret,
    pub(super) region: String,
}

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
            self.region = match first_of(&["AWS_REGION", "AWS_DEFAULT_REGION"]) {
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
        if self.given.profile.is_empty()
            && let Some(keys) = from_environment()
        {
            return Ok(keys);
        }
        if let Some(keys) = from_shared_file(&self.given.profile)? {
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
        let mut pairs = vec![
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("RoleArn", self.given.role_arn.as_str()),
            ("RoleSessionName", "binnacle"),
        ];
        if !self.given.external_id.is_empty() {
            pairs.push(("ExternalId", &self.given.external_id));
        }
        let pairs: Vec<(String, String)> = pairs
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        let request = Request {
            service: "sts",
            url: &url,
            body: &sign::form(&pairs),
        };
        let mut post = client
            .post(&url)
            .timeout(METADATA_TIMEOUT * 6)
            .body(request.body.to_owned());
        for (name, value) in sign::headers(&request, keys, now)? {
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

fn first_of(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| runtime::environment::var(name))
}

fn from_environment() -> Option<Keys> {
    Some(Keys {
        access_key: first_of(&["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])?,
        secret_key: Secret::new(first_of(&["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"])?),
        session_token: Secret::new(first_of(&["AWS_SESSION_TOKEN"]).unwrap_or_default()),
        region: String::new(),
    })
}

/// Keys of a profile in `~/.aws/credentials`. Fails where a profile was named and is not there.
fn from_shared_file(profile: &str) -> Result<Option<Keys>, String> {
    let named = !profile.is_empty();
    let path = first_of(&["AWS_SHARED_CREDENTIALS_FILE"])
        .map(PathBuf::from)
        .or_else(|| {
            let home = runtime::environment::var("HOME")?;
            Some(PathBuf::from(home).join(".aws/credentials"))
        });
    let profile = match profile {
        "" => first_of(&["AWS_PROFILE"]).unwrap_or_else(|| "default".to_owned()),
        given => given.to_owned(),
    };
    let mut text = String::new();
    let read = path.map(|path| {
        let file = std::fs::File::open(path)?;
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)
    });
    if !matches!(read, Some(Ok(_))) && named {
        return Err(format!(
            "the shared credentials file for profile {profile:?} cannot be read"
        ));
    }
    match profile_keys(&text, &profile) {
        Some(keys) => Ok(Some(keys)),
        None if named => Err(format!(
            "no keys for profile {profile:?} in the shared credentials file"
        )),
        None => Ok(None),
    }
}

fn profile_keys(text: &str, profile: &str) -> Option<Keys> {
    let mut keys = Keys::default();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            inside = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside) {
            match name.trim() {
                "aws_access_key_id" => value.trim().clone_into(&mut keys.access_key),
                "aws_secret_access_key" => keys.secret_key = Secret::new(value.trim()),
                "aws_session_token" => keys.session_token = Secret::new(value.trim()),
                _ => {}
            }
        }
    }
    (!keys.access_key.is_empty()).then_some(keys)
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

#[cfg(test)]
mod tests {
    use super::profile_keys;

    #[test]
    fn reads_profiles() {
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key=B\n\n[other]\n# note\n\
                    aws_access_key_id=C\naws_secret_access_key=D=\naws_session_token=E\n";
        let check = |profile: &str, want: Option<&str>| {
            let keys = profile_keys(text, profile).map(|keys| {
                let (secret, token) = (keys.secret_key.reveal(), keys.session_token.reveal());
                format!("{} {secret} {token}", keys.access_key)
            });
            assert_eq!(keys.as_deref(), want, "{profile}");
        };
        check("default", Some("A B "));
        check("other", Some("C D= E"));
        check("missing", None);
    }
}
