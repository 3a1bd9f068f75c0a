//! The state database of a data folder.

use anyhow::Context as _;
use std::path::Path;
use storage::State;

/// The database's name in the data folder.
const FILE: &str = "state.sqlite";

/// Opens or makes the database of a data folder, making the folder first where it is missing.
pub(crate) fn open(data: &Path) -> anyhow::Result<State> {
    std::fs::create_dir_all(data).with_context(|| format!("data folder {}", data.display()))?;
    let file = data.join(FILE);
    State::open(&file).with_context(|| format!("state database {}", file.display()))
}
