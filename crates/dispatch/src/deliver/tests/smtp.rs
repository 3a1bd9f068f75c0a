use super::servers::Server;
use super::{attempt, config, notice};
use crate::notice::Outcome;

fn receiver(server: &Server, more: &str) -> String {
    let port = server.address.port();
    format!(
        "email_configs: [{{to: 'Ops <ops@example.org>, b@example.org', from: am@example.org, smarthost: 'localhost:{port}', require_tls: false{more}}}]"
    )
}

#[test]
fn a_mail_has_subject_html_and_a_stable_id() {
    let server = Server::smtp(&["8BITMIME"], "");
    let receiver = receiver(
        &server,
        ", hello: me, headers: {x-team: 'Ü {{ .Status }}'}, text: 'plain {{ .Status }}'",
    );
    let outcome = attempt(&config(&receiver, ""), notice());
    assert_eq!(outcome, Outcome::Delivered(Vec::new()));
    let got = server.got();
    let commands: Vec<&str> = got.head.lines().collect();
    assert_eq!(
        commands,
        [
            "EHLO me",
            "MAIL FROM:<am@example.org>",
            "RCPT TO:<ops@example.org>",
            "RCPT TO:<b@example.org>",
            "DATA",
            "QUIT",
        ]
    );
    for part in [
        "From: am@example.org\r\n",
        "To: Ops <ops@example.org>, b@example.org\r\n",
        "Subject: [FIRING:1] Down (<j>)\r\n",
        "X-Team: =?utf-8?q?=C3=9C_firing?=\r\n",
        "Message-Id: <n@",
        "Date: Fri, 20 Nov 2026 00:00:00 +0000\r\n",
        "Content-Type: text/plain; charset=UTF-8\r\n\r\nplain firing\r\n",
        "Content-Type: text/html; charset=UTF-8\r\n",
        "[1] Firing</strong>",
    ] {
        let joined = got.body.replace("=\r\n", "");
        let found = got.body.contains(part) || joined.contains(part);
        assert!(found, "{part}\n{}", got.body);
    }
    assert!(got.body.lines().all(|line| line.len() <= 998));
}

#[test]
fn logs_in_as_the_server_wants() {
    let check = |offers: &'static [&'static str], expected: &[&str]| {
        let server = Server::smtp(offers, "");
        let receiver = receiver(
            &server,
            ", auth_username: u, auth_password: p, auth_identity: i",
        );
        let outcome = attempt(&config(&receiver, ""), notice());
        assert_eq!(outcome, Outcome::Delivered(Vec::new()), "{offers:?}");
        let got = server.got();
        let lines: Vec<&str> = got.head.lines().skip(1).take(expected.len()).collect();
        assert_eq!(lines, expected);
    };
    check(&["AUTH PLAIN LOGIN"], &["AUTH PLAIN aQB1AHA="]);
    check(&["AUTH LOGIN"], &["AUTH LOGIN", "dQ==", "cA=="]);
    check(&[], &["MAIL FROM:<am@example.org>"]);
}

#[test]
fn what_the_server_refuses_is_tried_again() {
    for refuse in ["RCPT", "DATA", "MAIL"] {
        let server = Server::smtp(&[], refuse);
        let outcome = attempt(&config(&receiver(&server, ""), ""), notice());
        match outcome {
            Outcome::Retry { error, .. } => assert!(error.contains("not now"), "{error}"),
            other => panic!("{refuse}: {other:?}"),
        }
        server.got();
    }
}

#[test]
fn without_starttls_nothing_leaves_where_tls_is_required() {
    let server = Server::smtp(&[], "");
    let receiver = receiver(&server, "").replace("require_tls: false", "require_tls: true");
    match attempt(&config(&receiver, ""), notice()) {
        Outcome::Retry { error, .. } => {
            assert!(
                error.contains("does not advertise the STARTTLS extension"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
    server.got();
}

#[test]
fn a_broken_mail_template_still_says_what_fires() {
    let server = Server::smtp(&[], "");
    let receiver = receiver(
        &server,
        ", html: '{{ .Nothing.Here }}', headers: {subject: '{{ .No.Such }}'}",
    );
    assert_eq!(
        attempt(&config(&receiver, ""), notice()),
        Outcome::Delivered(Vec::new())
    );
    let got = server.got();
    assert!(
        got.body.contains("Subject: [FIRING:2] Down\r\n"),
        "{}",
        got.body
    );
    assert!(
        got.body
            .replace("=\r\n", "")
            .contains("the template failed"),
        "{}",
        got.body
    );
}

#[test]
fn mails_about_one_group_form_a_thread() {
    let server = Server::smtp(&[], "");
    let receiver = receiver(
        &server,
        ", threading: {enabled: true, thread_by_date: daily}",
    );
    assert_eq!(
        attempt(&config(&receiver, ""), notice()),
        Outcome::Delivered(Vec::new())
    );
    let body = server.got().body;
    assert!(
        body.contains("-2026-11-20@alertmanager>\r\n") && body.contains("References: <alert-"),
        "{body}"
    );
}
