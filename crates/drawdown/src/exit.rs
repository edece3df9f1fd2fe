//! How a run ends: the exit codes, and what a person reads when it does not end well.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use drawdown_rating::Fault;

/// A run that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Everything was done: exit code 0.
    Well,
    /// Done, but records were rejected (with `--strict`), or a check found differences: exit code 1.
    WithFindings,
}

/// A run that could not go on.
#[derive(Debug)]
pub enum Failure {
    /// The command line or a configuration file is wrong: exit code 2.
    Usage(Vec<String>),
    /// Something broke: exit code 3.
    Fault(anyhow::Error),
}

/// What every command returns.
pub type Run = Result<Done, Failure>;

impl Failure {
    /// One thing that is wrong with what was asked.
    pub fn usage(what: impl fmt::Display) -> Self {
        Failure::Usage(vec![what.to_string()])
    }

    /// Everything that is wrong with a file.
    pub fn faults(faults: Vec<Fault>) -> Self {
        Failure::Usage(faults.iter().map(ToString::to_string).collect())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Fault(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Fault(error.into())
    }
}

/// Says what went wrong on standard error and turns the outcome into an exit code.
pub fn report(run: Run) -> ExitCode {
    let mut stderr = std::io::stderr().lock();
    match run {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::WithFindings) => ExitCode::from(1),
        Err(Failure::Usage(messages)) => {
            for message in messages {
                let _ = writeln!(stderr, "drawdown: {message}");
            }
            ExitCode::from(2)
        }
        // Whoever reads our output has gone: nothing to say and nobody to say it to.
        Err(Failure::Fault(error)) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(Failure::Fault(error)) => {
            let _ = writeln!(stderr, "drawdown: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
