//! `ec2_sd_configs`: the instances of one Amazon region, by the EC2 Query API.

mod credentials;

use super::Provider;
use super::json::{JsonClient, read_body, refusal};
use super::meta::{Meta, group, join, sanitized};
use crate::prometheus_file::{Ec2Discovery, TargetGroup};
use config::aws::{self, Request};
use credentials::Account;
use reqwest::header::{HeaderName, HeaderValue};
use roxmltree::{Document, Node};
use runtime::SharedClock;
use std::collections::BTreeMap;
use std::time::Duration;

const PREFIX: &str = "__meta_ec2_";
const VERSION: &str = "2016-11-15";
const TIMEOUT: Duration = Duration::from_secs(60);
/// Pages of instances; each has up to 1,000.
const PAGES_MAX: usize = 1000;

/// Asks one region.
pub(crate) struct Ec2Watcher {
    discovery: Ec2Discovery,
    client: JsonClient,
    clock: SharedClock,
    account: Account,
    /// Zone ids by zone names; asked for once.
    zones: Option<BTreeMap<String, String>>,
}

impl Ec2Watcher {
    pub(crate) fn new(discovery: Ec2Discovery, clock: SharedClock) -> Self {
        Self {
            client: JsonClient::new(discovery.http.clone(), TIMEOUT),
            account: Account::new(&discovery),
            discovery,
            clock,
            zones: None,
        }
    }

    /// Calls an action and gives the XML that it answers.
    async fn call(&mut self, action: &str, more: &[(String, String)]) -> Result<String, String> {
        let (client, headers) = self.client.connect().await?;
        let now = self.clock.now();
        let keys = self.account.keys(&client, now).await?;
        let endpoint = match self.discovery.endpoint.as_str() {
            "" => format!("https://ec2.{}.amazonaws.com/", keys.region),
            given if given.contains("://") => given.to_owned(),
            given => format!("https://{given}/"),
        };
        let mut form = vec![
            ("Action".to_owned(), action.to_owned()),
            ("Version".to_owned(), VERSION.to_owned()),
        ];
        form.extend_from_slice(more);
        let request = Request {
            service: "ec2",
            url: &endpoint,
            body: &aws::form(&form),
        };
        let signed = aws::headers(&request, &keys, now)?;
        let mut post = client
            .post(&endpoint)
            .headers(headers)
            .body(request.body.to_owned());
        for (name, value) in signed {
            let name = HeaderName::from_static(name);
            let mut value = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            post = post.header(name, value);
        }
        let answered = async {
            let response = post
                .send()
                .await
                .map_err(|error| crate::http_client::cause(&error))?;
            let status = response.status();
            let body = read_body(response).await?;
            if !status.is_success() {
                return Err(refusal(status, &body));
            }
            String::from_utf8(body).map_err(|error| error.to_string())
        };
        match tokio::time::timeout(TIMEOUT, answered).await {
            Ok(answer) => answer.map_err(|error| format!("{action} at {endpoint:?}: {error}")),
            Err(_elapsed) => Err(format!(
                "{action} at {endpoint:?}: context deadline exceeded"
            )),
        }
    }

    async fn zones(&mut self) -> BTreeMap<String, String> {
        if let Some(zones) = &self.zones {
            return zones.clone();
        }
        // Without the right to ask, instances simply lack the id of their zone.
        match self
            .call("DescribeAvailabilityZones", &[])
            .await
            .and_then(|xml| read_zones(&xml))
        {
            Ok(zones) => self.zones = Some(zones),
            Err(error) => tracing::debug!(error, "availability zones are not known"),
        }
        self.zones.clone().unwrap_or_default()
    }
}

impl Provider for Ec2Watcher {
    const NAME: &'static str = "ec2";

    fn interval(&self) -> Duration {
        Duration::from_millis(self.discovery.refresh_ms.unsigned_abs())
    }

    async fn ask(&mut self) -> Result<Vec<TargetGroup>, String> {
        let zones = self.zones().await;
        let mut parameters = vec![("MaxResults".to_owned(), "1000".to_owned())];
        for (i, (name, values)) in self.discovery.filters.iter().enumerate() {
            parameters.push((format!("Filter.{}.Name", i + 1), name.clone()));
            for (j, value) in values.iter().enumerate() {
                parameters.push((format!("Filter.{}.Value.{}", i + 1, j + 1), value.clone()));
            }
        }
        let mut targets = Vec::new();
        let mut page = parameters.clone();
        for _ in 0..PAGES_MAX {
            let xml = self.call("DescribeInstances", &page).await?;
            let around = (self.account.region(), self.discovery.port, &zones);
            let next = read_instances(&xml, around, &mut targets)?;
            if next.is_empty() {
                break;
            }
            page.clone_from(&parameters);
            page.push(("NextToken".to_owned(), next));
        }
        Ok(vec![group(
            self.account.region(),
            &Meta::default(),
            &targets,
        )])
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, path: &[&str]) -> Option<Node<'a, 'i>> {
    let mut node = node;
    for name in path {
        node = node
            .children()
            .find(|child| child.tag_name().name() == *name)?;
    }
    Some(node)
}

fn value(node: Node<'_, '_>, path: &[&str]) -> String {
    let found = child(node, path).and_then(|node| node.text());
    found.unwrap_or_default().trim().to_owned()
}

fn items<'a, 'i>(node: Node<'a, 'i>, path: &[&str]) -> Vec<Node<'a, 'i>> {
    let list = child(node, path);
    let children = list.into_iter().flat_map(|list| list.children());
    children
        .filter(|item| item.tag_name().name() == "item")
        .collect()
}

fn parse(xml: &str) -> Result<Document<'_>, String> {
    Document::parse(xml).map_err(|error| format!("the answer is no XML: {error}"))
}

