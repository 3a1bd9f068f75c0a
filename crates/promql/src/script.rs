//! Runs query scripts in the format of Prometheus' promqltest: `load`, `clear`, `eval … expect …`.
//!
//! Every instant eval is also run as a range query around its moment, and with `@` on its selectors at
//! other moments, as upstream does. An eval statement counts once and passes only if all its forms do.
//! A script error (a line that cannot be understood, a load that the store refuses) does not
//! end the run: the evals up to the next `clear` are not run and count as failed.

mod command;
mod compare;
mod evaluate;
mod load;
mod nhcb;
mod read;
mod starts;

use crate::engine::{Engine, EngineOptions};
use command::Command;
use model::{Sink, Source};
use runtime::SharedClock;
use std::fmt;
use std::path::Path;

/// A store that scripts can fill and query.
pub trait Store: Source + Sink {}

impl<T: Source + Sink> Store for T {}

/// Makes an empty store; called at the start of a script and at every `clear`.
pub type MakeStore<'a> = &'a dyn Fn() -> Result<Box<dyn Store>, String>;

/// How many eval statements passed, and why the others did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Evals all of whose forms passed.
    pub passed: usize,
    /// All other evals.
    pub failed: usize,
    /// One for each eval that failed, and one for each script error.
    pub failures: Vec<Failure>,
}

/// What went wrong at a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The script.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What went wrong.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Runs the script in a file. A file that cannot be read is a failure without evals.
#[must_use]
pub fn run_file(path: &Path, clock: &SharedClock, make_store: MakeStore<'_>) -> Report {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => run(&file, &text, clock, make_store),
        Err(error) => Report {
            failures: vec![Failure {
                file,
                line: 0,
                message: format!("cannot be read: {error}"),
            }],
            ..Report::default()
        },
    }
}

/// Runs a script; `file` is its name in the report.
#[must_use]
pub fn run(file: &str, text: &str, clock: &SharedClock, make_store: MakeStore<'_>) -> Report {
    let options = EngineOptions {
        delayed_name_removal: true,
        start_timestamps: true,
        ..EngineOptions::new(SharedClock::clone(clock))
    };
    let mut run = Run {
        file,
        engine: Engine::new(options),
        make_store,
        store: make_store(),
        is_broken: false,
        report: Report::default(),
    };
    if let Err(message) = &run.store {
        run.is_broken = true;
        let message = message.clone();
        run.note(0, message);
    }
    for (line, command) in read::commands(text) {
        run.command(line, command);
    }
    run.report
}

struct Run<'a> {
    file: &'a str,
    engine: Engine,
    make_store: MakeStore<'a>,
    store: Result<Box<dyn Store>, String>,
    /// Whether a script error makes everything up to the next `clear` meaningless.
    is_broken: bool,
    report: Report,
}

impl Run<'_> {
    fn note(&mut self, line: usize, message: String) {
        self.report.failures.push(Failure {
            file: self.file.to_owned(),
            line,
            message,
        });
    }

    fn command(&mut self, line: usize, command: Result<Command, String>) {
        let result = match command {
            Ok(Command::Clear) => self.clear(),
            Ok(Command::Load(load)) => match &self.store {
                _ if self.is_broken => Ok(()),
                Ok(store) => load.append_to(store.as_ref()),
                Err(message) => Err(message.clone()),
            },
            Ok(Command::Eval(eval)) => return self.eval(line, &eval),
            Ok(Command::BadEval(message)) => {
                self.report.failed += 1;
                return self.note(line, message);
            }
            Err(message) => Err(message),
        };
        if let Err(message) = result {
            self.is_broken = true;
            self.note(line, message);
        }
    }

    fn clear(&mut self) -> Result<(), String> {
        // The old store goes first: it may hold the lock that the new one wants.
        self.store = Err("no store".to_owned());
        self.store = (self.make_store)();
        self.is_broken = false;
        match &self.store {
            Ok(_) => Ok(()),
            Err(message) => Err(message.clone()),
        }
    }

    fn eval(&mut self, line: usize, eval: &command::Eval) {
        let result = match &self.store {
            Ok(store) if !self.is_broken => evaluate::eval(&self.engine, store.as_ref(), eval),
            _ => Err("not reached, because of the script error above".to_owned()),
        };
        match result {
            Ok(()) => self.report.passed += 1,
            Err(message) => {
                self.report.failed += 1;
                self.note(line, message);
            }
        }
    }
}

#[cfg(test)]
mod tests;
