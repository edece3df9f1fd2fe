//! `drawdown funds`: the money of an account, through the HTTP API: lots are added, corrected, paid back and shown.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use drawdown_units::Timestamp;
use serde_json::{Value, json};

use crate::arguments::parse_time;
use crate::client::{OrgArgs, Writing, amount, fields, instant, labelled, list, path, text};
use crate::exit::Run;
use crate::table::{Align, Table};

/// Add, correct, pay back and show an account's money, on a running server
///
/// Amounts are decimal texts, such as 100 or 0.5, in the account's currency.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 done; 2 refused, or wrong usage; 3 a fault, or nobody knows what became of it.

Examples:
  drawdown funds add contoso 100 --lot PO-4711 --reference 'PO 4711'
  drawdown funds adjust contoso -2.50 --reason 'credited twice'
  drawdown funds refund contoso PO-4711 --reason 'contract ended'")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(AddArgs),
    Adjust(AdjustArgs),
    Refund(RefundArgs),
    /// Show the lots, in the order in which they are spent
    Lots(OrgArgs),
    /// Show the balance: what is settled, pending, reserved and available
    Balance(OrgArgs),
}

/// Add funds: a lot
#[derive(Debug, ClapArgs)]
struct AddArgs {
    /// The organisation
    org: String,
    /// How much was bought
    amount: String,
    /// What the lot is called; the key of the request unless given
    #[arg(long, value_name = "ID")]
    lot: Option<String>,
    /// What it was bought by, such as a purchase order
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// When it was bought; now unless given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    purchased: Option<Timestamp>,
    /// When it expires, if not as every lot
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires: Option<Timestamp>,
    /// The currency: it is refused where the account has another
    #[arg(long)]
    currency: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

/// Correct the balance by hand
#[derive(Debug, ClapArgs)]
struct AdjustArgs {
    /// The organisation
    org: String,
    /// How much is given, or with - taken
    #[arg(allow_negative_numbers = true)]
    amount: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    writing: Writing,
}

/// Pay the rest of a lot back
#[derive(Debug, ClapArgs)]
struct RefundArgs {
    /// The organisation
    org: String,
    /// The lot
    lot: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::Add(args) => add(args),
        Command::Adjust(args) => {
            let fields = json!({"amount": args.amount, "reason": args.reason});
            args.writing.send("POST", &path(&["accounts", &args.org, "adjustments"]), Some(&fields))
        }
        Command::Refund(args) => {
            let place = path(&["accounts", &args.org, "lots", &args.lot, "refund"]);
            args.writing.send("POST", &place, Some(&json!({"reason": args.reason})))
        }
        Command::Lots(args) => args.reading.show(&path(&["accounts", &args.org, "lots"]), show_lots),
        Command::Balance(args) => args.reading.show(&path(&["accounts", &args.org, "balance"]), show_balance),
    }
}

fn add(args: &AddArgs) -> Run {
    let fields = fields([
        ("amount", Some(json!(args.amount))),
        ("lotId", args.lot.as_ref().map(|lot| json!(lot))),
        ("reference", args.reference.as_ref().map(|reference| json!(reference))),
        ("purchasedAt", args.purchased.map(|time| json!(time.to_string()))),
        ("expiresAt", args.expires.map(|time| json!(time.to_string()))),
        ("currency", args.currency.as_ref().map(|currency| json!(currency))),
    ]);
    args.writing.send("POST", &path(&["accounts", &args.org, "lots"]), Some(&fields))
}

fn show_lots(lots: &Value, mut out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&[
        ("lot", Align::Left),
        ("bought", Align::Right),
        ("left", Align::Right),
        ("currency", Align::Left),
        ("purchased", Align::Left),
        ("expires", Align::Left),
        ("state", Align::Left),
    ]);
    for lot in list(&lots["lots"]) {
        let [id, bought, left, state] = ["lotId", "amount", "remaining", "state"].map(|name| text(&lot[name]));
        let [purchased, expires] = ["purchasedAt", "expiresAt"].map(|name| instant(&lot[name]));
        table.row([id, bought, left, text(&lots["currency"]), purchased, expires, state]);
    }
    table.write(&mut out, "")
}

fn show_balance(balance: &Value, out: &mut dyn Write) -> io::Result<()> {
    labelled(
        &[
            ("account", format!("{}: {}", text(&balance["orgId"]), text(&balance["mode"]))),
            ("settled", amount(&balance["settled"], &balance["currency"])),
            ("pending", text(&balance["pending"])),
            ("reserved", text(&balance["reserved"])),
            ("available", text(&balance["available"])),
            ("overdraft", text(&balance["overdraft"])),
            ("post-usage", text(&balance["postUsage"])),
            ("uncollected", text(&balance["uncollected"])),
            ("as of", instant(&balance["at"])),
        ],
        out,
    )
}
