//! A target dies, people are told, an incident opens; the target comes back, everything resolves.

use crate::mail::Mail;
use crate::program::Program;
use crate::story::{
    self, Receivers, incidents, timeline_kinds, wait_for_alert, wait_for_incident, wait_for_scrapes,
};
use crate::target::Target;
use crate::waiting::until;
use serde_json::{Value, json};

#[test]
fn a_target_dies_and_comes_back() {
    let mut target = Target::healthy();
    let receivers = Receivers::start();
    let place = story::place(&target, &receivers, "5s");
    let program = Program::start(&place);
    program.wait_for_value("up{job=\"app\"}", "1");
    program.wait_for_value("job:requests:sum", "1");
    assert_eq!(program.command(&["alert", "list"]).out, "none\n");

    target.die();
    let pending = wait_for_alert(&program, "pending");
    let firing = wait_for_alert(&program, "firing");
    assert_eq!(pending["activeAt"], firing["activeAt"]);
    assert_eq!(
        firing["annotations"]["description"],
        format!("{} answers 0", target.address())
    );
    let incident = wait_for_incident(&program, "open");
    check_open_incident(&incident);
    let id = incident["id"].as_str().expect("an id").to_owned();
    wait_for_messages(&receivers, 1);
    check_firing_messages(&receivers, &target);
    check_commands_while_firing(&program, &id);
    act_on_incident(&program, &id);

    target.revive();
    let resolved = wait_for_incident(&program, "resolved");
    wait_for_messages(&receivers, 2);
    check_resolved_messages(&receivers);
    check_resolved_incident(&resolved);
    until("no alert", || {
        let alerts = program.json("/api/v1/alerts", &[])["data"]["alerts"].clone();
        if alerts == json!([]) {
            Ok(())
        } else {
            Err(alerts.to_string())
        }
    });
    until("doctor to find nothing", || {
        let doctor = crate::program::run(&["doctor", &program.url()]);
        let is_well = (doctor.status, doctor.out.contains("FAIL")) == (0, false);
        is_well.then_some(()).ok_or_else(|| format!("{doctor:?}"))
    });

    // Several group intervals later nothing more was said.
    wait_for_scrapes(&target, 3);
    assert_eq!(receivers.capture.count(), 4);
    assert_eq!(receivers.mail.taken().len(), 2);
    assert_eq!(incidents(&program).len(), 1);
    assert_eq!(program.end(), 0);
}

fn wait_for_messages(receivers: &Receivers, count: usize) {
    until(&format!("{count} messages to each"), || {
        let (capture, mail) = (&receivers.capture, &receivers.mail);
        let counts = [
            capture.bodies("/webhook").len(),
            capture.bodies("/slack").len(),
            mail.taken().len(),
        ];
        if counts == [count; 3] {
            Ok(())
        } else {
            Err(format!("{counts:?}"))
        }
    });
}

fn check_open_incident(incident: &Value) {
    assert_eq!(incident["title"], "app is down");
    assert_eq!(incident["severity"], "critical");
    assert_eq!(
        incident["labels"],
        json!({"alertname": "AppDown", "job": "app"})
    );
    assert_eq!(incident["acknowledgedAt"], Value::Null);
    assert_eq!(incident["resolvedAt"], Value::Null);
    assert_eq!(
        timeline_kinds(incident).first().map(String::as_str),
        Some("opened")
    );
}

