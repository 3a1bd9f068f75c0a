//! Targets that are answered from inside: `node-exporter:9100` in a prometheus.yml from a compose file names a program
//! that Binnacle contains. Where that host does not resolve, the contained part answers in its place.

use crate::setup::Setup;
use collect::prometheus_file::Discovery;
use collect::target::ADDRESS;
use std::collections::BTreeSet;
use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A part of Binnacle that answers as the program it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The host sensors, as node_exporter.
    HostSensors,
    /// Our own metrics, as Prometheus, Alertmanager or Pushgateway.
    OwnMetrics,
}

/// The customary names and ports.
const CUSTOMARY: [(&str, &str, Part); 8] = [
    ("node-exporter", "9100", Part::HostSensors),
    ("node_exporter", "9100", Part::HostSensors),
    ("nodeexporter", "9100", Part::HostSensors),
    ("prometheus", "9090", Part::OwnMetrics),
    ("alertmanager", "9093", Part::OwnMetrics),
    ("pushgateway", "9091", Part::OwnMetrics),
    ("push-gateway", "9091", Part::OwnMetrics),
    ("push_gateway", "9091", Part::OwnMetrics),
];

/// Whether parts stand in at all: what `stand_ins` of the configuration in force says.
#[derive(Clone)]
pub(crate) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(super) fn set(&self, is_on: bool) {
        self.0.store(is_on, Ordering::Relaxed);
    }

    /// The part that stands in for an address right now. May wait for the resolver.
    pub(super) fn stand_in(&self, address: &str) -> Option<Part> {
        let is_on = self.0.load(Ordering::Relaxed);
        is_on.then(|| stand_in(address)).flatten()
    }
}

/// The part that stands in for an address, going by its name alone.
fn customary(address: &str) -> Option<Part> {
    let (host, port) = address.rsplit_once(':')?;
    CUSTOMARY
        .iter()
        .find(|(name, number, _)| *name == host && *number == port)
        .map(|(.., part)| *part)
}

/// The part that stands in for an address whose host does not resolve. May wait for the resolver.
fn stand_in(address: &str) -> Option<Part> {
    customary(address).filter(|_| address.to_socket_addrs().is_err())
}

/// What `check` says of static targets that will be answered from inside.
pub(crate) fn notes(setup: &Setup) -> Vec<String> {
    let Some(prometheus) = setup
        .prometheus
        .as_ref()
        .filter(|_| setup.settings.stand_ins)
    else {
        return Vec::new();
    };
    let mut addresses = BTreeSet::new();
    for config in &prometheus.file.scrape_configs {
        for discovery in &config.discoveries {
            let Discovery::Static(groups) = discovery else {
                continue;
            };
            let targets = groups.iter().flat_map(|group| &group.targets);
            addresses.extend(targets.map(|labels| labels.value(ADDRESS).to_owned()));
        }
    }
    let note = |address: &String| {
        let part = match stand_in(address)? {
            Part::HostSensors => "this host's sensors",
            Part::OwnMetrics => "Binnacle's own metrics",
        };
        Some(format!(
            "target {address} does not resolve and is answered from inside by {part} (stand_ins: off ends that)"
        ))
    };
    addresses.iter().filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::{Part, customary};

    #[test]
    fn knows_customary_names() {
        let check = |address, want| assert_eq!(customary(address), want, "{address}");
        check("node-exporter:9100", Some(Part::HostSensors));
        check("node_exporter:9100", Some(Part::HostSensors));
        check("prometheus:9090", Some(Part::OwnMetrics));
        check("alertmanager:9093", Some(Part::OwnMetrics));
        check("pushgateway:9091", Some(Part::OwnMetrics));
        check("node-exporter:9200", None);
        check("db1:9100", None);
    }
}
