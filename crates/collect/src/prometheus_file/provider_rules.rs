//! What the tables of discovery kinds cannot say, in upstream's words.

use super::schema::Section;
use config::Node;
use config::http_client::{Credentials, HttpClientConfig};

pub(super) fn aws_filter(section: &mut Section<'_, '_>) {
    if section.list("values").is_empty() {
        section.wrong(
            "values",
            "EC2 SD configuration filter values cannot be empty",
        );
    }
}

pub(super) fn aws(section: &mut Section<'_, '_>) {
    let roles = ["ec2", "ecs", "lightsail", "msk", "rds", "elasticache"];
    section.one_of("role", &roles, "unknown AWS SD role");
}

pub(super) fn azure(section: &mut Section<'_, '_>) {
    section.require(
        "subscription_id",
        "azure SD configuration requires a subscription_id",
    );
    let method = section.text_or("authentication_method", "OAuth");
    if method == "OAuth" {
        for name in ["tenant_id", "client_id", "client_secret"] {
            section.require(name, &format!("azure SD configuration requires a {name}"));
        }
    }
    if !["OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"].contains(&method) {
        section.wrong(
            "authentication_method",
            format!(
                "unknown authentication_type {method:?}. Supported types are \"OAuth\", \"ManagedIdentity\", \"SDK\" or \"WorkloadIdentity\""
            ),
        );
    }
}

pub(super) fn consul(section: &mut Section<'_, '_>) {
    if section
        .text_or("server", "localhost:8500")
        .trim()
        .is_empty()
    {
        section.wrong(
            "server",
            "consul SD configuration requires a server address",
        );
    }
    let has_name = !section.text("username").is_empty() || !section.text("password").is_empty();
    let credentials = section.http.credentials.clone();
    if has_name && matches!(credentials, Some(Credentials::Basic { .. })) {
        section.wrong(
            "username",
            "at most one of consul SD configuration username and password and basic auth can be configured",
        );
    }
    let has_token = !section.text("token").is_empty();
    if has_token
        && matches!(
            credentials,
            Some(Credentials::Token { .. } | Credentials::OAuth2)
        )
    {
        section.wrong(
            "token",
            "at most one of consul SD token, authorization, or oauth2 can be configured",
        );
    }
}

pub(super) fn dns(section: &mut Section<'_, '_>) {
    if section.list("names").is_empty() {
        section.wrong(
            "names",
            "DNS-SD config must contain at least one SRV record name",
        );
    }
    let kind = section.text_or("type", "SRV").to_ascii_uppercase();
    match kind.as_str() {
        "SRV" => {}
        "A" | "AAAA" | "MX" | "NS" => {
            if matches!(section.text("port"), "" | "0") {
                section.wrong(
                    "port",
                    "a port is required in DNS-SD configs for all record types except SRV",
                );
            }
        }
        _ => section.wrong("type", format!("invalid DNS-SD records type {kind}")),
    }
}

pub(super) fn docker(section: &mut Section<'_, '_>) {
    section.require("host", "host missing");
    section.url("host");
}

pub(super) fn dockerswarm(section: &mut Section<'_, '_>) {
    docker(section);
    match section.text("role") {
        "services" | "nodes" | "tasks" => {}
        "" => section.wrong("role", "role missing (one of: tasks, services, nodes)"),
        role => section.wrong(
            "role",
            format!("invalid role {role}, expected tasks, services, or nodes"),
        ),
    }
}

pub(super) fn eureka(section: &mut Section<'_, '_>) {
    if section.text("server").is_empty() {
        section.wrong("server", "eureka_sd: empty or null eureka server");
        return;
    }
    let Some(address) = section.url("server") else {
        return;
    };
    if address.scheme.is_empty() || address.host.is_empty() {
        section.wrong("server", "eureka_sd: invalid eureka server URL");
    }
}

pub(super) fn gce(section: &mut Section<'_, '_>) {
    section.require("project", "GCE SD configuration requires a project");
    section.require("zone", "GCE SD configuration requires a zone");
}

