//! The command line as amtool takes it, made into one that clap takes.
//!
//! Two things are amtool's own: a group of subcommands has one that is meant where none is named (`amtool alert foo` is
//! `amtool alert query foo`), and flags that were not given come from a file, `config.yml`. Both are written into the
//! command line before it is parsed.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use config::yaml::NodeKind;
use config::{Problems, yaml};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is meant where no subcommand is named.
const DEFAULTS: [(&str, &str); 5] = [
    ("alert", "query"),
    ("silence", "query"),
    ("cluster", "show"),
    ("config", "show"),
    ("routes", "show"),
];

/// Bytes of a file of flags at most.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Completes `PROGRAM amtool …` with the subcommands that are meant and the flags of the user's files.
///
/// `root` is the whole command line, built.
pub(super) fn complete(root: &Command, words: &[String]) -> anyhow::Result<Vec<String>> {
    let (Some((program, [name, given @ ..])), Some(amtool)) =
        (words.split_first(), root.find_subcommand("amtool"))
    else {
        return Ok(words.to_vec());
    };
    let (mut completed, leaf, path_end) = name_all_commands(amtool, given);
    let from_files = flags_of_files()?;
    let is_given = |arg: &Arg| completed.iter().any(|word| gives(word, arg));
    let mut added = Vec::new();
    for (flag, value) in &from_files {
        let mut arguments = leaf.get_arguments().chain(amtool.get_arguments());
        let found = arguments.find(|arg| arg.get_long() == Some(flag));
        let Some(arg) = found.filter(|arg| !is_given(arg)) else {
            continue;
        };
        match (takes_value(arg), value.as_str()) {
            (true, value) => added.push(format!("--{flag}={value}")),
            (false, "true") => added.push(format!("--{flag}")),
            (false, _) if has_opposite(leaf, flag) => added.push(format!("--no-{flag}")),
            (false, _) => {}
        }
    }
    completed.splice(path_end..path_end, added);
    let mut all = vec![program.clone(), name.clone()];
    all.extend(completed);
    Ok(all)
}

fn has_opposite(command: &Command, flag: &str) -> bool {
    let opposite = format!("no-{flag}");
    command
        .get_arguments()
        .any(|arg| arg.get_long() == Some(&opposite))
}

/// Whether a word of the command line gives a value to a flag, or denies it.
fn gives(word: &str, arg: &Arg) -> bool {
    if let Some(long) = word.strip_prefix("--") {
        let name = long.split_once('=').map_or(long, |(name, _)| name);
        let name = name.strip_prefix("no-").unwrap_or(name);
        return arg.get_long() == Some(name);
    }
    let short = arg.get_short();
    word.len() > 1 && word.starts_with('-') && short.is_some_and(|short| word.contains(short))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// Writes out the subcommands that are meant. Gives the words, the innermost command, and where its own words begin.
fn name_all_commands<'a>(
    amtool: &'a Command,
    given: &[String],
) -> (Vec<String>, &'a Command, usize) {
    let mut level = amtool;
    let (mut words, mut path_end) = (Vec::new(), 0);
    let mut rest = given.iter();
    let mut descend = |level: &mut &'a Command, words: &mut Vec<String>, name: &str| {
        if let Some(inner) = level.find_subcommand(name) {
            *level = inner;
            words.push(name.to_owned());
            path_end = words.len();
        }
    };
    while let Some(word) = rest.next() {
        match flag(level, word) {
            Flag::Known { value_follows } => {
                words.push(word.clone());
                if value_follows {
                    words.extend(rest.next().cloned());
                }
                continue;
            }
            Flag::None if level.find_subcommand(word).is_some() => {
                descend(&mut level, &mut words, word);
                continue;
            }
            Flag::None | Flag::Unknown => {}
        }
        if let Some(meant) = meant(level) {
            descend(&mut level, &mut words, meant);
        }
        words.push(word.clone());
        if !level.has_subcommands() {
            words.extend(rest.by_ref().cloned());
        }
    }
    while let Some(meant) = meant(level) {
        descend(&mut level, &mut words, meant);
    }
    (words, level, path_end)
}

fn meant(command: &Command) -> Option<&'static str> {
    let name = command.get_name();
    let found = DEFAULTS.iter().find(|(group, _)| *group == name);
    found
        .map(|(_, meant)| *meant)
        .filter(|_| command.has_subcommands())
}

enum Flag {
    /// The command has it.
    Known { value_follows: bool },
    /// It looks like a flag.
    Unknown,
    /// It is none.
    None,
}

fn flag(command: &Command, word: &str) -> Flag {
    let find = |is_it: &dyn Fn(&Arg) -> bool| command.get_arguments().find(|arg| is_it(arg));
    if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
        let (name, has_value) = match long.split_once('=') {
            Some((name, _)) => (name, true),
            None => (long, false),
        };
        return match find(&|arg| arg.get_long() == Some(name)) {
            Some(arg) => Flag::Known {
                value_follows: !has_value && takes_value(arg),
            },
            None => Flag::Unknown,
        };
    }
    let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) else {
        return Flag::None;
    };
    let mut characters = shorts.chars();
    while let Some(short) = characters.next() {
        match find(&|arg| arg.get_short() == Some(short)) {
            None => return Flag::Unknown,
            Some(arg) if takes_value(arg) => {
                return Flag::Known {
                    value_follows: characters.as_str().is_empty(),
                };
            }
            Some(_) => {}
        }
    }
    Flag::Known {
        value_follows: false,
    }
}

