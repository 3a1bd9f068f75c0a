//! Requests to Amazon: whose keys sign them, and the signature. Nothing here sends.
//!
//! Source: "AWS Signature Version 4", AWS General Reference.

use crate::percent::encoded;
use crate::secret::Secret;
use hmac::{Hmac, Mac as _};
use model::Timestamp;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// Bytes of the shared file that are read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What signs.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The name of the key.
    pub access_key: String,
    /// What belongs to it.
    pub secret_key: Secret,
    /// Empty for keys that do not end.
    pub session_token: Secret,
    /// Where the service is.
    pub region: String,
}

/// A POST with a form as its body.
pub struct Request<'a> {
    /// As in the scope of the signature: `ec2`.
    pub service: &'a str,
    /// Where it goes.
    pub url: &'a str,
    /// The form.
    pub body: &'a str,
}

/// A form as it stands in a body: names and values encoded.
#[must_use]
pub fn form(pairs: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// The headers that a request needs at `now`, the signature among them. Fails where the URL is wrong.
pub fn headers(
    request: &Request<'_>,
    keys: &Keys,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, String> {
    let url =
        url::Url::parse(request.url).map_err(|error| format!("{:?}: {error}", request.url))?;
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let moment = basic_format(now);
    let day = moment.split('T').next().unwrap_or_default().to_owned();
    let mut sent = vec![
        ("content-type", CONTENT_TYPE.to_owned()),
        ("host", host),
        ("x-amz-date", moment.clone()),
    ];
    if !keys.session_token.is_empty() {
        sent.push((
            "x-amz-security-token",
            keys.session_token.reveal().to_owned(),
        ));
    }
    let names: Vec<&str> = sent.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut canonical = format!("POST\n{}\n\n", url.path());
    for (name, value) in &sent {
        let _infallible = writeln!(canonical, "{name}:{}", value.trim());
    }
    let _infallible = write!(canonical, "\n{names}\n{}", digest(request.body));
    let scope = format!("{day}/{}/{}/aws4_request", keys.region, request.service);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}",
        digest(&canonical)
    );
    let mut key = mac(format!("AWS4{}", keys.secret_key.reveal()).as_bytes(), &day);
    for part in [keys.region.as_str(), request.service, "aws4_request"] {
        key = mac(&key, part);
    }
    let signature = hex(&mac(&key, &to_sign));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        keys.access_key
    );
    sent.retain(|(name, _)| *name != "host");
    sent.push(("authorization", authorization));
    Ok(sent)
}

/// The keys of the environment, unless a profile is named, or of the shared file. Fails where a profile was named
/// and is not there.
pub fn find_keys(profile: &str) -> Result<Option<Keys>, String> {
    if profile.is_empty()
        && let Some(keys) = from_environment()
    {
        return Ok(Some(keys));
    }
    from_shared_file(profile)
}

/// The region of the environment.
#[must_use]
pub fn find_region() -> Option<String> {
    first_of(&["AWS_REGION", "AWS_DEFAULT_REGION"])
}

/// The form that takes on a role. `external_id`: what the role asks for, or empty.
#[must_use]
pub fn assume_role_form(role_arn: &str, external_id: &str) -> Vec<(String, String)> {
    let pairs = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", role_arn),
        ("RoleSessionName", "binnacle"),
        ("ExternalId", external_id),
    ];
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    given
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// `20150830T123600Z`.
fn basic_format(now: Timestamp) -> String {
    let long = now.to_string();
    let seconds = long.split('.').next().unwrap_or_default();
    let digits: String = seconds
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    digits + "Z"
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length are taken");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

fn first_of(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| runtime::environment::var(name))
}

/// Keys of the environment.
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

/// Whether the text of a shared credentials file has keys for a profile.
#[must_use]
pub fn has_profile(text: &str, profile: &str) -> bool {
    profile_keys(text, profile).is_some()
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

#[cfg(test)]
mod tests {
    use super::{Keys, Request, basic_format, form, headers, profile_keys};
    use crate::secret::Secret;
    use model::Timestamp;

    #[test]
    fn writes_moments_and_forms() {
        let moment = Timestamp::from_millis(1_440_938_160_000);
        assert_eq!(basic_format(moment), "20150830T123600Z");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let pairs = [pair("Action", "A b"), pair("Filter.1.Name", "tag:x/ü")];
        assert_eq!(form(&pairs), "Action=A%20b&Filter.1.Name=tag%3Ax%2F%C3%BC");
    }

    /// The signature was computed independently, with Python's hmac and hashlib, by the steps of the
    /// specification.
    #[test]
    fn signs() {
        let keys = Keys {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: Secret::default(),
            region: "us-east-1".to_owned(),
        };
        let request = Request {
            service: "ec2",
            url: "https://ec2.us-east-1.amazonaws.com/",
            body: "Action=DescribeInstances&Version=2016-11-15",
        };
        let now = Timestamp::from_millis(1_440_938_160_000);
        let headers = headers(&request, &keys, now).expect("signed");
        let (_, authorization) = headers.last().expect("an authorization");
        let (rest, signature) = authorization.split_once("Signature=").expect("a signature");
        assert_eq!(
            rest,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, "
        );
        assert_eq!(
            signature,
            "16bec6625521eb1b2a944bb8409fdd5a54007d61862cf7074d07d2e75a3a4950"
        );
    }

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
