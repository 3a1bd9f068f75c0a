use super::{MountExclusions, Options, Roots, Sensors, diskstats, render, to_samples};
use expect_test::expect_file;
use model::{Labels, Timestamp};
use proptest::prelude::*;
use runtime::{SimulatedClock, SystemClock};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_500);

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/host")
}

fn sensors_of(folder: &Path) -> Sensors {
    let options = Options {
        roots: Roots {
            proc: folder.join("proc"),
            sys: folder.join("sys"),
            root: folder.join("root"),
            udev_data: folder.join("udev"),
        },
        ..Options::default()
    };
    Sensors::new(options, Arc::new(SimulatedClock::new(NOW)))
}

/// The lines of families whose values come from the machine that runs the test.
fn is_of_this_machine(line: &str) -> bool {
    let of_mounts = [
        "avail_bytes",
        "files",
        "files_free",
        "free_bytes",
        "size_bytes",
    ];
    let mounts = of_mounts.iter().any(|name| {
        line.strip_prefix("node_filesystem_")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('{'))
    });
    let prefixes = ["node_uname_info{", "node_time_zone_offset_seconds{"];
    mounts || prefixes.iter().any(|prefix| line.starts_with(prefix))
}

/// UPDATE_EXPECT=1 rewrites testdata/host/expected.prom.
#[test]
fn reads_the_fixture_tree() {
    let (families, errors) = sensors_of(&fixture()).read(NOW);
    assert!(errors.is_empty(), "{errors:?}");
    let text = render(&families);
    let kept: String = text
        .lines()
        .map(|line| match line.rsplit_once(' ') {
            Some((series, _)) if is_of_this_machine(line) => format!("{series} here\n"),
            _ => format!("{line}\n"),
        })
        .filter(|line| !line.starts_with("node_uname_info") && !line.contains("time_zone="))
        .collect();
    expect_file!["../../testdata/host/expected.prom"].assert_eq(&kept);
}

#[test]
fn one_broken_file_fails_one_collector() {
    let folder = tempfile::tempdir().expect("folder");
    let proc = folder.path().join("proc");
    std::fs::create_dir_all(&proc).expect("folder");
    let check = |content: &str, failed: bool, want: &str| {
        std::fs::File::create(proc.join("loadavg"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()))
            .expect("written");
        let (families, errors) = sensors_of(folder.path()).read(NOW);
        let error = errors.iter().find(|(name, _)| *name == "loadavg");
        assert_eq!(error.is_some(), failed, "{content}");
        if let Some((_, error)) = error {
            assert!(error.to_string().contains(want), "{error}");
        }
        let text = render(&families);
        let success = u8::from(!failed);
        assert!(
            text.contains(&format!("success{{collector=\"loadavg\"}} {success}\n")),
            "{text}"
        );
        assert!(text.contains("node_uname_info{"), "others go on");
    };
    check("1 2 3 4/5 6", false, "");
    check("1 2", true, "cannot make sense of \"1 2\"");
    check("1 2 x", true, "cannot make sense of \"x\"");
    check("", true, "loadavg");
}

#[test]
fn excludes_disks() {
    let check = |device: &str, want: bool| {
        assert_eq!(diskstats::is_excluded_by_default(device), want, "{device}");
    };
    for device in [
        "ram0",
        "loop12",
        "fd0",
        "sda1",
        "hdb12",
        "xvda1",
        "vdz3",
        "nvme0n1p1",
    ] {
        check(device, true);
    }
    for device in [
        "sda",
        "nvme0n1",
        "zram0",
        "dm-0",
        "md0",
        "sr0",
        "mmcblk0p1",
        "sdA1",
        "loop",
        "xvd1",
    ] {
        check(device, false);
    }
}

#[test]
fn samples_carry_name_and_extra_labels() {
    let (families, _) = sensors_of(&fixture()).read(NOW);
    let extra = Labels::from_pairs([("instance", "here"), ("job", "node")]);
    let samples = to_samples(&families, NOW, &extra);
    let labels: BTreeSet<String> = samples.iter().map(|row| row.labels.to_string()).collect();
    assert_eq!(labels.len(), samples.len(), "no series twice");
    let want =
        r#"{__name__="node_cpu_seconds_total", cpu="0", instance="here", job="node", mode="user"}"#;
    assert!(labels.contains(want));
}

/// Everything that is rendered can be read back by the parser of scrapes.
#[test]
fn the_rendered_text_is_good_exposition() {
    let (families, _) = sensors_of(&fixture()).read(NOW);
    let text = render(&families);
    let samples = parse(&text);
    let points: usize = families.iter().map(|family| family.points.len()).sum();
    assert_eq!(samples.len(), points);
}

fn parse(text: &str) -> BTreeMap<String, f64> {
    use ingest::exposition::{Entry, Format, Parser};
    let mut parser = Parser::new(text.as_bytes(), Format::Text);
    let mut samples = BTreeMap::new();
    while let Some(entry) = parser.next_entry().expect("good exposition") {
        if let Entry::Series(series) = entry {
            let labels = parser.labels().expect("good labels").to_string();
            samples.insert(labels, series.value);
        }
    }
    samples
}