fn check_firing_messages(receivers: &Receivers, target: &Target) {
    let labels = json!({
        "alertname": "AppDown", "instance": target.address(), "job": "app", "region": "north", "severity": "critical",
    });
    let annotations = json!({
        "description": format!("{} answers 0", target.address()), "summary": "app is down",
    });
    let webhook = &receivers.capture.bodies("/webhook")[0];
    let want = json!({
        "version": "4", "status": "firing", "receiver": "everyone", "truncatedAlerts": 0,
        "groupKey": "{}:{alertname=\"AppDown\", job=\"app\"}",
        "groupLabels": {"alertname": "AppDown", "job": "app"},
        "commonLabels": labels, "commonAnnotations": annotations,
    });
    for (name, value) in want.as_object().expect("an object") {
        assert_eq!(&webhook[name], value, "{name}");
    }
    let alert = &webhook["alerts"][0];
    assert_eq!(
        (&alert["labels"], &alert["annotations"]),
        (&labels, &annotations)
    );
    assert_eq!(alert["status"], "firing");
    assert_eq!(alert["endsAt"], "0001-01-01T00:00:00Z");
    assert_eq!(alert["fingerprint"].as_str().map(str::len), Some(16));
    assert!(
        alert["generatorURL"]
            .as_str()
            .is_some_and(|url| url.contains("/graph?g0.expr=up")),
        "{alert}"
    );
    assert_eq!(webhook["alerts"].as_array().map(Vec::len), Some(1));

    let slack = &receivers.capture.bodies("/slack")[0];
    let attachment = &slack["attachments"][0];
    assert_eq!(slack["channel"], "#alerts");
    assert_eq!(attachment["color"], "danger");
    let title = attachment["title"].as_str().expect("a title");
    assert!(title.starts_with("[FIRING:1] AppDown app"), "{title}");

    let mail = &receivers.mail.taken()[0];
    check_mail(mail, "[FIRING:1] AppDown app");
    assert!(mail.text.contains("answers 0"), "{}", mail.text);
}

fn check_mail(mail: &Mail, subject: &str) {
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("watch@example.org", &["team@example.org".to_owned()][..])
    );
    assert!(mail.header("Subject").starts_with(subject), "{}", mail.text);
    assert_eq!(mail.header("To"), "team@example.org");
    assert!(mail.text.contains("text/html"), "{}", mail.text);
}

