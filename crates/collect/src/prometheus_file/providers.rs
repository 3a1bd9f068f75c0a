//! The discovery kinds of Prometheus 3.14, one row each: what may stand in a section.
//!
//! `static_configs`, `file_sd_configs` and `http_sd_configs` are read in `discovery`; of those here the ones that
//! `active` knows are active, the others are checked and noted.

use super::provider_rules as rules;
use super::schema::{Kind, Schema, no_rule};
use Kind::{
    Count, Duration, Flag, Secret, Section, Sections, Text, TextMap, Texts, Tls, Url, Whole,
};

const REFRESH: (&str, Kind) = ("refresh_interval", Duration);
const PORT: (&str, Kind) = ("port", Whole);
const ROLE: (&str, Kind) = ("role", Text);
const REGION: (&str, Kind) = ("region", Text);
const ENDPOINT: (&str, Kind) = ("endpoint", Text);
const SERVER: (&str, Kind) = ("server", Text);

const FILTER: Schema = Schema {
    name: "filter",
    fields: &[("name", Text), ("values", Texts)],
    has_http_client: false,
    rule: no_rule,
};
const AWS_FILTER: Schema = Schema {
    rule: rules::aws_filter,
    ..FILTER
};

/// What all of Amazon's kinds have.
macro_rules! aws_fields {
    ($($more:expr),*) => {
        &[
            ENDPOINT,
            REGION,
            ("access_key", Text),
            ("secret_key", Secret),
            ("profile", Text),
            ("role_arn", Text),
            ("external_id", Text),
            REFRESH,
            PORT,
            $($more),*
        ]
    };
}

const AWS: &[(&str, Kind)] = aws_fields!(
    ROLE,
    ("filters", Sections(&AWS_FILTER)),
    ("clusters", Texts),
    ("request_concurrency", Whole)
);
const EC2: &[(&str, Kind)] = aws_fields!(("filters", Sections(&AWS_FILTER)));
const LIGHTSAIL: &[(&str, Kind)] = aws_fields!();
const CLUSTERED: &[(&str, Kind)] = aws_fields!(("clusters", Texts), ("request_concurrency", Whole));

const NAMESPACES: Schema = Schema {
    name: "kubernetes.NamespaceDiscovery",
    fields: &[("own_namespace", Flag), ("names", Texts)],
    has_http_client: false,
    rule: no_rule,
};
const SELECTOR: Schema = Schema {
    name: "kubernetes.SelectorConfig",
    fields: &[ROLE, ("label", Text), ("field", Text)],
    has_http_client: false,
    rule: rules::kubernetes_selector,
};
const ATTACH_METADATA: Schema = Schema {
    name: "kubernetes.AttachMetadataConfig",
    fields: &[("node", Flag), ("namespace", Flag)],
    has_http_client: false,
    rule: no_rule,
};

