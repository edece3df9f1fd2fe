//! Programs in Python that test an HTTP API by its description, in an environment of their own under the target directory.
//!
//! Invariant: their versions are pinned here, so that a seed gives the same requests tomorrow.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::kafka::{jars, runs};

/// What is installed.
const PACKAGES: [&str; 4] =
    ["schemathesis==4.32.5", "hypothesis==6.170.17", "jsonschema-rs==0.60.3", "openapi-spec-validator==0.9.0"];

/// Whether they run here. Where they do not, it says so on stderr; under `CI=true` that is a failure.
pub fn runs_here() -> bool {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    runs("Python with schemathesis", INSTALLED.get_or_init(install).clone())
}

/// A program of theirs.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(home().join("bin").join(name));
    command.stdin(Stdio::null());
    command
}

/// The environment: another for other versions.
fn home() -> PathBuf {
    let version = PACKAGES[0].replace("==", "-");
    jars::target().join("python").join(version)
}

/// Installs what is not there yet.
///
/// # Errors
/// What is missing, in words.
fn install() -> Result<(), String> {
    let (home, mark) = (home(), home().join("installed"));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == PACKAGES.join("\n")) {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    run(program("pip").args(["install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES))?;
    fs::write(&mark, PACKAGES.join("\n")).map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{command:?}: {}\n{said}{failed}", output.status))
}
