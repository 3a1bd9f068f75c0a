//! `binnacle amtool`: what it prints, and the same of Debian's amtool against our server, command by command.
//!
//! `testdata/amtool/session.txt` holds the commands and what they print; `UPDATE_EXPECT=1` rewrites it.

use crate::capture::Capture;
use crate::place::{Place, text, write};
use crate::program::{self, Outcome, Program, run_command};
use crate::story::Receivers;
use crate::waiting::until;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What 0.25 is called where it is installed.
const DEBIANS: &str = "/usr/bin/amtool";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/amtool")
}

/// A command of the session.
struct Case {
    /// The lines before it that are no output: comments and empty ones.
    before: String,
    /// Whether 0.25 prints the same.
    is_equal: bool,
    line: String,
    expected: String,
}

fn read_session(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut before = String::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix('$') {
            let other = line.strip_prefix('!');
            cases.push(Case {
                before: std::mem::take(&mut before),
                is_equal: other.is_none(),
                line: other.unwrap_or(line).trim().to_owned(),
                expected: String::new(),
            });
        } else if line.is_empty() || line.starts_with('#') {
            before.push_str(line);
            before.push('\n');
        } else if let Some(case) = cases.last_mut() {
            case.expected.push_str(line);
            case.expected.push('\n');
        }
    }
    cases
}

/// Splits a line as a shell does that knows single quotes only.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut open) = (String::new(), false, false);
    for c in line.chars() {
        match c {
            '\'' => (quoted, open) = (!quoted, true),
            ' ' if !quoted => {
                if open {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            c => {
                word.push(c);
                open = true;
            }
        }
    }
    if open {
        words.push(word);
    }
    words
}

/// Runs a tool in the session's folder, without the user's files.
fn run(mut tool: Command, place: &Place, arguments: &[String]) -> Outcome {
    let tool = tool.args(arguments).current_dir(folder());
    run_command(tool.env("HOME", place.data()))
}

fn ours() -> Command {
    let mut command = Command::new(program::path());
    command.arg("amtool");
    command
}

/// Digits and letters of ids and moments made equal; the last id is given too.
fn equalised(text: &str) -> (String, Option<String>) {
    let moments = regex_free_moments(text);
    let mut last = None;
    let mut out = String::new();
    let mut rest = moments.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(id) = rest.get(..36).filter(|id| is_uuid(id)) {
            last = Some(id.to_owned());
            out.push_str("UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU");
            rest = rest.get(36..).unwrap_or_default();
            continue;
        }
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    (out, last)
}

fn is_uuid(text: &str) -> bool {
    text.char_indices().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    })
}

