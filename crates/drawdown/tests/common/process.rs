//! One process of the pipeline, as an operator would start it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The program under test.
pub fn drawdown() -> Command {
    Command::new(env!("CARGO_BIN_EXE_drawdown"))
}

/// Runs a command to its end and returns what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}{stderr}");
    stdout.into_owned()
}

/// A running `drawdown serve`.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub fn start(config: &Path, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        let mut command = drawdown();
        command.arg("serve").arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Process { child: command.spawn().expect("the program starts"), log: log.to_owned() }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process can be signalled");
    }

    pub fn kill_9(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("it ends");
    }

    #[allow(dead_code, reason = "only one kind of chaos needs it")]
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    #[allow(dead_code, reason = "as for freeze")]
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to stop, and sees that it does within the 5 s that it promises (and some, for a busy machine).
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                assert!(status.success(), "{status}; see {}", self.log.display());
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        panic!("it did not stop; see {}", self.log.display());
    }

    /// Whether it still runs: nothing but the test may end it.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
