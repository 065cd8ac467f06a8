//! Puts the built dashboard where the binary embeds it from, or a placeholder page when it was not built.
//!
//! It never calls Node: `bin/dashboard` does. A release binary with the placeholder would be a broken product, so
//! that build fails.

#![expect(clippy::disallowed_methods, reason = "cargo hands a build script its settings in the environment")]

use std::{env, fs, io, path::Path};

const PLACEHOLDER: &str = "<!doctype html><meta charset=utf-8><title>Trunkline</title>\
<p>This binary was built without the dashboard. Run <code>bin/dashboard</code> and build again.";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=dashboard-spa/dist");
    println!("cargo:rerun-if-changed=build.rs");
    let (dist, out) = (Path::new("dashboard-spa/dist"), env::var("OUT_DIR").unwrap_or_default());
    let embedded = Path::new(&out).join("dashboard");
    if embedded.exists() {
        fs::remove_dir_all(&embedded)?;
    }
    if dist.join("index.html").exists() {
        return copy(dist, &embedded);
    }
    assert!(
        env::var("PROFILE").as_deref() != Ok("release"),
        "the dashboard is not built: run bin/dashboard before a release build"
    );
    println!("cargo:warning=the dashboard is not built, a placeholder page is embedded; run bin/dashboard");
    fs::create_dir_all(&embedded)?;
    fs::write(embedded.join("index.html"), PLACEHOLDER)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
