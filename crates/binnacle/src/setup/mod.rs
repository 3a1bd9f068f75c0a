//! From paths on the command line to a configuration: which files there are, what each is, which of them run.
//!
//! Once there is a prometheus.yml, only rule files that it names are loaded, and none twice; likewise
//! the templates of an alertmanager.yml. Packs that `binnacle pack enable` wrote run in any case. Everything else that is found is listed. All mistakes of all files come at once.

mod files;
pub(crate) mod packs;
mod recognise;
mod settings;

pub(crate) use recognise::Kind;
pub(crate) use settings::Settings;

use collect::prometheus_file::{self, PrometheusFile, Reading, ScrapeConfig};
use files::find_pattern;
use rules::file::{RuleFile, UnknownFields};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A prometheus.yml and where it was.
pub(crate) struct Prometheus {
    pub(crate) file: PrometheusFile,
    /// The text, for showing it with its secrets hidden.
    pub(crate) text: String,
}

/// An alertmanager.yml and the templates that it names.
pub(crate) struct Alertmanager {
    /// Its template patterns are replaced by the files that they led to.
    pub(crate) config: dispatch::config::Config,
}

/// What the given paths come to.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) prometheus: Option<Prometheus>,
    pub(crate) rule_files: Vec<RuleFile>,
    /// The packs among them: name and file.
    pub(crate) packs: Vec<(String, PathBuf)>,
    pub(crate) alertmanager: Option<Alertmanager>,
    pub(crate) settings: Settings,
    /// Every file that was looked at and what became of it.
    pub(crate) listing: Vec<(PathBuf, Kind, String)>,
    /// What is worth knowing and no mistake.
    pub(crate) notes: Vec<String>,
}

/// How files are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'a> {
    /// Take every file for this kind.
    pub(crate) kind: Option<Kind>,
    /// Do not look at the files that a file names.
    pub(crate) syntax_only: bool,
    /// The data folder, where packs may lie as well.
    pub(crate) data: Option<&'a Path>,
}

/// Reads the paths. Mistakes come beside what could be read, each a line of its own.
pub(crate) fn read(paths: &[PathBuf], options: Options<'_>) -> (Setup, Vec<String>) {
    let mut reader = Reader {
        options,
        ..Reader::default()
    };
    for path in paths {
        reader.look_at(path);
    }
    reader.look_for_packs();
    reader.plan();
    (reader.setup, reader.mistakes)
}

/// A file and its text.
struct Found {
    path: PathBuf,
    kind: Kind,
    text: String,
}

