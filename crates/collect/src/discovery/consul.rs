//! `consul_sd_configs`: the instances of the services in a Consul catalogue. One group for each service.

use super::Provider;
use super::json::{JsonClient, entries, list, number, text};
use super::meta::{Meta, group, join, sanitized};
use crate::prometheus_file::{ConsulDiscovery, TargetGroup};
use serde_json::Value;
use std::time::Duration;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
const PREFIX: &str = "__meta_consul_";

/// Asks a Consul server.
pub(crate) struct ConsulWatcher {
    discovery: ConsulDiscovery,
    client: JsonClient,
    datacenter: String,
}

impl ConsulWatcher {
    pub(crate) fn new(discovery: ConsulDiscovery) -> Self {
        let mut client = JsonClient::new(discovery.http.clone(), TIMEOUT);
        if !discovery.token.is_empty() {
            client = client.with_header("X-Consul-Token", discovery.token.clone());
        }
        Self {
            client,
            datacenter: discovery.datacenter.clone(),
            discovery,
        }
    }

    /// Parameters that every question carries.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let discovery = &self.discovery;
        let mut parameters = Vec::new();
        if discovery.allow_stale {
            parameters.push(("stale", String::new()));
        }
        for (name, value) in [
            ("dc", &discovery.datacenter),
            ("ns", &discovery.namespace),
            ("partition", &discovery.partition),
        ] {
            if !value.is_empty() {
                parameters.push((name, value.clone()));
            }
        }
        for (name, value) in &discovery.node_meta {
            parameters.push(("node-meta", format!("{name}:{value}")));
        }
        parameters
    }

    /// The names of the services to watch.
    async fn services(&mut self) -> Result<Vec<String>, String> {
        let wanted = &self.discovery.services;
        if !wanted.is_empty() && self.discovery.tags.is_empty() && self.discovery.filter.is_empty()
        {
            return Ok(wanted.clone());
        }
        let mut parameters = self.parameters();
        if !self.discovery.filter.is_empty() {
            parameters.push(("filter", self.discovery.filter.clone()));
        }
        let url = format!("{}/v1/catalog/services", self.discovery.base_url);
        let catalog = self.client.get(&url, &parameters).await?;
        Ok(service_names(&self.discovery, &catalog))
    }

    async fn own_datacenter(&mut self) -> Result<(), String> {
        if self.datacenter.is_empty() {
            let url = format!("{}/v1/agent/self", self.discovery.base_url);
            let agent = self.client.get(&url, &[]).await?;
            self.datacenter = text(&agent, "/Config/Datacenter");
        }
        Ok(())
    }

    async fn instances(&mut self, service: &str) -> Result<TargetGroup, String> {
        let mut parameters = self.parameters();
        for tag in &self.discovery.tags {
            parameters.push(("tag", tag.clone()));
        }
        if !self.discovery.health_filter.is_empty() {
            parameters.push(("filter", self.discovery.health_filter.clone()));
        }
        let url = format!("{}/v1/health/service/{service}", self.discovery.base_url);
        let answer = self.client.get(&url, &parameters).await?;
        Ok(service_group(
            &self.discovery,
            &self.datacenter,
            service,
            &answer,
        ))
    }
}

impl Provider for ConsulWatcher {
    const NAME: &'static str = "consul";

    fn interval(&self) -> Duration {
        Duration::from_millis(self.discovery.refresh_ms.unsigned_abs())
    }

    async fn ask(&mut self) -> Result<Vec<TargetGroup>, String> {
        self.own_datacenter().await?;
        let mut groups = Vec::new();
        for service in self.services().await? {
            groups.push(self.instances(&service).await?);
        }
        Ok(groups)
    }
}

/// The names of the services that a catalogue lists and that are wanted.
pub(super) fn service_names(discovery: &ConsulDiscovery, catalog: &Value) -> Vec<String> {
    let (wanted, tags) = (&discovery.services, &discovery.tags);
    let named = |name: &String| wanted.is_empty() || wanted.contains(name);
    let tagged = |has: &Value| {
        let has: Vec<&str> = list(has, "").iter().filter_map(Value::as_str).collect();
        tags.iter().all(|tag| has.contains(&tag.as_str()))
    };
    let services = entries(catalog, "").filter(|(name, has)| named(name) && tagged(has));
    services.map(|(name, _)| name.clone()).collect()
}

