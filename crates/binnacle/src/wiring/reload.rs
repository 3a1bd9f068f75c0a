//! The configuration in force: applied at start, read again on demand, kept where a new one is wrong.

use super::doors::Doors;
use super::{Ground, Later};
use crate::setup::{self, Options, Setup};
use anyhow::Context as _;
use api::{Notifications, RELOAD_FAILED, SetupView};
use collect::Collector;
use collect::alertmanagers::Notifier;
use dispatch::Dispatch;
use ingest::Ingest;
use model::{RelabelRule, Timestamp};
use promql::{DefaultStep, Engine, SUBQUERY_STEP_MS_DEFAULT};
use rules::RuleEngine;
use rules::file::{RuleFile, UnknownFields};
use runtime::metrics::Gauge;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::LineLog;

/// The built-in alert pack: what runs where no files are given.
const DEFAULT_PACK: &str = include_str!("../../packs/default.yml");
/// What its file is called in answers.
const DEFAULT_PACK_NAME: &str = "builtin:default.yml";

/// Applies configurations and remembers what was found.
pub(super) struct Configuration {
    ground: Ground,
    rules: Arc<RuleEngine>,
    dispatch: Arc<Dispatch>,
    notifier: Arc<Notifier>,
    collector: Later<Collector>,
    notifications: Arc<Notifications>,
    query_log: Arc<LineLog>,
    subquery_step: DefaultStep,
    ingest: Later<Ingest>,
    doors: Arc<Doors>,
    view: Mutex<SetupView>,
    /// One reload at a time.
    reloading: Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Configuration {
    pub(super) fn new(
        ground: Ground,
        (rules, dispatch, notifier): (Arc<RuleEngine>, Arc<Dispatch>, Arc<Notifier>),
        (notifications, query_log, engine): (Arc<Notifications>, Arc<LineLog>, &Engine),
        doors: Arc<Doors>,
    ) -> Self {
        Self {
            ground,
            rules,
            dispatch,
            notifier,
            collector: Mutex::default(),
            notifications,
            query_log,
            subquery_step: engine.options().subquery_step.clone(),
            ingest: Mutex::default(),
            doors,
            view: Mutex::default(),
            reloading: Mutex::default(),
        }
    }

    /// Names the collector and the door that applied configurations go to.
    pub(super) fn connect(&self, collector: Arc<Collector>, ingest: Arc<Ingest>) {
        *lock(&self.collector) = Some(collector);
        *lock(&self.ingest) = Some(ingest);
    }

    fn apply_otlp(&self, setup: &Setup) {
        let flags = &self.ground.flags;
        let prometheus = setup.prometheus.as_ref();
        let settings = prometheus.map(|p| p.file.otlp.clone()).unwrap_or_default();
        if let Some(ingest) = lock(&self.ingest).as_ref() {
            ingest.set_otlp(ingest::otlp::Settings {
                target_info_interval_ms: flags.lookback_ms / 2,
                deltas: flags.otlp_deltas,
                type_and_unit_labels: flags.scrape_features.type_and_unit_labels,
                ..settings
            });
        }
    }

    pub(super) fn view(&self) -> SetupView {
        lock(&self.view).clone()
    }

    /// Reads the paths again and applies what they say. The old configuration stays where anything is wrong.
    pub(super) fn reload(&self) -> Result<(), String> {
        let _one_at_a_time = lock(&self.reloading);
        let options = Options {
            data: Some(&self.ground.flags.data),
            ..Options::default()
        };
        let (setup, mistakes) = setup::read(&self.ground.flags.paths, options);
        let done = if mistakes.is_empty() {
            self.apply(setup).map_err(|error| format!("{error:#}"))
        } else {
            Err(mistakes.join("\n"))
        };
        match &done {
            Ok(()) => {
                self.notifications.remove(RELOAD_FAILED);
                tracing::info!("the configuration was read again");
            }
            Err(problem) => {
                let now = self.ground.clock.now();
                self.notifications.add(RELOAD_FAILED, now);
                tracing::error!(
                    "the configuration was not read again, the old one stays: {problem}"
                );
                lock(&self.view).reload_problem = Some(problem.clone());
            }
        }
        if done.is_err() {
            self.last_reload_successful().set(0.0);
        }
        done
    }

    /// Applies a setup without mistakes.
    pub(super) fn apply(&self, setup: Setup) -> anyhow::Result<()> {
        let now = self.ground.clock.now();
        self.ground.stand_ins.set(setup.settings.stand_ins);
        let mut view = self.shown(&setup, now);
        view.notes.extend(super::stand_ins::notes(&setup));
        view.notes.extend(self.doors.apply(&setup));
        let scrape_configs = setup
            .prometheus
            .as_ref()
            .map(|p| p.file.scrape_configs.clone())
            .unwrap_or_default();
        self.apply_otlp(&setup);
        for problem in self.dispatch.apply(super::flows::dispatch_config(&setup))? {
            tracing::error!("template: {problem}");
        }
        self.log_queries(&setup)?;
        let global = setup.prometheus.as_ref().map(|p| &p.file.global);
        self.subquery_step
            .set(global.map_or(SUBQUERY_STEP_MS_DEFAULT, |global| {
                global.evaluation_interval_ms
            }));
        let alertmanagers = setup
            .prometheus
            .as_ref()
            .map(|p| p.file.alerting.alertmanagers.clone())
            .unwrap_or_default();
        self.rules.apply(self.rule_config(setup)?, now)?;
        self.notifier.apply(&alertmanagers);
        let collector = lock(&self.collector).clone();
        if let Some(collector) = collector {
            self.ground
                .sockets
                .block_on(collector.apply(scrape_configs));
        }
        let seconds = self.ground.registry.gauge(
            "prometheus_config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.",
            &[],
        );
        seconds.set(now.seconds());
        self.last_reload_successful().set(1.0);
        *lock(&self.view) = view;
        Ok(())
    }

    fn last_reload_successful(&self) -> Gauge {
        self.ground.registry.gauge(
            "prometheus_config_last_reload_successful",
            "Whether the last configuration reload attempt was successful.",
            &[],
        )
    }

    /// Opens the log of queries anew, so that a tool may have moved it away.
    fn log_queries(&self, setup: &Setup) -> anyhow::Result<()> {
        let prometheus = setup.prometheus.as_ref();
        let path = prometheus.and_then(|p| p.file.global.query_log_file.as_deref());
        self.query_log
            .write_to(path)
            .with_context(|| format!("query_log_file {}", path.unwrap_or(Path::new("")).display()))
    }

    fn rule_config(&self, setup: Setup) -> anyhow::Result<rules::Config> {
        let flags = &self.ground.flags;
        let mut files = setup.rule_files;
        if flags.paths.is_empty() || setup.settings.default_pack {
            files.push(default_pack()?);
        }
        let mut config = rules::Config {
            files,
            external_url: flags.external_url.clone(),
            resend_delay_ms: flags.resend_delay_ms,
            restoring: flags.restoring,
            ..rules::Config::default()
        };
        if let Some(prometheus) = setup.prometheus {
            let global = prometheus.file.global;
            config.interval_ms = global.evaluation_interval_ms;
            config.query_offset_ms = global.rule_query_offset_ms;
            config.external_labels = global.external_labels;
            config.alert_relabel = prometheus.file.alerting.relabel;
        } else {
            // Without a file this is our own pack: this host is looked at every 5 s, so are its rules.
            config.interval_ms = 5_000;
        }
        Ok(config)
    }

    /// Where `binnacle pack enable` writes for this server, as another process can find it.
    fn pack_folder(&self) -> String {
        let flags = &self.ground.flags;
        let folder = setup::packs::folder(&flags.paths, &flags.data);
        let absolute = std::path::absolute(&folder).unwrap_or(folder);
        absolute.display().to_string()
    }

    fn shown(&self, setup: &Setup, now: Timestamp) -> SetupView {
        let file = |(path, kind, status): &(std::path::PathBuf, setup::Kind, String)| {
            (
                path.display().to_string(),
                format!("{}: {status}", kind.name()),
            )
        };
        let prometheus = setup.prometheus.as_ref();
        SetupView {
            prometheus_config: prometheus
                .map(|p| setup::redact(&p.text))
                .unwrap_or_default(),
            notes: setup.notes.clone(),
            files: setup.listing.iter().map(file).collect(),
            reload_problem: None,
            external_labels: prometheus
                .map(|p| p.file.global.external_labels.clone())
                .unwrap_or_default(),
            loaded_at: Some(now),
            relabel_rules: prometheus.map(relabel_rules).unwrap_or_default(),
            pack_folder: self.pack_folder(),
            packs: setup
                .packs
                .iter()
                .map(|(name, file)| (name.clone(), file.display().to_string()))
                .collect(),
        }
    }
}

/// The relabelling of targets by job.
fn relabel_rules(prometheus: &setup::Prometheus) -> BTreeMap<String, Vec<RelabelRule>> {
    let configs = prometheus.file.scrape_configs.iter();
    configs
        .map(|config| (config.job_name.clone(), config.relabel_configs.clone()))
        .collect()
}

fn default_pack() -> anyhow::Result<RuleFile> {
    rules::file::parse(DEFAULT_PACK_NAME, DEFAULT_PACK, UnknownFields::Refuse)
        .map_err(|problems| anyhow::anyhow!("the built-in alert pack: {problems}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_default_pack_is_sound() {
        let pack = super::default_pack().expect("sound");
        assert!(
            pack.groups
                .iter()
                .map(|group| group.rules.len())
                .sum::<usize>()
                > 5
        );
    }
}
