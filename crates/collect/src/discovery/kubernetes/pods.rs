//! Pods: their labels, their containers, and the targets of the role `pod`.

use super::Kind;
use super::api::all_in;
use super::roles::{Around, PREFIX, add_object, source};
use crate::discovery::json::{list, text};
use crate::discovery::meta::{Meta, group, join};
use crate::prometheus_file::TargetGroup;
use serde_json::Value;

/// A container of a pod.
pub(super) struct Container<'a> {
    pub(super) object: &'a Value,
    pub(super) is_init: bool,
}

/// All containers, init containers last.
pub(super) fn containers(pod: &Value) -> Vec<Container<'_>> {
    let of = |path, is_init| {
        let all = list(pod, path).iter();
        all.map(move |object| Container { object, is_init })
    };
    of("/spec/containers", false)
        .chain(of("/spec/initContainers", true))
        .collect()
}

/// The pod that a reference means, if it means one that is known.
pub(super) fn referred<'a>(
    around: &Around<'a>,
    reference: Option<&Value>,
    namespace: &str,
) -> Option<&'a Value> {
    let reference = reference.filter(|reference| text(reference, "/kind") == "Pod")?;
    let named = text(reference, "/namespace");
    let namespace = if named.is_empty() { namespace } else { &named };
    around
        .objects
        .get(Kind::Pod, namespace, &text(reference, "/name"))
}

/// The labels that every target of a pod has.
pub(super) fn labels(pod: &Value) -> Meta {
    let mut meta = Meta::default();
    add_object(&mut meta, "pod", pod);
    for (name, path) in [
        ("ip", "/status/podIP"),
        ("phase", "/status/phase"),
        ("node_name", "/spec/nodeName"),
        ("host_ip", "/status/hostIP"),
        ("uid", "/metadata/uid"),
    ] {
        meta.set(format!("{PREFIX}pod_{name}"), text(pod, path));
    }
    meta.set(format!("{PREFIX}pod_ready"), readiness(pod));
    add_controller(&mut meta, pod);
    meta
}

fn readiness(pod: &Value) -> String {
    let conditions = list(pod, "/status/conditions").iter();
    let mut ready = conditions.filter(|condition| text(condition, "/type") == "Ready");
    let status = ready.next().map(|condition| text(condition, "/status"));
    status
        .unwrap_or_else(|| "unknown".to_owned())
        .to_ascii_lowercase()
}

/// Kind and name of what made the pod, and what that makes of deployments and jobs.
fn add_controller(meta: &mut Meta, pod: &Value) {
    let owners = list(pod, "/metadata/ownerReferences").iter();
    let mut owners = owners.filter(|owner| text(owner, "/controller") == "true");
    let Some(owner) = owners.next() else {
        return;
    };
    let (kind, name) = (text(owner, "/kind"), text(owner, "/name"));
    match kind.as_str() {
        "ReplicaSet" => {
            // A deployment names its replica sets after itself and the hash of their template.
            let hash = text(pod, "/metadata/labels/pod-template-hash");
            let deployment = name.strip_suffix(&format!("-{hash}"));
            if let Some(deployment) = deployment.filter(|_| !hash.is_empty()) {
                meta.set(format!("{PREFIX}pod_deployment_name"), deployment);
            }
        }
        "Job" => {
            meta.set(format!("{PREFIX}pod_job_name"), name.clone());
            // A cron job names its jobs after itself and the minute they are due.
            if let Some((cron, minute)) = name.rsplit_once('-')
                && minute.len() >= 8
                && minute.bytes().all(|byte| byte.is_ascii_digit())
            {
                meta.set(format!("{PREFIX}pod_cronjob_name"), cron);
            }
        }
        _ => {}
    }
    meta.set(format!("{PREFIX}pod_controller_kind"), kind);
    meta.set(format!("{PREFIX}pod_controller_name"), name);
}

/// Sets the labels of a container's port.
pub(super) fn set_port(target: &mut Meta, container: &Container<'_>, port: &Value) {
    let mut set = |name: &str, value: String| {
        target.set(format!("{PREFIX}pod_container_{name}"), value);
    };
    set("name", text(container.object, "/name"));
    set("image", text(container.object, "/image"));
    set("port_name", text(port, "/name"));
    set("port_number", text(port, "/containerPort"));
    set("port_protocol", text(port, "/protocol"));
    set("init", container.is_init.to_string());
}

/// The group of a pod: a target for each port of each container, one without a port for containers without.
pub(super) fn group_of(around: &Around<'_>, pod: &Value) -> TargetGroup {
    let ip = text(pod, "/status/podIP");
    if ip.is_empty() {
        // It is being started, or was evicted.
        return group(source("pod", pod), &Meta::default(), &[]);
    }
    let mut group_labels = around.group_labels("pod", pod);
    group_labels.merge(&labels(pod));
    around.add_node(&mut group_labels, &text(pod, "/spec/nodeName"));
    let mut targets = Vec::new();
    for container in containers(pod) {
        let id = container_id(pod, &text(container.object, "/name"));
        let ports = list(container.object, "/ports");
        for port in ports {
            let mut target = Meta::at(join(&ip, text(port, "/containerPort")));
            set_port(&mut target, &container, port);
            target.set(format!("{PREFIX}pod_container_id"), id.clone());
            targets.push(target);
        }
        if ports.is_empty() {
            let mut target = Meta::at(ip.clone());
            set_port(&mut target, &container, &Value::Null);
            target.set(format!("{PREFIX}pod_container_id"), id);
            targets.push(target);
        }
    }
    group(source("pod", pod), &group_labels, &targets)
}

fn container_id(pod: &Value, name: &str) -> String {
    let paths = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let statuses = all_in(pod, &paths);
    let mut named = statuses
        .into_iter()
        .filter(|status| text(status, "/name") == name);
    named
        .next()
        .map(|status| text(status, "/containerID"))
        .unwrap_or_default()
}
