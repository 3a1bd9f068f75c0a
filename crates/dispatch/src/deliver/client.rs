//! HTTP clients from checked settings: TLS by rustls with ring, proxies, redirects, and no way to link-local
//! addresses.

use config::Secret;
use config::http_client::{HttpClientConfig, ProxyConfig, tls_client_config};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 10;
/// Time for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// What we call ourselves.
const USER_AGENT: &str = concat!("Binnacle/", env!("CARGO_PKG_VERSION"));

/// Builds a client. Fails where a certificate cannot be read or used, or a proxy's address is wrong.
pub(super) fn build(config: &HttpClientConfig) -> Result<reqwest::Client, String> {
    let redirects = if config.follow_redirects {
        reqwest::redirect::Policy::custom(|attempt| {
            if super::http::is_forbidden(attempt.url()) {
                attempt.error("link-local addresses are not reached")
            } else if attempt.previous().len() >= REDIRECTS_MAX {
                attempt.error("too many redirects")
            } else {
                attempt.follow()
            }
        })
    } else {
        reqwest::redirect::Policy::none()
    };
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirects)
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(Arc::new(PublicResolver));
    if !config.http2 {
        builder = builder.http1_only();
    }
    let tls = tls_client_config(&config.tls, &config.tls.load()?, config.http2)?;
    let builder = with_proxy(builder, config)?.tls_backend_preconfigured(tls);
    builder.build().map_err(|error| cause(&error))
}

fn with_proxy(
    builder: reqwest::ClientBuilder,
    config: &HttpClientConfig,
) -> Result<reqwest::ClientBuilder, String> {
    Ok(match &config.proxy {
        ProxyConfig::None => builder.no_proxy(),
        ProxyConfig::Environment { .. } => builder,
        ProxyConfig::Url {
            url,
            no_proxy,
            connect_headers,
        } => {
            let unusable = |_with_password: reqwest::Error| "proxy_url is not usable".to_owned();
            let proxy = reqwest::Proxy::all(url.reveal()).map_err(unusable)?;
            let proxy = proxy.no_proxy(reqwest::NoProxy::from_string(no_proxy));
            builder.proxy(proxy.headers(header_map(connect_headers)?))
        }
    })
}

/// Turns checked headers into the library's. Fails where a value cannot stand in a header.
pub(super) fn header_map(headers: &[(String, Secret)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let unusable = || format!("header {name:?} has a name or value that cannot be sent");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_invalid| unusable())?;
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|_invalid| unusable())?;
        value.set_sensitive(true);
        map.append(header, value);
    }
    Ok(map)
}

/// The innermost reason of an error; addresses, which may hold secrets, are not in it.
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// An error with all its reasons: `connection error: connection refused`.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let reason = source.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        next = source.source();
    }
    text
}

/// Whether an address is one where clouds keep the secrets of the machine.
pub(super) fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => {
            let mapped = v6.to_ipv4_mapped().is_some_and(|v4| v4.is_link_local());
            mapped
                || v6.is_unicast_link_local()
                || v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
    }
}

/// Looks names up in the system's way and leaves forbidden addresses out.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| !is_forbidden(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(format!("{} has no address that may be reached", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}