fn check_resolved_messages(receivers: &Receivers) {
    let webhook = &receivers.capture.bodies("/webhook")[1];
    assert_eq!(
        (&webhook["status"], &webhook["alerts"][0]["status"]),
        (&json!("resolved"), &json!("resolved"))
    );
    assert_ne!(webhook["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
    let slack = &receivers.capture.bodies("/slack")[1]["attachments"][0];
    assert_eq!(slack["color"], "good");
    assert!(
        slack["title"]
            .as_str()
            .is_some_and(|title| title.starts_with("[RESOLVED] AppDown app"))
    );
    check_mail(&receivers.mail.taken()[1], "[RESOLVED] AppDown app");
}

fn check_commands_while_firing(program: &Program, id: &str) {
    let check = |arguments: &[&str], status: i32, parts: &[&str]| {
        let outcome = program.command(arguments);
        assert_eq!(outcome.status, status, "{arguments:?}: {outcome:?}");
        for part in parts {
            assert!(
                outcome.out.contains(part),
                "{arguments:?}: {part}: {}",
                outcome.out
            );
        }
    };
    check(
        &["incident", "list"],
        0,
        &[id, "open", "critical", "app is down"],
    );
    check(&["incident", "show", id], 0, &["app is down", "opened"]);
    check(&["incident", "show", "999"], 2, &[]);
    check(&["alert", "list"], 0, &["AppDown", "active", "app is down"]);
    check(&["alert", "list", "severity=critical"], 0, &["AppDown"]);
    check(&["alert", "list", "severity=low"], 0, &["none"]);
    check(&["query", "up{job=\"app\"}"], 0, &["up{", " 0"]);
    check(&["query", "-o", "json", "vector(7)"], 0, &["\"7\""]);
    check(
        &["query", "--since", "1m", "up{job=\"app\"}"],
        0,
        &["graph"],
    );
    check(&["query", "up{"], 2, &[]);
    let doctor = crate::program::run(&["doctor", &program.url()]);
    assert_eq!(doctor.status, 1);
    assert!(
        doctor.out.contains("FAIL  targets: 1 of "),
        "{}",
        doctor.out
    );
}

fn act_on_incident(program: &Program, id: &str) {
    let acknowledged = program.command(&["incident", "ack", id]);
    assert_eq!(acknowledged.status, 0, "{acknowledged:?}");
    assert!(
        acknowledged.out.contains("acknowledged"),
        "{acknowledged:?}"
    );
    let path = format!("/api/binnacle/v1/incidents/{id}/notes");
    let noted = program.post_json(&path, &json!({"author": "ann", "text": "looking at it"}));
    assert_eq!(noted.status(), 200, "{}", noted.text());
    let empty = program.post_json(&path, &json!({"author": "ann"}));
    assert_eq!(empty.status(), 400);
    let none = program.post_json(
        "/api/binnacle/v1/incidents/999/notes",
        &json!({"text": "x"}),
    );
    assert_eq!(none.status(), 404);
    let listed = program.json("/api/binnacle/v1/incidents", &[("status", "acknowledged")]);
    assert_eq!(listed[0]["id"], id);
}

fn check_resolved_incident(incident: &Value) {
    let kinds = timeline_kinds(incident);
    for kind in [
        "opened",
        "notification_sent",
        "acknowledged",
        "note",
        "alert_left",
        "resolved",
    ] {
        assert!(kinds.iter().any(|known| known == kind), "{kind}: {kinds:?}");
    }
    let times: Vec<&str> = incident["timeline"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(|line| line["at"].as_str())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(
        incident["resolvedAt"].is_string() && incident["acknowledgedAt"].is_string(),
        "{incident}"
    );
    let note = incident["timeline"]
        .as_array()
        .expect("lines")
        .iter()
        .find(|line| line["kind"] == "note");
    let note = note.expect("the note");
    assert_eq!(
        (&note["who"], &note["text"]),
        (&json!("ann"), &json!("looking at it"))
    );
}

#[test]
fn a_silence_keeps_a_notification_back() {
    let mut target = Target::healthy();
    let receivers = Receivers::start();
    let place = story::place(&target, &receivers, "0s");
    let program = Program::start(&place);
    let added = program.command(&[
        "silence",
        "add",
        "--for",
        "1h",
        "--comment",
        "disk swap",
        "alertname=AppDown",
        "job=~a.*",
    ]);
    assert_eq!(added.status, 0, "{added:?}");
    let id = added.out.trim().to_owned();
    let listed = program.command(&["silence", "list"]);
    assert!(
        listed.out.contains(&id)
            && listed.out.contains("job=~\"a.*\"")
            && listed.out.contains("active"),
        "{listed:?}"
    );

    target.die();
    wait_for_alert(&program, "firing");
    until("the alert to be silenced", || {
        let list = program.command(&["alert", "list"]);
        if list.out.contains("suppressed") {
            Ok(())
        } else {
            Err(list.out)
        }
    });
    assert_eq!(
        (receivers.capture.count(), incidents(&program).len()),
        (0, 0)
    );

    assert_eq!(program.command(&["silence", "expire", &id]).status, 0);
    wait_for_incident(&program, "open");
    wait_for_messages(&receivers, 1);
    assert_eq!(program.command(&["silence", "list"]).out, "none\n");
    assert!(
        program
            .command(&["silence", "list", "--expired"])
            .out
            .contains(&id)
    );
    assert_eq!(
        program.command(&["silence", "expire", "no-such-id"]).status,
        1
    );
    assert_eq!(
        program
            .command(&["silence", "add", "--comment", "x", "not a matcher"])
            .status,
        2
    );
}

#[test]
fn a_receiver_that_fails_is_tried_again() {
    let target = Target::healthy();
    let receivers = Receivers::start();
    // The target's own alert stays out of this.
    let place = story::place(&target, &receivers, "1h");
    let program = Program::start(&place);
    // Both HTTP receivers fail once each, in whichever order they are asked.
    receivers.capture.answer_next(&[503, 500]);
    let sent = program.command(&[
        "alert",
        "add",
        "alertname=ByHand",
        "severity=info",
        "--annotation",
        "summary=a test",
    ]);
    assert_eq!(sent.status, 0, "{sent:?}");
    until("every message to be delivered after the failures", || {
        let answer = program.json("/api/binnacle/v1/notifications", &[]);
        let attempts = answer["attempts"].as_array().expect("attempts").clone();
        let delivered = attempts
            .iter()
            .filter(|one| one["outcome"] == "delivered")
            .count();
        let failed = attempts
            .iter()
            .filter(|one| one["outcome"] == "failed")
            .count();
        if (delivered, failed) == (3, 2) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert_eq!(receivers.capture.count(), 4);
    let incident = wait_for_incident(&program, "open");
    assert_eq!(
        (&incident["title"], &incident["severity"]),
        (&json!("a test"), &json!("low"))
    );
    let id = incident["id"].as_str().expect("an id");
    assert_eq!(program.command(&["incident", "resolve", id]).status, 0);
    let again = program.post_json(
        &format!("/api/binnacle/v1/incidents/{id}/resolve"),
        &json!({}),
    );
    assert_eq!(again.status(), 409, "{}", again.text());
}
