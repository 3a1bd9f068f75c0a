//! `amtool silence import`: what `silence query -o json` printed becomes silences.

use super::format;
use super::server::{POST_SILENCES, Server};
use crate::cli::Amtool;
use crate::print;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;

/// Bytes of a file of silences at most.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Makes each silence of the list and prints its id; one that is refused does not keep back the others.
pub(super) fn run(amtool: &Amtool, force: bool, file: Option<&Path>) -> anyhow::Result<()> {
    let text = read(file)?;
    let silences: Vec<Value> =
        serde_json::from_str(&text).context("couldn't unmarshal input data, is it JSON?")?;
    let server = Server::new(amtool)?;
    let mut failed = 0;
    for mut silence in silences.iter().cloned() {
        let id = format::text(&silence, "/id").to_owned();
        if let Value::Object(fields) = &mut silence {
            fields.remove("status");
            fields.remove("updatedAt");
            if force {
                fields.remove("id");
            }
        }
        match import(&server, silence) {
            Ok(id) => print::line(&id),
            Err(error) => {
                print::note(&format!("Error adding silence id='{id}': {error:#}"));
                failed += 1;
            }
        }
    }
    if failed > 0 {
        bail!(
            "couldn't import {failed} out of {} silences",
            silences.len()
        );
    }
    Ok(())
}

/// Makes a silence: anew where the server does not know its id.
fn import(server: &Server, mut silence: Value) -> anyhow::Result<String> {
    let post = |silence: &Value| {
        let answer = server.ask(POST_SILENCES, "", &[], Some(silence))?;
        anyhow::Ok(format::text(&answer, "/silenceID").to_owned())
    };
    match post(&silence) {
        Err(error) if error.to_string().contains("[404]") => {
            if let Value::Object(fields) = &mut silence {
                fields.remove("id");
            }
            post(&silence)
        }
        other => other,
    }
}

fn read(file: Option<&Path>) -> anyhow::Result<String> {
    let mut text = String::new();
    match file {
        Some(path) => {
            let Ok(file) = std::fs::File::open(path) else {
                bail!("path '{}' does not exist", path.display());
            };
            file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        }
        None => {
            let input = std::io::stdin().lock();
            input.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        }
    }
    Ok(text)
}
