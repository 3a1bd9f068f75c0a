//! The discovery kinds beyond static, file and http that are active: their settings as values.
//!
//! The tables in `providers` have judged the section before; what is read here is right.

use super::discovery::Discovery;
use config::http_client::HttpClientConfig;
use config::{Node, Problems, Secret, decode};
use std::path::{Path, PathBuf};

/// How often most services are asked where nothing is said.
const REFRESH_MS: i64 = 60_000;
/// How often DNS and Consul are.
const REFRESH_OFTEN_MS: i64 = 30_000;
const PORT: i64 = 80;

/// `dns_sd_configs`: names that are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsDiscovery {
    /// What to look up.
    pub names: Vec<String>,
    /// Which records.
    pub record: DnsRecord,
    /// The port of targets whose record has none.
    pub port: i64,
    /// How often.
    pub refresh_ms: i64,
}

/// Kinds of records that name targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsRecord {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Host and port of a service.
    Srv,
    /// A mail host.
    Mx,
    /// A name server.
    Ns,
}

/// `consul_sd_configs`: services of a Consul catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsulDiscovery {
    /// Scheme, server and path prefix.
    pub base_url: String,
    /// Sent as `X-Consul-Token`; may be empty.
    pub token: Secret,
    /// Empty for the agent's own.
    pub datacenter: String,
    /// Empty for none.
    pub namespace: String,
    /// Empty for none.
    pub partition: String,
    /// Between and around the tags in their label.
    pub tag_separator: String,
    /// Whether any server may answer.
    pub allow_stale: bool,
    /// How often.
    pub refresh_ms: i64,
    /// Which services; all where empty.
    pub services: Vec<String>,
    /// Tags that a service must have, all of them.
    pub tags: Vec<String>,
    /// Metadata that nodes must have.
    pub node_meta: Vec<(String, String)>,
    /// Consul's filter expression for the catalogue.
    pub filter: String,
    /// Consul's filter expression for instances.
    pub health_filter: String,
    /// How to connect.
    pub http: HttpClientConfig,
}

/// Name and values of a filter that a service applies for us.
pub type Filter = (String, Vec<String>);

/// `docker_sd_configs`: containers of one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerDiscovery {
    /// `unix:///…`, `tcp://…` or `http(s)://…`.
    pub host: String,
    /// Which containers.
    pub filters: Vec<Filter>,
    /// The host of containers in the host's network.
    pub host_networking_host: String,
    /// The port of containers that expose none.
    pub port: i64,
    /// Whether only the first network by name counts.
    pub match_first_network: bool,
    /// Whether containers without any network are targets, too.
    pub include_no_network_targets: bool,
    /// How often.
    pub refresh_ms: i64,
    /// How to connect.
    pub http: HttpClientConfig,
}

/// What a swarm is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwarmRole {
    /// Services and their published ports.
    Services,
    /// Tasks of services.
    Tasks,
    /// Machines.
    Nodes,
}

/// `dockerswarm_sd_configs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwarmDiscovery {
    /// As for Docker.
    pub host: String,
    /// What to ask for.
    pub role: SwarmRole,
    /// Which of them.
    pub filters: Vec<Filter>,
    /// The port of what publishes none.
    pub port: i64,
    /// How often.
    pub refresh_ms: i64,
    /// How to connect.
    pub http: HttpClientConfig,
}

/// `ec2_sd_configs`: instances of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ec2Discovery {
    /// An address other than the region's; empty for that.
    pub endpoint: String,
    /// Empty for the one this host is in.
    pub region: String,
    /// Empty for those of the environment, the profile or this host's role.
    pub access_key: String,
    /// Belongs to `access_key`.
    pub secret_key: Secret,
    /// A profile of the shared credentials file.
    pub profile: String,
    /// A role to take on.
    pub role_arn: String,
    /// Sent when the role is taken on; may be empty.
    pub external_id: String,
    /// Which instances.
    pub filters: Vec<Filter>,
    /// The port of the targets.
    pub port: i64,
    /// How often.
    pub refresh_ms: i64,
    /// How to connect.
    pub http: HttpClientConfig,
}

/// What a cluster is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KubernetesRole {
    /// Machines.
    Node,
    /// Services and their ports.
    Service,
    /// Pods and the ports of their containers.
    Pod,
    /// Addresses behind services.
    Endpoints,
    /// The same in slices.
    EndpointSlice,
    /// Paths of ingresses.
    Ingress,
}

