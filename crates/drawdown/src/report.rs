//! `drawdown report`: what was used, what became of the money, what to buy, and what is about to be lost.
//!
//! From the files that `rate` and `export` write, or straight from the log of the pipeline. The reports themselves are a library; here are their command lines and
//! what a person reads.

mod breakage;
mod funding;
pub mod input;
mod output;
mod statement;
mod usage;
mod values;

use std::io::Write as _;

use clap::{Args as ClapArgs, Subcommand};
use drawdown_report::Fault;

use crate::exit::{Done, Failure, Run};

/// Report usage, a month's statement, what to buy, and what is about to expire
///
/// From the debits and account events of `drawdown rate` or `drawdown export`, or of the pipeline where no directory is
/// given; in memory that does not grow with them. An embedded log is read as of one moment. Kafka's topics are read each
/// up to where it ends then: for a month that is not over, let the pipeline come to rest before its statement.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 done; 1 debits and events contradict each other; 2 wrong usage, or a file is not there; 3 a fault.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Usage(usage::Args),
    Statement(statement::Args),
    Funding(funding::Args),
    Breakage(breakage::Args),
}

/// Makes the report that was asked for.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::Usage(args) => usage::run(args),
        Command::Statement(args) => statement::run(args),
        Command::Funding(args) => funding::run(args),
        Command::Breakage(args) => breakage::run(args),
    }
}

/// Why there is no report, as the end of a run.
enum Ended {
    Failed(Failure),
    /// Debits and events contradict each other: a finding, not a failure of the program.
    Contradicted(Fault),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Ended::Failed(failure)
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Ended::Failed(error.into())
    }
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Inconsistent { .. } => Ended::Contradicted(fault),
            Fault::UnknownOrg { .. } | Fault::NotYet { .. } | Fault::CellTooLong { .. } => {
                Ended::Failed(Failure::usage(fault))
            }
            Fault::Read(_) | Fault::Line { .. } | Fault::Sort { .. } | Fault::Write(_) | Fault::Workbook(_) => {
                Ended::Failed(Failure::Fault(fault.into()))
            }
        }
    }
}

/// The exit of a report.
fn end(report: Result<(), Ended>) -> Run {
    match report {
        Ok(()) => Ok(Done::Well),
        Err(Ended::Failed(failure)) => Err(failure),
        Err(Ended::Contradicted(fault)) => {
            writeln!(std::io::stderr().lock(), "drawdown: {fault}")?;
            Ok(Done::WithFindings)
        }
    }
}
