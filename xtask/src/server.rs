//! Servers under test: ours and the peers, each in a folder of its own on a port of its own.

use crate::process::{self, Usage};
use anyhow::{Context as _, bail};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Bytes of an answer at most: a range query over all series is large.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Binnacle,
    Prometheus,
    VictoriaMetrics,
    Alertmanager,
}

impl Kind {
    /// Ours first, then the peers that are installed.
    pub(crate) fn installed() -> Vec<Self> {
        let peers = [Self::Prometheus, Self::VictoriaMetrics];
        let found = peers
            .into_iter()
            .filter(|kind| process::find(kind.name()).is_some());
        [Self::Binnacle].into_iter().chain(found).collect()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Binnacle => "binnacle",
            Self::Prometheus => "prometheus",
            Self::VictoriaMetrics => "victoria-metrics",
            Self::Alertmanager => "prometheus-alertmanager",
        }
    }
}

/// A running server; dropping it kills it.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: String,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may be gone already; either way nothing is left running.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A port that is free at the moment.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Server {
    /// Starts a server with its data in `data`; `config` is a prometheus.yml or a folder, where there is one.
    pub(crate) fn start(kind: Kind, data: &Path, config: Option<&Path>) -> anyhow::Result<Self> {
        Self::start_with(kind, data, config, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(
        kind: Kind,
        data: &Path,
        config: Option<&Path>,
        more: &[&str],
    ) -> anyhow::Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = match kind {
            Kind::Binnacle => binnacle(&address, data, config),
            Kind::Prometheus => prometheus(&address, data, config)?,
            Kind::VictoriaMetrics => victoria_metrics(&address, data),
            Kind::Alertmanager => alertmanager(&address, data, config),
        };
        let log = std::fs::File::create(data.with_extension("log"))?;
        let child = command
            .args(more)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} could not be started", kind.name()))?;
        Ok(Self {
            kind,
            address,
            child,
        })
    }

    /// Ends the process at once, as a crash does.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Has the process read its configuration again.
    pub(crate) fn hang_up(&self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        process::run(&mut process::command("kill", &["-HUP", &id]))
    }

    /// Asks the process to stop and waits until it has.
    pub(crate) fn terminate(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        process::run(&mut process::command("kill", &["-TERM", &id]))?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until the server answers that it is ready.
    pub(crate) fn ready(&self, client: &ureq::Agent) -> anyhow::Result<()> {
        let path = match self.kind {
            Kind::Binnacle | Kind::Prometheus | Kind::Alertmanager => "/-/ready",
            Kind::VictoriaMetrics => "/health",
        };
        for _ in 0..600 {
            let url = format!("http://{}{path}", self.address);
            if get(client, &url, &[]).is_ok_and(|(status, _)| status == 200) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("{} is not ready after 30 s", self.kind.name())
    }

    /// What the kernel says of the process.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        process::usage(self.child.id())
    }

    /// The address of remote write.
    pub(crate) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// The address of a query path under /api/v1.
    pub(crate) fn api_url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }
}

fn binnacle(address: &str, data: &Path, config: Option<&Path>) -> Command {
    let mut command = Command::new(process::release_program());
    command
        .arg("up")
        .args(config)
        .args(["--listen", address, "--data"])
        .arg(data);
    command
}

fn prometheus(address: &str, data: &Path, config: Option<&Path>) -> anyhow::Result<Command> {
    let empty = data.with_extension("yml");
    if config.is_none() {
        std::fs::File::create(&empty)?;
    }
    let mut command = Command::new("prometheus");
    command
        .arg(format!(
            "--config.file={}",
            config.unwrap_or(&empty).display()
        ))
        .arg(format!("--storage.tsdb.path={}", data.display()))
        .arg(format!("--web.listen-address={address}"))
        .args(["--web.enable-remote-write-receiver", "--log.level=warn"]);
    Ok(command)
}

fn victoria_metrics(address: &str, data: &Path) -> Command {
    let mut command = Command::new("victoria-metrics");
    command
        .arg(format!("-storageDataPath={}", data.display()))
        .arg(format!("-httpListenAddr={address}"))
        .args([
            "-retentionPeriod=1y",
            "-search.latencyOffset=0s",
            "-loggerLevel=ERROR",
        ]);
    command
}

fn alertmanager(address: &str, data: &Path, config: Option<&Path>) -> Command {
    let mut command = Command::new("prometheus-alertmanager");
    command
        .args(config.map(|config| format!("--config.file={}", config.display())))
        .arg(format!("--storage.path={}", data.display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=");
    command
}

/// A client for all servers; error statuses are answers like others.
pub(crate) fn client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(120)))
        .http_status_as_error(false)
        .build()
        .into()
}

/// Asks a path with parameters and gives the status and the text of the answer.
pub(crate) fn get(
    client: &ureq::Agent,
    url: &str,
    parameters: &[(&str, &str)],
) -> anyhow::Result<(u16, String)> {
    let request = client.get(url).query_pairs(parameters.iter().copied());
    let mut answer = request.call().with_context(|| url.to_owned())?;
    let text = answer
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_string()?;
    Ok((answer.status().as_u16(), text))
}

/// Posts a remote write body and gives the status and the text of the answer.
pub(crate) fn write(client: &ureq::Agent, url: &str, body: &[u8]) -> anyhow::Result<(u16, String)> {
    let mut answer = client
        .post(url)
        .header("Content-Type", "application/x-protobuf")
        .header("Content-Encoding", "snappy")
        .header("X-Prometheus-Remote-Write-Version", "0.1.0")
        .send(body)?;
    Ok((
        answer.status().as_u16(),
        answer.body_mut().read_to_string()?,
    ))
}
