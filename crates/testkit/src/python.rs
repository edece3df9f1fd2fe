//! Programs in Python that tests run, each kind in an environment of its own under the target directory.
//!
//! Invariant: their versions are pinned here, so that a seed gives the same requests tomorrow.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::kafka::{jars, runs};

/// What tests an HTTP API by its description.
pub static API_TESTS: Environment = Environment::of(&[
    "schemathesis==4.32.5",
    "hypothesis==6.170.17",
    "jsonschema-rs==0.60.3",
    "openapi-spec-validator==0.9.0",
]);

/// A mail server with STARTTLS.
pub static SMTP: Environment = Environment::of(&["aiosmtpd==1.4.6"]);

/// Packages that are installed together.
#[derive(Debug)]
pub struct Environment {
    /// The first gives the environment its name.
    packages: &'static [&'static str],
    installed: OnceLock<Result<(), String>>,
}

impl Environment {
    const fn of(packages: &'static [&'static str]) -> Self {
        Environment { packages, installed: OnceLock::new() }
    }

    /// Whether it runs here. Where it does not, it says so on stderr; under `CI=true` that is a failure.
    pub fn runs_here(&self) -> bool {
        let what = format!("Python with {}", self.packages[0]);
        runs(&what, self.installed.get_or_init(|| self.install()).clone())
    }

    /// A program of it.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        command.stdin(Stdio::null());
        command
    }

    /// Where a program of it is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join("bin").join(name)
    }

    /// Another for other versions.
    fn home(&self) -> PathBuf {
        jars::target().join("python").join(self.packages[0].replace("==", "-"))
    }

    /// Installs what is not there yet.
    ///
    /// # Errors
    /// What is missing, in words.
    fn install(&self) -> Result<(), String> {
        let (home, mark) = (self.home(), self.home().join("installed"));
        let packages = self.packages.join("\n");
        if fs::read_to_string(&mark).is_ok_and(|installed| installed == packages) {
            return Ok(());
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        run(self.program("pip").args(["install", "--quiet", "--disable-pip-version-check"]).args(self.packages))?;
        fs::write(&mark, packages).map_err(|error| error.to_string())
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{command:?}: {}\n{said}{failed}", output.status))
}