pub(super) fn read_zones(xml: &str) -> Result<BTreeMap<String, String>, String> {
    let document = parse(xml)?;
    let zones = items(document.root_element(), &["availabilityZoneInfo"]);
    let pair = |zone: &Node<'_, '_>| (value(*zone, &["zoneName"]), value(*zone, &["zoneId"]));
    Ok(zones.iter().map(pair).collect())
}

/// Adds a target for each instance with an address; gives the token of the next page.
pub(super) fn read_instances(
    xml: &str,
    (region, port, zones): (&str, i64, &BTreeMap<String, String>),
    targets: &mut Vec<Meta>,
) -> Result<String, String> {
    let document = parse(xml)?;
    let root = document.root_element();
    for reservation in items(root, &["reservationSet"]) {
        let owner = value(reservation, &["ownerId"]);
        for instance in items(reservation, &["instancesSet"]) {
            let Some(mut target) = instance_target(instance, port) else {
                continue;
            };
            target.set(format!("{PREFIX}owner_id"), owner.clone());
            target.set(format!("{PREFIX}region"), region);
            let zone = value(instance, &["placement", "availabilityZone"]);
            if let Some(id) = zones.get(&zone) {
                target.set(format!("{PREFIX}availability_zone_id"), id.clone());
            }
            target.set(format!("{PREFIX}availability_zone"), zone);
            targets.push(target);
        }
    }
    Ok(value(root, &["nextToken"]))
}

fn instance_target(instance: Node<'_, '_>, port: i64) -> Option<Meta> {
    let private = value(instance, &["privateIpAddress"]);
    let network = Network::of(instance);
    let host = if private.is_empty() {
        network.addresses.first()?
    } else {
        &private
    };
    let mut meta = Meta::at(join(host, port));
    for (name, path) in [
        ("instance_id", &["instanceId"][..]),
        ("ami", &["imageId"]),
        ("architecture", &["architecture"]),
        ("instance_lifecycle", &["instanceLifecycle"]),
        ("instance_state", &["instanceState", "name"]),
        ("instance_type", &["instanceType"]),
        ("platform", &["platform"]),
        ("private_dns_name", &["privateDnsName"]),
        ("private_ip", &["privateIpAddress"]),
        ("public_dns_name", &["dnsName"]),
        ("public_ip", &["ipAddress"]),
    ] {
        meta.set(format!("{PREFIX}{name}"), value(instance, path));
    }
    let vpc = value(instance, &["vpcId"]);
    if !vpc.is_empty() {
        meta.set(format!("{PREFIX}vpc_id"), vpc);
        meta.set(
            format!("{PREFIX}primary_subnet_id"),
            value(instance, &["subnetId"]),
        );
        meta.set(format!("{PREFIX}subnet_id"), enclosed(&network.subnets));
        meta.set(
            format!("{PREFIX}ipv6_addresses"),
            enclosed(&network.addresses),
        );
        meta.set(
            format!("{PREFIX}primary_ipv6_addresses"),
            enclosed(&network.primary),
        );
    }
    for tag in items(instance, &["tagSet"]) {
        let name = format!("{PREFIX}tag_{}", sanitized(&value(tag, &["key"])));
        meta.set(name, value(tag, &["value"]));
    }
    Some(meta)
}

/// Values with a comma around each; nothing where there is none.
fn enclosed(values: &[String]) -> String {
    if values.is_empty() {
        return String::new();
    }
    format!(",{},", values.join(","))
}

/// What the network interfaces of an instance say.
#[derive(Default)]
struct Network {
    /// Each once, in the order of appearance.
    subnets: Vec<String>,
    /// All IPv6 addresses.
    addresses: Vec<String>,
    /// The primary one of each interface at the place of its device index; empty where there is none.
    primary: Vec<String>,
}

impl Network {
    fn of(instance: Node<'_, '_>) -> Self {
        let mut network = Self::default();
        for interface in items(instance, &["networkInterfaceSet"]) {
            let subnet = value(interface, &["subnetId"]);
            if !subnet.is_empty() && !network.subnets.contains(&subnet) {
                network.subnets.push(subnet);
            }
            for address in items(interface, &["ipv6AddressesSet"]) {
                let text = value(address, &["ipv6Address"]);
                if value(address, &["isPrimaryIpv6"]) == "true" {
                    let place = value(interface, &["attachment", "deviceIndex"]);
                    network.set_primary(place.parse().unwrap_or(0), &text);
                }
                network.addresses.push(text);
            }
        }
        network
    }

    fn set_primary(&mut self, place: usize, address: &str) {
        // An instance has at most some dozen interfaces.
        let place = place.min(255);
        if self.primary.len() <= place {
            self.primary.resize(place + 1, String::new());
        }
        if let Some(slot) = self.primary.get_mut(place) {
            address.clone_into(slot);
        }
    }
}

#[cfg(test)]
mod tests;
