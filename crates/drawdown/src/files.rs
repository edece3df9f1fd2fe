//! Reading the small files of a run: decks, rate plans, source profiles.

use std::path::{Path, PathBuf};

use drawdown_ledger::Plans;
use drawdown_ledger::command::{Licensing, Mode, OpenAccount};
use drawdown_rating::{Catalogue, RatePlan};
use drawdown_units::Currency;
use drawdown_wire::licences;
use drawdown_wire::source::Profile;
use drawdown_wire::source::profile::Overrides;

use crate::deck::load::load;
use crate::exit::Failure;

/// Reads decks and rate plans into a catalogue.
pub fn read_catalogue(decks: &[PathBuf], rate_plans: &[PathBuf]) -> Result<Catalogue, Failure> {
    let mut compiled = Vec::new();
    for path in decks {
        compiled.push(load(path)?.deck);
    }
    let mut plans = Vec::new();
    for path in rate_plans {
        let text = read_text(path)?;
        plans.push(RatePlan::parse(&path.display().to_string(), &text).map_err(Failure::faults)?);
    }
    Catalogue::new(compiled, plans).map_err(Failure::faults)
}

/// The name of the plan catalogue that ships with the program.
pub const TEAMS: &str = licences::TEAMS_NAME;

/// A plan catalogue by its name, or from its file.
pub fn read_plans(plans: &str) -> Result<Plans, Failure> {
    if plans == TEAMS {
        return Ok(licences::teams());
    }
    licences::parse(plans, &read_text(Path::new(plans))?).map_err(Failure::faults)
}

/// How an organisation is opened that no command opened: post-usage, and nobody is asked for licences, which no command
/// could have told of.
pub fn terms_of_unknown(currency: Currency, rate_plan: &str) -> OpenAccount {
    OpenAccount {
        currency,
        rate_plan: rate_plan.into(),
        mode: Mode::PostUsage,
        country: *b"ZZ",
        strict: false,
        licensing: Licensing::None,
    }
}

/// A source profile by its name, or from its file.
pub fn read_profile(source: &str) -> Result<Profile, Failure> {
    let (path, overrides) = Overrides::split(source).map_err(Failure::faults)?;
    if !Path::new(path).is_file() {
        return Profile::named(source).map_err(Failure::faults);
    }
    Profile::parse_with(path, &read_text(Path::new(path))?, &overrides).map_err(Failure::faults)
}

/// The text of a small file.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: cannot be read: {error}", path.display()))
}
