//! `drawdown sandbox`: a payment gateway that only pretends, for trying things out.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args as ClapArgs;
use drawdown_connect::payment::sandbox::{CARDS, Sandbox, Settings};
use drawdown_connect::secret::Secret;

use crate::exit::{Done, Failure, Run};

/// Run a payment gateway that only pretends: cards by name, charges counted, no money moved
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  drawdown sandbox --listen 127.0.0.1:9480
  drawdown serve --set payment.provider=http --set payment.url=http://127.0.0.1:9480 --set payment.secret=sandbox")]
pub struct Args {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9480")]
    listen: SocketAddr,
}

/// What requests are signed with: no secret, since nothing is behind it.
const SECRET: &str = "sandbox";

/// Runs it until it is told to stop.
pub fn run(args: &Args) -> Run {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let settings =
        Settings { listen: args.listen, secret: Secret::new(SECRET), failures: 1, slowness: Duration::from_secs(20) };
    let sandbox = Sandbox::start(settings)
        .map_err(|error| Failure::usage(format!("{}: {error}; give another address", args.listen)))?;
    let mut out = io::stdout().lock();
    writeln!(out, "a gateway that only pretends, at {}; requests are signed with {SECRET:?}", sandbox.url())?;
    for (card, what) in CARDS {
        writeln!(out, "  {card:<14}{what}")?;
    }
    out.flush()?;
    let mut seen = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        for recharge in sandbox.paid() {
            if !seen.contains(&recharge) {
                writeln!(out, "paid: {recharge}")?;
                seen.insert(recharge);
            }
        }
        out.flush()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(Done::Well)
}
