//! Opening the sockets: which addresses, and who gets in there.

use crate::cli::Up;
use crate::setup::Setup;
use anyhow::{Context as _, bail};
use api::{
    Admission, Auth, Cors, Guard, LateRouter, Listener, LiveWebConfig, Prefix, Replay, Services,
    routes,
};
use axum::Router;
use runtime::SharedClock;
use std::net::SocketAddr;
use std::sync::Arc;
use storage::State;
use tokio::net::TcpListener;

/// What is answered on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Main,
    Alertmanager,
    Loki,
    Grafana,
    Pushgateway,
    OpenTelemetry,
}

/// The ports of the programs that are replaced.
const COMPAT_PORTS: [(u16, Face); 7] = [
    (9093, Face::Alertmanager),
    (3100, Face::Loki),
    (3000, Face::Grafana),
    (3001, Face::Grafana),
    (9091, Face::Pushgateway),
    (4317, Face::OpenTelemetry),
    (4318, Face::OpenTelemetry),
];

/// Where Graphite's senders connect by custom.
const GRAPHITE_PORT: u16 = 2003;

struct Door {
    face: Face,
    socket: TcpListener,
    place: LateRouter,
}

/// The open sockets and who gets in.
pub(crate) struct Doors {
    doors: Vec<Door>,
    /// Where Graphite's senders connect.
    graphite: Vec<TcpListener>,
    guard: Guard,
    web: Option<Arc<LiveWebConfig>>,
    cors: Option<Cors>,
    prefix: Prefix,
}

/// The places for what will be answered.
pub(crate) struct Places(Vec<(Face, LateRouter)>);

/// Binds every address. Fails with the address that cannot be had, and where it lies beyond loopback while nobody
/// could prove himself.
pub(crate) async fn open(
    up: &Up,
    setup: &Setup,
    state: &State,
    (clock, replay): (&SharedClock, &Replay),
) -> anyhow::Result<Doors> {
    let listen = resolve(&up.listen).await?;
    let web = match &up.web.web_config {
        None => None,
        Some(file) => {
            let live = LiveWebConfig::open(file, Arc::clone(clock)).map_err(anyhow::Error::msg)?;
            Some(Arc::new(live))
        }
    };
    let cors = match &up.web.cors_origin {
        None => None,
        Some(pattern) => Some(
            Cors::parse(pattern)
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("--web.cors.origin {pattern:?}"))?,
        ),
    };
    let admission = admission(up, listen, (web.as_deref(), state))?;
    let host_names: Arc<[String]> = host_names(up, setup).into();
    let guard = Guard {
        admission,
        host_names,
        clock: Arc::clone(clock),
        web: None,
    };
    let mut doors = vec![bind(listen, Face::Main, replay).await?];
    if up.compat_ports {
        for (port, face) in COMPAT_PORTS {
            doors.push(bind(SocketAddr::new(listen.ip(), port), face, replay).await?);
        }
    }
    let graphite = graphite(up, listen).await?;
    Ok(Doors {
        doors,
        graphite,
        guard,
        web,
        cors,
        prefix: crate::flags::route_prefix(up),
    })
}

/// The listeners for Graphite's lines. Its senders cannot prove who they are, so beyond loopback there is one only
/// where everybody is let in.
async fn graphite(up: &Up, listen: SocketAddr) -> anyhow::Result<Vec<TcpListener>> {
    let mut addresses = Vec::new();
    if let Some(named) = &up.graphite_listen {
        addresses.push(resolve(named).await?);
    }
    if up.compat_ports {
        addresses.push(SocketAddr::new(listen.ip(), GRAPHITE_PORT));
    }
    addresses.dedup();
    let mut sockets = Vec::new();
    for address in addresses {
        if !address.ip().is_loopback() && !is_open(up) {
            if up.graphite_listen.is_some() {
                bail!(
                    "--graphite-listen {address} is beyond loopback, and Graphite's senders cannot prove who they are; \
                     say --allow-open to take lines from everybody"
                );
            }
            tracing::warn!("{address} is not opened: Graphite's senders cannot prove who they are");
            continue;
        }
        let socket = TcpListener::bind(address).await;
        sockets.push(socket.with_context(|| format!("listening on {address}"))?);
    }
    Ok(sockets)
}