/// The files that collectors read, each with what may be in it.
const FILES: [&str; 12] = [
    "stat",
    "meminfo",
    "loadavg",
    "sys/fs/file-nr",
    "diskstats",
    "net/dev",
    "vmstat",
    "net/snmp",
    "net/netstat",
    "net/sockstat",
    "pressure/io",
    "1/mounts",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut and damaged files fail their collectors or give other numbers; nothing panics.
    #[test]
    fn survives_damaged_files(
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let folder = tempfile::tempdir().expect("folder");
        for part in FILES {
            let mut bytes = std::fs::read(fixture().join("proc").join(part)).expect(part);
            let damaged = flip.index(bytes.len());
            bytes[damaged] ^= 1 << bit;
            bytes.truncate(cut.index(bytes.len()) + 1);
            let path = folder.path().join("proc").join(part);
            std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
            std::fs::File::create(&path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, &bytes))
                .expect("written");
        }
        let (families, _) = sensors_of(folder.path()).read(NOW);
        parse(&render(&families));
    }
}

/// What node_exporter's collectors of the same names show on this machine, we show: the same series, and
/// the same values where they stand still.
#[test]
fn shows_what_node_exporter_shows() {
    let Some(reference) = reference::scrape() else {
        println!("skipped: no prometheus-node-exporter found");
        return;
    };
    let options = Options {
        mounts: MountExclusions {
            folders: ["/dev", "/proc", "/run", "/sys", "/mnt", "/media"]
                .map(str::to_owned)
                .into(),
            ..MountExclusions::default()
        },
        net_devices_excluded: vec!["lo".to_owned()],
        ..Options::default()
    };
    let now = runtime::Clock::now(&SystemClock::new());
    let (families, errors) = Sensors::new(options, SystemClock::shared()).read(now);
    assert!(errors.is_empty(), "{errors:?}");
    let text = render(&families);
    let metadata = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| line.starts_with("# "));
        lines.map(str::to_owned).collect()
    };
    let (ours, theirs) = (parse(&text), parse(&reference));
    let is_compared = |series: &str| {
        let name = series.strip_prefix(r#"{__name__=""#).unwrap_or_default();
        let is_state = name.starts_with("node_processes_state")
            || name.starts_with("node_processes_threads_state");
        let is_ours = families.iter().any(|family| {
            name.strip_prefix(family.name.as_ref())
                .is_some_and(|rest| rest.starts_with('"'))
        });
        is_ours && !is_state && !name.starts_with("node_scrape_collector")
    };
    let names = |all: &BTreeMap<String, f64>| -> BTreeSet<String> {
        all.keys()
            .filter(|series| is_compared(series))
            .cloned()
            .collect()
    };
    assert_eq!(names(&ours), names(&theirs));
    assert!(names(&ours).len() > 150, "{} series", names(&ours).len());
    let (our_help, their_help) = (metadata(&text), metadata(&reference));
    let missing: Vec<&String> = our_help.difference(&their_help).collect();
    assert!(missing.is_empty(), "help or type differs: {missing:?}");
    for series in names(&ours) {
        if [
            "_info",
            "boot_time",
            "MemTotal",
            "_maximum",
            "_max_",
            "size_bytes",
            "SwapTotal",
            "readonly",
        ]
        .iter()
        .any(|part| series.contains(part))
        {
            assert_eq!(ours.get(&series), theirs.get(&series), "{series}");
        }
    }
}

/// Not a benchmark: a read that suddenly takes a hundred times as long is a mistake.
#[test]
fn a_read_is_cheap() {
    let mut sensors = Sensors::new(Options::default(), SystemClock::shared());
    let cpu_seconds = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        let nanos = stat.split(' ').next().expect("a number");
        nanos.parse::<f64>().expect("a number") / 1e9
    };
    sensors.read(NOW);
    let begun = cpu_seconds();
    let reads = 10;
    for _ in 0..reads {
        sensors.read(NOW);
    }
    let each = (cpu_seconds() - begun) / f64::from(reads);
    println!("{:.2} ms CPU a read", each * 1e3);
    assert!(each < 0.3, "{each} s a read");
}

mod reference {
    //! Debian's node_exporter, run for a moment.

    use crate::receiver::dead_address;
    use std::io::{BufRead, BufReader, Lines, Read, Write};
    use std::net::TcpStream;
    use std::process::{ChildStderr, Command, Stdio};
    use std::time::Duration;

    /// Its exposition; `None` where it is not installed.
    pub(super) fn scrape() -> Option<String> {
        let (address, _kept) = dead_address();
        let mut child = Command::new("prometheus-node-exporter")
            .arg(format!("--web.listen-address={address}"))
            .args(["--collector.processes", "--collector.stat.softirq"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        // The log stays open: a program whose log is closed dies of its next line.
        let mut log = BufReader::new(child.stderr.take()?).lines();
        let text = wait_until_listening(&mut log).and_then(|()| get(&address));
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        Some(text.expect("node_exporter answers"))
    }

    fn wait_until_listening(log: &mut Lines<BufReader<ChildStderr>>) -> Option<()> {
        let says_so = |line: &std::io::Result<String>| {
            line.as_ref()
                .is_ok_and(|line| line.contains("TLS is disabled"))
        };
        log.find(says_so).map(|_line| ())
    }

    fn get(address: &str) -> Option<String> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .ok()?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
    }
}
