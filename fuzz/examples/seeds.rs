//! Writes the seeds under `corpus/`: small inputs of every kind that the targets know, by our own encoders or by hand.
//!
//! `cargo run --example seeds`, in the folder `fuzz`. What a fuzzer found on top of them stays out of the tree.

use fuzz::joined;
use ingest::remote_out::RecordWriter;
use interchange::Selection;
use interchange::prometheus::{BLOCK_MS, ExportOptions, chunk, export};
use interchange::remote_read::{Query, encode_request};
use model::histogram::Span;
use model::{
    Exemplar, Histogram, Labels, Matcher, MemoryStore, Sample, SeriesSamples, Sink as _, TimeRange,
    Timestamp, Value,
};
use runtime::SimulatedClock;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use storage::encoding::{Decoder, put_varint, put_zigzag};
use storage::files::read_whole;
use storage::{OperatingSystem, SimulatedFiles};
use tsdb::{Db, Options};

/// A round moment, at the beginning of a block of two hours.
const START: i64 = 1_700_006_400_000;

fn main() {
    lines();
    otlp();
    pushgateway();
    remote();
    discovery();
    requests();
    texts();
    store();
    prometheus_folder();
    chunks();
}

/// Writes one seed: the byte that picks the kind, and the rest.
fn seed(target: &str, name: &str, kind: u8, body: impl AsRef<[u8]>) {
    let mut bytes = vec![kind];
    bytes.extend(body.as_ref());
    plain(target, name, bytes);
}

fn plain(target: &str, name: &str, bytes: impl AsRef<[u8]>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("written");
}

fn histogram(count: u32) -> Value {
    let count = f64::from(count);
    Value::Histogram(Arc::new(Histogram {
        count: count + 2.0,
        sum: 4.5,
        schema: 1,
        zero_threshold: 0.001,
        zero_count: 1.0,
        positive_spans: vec![Span { offset: -2, length: 1 }, Span { offset: 1, length: 1 }],
        positive_buckets: vec![count, 1.0],
        ..Histogram::default()
    }))
}

/// Two series of floats and one of histograms.
fn rows() -> Vec<SeriesSamples> {
    let at = |index: i64| Timestamp::from_millis(START + 15_000 * index);
    let floats = |host: &str, step: f64| SeriesSamples {
        labels: Labels::from_pairs([("__name__", "a"), ("host", host)]),
        samples: (0..8).map(|i| Sample::float(at(i), step * i as f64)).collect(),
        exemplars: vec![Exemplar {
            labels: Labels::from_pairs([("trace", "x")]),
            value: 0.5,
            timestamp: Some(at(1)),
        }],
    };
    let histograms = SeriesSamples {
        labels: Labels::from_pairs([("__name__", "h"), ("host", "x")]),
        samples: (0..4_u32).map(|i| Sample::new(at(i.into()), histogram(i))).collect(),
        exemplars: Vec::new(),
    };
    vec![floats("x", 1.0), floats("y", 0.1), histograms]
}

fn lines() {
    seed("lines", "influx", 0, "cpu,host=a\\ b u=1.5,i=3i,s=\"t,\\\" x\",b=true 1700000000000000000\n# c\nmem v=2\n");
    seed("lines", "graphite", 1, "servers.web1.load;dc=eu 42 1465839830\na.b NaN -1\n");
    let json = r#"{"metric":{"__name__":"up","job":"a"},"values":[1,null,"NaN","-Infinity"],"timestamps":[1,2,3,4]}
{"metric":{"__name__":"h"},"histograms":["EQAAAAAAAAhAGQAAAAAAAPg/IAQpAAAAAAAAAAA5AAAAAAAAAABaBAgBEAJqEAAAAAAAAPA/AAAAAAAAAEB4BA=="],"timestamps":[4]}
"#;
    seed("lines", "json", 2, json);
    seed("lines", "csv", 3, "2:metric:ask,1:label:t,3:metric:bid,4:time:rfc3339\n\"A \"\"q\",1.5,,2023-11-14T22:13:20Z\n");
    seed("lines", "text", 4, "# TYPE a counter\na{b=\"c\\n\"} 1 1700000000000\nbroken{\nx 0x1p-2\n");
    seed("lines", "openmetrics", 5, "# TYPE a counter\n# UNIT a_s s\na_total 1 1.5 # {t=\"x\"} 2\n# EOF\n");
    seed("lines", "dump", 6, "# TYPE h histogram\nh_bucket{le=\"1\"} 1 1.5\nh_bucket{le=\"+Inf\"} 1 1.5\n# EOF\n");
    seed("lines", "influx_dump", 7, "# DDL\nCREATE DATABASE d\n# DML\n# CONTEXT-DATABASE: d\nm,t=1 v=1 1700000000000\n");
}