/// The flags that the user's and the machine's files give: upstream's places first, then those of Debian's package.
/// The first that names a flag counts.
fn flags_of_files() -> anyhow::Result<BTreeMap<String, String>> {
    let home = runtime::environment::var("HOME").map(PathBuf::from);
    let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let files = [
        in_home(".config/amtool/config.yml"),
        Some(PathBuf::from("/etc/amtool/config.yml")),
        in_home(".config/prometheus/amtool.yml"),
        Some(PathBuf::from("/etc/prometheus/amtool.yml")),
    ];
    let mut flags = BTreeMap::new();
    for file in files.into_iter().flatten() {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        for (name, value) in flags_of(&file.display().to_string(), &text)? {
            flags.entry(name).or_insert(value);
        }
    }
    Ok(flags)
}

/// Reads one file: a mapping of flags to values.
fn flags_of(file: &str, text: &str) -> anyhow::Result<Vec<(String, String)>> {
    anyhow::ensure!(
        text.len() <= FILE_BYTES_MAX,
        "could not load config file: {file} holds more than {FILE_BYTES_MAX} bytes"
    );
    let mut problems = Problems::new(file);
    let mut flags = Vec::new();
    let root = yaml::parse_single(text, &mut problems);
    if let Some(root) = root {
        match &root.kind {
            NodeKind::Null => {}
            NodeKind::Mapping(pairs) => {
                for (key, value) in pairs {
                    match (key.text(), value.text()) {
                        // An older name.
                        (Some("comment_required"), Some(value)) => {
                            flags.push(("require-comment".to_owned(), value.to_owned()));
                        }
                        (Some(key), Some(value)) => flags.push((key.to_owned(), value.to_owned())),
                        _ => problems.add(value.position, "a flag's value is a text"),
                    }
                }
            }
            NodeKind::Scalar { .. } | NodeKind::Sequence(_) => {
                problems.add(root.position, "the file is a mapping of flags to values");
            }
        }
    }
    let read = problems.into_result(Some(flags));
    read.map_err(|problems| anyhow::anyhow!("could not load config file: {problems}"))
}

/// What is wrong with a command line, as amtool says it.
pub(super) fn in_kingpins_words(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(",")),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let flag = argument
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .split_once('=')
        .map_or_else(|| argument.clone(), |(flag, _)| flag.to_owned());
    match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with("--") => {
            format!("unknown long flag '{flag}'")
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!("unknown short flag '{flag}'")
        }
        ErrorKind::UnknownArgument => format!("unexpected {flag}"),
        ErrorKind::InvalidSubcommand => {
            let command = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("expected command but got {command:?}")
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "must select a subcommand of 'template'".to_owned()
        }
        ErrorKind::MissingRequiredArgument => {
            let flag = flag.split_whitespace().next().unwrap_or_default();
            format!("required flag {flag} not provided")
        }
        ErrorKind::InvalidValue => {
            let values = text(ContextKind::ValidValue).unwrap_or_default();
            let value = text(ContextKind::InvalidValue).unwrap_or_default();
            format!("enum value must be one of {values}, got '{value}'")
        }
        _ => {
            let shown = error.to_string();
            let first = shown.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{flags_of, name_all_commands};
    use crate::cli::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn subcommands_that_are_meant_are_written_out() {
        let mut root = Cli::command();
        root.build();
        let amtool = root.find_subcommand("amtool").expect("a command");
        let check = |line: &str, want: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let (words, _, _) = name_all_commands(amtool, &words);
            assert_eq!(words.join(" "), want, "{line}");
        };
        check("alert", "alert query");
        check("alert foo a=b", "alert query foo a=b");
        check("alert add foo", "alert add foo");
        check("alert query add", "alert query add");
        check("-o json alert -s foo", "-o json alert query -s foo");
        check("alert -o json foo", "alert -o json query foo");
        check("-vo json silence -q", "-vo json silence query -q");
        check(
            "--output=json silence --within 1h",
            "--output=json silence query --within 1h",
        );
        check("config", "config show");
        check("config routes", "config routes show");
        check(
            "config routes --config.file=a.yml",
            "config routes --config.file=a.yml show",
        );
        check("config routes test a=b", "config routes test a=b");
        check(
            "config routes --config.file a.yml test a=b",
            "config routes --config.file a.yml test a=b",
        );
        check("cluster", "cluster show");
        check("nosuch", "nosuch");
        check("alert --nosuch", "alert query --nosuch");
    }

    #[test]
    fn files_of_flags_are_read_and_refused() {
        let check = |text: &str, want: Result<&[(&str, &str)], &str>| {
            let read = flags_of("config.yml", text);
            match (read, want) {
                (Ok(flags), Ok(want)) => {
                    let flags: Vec<(&str, &str)> = flags
                        .iter()
                        .map(|(a, b)| (a.as_str(), b.as_str()))
                        .collect();
                    assert_eq!(flags, want, "{text}");
                }
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
                (read, want) => assert_eq!(read.is_ok(), want.is_ok(), "{text}"),
            }
        };
        check("", Ok(&[]));
        check(
            "author: me\ncomment_required: false\noutput: \"json\"",
            Ok(&[
                ("author", "me"),
                ("require-comment", "false"),
                ("output", "json"),
            ]),
        );
        check("- a", Err("config.yml:1:1: the file is a mapping"));
        check(
            "author: {a: b}",
            Err("config.yml:1:9: a flag's value is a text"),
        );
        check("author: [", Err("could not load config file: config.yml"));
    }
}
