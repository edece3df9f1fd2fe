//! The pure crates are pure: no runtime, broker, clock, randomness or logging anywhere in their dependencies, and no
//! floating point, clock or environment in their own code.

use std::path::{Path, PathBuf};
use std::process::Command;

const PURE: [&str; 3] = ["units", "rating", "ledger"];

/// Crates that read a clock, draw random numbers, log, or do I/O for a living.
const FORBIDDEN_CRATES: [&str; 18] = [
    "tokio",
    "async-std",
    "smol",
    "rdkafka",
    "log",
    "tracing",
    "tracing-core",
    "slog",
    "env_logger",
    "rand",
    "rand_core",
    "getrandom",
    "fastrand",
    "chrono",
    "time",
    "rust_decimal",
    "reqwest",
    "mio",
];

/// What may not stand in the code of a pure crate.
const FORBIDDEN_WORDS: [&str; 12] = [
    "f32",
    "f64",
    "SystemTime",
    "Instant",
    "std::env",
    "env!(",
    "std::net",
    "std::fs",
    "println!",
    "eprintln!",
    "thread",
    "Zoned::now",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cargo_tree(package: &str, more: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--package", package])
        .args(more)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo tree prints UTF-8")
}

#[test]
fn their_dependencies_know_no_clock_no_chance_and_no_log() {
    for pure in PURE {
        let tree = cargo_tree(&format!("drawdown-{pure}"), &[]);
        assert!(tree.lines().count() >= 1, "the tree of {pure} is empty");
        for line in tree.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(!FORBIDDEN_CRATES.contains(&name), "{pure} depends on {name}");
        }
    }
}

/// jiff reads the clock only with its `std` feature.
#[test]
fn their_calendar_is_built_without_a_clock() {
    let features = cargo_tree("drawdown-rating", &["--format", "{p} {f}"]);
    let jiff = features.lines().find(|line| line.starts_with("jiff v")).expect("rating uses jiff");
    let enabled = jiff.rsplit(' ').next().unwrap_or_default();
    assert!(enabled.split(',').any(|feature| feature == "tzdb-bundle-always"), "{jiff}");
    assert!(enabled.split(',').all(|feature| feature != "std"), "{jiff}");
}

#[test]
fn their_code_has_no_floating_point_and_no_world_in_it() {
    let mut seen = 0;
    for pure in PURE {
        for file in rust_files(&root().join("crates").join(pure).join("src")) {
            let name = file.display().to_string();
            if name.contains("tests") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a source file is readable");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
                for word in FORBIDDEN_WORDS {
                    assert!(!holds_word(line, word), "{name}:{}: {word}: {line}", number + 1);
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} files were looked at");
}

fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_part = |neighbour: Option<char>| neighbour.is_some_and(|it| it.is_alphanumeric() || it == '_');
        !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next())
    })
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a source directory is readable");
    let paths = entries.map(|entry| entry.expect("an entry is readable").path());
    paths
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