/// A field of a message of protocol buffers that holds bytes.
fn field(number: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let (mut out, content) = (Vec::new(), content.as_ref());
    put_varint(&mut out, number << 3 | 2);
    put_varint(&mut out, content.len() as u64);
    out.extend(content);
    out
}

fn number(number: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, number << 3);
    put_varint(&mut out, value);
    out
}

fn fixed(number: u64, bits: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, number << 3 | 1);
    out.extend(bits.to_le_bytes());
    out
}

fn otlp() {
    let text = |key: &str, value: &str| [field(1, key), field(2, field(1, value))].concat();
    let times = [fixed(2, 1_700_000_000_000_000_000), fixed(3, 1_700_000_015_000_000_000)].concat();
    let attribute = field(7, text("k.a", "v"));
    let point = [attribute, times.clone(), fixed(4, 1.5_f64.to_bits())].concat();
    let gauge = [field(1, "g.x"), field(3, "By"), field(5, field(1, &point))].concat();
    let sum = [field(1, &point), number(2, 1), number(3, 1)].concat();
    let sum = [field(1, "s"), field(2, "help"), field(7, sum)].concat();
    let buckets = [number(1, 2), field(2, [1, 2, 3])].concat();
    let mut exponential = [times.clone(), fixed(4, 7), fixed(5, 2.5_f64.to_bits())].concat();
    exponential.extend([number(6, 4), fixed(7, 1), field(8, buckets)].concat());
    let exponential = [field(1, exponential), number(2, 2)].concat();
    let exponential = [field(1, "e"), field(10, exponential)].concat();
    let counts = [1_u64.to_le_bytes(), 2_u64.to_le_bytes()].concat();
    let mut explicit = [times.clone(), fixed(4, 3), fixed(5, 2.5_f64.to_bits())].concat();
    explicit.extend([field(6, counts), field(7, 1.0_f64.to_bits().to_le_bytes())].concat());
    let explicit = [field(1, explicit), number(2, 2)].concat();
    let explicit = [field(1, "x"), field(9, explicit)].concat();
    let quantile = [fixed(1, 0.5_f64.to_bits()), fixed(2, 1.0_f64.to_bits())].concat();
    let summary = [times, fixed(4, 3), fixed(5, 9.0_f64.to_bits()), field(6, quantile)].concat();
    let summary = [field(1, "q"), field(11, field(1, summary))].concat();
    let metrics = [gauge, sum, exponential, explicit, summary].map(|metric| field(2, metric));
    let scope = [vec![field(1, field(1, "lib"))], metrics.to_vec()].concat().concat();
    let resource = [field(1, text("service.name", "s")), field(1, text("host", "h"))].concat();
    let request = field(1, [field(1, resource), field(2, scope)].concat());
    for flags in [0, 0b0110_0101, 0b0101_1010] {
        seed("otlp", &format!("protobuf_{flags}"), flags, &request);
    }
    let json = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}},
{"key":"l","value":{"arrayValue":{"values":[{"intValue":"1"},{"boolValue":true}]}}}]},"scopeMetrics":[{"scope":{"name":"n","version":"1"},
"metrics":[{"name":"a.b","unit":"s","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"startTimeUnixNano":"1","timeUnixNano":"1700000000000000000","asInt":"3","exemplars":[{"timeUnixNano":"5","asDouble":1.5,"traceId":"00ff"}]}]}},
{"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1700000000000000000","count":"3","sum":1.5,"scale":20,"zeroCount":"1","positive":{"offset":-3,"bucketCounts":["1","1"]}}]}},
{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":1700000000000000000,"count":3,"bucketCounts":["1","2"],"explicitBounds":[0.5]}]}},
{"name":"q","summary":{"dataPoints":[{"timeUnixNano":"1","count":"1","sum":1,"quantileValues":[{"quantile":0.5,"value":"NaN"}]}]}}]}]}]}"#;
    for flags in [0b1000_0000, 0b1110_0101] {
        seed("otlp", &format!("json_{flags}"), flags, json);
    }
}

