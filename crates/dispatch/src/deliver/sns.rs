//! Amazon's Simple Notification Service: `Publish` with a signature of version 4. Query API of 2010-03-31.

use super::compose::{Renderer, compose};
use super::http::{Answer, Manners, Request, check, send};
use super::{Conversation, Failure, Kit, Memory, truncate};
use crate::config::{AwsSigner, Sns};
use crate::template::Scope;
use config::Secret;
use config::aws::{self, Keys};
use model::Timestamp;
use std::collections::BTreeMap;

/// Bytes of a message, and of one to a phone.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
const SMS_BYTES_MAX: usize = 1600;

/// All that the conversation needs.
struct Talk {
    request: Request,
    keys: Keys,
    /// The role to take on first, and what it asks for.
    role: Option<(String, String)>,
    now: Timestamp,
}

pub(super) fn prepare(kit: &mut Kit<'_>, sns: &Sns) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let fifo = (kit.group_hash(), kit.job.notice.id.clone());
    let (url, form) = compose(kit.job, &scope, |texts| {
        let url = texts.needed("api_url", sns.texts.get("api_url"))?;
        Ok((url, publish(sns, texts, &scope, &fifo)?))
    })?;
    let keys = keys(&sns.signer)?;
    kit.hide(keys.secret_key.reveal());
    kit.hide(keys.session_token.reveal());
    let url = match url {
        url if url.is_empty() => endpoint("sns", &keys.region),
        url => url,
    };
    let mut request = kit.post(&sns.http, url, aws::form(&form))?;
    // Set with the signature.
    request.content_type = "";
    let signer = &sns.signer;
    let talk = Talk {
        request,
        keys,
        role: (!signer.role_arn.is_empty())
            .then(|| (signer.role_arn.clone(), signer.external_id.clone())),
        now: kit.job.now,
    };
    Ok(Box::pin(talk.run()))
}

fn endpoint(service: &str, region: &str) -> String {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{end}/")
}

fn keys(signer: &AwsSigner) -> Result<Keys, String> {
    let mut keys = if signer.access_key.is_empty() {
        aws::find_keys(&signer.profile)?
            .ok_or("no AWS keys in the configuration, the environment or the shared file")?
    } else {
        Keys {
            access_key: signer.access_key.clone(),
            secret_key: signer.secret_key.clone(),
            ..Keys::default()
        }
    };
    keys.region = if signer.region.is_empty() {
        aws::find_region()
            .ok_or("region not configured in sns.sigv4.region or in default credentials chain")?
    } else {
        signer.region.clone()
    };
    Ok(keys)
}

fn publish(
    sns: &Sns,
    texts: &mut Renderer<'_>,
    scope: &Scope,
    (group, notice): &(String, String),
) -> Result<Vec<(String, String)>, String> {
    let mut form: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, text: String| form.push((name.to_owned(), text));
    put("Action", "Publish".to_owned());
    put("Version", "2010-03-31".to_owned());
    let mut is_sms = false;
    for (name, field) in [
        ("TopicArn", "topic_arn"),
        ("PhoneNumber", "phone_number"),
        ("TargetArn", "target_arn"),
    ] {
        let template = sns.texts.get(field);
        if template.is_empty() {
            continue;
        }
        let text = texts.needed(field, template)?;
        if field == "topic_arn" && text.ends_with(".fifo") {
            // Upstream gives the group for both, and Amazon drops the end of what began 5 minutes ago.
            put("MessageDeduplicationId", notice.clone());
            put("MessageGroupId", group.clone());
        }
        is_sms |= field == "phone_number";
        put(name, text);
    }
    let message = texts.body(sns.texts.get("message"));
    let limit = if is_sms {
        SMS_BYTES_MAX
    } else {
        MESSAGE_BYTES_MAX
    };
    let is_truncated = message.len() > limit;
    let message = match truncate::prefix(message, limit) {
        // An empty message is refused.
        empty if empty.is_empty() => scope.plain_title(),
        message => message,
    };
    put("Message", message);
    if !sns.texts.get("subject").is_empty() {
        put("Subject", texts.title(sns.texts.get("subject")));
    }
    let mut attributes: BTreeMap<String, String> = sns
        .attributes
        .iter()
        .map(|(name, value)| (texts.text(name), texts.text(value)))
        .collect();
    if is_truncated {
        attributes.insert("truncated".to_owned(), "true".to_owned());
    }
    for (i, (name, value)) in attributes.into_iter().enumerate() {
        let entry = format!("MessageAttributes.entry.{}", i + 1);
        put(&format!("{entry}.Name"), name);
        put(&format!("{entry}.Value.DataType"), "String".to_owned());
        put(&format!("{entry}.Value.StringValue"), value);
    }
    Ok(form)
}

impl Talk {
    async fn run(mut self) -> Result<Memory, Failure> {
        if let Some((role, external_id)) = self.role.take() {
            let form = aws::assume_role_form(&role, &external_id);
            let url = endpoint("sts", &self.keys.region);
            let mut request = self.request.clone();
            request.url = url;
            request.body = aws::form(&form);
            let answer = send(signed(request, "sts", &self.keys, self.now)?).await?;
            check(&answer, MANNERS).map_err(|failure| failure.within("AssumeRole"))?;
            let field = |name| element(&answer.body, name).unwrap_or_default().to_owned();
            self.keys = Keys {
                access_key: field("AccessKeyId"),
                secret_key: Secret::new(field("SecretAccessKey")),
                session_token: Secret::new(field("SessionToken")),
                region: self.keys.region,
            };
        }
        let answer = send(signed(self.request, "sns", &self.keys, self.now)?).await?;
        if let Err(mut failure) = check(&answer, MANNERS) {
            // Amazon says 400 to who asks too often.
            let code = element(&answer.body, "Code").unwrap_or_default();
            failure.is_final &= !code.starts_with("Throttl");
            return Err(failure);
        }
        Ok(Memory::new())
    }
}

const MANNERS: Manners = Manners {
    is_retried: |_| false,
    details,
};

fn signed(
    mut request: Request,
    service: &str,
    keys: &Keys,
    now: Timestamp,
) -> Result<Request, String> {
    let to_sign = aws::Request {
        service,
        url: &request.url,
        body: &request.body,
    };
    for (name, value) in aws::headers(&to_sign, keys, now)? {
        request = request.with_header(name, &value)?;
    }
    Ok(request)
}

/// What Amazon says is wrong.
fn details(answer: &Answer) -> String {
    let message = element(&answer.body, "Message");
    message.map_or_else(|| super::http::shown(answer), str::to_owned)
}

/// The text of the first element of this name; these answers nest nothing in it.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.trim())
}
