//! What kind of content an attribute holds.

/// The kind of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Url,
    Css,
    Js,
    Html,
    Srcset,
    /// Decides how other content is read or sent; no value may come from an action's name.
    Unsafe,
}

const URLS: &[&str] = &[
    "action",
    "archive",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "formaction",
    "href",
    "icon",
    "longdesc",
    "manifest",
    "poster",
    "profile",
    "src",
    "usemap",
    "xmlns",
];

const UNSAFE: &[&str] = &[
    "accept-charset",
    "async",
    "challenge",
    "charset",
    "content",
    "crossorigin",
    "defer",
    "enctype",
    "form",
    "formenctype",
    "formmethod",
    "formnovalidate",
    "http-equiv",
    "keytype",
    "language",
    "method",
    "novalidate",
    "pattern",
    "rel",
    "sandbox",
    "type",
    "value",
];

/// Returns the kind of the attribute `name`, in small letters.
pub(super) fn kind(name: &str) -> Kind {
    let mut name = name;
    if let Some(rest) = name.strip_prefix("data-") {
        name = rest;
    } else if let Some((prefix, rest)) = name.split_once(':') {
        if prefix == "xmlns" {
            return Kind::Url;
        }
        name = rest;
    }
    match name {
        "style" => Kind::Css,
        "srcdoc" => Kind::Html,
        "srcset" => Kind::Srcset,
        "srclang" => Kind::Plain,
        name if URLS.contains(&name) => Kind::Url,
        name if UNSAFE.contains(&name) => Kind::Unsafe,
        name if name.starts_with("on") => Kind::Js,
        name if ["src", "uri", "url"].iter().any(|part| name.contains(part)) => Kind::Url,
        _ => Kind::Plain,
    }
}
