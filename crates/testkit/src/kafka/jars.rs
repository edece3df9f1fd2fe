//! The broker itself: fetched once by Maven, by the pom in `deploy/kafka`.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version to test against: `DRAWDOWN_TEST_KAFKA`, or the main target.
pub fn version() -> String {
    env::var("DRAWDOWN_TEST_KAFKA").unwrap_or_else(|_| "3.9.1".to_owned())
}

/// Kafka 4 logs by log4j 2.
pub fn is_before_4(version: &str) -> bool {
    version.starts_with('3')
}

/// `deploy/kafka` of this repository.
pub fn recipe() -> PathBuf {
    root().join("deploy/kafka")
}

/// This repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where everything that can be thrown away is kept.
pub fn store() -> PathBuf {
    target().join("kafka")
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Whether the jars are there or can be fetched.
pub fn available() -> Result<(), String> {
    if libs(&version()).is_dir() || on_path("mvn") {
        return Ok(());
    }
    Err("mvn (Maven) is not on the PATH, and the broker was not fetched before".to_owned())
}

/// Whether a program is found on the PATH.
pub fn on_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}

fn libs(version: &str) -> PathBuf {
    store().join(version).join("libs")
}

/// The directory with the broker's jars.
pub fn fetch(version: &str) -> Result<PathBuf, String> {
    let libs = libs(version);
    let profile = if is_before_4(version) { "log4j1" } else { "log4j2" };
    let options = [format!("-Dkafka.version={version}"), "--activate-profiles".to_owned(), profile.to_owned()];
    fetch_into(&libs, &recipe(), &options)?;
    Ok(libs)
}

/// Fetches what the pom in `recipe` asks for, unless `libs` is there. Two that ask at once fetch once: a lock is held
/// meanwhile.
pub fn fetch_into(libs: &Path, recipe: &Path, options: &[String]) -> Result<(), String> {
    if libs.is_dir() {
        return Ok(());
    }
    let parent = libs.parent().ok_or_else(|| format!("{} is no place for jars", libs.display()))?;
    let say = |what: &str, error: std::io::Error| format!("{what} {}: {error}", parent.display());
    fs::create_dir_all(parent).map_err(|error| say("cannot create", error))?;
    let _lock = lock(&parent.join("lock"))?;
    if libs.is_dir() {
        return Ok(());
    }
    let partial = tempfile::tempdir_in(parent).map_err(|error| say("cannot write to", error))?;
    maven(recipe, options, partial.path())?;
    fs::rename(partial.keep(), libs).map_err(|error| say("cannot rename within", error))
}

/// Held until it is dropped.
pub fn lock(path: &Path) -> Result<File, String> {
    let file = File::create(path).map_err(|error| format!("cannot create {}: {error}", path.display()))?;
    file.lock().map_err(|error| format!("cannot lock {}: {error}", path.display()))?;
    Ok(file)
}

fn maven(recipe: &Path, options: &[String], into: &Path) -> Result<(), String> {
    let output = Command::new("mvn")
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(recipe.join("pom.xml"))
        .args(options)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", into.display()))
        .output()
        .map_err(|error| format!("mvn does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(format!("mvn cannot fetch what {} asks for: {said}", recipe.display()))
}
