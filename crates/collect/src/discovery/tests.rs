//! Each kind against a server that answers as the real one does, over real sockets.

use super::consul::ConsulWatcher;
use super::dns::DnsWatcher;
use super::docker::DockerWatcher;
use super::ec2::Ec2Watcher;
use super::swarm::SwarmWatcher;
use super::{Provider, Reporter};
use crate::metrics::Metrics;
use crate::prometheus_file::{Discovery, Reading, TargetGroup, read};
use expect_test::{Expect, expect};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, NS, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, UdpSocket, UnixListener};
use tokio::sync::mpsc;

/// What a server answers to the path and query of a request; after the body it sends what `lines` brings.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) lines: Option<mpsc::Receiver<String>>,
}

impl Reply {
    fn json(body: &str) -> Self {
        Self {
            status: 200,
            body: body.to_owned(),
            lines: None,
        }
    }
}

pub(super) type Handler = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

/// Answers requests on a free port until the test ends.
pub(super) async fn serve(handler: Handler) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("address");
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::runtime::Handle::current().spawn(answer(stream, Arc::clone(&handler)));
        }
    });
    address.to_string()
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, handler: Handler) {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0_usize);
    stream.read_line(&mut first).await.expect("request");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("header");
        let line = line.trim().to_ascii_lowercase();
        if let Some(given) = line.strip_prefix("content-length:") {
            length = given.trim().parse().expect("a number");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("body");
    let path = first.split(' ').nth(1).expect("path").to_owned();
    let asked = format!("{path}{}", String::from_utf8(body).expect("text"));
    let reply = handler(&asked);
    let head = format!(
        "HTTP/1.1 {} X\r\nConnection: close\r\n\r\n{}",
        reply.status, reply.body
    );
    // Whoever asked may be gone.
    let _gone = stream.write_all(head.as_bytes()).await;
    if let Some(mut lines) = reply.lines {
        while let Some(line) = lines.recv().await {
            let _gone = stream.write_all(format!("{line}\n").as_bytes()).await;
            let _gone = stream.flush().await;
        }
    }
    let _gone = stream.shutdown().await;
}

/// The discovery of a job with this section.
pub(super) fn discovery(section: &str) -> Discovery {
    let text = format!("scrape_configs: [{{job_name: j, {section}}}]");
    let reading = Reading {
        file: "p.yml",
        directory: Path::new("/"),
        environment: &|_| None,
    };
    let file = read(&text, reading).expect("valid");
    assert!(file.notes.is_empty(), "{:?}", file.notes);
    let mut discoveries = file.scrape_configs[0].discoveries.clone();
    discoveries.remove(0)
}

/// A group a paragraph, a target a line.
pub(super) fn shown(groups: &[TargetGroup]) -> String {
    let mut text = String::new();
    for group in groups {
        text += &format!("{} {}\n", group.source, group.labels);
        for target in &group.targets {
            text += &format!("  {target}\n");
        }
    }
    text
}

/// Asks once; `#` in expectations stands for the server's address.
async fn check(provider: &mut impl Provider, want: Expect) {
    let groups = provider.ask().await.expect("answered");
    want.assert_eq(&shown(&groups));
}

const CONTAINERS: &str = r#"[
 {"Id": "c1", "Names": ["/web"], "Labels": {"com.x": "y"}, "HostConfig": {"NetworkMode": "bridge"},
  "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "IP": "0.0.0.0", "Type": "tcp"}, {"PrivatePort": 53, "Type": "udp"}],
  "NetworkSettings": {"Networks": {"zz": {"IPAddress": "10.0.0.9", "NetworkID": "n2"}, "bridge": {"IPAddress": "10.0.0.2", "NetworkID": "n1"}}}},
 {"Id": "c2", "Names": ["/side"], "Labels": {}, "HostConfig": {"NetworkMode": "container:c1"}, "Ports": [], "NetworkSettings": {"Networks": {}}},
 {"Id": "c3", "Names": ["/host"], "Labels": {}, "HostConfig": {"NetworkMode": "host"}, "Ports": [],
  "NetworkSettings": {"Networks": {"host": {"IPAddress": "", "NetworkID": "n3"}}}},
 {"Id": "c4", "Names": ["/none"], "Labels": {}, "HostConfig": {"NetworkMode": "none"}, "Ports": [], "NetworkSettings": {"Networks": {}}}]"#;