pub(super) fn hetzner(section: &mut Section<'_, '_>) {
    if section.text("role").is_empty() {
        section.wrong("role", "role missing (one of: robot, hcloud)");
        return;
    }
    section.one_of("role", &["robot", "hcloud"], "unknown role");
}

pub(super) fn ionos(section: &mut Section<'_, '_>) {
    section.require("datacenter_id", "datacenter id can't be empty");
}

/// Which selectors each Kubernetes role takes.
const KUBERNETES_ROLES: [(&str, &[&str]); 6] = [
    ("node", &["node"]),
    ("pod", &["pod", "node"]),
    ("service", &["service"]),
    ("endpoints", &["pod", "service", "endpoints"]),
    ("endpointslice", &["pod", "service", "endpointslice"]),
    ("ingress", &["ingress"]),
];

pub(super) fn kubernetes(section: &mut Section<'_, '_>) {
    let role = section.text("role");
    let allowed = KUBERNETES_ROLES.iter().find(|(name, _)| *name == role);
    match allowed {
        Some((_, selectors)) => kubernetes_selectors(section, selectors),
        None if role.is_empty() => section.wrong(
            "role",
            "role missing (one of: pod, service, endpoints, endpointslice, node, ingress)",
        ),
        None => section.wrong("role", format!("unknown Kubernetes SD role {role:?}")),
    }
    let has_server = section.field("api_server").is_some();
    let has_file = !section.text("kubeconfig_file").is_empty();
    let has_http = section.http != HttpClientConfig::default();
    if has_server && has_file {
        section.wrong(
            "kubeconfig_file",
            "cannot use 'kubeconfig_file' and 'api_server' simultaneously",
        );
    }
    if has_file && has_http {
        section.wrong(
            "kubeconfig_file",
            "cannot use a custom HTTP client configuration together with 'kubeconfig_file'",
        );
    }
    if !has_server && !has_file && has_http {
        section.wrong(
            "role",
            "to use custom HTTP client configuration please provide the 'api_server' URL explicitly",
        );
    }
    let own = section
        .field("namespaces")
        .and_then(|namespaces| namespaces.get("own_namespace"))
        .and_then(Node::text)
        .is_some_and(|text| text == "true");
    if own && has_server {
        section.wrong(
            "namespaces",
            "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously",
        );
    }
    if own && has_file {
        section.wrong(
            "namespaces",
            "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously",
        );
    }
}

fn kubernetes_selectors(section: &mut Section<'_, '_>, allowed: &[&str]) {
    let mut seen = Vec::new();
    let role = section.text("role");
    for selector in section.list("selectors") {
        let name = selector
            .get("role")
            .and_then(Node::text)
            .unwrap_or_default();
        if seen.contains(&name) {
            section.wrong_at(selector, format!("duplicated selector role: {name}"));
        }
        seen.push(name);
        if !allowed.contains(&name) {
            let allowed = allowed.join(", ");
            section.wrong_at(
                selector,
                format!("{role} role supports only {allowed} selectors"),
            );
        }
    }
}

/// Field selectors are `path=value` terms with `=`, `==` or `!=`; label selectors have sets, too.
pub(super) fn kubernetes_selector(section: &mut Section<'_, '_>) {
    for term in section
        .text("field")
        .split(',')
        .filter(|term| !term.is_empty())
    {
        if !term.contains('=') {
            section.wrong(
                "field",
                format!(
                    "invalid selector: {:?}; can't understand {term:?}",
                    section.text("field")
                ),
            );
        }
    }
    let label = section.text("label");
    let balanced = label.matches('(').count() == label.matches(')').count();
    let terms_named = label.is_empty() || !label.starts_with(['=', ',', '(', ')']);
    if !balanced || !terms_named {
        section.wrong("label", format!("unable to parse requirement: {label:?}"));
    }
}

