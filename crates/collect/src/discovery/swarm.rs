//! `dockerswarm_sd_configs`: services, tasks or nodes of a Docker swarm.

use super::Provider;
use super::docker::{add_labels, engine, filters_parameter, networks};
use super::json::{JsonClient, list, text};
use super::meta::{Meta, group, join};
use crate::prometheus_file::{SwarmDiscovery, SwarmRole, TargetGroup};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const PREFIX: &str = "__meta_dockerswarm_";

/// Labels by id.
type ById = BTreeMap<String, Meta>;

/// Asks one manager of a swarm.
pub(crate) struct SwarmWatcher {
    discovery: SwarmDiscovery,
    client: JsonClient,
    base: String,
}

impl SwarmWatcher {
    pub(crate) fn new(discovery: SwarmDiscovery) -> Self {
        let timeout = Duration::from_millis(discovery.refresh_ms.unsigned_abs());
        let (client, base) = engine(&discovery.host, &discovery.http, timeout);
        Self {
            discovery,
            client,
            base,
        }
    }

    /// Lists objects of a kind; the filters apply to the kind that the role asks for.
    async fn list(&mut self, kind: SwarmRole) -> Result<Value, String> {
        let path = match kind {
            SwarmRole::Services => "services",
            SwarmRole::Tasks => "tasks",
            SwarmRole::Nodes => "nodes",
        };
        let parameters = if kind == self.discovery.role {
            filters_parameter(&self.discovery.filters)
        } else {
            Vec::new()
        };
        let url = format!("{}/{path}", self.base);
        self.client.get(&url, &parameters).await
    }
}

impl Provider for SwarmWatcher {
    const NAME: &'static str = "dockerswarm";

    fn interval(&self) -> Duration {
        Duration::from_millis(self.discovery.refresh_ms.unsigned_abs())
    }

    async fn ask(&mut self) -> Result<Vec<TargetGroup>, String> {
        let mut answers = Answers::default();
        match self.discovery.role {
            SwarmRole::Nodes => answers.nodes = self.list(SwarmRole::Nodes).await?,
            SwarmRole::Services => {
                answers.services = self.list(SwarmRole::Services).await?;
                answers.networks = networks(&mut self.client, &self.base, PREFIX).await?;
            }
            SwarmRole::Tasks => {
                answers.tasks = self.list(SwarmRole::Tasks).await?;
                answers.services = self.list(SwarmRole::Services).await?;
                answers.nodes = self.list(SwarmRole::Nodes).await?;
                answers.networks = networks(&mut self.client, &self.base, PREFIX).await?;
            }
        }
        Ok(vec![
            answers.group(self.discovery.role, self.discovery.port),
        ])
    }
}

/// What a manager answered; null for what a role does not ask.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) nodes: Value,
    pub(super) services: Value,
    pub(super) tasks: Value,
    pub(super) networks: ById,
}

impl Answers {
    /// The targets of a role; `port` for what publishes none.
    pub(super) fn group(&self, role: SwarmRole, port: i64) -> TargetGroup {
        let targets: Vec<Meta> = match role {
            SwarmRole::Nodes => {
                let nodes = list(&self.nodes, "").iter();
                nodes.map(|node| node_target(node, port)).collect()
            }
            SwarmRole::Services => {
                let services = list(&self.services, "").iter();
                services
                    .flat_map(|service| service_targets(service, &self.networks, port))
                    .collect()
            }
            SwarmRole::Tasks => {
                let around = Around {
                    services: by_id(&self.services, |service| service_labels(service, false)),
                    service_ports: list(&self.services, "")
                        .iter()
                        .map(|service| (text(service, "/ID"), list(service, "/Endpoint/Ports")))
                        .collect(),
                    nodes: by_id(&self.nodes, node_labels),
                    networks: &self.networks,
                };
                let tasks = list(&self.tasks, "").iter();
                tasks
                    .flat_map(|task| task_targets(task, &around, port))
                    .collect()
            }
        };
        group("DockerSwarm", &Meta::default(), &targets)
    }
}

fn by_id(answer: &Value, labels: impl Fn(&Value) -> Meta) -> ById {
    let objects = list(answer, "").iter();
    objects
        .map(|object| (text(object, "/ID"), labels(object)))
        .collect()
}

fn copy(meta: &mut Meta, value: &Value, pairs: &[(&str, &str)]) {
    for (name, path) in pairs {
        meta.set(format!("{PREFIX}{name}"), text(value, path));
    }
}

fn node_labels(node: &Value) -> Meta {
    let mut meta = Meta::default();
    copy(
        &mut meta,
        node,
        &[
            ("node_id", "/ID"),
            ("node_address", "/Status/Addr"),
            ("node_status", "/Status/State"),
            ("node_hostname", "/Description/Hostname"),
            ("node_role", "/Spec/Role"),
            ("node_availability", "/Spec/Availability"),
            (
                "node_platform_architecture",
                "/Description/Platform/Architecture",
            ),
            ("node_platform_os", "/Description/Platform/OS"),
        ],
    );
    add_labels(
        &mut meta,
        &format!("{PREFIX}node_label_"),
        node,
        "/Spec/Labels",
    );
    meta
}

