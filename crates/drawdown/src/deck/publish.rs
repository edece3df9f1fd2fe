//! `drawdown deck publish`: a deck version or a rate plan to every running process, whole, without a restart.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use drawdown_rating::{RatePlan, rows_file_of};
use drawdown_stream::bundle::Bundle;
use drawdown_stream::embedded;
use drawdown_stream::kafka::publish::Publisher;

use super::load::{load, read_text};
use crate::config::{Config, ConfigArgs, Log};
use crate::exit::{Done, Failure, Run};
use crate::pipeline::kafka_settings;

/// Publish decks and rate plans to every running process
///
/// Each FILE is the manifest of a deck, or a rate plan. It is checked first. A deck version is immutable: a change needs a
/// higher version. Every process takes it up between two batches; calls are priced by the version in force when they started.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown deck publish config/decks/acs-pstn.toml
  drawdown deck publish --config drawdown.toml decks/2027-01.toml plans/gold.toml")]
pub struct Args {
    /// Manifests of decks, and rate plans
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Checks everything, then publishes it.
pub fn run(args: &Args) -> Run {
    let config = Config::load(&args.config)?;
    let bundles = args.files.iter().map(|path| bundle_of(path)).collect::<Result<Vec<_>, _>>()?;
    let mut out = std::io::stdout().lock();
    match &config.log {
        Log::Embedded(log) => {
            for bundle in &bundles {
                embedded::decks::place(&log.directory, bundle)
                    .map_err(|error| Failure::Fault(anyhow::anyhow!("{}: {error}", bundle.key())))?;
                writeln!(
                    out,
                    "{}: published; a running process takes it up at once, the next one at its start",
                    bundle.key()
                )?;
            }
        }
        Log::Kafka(kafka) => {
            let publisher = Publisher::new(&kafka_settings(kafka)).map_err(|error| Failure::Fault(error.into()))?;
            for bundle in &bundles {
                publisher.bundle(bundle).map_err(|error| Failure::Fault(error.into()))?;
                writeln!(out, "{}: published", bundle.key())?;
            }
        }
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
