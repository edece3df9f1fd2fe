//! `drawdown tail`: what the pipeline wrote, as it is committed.

use std::io::{self, Write as _};

use clap::{Args as ClapArgs, ValueEnum};
use drawdown_engine::log::Output;
use drawdown_wire::account;

use crate::config::{Config, ConfigArgs};
use crate::exit::{Done, Failure, Run};
use crate::export::{account_line, call_line, user_line};
use crate::outputs;

/// Show committed debits, account events, rejects or states, one line of JSON each
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown tail debits --follow
  drawdown tail events --org contoso | jq -r '.type'
  drawdown tail rejects | jq -r '.reason' | sort | uniq -c")]
pub struct Args {
    /// What to show
    what: What,
    /// Only what is of this organisation
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// Show what comes from now on, until interrupted, instead of what is there
    #[arg(long, short)]
    follow: bool,
    /// With --follow: show what is there first
    #[arg(long, requires = "follow")]
    from_beginning: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Debits,
    Events,
    Rejects,
    Accounts,
}

impl What {
    fn output(self) -> Output {
        match self {
            What::Debits => Output::Debits,
            What::Events => Output::Events,
            What::Rejects => Output::Rejects,
            What::Accounts => Output::Accounts,
        }
    }
}

/// Shows what is asked for.
pub fn run(args: &Args) -> Run {
    let config = Config::load(&args.config)?;
    let output = args.what.output();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut show = |key: &[u8], value: &[u8]| -> Result<(), Failure> {
        if args.org.as_deref().is_some_and(|org| org.as_bytes() != account::org_of_key(key)) {
            return Ok(());
        }
        match args.what {
            // A call that has ended.
            What::Accounts if value.is_empty() => {}
            What::Accounts if account::is_call(value) => out.write_all(&call_line(value)?)?,
            What::Accounts if account::is_user(value) => out.write_all(&user_line(value)?)?,
            What::Accounts => out.write_all(&account_line(value)?)?,
            What::Debits | What::Events | What::Rejects => {
                out.write_all(value)?;
                out.write_all(b"\n")?;
            }
        }
        if args.follow {
            out.flush()?;
        }
        Ok(())
    };
    if args.follow {
        outputs::follow(&config, output, args.from_beginning, &mut show)?;
    } else {
        outputs::read_all(&config, output, &mut show)?;
    }
    out.flush()?;
    Ok(Done::Well)
}
