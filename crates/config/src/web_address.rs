//! URLs by Go's rules: what the programs whose files we read accept, so do we, and nothing else.
//!
//! The `url` crate follows browsers, which repair what Go refuses and refuse what Go takes (relative
//! references). This module only takes a text apart and checks it; requests are made from the text.

/// A URL taken apart. Parts that are absent are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebAddress {
    /// `http`, in lower case.
    pub scheme: String,
    /// `user:password` as written.
    pub user: String,
    /// Host and port as written.
    pub host: String,
    /// What follows the host, up to `?` or `#`; for `mailto:a@b` all after the colon.
    pub path: String,
    /// What follows `?`.
    pub query: String,
    /// What follows `#`.
    pub fragment: String,
}

impl WebAddress {
    /// Takes a text apart. Fails with Go's words: `parse "…": reason`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::split(text).map_err(|reason| format!("parse {text:?}: {reason}"))
    }

    fn split(text: &str) -> Result<Self, String> {
        if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = split_scheme(rest)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut address = Self {
            scheme,
            query: query.to_owned(),
            fragment: fragment.to_owned(),
            ..Self::default()
        };
        if let Some(after) = rest.strip_prefix("//") {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            address.set_authority(authority)?;
            path.clone_into(&mut address.path);
        } else {
            let first = rest.split('/').next().unwrap_or_default();
            if address.scheme.is_empty() && first.contains(':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
            rest.clone_into(&mut address.path);
        }
        check_escapes(&address.path)?;
        check_escapes(&address.fragment)?;
        Ok(address)
    }

    fn set_authority(&mut self, authority: &str) -> Result<(), String> {
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let user_allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
        if !user.chars().all(user_allowed) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        check_escapes(user)?;
        check_host(host)?;
        user.clone_into(&mut self.user);
        host.clone_into(&mut self.host);
        Ok(())
    }

    /// The host without its port and brackets.
    #[must_use]
    pub fn host_name(&self) -> &str {
        if let Some(inner) = self.host.strip_prefix('[') {
            return inner.split(']').next().unwrap_or_default();
        }
        self.host.split(':').next().unwrap_or_default()
    }

    /// The port as written, empty where there is none.
    #[must_use]
    pub fn port(&self) -> &str {
        let after = self.host.rsplit(']').next().unwrap_or_default();
        after.split_once(':').map_or("", |(_, port)| port)
    }
}

/// Splits `http` from `http://…`. A text without a scheme is a relative reference.
fn split_scheme(text: &str) -> Result<(String, &str), String> {
    for (i, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if i > 0 => {}
            ':' if i == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => {
                let (scheme, rest) = text.split_at(i);
                let rest = rest.strip_prefix(':').unwrap_or_default();
                return Ok((scheme.to_ascii_lowercase(), rest));
            }
            _ => break,
        }
    }
    Ok((String::new(), text))
}

fn check_host(host: &str) -> Result<(), String> {
    let port = match host.strip_prefix('[') {
        Some(inner) => {
            let Some((_, after)) = inner.rsplit_once(']') else {
                return Err("missing ']' in host".to_owned());
            };
            after
        }
        None => host.rfind(':').map_or("", |colon| host.split_at(colon).1),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.is_empty()
        || (digits.len() < port.len() && digits.bytes().all(|b| b.is_ascii_digit()));
    if !is_port {
        return Err(format!("invalid port {port:?} after host"));
    }
    let refused = |c: &char| {
        c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._~!$&'()*+,;=:[]<>\"%".contains(*c)
    };
    match host.chars().find(refused) {
        Some(c) => Err(format!(
            "invalid character {:?} in host name",
            c.to_string()
        )),
        None => check_escapes(host),
    }
}

/// Checks that every `%` begins two hexadecimal digits.
fn check_escapes(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(index) = rest.find('%') {
        let tail = rest.split_at(index).1;
        let escape: String = tail.chars().take(3).collect();
        if escape.len() < 3 || !escape.bytes().skip(1).all(|b| b.is_ascii_hexdigit()) {
            return Err(format!("invalid URL escape {escape:?}"));
        }
        rest = tail.split_at(3).1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::WebAddress;

    fn parts(text: &str) -> String {
        match WebAddress::parse(text) {
            Ok(a) => [a.scheme, a.user, a.host, a.path, a.query, a.fragment].join("|"),
            Err(message) => message,
        }
    }

    #[test]
    fn takes_apart() {
        let check = |text, want: &str| assert_eq!(parts(text), want);
        check("http://a:9090/b?c=d#e", "http||a:9090|/b|c=d|e");
        check("HTTPS://u:p%40@[::1]:80", "https|u:p%40|[::1]:80|||");
        check("/only/path", "|||/only/path||");
        check("host/path", "|||host/path||");
        check("mailto:a@b", "mailto|||a@b||");
        check(
            "unix:///var/run/docker.sock",
            "unix|||/var/run/docker.sock||",
        );
        check("", "|||||");
        check(":80", "parse \":80\": missing protocol scheme");
        check(
            "1.2.3.4:80",
            "parse \"1.2.3.4:80\": first path segment in URL cannot contain colon",
        );
        check(
            "http://a:b",
            "parse \"http://a:b\": invalid port \":b\" after host",
        );
        check(
            "http://a b",
            "parse \"http://a b\": invalid character \" \" in host name",
        );
        check(
            "http://a/%zz",
            "parse \"http://a/%zz\": invalid URL escape \"%zz\"",
        );
        check("http://[::1", "parse \"http://[::1\": missing ']' in host");
        check(
            "a\n",
            "parse \"a\\n\": net/url: invalid control character in URL",
        );
    }

    #[test]
    fn names_host_and_port() {
        let check = |text, host: &str, port: &str| {
            let address = WebAddress::parse(text).expect("valid");
            assert_eq!((address.host_name(), address.port()), (host, port));
        };
        check("http://a:1/", "a", "1");
        check("http://a", "a", "");
        check("http://[::1]:2", "::1", "2");
        check("http://[::1]", "::1", "");
    }
}