/// The instances of a service as `/v1/health/service` lists them.
pub(super) fn service_group(
    discovery: &ConsulDiscovery,
    datacenter: &str,
    service: &str,
    answer: &Value,
) -> TargetGroup {
    let labels = Meta::default()
        .with(format!("{PREFIX}service"), service)
        .with(format!("{PREFIX}dc"), datacenter);
    let instances = list(answer, "").iter();
    let targets: Vec<Meta> = instances
        .map(|entry| instance(entry, &discovery.tag_separator))
        .collect();
    group(service, &labels, &targets)
}

fn instance(entry: &Value, separator: &str) -> Meta {
    let (service_address, node_address) = (
        text(entry, "/Service/Address"),
        text(entry, "/Node/Address"),
    );
    let host = if service_address.is_empty() {
        &node_address
    } else {
        &service_address
    };
    let port = number(entry, "/Service/Port");
    let mut meta = Meta::at(join(host, port));
    for (name, value) in [
        ("address", node_address.clone()),
        ("node", text(entry, "/Node/Node")),
        ("namespace", text(entry, "/Service/Namespace")),
        ("partition", text(entry, "/Service/Partition")),
        ("tags", tags(entry, separator)),
        ("service_address", service_address.clone()),
        ("service_port", port.to_string()),
        ("service_id", text(entry, "/Service/ID")),
        ("health", health(entry).to_owned()),
    ] {
        meta.set(format!("{PREFIX}{name}"), value);
    }
    for (prefix, path) in [
        ("metadata_", "/Node/Meta"),
        ("service_metadata_", "/Service/Meta"),
        ("tagged_address_", "/Node/TaggedAddresses"),
    ] {
        for (name, value) in entries(entry, path) {
            meta.set(
                format!("{PREFIX}{prefix}{}", sanitized(name)),
                text(value, ""),
            );
        }
    }
    meta
}

/// Tags with the separator around each, so that a pattern can look for one.
fn tags(entry: &Value, separator: &str) -> String {
    let tags: Vec<&str> = list(entry, "/Service/Tags")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    format!("{separator}{}{separator}", tags.join(separator))
}

/// The worst state of all checks; a service or node in maintenance is that first of all.
fn health(entry: &Value) -> &'static str {
    let checks = list(entry, "/Checks");
    let in_maintenance = |check: &Value| {
        let id = text(check, "/CheckID");
        id == "_node_maintenance" || id.starts_with("_service_maintenance:")
    };
    let any = |status: &str| checks.iter().any(|check| text(check, "/Status") == status);
    if checks.iter().any(in_maintenance) {
        "maintenance"
    } else if any("critical") {
        "critical"
    } else if any("warning") {
        "warning"
    } else {
        "passing"
    }
}

#[cfg(test)]
mod tests {
    use super::instance;
    use serde_json::json;

    #[test]
    fn reads_instances() {
        let check = |status: &str, id: &str, address: &str, want: &str| {
            let entry = json!({
                "Node": {"Node": "n1", "Address": "10.0.0.1", "Meta": {"rack-row": "7"},
                         "TaggedAddresses": {"wan": "1.2.3.4"}},
                "Service": {"ID": "web-1", "Service": "web", "Address": address, "Port": 8080,
                            "Tags": ["a", "b"], "Meta": {"v": "2"}},
                "Checks": [{"CheckID": "serf", "Status": "passing"}, {"CheckID": id, "Status": status}],
            });
            assert_eq!(instance(&entry, ",").labels().to_string(), want);
        };
        let rest = "__meta_consul_metadata_rack_row=\"7\", __meta_consul_node=\"n1\"";
        let tail = "__meta_consul_service_id=\"web-1\", __meta_consul_service_metadata_v=\"2\", \
                    __meta_consul_service_port=\"8080\", __meta_consul_tagged_address_wan=\"1.2.3.4\", \
                    __meta_consul_tags=\",a,b,\"}";
        check(
            "warning",
            "x",
            "",
            &format!(
                "{{__address__=\"10.0.0.1:8080\", __meta_consul_address=\"10.0.0.1\", \
                 __meta_consul_health=\"warning\", {rest}, {tail}"
            ),
        );
        check(
            "passing",
            "_node_maintenance",
            "fd00::2",
            &format!(
                "{{__address__=\"[fd00::2]:8080\", __meta_consul_address=\"10.0.0.1\", \
                 __meta_consul_health=\"maintenance\", {rest}, __meta_consul_service_address=\"fd00::2\", {tail}"
            ),
        );
    }
}
