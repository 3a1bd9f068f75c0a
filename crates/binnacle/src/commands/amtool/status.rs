//! `amtool config show` and `amtool cluster show`: what the server says of itself.

use super::format;
use super::server::{GET_STATUS, Server};
use crate::cli::Amtool;
use crate::cli::amtool::Shown;
use crate::print;
use serde_json::Value;
use std::fmt::Write as _;

/// Prints the configuration in force; extended: also what was built and since when it runs.
pub(super) fn config(amtool: &Amtool) -> anyhow::Result<()> {
    let status = Server::new(amtool)?.ask(GET_STATUS, "", &[], None)?;
    if amtool.output == Shown::Json {
        let order = ["cluster", "config", "uptime", "versionInfo"];
        print::part(&format::json_line(&status, &order));
        return Ok(());
    }
    print::line(format::text(&status, "/config/original"));
    if amtool.output == Shown::Extended {
        let fields = [
            "buildUser",
            "goVersion",
            "revision",
            "version",
            "branch",
            "buildDate",
        ];
        for field in fields {
            let value = format::text(&status, &format!("/versionInfo/{field}"));
            print::line(&format!("{field} {value}"));
        }
        print::line(&format!("uptime {}", format::text(&status, "/uptime")));
    }
    Ok(())
}

/// Prints the state of the cluster; extended: also its members.
pub(super) fn cluster(amtool: &Amtool) -> anyhow::Result<()> {
    let status = Server::new(amtool)?.ask(GET_STATUS, "", &[], None)?;
    let cluster = status.get("cluster").cloned().unwrap_or_default();
    if amtool.output == Shown::Json {
        print::part(&format::json_line(&cluster, &["name", "peers", "status"]));
        return Ok(());
    }
    let (state, name) = (
        format::text(&cluster, "/status"),
        format::text(&cluster, "/name"),
    );
    let mut text = format!("Cluster Status:\t{state}\nNode Name:\t{name}\n");
    if amtool.output == Shown::Extended {
        text.push_str("\nAddress\tName\n");
        let peers = cluster.get("peers").and_then(Value::as_array);
        let mut peers: Vec<(&str, &str)> = peers
            .into_iter()
            .flatten()
            .map(|peer| (format::text(peer, "/address"), format::text(peer, "/name")))
            .collect();
        peers.sort_unstable();
        for (address, name) in peers {
            // Writing to a String cannot fail.
            let _infallible = writeln!(text, "{address}\t{name}\t");
        }
    }
    print::part(&format::columns(&text));
    Ok(())
}
