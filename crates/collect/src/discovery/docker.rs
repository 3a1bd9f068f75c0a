//! `docker_sd_configs`: the containers of a Docker engine, a target for each port in each network.

use super::Provider;
use super::json::{JsonClient, entries, list, number, text};
use super::meta::{Meta, group, join, sanitized};
use crate::prometheus_file::{DockerDiscovery, Filter, TargetGroup};
use config::http_client::HttpClientConfig;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub(super) const PREFIX: &str = "__meta_docker_";
/// Containers that share another's network may do so through so many of them.
const SHARED_DEPTH_MAX: usize = 32;

/// An engine's address: where to connect, and what URLs begin with.
pub(super) fn engine(
    host: &str,
    http: &HttpClientConfig,
    timeout: Duration,
) -> (JsonClient, String) {
    let client = JsonClient::new(http.clone(), timeout);
    if let Some(path) = host.strip_prefix("unix://") {
        let client = client.through_socket(Some(PathBuf::from(path)));
        return (client, "http://localhost".to_owned());
    }
    let base = match host.strip_prefix("tcp://") {
        Some(rest) if http.tls.names_files() => format!("https://{rest}"),
        Some(rest) => format!("http://{rest}"),
        None => host.to_owned(),
    };
    (client, base.trim_end_matches('/').to_owned())
}

/// Filters as the engine takes them: a JSON mapping from names to lists.
pub(super) fn filters_parameter(filters: &[Filter]) -> Vec<(&'static str, String)> {
    if filters.is_empty() {
        return Vec::new();
    }
    let mut map: Map<String, Value> = Map::new();
    for (name, values) in filters {
        let all = map
            .entry(name.clone())
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(all) = all {
            all.extend(values.iter().cloned().map(Value::String));
        }
    }
    vec![("filters", Value::Object(map).to_string())]
}

/// The labels of each network by its id.
pub(super) async fn networks(
    client: &mut JsonClient,
    base: &str,
    prefix: &str,
) -> Result<BTreeMap<String, Meta>, String> {
    let answer = client.get(&format!("{base}/networks"), &[]).await?;
    Ok(network_labels(&answer, prefix))
}

/// The labels of each network that an answer lists.
pub(super) fn network_labels(answer: &Value, prefix: &str) -> BTreeMap<String, Meta> {
    let labels = |network: &Value| {
        let mut meta = Meta::default();
        for (name, path) in [
            ("id", "/Id"),
            ("name", "/Name"),
            ("scope", "/Scope"),
            ("internal", "/Internal"),
            ("ingress", "/Ingress"),
        ] {
            meta.set(format!("{prefix}network_{name}"), text(network, path));
        }
        add_labels(
            &mut meta,
            &format!("{prefix}network_label_"),
            network,
            "/Labels",
        );
        (text(network, "/Id"), meta)
    };
    list(answer, "").iter().map(labels).collect()
}

/// Adds a label for each label at `path`.
pub(super) fn add_labels(meta: &mut Meta, prefix: &str, value: &Value, path: &str) {
    for (name, value) in entries(value, path) {
        meta.set(format!("{prefix}{}", sanitized(name)), text(value, ""));
    }
}

/// Asks one engine.
pub(crate) struct DockerWatcher {
    discovery: DockerDiscovery,
    client: JsonClient,
    base: String,
}

impl DockerWatcher {
    pub(crate) fn new(discovery: DockerDiscovery) -> Self {
        let timeout = Duration::from_millis(discovery.refresh_ms.unsigned_abs());
        let (client, base) = engine(&discovery.host, &discovery.http, timeout);
        Self {
            discovery,
            client,
            base,
        }
    }
}

impl Provider for DockerWatcher {
    const NAME: &'static str = "docker";

    fn interval(&self) -> Duration {
        Duration::from_millis(self.discovery.refresh_ms.unsigned_abs())
    }

