//! Hands the built page to the program: copies `ui/dist` to where the source includes it from, or leaves an
//! empty folder where the page was not built. So `cargo build` alone works without Node.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("page");
    let dist = here.join("../../ui/dist");
    println!(
        "cargo::rerun-if-changed={}",
        dist.join(".sources").display()
    );
    println!("cargo::rerun-if-changed=build.rs");
    if out.is_dir() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    if dist.is_dir() {
        copy(&dist, &out)
    } else {
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_name() != ".sources" {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
