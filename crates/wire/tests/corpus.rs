//! The fuzzers' corpus (`fuzz/corpus`), replayed: what a fuzzer once found stays mended, with the stable compiler.

use std::path::{Path, PathBuf};

use drawdown_wire::framing::{Chunk, Layout, Options, Reader};
use drawdown_wire::source::{Context, Profile};

fn replay(target: &str, run: impl Fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus for {target}");
    for file in files {
        run(&std::fs::read(&file).expect("readable"));
    }
}

fn context() -> Context<'static> {
    Context { org: Some("o"), ..Context::default() }
}

#[test]
fn native() {
    replay("native", |bytes| drop(drawdown_wire::native::decode(bytes, &context())));
}

#[test]
fn source_json() {
    let profiles = ["freeswitch-json,region=DE", "twilio,region=US"].map(|name| Profile::named(name).expect("shipped"));
    replay("source_json", |bytes| {
        for profile in &profiles {
            drop(profile.decode(bytes, None, &context()));
        }
    });
}

#[test]
fn source_csv() {
    let names = ["asterisk-csv", "freeswitch-csv", "teams-export", "excel-teams", "cucm"];
    let profiles = names.map(|name| Profile::named(&format!("{name},zone=Europe/Berlin,region=DE")).expect("shipped"));
    replay("source_csv", |bytes| {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let (first, rest) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
        for profile in &profiles {
            match profile.header("corpus", &[first.to_vec()]) {
                Ok(Some(header)) => drop(profile.decode(rest, Some(&header), &context())),
                Ok(None) => drop(profile.decode(first, None, &context())),
                Err(_) => {}
            }
        }
    });
}

#[test]
fn profile() {
    replay("profile", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        drop(Profile::parse("corpus", &text));
        drop(Profile::named(&text));
    });
}

#[test]
fn framing() {
    replay("framing", |bytes| {
        let Some((cut, bytes)) = bytes.split_first() else { return };
        for layout in [Layout::Lines { header_lines: 1 }, Layout::Json { items: vec!["value".into()] }] {
            let chunk_bytes = 1 + usize::from(*cut);
            let options = Options { chunk_bytes, max_record_bytes: 100, ..Options::new(layout) };
            let input = std::io::Cursor::new(bytes.to_vec());
            let Ok(mut reader) = Reader::new(input, "corpus", options) else { return };
            let mut chunk = Chunk::new();
            while let Ok(true) = reader.next_chunk(&mut chunk) {
                assert!(chunk.iter().all(|(frame, record)| frame.line > 0 && record.len() == frame.range.len()));
            }
        }
    });
}

#[test]
fn command() {
    replay("command", |bytes| drop(drawdown_wire::command::decode(bytes)));
}

/// What was saved is restored or refused, whatever it says.
#[test]
fn account() {
    let rules = drawdown_ledger::Rules::default();
    replay("account", |bytes| {
        if let Ok(opening) = drawdown_wire::account::read(bytes) {
            drop(drawdown_ledger::Account::restore(opening, &rules));
        }
    });
}

/// A manifest, a zero byte, rows.
#[test]
fn deck() {
    replay("deck", |bytes| {
        let mut parts = bytes.splitn(2, |byte| *byte == 0);
        let (manifest, rows) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if let Ok(manifest) = std::str::from_utf8(manifest) {
            let text = drawdown_rating::DeckText { manifest_name: "m.toml", manifest, rows_name: "r.csv", rows };
            drop(drawdown_rating::Deck::compile(text));
        }
    });
}
