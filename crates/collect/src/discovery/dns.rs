//! `dns_sd_configs`: names whose records are targets. One group for each name.
//!
//! Names are looked up as the system's resolver configuration says, search domains included. A name that does
//! not exist has no targets; one that could not be looked up keeps those it had.

use super::Provider;
use super::meta::{Meta, group, join};
use crate::prometheus_file::{DnsDiscovery, DnsRecord, TargetGroup};
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::collections::BTreeMap;
use std::time::Duration;

/// Looks names up.
pub(crate) struct DnsWatcher {
    discovery: DnsDiscovery,
    resolver: Option<TokioResolver>,
    known: BTreeMap<String, TargetGroup>,
}

impl DnsWatcher {
    pub(crate) const fn new(discovery: DnsDiscovery) -> Self {
        Self {
            discovery,
            resolver: None,
            known: BTreeMap::new(),
        }
    }

    /// Looks up by this resolver instead of the system's.
    #[cfg(test)]
    pub(super) fn with_resolver(mut self, resolver: TokioResolver) -> Self {
        self.resolver = Some(resolver);
        self
    }
}

impl Provider for DnsWatcher {
    const NAME: &'static str = "dns";

    fn interval(&self) -> Duration {
        Duration::from_millis(self.discovery.refresh_ms.unsigned_abs())
    }

    async fn ask(&mut self) -> Result<Vec<TargetGroup>, String> {
        let resolver = match &self.resolver {
            Some(resolver) => resolver.clone(),
            None => system_resolver()?,
        };
        self.resolver = Some(resolver.clone());
        let mut failed = Vec::new();
        for name in &self.discovery.names {
            match look_up(&resolver, &self.discovery, name).await {
                Ok(targets) => {
                    let found = group(name.clone(), &Meta::default(), &targets);
                    self.known.insert(name.clone(), found);
                }
                Err(error) => failed.push(format!("{name}: {error}")),
            }
        }
        if !failed.is_empty() && self.known.len() < self.discovery.names.len() {
            return Err(failed.join("; "));
        }
        if !failed.is_empty() {
            tracing::warn!(error = failed.join("; "), "looking up targets failed");
        }
        Ok(self.known.values().cloned().collect())
    }
}

fn system_resolver() -> Result<TokioResolver, String> {
    let builder = TokioResolver::builder_tokio().map_err(|error| error.to_string())?;
    let mut builder = builder;
    // Answers are asked for once in an interval: a cache would only make them older.
    builder.options_mut().cache_size = 0;
    builder.build().map_err(|error| error.to_string())
}

async fn look_up(
    resolver: &TokioResolver,
    discovery: &DnsDiscovery,
    name: &str,
) -> Result<Vec<Meta>, String> {
    let kind = match discovery.record {
        DnsRecord::A => RecordType::A,
        DnsRecord::Aaaa => RecordType::AAAA,
        DnsRecord::Srv => RecordType::SRV,
        DnsRecord::Mx => RecordType::MX,
        DnsRecord::Ns => RecordType::NS,
    };
    match resolver.lookup(name, kind).await {
        Ok(answer) => {
            let records = answer.answers().iter().map(|record| &record.data);
            Ok(records
                .filter_map(|data| target(name, data, discovery.port))
                .collect())
        }
        Err(error) if error.is_no_records_found() => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}

/// The target that a record names; `None` for records of other kinds, such as a CNAME on the way.
fn target(name: &str, data: &RData, port: i64) -> Option<Meta> {
    let plain = |host: String| host.trim_end_matches('.').to_owned();
    let mut port = port.to_string();
    let (host, labels) = match data {
        RData::A(address) => (address.to_string(), vec![]),
        RData::AAAA(address) => (address.to_string(), vec![]),
        RData::SRV(service) => {
            port = service.port.to_string();
            let labels = vec![
                ("__meta_dns_srv_record_target", service.target.to_string()),
                ("__meta_dns_srv_record_port", port.clone()),
            ];
            (plain(service.target.to_string()), labels)
        }
        RData::MX(mail) => {
            let host = mail.exchange.to_string();
            (
                plain(host.clone()),
                vec![("__meta_dns_mx_record_target", host)],
            )
        }
        RData::NS(server) => {
            let host = server.to_string();
            (
                plain(host.clone()),
                vec![("__meta_dns_ns_record_target", host)],
            )
        }
        _ => return None,
    };
    let mut meta = Meta::at(join(&host, port)).with("__meta_dns_name", name);
    for (label, value) in labels {
        meta.set(label, value);
    }
    Some(meta)
}
