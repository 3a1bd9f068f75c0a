//! `binnacle doctor`: is a running server healthy? One line a check, with the fix.

use super::client::Client;
use crate::cli::{Doctor, Format, ServerAddress};
use crate::print;
use reqwest::Method;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What a check found.
struct Finding {
    name: &'static str,
    /// `None` where all is well, otherwise what is wrong.
    problem: Option<String>,
    /// What to do about it.
    fix: &'static str,
}

/// Asks the server and prints what it found; exit status 1 where something is wrong, 2 where nobody answers.
pub(crate) fn run(doctor: &Doctor) -> anyhow::Result<ExitCode> {
    let client = Client::new(&ServerAddress {
        url: doctor.url.clone(),
        token: doctor.token.clone(),
    })?;
    let (status, _) = client.send(Method::GET, "/-/healthy", &[], None)?;
    let mut findings = vec![Finding {
        name: "answers",
        problem: (status != 200).then(|| format!("/-/healthy answers {status}")),
        fix: "look at the log of the process",
    }];
    let (status, said) = client.send(Method::GET, "/-/ready", &[], None)?;
    findings.push(Finding {
        name: "ready",
        problem: (status != 200).then(|| format!("/-/ready answers {status}: {}", said.trim())),
        fix: "wait for the replay of the write-ahead log to end",
    });
    findings.push(targets(
        &client.get("/api/v1/targets", &[("state", "active")])?,
    ));
    findings.push(rules(&client.get("/api/v1/rules", &[])?));
    findings.extend(own_status(&client.get("/api/binnacle/v1/status", &[])?));
    let sick = findings.iter().any(|finding| finding.problem.is_some());
    show(&findings, doctor.output.output);
    Ok(if sick {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

fn show(findings: &[Finding], format: Format) {
    if format == Format::Json {
        let list = findings
            .iter()
            .map(|f| json!({"check": f.name, "problem": f.problem, "fix": f.fix}));
        print::json(&Value::from(list.collect::<Vec<_>>()));
        return;
    }
    for finding in findings {
        match &finding.problem {
            None => print::line(&format!("ok    {}", finding.name)),
            Some(problem) => {
                print::line(&format!("FAIL  {}: {problem}", finding.name));
                print::line(&format!("      fix: {}", finding.fix));
            }
        }
    }
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn targets(answer: &Value) -> Finding {
    let all = list(answer, "/data/activeTargets");
    let text = |target: &Value, name: &str| {
        target
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let down: Vec<String> = all
        .iter()
        .filter(|target| text(target, "health") == "down")
        .map(|target| {
            format!(
                "{} ({})",
                text(target, "scrapeUrl"),
                text(target, "lastError")
            )
        })
        .collect();
    Finding {
        name: "targets",
        problem: (!down.is_empty()).then(|| {
            format!(
                "{} of {} are down: {}",
                down.len(),
                all.len(),
                down.join("; ")
            )
        }),
        fix: "start the target, or correct its address in prometheus.yml",
    }
}

fn rules(answer: &Value) -> Finding {
    let groups = list(answer, "/data/groups")
        .iter()
        .flat_map(|group| list(group, "/rules"));
    let failing: Vec<String> = groups
        .filter_map(|rule| {
            let error = rule
                .get("lastError")?
                .as_str()
                .filter(|error| !error.is_empty())?;
            Some(format!("{} ({error})", rule.get("name")?.as_str()?))
        })
        .collect();
    Finding {
        name: "rules",
        problem: (!failing.is_empty())
            .then(|| format!("{} fail: {}", failing.len(), failing.join("; "))),
        fix: "correct the expression; `binnacle check FILE` says where",
    }
}

/// What the server says of itself: each entry names a problem, or none.
fn own_status(answer: &Value) -> Vec<Finding> {
    let problem = |pointer: &str| {
        answer
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let undelivered = answer
        .pointer("/undelivered")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    vec![
        Finding {
            name: "store takes writes",
            problem: problem("/storeProblem"),
            fix: "free disk space or repair the disk, then restart",
        },
        Finding {
            name: "configuration is current",
            problem: problem("/reloadProblem"),
            fix: "correct the files and POST /-/reload",
        },
        Finding {
            name: "notifications are delivered",
            problem: (undelivered > 0).then(|| format!("{undelivered} alerts reach nobody")),
            fix: "see what their receivers answer on the Alerts page, or route them to another one",
        },
    ]
}
