//! Reading the small files of a run: decks, rate plans, source profiles.

use std::path::{Path, PathBuf};

use drawdown_rating::{Catalogue, Compiled, Deck, DeckText, RatePlan, rows_file_of};

use drawdown_wire::source::Profile;
use drawdown_wire::source::profile::Overrides;

use crate::exit::Failure;

/// Reads and compiles the deck whose manifest is at `path`.
pub fn read_deck(path: &Path) -> Result<Compiled, Failure> {
    let manifest = read_text(path)?;
    let rows_file = rows_file_of(&manifest).map_err(|fault| Failure::usage(format!("{}: {fault}", path.display())))?;
    let rows_path = beside(path, &rows_file);
    let rows = std::fs::read(&rows_path).map_err(|error| unreadable(&rows_path, &error))?;
    let text = DeckText {
        manifest_name: &path.display().to_string(),
        manifest: &manifest,
        rows_name: &rows_path.display().to_string(),
        rows: &rows,
    };
    Deck::compile(text).map_err(Failure::faults)
}

/// Reads decks and rate plans into a catalogue.
pub fn read_catalogue(decks: &[PathBuf], rate_plans: &[PathBuf]) -> Result<Catalogue, Failure> {
    let mut compiled = Vec::new();
    for path in decks {
        compiled.push(read_deck(path)?.deck);
    }
    let mut plans = Vec::new();
    for path in rate_plans {
        let text = read_text(path)?;
        plans.push(RatePlan::parse(&path.display().to_string(), &text).map_err(Failure::faults)?);
    }
    Catalogue::new(compiled, plans).map_err(Failure::faults)
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

fn beside(path: &Path, name: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(name)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: cannot be read: {error}", path.display()))
}
