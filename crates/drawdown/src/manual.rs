//! `drawdown completions` and `drawdown man`: what a shell and `man` need to know, made from the command line itself.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::exit::{Done, Failure, Run};

/// Print the completions of a shell
///
/// Put them where the shell looks for them, or evaluate them in its start-up file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drawdown completions bash > ~/.local/share/bash-completion/completions/drawdown
  drawdown completions zsh  > ~/.zfunc/_drawdown
  drawdown completions fish > ~/.config/fish/completions/drawdown.fish")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write manual pages, one for each command
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  drawdown man --out ~/.local/share/man/man1 && man drawdown-deck-check")]
pub struct ManArgs {
    /// The directory to write them to; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Prints completions.
pub fn completions(args: &CompletionsArgs) -> Run {
    // By way of memory, since the generator panics where its writer fails, and a pipe may.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "drawdown", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Done::Well)
}

/// Writes the pages.
pub fn man(args: &ManArgs) -> Run {
    fs::create_dir_all(&args.out)
        .map_err(|error| Failure::usage(format!("{}: cannot be made: {error}", args.out.display())))?;
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let count = write_pages(&command, &args.out)?;
    writeln!(std::io::stdout().lock(), "{count} pages in {}", args.out.display())?;
    Ok(Done::Well)
}

/// The page of a command and those of the commands below it; returns how many.
fn write_pages(command: &clap::Command, dir: &Path) -> anyhow::Result<usize> {
    let page = Man::new(command.clone()).source(concat!("drawdown ", env!("CARGO_PKG_VERSION")));
    let path = dir.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text)?;
    fs::write(&path, keep_lines(String::from_utf8(text)?)).with_context(|| path.display().to_string())?;
    let mut count = 1;
    for below in command.get_subcommands() {
        count += write_pages(below, dir)?;
    }
    Ok(count)
}

/// Exit codes, JSON and examples keep their lines, which the generator's last section would fill up like prose.
fn keep_lines(page: String) -> String {
    const TITLE: &str = ".SH EXTRA\n";
    let Some((before, section)) = page.split_once(TITLE) else { return page };
    let (lines, after) = match section.find("\n.SH ") {
        Some(end) => section.split_at(end + 1),
        None => (section, ""),
    };
    format!("{before}.SH NOTES\n.nf\n{lines}.fi\n{after}")
}
