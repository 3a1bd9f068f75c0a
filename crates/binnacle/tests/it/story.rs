//! What the stories share: files of a small project, and looks at alerts and incidents.

use crate::capture::Capture;
use crate::mail::MailServer;
use crate::place::Place;
use crate::program::Program;
use crate::target::Target;
use crate::waiting::until;
use serde_json::Value;

/// Who is told, in one receiver: webhook, Slack, mail.
pub(crate) struct Receivers {
    pub(crate) capture: Capture,
    pub(crate) mail: MailServer,
}

impl Receivers {
    pub(crate) fn start() -> Self {
        Self {
            capture: Capture::start(),
            mail: MailServer::start(),
        }
    }

    /// An alertmanager.yml that tells all three at once.
    pub(crate) fn alertmanager_yml(&self) -> String {
        format!(
            r##"
global:
  smtp_smarthost: {mail}
  smtp_from: watch@example.org
  smtp_require_tls: false
route:
  receiver: everyone
  group_by: [alertname, job]
  group_wait: 100ms
  group_interval: 300ms
  repeat_interval: 1h
receivers:
  - name: everyone
    webhook_configs:
      - url: {webhook}
        send_resolved: true
    slack_configs:
      - api_url: {slack}
        channel: '#alerts'
        send_resolved: true
    email_configs:
      - to: team@example.org
        send_resolved: true
"##,
            mail = self.mail.address(),
            webhook = self.capture.url("/webhook"),
            slack = self.capture.url("/slack"),
        )
    }
}

/// A prometheus.yml that scrapes one target as job `app`, once a second: no more often, since an answer that takes longer
/// than the interval would make a healthy target a dead one.
pub(crate) fn prometheus_yml(target: &Target) -> String {
    format!(
        "
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 200ms
  external_labels: {{region: north}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: app
    static_configs:
      - targets: ['{}']
",
        target.address()
    )
}

/// An alert for the death of the target, pending for this long.
pub(crate) fn rules_yml(pending: &str) -> String {
    format!(
        "
groups:
  - name: app
    rules:
      - record: job:requests:sum
        expr: sum by (job) (requests_total)
      - alert: AppDown
        expr: up{{job=\"app\"}} == 0
        for: {pending}
        labels: {{severity: critical}}
        annotations:
          summary: '{{{{ $labels.job }}}} is down'
          description: '{{{{ $labels.instance }}}} answers {{{{ $value }}}}'
"
    )
}

/// A place with the three files.
pub(crate) fn place(target: &Target, receivers: &Receivers, pending: &str) -> Place {
    Place::with(&[
        ("prometheus.yml", &prometheus_yml(target)),
        ("rules.yml", &rules_yml(pending)),
        ("alertmanager.yml", &receivers.alertmanager_yml()),
    ])
}

/// Waits for the one alert of the rules to be in this state and gives it.
pub(crate) fn wait_for_alert(program: &Program, state: &str) -> Value {
    until(&format!("an alert to be {state}"), || {
        let answer = program.json("/api/v1/alerts", &[]);
        let alerts = answer["data"]["alerts"].as_array().expect("alerts");
        match alerts.as_slice() {
            [alert] if alert["state"] == state => Ok(alert.clone()),
            _ => Err(answer.to_string()),
        }
    })
}

/// All incidents, the newest first.
pub(crate) fn incidents(program: &Program) -> Vec<Value> {
    let answer = program.json("/api/binnacle/v1/incidents", &[]);
    answer.as_array().expect("a list").clone()
}

/// Waits for the only incident to have this status and gives its details.
pub(crate) fn wait_for_incident(program: &Program, status: &str) -> Value {
    until(&format!("one incident to be {status}"), || {
        let all = incidents(program);
        match all.as_slice() {
            [one] if one["status"] == status => {
                let id = one["id"].as_str().expect("an id");
                Ok(program.json(&format!("/api/binnacle/v1/incidents/{id}"), &[]))
            }
            _ => Err(format!("{all:?}")),
        }
    })
}

/// The kinds of the lines of an incident's timeline.
pub(crate) fn timeline_kinds(incident: &Value) -> Vec<String> {
    let lines = incident["timeline"].as_array().expect("a timeline");
    let kind = |line: &Value| line["kind"].as_str().unwrap_or_default().to_owned();
    lines.iter().map(kind).collect()
}

/// Waits until the target was asked some times more: time passes as the program sees it.
pub(crate) fn wait_for_scrapes(target: &Target, count: usize) {
    let before = target.scrapes();
    until("more scrapes", || {
        let more = target.scrapes() - before;
        if more >= count {
            Ok(())
        } else {
            Err(more.to_string())
        }
    });
}
