//! The differential fuzzer: random data is written to us and to Debian's prometheus (2.42), random queries are asked
//! of both, and every difference is a mistake of ours or a known change of Prometheus 3 (`changes`).
//!
//! `cargo xtask fuzz [N] [--seed S] [--rounds R]`: R rounds (1) of N queries (1000), seeds S, S+1, … (1). A
//! fifth of the queries are damaged on purpose: there only the verdict is compared, refused or not.
//! `--query Q [--at SECONDS [--end SECONDS --step SECONDS]]` asks only that, of the data of seed S, and shows
//! both answers.
//! Where a query differs, simpler ones are tried as long as they differ too, and the simplest is shown.

mod changes;
pub(crate) mod compliance;
mod data;
mod grammar;
mod judge;
mod mutate;
mod random;
mod tree;

use crate::process;
use crate::remote_write;
use crate::server::{self, Kind, Server};
use anyhow::{Context as _, bail};
use changes::Difference;
use grammar::{Grammar, MOMENT_MS};
use judge::{Outcome, When};
use random::Random;
use std::collections::BTreeMap;
use std::path::Path;
use tree::Tree;

/// Of a hundred queries so many are damaged.
const DAMAGED_PERCENT: usize = 20;

/// Simpler queries tried for one that differs.
const SIMPLER_MAX: usize = 150;

/// Differences shown in one round.
const SHOWN_MAX: usize = 40;

/// Runs the rounds.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let asked = Asked::read(words)?;
    if process::find(Kind::Prometheus.name()).is_none() {
        println!("skipped: no prometheus on the PATH (on Debian: apt-get install prometheus)");
        return Ok(());
    }
    crate::page::ensure_program()?;
    if let Some(query) = &asked.query {
        return show(asked.seed, query, asked.when());
    }
    let mut differences = 0;
    for seed in asked.seed..asked.seed + asked.rounds {
        differences += round(seed, asked.queries)?;
    }
    if differences > 0 {
        bail!("{differences} queries are answered differently");
    }
    Ok(())
}

struct Asked {
    queries: usize,
    seed: u64,
    rounds: u64,
    query: Option<String>,
    at_ms: i64,
    end_ms: Option<i64>,
    step_ms: i64,
}

impl Asked {
    fn when(&self) -> When {
        match self.end_ms {
            None => When::At(self.at_ms),
            Some(end) => When::Range {
                start: self.at_ms,
                end,
                step: self.step_ms,
            },
        }
    }

    fn read(words: &[&str]) -> anyhow::Result<Self> {
        let mut asked = Self {
            queries: 1000,
            seed: 1,
            rounds: 1,
            query: None,
            at_ms: data::BEGIN_MS + data::SPAN_MS / 2 + MOMENT_MS,
            end_ms: None,
            step_ms: 60_000,
        };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let mut value = || rest.next().context("a value is missing after a flag");
            match *word {
                "--seed" => asked.seed = value()?.parse()?,
                "--query" => asked.query = Some((*value()?).to_owned()),
                "--at" => asked.at_ms = millis(value()?)?,
                "--end" => asked.end_ms = Some(millis(value()?)?),
                "--step" => asked.step_ms = millis(value()?)?,
                "--rounds" => asked.rounds = value()?.parse()?,
                number => asked.queries = number.parse().with_context(|| format!("{number:?}"))?,
            }
        }
        Ok(asked)
    }
}

/// Both servers with the same data.
pub(crate) struct Pair {
    ours: Server,
    theirs: Server,
    client: ureq::Agent,
}

impl Pair {
    /// Starts both, without anything to scrape, and keeps everything however old.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let config = folder.join("prometheus.yml");
        write_config(&config)?;
        let client = server::client();
        let mut started = Vec::new();
        for kind in [Kind::Binnacle, Kind::Prometheus] {
            let data = folder.join(kind.name());
            std::fs::create_dir_all(&data)?;
            let keep = ["--storage.tsdb.retention.time=100y"];
            let server = Server::start_with(kind, &data, Some(&config), &keep)?;
            server.ready(&client)?;
            started.push(server);
        }
        let (Some(theirs), Some(ours)) = (started.pop(), started.pop()) else {
            bail!("two servers were started")
        };
        Ok(Self {
            ours,
            theirs,
            client,
        })
    }

    /// Writes the same series to both.
    pub(crate) fn write(&self, series: Vec<remote_write::TimeSeries>) -> anyhow::Result<()> {
        let body = remote_write::encode(series)?;
        for server in [&self.ours, &self.theirs] {
            let (status, text) = server::write(&self.client, &server.write_url(), &body)?;
            if !(200..300).contains(&status) {
                bail!("{} refuses the data: {status} {text}", server.kind.name());
            }
        }
        Ok(())
    }

    /// Both answers to a query, ours first.
    pub(crate) fn ask(&self, query: &str, when: When) -> anyhow::Result<(Outcome, Outcome)> {
        let ours = judge::ask(&self.ours, &self.client, query, when)?;
        let theirs = judge::ask(&self.theirs, &self.client, &in_old_words(query), when)?;
        Ok((ours, theirs))
    }
}

/// Names that 3.x has given to what 2.42 knows too.
fn in_old_words(query: &str) -> String {
    query.replace("double_exponential_smoothing(", "holt_winters(")
}

#[expect(
    clippy::disallowed_methods,
    reason = "configuration for the programs under test"
)]
fn write_config(file: &Path) -> anyhow::Result<()> {
    std::fs::write(file, "global: {scrape_interval: 1h}\n")?;
    Ok(())
}

