//! All roles against an API server that lists and watches as the real one does; the objects have the shape of
//! recorded ones.

use super::super::tests::{Handler, Reply, discovery, metrics, reporter, serve, shown};
use super::watch;
use crate::prometheus_file::Discovery;
use expect_test::{Expect, expect};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

const POD: &str = r#"{"metadata": {"name": "p1", "namespace": "ns", "uid": "u1", "resourceVersion": "5",
  "labels": {"app.kubernetes.io/name": "web", "pod-template-hash": "abc"}, "annotations": {"a/b": "c"},
  "ownerReferences": [{"kind": "ReplicaSet", "name": "web-abc", "controller": true}], "managedFields": [{}]},
 "spec": {"nodeName": "n1", "containers": [
   {"name": "main", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "admin", "containerPort": 9090, "protocol": "TCP"}]},
   {"name": "side", "image": "s:1"}], "initContainers": [{"name": "first", "image": "i:1"}]},
 "status": {"phase": "Running", "podIP": "10.1.0.1", "hostIP": "192.168.0.1", "conditions": [{"type": "Ready", "status": "True"}],
   "containerStatuses": [{"name": "main", "containerID": "containerd://1"}]}}"#;
const NODE: &str = r#"{"metadata": {"name": "n1", "labels": {"zone": "z"}, "resourceVersion": "5"}, "spec": {"providerID": "x://1"},
 "status": {"addresses": [{"type": "Hostname", "address": "n1.local"}, {"type": "InternalIP", "address": "192.168.0.1"}],
   "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}}}"#;
const SERVICE: &str = r#"{"metadata": {"name": "web", "namespace": "ns", "labels": {"t": "1"}, "resourceVersion": "5"},
 "spec": {"type": "ClusterIP", "clusterIP": "10.9.0.1", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}}"#;
const ENDPOINTS: &str = r#"{"metadata": {"name": "web", "namespace": "ns", "resourceVersion": "5"}, "subsets": [
 {"addresses": [{"ip": "10.1.0.1", "nodeName": "n1", "targetRef": {"kind": "Pod", "name": "p1", "namespace": "ns"}}],
  "notReadyAddresses": [{"ip": "10.1.0.9"}], "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}]}"#;
const SLICE: &str = r#"{"metadata": {"name": "web-x", "namespace": "ns", "resourceVersion": "5", "labels": {"kubernetes.io/service-name": "web"}},
 "addressType": "IPv4", "ports": [{"name": "http", "port": 8080, "protocol": "TCP", "appProtocol": "http"}],
 "endpoints": [{"addresses": ["10.1.0.1"], "nodeName": "n1", "zone": "z", "conditions": {"ready": true, "serving": true, "terminating": false},
   "targetRef": {"kind": "Pod", "name": "p1", "namespace": "ns"}}]}"#;
const INGRESS: &str = r#"{"metadata": {"name": "i", "namespace": "ns", "resourceVersion": "5"}, "spec": {"ingressClassName": "nginx",
 "tls": [{"hosts": ["*.example.com"]}], "rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/x"}, {}]}}, {"host": "plain.org"}]}}"#;
const NAMESPACE: &str =
    r#"{"metadata": {"name": "ns", "labels": {"team": "t"}, "resourceVersion": "5"}}"#;

/// What the server has of a kind, by the last part of its path.
fn objects(path: &str) -> &'static str {
    match path.rsplit('/').next().unwrap_or_default() {
        "pods" => POD,
        "nodes" => NODE,
        "services" => SERVICE,
        "endpoints" => ENDPOINTS,
        "endpointslices" => SLICE,
        "ingresses" => INGRESS,
        "namespaces" => NAMESPACE,
        other => panic!("{other}"),
    }
}

