//! Debian's prometheus and prometheus-alertmanager as live references, where they are installed.

use crate::http::{self, Request};
use crate::place::{Place, text};
use crate::program::free_port;
use crate::waiting::until;
use std::process::{Child, Command, Stdio};

/// A running peer; killed when it is dropped.
pub(crate) struct Peer {
    pub(crate) address: String,
    child: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left running.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Prometheus with the place's prometheus.yml; `None` where it is not installed.
pub(crate) fn prometheus(place: &Place) -> Option<Peer> {
    prometheus_with(place, &[])
}

/// Prometheus with the place's prometheus.yml and more flags.
pub(crate) fn prometheus_with(place: &Place, flags: &[&str]) -> Option<Peer> {
    let config = place.config().join("prometheus.yml");
    let arguments = |address: &str| {
        let mut all = vec![
            format!("--config.file={}", text(&config)),
            format!("--storage.tsdb.path={}", text(&place.data())),
            format!("--web.listen-address={address}"),
        ];
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        all
    };
    start("prometheus", arguments)
}

/// Prometheus as a receiver of remote write; `None` where it is not installed.
pub(crate) fn prometheus_receiver(place: &Place) -> Option<Peer> {
    let config = place.config().join("prometheus.yml");
    let arguments = |address: &str| {
        vec![
            format!("--config.file={}", text(&config)),
            format!("--storage.tsdb.path={}", text(&place.data())),
            format!("--web.listen-address={address}"),
            "--web.enable-remote-write-receiver".to_owned(),
            "--enable-feature=native-histograms".to_owned(),
        ]
    };
    start("prometheus", arguments)
}

/// The same at an address that was chosen before.
pub(crate) fn prometheus_receiver_at(place: &Place, address: &str) -> Option<Peer> {
    let config = place.config().join("prometheus.yml");
    let arguments = vec![
        format!("--config.file={}", text(&config)),
        format!("--storage.tsdb.path={}", text(&place.data())),
        format!("--web.listen-address={address}"),
        "--web.enable-remote-write-receiver".to_owned(),
    ];
    start_at(("prometheus", "/-/ready"), address.to_owned(), arguments)
}

/// Alertmanager with the place's alertmanager.yml; `None` where it is not installed.
pub(crate) fn alertmanager(place: &Place) -> Option<Peer> {
    let config = place.config().join("alertmanager.yml");
    let arguments = |address: &str| {
        vec![
            format!("--config.file={}", text(&config)),
            format!("--storage.path={}", text(&place.data())),
            format!("--web.listen-address={address}"),
            "--cluster.listen-address=".to_owned(),
        ]
    };
    start("prometheus-alertmanager", arguments)
}

/// VictoriaMetrics with its data in the place; `None` where it is not installed.
pub(crate) fn victoriametrics(place: &Place) -> Option<Peer> {
    let arguments = |address: &str| {
        vec![
            format!("-storageDataPath={}", text(&place.data())),
            format!("-httpListenAddr={address}"),
            "-retentionPeriod=100y".to_owned(),
        ]
    };
    start_ready("victoria-metrics", arguments, "/health")
}

fn start(program: &str, arguments: impl Fn(&str) -> Vec<String>) -> Option<Peer> {
    start_ready(program, arguments, "/-/ready")
}

fn start_ready(program: &str, arguments: impl Fn(&str) -> Vec<String>, path: &str) -> Option<Peer> {
    let address = format!("127.0.0.1:{}", free_port());
    let arguments = arguments(&address);
    start_at((program, path), address, arguments)
}

/// Starts a program that answers 200 at `path` when it is ready.
fn start_at(
    (program, path): (&str, &str),
    address: String,
    arguments: Vec<String>,
) -> Option<Peer> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let peer = Peer { address, child };
    until("the peer to be ready", || {
        match http::send(&peer.address, Request::get(path)) {
            Ok(answer) if answer.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    Some(peer)
}
