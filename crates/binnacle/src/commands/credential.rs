//! `binnacle token` and `binnacle user`: who may ask a server that listens beyond loopback.

use super::table;
use crate::cli::{Credential, CredentialAction};
use crate::print;
use anyhow::{Context as _, bail};
use api::{Auth, Role};
use runtime::Clock as _;
use std::io::BufRead as _;
use std::process::ExitCode;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Token,
    User,
}

impl Sort {
    const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::User => "user",
        }
    }
}

/// Does what was asked, straight in the data folder; a running server sees it with its next request.
pub(crate) fn run(credential: &Credential, sort: Sort) -> anyhow::Result<ExitCode> {
    let auth = open(&credential.data)?;
    match &credential.action {
        CredentialAction::Create { name, role } => create(&auth, sort, name, role)?,
        CredentialAction::List => {
            let all = auth
                .list()?
                .into_iter()
                .filter(|(kind, ..)| *kind == sort.name());
            let rows: Vec<Vec<String>> = all.map(|(_, name, role)| vec![name, role]).collect();
            table::print(&["name", "role"], &rows);
        }
        CredentialAction::Remove { name } => {
            if !auth.remove(sort.name(), name)? {
                bail!("there is no {} {name:?}", sort.name());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn open(data: &std::path::Path) -> anyhow::Result<Auth> {
    let state = crate::state::open(data)?;
    Ok(Auth::open(state)?)
}

fn create(auth: &Auth, sort: Sort, name: &str, role: &str) -> anyhow::Result<()> {
    let known = Role::NAMES
        .iter()
        .find(|(known, _)| *known == role)
        .map(|(_, role)| *role);
    let Some(role) = known else {
        let names: Vec<&str> = Role::NAMES.iter().map(|(name, _)| *name).collect();
        bail!("{role:?} is not a role; there are {}", names.join(", "));
    };
    let now = runtime::SystemClock::new().now();
    match sort {
        Sort::Token => {
            print::line(&auth.create_token(name, role, now)?);
            print::note("this is shown once; only its hash is kept");
        }
        Sort::User => {
            print::note("password (at least 10 characters), then Enter:");
            let mut password = String::new();
            std::io::stdin()
                .lock()
                .read_line(&mut password)
                .context("reading the password")?;
            auth.create_user(name, role, password.trim_end_matches(['\r', '\n']), now)?;
        }
    }
    Ok(())
}
