//! A deck from its files, or everything that is wrong with them.

use std::path::{Path, PathBuf};

use drawdown_rating::{Compiled, Deck, DeckText, Fault, rows_file_of};

use crate::exit::Failure;

/// A deck and the files it came from.
#[derive(Debug)]
pub struct Loaded {
    pub deck: Deck,
    pub warnings: Vec<Fault>,
    /// The CSV.
    pub rows_file: PathBuf,
}

/// Reads a deck whose faults end the command.
pub fn load(manifest: &Path) -> Result<Loaded, Failure> {
    try_load(manifest).map_err(Failure::faults)
}

/// Reads a deck.
///
/// # Errors
/// Every fault of both files: where the rows cannot be read, those of the manifest are found all the same.
pub fn try_load(manifest: &Path) -> Result<Loaded, Vec<Fault>> {
    let name = manifest.display().to_string();
    let text = read_text(manifest, "give the path of a deck's TOML, which names the CSV of rows")
        .map_err(|fault| vec![fault])?;
    let rows_file = rows_file_of(&text).map_err(|_| faults_of_manifest(&name, &text))?;
    let rows_file = manifest.parent().unwrap_or(Path::new("")).join(rows_file);
    let rows_name = rows_file.display().to_string();
    let rows = std::fs::read(&rows_file).map_err(|error| {
        let mut faults = faults_of_manifest(&name, &text);
        let mend = format!("mend rows = \"…\" in {name}, which is relative to that file, or the file it names");
        faults.push(unreadable(&rows_name, &error, mend));
        faults
    })?;
    let deck_text = DeckText { manifest_name: &name, manifest: &text, rows_name: &rows_name, rows: &rows };
    let Compiled { deck, warnings } = Deck::compile(deck_text)?;
    Ok(Loaded { deck, warnings, rows_file })
}

/// The text of a small file; `mend` says which file is expected.
pub fn read_text(path: &Path, mend: &str) -> Result<String, Fault> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| unreadable(&name, &error, mend.to_owned()))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let newlines = valid.iter().filter(|byte| **byte == b'\n').count();
        Fault {
            file: name,
            line: u32::try_from(newlines + 1).ok(),
            column: None,
            what: "this is not UTF-8 text".to_owned(),
            mend: format!("{mend}, saved as UTF-8"),
        }
    })
}

/// What is wrong with a manifest whose rows are out of reach.
fn faults_of_manifest(name: &str, manifest: &str) -> Vec<Fault> {
    // No file has this name, so that faults of the empty rows can be told from those of the manifest.
    let rows_name = "\0";
    let text = DeckText { manifest_name: name, manifest, rows_name, rows: b"" };
    let mut faults = Deck::compile(text).err().unwrap_or_default();
    faults.retain(|fault| fault.file != rows_name);
    faults
}

fn unreadable(file: &str, error: &std::io::Error, mend: String) -> Fault {
    Fault { file: file.to_owned(), line: None, column: None, what: format!("cannot be read: {error}"), mend }
}