/// The field's name without `_sd_configs`, and what stands in each element of its list.
pub(super) const PROVIDERS: [(&str, Schema); 34] = [
    http("aws", "aws.SDConfig", AWS, rules::aws),
    http("azure", "azure.SDConfig", AZURE, rules::azure),
    http("consul", "consul.SDConfig", CONSUL, rules::consul),
    http(
        "digitalocean",
        "digitalocean.SDConfig",
        &[REFRESH, PORT],
        no_rule,
    ),
    plain(
        "dns",
        "dns.SDConfig",
        &[("names", Texts), REFRESH, ("type", Text), PORT],
        rules::dns,
    ),
    http("docker", "docker.SDConfig", DOCKER, rules::docker),
    http(
        "dockerswarm",
        "dockerswarm.SDConfig",
        DOCKERSWARM,
        rules::dockerswarm,
    ),
    http("ec2", "ec2.SDConfig", EC2, no_rule),
    http("ecs", "ecs.SDConfig", CLUSTERED, no_rule),
    http("elasticache", "elasticache.SDConfig", CLUSTERED, no_rule),
    http(
        "eureka",
        "eureka.SDConfig",
        &[SERVER, REFRESH],
        rules::eureka,
    ),
    plain("gce", "gce.SDConfig", GCE, rules::gce),
    http(
        "hetzner",
        "hetzner.SDConfig",
        &[REFRESH, PORT, ROLE, ("label_selector", Text)],
        rules::hetzner,
    ),
    http(
        "ionos",
        "ionos.SDConfig",
        &[("datacenter_id", Text), REFRESH, PORT],
        rules::ionos,
    ),
    http(
        "kubernetes",
        "kubernetes.SDConfig",
        KUBERNETES,
        rules::kubernetes,
    ),
    http("kuma", "kuma.SDConfig", KUMA, rules::kuma),
    http("lightsail", "lightsail.SDConfig", LIGHTSAIL, no_rule),
    http(
        "linode",
        "linode.SDConfig",
        &[REFRESH, PORT, REGION, ("tag_separator", Text)],
        no_rule,
    ),
    http("marathon", "marathon.SDConfig", MARATHON, rules::marathon),
    http("msk", "msk.SDConfig", CLUSTERED, no_rule),
    plain("nerve", "nerve.SDConfig", ZOOKEEPER, rules::nerve),
    http("nomad", "nomad.SDConfig", NOMAD, rules::nomad),
    http("oci", "oci.SDConfig", OCI, rules::oci),
    plain(
        "openstack",
        "openstack.SDConfig",
        OPENSTACK,
        rules::openstack,
    ),
    http("outscale", "outscale.SDConfig", OUTSCALE, rules::outscale),
    plain("ovhcloud", "ovhcloud.SDConfig", OVHCLOUD, rules::ovhcloud),
    http("puppetdb", "puppetdb.SDConfig", PUPPETDB, rules::puppetdb),
    http("rds", "rds.SDConfig", CLUSTERED, no_rule),
    http("scaleway", "scaleway.SDConfig", SCALEWAY, rules::scaleway),
    plain(
        "serverset",
        "serverset.SDConfig",
        ZOOKEEPER,
        rules::serverset,
    ),
    http("stackit", "stackit.SDConfig", STACKIT, rules::stackit),
    plain("triton", "triton.SDConfig", TRITON, rules::triton),
    http("uyuni", "uyuni.SDConfig", UYUNI, rules::uyuni),
    http("vultr", "vultr.SDConfig", &[REFRESH, PORT], no_rule),
];

type Rule = fn(&mut super::schema::Section<'_, '_>);
type FieldTable = &'static [(&'static str, Kind)];

const fn plain(
    kind: &'static str,
    name: &'static str,
    fields: FieldTable,
    rule: Rule,
) -> (&'static str, Schema) {
    (
        kind,
        Schema {
            name,
            fields,
            has_http_client: false,
            rule,
        },
    )
}

const fn http(
    kind: &'static str,
    name: &'static str,
    fields: FieldTable,
    rule: Rule,
) -> (&'static str, Schema) {
    (
        kind,
        Schema {
            name,
            fields,
            has_http_client: true,
            rule,
        },
    )
}

const AZURE: &[(&str, Kind)] = &[
    ("environment", Text),
    PORT,
    ("subscription_id", Text),
    ("tenant_id", Text),
    ("client_id", Text),
    ("client_secret", Secret),
    REFRESH,
    ("authentication_method", Text),
    ("resource_group", Text),
];

const CONSUL: &[(&str, Kind)] = &[
    SERVER,
    ("path_prefix", Text),
    ("token", Secret),
    ("datacenter", Text),
    ("namespace", Text),
    ("partition", Text),
    ("tag_separator", Text),
    ("scheme", Text),
    ("username", Text),
    ("password", Secret),
    ("allow_stale", Flag),
    REFRESH,
    ("services", Texts),
    ("tags", Texts),
    ("node_meta", TextMap),
    ("filter", Text),
    ("health_filter", Text),
];

const DOCKER: &[(&str, Kind)] = &[
    ("host", Text),
    ("filters", Sections(&FILTER)),
    ("host_networking_host", Text),
    PORT,
    REFRESH,
    ("match_first_network", Flag),
    ("include_no_network_targets", Flag),
];

