//! `kubernetes_sd_configs`: nodes, services, pods, endpoints, slices or ingresses of a cluster.
//!
//! Each kind of object that a role needs is listed once and then watched, in every namespace asked for; the
//! objects are kept, and all groups are built anew a moment after any of them changed. A watch that
//! breaks off is taken up where it was; one whose place the server has forgotten begins with a list.

mod api;
mod endpoints;
mod kubeconfig;
mod objects;
mod pods;
mod roles;

use super::Reporter;
use crate::metrics::Metrics;
use crate::prometheus_file::{KubernetesDiscovery, KubernetesRole, TargetGroup};
use api::{Api, Event};
use objects::{Kind, Objects};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Events that wait at most; a watch with more to say waits.
const QUEUE: usize = 1024;
/// How long changes are gathered before targets are brought in line.
const GATHER: Duration = Duration::from_millis(500);
/// How long until a connection that cannot be made is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The groups of a role after the events of a watch, each a line: the kind of its object as a digit, and JSON. Lines that
/// cannot be read are passed over.
pub(super) fn groups_after(discovery: &KubernetesDiscovery, lines: &[u8]) -> Vec<TargetGroup> {
    const KINDS: [Kind; 7] = [
        Kind::Node,
        Kind::Namespace,
        Kind::Service,
        Kind::Pod,
        Kind::Endpoints,
        Kind::EndpointSlice,
        Kind::Ingress,
    ];
    let (mut objects, mut version) = (Objects::default(), String::new());
    for line in lines.split(|byte| *byte == b'\n') {
        let Some((digit, event)) = line.split_first() else {
            continue;
        };
        let kind = KINDS.get(usize::from(digit.wrapping_sub(b'0')));
        if let Some(kind) = kind
            && let Ok(api::Step::Told(event)) = api::read_event(*kind, event, &mut version)
        {
            objects.apply(event);
        }
    }
    roles::groups(discovery, &objects)
}

/// Whether a text is a kubeconfig file.
pub(super) fn is_kubeconfig(text: &str) -> bool {
    kubeconfig::parse(text, Path::new("/")).is_ok()
}

/// Follows a cluster until nobody listens any more.
pub(super) async fn watch(discovery: KubernetesDiscovery, metrics: Metrics, reporter: Reporter) {
    let api = loop {
        match Api::connect(&discovery) {
            Ok(api) => break api,
            Err(error) => {
                metrics.count_failed_refresh("kubernetes");
                let job = &reporter.job;
                tracing::warn!(job, error, "connecting to a Kubernetes cluster failed");
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    let (events, mut received) = mpsc::channel(QUEUE);
    let mut watches = JoinSet::new();
    let mut waiting = BTreeSet::new();
    let api = Arc::new(api);
    for kind in kinds(&discovery) {
        for namespace in api.namespaces(kind) {
            waiting.insert((kind, namespace.clone()));
            let source = api::Source {
                kind,
                namespace,
                selector: selector(&discovery, kind),
            };
            let (api, metrics, events) = (Arc::clone(&api), metrics.clone(), events.clone());
            watches.spawn(async move { api.follow(source, &metrics, &events).await });
        }
    }
    drop(events);
    let mut objects = Objects::default();
    while let Some(event) = received.recv().await {
        let mut event = Some(event);
        let until = tokio::time::Instant::now() + GATHER;
        while let Some(next) = event {
            if let Event::Listed {
                kind, namespace, ..
            } = &next
            {
                waiting.remove(&(*kind, namespace.clone()));
            }
            objects.apply(next);
            event = tokio::time::timeout_at(until, received.recv())
                .await
                .ok()
                .flatten();
        }
        // Targets without their pods or services would lack labels: better none for a moment.
        if !waiting.is_empty() {
            continue;
        }
        if !reporter.report(roles::groups(&discovery, &objects)).await {
            return;
        }
    }
}

/// The kinds of objects that a role needs.
fn kinds(discovery: &KubernetesDiscovery) -> Vec<Kind> {
    let mut kinds = match discovery.role {
        KubernetesRole::Node => return vec![Kind::Node],
        KubernetesRole::Service => vec![Kind::Service],
        KubernetesRole::Pod => vec![Kind::Pod],
        KubernetesRole::Endpoints => vec![Kind::Endpoints, Kind::Service, Kind::Pod],
        KubernetesRole::EndpointSlice => vec![Kind::EndpointSlice, Kind::Service, Kind::Pod],
        KubernetesRole::Ingress => vec![Kind::Ingress],
    };
    if discovery.attach_node && kinds.contains(&Kind::Pod) {
        kinds.push(Kind::Node);
    }
    if discovery.attach_namespace {
        kinds.push(Kind::Namespace);
    }
    kinds
}

/// The label and field selectors for a kind of object.
fn selector(discovery: &KubernetesDiscovery, kind: Kind) -> (String, String) {
    let mut selectors = discovery.selectors.iter();
    let found = selectors.find(|selector| kind.is_of_role(selector.role));
    found.map_or_else(Default::default, |s| (s.label.clone(), s.field.clone()))
}

#[cfg(test)]
mod tests;