fn node_target(node: &Value, port: i64) -> Meta {
    let mut meta = Meta::at(join(&text(node, "/Status/Addr"), port));
    meta.merge(&node_labels(node));
    let version = [("node_engine_version", "/Description/Engine/EngineVersion")];
    copy(&mut meta, node, &version);
    if let Some(manager) = node
        .get("ManagerStatus")
        .filter(|manager| !manager.is_null())
    {
        let leader = manager
            .get("Leader")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        meta.set(format!("{PREFIX}node_manager_leader"), leader.to_string());
        let pairs = [
            ("node_manager_reachability", "/Reachability"),
            ("node_manager_address", "/Addr"),
        ];
        copy(&mut meta, manager, &pairs);
    }
    meta
}

fn service_labels(service: &Value, with_task: bool) -> Meta {
    let mode = if service
        .pointer("/Spec/Mode/Replicated")
        .is_some_and(|mode| !mode.is_null())
    {
        "replicated"
    } else if service
        .pointer("/Spec/Mode/Global")
        .is_some_and(|mode| !mode.is_null())
    {
        "global"
    } else {
        ""
    };
    let mut meta = Meta::default().with(format!("{PREFIX}service_mode"), mode);
    copy(
        &mut meta,
        service,
        &[("service_id", "/ID"), ("service_name", "/Spec/Name")],
    );
    if with_task {
        let container = "/Spec/TaskTemplate/ContainerSpec";
        let (host, image) = (
            format!("{container}/Hostname"),
            format!("{container}/Image"),
        );
        copy(
            &mut meta,
            service,
            &[
                ("service_task_container_hostname", &host),
                ("service_task_container_image", &image),
                ("service_updating_status", "/UpdateStatus/State"),
            ],
        );
    }
    add_labels(
        &mut meta,
        &format!("{PREFIX}service_label_"),
        service,
        "/Spec/Labels",
    );
    meta
}

/// The address of `10.0.0.2/24`.
fn without_prefix_length(address: &str) -> &str {
    address.split('/').next().unwrap_or_default()
}

fn service_targets(service: &Value, networks: &ById, port: i64) -> Vec<Meta> {
    let common = service_labels(service, true);
    let mut targets = Vec::new();
    for virtual_ip in list(service, "/Endpoint/VirtualIPs") {
        let address = text(virtual_ip, "/Addr");
        let ip = without_prefix_length(&address);
        if ip.is_empty() {
            continue;
        }
        let mut target = common.clone();
        if let Some(labels) = networks.get(&text(virtual_ip, "/NetworkID")) {
            target.merge(labels);
        }
        let before = targets.len();
        for endpoint in list(service, "/Endpoint/Ports") {
            if text(endpoint, "/Protocol") != "tcp" {
                continue;
            }
            let mut target = target.clone();
            copy(
                &mut target,
                endpoint,
                &[
                    ("service_endpoint_port_name", "/Name"),
                    ("service_endpoint_port_publish_mode", "/PublishMode"),
                ],
            );
            target.set("__address__", join(ip, text(endpoint, "/PublishedPort")));
            targets.push(target);
        }
        if targets.len() == before {
            target.set("__address__", join(ip, port));
            targets.push(target);
        }
    }
    targets
}

/// What tasks refer to.
struct Around<'a> {
    services: ById,
    service_ports: BTreeMap<String, &'a [Value]>,
    nodes: ById,
    networks: &'a ById,
}

fn task_targets(task: &Value, around: &Around<'_>, port: i64) -> Vec<Meta> {
    let mut common = Meta::default();
    copy(
        &mut common,
        task,
        &[
            ("task_id", "/ID"),
            ("task_desired_state", "/DesiredState"),
            ("task_state", "/Status/State"),
            ("task_slot", "/Slot"),
            ("task_container_id", "/Status/ContainerStatus/ContainerID"),
        ],
    );
    let prefix = format!("{PREFIX}container_label_");
    add_labels(&mut common, &prefix, task, "/Spec/ContainerSpec/Labels");
    let service = text(task, "/ServiceID");
    let node = around.nodes.get(&text(task, "/NodeID"));
    for labels in around.services.get(&service).into_iter().chain(node) {
        common.merge(labels);
    }
    let publish_mode = format!("{PREFIX}task_port_publish_mode");
    let mut targets = Vec::new();
    let tcp = |port: &&Value| text(port, "/Protocol") == "tcp";
    for published in list(task, "/Status/PortStatus/Ports").iter().filter(tcp) {
        let mut target = common.clone();
        target.set(publish_mode.clone(), text(published, "/PublishMode"));
        let host = target.value("__meta_dockerswarm_node_address").to_owned();
        target.set(
            "__address__",
            join(&host, text(published, "/PublishedPort")),
        );
        targets.push(target);
    }
    for attachment in list(task, "/NetworksAttachments") {
        let mut attached = common.clone();
        if let Some(labels) = around.networks.get(&text(attachment, "/Network/ID")) {
            attached.merge(labels);
        }
        for address in list(attachment, "/Addresses")
            .iter()
            .filter_map(Value::as_str)
        {
            let ip = without_prefix_length(address);
            let ports = around
                .service_ports
                .get(&service)
                .copied()
                .unwrap_or_default();
            let before = targets.len();
            for published in ports.iter().filter(tcp) {
                let mut target = attached.clone();
                target.set(publish_mode.clone(), text(published, "/PublishMode"));
                target.set("__address__", join(ip, text(published, "/PublishedPort")));
                targets.push(target);
            }
            if targets.len() == before {
                targets.push(attached.clone().with("__address__", join(ip, port)));
            }
        }
    }
    targets
}
