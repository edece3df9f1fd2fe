//! `drawdown dead-letters`: mails and calls that were given up, and sending them again.

use std::io::{self, Write as _};

use clap::{Args as ClapArgs, Subcommand};
use drawdown_connect::dead::{Channel, DeadLetters as _};
use drawdown_connect::{mail, webhook};

use super::webhooks;
use crate::config::{Config, ConfigArgs};
use crate::exit::{Done, Failure, Run};
use crate::table::{Align, Table};

/// Show or send again what mail servers and webhook endpoints did not take
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what was given up, and why
    List(Common),
    /// Send all of it again; what is taken now is forgotten
    Replay(Common),
}

#[derive(Debug, ClapArgs)]
struct Common {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Shows them, or sends them again.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::List(common) => list(&Config::load(&common.config)?),
        Command::Replay(common) => replay(&Config::load(&common.config)?),
    }
}

fn list(config: &Config) -> Run {
    let letters = super::dead_letters(config)?.all().map_err(|error| Failure::Fault(error.into()))?;
    let mut table = Table::new(&["through", "to", "id", "given up", "why"].map(|name| (name, Align::Left)));
    for letter in &letters {
        let through = if letter.channel == Channel::Mail { "mail" } else { "webhook" };
        table.row([through.to_owned(), letter.to.clone(), letter.id.clone(), letter.at.clone(), letter.error.clone()]);
    }
    let mut out = io::stdout().lock();
    if letters.is_empty() {
        writeln!(out, "nothing was given up")?
    } else {
        table.write(&mut out, "")?
    }
    Ok(Done::Well)
}

fn replay(config: &Config) -> Run {
    let dead = super::dead_letters(config)?;
    let mut sent = 0;
    if let Some(path) = &config.connect.webhooks {
        let (endpoints, client) = webhooks::read(path)?;
        let replayed = webhook::replay(dead.as_ref(), &endpoints, &client);
        sent += replayed.map_err(|error| Failure::Fault(error.into()))?.sent;
    }
    if let Some(settings) = &config.connect.mail {
        let (sender, server) = (super::mail::sender(settings)?, super::mail::server(settings)?);
        let templates = super::mail::templates(settings)?;
        let replayed = mail::replay(dead.as_ref(), &sender, &server, &templates, &|_| None);
        sent += replayed.map_err(|error| Failure::Fault(error.into()))?.sent;
    }
    let left = dead.all().map_err(|error| Failure::Fault(error.into()))?.len();
    writeln!(io::stdout().lock(), "{sent} sent again, {left} left")?;
    Ok(if left > 0 { Done::WithFindings } else { Done::Well })
}
