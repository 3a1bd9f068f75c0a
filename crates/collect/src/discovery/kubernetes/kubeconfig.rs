//! kubeconfig files: the cluster and the user of the current context. Source: "Organizing Cluster Access Using
//! kubeconfig Files", Kubernetes documentation.

use base64::Engine as _;
use config::http_client::{Credentials, HttpClientConfig, SecretSource};
use config::{Node, Problems, Secret, yaml};
use std::path::Path;

/// The server's address and how to reach it. Fails with what is missing or not supported.
pub(super) fn read(file: &Path) -> Result<(String, HttpClientConfig), String> {
    let text = SecretSource::File(file.to_path_buf()).read()?;
    let directory = file.parent().unwrap_or(file);
    parse(text.reveal(), directory).map_err(|error| format!("{}: {error}", file.display()))
}

pub(super) fn parse(text: &str, directory: &Path) -> Result<(String, HttpClientConfig), String> {
    let mut problems = Problems::new("kubeconfig");
    let root = yaml::parse_single(text, &mut problems);
    let Some(root) = root.filter(|_| problems.is_empty()) else {
        return Err(problems.to_string());
    };
    let current = field(&root, "current-context");
    let context = named(&root, ("contexts", "context"), current)?;
    let cluster = named(&root, ("clusters", "cluster"), field(context, "cluster"))?;
    let server = field(cluster, "server").to_owned();
    if server.is_empty() {
        return Err("the cluster has no server".to_owned());
    }
    let mut http = HttpClientConfig::default();
    http.tls.ca = source(cluster, "certificate-authority")?;
    http.tls.insecure_skip_verify = field(cluster, "insecure-skip-tls-verify") == "true";
    field(cluster, "tls-server-name").clone_into(&mut http.tls.server_name);
    let user = field(context, "user");
    if !user.is_empty() {
        read_user(named(&root, ("users", "user"), user)?, &mut http)?;
    }
    http.set_directory(directory);
    Ok((server, http))
}

fn read_user(user: &Node, http: &mut HttpClientConfig) -> Result<(), String> {
    for kind in ["exec", "auth-provider"] {
        if user.get(kind).is_some_and(|node| !node.is_null()) {
            return Err(format!("users that log in by {kind:?} are not supported"));
        }
    }
    http.tls.certificate = source(user, "client-certificate")?;
    http.tls.key = source(user, "client-key")?;
    let (token, token_file, name) = (
        field(user, "token"),
        field(user, "tokenFile"),
        field(user, "username"),
    );
    let bearer = |token| Credentials::Token {
        scheme: "Bearer".to_owned(),
        token,
    };
    http.credentials = if !token_file.is_empty() {
        Some(bearer(SecretSource::File(token_file.into())))
    } else if !token.is_empty() {
        Some(bearer(SecretSource::Text(Secret::new(token))))
    } else if !name.is_empty() {
        Some(Credentials::Basic {
            username: SecretSource::Text(Secret::new(name)),
            password: SecretSource::Text(Secret::new(field(user, "password"))),
        })
    } else {
        None
    };
    Ok(())
}

fn field<'a>(node: &'a Node, name: &str) -> &'a str {
    node.get(name).and_then(Node::text).unwrap_or_default()
}

/// The `inner` part of the element of `list` with this name.
fn named<'a>(root: &'a Node, (list, inner): (&str, &str), name: &str) -> Result<&'a Node, String> {
    let elements = root.get(list).map(Node::elements).unwrap_or_default();
    let found = elements
        .iter()
        .find(|element| field(element, "name") == name);
    let found = found.and_then(|element| element.get(inner));
    found.ok_or_else(|| format!("no {inner} named {name:?}"))
}

/// A PEM text: `name-data` in base64, or the file that `name` names.
fn source(node: &Node, name: &str) -> Result<SecretSource, String> {
    let data = field(node, &format!("{name}-data"));
    if data.is_empty() {
        return Ok(match field(node, name) {
            "" => SecretSource::default(),
            file => SecretSource::File(file.into()),
        });
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(data);
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| format!("{name}-data is no base64 of a PEM text"))?;
    Ok(SecretSource::Text(Secret::new(text)))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::path::Path;

    #[test]
    fn reads_files() {
        let check = |user: &str, want: &str| {
            let text = format!(
                "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
                 clusters: [{{name: k, cluster: {{server: 'https://k:6443', certificate-authority: ca.pem}}}}]\n\
                 users: [{{name: u, user: {{{user}}}}}]\n"
            );
            let read = parse(&text, Path::new("/etc/k"));
            let shown = read.map(|(server, http)| {
                let headers = http.request_headers().expect("headers");
                let headers = headers.iter().map(|(_, value)| value.reveal().to_owned());
                let headers: Vec<String> = headers.collect();
                format!("{server} {:?} {}", http.tls.ca, headers.join(" "))
            });
            assert_eq!(shown.unwrap_or_else(|error| error), want);
        };
        let cluster = "https://k:6443 File(\"/etc/k/ca.pem\")";
        check("token: abc", &format!("{cluster} Bearer abc"));
        check("username: a, password: b", &format!("{cluster} Basic YTpi"));
        check(
            "exec: {command: x}",
            "users that log in by \"exec\" are not supported",
        );
        check(
            "client-key-data: '*'",
            "client-key-data is no base64 of a PEM text",
        );
    }
}
