//! What these tests share: the program, and directories of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program under test.
pub fn drawdown() -> Command {
    Command::new(env!("CARGO_BIN_EXE_drawdown"))
}

/// What came of a command line.
pub fn ran(args: &[&str]) -> Output {
    drawdown().args(args).output().expect("the binary runs")
}

/// An empty directory for the test `name` of a module.
pub fn directory(module: &str, name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(module).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory for the test");
    directory
}
