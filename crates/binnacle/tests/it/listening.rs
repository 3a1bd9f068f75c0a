//! Who gets in: on loopback by name and origin, beyond it by proof.

use crate::http::{self, Request};
use crate::place::{Place, text};
use crate::program::{Outcome, Program, Start, free_port, run};
use crate::waiting::until;

const QUERY: &str = "/api/v1/query?query=vector(1)";

fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    let request = Request {
        method: "GET",
        path,
        headers,
        body: &[],
    };
    http::send(address, request).expect("an answer").status()
}

fn post(address: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let request = Request {
        method: "POST",
        path,
        headers,
        body: body.as_bytes(),
    };
    http::send(address, request).expect("an answer").status()
}

#[test]
fn foreign_names_and_origins_stay_out_on_loopback() {
    let place = Place::with(&[("binnacle.yml", "host_names: [watch.internal]\n")]);
    let program = Program::start(&place);
    let address = program.address.as_str();
    let own_origin = format!("http://{address}");
    let host =
        |name: &str, want: u16| assert_eq!(get(address, QUERY, &[("Host", name)]), want, "{name}");
    host("localhost:9090", 200);
    host("127.0.0.1", 200);
    host("[::1]:9090", 200);
    host("app.localhost", 200);
    host("watch.internal", 200);
    host("evil.example", 421);
    host("localhost.evil.example:9090", 421);
    host("", 421);
    // Health checks come under any name.
    assert_eq!(get(address, "/-/healthy", &[("Host", "evil.example")]), 200);
    let origin = |origin: &str, want: u16| {
        let status = post(address, "/-/reload", &[("Origin", origin)], "");
        assert_eq!(status, want, "{origin}");
    };
    origin(&own_origin, 200);
    origin("https://evil.example", 403);
    origin("null", 403);
    assert_eq!(
        get(address, QUERY, &[("Origin", "https://evil.example")]),
        200
    );
}

fn token(place: &Place, name: &str, role: &str) -> String {
    let made = run(&[
        "token",
        "create",
        name,
        "--role",
        role,
        "--data",
        text(&place.data()),
    ]);
    assert_eq!(made.status, 0, "{made:?}");
    made.out.trim().to_owned()
}

#[test]
fn beyond_loopback_nobody_listens_before_somebody_can_prove_himself() {
    let place = Place::new();
    let data = place.data();
    let listen = format!("0.0.0.0:{}", free_port());
    let refused: Outcome = run(&["up", "--listen", &listen, "--data", text(&data)]);
    assert_eq!(refused.status, 2, "{refused:?}");
    for part in [
        "beyond loopback",
        "binnacle token create NAME",
        "binnacle user create NAME",
        text(&data),
    ] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
}

/// Starts on every address; asked on loopback.
fn start_beyond_loopback(place: &Place) -> Program {
    let port = free_port();
    let arguments = ["--listen".to_owned(), format!("0.0.0.0:{port}")].to_vec();
    let start = Start {
        arguments,
        ..Start::default()
    };
    let mut program = Program::begin(place, &start);
    program.address = format!("127.0.0.1:{port}");
    until("the program to be ready", || {
        match http::send(&program.address, Request::get("/-/ready")) {
            Ok(answer) if answer.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    program
}

#[test]
fn beyond_loopback_every_request_needs_proof() {
    let place = Place::new();
    let viewer = token(&place, "screen", "viewer");
    let program = start_beyond_loopback(&place);
    let address = program.address.clone();
    let denied = http::send(&address, Request::get(QUERY)).expect("an answer");
    assert_eq!(denied.status(), 401);
    assert!(
        denied.header("www-authenticate").starts_with("Basic"),
        "{denied:?}"
    );
    for path in [
        "/",
        "/metrics",
        "/api/v2/alerts",
        "/api/binnacle/v1/incidents",
    ] {
        assert_eq!(get(&address, path, &[]), 401, "{path}");
    }
    assert_eq!(get(&address, "/-/healthy", &[]), 200);
    let proof = |token: &str| format!("Bearer {token}");
    assert_eq!(
        get(&address, QUERY, &[("Authorization", "Bearer wrong")]),
        401
    );
    let by_viewer = proof(&viewer);
    let by_viewer = [("Authorization", by_viewer.as_str())];
    assert_eq!(get(&address, QUERY, &by_viewer), 200);
    assert_eq!(post(&address, "/api/v2/alerts", &by_viewer, "[]"), 403);
    assert_eq!(post(&address, "/api/v1/write", &by_viewer, ""), 403);
    assert_eq!(post(&address, "/-/reload", &by_viewer, ""), 403);
    assert_eq!(post(&address, "/api/v1/query", &by_viewer, ""), 400);

    // Made while the server runs.
    let editor = proof(&token(&place, "batch", "editor"));
    let by_editor = [("Authorization", editor.as_str())];
    assert_eq!(post(&address, "/api/v2/alerts", &by_editor, "[]"), 200);
    assert_eq!(post(&address, "/-/reload", &by_editor, ""), 403);
    let admin = proof(&token(&place, "boss", "admin"));
    assert_eq!(
        post(&address, "/-/reload", &[("Authorization", &admin)], ""),
        200
    );
    let url = format!("http://{address}");
    let asked = run(&["query", "vector(1)", "--url", &url, "--token", &viewer]);
    assert_eq!(asked.status, 0, "{asked:?}");
    assert_eq!(run(&["query", "vector(1)", "--url", &url]).status, 2);
}

#[test]
fn tokens_are_listed_without_their_secret_and_bad_requests_refused() {
    let place = Place::new();
    let viewer = token(&place, "screen", "viewer");
    let listed = run(&["token", "list", "--data", text(&place.data())]);
    assert!(
        listed.out.contains("screen")
            && listed.out.contains("viewer")
            && !listed.out.contains(&viewer),
        "{listed:?}"
    );
    assert_eq!(
        run(&["token", "remove", "nobody", "--data", text(&place.data())]).status,
        2
    );
    assert_eq!(
        run(&[
            "token",
            "create",
            "x",
            "--role",
            "king",
            "--data",
            text(&place.data())
        ])
        .status,
        2
    );
}
