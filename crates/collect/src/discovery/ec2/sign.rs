//! Signatures of Amazon's requests. Source: "AWS Signature Version 4", AWS General Reference.

use super::credentials::Keys;
use hmac::{Hmac, Mac as _};
use model::Timestamp;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// A POST with a form as its body.
pub(super) struct Request<'a> {
    /// As in the scope of the signature: `ec2`.
    pub(super) service: &'a str,
    pub(super) url: &'a str,
    pub(super) body: &'a str,
}

/// A form as it stands in a body: names and values encoded.
pub(super) fn form(pairs: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The headers that a request needs at `now`, the signature among them. Fails where the URL is wrong.
pub(super) fn headers(
    request: &Request<'_>,
    keys: &Keys,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, String> {
    let url =
        reqwest::Url::parse(request.url).map_err(|error| format!("{:?}: {error}", request.url))?;
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

#[cfg(test)]
mod tests {
    use super::{Request, basic_format, form, headers};
    use crate::discovery::ec2::credentials::Keys;
    use config::Secret;
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
}
