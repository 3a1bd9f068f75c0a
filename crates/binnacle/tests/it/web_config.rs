//! `--web.config.file`: TLS, clients' certificates, users, headers, and changes while it runs.

use crate::http::{self, Request};
use crate::place::{Place, text, write};
use crate::program::{Program, Start, run};
use crate::tls::{Client, bytes_of, file};
use crate::waiting::until;
use std::path::PathBuf;

/// `correct horse`, cost 4.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

fn start(place: &Place, web: &str, more: &[&str]) -> (Program, PathBuf) {
    let path = place.beside("web.yml");
    write(&path, web);
    let mut arguments = vec![format!("--web.config.file={}", text(&path))];
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    let program = Program::begin(
        place,
        &Start {
            arguments,
            ..Start::default()
        },
    );
    (program, path)
}

fn tls(more: &str) -> String {
    format!(
        "tls_server_config:\n  cert_file: {}\n  key_file: {}\n{more}",
        text(&file("server.pem")),
        text(&file("server.key")),
    )
}

fn wait_for_tls(program: &Program, client: Client<'_>) {
    until("TLS", || {
        let answer = client.send(&program.address, Request::get("/-/ready"));
        match answer {
            Ok(answer) if answer.message.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn speaks_tls_and_changes_its_certificate_while_it_runs() {
    let place = Place::new();
    let (certificate, key) = (place.beside("cert.pem"), place.beside("key.pem"));
    let install = |name: &str| {
        for (from, to) in [("pem", &certificate), ("key", &key)] {
            let beside = to.with_extension("new");
            std::fs::copy(file(&format!("{name}.{from}")), &beside).expect("copied");
            std::fs::rename(beside, to).expect("renamed");
        }
    };
    install("server");
    let web = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n\
        http_server_config: {http2: false, headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=9}}\n";
    let (program, _) = start(&place, web, &[]);
    wait_for_tls(&program, Client::default());
    let ask = |client: Client<'_>| {
        let query = Request::get("/api/v1/query?query=vector(7)");
        client.send(&program.address, query).expect("TLS")
    };
    let answer = ask(Client::default());
    assert_eq!(answer.message.json()["data"]["result"][0]["value"][1], "7");
    assert_eq!(answer.version, "TLSv1_3");
    assert_eq!(answer.message.header("x-frame-options"), "deny");
    assert_eq!(
        answer.message.header("strict-transport-security"),
        "max-age=9"
    );
    assert_eq!(answer.certificate, bytes_of("server.pem"));
    let old = ask(Client {
        only_tls12: true,
        ..Client::default()
    });
    assert_eq!(old.version, "TLSv1_2");
    // Whoever forgot the s is told.
    let plain = http::send(&program.address, Request::get("/metrics")).expect("an answer");
    assert_eq!(plain.status(), 400);
    assert!(
        plain.text().contains("HTTP request to an HTTPS server"),
        "{}",
        plain.text()
    );
    install("next");
    until("the next certificate", || {
        let answer = ask(Client::default());
        let is_next = answer.certificate == bytes_of("next.pem");
        is_next
            .then_some(())
            .ok_or_else(|| "the old one".to_owned())
    });
    // A key that does not fit leaves all as it is.
    std::fs::copy(file("server.key"), &key).expect("copied");
    assert_eq!(ask(Client::default()).certificate, bytes_of("next.pem"));
    until("a line in the log", || {
        let log = program.log();
        let said = log.contains("the web configuration stays as it was");
        said.then_some(()).ok_or(log)
    });
}

#[test]
fn asks_clients_for_their_certificates() {
    let place = Place::new();
    let more = format!(
        "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {}\n  \
         client_allowed_sans: [scraper.example]\n  min_version: TLS13\n",
        text(&file("ca.pem"))
    );
    let (program, path) = start(&place, &tls(&more), &[]);
    let client = |identity| Client {
        identity,
        ..Client::default()
    };
    wait_for_tls(&program, client(Some("client")));
    let get = Request::get("/api/v1/query?query=1");
    let refused = |client: Client<'_>, why: &str| {
        let answer = client.send(&program.address, get);
        assert!(answer.is_err(), "{why}: {answer:?}");
    };
    refused(client(None), "no certificate");
    refused(client(Some("stranger")), "not of our authority");
    refused(
        Client {
            identity: Some("client"),
            only_tls12: true,
        },
        "too old",
    );
    // A name that nobody carries, taken up without a restart.
    write(
        &path,
        &tls(&more).replace("scraper.example", "other.example"),
    );
    refused(client(Some("client")), "another name");
    let any = "  client_auth_type: RequireAnyClientCert\n";
    write(&path, &tls(any));
    let answer = client(Some("stranger")).send(&program.address, get);
    assert_eq!(answer.expect("any will do").message.status(), 200);
    refused(client(None), "none at all");
    let metrics = client(Some("client")).send(&program.address, Request::get("/metrics"));
    let metrics = metrics.expect("metrics").message.text();
    assert!(
        metrics.contains("binnacle_api_handshakes_failed_total"),
        "{metrics}"
    );
}

#[test]
fn asks_users_for_their_passwords() {
    let place = Place::new();
    let web = format!("basic_auth_users:\n  ann: {HASH}\n");
    let (program, path) = start(&place, &web, &[]);
    until("the program to be ready", || {
        let answer = http::send(&program.address, Request::get("/-/ready"));
        match answer {
            Ok(answer) if answer.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let get = |path: &str, authorization: &str| {
        let headers = [("Authorization", authorization)];
        let request = Request {
            headers: if authorization.is_empty() {
                &[]
            } else {
                &headers
            },
            ..Request::get(path)
        };
        http::send(&program.address, request).expect("an answer")
    };
    // ann:correct horse, and ann:wrong horse.
    let (right, wrong) = (
        "Basic YW5uOmNvcnJlY3QgaG9yc2U=",
        "Basic YW5uOndyb25nIGhvcnNl",
    );
    let query = "/api/v1/query?query=1";
    assert_eq!(get(query, "").status(), 401);
    assert!(
        get(query, "")
            .header("www-authenticate")
            .starts_with("Basic")
    );
    assert_eq!(get(query, wrong).status(), 401);
    assert_eq!(get(query, right).status(), 200);
    assert_eq!(get("/metrics", "").status(), 401);
    let reload = Request {
        method: "POST",
        headers: &[("Authorization", right)],
        ..Request::get("/-/reload")
    };
    assert_eq!(
        http::send(&program.address, reload)
            .expect("an answer")
            .status(),
        200
    );
    // Users go as the file goes.
    write(&path, "basic_auth_users:\n");
    assert_eq!(get(query, "").status(), 200);
}

#[test]
fn mistakes_say_where() {
    let place = Place::new();
    let path = place.beside("web.yml");
    let check = |web: &str, want: &str| {
        write(&path, web);
        let data = place.data();
        let flag = format!("--web.config.file={}", text(&path));
        let outcome = run(&[
            "up",
            "--listen",
            "127.0.0.1:0",
            "--data",
            text(&data),
            &flag,
        ]);
        assert_eq!(outcome.status, 2, "{web}");
        assert!(outcome.err.contains(want), "{web}\n{}", outcome.err);
    };
    check(
        "tls_server_config: {cert_file: a}\n",
        "web.yml:1:20: missing one of key or key_file",
    );
    check(
        "basic_auth_users:\n  bob: hunter2\n",
        "web.yml:2:8: the password of user \"bob\" is no bcrypt hash",
    );
    check(
        "tls_server_config: {cert_file: missing.pem, key_file: b}\n",
        "missing.pem",
    );
    let mixed = format!(
        "tls_server_config: {{cert_file: {}, key_file: {}}}\n",
        text(&file("server.pem")),
        text(&file("client.key"))
    );
    check(&mixed, "not usable with");
    write(&path, "x: [\n");
    let missing = run(&["up", "--web.config.file=/nowhere/web.yml"]);
    assert!(missing.err.contains("/nowhere/web.yml"), "{}", missing.err);
}