pub(super) fn kuma(section: &mut Section<'_, '_>) {
    let server = section.text("server");
    if server.is_empty() {
        section.wrong("server", "kuma SD server must not be empty");
        return;
    }
    let Some(address) = section.url("server") else {
        return;
    };
    if address.scheme.is_empty() || address.host.is_empty() {
        section.wrong(
            "server",
            format!("kuma SD server must not be empty and have a scheme: {server}"),
        );
    }
}

pub(super) fn marathon(section: &mut Section<'_, '_>) {
    if section.list("servers").is_empty() {
        section.wrong(
            "servers",
            "marathon_sd: must contain at least one Marathon server",
        );
    }
    let token = !section.text("auth_token").is_empty();
    let file = !section.text("auth_token_file").is_empty();
    if token && file {
        section.wrong(
            "auth_token",
            "marathon_sd: at most one of auth_token & auth_token_file must be configured",
        );
    }
    if !token && !file {
        return;
    }
    match section.http.credentials {
        Some(Credentials::Basic { .. }) => section.wrong(
            "basic_auth",
            "marathon_sd: at most one of basic_auth, auth_token & auth_token_file must be configured",
        ),
        Some(Credentials::Token { .. }) if section.field("authorization").is_some() => section.wrong(
            "authorization",
            "marathon_sd: at most one of auth_token, auth_token_file & authorization must be configured",
        ),
        Some(Credentials::Token { .. }) => section.wrong(
            "bearer_token",
            "marathon_sd: at most one of bearer_token, bearer_token_file, auth_token & auth_token_file must be configured",
        ),
        Some(Credentials::OAuth2) | None => {}
    }
}

pub(super) fn nerve(section: &mut Section<'_, '_>) {
    zookeeper(section, "nerve");
}

pub(super) fn serverset(section: &mut Section<'_, '_>) {
    zookeeper(section, "serverset");
}

fn zookeeper(section: &mut Section<'_, '_>, kind: &str) {
    if section.list("servers").is_empty() {
        section.wrong(
            "servers",
            format!("{kind} SD config must contain at least one Zookeeper server"),
        );
    }
    if section.list("paths").is_empty() {
        section.wrong(
            "paths",
            format!("{kind} SD config must contain at least one path"),
        );
    }
    for path in section.list("paths") {
        let text = path.text().unwrap_or_default();
        if !text.starts_with('/') {
            section.wrong_at(
                path,
                format!("{kind} SD config paths must begin with '/': {text}"),
            );
        }
    }
}

pub(super) fn nomad(section: &mut Section<'_, '_>) {
    if section
        .text_or("server", "http://localhost:4646")
        .trim()
        .is_empty()
    {
        section.wrong("server", "nomad SD configuration requires a server address");
    }
}

pub(super) fn oci(section: &mut Section<'_, '_>) {
    section.require("region", "oci_sd: region is required");
    let credentials = ["tenancy", "user", "fingerprint", "key_file"];
    let passphrases = ["key_passphrase", "key_passphrase_file"];
    let given = passphrases.map(|name| !section.text(name).is_empty());
    match section.text_or("auth", "api_key") {
        "api_key" => {
            for name in credentials {
                section.require(name, &format!("oci_sd: api_key auth requires {name}"));
            }
            if given == [true, true] {
                section.wrong(
                    "key_passphrase_file",
                    "oci_sd: at most one of key_passphrase and key_passphrase_file must be configured",
                );
            }
        }
        "instance_principal" => {
            let others = credentials.iter().any(|name| !section.text(name).is_empty());
            if others || given.contains(&true) {
                section.wrong(
                    "auth",
                    "oci_sd: instance_principal auth must not have tenancy, user, fingerprint, key_file, key_passphrase, or key_passphrase_file set",
                );
            }
        }
        other => section.wrong(
            "auth",
            format!("oci_sd: unknown auth method {other:?}, expected \"api_key\" or \"instance_principal\""),
        ),
    }
    for node in section.list("compartments") {
        if node.text().unwrap_or_default().is_empty() {
            section.wrong_at(node, "oci_sd: compartments must not be empty");
        }
    }
    if model::parse_duration(section.text_or("refresh_interval", "1m"))
        .is_ok_and(|millis| millis <= 0)
    {
        section.wrong(
            "refresh_interval",
            "oci_sd: refresh_interval must be positive",
        );
    }
}

