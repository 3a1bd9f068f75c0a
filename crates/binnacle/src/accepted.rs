//! Flags of Prometheus that have nothing to set here: taken off the command line, so that a unit file changes only the
//! program's name, and named in the log.

/// Flags that take a value.
const WITH_VALUE: [&str; 20] = [
    "--auto-gomemlimit.ratio",
    "--config.auto-reload-interval",
    "--rules.max-concurrent-evals",
    "--scrape.discovery-reload-interval",
    "--scrape.timestamp-tolerance",
    "--storage.remote.flush-deadline",
    "--storage.remote.read-concurrent-limit",
    "--storage.remote.read-max-bytes-in-frame",
    "--storage.remote.read-sample-limit",
    "--storage.tsdb.block-reload-interval",
    "--storage.tsdb.delay-compact-file.path",
    "--storage.tsdb.head-chunks-write-queue-size",
    "--storage.tsdb.max-block-chunk-segment-size",
    "--storage.tsdb.max-block-duration",
    "--storage.tsdb.samples-per-chunk",
    "--storage.tsdb.wal-compression-type",
    "--storage.tsdb.wal-segment-size",
    "--web.local-assets",
    "--web.page-title",
    "--web.user-assets",
];

/// Flags that stand alone; each may also begin with `--no-`.
const ALONE: [&str; 10] = [
    "--auto-gomaxprocs",
    "--auto-gomemlimit",
    "--scrape.adjust-timestamps",
    "--storage.tsdb.allow-overlapping-blocks",
    "--storage.tsdb.allow-overlapping-compaction",
    "--storage.tsdb.no-lockfile",
    "--storage.tsdb.use-lockfile",
    "--storage.tsdb.wal-compression",
    "--web.enable-otlp-receiver",
    "--web.enable-remote-write-receiver",
];

/// Takes such flags off the arguments of `up`; gives the rest, and those that were taken.
pub(crate) fn take_off(arguments: Vec<String>) -> (Vec<String>, Vec<String>) {
    if arguments.get(1).map(String::as_str) != Some("up") {
        return (arguments, Vec::new());
    }
    let (mut kept, mut taken) = (Vec::new(), Vec::new());
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let name = argument
            .split_once('=')
            .map_or(argument.as_str(), |(name, _)| name);
        let positive = name.replacen("--no-", "--", 1);
        if ALONE.contains(&positive.as_str()) || ALONE.contains(&name) {
            taken.push(argument);
        } else if WITH_VALUE.contains(&name) {
            if name.len() == argument.len() {
                // The value stands apart.
                drop(rest.next());
            }
            taken.push(argument);
        } else if argument != "--web.config.file=" {
            // As upstream, an empty name is no file.
            kept.push(argument);
        }
    }
    (kept, taken)
}

#[cfg(test)]
mod tests {
    use super::take_off;

    #[test]
    fn takes_off_what_has_nothing_to_set() {
        let check = |line: &str, want: &str, want_taken: usize| {
            let words = line.split_whitespace().map(str::to_owned).collect();
            let (kept, taken) = take_off(words);
            assert_eq!(
                (kept.join(" ").as_str(), taken.len()),
                (want, want_taken),
                "{line}"
            );
        };
        check(
            "binnacle up --storage.tsdb.use-lockfile a.yml",
            "binnacle up a.yml",
            1,
        );
        check(
            "binnacle up --web.page-title Mine a.yml",
            "binnacle up a.yml",
            1,
        );
        check(
            "binnacle up --auto-gomaxprocs a.yml --web.user-assets /srv/page",
            "binnacle up a.yml",
            2,
        );
        check(
            "binnacle up --no-storage.tsdb.wal-compression",
            "binnacle up",
            1,
        );
        check("binnacle up --web.config.file=", "binnacle up", 0);
        check(
            "binnacle check --web.page-title=1",
            "binnacle check --web.page-title=1",
            0,
        );
    }
}
