//! Where targets come from: the `*_sd_configs` and `static_configs` of a scrape config.

use super::active::{
    self, ConsulDiscovery, DnsDiscovery, DockerDiscovery, Ec2Discovery, KubernetesDiscovery,
    SwarmDiscovery,
};
use super::providers::PROVIDERS;
use super::{Notes, schema};
use config::http_client::{self, HttpClientConfig};
use config::{Fields, Node, NodeKind, Position, Problems, WebAddress, decode, yaml};
use model::Labels;
use std::path::{Path, PathBuf};

/// How often files are looked at where nothing is said.
const FILE_REFRESH_MS: i64 = 300_000;
/// How often an address is asked where nothing is said.
const HTTP_REFRESH_MS: i64 = 60_000;

/// A source of targets that is active.
#[derive(Clone, Debug, PartialEq)]
pub enum Discovery {
    /// `static_configs`
    Static(Vec<TargetGroup>),
    /// An element of `file_sd_configs`.
    File(FileDiscovery),
    /// An element of `http_sd_configs`.
    Http(Box<HttpDiscovery>),
    /// An element of `dns_sd_configs`.
    Dns(DnsDiscovery),
    /// An element of `consul_sd_configs`.
    Consul(Box<ConsulDiscovery>),
    /// An element of `docker_sd_configs`.
    Docker(Box<DockerDiscovery>),
    /// An element of `dockerswarm_sd_configs`.
    Swarm(Box<SwarmDiscovery>),
    /// An element of `ec2_sd_configs`.
    Ec2(Box<Ec2Discovery>),
    /// An element of `kubernetes_sd_configs`.
    Kubernetes(Box<KubernetesDiscovery>),
}

/// Files that list targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiscovery {
    /// Paths; the last component may be a pattern.
    pub files: Vec<PathBuf>,
    /// How often they are read again at least.
    pub refresh_ms: i64,
}

/// An address that lists targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpDiscovery {
    /// What to ask.
    pub url: String,
    /// How often.
    pub refresh_ms: i64,
    /// How to connect.
    pub http: HttpClientConfig,
}

/// Targets with labels in common.
#[derive(Clone, Debug, Default)]
pub struct TargetGroup {
    /// What tells it from other groups of its source.
    pub source: String,
    /// Labels of each target.
    pub labels: Labels,
    /// Each target's own labels, `__address__` among them.
    pub targets: Vec<Labels>,
    /// Where each target stands, for groups that stand in a file.
    pub positions: Vec<Position>,
}

/// Positions are for messages: the same targets on another line are no change.
impl PartialEq for TargetGroup {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.labels, &self.targets)
            == (&other.source, &other.labels, &other.targets)
    }
}

impl Discovery {
    pub(super) fn set_directory(&mut self, directory: &Path) {
        match self {
            Self::Static(_) | Self::Dns(_) => {}
            Self::File(file) => {
                for path in &mut file.files {
                    *path = directory.join(&*path);
                }
            }
            Self::Http(http) => http.http.set_directory(directory),
            Self::Consul(consul) => consul.http.set_directory(directory),
            Self::Docker(docker) => docker.http.set_directory(directory),
            Self::Swarm(swarm) => swarm.http.set_directory(directory),
            Self::Ec2(ec2) => ec2.http.set_directory(directory),
            Self::Kubernetes(kubernetes) => kubernetes.set_directory(directory),
        }
    }
}

/// Takes every discovery field out of a mapping. Kinds that are not active yet are checked and noted.
pub(super) fn read(fields: &mut Fields<'_, '_>, notes: &mut Notes) -> Vec<Discovery> {
    let mut discoveries = Vec::new();
    let groups = elements(fields, "static_configs", target_group);
    if !groups.is_empty() {
        let mut groups = groups;
        for (i, group) in groups.iter_mut().enumerate() {
            group.source = i.to_string();
        }
        discoveries.push(Discovery::Static(groups));
    }
    let files = elements(fields, "file_sd_configs", file_discovery);
    discoveries.extend(files.into_iter().map(Discovery::File));
    let addresses = elements(fields, "http_sd_configs", http_discovery);
    discoveries.extend(
        addresses
            .into_iter()
            .map(|http| Discovery::Http(Box::new(http))),
    );
    for (kind, schema) in &PROVIDERS {
        let name = format!("{kind}_sd_configs");
        let sections = elements(fields, &name, |node, problems| {
            Some((node, schema::check(node, schema, problems)))
        });
        let mut noted = false;
        for (node, http) in sections {
            match active::read(kind, node, http) {
                Some(discovery) => discoveries.push(discovery),
                None if noted => {}
                None => {
                    notes.not_active(node, &name);
                    noted = true;
                }
            }
        }
    }
    discoveries
}