impl KubernetesRole {
    /// The role of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "node" => Self::Node,
            "service" => Self::Service,
            "pod" => Self::Pod,
            "endpoints" => Self::Endpoints,
            "endpointslice" => Self::EndpointSlice,
            "ingress" => Self::Ingress,
            _ => return None,
        })
    }
}

/// Which objects of a kind the API server is to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSelector {
    /// The kind of object.
    pub role: KubernetesRole,
    /// A label selector; may be empty.
    pub label: String,
    /// A field selector; may be empty.
    pub field: String,
}

/// `kubernetes_sd_configs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesDiscovery {
    /// Empty for the cluster that we run in, or for the one in `kubeconfig_file`.
    pub api_server: String,
    /// A kubeconfig file.
    pub kubeconfig_file: Option<PathBuf>,
    /// What to ask for.
    pub role: KubernetesRole,
    /// Which namespaces; all where empty.
    pub namespaces: Vec<String>,
    /// Whether our own namespace is one of them.
    pub own_namespace: bool,
    /// Which objects.
    pub selectors: Vec<KubernetesSelector>,
    /// Whether targets get the labels of their node.
    pub attach_node: bool,
    /// Whether targets get the labels of their namespace.
    pub attach_namespace: bool,
    /// How to connect.
    pub http: HttpClientConfig,
}

impl KubernetesDiscovery {
    pub(super) fn set_directory(&mut self, directory: &Path) {
        self.http.set_directory(directory);
        if let Some(file) = &mut self.kubeconfig_file {
            *file = directory.join(&*file);
        }
    }
}

/// A checked section of an active kind; `None` for the kinds that are not active.
pub(super) fn read(kind: &str, node: &Node, http: HttpClientConfig) -> Option<Discovery> {
    let section = Checked { node };
    Some(match kind {
        "dns" => Discovery::Dns(dns(&section)),
        "consul" => Discovery::Consul(Box::new(consul(&section, http))),
        "docker" => Discovery::Docker(Box::new(docker(&section, http))),
        "dockerswarm" => Discovery::Swarm(Box::new(swarm(&section, http))),
        "ec2" => Discovery::Ec2(Box::new(ec2(&section, http))),
        "aws" if section.text("role") == "ec2" => Discovery::Ec2(Box::new(ec2(&section, http))),
        "kubernetes" => Discovery::Kubernetes(Box::new(kubernetes(&section, http)?)),
        _ => return None,
    })
}

fn dns(section: &Checked<'_>) -> DnsDiscovery {
    let record = match section.text_or("type", "SRV").to_ascii_uppercase().as_str() {
        "A" => DnsRecord::A,
        "AAAA" => DnsRecord::Aaaa,
        "MX" => DnsRecord::Mx,
        "NS" => DnsRecord::Ns,
        _ => DnsRecord::Srv,
    };
    DnsDiscovery {
        names: section.texts("names"),
        record,
        port: section.number("port", 0),
        refresh_ms: section.refresh_ms(REFRESH_OFTEN_MS),
    }
}

fn consul(section: &Checked<'_>, mut http: HttpClientConfig) -> ConsulDiscovery {
    let scheme = section.text_or("scheme", "http");
    let server = section.text_or("server", "localhost:8500");
    let prefix = section.text("path_prefix");
    let prefix = prefix.trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    let username = section.text("username");
    if !username.is_empty() {
        http.credentials = Some(config::http_client::Credentials::Basic {
            username: config::http_client::SecretSource::Text(Secret::new(username)),
            password: config::http_client::SecretSource::Text(section.secret("password")),
        });
    }
    ConsulDiscovery {
        base_url: format!("{scheme}://{server}{slash}{prefix}"),
        token: section.secret("token"),
        datacenter: section.text("datacenter"),
        namespace: section.text("namespace"),
        partition: section.text("partition"),
        tag_separator: section.text_or("tag_separator", ","),
        allow_stale: section.flag("allow_stale", true),
        refresh_ms: section.refresh_ms(REFRESH_OFTEN_MS),
        services: section.texts("services"),
        tags: section.texts("tags"),
        node_meta: section.map("node_meta"),
        filter: section.text("filter"),
        health_filter: section.text("health_filter"),
        http,
    }
}

fn docker(section: &Checked<'_>, http: HttpClientConfig) -> DockerDiscovery {
    DockerDiscovery {
        host: section.text("host"),
        filters: section.filters(),
        host_networking_host: section.text_or("host_networking_host", "localhost"),
        port: section.number("port", PORT),
        match_first_network: section.flag("match_first_network", true),
        include_no_network_targets: section.flag("include_no_network_targets", false),
        refresh_ms: section.refresh_ms(REFRESH_MS),
        http,
    }
}

