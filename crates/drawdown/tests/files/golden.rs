//! The wire as version 1 has it, byte for byte: what the demonstration's inputs give, kept. A change here is a change of
//! what billing reads, and takes a new version beside these files, which stay readable.

use std::path::Path;
use std::process::Command;

#[test]
fn version_1_is_written_as_it_was() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden-v1");
    let output = Command::new(env!("CARGO_BIN_EXE_drawdown"))
        .current_dir(package.join("../../config/demo"))
        .args(["rate", "--deck", "../decks/acs-pstn.toml", "--commands", "commands.jsonl"])
        .args(["--until", "2026-04-01T00:00:00Z", "cdrs.jsonl", "--out"])
        .arg(&out)
        .output()
        .expect("drawdown runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["debits", "account-events", "rejects", "accounts"] {
        let read = |directory: &Path| {
            let path = directory.join(format!("{name}.jsonl"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let (golden, written) = (read(&package.join("tests/files/golden/v1")), read(&out));
        for (number, (golden, written)) in golden.lines().zip(written.lines()).enumerate() {
            assert_eq!(written, golden, "{name}.jsonl:{}", number + 1);
        }
        assert_eq!(written.lines().count(), golden.lines().count(), "{name}.jsonl");
    }
}