fn pushgateway() {
    seed("pushgateway", "text", 0, "job/a/instance@base64/eC95\n# HELP m h\n# TYPE m histogram\nm_bucket{le=\"1\"} 1\nm_bucket{le=\"+Inf\"} 2\nm_sum 3\nm_count 2\n");
    seed("pushgateway", "replace", 2, "job/a\nx{l=\"v\"} 1\nx{l=\"w\"} NaN\ny 2\n");
    let gauge = field(2, fixed(1, 1.5_f64.to_bits()));
    let label = field(1, [field(1, "l"), field(2, "v")].concat());
    let family = [field(1, "g"), field(2, "help"), number(3, 1), field(4, [label, gauge].concat())];
    let family = family.concat();
    let mut body = b"job@base64/YQ==\n".to_vec();
    put_varint(&mut body, family.len() as u64);
    body.extend(family);
    seed("pushgateway", "protobuf", 1, body);
}

fn remote() {
    let matchers = vec![Matcher::equal("__name__", "a")];
    let range = TimeRange {
        start: Timestamp::from_millis(-5),
        end: Timestamp::from_millis(START),
    };
    let body = encode_request(&Query { matchers, range });
    seed("remote_read", "request", 1, &body);
    let unpacked = snap::raw::Decoder::new().decompress_vec(&body).expect("sound");
    seed("remote_read", "request_unpacked", 0, unpacked);
    let labels = |pairs: &[(&str, &str)]| -> Vec<u8> {
        let label = |(name, value): &(&str, &str)| field(1, [field(1, name), field(2, value)].concat());
        pairs.iter().flat_map(label).collect()
    };
    let sample = field(2, [fixed(1, 1.5_f64.to_bits()), number(2, 1_700_000_000_000)].concat());
    let series = [labels(&[("__name__", "a"), ("b", "c")]), sample].concat();
    seed("remote_read", "samples", 2, field(1, field(1, &series)));
    let packed = chunk::encode(&rows()[0].samples);
    let one = &packed[0];
    let one = [number(1, 5), number(2, 9), number(3, 1), field(4, &one.data)].concat();
    let frame = [labels(&[("__name__", "a")]), field(2, one)].concat();
    seed("remote_read", "frames", 3, joined([field(1, &frame), field(1, frame)]));
    plain("remote_write", "first", field(1, series));
    let symbols = ["", "__name__", "a", "help"].map(|symbol| field(4, symbol)).concat();
    let sample = field(2, [fixed(1, 2.5_f64.to_bits()), number(2, 1_700_000_000_000)].concat());
    let series = field(5, [field(1, [1, 2]), sample, field(5, [number(1, 1), number(3, 3)].concat())].concat());
    plain("remote_write", "second", [symbols, series].concat());
}