/// Seconds with three decimal places, as the fuzzer prints them, in milliseconds.
fn millis(text: &str) -> anyhow::Result<i64> {
    text.replace('.', "")
        .parse()
        .with_context(|| format!("{text:?}"))
}

/// Asks one query of the data of a seed.
fn show(seed: u64, query: &str, when: When) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let pair = Pair::start(folder.path())?;
    pair.write(data::series(&mut Random::new(seed)))?;
    let (ours, theirs) = pair.ask(query, when)?;
    println!("ours: {ours:#?}\ntheirs: {theirs:#?}");
    println!("{:?}", judge::difference(&ours, &theirs, false));
    Ok(())
}

/// How the queries of a round came out.
#[derive(Default)]
struct Tally {
    same: usize,
    refused: usize,
    explained: BTreeMap<&'static str, usize>,
    different: Vec<String>,
}

fn round(seed: u64, queries: usize) -> anyhow::Result<usize> {
    let folder = tempfile::tempdir()?;
    let pair = Pair::start(folder.path())?;
    let mut random = Random::new(seed);
    pair.write(data::series(&mut random))?;
    let mut tally = Tally::default();
    for _ in 0..queries {
        let tree = Grammar::new(&mut random).query();
        let when = moment(&mut random);
        if random.chance(DAMAGED_PERCENT) {
            let query = mutate::mutated(&tree.text(), &mut random);
            damaged(&pair, &query, &mut tally)?;
        } else {
            valid(&pair, &tree, when, &mut tally)?;
        }
    }
    report(seed, queries, &tally);
    Ok(tally.different.len())
}

fn report(seed: u64, queries: usize, tally: &Tally) {
    for different in tally.different.iter().take(SHOWN_MAX) {
        println!("  {different}");
    }
    for change in changes::CHANGES {
        if let Some(count) = tally.explained.get(change.name) {
            println!("  {count} times {}: {}", change.name, change.reason);
        }
    }
    println!(
        "fuzz: seed {seed}, {queries} queries, {} alike ({} of them refused), {} known changes, {} differences",
        tally.same,
        tally.refused,
        tally.explained.values().sum::<usize>(),
        tally.different.len()
    );
}

/// A moment or a range around the data, always `MOMENT_MS` past a whole second.
fn moment(random: &mut Random) -> When {
    let second = |random: &mut Random| {
        data::BEGIN_MS + random.between(-120, data::SPAN_MS / 1000 + 300) * 1000 + MOMENT_MS
    };
    let start = second(random);
    if random.chance(40) {
        return When::At(start);
    }
    let step = *random.pick(&[7_000, 15_000, 60_000, 61_000, 300_000, 97_000]);
    let count = random.between(0, 30);
    When::Range {
        start,
        end: start + count * step + random.between(0, 3) * 1000,
        step,
    }
}

fn valid(pair: &Pair, tree: &Tree, when: When, tally: &mut Tally) -> anyhow::Result<()> {
    let (ours, theirs) = pair.ask(&tree.text(), when)?;
    if judge::difference(&ours, &theirs, tree.exact).is_none() {
        count_same(&ours, tally);
        return Ok(());
    }
    let smallest = simplest(pair, tree, when)?;
    let query = smallest.text();
    let (ours, theirs) = pair.ask(&query, when)?;
    let difference = Difference {
        query: &query,
        ours: &ours,
        theirs: &theirs,
    };
    if let Some(change) = changes::explaining(&difference) {
        *tally.explained.entry(change.name).or_default() += 1;
        return Ok(());
    }
    let found = judge::difference(&ours, &theirs, smallest.exact).unwrap_or_default();
    tally.different.push(format!("{query}  [{when}]  {found}"));
    Ok(())
}

/// The simplest query found that is answered differently too.
fn simplest(pair: &Pair, tree: &Tree, when: When) -> anyhow::Result<Tree> {
    let mut smallest = tree.clone();
    let mut tries = 0;
    'smaller: loop {
        let mut candidates = smallest.simpler();
        candidates.sort_by_key(|candidate| candidate.text().len());
        for candidate in candidates {
            tries += 1;
            if tries > SIMPLER_MAX {
                return Ok(smallest);
            }
            let (ours, theirs) = pair.ask(&candidate.text(), when)?;
            if judge::difference(&ours, &theirs, candidate.exact).is_some() {
                smallest = candidate;
                continue 'smaller;
            }
        }
        return Ok(smallest);
    }
}

fn count_same(ours: &Outcome, tally: &mut Tally) {
    tally.same += 1;
    if matches!(ours, Outcome::Refusal { .. }) {
        tally.refused += 1;
    }
}

/// A damaged query: whether it is refused must be the same, and as what.
fn damaged(pair: &Pair, query: &str, tally: &mut Tally) -> anyhow::Result<()> {
    let when = When::At(data::BEGIN_MS + MOMENT_MS);
    let (ours, theirs) = pair.ask(query, when)?;
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Answer { kind, .. } | Outcome::Refusal { kind, .. } => kind.clone(),
    };
    if kind(&ours) == kind(&theirs) {
        count_same(&ours, tally);
        return Ok(());
    }
    let difference = Difference {
        query,
        ours: &ours,
        theirs: &theirs,
    };
    match changes::explaining(&difference) {
        Some(change) => *tally.explained.entry(change.name).or_default() += 1,
        None => {
            let found = judge::difference(&ours, &theirs, false).unwrap_or_default();
            tally
                .different
                .push(format!("(damaged) {query:?}  {found}"));
        }
    }
    Ok(())
}
