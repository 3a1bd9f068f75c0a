//! Mail through SMTP: plain, with STARTTLS, or in TLS from the first byte.
//!
//! The mail is rendered first, so that a template never fails in the middle of a conversation. Whatever the
//! server answers is tried again, as upstream does: mail servers refuse for a while for many reasons.

use super::mime::Mail;
use super::{Conversation, Failure, Job, Kit, Memory, client};
use crate::config::{Email, Threading, TlsMode};
use crate::template::Scope;
use base64::Engine as _;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::Mailboxes;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsVersion,
};
use lettre::transport::smtp::extension::ClientId;
use model::Timestamp;
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::time::Duration;

/// The subject unless a header says otherwise.
const SUBJECT: &str = r#"{{ template "email.default.subject" . }}"#;
/// Time for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Where Linux keeps the name of this host.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// A mail, ready to go.
struct Prepared {
    envelope: Envelope,
    content: String,
    login: Option<(String, String, String)>,
    tls: Option<TlsParameters>,
    email: Email,
}

/// Renders the mail and reads what files hold.
pub(super) fn prepare(kit: &mut Kit<'_>, email: &Email) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let addresses = |what: &str, template: &str| {
        let text = scope
            .text(template)
            .map_err(|error| format!("execute '{what}' template: {error}"))?;
        let list: Mailboxes = text
            .parse()
            .map_err(|error| format!("parse '{what}' addresses: {error}"))?;
        Ok::<Vec<Address>, String>(list.iter().map(|mailbox| mailbox.email.clone()).collect())
    };
    let from = addresses("from", &email.from)?;
    let [from] = from.as_slice() else {
        let count = from.len();
        return Err(format!("must be exactly one 'from' address (got: {count})").into());
    };
    let to = addresses("to", &email.to)?;
    let envelope = Envelope::new(Some(from.clone()), to).map_err(|error| error.to_string())?;
    let login = match &email.password {
        _ if email.username.is_empty() => None,
        Some(password) => Some(kit.read("auth_password_file", password)?),
        None => Some(String::new()),
    };
    let login = login.map(|password| (email.identity.clone(), email.username.clone(), password));
    let mail = Prepared {
        envelope,
        content: mail(kit.job, email, &scope).write(),
        login,
        tls: match email.tls_mode {
            TlsMode::Plain => None,
            TlsMode::Implicit | TlsMode::StartTls => Some(tls_parameters(email)?),
        },
        email: email.clone(),
    };
    Ok(Box::pin(async move {
        // Whatever the server says may be otherwise in a while.
        converse(mail).await.map_err(Failure::passing)?;
        Ok(Memory::new())
    }))
}

/// Renders headers and bodies. What fails is replaced by a plain text that says so.
fn mail(job: &Job, email: &Email, scope: &Scope) -> Mail {
    let mut failure = None;
    let mut headers: Vec<(String, String)> = Vec::new();
    let defaults = [
        ("From", email.from.as_str()),
        ("To", &email.to),
        ("Subject", SUBJECT),
    ];
    let own = |name: &str| email.headers.iter().any(|(header, _)| header == name);
    let missing = defaults.iter().filter(|(name, _)| !own(name));
    let given = email.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    for (name, template) in missing.copied().chain(given) {
        match scope.text(template) {
            Ok(value) => headers.push((name.to_owned(), value)),
            Err(error) => {
                if name == "Subject" {
                    headers.push((name.to_owned(), scope.plain_title()));
                }
                failure = Some(format!("execute {name:?} header template: {error}"));
            }
        }
    }
    if !own("Message-Id") {
        // The same for every attempt, so that mail programs show repeats once.
        let id = format!("<{}@{}>", job.notice.id, hostname());
        headers.push(("Message-Id".to_owned(), id));
    }
    if let Some(root) = thread_root(job, email.threading) {
        headers.push(("References".to_owned(), root.clone()));
        headers.push(("In-Reply-To".to_owned(), root));
    }
    headers.push(("Date".to_owned(), date(job.now)));
    let mut text = scope.text(&email.text).unwrap_or_else(|error| {
        failure = Some(error);
        String::new()
    });
    let mut html = scope.html(&email.html).unwrap_or_else(|error| {
        failure = Some(error);
        String::new()
    });
    if let Some(error) = failure {
        tracing::warn!("mail: {error}; a plain text is sent instead");
        job.note_template_error(&error);
        text = scope.plain(&error);
        html.clear();
    }
    Mail {
        headers,
        text,
        html,
        boundary: format!("binnacle-{}", job.notice.id),
    }
}

/// As RFC 5322 wants it: `Fri, 20 Nov 2026 00:00:00 +0000`.
fn date(now: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(now.millis())
        .unwrap_or_default()
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string()
}

/// The identifier of a mail that does not exist, under which mail programs gather those of one group.
fn thread_root(job: &Job, threading: Threading) -> Option<String> {
    let day = match threading {
        Threading::Off => return None,
        Threading::Whole => String::new(),
        Threading::Daily => jiff::Timestamp::from_millisecond(job.now.millis())
            .unwrap_or_default()
            .strftime("%Y-%m-%d")
            .to_string(),
    };
    let digest = Sha256::digest(job.notice.group_key.as_bytes());
    let hash: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    Some(format!("<alert-{hash}-{day}@alertmanager>"))
}

