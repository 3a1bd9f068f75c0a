//! The same alerts to us and to an installed Alertmanager: both webhooks must get the same bodies.

use super::{PATIENCE, Running, state, webhook};
use crate::alert::PostedAlert;
use crate::config::Config;
use model::Timestamp;
use runtime::Shutdown;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Debian's package prometheus-alertmanager.
const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

/// A configuration that tells `URL` of everything.
const CONFIG: &str = "
route:
  receiver: team.x
  group_by: [alertname, job]
  group_wait: 1s
  group_interval: 2s
  routes:
    - {matchers: ['severity=~\"page|call\"', 'job!=\"quiet\"'], receiver: pager, continue: true, group_by: ['...']}
    - {match_re: {job: 'j.*'}, receiver: team.x}
inhibit_rules:
  - {source_matchers: [alertname=Host], target_matchers: ['alertname=Disk'], equal: [host]}
receivers:
  - {name: team.x, webhook_configs: [{url: 'URL', max_alerts: 2}]}
  - {name: pager, webhook_configs: [{url: 'URL', send_resolved: false}]}
";

/// The other program; ends with this value.
struct Installed {
    child: Child,
    port: u16,
    /// Deleted after the program has ended.
    _folder: tempfile::TempDir,
}

impl Installed {
    /// Starts it; nothing where it is not installed.
    fn start(url: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("alertmanager.yml");
        let mut written = std::fs::File::create(&file).expect("file");
        let text = CONFIG.replace("URL", url);
        written.write_all(text.as_bytes()).expect("written");
        let free = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = free.local_addr().expect("address").port();
        drop(free);
        let child = Command::new(PROGRAM)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args([
                "--web.external-url=http://here",
                "--cluster.listen-address=",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(Self {
            child: child.ok()?,
            port,
            _folder: folder,
        })
    }

    fn post(&self, alerts: &Value) {
        let body = alerts.to_string();
        let request = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let pause = Shutdown::new();
        for _ in 0..200 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                stream.write_all(request.as_bytes()).expect("sent");
                let mut answer = String::new();
                stream.read_to_string(&mut answer).expect("answer");
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                return;
            }
            assert!(!pause.wait(Duration::from_millis(100)));
        }
        panic!("{PROGRAM} does not listen");
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

fn alert(labels: &[(&str, &str)], starts: Timestamp, ended: Option<Timestamp>) -> PostedAlert {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    PostedAlert {
        labels: labels.iter().map(own).collect(),
        annotations: vec![("summary".to_owned(), "a < b & \"c\" \u{1f600}".to_owned())],
        starts_at: Some(starts),
        ends_at: ended,
        generator_url: "http://prom/graph?g0.expr=up+%3D%3D+0&g0.tab=1".to_owned(),
    }
}

fn as_json(alert: &PostedAlert) -> Value {
    let map = |pairs: &[(String, String)]| {
        let entries = pairs
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)));
        Value::Object(entries.collect())
    };
    let mut value = json!({
        "labels": map(&alert.labels),
        "annotations": map(&alert.annotations),
        "startsAt": alert.starts_at.expect("given").to_string(),
        "generatorURL": alert.generator_url,
    });
    if let Some(ended) = alert.ends_at {
        value["endsAt"] = json!(ended.to_string());
    }
    value
}

/// The next bodies, without what the older program does not know, in an order of their own.
fn next(bodies: &Receiver<Value>, count: usize) -> Vec<String> {
    let mut list: Vec<String> = (0..count)
        .map(|_| {
            let mut body = bodies.recv_timeout(PATIENCE).expect("a notification");
            let fields = body.as_object_mut().expect("an object");
            fields.remove("notification_reason");
            fields.remove("routeLabels");
            // The older program writes its fields in another order.
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            json!(sorted).to_string()
        })
        .collect();
    list.sort();
    list
}

/// The labels of the alerts of this test, by their short names.
fn labels(name: &str) -> Vec<(&str, &str)> {
    match name {
        "call" => vec![("alertname", "Call"), ("severity", "call"), ("job", "j1")],
        "host" => vec![("alertname", "Host"), ("host", "h"), ("job", "j1")],
        "disk" => vec![("alertname", "Disk"), ("host", "h"), ("job", "j1")],
        instance => vec![("alertname", "Down"), ("job", "j1"), ("instance", instance)],
    }
}

#[test]
fn sends_what_an_installed_alertmanager_sends() {
    let (their_url, theirs) = webhook();
    let Some(installed) = Installed::start(&their_url) else {
        println!("skipped: {PROGRAM} is not installed");
        return;
    };
    let (our_url, ours) = webhook();
    let config = Config::parse(&CONFIG.replace("URL", &our_url), "a.yml").expect("good");
    let running = Running::start(&state(), &Arc::new(config));
    let now = running.dispatch.now();
    let steps: [(&[&str], bool, usize); 3] = [
        // Three groups of the team, one alert for the pager too; the disk is inhibited.
        (&["a", "b", "c", "call", "host", "disk"], false, 4),
        (&["a", "call"], true, 2),
        (&["b", "c"], true, 1),
    ];
    for (names, ended, count) in steps {
        let ends = ended.then(|| running.dispatch.now());
        let alerts: Vec<PostedAlert> = names
            .iter()
            .map(|name| alert(&labels(name), now, ends))
            .collect();
        installed.post(&alerts.iter().map(as_json).collect());
        running.dispatch.put(alerts).expect("taken");
        assert_eq!(next(&ours, count), next(&theirs, count));
    }
    running.stop();
}
