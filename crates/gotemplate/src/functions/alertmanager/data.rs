//! The data of a notification: what `.` is in Alertmanager's templates.

use crate::value::{Class, List, Map, Method, STRING_LIST, Signature, Time, Type, Value};

/// `template.KV`: labels or annotations.
pub static KEY_VALUES: Class = Class {
    name: "template.KV",
    underlying: "map[string]string",
    element: Type::String,
    methods: || KEY_VALUE_METHODS,
};
static PAIR: Class = Class::structure("template.Pair", crate::value::no_methods);
static PAIRS: Class = Class {
    name: "template.Pairs",
    underlying: "[]template.Pair",
    element: Type::Class(&PAIR),
    methods: || PAIRS_METHODS,
};
static STRINGS: Class = Class {
    name: "template.Strings",
    underlying: "[]string",
    element: Type::String,
    methods: || STRINGS_METHODS,
};
static ALERT: Class = Class::structure("template.Alert", crate::value::no_methods);
static ALERTS: Class = Class {
    name: "template.Alerts",
    underlying: "[]template.Alert",
    element: Type::Class(&ALERT),
    methods: || ALERTS_METHODS,
};
static ALERT_LIST: Class = Class {
    name: "[]template.Alert",
    underlying: "[]template.Alert",
    element: Type::Class(&ALERT),
    methods: crate::value::no_methods,
};
static DATA: Class = Class::structure("*template.Data", crate::value::no_methods);

const NOTHING: Signature = Signature::of(&[]);
const ONE_STRINGS: Signature = Signature {
    fixed: &[Type::Class(&STRING_LIST)],
    variadic: None,
};

static KEY_VALUE_METHODS: &[Method] = &[
    Method {
        name: "SortedPairs",
        signature: NOTHING,
        call: |it, _| Ok(pairs_value(&sorted_pairs(it))),
    },
    Method {
        name: "Remove",
        signature: ONE_STRINGS,
        call: |it, args| Ok(remove(it, args.first())),
    },
    Method {
        name: "Names",
        signature: NOTHING,
        call: |it, _| Ok(strings(sorted_pairs(it).into_iter().map(|pair| pair.0))),
    },
    Method {
        name: "Values",
        signature: NOTHING,
        call: |it, _| Ok(strings(sorted_pairs(it).into_iter().map(|pair| pair.1))),
    },
    Method {
        name: "String",
        signature: NOTHING,
        call: |it, _| Ok(pairs_text(&sorted_pairs(it)).into()),
    },
];

static PAIRS_METHODS: &[Method] = &[
    Method {
        name: "Names",
        signature: NOTHING,
        call: |it, _| Ok(strings(pairs_of(it).into_iter().map(|pair| pair.0))),
    },
    Method {
        name: "Values",
        signature: NOTHING,
        call: |it, _| Ok(strings(pairs_of(it).into_iter().map(|pair| pair.1))),
    },
    Method {
        name: "String",
        signature: NOTHING,
        call: |it, _| Ok(pairs_text(&pairs_of(it)).into()),
    },
];

static STRINGS_METHODS: &[Method] = &[Method {
    name: "Join",
    signature: Signature::of(&[Type::String]),
    call: |it, args| {
        crate::functions::text::join(args.first().and_then(Value::as_str).unwrap_or(""), Some(it))
    },
}];

static ALERTS_METHODS: &[Method] = &[
    Method {
        name: "Firing",
        signature: NOTHING,
        call: |it, _| Ok(with_status(it, "firing")),
    },
    Method {
        name: "Resolved",
        signature: NOTHING,
        call: |it, _| Ok(with_status(it, "resolved")),
    },
];

type Pair = (String, String);

/// One alert of a notification.
#[derive(Debug, Clone)]
pub struct Alert {
    /// `firing` or `resolved`.
    pub status: String,
    /// Its labels.
    pub labels: Vec<Pair>,
    /// Its annotations.
    pub annotations: Vec<Pair>,
    /// When it began.
    pub starts_at: Time,
    /// When it ended, or Go's zero time.
    pub ends_at: Time,
    /// Where it comes from.
    pub generator_url: String,
    /// Its labels' hash in hexadecimal.
    pub fingerprint: String,
}

