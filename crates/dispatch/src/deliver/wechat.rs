//! WeCom: a message of an application, with a token that is fetched first and kept for two hours.

use super::compose::compose;
use super::http::{Answer, Request, join, reason, send};
use super::{Clients, Conversation, Failure, Kit, Memory};
use crate::config::WeChat;
use crate::notice::{FailureReason, Target};
use crate::template::go_json;
use config::Secret;
use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// A token is used so long.
const TOKEN_MS: i64 = 2 * 3_600_000;
/// What WeCom answers to a token that ended.
const TOKEN_ENDED: i64 = 42_001;

/// All that the conversation needs.
struct Talk {
    clients: Arc<Clients>,
    target: Target,
    now: Timestamp,
    corp_id: String,
    fetch: Request,
    send: Request,
}

pub(super) fn prepare(kit: &mut Kit<'_>, wechat: &WeChat) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let secret = kit.read("api_secret_file", &wechat.api_secret)?;
    let (secret, corp_id, message) = compose(kit.job, &scope, |texts| {
        let secret = texts.needed("api_secret", &secret)?;
        let corp_id = texts.needed("corp_id", &wechat.corp_id)?;
        let body = texts.body(wechat.texts.get("message"));
        let (text, markdown) = match wechat.is_markdown {
            true => (String::new(), body),
            false => (body, String::new()),
        };
        let mut message = serde_json::Map::new();
        message.insert("text".to_owned(), json!({"content": text}));
        for (field, template) in [
            ("touser", "to_user"),
            ("toparty", "to_party"),
            ("totag", "to_tag"),
            ("agentid", "agent_id"),
        ] {
            let text = texts.needed(template, wechat.texts.get(template))?;
            super::compose::put(&mut message, field, text);
        }
        message.insert("safe".to_owned(), Value::from("0"));
        let kind = if wechat.is_markdown {
            "markdown"
        } else {
            "text"
        };
        message.insert("msgtype".to_owned(), Value::from(kind));
        message.insert("markdown".to_owned(), json!({"content": markdown}));
        Ok((secret, corp_id, Value::from(message)))
    })?;
    kit.hide(&secret);
    let mut token_url = join(&wechat.api_url, "gettoken")?;
    token_url
        .query_pairs_mut()
        .append_pair("corpid", &corp_id)
        .append_pair("corpsecret", &secret);
    let send_url = join(&wechat.api_url, "message/send")?;
    let send = kit.post(&wechat.http, send_url, go_json(&message))?;
    let talk = Talk {
        clients: Arc::clone(kit.clients),
        target: kit.job.notice.target.clone(),
        now: kit.job.now,
        corp_id,
        fetch: send.to(Method::GET, token_url, String::new()),
        send,
    };
    Ok(Box::pin(talk.run()))
}

impl Talk {
    async fn run(mut self) -> Result<Memory, Failure> {
        let token = match self.clients.token(&self.target, self.now) {
            Some(token) => token,
            None => self.fetch_token().await?,
        };
        let mut url = join(&self.send.url, "")?;
        url.set_path(url.path().trim_end_matches('/').to_owned().as_str());
        url.query_pairs_mut()
            .append_pair("access_token", token.reveal());
        self.send.url = url.into();
        let result = judge(&send(self.send).await?);
        if let Err((failure, code)) = result {
            if code == TOKEN_ENDED {
                self.clients.forget_token(&self.target);
            }
            let error = failure
                .error
                .replace(token.reveal(), config::secret::HIDDEN);
            return Err(Failure { error, ..failure });
        }
        Ok(Memory::new())
    }

    async fn fetch_token(&self) -> Result<Secret, Failure> {
        let answer = send(self.fetch.clone()).await?;
        super::http::check(&answer, super::http::PLAIN)?;
        let parsed: Value = serde_json::from_str(&answer.body)
            .map_err(|error| format!("the answer to gettoken is not JSON: {error}"))?;
        let token = parsed.get("access_token").and_then(Value::as_str);
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Err(format!("invalid APISecret for CorpID: {}", self.corp_id).into());
        };
        let token = Secret::new(token);
        let until = self.now.plus_millis(TOKEN_MS);
        self.clients.keep_token(&self.target, token.clone(), until);
        Ok(token)
    }
}

/// What an answer means, and WeCom's code for it. As upstream, every status but 200 is tried again.
fn judge(answer: &Answer) -> Result<(), (Failure, i64)> {
    if answer.code != 200 {
        let failure = Failure {
            error: format!("unexpected status code {}", answer.code),
            reason: reason(answer.code),
            is_final: false,
            after_ms: answer.retry_after_ms,
        };
        return Err((failure, 0));
    }
    let parsed: Value = serde_json::from_str(&answer.body).map_err(|error| {
        (
            Failure::passing(format!("the answer is not JSON: {error}")),
            0,
        )
    })?;
    let code = parsed.get("errcode").and_then(Value::as_i64).unwrap_or(0);
    if code == 0 {
        return Ok(());
    }
    let error = parsed
        .get("errmsg")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let failure = Failure {
        error: error.to_owned(),
        reason: FailureReason::ClientError,
        is_final: code != TOKEN_ENDED,
        after_ms: None,
    };
    Err((failure, code))
}
