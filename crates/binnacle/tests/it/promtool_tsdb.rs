//! `binnacle promtool tsdb` beside Debian's promtool: the same arguments, the same text, the same exit status.

use crate::moving::{CONFIG, FLAGS, moved_from, send};
use crate::peer;
use crate::place::{Place, text, write};
use crate::program::{Outcome, run, run_command};
use crate::waiting::now_ms;
use model::number::i64_to_float;
use model::{Labels, Sample, SeriesSamples, Timestamp};
use std::path::Path;
use std::process::Command;

/// Runs both with the same arguments: theirs, ours. `None` where promtool is not installed.
fn both(arguments: &[&str]) -> Option<(Outcome, Outcome)> {
    Command::new("promtool").arg("--version").output().ok()?;
    let mut all = vec!["promtool", "tsdb"];
    all.extend(arguments);
    let theirs = run_command(Command::new("promtool").args(&all[1..]));
    Some((theirs, run(&all)))
}

fn assert_same(arguments: &[&str]) {
    let (theirs, ours) = both(arguments).expect("it is installed");
    assert_eq!(
        ours.status, theirs.status,
        "{arguments:?}: {} {}",
        ours.err, theirs.err
    );
    let differing = theirs
        .out
        .lines()
        .zip(ours.out.lines())
        .find(|(theirs, ours)| theirs != ours);
    assert_eq!(differing, None, "{arguments:?}");
    assert_eq!(ours.out.len(), theirs.out.len(), "{arguments:?}");
}

/// Lines sorted: upstream's order of equal numbers changes from run to run. 3.x has another word for one of them.
fn analysis(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.replace("Total Series", "Series"))
        .collect();
    lines.sort();
    lines
}

#[test]
fn lists_dumps_and_analyses_alike() {
    let now = now_ms();
    let Some((place, _)) = moved_from(now) else {
        return;
    };
    let data = place.data();
    let data = text(&data);
    assert_same(&["list", data]);
    assert_same(&["list", "-r", data]);
    assert_same(&["dump", "--match=backfilled", data]);
    let early = format!("--max-time={}", now - 150_000_000);
    assert_same(&["dump", "--match=backfilled", &early, data]);
    // Without a name 2.42 takes the block of the latest time, 3.x the one that was made last.
    let list = run(&["promtool", "tsdb", "list", data]);
    for line in list.out.lines().skip(1) {
        let block = line.split_whitespace().next().expect("a name");
        let (theirs, ours) = both(&["analyze", "--limit=1000", data, block]).expect("installed");
        assert_eq!(analysis(&ours.out), analysis(&theirs.out));
    }
    for missing in ["list", "dump", "analyze"] {
        let (theirs, ours) = both(&[missing, "/nowhere"]).expect("it is installed");
        assert_eq!((ours.status, ours.err), (theirs.status, theirs.err));
    }
}

/// Fewer samples than fill a chunk: with head chunks, promtool 2.42 loses what is in them.
#[test]
fn dumps_a_short_log_alike() {
    let now = now_ms();
    let place = Place::with(&[("prometheus.yml", CONFIG)]);
    let Some(peer) = peer::prometheus_with(&place, &FLAGS) else {
        println!("skipped: prometheus is not installed");
        return;
    };
    let rows = ["a", "b\"\\", "ü"].map(|host| SeriesSamples {
        labels: Labels::from_pairs([("__name__", "short"), ("host", host)]),
        samples: (0..50)
            .map(|i| (now - 600_000 + i * 1009, i64_to_float(i) * 1e5 / 3.0))
            .map(|(at, value)| Sample::float(Timestamp::from_millis(at), value))
            .collect(),
        exemplars: Vec::new(),
    });
    send(&peer, &rows);
    drop(peer);
    let data = place.data();
    let data = text(&data);
    // Ours first: promtool 2.42 writes into the directory that it reads.
    let ours = run(&["promtool", "tsdb", "dump", data]);
    assert_eq!(
        (ours.status, ours.out.lines().count()),
        (0, 150),
        "{}",
        ours.err
    );
    let half = format!("--min-time={}", now - 580_000);
    assert_same(&["dump", &half, data]);
    assert_same(&["dump", data]);
}