/// Moments of this year and later made equal, in the forms `2026-01-01 00:00:00` and `2026-01-01T00:00:00.000Z`.
fn regex_free_moments(text: &str) -> String {
    let shape = "dddd-dd-ddXdd:dd:dd";
    let fits = |part: &str| {
        part.len() == shape.len()
            && part.bytes().zip(shape.bytes()).all(|(c, s)| match s {
                b'd' => c.is_ascii_digit(),
                b'X' => c == b'T' || c == b' ',
                s => c == s,
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let fixed = ["2006-", "2020-", "2026-01-01"];
        let is_fixed = fixed.iter().any(|year| rest.starts_with(year));
        if !is_fixed && rest.get(..shape.len()).is_some_and(fits) {
            out.push_str("DDDD-DD-DD TT:TT:TT");
            rest = rest.get(shape.len()..).unwrap_or_default();
            if let Some(fraction) = rest.strip_prefix('.') {
                rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            }
            continue;
        }
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

/// What is compared of an outcome.
fn shown(outcome: &Outcome) -> String {
    let mut shown = format!("rc {}\n", outcome.status);
    for line in outcome.out.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => shown.push_str(&format!("{line}|\n")),
            None => shown.push_str(&format!("{line}\n")),
        }
    }
    let said = outcome.err.lines().filter(|line| !line.is_empty());
    for line in said.filter(|line| !line.starts_with("Warning: ")) {
        shown.push_str(&format!("E: {}\n", line.trim_end()));
    }
    shown
}

/// Runs the session with one tool against one server and gives what each command printed.
fn play(tool: &dyn Fn() -> Command, program: &Program, cases: &[Case]) -> Vec<String> {
    let place = Place::new();
    let url = format!("--alertmanager.url={}", program.url());
    let mut id = String::new();
    let mut all = Vec::new();
    for case in cases {
        let mut arguments = vec![url.clone()];
        arguments.extend(words(&case.line.replace("ID", &id)));
        let outcome = run(tool(), &place, &arguments);
        let (text, last) = equalised(&shown(&outcome));
        if !case.line.contains("00000000") {
            id = last.unwrap_or(id);
        }
        all.push(text.replace(&program.url(), "URL"));
    }
    all
}

/// A server with the session's configuration, whose webhook hears: an alert would say after a while that it does not.
fn server() -> (Place, Program, Capture) {
    let config = std::fs::read_to_string(folder().join("alertmanager.yml")).expect("a file");
    let capture = Capture::start();
    let config = config.replace("http://127.0.0.1:1/x", &capture.url("/x"));
    let place = Place::with(&[("alertmanager.yml", &config)]);
    let program = Program::start(&place);
    (place, program, capture)
}

#[test]
fn commands_print_what_amtools_print() {
    let file = folder().join("session.txt");
    let cases = read_session(&std::fs::read_to_string(&file).expect("a file"));
    let (_place, program, _capture) = server();
    let printed = play(&ours, &program, &cases);
    if runtime::environment::var("UPDATE_EXPECT").is_some() {
        let mut text = String::new();
        for (case, printed) in cases.iter().zip(&printed) {
            let sign = if case.is_equal { "$" } else { "$!" };
            text.push_str(&format!("{}{sign} {}\n{printed}", case.before, case.line));
        }
        write(&file, &text);
        return;
    }
    for (case, printed) in cases.iter().zip(&printed) {
        assert_eq!(printed, &case.expected, "{}", case.line);
    }
}

fn has_debians() -> bool {
    Path::new(DEBIANS).metadata().is_ok()
}

#[test]
fn debians_amtool_prints_the_same_against_our_server() {
    if !has_debians() {
        println!("skipped: no {DEBIANS}");
        return;
    }
    let cases = read_session(&std::fs::read_to_string(folder().join("session.txt")).expect("it"));
    let (_place, program, _capture) = server();
    let printed = play(&|| Command::new(DEBIANS), &program, &cases);
    let mut differences = Vec::new();
    for (case, printed) in cases.iter().zip(&printed) {
        let status = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let equal = if case.is_equal {
            *printed == case.expected
        } else {
            // Whatever it prints: it succeeds where ours does, but for a flag that it does not have, and a failure that it
            // counts too late.
            let lacks = case.line.contains("--id") || case.line.contains("refused.json");
            status(printed) == status(&case.expected) || lacks
        };
        if !equal {
            differences.push(format!(
                "$ {}\ntheirs {printed}ours {}",
                case.line, case.expected
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn our_amtool_works_against_debians_alertmanager() {
    let receivers = Receivers::start();
    let place = Place::with(&[("alertmanager.yml", &receivers.alertmanager_yml())]);
    let Some(peer) = crate::peer::alertmanager(&place) else {
        println!("skipped: no prometheus-alertmanager on the PATH");
        return;
    };
    let ask = |line: &str| {
        let mut arguments = vec![format!("--alertmanager.url=http://{}", peer.address)];
        arguments.extend(words(line));
        run(ours(), &place, &arguments)
    };
    assert_eq!(ask("alert add foo node=bar").status, 0);
    let shown = until("the alert", || {
        let shown = ask("alert -o json");
        if shown.out.contains("\"alertname\":\"foo\"") {
            Ok(shown)
        } else {
            Err(shown.out)
        }
    });
    assert!(shown.err.contains("are different"), "{}", shown.err);
    let added = ask("silence add foo -c why");
    assert_eq!(added.status, 0, "{added:?}");
    let id = added.out.trim();
    let updated = ask(&format!("silence update -q {id} -d 3h"));
    assert_eq!(updated.out.trim(), id, "{updated:?}");
    assert_eq!(ask(&format!("silence expire {id}")).status, 0);
    assert_eq!(ask("config routes test a=b").out, "everyone\n");
    let unknown = ask("silence expire 00000000-0000-0000-0000-000000000000");
    assert!(
        unknown.err.contains("deleteSilenceInternalServerError"),
        "{unknown:?}"
    );
}

#[test]
fn silences_are_exported_and_imported_by_both_tools() {
    let (place, program, _capture) = server();
    let url = format!("--alertmanager.url={}", program.url());
    let ask = |tool: Command, line: &str| {
        let mut arguments = vec![url.clone()];
        arguments.extend(words(line));
        run(tool, &place, &arguments)
    };
    assert_eq!(ask(ours(), "silence add a=b c!~d -c why").status, 0);
    let exported = ask(ours(), "silence query -o json");
    let file = place.beside("silences.json");
    write(&file, &exported.out);
    let count = || {
        let list = ask(ours(), "silence query -q").out;
        list.lines().count()
    };
    assert_eq!(
        ask(ours(), &format!("silence import {}", text(&file))).status,
        0
    );
    assert_eq!(count(), 1, "the same id is the same silence");
    assert_eq!(
        ask(ours(), &format!("silence import -f {}", text(&file))).status,
        0
    );
    assert_eq!(count(), 2);
    if has_debians() {
        let theirs = || Command::new(DEBIANS);
        assert_eq!(
            ask(theirs(), &format!("silence import -f {}", text(&file))).status,
            0
        );
        assert_eq!(count(), 3);
    }
}

#[test]
fn flags_come_from_a_file_and_the_name_of_the_program_from_a_link() {
    let (place, program, _capture) = server();
    let home = place.beside("home");
    std::fs::create_dir_all(home.join(".config/amtool")).expect("a folder");
    let flags = format!(
        "alertmanager.url: {}\nauthor: from-file\ncomment_required: false\noutput: extended\n",
        program.url()
    );
    write(&home.join(".config/amtool/config.yml"), &flags);
    let link = place.beside("amtool");
    symlink(program::path(), &link).expect("a link");
    let ask =
        |arguments: &[&str]| run_command(Command::new(&link).args(arguments).env("HOME", &home));
    let added = ask(&["silence", "add", "foo"]);
    assert_eq!(added.status, 0, "{added:?}");
    let listed = program.json("/api/v2/silences", &[]);
    assert_eq!(
        (&listed[0]["createdBy"], &listed[0]["comment"]),
        (&json!("from-file"), &json!(""))
    );
    let shown = ask(&["silence"]).out;
    assert!(
        shown.starts_with("ID") && shown.contains("Updated At"),
        "{shown}"
    );
    let simple = ask(&["silence", "-o", "simple"]).out;
    assert!(!simple.contains("Updated At"), "{simple}");
    assert!(ask(&["--version"]).out.starts_with("amtool, version 0.34"));
}
