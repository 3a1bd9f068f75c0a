//! Lists, maps and structs. All are immutable and shared, so that copying a value is cheap.
//!
//! Each knows how many collections lie inside each other, because printing and dropping recurse:
//! execution refuses a value that is nested too deeply.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Class, Type, Value, no_methods};

/// `[]string`
pub static STRING_LIST: Class = Class {
    name: "[]string",
    underlying: "[]string",
    element: Type::String,
    methods: no_methods,
};
/// `[]any`
pub static ANY_LIST: Class = Class {
    name: "[]interface {}",
    underlying: "[]interface {}",
    element: Type::Any,
    methods: no_methods,
};
/// `map[string]string`
pub static STRING_MAP: Class = Class {
    name: "map[string]string",
    underlying: "map[string]string",
    element: Type::String,
    methods: no_methods,
};
/// `map[string]any`
pub static ANY_MAP: Class = Class {
    name: "map[string]interface {}",
    underlying: "map[string]interface {}",
    element: Type::Any,
    methods: no_methods,
};

/// A slice.
#[derive(Debug, Clone)]
pub struct List {
    class: &'static Class,
    items: Arc<Vec<Value>>,
    depth: usize,
}

impl List {
    /// Makes a list of a class.
    pub fn new(class: &'static Class, items: Vec<Value>) -> Self {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        Self {
            class,
            items: Arc::new(items),
            depth,
        }
    }

    /// Its class.
    pub fn class(&self) -> &'static Class {
        self.class
    }

    /// Its elements.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }
}

/// A map with string keys, kept in the order in which Go prints and ranges over it.
#[derive(Debug, Clone)]
pub struct Map {
    class: &'static Class,
    entries: Arc<BTreeMap<Arc<str>, Value>>,
    depth: usize,
}

impl Map {
    /// Makes a map of a class.
    pub fn new(class: &'static Class, entries: BTreeMap<Arc<str>, Value>) -> Self {
        let depth = 1 + entries.values().map(Value::depth).max().unwrap_or(0);
        Self {
            class,
            entries: Arc::new(entries),
            depth,
        }
    }

    /// Makes a map of strings of a class.
    pub fn from_strings<K: AsRef<str>, V: AsRef<str>>(
        class: &'static Class,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entry = |(key, value): (K, V)| (Arc::from(key.as_ref()), Value::str(value));
        Self::new(class, pairs.into_iter().map(entry).collect())
    }

    /// Its class.
    pub fn class(&self) -> &'static Class {
        self.class
    }

    /// Its entries.
    pub fn entries(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.entries
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }
}

/// A struct: named fields in order.
#[derive(Debug, Clone)]
pub struct Record {
    class: &'static Class,
    fields: Arc<Vec<(&'static str, Value)>>,
    depth: usize,
}

impl Record {
    /// Makes a struct of a class.
    pub fn new(class: &'static Class, fields: Vec<(&'static str, Value)>) -> Self {
        let depth = 1 + fields
            .iter()
            .map(|(_, value)| value.depth())
            .max()
            .unwrap_or(0);
        Self {
            class,
            fields: Arc::new(fields),
            depth,
        }
    }

    /// Its class.
    pub fn class(&self) -> &'static Class {
        self.class
    }

    /// Its fields in order.
    pub fn fields(&self) -> &[(&'static str, Value)] {
        &self.fields
    }

    /// Returns the field of this name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }
}
