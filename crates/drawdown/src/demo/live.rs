//! The same month through the live pipeline, on the embedded store: no Kafka, one directory.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use drawdown_stream::embedded;
use rustix::process::{Pid, Signal, kill_process};

use super::{Places, command, say, worse};
use crate::exit::{Failure, Run};

/// Longer than it could ever need for a few hundred records.
const PATIENCE: Duration = Duration::from_secs(60);

/// Imports the month, serves until it is rated, and compares the debits with those of `rate`.
pub fn run(places: &Places) -> Run {
    let live = places.dir.join("live");
    // What an earlier demonstration left would make every record of this one a duplicate.
    if live.exists() {
        std::fs::remove_dir_all(&live)?;
    }
    std::fs::create_dir_all(&live)?;
    let (config, store) = (places.of("live/drawdown.toml"), live.join("store"));
    std::fs::write(&config, configuration(&store.display().to_string(), &places.of("deck/acs-pstn.toml")))?;
    say(&[
        "The same month, live: `serve` takes files from its spool (or, with brokers configured, records from Kafka), and",
        "commits what it wrote, its state and how far it read together. What waits in the spool is rated once it runs.",
    ])?;
    let (commands, calls) = (places.of("commands.jsonl"), places.of("cdrs.jsonl"));
    let mut done = command(&["import", "--config", &config, "--commands", &commands, &calls])?;
    let server = Server::start(&config)?;
    server.wait(&store)?;
    done = worse(done, command(&["balance", "contoso", "--config", &config])?);
    server.stop()?;
    let exported = places.of("live/exported");
    done = worse(done, command(&["export", "--config", &config, "--out", &exported])?);
    compare(&places.dir)?;
    Ok(done)
}

fn configuration(store: &str, deck: &str) -> String {
    format!(
        "# Every key: `drawdown sample-config`.\n\
         [embedded]\ndirectory = {store:?}\n\n\
         # The calls are history: records move time, not the clock.\n[time]\nsource = \"records\"\n\n\
         [rating]\ndecks = [{deck:?}]\n\n[http]\nlisten = \"127.0.0.1:0\"\n\n[logging]\nlevel = \"warn\"\n"
    )
}

fn compare(dir: &Path) -> Result<(), Failure> {
    let [rated, live] =
        [dir.join("rated"), dir.join("live/exported")].map(|dir| std::fs::read(dir.join("debits.jsonl")));
    let (rated, live) = (rated?, live?);
    if rated != live {
        return Err(Failure::Fault(anyhow::anyhow!("the debits of `serve` are not those of `rate`: this is a defect")));
    }
    let mut out = io::stdout().lock();
    Ok(writeln!(out, "the {} bytes of debits are those that `rate` wrote", live.len())?)
}

/// `drawdown serve`, as a process of its own.
struct Server(Child);

impl Server {
    fn start(config: &str) -> Result<Self, Failure> {
        writeln!(io::stdout().lock(), "$ drawdown serve --config {config} &")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--config", config]).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Server(command.spawn()?))
    }

    /// Until nothing waits in the spool.
    fn wait(&self, store: &Path) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while embedded::spooled(store).0 > 0 {
            if Instant::now() > deadline {
                return Err(Failure::Fault(anyhow::anyhow!("`serve` did not rate the files in {PATIENCE:?}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// As a service manager would: SIGTERM, and it commits and ends.
    fn stop(mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.0), Signal::TERM).map_err(io::Error::from)?;
        let status = self.0.wait()?;
        if status.success() { Ok(()) } else { Err(Failure::Fault(anyhow::anyhow!("`serve` ended with {status}"))) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
