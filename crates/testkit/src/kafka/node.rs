//! One node: a JVM, its configuration, and its data.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::config::Plan;
use super::guarded::Guarded;
use super::{PASSWORD, USER, jars};

/// How long a JVM may take to start or to stop, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// All nodes are formatted with one cluster id: 16 bytes in base 64.
const CLUSTER_ID: &str = "ZHJhd2Rvd24tdGVzdHMxMQ";

/// What it logs once it takes connections.
const READY: &str = "Kafka Server started";

/// Where Java is.
pub fn java() -> Result<OsString, String> {
    if jars::on_path("java") { Ok("java".into()) } else { Err("java is not on the PATH".to_owned()) }
}

/// A directory for a cluster's data, which goes with it. Those of killed processes are cleared away.
pub fn data_directory() -> Result<TempDir, String> {
    let parent = jars::store().join("data");
    let say = |error: std::io::Error| format!("cannot write to {}: {error}", parent.display());
    fs::create_dir_all(&parent).map_err(say)?;
    for entry in fs::read_dir(&parent).map_err(say)?.flatten() {
        let name = entry.file_name();
        let owner = name.to_string_lossy().split('-').next().and_then(|id| id.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists()) {
            // Someone else may clear it away at the same time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{}-", process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(&parent).map_err(say)
}

/// A node, running or not.
#[derive(Debug)]
pub struct Node {
    plan: Plan,
    command: Vec<OsString>,
    process: Option<Guarded>,
    /// How long its log was before it was started last.
    logged_before: usize,
}

impl Node {
    /// Writes its configuration and formats its storage.
    pub fn prepare(plan: Plan, jars: &Path, version: &str) -> Result<Self, String> {
        let say = |error: std::io::Error| format!("cannot write to {}: {error}", plan.directory.display());
        fs::create_dir_all(&plan.directory).map_err(say)?;
        fs::write(plan.properties_file(), &plan.properties).map_err(say)?;
        let mut format = virtual_machine(jars, version)?;
        format.extend(
            ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c"].map(Into::into),
        );
        format.push(plan.properties_file().into());
        if plan.is_secure {
            format.push("--add-scram".into());
            format.push(format!("SCRAM-SHA-256=[name={USER},password={PASSWORD}]").into());
        }
        let output = Command::new(&format[0]).args(&format[1..]).output().map_err(say)?;
        if !output.status.success() {
            return Err(format!("cannot format storage: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let mut command = virtual_machine(jars, version)?;
        command.extend(["kafka.Kafka".into(), plan.properties_file().into()]);
        Ok(Node { plan, command, process: None, logged_before: 0 })
    }

    /// What it is.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Starts it.
    pub fn launch(&mut self) -> Result<(), String> {
        let path = self.plan.log_file();
        let say = |error: std::io::Error| format!("cannot write to {}: {error}", path.display());
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(say)?;
        self.logged_before = length(&log);
        let process = Guarded::start(&self.command, &log).map_err(|error| format!("java does not start: {error}"))?;
        self.process = Some(process);
        Ok(())
    }

    /// Waits until it takes connections.
    pub fn wait_until_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = fs::read(self.plan.log_file()).unwrap_or_default();
            let log = String::from_utf8_lossy(log.get(self.logged_before..).unwrap_or_default());
            if log.contains(READY) {
                return Ok(());
            }
            let has_ended = self.process.as_mut().is_none_or(Guarded::has_ended);
            if has_ended || Instant::now() > deadline {
                let how = if has_ended { "ended" } else { "is not ready in time" };
                let tail: Vec<_> = log.lines().rev().take(40).collect();
                return Err(format!(
                    "node {} {how}:\n{}",
                    self.plan.id,
                    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
                ));
            }
            thread::sleep(Duration::from_millis(25));
        }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Ends it in good order.
    pub fn stop(&mut self) -> Result<(), String> {
        match self.process.take() {
            Some(mut process) => process.end(PATIENCE).map_err(|how| format!("node {} {how}", self.plan.id)),
            None => Ok(()),
        }
    }
}

fn length(file: &File) -> usize {
    file.metadata().map_or(0, |metadata| metadata.len() as usize)
}

/// The beginning of a command line: a small virtual machine that finds the broker and logs.
fn virtual_machine(jars: &Path, version: &str) -> Result<Vec<OsString>, String> {
    let logging: (&str, PathBuf) = if jars::is_before_4(version) {
        ("-Dlog4j.configuration=file:", jars::recipe().join("log4j.properties"))
    } else {
        ("-Dlog4j2.configurationFile=", jars::recipe().join("log4j2.properties"))
    };
    let mut class_path = OsString::from(jars);
    class_path.push("/*");
    let mut option = OsString::from(logging.0);
    option.push(logging.1);
    Ok(vec![java()?, "-Xms256m".into(), "-Xmx512m".into(), option, "-cp".into(), class_path])
}
