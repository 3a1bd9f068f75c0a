//! Every test there is: Rust, the page's units, and the page in a real browser.

use crate::{page, process};

/// Runs them in that order.
pub(crate) fn run() -> anyhow::Result<()> {
    // The integration tests and the browser use the program as it is handed out, page included.
    page::build_program()?;
    let program = process::release_program();
    let tests = ["test", "--workspace", "--locked"];
    process::run(process::command("cargo", &tests).env("BINNACLE_PROGRAM", &program))?;
    page::install_packages()?;
    let folder = process::root().join("ui");
    process::run(page::npm(&["test"]).current_dir(&folder))?;
    match chromium() {
        Some(browser) => process::run(
            page::npm(&["run", "test:browser"])
                .current_dir(&folder)
                .env("CHROMIUM", browser)
                .env("BINNACLE_PROGRAM", &program),
        ),
        None => {
            println!(
                "skipped: the page in a browser (no chromium on the PATH; on Debian: apt-get install chromium)"
            );
            Ok(())
        }
    }
}

fn chromium() -> Option<std::path::PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| process::find(name))
}
