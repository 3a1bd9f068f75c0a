//! Rounds of kill -9 at random moments under remote write at full speed. In every fifth round the log's last
//! write is torn as well, in every fifth the disk fills up before (where this user may mount a small one).
//!
//! Each round writes counters that grow by one with every request. After the restart every sample of
//! every acknowledged request must be there. Meanwhile alerts fire at a webhook: each
//! notification must have arrived at least once by the end.

use crate::listener::Listener;
use crate::process;
use crate::remote_write;
use crate::server::{self, Kind, Server};
use anyhow::{Context as _, bail};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SERIES: usize = 500;
const STEP_MS: i64 = 50;
/// Times begin so long ago: a hundred rounds write some 250,000 steps, which must not lie in the future.
const START_AGO_MS: i64 = 8 * 3_600_000;
/// Requests whose samples are counted by one query. After each round the last ones are, at the end all.
const COUNTED: i64 = 20_000;
const RULES: &str = "\
groups:
  - name: crash
    interval: 1s
    rules:
      - alert: Round
        expr: max by (round) (round_marker) > 0
        labels: {severity: info}
";

/// Runs the rounds (20 unless told otherwise).
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let rounds: usize = words.first().map_or(Ok(20), |word| word.parse())?;
    crate::page::ensure_program()?;
    let client = server::client();
    let folder = tempfile::tempdir()?;
    all_rounds(rounds, folder.path(), &client)
}

/// The bodies that the webhook was sent.
type Inbox = Arc<Mutex<Vec<String>>>;

fn all_rounds(rounds: usize, folder: &Path, client: &ureq::Agent) -> anyhow::Result<()> {
    let inbox: Inbox = Arc::default();
    let received = Arc::clone(&inbox);
    let webhook = Listener::start(Arc::new(move |body| {
        received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(body);
        String::new()
    }))?;
    let (data, config) = (folder.join("data"), folder.join("config"));
    std::fs::create_dir_all(&data)?;
    let disk = SmallDisk::mount(&data)?;
    write_config(&config, &webhook.address)?;
    let (mut acknowledged, mut random) = (0_i64, 0x5eed_u64);
    let start_ms = crate::bench::now_ms()? - START_AGO_MS;
    for round in 0..rounds {
        let server = Server::start(Kind::Binnacle, &data, Some(&config))?;
        server.ready(client)?;
        verify(&server, client, start_ms, latest(acknowledged))?;
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis(1500 + (random >> 33) % 2500);
        let harm = Harm::of(round, disk.is_some());
        if harm == Harm::FullDisk {
            acknowledged = fill_disk(&server, client, (start_ms, acknowledged, round), &data)?;
        }
        acknowledged = write_until_killed(server, client, (start_ms, acknowledged, round), life)?;
        if harm == Harm::TornTail {
            tear(&data)?;
        }
        println!(
            "round {}: {harm:?}, killed after {life:?}, {acknowledged} requests acknowledged so far",
            round + 1
        );
    }
    let server = Server::start(Kind::Binnacle, &data, Some(&config))?;
    server.ready(client)?;
    for from in (0..acknowledged).step_by(usize::try_from(COUNTED)?) {
        let part = from..acknowledged.min(from + COUNTED);
        verify(&server, client, start_ms, part)?;
    }
    wait_for_notifications(&inbox, rounds)?;
    webhook.stop();
    println!(
        "crash: {rounds} rounds (kill -9; a fifth with a torn log, a fifth with a full disk{}), {acknowledged} requests of {SERIES} samples acknowledged, none lost; \
         {rounds} alerts, each notified at least once",
        if disk.is_some() { "" } else { ": skipped" }
    );
    Ok(())
}

/// What a round does beside the kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Kill,
    TornTail,
    FullDisk,
}

impl Harm {
    const fn of(round: usize, can_fill: bool) -> Self {
        match round % 5 {
            2 => Self::TornTail,
            4 if can_fill => Self::FullDisk,
            _ => Self::Kill,
        }
    }
}

/// A file system of its own for the data; unmounted when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(path: &Path) -> anyhow::Result<Option<Self>> {
        let shown = path.display().to_string();
        let arguments = ["-t", "tmpfs", "-o", "size=3g", "binnacle-crash", &shown];
        let (mounted, _said) = process::output(&mut process::command("mount", &arguments))?;
        if !mounted {
            println!("skipped: rounds with a full disk (this user may not mount one)");
        }
        Ok(mounted.then(|| Self(path.to_path_buf())))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let shown = self.0.display().to_string();
        // What could not be unmounted now is so when nobody uses it any more.
        let _gone = process::output(&mut process::command("umount", &["-l", &shown]));
    }
}

