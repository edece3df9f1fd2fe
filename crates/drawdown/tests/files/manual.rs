//! Completions and manual pages, as the binary makes them.

use std::path::Path;

use crate::common::ran;

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = ran(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        let script = String::from_utf8_lossy(&output.stdout);
        for command in [
            "rate",
            "deck",
            "diff",
            "generate",
            "report",
            "key",
            "revoke",
            "completions",
            "account",
            "set-rate-plan",
            "funds",
            "recharge",
            "payment-method",
            "licence",
            "explain",
            "price",
            "idempotency-key",
        ] {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
    }
    assert_eq!(ran(&["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn every_command_has_a_page() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    let dir_text = dir.display().to_string();
    assert!(ran(&["man", "--out", &dir_text]).status.success());
    for page in [
        "drawdown",
        "drawdown-rate",
        "drawdown-deck",
        "drawdown-deck-check",
        "drawdown-deck-list",
        "drawdown-key-new",
        "drawdown-generate",
        "drawdown-account-open",
        "drawdown-funds-add",
        "drawdown-recharge-payment-method",
        "drawdown-licence-assign",
        "drawdown-call-explain",
        "drawdown-price",
    ] {
        let text = std::fs::read_to_string(dir.join(format!("{page}.1"))).expect(page);
        assert!(text.starts_with(".ie") && text.contains(".TH drawdown"), "{page}");
    }
    let check = std::fs::read_to_string(dir.join("drawdown-deck-check.1")).expect("the page");
    assert!(check.contains("\\-\\-strict") && check.contains(".nf\nExit code"), "{check}");
}

#[test]
fn a_directory_that_cannot_be_made_is_a_wrong_command_line() {
    let output = ran(&["man", "--out", "/dev/null/man"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/dev/null/man: cannot be made"));
}
