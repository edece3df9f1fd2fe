//! A process that dies with the one that started it, however that ends.
//!
//! A shell stands between: it holds the reading end of a pipe of which only we hold the writing end. A line written asks
//! the process to end, the end of the pipe kills it. The kernel closes our end when we die, so no handler has to run.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// `$@` is the command. The watcher outlives the shell if that is killed alone.
const SCRIPT: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
guarded=$!
( while read -r _; do kill -TERM $guarded; done; kill -KILL $guarded ) >/dev/null 2>&1 <&3 &
watcher=$!
wait $guarded
status=$?
kill $watcher
exit $status
"#;

/// A running process.
#[derive(Debug)]
pub struct Guarded {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Guarded {
    /// Starts `command`; what it writes goes to `output`.
    pub fn start(command: &[OsString], output: &File) -> std::io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "guarded"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Guarded { shell, pipe })
    }

    /// Whether it ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.shell.try_wait(), Ok(None))
    }

    /// Asks it to end, and waits until it did.
    pub fn end(&mut self, patience: Duration) -> Result<(), String> {
        if let Some(pipe) = &mut self.pipe {
            // A broken pipe says that it ended already.
            let _ = pipe.write_all(b"end\n");
        }
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            if Instant::now() > deadline {
                self.kill();
                return Err(format!("was asked to end and did not within {patience:?}, so it was killed"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.pipe = None;
        // An error says that there is nothing to wait for.
        let _ = self.shell.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill();
    }
}