#[derive(Default)]
struct Reader<'a> {
    options: Options<'a>,
    /// The folders that were given, or those of given files: where container paths are sought.
    given: Vec<PathBuf>,
    found: Vec<Found>,
    setup: Setup,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn look_at(&mut self, path: &Path) {
        let files = match files::list(path) {
            Ok(files) => files,
            Err(message) => return self.mistakes.push(message),
        };
        let is_folder = path.is_dir();
        let folder = if is_folder {
            path
        } else {
            path.parent().unwrap_or(Path::new(""))
        };
        self.given.push(folder.to_path_buf());
        for file in files {
            if !self.found.iter().any(|found| found.path == file) {
                self.look_at_file(file, is_folder);
            }
        }
    }

    fn look_at_file(&mut self, path: PathBuf, in_folder: bool) {
        let text = match read_text(&path) {
            Ok(text) => text,
            // A binary in a folder is none of our files; one that was named should be.
            Err(_) if in_folder => {
                let status = "skipped: not a text file".to_owned();
                return self.setup.listing.push((path, Kind::Unknown, status));
            }
            Err(message) => return self.mistakes.push(message),
        };
        if let Some(kind) = self.options.kind {
            return self.found.push(Found { path, kind, text });
        }
        let recognised = recognise::recognise(&path, &text);
        if let Some(problems) = recognised.broken {
            // Another tool's template among our files is none of our business; a file that was named is.
            let is_ours = recognised.kind != Kind::Unknown || !in_folder;
            let status = if is_ours {
                "cannot be read"
            } else {
                "skipped: not valid YAML"
            };
            if is_ours {
                self.mistakes.push(problems.to_string());
            }
            return self.took(&path, recognised.kind, status);
        }
        if recognised.kind == Kind::Unknown && !in_folder {
            let shown = path.display();
            self.mistakes.push(format!(
                "{shown}: this is no kind of file that Binnacle knows"
            ));
        }
        self.found.push(Found {
            path,
            kind: recognised.kind,
            text,
        });
    }

    fn plan(&mut self) {
        let mut by_kind: BTreeMap<Kind, Vec<Found>> = BTreeMap::new();
        for found in std::mem::take(&mut self.found) {
            by_kind.entry(found.kind).or_default().push(found);
        }
        for kind in [Kind::Prometheus, Kind::Alertmanager, Kind::Binnacle] {
            self.check_single(
                kind,
                by_kind.get(&kind).map(Vec::as_slice).unwrap_or_default(),
            );
        }
        for found in by_kind.remove(&Kind::Binnacle).unwrap_or_default() {
            self.read_settings(&found);
        }
        for found in by_kind.remove(&Kind::Prometheus).unwrap_or_default() {
            self.read_prometheus(found);
        }
        let rules = by_kind.remove(&Kind::Rules).unwrap_or_default();
        let (packs, rules): (Vec<Found>, Vec<Found>) = rules
            .into_iter()
            .partition(|found| self.pack_of(&found.path, &found.text).is_some());
        match self.setup.prometheus.is_some() {
            true => self.list_unnamed(rules),
            false => rules
                .into_iter()
                .for_each(|found| self.read_rules(&found.path, &found.text)),
        }
        self.read_packs(packs);
        for found in by_kind.remove(&Kind::Alertmanager).unwrap_or_default() {
            self.read_alertmanager(&found);
        }
        for found in by_kind.into_values().flatten() {
            self.list_other(&found);
        }
        self.apply_own();
        self.setup.listing.sort();
        self.check_rules_together();
    }

    /// Two prometheus.yml are a mistake that names both.
    fn check_single(&mut self, kind: Kind, found: &[Found]) {
        if found.len() > 1 && self.options.kind.is_none() {
            let names: Vec<String> = found.iter().map(|f| f.path.display().to_string()).collect();
            let message = format!(
                "more than one {}: {}; name the one to run",
                kind.name(),
                names.join(", ")
            );
            self.mistakes.push(message);
        }
    }

    fn took(&mut self, path: &Path, kind: Kind, status: &str) {
        self.setup
            .listing
            .push((path.to_path_buf(), kind, status.to_owned()));
    }

    fn read_settings(&mut self, found: &Found) {
        match settings::parse(&found.text, &found.path.display().to_string()) {
            Ok(settings) => self.setup.settings = settings,
            Err(problems) => self.mistakes.push(problems.to_string()),
        }
        self.took(&found.path, Kind::Binnacle, "used");
    }

    fn read_prometheus(&mut self, found: Found) {
        let directory = found.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let name = found.path.display().to_string();
        let reading = Reading {
            file: &name,
            directory: &directory,
            environment: &runtime::environment::var,
        };
        self.took(&found.path, Kind::Prometheus, "used");
        let mut file = match prometheus_file::read(&found.text, reading) {
            Ok(file) => file,
            Err(problems) => return self.mistakes.push(problems.to_string()),
        };
        self.setup
            .notes
            .extend(file.notes.iter().map(ToString::to_string));
        if !self.options.syntax_only {
            self.read_scrape_config_files(&mut file, &directory);
            self.read_rule_files(&file.rule_files, &found.path, &directory);
        }
        self.setup.prometheus = Some(Prometheus {
            file,
            text: found.text,
        });
    }

    fn read_scrape_config_files(&mut self, file: &mut PrometheusFile, directory: &Path) {
        let patterns = file.scrape_config_files.clone();
        for path in self.matching("scrape_config_files", &patterns, directory) {
            let Some(text) = self.text_of(&path) else {
                continue;
            };
            let name = path.display().to_string();
            let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            let reading = Reading {
                file: &name,
                directory: &folder,
                environment: &runtime::environment::var,
            };
            match prometheus_file::read_scrape_configs(&text, &file.global, reading) {
                Ok((configs, notes)) => {
                    self.setup
                        .notes
                        .extend(notes.iter().map(ToString::to_string));
                    self.check_job_names(&file.scrape_configs, &configs, &name);
                    file.scrape_configs.extend(configs);
                }
                Err(problems) => self.mistakes.push(problems.to_string()),
            }
            self.took(
                &path,
                Kind::Prometheus,
                "used, named by scrape_config_files",
            );
        }
    }

    fn check_job_names(&mut self, present: &[ScrapeConfig], added: &[ScrapeConfig], file: &str) {
        let names: BTreeSet<&str> = present
            .iter()
            .map(|config| config.job_name.as_str())
            .collect();
        for config in added
            .iter()
            .filter(|config| names.contains(config.job_name.as_str()))
        {
            let position = config.position;
            self.mistakes.push(format!(
                "{file}:{}:{}: found multiple scrape configs with job name {:?}",
                position.line, position.column, config.job_name
            ));
        }
    }

    fn read_rule_files(&mut self, patterns: &[String], named_by: &Path, directory: &Path) {
        for path in self.matching("rule_files", patterns, directory) {
            if path == named_by {
                continue;
            }
            if let Some(text) = self.text_of(&path) {
                self.read_rules(&path, &text);
            }
        }
    }

    /// The files of patterns, each once. What matched nothing, or matched elsewhere, is said.
    fn matching(&mut self, field: &str, patterns: &[String], directory: &Path) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = Vec::new();
        for pattern in patterns {
            let matched = find_pattern(pattern, directory, &self.given);
            if let Some(instead) = &matched.instead {
                let instead = instead.display();
                self.setup.notes.push(format!(
                    "{field}: {pattern} is not here, {instead} is used instead"
                ));
            } else if matched.files.is_empty() {
                self.setup
                    .notes
                    .push(format!("{field}: {pattern} matches no file"));
            }
            for file in matched.files {
                if !all.contains(&file) {
                    all.push(file);
                }
            }
        }
        all
    }

    fn text_of(&mut self, path: &Path) -> Option<String> {
        read_text(path)
            .map_err(|message| self.mistakes.push(message))
            .ok()
    }

    /// Packs beside a file that was given, and in the data folder: no path leads to them.
    fn look_for_packs(&mut self) {
        let of_data = self.options.data.map(packs::below);
        let beside = self.given.iter().map(|folder| packs::below(folder));
        let folders: Vec<PathBuf> = beside.chain(of_data.clone()).collect();
        for folder in folders {
            for file in packs::files(&folder) {
                let is_known = self.found.iter().any(|found| same_file(&found.path, &file));
                let is_pack =
                    || read_text(&file).is_ok_and(|text| rules::packs::marked(&text).is_some());
                if !is_known && (Some(&folder) == of_data.as_ref() || is_pack()) {
                    self.look_at_file(file, true);
                }
            }
        }
    }

    /// The pack that a rule file is: by its first line, or because it lies among the packs of the data folder.
    fn pack_of(&self, path: &Path, text: &str) -> Option<String> {
        if let Some(mark) = rules::packs::marked(text) {
            return Some(mark.pack.to_owned());
        }
        let is_there = path.parent() == Some(&packs::below(self.options.data?));
        let name = path.file_stem().filter(|_| is_there)?;
        Some(name.to_string_lossy().into_owned())
    }

    /// Packs run although no prometheus.yml names them, each once.
    fn read_packs(&mut self, found: Vec<Found>) {
        for Found { path, text, .. } in found {
            let name = self.pack_of(&path, &text).unwrap_or_default();
            if self.is_listed(&path) {
                continue;
            }
            let first = self.setup.packs.iter().find(|(other, _)| *other == name);
            let instead = first.map(|(_, file)| file.display().to_string());
            match instead {
                None => self.read_rules(&path, &text),
                Some(file) => {
                    let status = format!("skipped: pack {name} is read from {file}");
                    self.took(&path, Kind::Rules, &status);
                }
            }
        }
    }

    fn read_rules(&mut self, path: &Path, text: &str) {
        match rules::file::parse(&path.display().to_string(), text, UnknownFields::Refuse) {
            Ok(file) => self.setup.rule_files.push(file),
            Err(problems) => self.mistakes.push(problems.to_string()),
        }
        let mut status = "used".to_owned();
        if let Some(name) = self.pack_of(path, text) {
            status = format!("used, pack {name}");
            self.setup.packs.push((name, path.to_path_buf()));
        }
        self.took(path, Kind::Rules, &status);
    }

    fn check_rules_together(&mut self) {
        for duplicate in rules::file::duplicates(&self.setup.rule_files) {
            let (name, labels) = (duplicate.name, duplicate.labels);
            let note = format!("rule {name} with labels {labels} stands more than once");
            self.setup.notes.push(note);
        }
    }

    fn is_listed(&self, file: &Path) -> bool {
        let mut listed = self.setup.listing.iter();
        listed.any(|(path, ..)| same_file(path, file))
    }

    fn list_unnamed(&mut self, rules: Vec<Found>) {
        for found in rules {
            if !self.is_listed(&found.path) {
                self.took(
                    &found.path,
                    Kind::Rules,
                    "skipped: rule_files does not name it",
                );
            }
        }
    }

    fn read_alertmanager(&mut self, found: &Found) {
        let name = found.path.display().to_string();
        self.took(&found.path, Kind::Alertmanager, "used");
        let mut config = match dispatch::config::Config::parse(&found.text, &name) {
            Ok(config) => config,
            Err(problems) => return self.mistakes.push(problems.to_string()),
        };
        if !self.options.syntax_only {
            let patterns: Vec<String> = config
                .templates
                .iter()
                .map(|pattern| pattern.display().to_string())
                .collect();
            // The patterns are joined with the file's folder already.
            config.templates = self.matching("templates", &patterns, Path::new(""));
            for path in config.templates.clone() {
                self.took(&path, Kind::Template, "used, named by alertmanager.yml");
            }
            let (_, problems) = dispatch::template::Templates::load(&config, "");
            self.mistakes.extend(problems);
        }
        self.setup.alertmanager = Some(Alertmanager { config });
    }

    /// What binnacle.yml says beyond alertmanager.yml.
    fn apply_own(&mut self) {
        let own = &self.setup.settings.notifications;
        if let Some(alertmanager) = &mut self.setup.alertmanager {
            self.mistakes
                .extend(own.mistakes(&alertmanager.config.receivers));
            alertmanager.config.own = own.clone();
        }
    }

    fn list_other(&mut self, found: &Found) {
        if self.is_listed(&found.path) {
            return;
        }
        let status = match found.kind {
            kind if kind.comes_later() => "recognised, not used yet",
            Kind::RuleTests => "run it with `binnacle test rules`",
            Kind::Targets => "read where file_sd_configs names it",
            _ => "skipped",
        };
        self.took(&found.path, found.kind, status);
    }
}

/// A YAML text as it may be shown: secrets hidden, comments gone.
pub(crate) fn redact(text: &str) -> String {
    let mut unreported = config::Problems::new("");
    config::yaml::parse_single(text, &mut unreported)
        .map(|root| config::redact::print(&root))
        .unwrap_or_default()
}

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn read_text(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    if metadata.len() > files::BYTES_MAX {
        return Err(format!("{shown}: larger than {} bytes", files::BYTES_MAX));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let before = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{shown}:{line}: not UTF-8")
    })
}

#[cfg(test)]
mod tests;