fn discovery() {
    let docker = r#"{"containers":[{"Id":"1","Names":["/a"],"Labels":{"x.y":"z"},"HostConfig":{"NetworkMode":"default"},"Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}],"NetworkSettings":{"Networks":{"n":{"IPAddress":"fe80::1","NetworkID":"7"}}}},{"Id":"2","HostConfig":{"NetworkMode":"container:1"}}],"networks":[{"Id":"7","Name":"n","Scope":"local","Internal":false,"Labels":{"l":"m"}}]}"#;
    seed("discovery", "http", 0, r#"[{"targets":["a:1","b:2"],"labels":{"x":"y"}}]"#);
    seed("discovery", "docker", 1, docker);
    let swarm = r#"{"nodes":[{"ID":"n","Spec":{"Role":"manager","Labels":{"a":"b"}},"Status":{"Addr":"10.0.0.1","State":"ready"},"ManagerStatus":{"Addr":"10.0.0.1:2377","Leader":true}}],"services":[{"ID":"s","Spec":{"Name":"web","Mode":{"Replicated":{}},"TaskTemplate":{"ContainerSpec":{"Image":"i"}}},"Endpoint":{"Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}],"VirtualIPs":[{"NetworkID":"7","Addr":"10.0.1.2/24"}]}}],"tasks":[{"ID":"t","ServiceID":"s","NodeID":"n","Slot":1,"Status":{"State":"running","PortStatus":{"Ports":[{"Protocol":"tcp","PublishedPort":1}]}},"NetworksAttachments":[{"Network":{"ID":"7"},"Addresses":["10.0.1.3/24"]}]}],"networks":[{"Id":"7","Name":"n"}]}"#;
    for role in 3..6 {
        seed("discovery", &format!("swarm_{role}"), role, swarm);
    }
    seed("discovery", "consul", 6, r#"{"web":["t","u"],"instances":[{"Node":{"Node":"n","Address":"10.0.0.1","Datacenter":"dc","Meta":{"a":"b"},"TaggedAddresses":{"lan":"10.0.0.1"}},"Service":{"ID":"web1","Service":"web","Tags":["t"],"Address":"","Port":80,"Meta":{"c":"d"}},"Checks":[{"CheckID":"x","Status":"warning"}]}]}"#);
    seed("discovery", "ec2", 7, "<r><availabilityZoneInfo><item><zoneName>a</zoneName><zoneId>1</zoneId></item></availabilityZoneInfo></r>\u{c}<r><reservationSet><item><ownerId>o</ownerId><instancesSet><item><instanceId>i</instanceId><privateIpAddress>10.0.0.1</privateIpAddress><placement><availabilityZone>a</availabilityZone></placement><tagSet><item><key>Name</key><value>n</value></item></tagSet><networkInterfaceSet><item><subnetId>s</subnetId><ipv6AddressesSet><item><ipv6Address>::1</ipv6Address></item></ipv6AddressesSet></item></networkInterfaceSet></item></instancesSet></item></reservationSet><nextToken>t</nextToken></r>");
    let objects = [
        ("0", r#"{"metadata":{"name":"n1","labels":{"z":"1"}},"spec":{"providerID":"x"},"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}"#),
        ("1", r#"{"metadata":{"name":"d","labels":{"team":"t"}}}"#),
        ("2", r#"{"metadata":{"name":"web","namespace":"d"},"spec":{"type":"ClusterIP","clusterIP":"10.9.0.1","ports":[{"name":"http","port":80,"protocol":"TCP"}]}}"#),
        ("3", r#"{"metadata":{"name":"p1","namespace":"d","ownerReferences":[{"kind":"ReplicaSet","name":"w","controller":true}]},"spec":{"nodeName":"n1","containers":[{"name":"m","image":"i","ports":[{"name":"h","containerPort":8080,"protocol":"TCP"}]}]},"status":{"phase":"Running","podIP":"10.1.0.1","conditions":[{"type":"Ready","status":"True"}]}}"#),
        ("4", r#"{"metadata":{"name":"web","namespace":"d"},"subsets":[{"addresses":[{"ip":"10.1.0.1","nodeName":"n1","targetRef":{"kind":"Pod","name":"p1","namespace":"d"}}],"ports":[{"name":"http","port":8080,"protocol":"TCP"}]}]}"#),
        ("5", r#"{"metadata":{"name":"w","namespace":"d","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4","ports":[{"name":"h","port":8080}],"endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true},"targetRef":{"kind":"Pod","name":"p1","namespace":"d"}}]}"#),
        ("6", r#"{"metadata":{"name":"i","namespace":"d"},"spec":{"tls":[{"hosts":["*.e.com"]}],"rules":[{"host":"a.e.com","http":{"paths":[{"path":"/x"},{}]}}]}}"#),
    ];
    let mut watch = String::new();
    for (kind, object) in objects {
        watch += &format!("{kind}{{\"type\":\"ADDED\",\"object\":{object}}}\n");
    }
    for role in 8..14 {
        seed("discovery", &format!("kubernetes_{role}"), role, &watch);
    }
    seed("discovery", "kubeconfig", 20, "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: 'https://h', certificate-authority-data: YQ==}}]\nusers: [{name: u, user: {token: t}}]\n");
    seed("discovery", "credentials", 20, "[default]\naws_access_key_id = a\naws_secret_access_key=b\n");
}

fn requests() {
    seed("requests", "alerts", 0, r#"[{"labels":{"alertname":"A","x":""},"annotations":{"s":"t"},"startsAt":"2023-11-14T22:13:20Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://h"}]"#);
    seed("requests", "silence", 1, r#"{"matchers":[{"name":"alertname","value":"A|B","isRegex":true,"isEqual":true}],"startsAt":"2023-11-14T22:13:20.000Z","endsAt":"2033-11-15T00:00:00+02:00","createdBy":"me","comment":"c","annotations":{"a":"b"}}"#);
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x04, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0];
    seed("requests", "gzip", 2, gzip);
    seed("requests", "deflate", 8, [0x78, 0x9c, 0x4b, 0x04, 0, 0, 0x62, 0, 0x62]);
    seed("requests", "snappy", 14, [0xff, 6, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y']);
    seed("requests", "grpc", 3, [&[1, 0, 0, 0, 21], gzip.as_slice()].concat());
    seed("requests", "matchers", 4, r#"{foo="bar",x!~z.*,"a b"=~"\u00e9+",tricky==~!=~}"#);
    seed("requests", "parameters", 5, "time=2023-11-14T22:13:20Z&step=5m&limit=3&count=4&flag=true");
    seed("requests", "user", 5, "Basic YTpi");
}

fn texts() {
    plain("promql", "rate", "sum by (a) (rate(x{b=~\"c.+\", \"d.e\"!=\"f\"}[5m] offset -1h)) / on() group_left(z) 2^-0x1f > bool @end");
    plain("promql", "sub", "histogram_quantile(0.9, max_over_time(a[1h:5m] @ 10)) or -{__name__=\"up\"} unless vector(+Inf)");
    plain("promql", "series", "a{b=\"c\"} 1+2x3 _x2 {{schema:1 count:3 sum:2 buckets:[1 2]}}x2 stale");
    plain("expressions", "regex", r"^(?i:a[[:alpha:]\d-]+?|\pL{2,3}|\Qx.\E)$");
    plain("expressions", "template", "{{ define \"x\" }}{{ . | toUpper | printf \"%5.2q\" }}{{ end }}<a href=\"{{ . }}\" onclick='f({{ . }})'>{{ range $i, $e := (slice . 0 1) }}{{ template \"x\" . }}{{ else }}-{{ end }}");
    plain("expressions", "duration", "1h30m5s");
    plain("files", "prometheus", "global: {scrape_interval: 15s, external_labels: {a: b}}\nrule_files: [r/*.yml]\nscrape_configs:\n- job_name: j\n  static_configs: [{targets: ['h:1']}]\n  relabel_configs: [{source_labels: [a], regex: '(.*)', target_label: b, replacement: $1}]\n  basic_auth: {username: u, password: p}\n");
    plain("files", "rules", "groups:\n- name: g\n  interval: 1m\n  rules:\n  - alert: A\n    expr: up == 0\n    for: 5m\n    labels: {s: page}\n    annotations: {t: '{{ $value }}'}\n  - record: r:x\n    expr: sum(x)\n");
    plain("files", "alertmanager", "route: {receiver: r, group_by: [a], routes: [{matchers: ['s=\"page\"'], receiver: r}]}\nreceivers:\n- name: r\n  webhook_configs: [{url: 'http://h'}]\n  email_configs: [{to: a@b, from: c@d, smarthost: 'h:25'}]\ninhibit_rules: [{source_matchers: [a=b], target_matchers: [c=d], equal: [e]}]\n");
    plain("files", "web", "tls_server_config: {cert_file: c, key_file: k, min_version: TLS12}\nhttp_server_config: {headers: {X-Frame-Options: deny}}\nbasic_auth_users: {u: $2y$10$abcdefghijklmnopqrstuuJ8Wc6Q1Qk1Cbe1K3bK0b0b0b0b0b0b0}\n");
    plain("files", "targets", "- targets: ['h:1']\n  labels: {a: &x b}\n- {targets: [c], labels: {d: *x}}\n");
    seed("exposition", "text", 0, "# HELP a_seconds h\\n\n# TYPE a_seconds histogram\na_seconds_bucket{le=\"0.5\"} 1\na_seconds_bucket{le=\"+Inf\"} 2 1700000000000\na_seconds_sum 3\na_seconds_count 2\n{\"b.c\",d=\"e\"} NaN\n");
    seed("exposition", "openmetrics", 0x79, "# TYPE a counter\n# UNIT a_seconds seconds\na_total{b=\"c\"} 1 2.5 # {t=\"x\"} 1 2\na_created 1.5\n# TYPE i info\ni_info{v=\"1\"} 1\n# EOF\n");
    let label = field(1, [field(1, "l"), field(2, "v")].concat());
    let counter = [label, field(3, fixed(1, 2.0_f64.to_bits()))].concat();
    let family = [field(1, "c"), field(2, "help"), number(3, 0), field(4, counter)].concat();
    let mut body = Vec::new();
    put_varint(&mut body, family.len() as u64);
    body.extend(family);
    seed("exposition", "protobuf", 6, body);
}

fn content(disk: &SimulatedFiles, path: &str) -> Vec<u8> {
    read_whole(disk, Path::new(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The contents of the records of a file of ours: `frame` bytes before each, the first four of them its length.
fn records(bytes: &[u8], frame: usize) -> Vec<u8> {
    let mut decoder = Decoder::new(bytes.get(16..).expect("a header"));
    let mut found = Vec::new();
    while let Some(length) = decoder.u32() {
        decoder.take(frame - 4).expect("a frame");
        found.push(decoder.take(length as usize).expect("a record"));
    }
    joined(found)
}

fn store() {
    let disk = SimulatedFiles::new(1);
    let options = Options {
        files: disk.shared(),
        clock: Arc::new(SimulatedClock::new(Timestamp::from_millis(START + 600_000))),
        retention_ms: None,
        ..Options::new("/d")
    };
    let db = Db::open(options.clone()).expect("memory opens");
    let range = TimeRange {
        start: Timestamp::from_millis(START),
        end: Timestamp::from_millis(START + 20_000),
    };
    db.append(&rows()).expect("memory takes all");
    db.delete(&[Matcher::equal("host", "y")], range).expect("memory takes all");
    db.sync().expect("memory takes all");
    seed("store", "wal", 0, records(&content(&disk, "/d/wal/00000001.wal"), 8));
    seed("store", "plain_wal", 7, content(&disk, "/d/wal/00000001.wal"));
    // A checkpoint is only made where the log has grown: by the same samples, again and again.
    for _ in 0..10_000 {
        db.append(&rows()).expect("memory takes all");
    }
    db.close().expect("memory takes all");
    drop(db);
    seed("store", "checkpoint", 1, checkpoint(&content(&disk, "/d/CHECKPOINT")));
    disk.restart_process();
    let db = Db::open(options).expect("memory opens");
    db.flush().expect("memory takes all");
    db.delete(&[Matcher::equal("host", "x")], range).expect("memory takes all");
    seed("store", "manifest", 2, &content(&disk, "/d/MANIFEST")[24..]);
    seed("store", "block", 3, pages(&content(&disk, "/d/blocks/00000001.block")));
    seed("store", "tombstones", 4, &content(&disk, "/d/blocks/00000001.tombstones")[24..]);
    let record = RecordWriter::default().encode(&rows(), true);
    let record = snap::raw::Decoder::new().decompress_vec(&record).expect("sound");
    seed("store", "queue", 5, joined([record]));
    seed("store", "journal", 6, r#"{"prometheus /d":["01M7YPMW0XQWZP5JWJ7FT82RMA"]}"#);
}

/// The records of a checkpoint that stands at the beginning of the log, which is all the log that the target has.
fn checkpoint(file: &[u8]) -> Vec<u8> {
    let all = records(file, 8);
    let mut state = vec![1, 1, 16];
    put_zigzag(&mut state, START);
    state.extend([0, 100, 0]);
    let rest = fuzz::parts(&all).into_iter().skip(1).map(<[u8]>::to_vec);
    joined(std::iter::once(state).chain(rest))
}

/// A block's pages without their checksums, the index behind the others and unpacked.
fn pages(block: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = block.get(16..block.len() - 28).expect("a header and a footer");
    while rest.len() > 9 {
        let length = u32::from_le_bytes([rest[5], rest[6], rest[7], rest[8]]) as usize;
        let size = match rest[4] {
            0 => length,
            _ => zstd::zstd_safe::find_frame_compressed_size(&rest[9..]).expect("a frame"),
        };
        found.push(rest[4..9 + size].to_vec());
        rest = &rest[9 + size..];
    }
    let index = found.last_mut().expect("an index");
    if index[0] == 1 {
        let length = u32::from_le_bytes([index[1], index[2], index[3], index[4]]) as usize;
        let plain = zstd::bulk::decompress(&index[5..], length).expect("a frame");
        index[0] = 0;
        index.splice(5.., plain);
    }
    joined(found)
}

fn prometheus_folder() {
    let series = |id: u64| {
        let mut out = vec![1];
        out.extend(id.to_be_bytes());
        put_varint(&mut out, 1);
        for text in ["__name__", "a"] {
            put_varint(&mut out, text.len() as u64);
            out.extend(text.as_bytes());
        }
        out
    };
    let mut floats = vec![2];
    floats.extend(1_u64.to_be_bytes());
    floats.extend(1000_i64.to_be_bytes());
    for (at, value) in [(0, 1.0_f64), (15_000, 2.5)] {
        put_zigzag(&mut floats, 0);
        put_zigzag(&mut floats, at);
        floats.extend(value.to_bits().to_be_bytes());
    }
    let mut stones = vec![3];
    stones.extend(1_u64.to_be_bytes());
    put_zigzag(&mut stones, 1000);
    put_zigzag(&mut stones, 1000);
    let mut starts = vec![11];
    for number in [1, 1000, 400] {
        put_zigzag(&mut starts, number);
    }
    starts.extend(1.5_f64.to_bits().to_be_bytes());
    let mut exemplar = vec![4];
    exemplar.extend(1_u64.to_be_bytes());
    exemplar.extend(1500_i64.to_be_bytes());
    exemplar.extend([0, 0]);
    exemplar.extend(8.5_f64.to_bits().to_be_bytes());
    exemplar.push(0);
    let late = vec![5, 0, 0];
    let log = [series(1), Vec::new(), floats.clone(), stones, starts, exemplar, Vec::new(), floats, late];
    seed("prometheus_folder", "logs", 1, joined(log));
    let mut segment = Vec::new();
    let record = series(1);
    segment.push(1);
    segment.extend((record.len() as u16).to_be_bytes());
    segment.extend(fuzz::crc32c(&record).to_be_bytes());
    segment.extend(&record);
    seed("prometheus_folder", "segment", 0, segment);
    let packed = chunk::encode(&rows()[0].samples);
    let mut head = Vec::new();
    for number in [1, packed[0].first as u64, packed[0].last as u64] {
        head.extend(number.to_be_bytes());
    }
    head.push(packed[0].encoding.number());
    put_varint(&mut head, packed[0].data.len() as u64);
    head.extend(&packed[0].data);
    seed("prometheus_folder", "head_chunks", 3, joined([series(1), head]));
    let mut interval = Vec::new();
    put_varint(&mut interval, 4);
    put_zigzag(&mut interval, START);
    put_zigzag(&mut interval, START + 15_000);
    block(&interval);
    seed("prometheus_folder", "tombstones", 7, interval);
    seed("prometheus_folder", "meta", 6, r#"{"ulid":"01M7YPMW0XQWZP5JWJ7FT82RMA","minTime":1,"maxTime":2,"stats":{"numSamples":4},"compaction":{"level":1,"sources":["01M7YPMW0XQWZP5JWJ7FT82RMA"],"hints":["from-out-of-order"]},"version":1}"#);
}

/// A block as we write it, taken apart.
fn block(tombstones: &[u8]) {
    let parent = tempfile::tempdir().expect("a folder");
    let store = MemoryStore::new();
    store.append(&rows()).expect("memory takes all");
    let options = ExportOptions {
        block_ms: BLOCK_MS,
        custom_buckets: true,
        now_ms: START as u64,
    };
    let range = TimeRange {
        start: Timestamp::from_millis(START),
        end: Timestamp::from_millis(START + BLOCK_MS),
    };
    let selection = Selection {
        range,
        ..Selection::default()
    };
    let place = (&OperatingSystem::shared(), parent.path());
    let made = export(&store, &selection, place, options, &mut |_| {}).expect("written");
    let folder = &made.blocks[0].folder;
    let index = fs::read(folder.join("index")).expect("written");
    seed("prometheus_folder", "index", 5, &index);
    let be32 = |at: usize| u32::from_be_bytes(index[at..at + 4].try_into().expect("four")) as usize;
    let contents = index.len() - 52;
    let place = |nth: usize| be32(contents + 8 * nth + 4);
    let section = |at: usize| &index[at + 4..at + 4 + be32(at)];
    let (symbols, postings, table) = (section(place(0)), section(place(4)), section(place(5)));
    let mut parts = vec![vec![2], tombstones.to_vec(), symbols.to_vec(), table.to_vec(), postings.to_vec()];
    let chunks = fs::read(folder.join("chunks/000001")).expect("written");
    let mut rest = Decoder::new(&chunks[8..]);
    while let Some(length) = rest.count() {
        parts.push([&[1], rest.take(length + 1).expect("a chunk")].concat());
        rest.take(4).expect("a checksum");
    }
    let mut rest = Decoder::new(&index[place(1)..]);
    for _ in rows() {
        while rest.rest().first() == Some(&0) {
            rest.byte();
        }
        let series = rest.bytes().expect("a series");
        parts.push([&[0], series].concat());
        rest.take(4).expect("a checksum");
    }
    seed("prometheus_folder", "block", 4, joined(parts));
}

fn chunks() {
    for (row, name) in rows().iter().zip(["floats", "decimals", "histograms"]) {
        for packed in chunk::encode(&row.samples) {
            seed("chunks", name, packed.encoding.number(), &packed.data);
        }
    }
}
