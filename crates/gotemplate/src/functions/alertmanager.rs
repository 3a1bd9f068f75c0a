//! The functions of Alertmanager's notification templates, and their [`data`].

pub mod data;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::text::{Rest, join, title, url_unescape};
use super::{
    NOTHING, ONE_ANY, ONE_STRING, THREE_STRINGS, TWO_STRINGS, base64, json, number, regex, string,
    time,
};
use crate::value::{ANY_LIST, FunctionMap, STRING_LIST, Signature, TIME, Time, Type, Value};

const ONE_TIME: Signature = Signature {
    fixed: &[Type::Class(&TIME)],
    variadic: None,
};
const STRING_TIME: Signature = Signature {
    fixed: &[Type::String, Type::Class(&TIME)],
    variadic: None,
};
const STRING_STRINGS: Signature = Signature {
    fixed: &[Type::String, Type::Class(&STRING_LIST)],
    variadic: None,
};
const LIST_ANY: Signature = Signature {
    fixed: &[Type::Class(&ANY_LIST)],
    variadic: Some(Type::Any),
};
const ANY_NUMBER: Signature = Signature::variadic(&[], Type::Any);

/// Returns all functions; `now` is the time of the notification.
///
/// `routeLabels` gives empty texts: whoever has labels on its routes replaces it.
pub fn functions(now: &Time) -> FunctionMap {
    let mut table = FunctionMap::new();
    add_texts(&mut table);
    add_times(&mut table, now);
    add_collections(&mut table);
    table.insert("routeLabels", ONE_STRING, |_| Ok(Value::str("")));
    table
}

fn add_texts(table: &mut FunctionMap) {
    table.insert("toUpper", ONE_STRING, |args| {
        Ok(string(args, 0).to_uppercase().into())
    });
    table.insert("toLower", ONE_STRING, |args| {
        Ok(string(args, 0).to_lowercase().into())
    });
    table.insert("title", ONE_STRING, |args| {
        Ok(title(string(args, 0), Rest::Lower).into())
    });
    table.insert("trimSpace", ONE_STRING, |args| {
        Ok(Value::str(string(args, 0).trim()))
    });
    table.insert("join", STRING_STRINGS, |args| {
        join(string(args, 0), args.get(1))
    });
    table.insert("match", TWO_STRINGS, regex::matches);
    table.insert("reReplaceAll", THREE_STRINGS, regex::replace_all);
    table.insert("safeHtml", ONE_STRING, |args| {
        Ok(Value::html(string(args, 0)))
    });
    table.insert("safeUrl", ONE_STRING, |args| {
        Ok(Value::url(string(args, 0)))
    });
    table.insert("urlUnescape", ONE_STRING, |args| {
        url_unescape(string(args, 0))
    });
    table.insert("base64encode", ONE_STRING, |args| {
        Ok(base64::encode(string(args, 0).as_bytes()).into())
    });
    table.insert("base64decode", ONE_STRING, |args| {
        let bytes = base64::decode(string(args, 0))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned().into())
    });
    table.insert("toJson", ONE_ANY, |args| {
        json::marshal(args.first().unwrap_or(&Value::Nil)).map(Value::from)
    });
}

fn add_times(table: &mut FunctionMap, now: &Time) {
    let (for_now, for_since) = (now.clone(), now.clone());
    table.insert("now", NOTHING, move |_| Ok(Value::Time(for_now.clone())));
    table.insert("since", ONE_TIME, move |args| {
        Ok(Value::duration(for_since.since(&time(args, 0))))
    });
    table.insert("date", STRING_TIME, |args| {
        Ok(time(args, 1).format(string(args, 0)).into())
    });
    table.insert("tz", STRING_TIME, |args| {
        time(args, 1)
            .in_named_zone(string(args, 0))
            .map(Value::Time)
    });
    table.insert("humanizeDuration", ONE_ANY, number::humanize_duration);
    table.insert("toDate", TWO_STRINGS, |args| {
        Ok(Time::parse(string(args, 0), string(args, 1))
            .unwrap_or_else(|_| Time::zero())
            .into())
    });
    table.insert("mustToDate", TWO_STRINGS, |args| {
        Time::parse(string(args, 0), string(args, 1)).map(Value::Time)
    });
}

fn add_collections(table: &mut FunctionMap) {
    table.insert(
        "stringSlice",
        Signature::variadic(&[], Type::String),
        |args| {
            Ok(Value::strings(
                args.iter().map(|value| value.as_str().unwrap_or("")),
            ))
        },
    );
    table.insert("list", ANY_NUMBER, |args| Ok(Value::list(args.to_vec())));
    table.insert("append", LIST_ANY, |args| {
        let (list, added) = args.split_first().unwrap_or((&Value::Nil, &[]));
        let mut items = match list {
            Value::List(list) => list.items().to_vec(),
            _ => Vec::new(),
        };
        items.extend_from_slice(added);
        Ok(Value::list(items))
    });
    table.insert("dict", ANY_NUMBER, |args| {
        if args.len() % 2 != 0 {
            return Err("dict requires an even number of arguments".into());
        }
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for pair in args.chunks(2) {
            match pair {
                [Value::Str(key), value] => drop(entries.insert(key.clone(), value.clone())),
                _ => return Err("dict keys must be strings".into()),
            }
        }
        Ok(Value::map(entries))
    });
}
