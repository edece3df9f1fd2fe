//! `drawdown report usage`: one row for each call.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use drawdown_report::Sorter;
use drawdown_report::usage::{self, Revisions, Rows, SHEET_ROWS_MAX, Selection, Summary};
use drawdown_units::Timestamp;

use super::input::open_debits;
use super::output::Output;
use super::{Ended, end};
use crate::arguments::parse_time;
use crate::config::ConfigArgs;
use crate::exit::{Failure, Run};
use crate::table::counted;

/// Report every call of an organisation, in the 20 columns of the Teams PSTN usage export
///
/// Rows are in order of start and id; which calls is decided by their start. A call that was corrected has the row of its
/// latest revision, one that was voided has none; with --all-revisions each debit has a row, reversals with a negative
/// charge. Numbers of the other party lose their last digits by the tenant's country. Charges are shown to the cent; the
/// exact sum, the sum of the lines and their difference are printed with it: to standard error while the report goes to
/// standard output.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
CSV is RFC 4180 with CRLF, in UTF-8. A text that a spreadsheet would take for a formula (it begins with = @ + or -, and is
no number) has an apostrophe in front; a workbook has texts as they are.

JSON (--json): the summary as one object
  {\"rows\", \"corrected\", \"reversalsAlone\", \"money\": [{\"currency\", \"exact\", \"rounded\", \"difference\", \"unlicensed\"}]}

Examples:
  drawdown report usage out --org contoso --from 2026-03-01 --to 2026-04-01 > march.csv
  drawdown report usage out --org contoso --from 2026-03-01 --to 2026-04-01 --out march.xlsx --json")]
pub struct Args {
    /// The directory of debits.jsonl (or .gz, .zst), or a file of debits; `-` is standard input; without it, what the
    /// pipeline wrote
    #[arg(value_name = "DIR|FILE")]
    input: Option<PathBuf>,
    /// The organisation
    #[arg(long, value_name = "ID")]
    org: String,
    /// Calls that started at this time or later: RFC 3339, or a day
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Timestamp,
    /// … and before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Timestamp,
    /// How it is written; by the name of --out, unless given
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The file to write; standard output, unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Every revision of a call, and what took it back
    #[arg(long)]
    all_revisions: bool,
    /// The tenant's country, for calls whose record names none
    #[arg(long, value_name = "COUNTRY")]
    tenant_country: Option<String>,
    /// Where rows are sorted, if there are many
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    temp: PathBuf,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Xlsx,
}

/// Writes the report.
pub fn run(args: &Args) -> Run {
    end(report(args))
}

fn report(args: &Args) -> Result<(), Ended> {
    let format = args.format.unwrap_or_else(|| format_of(args.out.as_deref()));
    if args.from >= args.to {
        return Err(Failure::usage(format!("--from {} is not before --to {}", args.from, args.to)).into());
    }
    let selection = Selection {
        org: args.org.clone(),
        from: args.from,
        to: args.to,
        revisions: if args.all_revisions { Revisions::All } else { Revisions::Standing },
        tenant_country: args.tenant_country.clone(),
    };
    let sorter = Sorter::new(args.temp.clone(), Sorter::MEMORY_BYTES_MAX);
    match (&args.out, format) {
        (None, Format::Xlsx) => Err(Failure::usage("a workbook needs a file: give --out FILE").into()),
        (None, Format::Csv) => {
            let mut rows = usage::collect(&mut open_debits(args.input.as_deref(), &args.config)?, &selection, sorter)?;
            let summary = usage::write_csv(&mut rows, io::stdout().lock())?;
            Ok(print(&summary, args.json, &mut io::stderr().lock())?)
        }
        (Some(path), format) => {
            let mut output = Output::create(path)?;
            let mut rows = usage::collect(&mut open_debits(args.input.as_deref(), &args.config)?, &selection, sorter)?;
            let summary = write(&mut rows, &mut output, format, &args.temp)?;
            output.finish()?;
            Ok(print(&summary, args.json, &mut io::stdout().lock())?)
        }
    }
}

fn write(rows: &mut Rows, output: &mut Output, format: Format, temp: &Path) -> Result<Summary, Ended> {
    Ok(match format {
        Format::Csv => usage::write_csv(rows, output)?,
        Format::Xlsx => usage::write_xlsx(rows, output, SHEET_ROWS_MAX, temp)?,
    })
}

fn format_of(out: Option<&Path>) -> Format {
    let is_workbook = out.and_then(Path::extension).is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    if is_workbook { Format::Xlsx } else { Format::Csv }
}

fn print(summary: &Summary, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        return writeln!(out, "{}", summary.json());
    }
    write!(out, "{}", counted(summary.rows, "row"))?;
    for (currency, money) in &summary.money {
        let (exact, rounded, difference) = (money.exact, money.rounded, money.difference());
        write!(out, "; charges {exact} {currency} exactly, {rounded} by the lines, {difference} more")?;
        if !money.unlicensed.is_zero() {
            write!(out, "; not in them: {} unlicensed", money.unlicensed)?;
        }
    }
    writeln!(out)?;
    if summary.reversals_alone > 0 {
        let reversals = counted(summary.reversals_alone, "reversal");
        writeln!(out, "{reversals} of debits that are not among the lines: this is not all of the log")?;
    }
    Ok(())
}
