//! The roles `endpoints` and `endpointslice`: addresses behind services, with their pods' labels, and the
//! further ports of those pods.

use super::pods;
use super::roles::{Around, PREFIX, source};
use crate::discovery::json::{entries, list, text};
use crate::discovery::meta::{Meta, group, join, sanitized};
use crate::prometheus_file::TargetGroup;
use serde_json::Value;
use std::net::IpAddr;

/// An address of an endpoint with one of its ports.
struct Found<'a> {
    target: Meta,
    reference: Option<&'a Value>,
    node: String,
    port: String,
}

/// Collects targets, and the pods that were seen with the ports that have a target already.
struct Targets<'a> {
    around: &'a Around<'a>,
    namespace: String,
    targets: Vec<Meta>,
    seen: Vec<(&'a Value, Vec<String>)>,
}

impl<'a> Targets<'a> {
    fn new(around: &'a Around<'a>, object: &Value) -> Self {
        Self {
            around,
            namespace: text(object, "/metadata/namespace"),
            targets: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn add(&mut self, found: Found<'_>) {
        let mut target = found.target;
        let node = match found.reference {
            Some(reference) if found.node.is_empty() && text(reference, "/kind") == "Node" => {
                text(reference, "/name")
            }
            _ => found.node,
        };
        self.around.add_node(&mut target, &node);
        let pod = pods::referred(self.around, found.reference, &self.namespace);
        if let Some(pod) = pod {
            match self
                .seen
                .iter_mut()
                .find(|(seen, _)| std::ptr::eq(*seen, pod))
            {
                Some((_, ports)) => ports.push(found.port.clone()),
                None => self.seen.push((pod, vec![found.port.clone()])),
            }
            target.merge(&pods::labels(pod));
            for container in pods::containers(pod) {
                let ports = list(container.object, "/ports").iter();
                let mut same = ports.filter(|port| text(port, "/containerPort") == found.port);
                if let Some(port) = same.next() {
                    pods::set_port(&mut target, &container, port);
                    break;
                }
            }
        }
        self.targets.push(target);
    }

    /// Adds the ports of the pods that no endpoint port covers. `family`: only for addresses of this kind.
    fn add_further_ports(&mut self, family: Option<&str>) {
        for (pod, covered) in std::mem::take(&mut self.seen) {
            let ip = text(pod, "/status/podIP");
            if ip.is_empty() || family.is_some_and(|family| family != family_of(&ip)) {
                continue;
            }
            for container in pods::containers(pod) {
                for port in list(container.object, "/ports") {
                    let number = text(port, "/containerPort");
                    if covered.contains(&number) {
                        continue;
                    }
                    let mut target = Meta::at(join(&ip, number));
                    pods::set_port(&mut target, &container, port);
                    target.merge(&pods::labels(pod));
                    let node = text(pod, "/spec/nodeName");
                    self.around.add_node(&mut target, &node);
                    self.targets.push(target);
                }
            }
        }
    }
}

fn family_of(ip: &str) -> &'static str {
    match ip.parse() {
        Ok(IpAddr::V6(_)) => "IPv6",
        _ => "IPv4",
    }
}

/// The targets of an Endpoints object.
pub(super) fn of_endpoints<'a>(around: &'a Around<'a>, object: &'a Value) -> TargetGroup {
    let mut labels = around.group_labels("endpoints", object);
    let mut targets = Targets::new(around, object);
    for subset in list(object, "/subsets") {
        for port in list(subset, "/ports") {
            for (path, ready) in [("/addresses", "true"), ("/notReadyAddresses", "false")] {
                for address in list(subset, path) {
                    targets.add(endpoint(address, port, ready));
                }
            }
        }
    }
    targets.add_further_ports(None);
    let name = text(object, "/metadata/name");
    around.add_service(&mut labels, &targets.namespace, &name);
    group(source("endpoints", object), &labels, &targets.targets)
}

fn endpoint<'a>(address: &'a Value, port: &Value, ready: &str) -> Found<'a> {
    let number = text(port, "/port");
    let node = text(address, "/nodeName");
    let reference = address
        .get("targetRef")
        .filter(|reference| !reference.is_null());
    let mut target = Meta::at(join(&text(address, "/ip"), &number));
    let mut set = |name: &str, value: String| {
        target.set(format!("{PREFIX}endpoint_{name}"), value);
    };
    set("port_name", text(port, "/name"));
    set("port_protocol", text(port, "/protocol"));
    set("ready", ready.to_owned());
    set("hostname", text(address, "/hostname"));
    set("node_name", node.clone());
    if let Some(reference) = reference {
        set("address_target_kind", text(reference, "/kind"));
        set("address_target_name", text(reference, "/name"));
    }
    Found {
        target,
        reference,
        node,
        port: number,
    }
}

/// The targets of an EndpointSlice object.
pub(super) fn of_slice<'a>(around: &'a Around<'a>, object: &'a Value) -> TargetGroup {
    let mut labels = around.group_labels("endpointslice", object);
    let family = text(object, "/addressType");
    let mut targets = Targets::new(around, object);
    for port in list(object, "/ports") {
        for endpoint in list(object, "/endpoints") {
            for address in list(endpoint, "/addresses")
                .iter()
                .filter_map(Value::as_str)
            {
                targets.add(slice_endpoint((address, &family), endpoint, port));
            }
        }
    }
    targets.add_further_ports(Some(&family));
    around.add_service(&mut labels, &targets.namespace, &service_of(object));
    group(source("endpointslice", object), &labels, &targets.targets)
}

/// The service that a slice belongs to.
fn service_of(object: &Value) -> String {
    let labelled = text(object, "/metadata/labels/kubernetes.io~1service-name");
    if !labelled.is_empty() {
        return labelled;
    }
    let owners = list(object, "/metadata/ownerReferences").iter();
    let mut services = owners.filter(|owner| text(owner, "/kind") == "Service");
    services
        .next()
        .map(|owner| text(owner, "/name"))
        .unwrap_or_default()
}

fn slice_endpoint<'a>(
    (address, family): (&str, &str),
    endpoint: &'a Value,
    port: &Value,
) -> Found<'a> {
    let number = text(port, "/port");
    let at = if number.is_empty() {
        address.to_owned()
    } else {
        join(address, &number)
    };
    let node = text(endpoint, "/nodeName");
    let reference = endpoint
        .get("targetRef")
        .filter(|reference| !reference.is_null());
    let mut target = Meta::at(at);
    let mut set = |name: &str, value: String| {
        target.set(format!("{PREFIX}endpointslice_{name}"), value);
    };
    set("address_type", family.to_owned());
    set("port", number.clone());
    set("port_name", text(port, "/name"));
    set("port_protocol", text(port, "/protocol"));
    set("port_app_protocol", text(port, "/appProtocol"));
    for condition in ["ready", "serving", "terminating"] {
        let value = text(endpoint, &format!("/conditions/{condition}"));
        set(&format!("endpoint_conditions_{condition}"), value);
    }
    set("endpoint_hostname", text(endpoint, "/hostname"));
    set("endpoint_node_name", node.clone());
    set("endpoint_zone", text(endpoint, "/zone"));
    for (name, value) in entries(endpoint, "/deprecatedTopology") {
        let name = sanitized(name);
        set(&format!("endpoint_topology_{name}"), text(value, ""));
        set(
            &format!("endpoint_topology_present_{name}"),
            "true".to_owned(),
        );
    }
    if let Some(reference) = reference {
        set("address_target_kind", text(reference, "/kind"));
        set("address_target_name", text(reference, "/name"));
    }
    Found {
        target,
        reference,
        node,
        port: number,
    }
}