const NETWORKS: &str = r#"[{"Id": "n1", "Name": "bridge", "Scope": "local", "Internal": false, "Ingress": false, "Labels": {"a.b": "c"}}]"#;

#[tokio::test]
async fn docker_over_a_socket() {
    let folder = tempfile::tempdir().expect("folder");
    let socket = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).expect("socket");
    let handler: Handler = Arc::new(|path| match path {
        "/networks" => Reply::json(NETWORKS),
        "/containers/json?filters=%7B%22label%22%3A%5B%22a%22%2C%22b%22%5D%7D" => {
            Reply::json(CONTAINERS)
        }
        other => panic!("{other}"),
    });
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::runtime::Handle::current().spawn(answer(stream, Arc::clone(&handler)));
        }
    });
    let section = format!(
        "docker_sd_configs: [{{host: 'unix://{}', filters: [{{name: label, values: [a, b]}}], port: 9, \
         include_no_network_targets: true}}]",
        socket.display()
    );
    let Discovery::Docker(docker) = discovery(&section) else {
        panic!("not docker");
    };
    check(&mut DockerWatcher::new(*docker), expect![[r#"
        Docker {}
          {__address__="10.0.0.2:80", __meta_docker_container_id="c1", __meta_docker_container_label_com_x="y", __meta_docker_container_name="/web", __meta_docker_container_network_mode="bridge", __meta_docker_network_id="n1", __meta_docker_network_ingress="false", __meta_docker_network_internal="false", __meta_docker_network_ip="10.0.0.2", __meta_docker_network_label_a_b="c", __meta_docker_network_name="bridge", __meta_docker_network_scope="local", __meta_docker_port_private="80", __meta_docker_port_public="8080", __meta_docker_port_public_ip="0.0.0.0"}
          {__address__="10.0.0.2:9", __meta_docker_container_id="c2", __meta_docker_container_name="/side", __meta_docker_container_network_mode="container:c1", __meta_docker_network_id="n1", __meta_docker_network_ingress="false", __meta_docker_network_internal="false", __meta_docker_network_ip="10.0.0.2", __meta_docker_network_label_a_b="c", __meta_docker_network_name="bridge", __meta_docker_network_scope="local"}
          {__address__="localhost", __meta_docker_container_id="c3", __meta_docker_container_name="/host", __meta_docker_container_network_mode="host"}
          {__address__="localhost", __meta_docker_container_id="c4", __meta_docker_container_name="/none", __meta_docker_container_network_mode="none"}
    "#]]).await;
}

#[tokio::test]
async fn swarm() {
    let handler: Handler = Arc::new(|path| {
        Reply::json(match path {
            "/networks" => NETWORKS,
            "/services" => {
                r#"[{"ID": "s1", "Spec": {"Name": "web", "Labels": {"l": "v"}, "Mode": {"Replicated": {"Replicas": 2}},
                 "TaskTemplate": {"ContainerSpec": {"Image": "nginx"}}}, "UpdateStatus": {"State": "completed"},
                 "Endpoint": {"Ports": [{"Name": "http", "Protocol": "tcp", "PublishedPort": 8080, "PublishMode": "ingress"}],
                              "VirtualIPs": [{"NetworkID": "n1", "Addr": "10.0.0.3/24"}]}}]"#
            }
            "/nodes" => {
                r#"[{"ID": "m1", "Spec": {"Role": "manager", "Availability": "active", "Labels": {}},
                 "Description": {"Hostname": "h1", "Platform": {"Architecture": "x86_64", "OS": "linux"}, "Engine": {"EngineVersion": "20"}},
                 "Status": {"State": "ready", "Addr": "192.168.0.5"},
                 "ManagerStatus": {"Leader": true, "Reachability": "reachable", "Addr": "192.168.0.5:2377"}}]"#
            }
            "/tasks" => {
                r#"[{"ID": "t1", "ServiceID": "s1", "NodeID": "m1", "Slot": 1, "DesiredState": "running",
                 "Spec": {"ContainerSpec": {"Labels": {"k": "w"}}},
                 "Status": {"State": "running", "ContainerStatus": {"ContainerID": "c9"},
                            "PortStatus": {"Ports": [{"Protocol": "tcp", "PublishedPort": 9000, "PublishMode": "host"}]}},
                 "NetworksAttachments": [{"Network": {"ID": "n1"}, "Addresses": ["10.0.0.7/24"]}]}]"#
            }
            other => panic!("{other}"),
        })
    });
    let address = serve(handler).await;
    for (role, want) in [
        (
            "nodes",
            expect![[r#"
            DockerSwarm {}
              {__address__="192.168.0.5:80", __meta_dockerswarm_node_address="192.168.0.5", __meta_dockerswarm_node_availability="active", __meta_dockerswarm_node_engine_version="20", __meta_dockerswarm_node_hostname="h1", __meta_dockerswarm_node_id="m1", __meta_dockerswarm_node_manager_address="192.168.0.5:2377", __meta_dockerswarm_node_manager_leader="true", __meta_dockerswarm_node_manager_reachability="reachable", __meta_dockerswarm_node_platform_architecture="x86_64", __meta_dockerswarm_node_platform_os="linux", __meta_dockerswarm_node_role="manager", __meta_dockerswarm_node_status="ready"}
        "#]],
        ),
        (
            "services",
            expect![[r#"
            DockerSwarm {}
              {__address__="10.0.0.3:8080", __meta_dockerswarm_network_id="n1", __meta_dockerswarm_network_ingress="false", __meta_dockerswarm_network_internal="false", __meta_dockerswarm_network_label_a_b="c", __meta_dockerswarm_network_name="bridge", __meta_dockerswarm_network_scope="local", __meta_dockerswarm_service_endpoint_port_name="http", __meta_dockerswarm_service_endpoint_port_publish_mode="ingress", __meta_dockerswarm_service_id="s1", __meta_dockerswarm_service_label_l="v", __meta_dockerswarm_service_mode="replicated", __meta_dockerswarm_service_name="web", __meta_dockerswarm_service_task_container_image="nginx", __meta_dockerswarm_service_updating_status="completed"}
        "#]],
        ),
        (
            "tasks",
            expect![[r#"
            DockerSwarm {}
              {__address__="192.168.0.5:9000", __meta_dockerswarm_container_label_k="w", __meta_dockerswarm_node_address="192.168.0.5", __meta_dockerswarm_node_availability="active", __meta_dockerswarm_node_hostname="h1", __meta_dockerswarm_node_id="m1", __meta_dockerswarm_node_platform_architecture="x86_64", __meta_dockerswarm_node_platform_os="linux", __meta_dockerswarm_node_role="manager", __meta_dockerswarm_node_status="ready", __meta_dockerswarm_service_id="s1", __meta_dockerswarm_service_label_l="v", __meta_dockerswarm_service_mode="replicated", __meta_dockerswarm_service_name="web", __meta_dockerswarm_task_container_id="c9", __meta_dockerswarm_task_desired_state="running", __meta_dockerswarm_task_id="t1", __meta_dockerswarm_task_port_publish_mode="host", __meta_dockerswarm_task_slot="1", __meta_dockerswarm_task_state="running"}
              {__address__="10.0.0.7:8080", __meta_dockerswarm_container_label_k="w", __meta_dockerswarm_network_id="n1", __meta_dockerswarm_network_ingress="false", __meta_dockerswarm_network_internal="false", __meta_dockerswarm_network_label_a_b="c", __meta_dockerswarm_network_name="bridge", __meta_dockerswarm_network_scope="local", __meta_dockerswarm_node_address="192.168.0.5", __meta_dockerswarm_node_availability="active", __meta_dockerswarm_node_hostname="h1", __meta_dockerswarm_node_id="m1", __meta_dockerswarm_node_platform_architecture="x86_64", __meta_dockerswarm_node_platform_os="linux", __meta_dockerswarm_node_role="manager", __meta_dockerswarm_node_status="ready", __meta_dockerswarm_service_id="s1", __meta_dockerswarm_service_label_l="v", __meta_dockerswarm_service_mode="replicated", __meta_dockerswarm_service_name="web", __meta_dockerswarm_task_container_id="c9", __meta_dockerswarm_task_desired_state="running", __meta_dockerswarm_task_id="t1", __meta_dockerswarm_task_port_publish_mode="ingress", __meta_dockerswarm_task_slot="1", __meta_dockerswarm_task_state="running"}
        "#]],
        ),
    ] {
        let section =
            format!("dockerswarm_sd_configs: [{{host: 'tcp://{address}', role: {role}}}]");
        let Discovery::Swarm(swarm) = discovery(&section) else {
            panic!("not swarm");
        };
        check(&mut SwarmWatcher::new(*swarm), want).await;
    }
}

#[tokio::test]
async fn consul() {
    let handler: Handler = Arc::new(|path| {
        Reply::json(match path {
            "/p/v1/agent/self" => r#"{"Config": {"Datacenter": "dc1"}}"#,
            "/p/v1/catalog/services?stale=&node-meta=rack%3A1" => {
                r#"{"web": ["a", "b"], "db": ["a"], "cache": []}"#
            }
            "/p/v1/health/service/web?stale=&node-meta=rack%3A1&tag=a&tag=b" => {
                r#"[{"Node": {"Node": "n1", "Address": "10.0.0.1"}, "Checks": [],
                 "Service": {"ID": "w", "Service": "web", "Address": "", "Port": 80, "Tags": ["a", "b"]}}]"#
            }
            other => panic!("{other}"),
        })
    });
    let address = serve(handler).await;
    let section = format!(
        "consul_sd_configs: [{{server: '{address}', path_prefix: /p, tags: [a, b], node_meta: {{rack: '1'}}}}]"
    );
    let Discovery::Consul(consul) = discovery(&section) else {
        panic!("not consul");
    };
    check(&mut ConsulWatcher::new(*consul), expect![[r#"
        web {__meta_consul_dc="dc1", __meta_consul_service="web"}
          {__address__="10.0.0.1:80", __meta_consul_address="10.0.0.1", __meta_consul_health="passing", __meta_consul_node="n1", __meta_consul_service_id="w", __meta_consul_service_port="80", __meta_consul_tags=",a,b,"}
    "#]]).await;
}

#[tokio::test]
async fn ec2() {
    let handler: Handler = Arc::new(|asked| {
        if asked.contains("DescribeAvailabilityZones") {
            return Reply {
                status: 403,
                body: "<Error/>".to_owned(),
                lines: None,
            };
        }
        assert!(
            asked.contains("Filter.1.Name=tag%3Aa&Filter.1.Value.1=b"),
            "{asked}"
        );
        let (id, next) = if asked.contains("NextToken=2") {
            ("i-2", "")
        } else {
            ("i-1", "2")
        };
        Reply::json(&format!(
            "<R><reservationSet><item><ownerId>1</ownerId><instancesSet><item><instanceId>{id}</instanceId>\
             <privateIpAddress>10.0.0.1</privateIpAddress></item></instancesSet></item></reservationSet>\
             <nextToken>{next}</nextToken></R>"
        ))
    });
    let address = serve(handler).await;
    let section = format!(
        "ec2_sd_configs: [{{endpoint: 'http://{address}', region: eu-1, access_key: A, secret_key: B, \
         filters: [{{name: 'tag:a', values: [b]}}]}}]"
    );
    let Discovery::Ec2(ec2) = discovery(&section) else {
        panic!("not ec2");
    };
    let clock = runtime::SystemClock::shared();
    check(&mut Ec2Watcher::new(*ec2, clock), expect![[r#"
        eu-1 {}
          {__address__="10.0.0.1:80", __meta_ec2_instance_id="i-1", __meta_ec2_owner_id="1", __meta_ec2_private_ip="10.0.0.1", __meta_ec2_region="eu-1"}
          {__address__="10.0.0.1:80", __meta_ec2_instance_id="i-2", __meta_ec2_owner_id="1", __meta_ec2_private_ip="10.0.0.1", __meta_ec2_region="eu-1"}
    "#]]).await;
}

/// Answers questions of DNS from a table; other names do not exist.
async fn name_server() -> TokioResolver {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let port = socket.local_addr().expect("address").port();
    tokio::runtime::Handle::current().spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let asked = Message::from_vec(&buffer[..length]).expect("a question");
            let mut reply = Message::response(asked.metadata.id, OpCode::Query);
            for query in &asked.queries {
                reply.add_query(query.clone());
                let found = records(&query.name().to_string(), query.query_type());
                if found.is_empty() {
                    reply.metadata.response_code = ResponseCode::NXDomain;
                }
                for data in found {
                    reply.add_answer(Record::from_rdata(query.name().clone(), 30, data));
                }
            }
            let bytes = reply.to_vec().expect("bytes");
            socket.send_to(&bytes, from).await.expect("sent");
        }
    });
    let mut connection = ConnectionConfig::udp();
    connection.port = port;
    let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
    server.connections = vec![connection];
    let config = ResolverConfig::from_name_servers(vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .build()
        .expect("resolver")
}

fn records(name: &str, kind: RecordType) -> Vec<RData> {
    let host = |text: &str| Name::from_ascii(text).expect("a name");
    match (name, kind) {
        ("_web._tcp.x.", RecordType::SRV) => vec![RData::SRV(SRV::new(0, 0, 9100, host("a.x.")))],
        ("a.x.", RecordType::A) => vec![RData::A(A(Ipv4Addr::new(10, 0, 0, 1)))],
        ("a.x.", RecordType::AAAA) => vec![RData::AAAA(AAAA(Ipv6Addr::LOCALHOST))],
        ("x.", RecordType::MX) => vec![RData::MX(MX::new(1, host("mail.x.")))],
        ("x.", RecordType::NS) => vec![RData::NS(NS(host("ns.x.")))],
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn dns() {
    let resolver = name_server().await;
    for (section, want) in [
        (
            "names: [_web._tcp.x.]",
            expect![[r#"
            _web._tcp.x. {}
              {__address__="a.x:9100", __meta_dns_name="_web._tcp.x.", __meta_dns_srv_record_port="9100", __meta_dns_srv_record_target="a.x."}
        "#]],
        ),
        (
            "names: [a.x., gone.x.], type: A, port: 1",
            expect![[r#"
            a.x. {}
              {__address__="10.0.0.1:1", __meta_dns_name="a.x."}
            gone.x. {}
        "#]],
        ),
        (
            "names: [a.x.], type: AAAA, port: 2",
            expect![[r#"
            a.x. {}
              {__address__="[::1]:2", __meta_dns_name="a.x."}
        "#]],
        ),
        (
            "names: [x.], type: MX, port: 3",
            expect![[r#"
            x. {}
              {__address__="mail.x:3", __meta_dns_mx_record_target="mail.x.", __meta_dns_name="x."}
        "#]],
        ),
        (
            "names: [x.], type: NS, port: 4",
            expect![[r#"
            x. {}
              {__address__="ns.x:4", __meta_dns_name="x.", __meta_dns_ns_record_target="ns.x."}
        "#]],
        ),
    ] {
        let Discovery::Dns(dns) = discovery(&format!("dns_sd_configs: [{{{section}}}]")) else {
            panic!("not dns");
        };
        let mut watcher = DnsWatcher::new(dns).with_resolver(resolver.clone());
        check(&mut watcher, want).await;
    }
}

/// A reporter, and where its reports arrive.
pub(super) fn reporter() -> (Reporter, mpsc::Receiver<super::Found>) {
    let (to, found) = mpsc::channel(16);
    let reporter = Reporter {
        to,
        job: "j".to_owned(),
        generation: 1,
        index: 0,
    };
    (reporter, found)
}

/// Metrics that nobody looks at.
pub(super) fn metrics() -> Metrics {
    Metrics::new(&runtime::Registry::new())
}
