//! The systemd unit, as systemd reads it. Where there is no systemd, it says so.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::path::Path;
use std::process::Command;

const INSTALLED: &str = "/usr/local/bin/drawdown";

#[test]
fn systemd_has_nothing_to_say_about_the_unit() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd/drawdown.service");
    let text = std::fs::read_to_string(unit).unwrap();
    assert!(text.contains(&format!("ExecStart={INSTALLED} serve")), "{text}");
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("drawdown.service");
    // It looks whether the program is there.
    std::fs::write(&copy, text.replace(INSTALLED, env!("CARGO_BIN_EXE_drawdown"))).unwrap();
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&copy).output() else {
        eprintln!("systemd-analyze is not installed: NOT CHECKED");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let about_us: Vec<&str> = said.lines().filter(|line| line.contains("drawdown")).collect();
    assert!(output.status.success() && about_us.is_empty(), "{said}");
}