pub(super) fn openstack(section: &mut Section<'_, '_>) {
    match section.text_or("availability", "public") {
        "public" | "internal" | "admin" => {}
        other => section.wrong(
            "availability",
            format!("unknown availability {other}, must be one of admin, internal or public"),
        ),
    }
    if section.text("role").is_empty() {
        section.wrong(
            "role",
            "role missing (one of: instance, hypervisor, loadbalancer)",
        );
    } else {
        let roles = ["instance", "hypervisor", "loadbalancer"];
        section.one_of("role", &roles, "unknown OpenStack SD role");
    }
    section.require("region", "openstack SD configuration requires a region");
}

pub(super) fn outscale(section: &mut Section<'_, '_>) {
    if section.text_or("region", "eu-west-2").is_empty() {
        section.wrong("region", "outscale SD configuration requires a region");
    }
    section.require(
        "access_key",
        "outscale SD configuration requires an access_key",
    );
    exactly_one_secret(section);
}

fn exactly_one_secret(section: &mut Section<'_, '_>) {
    let key = !section.text("secret_key").is_empty();
    let file = !section.text("secret_key_file").is_empty();
    match (key, file) {
        (false, false) => section.wrong(
            "secret_key",
            "one of secret_key & secret_key_file must be configured",
        ),
        (true, true) => section.wrong(
            "secret_key_file",
            "at most one of secret_key & secret_key_file must be configured",
        ),
        (true, false) | (false, true) => {}
    }
}

pub(super) fn ovhcloud(section: &mut Section<'_, '_>) {
    if section.text_or("endpoint", "ovh-eu").is_empty() {
        section.wrong("endpoint", "endpoint can not be empty");
    }
    section.require("application_key", "application key can not be empty");
    section.require("application_secret", "application secret can not be empty");
    section.require("consumer_key", "consumer key can not be empty");
    section.one_of("service", &["dedicated_server", "vps"], "unknown service:");
}

pub(super) fn puppetdb(section: &mut Section<'_, '_>) {
    section.http_url("url");
    section.require("query", "query missing");
}

pub(super) fn scaleway(section: &mut Section<'_, '_>) {
    if section.text("role").is_empty() {
        section.wrong("role", "role missing (one of: instance, baremetal)");
    } else {
        section.one_of("role", &["instance", "baremetal"], "unknown role");
    }
    section.require("project_id", "project_id is mandatory");
    exactly_one_secret(section);
    section.require("access_key", "access_key is mandatory");
}

pub(super) fn stackit(section: &mut Section<'_, '_>) {
    if section.text("endpoint").is_empty() && section.text_or("region", "eu01").is_empty() {
        section.wrong("endpoint", "endpoint or region missing");
    }
    section.url("endpoint");
}

pub(super) fn triton(section: &mut Section<'_, '_>) {
    if !["container", "cn"].contains(&section.text_or("role", "container")) {
        section.wrong(
            "role",
            "triton SD configuration requires role to be 'container' or 'cn'",
        );
    }
    section.require("account", "triton SD configuration requires an account");
    section.require(
        "dns_suffix",
        "triton SD configuration requires a dns_suffix",
    );
    section.require("endpoint", "triton SD configuration requires an endpoint");
    let interval = section.text_or("refresh_interval", "1m");
    if model::parse_duration(interval).is_ok_and(|millis| millis <= 0) {
        section.wrong(
            "refresh_interval",
            "triton SD configuration requires RefreshInterval to be a positive integer",
        );
    }
}

pub(super) fn uyuni(section: &mut Section<'_, '_>) {
    section.require("server", "Uyuni SD configuration requires server host");
    section.url("server");
    section.require("username", "Uyuni SD configuration requires a username");
    section.require("password", "Uyuni SD configuration requires a password");
}