fn swarm(section: &Checked<'_>, http: HttpClientConfig) -> SwarmDiscovery {
    SwarmDiscovery {
        host: section.text("host"),
        role: match section.text("role").as_str() {
            "services" => SwarmRole::Services,
            "tasks" => SwarmRole::Tasks,
            _ => SwarmRole::Nodes,
        },
        filters: section.filters(),
        port: section.number("port", PORT),
        refresh_ms: section.refresh_ms(REFRESH_MS),
        http,
    }
}

fn ec2(section: &Checked<'_>, http: HttpClientConfig) -> Ec2Discovery {
    Ec2Discovery {
        endpoint: section.text("endpoint"),
        region: section.text("region"),
        access_key: section.text("access_key"),
        secret_key: section.secret("secret_key"),
        profile: section.text("profile"),
        role_arn: section.text("role_arn"),
        external_id: section.text("external_id"),
        filters: section.filters(),
        port: section.number("port", PORT),
        refresh_ms: section.refresh_ms(REFRESH_MS),
        http,
    }
}

fn kubernetes(section: &Checked<'_>, http: HttpClientConfig) -> Option<KubernetesDiscovery> {
    let namespaces = section.below("namespaces");
    let attached = section.below("attach_metadata");
    let selector = |node: &Node| {
        let section = Checked { node };
        Some(KubernetesSelector {
            role: KubernetesRole::named(&section.text("role"))?,
            label: section.text("label"),
            field: section.text("field"),
        })
    };
    let flag = |section: &Option<Checked<'_>>, name| {
        section
            .as_ref()
            .is_some_and(|section| section.flag(name, false))
    };
    let file = section.text("kubeconfig_file");
    Some(KubernetesDiscovery {
        api_server: section.text("api_server"),
        kubeconfig_file: (!file.is_empty()).then(|| PathBuf::from(file)),
        role: KubernetesRole::named(&section.text("role"))?,
        own_namespace: flag(&namespaces, "own_namespace"),
        namespaces: namespaces
            .map(|section| section.texts("names"))
            .unwrap_or_default(),
        selectors: section
            .list("selectors")
            .iter()
            .filter_map(selector)
            .collect(),
        attach_node: flag(&attached, "node"),
        attach_namespace: flag(&attached, "namespace"),
        http,
    })
}

/// A section without mistakes.
struct Checked<'n> {
    node: &'n Node,
}

impl<'n> Checked<'n> {
    /// Decodes a field; what is wrong with it was said before.
    fn read<T>(&self, name: &str, decode: fn(&Node, &mut Problems) -> Option<T>) -> Option<T> {
        let node = self.node.get(name).filter(|node| !node.is_null())?;
        decode(node, &mut Problems::new(""))
    }

    fn text(&self, name: &str) -> String {
        self.read(name, decode::string).unwrap_or_default()
    }

    fn text_or(&self, name: &str, default: &str) -> String {
        self.read(name, decode::string)
            .unwrap_or_else(|| default.to_owned())
    }

    fn secret(&self, name: &str) -> Secret {
        self.read(name, decode::secret).unwrap_or_default()
    }

    fn number(&self, name: &str, default: i64) -> i64 {
        self.read(name, decode::integer).unwrap_or(default)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.read(name, decode::boolean).unwrap_or(default)
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.read(name, decode::strings).unwrap_or_default()
    }

    fn map(&self, name: &str) -> Vec<(String, String)> {
        self.read(name, decode::string_map).unwrap_or_default()
    }

    fn refresh_ms(&self, default: i64) -> i64 {
        let given = self.read("refresh_interval", decode::duration_ms);
        given.filter(|millis| *millis > 0).unwrap_or(default)
    }

    fn list(&self, name: &str) -> &'n [Node] {
        self.node.get(name).map(Node::elements).unwrap_or_default()
    }

    fn below(&self, name: &str) -> Option<Self> {
        let node = self.node.get(name).filter(|node| !node.is_null())?;
        Some(Self { node })
    }

    fn filters(&self) -> Vec<Filter> {
        let filter = |node: &Node| {
            let section = Checked { node };
            (section.text("name"), section.texts("values"))
        };
        self.list("filters").iter().map(filter).collect()
    }
}
