//! What discovery is answered: lists over HTTP, Docker, Swarm, Consul, EC2, Kubernetes; kubeconfig and credentials files.
#![no_main]

use collect::answers;
use collect::prometheus_file::{Discovery, Reading, read};
use fuzz::check_labels;
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::LazyLock;

const CONFIG: &str = "
scrape_configs:
- job_name: a
  http_sd_configs: [{url: 'http://h/'}]
  docker_sd_configs:
  - {host: 'http://h'}
  - {host: 'http://h', match_first_network: false, host_networking_host: x}
  dockerswarm_sd_configs:
  - {host: 'http://h', role: nodes}
  - {host: 'http://h', role: services}
  - {host: 'http://h', role: tasks}
  consul_sd_configs: [{server: h, tags: [t]}]
  ec2_sd_configs: [{region: r}]
  kubernetes_sd_configs:
  - {role: node}
  - {role: service}
  - {role: pod, attach_metadata: {node: true, namespace: true}}
  - {role: endpoints, attach_metadata: {node: true}}
  - {role: endpointslice}
  - {role: ingress}
";

static DISCOVERIES: LazyLock<Vec<Discovery>> = LazyLock::new(|| {
    let reading = Reading {
        file: "p.yml",
        directory: Path::new("/"),
        environment: &|_| None,
    };
    let mut file = read(CONFIG, reading).expect("sound");
    std::mem::take(&mut file.scrape_configs[0].discoveries)
});

fuzz_target!(|bytes: &[u8]| {
    let Some((first, answer)) = bytes.split_first() else {
        return;
    };
    let Some(discovery) = DISCOVERIES.get(usize::from(*first)) else {
        if let Ok(text) = std::str::from_utf8(answer) {
            let _kubeconfig = answers::is_kubeconfig(text);
            let _credentials = config::aws::has_profile(text, "default");
        }
        return;
    };
    if let Ok(groups) = answers::groups(discovery, answer) {
        for group in groups {
            check_labels(&group.labels);
            group.targets.iter().for_each(check_labels);
        }
    }
});