fn elements<'n, T>(
    fields: &mut Fields<'n, '_>,
    name: &str,
    mut decode: impl FnMut(&'n Node, &mut Problems) -> Option<T>,
) -> Vec<T> {
    fields.read_list(name, |node, problems| {
        if node.is_null() {
            problems.add(node.position, format!("empty or null section in {name}"));
            return None;
        }
        decode(node, problems)
    })
}

fn target_group(node: &Node, problems: &mut Problems) -> Option<TargetGroup> {
    let mut fields = Fields::of(node, "targetgroup.Group", problems)?;
    let targets = fields.read_list("targets", |node, problems| {
        Some((node.position, decode::string(node, problems)?))
    });
    let labels = fields.read("labels", group_labels).unwrap_or_default();
    fields.finish();
    let address =
        |(_, address): &(Position, String)| Labels::from_pairs([(crate::target::ADDRESS, address)]);
    Some(TargetGroup {
        source: String::new(),
        labels,
        positions: targets.iter().map(|(position, _)| *position).collect(),
        targets: targets.iter().map(address).collect(),
    })
}

fn group_labels(node: &Node, problems: &mut Problems) -> Option<Labels> {
    let pairs = decode::string_map(node, problems)?;
    if pairs.iter().any(|(name, _)| name.is_empty()) {
        problems.add(node.position, "\"\" is not a valid label name");
        return None;
    }
    Some(Labels::from_pairs(pairs))
}

fn file_discovery(node: &Node, problems: &mut Problems) -> Option<FileDiscovery> {
    let mut fields = Fields::of(node, "file.SDConfig", problems)?;
    let files = fields.read_list("files", |node, problems| {
        let path = decode::string(node, problems)?;
        if !is_file_pattern(&path) {
            problems.add(
                node.position,
                format!("path name {path:?} is not valid for file discovery"),
            );
        }
        Some(PathBuf::from(path))
    });
    let refresh = fields.read("refresh_interval", decode::duration_ms);
    if node
        .get("files")
        .is_none_or(|files| files.elements().is_empty())
    {
        fields.wrong("file service discovery config must contain at least one path name");
    }
    fields.finish();
    Some(FileDiscovery {
        files,
        refresh_ms: refresh
            .filter(|millis| *millis > 0)
            .unwrap_or(FILE_REFRESH_MS),
    })
}

/// A star may stand in the last component only, and the name must end like YAML or JSON.
fn is_file_pattern(path: &str) -> bool {
    let extensions = [".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"];
    let star_in_folder = path
        .split_once('*')
        .is_some_and(|(_, rest)| rest.contains('/'));
    !star_in_folder && extensions.iter().any(|extension| path.ends_with(extension))
}

fn http_discovery(node: &Node, problems: &mut Problems) -> Option<HttpDiscovery> {
    let mut fields = Fields::of(node, "http.SDConfig", problems)?;
    let url = fields.read("url", decode::string).unwrap_or_default();
    let mistake = match WebAddress::parse(&url) {
        _ if url.is_empty() => Some("URL is missing".to_owned()),
        Err(message) => Some(message),
        Ok(address) if !matches!(address.scheme.as_str(), "http" | "https") => {
            Some("URL scheme must be 'http' or 'https'".to_owned())
        }
        Ok(address) if address.host.is_empty() => Some("host is missing in URL".to_owned()),
        Ok(_) => None,
    };
    if let Some(mistake) = mistake {
        let position = node.get("url").unwrap_or(node).position;
        fields.problems().add(position, mistake);
    }
    let refresh = fields.read("refresh_interval", decode::duration_ms);
    let http = http_client::inline(&mut fields, HttpClientConfig::default());
    fields.finish();
    Some(HttpDiscovery {
        url,
        refresh_ms: refresh
            .filter(|millis| *millis > 0)
            .unwrap_or(HTTP_REFRESH_MS),
        http,
    })
}

/// Reads a list of target groups as files and addresses give it: YAML or JSON, which is YAML.
///
/// `source`: the file or address; groups are told apart by their index in it.
pub fn read_target_groups(text: &str, source: &str) -> Result<Vec<TargetGroup>, Problems> {
    let mut problems = Problems::new(source);
    let root = yaml::parse_single(text, &mut problems);
    let groups = root.and_then(|root| match &root.kind {
        NodeKind::Null => Some(Vec::new()),
        NodeKind::Sequence(_) | NodeKind::Scalar { .. } | NodeKind::Mapping(_) => {
            decode::list(&root, &mut problems, |node, problems| {
                if node.is_null() {
                    problems.add(node.position, "nil target group item found");
                    return None;
                }
                target_group(node, problems)
            })
        }
    });
    let mut groups = problems.into_result(groups)?;
    for (i, group) in groups.iter_mut().enumerate() {
        group.source = format!("{source}:{i}");
    }
    Ok(groups)
}
