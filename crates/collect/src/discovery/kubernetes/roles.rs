//! From objects to groups of targets, a function for each role.

use super::objects::{Kind, Objects};
use super::{endpoints, pods};
use crate::discovery::json::{entries, list, text};
use crate::discovery::meta::{Meta, group, join, sanitized};
use crate::prometheus_file::{KubernetesDiscovery, KubernetesRole, TargetGroup};
use serde_json::Value;

pub(super) const PREFIX: &str = "__meta_kubernetes_";

/// All groups of a role, a group for each object.
pub(super) fn groups(discovery: &KubernetesDiscovery, objects: &Objects) -> Vec<TargetGroup> {
    let around = Around { discovery, objects };
    match discovery.role {
        KubernetesRole::Node => objects.all(Kind::Node).map(node).collect(),
        KubernetesRole::Service => objects
            .all(Kind::Service)
            .map(|o| service(&around, o))
            .collect(),
        KubernetesRole::Pod => objects
            .all(Kind::Pod)
            .map(|o| pods::group_of(&around, o))
            .collect(),
        KubernetesRole::Endpoints => {
            let all = objects.all(Kind::Endpoints);
            all.map(|object| endpoints::of_endpoints(&around, object))
                .collect()
        }
        KubernetesRole::EndpointSlice => {
            let all = objects.all(Kind::EndpointSlice);
            all.map(|object| endpoints::of_slice(&around, object))
                .collect()
        }
        KubernetesRole::Ingress => objects
            .all(Kind::Ingress)
            .map(|o| ingress(&around, o))
            .collect(),
    }
}

/// What the targets of an object take labels from.
pub(super) struct Around<'a> {
    pub(super) discovery: &'a KubernetesDiscovery,
    pub(super) objects: &'a Objects,
}

impl Around<'_> {
    /// The labels of the group of an object: its namespace, itself, and its namespace's metadata if asked for.
    pub(super) fn group_labels(&self, role: &str, object: &Value) -> Meta {
        let namespace = text(object, "/metadata/namespace");
        let mut labels = Meta::default().with(format!("{PREFIX}namespace"), namespace.clone());
        if self.discovery.attach_namespace
            && let Some(object) = self.objects.get(Kind::Namespace, "", &namespace)
        {
            add_metadata(&mut labels, "namespace", object);
        }
        add_object(&mut labels, role, object);
        labels
    }

    /// Adds the labels of a node, if asked for.
    pub(super) fn add_node(&self, labels: &mut Meta, name: &str) {
        if self.discovery.attach_node
            && let Some(node) = self.objects.get(Kind::Node, "", name)
        {
            add_object(labels, "node", node);
        }
    }

    /// Adds the labels of a service.
    pub(super) fn add_service(&self, labels: &mut Meta, namespace: &str, name: &str) {
        if let Some(service) = self.objects.get(Kind::Service, namespace, name) {
            add_object(labels, "service", service);
        }
    }
}

/// Adds name, labels and annotations of an object.
pub(super) fn add_object(meta: &mut Meta, role: &str, object: &Value) {
    meta.set(
        format!("{PREFIX}{role}_name"),
        text(object, "/metadata/name"),
    );
    add_metadata(meta, role, object);
}

fn add_metadata(meta: &mut Meta, role: &str, object: &Value) {
    for (kind, path) in [
        ("label", "/metadata/labels"),
        ("annotation", "/metadata/annotations"),
    ] {
        for (name, value) in entries(object, path) {
            let name = sanitized(name);
            meta.set(format!("{PREFIX}{role}_{kind}_{name}"), text(value, ""));
            meta.set(format!("{PREFIX}{role}_{kind}present_{name}"), "true");
        }
    }
}

/// `role/namespace/name`, which tells groups apart.
pub(super) fn source(role: &str, object: &Value) -> String {
    let (namespace, name) = (
        text(object, "/metadata/namespace"),
        text(object, "/metadata/name"),
    );
    if namespace.is_empty() {
        return format!("{role}/{name}");
    }
    format!("{role}/{namespace}/{name}")
}

