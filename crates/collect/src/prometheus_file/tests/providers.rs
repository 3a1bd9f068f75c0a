//! Each discovery kind with settings that upstream takes, and with what it refuses.

use super::super::providers::PROVIDERS;
use super::parse;

/// The messages about one element of a kind's list; empty where it is taken.
fn messages(kind: &str, element: &str) -> String {
    let text = format!("scrape_configs: [{{job_name: j, {kind}_sd_configs: [{{{element}}}]}}]");
    parse(&text).err().unwrap_or_default()
}

const GOOD: [(&str, &str); 34] = [
    ("aws", "role: ecs, region: us-east-1, clusters: [a]"),
    (
        "azure",
        "subscription_id: a, tenant_id: b, client_id: c, client_secret: d, port: 9100",
    ),
    (
        "consul",
        "server: 'localhost:1234', token: a, services: [b], node_meta: {rack: '1'}, allow_stale: false",
    ),
    (
        "digitalocean",
        "authorization: {credentials: a}, port: 1, refresh_interval: 5s",
    ),
    ("dns", "names: [a], type: aaaa, port: 80"),
    (
        "docker",
        "host: 'unix:///var/run/docker.sock', filters: [{name: a, values: [b]}], match_first_network: true",
    ),
    ("dockerswarm", "host: 'http://127.0.0.1:2375', role: nodes"),
    (
        "ec2",
        "region: a, external_id: b, filters: [{name: c, values: [d]}]",
    ),
    ("ecs", "port: 9090, request_concurrency: 5"),
    ("elasticache", "clusters: [a]"),
    ("eureka", "server: 'http://eureka.example.com:8761/eureka'"),
    ("gce", "project: a, zone: b, filter: c, tag_separator: ';'"),
    (
        "hetzner",
        "role: robot, basic_auth: {username: a, password: b}",
    ),
    ("ionos", "datacenter_id: a"),
    (
        "kubernetes",
        "role: pod, attach_metadata: {node: true, namespace: true}, namespaces: {own_namespace: true}",
    ),
    (
        "kuma",
        "server: 'http://a:5676', client_id: b, fetch_timeout: 1m",
    ),
    ("lightsail", "region: a, profile: b"),
    ("linode", "region: a, tag_separator: ','"),
    ("marathon", "servers: [a], auth_token: b"),
    ("msk", "region: a"),
    ("nerve", "servers: [a], paths: [/b], timeout: 10s"),
    ("nomad", "server: 'http://localhost:4646', namespace: a"),
    (
        "oci",
        "region: a, tenancy: b, user: c, fingerprint: d, key_file: e, key_passphrase: f, compartments: [g]",
    ),
    (
        "openstack",
        "role: loadbalancer, region: a, availability: internal, all_tenants: true",
    ),
    ("outscale", "access_key: a, secret_key_file: b"),
    (
        "ovhcloud",
        "service: vps, application_key: a, application_secret: b, consumer_key: c",
    ),
    (
        "puppetdb",
        "url: 'https://puppet/', query: q, include_parameters: true",
    ),
    ("rds", "region: a"),
    (
        "scaleway",
        "role: baremetal, project_id: a, access_key: b, secret_key: c, tags_filter: [d]",
    ),
    ("serverset", "servers: [a], paths: [/b]"),
    (
        "stackit",
        "project: a, private_key_path: b, authorization: {credentials: c}",
    ),
    (
        "triton",
        "account: a, dns_suffix: b, endpoint: c, role: cn, version: 1",
    ),
    (
        "uyuni",
        "server: 'https://a', username: b, password: c, separator: ';'",
    ),
    ("vultr", "authorization: {credentials: a}"),
];

#[test]
fn takes_every_kind() {
    for (kind, element) in GOOD {
        assert_eq!(messages(kind, element), "", "{kind}");
    }
    let covered: Vec<&str> = GOOD.iter().map(|(kind, _)| *kind).collect();
    let known: Vec<&str> = PROVIDERS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(covered, known, "each kind has its line");
}

#[test]
fn refuses_unknown_fields_of_every_kind() {
    for (kind, element) in GOOD {
        let message = messages(kind, &format!("{element}, unheard_of: 1"));
        assert!(
            message.starts_with("field \"unheard_of\" not found in "),
            "{kind}: {message}"
        );
    }
}

#[test]
fn refuses_with_upstreams_words() {
    let check =
        |kind, element: &str, want: &str| assert_eq!(messages(kind, element), want, "{kind}");
    check("aws", "role: s3", "unknown AWS SD role \"s3\"");
    check(
        "consul",
        "server: ''",
        "consul SD configuration requires a server address",
    );
    check(
        "consul",
        "token: a, authorization: {credentials: b}",
        "at most one of consul SD token, authorization, or oauth2 can be configured",
    );
    check(
        "dns",
        "names: []",
        "DNS-SD config must contain at least one SRV record name",
    );
    check(
        "dns",
        "names: [a], type: TXT",
        "invalid DNS-SD records type TXT",
    );
    check(
        "dockerswarm",
        "host: a, role: x",
        "invalid role x, expected tasks, services, or nodes",
    );
    check("gce", "project: a", "GCE SD configuration requires a zone");
    check("ionos", "port: 1", "datacenter id can't be empty");
    check(
        "kubernetes",
        "role: node, kubeconfig_file: a, basic_auth: {username: b}",
        "cannot use a custom HTTP client configuration together with 'kubeconfig_file'",
    );
    check(
        "kuma",
        "server: a",
        "kuma SD server must not be empty and have a scheme: a",
    );
    check(
        "nerve",
        "servers: [a], paths: [b]",
        "nerve SD config paths must begin with '/': b",
    );
    check(
        "oci",
        "auth: instance_principal",
        "oci_sd: region is required",
    );
    check(
        "oci",
        "auth: instance_principal, region: a, user: b",
        "oci_sd: instance_principal auth must not have tenancy, user, fingerprint, key_file, key_passphrase, or key_passphrase_file set",
    );
    check(
        "triton",
        "dns_suffix: b, endpoint: c",
        "triton SD configuration requires an account",
    );
    check(
        "uyuni",
        "server: a, username: b",
        "Uyuni SD configuration requires a password",
    );
    check(
        "vultr",
        "port: eighty",
        "expected a whole number, found \"eighty\"",
    );
}
