//! The web configuration in force: read again when the file, a certificate or a key changes.
//!
//! Whether they changed is looked at with every connection and every request; where the new one is wrong, the old one
//! stays and the log says why, once.

use super::{tls, users::Users};
use config::WebConfig;
use config::web_config::{self, RateLimit};
use runtime::SharedClock;
use rustls::ServerConfig;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What tells one version of a file from another.
type Mark = Option<(u64, i64, i64, u64)>;

/// A web configuration, ready for use.
pub(crate) struct Loaded {
    /// What the file says.
    pub(crate) config: WebConfig,
    /// `None` for plain HTTP.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Who may ask; empty for everybody.
    pub(crate) users: Users,
}

struct State {
    loaded: Arc<Loaded>,
    marks: Vec<(PathBuf, Mark)>,
    /// When requests were let in last, and how many may come at once.
    bucket: (Duration, f64),
}

/// The configuration of a file, kept up to date.
pub struct LiveWebConfig {
    path: PathBuf,
    clock: SharedClock,
    state: Mutex<State>,
}

impl LiveWebConfig {
    /// Reads the file, certificates and keys. Fails with `file:line:column: what is wrong`.
    pub fn open(path: &Path, clock: SharedClock) -> Result<Self, String> {
        let (loaded, marks) = load(path)?;
        for note in &loaded.config.notes {
            tracing::warn!("{note}");
        }
        let burst = loaded.config.rate_limit.map_or(0, |limit| limit.burst);
        let bucket = (clock.monotonic(), model::number::u64_to_float(burst));
        Ok(Self {
            path: path.to_path_buf(),
            clock,
            state: Mutex::new(State {
                loaded: Arc::new(loaded),
                marks,
                bucket,
            }),
        })
    }

    /// Whether every request must prove itself: by a password, or by a certificate.
    #[must_use]
    pub fn asks_for_proof(&self) -> bool {
        let loaded = self.current();
        let by_certificate = loaded
            .config
            .tls
            .as_ref()
            .is_some_and(|tls| matches!(tls.client_auth, web_config::ClientAuth::Require));
        by_certificate || !loaded.users.is_empty()
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub fn speaks_tls(&self) -> bool {
        self.current().tls.is_some()
    }

    /// What holds now.
    pub(crate) fn current(&self) -> Arc<Loaded> {
        let mut state = self.lock();
        let changed = state.marks.iter().any(|(path, was)| mark(path) != *was);
        if changed {
            match load(&self.path) {
                Ok((loaded, marks)) => {
                    tracing::info!("{}: read again", self.path.display());
                    state.loaded = Arc::new(loaded);
                    state.marks = marks;
                }
                Err(problem) => {
                    tracing::error!("the web configuration stays as it was: {problem}");
                    for (path, was) in &mut state.marks {
                        *was = mark(path);
                    }
                }
            }
        }
        Arc::clone(&state.loaded)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request from the bucket of the rate limit; `false` where it is empty.
    pub(crate) fn lets_in(&self, limit: RateLimit) -> bool {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let (last, level) = state.bucket;
        let interval = model::number::i64_to_float(limit.interval_ms) / 1000.0;
        let gained = now.saturating_sub(last).as_secs_f64() / interval;
        let full = model::number::u64_to_float(limit.burst);
        let level = (level + gained).min(full);
        let enough = level >= 1.0;
        state.bucket = (now, if enough { level - 1.0 } else { level });
        enough
    }
}

fn load(path: &Path) -> Result<(Loaded, Vec<(PathBuf, Mark)>), String> {
    // Marked before reading: a change in between is seen with the next look.
    let mut marks = vec![(path.to_path_buf(), mark(path))];
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let config = web_config::parse(path, &text).map_err(|problems| problems.to_string())?;
    let files = config.tls.iter().flat_map(config_files);
    marks.extend(files.map(|file| (file.clone(), mark(&file))));
    let tls = match &config.tls {
        Some(tls) => {
            let built = tls::server_config(tls, config.http2);
            Some(built.map_err(|reason| format!("{}: {reason}", path.display()))?)
        }
        None => None,
    };
    let users = Users::new(&config.users);
    Ok((Loaded { config, tls, users }, marks))
}

fn config_files(tls: &web_config::ServerTls) -> Vec<PathBuf> {
    tls.files().into_iter().map(Path::to_path_buf).collect()
}

fn mark(path: &Path) -> Mark {
    let metadata = std::fs::metadata(path).ok()?;
    Some((
        metadata.ino(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.len(),
    ))
}

#[cfg(test)]
mod tests {
    use super::LiveWebConfig;
    use config::web_config::RateLimit;
    use model::Timestamp;
    use runtime::clock::SimulatedClock;
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    fn write(path: &Path, text: &str) {
        let mut file = std::fs::File::create(path).expect("a file");
        file.write_all(text.as_bytes()).expect("written");
    }

    #[test]
    fn a_change_is_seen_and_a_wrong_one_is_not_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("web.yml");
        let write = |text: &str| write(&file, text);
        write("http_server_config: {headers: {X-Frame-Options: deny}}\n");
        let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
        let live = LiveWebConfig::open(&file, clock).expect("sound");
        assert_eq!(live.current().config.headers.len(), 1);
        write("http_server_config: {headers: {Server: me}}\n");
        assert_eq!(live.current().config.headers.len(), 1);
        write("{}\n");
        assert_eq!(live.current().config.headers.len(), 0);
        assert!(!live.speaks_tls() && !live.asks_for_proof());
    }

    #[test]
    fn a_bucket_fills_slowly() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("web.yml");
        write(&file, "rate_limit: {interval: 1s, burst: 2}\n");
        let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
        let shared: runtime::SharedClock = Arc::<SimulatedClock>::clone(&clock);
        let live = LiveWebConfig::open(&file, shared).expect("sound");
        let limit = RateLimit {
            interval_ms: 1000,
            burst: 2,
        };
        let take =
            |count: usize| -> Vec<bool> { (0..count).map(|_| live.lets_in(limit)).collect() };
        assert_eq!(take(3), [true, true, false]);
        clock.advance(Duration::from_millis(1500));
        assert_eq!(take(2), [true, false]);
        clock.advance(Duration::from_secs(60));
        assert_eq!(take(3), [true, true, false]);
    }
}