/// Which address of a node is its target's, first come first served.
const ADDRESS_TYPES: [&str; 6] = [
    "InternalIP",
    "InternalDNS",
    "ExternalIP",
    "ExternalDNS",
    "LegacyHostIP",
    "Hostname",
];

fn node(object: &Value) -> TargetGroup {
    let mut labels = Meta::default();
    add_object(&mut labels, "node", object);
    let provider = text(object, "/spec/providerID");
    labels.set(format!("{PREFIX}node_provider_id"), provider);
    let addresses = list(object, "/status/addresses");
    let first = |kind: &str| {
        addresses
            .iter()
            .find(|address| text(address, "/type") == kind)
    };
    let Some(address) = ADDRESS_TYPES.iter().find_map(|kind| first(kind)) else {
        return group(source("node", object), &labels, &[]);
    };
    let port = text(object, "/status/daemonEndpoints/kubeletEndpoint/Port");
    let port = if port.is_empty() {
        "0".to_owned()
    } else {
        port
    };
    let mut target = Meta::at(join(&text(address, "/address"), port));
    target.set("instance", text(object, "/metadata/name"));
    for address in addresses.iter().rev() {
        let kind = sanitized(&text(address, "/type"));
        target.set(
            format!("{PREFIX}node_address_{kind}"),
            text(address, "/address"),
        );
    }
    group(source("node", object), &labels, &[target])
}

fn service(around: &Around<'_>, object: &Value) -> TargetGroup {
    let labels = around.group_labels("service", object);
    let (name, namespace) = (
        text(object, "/metadata/name"),
        text(object, "/metadata/namespace"),
    );
    let kind = text(object, "/spec/type");
    let target = |port: &Value| {
        let number = text(port, "/port");
        let mut target = Meta::at(join(&format!("{name}.{namespace}.svc"), &number));
        let mut set = |label: &str, value: String| {
            target.set(format!("{PREFIX}service_{label}"), value);
        };
        set("port_name", text(port, "/name"));
        set("port_number", number);
        set("port_protocol", text(port, "/protocol"));
        set("type", kind.clone());
        if kind == "ExternalName" {
            set("external_name", text(object, "/spec/externalName"));
        } else {
            set("cluster_ip", text(object, "/spec/clusterIP"));
        }
        if kind == "LoadBalancer" {
            set("loadbalancer_ip", text(object, "/spec/loadBalancerIP"));
        }
        target
    };
    let targets: Vec<Meta> = list(object, "/spec/ports").iter().map(target).collect();
    group(source("svc", object), &labels, &targets)
}

fn ingress(around: &Around<'_>, object: &Value) -> TargetGroup {
    let mut labels = around.group_labels("ingress", object);
    let class = text(object, "/spec/ingressClassName");
    labels.set(format!("{PREFIX}ingress_class_name"), class);
    let mut targets = Vec::new();
    for rule in list(object, "/spec/rules") {
        let host = text(rule, "/host");
        let scheme = if is_encrypted(object, &host) {
            "https"
        } else {
            "http"
        };
        let mut paths: Vec<String> = list(rule, "/http/paths")
            .iter()
            .map(|path| text(path, "/path"))
            .collect();
        if rule.pointer("/http").is_none_or(Value::is_null) {
            paths = vec![String::new()];
        }
        for path in paths {
            let path = if path.is_empty() {
                "/".to_owned()
            } else {
                path
            };
            let target = Meta::at(host.clone())
                .with(format!("{PREFIX}ingress_scheme"), scheme)
                .with(format!("{PREFIX}ingress_host"), host.clone())
                .with(format!("{PREFIX}ingress_path"), path);
            targets.push(target);
        }
    }
    group(source("ingress", object), &labels, &targets)
}

/// Whether one of the ingress's certificates is for this host, `*` standing for the host's first part.
fn is_encrypted(object: &Value, host: &str) -> bool {
    let hosts = list(object, "/spec/tls")
        .iter()
        .flat_map(|tls| list(tls, "/hosts"));
    let matches = |pattern: &str| match pattern.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(_, parent)| parent == rest),
        None => pattern == host,
    };
    hosts.filter_map(Value::as_str).any(matches)
}
