//! `drawdown deck publish`: a deck version or a rate plan to every running process, whole, without a restart. Onto the log,
//! or, where a server is named, through its API, which says at once whether it is in force.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use drawdown_rating::{RatePlan, rows_file_of};
use drawdown_stream::bundle::Bundle;
use serde_json::json;

use super::load::{load, read_text};
use super::log;
use crate::client::{Client, ServerArgs, print_json, read};
use crate::config::{Config, ConfigArgs};
use crate::exit::{Done, Failure, Run};

/// Publish decks and rate plans to every running process
///
/// Each FILE is the manifest of a deck, or a rate plan. It is checked first. A deck version is immutable, and a withdrawn one
/// does not come back: a change needs a higher version. Every process takes it up between two batches; calls are priced by
/// the version in force when they started. Where a server is named (--url, DRAWDOWN_URL) it is asked to publish, and says
/// whether it is in force or why it is not.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown deck publish config/decks/acs-pstn.toml
  drawdown deck publish --config drawdown.toml decks/2027-01.toml plans/gold.toml
  drawdown deck publish --url https://drawdown.example:9464 --key-file key decks/2027-01.toml")]
pub struct Args {
    /// Manifests of decks, and rate plans
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the JSON of the API, one object a file, where a server is asked
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Checks everything, then publishes it.
pub fn run(args: &Args) -> Run {
    let bundles = args.files.iter().map(|path| bundle_of(path)).collect::<Result<Vec<_>, _>>()?;
    if args.server.is_named() { ask(args, &bundles) } else { place(&args.server.config, &bundles) }
}

/// Asks a server to publish them, one after the other.
fn ask(args: &Args, bundles: &[Bundle]) -> Run {
    let client = Client::new(&args.server)?;
    let mut out = std::io::stdout().lock();
    for bundle in bundles {
        let fields = match bundle {
            Bundle::Deck { manifest, rows, .. } => json!({"manifest": manifest, "rows": rows}),
            Bundle::RatePlan { text, .. } => json!({"manifest": text}),
            Bundle::Withdrawal { .. } => unreachable!("invariant: no file holds a withdrawal"),
        };
        let published = client.publish(&fields).map_err(|failure| of_bundle(failure, &bundle.key()))?;
        if args.json {
            print_json(&published, &mut out)?;
        } else if read(&published)?["inForce"] == true {
            writeln!(out, "{}: in force", bundle.key())?;
        } else {
            writeln!(out, "{}: published, not in force yet; `drawdown deck list` shows when it is", bundle.key())?;
        }
    }
    Ok(Done::Well)
}

/// Which of several it is that was not published.
fn of_bundle(failure: Failure, key: &str) -> Failure {
    match failure {
        Failure::Usage(lines) => Failure::Usage(lines.iter().map(|line| format!("{key}: {line}")).collect()),
        Failure::Fault(error) => Failure::Fault(error.context(key.to_owned())),
    }
}

/// Puts them where the processes look for them, if nothing that stands there speaks against it.
fn place(config: &ConfigArgs, bundles: &[Bundle]) -> Run {
    log::put(&Config::load(config)?, bundles)?;
    let mut out = std::io::stdout().lock();
    for bundle in bundles {
        writeln!(out, "{}: published; {}", bundle.key(), log::FROM_WHEN)?;
    }
    Ok(Done::Well)
}

/// A deck or a rate plan, checked by itself, with the texts of its files.
pub fn bundle_of(path: &Path) -> Result<Bundle, Failure> {
    let name = path.display().to_string();
    let text =
        read_text(path, "give the manifest of a deck, or a rate plan").map_err(|it| Failure::faults(vec![it]))?;
    if rows_file_of(&text).is_err() && text.contains("[products]") {
        let plan = RatePlan::parse(&name, &text).map_err(Failure::faults)?;
        return Ok(Bundle::RatePlan { id: plan.id, file_name: name, text });
    }
    let loaded = load(path)?;
    let rows_name = loaded.rows_file.display().to_string();
    let rows = read_text(&loaded.rows_file, "save the rows").map_err(|fault| Failure::faults(vec![fault]))?;
    Ok(Bundle::Deck {
        id: loaded.deck.id().to_owned(),
        version: loaded.deck.version(),
        manifest_name: name,
        manifest: text,
        rows_name,
        rows,
    })
}
