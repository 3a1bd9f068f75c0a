//! Pushgateway: pushes, what is stored of them, restarts, and the port that an existing Prometheus scrapes.

use crate::http::{self, Request};
use crate::place::Place;
use crate::program::{Program, Start};
use expect_test::{Expect, expect};

const CONFIG: &str = "global:\n  scrape_interval: 1s\n";

fn push(program: &Program, method: &str, path: &str, body: &str) -> String {
    let answer = program.send(Request {
        method,
        path,
        headers: &[],
        body: body.as_bytes(),
    });
    format!("{} {}", answer.status(), answer.text())
        .trim_end()
        .to_owned()
}

#[test]
fn pushed_groups_are_stored_again_and_again_until_they_are_deleted() {
    let place = Place::with(&[("prometheus.yml", CONFIG)]);
    let program = Program::start(&place);
    let path = "/metrics/job/batch/host@base64/YS9i";
    let body = "# TYPE done counter\ndone{step=\"1\"} 3\n# TYPE other gauge\nother 1\n";
    assert_eq!(push(&program, "PUT", path, body), "200");
    program.wait_for_value("done{job=\"batch\",host=\"a/b\",step=\"1\"}", "3");
    program.wait_for_value("count_over_time(done[1m]) > bool 2", "1");
    program.wait_for_value("push_time_seconds{job=\"batch\"} > bool 0", "1");
    program.kill();
    let program = Program::start(&place);
    assert_eq!(
        push(
            &program,
            "POST",
            path,
            "# TYPE done counter\ndone{step=\"2\"} 4\n"
        ),
        "200"
    );
    program.wait_for_value("done", "4");
    program.wait_for_value("other", "1");
    assert_eq!(push(&program, "DELETE", path, ""), "202");
    // A marker ends the series long before the look-back does.
    program.wait_for_value("count(done) or vector(0)", "0");
    assert_eq!(program.end(), 0);
}

#[test]
fn refusals_are_as_upstream() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let check = |method: &str, path: &str, body: &str, want: Expect| {
        want.assert_eq(&push(&program, method, path, body));
    };
    check(
        "POST",
        "/metrics/job/a",
        "# TYPE x counter\nx 1\n",
        expect!["200"],
    );
    check(
        "POST",
        "/metrics/job/b",
        "# TYPE x gauge\nx 1\n",
        expect![[
            r#"400 pushed metrics are invalid or inconsistent with existing metrics: metric family "x" is a gauge here and a counter in another group"#
        ]],
    );
    check(
        "PUT",
        "/metrics/job/a",
        "x 1 1000\n",
        expect!["400 pushed metrics must not have timestamps"],
    );
    check(
        "PUT",
        "/metrics/job/a",
        "x 1",
        expect!["400 text format parsing error in line 1: unexpected end of input stream"],
    );
    check(
        "PUT",
        "/metrics/job/a/b",
        "",
        expect![[r#"400 odd number of components in label string "job/a/b""#]],
    );
    check(
        "PUT",
        "/metrics/other/a",
        "",
        expect!["400 job name is required"],
    );
    check("DELETE", "/metrics/job/nobody", "", expect!["202"]);
}

/// What the port of Pushgateway answers; called where a program has the customary ports.
pub(crate) fn check_port() {
    let ask = |method, path: &str, body: &[u8]| {
        let request = Request {
            method,
            path,
            headers: &[],
            body,
        };
        http::send("127.0.0.1:9091", request).map_err(|error| error.to_string())
    };
    let pushed = ask(
        "POST",
        "/metrics/job/j",
        b"# HELP m Mine.\n# TYPE m gauge\nm 5\n",
    )
    .expect("an answer");
    assert_eq!(pushed.status(), 200, "{}", pushed.text());
    let text = ask("GET", "/metrics", b"").expect("an answer").text();
    assert!(
        text.contains("# HELP m Mine.\n# TYPE m gauge\nm{instance=\"\",job=\"j\"} 5\n"),
        "{text}"
    );
    assert!(
        text.contains("push_time_seconds{instance=\"\",job=\"j\"}"),
        "{text}"
    );
    assert!(text.contains("binnacle_tsdb_"), "{text}");
    let list = ask("GET", "/api/v1/metrics", b"")
        .expect("an answer")
        .json();
    assert_eq!(list["data"][0]["labels"]["job"], "j");
    assert_eq!(list["data"][0]["m"]["metrics"][0]["value"], "5");
    assert_eq!(list["data"][0]["last_push_successful"], true);
    let status = ask("GET", "/api/v1/status", b"").expect("an answer").json();
    assert!(status["data"]["build_information"]["version"].is_string());
}