/// A notification.
#[derive(Debug, Clone, Default)]
pub struct Data {
    /// Name of the receiver.
    pub receiver: String,
    /// `firing` as long as one alert is.
    pub status: String,
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Why it is sent.
    pub notification_reason: String,
    /// Labels by which the group was made.
    pub group_labels: Vec<Pair>,
    /// Labels that all alerts share.
    pub common_labels: Vec<Pair>,
    /// Annotations that all alerts share.
    pub common_annotations: Vec<Pair>,
    /// Labels of the route.
    pub route_labels: Vec<Pair>,
    /// URL under which users reach the server.
    pub external_url: String,
}

impl Data {
    /// Returns the value that templates are executed on.
    pub fn value(&self) -> Value {
        let alerts = self.alerts.iter().map(Alert::value).collect();
        Value::record(
            &DATA,
            vec![
                ("Receiver", Value::str(&self.receiver)),
                ("Status", Value::str(&self.status)),
                ("Alerts", Value::List(List::new(&ALERTS, alerts))),
                ("NotificationReason", Value::str(&self.notification_reason)),
                ("GroupLabels", key_values(&self.group_labels)),
                ("CommonLabels", key_values(&self.common_labels)),
                ("CommonAnnotations", key_values(&self.common_annotations)),
                ("RouteLabels", key_values(&self.route_labels)),
                ("ExternalURL", Value::str(&self.external_url)),
            ],
        )
    }
}

impl Alert {
    fn value(&self) -> Value {
        Value::record(
            &ALERT,
            vec![
                ("Status", Value::str(&self.status)),
                ("Labels", key_values(&self.labels)),
                ("Annotations", key_values(&self.annotations)),
                ("StartsAt", Value::Time(self.starts_at.clone())),
                ("EndsAt", Value::Time(self.ends_at.clone())),
                ("GeneratorURL", Value::str(&self.generator_url)),
                ("Fingerprint", Value::str(&self.fingerprint)),
            ],
        )
    }
}

/// Returns labels or annotations as a value with Alertmanager's methods.
pub fn key_values(pairs: &[Pair]) -> Value {
    Value::Map(Map::from_strings(
        &KEY_VALUES,
        pairs.iter().map(|(name, value)| (name, value)),
    ))
}

/// By name, but `alertname` first.
fn sorted_pairs(value: &Value) -> Vec<Pair> {
    let Value::Map(map) = value else {
        return Vec::new();
    };
    let pair = |(key, value): (&std::sync::Arc<str>, &Value)| {
        (key.to_string(), value.as_str().unwrap_or("").to_owned())
    };
    let (mut first, others): (Vec<Pair>, Vec<Pair>) = map
        .entries()
        .iter()
        .map(pair)
        .partition(|(name, _)| name == "alertname");
    first.extend(others);
    first
}

fn pairs_value(pairs: &[Pair]) -> Value {
    let record = |(name, value): &Pair| {
        Value::record(
            &PAIR,
            vec![("Name", Value::str(name)), ("Value", Value::str(value))],
        )
    };
    Value::List(List::new(&PAIRS, pairs.iter().map(record).collect()))
}

fn pairs_of(value: &Value) -> Vec<Pair> {
    let Value::List(list) = value else {
        return Vec::new();
    };
    let text = |value: &Value, name: &str| match value {
        Value::Record(record) => record
            .field(name)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned(),
        _ => String::new(),
    };
    list.items()
        .iter()
        .map(|item| (text(item, "Name"), text(item, "Value")))
        .collect()
}

fn pairs_text(pairs: &[Pair]) -> String {
    let texts: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    texts.join(", ")
}

fn strings(items: impl Iterator<Item = String>) -> Value {
    Value::List(List::new(&STRINGS, items.map(Value::from).collect()))
}

fn remove(value: &Value, names: Option<&Value>) -> Value {
    let (Value::Map(map), Some(Value::List(names))) = (value, names) else {
        return value.clone();
    };
    let mut entries = map.entries().clone();
    for name in names.items() {
        entries.remove(name.as_str().unwrap_or(""));
    }
    Value::Map(Map::new(map.class(), entries))
}

fn with_status(value: &Value, status: &str) -> Value {
    let Value::List(list) = value else {
        return value.clone();
    };
    let has_status = |alert: &&Value| match alert {
        Value::Record(record) => record.field("Status").and_then(Value::as_str) == Some(status),
        _ => false,
    };
    Value::List(List::new(
        &ALERT_LIST,
        list.items().iter().filter(has_status).cloned().collect(),
    ))
}