/// Serves the objects; each watch gets what its channel brings, and ends at once where there is none left.
async fn cluster(watches: Vec<mpsc::Receiver<String>>, asked: Arc<Mutex<Vec<String>>>) -> String {
    let watches = Mutex::new(watches);
    let handler: Handler = Arc::new(move |path| {
        asked.lock().expect("no panic inside").push(path.to_owned());
        let (bare, query) = path.split_once('?').expect("a query");
        if !query.contains("watch=1") {
            let body = format!(
                r#"{{"metadata": {{"resourceVersion": "7"}}, "items": [{}]}}"#,
                objects(bare)
            );
            return Reply {
                status: 200,
                body,
                lines: None,
            };
        }
        let next = watches.lock().expect("no panic inside").pop();
        let lines = next.unwrap_or_else(|| {
            // A watch without events, which stays open.
            let (sender, receiver) = mpsc::channel(1);
            std::mem::forget(sender);
            receiver
        });
        Reply {
            status: 200,
            body: String::new(),
            lines: Some(lines),
        }
    });
    serve(handler).await
}

async fn check(section: &str, want: Expect) {
    let address = cluster(Vec::new(), Arc::default()).await;
    let text = format!("kubernetes_sd_configs: [{{api_server: 'http://{address}', {section}}}]");
    let Discovery::Kubernetes(kubernetes) = discovery(&text) else {
        panic!("not kubernetes");
    };
    let (reporter, mut found) = reporter();
    let watching = tokio::runtime::Handle::current().spawn(watch(*kubernetes, metrics(), reporter));
    let groups = found.recv().await.expect("groups").groups;
    want.assert_eq(&shown(&groups));
    watching.abort();
}

