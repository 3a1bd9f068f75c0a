//! binnacle.yml: what only Binnacle knows. See docs/formats/binnacle-yml.md.

use config::{Fields, Problems, decode, yaml};
use std::path::Path;

/// The settings; every field may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Whether targets that name a part which Binnacle contains are answered from inside.
    pub(crate) stand_ins: bool,
    /// Whether the built-in alert pack runs although files were given.
    pub(crate) default_pack: bool,
    /// Names under which the page may be opened besides addresses and `localhost`.
    pub(crate) host_names: Vec<String>,
    /// What happens to alerts beyond what alertmanager.yml can say.
    pub(crate) notifications: dispatch::config::Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stand_ins: true,
            default_pack: false,
            host_names: Vec::new(),
            notifications: dispatch::config::Own::default(),
        }
    }
}

/// Reads the text of a file.
pub(crate) fn parse(text: &str, file: &str) -> Result<Settings, Problems> {
    let mut problems = Problems::new(file);
    let directory = Path::new(file).parent().unwrap_or(Path::new(""));
    let settings = yaml::parse_single(text, &mut problems).and_then(|root| {
        let mut fields = Fields::of(&root, "binnacle.yml", &mut problems)?;
        let default = Settings::default();
        let settings = Settings {
            stand_ins: fields
                .read("stand_ins", decode::boolean)
                .unwrap_or(default.stand_ins),
            default_pack: fields
                .read("default_pack", decode::boolean)
                .unwrap_or(default.default_pack),
            host_names: fields
                .read("host_names", decode::strings)
                .unwrap_or_default(),
            notifications: dispatch::config::Own::read(&mut fields, directory),
        };
        fields.finish();
        Some(settings)
    });
    problems.into_result(settings)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use dispatch::config::FailureReceivers;

    fn check(text: &str, want: &str) {
        let shown = match parse(text, "dir/binnacle.yml") {
            Ok(settings) => format!("{:?}", settings.notifications),
            Err(problems) => problems.to_string(),
        };
        assert!(shown.contains(want), "{text}: {shown}");
    }

    #[test]
    fn reads_what_happens_to_alerts() {
        check(
            "stand_ins: on",
            "failure_receivers: Auto, heartbeat: None, flapping: Some",
        );
        check("failure_receivers: off", "failure_receivers: Off");
        check("failure_receivers: [a, b]", r#"Named(["a", "b"])"#);
        check("failure_receivers: some", "binnacle.yml:1:20");
        check("heartbeat: {url_file: ping}", r#"File("dir/ping")"#);
        check("flapping: off", "flapping: None");
        check(
            "flapping: {starts: 3, quiet: 5m}",
            "starts: 3, within_ms: 3600000, quiet_ms: 300000",
        );
        check("flapping: {starts: 1}", "starts must be from 2 to 100");
        check(
            "silence_reminder: 30m",
            "silence_reminder_ms: Some(1800000)",
        );
        check(
            "history_retention: 1s",
            "history_retention must be at least 1h",
        );
        check(
            "heartbeat: {url: 'http://h/', interval: 10s, stalled_after: 1m, method: POST}",
            "posts: true, interval_ms: 10000, stalled_after_ms: 60000",
        );
        check(
            "heartbeat: {url: 'http://h/', stalled_after: 1s}",
            "stalled_after must be at least 30s",
        );
        check("heartbeat: {interval: 10s}", "one of url or url_file");
        check("heartbeat: {url: 'ftp://h/'}", "unsupported scheme");
        check(
            "heartbeat: {url: 'http://h/', every: 1m}",
            r#"field "every" not found in heartbeat"#,
        );
        assert_eq!(FailureReceivers::default(), FailureReceivers::Auto);
    }
}