fn hostname() -> String {
    let name = std::fs::read_to_string(HOSTNAME_FILE).unwrap_or_default();
    let name = name.trim();
    let usable = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    if usable {
        name
    } else {
        "localhost.localdomain"
    }
    .to_owned()
}

fn tls_parameters(email: &Email) -> Result<TlsParameters, String> {
    let texts = email.tls.load()?;
    if texts.identity.is_some() {
        return Err("client certificates are not supported for mail".to_owned());
    }
    let name = if email.tls.server_name.is_empty() {
        email.smarthost.host.clone()
    } else {
        email.tls.server_name.clone()
    };
    let version = match email.tls.version_min {
        Some(config::http_client::TlsVersion::Tls13) => TlsVersion::Tlsv13,
        _ => TlsVersion::Tlsv12,
    };
    let mut builder = TlsParameters::builder(name)
        .dangerous_accept_invalid_certs(email.tls.insecure_skip_verify)
        .set_min_tls_version(version);
    if let Some(pem) = &texts.ca {
        let certificate = Certificate::from_pem(pem.reveal().as_bytes())
            .map_err(|error| format!("unable to use specified CA cert: {error}"))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| error.to_string())
}

async fn converse(mail: Prepared) -> Result<(), String> {
    let email = &mail.email;
    let hello = ClientId::Domain(email.hello.clone());
    let failed = |what: &'static str| {
        move |error: lettre::transport::smtp::Error| format!("{what}: {}", client::chain(&error))
    };
    let implicit = mail
        .tls
        .clone()
        .filter(|_| email.tls_mode == TlsMode::Implicit);
    let mut connection = connect(email, &hello, implicit).await?;
    if email.tls_mode == TlsMode::StartTls {
        if !connection.can_starttls() {
            let (host, port) = (&email.smarthost.host, &email.smarthost.port);
            return Err(format!(
                "'require_tls' is true (default) but \"{host}:{port}\" does not advertise the STARTTLS extension"
            ));
        }
        if let Some(tls) = mail.tls {
            connection
                .starttls(tls, &hello)
                .await
                .map_err(failed("send STARTTLS command"))?;
        }
    }
    if let Some(login) = &mail.login {
        authenticate(&mut connection, email, login).await?;
    }
    connection
        .send(&mail.envelope, mail.content.as_bytes())
        .await
        .map_err(failed("delivery failure"))?;
    if let Err(error) = connection.quit().await {
        // The mail has been accepted.
        tracing::debug!("failed to close SMTP connection: {error}");
    }
    Ok(())
}

/// Connects to the first address of the server that answers.
async fn connect(
    email: &Email,
    hello: &ClientId,
    tls: Option<TlsParameters>,
) -> Result<AsyncSmtpConnection, String> {
    let failed = |error: &dyn std::fmt::Display| format!("establish connection to server: {error}");
    let server = format!(
        "{}:{}",
        bracketed(&email.smarthost.host),
        email.smarthost.port
    );
    let found = tokio::net::lookup_host(server).await;
    let addresses: Vec<SocketAddr> = found
        .map_err(|error| failed(&error))?
        .filter(|address| !client::is_forbidden(address.ip()))
        .collect();
    let mut last = failed(&"no address that may be reached");
    for address in addresses {
        let timeout = Some(CONNECT_TIMEOUT);
        match AsyncSmtpConnection::connect_tokio1(address, timeout, hello, tls.clone(), None).await
        {
            Ok(connection) => return Ok(connection),
            Err(error) => last = failed(&client::chain(&error)),
        }
    }
    Err(last)
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Logs in with what the server offers. A server that offers nothing is taken as one that wants nothing.
async fn authenticate(
    connection: &mut AsyncSmtpConnection,
    email: &Email,
    (identity, username, password): &(String, String, String),
) -> Result<(), String> {
    let offers = |mechanism| connection.server_info().supports_auth_mechanism(mechanism);
    let (plain, login) = (offers(Mechanism::Plain), offers(Mechanism::Login));
    if !plain && !login {
        return Ok(());
    }
    if password.is_empty() {
        return Err("find auth mechanism: missing password for PLAIN auth mechanism".to_owned());
    }
    let local = ["localhost", "127.0.0.1", "::1"].contains(&email.smarthost.host.as_str());
    if plain && !connection.is_encrypted() && !local {
        return Err("PLAIN auth: unencrypted connection".to_owned());
    }
    let failed = |error: lettre::transport::smtp::Error| format!("auth: {}", client::chain(&error));
    if plain {
        // By hand, since the library knows no identity beside the name.
        let token = format!("{identity}\0{username}\0{password}");
        let token = base64::engine::general_purpose::STANDARD.encode(token);
        let command = format!("AUTH PLAIN {token}\r\n");
        connection.command(command).await.map_err(failed)?;
    } else {
        let credentials = Credentials::new(username.clone(), password.clone());
        connection
            .auth(&[Mechanism::Login], &credentials)
            .await
            .map_err(failed)?;
    }
    Ok(())
}