#[tokio::test]
async fn roles() {
    check("role: node", expect![[r#"
        node/n1 {__meta_kubernetes_node_label_zone="z", __meta_kubernetes_node_labelpresent_zone="true", __meta_kubernetes_node_name="n1", __meta_kubernetes_node_provider_id="x://1"}
          {__address__="192.168.0.1:10250", __meta_kubernetes_node_address_Hostname="n1.local", __meta_kubernetes_node_address_InternalIP="192.168.0.1", instance="n1"}
    "#]]).await;
    check(
        "role: service, attach_metadata: {namespace: true}",
        expect![[r#"
            svc/ns/web {__meta_kubernetes_namespace="ns", __meta_kubernetes_namespace_label_team="t", __meta_kubernetes_namespace_labelpresent_team="true", __meta_kubernetes_service_label_t="1", __meta_kubernetes_service_labelpresent_t="true", __meta_kubernetes_service_name="web"}
              {__address__="web.ns.svc:80", __meta_kubernetes_service_cluster_ip="10.9.0.1", __meta_kubernetes_service_port_name="http", __meta_kubernetes_service_port_number="80", __meta_kubernetes_service_port_protocol="TCP", __meta_kubernetes_service_type="ClusterIP"}
        "#]],
    )
    .await;
    check("role: pod, attach_metadata: {node: true}", expect![[r#"
        pod/ns/p1 {__meta_kubernetes_namespace="ns", __meta_kubernetes_node_label_zone="z", __meta_kubernetes_node_labelpresent_zone="true", __meta_kubernetes_node_name="n1", __meta_kubernetes_pod_annotation_a_b="c", __meta_kubernetes_pod_annotationpresent_a_b="true", __meta_kubernetes_pod_controller_kind="ReplicaSet", __meta_kubernetes_pod_controller_name="web-abc", __meta_kubernetes_pod_deployment_name="web", __meta_kubernetes_pod_host_ip="192.168.0.1", __meta_kubernetes_pod_ip="10.1.0.1", __meta_kubernetes_pod_label_app_kubernetes_io_name="web", __meta_kubernetes_pod_label_pod_template_hash="abc", __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name="true", __meta_kubernetes_pod_labelpresent_pod_template_hash="true", __meta_kubernetes_pod_name="p1", __meta_kubernetes_pod_node_name="n1", __meta_kubernetes_pod_phase="Running", __meta_kubernetes_pod_ready="true", __meta_kubernetes_pod_uid="u1"}
          {__address__="10.1.0.1:8080", __meta_kubernetes_pod_container_id="containerd://1", __meta_kubernetes_pod_container_image="web:1", __meta_kubernetes_pod_container_init="false", __meta_kubernetes_pod_container_name="main", __meta_kubernetes_pod_container_port_name="http", __meta_kubernetes_pod_container_port_number="8080", __meta_kubernetes_pod_container_port_protocol="TCP"}
          {__address__="10.1.0.1:9090", __meta_kubernetes_pod_container_id="containerd://1", __meta_kubernetes_pod_container_image="web:1", __meta_kubernetes_pod_container_init="false", __meta_kubernetes_pod_container_name="main", __meta_kubernetes_pod_container_port_name="admin", __meta_kubernetes_pod_container_port_number="9090", __meta_kubernetes_pod_container_port_protocol="TCP"}
          {__address__="10.1.0.1", __meta_kubernetes_pod_container_image="s:1", __meta_kubernetes_pod_container_init="false", __meta_kubernetes_pod_container_name="side"}
          {__address__="10.1.0.1", __meta_kubernetes_pod_container_image="i:1", __meta_kubernetes_pod_container_init="true", __meta_kubernetes_pod_container_name="first"}
    "#]]).await;
    check(
        "role: endpoints, namespaces: {names: [ns]}",
        expect![[r#"
            endpoints/ns/web {__meta_kubernetes_endpoints_name="web", __meta_kubernetes_namespace="ns", __meta_kubernetes_service_label_t="1", __meta_kubernetes_service_labelpresent_t="true", __meta_kubernetes_service_name="web"}
              {__address__="10.1.0.1:8080", __meta_kubernetes_endpoint_address_target_kind="Pod", __meta_kubernetes_endpoint_address_target_name="p1", __meta_kubernetes_endpoint_node_name="n1", __meta_kubernetes_endpoint_port_name="http", __meta_kubernetes_endpoint_port_protocol="TCP", __meta_kubernetes_endpoint_ready="true", __meta_kubernetes_pod_annotation_a_b="c", __meta_kubernetes_pod_annotationpresent_a_b="true", __meta_kubernetes_pod_container_image="web:1", __meta_kubernetes_pod_container_init="false", __meta_kubernetes_pod_container_name="main", __meta_kubernetes_pod_container_port_name="http", __meta_kubernetes_pod_container_port_number="8080", __meta_kubernetes_pod_container_port_protocol="TCP", __meta_kubernetes_pod_controller_kind="ReplicaSet", __meta_kubernetes_pod_controller_name="web-abc", __meta_kubernetes_pod_deployment_name="web", __meta_kubernetes_pod_host_ip="192.168.0.1", __meta_kubernetes_pod_ip="10.1.0.1", __meta_kubernetes_pod_label_app_kubernetes_io_name="web", __meta_kubernetes_pod_label_pod_template_hash="abc", __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name="true", __meta_kubernetes_pod_labelpresent_pod_template_hash="true", __meta_kubernetes_pod_name="p1", __meta_kubernetes_pod_node_name="n1", __meta_kubernetes_pod_phase="Running", __meta_kubernetes_pod_ready="true", __meta_kubernetes_pod_uid="u1"}
              {__address__="10.1.0.9:8080", __meta_kubernetes_endpoint_port_name="http", __meta_kubernetes_endpoint_port_protocol="TCP", __meta_kubernetes_endpoint_ready="false"}
              {__address__="10.1.0.1:9090", __meta_kubernetes_pod_annotation_a_b="c", __meta_kubernetes_pod_annotationpresent_a_b="true", __meta_kubernetes_pod_container_image="web:1", __meta_kubernetes_pod_container_init="false", __meta_kubernetes_pod_container_name="main", __meta_kubernetes_pod_container_port_name="admin", __meta_kubernetes_pod_container_port_number="9090", __meta_kubernetes_pod_container_port_protocol="TCP", __meta_kubernetes_pod_controller_kind="ReplicaSet", __meta_kubernetes_pod_controller_name="web-abc", __meta_kubernetes_pod_deployment_name="web", __meta_kubernetes_pod_host_ip="192.168.0.1", __meta_kubernetes_pod_ip="10.1.0.1", __meta_kubernetes_pod_label_app_kubernetes_io_name="web", __meta_kubernetes_pod_label_pod_template_hash="abc", __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name="true", __meta_kubernetes_pod_labelpresent_pod_template_hash="true", __meta_kubernetes_pod_name="p1", __meta_kubernetes_pod_node_name="n1", __meta_kubernetes_pod_phase="Running", __meta_kubernetes_pod_ready="true", __meta_kubernetes_pod_uid="u1"}
        "#]],
    )
    .await;
    check("role: endpointslice", expect![[r#"
        endpointslice/ns/web-x {__meta_kubernetes_endpointslice_label_kubernetes_io_service_name="web", __meta_kubernetes_endpointslice_labelpresent_kubernetes_io_service_name="true", __meta_kubernetes_endpointslice_name="web-x", __meta_kubernetes_namespace="ns", __meta_kubernetes_service_label_t="1", __meta_kubernetes_service_labelpresent_t="true", __meta_kubernetes_service_name="web"}
          {__address__="10.1.0.1:8080", __meta_kubernetes_endpointslice_address_target_kind="Pod", __meta_kubernetes_endpointslice_address_target_name="p1", __meta_kubernetes_endpointslice_address_type="IPv4", __meta_kubernetes_endpointslice_endpoint_conditions_ready="true", __meta_kubernetes_endpointslice_endpoint_conditions_serving="true", __meta_kubernetes_endpointslice_endpoint_conditions_terminating="false", __meta_kubernetes_endpointslice_endpoint_node_name="n1", __meta_kubernetes_endpointslice_endpoint_zone="z", __meta_kubernetes_endpointslice_port="8080", __meta_kubernetes_endpointslice_port_app_protocol="http", __meta_kubernetes_endpointslice_port_name="http", __meta_kubernetes_endpointslice_port_protocol="TCP", __meta_kubernetes_pod_annotation_a_b="c", __meta_kubernetes_pod_annotationpresent_a_b="true", __meta_kubernetes_pod_container_image="web:1", __meta_kubernetes_pod_container_init="false", __meta_kubernetes_pod_container_name="main", __meta_kubernetes_pod_container_port_name="http", __meta_kubernetes_pod_container_port_number="8080", __meta_kubernetes_pod_container_port_protocol="TCP", __meta_kubernetes_pod_controller_kind="ReplicaSet", __meta_kubernetes_pod_controller_name="web-abc", __meta_kubernetes_pod_deployment_name="web", __meta_kubernetes_pod_host_ip="192.168.0.1", __meta_kubernetes_pod_ip="10.1.0.1", __meta_kubernetes_pod_label_app_kubernetes_io_name="web", __meta_kubernetes_pod_label_pod_template_hash="abc", __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name="true", __meta_kubernetes_pod_labelpresent_pod_template_hash="true", __meta_kubernetes_pod_name="p1", __meta_kubernetes_pod_node_name="n1", __meta_kubernetes_pod_phase="Running", __meta_kubernetes_pod_ready="true", __meta_kubernetes_pod_uid="u1"}
          {__address__="10.1.0.1:9090", __meta_kubernetes_pod_annotation_a_b="c", __meta_kubernetes_pod_annotationpresent_a_b="true", __meta_kubernetes_pod_container_image="web:1", __meta_kubernetes_pod_container_init="false", __meta_kubernetes_pod_container_name="main", __meta_kubernetes_pod_container_port_name="admin", __meta_kubernetes_pod_container_port_number="9090", __meta_kubernetes_pod_container_port_protocol="TCP", __meta_kubernetes_pod_controller_kind="ReplicaSet", __meta_kubernetes_pod_controller_name="web-abc", __meta_kubernetes_pod_deployment_name="web", __meta_kubernetes_pod_host_ip="192.168.0.1", __meta_kubernetes_pod_ip="10.1.0.1", __meta_kubernetes_pod_label_app_kubernetes_io_name="web", __meta_kubernetes_pod_label_pod_template_hash="abc", __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name="true", __meta_kubernetes_pod_labelpresent_pod_template_hash="true", __meta_kubernetes_pod_name="p1", __meta_kubernetes_pod_node_name="n1", __meta_kubernetes_pod_phase="Running", __meta_kubernetes_pod_ready="true", __meta_kubernetes_pod_uid="u1"}
    "#]]).await;
    check("role: ingress", expect![[r#"
        ingress/ns/i {__meta_kubernetes_ingress_class_name="nginx", __meta_kubernetes_ingress_name="i", __meta_kubernetes_namespace="ns"}
          {__address__="a.example.com", __meta_kubernetes_ingress_host="a.example.com", __meta_kubernetes_ingress_path="/x", __meta_kubernetes_ingress_scheme="https"}
          {__address__="a.example.com", __meta_kubernetes_ingress_host="a.example.com", __meta_kubernetes_ingress_path="/", __meta_kubernetes_ingress_scheme="https"}
          {__address__="plain.org", __meta_kubernetes_ingress_host="plain.org", __meta_kubernetes_ingress_path="/", __meta_kubernetes_ingress_scheme="http"}
    "#]]).await;
}

#[tokio::test]
async fn follows_changes() {
    let (events, watched) = mpsc::channel(4);
    let (after, watched_after) = mpsc::channel(4);
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let address = cluster(vec![watched_after, watched], Arc::clone(&asked)).await;
    let text = format!(
        "kubernetes_sd_configs: [{{api_server: 'http://{address}', role: service, \
         selectors: [{{role: service, label: 'a=b'}}]}}]"
    );
    let Discovery::Kubernetes(kubernetes) = discovery(&text) else {
        panic!("not kubernetes");
    };
    let (reporter, mut found) = reporter();
    let watching = tokio::runtime::Handle::current().spawn(watch(*kubernetes, metrics(), reporter));
    let mut addresses = async || {
        let groups = found.recv().await.expect("groups").groups;
        let targets = groups.iter().flat_map(|group| &group.targets);
        let addresses: Vec<&str> = targets.map(|target| target.value("__address__")).collect();
        addresses.join(" ")
    };
    assert_eq!(addresses().await, "web.ns.svc:80");
    let event = |kind: &str, object: &str| {
        format!(r#"{{"type": "{kind}", "object": {object}}}"#).replace('\n', " ")
    };
    let second = SERVICE
        .replace("\"web\"", "\"db\"")
        .replace("\"5\"", "\"8\"");
    events.send(event("ADDED", &second)).await.expect("sent");
    assert_eq!(addresses().await, "db.ns.svc:80 web.ns.svc:80");
    events.send(event("DELETED", SERVICE)).await.expect("sent");
    assert_eq!(addresses().await, "db.ns.svc:80");
    let bookmark = r#"{"metadata": {"resourceVersion": "42"}}"#;
    events
        .send(event("BOOKMARK", bookmark))
        .await
        .expect("sent");
    // The watch ends and is taken up at the bookmark; then the server has forgotten that: a list follows.
    drop(events);
    after
        .send(event("ERROR", r#"{"code": 410, "message": "too old"}"#))
        .await
        .expect("sent");
    assert_eq!(addresses().await, "web.ns.svc:80");
    watching.abort();
    let asked = asked.lock().expect("no panic inside");
    let path = "/api/v1/services?labelSelector=a%3Db&";
    let watch = |version| {
        format!(
            "{path}watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=300"
        )
    };
    let list = format!("{path}limit=500");
    let want = [list.clone(), watch("7"), watch("42"), list];
    assert_eq!(asked[..4], want);
}