/// Fills the disk, sees writes refused, makes room and sees writes taken again; gives the number of
/// acknowledged requests.
fn fill_disk(
    server: &Server,
    client: &ureq::Agent,
    (start_ms, first, round): (i64, i64, usize),
    data: &Path,
) -> anyhow::Result<i64> {
    use std::io::Write as _;
    let filler = data.join("filler");
    let mut file = std::fs::File::create(&filler)?;
    let block = vec![0_u8; 1 << 20];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&[0; 512]).is_ok() {}
    let url = server.write_url();
    let (mut next, mut refused) = (first, false);
    for _ in 0..10_000 {
        let (status, said) = server::write(client, &url, &request(start_ms, next, round)?)?;
        match status {
            200..300 => next += 1,
            500..600 => {
                refused = true;
                break;
            }
            _ => bail!("a full disk: remote write answers {status}: {said}"),
        }
    }
    if !refused {
        bail!("a full disk refused nothing");
    }
    verify(server, client, start_ms, latest(next))?;
    drop(file);
    std::fs::remove_file(&filler)?;
    for _ in 0..300 {
        let (status, _) = server::write(client, &url, &request(start_ms, next, round)?)?;
        if (200..300).contains(&status) {
            return Ok(next + 1);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("there is room again, but writes are still refused after 30 s")
}

/// Leaves half a record at the end of the log, as a write does that the death of the machine cut short.
fn tear(data: &Path) -> anyhow::Result<()> {
    use std::io::Write as _;
    let folder = data.join("metrics/wal");
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "wal") {
            segments.push(path);
        }
    }
    segments.sort();
    let last = segments.last().context("no segment")?;
    let mut file = std::fs::OpenOptions::new().append(true).open(last)?;
    file.write_all(&1000_u32.to_le_bytes())?;
    file.write_all(&[0x5a; 77])?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "configuration for the program under test"
)]
fn write_config(folder: &Path, webhook: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(
        folder.join("prometheus.yml"),
        "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n",
    )?;
    std::fs::write(folder.join("rules.yml"), RULES)?;
    let alertmanager = format!(
        "route: {{receiver: hook, group_by: [round], group_wait: 0s, group_interval: 1s}}\n\
         receivers: [{{name: hook, webhook_configs: [{{url: 'http://{webhook}/'}}]}}]\n"
    );
    std::fs::write(folder.join("alertmanager.yml"), alertmanager)?;
    Ok(())
}

/// Writes as fast as it is answered until the server is killed; gives the number of acknowledged requests.
fn write_until_killed(
    mut server: Server,
    client: &ureq::Agent,
    (start_ms, first, round): (i64, i64, usize),
    life: Duration,
) -> anyhow::Result<i64> {
    let url = server.write_url();
    let killer = std::thread::Builder::new().spawn(move || {
        std::thread::sleep(life);
        server.kill()
    })?;
    let mut next = first;
    loop {
        let body = request(start_ms, next, round)?;
        match server::write(client, &url, &body) {
            Ok((200..300, _)) => next += 1,
            Ok((status, said)) => bail!("remote write answers {status}: {said}"),
            Err(_killed) => break,
        }
    }
    match killer.join() {
        Ok(killed) => killed?,
        Err(_panicked) => bail!("the thread that kills the server broke off"),
    }
    Ok(next)
}

fn request(start_ms: i64, number: i64, round: usize) -> anyhow::Result<Vec<u8>> {
    let at = start_ms + number * STEP_MS;
    let value = f64::from(i32::try_from(number)?);
    let mut rows = Vec::with_capacity(SERIES + 1);
    for index in 0..SERIES {
        let name = format!("{index}");
        rows.push(remote_write::series(
            &[("__name__", "crash_total"), ("series", &name)],
            at,
            value,
        ));
    }
    let round = format!("{round}");
    let now = crate::bench::now_ms()?;
    rows.push(remote_write::series(
        &[("__name__", "round_marker"), ("round", &round)],
        now,
        1.0,
    ));
    remote_write::encode(rows)
}

/// The last ones of so many requests.
fn latest(acknowledged: i64) -> Range<i64> {
    (acknowledged - COUNTED).max(0)..acknowledged
}

/// Every sample of these requests must be there, in every series.
fn verify(
    server: &Server,
    client: &ureq::Agent,
    start_ms: i64,
    requests: Range<i64>,
) -> anyhow::Result<()> {
    if requests.is_empty() {
        return Ok(());
    }
    let end_ms = start_ms + (requests.end - 1) * STEP_MS;
    let range_ms = (requests.end - requests.start) * STEP_MS - 1;
    let query = format!("sum(count_over_time(crash_total[{range_ms}ms]))");
    let time = format!("{}.{:03}", end_ms / 1000, end_ms % 1000);
    let parameters = [("query", query.as_str()), ("time", &time)];
    let (_, text) = server::get(client, &server.api_url("query"), &parameters)?;
    let json: serde_json::Value = serde_json::from_str(&text)?;
    let value = json
        .pointer("/data/result/0/value/1")
        .and_then(|value| value.as_str())
        .context(text.clone())?;
    let want = (requests.end - requests.start) * i64::try_from(SERIES)?;
    if value.parse::<f64>()? < f64::from(i32::try_from(want)?) {
        bail!("{want} samples were acknowledged, {value} are there");
    }
    Ok(())
}

fn wait_for_notifications(inbox: &Inbox, rounds: usize) -> anyhow::Result<()> {
    let missing = || {
        let bodies = inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |round: &usize| {
            let label = format!("\"round\":\"{round}\"");
            bodies
                .iter()
                .any(|body| body.split_whitespace().collect::<String>().contains(&label))
        };
        (0..rounds).filter(|round| !told(round)).collect::<Vec<_>>()
    };
    for _ in 0..300 {
        if missing().is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("no notification for rounds {:?}", missing())
}
