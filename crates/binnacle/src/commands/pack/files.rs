//! The files of enabled packs: written, moved aside, removed; never lost with somebody's edits in them.

use super::server::Server;
use crate::cli::PackPlace;
use crate::setup::packs;
use anyhow::{Context as _, bail};
use rules::packs::{Pack, marked, with_mark};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use storage::{OperatingSystem, SharedFiles};

/// The data folder of a server that is started without `--data`.
const DATA: &str = "binnacle-data";

/// A folder of enabled packs.
pub(super) struct Folder {
    path: PathBuf,
    files: SharedFiles,
}

/// What a pack's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is none.
    Absent,
    /// As this version of the program writes it.
    Current,
    /// As another version wrote it.
    Older,
    /// Somebody has edited it.
    Edited,
    /// It is something else of that name.
    Foreign,
}

/// How an attempt to change a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Changed,
    AsItWas,
    Refused,
}

/// What became of a file, in words.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) outcome: Outcome,
    pub(super) text: String,
}

const fn change(outcome: Outcome, text: String) -> Change {
    Change { outcome, text }
}

impl Folder {
    /// Decides where packs lie: where a flag says, where the server that answers reads them, or in the usual data folder.
    pub(super) fn of(place: &PackPlace, server: Option<&Server>) -> anyhow::Result<Self> {
        let path = match (&place.config, &place.data) {
            (Some(config), _) => {
                std::fs::metadata(config)
                    .with_context(|| format!("--config {}", config.display()))?;
                packs::folder(std::slice::from_ref(config), Path::new(DATA))
            }
            (None, Some(data)) => packs::below(data),
            (None, None) => match server {
                Some(server) => server.folder()?,
                None => packs::below(Path::new(DATA)),
            },
        };
        Ok(Self::at(path))
    }

    fn at(path: PathBuf) -> Self {
        Self {
            path,
            files: OperatingSystem::shared(),
        }
    }

    /// Where a pack's file is, or would be.
    pub(super) fn file(&self, pack: &Pack) -> PathBuf {
        self.path.join(format!("{}.yml", pack.name))
    }

    /// What a pack's file is.
    pub(super) fn state(&self, pack: &Pack) -> anyhow::Result<State> {
        let file = self.file(pack);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Absent),
            Err(error) => return Err(error).context(file.display().to_string()),
        };
        Ok(match marked(&text) {
            Some(mark) if mark.pack != pack.name => State::Foreign,
            Some(mark) if mark.is_edited => State::Edited,
            Some(mark) if mark.rules == pack.rules => State::Current,
            Some(_) => State::Older,
            None => State::Foreign,
        })
    }

    /// Writes a pack's file. One that was edited stays, or is kept beside the new one where `force` is set.
    pub(super) fn enable(&self, pack: &Pack, force: bool) -> anyhow::Result<Change> {
        let (name, file) = (pack.name, self.file(pack));
        let shown = file.display();
        match self.state(pack)? {
            State::Foreign => bail!(foreign(&file, name)),
            State::Current => Ok(change(
                Outcome::AsItWas,
                format!("{name}: is enabled already: {shown}"),
            )),
            State::Edited if !force => Ok(change(
                Outcome::AsItWas,
                format!(
                    "{name}: is enabled already, with your edits: {shown} (--force puts the pack's own in its place)"
                ),
            )),
            State::Edited => {
                let kept = self.move_aside(&file, "edited")?;
                self.write(pack)?;
                let text = format!(
                    "{name}: written anew: {shown}; your edited file is {}",
                    kept.display()
                );
                Ok(change(Outcome::Changed, text))
            }
            State::Older => {
                self.write(pack)?;
                let text = format!("{name}: brought up to this version: {shown}");
                Ok(change(Outcome::Changed, text))
            }
            State::Absent => self.enable_absent(pack, force),
        }
    }

    /// Writes a file that is not there; edits of an earlier time come back.
    fn enable_absent(&self, pack: &Pack, force: bool) -> anyhow::Result<Change> {
        let (name, file) = (pack.name, self.file(pack));
        let disabled = ending(&file, "disabled");
        if !force && disabled.is_file() {
            self.files
                .rename(&disabled, &file)
                .with_context(|| file.display().to_string())?;
            let text = format!(
                "{name}: enabled with your edits of earlier: {} (--force writes the pack's own)",
                file.display()
            );
            return Ok(change(Outcome::Changed, text));
        }
        self.write(pack)?;
        let text = format!("{name}: enabled: {}", file.display());
        Ok(change(Outcome::Changed, text))
    }

    /// Takes a pack's file away; one that was edited is kept under another name.
    pub(super) fn disable(&self, pack: &Pack) -> anyhow::Result<Change> {
        let (name, file) = (pack.name, self.file(pack));
        match self.state(pack)? {
            State::Foreign => bail!(foreign(&file, name)),
            State::Absent => Ok(change(
                Outcome::Refused,
                format!("{name}: is not enabled: there is no {}", file.display()),
            )),
            State::Edited => {
                let kept = self.move_aside(&file, "disabled")?;
                let text = format!("{name}: disabled; your edits are kept: {}", kept.display());
                Ok(change(Outcome::Changed, text))
            }
            State::Current | State::Older => {
                self.files
                    .remove(&file)
                    .with_context(|| file.display().to_string())?;
                let text = format!("{name}: disabled: {} is gone", file.display());
                Ok(change(Outcome::Changed, text))
            }
        }
    }

    /// A reader sees the whole file or none.
    fn write(&self, pack: &Pack) -> anyhow::Result<()> {
        let file = self.file(pack);
        let temporary = ending(&file, "new");
        let write = || {
            self.files.make_folder(&self.path)?;
            let new = self.files.create(&temporary)?;
            new.write(with_mark(pack).as_bytes())?;
            new.sync()?;
            self.files.rename(&temporary, &file)?;
            self.files.sync_folder(&self.path)
        };
        write().with_context(|| {
            format!(
                "{}: cannot be written (--config and --data name another folder)",
                file.display()
            )
        })
    }

    /// Renames a file to a name that is free.
    fn move_aside(&self, file: &Path, word: &str) -> anyhow::Result<PathBuf> {
        let names = std::iter::once(word.to_owned()).chain((2..).map(|n| format!("{word}{n}")));
        let mut free = names
            .map(|word| ending(file, &word))
            .filter(|path| std::fs::symlink_metadata(path).is_err());
        let kept = free.next().context("no name is free")?;
        self.files
            .rename(file, &kept)
            .with_context(|| kept.display().to_string())?;
        Ok(kept)
    }
}