/// Whether everybody is let in because somebody asked for that.
fn is_open(up: &Up) -> bool {
    up.allow_open || runtime::environment::var("BINNACLE_ALLOW_OPEN").is_some_and(|v| v == "1")
}

async fn resolve(listen: &str) -> anyhow::Result<SocketAddr> {
    // `:9090` listens everywhere, as Prometheus takes it.
    let text = if listen.starts_with(':') {
        format!("0.0.0.0{listen}")
    } else {
        listen.to_owned()
    };
    let mut found = tokio::net::lookup_host(&text)
        .await
        .with_context(|| format!("--listen {listen:?} is not an address like 127.0.0.1:9090"))?;
    found
        .next()
        .with_context(|| format!("--listen {listen:?} resolves to no address"))
}

async fn bind(address: SocketAddr, face: Face, replay: &Replay) -> anyhow::Result<Door> {
    let socket = TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}"))?;
    Ok(Door {
        face,
        socket,
        place: LateRouter::new(replay.clone()),
    })
}

/// Beyond loopback somebody must be able to prove himself; users and certificates of the web configuration count.
fn admission(
    up: &Up,
    listen: SocketAddr,
    (web, state): (Option<&LiveWebConfig>, &State),
) -> anyhow::Result<Admission> {
    if listen.ip().is_loopback() {
        return Ok(Admission::Loopback);
    }
    let auth = Auth::open(state.clone())?;
    if auth.has_anybody()? {
        return Ok(Admission::Proof(Arc::new(auth)));
    }
    if web.is_some_and(LiveWebConfig::asks_for_proof) {
        return Ok(Admission::Open);
    }
    if is_open(up) {
        tracing::warn!(
            "{listen} is open to everybody who can reach it: no user and no token exists"
        );
        return Ok(Admission::Open);
    }
    let data = up.data.display();
    bail!(
        "{listen} is beyond loopback and nobody could prove himself there. Make a token \
         (binnacle token create NAME --data {data}) or a user (binnacle user create NAME --data {data}), \
         or say --allow-open"
    )
}

fn host_names(up: &Up, setup: &Setup) -> Vec<String> {
    let mut names = setup.settings.host_names.clone();
    let external = up
        .external_url
        .as_deref()
        .and_then(|url| reqwest::Url::parse(url).ok());
    names.extend(external.and_then(|url| url.host_str().map(str::to_owned)));
    names
}

impl Doors {
    /// What the server serves, the sockets of Graphite's senders, and the places to fill when there is something to
    /// answer.
    pub(crate) fn into_listeners(self) -> (Vec<Listener>, Vec<TcpListener>, Places) {
        let mut places = Vec::new();
        let mut listeners = Vec::new();
        for Door {
            face,
            socket,
            place,
        } in self.doors
        {
            listeners.push(Listener {
                socket,
                router: place.router(),
                guard: self.guard.clone(),
                web: self.web.clone(),
                cors: self.cors.clone(),
                // The other ports are those of other programs, which have no such path.
                prefix: match face {
                    Face::Main => self.prefix.clone(),
                    Face::Alertmanager
                    | Face::Loki
                    | Face::Grafana
                    | Face::Pushgateway
                    | Face::OpenTelemetry => Prefix::default(),
                },
            });
            places.push((face, place));
        }
        (listeners, self.graphite, Places(places))
    }
}

impl Places {
    /// Fills them.
    pub(crate) fn fill(&self, services: &Arc<Services>) {
        for (face, place) in &self.0 {
            place.set(router(*face, Arc::clone(services)));
        }
    }
}

fn router(face: Face, services: Arc<Services>) -> Router {
    match face {
        Face::Main => routes::main(services),
        Face::Alertmanager => routes::alertmanager_port(services),
        Face::Loki => routes::loki_port(services),
        Face::Grafana => routes::grafana_port(services),
        Face::Pushgateway => routes::pushgateway_port(services),
        Face::OpenTelemetry => routes::opentelemetry_port(services),
    }
}
