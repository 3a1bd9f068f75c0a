//! `binnacle pack`: what the program brings along, and what of it is enabled.
//!
//! An enabled pack is a file in the configuration, `packs/NAME.yml`, which its owner may edit. This command only writes,
//! moves and removes such files; a server evaluates them after it has read its configuration again.

mod files;
mod list;
mod server;

use crate::cli::{Format, Pack as Flags, PackAction};
use crate::print;
use anyhow::bail;
use files::{Change, Folder};
use rules::packs::{PACKS, Pack, find};
use serde_json::json;
use server::Server;
use std::process::ExitCode;

/// Does what was asked. Exit status 1 where a pack that is to be disabled is not enabled.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    match &flags.action {
        PackAction::List => list::run(flags),
        PackAction::Show {
            name,
            tests,
            runbook,
        } => show(named(name)?, (*tests, *runbook), flags.output.output),
        PackAction::Enable {
            names,
            force,
            reload,
        } => {
            let change = |folder: &Folder, pack: &Pack| folder.enable(pack, *force);
            apply(flags, names, *reload, &change)
        }
        PackAction::Disable { names, reload } => {
            apply(flags, names, *reload, &|folder, pack| folder.disable(pack))
        }
    }
}

fn named(name: &str) -> anyhow::Result<&'static Pack> {
    let Some(pack) = find(name) else {
        let known: Vec<&str> = PACKS.iter().map(|pack| pack.name).collect();
        bail!("there is no pack {name:?}; there are {}", known.join(", "));
    };
    Ok(pack)
}

fn show(pack: &Pack, (tests, runbook): (bool, bool), format: Format) -> anyhow::Result<ExitCode> {
    if format == Format::Json {
        let contents = pack.contents().map_err(anyhow::Error::msg)?;
        print::json(&json!({
            "name": pack.name,
            "watches": pack.watches,
            "alerts": contents.alerts,
            "recordings": contents.recordings,
            "metrics": contents.metrics,
            "rules": pack.rules,
            "tests": pack.tests,
            "runbook": pack.runbook,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let text = match (tests, runbook) {
        (true, _) => pack.tests,
        (_, true) => pack.runbook,
        _ => pack.rules,
    };
    print::line(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Changes the files of packs, after all names were found to be right, and has the server read them.
fn apply(
    flags: &Flags,
    names: &[String],
    reload: bool,
    change: &dyn Fn(&Folder, &Pack) -> anyhow::Result<Change>,
) -> anyhow::Result<ExitCode> {
    let packs = names.iter().map(|name| named(name));
    let packs: Vec<&Pack> = packs.collect::<anyhow::Result<_>>()?;
    let server = if flags.place.is_named() && !reload {
        None
    } else {
        Server::find(&flags.server)?
    };
    let folder = Folder::of(&flags.place, server.as_ref())?;
    let (mut changed, mut refused) = (false, false);
    for pack in packs {
        let Change { outcome, text } = change(&folder, pack)?;
        changed |= outcome == files::Outcome::Changed;
        refused |= outcome == files::Outcome::Refused;
        match outcome {
            files::Outcome::Refused => print::note(&text),
            files::Outcome::Changed | files::Outcome::AsItWas => print::line(&text),
        }
    }
    if reload {
        let Some(server) = &server else {
            bail!("--reload: nobody answers at {}", flags.server.url);
        };
        server.reload()?;
        print::line("the server has read its configuration again");
    } else if changed {
        print::note(
            "a running server evaluates what was changed after a reload: --reload, or POST /-/reload",
        );
    }
    Ok(if refused {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}
