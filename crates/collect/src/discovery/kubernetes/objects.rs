//! The objects of a cluster as far as discovery needs them.

use super::api::Event;
use crate::discovery::json::text;
use crate::prometheus_file::KubernetesRole;
use serde_json::Value;
use std::collections::BTreeMap;

/// Objects of one cluster; further ones are not kept.
const OBJECTS_MAX: usize = 500_000;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Node,
    Namespace,
    Service,
    Pod,
    Endpoints,
    EndpointSlice,
    Ingress,
}

impl Kind {
    /// Where the API serves its kind, and the last part of the path.
    pub(super) const fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Node => ("/api/v1", "nodes"),
            Self::Namespace => ("/api/v1", "namespaces"),
            Self::Service => ("/api/v1", "services"),
            Self::Pod => ("/api/v1", "pods"),
            Self::Endpoints => ("/api/v1", "endpoints"),
            Self::EndpointSlice => ("/apis/discovery.k8s.io/v1", "endpointslices"),
            Self::Ingress => ("/apis/networking.k8s.io/v1", "ingresses"),
        }
    }

    /// Whether objects of this kind lie in namespaces.
    pub(super) const fn has_namespace(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace)
    }

    /// Whether selectors of a role mean this kind.
    pub(super) const fn is_of_role(self, role: KubernetesRole) -> bool {
        matches!(
            (self, role),
            (Self::Node, KubernetesRole::Node)
                | (Self::Service, KubernetesRole::Service)
                | (Self::Pod, KubernetesRole::Pod)
                | (Self::Endpoints, KubernetesRole::Endpoints)
                | (Self::EndpointSlice, KubernetesRole::EndpointSlice)
                | (Self::Ingress, KubernetesRole::Ingress)
        )
    }
}

/// Objects by kind, namespace and name.
#[derive(Debug, Default)]
pub(super) struct Objects {
    by_name: BTreeMap<(Kind, String, String), Value>,
}

impl Objects {
    /// Takes what the API server said.
    pub(super) fn apply(&mut self, event: Event) {
        match event {
            Event::Listed {
                kind,
                namespace,
                items,
            } => {
                let stays = |(of, within, _): &(Kind, String, String)| {
                    *of != kind || (!namespace.is_empty() && *within != namespace)
                };
                self.by_name.retain(|key, _| stays(key));
                for object in items {
                    self.put(kind, object);
                }
            }
            Event::Changed { kind, object } => self.put(kind, object),
            Event::Deleted { kind, object } => {
                self.by_name.remove(&key(kind, &object));
            }
        }
    }

    fn put(&mut self, kind: Kind, mut object: Value) {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            // By far the largest part of most objects, and of no use here.
            metadata.remove("managedFields");
        }
        let key = key(kind, &object);
        if self.by_name.len() < OBJECTS_MAX || self.by_name.contains_key(&key) {
            self.by_name.insert(key, object);
        } else {
            tracing::warn!(name = key.2, "the cluster has more objects than are kept");
        }
    }

    /// An object.
    pub(super) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Value> {
        self.by_name
            .get(&(kind, namespace.to_owned(), name.to_owned()))
    }

    /// All objects of a kind, by namespace and name.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        let objects = self.by_name.iter();
        objects
            .filter(move |((of, _, _), _)| *of == kind)
            .map(|(_, object)| object)
    }
}

fn key(kind: Kind, object: &Value) -> (Kind, String, String) {
    (
        kind,
        text(object, "/metadata/namespace"),
        text(object, "/metadata/name"),
    )
}
