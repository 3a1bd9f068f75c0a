//! From the bytes that a service answered to groups of targets, without a connection: what fuzz targets and tests need.
//!
//! The watchers do the same with answers as they come. Where a source asks more than one question, the answers are the
//! fields of one JSON object here, called as the question's path.

use super::docker::{self, containers_group, network_labels};
use super::meta::{Meta, group};
use super::{consul, ec2, http, kubernetes, swarm};
use crate::prometheus_file::{Discovery, SwarmDiscovery, TargetGroup};
use serde_json::Value;

/// Makes the groups of an answer. Fails with what cannot be read.
///
/// HTTP: a list of groups. Docker: `{"containers": [], "networks": []}`; Swarm: the same of nodes, services, tasks and
/// networks; Consul: the catalogue, and the instances of a service under `"instances"`. EC2: zones and instances, two XML
/// documents with a form feed between them. Kubernetes: a watch, each line the kind of its object as a digit and an
/// event. Sources that have no answers of this form list nothing.
pub fn groups(discovery: &Discovery, answer: &[u8]) -> Result<Vec<TargetGroup>, String> {
    match discovery {
        Discovery::Static(_) | Discovery::File(_) | Discovery::Dns(_) => Ok(Vec::new()),
        Discovery::Http(_) => http::read_list(answer, "http://localhost"),
        Discovery::Docker(discovery) => {
            let answer = json(answer)?;
            let networks = network_labels(field(&answer, "networks"), docker::PREFIX);
            let containers = field(&answer, "containers");
            Ok(vec![containers_group(discovery, containers, &networks)])
        }
        Discovery::Swarm(discovery) => Ok(vec![swarm_group(discovery, json(answer)?)]),
        Discovery::Consul(discovery) => {
            let answer = json(answer)?;
            let instances = field(&answer, "instances");
            let groups = consul::service_names(discovery, &answer).into_iter();
            Ok(groups
                .map(|name| consul::service_group(discovery, "dc", &name, instances))
                .collect())
        }
        Discovery::Ec2(discovery) => {
            let text = std::str::from_utf8(answer).map_err(|error| error.to_string())?;
            let (zones, instances) = text.split_once('\u{c}').unwrap_or(("<a/>", text));
            let zones = ec2::read_zones(zones)?;
            let mut targets = Vec::new();
            let around = (discovery.region.as_str(), discovery.port, &zones);
            ec2::read_instances(instances, around, &mut targets)?;
            Ok(vec![group("ec2", &Meta::default(), &targets)])
        }
        Discovery::Kubernetes(discovery) => Ok(kubernetes::groups_after(discovery, answer)),
    }
}

/// Whether a text is a file that tells how to reach a cluster: a kubeconfig.
#[must_use]
pub fn is_kubeconfig(text: &str) -> bool {
    kubernetes::is_kubeconfig(text)
}

fn swarm_group(discovery: &SwarmDiscovery, mut answer: Value) -> TargetGroup {
    let networks = network_labels(field(&answer, "networks"), swarm::PREFIX);
    let mut take = |name: &str| answer.get_mut(name).map(Value::take).unwrap_or_default();
    let answers = swarm::Answers {
        nodes: take("nodes"),
        services: take("services"),
        tasks: take("tasks"),
        networks,
    };
    answers.group(discovery.role, discovery.port)
}

fn json(answer: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(answer).map_err(|error| error.to_string())
}

fn field<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer.get(name).unwrap_or(&Value::Null)
}
