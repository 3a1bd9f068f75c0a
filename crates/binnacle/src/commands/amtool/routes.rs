//! `amtool config routes show | test`: the routing tree, and where in it an alert goes.

use super::server::{GET_STATUS, Server};
use super::{check_config, format, matching};
use crate::cli::Amtool;
use crate::print;
use anyhow::{Context as _, bail};
use dispatch::config::{Config, GroupBy, Route};
use dispatch::matchers::print_matchers;
use dispatch::route::Router;
use model::Labels;
use model::matcher::all_match;
use std::path::Path;

/// A route and what it inherited.
#[derive(Clone, Copy)]
struct Place<'a> {
    route: &'a Route,
    receiver: &'a str,
    group_by: &'a [String],
}

/// A node of a tree that is printed.
struct Branch {
    text: String,
    branches: Vec<Branch>,
}

/// Reads the file that is named, or asks the server for its configuration.
pub(super) fn load(amtool: &Amtool, file: Option<&Path>) -> anyhow::Result<Config> {
    if let Some(file) = file {
        if amtool.url.is_some() {
            print::note("Warning: --config.file flag overrides the --alertmanager.url.");
        }
        if !file.is_file() {
            bail!("path '{}' does not exist", file.display());
        }
        return check_config::load(file);
    }
    let status = Server::new(amtool)?.ask(GET_STATUS, "", &[], None)?;
    let text = format::text(&status, "/config/original");
    let config = Config::parse(text, "alertmanager.yml");
    config
        .map_err(|problems| anyhow::anyhow!("{problems}"))
        .context("the server's configuration")
}

fn root(config: &Config) -> Place<'_> {
    below(
        &config.route,
        Place {
            route: &config.route,
            receiver: "",
            group_by: &[],
        },
    )
}

fn below<'a>(route: &'a Route, parent: Place<'a>) -> Place<'a> {
    Place {
        route,
        receiver: route
            .receiver
            .as_ref()
            .map_or(parent.receiver, |name| &name.text),
        group_by: match &route.group_by {
            None => parent.group_by,
            Some(GroupBy::Labels(names)) => names,
            Some(GroupBy::All) => &[],
        },
    }
}

/// Prints the tree.
pub(super) fn show(config: &Config) {
    print::line("Routing tree:");
    print::line(&draw(&whole(root(config))));
}

fn whole(place: Place<'_>) -> Branch {
    let branches = place.route.routes.iter();
    Branch {
        text: describe(place, true, true),
        branches: branches.map(|route| whole(below(route, place))).collect(),
    }
}

fn describe(place: Place<'_>, shows_continue: bool, shows_receiver: bool) -> String {
    let route = place.route;
    let mut parts = vec![if route.matchers.is_empty() {
        "default-route".to_owned()
    } else {
        print_matchers(&route.matchers)
    }];
    if route.continues && shows_continue {
        parts.push("continue: true".to_owned());
    }
    if shows_receiver {
        parts.push(format!("receiver: {}", place.receiver));
        if !place.group_by.is_empty() {
            let mut names = place.group_by.to_vec();
            names.sort();
            parts.push(format!("grouping: [{}]", names.join(",")));
        }
    }
    parts.join("  ")
}

/// Prints the receivers that an alert with these labels is routed to; answers whether they are those expected.
pub(super) fn test(
    config: &Config,
    words: &[String],
    (expected, shows_tree): (&str, bool),
) -> anyhow::Result<bool> {
    let labels = matching::labels(words).context("Failed to parse labels")?;
    let labels = Labels::from_pairs(labels);
    if shows_tree {
        print::line("Matching routes:");
        print::line(&draw(&matching_part(root(config), &labels)));
        print::line("");
    }
    let router = Router::new(config);
    let nodes = router.matching(&labels);
    let names: Vec<&str> = nodes.iter().map(|node| node.receiver.as_str()).collect();
    let names = names.join(",");
    print::line(&names);
    let as_expected = expected.is_empty() || expected == names;
    if !as_expected {
        print::line("WARNING: Expected receivers did not match resolved receivers.");
    }
    Ok(as_expected)
}

/// The part of the tree that takes an alert; the routes at its ends name their receivers.
fn matching_part(place: Place<'_>, labels: &Labels) -> Branch {
    let mut branches = Vec::new();
    for route in &place.route.routes {
        if all_match(&route.matchers, labels) {
            branches.push(matching_part(below(route, place), labels));
            if !route.continues {
                break;
            }
        }
    }
    Branch {
        text: describe(place, false, branches.is_empty()),
        branches,
    }
}

/// Draws a tree with lines.
fn draw(root: &Branch) -> String {
    let mut text = ".\n".to_owned();
    draw_below(std::slice::from_ref(root), "", &mut text);
    text
}

fn draw_below(branches: &[Branch], indent: &str, text: &mut String) {
    for (index, branch) in branches.iter().enumerate() {
        let is_last = index + 1 == branches.len();
        let (edge, below) = if is_last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        text.push_str(&format!("{indent}{edge}{}\n", branch.text));
        draw_below(&branch.branches, &format!("{indent}{below}"), text);
    }
}