fn ending(file: &Path, word: &str) -> PathBuf {
    file.with_extension(format!("yml.{word}"))
}

fn foreign(file: &Path, name: &str) -> String {
    let shown = file.display();
    format!("{shown} is not a file of pack {name}: move it away or name another folder")
}

#[cfg(test)]
mod tests {
    use super::{Change, Folder, Outcome, State};
    use rules::packs::{find, with_mark};
    use std::path::Path;

    fn write(path: &Path, text: &str) {
        #[expect(clippy::disallowed_methods, reason = "a fixture")]
        std::fs::write(path, text).expect("written");
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn edits_are_never_lost() {
        let place = tempfile::tempdir().expect("folder");
        let folder = Folder::at(place.path().join("packs"));
        let host = find("host").expect("a pack");
        let file = folder.file(host);
        let check =
            |change: anyhow::Result<Change>, outcome: Outcome, word: &str, want: &[&str]| {
                let change = change.expect("it works");
                assert_eq!(change.outcome, outcome, "{}", change.text);
                assert!(change.text.contains(word), "{}", change.text);
                assert_eq!(names(&place.path().join("packs")), want);
            };
        use Outcome::{AsItWas, Changed, Refused};
        check(
            folder.enable(host, false),
            Changed,
            "enabled",
            &["host.yml"],
        );
        check(folder.enable(host, true), AsItWas, "already", &["host.yml"]);
        check(folder.disable(host), Changed, "is gone", &[]);
        check(folder.disable(host), Refused, "is not enabled", &[]);

        check(
            folder.enable(host, false),
            Changed,
            "enabled",
            &["host.yml"],
        );
        let edited = with_mark(host).replace("0.15", "0.2");
        write(&file, &edited);
        assert_eq!(folder.state(host).expect("readable"), State::Edited);
        check(
            folder.enable(host, false),
            AsItWas,
            "with your edits",
            &["host.yml"],
        );
        check(
            folder.disable(host),
            Changed,
            "edits are kept",
            &["host.yml.disabled"],
        );
        check(
            folder.enable(host, false),
            Changed,
            "edits of earlier",
            &["host.yml"],
        );
        assert_eq!(std::fs::read_to_string(&file).expect("there"), edited);
        check(
            folder.enable(host, true),
            Changed,
            "written anew",
            &["host.yml", "host.yml.edited"],
        );
        assert_eq!(folder.state(host).expect("readable"), State::Current);
        write(&file, &edited);
        check(
            folder.enable(host, true),
            Changed,
            "edited2",
            &["host.yml", "host.yml.edited", "host.yml.edited2"],
        );
    }

    #[test]
    fn files_of_other_versions_and_of_others_are_told_apart() {
        let place = tempfile::tempdir().expect("folder");
        let folder = Folder::at(place.path().to_path_buf());
        let host = find("host").expect("a pack");
        let file = folder.file(host);
        let mut older = with_mark(host);
        older = older.replace(host.rules, "groups: []\n");
        let number = format!("{:08x}", storage::sealed::checksum(b"groups: []\n"));
        let words: Vec<&str> = older.split(' ').collect();
        older = older.replace(words[4], &number);
        write(&file, &older);
        assert_eq!(folder.state(host).expect("readable"), State::Older);
        let change = folder.enable(host, false).expect("it works");
        assert!(
            change.text.contains("brought up to this version"),
            "{}",
            change.text
        );

        write(&file, "groups: []\n");
        for refused in [folder.enable(host, true), folder.disable(host)] {
            let error = refused.expect_err("not ours").to_string();
            assert!(error.contains("is not a file of pack host"), "{error}");
        }
    }
}