const DOCKERSWARM: &[(&str, Kind)] = &[
    ("host", Text),
    ROLE,
    ("filters", Sections(&FILTER)),
    PORT,
    REFRESH,
];

const GCE: &[(&str, Kind)] = &[
    ("project", Text),
    ("zone", Text),
    ("filter", Text),
    REFRESH,
    PORT,
    ("tag_separator", Text),
];

const KUBERNETES: &[(&str, Kind)] = &[
    ("api_server", Url),
    ROLE,
    ("kubeconfig_file", Text),
    ("namespaces", Section(&NAMESPACES)),
    ("selectors", Sections(&SELECTOR)),
    ("attach_metadata", Section(&ATTACH_METADATA)),
];

const KUMA: &[(&str, Kind)] = &[
    SERVER,
    REFRESH,
    ("fetch_timeout", Duration),
    ("client_id", Text),
];

const MARATHON: &[(&str, Kind)] = &[
    ("servers", Texts),
    REFRESH,
    ("auth_token", Secret),
    ("auth_token_file", Text),
];

const ZOOKEEPER: &[(&str, Kind)] = &[("servers", Texts), ("paths", Texts), ("timeout", Duration)];

const NOMAD: &[(&str, Kind)] = &[
    ("allow_stale", Flag),
    ("namespace", Text),
    REFRESH,
    REGION,
    SERVER,
    ("tag_separator", Text),
];

const OCI: &[(&str, Kind)] = &[
    ("auth", Text),
    ("tenancy", Text),
    ("user", Text),
    ("fingerprint", Text),
    ("key_file", Text),
    ("key_passphrase", Secret),
    ("key_passphrase_file", Text),
    REGION,
    ("compartments", Texts),
    PORT,
    REFRESH,
];

const OPENSTACK: &[(&str, Kind)] = &[
    ("identity_endpoint", Text),
    ("username", Text),
    ("userid", Text),
    ("password", Secret),
    ("project_name", Text),
    ("project_id", Text),
    ("domain_name", Text),
    ("domain_id", Text),
    ("application_credential_name", Text),
    ("application_credential_id", Text),
    ("application_credential_secret", Secret),
    ROLE,
    REGION,
    REFRESH,
    PORT,
    ("all_tenants", Flag),
    ("tls_config", Tls),
    ("availability", Text),
];

const OUTSCALE: &[(&str, Kind)] = &[
    ENDPOINT,
    REGION,
    ("access_key", Text),
    ("secret_key", Secret),
    ("secret_key_file", Text),
    REFRESH,
    PORT,
];

const OVHCLOUD: &[(&str, Kind)] = &[
    ENDPOINT,
    ("application_key", Text),
    ("application_secret", Secret),
    ("consumer_key", Secret),
    REFRESH,
    ("service", Text),
];

const PUPPETDB: &[(&str, Kind)] = &[
    REFRESH,
    ("url", Text),
    ("query", Text),
    ("include_parameters", Flag),
    PORT,
];

const SCALEWAY: &[(&str, Kind)] = &[
    ("project_id", Text),
    ("api_url", Text),
    ("zone", Text),
    ("access_key", Text),
    ("secret_key", Secret),
    ("secret_key_file", Text),
    ("name_filter", Text),
    ("tags_filter", Texts),
    REFRESH,
    PORT,
    ROLE,
];

const STACKIT: &[(&str, Kind)] = &[
    REFRESH,
    PORT,
    REGION,
    ENDPOINT,
    ("project", Text),
    ("service_account_key", Secret),
    ("private_key", Secret),
    ("service_account_key_path", Text),
    ("private_key_path", Text),
    ("credentials_file_path", Text),
];

const TRITON: &[(&str, Kind)] = &[
    ("account", Text),
    ROLE,
    ("dns_suffix", Text),
    ENDPOINT,
    ("groups", Texts),
    PORT,
    REFRESH,
    ("tls_config", Tls),
    ("version", Count),
];

const UYUNI: &[(&str, Kind)] = &[
    SERVER,
    ("username", Text),
    ("password", Secret),
    ("entitlement", Text),
    ("separator", Text),
    REFRESH,
];