#[test]
fn makes_the_same_blocks_of_openmetrics() {
    let place = Place::new();
    let file = place.beside("in.om");
    let mut samples = "# TYPE a counter\n# HELP a Some.\n".to_owned();
    for i in 0..900_u32 {
        let at = 1_600_000_000 + i * 60;
        samples.push_str(&format!("a_total{{n=\"{}\"}} {i}e3 {at}\n", i % 7));
    }
    write(&file, &(samples + "# EOF\n"));
    let (mine, theirs) = (place.beside("mine"), place.beside("theirs"));
    let create = |output: &Path| {
        let all = [
            "create-blocks-from",
            "openmetrics",
            text(&file),
            text(output),
        ];
        both(&all).map(|(theirs, ours)| (theirs.status, ours.status))
    };
    // Each fills its own folder first; what the other adds to it then overlaps with equal samples.
    let Some(statuses) = create(&mine) else {
        println!("skipped: promtool is not installed");
        return;
    };
    assert_eq!(statuses, (0, 0));
    let once = run_command(Command::new("promtool").args([
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        text(&file),
        text(&theirs),
    ]));
    assert_eq!(once.status, 0, "{}", once.err);
    for folder in [&mine, &theirs] {
        std::fs::create_dir_all(folder.join("wal")).expect("a folder");
    }
    let dump = |folder: &Path| {
        let (theirs, ours) = both(&["dump", text(folder)]).expect("it is installed");
        assert_eq!(theirs.out, ours.out);
        ours.out
    };
    assert_eq!(dump(&mine), dump(&theirs));
    assert_eq!(dump(&mine).lines().count(), 900);

    let again = run(&["promtool", "tsdb", "dump-openmetrics", text(&theirs)]);
    assert_eq!(again.out.lines().count(), 901);
    assert!(
        again.out.starts_with("a_total{n=\"0\"} 0 1600000000.000\n"),
        "{}",
        again.out
    );
    assert!(again.out.ends_with("# EOF\n"));

    for bad in ["a 1 1\nxx{ 3\n# EOF\n", "a 1\n# EOF\n", "a 1 2\n"] {
        write(&file, bad);
        assert_eq!(create(&mine), Some((1, 1)), "{bad}");
    }
}

#[test]
fn looks_into_our_own_data() {
    let place = Place::new();
    let dump = place.beside("in.om");
    write(
        &dump,
        "a{x=\"1\"} 1 1600000000\na{x=\"2\"} 2 1600000000\nb 3 1600000060\n# EOF\n",
    );
    let data = place.data();
    let done = run(&["import", "openmetrics", text(&dump), "--data", text(&data)]);
    assert_eq!(done.status, 0, "{}{}", done.out, done.err);
    let ask = |arguments: &[&str]| {
        let mut all = vec!["promtool", "tsdb"];
        all.extend(arguments);
        all.push(text(&data));
        let done = run(&all);
        assert_eq!(done.status, 0, "{}", done.err);
        done.out
    };
    let want = "{__name__=\"a\", x=\"1\"} 1 1600000000000\n{__name__=\"a\", x=\"2\"} 2 1600000000000\n\
        {__name__=\"b\"} 3 1600000060000\n";
    assert_eq!(ask(&["dump"]), want);
    assert_eq!(
        ask(&["dump", "--format=seriesjson"]).lines().next(),
        Some("{\"__name__\":\"a\",\"x\":\"1\"}")
    );
    assert!(
        ask(&["list"])
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains(" 1600000000000 "))
    );
    assert!(ask(&["analyze"]).contains("Total Series: 3\n"));
}

#[test]
fn backfills_rules() {
    let now = now_ms();
    let home = Place::with(&[("prometheus.yml", "global: {scrape_interval: 1h}\n")]);
    let dump = home.beside("in.om");
    let mut samples = String::new();
    for i in 0..240 {
        let at = now / 1000 - 36_000 + i * 30;
        for host in ["a", "b"] {
            samples.push_str(&format!("load{{host=\"{host}\"}} {i} {at}\n"));
        }
    }
    write(&dump, &(samples + "# EOF\n"));
    let done = run(&[
        "import",
        "openmetrics",
        text(&dump),
        "--data",
        text(&home.data()),
    ]);
    assert_eq!(done.status, 0, "{}{}", done.out, done.err);
    let rules = home.beside("rules.yml");
    write(
        &rules,
        "groups:\n- name: g\n  rules:\n  - record: load:sum\n    expr: sum(load)\n    labels: {made: by}\n\
         \x20 - alert: A\n    expr: load > 1\n",
    );
    let program = crate::program::Program::start(&home);
    let out = home.beside("blocks");
    let (start, end) = (now / 1000 - 36_000, now / 1000 - 29_400);
    let done = program.command(&[
        "promtool",
        "tsdb",
        "create-blocks-from",
        "rules",
        "--start",
        &start.to_string(),
        "--end",
        &end.to_string(),
        "--output-dir",
        text(&out),
        text(&rules),
    ]);
    assert_eq!(done.status, 0, "{}{}", done.out, done.err);
    assert!(done.out.starts_with("BLOCK ULID"), "{}", done.out);
    let dumped = run(&["promtool", "tsdb", "dump", text(&out)]);
    let lines: Vec<&str> = dumped.out.lines().collect();
    assert!(
        (109..=111).contains(&lines.len()),
        "{} samples",
        lines.len()
    );
    assert!(
        lines[0].starts_with("{__name__=\"load:sum\", made=\"by\"} "),
        "{}",
        lines[0]
    );
}