    async fn ask(&mut self) -> Result<Vec<TargetGroup>, String> {
        let parameters = filters_parameter(&self.discovery.filters);
        let url = format!("{}/containers/json", self.base);
        let containers = self.client.get(&url, &parameters).await?;
        let networks = networks(&mut self.client, &self.base, PREFIX).await?;
        Ok(vec![containers_group(
            &self.discovery,
            &containers,
            &networks,
        )])
    }
}

/// The targets of all containers that an answer lists.
pub(super) fn containers_group(
    discovery: &DockerDiscovery,
    containers: &Value,
    networks: &BTreeMap<String, Meta>,
) -> TargetGroup {
    let containers = list(containers, "");
    let mut targets = Vec::new();
    for container in containers {
        add_container(discovery, (containers, networks), container, &mut targets);
    }
    group("Docker", &Meta::default(), &targets)
}

/// Adds the targets of one container; `all` are the containers whose networks it may share.
fn add_container(
    discovery: &DockerDiscovery,
    (all, networks): (&[Value], &BTreeMap<String, Meta>),
    container: &Value,
    targets: &mut Vec<Meta>,
) {
    let mode = text(container, "/HostConfig/NetworkMode");
    let mut container_labels = Meta::default()
        .with(format!("{PREFIX}container_id"), text(container, "/Id"))
        .with(
            format!("{PREFIX}container_name"),
            text(container, "/Names/0"),
        )
        .with(format!("{PREFIX}container_network_mode"), mode.clone());
    let prefix = format!("{PREFIX}container_label_");
    add_labels(&mut container_labels, &prefix, container, "/Labels");
    let mut attached = attached_networks(all, container);
    if discovery.match_first_network {
        attached.truncate(1);
    }
    if attached.is_empty() && discovery.include_no_network_targets {
        let mut target = Meta::at(&discovery.host_networking_host);
        target.merge(&container_labels);
        targets.push(target);
    }
    for network in attached {
        let ip = text(network, "/IPAddress");
        let mut common = container_labels.clone();
        common.set(format!("{PREFIX}network_ip"), ip.clone());
        if let Some(labels) = networks.get(&text(network, "/NetworkID")) {
            common.merge(labels);
        }
        let before = targets.len();
        for port in list(container, "/Ports")
            .iter()
            .filter(|port| text(port, "/Type") == "tcp")
        {
            let private = text(port, "/PrivatePort");
            let mut target = Meta::at(join(&ip, &private));
            target.merge(&common);
            target.set(format!("{PREFIX}port_private"), private);
            if number(port, "/PublicPort") > 0 {
                target.set(format!("{PREFIX}port_public"), text(port, "/PublicPort"));
                target.set(format!("{PREFIX}port_public_ip"), text(port, "/IP"));
            }
            targets.push(target);
        }
        if targets.len() == before {
            let address = match mode.as_str() {
                "host" => discovery.host_networking_host.clone(),
                _ => join(&ip, discovery.port),
            };
            let mut target = Meta::at(address);
            target.merge(&common);
            targets.push(target);
        }
    }
}

/// The networks of a container, sorted by name; those of the container whose network it shares, if it does.
fn attached_networks<'a>(all: &'a [Value], container: &'a Value) -> Vec<&'a Value> {
    let mut owner = container;
    for _ in 0..SHARED_DEPTH_MAX {
        let own =
            entries(owner, "/NetworkSettings/Networks").filter(|(_, network)| !network.is_null());
        let mut own: Vec<(&String, &Value)> = own.collect();
        if !own.is_empty() {
            own.sort_by_key(|(name, _)| *name);
            return own.into_iter().map(|(_, network)| network).collect();
        }
        let mode = text(owner, "/HostConfig/NetworkMode");
        let shared = mode.strip_prefix("container:");
        let next = shared.and_then(|id| all.iter().find(|other| text(other, "/Id") == id));
        let Some(next) = next else {
            break;
        };
        owner = next;
    }
    Vec::new()
}
